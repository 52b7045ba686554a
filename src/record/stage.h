/* A stage: tasks that may run in any order; the payload of a STAGE frame.
 *
 * Payload: u64 id, u64 input digest, u64 from (id of the stage whose `next`
 * gave it, 0 = from plan), u64 from definition (hash of that stage as it was
 * then), u64 hash of the kind's run settings then (0: a stage of plan, or an
 * answer of a version that told it of ends alone), u32 index, u32 flags, key
 * (text), u32 n runs { u64 first cell, u64 n cells, u32 n replicates, u32 zero
 * }, u32 n writes { text }, u32 n reads { text }, u8 has data: artifact ref.
 */
#ifndef ENS_RECORD_STAGE_H
#define ENS_RECORD_STAGE_H

#include "base/buf.h"
#include "record/record.h"

#define ENS_STAGE_KEY_MAX    63
#define ENS_STAGE_MAX_ARRAYS 64

enum ens_stage_flag {
    ENS_STAGE_INTERNAL = 1, /* not shown in tasks.csv */
    ENS_STAGE_END = 2,      /* `next` of `from` answered: no more stages */
    ENS_STAGE_FIXED = 4,    /* number of replicates not from `replicates` */
    ENS_STAGE_KEEPSAKES = 8 /* reads artifacts of the study's first stage */
};

struct ens_stage_run { /* consecutive cells with as many replicates each */
    uint64_t first_cell, n_cells;
    uint32_t n_replicates;
    uint64_t first_place; /* set by ens_stage_add_run */
};

struct ens_stage_cells { /* that took part in a stage; runs owned */
    size_t n_runs;
    struct ens_stage_run *run;
};

struct ens_stage {
    uint64_t id;           /* ens_stage_id(key, input_digest) */
    uint64_t input_digest; /* of stage data and arrays read; 0 = reads none */
    uint64_t from, from_definition, run_settings;
    uint32_t index; /* position among the stages of the study */
    uint32_t flags;
    char key[ENS_STAGE_KEY_MAX + 1];
    size_t n_runs, cap_runs;
    struct ens_stage_run *run; /* owned */
    size_t n_writes, n_reads;
    char writes[ENS_STAGE_MAX_ARRAYS][ENS_STAGE_KEY_MAX + 1];
    char reads[ENS_STAGE_MAX_ARRAYS][ENS_STAGE_KEY_MAX + 1];
    int has_data;
    struct ens_artifact_ref data; /* name NULL: always "stage" */
    uint64_t data_epoch;          /* epoch of the pack; not encoded */
    /* cells that have reads[i]: of the stage that wrote it; not encoded */
    struct ens_stage_cells held[ENS_STAGE_MAX_ARRAYS];
};

uint64_t ens_stage_id(const char *key, uint64_t input_digest);
void ens_stage_fini(struct ens_stage *s);
/** *to is overwritten, not freed; unchanged on failure. */
enum ens_status ens_stage_copy(struct ens_stage *to,
                               const struct ens_stage *from);
/** Cells come in rising order; neighbours that agree become one run; nothing
 * is added for no cells or no replicates. ENS_EDOMAIN: more than 2^64 tasks. */
enum ens_status ens_stage_add_run(struct ens_stage *s, uint64_t first_cell,
                                  uint64_t n_cells, uint32_t n_replicates);
/** Does it write an array of that name? */
int ens_stage_writes(const struct ens_stage *s, const char *array);
/** reads[i] was written by that stage: its cells hold it. */
enum ens_status ens_stage_hold(struct ens_stage *s, size_t i,
                               const struct ens_stage *writer);
/** Has the cell reads[i]? O(log runs). */
int ens_stage_holds(const struct ens_stage *s, size_t i, uint64_t cell);
/** u32 n reads { u32 n runs { u64 first cell, u64 n cells } }: for orders. */
void ens_stage_encode_held(const struct ens_stage *s, struct ens_buf *out);
/** c->bad when they are none; what was read is freed by ens_stage_fini. */
enum ens_status ens_stage_decode_held(struct ens_stage *s,
                                      struct ens_cursor *c);

void ens_stage_encode(const struct ens_stage *s, struct ens_buf *out);
/** Decode and check. *s is overwritten, not freed; unchanged on failure. An
 * empty key is allowed for ENS_STAGE_END only. */
enum ens_status ens_stage_decode(struct ens_stage *s, const void *p, size_t n,
                                 struct ens_error *err);

/* -- places: positions of the stage's tasks, cell by cell -------------- */
uint64_t ens_stage_n_tasks(const struct ens_stage *s);
/** Place -> (cell, replicate); place < n_tasks. O(log runs). */
void ens_stage_task(const struct ens_stage *s, uint64_t place, uint64_t *cell,
                    uint32_t *replicate);
/** (cell, replicate) -> place; UINT64_MAX when not in the stage. */
uint64_t ens_stage_place(const struct ens_stage *s, uint64_t cell,
                         uint32_t replicate);
/** Replicates of a cell; 0 when not in the stage. */
uint32_t ens_stage_replicates(const struct ens_stage *s, uint64_t cell);

#endif
