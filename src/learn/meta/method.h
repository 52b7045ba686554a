/* What a meta learner is given and gives, within this folder. */
#ifndef ENS_LEARN_META_METHOD_H
#define ENS_LEARN_META_METHOD_H

#include "learn/meta/meta.h"

/** The columns that are left, as small as they can be: f and b have the
 * same inner products as w-weighted rows of Z and y. Their first row is that
 * of the ones: sqrt(sum w) times the means; the rows behind it are the centred
 * columns. */
struct ens_meta_task {
    const struct ens_meta_problem *problem;
    size_t n;             /* learners that are left, >= 1 */
    const size_t *column; /* n: which */
    size_t m;             /* rows of f and b; m > n */
    const double *f;      /* m x n, column-major */
    const double *b;      /* m */
    double weight;        /* sum of w */
    double resolution;    /* of f and b: columns that depend on others to that
                             share of their length depend wholly */
    const double *risk;   /* n */
};

struct ens_meta {
    enum ens_meta_link link;
    /** Options from settings; on entry all 0. */
    enum ens_status (*options)(const struct ens_learn_setup *setup,
                               struct ens_meta_options *o,
                               struct ens_error *err);
    /** weight[n] and *intercept, given as zeros. */
    enum ens_status (*fit)(const struct ens_meta_task *task,
                           const struct ens_meta_options *o, double *weight,
                           double *intercept, struct ens_error *err);
    /** Optional: bytes beyond blocks of rows. */
    uint64_t (*memory)(uint64_t n, size_t n_learners);
    int reads_rows;
};

/** The intercept that goes with weights. */
double ens_meta_intercept(const struct ens_meta_task *task,
                          const double *weight);

/* Rows of the section "meta". */
#define ENS_META_SETTING(k, t, d, low, high, text)                             \
    {                                                                          \
        .section = "meta", .key = k, .type = t, .shape = ENS_ONE,              \
        .cls = ENS_C_CELL, .def = d, .min = low, .max = high, .help = text     \
    }
#define ENS_META_SETTING_NORMALISE                                             \
    ENS_META_SETTING("normalise", ENS_T_BOOL, "yes", 0, 0,                     \
                     "divide weights by their sum")
#define ENS_META_SETTING_DROP_BELOW                                            \
    ENS_META_SETTING("drop_below", ENS_T_NUM, "0", 0, 1,                       \
                     "weights below it become 0, the others are divided by "   \
                     "their sum; R's method.CC_LS has 1e-4, against rounding")
#define ENS_META_SETTING_TRIM                                                  \
    ENS_META_SETTING("trim", ENS_T_NUM, "0.001", 1e-12, 0.4999,                \
                     "probabilities are cut to trim .. 1 - trim before their " \
                     "logit is taken")
#define ENS_META_SETTING_RISK                                                  \
    {                                                                          \
        .section = "meta", .key = "risk", .type = ENS_T_CHOICE,                \
        .shape = ENS_ONE, .cls = ENS_C_CELL, .def = "family",                  \
        .choices = "family|squared|deviance|auc",                              \
        .help =                                                                \
            "loss of the risks: squared error, binomial deviance, 1 - area "   \
            "under the ROC curve; family: deviance of family binomial, else "  \
            "squared"                                                          \
    }

/** o->loss from "risk". ENS_ESTUDY: a loss of classes, of another family. */
enum ens_status ens_meta_read_risk(const struct ens_learn_setup *setup,
                                   struct ens_meta_options *o,
                                   struct ens_error *err);
/** ENS_ESTUDY when the family is not binomial. */
enum ens_status ens_meta_need_classes(const struct ens_learn_setup *setup,
                                      const char *name, struct ens_error *err);

#define ENS_META(name, n, help)                                                \
    extern const struct ens_meta ens_meta_##name;                              \
    extern const struct ens_setting ens_meta_##name##_settings[];
#include "learn/meta/x.def"
#undef ENS_META

#endif
