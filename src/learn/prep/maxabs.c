/* Divided by the largest absolute value, as by MaxAbsScaler. */
#include "learn/prep/step.h"

#include <math.h>

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
        double most = fmax(fabs(least[j]), fabs(largest[j]));

        centre[p + j] = most > 0 ? 1 / most : 1;
    }
    return ENS_OK;
}

const struct ens_prep_op ens_prep_maxabs = {
    .name = "maxabs", .form = ENS_PREP_SCALE, .fit = fit};
