#include "fit/basis.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ORDER 11 /* degree 10 */
#define MAX_KNOTS (ENS_BASIS_MAX_DF + 2 * MAX_ORDER)

static enum ens_status fail(const struct ens_formula_variable *v,
                            const char *what, struct ens_error *err)
{
    return ens_fail(err, ENS_EDOMAIN, "%s: %s", v->expr.name, what);
}

/* -- polynomials ------------------------------------------------------------
 */

static double dot(const double *a, const double *b, size_t n)
{
    double s = 0;

    for (size_t i = 0; i < n; i++)
        s += a[i] * b[i];
    return s;
}

/* Take from p its part along 1 and along the k columns of q. */
static void orthogonalise(double *p, const double *q, size_t k, size_t n)
{
    double mean = 0;

    for (size_t i = 0; i < n; i++)
        mean += p[i];
    mean /= (double)n;
    for (size_t i = 0; i < n; i++)
        p[i] -= mean;
    for (size_t j = 0; j < k; j++) {
        double c = dot(p, q + j * n, n);

        for (size_t i = 0; i < n; i++)
            p[i] -= c * q[j * n + i];
    }
}

static enum ens_status poly(const struct ens_formula_variable *v,
                            const double *x, size_t n, double *centred,
                            double *out, struct ens_error *err)
{
    for (size_t i = 0; i < n; i++) {
        if (isnan(x[i]))
            return fail(v, "missing values are not allowed in poly()", err);
        centred[i] = x[i];
    }
    orthogonalise(centred, NULL, 0, n);
    for (unsigned j = 0; j < v->df; j++) {
        double *p = out + j * n;
        double before, length;

        for (size_t i = 0; i < n; i++)
            p[i] = j == 0 ? centred[i] : centred[i] * out[(j - 1) * n + i];
        before = sqrt(dot(p, p, n));
        orthogonalise(p, out, j, n);
        orthogonalise(p, out, j, n);
        length = sqrt(dot(p, p, n));
        if (!(length > 1e-10 * before))
            return fail(v,
                        "the degree must be less than the number of "
                        "different values",
                        err);
        for (size_t i = 0; i < n; i++)
            p[i] /= length;
    }
    return ENS_OK;
}

/* -- splines ----------------------------------------------------------------
 */

struct spline {
    unsigned order;
    unsigned n_knots;
    double knot[MAX_KNOTS];
};

static int ascending(const void *a, const void *b)
{
    const double *x = a;
    const double *y = b;

    return (*x > *y) - (*x < *y);
}

/* Boundary knots `order` times each and n_inner quantiles between. */
static enum ens_status place_knots(struct spline *s,
                                   const struct ens_formula_variable *v,
                                   const double *x, size_t n, double *sorted,
                                   unsigned n_inner, struct ens_error *err)
{
    size_t k = 0;
    unsigned at = 0;

    for (size_t i = 0; i < n; i++)
        if (!isnan(x[i]))
            sorted[k++] = x[i];
    qsort(sorted, k, sizeof(*sorted), ascending);
    if (k == 0 || sorted[0] == sorted[k - 1])
        return fail(v, "fewer than two different values", err);
    for (unsigned i = 0; i < s->order; i++)
        s->knot[at++] = sorted[0];
    for (unsigned i = 1; i <= n_inner; i++) {
        /* R's quantile, type 7 */
        double h = (double)(k - 1) * ((double)i / (n_inner + 1));
        size_t low = (size_t)floor(h + 4 * 2.220446e-16);
        double f = h - (double)low;

        if (fabs(f) < 4 * 2.220446e-16 || low + 1 >= k)
            s->knot[at++] = sorted[low];
        else
            s->knot[at++] = (1 - f) * sorted[low] + f * sorted[low + 1];
    }
    for (unsigned i = 0; i < s->order; i++)
        s->knot[at++] = sorted[k - 1];
    s->n_knots = at;
    return ENS_OK;
}

/* The first knot above x; at the right end the first of the last ones. */
static unsigned find_knot(const struct spline *s, double x)
{
    unsigned last = s->n_knots - s->order;
    unsigned i = 0;

    while (i < last && s->knot[i] <= x)
        i++;
    return i;
}

/* Values at x of the basis functions cur - order .. cur - 1 of that order
 * (de Boor, "A Practical Guide to Splines", chapter X). */
static void evaluate(const struct spline *s, unsigned order, unsigned cur,
                     double x, double *b)
{
    b[0] = 1;
    for (unsigned j = 1; j < order; j++) {
        double saved = 0;

        for (unsigned r = 0; r < j; r++) {
            double right = s->knot[cur + r] - x;
            double left = x - s->knot[cur - (j - r)];
            double width = right + left;

            if (width != 0) {
                double term = b[r] / width;

                b[r] = saved + right * term;
                saved = left * term;
            } else {
                if (r != 0 || right != 0)
                    b[r] = saved;
                saved = 0;
            }
        }
        b[j] = saved;
    }
}

