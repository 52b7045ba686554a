/* Slots: 64 bytes per worker in a memfd shared by supervisor, zygote and
 * workers. Written by the worker, read by the supervisor: to name the culprit
 * of a death, drive time-outs and feed the status snapshot. No locks: each
 * word is written atomically, and `phase` last (release).
 */
#ifndef ENS_WORKER_SLOT_H
#define ENS_WORKER_SLOT_H

#include <stdatomic.h>
#include <stdint.h>

enum ens_phase {
    ENS_PHASE_STARTING,
    ENS_PHASE_OPENING,
    ENS_PHASE_IDLE,
    ENS_PHASE_RUNNING, /* kind.run of `place`, or kind.next */
    ENS_PHASE_SENDING
};

#define ENS_PLACE_NEXT UINT64_MAX /* `place` while kind.next runs */

struct ens_slot {
    _Atomic uint32_t phase;
    _Atomic uint32_t incarnation;
    _Atomic uint64_t place;
    _Atomic uint64_t stage;    /* id */
    _Atomic uint64_t start_ns; /* of the running task, CLOCK_MONOTONIC */
    _Atomic int32_t pid;       /* of the worker; its process group */
    _Atomic int32_t group;     /* process group of a spawned program; 0 none */
    _Atomic uint64_t n_tasks;  /* run by this incarnation */
    _Atomic uint64_t busy_ns;  /* in tasks, by this slot, all incarnations */
    uint64_t reserved;
};

const char *ens_phase_text(enum ens_phase p);

#endif
