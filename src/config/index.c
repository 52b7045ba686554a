/* Numbers of cells, canonical pieces, axis columns: made once per study, so
 * that decoding a cell copies a few pieces and hashes them. */
#include "base/number.h"
#include "config/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lines { /* pieces being made */
    struct ens_buf text;
    struct ens_piece *item;
    size_t n;
};

int ens_key_in_part(const struct ens_role *role, const struct ens_key *key,
                    int part)
{
    if (key->s->cls != ENS_C_CELL && key->s->cls != ENS_C_DATA)
        return 0;
    return part == 0 || key->s->cls == ENS_C_DATA || role->is_data;
}

/* The text so far becomes a piece. */
static int flush(struct ens_arena *a, struct lines *l)
{
    const char *text;

    if (l->text.len == 0 || l->text.failed)
        return l->text.failed ? -1 : 0;
    text = ens_arena_strndup(a, (const char *)l->text.data, l->text.len);
    if (text == NULL)
        return -1;
    l->item[l->n++] = (struct ens_piece){text, l->text.len, NULL};
    ens_buf_clear(&l->text);
    return 0;
}

static int add_key(struct ens_arena *a, struct lines *l, const char *role,
                   const struct ens_key *key)
{
    const char *prefix;

    if (key->value.n == 1) {
        const struct ens_value *v = key->value.v;

        if (key->is_default != 0)
            ens_buf_printf(&l->text, "%s.%s=%s\n", role, key->s->key,
                           v->hashed != NULL ? v->hashed : v->text);
        return 0;
    }
    prefix = ens_arena_printf(a, "%s.%s=", role, key->s->key);
    if (prefix == NULL || flush(a, l) != 0)
        return -1;
    l->item[l->n++] = (struct ens_piece){prefix, strlen(prefix), key};
    return 0;
}

/* Lines in the order of their keys, the implementation's among them. */
static int add_lines(struct ens_arena *a, struct lines *l,
                     const struct ens_role *role, const struct ens_row *row,
                     int part)
{
    int impl_due = row->impl != NULL && (part == 0 || role->is_data);

    for (size_t i = 0; i <= row->n_keys; i++) {
        const struct ens_key *key = i < row->n_keys ? row->sorted[i] : NULL;

        if (impl_due &&
            (key == NULL || ens_key_order(role->impl_key, key->s->key) < 0)) {
            ens_buf_printf(&l->text, "%s.%s=%s", role->name, role->impl_key,
                           row->impl->name);
            if (row->impl->results_version > 0)
                ens_buf_printf(&l->text, "@%u",
                               (unsigned)row->impl->results_version);
            ens_buf_puts(&l->text, "\n");
            impl_due = 0;
        }
        if (key != NULL && ens_key_in_part(role, key, part) &&
            add_key(a, l, role->name, key) != 0)
            return -1;
    }
    return flush(a, l);
}

static int make_pieces(struct ens_arena *a, const struct ens_role *role,
                       struct ens_row *row, int part)
{
    struct lines l = {ENS_BUF_INIT, NULL, 0};
    int bad;

    l.item = ens_arena_alloc(a, 2 * row->n_axes + 1, sizeof(*l.item));
    bad = l.item == NULL || add_lines(a, &l, role, row, part) != 0;
    ens_buf_fini(&l.text);
    row->piece[part] = (struct ens_pieces){l.item, l.n};
    return bad ? -1 : 0;
}

static size_t longest_text(const struct ens_key *key)
{
    size_t most = 0;

    for (size_t i = 0; i < key->value.n; i++) {
        const struct ens_value *v = &key->value.v[i];
        size_t n = strlen(v->hashed != NULL ? v->hashed : v->text) +
                   (key->value.v[i].repeat > 0 ? ENS_NUMBER_BYTES : 0);

        most = n > most ? n : most;
    }
    return most;
}

static void measure(struct ens_row *row)
{
    for (size_t i = 0; i < row->piece[0].n; i++) {
        const struct ens_piece *p = &row->piece[0].item[i];

        row->longest += p->n;
        if (p->axis != NULL)
            row->longest += longest_text(p->axis) + 1;
    }
}

/* n *= by, but not above the limit. */
static int multiply(uint64_t *n, uint64_t by)
{
    return __builtin_mul_overflow(*n, by, n) || *n > ENS_CELLS_MAX;
}

static int number_row(struct ens_row *row)
{
    row->count = 1;
    for (size_t i = row->n_axes; i-- > 0;) {
        const struct ens_key *key = row->axis[i];

        row->axis[i]->stride = row->count;
        if (key->grid != NULL && i > 0 && row->axis[i - 1]->grid == key->grid)
            continue; /* they count as one */
        if (multiply(&row->count, ens_key_places(key)))
            return -1;
    }
    return 0;
}

