/* Ordinals <-> cells, canonical text, hashes. */
#include "base/bug.h"
#include "base/number.h"
#include "config/grid.h"
#include "config/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECKED ((uint64_t)10000000) /* cells whose ids are compared */

const struct ens_role_rows *ens_study_rows(const struct ens_study *study,
                                           const char *role)
{
    for (size_t i = 0; i < study->n_roles; i++)
        if (strcmp(study->role[i].role->name, role) == 0)
            return &study->role[i];
    return NULL;
}

const struct ens_row *ens_rows_at(const struct ens_role_rows *rows,
                                  uint64_t ordinal, uint64_t *local)
{
    uint64_t i = ordinal / rows->stride % rows->count;
    size_t low = 0;
    size_t high = rows->n;

    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;

        if (rows->row[mid].first <= i)
            low = mid;
        else
            high = mid;
    }
    *local = i - rows->row[low].first;
    return &rows->row[low];
}

size_t ens_key_places(const struct ens_key *key)
{
    return key->grid != NULL ? key->grid->n : key->value.n;
}

static size_t digit(const struct ens_key *key, uint64_t local)
{
    size_t i;

    if (key->value.n == 1)
        return 0;
    i = (size_t)(local / key->stride % ens_key_places(key));
    return key->grid != NULL ? key->pick[i] : i;
}

const struct ens_value *ens_key_at(const struct ens_key *key, uint64_t local)
{
    return &key->value.v[digit(key, local)];
}

/* Its text; of a line that is there again, with a byte that no line has and
 * how often it was there before. */
static size_t write_value(const struct ens_value *v, char *to)
{
    const char *text = v->hashed != NULL ? v->hashed : v->text;
    size_t n = strlen(text);

    memcpy(to, text, n);
    if (v->repeat > 0) {
        to[n++] = '\x1f';
        n += ens_number_format_u64(to + n, v->repeat);
    }
    return n;
}

/* Canonical text into `to` (ENS_CANONICAL_MAX bytes); returns its length. */
static size_t write_canonical(const struct ens_study *st, uint64_t ordinal,
                              int part, char *to)
{
    size_t len = 0;

    for (size_t i = 0; i < st->n_sorted; i++) {
        uint64_t local;
        const struct ens_row *row =
            ens_rows_at(st->role_sorted[i], ordinal, &local);

        for (size_t k = 0; k < row->piece[part].n; k++) {
            const struct ens_piece *p = &row->piece[part].item[k];
            size_t d = p->axis == NULL ? 0 : digit(p->axis, local);

            if (p->axis != NULL && p->axis->is_default == d)
                continue;
            memcpy(to + len, p->text, p->n);
            len += p->n;
            if (p->axis == NULL)
                continue;
            len += write_value(&p->axis->value.v[d], to + len);
            to[len++] = '\n';
        }
    }
    return len;
}

uint64_t ens_study_n_cells(const struct ens_study *study)
{
    return study->n_cells;
}

void ens_study_cell(const struct ens_study *study, uint64_t ordinal,
                    struct ens_cell *cell)
{
    char text[ENS_CANONICAL_MAX];
    struct ens_hash128 h;

    ENS_BUG_ON(ordinal >= study->n_cells);
    cell->study = study;
    cell->ordinal = ordinal;
    h = ens_hash128(text, write_canonical(study, ordinal, 0, text));
    cell->hash[0] = h.low;
    cell->hash[1] = h.high;
    if (!study->own_streams)
        h = ens_hash128(text, write_canonical(study, ordinal, 1, text));
    cell->data_hash[0] = h.low;
    cell->data_hash[1] = h.high;
}

void ens_cell_canonical(const struct ens_cell *cell, int data_only,
                        struct ens_buf *out)
{
    char text[ENS_CANONICAL_MAX];

    ens_buf_put(
        out, text,
        write_canonical(cell->study, cell->ordinal, data_only != 0, text));
}

/* -- values ------------------------------------------------------------- */

const struct ens_value *ens_cell_value(const struct ens_cell *cell,
                                       const char *role, const char *key)
{
    const struct ens_role_rows *rows = ens_study_rows(cell->study, role);
    const struct ens_key *k;
    uint64_t local;

    if (rows == NULL)
        return NULL;
    k = ens_row_find(ens_rows_at(rows, cell->ordinal, &local), key);
    return k == NULL ? NULL : ens_key_at(k, local);
}

const char *ens_cell_key(const struct ens_cell *cell, const char *role,
                         size_t i, enum ens_type *type)
{
    const struct ens_role_rows *rows = ens_study_rows(cell->study, role);
    const struct ens_row *row;
    uint64_t local;

    if (rows == NULL)
        return NULL;
    row = ens_rows_at(rows, cell->ordinal, &local);
    if (i >= row->n_keys)
        return NULL;
    if (type != NULL)
        *type = row->key[i].s->type;
    return row->key[i].s->key;
}

const struct ens_impl *ens_cell_impl(const struct ens_cell *cell,
                                     const char *role)
{
    const struct ens_role_rows *rows = ens_study_rows(cell->study, role);
    uint64_t local;

    return rows == NULL ? NULL : ens_rows_at(rows, cell->ordinal, &local)->impl;
}

