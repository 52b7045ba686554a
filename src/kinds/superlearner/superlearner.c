/* Kind `superlearner`: layers of learners whose out-of-fold predictions are
 * weighted by a meta learner. Its settings; kind.h has what it does.
 * Source: van der Laan, Polley, Hubbard (2007), "Super Learner",
 *         doi:10.2202/1544-6115.1309. */
#include "kinds/superlearner/kind.h"
#include "kinds/superlearner/shape.h"
#include "kinds/superlearner/tables.h"
#include "kinds/superlearner/fitted.h"

#include "base/bug.h"
#include "learn/learners/learners.h"
#include "learn/meta/method.h"
#include "learn/prep/prep.h"
#include <ensrun/plugin.h>

#define CHOICE(SECTION, KEY, CLASS, DEFAULT, CHOICES, HELP)                    \
    {                                                                          \
        .section = SECTION, .key = KEY, .type = ENS_T_CHOICE,                  \
        .shape = ENS_ONE, .cls = ENS_C_##CLASS, .def = DEFAULT,                \
        .choices = CHOICES, .help = HELP                                       \
    }
#define NAME_OF(KEY, ROLE, DEFAULT, HELP)                                      \
    {                                                                          \
        .section = "learner", .key = KEY, .type = ENS_T_ROW,                   \
        .shape = ENS_AXIS, .cls = ENS_C_CELL, .def = DEFAULT, .choices = ROLE, \
        .help = HELP                                                           \
    }

/* What `scorer`, `preprocess` may name. */
#define ENS_SCORE(name, small, families, terms, finish, help) "|" #name
static const char scores[] = "auto"
#include "learn/scores.def"
    ;
#undef ENS_SCORE
static const char scores_help[] =
    "score of each fold; auto: rmse, or the log loss of classes, or the "
    "deviance of counts"
#define ENS_SCORE(name, small, families, terms, finish, help)                  \
    "; " #name ": " help
#include "learn/scores.def"
#undef ENS_SCORE
    ;
static const struct ens_setting settings[] = {
    CHOICE(
        "superlearner", "type", STUDY, "superlearner", ENS_SL_TYPES,
        "how layers divide rows, unless a [layer N] says otherwise: K folds; "
        "blend: one held-out part; subsemble: K folds of each of J "
        "partitions; temporal: the past predicts what follows; select: K "
        "folds to compare learners, no ensemble"),
    CHOICE("superlearner", "family", STUDY, "gaussian",
           "gaussian|binomial|multinomial|poisson", "what y is"),
    ENS_SETTING("superlearner", "classes", INT, ONE, STUDY, "0", 0, 100000,
                "of multinomial: how many, where y is numbers 0, 1 ...; 0: the "
                "levels of a text column"),
    ENS_SETTING(
        "superlearner", "folds", INT, ONE, STUDY, "5", 2, 1e6,
        "K: a learner is fitted K times without a fold, and once on all "
        "rows"),
    ENS_SETTING("superlearner", "shuffle", BOOL, ONE, STUDY, "no", 0, 0,
                "folds, or the part that blend holds out, of rows drawn at "
                "random, not of blocks of rows; nothing is moved"),
    CHOICE("superlearner", "scorer", STUDY, "auto", scores, scores_help),
    ENS_SETTING("superlearner", "outer_folds", INT, ONE, STUDY, "0", 0, 1000,
                "V: cross-validate the whole, too: risk of the super learner, "
                "of the best learner and of each, on rows that none of them "
                "saw; 0: no"),
    ENS_SETTING("superlearner", "predictions", BOOL, ONE, STUDY, "no", 0, 0,
                "of select: keep out-of-fold predictions, an array per "
                "learner, as other types always do; linear learners then "
                "read rows for them"),
    /* -- layers: not set = as in [superlearner] */
    CHOICE("layer", "type", CELL, "",
           "superlearner|blend|subsemble|temporal|select",
           "not set: as in [superlearner]"),
    ENS_SETTING("layer", "folds", INT, ONE, CELL, "", 2, 1e6,
                "not set: as in [superlearner]"),
    ENS_SETTING("layer", "shuffle", BOOL, ONE, CELL, "", 0, 0,
                "not set: as in [superlearner]"),
    ENS_SETTING("layer", "test_size", NUM, ONE, CELL, "0.5", 0, 1e15,
                "of blend: rows held out, at the end or drawn (shuffle, ids, "
                "strata); below 1: their share"),
    ENS_SETTING("layer", "partitions", INT, ONE, CELL, "2", 1, 100000,
                "J, of subsemble"),
    CHOICE("layer", "partition_by", CELL, "blocks", "blocks|kmeans",
           "of subsemble: blocks of rows, or clusters of them"),
    ENS_SETTING("layer", "step_size", INT, ONE, CELL, "1", 1, 1e15,
                "of temporal: rows predicted by each fit"),
    ENS_SETTING("layer", "burn_in", INT, ONE, CELL, "0", 0, 1e15,
                "of temporal: rows before the first prediction; 0: step_size"),
    ENS_SETTING("layer", "window", INT, ONE, CELL, "0", 0, 1e15,
                "of temporal: rows a fit sees; 0: all before"),
    ENS_SETTING("layer", "lag", INT, ONE, CELL, "0", 0, 1e15,
                "of temporal: rows between those a fit sees and those it "
                "predicts"),
    ENS_SETTING("layer", "propagate", TEXT, LIST, CELL, "", 0, 0,
                "columns of X that the next layer sees beside the predictions: "
                "names, or numbers from 1"),
    ENS_SETTING("layer", "proba", BOOL, ONE, CELL, "yes", 0, 0,
                "of classes: predictions are probabilities; no: the likeliest "
                "class"),
/* -- groups: not set = as in the layer */
#define AS_LAYER "not set: as in the learner's layer"
    CHOICE("group", "type", CELL, "",
           "superlearner|blend|subsemble|temporal|select", AS_LAYER),
    ENS_SETTING("group", "folds", INT, ONE, CELL, "", 2, 1e6, AS_LAYER),
    ENS_SETTING("group", "shuffle", BOOL, ONE, CELL, "", 0, 0, AS_LAYER),
    ENS_SETTING("group", "test_size", NUM, ONE, CELL, "", 0, 1e15, AS_LAYER),
    ENS_SETTING("group", "partitions", INT, ONE, CELL, "", 1, 100000, AS_LAYER),
    CHOICE("group", "partition_by", CELL, "", "blocks|kmeans", AS_LAYER),
    ENS_SETTING("group", "step_size", INT, ONE, CELL, "", 1, 1e15, AS_LAYER),
    ENS_SETTING("group", "burn_in", INT, ONE, CELL, "", 0, 1e15, AS_LAYER),
    ENS_SETTING("group", "window", INT, ONE, CELL, "", 0, 1e15, AS_LAYER),
    ENS_SETTING("group", "lag", INT, ONE, CELL, "", 0, 1e15, AS_LAYER),
#undef AS_LAYER
    /* -- cases */
    {.section = "case",
     .key = "preprocess",
     .type = ENS_T_CALL,
     .shape = ENS_LIST,
     .cls = ENS_C_CELL,
     .def = "",
     .choices = ens_prep_choices,
     .help = ens_prep_help},
    /* -- learners */
    NAME_OF("layer", "layer", "1", "the layer it is in"),
    NAME_OF("group", "group", "",
            "the [group] of learners whose folds it shares; several: the "
            "learner in each; not set: its layer's own"),
    NAME_OF("case", "case", "",
            "the [case] its columns are prepared by; several: the learner in "
            "each"),
#define ENS_PREP(name, help, settings) settings
#include "learn/prep/x.def"
#undef ENS_PREP
};

