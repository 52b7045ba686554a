#include "learn/rows.h"

#include "base/bug.h"
#include "base/number.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Rows that are preprocessed at a time, and numbers: 2 MiB. */
#define TILE         256
#define TILE_NUMBERS (1 << 18)

struct bad {
    int is; /* the rest is of the first one met */
    const struct ens_learn_source *source;
    uint64_t row; /* of the source */
    size_t column;
    double value;
    const char *made; /* a column that preprocessing made */
    const char *want;
};

struct own {
    struct ens_rows_spec spec;
    struct ens_rowset x, y; /* rows of columns, of the response */
    size_t tile;            /* rows, at most TILE */
    double *raw, *work;     /* of them */
    int dropped;            /* see ens_rows_dropped */
    struct bad bad;
};

static void remember(struct own *o, const struct ens_learn_source *source,
                     uint64_t row, size_t column, double value,
                     const char *want)
{
    if (o->bad.is)
        return;
    o->bad = (struct bad){.is = 1,
                          .source = source,
                          .row = row,
                          .column = column,
                          .value = value,
                          .want = want};
}

/* Rows of the source at positions, or those numbers themselves. */
struct where {
    const struct ens_rowset *set;
    uint64_t first;
    const uint64_t *row; /* NULL: positions from first on */
};

static uint64_t row_at(const struct where *w, uint64_t i)
{
    return w->row != NULL ? w->row[i] : ens_rowset_row(w->set, w->first + i);
}

/* Columns of no use: zeros for what is not finite. */
static void drop(struct own *o, size_t n, double *x)
{
    const struct ens_learn_source *s = o->spec.source;

    for (size_t j = 0; j < s->p; j++)
        for (size_t i = 0; i < n && s->ignored[j]; i++)
            if (!isfinite(x[i * s->p + j])) {
                x[i * s->p + j] = 0;
                o->dropped = 1;
            }
}

static void clean(struct own *o, const struct where *w, size_t n, double *x)
{
    const struct ens_learn_source *s = o->spec.source;
    size_t all = n * s->p, k = 0;

    if (s->finite)
        return;
    if (s->ignored != NULL)
        drop(o, n, x);
    while ((k += ens_not_finite(x + k, all - k)) < all) {
        remember(o, s, row_at(w, k / s->p), k % s->p, x[k],
                 "a finite number is expected");
        x[k] = 0;
    }
}

/* Numbers that overflow in preprocessing. */
static void clean_made(struct own *o, const struct where *w, size_t n,
                       double *x)
{
    const struct ens_rows_prep *prep = o->spec.prep;
    size_t all = n * prep->p, k = 0;

    while ((k += ens_not_finite(x + k, all - k)) < all) {
        int first = !o->bad.is;

        remember(o, o->spec.source, row_at(w, k / prep->p), 0, x[k],
                 "preprocessing made it of the row");
        if (first)
            o->bad.made = prep->column[k % prep->p];
        x[k] = 0;
    }
}

static void read_raw(struct own *o, const struct where *w, size_t n, double *x)
{
    if (w->row != NULL)
        ens_learn_source_gather(o->spec.source, w->row, n, x);
    else
        ens_learn_source_read(o->spec.source, w->set, w->first, n, x);
    clean(o, w, n, x);
}

static void read(struct own *o, struct where w, size_t n, double *out)
{
    const struct ens_rows_prep *prep = o->spec.prep;

    if (prep == NULL) {
        read_raw(o, &w, n, out);
        return;
    }
    while (n > 0) {
        size_t m = n < o->tile ? n : o->tile;

        read_raw(o, &w, m, o->raw);
        prep->apply(prep->own, o->raw, m, out, o->work);
        clean_made(o, &w, m, out);
        out += m * prep->p;
        n -= m;
        w.first += m;
        w.row = w.row != NULL ? w.row + m : NULL;
    }
}

static void rows_x(const struct ens_rows *r, uint64_t first, size_t n,
                   double *out)
{
    struct own *o = r->own;

    ENS_BUG_ON(first > r->n || n > r->n - first);
    read(o, (struct where){&o->x, first, NULL}, n, out);
}

static void rows_gather(const struct ens_rows *r, const uint64_t *at, size_t n,
                        double *out)
{
    struct own *o = r->own;
    uint64_t row[TILE];

    while (n > 0) {
        size_t m = n < TILE ? n : TILE;

        if (o->x.n_spans == 1 && o->x.span[0].index == NULL)
            for (size_t i = 0; i < m; i++)
                row[i] = o->x.span[0].first + at[i];
        else
            for (size_t i = 0; i < m; i++)
                row[i] = ens_rowset_row(&o->x, at[i]);
        read(o, (struct where){&o->x, 0, row}, m, out);
        at += m;
        out += m * r->p;
        n -= m;
    }
}

/* -- response and weights ------------------------------------------------ */

