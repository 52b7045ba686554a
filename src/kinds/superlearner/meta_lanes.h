/* Stages `meta_lanes` and `meta_risks`: what the meta learner's stage asks of
 * rows, by lanes of rows of each sample, where rows are many.
 *
 * Array `metalanes`: of each sample and lane of the rows that it is weighted
 * by those of struct ens_meta_lane, then the sums of the risk of each member,
 * then these of a lane of the rows left out. Array `metarisks`: of each sample
 * and lane the sums of the super learner's risk, on rows left out; of sample 0
 * on those it is weighted by. Without it (learners, methods that read rows)
 * stage meta reads these rows itself. */
#ifndef ENS_SUPERLEARNER_META_LANES_H
#define ENS_SUPERLEARNER_META_LANES_H

#include "kinds/superlearner/weighing.h"

/** Lanes that rows of the last layer's predictions (or of what follows it) are
 * summed in; 0: so few that stage meta reads them. */
uint32_t ens_sl_meta_lanes(const struct ens_sl_layer *layer, size_t n_members);
/** Doubles of a sample and lane in `metalanes`. */
size_t ens_sl_meta_lane_doubles(size_t n_members);
#define ENS_SL_RISK_DOUBLES 3 /* in `metarisks` */

enum ens_status ens_sl_run_meta_lanes(const struct ens_sl_job *job,
                                      struct ens_error *err);
enum ens_status ens_sl_run_meta_risks(const struct ens_sl_job *job,
                                      struct ens_error *err);

/** What stage meta_lanes made of a sample: *lanes lends arrays; sums[L] of the
 * risk of members on the rows in and out. ENS_EDOMAIN: a lane failed. */
struct ens_sl_merged {
    struct ens_meta_lanes lanes;
    struct ens_score_sums *in, *out; /* L */
};
enum ens_status ens_sl_meta_merge(struct ens_sl_weighing *a,
                                  struct ens_sl_merged *merged,
                                  struct ens_error *err);
/** The same of stage meta_risks. */
enum ens_status ens_sl_meta_merge_risk(struct ens_sl_weighing *a,
                                       struct ens_score_sums *sums,
                                       struct ens_error *err);

#endif
