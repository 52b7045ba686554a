/* Kind `simulation`: data are generated, models fitted, and measured against
 * what is true. One task = (data row, fit row, replicate). */
#include "base/bug.h"
#include "kinds/simulation/program.h"
#include "kinds/simulation/metrics/metrics.h"
#include <ensrun/plugin.h>

/* What `use` may name. */
#define ENS_MEASURE(name, flags, pick, finish, help) #name "|"
static const char calls[] =
#include "kinds/simulation/measures/measures.def"
    "all|FILE:metric";
#undef ENS_MEASURE

static const struct ens_measure_about about[] = {
#define ENS_MEASURE(id, flags, pick, finish, text) {#id, text},
#include "kinds/simulation/measures/measures.def"
#undef ENS_MEASURE
};

#define LEVEL_OF(name)                                                         \
    ENS_SETTING(name "()", "level", NUM, ONE, RUN, "", 0, 1,                   \
                "level of the intervals; not set: that of the fit")

static const struct ens_setting settings[] = {
    {.section = "metrics",
     .key = "use",
     .type = ENS_T_CALL,
     .shape = ENS_LIST,
     .cls = ENS_C_RUN,
     .def = "bias, rmse, coverage",
     .choices = calls,
     .help = "measures of terms, beside mean, sd and model_se, computed at the "
             "end; all: those that need no argument; FILE.so:NAME is a "
             "plugin's, computed by tasks as the metrics below are"},
    {.section = "metrics",
     .key = "*",
     .type = ENS_T_CALL,
     .shape = ENS_ONE,
     .cls = ENS_C_RUN,
     .def = "",
     .choices = calls,
     .help = "one more, under a name of yours: half = coverage(level=0.5)"},
    ENS_SETTING("metrics", "required", TEXT, LIST, STUDY, "", 0, 0,
                "names of metrics that fail the task when they fail; of others "
                "a failure is a warning"),
    ENS_SETTING("metrics", "terms", TEXT, LIST, RUN, "", 0, 0,
                "terms of interest; not set: all"),
    ENS_SETTING("metrics", "reference", NUM, LIST, RUN, "0", 0, 0,
                "values that tests of rejection are against: one for all, or "
                "one for each of `terms`"),
    ENS_SETTING("metrics", "compare", TEXT, ONE, RUN, "", 0, 0,
                "name of the [fit] row that others are compared with, on the "
                "same data"),
    {.section = "metrics",
     .key = "mcse",
     .type = ENS_T_CALL,
     .shape = ENS_ONE,
     .cls = ENS_C_RUN,
     .def = "formula",
     .choices = "formula|jackknife|bootstrap",
     .help = "where Monte Carlo standard errors are from"},
    ENS_PROGRAM_RUN("metrics", ENS_C_STUDY, ""),
    {.section = "metrics",
     .key = "fields",
     .type = ENS_T_TEXT,
     .shape = ENS_LIST,
     .cls = ENS_C_STUDY,
     .def = "",
     .help = "what run computes from the data and the fit of a task: numbers, "
             "a column each"},
    ENS_PROGRAM_FOLDER("metrics"),
    LEVEL_OF("coverage"),
    LEVEL_OF("be_coverage"),
    LEVEL_OF("width"),
    LEVEL_OF("interval_score"),
    ENS_SETTING("rejection()", "alpha", NUM, ONE, RUN, "0.05", 0, 1,
                "level of the tests"),
    {.section = "quantile()",
     .key = "prob",
     .type = ENS_T_NUM,
     .shape = ENS_ONE,
     .cls = ENS_C_RUN,
     .def = NULL,
     .min = 0,
     .max = 1,
     .help = "which quantile"},
    ENS_SETTING("bootstrap()", "n", INT, ONE, RUN, "200", 2, 100000,
                "resamples"),
};

