/* The keys columns, rows and transpose: views of views, no copies. */
#ifndef ENS_INPUT_SELECT_H
#define ENS_INPUT_SELECT_H

#include "input/format.h"

/**
 * Apply them to what a format opened, and fill in the rest of m->input:
 * columns, n_rows, n_columns, bytes. Rows and columns count in the file as it
 * is; transposing comes last. *key: the key that an error is about.
 */
enum ens_status ens_select(struct ens_mapped *m,
                           const struct ens_input_options *o, const char **key,
                           struct ens_error *err);

#endif
