#include "fit/fitter.h"

#include "math/linalg.h"
#include "math/order.h"
#include "math/quantile.h"
#include "math/sums.h"

#include <math.h>

enum ens_link_function ens_family_link(enum ens_family family)
{
    static const enum ens_link_function link[] = {
#define LINK(name, text, link, parameter) ENS_LINK_##link,
        ENS_FAMILY_LIST(LINK)
#undef LINK
    };

    return link[family];
}

const char *ens_family_text(enum ens_family family)
{
    static const char *const text[] = {
#define TEXT(name, text, link, parameter) text,
        ENS_FAMILY_LIST(TEXT)
#undef TEXT
    };

    return text[family];
}

enum ens_status ens_fit_level(const struct ens_cell *cell, const char *role,
                              double *level, struct ens_error *err)
{
    const struct ens_value *v = ens_cell_value(cell, role, "level");

    if (!(v->d > 0 && v->d < 1))
        return ens_fail(err, ENS_ESTUDY, "level: %s is not between 0 and 1",
                        v->text);
    *level = v->d;
    return ENS_OK;
}

/* Of the first n parameters. */
static enum ens_status check_finite(const struct ens_fit_result *r, size_t n,
                                    const struct ens_fit_problem *problem,
                                    const char *why, struct ens_error *err)
{
    for (size_t j = 0; j < n; j++)
        if (!isfinite(r->estimate[j])) {
            if (j < problem->p)
                return ens_fail(err, ENS_EDOMAIN,
                                "estimate of '%s' is not finite%s",
                                problem->term[j], why);
            return ens_fail(err, ENS_EDOMAIN,
                            "estimate of parameter %zu is not finite%s", j + 1,
                            why);
        }
    return ENS_OK;
}

enum ens_status ens_fit_limits(struct ens_fit_result *r,
                               const struct ens_fit_problem *problem,
                               double level, struct ens_error *err)
{
    size_t p = problem->p;
    double half = ens_quantile_halfwidth(level, r->df);
    enum ens_status s =
        check_finite(r, p, problem, ": the values are too large", err);

    if (s != ENS_OK)
        return s;
    for (size_t j = 0; j < p; j++) {
        r->std_error[j] = sqrt(r->cov[j + j * p]);
        if (isinf(r->std_error[j]))
            return ens_fail(err, ENS_EDOMAIN,
                            "standard error of '%s' is not finite: the values "
                            "are too large",
                            problem->term[j]);
        r->conf_low[j] = r->estimate[j] - half * r->std_error[j];
        r->conf_high[j] = r->estimate[j] + half * r->std_error[j];
    }
    return ENS_OK;
}

static void keep(double *to, double value)
{
    if (isnan(*to))
        *to = value;
}

/* Of one parameter; sorted[n + ENS_ORDER_WORK] is scratch. */
static void summarise(struct ens_fit_result *r, size_t j, double level,
                      double *sorted, size_t n)
{
    const double *draw = r->draws.value + j * n;
    double mean = ens_sum(draw, n) / (double)n;

    for (size_t i = 0; i < n; i++)
        sorted[i] = (draw[i] - mean) * (draw[i] - mean);
    keep(&r->estimate[j], mean);
    keep(&r->std_error[j],
         n > 1 ? sqrt(ens_sum(sorted, n) / (double)(n - 1)) : NAN);
    if ((!isnan(r->conf_low[j]) && !isnan(r->conf_high[j])) || isnan(mean) ||
        n < 2)
        return;
    ens_order(draw, n, sorted, NULL, sorted + n);
    keep(&r->conf_low[j], ens_quantile_sorted(sorted, n, (1 - level) / 2));
    keep(&r->conf_high[j], ens_quantile_sorted(sorted, n, (1 + level) / 2));
}

/* centred[n p + ENS_GRAM_WORK(p) + p p] is scratch. */
static void covariance(struct ens_fit_result *r, size_t p, double *centred,
                       size_t n)
{
    double *work = centred + n * p, *gram = work + ENS_GRAM_WORK(p);

    for (size_t j = 0; j < p; j++) {
        const double *draw = r->draws.value + j * n;
        double mean = ens_sum(draw, n) / (double)n;

        for (size_t i = 0; i < n; i++)
            centred[i + j * n] = draw[i] - mean;
    }
    ens_gram(centred, n, p, NULL, gram, work);
    for (size_t j = 0; j < p; j++)
        for (size_t k = 0; k <= j && n > 1; k++) {
            keep(&r->cov[j + k * p], gram[j + k * p] / (double)(n - 1));
            r->cov[k + j * p] = r->cov[j + k * p];
        }
}

enum ens_status ens_fit_summarise(const struct ens_job *job,
                                  struct ens_fit_result *r, size_t p,
                                  double level, struct ens_error *err)
{
    size_t n = r->draws.n_chains * r->draws.n_draws;
    double *sorted = NULL, *centred = NULL;
    int of_draws = 0;

    if (n == 0)
        return ENS_OK;
    if (n <= UINT32_MAX && p <= UINT32_MAX)
        sorted = job->host->alloc(job->result, n + ENS_ORDER_WORK(n),
                                  sizeof(*sorted));
    if (sorted)
        centred = job->host->alloc(
            job->result, n * p + ENS_GRAM_WORK(p) + p * p, sizeof(*centred));
    if (!centred)
        return ens_fail(err, ENS_ENOMEMORY, "summary of %zu draws", n);
    for (size_t j = 0; j < r->n_parameters; j++) {
        of_draws |= isnan(r->conf_low[j]) || isnan(r->conf_high[j]);
        summarise(r, j, level, sorted, n);
    }
    covariance(r, p, centred, n);
    if (of_draws && (double)n * (1 - level) < 2)
        ens_fit_warn(r, "too few draws for the limits: none lies beyond them");
    return ENS_OK;
}

enum ens_status ens_fit_complete(struct ens_fit_result *r,
                                 const struct ens_fit_problem *problem,
                                 double level, struct ens_error *err)
{
    size_t p = problem->p;
    double half = NAN;

    for (size_t j = 0; j < r->n_parameters; j++) {
        if (isnan(r->std_error[j]) && j < p)
            r->std_error[j] = sqrt(r->cov[j + j * p]);
        if (!isnan(r->conf_low[j]) || !isnan(r->conf_high[j]) ||
            isnan(r->std_error[j]))
            continue;
        if (isnan(half))
            half = ens_quantile_halfwidth(level, r->df);
        r->conf_low[j] = r->estimate[j] - half * r->std_error[j];
        r->conf_high[j] = r->estimate[j] + half * r->std_error[j];
    }
    return check_finite(r, r->n_parameters, problem, "", err);
}

void ens_fit_warn(struct ens_fit_result *r, const char *text)
{
    if (r->n_warnings < ENS_FIT_MAX_WARNINGS)
        r->warning[r->n_warnings++] = text;
}
