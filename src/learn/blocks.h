/* Rows dealt out to blocks: to the folds of a partition, or to partitions.
 * Inside of order.c. */
#ifndef ENS_LEARN_BLOCKS_H
#define ENS_LEARN_BLOCKS_H

#include "learn/order.h"

struct ens_deal {
    const struct ens_order_how *how;
    const int64_t *member; /* positions, ascending */
    uint64_t n;
    uint32_t blocks;
    uint64_t size[2];  /* of blend: rows of block 0 (trained on) and 1
                          (tested), the others are of block 2; else 0 */
    const char *place; /* for errors: "", or " of partition 3" */
    struct ens_arena *arena;
    uint32_t *block; /* by position */
};

/** ENS_ESTUDY, ENS_ENOMEMORY. */
enum ens_status ens_deal_rows(const struct ens_deal *d, struct ens_error *err);
enum ens_status ens_deal_ids(const struct ens_deal *d, struct ens_error *err);
enum ens_status ens_deal_strata(const struct ens_deal *d,
                                struct ens_error *err);
enum ens_status ens_deal_both(const struct ens_deal *d, struct ens_error *err);

#endif