#define ENS_LEARNER(id, n, text)                                               \
    {.name = #id,                                                              \
     .help = text,                                                             \
     .settings = ens_learner_##id##_settings,                                  \
     .n_settings = n,                                                          \
     .ops = &ens_learner_##id},
#undef ENS_LEARNER_OPEN
#define ENS_LEARNER_OPEN(id, n, text)                                          \
    {.name = #id,                                                              \
     .help = text,                                                             \
     .settings = ens_learner_##id##_settings,                                  \
     .n_settings = n,                                                          \
     .ops = &ens_learner_##id,                                                 \
     .open = 1},
static const struct ens_impl learners[] = {
#include "learn/learners/x.def"
};
#undef ENS_LEARNER_OPEN
/* Of two of one name the first counts: weights. */
#define ENS_META(id, n, text)                                                  \
    {.name = #id,                                                              \
     .help = text,                                                             \
     .settings = ens_meta_##id##_settings,                                     \
     .n_settings = n,                                                          \
     .ops = &ens_meta_##id},
static const struct ens_impl metas[] = {
#include "learn/meta/x.def"
#include "learn/learners/x.def"
};
#undef ENS_META
#undef ENS_LEARNER

static const struct ens_role roles[] = {
    {.name = "layer", .beside = 1, .numbered = 1},
    {.name = "group", .beside = 1, .by_name = 1},
    {.name = "case", .beside = 1},
    {.name = "learner",
     .impl_key = "learner",
     .impls = learners,
     .n_impls = ENS_COUNT(learners),
     .required = 1},
    {.name = "meta",
     .impl_key = "learner",
     .impls = metas,
     .n_impls = ENS_COUNT(metas),
     .beside = 1,
     .impl_default = "nnls",
     .settings_of = "learner"},
};

static const struct ens_retained retained[] = {
    {"model", "minimal",
     "models fitted on all rows and weights of the meta learner: what "
     "`ensrun predict` reads"},
};

static const struct ens_lap laps[] = {
    {"fit", "preprocessing and fit"},
    {"predict", "prediction and score of the rows held out"},
};

extern const struct ens_kind ens_kind_superlearner;
const struct ens_kind ens_kind_superlearner = {
    .abi = ENS_ABI,
    .name = "superlearner",
    .help = "stacked ensembles: out-of-fold predictions of learners, weighted",
    .results_version = 1,
    .settings = settings,
    .n_settings = ENS_COUNT(settings),
    .roles = roles,
    .n_roles = ENS_COUNT(roles),
    .retained = retained,
    .n_retained = ENS_COUNT(retained),
    .files = ens_sl_files,
    .n_files = ENS_SL_N_FILES,
    .predict = ens_sl_predict,
    .tables = ens_sl_tables,
    .n_tables = ENS_SL_N_TABLES,
    .laps = laps,
    .n_laps = ENS_COUNT(laps),
    .computed = ens_sl_computed,
    .plan = ens_sl_plan,
    .open = ens_sl_open,
    .close = ens_sl_close,
    .cell = ens_sl_cell,
    .stage = ens_sl_stage,
    .run = ens_sl_run,
    .next = ens_sl_next_stage,
    .array_shape = ens_sl_array_shape,
    .array_region = ens_sl_array_region,
    .label = ens_sl_label,
    .max_stages = ens_sl_max_stages,
    .needs = ens_sl_tell_needs,
    .has_array = ens_sl_has_array,
};
