/* A fitter: the lasso, by coordinate descent. It minimises
 * |y - X b|^2 / 2 + lambda sum |b_j| over all terms but the intercept.
 *
 *   cc -std=c11 -O2 -shared -fPIC -I include -o lasso.so lasso.c -lm
 *   ensrun lasso.ini */
#include <ensrun/plugin.h>
#include <math.h>
#include <string.h>

#define MAX_SWEEPS 10000

static const struct ens_host *host; /* set when this file is loaded */

static const struct ens_setting settings[] = {
    ENS_FIT_SETTING_FORMULA,
    ENS_FIT_SETTING_LEVEL,
    ENS_SETTING("fit", "lambda", NUM, AXIS, CELL, "1", 0, 1e300, "penalty"),
};

static size_t work(size_t n, size_t p) /* the residuals */
{
    return p > 0 ? n : 0;
}

/* Move one coefficient to where the sum is least; by how much. */
static double step(const double *x, double *residual, size_t n, double lambda,
                   double *b)
{
    double xx = 0, xr = 0, to, by;

    for (size_t i = 0; i < n; i++) {
        xx += x[i] * x[i];
        xr += x[i] * residual[i];
    }
    xr += xx * *b;
    to = xx > 0 ? copysign(fmax(fabs(xr) - lambda, 0), xr) / xx : 0;
    by = to - *b;
    for (size_t i = 0; i < n; i++)
        residual[i] -= by * x[i];
    *b = to;
    return fabs(by) * sqrt(xx);
}

static enum ens_status fit(const struct ens_job *job,
                           const struct ens_fit_options *o,
                           const struct ens_fit_problem *d, double *residual,
                           struct ens_fit_result *r, struct ens_error *err)
{
    double lambda = host->cell_value(&job->task->cell, "fit", "lambda")->d;
    double moved = INFINITY, size = 0;

    (void)o; /* the level of limits; the lasso has none: they stay missing */
    for (size_t i = 0; i < d->n; i++)
        size += d->y[i] * d->y[i];
    memcpy(residual, d->y, d->n * sizeof(*residual));
    for (size_t j = 0; j < d->p; j++)
        r->estimate[j] = 0;
    while (moved > 1e-10 * sqrt(size)) {
        if (r->iterations++ == MAX_SWEEPS)
            return host->fail(err, ENS_EDOMAIN, "no end after %d sweeps",
                              MAX_SWEEPS);
        moved = 0;
        for (size_t j = 0; j < d->p; j++) {
            int is_free = strcmp(d->term[j], "intercept") == 0;

            moved = fmax(moved, step(d->x + j * d->n, residual, d->n,
                                     is_free ? 0 : lambda, &r->estimate[j]));
        }
    }
    return ENS_OK;
}

static const struct ens_fitter lasso = {.work = work, .fit = fit};
static const struct ens_plugin_part parts[] = {
    {"fitter", {"lasso", "the lasso", settings, 3, &lasso, 0, 0}}};
const struct ens_plugin ensrun_plugin = {ENS_PLUGIN_HEAD, .host = &host,
                                         .parts = parts, .n_parts = 1};
