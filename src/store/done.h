/* Which tasks of one stage are done, and how they ended.
 *
 * Per cell: how many replicates from 1 on are done without a gap, and a set
 * (Roaring when large) of those ahead of the first gap; further sets hold
 * those that are not ok and those of a round above 0. 4,096 cells that all
 * have come equally far cost 24 bytes, else 4 bytes each. Bounded by cells
 * and gaps, not by tasks. Replicates begin at 1.
 */
#ifndef ENS_STORE_DONE_H
#define ENS_STORE_DONE_H

#include "base/buf.h"
#include <ensrun/record.h>
#include <stdint.h>

struct ens_done;

/** Some of the cells. */
struct ens_chosen {
    int (*has)(const void *arg, uint64_t cell);
    const void *arg;
};

struct ens_done *ens_done_new(void); /* NULL: out of memory */
void ens_done_free(struct ens_done *d);
/**
 * Record an end. First record of a round wins; higher rounds win over lower.
 * 1 = counted (*replaced the former outcome, or ENS_N_OUTCOMES when it was
 * open), 0 = duplicate to ignore, -1 = out of memory.
 */
int ens_done_add(struct ens_done *d, uint64_t cell, uint32_t replicate,
                 enum ens_outcome outcome, uint32_t round,
                 enum ens_outcome *replaced);
/** Outcome of a task, ENS_N_OUTCOMES while open. */
enum ens_outcome ens_done_get(const struct ens_done *d, uint64_t cell,
                              uint32_t replicate);
/** Round of the record in force (0 when none was retried). */
uint32_t ens_done_round(const struct ens_done *d, uint64_t cell,
                        uint32_t replicate);
/**
 * Open again all tasks that are not ok (--retry-failed), of the chosen cells
 * (NULL: of all). Only a record of a
 * higher round ends them again. Not part of what ens_done_write keeps: a
 * checkpoint says what the journal says. -1 = out of memory.
 */
int ens_done_reopen_failed(struct ens_done *d, const struct ens_chosen *chosen);
/** First open replicate >= from in a cell, up to last; 0 when none; *n set to
 * how many consecutive ones are open (up to last). */
uint32_t ens_done_next_open(const struct ens_done *d, uint64_t cell,
                            uint32_t from, uint32_t last, uint64_t *n);
/** The largest replicate of a cell that has a record, also when it was opened
 * again; 0 when none. */
uint32_t ens_done_last(const struct ens_done *d, uint64_t cell);
/** Number done among replicates 1..last of a cell. */
uint64_t ens_done_count(const struct ens_done *d, uint64_t cell, uint32_t last);
/** Number among them that ended so. */
uint64_t ens_done_count_as(const struct ens_done *d, uint64_t cell,
                           uint32_t last, enum ens_outcome outcome);
/** Number with an outcome, over all cells. */
uint64_t ens_done_total(const struct ens_done *d, enum ens_outcome outcome);
/** For checkpoints. Equal sets give equal bytes whatever the order of
 * addition: u64 n, n runs {u64 cells, u32 prefix}; u64 n, n sets {u64 cell,
 * u32 tag (0 ahead, an outcome, 4 + round), set (replicates.h)}, ascending. */
void ens_done_write(const struct ens_done *d, struct ens_buf *out);
/** NULL: not such bytes, or out of memory. */
struct ens_done *ens_done_read(const void *p, size_t n);
/** As above; NULL also when a cell is not below n_cells. */
struct ens_done *ens_done_read_cells(const void *p, size_t n, uint64_t n_cells);

#endif
