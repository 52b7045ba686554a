/* Shards: which part of a stage is the k-th of n.
 *
 * A pure function of the stage's runs and n, so that shards need not know of
 * each other. Every cell is cut into n contiguous parts of replicates, as
 * equal as can be, and cell by cell the parts are dealt from another shard
 * on: each shard has its share of every cell, in pieces long enough to be
 * handed out as ranges. Where cells are small and many, several cells in a row
 * are dealt as one piece. The first shard of a piece is the sum of its
 * number's digits to base n: n pieces in a row, and those at any distance that
 * is a power of n, all begin elsewhere, so no axis falls to one shard alone.
 */
#ifndef ENS_PLAN_SHARD_H
#define ENS_PLAN_SHARD_H

#include "record/stage.h"
#include <ensrun/error.h>

#define ENS_SHARDS_MAX 1000000u

struct ens_shard {
    uint32_t k, n; /* 1 <= k <= n; n 0: everything; k 0: nothing */
    int whole;     /* cells are not cut: where one stops ([stop]) is known
                      only to who has all its replicates */
};

/** Read "k/n". ENS_EUSAGE. */
enum ens_status ens_shard_parse(struct ens_shard *to, const char *text,
                                struct ens_error *err);
/** The replicates [*first, *last] of a cell of a run that are the shard's;
 * *first > *last when it has none of them. */
void ens_shard_part(const struct ens_shard *shard,
                    const struct ens_stage_run *run, uint64_t cell,
                    uint32_t *first, uint32_t *last);

#endif
