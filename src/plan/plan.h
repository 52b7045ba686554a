/* A plan: what a kind declares for a study: schemas, arrays, stages.
 *
 * Made anew, and equal, in every process that needs it; nothing is stored per
 * task. `next` fills a plan of its own that holds only the stages it adds.
 */
#ifndef ENS_PLAN_PLAN_H
#define ENS_PLAN_PLAN_H

#include "config/study.h"
#include "input/input.h"
#include "record/schema.h"
#include "record/stage.h"
#include <ensrun/kind.h>

#define ENS_STAGE_DATA_MAX  ((size_t)16 << 20)
#define ENS_PLAN_MAX_ARRAYS 256 /* a stage names at most 64 of them */

struct ens_plan {
    const struct ens_kind *kind;
    const struct ens_host *host; /* that it was made with */
    const struct ens_study *study;
    const struct ens_inputs *inputs; /* NULL: not opened (then kinds that need
                                        them fail with a message) */
    struct ens_schemas schemas;
    size_t n_arrays;
    struct ens_array_def array[ENS_PLAN_MAX_ARRAYS]; /* names in arena */
    int whole;            /* see plan_is_whole of the kind interface */
    uint32_t first_index; /* of the first stage added */
    size_t n_stages;
    struct ens_stage *stage;    /* n_stages */
    struct ens_buf *stage_data; /* n_stages; empty when none */
    struct ens_arena arena;
};

/** Ask the kind. Also gives every stage its runs of cells, id and index. */
enum ens_status ens_plan_make(struct ens_plan *p, const struct ens_host *host,
                              const struct ens_kind *kind,
                              const struct ens_study *study,
                              const struct ens_inputs *inputs,
                              struct ens_error *err);
/** The same for tasks that are asked for one by one. */
enum ens_status
ens_plan_make_whole(struct ens_plan *p, const struct ens_host *host,
                    const struct ens_kind *kind, const struct ens_study *study,
                    const struct ens_inputs *inputs, struct ens_error *err);
/** Does no stage follow the nth, whatever its results? */
int ens_plan_is_last(const struct ens_plan *p, size_t n);
/** An empty plan of the same study for the answer of `next`. */
void ens_plan_answer(struct ens_plan *p, const struct ens_plan *base,
                     uint32_t first_index);
void ens_plan_fini(struct ens_plan *p);
const struct ens_array_def *ens_plan_find_array(const struct ens_plan *p,
                                                const char *name);
/** Hash of a stage's definition: key, input digest and, per run, the cells'
 * hashes and replicates. */
uint64_t ens_plan_stage_definition(const struct ens_plan *p,
                                   const struct ens_stage *s);
/** Will the cell have that array, as far as the kind can say? */
int ens_plan_has_array(const struct ens_plan *p, const char *array,
                       const struct ens_cell *cell);
/** Shape and bytes of an array of a cell. */
enum ens_status ens_plan_array_shape(const struct ens_plan *p,
                                     const char *array,
                                     const struct ens_cell *cell,
                                     uint32_t *ndim, uint64_t *shape,
                                     uint64_t *n_elements,
                                     struct ens_error *err);
/** The block of a replicate: elements *first .. *first + *n - 1. */
enum ens_status ens_plan_array_region(const struct ens_plan *p,
                                      const char *array,
                                      const struct ens_cell *cell,
                                      uint32_t replicate, uint64_t *first,
                                      uint64_t *n);
/** Label of a task as in tables (the kind's, or c1_r00001). */
void ens_plan_label(const struct ens_plan *p, const struct ens_task *task,
                    char *to, size_t cap);

/* Slots of struct ens_host (see ensrun/kind.h). */
enum ens_status ens_plan_add_schema(struct ens_plan *p,
                                    const struct ens_field *fields, size_t n,
                                    uint32_t *index, struct ens_error *err);
enum ens_status ens_plan_add_array(struct ens_plan *p,
                                   const struct ens_array_def *def,
                                   struct ens_error *err);
enum ens_status ens_plan_add_stage(struct ens_plan *p, const char *key,
                                   uint32_t n_replicates,
                                   const uint32_t *per_cell,
                                   const char *const *writes,
                                   const char *const *reads, int internal,
                                   struct ens_error *err);
enum ens_status ens_plan_add_data(struct ens_plan *p, const void *data,
                                  size_t bytes, struct ens_error *err);
void ens_plan_keepsakes(struct ens_plan *p);
int ens_plan_is_whole(const struct ens_plan *p);
const struct ens_study *ens_plan_study(const struct ens_plan *p);
const struct ens_input *ens_plan_input(const struct ens_plan *p,
                                       const char *name);
uint64_t ens_plan_n_cells(const struct ens_plan *p);
void ens_plan_cell(const struct ens_plan *p, uint64_t ordinal,
                   struct ens_cell *cell);

#endif
