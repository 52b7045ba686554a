/* A few tasks that stand for all of a study (`plan --pilot`). */
#ifndef ENS_RUN_PILOT_H
#define ENS_RUN_PILOT_H

#include "run/state.h"

/**
 * Fill r->only with the places of options->pilot tasks of the present stage,
 * fewer when it has fewer: the first cell of every row of every role, then
 * cells spread by the golden ratio, which no period of the axes falls in step
 * with. The same for the same study.
 */
enum ens_status ens_pilot_choose(struct ens_run *r, struct ens_error *err);

#endif
