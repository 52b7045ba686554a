/* What stages meta_lanes, meta_risks and meta read of a sample: predictions of
 * members on the rows that weights are of, and on those that it leaves out. */
#ifndef ENS_SUPERLEARNER_WEIGHING_H
#define ENS_SUPERLEARNER_WEIGHING_H

#include "kinds/superlearner/metas.h"
#include "kinds/superlearner/state.h"
#include "learn/meta/lanes.h"

struct ens_sl_side {
    struct ens_rows rows; /* as a learner sees them */
    const struct ens_rowset *set;
};

struct ens_sl_weighing {
    const struct ens_sl_job *job;
    uint32_t sample;
    struct ens_sl_layer last;   /* its first group: samples are alike in all */
    struct ens_sl_data data;    /* predictions of members */
    struct ens_sl_data seen;    /* what a learner sees; of stage meta */
    struct ens_sl_side in, out; /* weights are of; left out */
    size_t L, m;                /* members, columns of each */
    uint32_t lanes;             /* 0: no stage meta_lanes */
    const char **name;
    double *z; /* a block of predictions, n x L m */
    double *y, *w;
    int is_silent; /* no warnings */
};

/** Memory is the task's. */
enum ens_status ens_sl_weighing_open(const struct ens_sl_job *job,
                                     uint32_t sample, struct ens_sl_weighing *a,
                                     struct ens_error *err);

/** Rows of a->in as a problem of weights: of several classes a row for each.
 * `a` is lent. */
struct ens_meta_problem ens_sl_problem(struct ens_sl_weighing *a);

/**
 * Sums of risks, on rows from .. to - 1 of a side: of each member (sums[0 ..
 * L - 1]) if asked for, of the super learner (sums[L]) if `meta` is given.
 */
struct ens_sl_scoring {
    const struct ens_sl_side *side;
    uint64_t from, to;
    int members;
    const struct ens_sl_meta *meta;
    struct ens_meta_lane *lane; /* NULL: none; these rows are added to it */
};
enum ens_status ens_sl_score(struct ens_sl_weighing *a,
                             const struct ens_sl_scoring *of,
                             struct ens_score_sums *sums,
                             struct ens_error *err);

#endif
