/* The table cells for people: a row per cell and estimand, a column per
 * measure, numbers cut where their Monte Carlo error begins. */
#ifndef ENS_CLI_SHOW_WIDE_H
#define ENS_CLI_SHOW_WIDE_H

#include "export/tables.h"

/**
 * Print it; at most head rows (0: all). The sheet has all columns of the
 * table cells; the measures of an estimand stand together there.
 */
enum ens_status ens_show_wide(const struct ens_sheet *sheet, uint64_t head,
                              struct ens_error *err);

#endif
