/* Kinds for tests of study files: one with two roles and implementations
 * (trial), one with a single role named as its kind (ruler), one that takes a
 * verbatim line (order), one with an open role (free). */
#ifndef STUDY_FIXTURE_H
#define STUDY_FIXTURE_H

#include "config/study.h"

#include <string.h>

#define FIX_ROW(section, key, type, shape, cls, def, min, max, choices)        \
    {                                                                          \
        section, key, type, shape, cls, def, min, max, choices, NULL, "help"   \
    }

static const struct ens_setting fix_linear[] = {
    FIX_ROW("data", "n", ENS_T_INT, ENS_AXIS, ENS_C_DATA, NULL, 1, 1e9, NULL),
    FIX_ROW("data", "slope", ENS_T_VECTOR, ENS_AXIS, ENS_C_DATA, "0", 0, 0,
            NULL),
    FIX_ROW("data", "sigma", ENS_T_NUM, ENS_AXIS, ENS_C_DATA, "1", 0, 1e9,
            NULL),
};

static const struct ens_setting fix_bootstrap[] = {
    FIX_ROW("data", "input", ENS_T_INPUT, ENS_AXIS, ENS_C_DATA, NULL, 0, 0,
            NULL),
    FIX_ROW("data", "n", ENS_T_INT, ENS_AXIS, ENS_C_DATA, "0", 0, 1e9, NULL),
};

static const struct ens_setting fix_program[] = {
    FIX_ROW("data", "run", ENS_T_LINE, ENS_ONE, ENS_C_DATA, NULL, 0, 0, NULL),
};

static const struct ens_impl fix_generators[] = {
    {"linear", "help", fix_linear, 3, NULL, 0, 0},
    {"bootstrap", "help", fix_bootstrap, 2, NULL, 0, 0},
    {"program", "help", fix_program, 1, NULL, 0, 1},
};

static const struct ens_setting fix_ols[] = {
    FIX_ROW("fit", "ridge", ENS_T_NUM, ENS_AXIS, ENS_C_CELL, "0", 0, 10, NULL),
};

static const struct ens_setting fix_glm[] = {
    FIX_ROW("fit", "family", ENS_T_CHOICE, ENS_AXIS, ENS_C_CELL, "gaussian", 0,
            0, "gaussian|binomial"),
    FIX_ROW("fit", "prior", ENS_T_CALL, ENS_AXIS, ENS_C_CELL, "flat", 0, 0,
            "flat|normal|cauchy"),
    FIX_ROW("fit", "prior.b", ENS_T_CALL, ENS_AXIS, ENS_C_CELL, "flat", 0, 0,
            "flat|normal|cauchy"),
    FIX_ROW("fit", "prior.*", ENS_T_CALL, ENS_AXIS, ENS_C_CELL, "", 0, 0,
            "flat|normal|cauchy"),
    FIX_ROW("normal()", "mean", ENS_T_NUM, ENS_ONE, ENS_C_CELL, "0", 0, 0,
            NULL),
    FIX_ROW("normal()", "sd", ENS_T_NUM, ENS_ONE, ENS_C_CELL, NULL, 0, 100,
            NULL),
};

static const struct ens_impl fix_fitters[] = {
    {"ols", "help", fix_ols, 1, NULL, 0, 0},
    {"glm", "help", fix_glm, 6, NULL, 0, 0},
};

static const struct ens_role fix_roles[] = {
    {"data", "generator", fix_generators, 3, 1, 1, 0, 0, 0, NULL, NULL, 0},
    {"fit", "fitter", fix_fitters, 2, 0, 1, 0, 0, 0, NULL, NULL, 0},
};

static const struct ens_setting fix_settings[] = {
    FIX_ROW("fit", "formula", ENS_T_FORMULA, ENS_AXIS, ENS_C_CELL, "", 0, 0,
            NULL),
    FIX_ROW("fit", "note", ENS_T_TEXT, ENS_ONE, ENS_C_RUN, "", 0, 0, NULL),
    FIX_ROW("fit", "engine", ENS_T_TEXT, ENS_ONE, ENS_C_STUDY, "fast", 0, 0,
            NULL),
    FIX_ROW("metrics", "use", ENS_T_CALL, ENS_LIST, ENS_C_RUN,
            "bias, coverage(0.95)", 0, 0, "bias|rmse|coverage"),
    FIX_ROW("metrics", "held_out", ENS_T_BOOL, ENS_ONE, ENS_C_STUDY, "no", 0, 0,
            NULL),
    FIX_ROW("coverage()", "level", ENS_T_NUM, ENS_ONE, ENS_C_RUN, "0.95", 0, 1,
            NULL),
};

static const struct ens_setting fix_ruler[] = {
    FIX_ROW("ruler", "work_us", ENS_T_NUM, ENS_AXIS, ENS_C_CELL, "0", 0, 1e9,
            NULL),
    FIX_ROW("ruler", "fields", ENS_T_INT, ENS_AXIS, ENS_C_CELL, "1", 0, 1e6,
            NULL),
    FIX_ROW("ruler", "level", ENS_T_INT, ENS_AXIS, ENS_C_CELL, "1", 0, 1e6,
            NULL),
    FIX_ROW("ruler", "labels", ENS_T_TEXT, ENS_LIST, ENS_C_CELL, "", 0, 0,
            NULL),
    FIX_ROW("ruler", "file", ENS_T_PATH, ENS_ONE, ENS_C_CELL, "", 0, 0, NULL),
    FIX_ROW("ruler", "wait", ENS_T_SECONDS, ENS_AXIS, ENS_C_CELL, "0", 0, 1e9,
            NULL),
    FIX_ROW("ruler", "size", ENS_T_BYTES, ENS_AXIS, ENS_C_CELL, "0", 0, 1e15,
            NULL),
    FIX_ROW("ruler", "line", ENS_T_LINE, ENS_AXIS, ENS_C_CELL, "", 0, 0, NULL),
    FIX_ROW("ruler", "input", ENS_T_INPUT, ENS_ONE, ENS_C_CELL, "", 0, 0, NULL),
};

static const struct ens_role fix_ruler_role[] = {
    {"ruler", NULL, NULL, 0, 0, 0, 0, 0, 0, NULL, NULL, 0},
};

static const struct ens_setting fix_order[] = {
    FIX_ROW("order", "run", ENS_T_LINE, ENS_ONE, ENS_C_STUDY, "", 0, 0, NULL),
    FIX_ROW("order", "after", ENS_T_INT, ENS_ONE, ENS_C_RUN, "0", 0, 0, NULL),
};

static const struct ens_role fix_free_role[] = {
    {.name = "axes", .open = 1},
};

static const struct ens_study_tables fix_kinds[] = {
    {"trial", 3, fix_settings, 6, fix_roles, 2, NULL, 0, NULL},
    {"ruler", 1, fix_ruler, 9, fix_ruler_role, 1, NULL, 0, NULL},
    {"order", 1, fix_order, 2, NULL, 0, NULL, 0, NULL},
    {"free", 1, NULL, 0, fix_free_role, 1, NULL, 0, NULL},
};

static const char *const fix_names[] = {"trial", "ruler", "order", "free",
                                        NULL};

static const struct ens_study_tables *fix_find(void *arg, const char *name)
{
    (void)arg;
    for (size_t i = 0; i < 4; i++)
        if (strcmp(fix_kinds[i].kind, name) == 0)
            return &fix_kinds[i];
    return NULL;
}

static const struct ens_study_kinds fix_all = {fix_find, fix_names, NULL, NULL};

#endif
