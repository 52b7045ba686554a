/* Risks of learners, and of them together. */
#ifndef ENS_LEARN_META_RISK_H
#define ENS_LEARN_META_RISK_H

#include "learn/meta/columns.h"

/** r->risk of all learners whose predictions are finite, by r->loss. */
enum ens_status ens_meta_risks(const struct ens_meta_problem *problem,
                               const struct ens_meta_columns *c,
                               struct ens_meta_result *r,
                               struct ens_error *err);

/** r->risk_all, of r's weights. */
enum ens_status ens_meta_risk_all(const struct ens_meta_problem *problem,
                                  const struct ens_meta_columns *c,
                                  struct ens_meta_result *r,
                                  struct ens_error *err);

#endif
