/* Linear discriminant analysis: normal distributions with one covariance for
 * all classes, as scikit-learn's LinearDiscriminantAnalysis (solver svd).
 *
 * The model: of each class p coefficients and an intercept. */
#include "learn/learners/learners.h"

#include "learn/classes.h"
#include "math/linalg.h"

#include <math.h>
#include <string.h>

struct lda {
    double tol;
    const double *priors;
    size_t n_classes; /* for memory */
};

const struct ens_setting ens_learner_lda_settings[] = {
    ENS_LEARN_PRIORS,
    {.section = "learner",
     .key = "tol",
     .type = ENS_T_NUM,
     .shape = ENS_AXIS,
     .cls = ENS_C_CELL,
     .def = "1e-4",
     .min = 0,
     .max = 1,
     .help = "directions in which standardised columns have a smaller standard "
             "deviation within classes are left out"},
};

static enum ens_status options(const struct ens_learn_setup *setup,
                               const void **to, struct ens_error *err)
{
    struct lda *o = setup->alloc(setup, 1, sizeof(*o));

    if (o == NULL)
        return setup->host->fail(err, ENS_ENOMEMORY, "lda: options");
    o->tol = setup->value(setup, "tol")->d;
    o->n_classes = setup->n_classes;
    *to = o;
    return ens_classes_priors(setup, &o->priors, err);
}

/* What a fit works with. */
struct within {
    size_t p, rank;
    double *axes;   /* p x rank, column-major: scaled so that z = axes'(x -
                       mean) has the covariance 1 within classes */
    double *values; /* p */
    double *sd;     /* p */
    double *mean;   /* p: the classes' means, weighted by their priors */
    double *z;      /* p */
    double *work;
};

static int alloc_within(struct within *w, const struct ens_learn_job *job,
                        size_t p)
{
    double *d = job->alloc(job, p * p + 4 * p + ENS_EIGEN_WORK(p), sizeof(*d));

    if (d == NULL)
        return -1;
    *w = (struct within){.p = p, .axes = d};
    w->values = d + p * p;
    w->sd = w->values + p;
    w->mean = w->sd + p;
    w->z = w->mean + p;
    w->work = w->z + p;
    return 0;
}

static enum ens_status find_axes(struct within *w, const struct ens_classes *c,
                                 double tol, const struct ens_host *host,
                                 struct ens_error *err)
{
    size_t p = c->p, present = 0;
    double n = 0;

    for (size_t k = 0; k < c->n; k++) {
        present += c->rows[k] > 0;
        n += (double)c->rows[k];
        for (size_t i = 0; i < p * p; i++)
            w->axes[i] += c->m2[k * p * p + i];
    }
    if (!(n > (double)present))
        return host->fail(err, ENS_EDOMAIN,
                          "lda: %g rows of %zu classes, more rows than classes "
                          "are needed",
                          n, present);
    for (size_t j = 0; j < p; j++) {
        w->sd[j] = sqrt(w->axes[j * p + j] / n);
        w->sd[j] = w->sd[j] > 0 ? w->sd[j] : 1;
    }
    for (size_t j = 0; j < p; j++)
        for (size_t h = 0; h < p; h++)
            w->axes[j * p + h] /= w->sd[j] * w->sd[h] * (n - (double)present);
    if (ens_eigen(w->axes, p, w->values, w->work) != 0)
        return host->fail(err, ENS_EDOMAIN,
                          "lda: the covariance is not finite");
    for (size_t a = 0; a < p; a++) {
        double sd = w->values[a] > 0 ? sqrt(w->values[a]) : 0;
        double *to = w->axes + w->rank * p;

        if (!(sd > tol))
            continue;
        for (size_t j = 0; j < p; j++)
            to[j] = w->axes[a * p + j] / (w->sd[j] * sd);
        w->rank++;
    }
    return ENS_OK;
}

/* Coefficients and intercept of one class. */
static void discriminant(const struct within *w, const double *mean,
                         double log_prior, double *to)
{
    double *intercept = to + w->p;

    *intercept = log_prior;
    for (size_t a = 0; a < w->rank; a++) {
        const double *axis = w->axes + a * w->p;
        double z = 0;

        for (size_t j = 0; j < w->p; j++)
            z += axis[j] * (mean[j] - w->mean[j]);
        for (size_t j = 0; j < w->p; j++)
            to[j] += z * axis[j];
        *intercept -= 0.5 * z * z;
    }
    for (size_t j = 0; j < w->p; j++)
        *intercept -= to[j] * w->mean[j];
}

static uint64_t memory(const void *options_, uint64_t n, size_t p)
{
    const struct lda *o = options_;

    (void)n;
    return sizeof(double) * (uint64_t)(ens_classes_doubles(o->n_classes, p, 1) +
                                       o->n_classes * (p + 2) + p * p + 4 * p +
                                       ENS_EIGEN_WORK(p));
}

static enum ens_status fit(const struct ens_learn_job *job,
                           const struct ens_rows *train, struct ens_error *err)
{
    const struct lda *o = job->options;
    size_t p = train->p;
    double *model, *log_prior;
    struct ens_classes c;
    struct within w;
    enum ens_status s = ens_classes_count(&c, job, train, 1, err);

    if (s != ENS_OK)
        return s;
    model = job->model(job, c.n * (p + 1) * sizeof(*model));
    log_prior = job->alloc(job, c.n, sizeof(*log_prior));
    if (model == NULL || log_prior == NULL || alloc_within(&w, job, p) != 0)
        return job->host->fail(err, ENS_ENOMEMORY, "lda: model");
    s = find_axes(&w, &c, o->tol, job->host, err);
    if (s != ENS_OK)
        return s;
    if (w.rank < p)
        job->warn(job, "columns are collinear within classes");
    ens_classes_log_priors(&c, o->priors, log_prior);
    for (size_t k = 0; k < c.n; k++)
        for (size_t j = 0; j < p; j++)
            w.mean[j] += exp(log_prior[k]) * c.mean[k * p + j];
    for (size_t k = 0; k < c.n; k++)
        discriminant(&w, c.mean + k * p, log_prior[k], model + k * (p + 1));
    return ENS_OK;
}

struct discriminants {
    const double *model;
    size_t n, p;
};

static void score_row(const void *arg, const double *x, double *score)
{
    const struct discriminants *d = arg;

    for (size_t k = 0; k < d->n; k++) {
        const double *m = d->model + k * (d->p + 1);

        score[k] = m[d->p];
        for (size_t j = 0; j < d->p; j++)
            score[k] += m[j] * x[j];
    }
}

static enum ens_status predict(const struct ens_learn_job *job,
                               const struct ens_learn_model *model,
                               const struct ens_rows *train,
                               const struct ens_rows *at, uint64_t first,
                               size_t n, double *out, struct ens_error *err)
{
    struct discriminants d = {model->data, ens_classes_of(job), at->p};

    (void)train;
    if (model->bytes != d.n * (d.p + 1) * sizeof(double))
        return job->host->fail(err, ENS_EDOMAIN, "lda: damaged model");
    return ens_classes_predict(job, at, first, n, score_row, &d, out, err);
}

const struct ens_learner ens_learner_lda = {
    .families = ENS_LEARN_CLASSES,
    .options = options,
    .memory = memory,
    .fit = fit,
    .predict = predict,
};
