#include "kind/finder.h"

#include <stdlib.h>
#include <string.h>

void ens_finder_init(struct ens_finder *f, const struct ens_kind_table *table,
                     const struct ens_host *host)
{
    memset(f, 0, sizeof(*f));
    f->table = table;
    f->host = host;
    for (size_t i = 0; i < table->n && i + 1 < ENS_FINDER_NAMES; i++)
        f->names[i] = table->item[i]->name;
}

void ens_finder_fini(struct ens_finder *f)
{
    for (size_t i = 0; i < f->n_files; i++)
        ens_plugin_close(&f->file[i]);
    free(f->file);
    memset(f, 0, sizeof(*f));
}

static const struct ens_study_tables *take(struct ens_finder *f,
                                           const struct ens_kind *kind)
{
    f->kind = kind;
    f->tables = ens_kind_tables(kind);
    return &f->tables;
}

static const struct ens_study_tables *find(void *arg, const char *name)
{
    struct ens_finder *f = arg;
    const struct ens_kind *k = ens_kind_find(f->table, name);

    return k == NULL ? NULL : take(f, k);
}

enum ens_status ens_finder_file(struct ens_finder *f, const char *path,
                                const struct ens_plugin_file **file,
                                struct ens_error *err)
{
    struct ens_plugin_file *p;
    enum ens_status s;

    for (size_t i = 0; i < f->n_files; i++)
        if (strcmp(f->file[i].path, path) == 0) {
            *file = &f->file[i];
            return ENS_OK;
        }
    p = realloc(f->file, (f->n_files + 1) * sizeof(*p));
    if (p == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    f->file = p;
    s = ens_plugin_open(&p[f->n_files], path, f->host, f->alone, err);
    if (s == ENS_OK)
        *file = &p[f->n_files++];
    return s;
}

static enum ens_status find_kind(void *arg, const char *path, const char *name,
                                 const struct ens_study_tables **tables,
                                 struct ens_error *err)
{
    const struct ens_plugin_file *file;
    const struct ens_kind *kind;
    enum ens_status s = ens_finder_file(arg, path, &file, err);

    if (s == ENS_OK)
        s = ens_plugin_kind(file, name, &kind, err);
    if (s == ENS_OK)
        *tables = take(arg, kind);
    return s;
}

static enum ens_status find_impl(void *arg, const char *path, const char *key,
                                 const char *name, const struct ens_impl **impl,
                                 struct ens_error *err)
{
    const struct ens_plugin_file *file;
    enum ens_status s = ens_finder_file(arg, path, &file, err);

    return s == ENS_OK ? ens_plugin_part(file, key, name, impl, err) : s;
}

static const struct ens_study_plugins plugins = {find_kind, find_impl};

struct ens_study_kinds ens_finder_kinds(struct ens_finder *f)
{
    return (struct ens_study_kinds){find, f->names, f, &plugins};
}

uint64_t ens_finder_hash(const struct ens_finder *f)
{
    uint64_t h = 0;

    for (size_t i = 0; i < f->n_files; i++)
        h = ens_hash64_pair(h, f->file[i].digest.low);
    return h;
}
