/* Fisher's metric with correlations: the geometric mean of the covariance of
 * the draws and of the inverse covariance of their gradients. For a normal
 * density it is the exact covariance from any dim + 1 draws, wherever they
 * are. Learned in a few windows, by a change of coordinates each; in these
 * the diagonal goes on as in fisher. Windows of fewer draws than parameters
 * do, too. Effective draws per 1,000 gradients, normal densities with random
 * covariances (Wishart precision, df = dim), fisher against this: 10
 * parameters 4.3, 136; 40: 2.4, 135; 150: 1.6, 36.
 *
 * Source:  Seyboldt, Carlson and Carpenter (2026), arXiv:2603.18845.
 */
#include "mcmc/adapt.h"

#include "base/bug.h"
#include "math/linalg.h"

#include <math.h>
#include <string.h>

/* Ends of the windows, as shares of the warm-up. */
static const double ends[] = {0.15, 0.3, 0.5, 0.85};

/* Added to both covariances, in units of the diagonal metric: directions that
 * the draws do not span stay as they are. */
#define RIDGE 1e-5

/* Behind the state of fisher: two products, two vectors, three matrices. */
static size_t dense_work(size_t dim)
{
    return ens_adapt_fisher.work(dim) + 2 * ens_products_work(dim) + 2 * dim +
           3 * dim * dim + ENS_EIGEN_WORK(dim);
}

static enum ens_status start(struct ens_adapt *a, double *work,
                             struct ens_error *err)
{
    size_t d = a->nuts->dim;
    double *mine = work + ens_adapt_fisher.work(d);

    ens_products_init(&a->products, d, mine);
    mine += ens_products_work(d);
    ens_products_init(&a->gradient_products, d, mine);
    a->scratch = mine + ens_products_work(d);
    return ens_adapt_fisher.start(a, work, err);
}

/* Covariance in units of the diagonal metric; both triangles. */
static void covariance(const struct ens_products *p, const double *scale,
                       int of_gradients, size_t d, double *out)
{
    for (size_t j = 0; j < d; j++)
        for (size_t i = j; i < d; i++) {
            double unit = scale[i] * scale[j];
            double c = p->product[i + j * d] / p->n;

            c = of_gradients ? c * unit : c / unit;
            out[i + j * d] = out[j + i * d] = c + (i == j ? RIDGE : 0);
        }
}

/* out = xy, or x'y, of square matrices. */
static void multiply(const double *x, int transposed, const double *y, size_t d,
                     double *out)
{
    size_t row = transposed ? d : 1, next = transposed ? 1 : d;

    for (size_t j = 0; j < d; j++)
        for (size_t i = 0; i < d; i++) {
            double sum = 0;

            for (size_t k = 0; k < d; k++)
                sum += x[i * row + k * next] * y[k + j * d];
            out[i + j * d] = sum;
        }
}

/* v, with vv' the geometric mean of a and the inverse of b: with a = LL' and
 * L'bL = Q diag(e) Q' it is L Q diag(e)^-1/4. a and b are overwritten. */
static int mean_factor(double *a, double *b, size_t d, double *v, double *work)
{
    double *e = work;

    if (!(ens_cholesky(a, d) > 0))
        return -1;
    for (size_t j = 1; j < d; j++)
        memset(a + j * d, 0, j * sizeof(*a));
    multiply(b, 0, a, d, v);
    multiply(a, 1, v, d, b);
    if (ens_eigen(b, d, e, work + d) != 0 || !(e[0] > 0))
        return -1;
    for (size_t j = 0; j < d; j++)
        for (size_t i = 0; i < d; i++)
            b[i + j * d] *= pow(e[j], -0.25);
    multiply(a, 0, b, d, v);
    return 0;
}

/* The metric vv' in units of z; lower triangle. */
static void set_metric(const double *v, const double *scale, size_t d,
                       double *m)
{
    for (size_t j = 0; j < d; j++)
        for (size_t i = j; i < d; i++) {
            double sum = 0;

            for (size_t k = 0; k < d; k++)
                sum += v[i + k * d] * v[j + k * d];
            m[i + j * d] = scale[i] * scale[j] * sum;
        }
}

/* Coordinates in which the metric is 1; spreads start anew in them. */
static void change_coordinates(struct ens_adapt *a, const double *upper)
{
    struct ens_nuts *nuts = a->nuts;
    size_t d = nuts->dim;

    memcpy(a->before, nuts->here->q, d * sizeof(*a->before));
    ens_whiten_compose(a->whiten, upper, a->before);
    ens_nuts_place(nuts, a->before);
    for (size_t i = 0; i < d; i++)
        nuts->scale[i] = 1;
    ens_nuts_set_step(nuts, nuts->step_size);
    ens_spread_clear(&a->draws, d);
    ens_spread_clear(&a->gradients, d);
    ens_spread_clear(&a->next_draws, d);
    ens_spread_clear(&a->next_gradients, d);
}

static int learn_metric(struct ens_adapt *a)
{
    size_t d = a->nuts->dim;
    const double *scale = a->nuts->scale;
    double *x = a->scratch + d, *y = x + d * d, *v = y + d * d;

    covariance(&a->products, scale, 0, d, x);
    covariance(&a->gradient_products, scale, 1, d, y);
    ens_products_clear(&a->products, d);
    ens_products_clear(&a->gradient_products, d);
    if (mean_factor(x, y, d, v, v + d * d) != 0)
        return 0;
    set_metric(v, scale, d, x);
    if (ens_whiten_factor(x, d, y) != 0)
        return 0;
    change_coordinates(a, y);
    return 1;
}

static int window_ends(const struct ens_adapt *a)
{
    for (size_t k = 0; k < ENS_COUNT(ends); k++)
        if (a->iteration == (size_t)(ends[k] * (double)a->warmup))
            return a->products.n > 2;
    return 0;
}

static enum ens_status learn(struct ens_adapt *a,
                             const struct ens_nuts_info *info,
                             struct ens_error *err)
{
    const struct ens_nuts_point *here = a->nuts->here;
    size_t d = a->nuts->dim;
    int moved = memcmp(here->q, a->before, d * sizeof(*here->q)) != 0;
    enum ens_status s = ens_adapt_fisher.learn(a, info, err);

    if (moved) {
        ens_products_add(&a->products, here->q, d, a->scratch);
        ens_products_add(&a->gradient_products, here->gradient, d, a->scratch);
    }
    if (s == ENS_OK && window_ends(a) && learn_metric(a))
        s = ens_adapt_restart(a, err);
    return s;
}

const struct ens_adaptation ens_adapt_fisher_dense = {
    .name = "fisher_dense",
    .warmup = 400,
    .is_whitened = 1,
    .work = dense_work,
    .start = start,
    .learn = learn,
};