const char *ens_cell_row(const struct ens_cell *cell, const char *role)
{
    const struct ens_role_rows *rows = ens_study_rows(cell->study, role);
    uint64_t local;

    return rows == NULL ? "" : ens_rows_at(rows, cell->ordinal, &local)->name;
}

size_t ens_study_n_axis_columns(const struct ens_study *study)
{
    return study->n_columns;
}

const struct ens_axis_column *
ens_study_axis_column(const struct ens_study *study, size_t i)
{
    ENS_BUG_ON(i >= study->n_columns);
    return &study->column[i];
}

const char *ens_cell_axis_text(const struct ens_cell *cell, size_t column)
{
    const struct ens_axis_column *c =
        ens_study_axis_column(cell->study, column);
    const struct ens_value *v;

    if (c->key == NULL)
        return ens_cell_row(cell, c->role);
    v = ens_cell_value(cell, c->role, c->key);
    return v == NULL ? "" : v->text;
}

int ens_cell_varies(const struct ens_cell *cell, const char *role,
                    const char *key)
{
    const struct ens_role_rows *rows = ens_study_rows(cell->study, role);
    const struct ens_key *k;
    uint64_t local;

    if (rows == NULL)
        return 0;
    k = ens_row_find(ens_rows_at(rows, cell->ordinal, &local), key);
    return k != NULL && k->value.n > 1;
}

uint64_t ens_cell_role_index(const struct ens_cell *cell, const char *role)
{
    const struct ens_role_rows *rows = ens_study_rows(cell->study, role);

    return rows == NULL ? 0 : cell->ordinal / rows->stride % rows->count + 1;
}

uint64_t ens_study_role_count(const struct ens_study *study, const char *role)
{
    const struct ens_role_rows *rows = ens_study_rows(study, role);

    return rows == NULL ? 0 : rows->count;
}

/* -- all cells ---------------------------------------------------------- */

uint64_t ens_study_cells_hash(const struct ens_study *study)
{
    uint64_t word[1024];
    size_t n = 0;
    uint64_t h = ens_hash64_pair(0, study->n_cells);
    struct ens_cell cell;

    for (uint64_t i = 0; i < study->n_cells; i++) {
        ens_study_cell(study, i, &cell);
        word[n++] = cell.hash[0];
        word[n++] = cell.hash[1];
        if (n == 1024 || i + 1 == study->n_cells) {
            h = ens_hash64_seed(word, n * sizeof(word[0]), h);
            n = 0;
        }
    }
    return h;
}

/* "study.ini:4: [data a] n=10, study.ini:9: [fit b]" */
static void describe(const struct ens_study *st, uint64_t ordinal,
                     struct ens_buf *b)
{
    for (size_t i = 0; i < st->n_roles; i++) {
        uint64_t local;
        const struct ens_row *row = ens_rows_at(&st->role[i], ordinal, &local);

        if (st->role[i].role->beside)
            continue;
        ens_buf_puts(b, b->len > 0 ? ", " : "");
        if (row->pos.line > 0)
            ens_buf_printf(b, "%s:%u: ", st->path, (unsigned)row->pos.line);
        ens_buf_printf(b, "[%s]", row->section);
        for (size_t k = 0; k < row->n_axes; k++)
            ens_buf_printf(b, " %s=%.40s", row->axis[k]->s->key,
                           ens_key_at(row->axis[k], local)->text);
    }
}

static enum ens_status same_cells(const struct ens_study *st, uint64_t id,
                                  struct ens_error *err)
{
    uint64_t found[2];
    size_t n = 0;
    struct ens_buf a = ENS_BUF_INIT;
    struct ens_buf b = ENS_BUF_INIT;
    char hex[ENS_HEX64_BYTES];
    struct ens_cell cell;

    for (uint64_t i = 0; i < st->n_cells && n < 2; i++) {
        ens_study_cell(st, i, &cell);
        if (cell.hash[0] == id)
            found[n++] = i;
    }
    ENS_BUG_ON(n < 2);
    describe(st, found[0], &a);
    describe(st, found[1], &b);
    ens_hex64(hex, id);
    ens_fail(err, ENS_ESTUDY, "two cells are the same (%s): %.180s and %.180s",
             hex, ens_buf_text(&a), ens_buf_text(&b));
    ens_buf_fini(&a);
    ens_buf_fini(&b);
    return ENS_ESTUDY;
}

static int by_value(const void *a, const void *b)
{
    const uint64_t *x = a;
    const uint64_t *y = b;

    return *x < *y ? -1 : *x > *y;
}

enum ens_status ens_study_check_cells(const struct ens_study *study,
                                      struct ens_error *err)
{
    uint64_t *id;
    enum ens_status s = ENS_OK;
    struct ens_cell cell;

    if (study->n_cells > CHECKED || study->n_cells < 2)
        return ENS_OK;
    id = malloc((size_t)study->n_cells * sizeof(*id));
    if (id == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "%s: out of memory", study->path);
    for (uint64_t i = 0; i < study->n_cells; i++) {
        ens_study_cell(study, i, &cell);
        id[i] = cell.hash[0];
    }
    qsort(id, (size_t)study->n_cells, sizeof(*id), by_value);
    for (uint64_t i = 1; i < study->n_cells && s == ENS_OK; i++)
        if (id[i] == id[i - 1])
            s = same_cells(study, id[i], err);
    free(id);
    return s;
}
