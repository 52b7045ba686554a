/* Tables in the terminal: aligned, numbers to six digits. */
#ifndef ENS_CLI_SHOW_CELLS_H
#define ENS_CLI_SHOW_CELLS_H

#include "cli/results.h"

/**
 * Print a table by its name; sel->head rows of it (0: all). NULL: what a run
 * shows at its end; sel->columns says nothing then. That is the tables which
 * the kind says are shown, else the table cells with a column for each measure
 * (cli/show_wide.h).
 */
enum ens_status ens_show_table(struct ens_results *r, const char *name,
                               const struct ens_selection *sel,
                               struct ens_error *err);
/** Print what a results folder shows at its end; errors go to stderr. */
void ens_show_end(const char *dir);
/** Say on stderr that these were only the first rows. */
void ens_show_more(uint64_t n_rows);

#endif
