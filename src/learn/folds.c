#include "learn/folds.h"

#include "base/bug.h"
#include "base/number.h"

#include <inttypes.h>
#include <math.h>

/* Fits of a learner: their number is part of a task's. */
#define MOST_FITS (UINT64_C(1) << 30)

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Where block i of m begins. */
static uint64_t block_start(uint64_t n, uint64_t m, uint64_t i)
{
    return i * (n / m) + min_u64(i, n % m);
}

/* -- checks -------------------------------------------------------------- */

static enum ens_status check_blocks(uint64_t J, uint64_t K, uint64_t n,
                                    struct ens_error *err)
{
    if (J < 1)
        return ens_fail(err, ENS_ESTUDY, "partitions = 0: at least 1");
    if (K < 2)
        return ens_fail(err, ENS_ESTUDY, "folds = %" PRIu64 ": at least 2", K);
    if (K > n)
        return ens_fail(err, ENS_ESTUDY,
                        "folds = %" PRIu64 ": there are %" PRIu64 " rows only",
                        K, n);
    if (J > n / K)
        return ens_fail(err, ENS_ESTUDY,
                        "partitions = %" PRIu64 ": with %" PRIu64
                        " folds each they need %" PRIu64
                        " rows or more, there are %" PRIu64,
                        J, K, J > UINT64_MAX / K ? UINT64_MAX : J * K, n);
    if (J > MOST_FITS / (K + 1))
        return ens_fail(err, ENS_ESTUDY,
                        "folds = %" PRIu64 ": with partitions at most %" PRIu64
                        " fits",
                        K, MOST_FITS);
    return ENS_OK;
}

/* Rows of a size or a share; 0: neither is given. */
static uint64_t rows_of(uint64_t size, double share, uint64_t n)
{
    if (size > 0 || !(share > 0))
        return size;
    return (uint64_t)floor(share * (double)n);
}

static enum ens_status check_share(const char *key, double share,
                                   struct ens_error *err)
{
    char text[ENS_NUMBER_BYTES];

    if (share >= 0 && share < 1)
        return ENS_OK;
    ens_number_format(text, share);
    return ens_fail(err, ENS_ESTUDY,
                    "%s = %s: a share of the rows is between 0 and 1", key,
                    text);
}

static enum ens_status check_blend(const struct ens_folds_spec *s, uint64_t n,
                                   uint64_t *train, uint64_t *test,
                                   struct ens_error *err)
{
    enum ens_status st = check_share("test_size", s->test_share, err);

    if (st == ENS_OK)
        st = check_share("train_size", s->train_share, err);
    if (st != ENS_OK)
        return st;
    *test = rows_of(s->test_size, s->test_share, n);
    if (*test == 0 || *test >= n)
        return ens_fail(err, ENS_ESTUDY,
                        "test_size: %" PRIu64 " of %" PRIu64
                        " rows would be predicted, at least 1 and not all",
                        *test, n);
    *train = rows_of(s->train_size, s->train_share, n);
    if (s->train_size == 0 && !(s->train_share > 0))
        *train = n - *test;
    if (*train == 0 || *train > n - *test)
        return ens_fail(err, ENS_ESTUDY,
                        "train_size: %" PRIu64
                        " rows to train on beside %" PRIu64
                        " to predict, there are %" PRIu64,
                        *train, *test, n);
    return ENS_OK;
}

static uint64_t burn_in_of(const struct ens_folds_spec *s)
{
    return s->burn_in > 0 ? s->burn_in : s->step_size;
}

static enum ens_status check_temporal(const struct ens_folds_spec *s,
                                      uint64_t n, struct ens_error *err)
{
    uint64_t burn_in = burn_in_of(s);

    if (s->step_size < 1 || s->step_size >= n)
        return ens_fail(err, ENS_ESTUDY,
                        "step_size = %" PRIu64
                        ": at least 1 and less than the %" PRIu64 " rows",
                        s->step_size, n);
    if (burn_in >= n)
        return ens_fail(err, ENS_ESTUDY,
                        "burn_in = %" PRIu64 ": less than the %" PRIu64 " rows",
                        burn_in, n);
    if (s->lag >= burn_in)
        return ens_fail(err, ENS_ESTUDY,
                        "lag = %" PRIu64 ": less than burn_in, %" PRIu64
                        ", or nothing is left to train on",
                        s->lag, burn_in);
    if ((n - burn_in - 1) / s->step_size + 1 > MOST_FITS)
        return ens_fail(err, ENS_ESTUDY,
                        "step_size = %" PRIu64 ": more than %" PRIu64 " fits",
                        s->step_size, MOST_FITS);
    return ENS_OK;
}

