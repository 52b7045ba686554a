/* Blocks of a source's rows, part by part. */
#include "learn/source.h"

#include <math.h>
#include <string.h>

/* Rows that are read column by column: with 50 columns they lie in L2. */
#define TILE 256

static const char *row_of(const struct ens_view *v,
                          const struct ens_rowrun *run, uint64_t i)
{
    uint64_t row = run->index != NULL ? (uint64_t)run->index[i] : run->row + i;

    return (const char *)v->data + (int64_t)row * v->strides[0];
}

/* Row by row, each as a one-dimensional view of its columns. */
static void read_across(const struct ens_learn_source_part *a,
                        const struct ens_rowrun *run, double *out, size_t p)
{
    struct ens_view row = a->view;

    row.ndim = 1;
    row.shape[0] = a->m;
    row.strides[0] = a->view.strides[1];
    for (uint64_t i = 0; i < run->n; i++) {
        row.data = row_of(&a->view, run, i);
        ens_view_f64(&row, 0, a->m, out + i * p);
    }
}

/* A run of a column: where it lies, or in the tile. */
static const double *read_column(const struct ens_view *v,
                                 const struct ens_rowrun *run, double *tile)
{
    const double *x;

    if (run->index != NULL) { /* row numbers: not negative, the same bits */
        ens_view_gather_f64(v, (const uint64_t *)run->index, run->n, tile);
        return tile;
    }
    x = ens_view_pointer_f64(v);
    if (x != NULL)
        return x + run->row;
    ens_view_f64(v, run->row, run->n, tile);
    return tile;
}

/* Columns that are turned into rows together: 8 doubles are a line of cache. */
#define ABREAST 8

static struct ens_view view_of(const struct ens_learn_source_part *a, size_t j)
{
    struct ens_view v = a->view;

    if (a->column != NULL)
        v = a->column[j].view;
    else if (j > 0)
        v.data = (const char *)v.data + (int64_t)j * v.strides[1];
    v.ndim = 1;
    return v;
}

static void read_columns(const struct ens_learn_source_part *a,
                         const struct ens_rowrun *run, double *out, size_t p)
{
    double tile[ABREAST][TILE];
    const double *x[ABREAST];

    for (size_t j = 0; j < a->m; j += ABREAST) {
        size_t m = a->m - j < ABREAST ? a->m - j : ABREAST;

        for (size_t k = 0; k < m; k++) {
            const struct ens_view v = view_of(a, j + k);

            x[k] = read_column(&v, run, tile[k]);
        }
        if (m == 1)
            for (uint64_t i = 0; i < run->n; i++)
                out[i * p + j] = x[0][i];
        else
            for (uint64_t i = 0; i < run->n; i++)
                for (size_t k = 0; k < m; k++)
                    out[i * p + j + k] = x[k][i];
    }
}

static void read_rows(const struct ens_learn_source_part *a,
                      const struct ens_rowrun *run, double *out, size_t p)
{
    size_t bytes = a->m * sizeof(*out);

    if (run->index == NULL && a->m == p &&
        a->view.strides[0] == (int64_t)bytes) {
        memcpy(out, row_of(&a->view, run, 0), run->n * bytes);
        return;
    }
    if (a->m == 1) { /* a call for 8 bytes costs more */
        read_columns(a, run, out, p);
        return;
    }
    for (uint64_t i = 0; i < run->n; i++)
        memcpy(out + i * p, row_of(&a->view, run, i), bytes);
}

static void read_text(const struct ens_learn_source_part *a,
                      const struct ens_rowrun *run, double *out, size_t p)
{
    double tile[TILE];
    const double *x = read_column(&a->view, run, tile);

    for (uint64_t i = 0; i < run->n; i++)
        for (size_t j = 0; j < a->m; j++)
            out[i * p + j] =
                x[i] < 0 ? (double)NAN : x[i] == (double)(a->level + j);
}

static void (*const readers[])(const struct ens_learn_source_part *a,
                               const struct ens_rowrun *run, double *out,
                               size_t p) = {
    [ENS_PART_ROWS] = read_rows,
    [ENS_PART_ACROSS] = read_across,
    [ENS_PART_COLUMNS] = read_columns,
    [ENS_PART_TEXT] = read_text,
};

/* Rows of the source that are none of the part's own: by its map. */
static void read_mapped(const struct ens_learn_source_part *a,
                        const struct ens_rowrun *run, double *out, size_t p)
{
    int64_t row[TILE];

    if (run->index != NULL) {
        for (uint64_t i = 0; i < run->n; i++)
            row[i] = (int64_t)ens_rowset_row(a->map, (uint64_t)run->index[i]);
        readers[a->kind](a, &(struct ens_rowrun){row, 0, run->n}, out, p);
        return;
    }
    for (uint64_t i = 0; i < run->n;) {
        struct ens_rowrun there =
            ens_rowset_run(a->map, run->row + i, run->n - i);

        readers[a->kind](a, &there, out + i * p, p);
        i += there.n;
    }
}

static void read_run(const struct ens_learn_source *s, struct ens_rowrun run,
                     double *out)
{
    while (run.n > 0) {
        struct ens_rowrun tile = run;

        tile.n = run.n < TILE ? run.n : TILE;
        for (size_t k = 0; k < s->n_parts; k++) {
            const struct ens_learn_source_part *a = &s->part[k];

            (a->map != NULL ? read_mapped
                            : readers[a->kind])(a, &tile, out + a->first, s->p);
        }
        out += tile.n * s->p;
        run.n -= tile.n;
        run.row += tile.n;
        run.index = run.index != NULL ? run.index + tile.n : NULL;
    }
}

void ens_learn_source_read(const struct ens_learn_source *s,
                           const struct ens_rowset *set, uint64_t first,
                           size_t n, double *out)
{
    while (n > 0) {
        struct ens_rowrun run = ens_rowset_run(set, first, n);

        read_run(s, run, out);
        out += run.n * s->p;
        first += run.n;
        n -= (size_t)run.n;
    }
}

void ens_learn_source_gather(const struct ens_learn_source *s,
                             const uint64_t *row, size_t n, double *out)
{
    if (n > 0)
        read_run(s, (struct ens_rowrun){(const int64_t *)row, 0, n}, out);
}

const double *ens_learn_source_direct(const struct ens_learn_source *s,
                                      uint64_t *stride)
{
    const struct ens_learn_source_part *a = s->part;
    const char *data;
    int64_t step;

    if (s->n_parts != 1 || a->kind != ENS_PART_ROWS)
        return NULL;
    step = a->view.strides[0];
    data = a->view.data;
    if (a->map != NULL && !ens_rowset_plain(a->map))
        return NULL;
    if (a->map != NULL && a->map->n > 0)
        data += (int64_t)a->map->span[0].first * step;
    if (step <= 0 || step % (int64_t)sizeof(double) != 0 ||
        (uintptr_t)data % sizeof(double) != 0)
        return NULL;
    *stride = (uint64_t)step / sizeof(double);
    return (const double *)(const void *)data;
}

size_t ens_not_finite(const double *x, size_t n)
{
    double sum[8] = {0};
    size_t i = 0;

    for (; i + 8 <= n; i += 8)
        for (size_t k = 0; k < 8; k++)
            sum[k] += x[i + k] * 0.0;
    for (; i < n; i++)
        sum[0] += x[i] * 0.0;
    for (size_t k = 1; k < 8; k++)
        sum[0] += sum[k];
    if (sum[0] == 0.0)
        return n;
    for (i = 0; i < n && isfinite(x[i]); i++)
        ;
    return i;
}
