/* A task's identity as one number. */
#ifndef ENS_PLAN_TASK_H
#define ENS_PLAN_TASK_H

#include <ensrun/study.h>
#include <stdint.h>

struct ens_plan;

/**
 * The seed that tables show and that a kind may hand to foreign code:
 * XXH3-64 over four little-endian words: the study's seed, the cell's id, the
 * XXH3-64 of the stage key, the replicate. A function of the identity alone.
 */
uint64_t ens_task_seed(const struct ens_plan *plan, const char *stage,
                       const struct ens_cell *cell, uint32_t replicate);

#endif
