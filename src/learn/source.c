#include "learn/source.h"

#include "base/bug.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Rows that are read column by column: with 50 columns they lie in L2. */
#define TILE 256

void ens_learn_source_init(struct ens_learn_source *s, uint64_t n_rows,
                           struct ens_arena *arena)
{
    *s = (struct ens_learn_source){.n_rows = n_rows, .arena = arena};
}

/* Room for n more items behind used of *room; those there are copied. */
static void *grow(struct ens_arena *arena, void *old, size_t used, size_t n,
                  size_t *room, size_t size)
{
    size_t want = 2 * (used + n);
    void *made;

    if (used + n <= *room)
        return old;
    made = ens_arena_alloc(arena, want, size);
    if (made == NULL)
        return NULL;
    if (used > 0)
        memcpy(made, old, used * size);
    *room = want;
    return made;
}

static enum ens_status reserve(struct ens_learn_source *s, size_t parts,
                               size_t columns, struct ens_error *err)
{
    struct ens_learn_source_part *part;
    const char **column;

    part = grow(s->arena, s->part, s->n_parts, parts, &s->room_parts,
                sizeof(*part));
    if (part == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "columns: out of memory");
    s->part = part;
    column = grow(s->arena, s->column, s->p, columns, &s->room_columns,
                  sizeof(*column));
    if (column == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "columns: out of memory");
    s->column = column;
    return ENS_OK;
}

/* How a view of two dimensions is read best. */
static enum ens_part_kind kind_of(const struct ens_view *v)
{
    int64_t row = v->strides[0], column = v->strides[1];

    if (v->dtype == ENS_DT_F64 && !v->swapped &&
        (column == (int64_t)sizeof(double) || v->shape[1] == 1))
        return ENS_PART_ROWS;
    if (v->shape[1] > 8 && llabs(column) < llabs(row))
        return ENS_PART_ACROSS;
    return ENS_PART_COLUMNS;
}

static struct ens_view two_dimensions(const struct ens_view *v, uint64_t first,
                                      size_t m)
{
    struct ens_view w = *v;

    if (w.ndim == 1) {
        w.ndim = 2;
        w.strides[1] = (int64_t)ens_dtype_bytes(w.dtype);
    }
    w.shape[1] = m;
    w.data = (const char *)w.data + (int64_t)first * (m > 0 ? w.strides[1] : 0);
    return w;
}

static enum ens_status check_rows(const struct ens_learn_source *s,
                                  const char *name, uint64_t n_rows,
                                  const struct ens_rowset *map,
                                  struct ens_error *err)
{
    if (map == NULL && n_rows != s->n_rows)
        return ens_fail(err, ENS_EINPUT,
                        "%s has %" PRIu64 " rows, %" PRIu64 " are expected",
                        name, n_rows, s->n_rows);
    ENS_BUG_ON(map != NULL && map->n != s->n_rows);
    return ENS_OK;
}

static void add_part(struct ens_learn_source *s, enum ens_part_kind kind,
                     const struct ens_view *v, size_t m,
                     const struct ens_rowset *map)
{
    s->part[s->n_parts++] = (struct ens_learn_source_part){
        .kind = kind, .view = *v, .first = s->p, .m = m, .map = map};
}

static enum ens_status add_name(struct ens_learn_source *s, const char *name,
                                struct ens_error *err)
{
    if (name == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "columns: out of memory");
    s->column[s->p++] = name;
    return ENS_OK;
}

enum ens_status ens_learn_source_add_view(struct ens_learn_source *s,
                                          const struct ens_view *view,
                                          uint64_t first, size_t m,
                                          const char *const *name,
                                          const struct ens_rowset *map,
                                          struct ens_error *err)
{
    enum ens_status st =
        check_rows(s, m > 0 ? name[0] : "an array", view->shape[0], map, err);
    struct ens_view v;

    if (st == ENS_OK)
        st = reserve(s, 1, m, err);
    if (st != ENS_OK || m == 0)
        return st;
    v = two_dimensions(view, first, m);
    add_part(s, kind_of(&v), &v, m, map);
    for (size_t j = 0; j < m && st == ENS_OK; j++)
        st = add_name(s, ens_arena_strdup(s->arena, name[j]), err);
    return st;
}

static enum ens_status
add_text(struct ens_learn_source *s, const struct ens_input *in,
         const struct ens_column *c, enum ens_texts texts,
         const struct ens_rowset *map, struct ens_error *err)
{
    uint32_t first = texts == ENS_TEXTS_CODED ? 1 : 0;
    enum ens_status st;

    if (texts == ENS_TEXTS_REFUSED)
        return ens_fail(err, ENS_EINPUT,
                        "column \"%s\" of %s is text (\"%s\" ...): leave it "
                        "out, or have the case make indicators of it",
                        c->name, in->name, c->n_levels > 0 ? c->levels[0] : "");
    if (c->n_levels <= first)
        return ENS_OK; /* one level says nothing */
    st = reserve(s, 1, c->n_levels, err);
    if (st != ENS_OK)
        return st;
    add_part(s, ENS_PART_TEXT, &c->view, c->n_levels - first, map);
    s->part[s->n_parts - 1].level = first;
    for (uint32_t k = first; k < c->n_levels && st == ENS_OK; k++)
        st = add_name(
            s, ens_arena_printf(s->arena, "%s[%s]", c->name, c->levels[k]),
            err);
    return st;
}

