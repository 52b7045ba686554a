/* The zygote: a small, single-threaded process that opens the study, the
 * inputs and the kind once, and forks workers from that.
 *
 * Executed, not forked: the ensrun program itself with argv[1] = "--zygote"
 * and argv[2] = a socket (SOCK_SEQPACKET). Messages down, each with the
 * descriptors it names (SCM_RIGHTS); up: plain.
 */
#ifndef ENS_WORKER_ZYGOTE_H
#define ENS_WORKER_ZYGOTE_H

#include "kind/finder.h"
#include <stdint.h>

enum ens_zygote_type {
    /* down */
    ENS_Z_INIT = 1,  /* fds: memfd with the resolved study, memfd of slots */
    ENS_Z_MAP = 2,   /* fd: file of input `slot` */
    ENS_Z_OPEN = 3,  /* all inputs are there: open; answers OPENED or FAILED */
    ENS_Z_SPAWN = 4, /* slot, incarnation; fd: the worker's socket */
    ENS_Z_KILL = 5,  /* SIGKILL the worker's process group */
    ENS_Z_TERM = 6,  /* end: kill all that is left */
    /* up */
    ENS_Z_OPENED = 16,
    ENS_Z_FAILED = 17,  /* error */
    ENS_Z_SPAWNED = 18, /* slot, incarnation, pid (or -errno) */
    ENS_Z_EXITED = 19   /* slot, incarnation, pid, wait status */
};

struct ens_zygote_message {
    uint32_t type;
    uint32_t slot;
    uint32_t incarnation;
    int32_t pid;
    int32_t wait_status;
    uint32_t n_slots;
    uint32_t epoch;
    uint32_t first_slot; /* what worker 0 calls itself */
    uint32_t far;        /* as of struct ens_worker_config */
    uint32_t reserved;
    uint64_t run_id;
    uint64_t memory_limit;
    uint64_t pack_end; /* SPAWN: as of struct ens_worker_config */
    uint64_t plugins;  /* what they hash to for the supervisor; 0: none */
    struct ens_error error;
    char dir[4096]; /* results folder */
};

/** Body of the process; returns its exit code. */
int ens_zygote_main(int socket, const struct ens_kind_table *kinds);

#endif
