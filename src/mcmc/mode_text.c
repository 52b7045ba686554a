#include "mcmc/mode.h"

#include "base/number.h"

#include <string.h>

static enum ens_status fail_at(const struct ens_mode *m,
                               const char *const *name, const char *what,
                               struct ens_error *err)
{
    char number[ENS_NUMBER_BYTES];

    ens_number_format(number, m->q[m->where]);
    if (name)
        return ens_fail(err, ENS_EDOMAIN, "no mode: %s %s (now at %s)", what,
                        name[m->where], number);
    return ens_fail(err, ENS_EDOMAIN, "no mode: %s parameter %zu (now at %s)",
                    what, m->where + 1, number);
}

enum ens_status ens_mode_explain(const struct ens_mode *m,
                                 const char *const *name, struct ens_error *err)
{
    switch (m->status) {
    case ENS_MODE_FOUND:
        return ENS_OK;
    case ENS_MODE_NO_START:
        return ens_fail(err, ENS_EDOMAIN,
                        "no mode: the log density or its gradient is not "
                        "finite at the starting point");
    case ENS_MODE_FLAT:
        return fail_at(m, name,
                       "the log density is flat (collinear predictors, a "
                       "prior missing?) along",
                       err);
    case ENS_MODE_RISES:
        return fail_at(m, name,
                       "the log density rises without end (separated data, a "
                       "variance of zero?) along",
                       err);
    case ENS_MODE_STUCK:
        return ens_fail(err, ENS_EDOMAIN,
                        "no mode: no step raises the log density after %u "
                        "(its gradient is wrong or not finite)",
                        m->iterations);
    }
    return ENS_OK;
}
