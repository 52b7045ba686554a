/* Rows of a few numbers, moved with their places until the lower ones lie
 * before the higher ones: what a kd-tree is built by. */
#ifndef ENS_LEARN_HALVE_H
#define ENS_LEARN_HALVE_H

#include <stddef.h>
#include <stdint.h>

struct ens_halve {
    double *x; /* rows of p */
    size_t p;
    uint32_t *place; /* goes with its row */
};

/**
 * Row k of [left, right] by column j (p: by place) to where sorting would
 * bring it, none higher before it, none lower behind it. No key is NaN.
 * Source: Floyd and Rivest (1975), algorithm 489, doi:10.1145/360680.360694;
 *         Edelkamp and Weiss (2016), doi:10.4230/LIPIcs.ESA.2016.38, for
 *         comparisons without branches.
 */
void ens_halve(const struct ens_halve *h, size_t j, int64_t left, int64_t right,
               int64_t k);

#endif
