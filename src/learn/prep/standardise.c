/* Mean 0, population standard deviation 1, as scikit-learn's StandardScaler:
 * a column without variance is only centred. */
#include "learn/prep/step.h"

#include <math.h>

static enum ens_status fit(struct ens_prep_fit *f, struct ens_error *err)
{
    size_t p = f->rows->p;
    const struct ens_moments *m;
    enum ens_status st = f->rows->moments(f->rows, &m, err);
    double *centre;

    if (st != ENS_OK)
        return st;
    centre = ens_prep_scales(f, err);
    if (centre == NULL)
        return ENS_ENOMEMORY;
    for (size_t j = 0; j < p; j++) {
        double sd = sqrt(m->cov[j * p + j]);

        centre[j] = m->mean[j];
        centre[p + j] = sd > 0 ? 1 / sd : 1;
    }
    return ENS_OK;
}

const struct ens_prep_op ens_prep_standardise = {
    .name = "standardise", .form = ENS_PREP_SCALE, .fit = fit};
