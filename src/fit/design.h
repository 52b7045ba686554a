/* The model matrix of a formula over a data set.
 *
 * ens_design_plan (once per cell: formula over the kind of data -> names of
 * the columns) -> ens_design_build (per data set).
 *
 * Factors are coded as by R's model.matrix with treatment contrasts: the first
 * level has no column of its own where a term without the factor, or the
 * intercept, stands before. Levels are sorted, texts by bytes (as R does in
 * the C locale), and are those that the input's rows have: a data set drawn
 * from them that lacks one has a column of zeros.
 */
#ifndef ENS_FIT_DESIGN_H
#define ENS_FIT_DESIGN_H

#include "fit/formula.h"
#include <ensrun/data.h>

/* Of one factor or group; of one model matrix. */
#define ENS_DESIGN_MAX_LEVELS  1000
#define ENS_DESIGN_MAX_COLUMNS 20000

/** What a variable of the formula is over these data. */
struct ens_design_variable {
    enum ens_variable_kind kind;
    int is_used; /* by a term, or as an offset; else, as in R, it only says
                    which rows are complete */
    int is_text;
    uint32_t n_levels;   /* of a factor */
    const char **level;  /* their names */
    const double *value; /* what stands for each in the data, ascending */
};

struct ens_design_part {
    uint32_t variable;
    uint32_t index; /* level, or column of a basis */
};

struct ens_design_column { /* the product of its parts */
    const char *name;
    const struct ens_design_part *part;
    size_t n_parts; /* 0: the intercept */
};

struct ens_design {
    const struct ens_formula *f;
    uint32_t *column_of; /* n_vars */
    struct ens_design_variable *variable;
    size_t n_columns;
    struct ens_design_column *column;
    size_t n_groups;
    struct ens_design_variable *group; /* n_groups, factors */
    int has_offset, has_se;
};

/**
 * Columns of a formula over data of this kind, kept in the arena.
 * Errors:  ENS_ESTUDY: a column that is missing, or text in arithmetic; a
 *          factor of one level, of too many, or of values not known yet.
 */
enum ens_status ens_design_plan(struct ens_design *d,
                                const struct ens_formula *f,
                                const struct ens_data *data,
                                struct ens_arena *arena, struct ens_error *err);

/** Doubles of work for ens_design_build over n rows; SIZE_MAX: too many. */
size_t ens_design_work(const struct ens_design *d, size_t n);

/**
 * Values of the columns and the response in every complete row.
 *
 * Shapes:  y[n]; x[n * n_columns], column-major with leading dimension
 *          *n_rows; offset[n], the sum of the offsets, NULL when there are
 *          none; se[n], NULL when there are none; level[n_groups * n], groups
 *          one after the other *n_rows apart: the level of a row; vars[n_vars];
 * work[ens_design_work]. Method:  blocks of rows, gathered through the index;
 * nothing of the input is kept. Rows with a missing value in the response or a
 * variable are left out, as by R's na.omit: *n_rows is what remains. Errors:
 * ENS_EDOMAIN names row and variable of an infinite value in a complete row, of
 * a standard error that is not above 0.
 */
struct ens_design_space {
    double *x, *y, *offset, *se;
    uint32_t *level;
    const double **vars;
    double *work;
};
enum ens_status ens_design_build(const struct ens_design *d,
                                 const struct ens_data *data,
                                 const struct ens_design_space *to,
                                 size_t *n_rows, struct ens_error *err);

/** n rows of a column from row `first` on: a pointer into the data where the
 * values lie there as they are, else gathered into block. */
const double *ens_data_rows(const struct ens_data *data, uint32_t column,
                            size_t first, size_t n, double *block);

#endif
