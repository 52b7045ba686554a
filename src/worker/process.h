/* The body of a worker process: a worker around a blocking socket. */
#ifndef ENS_WORKER_PROCESS_H
#define ENS_WORKER_PROCESS_H

#include "worker/worker.h"

/**
 * Open, say READY, follow orders from `socket` until it ends or says STOP.
 * send, waiting and arg of config are set here. Returns the exit code: 0, or
 * that of the failure which was sent as a REFUSED frame.
 */
int ens_worker_process(const struct ens_worker_config *config, int socket);

#endif
