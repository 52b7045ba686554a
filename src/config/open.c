/* Keys that no table has. In open roles and implementations they are the
 * user's own, their types follow from the form of what is written: integers,
 * numbers (ranges and grids of them too), else text. Of a row "NAME.*" the
 * user writes what stands for the star. */
#include "config/grid.h"
#include "config/resolve.h"

#include <stdio.h>
#include <string.h>

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
    const struct ens_grid *grid;    /* its keys come after those of sections */
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

static int is_type(struct ens_resolve *r, const struct ens_grid *g,
                   size_t column, enum ens_type type)
{
    const struct ens_setting s = {.type = type, .shape = ENS_ONE};
    struct ens_values ignored;

    for (size_t i = 0; i < g->n; i++) {
        const char *text = g->text[i * g->n_keys + column];

        if ((type == ENS_T_INT && text[strspn(text, "0123456789+-")] != '\0') ||
            ens_value_parse(&r->context, &s, text, &ignored, NULL) != ENS_OK)
            return 0;
    }
    return 1;
}

/* A column is of one type, as a list is. */
static void add_columns(struct adding *a, const char *section)
{
    const struct ens_grid *g = a->grid;

    for (size_t i = 0; g != NULL && i < g->n_keys; i++) {
        if (is_known(a, g->key[i]))
            continue;
        if (!ens_key_is_word(g->key[i])) {
            char text[160];

            snprintf(text, sizeof(text),
                     "%.80s: a key is made of letters, digits and _, a digit "
                     "not first",
                     g->key[i]);
            ens_grid_error(a->r, section, g, 0, text);
            a->r->grid_is_bad = 1;
            continue;
        }
        a->list[a->n++] = (struct ens_setting){
            .section = a->role->name,
            .key = g->key[i],
            .type = is_type(a->r, g, i, ENS_T_INT)   ? ENS_T_INT
                    : is_type(a->r, g, i, ENS_T_NUM) ? ENS_T_NUM
                                                     : ENS_T_TEXT,
            .shape = ENS_AXIS,
            .cls = ENS_C_CELL,
            .help = "a key of the user's own"};
    }
}

static void add_keys(struct adding *a, const struct ens_section *from,
                     const struct ens_section *unless)
{
    for (size_t i = 0; from != NULL && i < from->n; i++) {
        const struct ens_entry *e = &from->entry[i];
        struct ens_setting *s = &a->list[a->n];

        if (ens_section_find(unless, e->key) != NULL || is_known(a, e->key) ||
            (a->grid != NULL &&
             ens_grid_find(a->grid, e->key) < a->grid->n_keys))
            continue;
        if (!ens_key_is_word(e->key)) {
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
                   const struct ens_grid *grid, const struct ens_section *own,
                   const struct ens_section *defaults, struct ens_tables *t)
{
    size_t most = (grid != NULL ? grid->n_keys : 0) +
                  (own != NULL ? own->n : 0) +
                  (defaults != NULL ? defaults->n : 0);
    struct ens_setting *list =
        ens_arena_alloc(&r->study->arena, most + 1, sizeof(*list));
    struct adding a = {r, role, grid, t, list, 0};

    if (list == NULL) {
        r->diag.no_memory = 1;
        return;
    }
    add_keys(&a, defaults, own);
    add_keys(&a, own, NULL);
    add_columns(&a, own != NULL ? own->name : role->name);
    t->item[2] = list;
    t->n[2] = a.n;
}

/* -- patterns -------------------------------------------------------------- */

static const struct ens_setting *find_pattern(const struct ens_tables *t,
                                              const char *key)
{
    for (int k = 0; k < ENS_TABLES; k++)
        for (size_t i = 0; i < t->n[k]; i++)
            if (ens_tables_has(t, k, i) &&
                ens_setting_matches(&t->item[k][i], key))
                return &t->item[k][i];
    return NULL;
}

/* A row for the key, if it is one of a pattern's and has none yet. */
static void complete(const struct ens_tables *t, const char *key,
                     struct ens_setting *list, size_t *n)
{
    const struct ens_setting *pattern = find_pattern(t, key);

    for (size_t i = 0; i < *n; i++)
        if (strcmp(list[i].key, key) == 0)
            return;
    if (pattern == NULL || ens_tables_find(t, key) != NULL)
        return;
    list[*n] = *pattern;
    list[(*n)++].key = key;
}

void ens_pattern_keys(struct ens_resolve *r, const struct ens_grid *grid,
                      const struct ens_section *own,
                      const struct ens_section *defaults, struct ens_tables *t)
{
    const struct ens_section *from[2] = {defaults, own};
    size_t most = (grid != NULL ? grid->n_keys : 0) +
                  (own != NULL ? own->n : 0) +
                  (defaults != NULL ? defaults->n : 0);
    struct ens_setting *list =
        ens_arena_alloc(&r->study->arena, most + 1, sizeof(*list));
    size_t n = 0;

    if (list == NULL) {
        r->diag.no_memory = 1;
        return;
    }
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; from[k] != NULL && i < from[k]->n; i++)
            complete(t, from[k]->entry[i].key, list, &n);
    for (size_t i = 0; grid != NULL && i < grid->n_keys; i++)
        complete(t, grid->key[i], list, &n);
    t->item[2] = list;
    t->n[2] = n;
}
