/* What generators of regression data share: predictors x1 .. xp, a response y
 * about intercept + x'slope, test rows behind those to fit to.
 *
 * Stream "data", row by row: x1 .. xp, then the response. Terms are those of
 * `y ~ x1 + ... + xp`. */
#ifndef ENS_SIMULATION_REGRESSION_H
#define ENS_SIMULATION_REGRESSION_H

#include "kinds/simulation/generators/generators.h"

#define ENS_REGRESSION_SETTINGS                                                \
    {.section = "data",                                                        \
     .key = "n",                                                               \
     .type = ENS_T_INT,                                                        \
     .shape = ENS_AXIS,                                                        \
     .cls = ENS_C_DATA,                                                        \
     .def = "100",                                                             \
     .min = 1,                                                                 \
     .max = 1e8,                                                               \
     .unit = "rows",                                                           \
     .help = "rows of a data set"},                                            \
        {.section = "data",                                                    \
         .key = "intercept",                                                   \
         .type = ENS_T_NUM,                                                    \
         .shape = ENS_AXIS,                                                    \
         .cls = ENS_C_DATA,                                                    \
         .def = "0",                                                           \
         .help = "true intercept"},                                            \
        {.section = "data",                                                    \
         .key = "slope",                                                       \
         .type = ENS_T_VECTOR,                                                 \
         .shape = ENS_AXIS,                                                    \
         .cls = ENS_C_DATA,                                                    \
         .def = "1",                                                           \
         .help = "true coefficients of x1, x2 ..., separated by blanks"},      \
        {.section = "data",                                                    \
         .key = "x",                                                           \
         .type = ENS_T_CHOICE,                                                 \
         .shape = ENS_AXIS,                                                    \
         .cls = ENS_C_DATA,                                                    \
         .def = "normal",                                                      \
         .choices = "normal|uniform|binary",                                   \
         .help = "distribution of each predictor: normal and uniform have "    \
                 "mean 0 and sd 1, binary is 0 or 1, each half the time"},     \
        {.section = "data",                                                    \
         .key = "rho",                                                         \
         .type = ENS_T_NUM,                                                    \
         .shape = ENS_AXIS,                                                    \
         .cls = ENS_C_DATA,                                                    \
         .def = "0",                                                           \
         .min = -1,                                                            \
         .max = 1,                                                             \
         .help = "correlation of x1 with x2, x2 with x3 ...; rho^k of two "    \
                 "that are k apart (of the normals behind other x)"},          \
    {                                                                          \
        .section = "data", .key = "test", .type = ENS_T_INT,                   \
        .shape = ENS_AXIS, .cls = ENS_C_DATA, .def = "0", .min = 0,            \
        .max = 1e8, .unit = "rows", .help = "further rows, to predict"         \
    }
#define ENS_REGRESSION_N_SETTINGS 6

#define ENS_REGRESSION_NUMBER(key_, def_, min_, text)                          \
    {                                                                          \
        .section = "data", .key = key_, .type = ENS_T_NUM, .shape = ENS_AXIS,  \
        .cls = ENS_C_DATA, .def = def_, .min = min_, .max = 1e300,             \
        .help = text                                                           \
    }

/** What distinguishes one of these generators. */
struct ens_regression_kind {
    enum ens_family family;
    size_t n_own; /* settings of its own, numbers */
    const char *const *own;
    size_t n_truth; /* beside those of the terms */
    const char *const *truth;
    size_t n_columns; /* between the predictors and y */
    const char *const *column;
    size_t n_meta;
    const char *const *meta;
};

enum ens_regression_x {
    ENS_REGRESSION_NORMAL, /* in the order of the setting's choices */
    ENS_REGRESSION_UNIFORM,
    ENS_REGRESSION_BINARY
};

#define ENS_REGRESSION_MAX_OWN 4

/** What the settings of a cell say; shape.own. */
struct ens_regression {
    size_t n, n_test, p;
    enum ens_regression_x x;
    double rho, rest; /* sqrt(1 - rho^2) */
    double intercept;
    const double *slope; /* p */
    double own[ENS_REGRESSION_MAX_OWN];
    const char **truth; /* 1 + p + n_truth names and values */
    double *truth_value;
    const void *more; /* of the generator */
};

/** Settings, names of columns and truths: of the terms, and of `truth` as far
 * as settings of the same name have them, else NaN. */
enum ens_status ens_regression_shape(const struct ens_setup *setup,
                                     const struct ens_cell *cell,
                                     const struct ens_regression_kind *kind,
                                     struct ens_regression **own,
                                     struct ens_data_shape *out,
                                     struct ens_error *err);

/** Names alone, of settings in r: columns x1 .. xp, the kind's, y; truths
 * intercept, x1 .. xp, the kind's. */
enum ens_status ens_regression_names(const struct ens_setup *setup,
                                     const struct ens_regression_kind *kind,
                                     struct ens_regression *r,
                                     struct ens_data_shape *out,
                                     struct ens_error *err);

/** The response of row i; NaN: it cannot be drawn. */
typedef double ens_regression_fn(struct ens_rng *g, double eta, size_t i,
                                 void *arg);
/** All rows. Columns of `kind.column` are left to the caller: *x has n + n_test
 * rows, column-major. */
enum ens_status ens_regression_rows(const struct ens_job *job,
                                    const struct ens_data_shape *shape,
                                    ens_regression_fn *draw, void *arg,
                                    struct ens_generated *out, double **x,
                                    struct ens_error *err);
/** Slot `generate`: the same with responses of the shape's family, whose
 * parameter is the first of the generator's own settings. */
enum ens_status ens_regression_generate(const struct ens_job *job,
                                        const struct ens_data_shape *shape,
                                        struct ens_generated *out,
                                        struct ens_error *err);

#endif
