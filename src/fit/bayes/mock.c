/* No inference at all: draws about what is true, to try a study's plumbing
 * (its metrics, measures, retained items and their sizes) without the cost of
 * a fit.
 *
 * An estimate is the truth and an error N(0, sd); draws lie N(0, sd) about it,
 * so that bias is 0 and coverage the level. Parameters above 0 are multiplied
 * by exp of such an error. Where no truth is known it is 0, or 1.
 *
 * Stream "fit": an error per parameter, then draw by draw one per parameter. */
#include "fit/bayes/model.h"

#include "fit/fitter.h"
#include "math/rng.h"

#include <math.h>

struct mock {
    struct ens_bayes_options model; /* which parameters there are */
    double sd;
    size_t n_draws, n_chains;
};

const struct ens_setting ens_fitter_mock_settings[] = {
    ENS_FIT_SETTING_FORMULA,
    {.section = "fit",
     .key = "family",
     .type = ENS_T_CHOICE,
     .shape = ENS_AXIS,
     .cls = ENS_C_CELL,
     .def = "gaussian",
     .choices = "gaussian|student|binomial|poisson|negbinomial|gamma",
     .help = "of the data whose truths are taken, as of the fitter nuts"},
    {.section = "fit",
     .key = "sd",
     .type = ENS_T_NUM,
     .shape = ENS_AXIS,
     .cls = ENS_C_CELL,
     .def = "0.1",
     .min = 0,
     .max = 1e300,
     .help = "standard deviation of the estimates about the truth, and of "
             "draws about them"},
    {.section = "fit",
     .key = "chains",
     .type = ENS_T_INT,
     .shape = ENS_AXIS,
     .cls = ENS_C_CELL,
     .def = "4",
     .min = 1,
     .max = 1000,
     .help = "chains of draws"},
    {.section = "fit",
     .key = "draws",
     .type = ENS_T_INT,
     .shape = ENS_AXIS,
     .cls = ENS_C_CELL,
     .def = "100",
     .min = 2,
     .max = 1e7,
     .help = "draws of each chain"},
    ENS_FIT_SETTING_LEVEL,
};

static enum ens_status options(const struct ens_fit_setup *setup,
                               const struct ens_cell *cell, const char *role,
                               struct ens_fit_options *o, struct ens_error *err)
{
    static const enum ens_family family[] = {
        ENS_FAMILY_GAUSSIAN, ENS_FAMILY_STUDENT,     ENS_FAMILY_BINOMIAL,
        ENS_FAMILY_POISSON,  ENS_FAMILY_NEGBINOMIAL, ENS_FAMILY_GAMMA};
    struct mock *own = setup->alloc(setup, 1, sizeof(*own));

    if (!own)
        return ens_fail(err, ENS_ENOMEMORY, "options");
    o->family = family[ens_cell_value(cell, role, "family")->i];
    o->link = ens_family_link(o->family);
    o->own = own;
    own->model.family = o->family;
    own->model.nu = NAN;
    own->sd = ens_cell_value(cell, role, "sd")->d;
    own->n_draws = (size_t)ens_cell_value(cell, role, "draws")->i;
    own->n_chains = (size_t)ens_cell_value(cell, role, "chains")->i;
    return ens_fit_level(cell, role, &o->level, err);
}

static enum ens_status parameters(const struct ens_fit_setup *setup,
                                  const struct ens_fit_options *o,
                                  const struct ens_fit_problem *shape,
                                  struct ens_parameter **list, size_t *n,
                                  struct ens_error *err)
{
    const struct mock *own = o->own;

    return ens_bayes_parameters(setup, &own->model, shape, list, n, err);
}

/* Terms and levels of groups may be negative; sigma ... and sd_G may not. */
static int is_positive(const struct ens_fit_problem *problem, size_t n,
                       size_t j)
{
    size_t at = n;

    if (j < problem->p)
        return 0;
    for (size_t k = problem->n_groups; k-- > 0;) {
        at -= 1 + problem->group[k].n_levels;
        if (j > at)
            return 0;
        if (j == at)
            return 1;
    }
    return 1;
}

static double about(struct ens_rng *g, double centre, double sd, int positive)
{
    double error = sd * ens_rng_normal(g);

    return positive ? centre * exp(error) : centre + error;
}

static enum ens_status fit(const struct ens_job *job,
                           const struct ens_fit_options *o,
                           const struct ens_fit_problem *problem, double *work,
                           struct ens_fit_result *result, struct ens_error *err)
{
    const struct mock *own = o->own;
    struct ens_rng *g = job->host->rng(job->result, "fit");
    size_t n = result->n_parameters, rows = own->n_draws * own->n_chains;
    double *centre = job->host->alloc(job->result, n, sizeof(*centre));
    double *value = NULL;

    (void)work;
    if (rows <= SIZE_MAX / sizeof(*value) / n)
        value = job->host->alloc(job->result, rows * n, sizeof(*value));
    if (!centre || !value)
        return ens_fail(err, ENS_ENOMEMORY, "%zu draws", rows);
    for (size_t j = 0; j < n; j++) {
        int positive = is_positive(problem, n, j);
        double truth = problem->truth ? problem->truth[j] : NAN;

        centre[j] = about(g,
                          !isnan(truth) ? truth
                          : positive    ? 1
                                        : 0,
                          own->sd, positive);
    }
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < n; j++)
            value[j * rows + i] =
                about(g, centre[j], own->sd, is_positive(problem, n, j));
    result->draws = (struct ens_draws){.n_chains = own->n_chains,
                                       .n_draws = own->n_draws,
                                       .independent = 1,
                                       .value = value};
    ens_fit_warn(result, "mock: draws about the truth, no inference");
    return ENS_OK;
}

const struct ens_fitter ens_fitter_mock = {
    .delivers = ENS_DELIVERS_INTERVALS | ENS_DELIVERS_DRAWS |
                ENS_DELIVERS_LOG_LIK | ENS_DELIVERS_PREDICTIONS,
    .takes = ENS_TAKES_GROUPS | ENS_TAKES_SE,
    .options = options,
    .parameters = parameters,
    .fit = fit,
};
