/* A learner: the mean of the response as if there were `strength` more rows in
 * which it is 0; of classes shares, as if those rows were spread over all.
 *
 *   cc -std=c11 -O2 -shared -fPIC -I include -o shrunk_mean.so shrunk_mean.c
 *   ensrun shrunk_mean.ini */
#include <ensrun/plugin.h>
#include <string.h>

#define BLOCK 1024

static const struct ens_setting settings[] = {
    ENS_SETTING("learner", "strength", NUM, AXIS, CELL, "10", 0, 1e300,
                "rows that are imagined"),
};

static enum ens_status options(const struct ens_learn_setup *setup,
                               const void **to, struct ens_error *err)
{
    double *strength = setup->alloc(setup, 1, sizeof(*strength));

    if (strength == NULL)
        return setup->host->fail(err, ENS_ENOMEMORY, "options");
    *strength = setup->value(setup, "strength")->d;
    *to = strength;
    return ENS_OK;
}

static enum ens_status fit(const struct ens_learn_job *job,
                           const struct ens_rows *train, struct ens_error *err)
{
    const double *strength = job->options;
    double y[BLOCK];
    double *mean = job->model(job, job->n_out * sizeof(*mean));

    if (mean == NULL)
        return job->host->fail(err, ENS_ENOMEMORY, "model");
    for (uint64_t at = 0; at < train->n; at += BLOCK) {
        size_t n = train->n - at < BLOCK ? (size_t)(train->n - at) : BLOCK;

        train->y(train, at, n, y);
        for (size_t i = 0; i < n; i++) {
            if (job->n_out == 1)
                mean[0] += y[i];
            else
                mean[(size_t)y[i]]++;
        }
    }
    for (size_t k = 0; k < job->n_out; k++) {
        if (job->n_out > 1)
            mean[k] += *strength / (double)job->n_out;
        mean[k] /= (double)train->n + *strength;
    }
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
    if (model->bytes != job->n_out * sizeof(*out))
        return job->host->fail(err, ENS_EDOMAIN, "damaged model");
    for (size_t i = 0; i < n; i++)
        memcpy(out + i * job->n_out, model->data, model->bytes);
    return ENS_OK;
}

static const struct ens_learner shrunk_mean = {.families = ENS_LEARN_ALL,
                                               .options = options,
                                               .fit = fit,
                                               .predict = predict};
static const struct ens_plugin_part parts[] = {
    {"learner",
     {"shrunk_mean", "the mean, drawn to zero", settings, 1, &shrunk_mean, 0,
      0}}};
const struct ens_plugin ensrun_plugin = {ENS_PLUGIN_HEAD, .parts = parts,
                                         .n_parts = 1};
