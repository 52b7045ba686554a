/* As screen.corRank of SuperLearner: the columns of the largest absolute
 * correlation with the response. */
#include "learn/prep/step.h"

#include <math.h>

static enum ens_status options(struct ens_prep_step *s, struct ens_error *err)
{
    enum ens_status st =
        ens_prep_number(s->call, "columns", 0, 2, &s->arg[0], err);

    if (st != ENS_OK)
        return st;
    return s->arg[0] >= 1 && s->arg[0] <= 1e6 && s->arg[0] == floor(s->arg[0])
               ? ENS_OK
               : ens_fail(err, ENS_ESTUDY,
                          "screen_rank: columns: how many, 1 or more");
}

static enum ens_status fit(struct ens_prep_fit *f, struct ens_error *err)
{
    size_t p = f->rows->p;
    char *keep = ens_arena_alloc(f->arena, p, 1);
    double *r;
    enum ens_status st = ens_prep_correlations(f, &r, err);

    if (st != ENS_OK)
        return st;
    if (keep == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    ens_prep_keep_largest(r, p, (size_t)f->step->arg[0], keep);
    return ens_prep_keep(f, keep, err);
}

const struct ens_prep_op ens_prep_screen_rank = {.name = "screen_rank",
                                                 .form = ENS_PREP_SELECT,
                                                 .is_screen = 1,
                                                 .options = options,
                                                 .fit = fit};
