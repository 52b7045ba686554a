/* The mean: what any other learner must beat. */
#include "learn/learners/learners.h"

#include <string.h>

const struct ens_setting ens_learner_mean_settings[] = {{0}};

/* Sums of weights times response, or of the weights of each class. */
static double add_rows(const struct ens_rows *train, size_t n_out, double *sum)
{
    double y[ENS_LEARN_BLOCK], w[ENS_LEARN_BLOCK], total = 0;
    int classes = train->family == ENS_OUTCOME_MULTINOMIAL;

    for (uint64_t at = 0; at < train->n; at += ENS_LEARN_BLOCK) {
        size_t n = train->n - at < ENS_LEARN_BLOCK ? (size_t)(train->n - at)
                                                   : ENS_LEARN_BLOCK;

        train->y(train, at, n, y);
        train->w(train, at, n, w);
        for (size_t i = 0; i < n; i++) {
            total += w[i];
            if (!classes)
                sum[0] += w[i] * y[i];
            else if ((size_t)y[i] < n_out)
                sum[(size_t)y[i]] += w[i];
        }
    }
    return total;
}

static enum ens_status fit(const struct ens_learn_job *job,
                           const struct ens_rows *train, struct ens_error *err)
{
    double *mean = job->model(job, job->n_out * sizeof(*mean));
    double total;

    if (mean == NULL)
        return job->host->fail(err, ENS_ENOMEMORY, "mean: out of memory");
    total = add_rows(train, job->n_out, mean);
    if (!(total > 0))
        return job->host->fail(err, ENS_EDOMAIN, "all weights are 0");
    for (size_t k = 0; k < job->n_out; k++)
        mean[k] /= total;
    return ENS_OK;
}

static enum ens_status predict(const struct ens_learn_job *job,
                               const struct ens_learn_model *model,
                               const struct ens_rows *train,
                               const struct ens_rows *at, uint64_t first,
                               size_t n, double *out, struct ens_error *err)
{
    (void)train;
    (void)at;
    (void)first;
    if (model->bytes != job->n_out * sizeof(double))
        return job->host->fail(err, ENS_EDOMAIN, "mean: damaged model");
    for (size_t i = 0; i < n; i++)
        memcpy(out + i * job->n_out, model->data, model->bytes);
    return ENS_OK;
}

static int affine(const struct ens_learn_model *model, size_t p,
                  struct ens_learn_affine *to)
{
    (void)p;
    if (model->bytes != sizeof(double))
        return 0;
    *to = (struct ens_learn_affine){.base = *(const double *)model->data};
    return 1;
}

const struct ens_learner ens_learner_mean = {
    .families = ENS_LEARN_ALL,
    .uses = ENS_LEARN_WEIGHTS | ENS_LEARN_BLIND,
    .fit = fit,
    .predict = predict,
    .affine = affine,
};