static int number_cells(struct ens_study *st)
{
    st->n_cells = 1;
    for (size_t i = st->n_roles; i-- > 0;) {
        struct ens_role_rows *rows = &st->role[i];

        rows->stride = st->n_cells;
        rows->count = rows->role->beside ? 1 : 0;
        if (rows->role->beside)
            continue;
        for (size_t k = 0; k < rows->n; k++) {
            if (number_row(&rows->row[k]) != 0)
                return -1;
            rows->row[k].first = rows->count;
            rows->count += rows->row[k].count;
        }
        if (multiply(&st->n_cells, rows->count))
            return -1;
    }
    return 0;
}

static int by_role(const void *a, const void *b)
{
    const struct ens_role_rows *const *x = a;
    const struct ens_role_rows *const *y = b;

    return strcmp((*x)->role->name, (*y)->role->name);
}

/* Lines of two roles never interleave: "a." and "b." differ before any key. */
static int sort_roles(struct ens_study *st)
{
    st->role_sorted = ens_arena_alloc(&st->arena, st->n_roles + 1,
                                      sizeof(struct ens_role_rows *));
    if (st->role_sorted == NULL)
        return -1;
    for (size_t i = 0; i < st->n_roles; i++)
        if (!st->role[i].role->beside)
            st->role_sorted[st->n_sorted++] = &st->role[i];
    qsort(st->role_sorted, st->n_sorted, sizeof(struct ens_role_rows *),
          by_role);
    return 0;
}

static int has_column(const struct ens_study *st,
                      const struct ens_role_rows *rows, const char *key)
{
    for (size_t i = 0; i < st->n_columns; i++)
        if (st->column[i].role == rows->role->name &&
            st->column[i].key != NULL && strcmp(st->column[i].key, key) == 0)
            return 1;
    return 0;
}

static void add_column(struct ens_study *st, const struct ens_role_rows *rows,
                       const struct ens_setting *s)
{
    struct ens_axis_column *c = &st->column[st->n_columns++];

    c->role = rows->role->name;
    c->setting = s;
    c->key = s == NULL ? NULL : s->key;
    snprintf(c->name, sizeof(c->name), "%s%s%s", c->role, s == NULL ? "" : "_",
             s == NULL ? "" : s->key);
}

static int make_columns(struct ens_study *st)
{
    size_t most = st->n_roles;

    for (size_t i = 0; i < st->n_roles; i++)
        for (size_t k = 0; k < st->role[i].n; k++)
            most += st->role[i].row[k].n_axes;
    st->column = ens_arena_alloc(&st->arena, most + 1, sizeof(*st->column));
    if (st->column == NULL)
        return -1;
    for (size_t i = 0; i < st->n_roles; i++) {
        const struct ens_role_rows *rows = &st->role[i];

        if (rows->role->beside)
            continue;
        if (rows->named)
            add_column(st, rows, NULL);
        for (size_t k = 0; k < rows->n; k++)
            for (size_t j = 0; j < rows->row[k].n_axes; j++)
                if (!has_column(st, rows, rows->row[k].axis[j]->s->key))
                    add_column(st, rows, rows->row[k].axis[j]->s);
    }
    return 0;
}

static int make_all_pieces(struct ens_study *st, size_t *longest)
{
    *longest = 0;
    for (size_t i = 0; i < st->n_roles; i++) {
        size_t most = 0;

        if (st->role[i].role->beside)
            continue;
        for (size_t k = 0; k < st->role[i].n; k++) {
            struct ens_row *row = &st->role[i].row[k];

            if (make_pieces(&st->arena, st->role[i].role, row, 0) != 0 ||
                make_pieces(&st->arena, st->role[i].role, row, 1) != 0)
                return -1;
            measure(row);
            most = row->longest > most ? row->longest : most;
        }
        *longest += most;
    }
    return 0;
}

enum ens_status ens_study_index(struct ens_study *study, struct ens_diag *diag)
{
    struct ens_pos nowhere = {0, NULL};
    size_t longest;

    if (number_cells(study) != 0) {
        ens_diag_add(diag, nowhere, "more than %u cells", ENS_CELLS_MAX);
        return ENS_ESTUDY;
    }
    if (make_all_pieces(study, &longest) != 0 || sort_roles(study) != 0 ||
        make_columns(study) != 0)
        return ENS_ENOMEMORY;
    if (longest > ENS_CANONICAL_MAX) {
        ens_diag_add(diag, nowhere,
                     "the settings of a cell take %zu bytes, more than %zu",
                     longest, ENS_CANONICAL_MAX);
        return ENS_ESTUDY;
    }
    return ENS_OK;
}
