/* What the sources of the worker object share; nobody else's business.
 *
 *   worker.c  open, orders, flush         task.c    one task, its record
 *   result.c  the host's slots in run     call.c    into the kind, guarded
 *   arrays.c  a cell's array files        reads.c   arrays of earlier stages
 *   next.c    the task of `next`          far.c     results where no folder is
 *   laps.c    parts of times              kept.c    of the first stage
 */
#ifndef ENS_WORKER_INSIDE_H
#define ENS_WORKER_INSIDE_H

#include "base/arena.h"
#include "math/rng.h"
#include "record/record.h"
#include "record/schema.h"
#include "store/keepsakes.h"
#include "store/places.h"
#include "worker/fault.h"
#include "worker/worker.h"

/* Streams a task has asked for are kept between tasks under their purpose, so
 * that the hash is made once; more than these come from the arena. */
#define ENS_N_STREAMS     16
#define ENS_PURPOSE_BYTES 40

struct ens_stream {
    char purpose[ENS_PURPOSE_BYTES];
    uint64_t hash;   /* ens_rng_stream(stage, purpose) */
    uint64_t serial; /* of the task it was last set for */
    struct ens_rng rng;
};

struct ens_late_stream { /* beyond the table */
    struct ens_late_stream *next;
    const char *purpose;
    struct ens_rng rng;
};

/* How a task ends, for what it keeps. */
#define ENS_RETAIN_SUCCESS 1u
#define ENS_RETAIN_WARNING 2u
#define ENS_RETAIN_ERROR   4u
#define ENS_RETAIN_OK      (ENS_RETAIN_SUCCESS | ENS_RETAIN_WARNING)

struct ens_held { /* an artifact that waits for the end of its task */
    struct ens_held *next;
    size_t item;
    const void *data; /* NULL: ref says where it is */
    size_t bytes;
    struct ens_artifact_ref ref;
};

struct ens_result {
    struct ens_worker *worker;
    struct ens_draft draft;
    size_t schema;   /* index of draft.schema in worker->schemas */
    int fields_set;  /* by the running task */
    uint64_t serial; /* of the task, from 1 */
    struct ens_arena arena;
    const char
        *stream_stage; /* streams are those of a task of this stage ... */
    uint32_t stream_replicate; /* ... of the cell */
    size_t n_streams;
    struct ens_stream stream[ENS_N_STREAMS];
    struct ens_late_stream *late;
    struct ens_error misuse; /* what the kind did wrong; status 0: nothing */
    const char *parts;       /* item that comes in parts; NULL: none */
    int parts_kept;          /* the study retains it */
    uint64_t parts_bytes;
    int warned;
    uint64_t *kept; /* fields of a task that fails; NULL: none */
    struct ens_held *held, **held_end; /* in the order they came */
    size_t n_laps;                     /* up to the last one that was run */
    double lap_s[ENS_MAX_LAPS];
    uint64_t lap_ns; /* end of the last one */
};

enum ens_block_use { ENS_BLOCK_UNUSED, ENS_BLOCK_WHOLE, ENS_BLOCK_PARTS };

struct ens_block { /* an array that the stage writes */
    const struct ens_array_def *def;
    int fd; /* of the cell's file; -1 while not opened */
    uint64_t data_offset;
    unsigned char *data;
    size_t cap;
    uint64_t first, n;
    enum ens_block_use use; /* by the running task */
    uint64_t given;         /* elements that came in parts */
    struct ens_hasher *hasher;
};

struct ens_read {  /* an array that the stage reads, of one cell */
    size_t array;  /* among the stage's reads */
    uint64_t cell; /* ordinal */
    void *base;    /* NULL: a free place of the table */
    uint64_t map_bytes;
    struct ens_view view;
};

struct ens_reads { /* all that are mapped: a hash table, at most half full */
    size_t n, cap; /* a power of two, or 0 */
    struct ens_read *at;
};

struct ens_worker {
    struct ens_worker_config config;
    const struct ens_plan *plan;
    const struct ens_kind *kind;
    void *state;    /* of the kind */
    int kind_open;  /* state is to be closed */
    int fault_open; /* handlers are installed */
    uint64_t seed;
    unsigned char *retain; /* kind->n_retained sets of ENS_RETAIN_ */
    double disk_wait_s;

