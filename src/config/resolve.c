#include "config/resolve.h"

#include "base/bug.h"
#include "config/builtin.h"
#include "config/grid.h"
#include "config/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int ens_setting_is_pattern(const struct ens_setting *s)
{
    size_t n = strlen(s->key);

    return strcmp(s->key, "*") == 0 ||
           (n > 2 && strcmp(s->key + n - 2, ".*") == 0);
}

int ens_key_is_word(const char *key)
{
    size_t n = strspn(key, "abcdefghijklmnopqrstuvwxyz"
                           "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

    return n > 0 && key[n] == '\0' && strchr("0123456789", *key) == NULL;
}

int ens_setting_matches(const struct ens_setting *pattern, const char *key)
{
    size_t n = strlen(pattern->key) - 1; /* with the point */

    if (n == 0)
        return ens_setting_is_pattern(pattern) && ens_key_is_word(key);
    return ens_setting_is_pattern(pattern) &&
           strncmp(pattern->key, key, n) == 0 && key[n] != '\0' &&
           strcmp(key, pattern->key) != 0;
}

int ens_tables_has(const struct ens_tables *t, int k, size_t i)
{
    const char *section = t->item[k][i].section;

    return strcmp(section, t->section) == 0 ||
           (k == 1 && t->also != NULL && strcmp(section, t->also) == 0);
}

const struct ens_setting *ens_tables_find(const struct ens_tables *t,
                                          const char *key)
{
    for (int k = 0; k < ENS_TABLES; k++)
        for (size_t i = 0; i < t->n[k]; i++)
            if (ens_tables_has(t, k, i) &&
                !ens_setting_is_pattern(&t->item[k][i]) &&
                strcmp(t->item[k][i].key, key) == 0)
                return &t->item[k][i];
    return NULL;
}

struct ens_tables ens_kind_section(const struct ens_study_tables *k,
                                   const char *section,
                                   const struct ens_impl *impl)
{
    struct ens_tables t = {section, {k->settings}, {k->n_settings}, NULL};

    if (impl != NULL) {
        t.item[1] = impl->settings;
        t.n[1] = impl->n_settings;
    }
    return t;
}

static const struct ens_setting **
list_rows(struct ens_resolve *r, const struct ens_tables *t, size_t *n)
{
    const struct ens_setting **list = ens_arena_alloc(
        &r->study->arena, t->n[0] + t->n[1] + t->n[2] + 1, sizeof(*list));

    *n = 0;
    for (int k = 0; list != NULL && k < ENS_TABLES; k++)
        for (size_t i = 0; i < t->n[k]; i++)
            if (ens_tables_has(t, k, i) &&
                !ens_setting_is_pattern(&t->item[k][i]))
                list[(*n)++] = &t->item[k][i];
    return list;
}

static int is_cell(const struct ens_setting *s)
{
    return s->cls == ENS_C_CELL || s->cls == ENS_C_DATA;
}

/* The value that the tables give; what is wrong with one is the table's. */
void ens_key_default(struct ens_resolve *r, const struct ens_row *row,
                     struct ens_key *key)
{
    struct ens_value_context c = r->context;
    struct ens_values def;
    struct ens_error err;
    enum ens_status st;

    c.inputs = NULL;
    key->is_default = ENS_NO_DEFAULT;
    if (key->s->def == NULL)
        return;
    st = ens_value_parse(&c, key->s, key->s->def, &def, &err);
    if (st == ENS_ENOMEMORY)
        r->diag.no_memory = 1;
    else if (st != ENS_OK || def.n != 1)
        ens_diag_add(&r->diag, (struct ens_pos){0, NULL},
                     "[%.80s] %s: its default: %s", row->section, key->s->key,
                     st != ENS_OK ? err.text : "more than one value");
    for (size_t i = 0; st == ENS_OK && i < key->value.n; i++)
        if (key->value.v[i].set == def.v->set &&
            strcmp(key->value.v[i].text, def.v->text) == 0)
            key->is_default = i;
}

static void parse_key(struct ens_resolve *r, const struct ens_row *row,
                      struct ens_key *key, const char *text)
{
    struct ens_error err;
    enum ens_status st =
        ens_value_parse(&r->context, key->s, text, &key->value, &err);

    if (st == ENS_ENOMEMORY)
        r->diag.no_memory = 1;
    else if (st != ENS_OK)
        ens_diag_add(&r->diag, key->pos, "[%.80s] %s: %s", row->section,
                     key->s->key, err.text);
    else if (key->value.n > 1 && !is_cell(key->s))
        ens_diag_add(&r->diag, key->pos, "[%.80s] %s: takes one value",
                     row->section, key->s->key);
    else
        ens_key_default(r, row, key);
}

static void fill_key(struct ens_resolve *r, struct ens_row *row,
                     struct ens_key *key, struct ens_entry *e, int lenient)
{
    static const struct ens_value unset = {.text = ""};

    key->value = (struct ens_values){1, &unset};
    key->is_default = key->s->def == NULL ? ENS_NO_DEFAULT : 0;
    if (e != NULL) {
        e->used = 1;
        key->pos = e->pos;
        parse_key(r, row, key, e->text);
    } else if (key->s->def != NULL) {
        parse_key(r, row, key, key->s->def);
    } else if (!lenient) {
        ens_diag_add(&r->diag, row->pos, "[%.80s] %s: missing (%s)",
                     row->section, key->s->key, key->s->help);
    } else {
        key->is_default = 0;
    }
}

/* A key that is a column of the row's grid. */
static void fill_column(struct ens_resolve *r, struct ens_row *row,
                        struct ens_key *key, struct ens_entry *own)
{
    static const struct ens_value unset = {.text = ""};
    char where[32] = "by --set";

    key->value = (struct ens_values){1, &unset};
    key->is_default = ENS_NO_DEFAULT;
    if (own != NULL) {
        own->used = 1;
        if (row->grid->pos.line > 0)
            snprintf(where, sizeof(where), "on line %u",
                     (unsigned)row->grid->pos.line);
        ens_diag_add(&r->diag, own->pos,
                     "[%.80s] %s: given twice, also as a column of grid %s",
                     row->section, key->s->key, where);
    } else {
        ens_grid_fill(r, row, key, row->grid);
    }
}

static int is_column(const struct ens_row *row, const char *key)
{
    return row->grid != NULL &&
           ens_grid_find(row->grid, key) < row->grid->n_keys;
}

static int by_key(const void *a, const void *b)
{
    const struct ens_key *const *x = a;
    const struct ens_key *const *y = b;

    return ens_key_order((*x)->s->key, (*y)->s->key);
}

static void add_grid(struct ens_row *row)
{
    for (size_t i = 0; row->grid != NULL && i < row->grid->n_keys; i++) {
        const struct ens_key *key = ens_row_find(row, row->grid->key[i]);

        if (key != NULL && key->grid == row->grid)
            row->axis[row->n_axes++] = (struct ens_key *)key;
    }
}

/* Axes in the order written: those of the defaults, then the row's own. */
static void order_axes(struct ens_row *row, const struct ens_section *own,
                       const struct ens_section *defaults)
{
    const struct ens_section *from[2] = {defaults, own};

    for (int k = 0; k < 2; k++)
        for (size_t i = 0; from[k] != NULL && i < from[k]->n; i++) {
            const char *name = from[k]->entry[i].key;
            const struct ens_key *key = ens_row_find(row, name);

            if (k == 0 && ens_section_find(own, name) != NULL)
                continue;
            if (strcmp(name, "grid") == 0)
                add_grid(row);
            if (key == NULL || key->value.n < 2 || key->grid != NULL)
                continue;
            row->axis[row->n_axes++] = (struct ens_key *)key;
        }
}

void ens_row_fill(struct ens_resolve *r, struct ens_row *row,
                  const struct ens_tables *t, struct ens_section *own,
                  struct ens_section *defaults, int lenient)
{
    struct ens_arena *a = &r->study->arena;
    size_t n;
    const struct ens_setting **list = list_rows(r, t, &n);

    row->key = ens_arena_alloc(a, n + 1, sizeof(*row->key));
    row->sorted = ens_arena_alloc(a, n + 1, sizeof(struct ens_key *));
    row->axis = ens_arena_alloc(a, n + 1, sizeof(struct ens_key *));
    row->count = 1;
    if (list == NULL || row->key == NULL || row->sorted == NULL ||
        row->axis == NULL) {
        r->diag.no_memory = 1;
        return;
    }
    row->n_keys = n;
    for (size_t i = 0; i < n; i++) {
        struct ens_entry *e = ens_section_find(own, list[i]->key);
        struct ens_entry *d = ens_section_find(defaults, list[i]->key);

        row->key[i].s = list[i];
        row->sorted[i] = &row->key[i];
        if (d != NULL)
            d->used = 1;
        /* a column of the row's own grid wins over a default */
        if (is_column(row, list[i]->key))
            fill_column(r, row, &row->key[i],
                        row->grid == r->default_grid && e == NULL ? d : e);
        else
            fill_key(r, row, &row->key[i], e != NULL ? e : d, lenient);
    }
    qsort(row->sorted, n, sizeof(struct ens_key *), by_key);
    if (row->grid != NULL && !r->grid_is_bad)
        ens_grid_check(r, row, t, row->grid);
    order_axes(row, own, defaults);
}

static void add_names(struct ens_near *near, const struct ens_tables *t)
{
    for (int k = 0; k < ENS_TABLES; k++)
        for (size_t i = 0; i < t->n[k]; i++)
            if (ens_tables_has(t, k, i) &&
                strcmp(t->item[k][i].key, "*") != 0 &&
                !ens_setting_is_pattern(&t->item[k][i]))
                ens_near_add(near, t->item[k][i].key);
}

/* Given twice: that error was found when the file was read. */
static int is_again(const struct ens_section *s, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (strcmp(s->entry[k].key, s->entry[i].key) == 0)
            return 1;
    return 0;
}

void ens_section_unknown(struct ens_resolve *r, const struct ens_section *s,
                         const struct ens_tables *t, const char *extra)
{
    for (size_t i = 0; s != NULL && i < s->n; i++) {
        struct ens_near near;

        if (s->entry[i].used || is_again(s, i))
            continue;
        ens_near_init(&near, s->entry[i].key);
        if (extra != NULL)
            ens_near_add(&near, extra);
        add_names(&near, t);
        ens_diag_add(&r->diag, s->entry[i].pos,
                     "[%.80s] %.80s: unknown key; %s", s->name, s->entry[i].key,
                     ens_near_text(&near));
    }
}

/* -- sections without rows ---------------------------------------------- */

static void fill_section(struct ens_resolve *r, struct ens_row *row,
                         const char *name, const struct ens_tables *t)
{
    struct ens_section *s = ens_ini_find(&r->ini, name);

    row->section = name;
    row->name = "";
    if (s != NULL)
        row->pos = s->pos;
    ens_row_fill(r, row, t, s, NULL, 0);
    ens_section_unknown(r, s, t, NULL);
}

static void check_workers(struct ens_resolve *r, const struct ens_row *run)
{
    static const struct ens_setting count = {
        "run", "workers", ENS_T_INT, ENS_ONE, ENS_C_RUN, NULL,
        1,     65535,     NULL,      NULL,    NULL};
    const struct ens_key *k = ens_row_find(run, "workers");
    struct ens_values v;
    struct ens_error err;

    if (k == NULL || strcmp(k->value.v->text, "auto") == 0)
        return;
    if (ens_value_parse(&r->context, &count, k->value.v->text, &v, &err) ==
        ENS_OK)
        ((struct ens_key *)k)->value = v;
    else
        ens_diag_add(&r->diag, k->pos,
                     "[run] workers: %s; allowed: auto, or 1 to 65535",
                     err.text);
}

void ens_resolve_sections(struct ens_resolve *r)
{
    struct ens_study *st = r->study;
    const struct ens_study_tables *k = &st->tables;
    struct ens_settings_table b = ens_builtin_settings();
    struct ens_tables t = {"study", {b.item}, {b.n}, NULL};

    st->section =
        ens_arena_alloc(&st->arena, 3 + k->n_settings, sizeof(*st->section));
    if (st->section == NULL) {
        r->diag.no_memory = 1;
        return;
    }
    fill_section(r, &st->section[0], "study", &t);
    t.section = "run";
    fill_section(r, &st->section[1], "run", &t);
    check_workers(r, &st->section[1]);
    t.section = "stop";
    fill_section(r, &st->section[2], "stop", &t);
    st->n_sections = 3;
    for (size_t i = 0; i < k->n_settings; i++) {
        const char *name = k->settings[i].section;
        int seen = 0;

        for (size_t j = 0; j < i && !seen; j++)
            seen = strcmp(k->settings[j].section, name) == 0;
        if (seen || !ens_is_plain_section(k, name))
            continue;
        ENS_BUG_ON(is_cell(&k->settings[i])); /* such a section is a role */
        t = ens_kind_section(k, name, NULL);
        ens_pattern_keys(r, NULL, ens_ini_find(&r->ini, name), NULL, &t);
        fill_section(r, &st->section[st->n_sections++], name, &t);
    }
}

/* -- inputs ------------------------------------------------------------- */

static int by_line(const void *a, const void *b)
{
    const struct ens_section *const *x = a;
    const struct ens_section *const *y = b;
    uint32_t lx = (*x)->pos.line - 1; /* --set: last */
    uint32_t ly = (*y)->pos.line - 1;

    if (lx != ly)
        return lx < ly ? -1 : 1;
    return *x < *y ? -1 : *x > *y;
}

void ens_resolve_inputs(struct ens_resolve *r)
{
    struct ens_study *st = r->study;
    struct ens_settings_table b = ens_builtin_settings();
    struct ens_tables t = {"input", {b.item}, {b.n}, NULL};
    struct ens_section **list =
        ens_arena_alloc(&st->arena, r->ini.n + 1, sizeof(*list));
    const char **names =
        ens_arena_alloc(&st->arena, r->ini.n + 1, sizeof(*names));
    size_t n = 0;

    st->input = ens_arena_alloc(&st->arena, r->ini.n + 1, sizeof(*st->input));
    if (list == NULL || names == NULL || st->input == NULL) {
        r->diag.no_memory = 1;
        return;
    }
    for (size_t i = 0; i < r->ini.n; i++)
        if (strncmp(r->ini.section[i].name, "input ", 6) == 0)
            list[n++] = &r->ini.section[i];
    qsort(list, n, sizeof(*list), by_line);
    for (size_t i = 0; i < n; i++)
        names[i] = list[i]->name + 6;
    r->context.inputs = names;
    r->context.n_inputs = n;
    for (size_t i = 0; i < n; i++) {
        st->input[i].section = list[i]->name;
        st->input[i].name = names[i];
        st->input[i].pos = list[i]->pos;
        if (strpbrk(names[i], " \t[]\",=") != NULL)
            ens_diag_add(&r->diag, list[i]->pos,
                         "[input %.80s]: the name of an input has no blanks, "
                         "quotes or [ ] , =",
                         names[i]);
        ens_row_fill(r, &st->input[i], &t, list[i], NULL, 0);
        ens_section_unknown(r, list[i], &t, NULL);
    }
    st->n_inputs = n;
}
