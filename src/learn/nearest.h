/* The k nearest of what is offered, by (distance, place): the same whatever
 * the order it is offered in. */
#ifndef ENS_LEARN_NEAREST_H
#define ENS_LEARN_NEAREST_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#define ENS_NEAREST_NONE UINT32_MAX

struct ens_near {
    double d;    /* as compared: squares are not rooted */
    uint32_t at; /* place in the training rows; ENS_NEAREST_NONE: no one yet */
};

/* A heap, the farthest on top. */
struct ens_nearest {
    struct ens_near *near; /* k, lent */
    size_t k;
};

static inline int ens_near_before(struct ens_near a, struct ens_near b)
{
    return a.d < b.d || (a.d == b.d && a.at < b.at);
}

void ens_nearest_clear(struct ens_nearest *h);
/** Puts it in place of the farthest. */
void ens_nearest_replace(struct ens_nearest *h, struct ens_near with);

static inline void ens_nearest_offer(struct ens_nearest *h, double d,
                                     uint32_t at)
{
    struct ens_near one = {d, at};

    if (ens_near_before(one, h->near[0]))
        ens_nearest_replace(h, one);
}

/** Nearest first; the heap is one no more. Returns how many there are. */
size_t ens_nearest_sort(struct ens_nearest *h);

#endif
