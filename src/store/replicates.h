/* A set of replicates of one cell: a few numbers in place, more of them in a
 * Roaring bitmap. 24 bytes when small, as there may be one per cell. */
#ifndef ENS_STORE_REPLICATES_H
#define ENS_STORE_REPLICATES_H

#include "base/buf.h"
#include <stdint.h>

#define ENS_REPLICATES_FEW 3u

struct ens_replicates_map;

struct ens_replicates {               /* all zero: empty */
    struct ens_replicates_map *map;   /* NULL: the members are in few[] */
    uint32_t n;                       /* of few */
    uint32_t few[ENS_REPLICATES_FEW]; /* ascending */
};

void ens_replicates_fini(struct ens_replicates *s);
/** 1 = added, 0 = was a member, -1 = out of memory. */
int ens_replicates_add(struct ens_replicates *s, uint32_t r);
/** Add first..last; -1 = out of memory. */
int ens_replicates_add_range(struct ens_replicates *s, uint32_t first,
                             uint32_t last);
/** 1 = removed, 0 = was none. */
int ens_replicates_remove(struct ens_replicates *s, uint32_t r);
/** Remove first..last, which are all members. */
void ens_replicates_remove_run(struct ens_replicates *s, uint32_t first,
                               uint32_t last);
int ens_replicates_has(const struct ens_replicates *s, uint32_t r);
/** Smallest member; 0 when empty (replicates begin at 1). O(1). */
uint32_t ens_replicates_min(const struct ens_replicates *s);
/** Largest member; 0 when empty. */
uint32_t ens_replicates_max(const struct ens_replicates *s);
/** Smallest member >= from; 0 when none. */
uint32_t ens_replicates_next(const struct ens_replicates *s, uint32_t from);
/** Last of the consecutive members that begin with the member r. */
uint32_t ens_replicates_run_end(const struct ens_replicates *s, uint32_t r);
/** Number of members among first..last. */
uint64_t ens_replicates_count(const struct ens_replicates *s, uint32_t first,
                              uint32_t last);

/** Canonical bytes, whatever way the set came about: u8 form, u32 n; form 0:
 * n runs {u32 first, u32 last}; form 1: u32 first member, then n bytes, bit b
 * of byte i is member first + 8 i + b. */
void ens_replicates_write(const struct ens_replicates *s, struct ens_buf *out);
/** Into an empty set. 0; -1 = no such bytes, or out of memory. */
int ens_replicates_read(struct ens_replicates *s, struct ens_cursor *c);

#endif
