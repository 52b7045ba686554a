/* Median 0, interquartile range 1, as by RobustScaler; a column whose
 * quartiles are equal is only centred. */
#include "learn/prep/step.h"

static enum ens_status fit(struct ens_prep_fit *f, struct ens_error *err)
{
    static const double at[3] = {0.25, 0.5, 0.75};
    size_t p = f->rows->p;
    double *q = ens_arena_alloc(f->arena, p, sizeof(at)), *centre;
    enum ens_status st;

    if (q == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    st = ens_prep_quantiles(f->rows, at, 3, f->arena, q, err);
    if (st != ENS_OK)
        return st;
    centre = ens_prep_scales(f, err);
    if (centre == NULL)
        return ENS_ENOMEMORY;
    for (size_t j = 0; j < p; j++) {
        double range = q[3 * j + 2] - q[3 * j];

        centre[j] = q[3 * j + 1];
        centre[p + j] = range > 0 ? 1 / range : 1;
    }
    return ENS_OK;
}

const struct ens_prep_op ens_prep_robust = {
    .name = "robust", .form = ENS_PREP_SCALE, .fit = fit};
