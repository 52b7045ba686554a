/* A [case] at work: its steps fitted on the training rows of a fit. */
#ifndef ENS_SUPERLEARNER_CASES_H
#define ENS_SUPERLEARNER_CASES_H

#include "kinds/superlearner/moments.h"
#include "kinds/superlearner/state.h"
#include "learn/prep/prep.h"

struct ens_sl_case {
    struct ens_prep steps; /* n 0: none */
    const void *blob;      /* of them, fitted; NULL: none */
    size_t bytes;
    struct ens_prep_fitted fitted;
    struct ens_prep_moments moments;
    /* the rows that it was fitted on */
    const struct ens_sl_job *job;
    struct ens_sl_fit fit;
    const struct ens_sl_data *data;
    const struct ens_rowset *train;
};

/** Would the learner, or its case, use moments, bins of the source? Bins of a
 * case whose steps leave columns in those they lie in. */
int ens_sl_shares_moments(const struct ens_cell *cell,
                          const struct ens_learner *learner);
int ens_sl_shares_bins(const struct ens_cell *cell,
                       const struct ens_learner *learner);
/** What becomes of text in the cell's case. */
enum ens_texts ens_sl_texts(const struct ens_cell *cell);
/** Sets source->ignored, of the cell's columns, as its case says. */
enum ens_status ens_sl_case_ignored(const struct ens_cell *cell,
                                    struct ens_learn_source *source,
                                    struct ens_error *err);
/** The same of columns that are ignored by all who share sums, or bins, of the
 * present stage's layer. */
enum ens_status ens_sl_shared_ignored(const struct ens_sl_job *job, int bins,
                                      struct ens_learn_source *source,
                                      struct ens_error *err);
/** What an input holds in rows that were read, and is no number of its kind,
 * ends the study. ENS_EINPUT. */
enum ens_status ens_sl_refuse(const struct ens_sl *sl,
                              const struct ens_rows *rows,
                              const struct ens_response *response,
                              struct ens_error *err);
/** Rows between a row and that whose columns it sees. */
uint64_t ens_sl_lag(const struct ens_cell *cell);
/** Steps that there are not, or of columns that there are not. ENS_ESTUDY. */
enum ens_status ens_sl_case_check(const struct ens_sl *sl,
                                  const struct ens_cell *cell,
                                  struct ens_error *err);

/** *c must stay where it is. Memory is the task's. */
enum ens_status ens_sl_case_fit(const struct ens_sl_job *job,
                                struct ens_sl_fit fit,
                                const struct ens_sl_data *data,
                                const struct ens_rowset *train,
                                struct ens_sl_case *c, struct ens_error *err);
/** What the layer's sums tell of the source's columns in its training rows, or
 * in those held out. With a lag nothing: x and y are of different rows. */
enum ens_status ens_sl_case_shared(const struct ens_sl_case *c,
                                   enum ens_sl_which which,
                                   struct ens_sl_shared *to,
                                   struct ens_error *err);
/** Rows as the case makes them; c NULL: as they are. */
enum ens_status ens_sl_case_open(struct ens_sl_case *c,
                                 const struct ens_sl_data *data,
                                 const struct ens_rowset *set,
                                 struct ens_rows *rows, struct ens_error *err);

#endif
