/* The meta learner: weights (learn/meta) or a learner of its own. */
#ifndef ENS_SUPERLEARNER_METAS_H
#define ENS_SUPERLEARNER_METAS_H

#include "base/buf.h"
#include "kinds/superlearner/learn.h"
#include "learn/meta/meta.h"

/** Fitted. */
struct ens_sl_meta {
    int is_learner;
    struct ens_meta_result result; /* weights */
    struct ens_sl_learn learn;
    double *row; /* work */
};

/** ENS_ESTUDY: a method that is not for the family. Pure. */
enum ens_status ens_sl_meta_check(const struct ens_sl *sl,
                                  const struct ens_host *host,
                                  struct ens_error *err);
int ens_sl_meta_is_learner(const struct ens_sl *sl);
/** Private memory of a fit to n rows of p predictions, beyond blocks of rows.
 * Of a study that the check passed. */
enum ens_status ens_sl_meta_memory(const struct ens_sl *sl,
                                   const struct ens_host *host, uint64_t n,
                                   size_t p, uint64_t *bytes,
                                   struct ens_error *err);
/** Do weights follow from sums of squares: is it a method that reads no rows?
 */
int ens_sl_meta_is_squares(const struct ens_sl *sl,
                           const struct ens_host *host);
/** Weights of a problem, or a learner fitted on rows. */
enum ens_status ens_sl_meta_fit(const struct ens_sl_job *job,
                                const struct ens_rows *rows,
                                const struct ens_meta_problem *problem,
                                struct ens_sl_meta *meta,
                                struct ens_error *err);
/** n predictions (x m) of rows from `first` on; z: n x n_members m. */
enum ens_status ens_sl_meta_predict(const struct ens_sl_meta *meta,
                                    const struct ens_rows *train,
                                    const struct ens_rows *at, uint64_t first,
                                    size_t n, size_t n_members, size_t m,
                                    const double *z, double *out,
                                    struct ens_error *err);
/** Artifact `model` of stage meta: that of a learner (models.h); else
 * "ENSMETA1", u64 n members, u64 link, f64 trim, f64 intercept, f64 weights. */
enum ens_status ens_sl_meta_keep(const struct ens_sl_job *job,
                                 const struct ens_sl_meta *meta,
                                 size_t n_members, struct ens_error *err);

/** What [meta] says, as a text: equal where it computes the same. */
void ens_sl_meta_text(const struct ens_sl *sl, struct ens_buf *to);

#endif
