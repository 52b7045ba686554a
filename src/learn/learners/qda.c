/* Quadratic discriminant analysis: a normal distribution with a covariance of
 * its own for each class, as scikit-learn's QuadraticDiscriminantAnalysis.
 *
 * The model: of each class log prior - half the log of the determinant, its
 * mean, and p axes of length 1 / standard deviation along them. */
#include "learn/learners/learners.h"

#include "learn/classes.h"
#include "math/linalg.h"

#include <math.h>
#include <string.h>

struct qda {
    double reg, tol;
    const double *priors;
    size_t n_classes; /* for memory */
};

#define QDA_NUMBER(KEY, DEFAULT, HELP)                                         \
    {                                                                          \
        .section = "learner", .key = KEY, .type = ENS_T_NUM,                   \
        .shape = ENS_AXIS, .cls = ENS_C_CELL, .def = DEFAULT, .min = 0,        \
        .max = 1, .help = HELP                                                 \
    }

const struct ens_setting ens_learner_qda_settings[] = {
    ENS_LEARN_PRIORS,
    QDA_NUMBER("reg_param", "0",
               "covariances are (1 - reg_param) times theirs plus reg_param "
               "times the identity"),
    QDA_NUMBER("tol", "1e-4",
               "a class that varies less in some direction (root of the sum "
               "of squares) is warned of as collinear"),
};

static enum ens_status options(const struct ens_learn_setup *setup,
                               const void **to, struct ens_error *err)
{
    struct qda *o = setup->alloc(setup, 1, sizeof(*o));

    if (o == NULL)
        return setup->host->fail(err, ENS_ENOMEMORY, "qda: options");
    o->reg = setup->value(setup, "reg_param")->d;
    o->tol = setup->value(setup, "tol")->d;
    o->n_classes = setup->n_classes;
    *to = o;
    return ens_classes_priors(setup, &o->priors, err);
}

static size_t class_size(size_t p)
{
    return 1 + p + p * p;
}

/* Axes of one class; to: its part of the model, with the log prior. */
static enum ens_status find_axes(const struct ens_learn_job *job,
                                 const struct ens_classes *c, size_t k,
                                 double *work, double *to,
                                 struct ens_error *err)
{
    const struct qda *o = job->options;
    size_t p = c->p;
    double *axes = to + 1 + p, *values = work;

    if (c->rows[k] < 2)
        return job->host->fail(err, ENS_EDOMAIN,
                               "qda: class %zu has one training row", k);
    memcpy(to + 1, c->mean + k * p, p * sizeof(*to));
    memcpy(axes, c->m2 + k * p * p, p * p * sizeof(*axes));
    if (ens_eigen(axes, p, values, work + p) != 0)
        return job->host->fail(err, ENS_EDOMAIN,
                               "qda: the covariance of class %zu is not finite",
                               k);
    if (p > 0 && !(values[0] > o->tol * o->tol))
        job->warn(job, "columns are collinear in a class");
    for (size_t a = 0; a < p; a++) {
        double var = values[a] / (double)(c->rows[k] - 1);

        var = (1 - o->reg) * var + o->reg;
        /* rounding of the largest one is all that is left */
        if (!(var > 1e-15 * values[p - 1] / (double)(c->rows[k] - 1)))
            return job->host->fail(err, ENS_EDOMAIN,
                                   "qda: columns are collinear in class %zu; "
                                   "reg_param above 0 allows it",
                                   k);
        to[0] -= 0.5 * log(var);
        for (size_t j = 0; j < p; j++)
            axes[a * p + j] /= sqrt(var);
    }
    return ENS_OK;
}

static uint64_t memory(const void *options_, uint64_t n, size_t p)
{
    const struct qda *o = options_;

    (void)n;
    return sizeof(double) * (uint64_t)(ens_classes_doubles(o->n_classes, p, 1) +
                                       o->n_classes * (1 + class_size(p)) + p +
                                       ENS_EIGEN_WORK(p));
}

static enum ens_status fit(const struct ens_learn_job *job,
                           const struct ens_rows *train, struct ens_error *err)
{
    const struct qda *o = job->options;
    size_t p = train->p;
    double *model, *log_prior, *work;
    struct ens_classes c;
    enum ens_status s = ens_classes_count(&c, job, train, 1, err);

    if (s != ENS_OK)
        return s;
    model = job->model(job, c.n * class_size(p) * sizeof(*model));
    log_prior = job->alloc(job, c.n, sizeof(*log_prior));
    work = job->alloc(job, p + ENS_EIGEN_WORK(p), sizeof(*work));
    if (model == NULL || log_prior == NULL || work == NULL)
        return job->host->fail(err, ENS_ENOMEMORY, "qda: model");
    ens_classes_log_priors(&c, o->priors, log_prior);
    for (size_t k = 0; k < c.n && s == ENS_OK; k++) {
        model[k * class_size(p)] = log_prior[k];
        if (c.rows[k] > 0)
            s = find_axes(job, &c, k, work, model + k * class_size(p), err);
    }
    return s;
}

struct densities {
    const double *model;
    size_t n, p;
};

static void score_row(const void *arg, const double *x, double *score)
{
    const struct densities *d = arg;
    size_t p = d->p;

    for (size_t k = 0; k < d->n; k++) {
        const double *m = d->model + k * class_size(p);
        double distance = 0;

        for (size_t a = 0; a < p; a++) {
            const double *axis = m + 1 + p + a * p;
            double z = 0;

            for (size_t j = 0; j < p; j++)
                z += axis[j] * (x[j] - m[1 + j]);
            distance += z * z;
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
    if (model->bytes != d.n * class_size(d.p) * sizeof(double))
        return job->host->fail(err, ENS_EDOMAIN, "qda: damaged model");
    return ens_classes_predict(job, at, first, n, score_row, &d, out, err);
}

const struct ens_learner ens_learner_qda = {
    .families = ENS_LEARN_CLASSES,
    .options = options,
    .memory = memory,
    .fit = fit,
    .predict = predict,
};
