/* The run's own object, shared by the files of run/. */
#ifndef ENS_RUN_STATE_H
#define ENS_RUN_STATE_H

#include "config/where.h"
#include "dispatch/dispatch.h"
#include "kind/finder.h"
#include "run/folder.h"
#include "run/run.h"
#include "run/scheduler.h"
#include "store/epoch.h"
#include "store/journal.h"
#include "store/log.h"
#include "store/pack.h"
#include "stop/tracker.h"
#include "store/replay.h"
#include "transport/cost.h"

#include <stdatomic.h>
#include <stdio.h>

enum ens_run_phase {
    ENS_RUN_STAGE,      /* tasks run */
    ENS_RUN_ARRAYS,     /* its output arrays are made first */
    ENS_RUN_STAGE_SYNC, /* all ended: waiting for the last commit */
    ENS_RUN_NEXT,       /* `next` runs */
    ENS_RUN_NEXT_SYNC,  /* its answer is being made durable */
    ENS_RUN_OVER,
    ENS_RUN_CLOSING /* after that: digests are awaited, tables written */
};

struct ens_dirty_array {
    uint32_t array; /* in the plan */
    uint64_t cell;
};

struct ens_far {          /* far.c: what is written for workers elsewhere */
    struct ens_pack pack; /* of the slot that sent last */
    char array_name[ENS_STAGE_KEY_MAX + 1]; /* "": none is open */
    uint64_t array_cell, array_at, array_bytes;
    int array_fd;
    struct ens_buf stuck; /* a frame that the full disk has no room for */
    uint64_t stuck_ns;
};

struct ens_restore { /* restore.c */
    int running;     /* present tasks have ended: for their blocks */
    int asking;      /* for `next` of the last stage, else its tasks */
    size_t at;       /* in the chain: the stage whose tasks run again */
    int wanted;      /* for which of its blocks */
    uint64_t *place; /* of those */
    size_t n;
    unsigned char *state; /* of each stage of the chain: what is known */
    size_t cap;
    struct ens_segment_end end; /* of this epoch's segment */
};

struct ens_question { /* limit.c: a batch system is asked for time */
    struct ens_scheduler of;
    pid_t pid; /* of its command; 0: none */
    uv_pipe_t out;
    int is_open;
    struct ens_buf text;
    uv_timer_t timer;
    uint64_t begin_ns;
};

struct ens_run {
    const struct ens_run_options *options;
    struct ens_run_report *report;
    struct ens_buf *errors; /* of the study file, a line each; the caller's */
    struct ens_error error; /* the first that ended the run */

    /* setup.c */
    struct ens_study *study;
    const struct ens_kind *kind;
    struct ens_finder finder;
    struct ens_inputs inputs;
    struct ens_plan plan;
    struct ens_buf study_text; /* resolved */
    char dir[4096];
    struct ens_folder folder;
    struct ens_epoch epoch;
    int has_epoch;
    int said_waiting;
    struct ens_log log; /* of earlier epochs */
    struct ens_replay replay;
    struct ens_journal *journal;
    struct ens_io *io;
    struct ens_where where; /* --where */
    struct ens_chosen where_cells;
    const struct ens_chosen *chosen; /* NULL: all cells */
    struct ens_part part;            /* those, and --shard */
    uint32_t n_workers;
    uint32_t round;
    struct ens_draft draft; /* of records that the coordinator writes */
    struct ens_schemas empty;

    /* loop */
    uv_loop_t loop;
    int has_loop;
    uv_async_t journal_wake;
    uv_timer_t commit_timer, beat_timer, watch_timer, limit_timer;
    struct ens_question question;
    uv_signal_t signal[4];
    int n_signals; /* received */
    struct ens_dispatch *dispatch;
    const struct ens_transport_ops *ops;
    struct ens_transport *transport;