    struct ens_stage stage;
    int has_stage;
    uint32_t round;
    struct ens_buf stage_data; /* lent to the kind */

    struct ens_task task;
    int has_cell;
    struct ens_error cell_error; /* kind->cell failed: so do its tasks */
    double cell_sum_ns;          /* times of the cell's tasks so far */
    double cell_n;
    struct ens_block block[ENS_STAGE_MAX_ARRAYS];
    struct ens_reads reads;

    struct ens_keepsakes keepsakes; /* of the plan's own stage */
    int has_keepsakes;
    struct ens_buf kept; /* the last one read; lent to the kind */

    struct ens_result result;
    struct ens_fault fault;
    struct ens_error fatal; /* the worker must end with it */
    struct ens_pack pack;

    struct ens_schemas schemas; /* the plan's, then what tasks found */
    unsigned char *sent;        /* per schema: its frame went out */
    size_t cap_sent;
    struct ens_packer packer;
    struct ens_buf out; /* frames not yet sent */
    uint64_t seq;
    uint16_t charged;          /* deaths charged to the task of this range */
    int replay;                /* the task has ended before: write nothing */
    int restore;               /* ... but its blocks */
    int more;                  /* another order waits */
    struct ens_hasher *hasher; /* of parts while in replay; NULL before */

    uint64_t now_ns; /* last reading of the clock */
    uint64_t pending_since_ns;
    uint64_t n_tasks;
    uint64_t busy_ns;

    struct ens_records *in; /* while `next` runs */
    struct ens_plan *answer;
};

/* call.c ---------------------------------------------------------------- */
enum ens_entry {
    ENS_ENTRY_OPEN,
    ENS_ENTRY_STAGE,
    ENS_ENTRY_CELL,
    ENS_ENTRY_RUN,
    ENS_ENTRY_NEXT
};
/** Into the kind. A write to an input comes back as ENS_EDOMAIN, an input
 * that shrank sets w->fatal. */
enum ens_status ens_worker_call(struct ens_worker *w, enum ens_entry entry,
                                struct ens_error *err);

/* task.c ---------------------------------------------------------------- */
/** One task; w->now_ns must be fresh. */
enum ens_status ens_worker_run(struct ens_worker *w, uint64_t place,
                               struct ens_error *err);
/** Forget the cell (files, caches): the stage changes. */
void ens_worker_leave_cell(struct ens_worker *w);

/* worker.c -------------------------------------------------------------- */
/** Put the record in w->result.draft behind the others. */
enum ens_status ens_worker_pack(struct ens_worker *w, struct ens_error *err);
/** A frame behind the records packed so far. */
void ens_worker_frame(struct ens_worker *w, enum ens_frame_type type,
                      const void *payload, size_t n);
/** The same, its payload of n bytes made in place; NULL: out of memory, and no
 * end. */
unsigned char *ens_worker_frame_begin(struct ens_worker *w,
                                      enum ens_frame_type type, size_t n);
void ens_worker_frame_end(struct ens_worker *w, size_t n);
void ens_worker_phase(struct ens_worker *w, enum ens_phase phase);
/** Is another order waiting? Asks the driver. */
int ens_worker_has_more(struct ens_worker *w);

/* space.c --------------------------------------------------------------- */
/** Write and, while the disk is full, wait and write again, for at most
 * disk_wait; the task's time does not run meanwhile. A failure is the world's
 * and sets w->fatal. */
enum ens_status
ens_worker_write(struct ens_worker *w,
                 enum ens_status (*write)(void *arg, struct ens_error *err),
                 void *arg);

/* arrays.c -------------------------------------------------------------- */
enum ens_status ens_arrays_enter(struct ens_worker *w, struct ens_error *err);
void ens_arrays_leave_cell(struct ens_worker *w);
void ens_arrays_fini(struct ens_worker *w);
void ens_arrays_begin_task(struct ens_worker *w);
/** Write and hash the blocks of an ok task. A block that was not filled, or in
 * part, is the task's failure (ENS_EDOMAIN); a write that fails sets w->fatal.
 */
