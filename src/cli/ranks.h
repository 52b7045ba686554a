/* `ensrun run` as one of several processes. */
#ifndef ENS_CLI_RANKS_H
#define ENS_CLI_RANKS_H

#include "run/run.h"
#include "transport/launcher.h"

struct ens_options;

/** What rank 0 does once all ranks are there; returns the exit code. */
typedef int ens_cli_ranks_fn(const struct ens_options *o,
                             struct ens_run_options *ro);

/** Start MPI; rank 0 does run, with ro->ranks, the others supervise workers.
 * Returns the exit code: only rank 0's is not 0. */
int ens_cli_ranks(const struct ens_options *o, struct ens_run_options *ro,
                  const struct ens_launched *launched, ens_cli_ranks_fn *run);
/** Each of several processes that know nothing of each other would do all of
 * the work, or wait for the lock: says so, returns the exit code. */
int ens_cli_refuse_bare(const struct ens_launched *launched);

#endif
