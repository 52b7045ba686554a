/* Naive Bayes with a normal distribution for each column in each class, as
 * scikit-learn's GaussianNB.
 *
 * The model: of each class log prior - half the log of the determinant, then
 * means and 1 / variance of the p columns. */
#include "learn/learners/learners.h"

#include "learn/classes.h"

#include <math.h>
#include <string.h>

struct naive_bayes {
    double smoothing;
    const double *priors;
    size_t n_classes; /* for memory */
};

const struct ens_setting ens_learner_naive_bayes_settings[] = {
    {.section = "learner",
     .key = "var_smoothing",
     .type = ENS_T_NUM,
     .shape = ENS_AXIS,
     .cls = ENS_C_CELL,
     .def = "1e-9",
     .min = 0,
     .max = 1e300,
     .help = "this part of the largest variance of a column is added to all "
             "variances"},
    ENS_LEARN_PRIORS,
};

static enum ens_status options(const struct ens_learn_setup *setup,
                               const void **to, struct ens_error *err)
{
    struct naive_bayes *o = setup->alloc(setup, 1, sizeof(*o));

    if (o == NULL)
        return setup->host->fail(err, ENS_ENOMEMORY, "naive_bayes: options");
    o->smoothing = setup->value(setup, "var_smoothing")->d;
    o->n_classes = setup->n_classes;
    *to = o;
    return ens_classes_priors(setup, &o->priors, err);
}

/* Variances of the columns over all classes: the largest. */
static double largest_variance(const struct ens_classes *c)
{
    double largest = 0;

    for (size_t j = 0; j < c->p; j++) {
        double n = 0, mean = 0, m2 = 0;

        for (size_t k = 0; k < c->n; k++) {
            double w = c->weight[k], d = c->mean[k * c->p + j] - mean;

            if (!(w > 0))
                continue;
            m2 += c->m2[k * c->p + j] + d * d * (n * w / (n + w));
            mean += d * (w / (n + w));
            n += w;
        }
        largest = fmax(largest, m2 / n);
    }
    return largest;
}

static uint64_t memory(const void *options_, uint64_t n, size_t p)
{
    const struct naive_bayes *o = options_;

    (void)n;
    return sizeof(double) * (uint64_t)(ens_classes_doubles(o->n_classes, p, 0) +
                                       o->n_classes * (2 + 2 * p));
}

static enum ens_status fit(const struct ens_learn_job *job,
                           const struct ens_rows *train, struct ens_error *err)
{
    const struct naive_bayes *o = job->options;
    size_t p = train->p, n = ens_classes_of(job);
    double *model, *log_prior, added;
    struct ens_classes c;
    enum ens_status s = ens_classes_count(&c, job, train, 0, err);

    if (s != ENS_OK)
        return s;
    model = job->model(job, n * (1 + 2 * p) * sizeof(*model));
    log_prior = job->alloc(job, n, sizeof(*log_prior));
    if (model == NULL || log_prior == NULL)
        return job->host->fail(err, ENS_ENOMEMORY, "naive_bayes: model");
    ens_classes_log_priors(&c, o->priors, log_prior);
    added = o->smoothing * largest_variance(&c);
    for (size_t k = 0; k < n; k++) {
        double *m = model + k * (1 + 2 * p);

        m[0] = log_prior[k];
        for (size_t j = 0; j < p && c.weight[k] > 0; j++) {
            double var = c.m2[k * p + j] / c.weight[k] + added;

            if (!(var > 0))
                return job->host->fail(
                    err, ENS_EDOMAIN,
                    "naive_bayes: column '%s' is constant in class %zu; "
                    "var_smoothing above 0 allows it, unless all are",
                    train->column[j], k);
            m[0] -= 0.5 * log(var);
            m[1 + j] = c.mean[k * p + j];
            m[1 + p + j] = 1 / var;
        }
    }
    return ENS_OK;
}

struct densities {
    const double *model;
    size_t n, p;
};

static void score_row(const void *arg, const double *x, double *score)
{
    const struct densities *d = arg;

    for (size_t k = 0; k < d->n; k++) {
        const double *m = d->model + k * (1 + 2 * d->p);
        double distance = 0;

        for (size_t j = 0; j < d->p; j++) {
            double away = x[j] - m[1 + j];

            distance += away * away * m[1 + d->p + j];
        }
        score[k] = m[0] - 0.5 * distance;
    }
}

static enum ens_status predict(const struct ens_learn_job *job,
                               const struct ens_learn_model *model,
                               const struct ens_rows *train,
                               const struct ens_rows *at, uint64_t first,
                               size_t n, double *out, struct ens_error *err)
{
    struct densities d = {model->data, ens_classes_of(job), at->p};

    (void)train;
    if (model->bytes != d.n * (1 + 2 * d.p) * sizeof(double))
        return job->host->fail(err, ENS_EDOMAIN, "naive_bayes: damaged model");
    return ens_classes_predict(job, at, first, n, score_row, &d, out, err);
}

const struct ens_learner ens_learner_naive_bayes = {
    .families = ENS_LEARN_CLASSES,
    .uses = ENS_LEARN_WEIGHTS,
    .options = options,
    .memory = memory,
    .fit = fit,
    .predict = predict,
};
