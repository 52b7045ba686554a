/* The model matrix of a formula over a data set. */
#ifndef ENS_FIT_DESIGN_H
#define ENS_FIT_DESIGN_H

#include "fit/formula.h"
#include <ensrun/view.h>

/** A column: either n contiguous doubles or a view (of any dtype). */
struct ens_data_column {
    const double *values;
    const struct ens_view *view; /* NULL when values is set */
};

/** A data set that a fitter sees. Owns nothing. */
struct ens_data {
    size_t n; /* rows */
    size_t n_columns;
    const char *const *name;
    const struct ens_data_column *column;
    const uint64_t *index; /* row i is row index[i] of the columns; NULL: i */
};

/** Doubles of work for ens_design_build. */
#define ENS_DESIGN_WORK(f)                                                     \
    (((f)->n_vars + (f)->depth) * (size_t)ENS_FORMULA_BLOCK)

/**
 * Values of the terms and the response in every complete row.
 *
 * Shapes:  column_of[n_vars] (ens_formula_bind); y[n]; x[n * n_terms],
 *          column-major with leading dimension *n_rows;
 *          vars[n_vars]; work[ENS_DESIGN_WORK(f)].
 * Method:  blocks of rows, gathered through the index; nothing of the input
 *          is kept. Rows with a missing value in the response or a term are
 *          left out, as by R's na.omit: *n_rows is what remains.
 * Errors:  ENS_EDOMAIN names row and term of an infinite value in a complete
 *          row.
 */
enum ens_status ens_design_build(const struct ens_formula *f,
                                 const struct ens_data *data,
                                 const uint32_t *column_of, double *x,
                                 double *y, const double **vars, double *work,
                                 size_t *n_rows, struct ens_error *err);

#endif
