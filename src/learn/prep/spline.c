/* B-splines of every column, as scikit-learn's SplineTransformer(knots =
 * "quantile", include_bias = False, extrapolation = "constant"): knots at
 * quantiles (equal ones once), continued beyond both ends by the distance of
 * the outermost two, the last spline left out (all of them add up to 1, which
 * an intercept says already); beyond the ends the value at the end.
 *
 * A column that is constant gives nothing.
 *
 * In the blob: degree, then per column the number of its knots (0: constant);
 * then all knots, continued: k + 2 degree of a column with k. */
#include "learn/prep/step.h"

#include <math.h>
#include <string.h>

#define MOST_KNOTS  50
#define MOST_DEGREE 5

static enum ens_status options(struct ens_prep_step *s, struct ens_error *err)
{
    enum ens_status st =
        ens_prep_number(s->call, "knots", 0, 5, &s->arg[0], err);

    if (st == ENS_OK)
        st = ens_prep_number(s->call, "degree", 1, 3, &s->arg[1], err);
    if (st != ENS_OK)
        return st;
    if (!(s->arg[0] >= 2 && s->arg[0] <= MOST_KNOTS) ||
        s->arg[0] != floor(s->arg[0]))
        return ens_fail(err, ENS_ESTUDY, "spline: knots: 2 to %d", MOST_KNOTS);
    if (!(s->arg[1] >= 0 && s->arg[1] <= MOST_DEGREE) ||
        s->arg[1] != floor(s->arg[1]))
        return ens_fail(err, ENS_ESTUDY, "spline: degree: 0 to %d",
                        MOST_DEGREE);
    return ENS_OK;
}

/* Columns made of one with k knots. */
static size_t splines(int64_t k, int64_t degree)
{
    return k < 2 ? 0 : (size_t)(k + degree - 2);
}

/* Knots that are further apart than rounding. */
static int64_t different(double *knot, int64_t n)
{
    double least = 1e-12 * (fabs(knot[0]) + fabs(knot[n - 1]));
    int64_t m = 1;

    for (int64_t i = 1; i < n; i++)
        if (knot[i] - knot[m - 1] > least)
            knot[m++] = knot[i];
    return m > 1 ? m : 0;
}

static void extend(const double *knot, int64_t k, int64_t degree, double *out)
{
    double low = knot[1] - knot[0], high = knot[k - 1] - knot[k - 2];

    for (int64_t i = 0; i < degree; i++) {
        out[i] = knot[0] - low * (double)(degree - i);
        out[degree + k + i] = knot[k - 1] + high * (double)(i + 1);
    }
    memcpy(out + degree, knot, (size_t)k * sizeof(*out));
}

static enum ens_status put(struct ens_prep_fit *f, double *knot, int64_t n,
                           struct ens_error *err)
{
    size_t p = f->rows->p, q = 0, values = 0;
    int64_t degree = (int64_t)f->step->arg[1], *own, *count;
    double *to;

    count = ens_arena_alloc(f->arena, p, sizeof(*count));
    if (count == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    for (size_t j = 0; j < p; j++) {
        count[j] = different(knot + j * (size_t)n, n);
        q += splines(count[j], degree);
        values += count[j] > 0 ? (size_t)(count[j] + 2 * degree) : 0;
    }
    if (q == 0)
        return ens_fail(err, ENS_EDOMAIN, "no column varies");
    own = ens_prep_own(f, q, (1 + p + values) * sizeof(*own), err);
    if (own == NULL)
        return ENS_ENOMEMORY;
    own[0] = degree;
    memcpy(own + 1, count, p * sizeof(*own));
    to = (double *)(void *)(own + 1 + p);
    for (size_t j = 0; j < p; j++) {
        if (count[j] == 0)
            continue;
        extend(knot + j * (size_t)n, count[j], degree, to);
        to += count[j] + 2 * degree;
    }
    return ENS_OK;
}

static enum ens_status fit(struct ens_prep_fit *f, struct ens_error *err)
{
    int64_t n = (int64_t)f->step->arg[0];
    double at[MOST_KNOTS], *knot;
    enum ens_status st;