    /* stages.c */
    enum ens_run_phase phase;
    struct ens_stage stage; /* present one */
    struct ens_done *done;  /* of it; lent by replay */
    /* its tasks that are to be run here, for progress */
    uint64_t stage_tasks, stage_done, stage_not_ok;
    uint64_t definition;
    /* stopping.c */
    struct ens_stopping stops;
    struct ens_places *stored; /* for the tracker: of earlier epochs */
    struct ens_tracker *tracker;
    /* of the cells that are to be run here: those that stopped, and all of
     * their replicates */
    uint64_t stage_cells, n_stopped, sum_stops;
    struct ens_stage *chain; /* all stages of this study so far */
    size_t n_chain;
    struct ens_buf answer; /* STAGE payloads: u32 length, bytes */
    int stopping, complete;
    atomic_int hurry; /* what runs beside is not wanted any more */
    int is_late;      /* tasks are left for want of time */
    uint64_t *only;   /* places of the present stage (--only) */
    size_t n_only;

    struct ens_far far;
    struct ens_restore restore;

    /* commit.c */
    double commit_seconds, heartbeat_s;
    uint64_t commit_every;
    uint64_t last_commit_ns, last_groups;
    uint64_t *dirty_slots; /* bitmap: packs with new artifacts */
    struct ens_dirty_array *dirty;
    size_t n_dirty, cap_dirty;
    struct ens_buf checkpoint; /* encoded; written once acknowledged */
    uint64_t checkpoint_group; /* group that must be acknowledged first */
    uint64_t checkpoint_ns, checkpoint_records;
    uint32_t n_checkpoints;
    uint64_t n_failed; /* for max_errors */
    uint64_t max_errors;

    /* digest.c */
    uv_work_t digest_work;
    atomic_int digest_stop;
    int digest_running;
    struct ens_error digest_error;

    /* watch.c */
    uint64_t begin_ns; /* of the program's work, before set-up */
    int had_first;     /* a task has ended */
    uint64_t start_ns, watch_ns, progress_ns, watch_done;
    int is_staged; /* workers map copies of the inputs */
    char staging_note[96];
    uint64_t staging_ns; /* of the last line about it */
    double rate;
    struct ens_cost_meter meter;
    uint64_t pss_bytes; /* of the job, as last read */
    uint64_t busy_ns;   /* when the workers were closed */
    char task[192];     /* label of the task that has run longest */
    int status_fd;
    FILE *log_file;
};

/* run.c */
/** From now on whoever waits for the folder hears that this run lives. */
void ens_run_beat(struct ens_run *r);

/* setup.c */
enum ens_status ens_run_setup(struct ens_run *r, struct ens_error *err);
enum ens_status ens_run_begin(struct ens_run *r, struct ens_error *err);
void ens_run_fini(struct ens_run *r);
/** Write run.json, unless another run has taken the folder over. */
enum ens_status ens_run_write_folder(struct ens_run *r, struct ens_error *err);
/** Records of finished tasks, of all stages and cells of this study. */
uint64_t ens_run_n_recorded(const struct ens_run *r);
const struct ens_value *ens_run_value(const struct ens_run *r, const char *key);

/* stopping.c: [stop] */
/** The rules, and that of a shard: it has cells, not replicates. */
enum ens_status ens_run_stop_rules(struct ens_run *r, struct ens_error *err);
/** Find where cells stop by what is recorded of the present stage, the first
 * one. Reads all records: a matter of seconds for 10^7. */
enum ens_status ens_run_stop_scan(struct ens_run *r, struct ens_error *err);
/** The same beside the loop, said when it takes a while. */
enum ens_status ens_run_stop_find(struct ens_run *r, struct ens_error *err);
/** Have cells stop while they run: before the stage is handed out. */
enum ens_status ens_run_stop_begin(struct ens_run *r, struct ens_error *err);
/** Count a cell of the part that is to be run, for progress. */
void ens_run_stop_count(struct ens_run *r, uint64_t cell);
/** Tasks left: at most, or as many as cells took that stopped. */
uint64_t ens_run_stop_left(const struct ens_run *r);
/** New records of the stage, counted as done. */
void ens_run_stop_records(struct ens_run *r, const struct ens_batch *b);
/** It lies behind where its cell is known to stop. */
int ens_run_stop_is_behind(const struct ens_run *r,
                           const struct ens_record *rec);
void ens_run_stop_report(struct ens_run *r);
void ens_run_stop_fini(struct ens_run *r);

/* chain.c */
/** Tasks of a stage that ended so; ENS_N_OUTCOMES: that ended at all. */
uint64_t ens_chain_count(const struct ens_run *r, const struct ens_stage *st,
                         const struct ens_done *done, enum ens_outcome outcome);
