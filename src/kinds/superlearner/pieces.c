#include "kinds/superlearner/pieces.h"

#include "kinds/superlearner/steps.h"
#include "learn/moments.h"

#include <stdlib.h>

#define LEAST_BYTES ((uint64_t)16 << 20)
#define MOST_BYTES  ((uint64_t)1 << 30)
#define MOST_ENDS   4096 /* a fit sorts them: 0.3 ms */

size_t ens_sl_sum_doubles(size_t width)
{
    return ens_sums_doubles(width) + width + 1;
}

static uint32_t n_groups(const struct ens_sl_layer *l)
{
    return l->n_partitions * (l->n_folds + 1);
}

static int is_temporal(const struct ens_sl_layer *l)
{
    return l->spec.type == ENS_FOLDS_TEMPORAL;
}

/* Are pieces what lies between ends of folds? Then of all samples, or these
 * have none. */
static int has_ends(const struct ens_sl_layer *l)
{
    return is_temporal(l) ||
           (l->n_samples > 1 && !l->is_shared && l->number == 1);
}

/* Row 0, ends of outer folds, and where folds begin in each sample; of windows
 * where they begin and end, and where rows that they predict begin. */
static uint64_t n_ends(const struct ens_sl_layer *l)
{
    if (is_temporal(l))
        return 1 + (uint64_t)l->n_folds *
                       (1u + (l->spec.window > 0) + (l->spec.lag > 0));
    return l->n_samples - 1 +
           l->n_samples * ((uint64_t)l->n_partitions * l->n_folds - 1);
}

uint32_t ens_sl_sum_samples(const struct ens_sl_layer *l, size_t width)
{
    uint64_t pieces =
        has_ends(l) ? n_ends(l) : (uint64_t)l->n_samples * n_groups(l);
    uint64_t rows = l->n_in * (uint64_t)width * sizeof(double);
    uint64_t most = rows < LEAST_BYTES  ? LEAST_BYTES
                    : rows > MOST_BYTES ? MOST_BYTES
                                        : rows;

    if (is_temporal(l) && pieces > MOST_ENDS)
        return 0;
    return pieces <= most / sizeof(double) / ens_sl_sum_doubles(width)
               ? l->n_samples
               : !is_temporal(l);
}

static int by_ends(const struct ens_sl_layer *l, size_t width)
{
    return has_ends(l) && ens_sl_sum_samples(l, width) == l->n_samples;
}

uint32_t ens_sl_sum_pieces(const struct ens_sl_layer *l, size_t width)
{
    return by_ends(l, width) ? (uint32_t)n_ends(l)
                             : ens_sl_sum_samples(l, width) * n_groups(l);
}

uint32_t ens_sl_sum_lanes(const struct ens_sl_layer *l, size_t width)
{
    uint32_t b = ens_sl_sum_pieces(l, width);
    uint64_t passes = by_ends(l, width) ? 1 : ens_sl_sum_samples(l, width);
    uint32_t lanes = ens_sl_lanes(passes * l->n_in,
                                  ens_sums_doubles(width) * sizeof(double));

    return (lanes + b - 1) / b;
}

/* -- ends ---------------------------------------------------------------- */

/* Rows that a sample has: all but n from row `first` on. */
struct sample {
    uint64_t first, n;
    struct ens_folds folds; /* of the others; not open: there are too few */
    int is_open;
};

static struct sample sample_of(const struct ens_sl_layer *l, uint32_t sample)
{
    struct ens_folds_spec spec = {.type = ENS_FOLDS_STACK,
                                  .folds = l->n_samples - 1};
    struct ens_rowset rows = {.n = l->n_in};
    struct sample s = {.first = l->n_in};
    struct ens_folds outer;

    if (sample > 0 &&
        ens_folds_open(&spec, &rows, NULL, &outer, NULL) == ENS_OK) {
        s.first = ens_folds_out_first(&outer, sample);
        s.n = ens_folds_out_n(&outer, sample);
    }
    rows.n -= s.n;
    s.is_open = ens_folds_open(&l->spec, &rows, NULL, &s.folds, NULL) == ENS_OK;
    return s;
}

