/* Columns of rows before, as the reference's Shift: how rows are read
 * (rows.h). */
#include "learn/prep/step.h"

#include <math.h>

static enum ens_status options(struct ens_prep_step *s, struct ens_error *err)
{
    enum ens_status st =
        ens_prep_number(s->call, "rows", 0, 0, &s->arg[0], err);

    if (st != ENS_OK)
        return st;
    if (s->arg[0] >= 1 && s->arg[0] <= 1e15 && s->arg[0] == floor(s->arg[0]))
        return ENS_OK;
    return ens_fail(err, ENS_ESTUDY, "lag: a number of rows is expected");
}

const struct ens_prep_op ens_prep_lag = {
    .name = "lag", .form = ENS_PREP_NOTHING, .options = options};