/** Tasks of a stage; of cells that stop, up to there. */
uint64_t ens_chain_n_tasks(const struct ens_run *r, const struct ens_stage *st);
/** Point r->done at the done set of r->stage and add it to the chain. */
enum ens_status ens_chain_enter(struct ens_run *r, struct ens_error *err);
/** Back to the first stage, not entered yet: after a look ahead. */
enum ens_status ens_chain_rewind(struct ens_run *r, struct ens_error *err);
/** Make stage k of the chain the present one, without entering it. */
enum ens_status ens_chain_point(struct ens_run *r, size_t k,
                                struct ens_error *err);
/** The last stage before stage k of the chain that writes an array; k: none. */
size_t ens_chain_writer(const struct ens_run *r, size_t k, const char *array);
/** What the journal knows of `next` for the present stage: 1 = r->stage is now
 * the next one, 0 = it has to be asked, -1 = no more stages. */
int ens_chain_known(struct ens_run *r);
/** Make r->stage the stage that an answer names, as it is for this study. */
enum ens_status ens_chain_take(struct ens_run *r, const struct ens_stage *def,
                               uint32_t epoch);
/** The present stage has tasks without an end. */
int ens_chain_is_open(const struct ens_run *r);
/** Follow the chain without running anything: 1 when all is done. */
int ens_chain_finished(struct ens_run *r);
/** Hash of the study and of all that is recorded: what tables are made of. */
uint64_t ens_chain_state(struct ens_run *r);

/* beside.c */
typedef enum ens_status ens_beside_fn(struct ens_run *r, struct ens_error *err);
/**
 * fn(r) on a thread, and the loop meanwhile: ranks and whoever waits for the
 * folder hear that this run lives, however long it takes. Not from an event.
 * fn: nothing but files, and what no event changes now; it says nothing.
 */
enum ens_status ens_beside(struct ens_run *r, ens_beside_fn *fn,
                           struct ens_error *err);

/* blocks.c */
/** Create the present stage's arrays, or take them back from unused; blocks
 * of tasks that are not ok read as missing: a retry that was killed behind
 * its block and before its record leaves one with values. */
enum ens_status ens_blocks_make(struct ens_run *r, struct ens_error *err);
/** Blocks of a task that is not ok read as missing. */
enum ens_status ens_blocks_fill(struct ens_run *r, uint64_t cell,
                                uint32_t replicate, struct ens_error *err);

/** Create the scratch of the present stage, whose tasks have ended. */
enum ens_status ens_blocks_again(struct ens_run *r, struct ens_error *err);

/* restore.c: blocks of tasks that have ended, and are not there any more ---
 *
 * Scratch is removed when the study is complete; and another version of a
 * stage (another input digest: the study was edited, and edited back) has
 * written over the arrays of this one. Then the tasks run again, before what
 * reads their blocks; their records stay as they are, and blocks that do not
 * come out as recorded end the run. */
/** The stage that was just added to the chain; -1: out of memory. */
int ens_restore_note(struct ens_run *r);
/** Has `next` of the present stage to wait until that is looked at? */
int ens_restore_is_due(const struct ens_run *r);
/** Fill r->restore.at, place and n with what has to run first; n 0: nothing.
 * Beside the loop. */
enum ens_status ens_restore_look(struct ens_run *r, struct ens_error *err);
/** Those have run: they are to be as recorded now. */
void ens_restore_done(struct ens_run *r);
/** Did tasks of stage k of the chain run again? */
int ens_restore_ran(const struct ens_run *r, size_t k);
void ens_restore_fini(struct ens_run *r);

/* aside.c */
/** Arrays of cells that are in no stage that writes them, or before the chain
 * is known not in the study, go aside. */
enum ens_status ens_aside_retire(struct ens_run *r, struct ens_error *err);
/** Remove scratch: all of it when the study is complete, else what was made
 * again. */
enum ens_status ens_aside_sweep(struct ens_run *r, struct ens_error *err);

/* hosts.c */
/** Warns of CPU classes that differ (with `exact` an error), of the folder's
 * last run or between ranks, and of ranks with fewer cores than workers. */
enum ens_status ens_hosts_check(struct ens_run *r, struct ens_error *err);

