/* What tasks compute because a setting of class run asks for it: then it is
 * part of the fingerprint. */
#include "base/number.h"
#include "config/model.h"
#include "kinds/simulation/measures/choice.h"
#include "kinds/simulation/metrics/metrics.h"
#include "kinds/simulation/model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static int same(double a, double b)
{
    return fabs(a - b) < 1e-12;
}

/* Has some fit draws, and limits at another level? */
static int is_needed(const struct ens_study *study, double level)
{
    const struct ens_role_rows *rows = ens_study_rows(study, "fit");

    for (size_t i = 0; i < rows->n; i++) {
        const struct ens_fitter *f = rows->row[i].impl->ops;
        const struct ens_key *key = ens_row_find(&rows->row[i], "level");

        if (!(f->delivers & ENS_DELIVERS_DRAWS))
            continue;
        if (key == NULL)
            return 1;
        for (size_t k = 0; k < key->value.n; k++)
            if (!same(key->value.v[k].d, level))
                return 1;
    }
    return 0;
}

enum ens_status ens_simulation_levels(const struct ens_study *study,
                                      double level[ENS_SIMULATION_MAX_LIMITS],
                                      size_t *n, struct ens_error *err)
{
    struct ens_choice c;
    enum ens_status s = ens_choice_read(&c, study, err);

    *n = 0;
    for (size_t i = 0; s == ENS_OK && i < c.n; i++) {
        unsigned flags = c.item[i].def->flags;
        double at = c.item[i].level;
        size_t k = 0;

        if (!(flags & (ENS_MEASURE_LEVEL | ENS_MEASURE_ALPHA)) || isnan(at) ||
            !is_needed(study, at))
            continue;
        while (k < *n && !same(level[k], at))
            k++;
        if (k == ENS_SIMULATION_MAX_LIMITS)
            return ens_fail(err, ENS_ESTUDY,
                            "[metrics]: more than %d levels for fits with "
                            "draws",
                            ENS_SIMULATION_MAX_LIMITS);
        if (k < *n)
            continue;
        for (; k > 0 && level[k - 1] > at; k--)
            level[k] = level[k - 1];
        level[k] = at;
        ++*n;
    }
    return s;
}

static void put(char *to, size_t cap, const char *text)
{
    size_t n = strlen(to);

    snprintf(to + n, cap - n, "%s%s", n > 0 ? ", " : "", text);
}

static int is_used(const struct ens_study *study, const struct ens_metric *ops)
{
    const struct ens_value *use = ens_study_value(study, "metrics", "use");
    const char *own;

    for (size_t i = 0; i < use->n_list; i++)
        if (use->list[i].call.impl != NULL &&
            use->list[i].call.impl->ops == ops)
            return 1;
    for (size_t i = 0; (own = ens_study_own_key(study, "metrics", i)); i++) {
        const struct ens_value *v = ens_study_value(study, "metrics", own);

        if (v->call.impl != NULL && v->call.impl->ops == ops)
            return 1;
    }
    return 0;
}

void ens_simulation_computed(const struct ens_study *study, char *to,
                             size_t cap)
{
    double level[ENS_SIMULATION_MAX_LIMITS];
    size_t n;

    to[0] = '\0';
    if (ens_simulation_levels(study, level, &n, NULL) != ENS_OK)
        return; /* plan says what is wrong */
    for (size_t k = 0; k < n; k++) {
        char number[ENS_NUMBER_BYTES], text[64];

        ens_number_format(number, level[k]);
        snprintf(text, sizeof(text), "limits(level=%s)", number);
        put(to, cap, text);
    }
    if (is_used(study, &ens_metric_p_value)) {
        put(to, cap, ens_study_value(study, "metrics", "terms")->text);
        put(to, cap, ens_study_value(study, "metrics", "reference")->text);
    }
}
