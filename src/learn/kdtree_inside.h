/* What building and searching a kd-tree share: where its parts lie, and rows
 * of the source. */
#ifndef ENS_LEARN_KDTREE_INSIDE_H
#define ENS_LEARN_KDTREE_INSIDE_H

#include "learn/kdtree.h"

struct ens_kd_layout {
    uint64_t run, box, node, place, end;
};

static inline uint64_t ens_kd_levels(uint64_t n)
{
    uint64_t levels = 0;

    while (n > (uint64_t)ENS_KD_LEAF << levels)
        levels++;
    return levels;
}

struct ens_kd_layout ens_kd_lay_out(uint64_t n, uint64_t p);

/** Sets all but the head. */
void ens_kd_point(struct ens_kdtree *t, const void *data,
                  const struct ens_rows *r);

/** Where row `at` lies; n_runs > 0. */
static inline const double *ens_kd_row(const struct ens_kdtree *t, uint64_t at)
{
    uint64_t i = 0, end = t->head.n_runs;

    while (end - i > 1) {
        uint64_t mid = i + (end - i) / 2;

        if (at < t->run[mid].at)
            end = mid;
        else
            i = mid;
    }
    return t->rows->direct +
           (t->run[i].source + (at - t->run[i].at)) * t->rows->stride;
}

/** Column j of it as ens_rows.x gives it. */
static inline double ens_kd_scaled(const struct ens_rows *r, const double *row,
                                   size_t j)
{
    return r->centre == NULL ? row[j] : (row[j] - r->centre[j]) * r->scale[j];
}

#endif
