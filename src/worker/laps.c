/* Laps: the parts of a task's time that its kind names. */
#include "worker/inside.h"

#include "base/clock.h"

#include <math.h>
#include <string.h>

void ens_laps_begin(struct ens_result *r)
{
    if (r->worker->kind->n_laps == 0)
        return;
    r->n_laps = 0;
    for (size_t i = 0; i < ENS_MAX_LAPS; i++)
        r->lap_s[i] = NAN;
    r->lap_ns = ens_clock_ns();
}

void ens_result_lap(struct ens_result *r, const char *name)
{
    const struct ens_kind *kind = r->worker->kind;
    uint64_t now = ens_clock_ns();
    double spent = (double)(now - r->lap_ns) * 1e-9;
    size_t i = 0;

    while (i < kind->n_laps && strcmp(kind->laps[i].name, name) != 0)
        i++;
    if (i == kind->n_laps) {
        ens_fail(&r->misuse, ENS_EUSAGE, "lap %s: the kind declares no such",
                 name);
        return;
    }
    r->lap_s[i] = isnan(r->lap_s[i]) ? spent : r->lap_s[i] + spent;
    if (i >= r->n_laps)
        r->n_laps = i + 1;
    r->lap_ns = now;
}

void ens_laps_put(struct ens_result *r)
{
    if (r->n_laps > 0)
        ens_draft_laps(&r->draft, r->lap_s, r->n_laps);
}
