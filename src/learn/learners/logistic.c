/* Logistic regression of two classes, or of more (softmax), as scikit-learn's
 * LogisticRegression: minimises C times the sum of w losses, plus l1_ratio |b|
 * + (1 - l1_ratio)/2 b^2 over coefficients but intercepts. Classes without
 * rows have a probability of 0. */
#include "learn/learners/learners.h"
#include "learn/learners/settings.h"
#include "learn/newton.h"

#include <math.h>
#include <string.h>

#define MAX_STEPS  100
#define FREE_STEPS 30   /* without a penalty: more have no end */
#define NO_LOSS    1e-9 /* all are told apart */

enum penalty { L2, L1, ELASTIC_NET, NONE };

struct logistic {
    int intercept;
    double l1, l2;
    size_t n_out;
};

const struct ens_setting ens_learner_logistic_settings[] = {
    ENS_LEARN_SETTING_INTERCEPT,
    {.section = "learner",
     .key = "penalty",
     .type = ENS_T_CHOICE,
     .shape = ENS_AXIS,
     .cls = ENS_C_CELL,
     .def = "l2",
     .choices = "l2|l1|elastic_net|none",
     .help = "of coefficients: half their squares, absolute values, both "
             "(l1_ratio), none"},
    {.section = "learner",
     .key = "C",
     .type = ENS_T_NUM,
     .shape = ENS_AXIS,
     .cls = ENS_C_CELL,
     .def = "1",
     .min = 1e-300,
     .max = 1e300,
     .help = "weight of the sum of losses beside the penalty"},
    ENS_LEARN_SETTING_L1_RATIO,
};

static enum ens_status options(const struct ens_learn_setup *setup,
                               const void **options_, struct ens_error *err)
{
    struct logistic *o = setup->alloc(setup, 1, sizeof(*o));
    enum penalty penalty = (enum penalty)setup->value(setup, "penalty")->i;
    double c = setup->value(setup, "C")->d;
    double ratio = penalty == L1            ? 1
                   : penalty == ELASTIC_NET ? setup->value(setup, "l1_ratio")->d
                                            : 0;

    if (o == NULL)
        return ens_linear_memory(err);
    o->intercept = setup->value(setup, "intercept")->i != 0;
    o->l1 = penalty == NONE ? 0 : ratio / c;
    o->l2 = penalty == NONE ? 0 : (1 - ratio) / c;
    o->n_out = setup->family == ENS_OUTCOME_MULTINOMIAL ? setup->n_classes : 1;
    *options_ = o;
    return ENS_OK;
}

static uint64_t memory(const void *options_, uint64_t n, size_t p)
{
    const struct logistic *o = options_;

    (void)n;
    return ens_newton_doubles(p, o->n_out) * sizeof(double);
}

/* Weights of classes. */
static enum ens_status weigh(const struct ens_rows *train, double *class_weight,
                             struct ens_error *err)
{
    double y[ENS_LEARN_BLOCK], w[ENS_LEARN_BLOCK], total = 0;

    for (uint64_t at = 0; at < train->n; at += ENS_LEARN_BLOCK) {
        size_t n = train->n - at < ENS_LEARN_BLOCK ? (size_t)(train->n - at)
                                                   : ENS_LEARN_BLOCK;

        train->y(train, at, n, y);
        train->w(train, at, n, w);
        for (size_t i = 0; i < n; i++) {
            if (!(y[i] >= 0 && y[i] < train->n_classes) || y[i] != floor(y[i]))
                return ens_fail(err, ENS_EDOMAIN,
                                "the response is %.15g in row %llu; a class "
                                "number of 0 .. %u",
                                y[i], (unsigned long long)(at + i + 1),
                                train->n_classes - 1);
            class_weight[(size_t)y[i]] += w[i];
            total += w[i];
        }
    }
    return total > 0 ? ENS_OK : ens_fail(err, ENS_EDOMAIN, "all weights are 0");
}

