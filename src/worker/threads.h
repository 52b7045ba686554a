/* A process that forks must have one thread. */
#ifndef ENS_WORKER_THREADS_H
#define ENS_WORKER_THREADS_H

#include <ensrun/error.h>

/** ENS_EPROCESS names the loaded libraries when there are more. */
enum ens_status ens_threads_check(struct ens_error *err);

#endif
