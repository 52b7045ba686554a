/* Two tables in CSV, row by row with equal keys.
 *
 * Rows in the same order are read side by side, in constant memory; from the
 * first row that is not, the rest of the second table is indexed: 16 bytes a
 * row, at most 48 while the index grows. The files are mapped.
 */
#ifndef ENS_CLI_COMPARE_H
#define ENS_CLI_COMPARE_H

#include "base/buf.h"
#include <ensrun/error.h>
#include <stddef.h>
#include <stdint.h>

struct ens_compare_column {
    char *name;
    uint64_t n_differ;     /* beyond the tolerance */
    double max_abs;        /* infinite where texts differ */
    double max_rel;        /* of numbers: |a - b| / max(|a|, |b|) */
    struct ens_buf row;    /* key of the worst row; with both values */
    struct ens_buf values; /* "1.5 and 1.6" */
};

struct ens_compare {
    /* what to do */
    double rel, abs;  /* tolerance; both 0: equal to the last bit */
    const char *keys; /* comma list of columns; NULL: those of our tables */
    void *arg;
    int (*progress)(void *arg, const char *phase, uint64_t done, uint64_t all);
    /* what came out */
    uint64_t n_rows;             /* compared */
    uint64_t n_differ;           /* rows with a column beyond the tolerance */
    uint64_t n_only_a, n_only_b; /* rows */
    struct ens_buf first_a, first_b;     /* keys of the first of those */
    struct ens_buf columns_a, columns_b; /* only in one: names, commas */
    struct ens_buf key;                  /* columns of the key, commas */
    size_t n_columns;
    struct ens_compare_column *column;
};

/** NaN equals NaN; texts have to be equal, missing is not empty. Numbers agree
 * when |a - b| <= max(abs, rel max(|a|, |b|)). ENS_EINPUT: no such table;
 * ENS_EUSAGE: no such key. */
enum ens_status ens_compare_files(struct ens_compare *c, const char *a,
                                  const char *b, struct ens_error *err);
void ens_compare_fini(struct ens_compare *c);
/** The column with the worst row; NULL when all values are equal. */
const struct ens_compare_column *ens_compare_worst(const struct ens_compare *c);
/** Anything beyond the tolerance, or only on one side. */
int ens_compare_differs(const struct ens_compare *c);

#endif
