/* Settings that several learners have. */
#ifndef ENS_LEARN_LEARNERS_SETTINGS_H
#define ENS_LEARN_LEARNERS_SETTINGS_H

#include <ensrun/learner.h>

#define ENS_LEARN_SETTING_INTERCEPT                                            \
    {                                                                          \
        .section = "learner", .key = "intercept", .type = ENS_T_BOOL,          \
        .shape = ENS_AXIS, .cls = ENS_C_CELL, .def = "yes",                    \
        .help = "fit one; it is not penalised"                                 \
    }

#define ENS_LEARN_SETTING_ALPHA(value, text)                                   \
    {                                                                          \
        .section = "learner", .key = "alpha", .type = ENS_T_NUM,               \
        .shape = ENS_AXIS, .cls = ENS_C_CELL, .def = value, .min = 0,          \
        .max = 1e300, .help = text                                             \
    }

#define ENS_LEARN_SETTING_L1_RATIO                                             \
    {                                                                          \
        .section = "learner", .key = "l1_ratio", .type = ENS_T_NUM,            \
        .shape = ENS_AXIS, .cls = ENS_C_CELL, .def = "0.5", .min = 0,          \
        .max = 1,                                                              \
        .help = "share of the sum of absolute coefficients in the "            \
                "penalty; the rest is half their squares"                      \
    }

#define ENS_LEARN_SETTING_POSITIVE                                             \
    {                                                                          \
        .section = "learner", .key = "positive", .type = ENS_T_BOOL,           \
        .shape = ENS_AXIS, .cls = ENS_C_CELL, .def = "no",                     \
        .help = "no coefficient below 0"                                       \
    }

#define ENS_LEARN_SETTING_FOLDS                                                \
    {                                                                          \
        .section = "learner", .key = "inner_folds", .type = ENS_T_INT,         \
        .shape = ENS_AXIS, .cls = ENS_C_CELL, .def = "5", .min = 2,            \
        .max = 1000,                                                           \
        .help = "blocks of training rows by which the penalty is chosen"       \
    }

#define ENS_LEARN_SETTING_ALPHAS                                               \
    {                                                                          \
        .section = "learner", .key = "alphas", .type = ENS_T_INT,              \
        .shape = ENS_AXIS, .cls = ENS_C_CELL, .def = "100", .min = 1,          \
        .max = 10000, .help = "how many penalties are tried"                   \
    }

#define ENS_LEARN_SETTING_LEAST                                                \
    {                                                                          \
        .section = "learner", .key = "least", .type = ENS_T_NUM,               \
        .shape = ENS_AXIS, .cls = ENS_C_CELL, .def = "0.001", .min = 1e-12,    \
        .max = 1,                                                              \
        .help = "the last of them, as a share of the first, the "              \
                "least that leaves no coefficient"                             \
    }

#endif