static void warn_of(const struct ens_learn_job *job,
                    const struct ens_newton_fit *f, int is_free)
{
    if (is_free && (!f->converged || f->loss < NO_LOSS))
        job->warn(job, "classes can be told apart without error, so "
                       "coefficients have no end: stopped at probabilities "
                       "near 0 and 1; penalty = l2 bounds them");
    else if (!f->converged)
        job->warn(job, "Newton's method did not converge");
    else if (f->singular)
        job->warn(job, "columns depend on each other: a solution of least "
                       "norm taken");
}

/* A model that knows no columns: of class c alone. */
static void of_one(struct ens_linear *l, uint32_t c)
{
    if (l->n_out == 1)
        *ens_linear_base(l, 0) = c ? INFINITY : -INFINITY;
    for (size_t k = 0; l->n_out > 1 && k < l->n_out; k++)
        *ens_linear_base(l, k) = k == c ? 0 : -INFINITY;
}

static void fill(struct ens_linear *l, const struct ens_newton *o,
                 const struct ens_newton_fit *f, const double *class_weight)
{
    size_t p = l->p;

    memcpy(ens_linear_centre(l), f->centre, p * sizeof(double));
    for (size_t k = 0; k < l->n_out; k++) {
        size_t at = l->n_out > 1 ? (size_t)o->output[k] : 0;
        const double *b = f->b + at * (p + 1);

        if (l->n_out > 1 && !(class_weight[k] > 0)) {
            *ens_linear_base(l, k) = -INFINITY;
            continue;
        }
        memcpy(ens_linear_coef(l, k), b, p * sizeof(double));
        *ens_linear_base(l, k) = b[p];
    }
}

static enum ens_status fit(const struct ens_learn_job *job,
                           const struct ens_rows *train, struct ens_error *err)
{
    const struct logistic *o = job->options;
    size_t n_out = job->n_out, n_classes = train->n_classes;
    double *class_weight = job->alloc(job, 2 * n_classes, sizeof(double));
    double *output = class_weight + n_classes;
    struct ens_newton newton = {.loss = n_out > 1 ? ENS_NEWTON_SOFTMAX
                                                  : ENS_NEWTON_BINOMIAL,
                                .intercept = o->intercept,
                                .l1 = o->l1,
                                .l2 = o->l2,
                                .output = output};
    int is_free = !(o->l1 > 0 || o->l2 > 0);
    struct ens_newton_fit f;
    struct ens_linear *l;
    uint32_t last = 0, present = 0;
    enum ens_status s = ens_linear_check(train, err);

    if (s != ENS_OK)
        return s;
    l = ens_linear_new(job, train->p, n_out,
                       n_out > 1 ? ENS_LINEAR_SOFTMAX : ENS_LINEAR_LOGISTIC);
    if (class_weight == NULL || l == NULL)
        return ens_linear_memory(err);
    s = weigh(train, class_weight, err);
    if (s != ENS_OK)
        return s;
    for (uint32_t c = 0; c < n_classes; c++) {
        output[c] = present;
        if (class_weight[c] > 0) {
            last = c;
            present++;
        }
    }
    if (present < n_classes)
        job->warn(job, "not all classes have rows here: those without have a "
                       "probability of 0");
    if (present == 1) {
        of_one(l, last);
        return ENS_OK;
    }
    newton.n_out = n_out > 1 ? present : 1;
    s = ens_newton_open(&newton, job, train, &f, err);
    if (s == ENS_OK)
        s = ens_newton_run(&newton, job, train,
                           is_free ? FREE_STEPS : MAX_STEPS, &f, err);
    if (s != ENS_OK)
        return s;
    warn_of(job, &f, is_free);
    fill(l, &newton, &f, class_weight);
    return ENS_OK;
}

const struct ens_learner ens_learner_logistic = {
    .families = ENS_LEARN_CLASSES,
    .uses = ENS_LEARN_WEIGHTS,
    .options = options,
    .memory = memory,
    .fit = fit,
    .predict = ens_linear_predict,
};
