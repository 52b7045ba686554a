/* As screen.corP of SuperLearner: Pearson's correlation with the response,
 * tested by t with n - 2 degrees of freedom. With weights the correlation is
 * weighted, n is that of rows. */
#include "learn/prep/step.h"

#include <gsl/gsl_cdf.h>
#include <math.h>

static enum ens_status options(struct ens_prep_step *s, struct ens_error *err)
{
    enum ens_status st = ens_prep_number(s->call, "p", 0, 0.1, &s->arg[0], err);

    if (st == ENS_OK)
        st = ens_prep_number(s->call, "at_least", 1, 2, &s->arg[1], err);
    if (st != ENS_OK)
        return st;
    if (!(s->arg[0] >= 0 && s->arg[0] <= 1) || !(s->arg[1] >= 1))
        return ens_fail(err, ENS_ESTUDY,
                        "screen_cor: p is 0 to 1, at_least 1 or more");
    return ENS_OK;
}

/* Two-sided. */
static double p_value(double r, uint64_t n)
{
    double df = (double)n - 2;

    if (n < 3)
        return 1;
    if (r >= 1)
        return 0;
    return 2 * gsl_cdf_tdist_Q(r * sqrt(df / (1 - r * r)), df);
}

static enum ens_status fit(struct ens_prep_fit *f, struct ens_error *err)
{
    size_t p = f->rows->p, n = 0;
    char *keep = ens_arena_alloc(f->arena, p, 1);
    double *r;
    enum ens_status st = ens_prep_correlations(f, &r, err);

    if (st != ENS_OK)
        return st;
    if (keep == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    for (size_t j = 0; j < p; j++) {
        keep[j] = r[j] > 0 && p_value(r[j], f->rows->n) <= f->step->arg[0];
        n += keep[j] != 0;
    }
    if ((double)n < f->step->arg[1])
        ens_prep_keep_largest(r, p, (size_t)f->step->arg[1] - n, keep);
    return ens_prep_keep(f, keep, err);
}

const struct ens_prep_op ens_prep_screen_cor = {.name = "screen_cor",
                                                .form = ENS_PREP_SELECT,
                                                .is_screen = 1,
                                                .options = options,
                                                .fit = fit};