static const struct ens_impl metrics[] = {
#define ENS_METRIC(id, ops_, settings_, n, text)                               \
    {.name = #id,                                                              \
     .help = text,                                                             \
     .settings = settings_,                                                    \
     .n_settings = n,                                                          \
     .ops = &ens_metric_##ops_},
#include "kinds/simulation/metrics/metrics.def"
#undef ENS_METRIC
};

static const struct ens_impl generators[] = {
#define ENS_GENERATOR(id, n, text)                                             \
    {.name = #id,                                                              \
     .help = text,                                                             \
     .settings = ens_generator_##id##_settings,                                \
     .n_settings = n,                                                          \
     .ops = &ens_generator_##id},
#include "kinds/simulation/generators/x.def"
#undef ENS_GENERATOR
    {.name = "program",
     .help = "columns that a program of yours makes; keys of your own are its "
             "parameters",
     .settings = ens_program_generator_settings,
     .n_settings = ENS_COUNT(ens_program_generator_settings),
     .ops = &ens_program_generator,
     .open = 1},
};

static const struct ens_impl fitters[] = {
#define ENS_FITTER(id, n, text)                                                \
    {.name = #id,                                                              \
     .help = text,                                                             \
     .settings = ens_fitter_##id##_settings,                                   \
     .n_settings = n,                                                          \
     .ops = &ens_fitter_##id},
#include "fit/x.def"
#undef ENS_FITTER
    {.name = "program",
     .help = "estimates that a program of yours makes; keys of your own are "
             "its parameters",
     .settings = ens_program_fitter_settings,
     .n_settings = ENS_COUNT(ens_program_fitter_settings),
     .ops = &ens_program_fitter,
     .open = 1},
};

static const struct ens_role roles[] = {
    {.name = "data",
     .impl_key = "generator",
     .impls = generators,
     .n_impls = ENS_COUNT(generators),
     .is_data = 1,
     .required = 1},
    {.name = "fit",
     .impl_key = "fitter",
     .impls = fitters,
     .n_impls = ENS_COUNT(fitters),
     .required = 1},
};

static const struct ens_retained retained[] = {
    {"metrics", "minimal",
     "of models with more than 50 parameters: what metrics give of each, as "
     ".npy: parameter, number; 8 bytes each"},
    {"diagnostics", "standard",
     "columns rhat_max, ess_bulk_min, divergent ... of fits with chains; 50 "
     "bytes a task"},
    {"warnings", "standard", "texts in the column warnings"},
    {"chain", "always",
     "of chains that are tasks of their own (chains_as_tasks): their draws, "
     "for "
     "the fit; as draws and sampler"},
    {"draws", "debug",
     "draws of all parameters as .npy: draw, chain, parameter; 8 bytes each "
     "(4,000 draws of 50 parameters: 1.6 MB a task)"},
    {"sampler", "debug",
     "lp__, accept_stat__, stepsize__, treedepth__, n_leapfrog__, "
     "divergent__, energy__ of each draw as .npy: draw, chain, number"},
    {"data", "debug",
     "generated data as .npy: columns x1..xp, y; or the rows drawn"},
    {"fit", "debug",
     "estimates and their covariance as .npy: column 0, columns 1..p"},
};

extern const struct ens_kind ens_kind_simulation;
const struct ens_kind ens_kind_simulation = {
    .abi = ENS_ABI,
    .name = "simulation",
    .help = "simulation and bootstrap studies: generate data, fit, measure",
    .results_version = 3,
    .settings = settings,
    .n_settings = ENS_COUNT(settings),
    .roles = roles,
    .n_roles = ENS_COUNT(roles),
    .retained = retained,
    .n_retained = ENS_COUNT(retained),
    .calls = metrics,
    .n_calls = ENS_COUNT(metrics),
    .about = about,
    .n_about = ENS_COUNT(about),
    .computed = ens_simulation_computed,
    .plan = ens_simulation_plan,
    .open = ens_simulation_open,
    .close = ens_simulation_close,
    .cell = ens_simulation_cell,
    .run = ens_simulation_run,
    .next = ens_simulation_next,
    .max_stages = ens_simulation_max_stages,
    .measures = ens_simulation_measures,
    .tally_new = ens_simulation_tally_new,
    .tally_free = ens_simulation_tally_free,
    .tally_add = ens_simulation_tally_add,
    .tally_rows = ens_simulation_tally_rows,
    .label = ens_simulation_label,
};