static const char *refuse_y(const struct own *o, double *y)
{
    const struct ens_response *p = o->spec.response;
    int is_class = p->family == ENS_OUTCOME_BINOMIAL ||
                   p->family == ENS_OUTCOME_MULTINOMIAL;

    if (!isfinite(*y))
        return "a finite number is expected";
    if (p->family == ENS_OUTCOME_POISSON && (*y < 0 || *y != floor(*y)))
        return "a count is expected";
    if (!is_class)
        return NULL;
    if (p->label == NULL)
        return *y >= 0 && *y < p->n_classes && *y == floor(*y)
                   ? NULL
                   : "no class of the response";
    for (uint32_t k = 0; k < p->n_classes; k++)
        if (p->label[k] == *y) {
            *y = k;
            return NULL;
        }
    return "no class of the response";
}

static const char *refuse_w(const struct own *o, double *w)
{
    (void)o;
    return isfinite(*w) && *w >= 0 ? NULL : "a weight of 0 or more is expected";
}

static void read_one(const struct ens_rows *r, const struct ens_learn_source *s,
                     const char *(*refuse)(const struct own *o, double *v),
                     const struct ens_positions *at, double *out)
{
    struct own *o = r->own;

    ENS_BUG_ON(at->first > r->n || at->n > r->n - at->first);
    ens_learn_source_read(s, &o->y, at->first, (size_t)at->n, out);
    if (refuse == refuse_y &&
        o->spec.response->family == ENS_OUTCOME_GAUSSIAN &&
        ens_not_finite(out, (size_t)at->n) == at->n)
        return; /* all numbers will do */
    for (uint64_t i = 0; i < at->n; i++) {
        const char *want = refuse(o, &out[i]);

        if (want == NULL)
            continue;
        remember(o, s, ens_rowset_row(&o->y, at->first + i), 0, out[i], want);
        out[i] = 0;
    }
}

static void rows_y(const struct ens_rows *r, uint64_t first, size_t n,
                   double *out)
{
    const struct own *o = r->own;

    read_one(r, o->spec.response->y, refuse_y,
             &(struct ens_positions){first, n}, out);
}

static void rows_w(const struct ens_rows *r, uint64_t first, size_t n,
                   double *out)
{
    const struct own *o = r->own;

    if (r->weighted)
        read_one(r, o->spec.response->w, refuse_w,
                 &(struct ens_positions){first, n}, out);
    else
        for (size_t i = 0; i < n; i++)
            out[i] = 1;
}

static void rows_source(const struct ens_rows *r, uint64_t first, size_t n,
                        uint64_t *out)
{
    const struct own *o = r->own;

    ens_rowset_rows(&o->x, first, n, out);
}

static enum ens_status rows_moments(const struct ens_rows *r,
                                    const struct ens_moments **m,
                                    struct ens_error *err)
{
    struct own *o = r->own;

    ENS_BUG_ON(o->spec.moments == NULL);
    return o->spec.moments(o->spec.moments_arg, r, m, err);
}

/* -- opening ------------------------------------------------------------- */

static void offer_direct(struct ens_rows *r, const struct ens_rows_spec *spec)
{
    const struct ens_rows_prep *prep = spec->prep;
    const double *at = ens_learn_source_direct(spec->source, &r->stride);

    if (prep == NULL)
        r->mapped = at;
    if (at == NULL || !spec->source->finite ||
        (prep != NULL && !prep->is_scaled))
        return;
    r->direct = at;
    if (prep == NULL)
        return;
    r->direct += prep->select;
    r->centre = prep->centre;
    r->scale = prep->scale;
}

/* Scaled columns lie in the bins that they lay in: limits are scaled, codes
 * stay. */
static int scale_bins(const struct ens_rows_spec *spec, struct ens_arena *arena,
                      const struct ens_bins **bins)
{
    const struct ens_rows_prep *prep = spec->prep;
    size_t p = spec->source->p;
    struct ens_bins *b = ens_arena_alloc(arena, 1, sizeof(*b));
    double *table = ens_arena_alloc(arena, p, ENS_BINS_TABLE * sizeof(*table));

    if (b == NULL || table == NULL)
        return -1;
    memcpy(table, spec->bins->table, p * ENS_BINS_TABLE * sizeof(*table));
    for (size_t j = 0; j < p; j++)
        for (size_t k = 1; k < ENS_BINS_TABLE; k++) {
            double *v = &table[j * ENS_BINS_TABLE + k];

            *v = (*v - prep->centre[j]) * prep->scale[j];
        }
    *b = *spec->bins;
    b->table = table;
    *bins = b;
    return 0;
}

static int offer_bins(const struct ens_rows_spec *spec, struct ens_arena *arena,
                      const struct ens_bins **bins)
{
    const struct ens_rows_prep *prep = spec->prep;

    *bins = spec->bins;
    if (prep == NULL || spec->bins == NULL)
        return 0;
    *bins = NULL;
    if (!prep->is_scaled || prep->select != 0 || prep->p != spec->source->p)
        return 0;
    if (prep->scale != NULL)
        return scale_bins(spec, arena, bins);
    *bins = spec->bins;
    return 0;
}