static int ascending(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* Rows [from, to) of a fit of windows; 0: out of memory. */
static int window_of(const struct ens_sl_layer *l, uint32_t fold,
                     enum ens_sl_which which, struct ens_arena *arena,
                     uint64_t *from, uint64_t *to)
{
    struct ens_span span;
    struct ens_rowset rows = ens_rowset_one(&span, NULL, 0, l->n_in), set;
    struct ens_folds f;
    enum ens_status s = ens_folds_open(&l->spec, &rows, NULL, &f, NULL);

    if (s == ENS_OK)
        s = which == ENS_SL_TRAIN
                ? ens_folds_train(&f, 0, fold, arena, &set, NULL)
                : ens_folds_test(&f, fold, arena, &set, NULL);
    if (s != ENS_OK)
        return 0;
    *from = ens_rowset_row(&set, 0);
    *to = *from + set.n;
    return 1;
}

static uint64_t *find_windows(const struct ens_sl_layer *l, uint64_t *end,
                              struct ens_arena *arena)
{
    uint64_t from, to, at = 1;

    for (uint32_t k = 1; k <= l->n_folds; k++) {
        if (!window_of(l, k, ENS_SL_TRAIN, arena, &from, &to))
            return NULL;
        if (l->spec.window > 0)
            end[at++] = from;
        end[at++] = to;
        if (l->spec.lag > 0)
            end[at++] = to + l->spec.lag;
    }
    return end;
}

static void find_groups(const struct ens_sl_layer *l, uint64_t *end)
{
    uint64_t at = 0;

    for (uint32_t v = 0; v < l->n_samples; v++) {
        struct sample s = sample_of(l, v);

        if (v > 0)
            end[at++] = s.first;
        for (uint32_t j = 0; j < l->n_partitions; j++)
            for (uint32_t k = j == 0; k < l->n_folds; k++) {
                uint64_t i = s.is_open ? ens_folds_group(&s.folds, j, k) : 0;

                end[at++] = i < s.first ? i : i + s.n;
            }
    }
}

/* The first row of each piece, then n_in; NULL: out of memory. */
static uint64_t *find_ends(const struct ens_sl_layer *l,
                           struct ens_arena *arena)
{
    size_t n = (size_t)n_ends(l);
    uint64_t *end = ens_arena_alloc(arena, n + 1, sizeof(*end));

    if (end == NULL)
        return NULL;
    if (!is_temporal(l))
        find_groups(l, end);
    else if (find_windows(l, end, arena) == NULL)
        return NULL;
    end[n] = l->n_in;
    qsort(end, n, sizeof(*end), ascending);
    return end;
}

/* -- pieces -------------------------------------------------------------- */

uint32_t ens_sl_piece_sample(const struct ens_sl_layer *l, size_t width,
                             uint32_t piece)
{
    return by_ends(l, width) ? 0 : piece / n_groups(l);
}

/* Of blend, those that are trained on are never tested. */
static void group_rows(const struct ens_folds *f, uint32_t group,
                       uint64_t *first, uint64_t *n)
{
    uint32_t j = group / (f->K + 1), g = group % (f->K + 1);

    if (f->type == ENS_FOLDS_BLEND) {
        *n = g == 0 ? f->n_out : f->n_train;
        *first = g == 0 ? f->n_train : 0;
        return;
    }
    *first = ens_folds_group(f, j, g);
    *n = ens_folds_group(f, j, g + 1) - *first;
}

enum ens_status ens_sl_piece_rows(const struct ens_sl_layer *l, size_t width,
                                  uint32_t piece, const struct ens_folds *folds,
                                  struct ens_arena *arena, uint64_t *first,
                                  uint64_t *n)
{
    const uint64_t *end;

    if (!by_ends(l, width)) {
        group_rows(folds, piece % n_groups(l), first, n);
        return ENS_OK;
    }
    end = find_ends(l, arena);
    if (end == NULL)
        return ENS_ENOMEMORY;
    *first = end[piece];
    *n = end[piece + 1] - end[piece];
    return ENS_OK;
}

/* Training rows: groups of the partition but the fold. Test rows: the fold of
 * all partitions. */
static size_t groups_of(const struct ens_sl_layer *l, struct ens_sl_fit fit,
                        enum ens_sl_which which, uint32_t *piece)
{
    uint32_t per = l->n_folds + 1;
    size_t n = 0;

    if (which == ENS_SL_TRAIN)
        for (uint32_t k = 1; k <= per; k++)
            if (k != fit.fold)
                piece[n++] =
                    fit.sample * n_groups(l) + fit.partition * per + k - 1;
    if (which == ENS_SL_TEST)
        for (uint32_t j = 0; j < l->n_partitions; j++)
            piece[n++] = j * per + fit.fold - 1;
    return n;
}

/* No end is within a piece: its first row tells of all. */
static size_t between_ends(const struct ens_sl_layer *l, struct ens_sl_fit fit,
                           const uint64_t *end, uint32_t *piece)
{
    struct sample s = sample_of(l, fit.sample);
    const struct ens_folds *f = &s.folds;
    uint32_t j = fit.partition, k = fit.fold;
    size_t n = 0;

    for (uint32_t b = 0; b < n_ends(l) && s.is_open; b++) {
        uint64_t at = end[b] < s.first ? end[b] : end[b] - s.n;

        if (end[b] == end[b + 1] ||
            (end[b] >= s.first && end[b] < s.first + s.n))
            continue;
        if (at >= ens_folds_group(f, j, 0) &&
            at < ens_folds_group(f, j, f->K + 1) &&
            (k == 0 || at < ens_folds_group(f, j, k - 1) ||
             at >= ens_folds_group(f, j, k)))
            piece[n++] = b;
    }
    return n;
}

enum ens_status ens_sl_pieces_of(const struct ens_sl_layer *l, size_t width,
                                 struct ens_sl_fit fit, enum ens_sl_which which,
                                 struct ens_arena *arena, uint32_t **piece,
                                 size_t *n)
{
    int ends = by_ends(l, width);
    const uint64_t *end = ends ? find_ends(l, arena) : NULL;
    uint64_t from, to;

    *piece =
        ens_arena_alloc(arena, ens_sl_sum_pieces(l, width), sizeof(**piece));
    if (*piece == NULL || (ends && end == NULL))
        return ENS_ENOMEMORY;
    if (!ends) {
        *n = groups_of(l, fit, which, *piece);
        return ENS_OK;
    }
    if (!is_temporal(l)) {
        *n = between_ends(l, fit, end, *piece);
        return ENS_OK;
    }
    if (!window_of(l, fit.fold, which, arena, &from, &to))
        return ENS_ENOMEMORY;
    *n = 0;
    for (uint32_t b = 0; b < n_ends(l); b++)
        if (end[b] >= from && end[b] < to && end[b] < end[b + 1])
            (*piece)[(*n)++] = b;
    return ENS_OK;
}