enum ens_status ens_learn_source_add_level(struct ens_learn_source *s,
                                           const struct ens_view *view,
                                           uint32_t level, const char *name,
                                           struct ens_error *err)
{
    enum ens_status st = check_rows(s, name, view->shape[0], NULL, err);

    if (st == ENS_OK)
        st = reserve(s, 1, 1, err);
    if (st != ENS_OK)
        return st;
    add_part(s, ENS_PART_TEXT, view, 1, NULL);
    s->part[s->n_parts - 1].level = level;
    return add_name(s, ens_arena_strdup(s->arena, name), err);
}

static const char *column_name(struct ens_learn_source *s,
                               const struct ens_input *in, uint64_t j)
{
    if (in->columns != NULL && in->columns[j].name[0] != '\0')
        return ens_arena_strdup(s->arena, in->columns[j].name);
    if (in->n_columns == 1)
        return ens_arena_strdup(s->arena, in->name);
    return ens_arena_printf(s->arena, "V%" PRIu64, j + 1);
}

static int is_complex(enum ens_dtype t)
{
    return t == ENS_DT_C64 || t == ENS_DT_C128;
}

/* Columns first .. first+n-1 of a table: numbers. */
static enum ens_status add_numbers(struct ens_learn_source *s,
                                   const struct ens_input *in, uint64_t first,
                                   size_t n, const struct ens_rowset *map,
                                   struct ens_error *err)
{
    enum ens_status st = reserve(s, 1, n, err);

    if (st != ENS_OK)
        return st;
    add_part(s, ENS_PART_COLUMNS, &in->columns[first].view, n, map);
    s->part[s->n_parts - 1].column = &in->columns[first];
    for (size_t j = 0; j < n && st == ENS_OK; j++) {
        if (is_complex(in->columns[first + j].view.dtype))
            return ens_fail(err, ENS_EINPUT, "column %s of %s: complex numbers",
                            column_name(s, in, first + j), in->name);
        st = add_name(s, column_name(s, in, first + j), err);
    }
    return st;
}

/* Level numbers are no numbers, though they may lie like a matrix. */
static int has_text(const struct ens_input *in)
{
    for (uint64_t j = 0; in->columns != NULL && j < in->n_columns; j++)
        if (in->columns[j].levels != NULL)
            return 1;
    return 0;
}

static enum ens_status add_table(struct ens_learn_source *s,
                                 const struct ens_input *in,
                                 enum ens_texts texts,
                                 const struct ens_rowset *map,
                                 struct ens_error *err)
{
    enum ens_status st = ENS_OK;
    uint64_t end;

    for (uint64_t j = 0; j < in->n_columns && st == ENS_OK; j = end) {
        end = j;
        while (end < in->n_columns && in->columns[end].levels == NULL)
            end++;
        if (end > j)
            st = add_numbers(s, in, j, (size_t)(end - j), map, err);
        else
            st = add_text(s, in, &in->columns[end++], texts, map, err);
    }
    return st;
}

enum ens_status ens_learn_source_add_input(struct ens_learn_source *s,
                                           const struct ens_input *in,
                                           enum ens_texts texts,
                                           const struct ens_rowset *map,
                                           struct ens_error *err)
{
    enum ens_status st = check_rows(s, in->name, in->n_rows, map, err);
    struct ens_view v;

    if (st != ENS_OK)
        return st;
    if (in->view.data == NULL || has_text(in))
        return add_table(s, in, texts, map, err);
    if (in->view.ndim > 2 || in->view.ndim == 0)
        return ens_fail(err, ENS_EINPUT,
                        "%s has %" PRIu32 " dimensions, rows and columns are "
                        "expected",
                        in->name, in->view.ndim);
    if (is_complex(in->view.dtype))
        return ens_fail(err, ENS_EINPUT, "%s: complex numbers", in->name);
    st = reserve(s, 1, in->n_columns, err);
    if (st != ENS_OK || in->n_columns == 0)
        return st;
    v = two_dimensions(&in->view, 0, in->n_columns);
    add_part(s, kind_of(&v), &v, in->n_columns, map);
    for (uint64_t j = 0; j < in->n_columns && st == ENS_OK; j++)
        st = add_name(s, column_name(s, in, j), err);
    return st;
}

/* -- reading ------------------------------------------------------------- */

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

static void read_column(const struct ens_view *v, const struct ens_rowrun *run,
                        double *to)
{
    if (run->index == NULL)
        ens_view_f64(v, run->row, run->n, to);
    else /* row numbers: not negative, the same bits */
        ens_view_gather_f64(v, (const uint64_t *)run->index, run->n, to);
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

    for (size_t j = 0; j < a->m; j += ABREAST) {
        size_t m = a->m - j < ABREAST ? a->m - j : ABREAST;

        for (size_t k = 0; k < m; k++) {
            const struct ens_view v = view_of(a, j + k);

            read_column(&v, run, tile[k]);
        }
        for (uint64_t i = 0; i < run->n; i++)
            for (size_t k = 0; k < m; k++)
                out[i * p + j + k] = tile[k][i];
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

    read_column(&a->view, run, tile);
    for (uint64_t i = 0; i < run->n; i++)
        for (size_t j = 0; j < a->m; j++)
            out[i * p + j] =
                tile[i] < 0 ? (double)NAN : tile[i] == (double)(a->level + j);
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
