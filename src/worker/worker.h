/* A worker: orders in, tasks run, frames of records out.
 *
 * The object knows nothing of processes: the fork transport runs it in a
 * child around a blocking socket, the inline transport in the coordinator.
 */
#ifndef ENS_WORKER_WORKER_H
#define ENS_WORKER_WORKER_H

#include "plan/plan.h"
#include "store/pack.h"
#include "worker/order.h"
#include "worker/slot.h"

/** The functions kinds may call. */
extern const struct ens_host ens_host;

/** In the results folder: a folder per slot for what tasks leave on disk;
 * removed when the run ends. */
#define ENS_WORK_FOLDER "work"

struct ens_worker_config {
    const struct ens_plan *plan;
    const char *dir; /* results folder, absolute */
    uint32_t epoch;
    uint64_t run_id;
    uint16_t slot;
    uint32_t incarnation;
    struct ens_slot *shared;
    int far; /* dir is not the results folder, but has what is read of it:
                what would be written goes up in frames */
    uint64_t pack_end;     /* far: of the slot's pack so far */
    uint64_t memory_limit; /* private bytes above what `open` needed; 0 none */
    struct ens_io *io;     /* of packs and blocks; NULL: the default */
    /** Takes whole frames; returns ENS_OK or the worker must end. */
    enum ens_status (*send)(void *arg, const void *frames, size_t n);
    /** Is another order waiting? Asked at most once per ms; NULL: only
     * ens_worker_more says so. */
    int (*waiting)(void *arg);
    void *arg;
};

struct ens_worker;

enum ens_status ens_worker_open(struct ens_worker **w,
                                const struct ens_worker_config *config,
                                struct ens_error *err);
void ens_worker_close(struct ens_worker *w);
/**
 * One order with its body. RANGE runs all its tasks. NEXT answers with frames,
 * a refusal too (then ENS_OK: the worker goes on). Any other failure has been
 * sent as a REFUSED frame when it is returned: the worker must end.
 * ENS_ESTOPPED: `send` found nobody to send to.
 */
enum ens_status ens_worker_order(struct ens_worker *w,
                                 const struct ens_order *order,
                                 const void *body, struct ens_error *err);
/** One task of the present stage (inline transport). */
enum ens_status ens_worker_task(struct ens_worker *w, uint64_t place,
                                struct ens_error *err);
enum ens_status ens_worker_flush(struct ens_worker *w);
/** Another order is already waiting (flush every 10 ms instead of 1). */
void ens_worker_more(struct ens_worker *w, int more);

#endif