static void set_columns(struct ens_rows *r, const struct ens_rows_spec *spec)
{
    if (spec->prep != NULL) {
        r->p = spec->prep->p;
        r->column = spec->prep->column;
    } else {
        r->p = spec->source->p;
        r->column = (const char *const *)spec->source->column;
    }
}

/* Columns of rows before: both sets lose those that have none. */
static int lag_rows(struct own *o, struct ens_arena *arena)
{
    const struct ens_rowset *s = &o->spec.set;
    uint64_t lag = o->spec.lag;
    struct ens_span *x, *y;
    size_t n = 0;

    o->x = o->y = *s;
    if (lag == 0)
        return 0;
    x = ens_arena_alloc(arena, s->n_spans, sizeof(*x));
    y = ens_arena_alloc(arena, s->n_spans, sizeof(*y));
    if (x == NULL || y == NULL)
        return -1;
    o->y = (struct ens_rowset){.span = y};
    for (size_t k = 0; k < s->n_spans; k++) {
        const struct ens_span *a = &s->span[k];
        uint64_t first = a->first > lag ? a->first : lag;

        if (first >= a->first + a->n)
            continue;
        y[n] = (struct ens_span){NULL, first, a->first + a->n - first, o->y.n};
        x[n] = y[n];
        x[n].first -= lag;
        o->y.n += y[n++].n;
    }
    o->y.n_spans = n;
    o->x = o->y;
    o->x.span = x;
    return 0;
}

static int make_tiles(struct own *o, struct ens_arena *arena)
{
    size_t p = o->spec.source->p, work;

    if (o->spec.prep == NULL)
        return 0;
    work = o->spec.prep->work;
    for (o->tile = TILE; o->tile > 1; o->tile /= 2)
        if (o->tile * (p > work ? p : work) <= TILE_NUMBERS)
            break;
    o->raw = ens_arena_alloc(arena, o->tile, p * sizeof(double));
    o->work = ens_arena_alloc(arena, o->tile, work * sizeof(double));
    return o->raw == NULL || o->work == NULL ? -1 : 0;
}

static void set_response(struct ens_rows *r, const struct ens_response *y)
{
    if (y == NULL)
        return;
    r->family = y->family;
    r->n_classes = y->n_classes;
    r->weighted = y->w != NULL;
    r->y = y->y != NULL ? rows_y : NULL;
}

enum ens_status ens_rows_open(const struct ens_rows_spec *spec,
                              struct ens_arena *arena, struct ens_rows *rows,
                              struct ens_error *err)
{
    struct ens_rows r = {.first_row = UINT64_MAX,
                         .x = rows_x,
                         .gather = rows_gather,
                         .w = rows_w,
                         .source = rows_source,
                         .moments = rows_moments};
    struct own *o = ens_arena_alloc(arena, 1, sizeof(*o));

    if (o == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "rows: out of memory");
    for (size_t k = 0; k < spec->set.n_spans && spec->lag > 0; k++)
        if (spec->set.span[k].index != NULL)
            return ens_fail(err, ENS_EDOMAIN,
                            "lag: rows of folds that are no blocks have none "
                            "before them");
    o->spec = *spec;
    if (make_tiles(o, arena) != 0 || lag_rows(o, arena) != 0 ||
        offer_bins(spec, arena, &r.bins) != 0)
        return ens_fail(err, ENS_ENOMEMORY, "rows: out of memory");
    r.own = o;
    r.n = o->x.n;
    if (ens_rowset_plain(&o->x))
        r.first_row = r.n > 0 ? o->x.span[0].first : 0;
    set_response(&r, spec->response);
    set_columns(&r, spec);
    offer_direct(&r, spec);
    *rows = r;
    return ENS_OK;
}

/* The user's row number: that of the input. */
static uint64_t input_row(const struct bad *b)
{
    for (size_t k = 0; k < b->source->n_parts; k++) {
        const struct ens_learn_source_part *a = &b->source->part[k];

        if (b->column >= a->first && b->column < a->first + a->m)
            return 1 +
                   (a->map != NULL ? ens_rowset_row(a->map, b->row) : b->row);
    }
    return 1 + b->row;
}

const struct ens_learn_source *ens_rows_bad_source(const struct ens_rows *rows)
{
    const struct own *o = rows->own;

    return o->bad.source;
}

int ens_rows_dropped(const struct ens_rows *rows)
{
    const struct own *o = rows->own;

    return o->dropped;
}

enum ens_status ens_rows_bad(const struct ens_rows *rows, struct ens_error *err)
{
    const struct own *o = rows->own;
    const struct bad *b = &o->bad;
    char value[ENS_NUMBER_BYTES];

    if (!b->is)
        return ENS_OK;
    ens_number_format(value, b->value);
    return ens_fail(err, ENS_EDOMAIN, "column %s, row %" PRIu64 ": %s: %s",
                    b->made != NULL ? b->made : b->source->column[b->column],
                    input_row(b), value, b->want);
}
