/* struct ens_rows (include/ensrun/learner.h) of a source, a set of its rows,
 * a response and fitted preprocessing. */
#ifndef ENS_LEARN_ROWS_H
#define ENS_LEARN_ROWS_H

#include "learn/source.h"
#include <ensrun/learner.h>

/** What rows are to be predicted by. y and w have one column. */
struct ens_response {
    enum ens_outcome_family family;
    uint32_t n_classes;
    /* Of classes: the values of y, ascending: value label[k] is class k.
     * NULL: y holds class numbers (0 and 1; levels of text). */
    const double *label;
    const struct ens_learn_source *y;
    const struct ens_learn_source *w; /* NULL: ones */
};

/** Preprocessing, fitted (learn/prep): a function of a row. */
struct ens_rows_prep {
    size_t p; /* columns that it makes */
    /* By column of its input, 1: it takes nothing from it; NULL: from all. */
    const unsigned char *ignored;
    const char *const *column;
    size_t work; /* doubles of work for n rows: n * work */
    void (*apply)(const void *own, const double *in, size_t n, double *out,
                  double *work);
    const void *own;
    /* All it does is to take columns select .. select+p-1 of its input, as
     * (x - centre) * scale; centre and scale NULL: as they are. */
    int is_scaled;
    size_t select;
    const double *centre, *scale;
};

typedef enum ens_status ens_rows_moments_fn(void *arg, const struct ens_rows *r,
                                            const struct ens_moments **m,
                                            struct ens_error *err);

struct ens_rows_spec {
    const struct ens_learn_source *source;
    struct ens_rowset set;
    const struct ens_response *response; /* NULL: rows to be predicted */
    const struct ens_rows_prep *prep;    /* NULL: none */
    const struct ens_bins *bins; /* of the source; NULL: none. Passed on where
                                    preprocessing only scales all columns */
    /* Columns are those of as many source rows before; only with a set of
     * ranges. Rows of it that have none are left out. moments: of these rows,
     * not of the source's. */
    uint64_t lag;
    ens_rows_moments_fn *moments; /* required where they are asked for */
    void *moments_arg;
};

/**
 * All that is lent must live as long as the rows; memory is the arena's.
 * `direct` is given for sources that are known to be finite.
 * Errors: ENS_EDOMAIN: a lag of rows that are no ranges; ENS_ENOMEMORY.
 */
enum ens_status ens_rows_open(const struct ens_rows_spec *spec,
                              struct ens_arena *arena, struct ens_rows *rows,
                              struct ens_error *err);

/** ENS_EDOMAIN when something that was read was no number of its kind, with a
 * text that names the first of them: its column and row (from 1, in its
 * input). It was read as 0. */
enum ens_status ens_rows_bad(const struct ens_rows *rows,
                             struct ens_error *err);
/** What it was read from: the source, or that of the response or weights. */
const struct ens_learn_source *ens_rows_bad_source(const struct ens_rows *rows);
/** Was anything that was read not finite, in a column that is ignored? */
int ens_rows_dropped(const struct ens_rows *rows);

#endif
