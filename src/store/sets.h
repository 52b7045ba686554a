/* Sets of replicates, found by (cell, tag). Open addressing: a pointer to a
 * set holds until the next one is added or dropped. */
#ifndef ENS_STORE_SETS_H
#define ENS_STORE_SETS_H

#include "store/replicates.h"
#include <stddef.h>

struct ens_sets_entry {
    uint64_t cell;
    uint32_t tag;
    uint32_t used;
    struct ens_replicates set;
};

struct ens_sets { /* all zero: empty */
    size_t n;
    size_t n_slots; /* 0 or a power of two */
    struct ens_sets_entry *slot;
};

void ens_sets_fini(struct ens_sets *t);
/** NULL when there is none. */
struct ens_replicates *ens_sets_find(const struct ens_sets *t, uint64_t cell,
                                     uint32_t tag);
/** Find or add an empty one; NULL when out of memory. */
struct ens_replicates *ens_sets_get(struct ens_sets *t, uint64_t cell,
                                    uint32_t tag);
/** Remove a set that was found. */
void ens_sets_drop(struct ens_sets *t, struct ens_replicates *s);
/* One member: */
int ens_sets_has(const struct ens_sets *t, uint64_t cell, uint32_t tag,
                 uint32_t replicate);
/** 1 = added, 0 = was there, -1 = out of memory. */
int ens_sets_add(struct ens_sets *t, uint64_t cell, uint32_t tag,
                 uint32_t replicate);
/** Drops the set when it was the last member. */
void ens_sets_remove(struct ens_sets *t, uint64_t cell, uint32_t tag,
                     uint32_t replicate);
/** All but those with tag `skip`, ascending by (cell, tag): u64 n, then {u64
 * cell, u32 tag, set}. */
void ens_sets_write(const struct ens_sets *t, uint32_t skip,
                    struct ens_buf *out);

#endif
