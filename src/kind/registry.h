/* The kinds that are built in, from kinds/x.def. */
#ifndef ENS_KIND_REGISTRY_H
#define ENS_KIND_REGISTRY_H

#include "config/study.h"
#include <ensrun/kind.h>

struct ens_kind_table {
    const struct ens_kind *const *item;
    size_t n;
};

const struct ens_kind *ens_kind_find(const struct ens_kind_table *t,
                                     const char *name);
/** Settings tables of a kind as config wants them. */
struct ens_study_tables ens_kind_tables(const struct ens_kind *k);

#endif
