#include "mcmc/whiten.h"

#include "math/linalg.h"
#include "mcmc/quads.h"

#include <string.h>

size_t ens_whiten_work(size_t dim)
{
    return ens_padded(dim) * (dim + 3);
}

/* w->q = centre + factor z */
ENS_QUAD_CLONES static void to_q(const struct ens_whiten *w, const double *z)
{
    memcpy(w->q, w->centre, w->n * sizeof(*w->q));
    for (size_t j = 0; j < w->inner->dim; j++) {
        const double *column = w->factor + j * w->n;
        double zj = z[j];

        for (size_t i = 0; i <= j; i += ENS_QUAD)
            ENS_QUAD_PUT(w->q, i,
                         ENS_QUAD_AT(w->q, i) + zj * ENS_QUAD_AT(column, i));
    }
}

ENS_QUAD_CLONES static double at(void *model, const double *z, double *gradient)
{
    const struct ens_whiten *w = model;
    double lp;

    to_q(w, z);
    lp = w->inner->at(w->inner->model, w->q, w->grad);
    for (size_t j = 0; j < w->inner->dim; j++) {
        const double *column = w->factor + j * w->n;
        ens_quad sum = {0};

        for (size_t i = 0; i <= j; i += ENS_QUAD)
            sum += ENS_QUAD_AT(column, i) * ENS_QUAD_AT(w->grad, i);
        gradient[j] = ENS_QUAD_SUM(sum);
    }
    return lp;
}

void ens_whiten_init(struct ens_whiten *w, const struct ens_density *inner,
                     double *work)
{
    size_t n = ens_padded(inner->dim);

    memset(w, 0, sizeof(*w));
    memset(work, 0, ens_whiten_work(inner->dim) * sizeof(*work));
    w->inner = inner;
    w->outer = (struct ens_density){.dim = inner->dim, .model = w, .at = at};
    w->n = n;
    w->centre = work;
    w->q = work + n;
    w->grad = work + 2 * n;
    w->factor = work + 3 * n;
    for (size_t j = 0; j < inner->dim; j++)
        w->factor[j + j * n] = 1;
}

void ens_whiten_set(struct ens_whiten *w, const double *centre,
                    const double *upper)
{
    size_t d = w->inner->dim;

    memcpy(w->centre, centre, d * sizeof(*centre));
    for (size_t j = 0; j < d; j++)
        memcpy(w->factor + j * w->n, upper + j * d, (j + 1) * sizeof(*upper));
}

void ens_whiten_q(const struct ens_whiten *w, const double *z, double *q)
{
    to_q(w, z);
    memcpy(q, w->q, w->inner->dim * sizeof(*q));
}

/* z becomes the solution of upper x = z; columns are stride apart. */
static void solve(const double *upper, size_t stride, size_t d, double *z)
{
    for (size_t j = d; j-- > 0;) {
        const double *column = upper + j * stride;

        z[j] /= column[j];
        for (size_t i = 0; i < j; i++)
            z[i] -= column[i] * z[j];
    }
}

void ens_whiten_z(const struct ens_whiten *w, const double *q, double *z)
{
    size_t d = w->inner->dim;

    for (size_t i = 0; i < d; i++)
        z[i] = q[i] - w->centre[i];
    solve(w->factor, w->n, d, z);
}

/* The Cholesky factor of the matrix with rows and columns in reverse,
 * reversed. */
int ens_whiten_factor(double *matrix, size_t d, double *upper)
{
    for (size_t j = 0; j < d; j++)
        for (size_t i = j; i < d; i++)
            upper[d - 1 - j + (d - 1 - i) * d] = matrix[i + j * d];
    if (!(ens_cholesky(upper, d) > 0))
        return -1;
    for (size_t j = 0; j < d; j++)
        for (size_t i = 0; i < d; i++)
            matrix[i + j * d] = i <= j ? upper[d - 1 - i + (d - 1 - j) * d] : 0;
    memcpy(upper, matrix, d * d * sizeof(*upper));
    return 0;
}

void ens_whiten_compose(struct ens_whiten *w, const double *upper, double *z)
{
    size_t d = w->inner->dim;

    for (size_t j = d; j-- > 0;) {
        double *to = w->factor + j * w->n;

        for (size_t i = 0; i <= j; i++) {
            double sum = 0;

            for (size_t k = i; k <= j; k++)
                sum += w->factor[i + k * w->n] * upper[k + j * d];
            to[i] = sum;
        }
    }
    solve(upper, d, d, z);
}
