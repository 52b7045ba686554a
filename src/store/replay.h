/* What a journal says about the present study: stages, done sets, schemas,
 * attempts. Built once at start-up (from a checkpoint when one fits, and the
 * frames behind it), then kept up to date by the coordinator with the same
 * functions.
 *
 * Everything in it is in ordinals of the present study: cellmap.h translates
 * those of epochs with another list of cells (and draws the CELLS payload).
 * ATTEMPT payload: u64 stage id, u64 cell, u32 replicate, u16 charged attempts
 * so far, u16 of them ended by SIGKILL. It holds until a record of the task
 * counts.
 */
#ifndef ENS_STORE_REPLAY_H
#define ENS_STORE_REPLAY_H

#include "config/study.h"
#include "record/schema.h"
#include "record/stage.h"
#include "store/cellmap.h"
#include "store/done.h"
#include "store/log.h"

struct ens_replay_stage {
    uint64_t id;
    struct ens_stage def; /* newest STAGE frame with this id */
    int runs_ok; /* its runs are in present ordinals; else they are in those
                    of def_epoch, and some cell is not in the study now */
    uint32_t def_epoch;
    struct ens_log_at first; /* first STAGE frame: no record lies before */
    struct ens_log_at last;  /* last RECORDS frame that counted */
    struct ens_done *done;
    uint32_t n_fresh; /* answers from this stage that are not stale */
};

struct ens_replay_answer { /* a STAGE frame that `next` gave */
    struct ens_stage def;  /* def.from, def.from_definition */
    uint32_t epoch;
    struct ens_log_at at;
    int stale;      /* records of `from` were added behind it */
    int runs_ok;    /* as above; without it the answer is not given out */
    uint32_t group; /* STAGE frames of one answer have one */
};

struct ens_replay_attempt { /* of a task without a record */
    uint64_t stage, cell;
    uint32_t replicate, attempts, killed;
};

struct ens_replay {
    const struct ens_study *study;
    size_t n_stages;
    struct ens_replay_stage *stage;
    size_t n_answers;
    struct ens_replay_answer *answer;
    struct ens_schemas schemas;
    size_t n_attempts;
    struct ens_replay_attempt *attempt;
    uint32_t max_round;
    uint64_t cells_hash; /* of the last CELLS list in the journal; 0 none */
    uint64_t n_records;  /* seen */
    uint64_t n_unknown;  /* of cells that are not in the study now */
    uint64_t n_cells, study_hash; /* of the present study */
};

/** use_checkpoint 0: from the first frame on. */
enum ens_status ens_replay_build(struct ens_replay *r,
                                 const struct ens_study *study,
                                 const struct ens_log *log, const char *dir,
                                 int use_checkpoint, struct ens_error *err);
void ens_replay_fini(struct ens_replay *r);
/** NULL when unknown. */
struct ens_replay_stage *ens_replay_find(struct ens_replay *r, uint64_t id);
/** Find (then def is left alone) or add; NULL when out of memory. Stages move
 * when one is added: keep ids, not pointers. */
struct ens_replay_stage *ens_replay_add(struct ens_replay *r,
                                        const struct ens_stage *def);
/** Newest answer to `next` for a stage with this definition that is not
 * stale and was given under these run settings; fills up to max entries
 * (several stages may be one answer, in order); returns how many, 0 = ask. */
size_t ens_replay_answers(const struct ens_replay *r, uint64_t from,
                          uint64_t from_definition, uint64_t run_settings,
                          const struct ens_replay_answer **out, size_t max);

/** Has another version of the stage (same key, another input digest) written
 * arrays of this one, and this one nothing since? Then its blocks may be gone
 * although its tasks are done. */
int ens_replay_overwritten(const struct ens_replay *r,
                           const struct ens_stage *stage);
/** Has another version ever written them? Blocks that were made again for
 * arrays' sake are in no journal, so whose are there only they can tell. */
int ens_replay_has_versions(const struct ens_replay *r,
                            const struct ens_stage *stage);

/* -- one frame (replay, and the coordinator as it appends) -------------- */
/* cells: the list in force; NULL = the present study's. at: where the frame
 * lies (the coordinator's own segment comes behind those of the log it
 * opened; an offset that is not known yet may be that of the group). */

/** Records; *n_counted (may be NULL) how many were no duplicates. */
enum ens_status ens_replay_records(struct ens_replay *r,
                                   const struct ens_cellmap *cells,
                                   struct ens_log_at at, const void *payload,
                                   size_t n, uint64_t *n_counted,
                                   struct ens_error *err);
/** A stage, from plan or as (part of) an answer. */
enum ens_status ens_replay_define(struct ens_replay *r,
                                  const struct ens_cellmap *cells,
                                  uint32_t epoch, struct ens_log_at at,
                                  const void *payload, size_t n,
                                  struct ens_error *err);
/** An attempt that was charged. */
enum ens_status ens_replay_charge(struct ens_replay *r,
                                  const struct ens_cellmap *cells,
                                  const void *payload, size_t n,
                                  struct ens_error *err);
/** Charged attempts of a task without a record; 0 when none. */
uint32_t ens_replay_attempts(const struct ens_replay *r, uint64_t stage,
                             uint64_t cell, uint32_t replicate);
void ens_attempt_write(const struct ens_replay_attempt *a, struct ens_buf *out);

/** The payloads of the CELLS frames (cellmap.h) of a study's list, in order,
 * through put; anything but ENS_OK from it ends the list. An epoch writes
 * them, before any other frame that has ordinals, when replay.cells_hash is
 * not ens_study_cells_hash(study). */
enum ens_status ens_cells_write(const struct ens_study *study,
                                enum ens_status (*put)(void *arg,
                                                       const void *payload,
                                                       size_t n),
                                void *arg);

#endif
