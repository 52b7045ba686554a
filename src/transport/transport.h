/* Transports: how orders reach workers and frames come back. One file per
 * implementation (inline.c, fork.c, mpi.c), one line in x.def.
 *
 * All functions are called on the loop's thread; events are raised on it,
 * never from inside `start`, `order` or `kill`.
 */
#ifndef ENS_TRANSPORT_TRANSPORT_H
#define ENS_TRANSPORT_TRANSPORT_H

#include "plan/plan.h"
#include "record/frame.h"
#include "transport/staging.h"
#include "worker/slot.h"
#include <uv.h>

struct ens_death {
    uint32_t incarnation;
    int wait_status; /* as waitpid; meaningless when zygote_lost */
    enum ens_phase phase;
    uint64_t place; /* of the running task, when phase is RUNNING */
    uint64_t stage;
    int asked;       /* we had it killed (`kill`), or ordered it to stop */
    int zygote_lost; /* it went down with its zygote: nobody is to blame */
};

struct ens_transport_events {
    void *arg;
    /** The worker is open and wants orders. */
    void (*ready)(void *arg, uint32_t slot);
    /** A whole frame, checked; bytes (n of them) are lent. */
    void (*frame)(void *arg, uint32_t slot, const struct ens_frame *frame,
                  const void *bytes, size_t n);
    /** A worker is gone; all its frames were delivered before. */
    void (*dead)(void *arg, uint32_t slot, const struct ens_death *death);
    /** Nothing can run any more (zygote lost too often, or it failed to open
     * the study: err says why). */
    void (*broken)(void *arg, const struct ens_error *err);
};

struct ens_ranks; /* ranks.h */

struct ens_transport_config {
    uv_loop_t *loop;
    const char *program; /* the ensrun binary, see transport/launch.h */
    const struct ens_plan *plan;
    const char *study_text; /* resolved study file */
    size_t study_bytes;
    const char *dir;
    uint32_t epoch;
    uint64_t run_id;
    uint32_t n_slots;
    /* How workers call the slot of index 0, in frames, packs and records:
     * other supervisors have the slots before and behind. */
    uint32_t first_slot;
    uint64_t memory_limit;
    /* Copies of the inputs for this host, taken over, on failure too; NULL:
     * workers map what the plan has. Not for inline. */
    struct ens_stager *stager;
    int far;          /* dir is not the results folder: see worker/worker.h */
    uint64_t plugins; /* ens_finder_hash; 0: none */
    /* mpi: the ranks, n_slots their workers; what supervisors have to know */
    struct ens_ranks *ranks;
    double timeout_s, heartbeat_s, dead_man_s;
    struct ens_transport_events events;
};

struct ens_transport; /* an implementation's own */

struct ens_transport_ops {
    const char *name;
    const char *help;
    enum ens_status (*open)(struct ens_transport **t,
                            const struct ens_transport_config *config,
                            struct ens_error *err);
    /** Begin a worker in an empty slot (a new incarnation). */
    void (*start)(struct ens_transport *t, uint32_t slot);
    /** Queue whole orders (see worker/order.h); copied. */
    void (*order)(struct ens_transport *t, uint32_t slot, const void *p,
                  size_t n);
    /** SIGKILL the worker and the group of what it spawned. inline: nothing
     * happens, as the worker is this process. */
    void (*kill)(struct ens_transport *t, uint32_t slot);
    /** Stop (1) or resume (0) reading frames: back-pressure. */
    void (*pause)(struct ens_transport *t, int on);
    const struct ens_slot *(*slot)(const struct ens_transport *t,
                                   uint32_t slot);
    /** Process ids for memory accounting: zygote and workers, at most max. */
    size_t (*pids)(const struct ens_transport *t, int32_t *pid, size_t max);
    /** CPU time and memory (PSS) of supervisors, zygotes and workers elsewhere,
     * and the most that a worker there had of its own, as last heard. NULL:
     * there are none. */
    void (*others)(const struct ens_transport *t, uint64_t *cpu_ns,
                   uint64_t *pss_bytes, uint64_t *worker_bytes);
    /** Of inputs that are copied to the nodes: bytes so far, and in the end;
     * 0 when nothing is copied. NULL: nothing ever is. */
    void (*staged)(const struct ens_transport *t, uint64_t *done_bytes,
                   uint64_t *all_bytes);
    /** Kill what is left and wait for it (at most a second). No event is
     * raised any more; the memory goes when the loop has run its handles'
     * close callbacks. May be called from an event. */
    void (*close)(struct ens_transport *t);
};

/** All of x.def, NULL-terminated. */
extern const struct ens_transport_ops *const ens_transports[];
const struct ens_transport_ops *ens_transport_find(const char *name);
extern const struct ens_transport_ops ens_transport_inline;
extern const struct ens_transport_ops ens_transport_fork;
extern const struct ens_transport_ops ens_transport_mpi;

#endif
