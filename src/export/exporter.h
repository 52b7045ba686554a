/* Exporters: a table in a file format. One file per format (csv_out.c ...),
 * one line in x.def.
 *
 * All functions run in the process that asked for the table, may block on its
 * output and take values that are lent for the call. Rows are streamed:
 * nothing may grow with their number.
 */
#ifndef ENS_EXPORT_EXPORTER_H
#define ENS_EXPORT_EXPORTER_H

#include "export/datum.h"
#include "export/out.h"

/** What is known of a table before its first row. */
struct ens_export_shape {
    size_t n_columns;
    const struct ens_table_column *column;
    /* Only for exporters that set `measures`: */
    uint64_t n_rows;
    const size_t *width; /* characters of the longest text, per column; of
                            numbers for ENS_MEASURES_ALL only */
};

enum ens_measures { ENS_MEASURES_NONE, ENS_MEASURES_TEXTS, ENS_MEASURES_ALL };

struct ens_exporter {
    const char *name;
    const char *help;
    /* Not none: rows are produced twice, first to count them and their
     * widths. */
    enum ens_measures measures;
    int is_binary; /* not for terminals */

    /* Required. Begin: write what comes before the rows. *state is owned
     * until close. out is lent until close. */
    enum ens_status (*open)(void **state, struct ens_out *out,
                            const struct ens_export_shape *shape,
                            struct ens_error *err);
    /* Required. One row of shape->n_columns values. Failures of the output
     * are sticky in `out` and need not be reported here. */
    enum ens_status (*row)(void *state, const struct ens_datum *row,
                           struct ens_error *err);
    /* Required. Write what follows the rows; frees state in any case. */
    enum ens_status (*close)(void *state, struct ens_error *err);
};

/** By name; NULL when there is none. */
const struct ens_exporter *ens_exporter_find(const char *name);
/** All of them, for lists; NULL past the last. */
const struct ens_exporter *ens_exporter_at(size_t i);

#endif
