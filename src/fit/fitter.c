#include "fit/fitter.h"

#include "math/quantile.h"

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

static enum ens_status check_finite(const struct ens_fit_result *r,
                                    const struct ens_fit_problem *problem,
                                    const char *why, struct ens_error *err)
{
    for (size_t j = 0; j < problem->p; j++)
        if (!isfinite(r->estimate[j]))
            return ens_fail(err, ENS_EDOMAIN,
                            "estimate of '%s' is not finite%s",
                            problem->term[j], why);
    return ENS_OK;
}

enum ens_status ens_fit_limits(struct ens_fit_result *r,
                               const struct ens_fit_problem *problem,
                               double level, struct ens_error *err)
{
    size_t p = problem->p;
    double half = ens_quantile_halfwidth(level, r->df);
    enum ens_status s =
        check_finite(r, problem, ": the values are too large", err);

    if (s != ENS_OK)
        return s;
    for (size_t j = 0; j < p; j++) {
        r->std_error[j] = sqrt(r->cov[j + j * p]);
        r->conf_low[j] = r->estimate[j] - half * r->std_error[j];
        r->conf_high[j] = r->estimate[j] + half * r->std_error[j];
    }
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
    return check_finite(r, problem, "", err);
}

void ens_fit_warn(struct ens_fit_result *r, const char *text)
{
    if (r->n_warnings < ENS_FIT_MAX_WARNINGS)
        r->warning[r->n_warnings++] = text;
}
