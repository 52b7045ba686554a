/* Adaptive replicates: which tasks to hand out next.
 *
 * Cells are taken up in order, as many at a time as keep the workers busy.
 * First go tasks that are wanted for certain (up to the next check point of a
 * cell), of the cell that was taken up first; then those of a new cell; and
 * only when there is none, tasks ahead of a check point, at most as many as
 * the next one asks for or a few per worker. So there is no barrier, and what
 * is run in vain is bounded.
 */
#ifndef ENS_DISPATCH_LIVE_H
#define ENS_DISPATCH_LIVE_H

#include "dispatch/part.h"
#include "store/done.h"

struct ens_live_cell {
    uint64_t cell;
    uint64_t place; /* of its replicate 1 */
    uint64_t next;  /* replicate to hand out next; max + 1: none */
    uint32_t max;   /* the last there is */
};

struct ens_live;

/** part has a tracker. NULL: out of memory. Lends all arguments. */
struct ens_live *ens_live_new(const struct ens_stage *stage,
                              const struct ens_done *done, uint32_t n_workers,
                              const struct ens_part *part);
void ens_live_free(struct ens_live *l);
/**
 * A cell of which *open tasks from its `next` on are to be handed out now;
 * the caller moves `next` over those it takes. NULL: none now.
 * *dropped is raised by the open tasks of cells that stopped meanwhile.
 */
struct ens_live_cell *ens_live_next(struct ens_live *l, uint64_t *open,
                                    uint64_t *dropped);
/** Take the tracker's turns: leave cells that stopped, note those of which
 * more is wanted; how many open tasks of the former will not go out. */
uint64_t ens_live_settle(struct ens_live *l);
/** Leave a cell that has not stopped; the same. */
uint64_t ens_live_leave(struct ens_live *l, uint64_t cell);

#endif
