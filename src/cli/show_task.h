/* One task in full, with its items and artifacts. */
#ifndef ENS_CLI_SHOW_TASK_H
#define ENS_CLI_SHOW_TASK_H

#include "cli/results.h"

/** name: a label, CELL:REPLICATE or STAGE/CELL:REPLICATE. */
enum ens_status ens_show_task(struct ens_results *r, const char *name,
                              struct ens_error *err);

#endif
