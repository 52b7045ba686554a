/* Tables in the terminal: aligned, numbers to six digits. */
#ifndef ENS_CLI_SHOW_CELLS_H
#define ENS_CLI_SHOW_CELLS_H

#include "cli/results.h"

/**
 * Print a table; sel->head rows of it (0: all). NULL: the table cells with a
 * column for each measure (cli/show_wide.h); sel->columns says nothing then.
 */
enum ens_status ens_show_table(struct ens_results *r,
                               const struct ens_table *table,
                               const struct ens_selection *sel,
                               struct ens_error *err);
/** Print the measures of a results folder; errors go to stderr. */
void ens_show_cells(const char *dir);
/** Say on stderr that these were only the first rows. */
void ens_show_more(uint64_t n_rows);

#endif
