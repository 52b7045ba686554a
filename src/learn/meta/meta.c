#include "learn/meta/method.h"

#include "base/bug.h"
#include "learn/meta/block.h"
#include "learn/meta/columns.h"
#include "learn/meta/risk.h"

#include <math.h>
#include <string.h>

#define ENS_META(id, n, text)                                                  \
    {.name = #id,                                                              \
     .help = text,                                                             \
     .settings = ens_meta_##id##_settings,                                     \
     .n_settings = n,                                                          \
     .ops = &ens_meta_##id},
const struct ens_impl ens_metas[] = {
#include "learn/meta/x.def"
};
#undef ENS_META
const size_t ens_n_metas = ENS_COUNT(ens_metas);

const struct ens_impl *ens_meta_find(const char *name)
{
    for (size_t i = 0; i < ens_n_metas; i++)
        if (strcmp(ens_metas[i].name, name) == 0)
            return &ens_metas[i];
    return NULL;
}

enum ens_status ens_meta_options(const struct ens_meta *method,
                                 const struct ens_learn_setup *setup,
                                 struct ens_meta_options *options,
                                 struct ens_error *err)
{
    memset(options, 0, sizeof(*options));
    return method->options(setup, options, err);
}

int ens_meta_reads_rows(const struct ens_meta *method,
                        const struct ens_meta_options *options)
{
    return method->reads_rows || options->loss != ENS_META_SQUARED;
}

uint64_t ens_meta_memory(const struct ens_meta *method, uint64_t n,
                         size_t n_learners)
{
    return method->memory ? method->memory(n, n_learners) : 0;
}

/* -- a fit ------------------------------------------------------------------
 */

static enum ens_status make_result(const struct ens_meta_problem *problem,
                                   const struct ens_meta *method,
                                   const struct ens_meta_options *options,
                                   struct ens_meta_result *r,
                                   struct ens_error *err)
{
    size_t n = problem->n_learners;

    memset(r, 0, sizeof(*r));
    r->weight = ens_meta_alloc(problem, 2 * n, sizeof(*r->weight), err);
    if (r->weight == NULL)
        return ENS_ENOMEMORY;
    r->risk = r->weight + n;
    r->loss = options->loss;
    r->link = method->link;
    r->trim = options->trim;
    return ENS_OK;
}

/* Divides by the sum where there is one. */
static void normalise(double *weight, size_t n)
{
    double sum = 0;

    for (size_t j = 0; j < n; j++)
        sum += weight[j];
    for (size_t j = 0; j < n && sum > 0; j++)
        weight[j] /= sum;
}

static void finish(const struct ens_meta_options *options, double *weight,
                   size_t n)
{
    if (options->normalise)
        normalise(weight, n);
    if (!(options->drop_below > 0))
        return;
    for (size_t j = 0; j < n; j++)
        if (weight[j] < options->drop_below)
            weight[j] = 0;
    if (options->normalise)
        normalise(weight, n);
}

static int all_zero(const double *weight, size_t n)
{
    for (size_t j = 0; j < n; j++)
        if (weight[j] != 0)
            return 0;
    return 1;
}

static enum ens_status weigh(const struct ens_meta *method,
                             const struct ens_meta_options *options,
                             const struct ens_meta_task *task,
                             struct ens_meta_result *r, struct ens_error *err)
{
    const struct ens_meta_problem *problem = task->problem;
    double *weight = ens_meta_alloc(problem, task->n + 1, sizeof(*weight), err);
    enum ens_status s;

    if (weight == NULL)
        return ENS_ENOMEMORY;
    if (task->n > 0) {
        s = method->fit(task, options, weight, &r->intercept, err);
        if (s != ENS_OK)
            return s;
        finish(options, weight, task->n);
    }
    for (size_t j = 0; j < task->n; j++) {
        if (!isfinite(weight[j]))
            return ens_fail(err, ENS_EDOMAIN,
                            "weight of learner '%s' is not finite",
                            problem->name[task->column[j]]);
        r->weight[task->column[j]] = weight[j];
    }
    if (all_zero(weight, task->n))
        problem->warn(problem->own, "all learners have zero weight");
    return ENS_OK;
}

/* Of the columns that are left, for the method. */
static enum ens_status take_risks(struct ens_meta_task *task,
                                  const struct ens_meta_result *r,
                                  struct ens_error *err)
{
    double *risk =
        ens_meta_alloc(task->problem, task->n + 1, sizeof(*risk), err);

    for (size_t j = 0; j < task->n && risk; j++)
        risk[j] = r->risk[task->column[j]];
    task->risk = risk;
    return risk ? ENS_OK : ENS_ENOMEMORY;
}

enum ens_status ens_meta_fit(const struct ens_meta *method,
                             const struct ens_meta_options *options,
                             const struct ens_meta_problem *problem,
                             struct ens_meta_result *result,
                             struct ens_error *err)
{
    struct ens_meta_columns c;
    struct ens_meta_result r;
    enum ens_status s;

    if (ens_meta_reads_rows(method, options) && problem->read == NULL)
        return ens_fail(err, ENS_EDOMAIN,
                        "this meta learner needs rows, and only moments are "
                        "given");
    s = make_result(problem, method, options, &r, err);
    if (s == ENS_OK)
        s = ens_meta_columns_find(problem, &c, &r, err);
    if (s == ENS_OK)
        s = ens_meta_risks(problem, &c, &r, err);
    if (s == ENS_OK)
        s = take_risks(&c.task, &r, err);
    if (s == ENS_OK)
        s = weigh(method, options, &c.task, &r, err);
    if (s == ENS_OK)
        s = ens_meta_risk_all(problem, &c, &r, err);
    if (s == ENS_OK)
        *result = r;
    return s;
}

/* -- predictions ------------------------------------------------------------
 */

static double logit(double p, double trim)
{
    p = p < trim ? trim : p > 1 - trim ? 1 - trim : p;
    return log(p / (1 - p));
}

void ens_meta_predict(const struct ens_meta_result *r, size_t n_learners,
                      const double *z, size_t n, double *out)
{
    for (size_t i = 0; i < n; i++) {
        double sum = r->intercept;

        for (size_t j = 0; j < n_learners; j++)
            if (r->weight[j] != 0) {
                double v = z[i * n_learners + j];

                sum += r->weight[j] *
                       (r->link == ENS_META_LOGIT ? logit(v, r->trim) : v);
            }
        out[i] = r->link == ENS_META_LOGIT ? 1 / (1 + exp(-sum)) : sum;
    }
}
