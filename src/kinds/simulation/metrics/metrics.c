#include "kinds/simulation/metrics/metrics.h"

#include "base/number.h"
#include "math/order.h"

#include <math.h>
#include <string.h>

double ens_metric_number(const struct ens_call *call, size_t i)
{
    double v;

    if (i >= call->n ||
        ens_number_parse(call->arg[i].text, strlen(call->arg[i].text), &v) != 0)
        return NAN;
    return v;
}

enum ens_status ens_metric_check_share(const struct ens_call *call,
                                       struct ens_metric_field *field,
                                       size_t *n, char (*name)[ENS_METRIC_NAME],
                                       struct ens_error *err)
{
    double v = ens_metric_number(call, 0);

    (void)field;
    (void)n;
    (void)name;
    if (!isnan(v) && !(v > 0 && v < 1))
        return ens_fail(err, ENS_ESTUDY, "%s: %s: %s is not between 0 and 1",
                        call->name, call->arg[0].key, call->arg[0].text);
    return ENS_OK;
}

enum ens_status ens_metric_draws(const struct ens_job *job,
                                 const struct ens_metric_input *in,
                                 struct ens_metric_draws *d,
                                 struct ens_error *err)
{
    size_t n = in->fit->draws.n_chains * in->fit->draws.n_draws;

    *d = (struct ens_metric_draws){.n = n};
    if (n == 0)
        return ENS_OK;
    d->own = job->host->alloc(job->result, n, sizeof(*d->own));
    d->work =
        job->host->alloc(job->result, ENS_ORDER_WORK(n), sizeof(*d->work));
    if (d->own == NULL || d->work == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "%zu draws", n);
    return ENS_OK;
}

int ens_metric_draws_of(const struct ens_metric_input *in, size_t j,
                        struct ens_metric_draws *d)
{
    if (d->n == 0)
        return 0;
    d->x = in->fit->draws.value + in->place[j] * d->n;
    for (size_t i = 0; i < d->n; i++)
        if (!isfinite(d->x[i]))
            return 0;
    ens_order(d->x, d->n, d->own, NULL, d->work);
    d->sorted = d->own;
    return 1;
}

double ens_metric_mean(const double *v, size_t n)
{
    double sum = 0;
    size_t used = 0;

    for (size_t i = 0; i < n; i++)
        if (!isnan(v[i])) {
            sum += v[i];
            used++;
        }
    return used > 0 ? sum / (double)used : NAN;
}