/* far.c */
/** A BLOCK or PACK frame. */
void ens_far_take(struct ens_run *r, const struct ens_frame *f,
                  const void *bytes, size_t n);
/** Tries again what had no room on the disk; 1: it still has none. */
int ens_far_is_stuck(struct ens_run *r);
void ens_far_fini(struct ens_run *r);

/* staging.c: `stage_inputs = node` --------------------------------------- */
/** *out is NULL when nothing is to be copied. */
enum ens_status ens_staging_make(struct ens_run *r, struct ens_stager **out,
                                 struct ens_error *err);
/** How far it is; NULL when nothing is being copied. */
const char *ens_staging_note(struct ens_run *r);
/** A line now and then for the user. */
void ens_staging_say(struct ens_run *r, uint64_t now);

/* events.c: what the dispatcher says of tasks (see dispatch.h) */
void ens_events_records(void *arg, const struct ens_frame *f, const void *bytes,
                        size_t n, const struct ens_batch *b);
void ens_events_frame(void *arg, const struct ens_frame *f, const void *bytes,
                      size_t n);
void ens_events_attempt(void *arg, uint64_t cell, uint32_t replicate,
                        uint32_t attempts, uint32_t killed);
void ens_events_ended(void *arg, uint64_t cell, uint32_t replicate,
                      enum ens_outcome outcome, uint32_t attempts,
                      const char *text);
/** Append a frame of the coordinator's own. */
enum ens_status ens_run_put(struct ens_run *r, enum ens_frame_type type,
                            const struct ens_buf *b, struct ens_error *err);
/** Where what is appended now will lie: in the segment of this epoch, behind
 * all that is acknowledged. */
struct ens_log_at ens_run_here(const struct ens_run *r);

/* stages.c */
/** Refuse what --only names and is not there, as the folder stands. */
enum ens_status ens_stages_check_only(struct ens_run *r, struct ens_error *err);
enum ens_status ens_stages_first(struct ens_run *r, struct ens_error *err);
/** In phase ENS_RUN_ARRAYS, outside of events: make them, and begin. */
enum ens_status ens_stages_arrays(struct ens_run *r, struct ens_error *err);
void ens_stages_done(void *arg);
void ens_stages_answered(void *arg, const struct ens_error *err);
/** Called when the journal has nothing pending any more. */
void ens_stages_synced(struct ens_run *r);
/** Stop handing out; ends the loop once what runs has ended. */
void ens_run_stop(struct ens_run *r);
/** End at once with this error. */
void ens_run_break(struct ens_run *r, const struct ens_error *err);

/* tables.c */
enum ens_status ens_stages_tables(struct ens_run *r, struct ens_error *err);

/* commit.c */
void ens_commit_poll(struct ens_run *r);
void ens_commit_note(struct ens_run *r, const struct ens_frame *f,
                     const struct ens_batch *b);

/* digest.c */
enum ens_status ens_digest_check(struct ens_run *r, struct ens_error *err);
enum ens_status ens_digest_begin(struct ens_run *r, struct ens_error *err);
/** Have it end early; run.json is then ours alone to write. */
void ens_digest_stop(struct ens_run *r);
/** Wait for it; an input that changed or cannot be read is an error. */
enum ens_status ens_digest_end(struct ens_run *r, struct ens_error *err);

/* limit.c */
/** --time-limit, or what the batch system says: asks it. */
void ens_limit_begin(struct ens_run *r);
/** Ask no more. */
void ens_limit_end(struct ens_run *r);

/* watch.c */
void ens_watch_begin(struct ens_run *r);
void ens_watch_tick(uv_timer_t *timer);
/** The first task of the epoch has ended: note how long that took. */
void ens_watch_first(struct ens_run *r);
void ens_watch_end(struct ens_run *r);
/** The last line of the status file: the exit code, for who watches. */
void ens_watch_exit(struct ens_run *r, int code);
void ens_watch_log(struct ens_run *r, const char *fmt, ...) ENS_PRINTF(2, 3);
/** Count what is not ok, group its messages and warnings; stop at
 * max_errors. */
void ens_watch_failures(struct ens_run *r, const struct ens_batch *b);
/** Fill the report's counts from the done sets of the chain. */
void ens_watch_totals(struct ens_run *r, struct ens_folder_totals *t);
void ens_watch_report(struct ens_run *r);

#endif
