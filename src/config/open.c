/* Open roles and implementations: the keys are the user's own, their types
 * follow from the form of what is written: integers, numbers (ranges and grids
 * of them too), else text. */
#include "config/resolve.h"

#include <string.h>

static int is_word(const char *key)
{
    size_t n = strspn(key, "abcdefghijklmnopqrstuvwxyz"
                           "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

    return n > 0 && key[n] == '\0' && strchr("0123456789", *key) == NULL;
}

/* Digits too many for an integer are kept as text, never rounded. */
static enum ens_type type_by_form(struct ens_resolve *r, struct ens_setting *s,
                                  const char *text)
{
    int digits = text[strspn(text, "0123456789+-:, \t")] == '\0';
    struct ens_values ignored;

    s->type = digits ? ENS_T_INT : ENS_T_NUM;
    if (ens_value_parse(&r->context, s, text, &ignored, NULL) == ENS_OK)
        return s->type;
    return ENS_T_TEXT;
}

struct adding {
    struct ens_resolve *r;
    const struct ens_role *role;
    const struct ens_tables *known; /* keys that are not the user's own */
    struct ens_setting *list;
    size_t n;
};

static int is_known(const struct adding *a, const char *key)
{
    return strcmp(key, "grid") == 0 ||
           (a->role->impl_key != NULL && strcmp(key, a->role->impl_key) == 0) ||
           ens_tables_find(a->known, key) != NULL;
}

static void add_keys(struct adding *a, const struct ens_section *from,
                     const struct ens_section *unless)
{
    for (size_t i = 0; from != NULL && i < from->n; i++) {
        const struct ens_entry *e = &from->entry[i];
        struct ens_setting *s = &a->list[a->n];

        if (ens_section_find(unless, e->key) != NULL || is_known(a, e->key))
            continue;
        if (!is_word(e->key)) {
            ens_diag_add(&a->r->diag, e->pos,
                         "[%.80s] %.80s: a key is made of letters, digits and "
                         "_, a digit not first",
                         from->name, e->key);
            from->entry[i].used = 1;
            continue;
        }
        *s = (struct ens_setting){.section = a->role->name,
                                  .key = e->key,
                                  .shape = ENS_AXIS,
                                  .cls = ENS_C_CELL,
                                  .help = "a key of the user's own"};
        s->type = type_by_form(a->r, s, e->text);
        a->n++;
    }
}

void ens_open_keys(struct ens_resolve *r, const struct ens_role *role,
                   const struct ens_section *own,
                   const struct ens_section *defaults, struct ens_tables *t)
{
    size_t most =
        (own != NULL ? own->n : 0) + (defaults != NULL ? defaults->n : 0);
    struct ens_setting *list =
        ens_arena_alloc(&r->study->arena, most + 1, sizeof(*list));
    struct adding a = {r, role, t, list, 0};

    if (list == NULL) {
        r->diag.no_memory = 1;
        return;
    }
    add_keys(&a, defaults, own);
    add_keys(&a, own, NULL);
    t->item[2] = list;
    t->n[2] = a.n;
}
