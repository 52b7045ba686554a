#include "mcmc/whiten.h"

#include "mcmc/lanes.h"

#include <string.h>

size_t ens_whiten_work(size_t dim)
{
    return ens_padded(dim) * (dim + 3);
}

/* w->q = centre + factor z */
ENS_LANES_CLONES static void to_q(const struct ens_whiten *w, const double *z)
{
    memcpy(w->q, w->centre, w->n * sizeof(*w->q));
    for (size_t j = 0; j < w->inner->dim; j++) {
        const double *column = w->factor + j * w->n;
        double zj = z[j];

        for (size_t i = 0; i <= j; i += ENS_LANES)
            ENS_LANES_PUT(w->q, i,
                          ENS_LANES_AT(w->q, i) + zj * ENS_LANES_AT(column, i));
    }
}

ENS_LANES_CLONES static double at(void *model, const double *z,
                                  double *gradient)
{
    const struct ens_whiten *w = model;
    double lp;

    to_q(w, z);
    lp = w->inner->at(w->inner->model, w->q, w->grad);
    for (size_t j = 0; j < w->inner->dim; j++) {
        const double *column = w->factor + j * w->n;
        ens_lanes sum = {0};

        for (size_t i = 0; i <= j; i += ENS_LANES)
            sum += ENS_LANES_AT(column, i) * ENS_LANES_AT(w->grad, i);
        gradient[j] = ENS_LANES_SUM(sum);
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

void ens_whiten_z(const struct ens_whiten *w, const double *q, double *z)
{
    size_t d = w->inner->dim;

    for (size_t i = 0; i < d; i++)
        z[i] = q[i] - w->centre[i];
    for (size_t j = d; j-- > 0;) {
        const double *column = w->factor + j * w->n;

        z[j] /= column[j];
        for (size_t i = 0; i < j; i++)
            z[i] -= column[i] * z[j];
    }
}