/* J, K, n_out and n_train of blocks, and the fields of windows. */
static enum ens_status shape(const struct ens_folds_spec *s, uint64_t n,
                             struct ens_folds *f, struct ens_error *err)
{
    uint64_t J = s->type == ENS_FOLDS_SUBSEMBLE ? s->partitions : 1;
    enum ens_status st = ENS_OK;

    *f = (struct ens_folds){.type = s->type, .n = n, .n_out = n, .J = 1};
    switch (s->type) {
    case ENS_FOLDS_STACK:
    case ENS_FOLDS_SUBSEMBLE:
        st = check_blocks(J, s->folds, n, err);
        f->J = (uint32_t)J;
        f->K = (uint32_t)s->folds;
        break;
    case ENS_FOLDS_BLEND:
        st = check_blend(s, n, &f->n_train, &f->n_out, err);
        f->K = 1;
        break;
    case ENS_FOLDS_TEMPORAL:
        st = check_temporal(s, n, err);
        if (st != ENS_OK)
            break;
        f->step_size = s->step_size;
        f->burn_in = burn_in_of(s);
        f->window = s->window;
        f->lag = s->lag;
        f->n_out = n - f->burn_in;
        f->K = (uint32_t)((f->n_out - 1) / f->step_size + 1);
        break;
    case ENS_FOLDS_FULL:
        f->n_out = 0;
        break;
    }
    return st;
}

enum ens_status ens_folds_count(const struct ens_folds_spec *spec, uint64_t n,
                                uint32_t *J, uint32_t *K, struct ens_error *err)
{
    struct ens_folds f;
    enum ens_status st = shape(spec, n, &f, err);

    if (st != ENS_OK)
        return st;
    *J = f.J;
    *K = f.K;
    return ENS_OK;
}

/* -- groups -------------------------------------------------------------- */

uint64_t ens_folds_group(const struct ens_folds *f, uint32_t j, uint32_t g)
{
    uint64_t first, end;

    if (f->start != NULL)
        return f->start[(uint64_t)j * (f->K + 1) + g];
    first = block_start(f->n, f->J, j);
    end = block_start(f->n, f->J, j + 1);
    return first + block_start(end - first, f->K, min_u64(g, f->K));
}

static uint64_t group_n(const struct ens_folds *f, uint32_t j, uint32_t k)
{
    return ens_folds_group(f, j, k) - ens_folds_group(f, j, k - 1);
}

/* Tested rows of groups and blend, as `start` has them. */
static void take_start(struct ens_folds *f, const uint64_t *start)
{
    if (f->type == ENS_FOLDS_BLEND) {
        f->n_train = start[0];
        f->n_out = start[1] - start[0];
        return;
    }
    f->start = start;
    f->n_out = 0;
    for (uint32_t k = 1; k <= f->K; k++)
        f->n_out += ens_folds_out_n(f, k);
}

enum ens_status ens_folds_open(const struct ens_folds_spec *spec,
                               const struct ens_rowset *base,
                               const uint64_t *start, struct ens_folds *f,
                               struct ens_error *err)
{
    struct ens_folds made;
    enum ens_status st = shape(spec, base->n, &made, err);

    if (st != ENS_OK)
        return st;
    ENS_BUG_ON(start != NULL && (spec->type == ENS_FOLDS_TEMPORAL ||
                                 spec->type == ENS_FOLDS_FULL));
    made.base = *base;
    if (start != NULL)
        take_start(&made, start);
    *f = made;
    return ENS_OK;
}

/* -- rows ---------------------------------------------------------------- */

static struct ens_positions temporal_test(const struct ens_folds *f, uint32_t k)
{
    uint64_t first = f->burn_in + (k - 1) * f->step_size;

    return (struct ens_positions){first, min_u64(f->step_size, f->n - first)};
}

static struct ens_positions temporal_train(const struct ens_folds *f,
                                           uint32_t k)
{
    uint64_t end = temporal_test(f, k).first - f->lag, first = 0;

    if (k > 1 && f->window > 0 && end > f->window)
        first = end - f->window;
    return (struct ens_positions){first, end - first};
}

