/* Metrics: what a fit leaves, as the median absolute residual times `scale`
 * (1.4826: the standard deviation, for normal errors) and the largest one; and
 * how far each estimate is from the truth in standard errors.
 *
 *   cc -std=c11 -O2 -shared -fPIC -I include -o residuals.so residuals.c -lm
 *   ensrun residuals.ini */
#include <ensrun/plugin.h>
#include <math.h>
#include <stdlib.h>

static const struct ens_host *host; /* set when this file is loaded */

static const struct ens_setting settings[] = {
    ENS_SETTING("metrics", "scale", NUM, ONE, STUDY, "1.4826", 0, 1e300,
                "what the median is multiplied by"),
};

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static enum ens_status mad(const struct ens_job *job,
                           const struct ens_metric_input *in, double *value,
                           struct ens_error *err)
{
    const struct ens_fit_problem *d = in->problem;
    double *e = host->alloc(job->result, d->n, sizeof(*e));
    size_t n = d->n;

    if (e == NULL)
        return host->fail(err, ENS_ENOMEMORY, "%zu residuals", n);
    for (size_t i = 0; i < n; i++) {
        e[i] = d->y[i] - (d->offset != NULL ? d->offset[i] : 0);
        for (size_t j = 0; j < d->p; j++)
            e[i] -= d->x[i + j * n] * in->fit->estimate[j];
        e[i] = fabs(e[i]);
    }
    qsort(e, n, sizeof(*e), compare);
    value[0] = atof(in->call->arg[0].text) * (e[(n - 1) / 2] + e[n / 2]) / 2;
    value[1] = e[n - 1];
    return ENS_OK;
}

static enum ens_status z(const struct ens_job *job,
                         const struct ens_metric_input *in, double *value,
                         struct ens_error *err)
{
    (void)job;
    (void)err;
    for (size_t j = 0; j < in->n_parameters; j++) { /* NaN: missing */
        size_t k = in->place[j];

        value[j] =
            (in->fit->estimate[k] - in->truth[j]) / in->fit->std_error[k];
    }
    return ENS_OK;
}

static const struct ens_metric_field mad_fields[] = {
    {"", "", "scaled median absolute residual", 0},
    {"largest", "", "largest absolute residual", 0}};
static const struct ens_metric_field z_field = {
    "", "", "estimate less truth, in standard errors", 1};
static const struct ens_metric mads = {
    .n_fields = 2, .field = mad_fields, .compute = mad};
static const struct ens_metric zs = {
    .n_fields = 1, .field = &z_field, .compute = z};
static const struct ens_plugin_part parts[] = {
    {"metric", {"mad", "size of the residuals", settings, 1, &mads, 0, 0}},
    {"metric", {"z", "standardised error", NULL, 0, &zs, 0, 0}}};
const struct ens_plugin ensrun_plugin = {ENS_PLUGIN_HEAD, .host = &host,
                                         .parts = parts, .n_parts = 2};
