/* The least value becomes 0, the largest 1, as by MinMaxScaler; a constant
 * column 0. */
#include "learn/prep/step.h"

static enum ens_status fit(struct ens_prep_fit *f, struct ens_error *err)
{
    size_t p = f->rows->p;
    const double *least, *largest;
    enum ens_status st = ens_prep_extremes(f, &least, &largest, err);
    double *centre;

    if (st != ENS_OK)
        return st;
    centre = ens_prep_scales(f, err);
    if (centre == NULL)
        return ENS_ENOMEMORY;
    for (size_t j = 0; j < p; j++) {
        centre[j] = least[j];
        centre[p + j] = largest[j] > least[j] ? 1 / (largest[j] - least[j]) : 1;
    }
    return ENS_OK;
}

const struct ens_prep_op ens_prep_minmax = {
    .name = "minmax", .form = ENS_PREP_SCALE, .fit = fit};
