/* The dispatcher: who has which range; blame, retry, time-outs, stop.
 *
 * One object per run, on the loop's thread. It hands out one stage at a time
 * and raises events; it writes nothing itself. DESIGN section 8.
 */
#ifndef ENS_DISPATCH_DISPATCH_H
#define ENS_DISPATCH_DISPATCH_H

#include "dispatch/ranges.h"
#include "record/record.h"
#include "transport/transport.h"

struct ens_dispatch;

struct ens_dispatch_events {
    void *arg;
    /** Records of the stage, in the order of their places. */
    void (*records)(void *arg, const struct ens_frame *frame, const void *bytes,
                    size_t n, const struct ens_batch *b);
    /** Another frame for the journal (SCHEMA), or of an answer (STAGE). */
    void (*frame)(void *arg, const struct ens_frame *frame, const void *bytes,
                  size_t n);
    /** A task was charged with a death and will be tried again. So far it
     * has had `attempts`, `killed` of them ended by a SIGKILL. */
    void (*attempt)(void *arg, uint64_t cell, uint32_t replicate,
                    uint32_t attempts, uint32_t killed);
    /** A task ends here by our verdict: TASK_TIMEOUT or TASK_CRASHED. */
    void (*ended)(void *arg, uint64_t cell, uint32_t replicate,
                  enum ens_outcome outcome, uint32_t attempts,
                  const char *text);
    /** All tasks of the stage have ended (or the stop is complete). */
    void (*stage_done)(void *arg);
    /** `next` has answered (its STAGE frames came before), or failed. */
    void (*answered)(void *arg, const struct ens_error *err);
    /** A worker was replaced; for the log. */
    void (*died)(void *arg, uint32_t slot, const struct ens_death *death);
    /** Nothing can run any more. */
    void (*broken)(void *arg, const struct ens_error *err);
};

struct ens_dispatch_config {
    uv_loop_t *loop;
    const struct ens_plan *plan;
    uint32_t n_slots;
    uint32_t n_near; /* the first slots, beside the coordinator: `next` runs
                        in one of them; 0: all */
    uint32_t attempts, attempts_timeout;
    double timeout_s; /* 0 = none */
    double grace_s;
    const struct ens_part *part; /* of every stage; NULL: all */
    struct ens_dispatch_events events;
};

enum ens_status ens_dispatch_new(struct ens_dispatch **d,
                                 const struct ens_dispatch_config *config,
                                 struct ens_error *err);
/** Stops its timers; free in ens_dispatch_free once the loop has run. */
void ens_dispatch_close(struct ens_dispatch *d);
void ens_dispatch_free(struct ens_dispatch *d);
/** What a transport has to call; give it to its `open`, then attach it. */
struct ens_transport_events ens_dispatch_sink(struct ens_dispatch *d);
void ens_dispatch_attach(struct ens_dispatch *d,
                         const struct ens_transport_ops *ops,
                         struct ens_transport *t);
/** The transport is closed: nothing is asked of it any more, though the loop
 * may run on. */
void ens_dispatch_detach(struct ens_dispatch *d);

/** Set a stage up; ens_dispatch_go begins it. only (n_only places): nothing
 * but those. */
enum ens_status ens_dispatch_stage(struct ens_dispatch *d,
                                   const struct ens_stage *stage,
                                   const struct ens_done *done, uint32_t round,
                                   const uint64_t *only, size_t n_only,
                                   struct ens_error *err);
/** Its tasks (`only`) have ended: run them for their blocks of arrays. */
void ens_dispatch_restore(struct ens_dispatch *d);
/** Attempts already charged to a task of the stage (from the journal); before
 * ens_dispatch_go. */
void ens_dispatch_charged(struct ens_dispatch *d, uint64_t cell,
                          uint32_t replicate, uint32_t attempts,
                          uint32_t killed);
/** Begin to hand out. */
void ens_dispatch_go(struct ens_dispatch *d);
/** Run `next` in a worker; order: made by ens_order_write_next. */
void ens_dispatch_next(struct ens_dispatch *d, const void *order, size_t n);
/** No new tasks; stage_done when the running ones have ended, or were killed
 * after the grace period. */
void ens_dispatch_stop(struct ens_dispatch *d);
/** Hand out no task that would, by what is measured, end after that time on
 * the monotonic clock (0: any). stage_done comes when the others have ended.
 * May be called again, when a scheduler says how much time is left. */
void ens_dispatch_deadline(struct ens_dispatch *d, uint64_t ns);
/** Kill the workers now (second Ctrl-C); nobody is charged. */
void ens_dispatch_kill(struct ens_dispatch *d);
/** Stop and resume reading from workers. */
void ens_dispatch_pause(struct ens_dispatch *d, int on);

struct ens_dispatch_totals {
    uint64_t busy_ns;   /* of all workers, in tasks */
    uint64_t n_running; /* workers in a task now */
    uint64_t n_deaths;
    uint64_t n_forgotten; /* tasks that did not fit before the deadline */
    uint32_t n_started;
};
void ens_dispatch_totals(const struct ens_dispatch *d,
                         struct ens_dispatch_totals *totals);
/** The task of the stage that has run longest, of those of workers whose slots
 * are seen from here (not of other ranks); 0: there is none. */
int ens_dispatch_oldest(const struct ens_dispatch *d, uint64_t *place,
                        uint64_t *start_ns);

#endif