/* All columns but the first, for every x; n_columns of them. */
static void fill(const struct spline *s, const double *x, size_t n,
                 unsigned n_columns, double *out)
{
    double b[MAX_ORDER];

    memset(out, 0, n * n_columns * sizeof(*out));
    for (size_t i = 0; i < n; i++) {
        unsigned cur;

        if (isnan(x[i])) {
            for (unsigned j = 0; j < n_columns; j++)
                out[j * n + i] = NAN;
            continue;
        }
        cur = find_knot(s, x[i]);
        evaluate(s, s->order, cur, x[i], b);
        for (unsigned k = 0; k < s->order; k++)
            if (cur - s->order + k >= 1)
                out[(cur - s->order + k - 1) * n + i] = b[k];
    }
}

static enum ens_status bs(const struct ens_formula_variable *v, const double *x,
                          size_t n, double *work, double *out,
                          struct ens_error *err)
{
    struct spline s = {.order = v->degree + 1};
    enum ens_status status =
        place_knots(&s, v, x, n, work, v->df - v->degree, err);

    if (status == ENS_OK)
        fill(&s, x, n, v->df, out);
    return status;
}

/* Differences over knots i .. i + width, as derivatives have them. */
static double slope(const struct spline *s, double value, unsigned i,
                    unsigned width)
{
    double d = s->knot[i + width] - s->knot[i];

    return d == 0 ? 0 : value / d;
}

/* Second derivatives at x of all cubic basis functions but the first. */
static void curvature(const struct spline *s, double x, double *out)
{
    double d[MAX_KNOTS + 2] = {0};
    double b[MAX_ORDER];
    unsigned cur = find_knot(s, x);

    evaluate(s, 2, cur, x, b);
    d[cur - 2] = b[0];
    d[cur - 1] = b[1];
    for (unsigned k = 2; k < 4; k++)
        for (unsigned i = 0; i + k + 1 < s->n_knots; i++)
            d[i] = k * (slope(s, d[i], i, k) - slope(s, d[i + 1], i + 1, k));
    memcpy(out, d + 1, (s->n_knots - 5) * sizeof(*out));
}

/* The Householder vector of a[from ..], as LINPACK's dqrdc2 keeps it. */
static void reflector(double *a, unsigned from, unsigned m)
{
    double length = 0;

    for (unsigned i = from; i < m; i++)
        length += a[i] * a[i];
    length = copysign(sqrt(length), a[from]);
    for (unsigned i = from; i < m; i++)
        a[i] /= length;
    a[from] += 1;
}

/* y (of that stride) less its reflection. */
static void reflect(const double *h, unsigned from, unsigned m, double *y,
                    size_t stride)
{
    double t = 0;

    for (unsigned i = from; i < m; i++)
        t -= h[i] * y[i * stride];
    t /= h[from];
    for (unsigned i = from; i < m; i++)
        y[i * stride] += t * h[i];
}

static enum ens_status ns(const struct ens_formula_variable *v, const double *x,
                          size_t n, double *work, double *out,
                          struct ens_error *err)
{
    struct spline s = {.order = 4};
    unsigned m = v->df + 2; /* columns before the projection */
    double left[MAX_KNOTS], right[MAX_KNOTS], b[MAX_ORDER], row[MAX_KNOTS];
    enum ens_status status = place_knots(&s, v, x, n, work, v->df - 1, err);

    if (status != ENS_OK)
        return status;
    curvature(&s, s.knot[0], left);
    curvature(&s, s.knot[s.n_knots - 1], right);
    reflector(left, 0, m);
    reflect(left, 0, m, right, 1);
    reflector(right, 1, m);
    for (size_t i = 0; i < n; i++) {
        unsigned cur = isnan(x[i]) ? 4 : find_knot(&s, x[i]);

        memset(row, 0, sizeof(row));
        evaluate(&s, 4, cur, x[i], b);
        for (unsigned k = 0; k < 4; k++)
            if (cur - 4 + k >= 1)
                row[cur - 4 + k - 1] = b[k];
        reflect(left, 0, m, row, 1);
        reflect(right, 1, m, row, 1);
        for (unsigned j = 0; j < v->df; j++)
            out[j * n + i] = isnan(x[i]) ? NAN : row[j + 2];
    }
    return ENS_OK;
}

enum ens_status ens_basis(const struct ens_formula_variable *v, const double *x,
                          size_t n, double *work, double *out,
                          struct ens_error *err)
{
    if (v->kind == ENS_V_POLY)
        return poly(v, x, n, work, out, err);
    return v->kind == ENS_V_BS ? bs(v, x, n, work, out, err)
                               : ns(v, x, n, work, out, err);
}
