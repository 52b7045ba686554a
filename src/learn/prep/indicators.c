/* Text columns as columns of 0 and 1: how the source is read (source.h). */
#include "learn/prep/step.h"

static enum ens_status options(struct ens_prep_step *s, struct ens_error *err)
{
    return ens_prep_flag(s->call, "all", 0, 0, &s->arg[0], err);
}

const struct ens_prep_op ens_prep_indicators = {
    .name = "indicators", .form = ENS_PREP_NOTHING, .options = options};
