/* The part of a stage that is to be run: a shard's, of chosen cells. */
#ifndef ENS_DISPATCH_PART_H
#define ENS_DISPATCH_PART_H

#include "plan/shard.h"
#include "stop/stopping.h"
#include "store/done.h"

struct ens_tracker;

struct ens_part {
    struct ens_shard shard;
    const struct ens_chosen *cells;      /* NULL: all */
    const struct ens_stopping *stopping; /* NULL: cells do not stop */
    struct ens_tracker *tracker; /* cells stop while they run; or NULL */
};

/** The replicates [*first, *last] of a cell of a run; 0 when there are none.
 * part NULL: all. */
static inline int ens_part_get(const struct ens_part *part,
                               const struct ens_stage_run *run, uint64_t cell,
                               uint32_t *first, uint32_t *last)
{
    const struct ens_shard all = {0, 0, 0};

    if (part != NULL && part->cells != NULL &&
        !part->cells->has(part->cells->arg, cell))
        return 0;
    ens_shard_part(part != NULL ? &part->shard : &all, run, cell, first, last);
    if (part != NULL && part->stopping != NULL)
        *last = ens_stopping_last(part->stopping, cell, *last);
    return *first <= *last;
}

#endif
