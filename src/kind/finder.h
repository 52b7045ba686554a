/* Finds what a study file names: kinds that are built in, and what plugins
 * have. One per study that is read; every process reads it by itself. */
#ifndef ENS_KIND_FINDER_H
#define ENS_KIND_FINDER_H

#include "kind/plugin.h"
#include "kind/registry.h"

#define ENS_FINDER_NAMES 64

struct ens_finder {
    const struct ens_kind_table *table; /* built in */
    const struct ens_host *host;        /* for plugins */
    int alone;                          /* see ens_plugin_open */
    const char *names[ENS_FINDER_NAMES];
    size_t n_files;
    struct ens_plugin_file *file; /* opened so far */
    const struct ens_kind *kind;  /* found last: that of the study */
    struct ens_study_tables tables;
};

void ens_finder_init(struct ens_finder *f, const struct ens_kind_table *table,
                     const struct ens_host *host);
/** After the study: it points to what was found. */
void ens_finder_fini(struct ens_finder *f);
/** For ens_study_load; f must stay where it is. */
struct ens_study_kinds ens_finder_kinds(struct ens_finder *f);
/** An opened plugin, by its absolute path. Lent until the next call. */
enum ens_status ens_finder_file(struct ens_finder *f, const char *path,
                                const struct ens_plugin_file **file,
                                struct ens_error *err);
/** Of the files that were opened: changes when one of them does. */
uint64_t ens_finder_hash(const struct ens_finder *f);

#endif
