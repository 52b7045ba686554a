/* Scores of a fit from the sums of folds: no row is read (type select, where
 * learners are many and rows the same). */
#ifndef ENS_SUPERLEARNER_RESIDUALS_H
#define ENS_SUPERLEARNER_RESIDUALS_H

#include "kinds/superlearner/cases.h"
#include "kinds/superlearner/learn.h"

struct ens_sl_scored {
    int test, train; /* are they known? Else rows have to be read */
    double score, risk, train_score;
};

/**
 * Known where predictions are a linear function of columns which steps make
 * linearly of the source's, where sums are shared, scores are functions of
 * squares, and enough digits are left (learn/residuals.h): they are those of
 * rows to 1e-9.
 */
enum ens_status ens_sl_residuals(const struct ens_sl_learn *learn,
                                 const struct ens_sl_case *c,
                                 struct ens_sl_scored *to,
                                 struct ens_error *err);

#endif
