/* Following a live run from outside: `status --watch`.
 *
 * Reads two files, each with a fresh open: the newest epoch file (whose
 * counter is the run's heartbeat) and `status` (its snapshot, a second old at
 * most). So it works from any host that sees the folder. Whether a process
 * is alive is only asked where its epoch says it is this host's.
 */
#ifndef ENS_CLI_WATCH_H
#define ENS_CLI_WATCH_H

#include <ensrun/error.h>

#define ENS_WATCH_LEFT 130 /* by Ctrl-C; as shells say it */

/**
 * Print to stdout until the run has ended: one line that changes on a
 * terminal, else a line per change. *code: the run's exit status; 3 when it
 * died, or nobody knows; ENS_WATCH_LEFT. ENS_ENOTFOUND: no run in the folder.
 */
enum ens_status ens_watch_folder(const char *dir, int *code,
                                 struct ens_error *err);

#endif