    knot = ens_arena_alloc(f->arena, f->rows->p, (size_t)n * sizeof(*knot));
    if (knot == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    for (int64_t k = 0; k < n; k++)
        at[k] = (double)k / (double)(n - 1);
    st = ens_prep_quantiles(f->rows, at, (size_t)n, f->arena, knot, err);
    return st == ENS_OK ? put(f, knot, n, err) : st;
}

static int check(struct ens_prep_part *part)
{
    const int64_t *own = part->own;
    size_t p = part->p, q = 0, values = 0;
    const double *knot;

    if (part->bytes < (1 + p) * sizeof(*own) || own[0] < 0 ||
        own[0] > MOST_DEGREE)
        return 0;
    for (size_t j = 0; j < p; j++) {
        int64_t k = own[1 + j];

        if (k != 0 && (k < 2 || k > MOST_KNOTS))
            return 0;
        q += splines(k, own[0]);
        values += k > 0 ? (size_t)(k + 2 * own[0]) : 0;
    }
    if (q != part->q ||
        part->bytes != (((1 + p + values) * sizeof(*own) + 15) & ~(size_t)15))
        return 0;
    knot = (const double *)(const void *)(own + 1 + p);
    for (size_t j = 0; j < p; j++) {
        int64_t n = own[1 + j] > 0 ? own[1 + j] + 2 * own[0] : 0;

        for (int64_t i = 1; i < n; i++)
            if (!(knot[i - 1] < knot[i]))
                return 0;
        knot += n;
    }
    part->work = 1;
    return 1;
}

/* The splines that are not 0 at x, which is knots[i] .. knots[i + 1]: numbers
 * i - degree .. i of them.
 * Source: de Boor (1978), "A practical guide to splines", BSPLVB. */
static void de_boor(const double *knot, int64_t i, int64_t degree, double x,
                    double *b)
{
    double left[MOST_DEGREE + 1], right[MOST_DEGREE + 1];

    b[0] = 1;
    for (int64_t d = 1; d <= degree; d++) {
        double saved = 0;

        left[d] = x - knot[i + 1 - d];
        right[d] = knot[i + d] - x;
        for (int64_t r = 0; r < d; r++) {
            double t = b[r] / (right[r + 1] + left[d - r]);

            b[r] = saved + right[r + 1] * t;
            saved = left[d - r] * t;
        }
        b[d] = saved;
    }
}

/* knot: k + 2 degree of them. */
static void evaluate(const double *knot, int64_t k, int64_t degree, double x,
                     double *out)
{
    double b[MOST_DEGREE + 1], low = knot[degree], high = knot[degree + k - 1];
    int64_t i = degree, n = k + degree - 2;

    x = x < low ? low : x > high ? high : x;
    while (i < degree + k - 2 && x >= knot[i + 1])
        i++;
    de_boor(knot, i, degree, x, b);
    memset(out, 0, (size_t)n * sizeof(*out));
    for (int64_t d = 0; d <= degree; d++)
        if (i - degree + d < n)
            out[i - degree + d] = b[d];
}

static void apply(const struct ens_prep_part *part, const double *in, size_t n,
                  double *out, double *work)
{
    const int64_t *own = part->own;
    const double *first = (const double *)(const void *)(own + 1 + part->p);

    (void)work;
    for (size_t i = 0; i < n; i++) {
        const double *knot = first;

        for (size_t j = 0; j < part->p; j++) {
            int64_t k = own[1 + j];

            if (k == 0)
                continue;
            evaluate(knot, k, own[0], in[i * part->p + j], out);
            out += splines(k, own[0]);
            knot += k + 2 * own[0];
        }
    }
}

static enum ens_status names(const struct ens_prep_part *part,
                             const char *const *column, struct ens_arena *arena,
                             const char **name, struct ens_error *err)
{
    const int64_t *own = part->own;

    for (size_t j = 0; j < part->p; j++)
        for (size_t k = 1; k <= splines(own[1 + j], own[0]); k++) {
            *name = ens_arena_printf(arena, "%s.s%zu", column[j], k);
            if (*name++ == NULL)
                return ens_fail(err, ENS_ENOMEMORY, "out of memory");
        }
    return ENS_OK;
}

const struct ens_prep_op ens_prep_spline = {.name = "spline",
                                            .form = ENS_PREP_OWN,
                                            .options = options,
                                            .fit = fit,
                                            .check = check,
                                            .apply = apply,
                                            .names = names};
