/* Open roles: the keys are the user's own, their types follow from the form
 * of what is written: integers, numbers (ranges and grids of them too), else
 * text. */
#include "config/grid.h"
#include "config/resolve.h"

#include <stdio.h>
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
static void add_columns(struct ens_resolve *r, const struct ens_role *role,
                        const struct ens_grid *g, const char *section,
                        struct ens_tables *t)
{
    struct ens_setting *list = (struct ens_setting *)t->item[0];

    for (size_t i = 0; g != NULL && i < g->n_keys; i++) {
        if (!is_word(g->key[i])) {
            char text[160];

            snprintf(text, sizeof(text),
                     "%.80s: a key is made of letters, digits and _, a digit "
                     "not first",
                     g->key[i]);
            ens_grid_error(r, section, g, 0, text);
            r->grid_is_bad = 1;
            continue;
        }
        list[t->n[0]++] = (struct ens_setting){
            .section = role->name,
            .key = g->key[i],
            .type = is_type(r, g, i, ENS_T_INT)   ? ENS_T_INT
                    : is_type(r, g, i, ENS_T_NUM) ? ENS_T_NUM
                                                  : ENS_T_TEXT,
            .shape = ENS_AXIS,
            .cls = ENS_C_CELL,
            .help = "a key of the user's own"};
    }
}

static void add_keys(struct ens_resolve *r, const struct ens_role *role,
                     const struct ens_section *from,
                     const struct ens_section *unless,
                     const struct ens_grid *grid, struct ens_tables *t)
{
    for (size_t i = 0; from != NULL && i < from->n; i++) {
        const struct ens_entry *e = &from->entry[i];
        struct ens_setting *s = (struct ens_setting *)&t->item[0][t->n[0]];

        if (ens_section_find(unless, e->key) != NULL ||
            strcmp(e->key, "grid") == 0 ||
            (grid != NULL && ens_grid_find(grid, e->key) < grid->n_keys))
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
        t->n[0]++;
    }
}

struct ens_tables ens_open_section(struct ens_resolve *r,
                                   const struct ens_role *role,
                                   const struct ens_grid *grid,
                                   const struct ens_section *own,
                                   const struct ens_section *defaults)
{
    size_t most = (grid != NULL ? grid->n_keys : 0) +
                  (own != NULL ? own->n : 0) +
                  (defaults != NULL ? defaults->n : 0);
    struct ens_setting *list =
        ens_arena_alloc(&r->study->arena, most + 1, sizeof(*list));
    struct ens_tables t = {role->name, {list, NULL}, {0, 0}};

    if (list == NULL) {
        r->diag.no_memory = 1;
        return t;
    }
    add_keys(r, role, defaults, own, grid, &t);
    add_keys(r, role, own, NULL, grid, &t);
    add_columns(r, role, grid, own != NULL ? own->name : role->name, &t);
    return t;
}