enum ens_status ens_arrays_write(struct ens_worker *w, struct ens_error *err);
/** Fill the blocks of a task that is not ok. */
enum ens_status ens_arrays_fill(struct ens_worker *w, struct ens_error *err);
enum ens_status ens_result_block(struct ens_result *r, const char *array,
                                 void **data, uint64_t *n,
                                 struct ens_error *err);
enum ens_status ens_result_block_part(struct ens_result *r, const char *array,
                                      uint64_t first, const void *data,
                                      uint64_t n, struct ens_error *err);

/* reads.c --------------------------------------------------------------- */
/** Unmap them: the stage changes. */
void ens_reads_clear(struct ens_reads *r);
/** No task holds a view now: give back what would be too many. */
void ens_reads_begin_task(struct ens_reads *r);
enum ens_status ens_result_array(struct ens_result *r, const char *name,
                                 struct ens_view *view, struct ens_error *err);
enum ens_status ens_result_array_of(struct ens_result *r, const char *name,
                                    uint64_t cell, struct ens_view *view,
                                    struct ens_error *err);

/* far.c ----------------------------------------------------------------- */
/** n bytes at `at` of the worker's pack (an ens_pack_sink_fn; arg: worker). */
enum ens_status ens_far_pack(void *arg, uint64_t at, const void *data, size_t n,
                             struct ens_error *err);
/** n bytes at `at` of the data of an array of the present cell; data NULL: the
 * value that means missing. */
enum ens_status ens_far_block(struct ens_worker *w, const char *array,
                              uint64_t at, const void *data, uint64_t n,
                              struct ens_error *err);

/* kept.c ---------------------------------------------------------------- */
enum ens_status ens_result_kept_by(struct ens_result *r, uint32_t replicate,
                                   const void **data, size_t *bytes,
                                   struct ens_error *err);
/** The stage changes, or the worker ends. */
void ens_kept_leave(struct ens_worker *w);

/* retain.c -------------------------------------------------------------- */
enum ens_status ens_retain_read(struct ens_worker *w, struct ens_error *err);
/** Keep a copy, or the place of what is in the pack, until the task ends. */
enum ens_status ens_retain_hold(struct ens_result *r, size_t item,
                                const void *data, size_t bytes,
                                const struct ens_artifact_ref *ref,
                                struct ens_error *err);
/** The record in the draft is that of a task that has ended: store what is
 * kept of it. A failure is the world's. */
enum ens_status ens_retain_settle(struct ens_worker *w, struct ens_error *err);

/* laps.c ---------------------------------------------------------------- */
void ens_laps_begin(struct ens_result *r);
void ens_result_lap(struct ens_result *r, const char *name);
/** Into the record, whose task has ended. */
void ens_laps_put(struct ens_result *r);

/* result.c -------------------------------------------------------------- */
/** Into the pack; in a replay only length and hash. */
enum ens_status ens_result_store(struct ens_result *r, const void *data,
                                 size_t bytes, struct ens_artifact_ref *ref,
                                 struct ens_error *err);
/** Name it in the record. */
void ens_result_refer(struct ens_result *r, struct ens_artifact_ref *ref,
                      const char *item);
enum ens_status ens_result_init(struct ens_result *r, struct ens_worker *w,
                                struct ens_error *err);
void ens_result_fini(struct ens_result *r);
enum ens_status ens_result_begin(struct ens_result *r, struct ens_error *err);
/** Streams are now those of task `replicate` of a stage, which stays. */
void ens_result_streams(struct ens_result *r, const char *stage,
                        uint32_t replicate);
/** Append to the worker's pack, waiting for a full disk to be emptied for at
 * most disk_wait; a failure is the world's and sets w->fatal. */
enum ens_status ens_worker_store(struct ens_worker *w, const void *data,
                                 size_t bytes, struct ens_artifact_ref *ref,
                                 struct ens_error *err);

/* next.c ---------------------------------------------------------------- */
enum ens_status ens_worker_next(struct ens_worker *w,
                                const struct ens_order_next *order,
                                struct ens_error *err);

#endif
