/* What generators over a mapped input share: its columns, rows held out as
 * test set, truths that the user knows. Data sets are indexes into the input,
 * whose columns stay where they are. */
#ifndef ENS_SIMULATION_TABLE_H
#define ENS_SIMULATION_TABLE_H

#include "kinds/simulation/generators/generators.h"

#define ENS_TABLE_SETTINGS                                                     \
    {.section = "data",                                                        \
     .key = "input",                                                           \
     .type = ENS_T_INPUT,                                                      \
     .shape = ENS_AXIS,                                                        \
     .cls = ENS_C_DATA,                                                        \
     .def = NULL,                                                              \
     .help = "input whose rows are taken"},                                    \
        {.section = "data",                                                    \
         .key = "test",                                                        \
         .type = ENS_T_NUM,                                                    \
         .shape = ENS_AXIS,                                                    \
         .cls = ENS_C_DATA,                                                    \
         .def = "0",                                                           \
         .min = 0,                                                             \
         .max = 1e15,                                                          \
         .help = "rows held out to predict, drawn anew for each data set: a "  \
                 "share when below 1, else their number"},                     \
    {                                                                          \
        .section = "data", .key = "truth", .type = ENS_T_TEXT,                 \
        .shape = ENS_LIST, .cls = ENS_C_STUDY, .def = "",                      \
        .help = "TERM=VALUE: true values of terms, where they are known"       \
    }
#define ENS_TABLE_N_SETTINGS 3

/** shape.own */
struct ens_table {
    size_t n;         /* rows of the input */
    size_t n_test;    /* held out */
    size_t n_taken;   /* of the others, or drawn of them */
    const void *more; /* of the generator */
};

/** Columns and rows of the cell's input. */
enum ens_status ens_table_of_input(const struct ens_setup *setup,
                                   const struct ens_cell *cell,
                                   struct ens_data *out, struct ens_error *err);
/** Columns of the input, truths. data.n: its rows, in which levels are found;
 * n_taken: all but those held out. */
enum ens_status ens_table_shape(const struct ens_setup *setup,
                                const struct ens_cell *cell,
                                struct ens_table **own,
                                struct ens_data_shape *out,
                                struct ens_error *err);
/** Rows that a setting asks for, of n: a share below 1, or a number; ENS_ESTUDY
 * unless 1 .. n. */
enum ens_status ens_table_rows(const char *key, double wanted, size_t n,
                               size_t *rows, struct ens_error *err);

/**
 * Draw the test set, when there is one: out->test, and the rows left in
 * *pool, ascending; NULL: all.
 * Stream: as ens_table_pick.
 */
enum ens_status ens_table_hold_out(const struct ens_job *job,
                                   const struct ens_data_shape *shape,
                                   struct ens_generated *out,
                                   const uint64_t **pool,
                                   struct ens_error *err);
/**
 * m of the rows 0 .. n-1, each set of m as likely, ascending; in *rest (NULL:
 * not wanted) the others.
 * Method: Floyd (Bentley and Floyd 1987, doi:10.1145/30401.315746): a uniform
 *         integer per row of the smaller part.
 */
enum ens_status ens_table_pick(const struct ens_job *job, size_t n, size_t m,
                               uint64_t **chosen, uint64_t **rest,
                               struct ens_error *err);

#endif
