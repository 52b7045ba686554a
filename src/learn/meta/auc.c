/* Convex combination of the largest area under the ROC curve, as R's
 * method.AUC. The area is a step function of the weights, which gradients (R:
 * L-BFGS-B with differences of 1e-3) do not climb: a search along the axes
 * does, from the better of equal weights and the best learner, in steps that
 * are halved from 1/2 until STEP. It ends at a local maximum. */
#include "learn/meta/block.h"
#include "learn/meta/method.h"
#include "learn/meta/sample.h"

#include <string.h>

#define STEP (1.0 / 4096)

const struct ens_setting ens_meta_auc_settings[] = {{0}};

static enum ens_status options(const struct ens_learn_setup *setup,
                               struct ens_meta_options *o,
                               struct ens_error *err)
{
    o->normalise = 1;
    o->loss = ENS_META_AUC;
    return ens_meta_need_classes(setup, "auc", err);
}

static uint64_t memory(uint64_t n, size_t n_learners)
{
    return ens_meta_sample_memory(n, n_learners);
}

/* Sum 1; 0: all are 0. */
static int divide(double *x, size_t n)
{
    double sum = 0;

    for (size_t j = 0; j < n; j++)
        sum += x[j];
    for (size_t j = 0; j < n && sum > 0; j++)
        x[j] /= sum;
    return sum > 0;
}

/* Weight j more or less by a step; the first better one is taken. */
static double try_weight(struct ens_meta_sample *t, double *x, double *other,
                         size_t j, double step, double best)
{
    size_t n = t->n_columns;

    for (int sign = 1; sign >= -1; sign -= 2) {
        double auc;

        memcpy(other, x, n * sizeof(*x));
        other[j] += sign * step;
        if (other[j] < 0)
            other[j] = 0;
        if (other[j] == x[j] || !divide(other, n))
            continue;
        auc = ens_meta_sample_auc(t, other);
        if (auc > best) {
            memcpy(x, other, n * sizeof(*x));
            return auc;
        }
    }
    return best;
}

static double start(struct ens_meta_sample *t, const double *risk, double *x)
{
    size_t n = t->n_columns, best = 0;
    double auc;

    for (size_t j = 0; j < n; j++) {
        x[j] = 1 / (double)n;
        if (risk[j] < risk[best])
            best = j;
    }
    auc = ens_meta_sample_auc(t, x);
    if (auc > 1 - risk[best])
        return auc;
    memset(x, 0, n * sizeof(*x));
    x[best] = 1;
    return ens_meta_sample_auc(t, x);
}

static enum ens_status fit(const struct ens_meta_task *task,
                           const struct ens_meta_options *o, double *weight,
                           double *intercept, struct ens_error *err)
{
    struct ens_meta_sample sample;
    double *other = ens_meta_alloc(task->problem, task->n, sizeof(*other), err);
    double best;
    enum ens_status s = other
                            ? ens_meta_sample_take(task->problem, task->column,
                                                   task->n, &sample, err)
                            : ENS_ENOMEMORY;

    (void)o;
    (void)intercept;
    if (s != ENS_OK)
        return s;
    if (sample.n < task->problem->n)
        task->problem->warn(task->problem->own,
                            "areas under the curve are those of 262144 rows, "
                            "evenly spread");
    best = start(&sample, task->risk, weight);
    for (double step = 0.5; step >= STEP;) {
        double before = best;

        for (size_t j = 0; j < task->n; j++)
            best = try_weight(&sample, weight, other, j, step, best);
        if (!(best > before))
            step /= 2;
    }
    return ENS_OK;
}

const struct ens_meta ens_meta_auc = {
    .options = options, .fit = fit, .memory = memory, .reads_rows = 1};
