/* The body of every rank but 0: a fork transport whose events go to rank 0. */
#ifndef ENS_TRANSPORT_SUPERVISOR_H
#define ENS_TRANSPORT_SUPERVISOR_H

#include "kind/registry.h"
#include "transport/ranks.h"

/**
 * Serve until rank 0 says END (ENS_OK; MPI still runs: ens_ranks_close), or
 * has been silent for dead_man seconds, or MPI fails (then the process must
 * end at once, without ending MPI). No worker is left in any case.
 */
enum ens_status ens_supervisor_serve(struct ens_ranks *ranks,
                                     const char *program,
                                     const struct ens_kind_table *kinds,
                                     struct ens_error *err);

#endif
