/* Open roles: the keys are the user's own, their types follow from the form
 * of what is written: integers, numbers (ranges and grids of them too), else
 * text. */
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

static void add_keys(struct ens_resolve *r, const struct ens_role *role,
                     const struct ens_section *from,
                     const struct ens_section *unless, struct ens_setting *list,
                     size_t *n)
{
    for (size_t i = 0; from != NULL && i < from->n; i++) {
        const struct ens_entry *e = &from->entry[i];
        struct ens_setting *s = &list[*n];

        if (ens_section_find(unless, e->key) != NULL ||
            strcmp(e->key, "grid") == 0)
            continue;
        if (!is_word(e->key)) {
            ens_diag_add(&r->diag, e->pos,
                         "[%.80s] %.80s: a key is made of letters, digits and "
                         "_, a digit not first",
                         from->name, e->key);
            from->entry[i].used = 1;
            continue;
        }
        *s = (struct ens_setting){.section = role->name,
                                  .key = e->key,
                                  .shape = ENS_AXIS,
                                  .cls = ENS_C_CELL,
                                  .help = "a key of the user's own"};
        s->type = type_by_form(r, s, e->text);
        (*n)++;
    }
}

struct ens_tables ens_open_section(struct ens_resolve *r,
                                   const struct ens_role *role,
                                   const struct ens_section *own,
                                   const struct ens_section *defaults)
{
    size_t most =
        (own != NULL ? own->n : 0) + (defaults != NULL ? defaults->n : 0);
    struct ens_setting *list =
        ens_arena_alloc(&r->study->arena, most + 1, sizeof(*list));
    struct ens_tables t = {role->name, {list, NULL}, {0, 0}};

    if (list == NULL) {
        r->diag.no_memory = 1;
        return t;
    }
    add_keys(r, role, defaults, own, list, &t.n[0]);
    add_keys(r, role, own, NULL, list, &t.n[0]);
    return t;
}
