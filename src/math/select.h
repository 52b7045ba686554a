/* Order statistics of more numbers than there is memory for: they are shown
 * as often as it takes, in any order, and counted.
 *
 *     ens_select_init(&s, n, rank, k, memory);
 *     do
 *         for (all n numbers)
 *             ens_select_add(&s, x);
 *     while (ens_select_next(&s));
 *     ... s.value[0 .. k - 1]
 *
 * Up to ENS_SELECT_KEPT of them take one pass, more take six: each finds 11
 * more bits of the answers.
 */
#ifndef ENS_MATH_SELECT_H
#define ENS_MATH_SELECT_H

#include <stddef.h>
#include <stdint.h>

#define ENS_SELECT_RANKS 4
#define ENS_SELECT_BITS  11
#define ENS_SELECT_KEPT  ((size_t)ENS_SELECT_RANKS << ENS_SELECT_BITS)

/** Memory of one selection; of n <= ENS_SELECT_KEPT numbers n doubles do. */
union ens_select_memory {
    double kept[ENS_SELECT_RANKS << ENS_SELECT_BITS];
    uint64_t count[ENS_SELECT_RANKS][1 << ENS_SELECT_BITS];
};

struct ens_select {
    uint64_t n, seen;
    size_t n_ranks;
    uint64_t rank[ENS_SELECT_RANKS]; /* among those that share the prefix */
    uint64_t prefix[ENS_SELECT_RANKS];
    unsigned n_bits; /* of the prefix; 64: done */
    double value[ENS_SELECT_RANKS];
    union ens_select_memory *memory; /* lent */
};

/** rank[n_ranks]: from 0, each below n; n_ranks at most ENS_SELECT_RANKS. */
void ens_select_init(struct ens_select *s, uint64_t n, const uint64_t *rank,
                     size_t n_ranks, union ens_select_memory *memory);
/** x is not NaN. */
void ens_select_add(struct ens_select *s, double x);
/** Between passes: 1 when there is to be another one. */
int ens_select_next(struct ens_select *s);

#endif
