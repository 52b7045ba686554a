#include "kind/registry.h"

#include <string.h>

const struct ens_kind *ens_kind_find(const struct ens_kind_table *t,
                                     const char *name)
{
    size_t i;

    for (i = 0; i < t->n; i++)
        if (strcmp(t->item[i]->name, name) == 0)
            return t->item[i];
    return NULL;
}

struct ens_study_tables ens_kind_tables(const struct ens_kind *k)
{
    struct ens_study_tables t = {
        .kind = k->name,
        .results_version = k->results_version,
        .settings = k->settings,
        .n_settings = k->n_settings,
        .roles = k->roles,
        .n_roles = k->n_roles,
        .calls = k->calls,
        .n_calls = k->n_calls,
        .computed = k->computed,
    };

    return t;
}
