/* Which tasks of a stage to hand out next, and how many at a time.
 *
 * A cursor walks the stage's places once, leaping over what is done; what a
 * death gives back is queued before it. Sizes (DESIGN section 8): ranges last
 * about 10 ms and hold at most 256 tasks; cells of 64 tasks or more by their
 * own mean time, never spanning cells; smaller ones by the largest of the
 * last 64 times of their row, spanning cells of that row; single tasks where
 * nothing is measured yet and at the end of the stage.
 */
#ifndef ENS_DISPATCH_RANGES_H
#define ENS_DISPATCH_RANGES_H

#include "dispatch/part.h"
#include "plan/plan.h"
#include "store/done.h"

#define ENS_RANGE_MAX_TASKS 256u
#define ENS_RANGE_SECONDS   0.010

struct ens_range {
    uint64_t first;
    uint32_t n;
};

struct ens_ranges;

/** NULL: out of memory. Lends all arguments until free. part: of the stage
 * (NULL: all); when it has a tracker, its cells stop (live.h). only_queued:
 * hand out nothing but what is put back (--only). */
struct ens_ranges *ens_ranges_new(const struct ens_plan *plan,
                                  const struct ens_stage *stage,
                                  const struct ens_done *done,
                                  uint32_t n_workers,
                                  const struct ens_part *part, int only_queued);
void ens_ranges_free(struct ens_ranges *r);
/**
 * The next range; 0 when there is none now. *expected_s: how long it should
 * take, NaN when nothing is known.
 */
int ens_ranges_take(struct ens_ranges *r, struct ens_range *range,
                    double *expected_s);
/** How long tasks like these should take; NaN when nothing is known. */
double ens_ranges_seconds(struct ens_ranges *r, struct ens_range range);
/** A range just taken is not handed out, nor is what is left of its cell: it
 * is not counted any more. For runs that end before they are done. */
void ens_ranges_forget(struct ens_ranges *r, struct ens_range range);
/** Is any task of a range (of one cell, or of cells that do not stop) still
 * wanted? Not when its cell has stopped before. */
int ens_ranges_is_wanted(const struct ens_ranges *r, struct ens_range range);
/** Tasks not handed out (upper bound while done tasks lie ahead). */
uint64_t ens_ranges_left(struct ens_ranges *r);
/** Give back; they go out again before the cursor moves on. */
void ens_ranges_put_back(struct ens_ranges *r, struct ens_range range);
/** Give back a task to be tried alone, when all others have ended. */
void ens_ranges_put_last(struct ens_ranges *r, uint64_t place);
/** How many wait for that. */
size_t ens_ranges_n_last(struct ens_ranges *r);
/** Take one of those; call only when nothing else runs or waits. */
int ens_ranges_take_last(struct ens_ranges *r, struct ens_range *range);
/** A task of a cell took this long. */
void ens_ranges_measure(struct ens_ranges *r, uint64_t cell, double seconds);

#endif
