/* Scores of predictions, added up row by row: `scorer`, risks.
 *
 * A score is a function of the rows in their order, whatever blocks they come
 * in. Weighted: sum of w times the loss over the sum of w, as scikit-learn;
 * rows of weight 0 are not looked at. A prediction that is NaN makes it NaN.
 */
#ifndef ENS_LEARN_SCORES_H
#define ENS_LEARN_SCORES_H

#include <ensrun/learner.h>

#define ENS_SCORE_TERMS 3
/* Sums of runs of so many rows are added pairwise; row i of a run goes to its
 * lane i % ENS_SCORE_LANES. */
#define ENS_SCORE_RUN   128
#define ENS_SCORE_LANES 8

struct ens_score {
    const char *name;
    int smaller_is_better;
    unsigned families; /* of ENS_LEARN_FAMILY */
    int is_auc;        /* keeps all rows */
    void (*terms)(double y, const double *p, size_t m, double *t);
    size_t n_terms;
    double (*finish)(const double *mean);
};

extern const struct ens_score ens_scores[];
extern const size_t ens_n_scores;

/** NULL: unknown. */
const struct ens_score *ens_score_find(const char *name);
/** What a super learner is scored by when nothing is said: mse, logloss,
 * poisson_deviance. */
const struct ens_score *ens_score_default(enum ens_outcome_family family);

/** Of predictions with that mean square error, of responses with that variance:
 * *value; 0: the score is no function of these. */
int ens_score_of_squares(const struct ens_score *score, double square,
                         double variance, double *value);

/** A sum whose order depends on the number of its terms alone. */
struct ens_running {
    double run[ENS_SCORE_LANES];
    double level[64 - 7];
};

struct ens_scorer {
    const struct ens_score *score;
    size_t m;
    uint64_t n;   /* rows */
    double first; /* y of the first row: differences from it are added */
    struct ens_running weight, term[ENS_SCORE_TERMS];
    struct ens_running loss, square; /* of w times the loss, shifted */
    double first_loss;
    double *kept; /* of auc: n_kept predictions; n_kept weights from the end,
                     negative for class 0 */
    uint64_t n_kept, capacity;
};

/** Doubles that a scorer of n rows keeps; 0 but for auc. */
uint64_t ens_score_memory(const struct ens_score *score, uint64_t n);

/** m: columns of a prediction. kept[ens_score_memory(score, n)], for n rows at
 * most; may be NULL when that is 0. */
void ens_scorer_init(struct ens_scorer *s, const struct ens_score *score,
                     size_t m, double *kept, uint64_t n);
/** y[n], p row-major n x m, w[n] or NULL. */
void ens_scorer_add(struct ens_scorer *s, const double *y, const double *p,
                    const double *w, size_t n);
/** NaN without rows, or where it is not defined (auc of one class). */
double ens_scorer_value(struct ens_scorer *s);

/**
 * Mean loss and its standard error, of scores that are means of a loss of each
 * row, and of auc (loss: 1 - auc); else NaN.
 * Method:  sum of w loss / n and sd(w loss) / sqrt(n), as R's SuperLearner
 *          (where weights are not 1 on average, this is not the score);
 *          auc: from its influence curve.
 * Source:  LeDell, Petersen, van der Laan (2015), doi:10.1214/15-EJS1035.
 */
double ens_scorer_risk(struct ens_scorer *s, double *std_error);

/** What a risk is made of, of some of the rows: their number, the mean of w
 * times their loss and the sum of squares about that mean. */
struct ens_score_sums {
    double n, mean, square;
};

/** Not of auc, which keeps rows. NaN as ens_scorer_risk. */
struct ens_score_sums ens_scorer_sums(const struct ens_scorer *s);
/**
 * Adds those of other rows.
 * Source: Chan, Golub, LeVeque (1983), "Algorithms for computing the sample
 *         variance", doi:10.1080/00031305.1983.10483115, eq. 1.5.
 */
void ens_score_sums_add(struct ens_score_sums *to,
                        const struct ens_score_sums *more);
/** As ens_scorer_risk, of all rows that were added. */
double ens_score_sums_risk(const struct ens_score_sums *sums,
                           double *std_error);

/**
 * Area under the ROC curve of score[n], ascending, and the rows' weights,
 * negative for class 0; ties count half. NaN: one class only. *std_error (may
 * be NULL) as above.
 */
double ens_auc_sorted(const double *score, const double *weight, size_t n,
                      double *std_error);

#endif
