#include "learn/meta/risk.h"

#include "learn/meta/block.h"
#include "learn/meta/sample.h"
#include "learn/scores.h"

#include <math.h>
#include <string.h>

/* -- squares, from the triangle ---------------------------------------------
 */

/* mean of w (y - intercept - sum of x z)^2, x by finite learner */
static double squared(const struct ens_meta_columns *c, uint64_t n,
                      double intercept, const double *x)
{
    size_t p = c->n_finite + 2;
    double sum = 0;

    for (size_t i = 0; i < p; i++) {
        double d = c->r[i + (p - 1) * p] - intercept * c->r[i];

        for (size_t j = 0; j < c->n_finite; j++)
            d -= x[j] * c->r[i + (j + 1) * p];
        sum += d * d;
    }
    return sum / (double)n;
}

/* The same of one learner alone. */
static double squared_one(const struct ens_meta_columns *c, uint64_t n,
                          size_t j)
{
    size_t p = c->n_finite + 2;
    const double *y = c->r + (p - 1) * p, *z = c->r + (j + 1) * p;
    double sum = 0;

    for (size_t i = 0; i < p; i++)
        sum += (y[i] - z[i]) * (y[i] - z[i]);
    return sum / (double)n;
}

static void squared_risks(const struct ens_meta_problem *problem,
                          const struct ens_meta_columns *c,
                          struct ens_meta_result *r)
{
    for (size_t j = 0; j < c->n_finite; j++)
        r->risk[c->finite[j]] = squared_one(c, problem->n, j);
}

static enum ens_status squared_all(const struct ens_meta_problem *problem,
                                   const struct ens_meta_columns *c,
                                   struct ens_meta_result *r,
                                   struct ens_error *err)
{
    double *x = ens_meta_alloc(problem, c->n_finite, sizeof(*x), err);

    if (x == NULL)
        return ENS_ENOMEMORY;
    for (size_t j = 0; j < c->n_finite; j++)
        x[j] = r->weight[c->finite[j]];
    r->risk_all = squared(c, problem->n, r->intercept, x);
    return ENS_OK;
}

/* -- deviance, from rows ----------------------------------------------------
 */

struct deviance {
    const struct ens_meta_columns *c; /* NULL: of the weighted predictions */
    const struct ens_meta_result *r;
    struct ens_scorer *scorer;
    double p[ENS_META_BLOCK];
};

static double cut(double p, double trim)
{
    return p < trim ? trim : p > 1 - trim ? 1 - trim : p;
}

static enum ens_status add_deviance(void *arg, const struct ens_meta_block *b,
                                    struct ens_error *err)
{
    struct deviance *t = arg;

    (void)err;
    if (t->c == NULL) {
        ens_meta_predict(t->r, b->n_learners, b->z, b->n, t->p);
        ens_scorer_add(t->scorer, b->y, t->p, b->w, b->n);
        return ENS_OK;
    }
    for (size_t j = 0; j < t->c->n_finite; j++) {
        const double *z = b->z + t->c->finite[j];

        for (size_t i = 0; i < b->n; i++)
            t->p[i] = cut(z[i * b->n_learners], t->r->trim);
        ens_scorer_add(&t->scorer[j], b->y, t->p, b->w, b->n);
    }
    return ENS_OK;
}

static enum ens_status deviances(const struct ens_meta_problem *problem,
                                 const struct ens_meta_columns *c,
                                 const struct ens_meta_result *r, size_t n,
                                 double *risk, struct ens_error *err)
{
    const struct ens_score *score = ens_score_find("deviance");
    struct ens_meta_block *memory = NULL;
    struct deviance *t = ens_meta_alloc(problem, 1, sizeof(*t), err);
    struct ens_scorer *scorer =
        t ? ens_meta_alloc(problem, n, sizeof(*scorer), err) : NULL;
    double unused;
    enum ens_status s;

    if (scorer == NULL)
        return ENS_ENOMEMORY;
    t->c = c;
    t->r = r;
    t->scorer = scorer;
    for (size_t j = 0; j < n; j++)
        ens_scorer_init(&scorer[j], score, 1, NULL, problem->n);
    s = ens_meta_each(problem, &memory, add_deviance, t, err);
    for (size_t j = 0; j < n; j++)
        risk[c ? c->finite[j] : 0] = ens_scorer_risk(&scorer[j], &unused);
    return s;
}

/* -- areas, from a sample ---------------------------------------------------
 */

static enum ens_status areas(const struct ens_meta_problem *problem,
                             const struct ens_meta_columns *c,
                             const struct ens_meta_result *r, double *risk,
                             double *risk_all, struct ens_error *err)
{
    struct ens_meta_sample sample;
    double *x = ens_meta_alloc(problem, c->n_finite, sizeof(*x), err);
    enum ens_status s =
        x ? ens_meta_sample_take(problem, c->finite, c->n_finite, &sample, err)
          : ENS_ENOMEMORY;

    if (s != ENS_OK)
        return s;
    for (size_t j = 0; j < c->n_finite && risk; j++) {
        x[j] = 1;
        risk[c->finite[j]] = 1 - ens_meta_sample_auc(&sample, x);
        x[j] = 0;
    }
    if (risk)
        return ENS_OK;
    for (size_t j = 0; j < c->n_finite; j++)
        x[j] = r->weight[c->finite[j]];
    *risk_all = 1 - ens_meta_sample_auc(&sample, x);
    return ENS_OK;
}

/* -- by loss ----------------------------------------------------------------
 */

enum ens_status ens_meta_risks(const struct ens_meta_problem *problem,
                               const struct ens_meta_columns *c,
                               struct ens_meta_result *r, struct ens_error *err)
{
    for (size_t j = 0; j < problem->n_learners; j++)
        r->risk[j] = NAN;
    switch (r->loss) {
    case ENS_META_SQUARED:
        squared_risks(problem, c, r);
        return ENS_OK;
    case ENS_META_DEVIANCE:
        return deviances(problem, c, r, c->n_finite, r->risk, err);
    case ENS_META_AUC:
        return areas(problem, c, r, r->risk, NULL, err);
    }
    return ENS_OK;
}

enum ens_status ens_meta_risk_all(const struct ens_meta_problem *problem,
                                  const struct ens_meta_columns *c,
                                  struct ens_meta_result *r,
                                  struct ens_error *err)
{
    switch (r->loss) {
    case ENS_META_SQUARED:
        return squared_all(problem, c, r, err);
    case ENS_META_DEVIANCE:
        return deviances(problem, NULL, r, 1, &r->risk_all, err);
    case ENS_META_AUC:
        return areas(problem, c, r, NULL, &r->risk_all, err);
    }
    return ENS_OK;
}
