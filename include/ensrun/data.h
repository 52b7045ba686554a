/* Data sets: columns of equal length, which own nothing. */
#ifndef ENSRUN_DATA_H
#define ENSRUN_DATA_H

#include <ensrun/view.h>

/** A column: either n contiguous doubles or a view (of any dtype). Of a shape
 * (generator.h), text may have neither: its levels are known, its values per
 * data set only. */
struct ens_data_column {
    const double *values;
    const struct ens_view *view; /* NULL when values is set */
    const char *const *level;    /* of text: the view holds their places */
    uint32_t n_levels;
    const uint64_t *index; /* as that of the data, for this column alone */
};

/** A data set. NaN is missing. */
struct ens_data {
    size_t n; /* rows */
    size_t n_columns;
    const char *const *name;
    const struct ens_data_column *column; /* NULL: known per data set only */
    const uint64_t *index; /* row i is row index[i] of the columns; NULL: i */
};

#endif
