/* A run's progress as one line: of `run` itself, and of `status --watch`. */
#ifndef ENS_CLI_PROGRESS_H
#define ENS_CLI_PROGRESS_H

#include "run/run.h"

/** "40 s", "3 min", "2.5 h"; "?" when unknown. */
void ens_progress_seconds(char *to, size_t cap, double s);
/** "fit: 20/100 tasks, 0 not ok, 5/s, 16 s left, efficiency 97 %, 9 MiB". */
void ens_progress_text(char *to, size_t cap, const struct ens_run_progress *p);

#endif