/* The partition before and behind the fold. */
static void around(const struct ens_folds *f, uint32_t j, uint32_t k,
                   struct ens_positions piece[2])
{
    uint64_t first = ens_folds_group(f, j, 0),
             end = ens_folds_group(f, j, f->K + 1);
    uint64_t from = end, to = end;

    if (k > 0) {
        from = ens_folds_group(f, j, k - 1);
        to = ens_folds_group(f, j, k);
    }
    piece[0] = (struct ens_positions){first, from - first};
    piece[1] = (struct ens_positions){to, end - to};
}

enum ens_status ens_folds_train(const struct ens_folds *f, uint32_t j,
                                uint32_t k, struct ens_arena *arena,
                                struct ens_rowset *out, struct ens_error *err)
{
    struct ens_positions piece[2] = {{0, f->n}, {0, 0}};

    ENS_BUG_ON(j >= f->J || k > f->K);
    switch (f->type) {
    case ENS_FOLDS_STACK:
    case ENS_FOLDS_SUBSEMBLE:
        around(f, j, k, piece);
        break;
    case ENS_FOLDS_BLEND:
        if (k > 0)
            piece[0].n = f->n_train;
        break;
    case ENS_FOLDS_TEMPORAL:
        if (k > 0)
            piece[0] = temporal_train(f, k);
        break;
    case ENS_FOLDS_FULL:
        break;
    }
    return ens_rowset_slice(&f->base, piece, 2, arena, out, err);
}

/* Positions in base of output positions of fold k, J pieces at most. */
static size_t test_pieces(const struct ens_folds *f, uint32_t k,
                          struct ens_positions *piece)
{
    if (f->type == ENS_FOLDS_BLEND)
        piece[0] = (struct ens_positions){f->n_train, f->n_out};
    else if (f->type == ENS_FOLDS_TEMPORAL)
        piece[0] = temporal_test(f, k);
    else
        for (uint32_t j = 0; j < f->J; j++)
            piece[j] = (struct ens_positions){ens_folds_group(f, j, k - 1),
                                              group_n(f, j, k)};
    return f->J;
}

enum ens_status ens_folds_test(const struct ens_folds *f, uint32_t k,
                               struct ens_arena *arena, struct ens_rowset *out,
                               struct ens_error *err)
{
    struct ens_positions *piece;

    ENS_BUG_ON(k < 1 || k > f->K);
    piece = ens_arena_alloc(arena, f->J, sizeof(*piece));
    if (piece == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "rows of a fold: out of memory");
    return ens_rowset_slice(&f->base, piece, test_pieces(f, k, piece), arena,
                            out, err);
}

enum ens_status ens_folds_out(const struct ens_folds *f,
                              struct ens_arena *arena, struct ens_rowset *out,
                              struct ens_error *err)
{
    /* of one partition: its folds lie one behind the other */
    uint64_t n = f->J > 1 ? (uint64_t)f->J * f->K : 1;
    struct ens_positions *piece = ens_arena_alloc(arena, n, sizeof(*piece));
    size_t used = 0;

    if (piece == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "rows of folds: out of memory");
    for (uint32_t k = 1; k <= f->K && (f->J > 1 || k == 1); k++)
        used += test_pieces(f, k, piece + used);
    if (f->J == 1)
        piece[0].n = f->n_out;
    return ens_rowset_slice(&f->base, piece, used, arena, out, err);
}

uint64_t ens_folds_out_n(const struct ens_folds *f, uint32_t k)
{
    uint64_t n = 0;

    ENS_BUG_ON(k < 1 || k > f->K);
    if (f->type == ENS_FOLDS_BLEND)
        return f->n_out;
    if (f->type == ENS_FOLDS_TEMPORAL)
        return temporal_test(f, k).n;
    for (uint32_t j = 0; j < f->J; j++)
        n += group_n(f, j, k);
    return n;
}

uint64_t ens_folds_out_first(const struct ens_folds *f, uint32_t k)
{
    uint64_t first = 0;

    if (f->type == ENS_FOLDS_TEMPORAL)
        return temporal_test(f, k).first - f->burn_in;
    for (uint32_t j = 0; j < f->J && f->type != ENS_FOLDS_BLEND; j++)
        first += ens_folds_group(f, j, k - 1) - ens_folds_group(f, j, 0);
    return first;
}

int ens_folds_in_order(const struct ens_folds *f)
{
    if (f->type == ENS_FOLDS_STACK || f->type == ENS_FOLDS_SUBSEMBLE)
        return f->start == NULL && f->J == 1;
    return 1;
}
