#include "export/tables.h"

#include "base/bug.h"
#include "export/table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define X(name) extern const struct ens_table ens_table_##name;
#include "export/tables.def"
#undef X

static const struct ens_table *const all[] = {
#define X(name) &ens_table_##name,
#include "export/tables.def"
#undef X
};

const struct ens_table *ens_table_at(size_t i)
{
    return i < ENS_COUNT(all) ? all[i] : NULL;
}

const struct ens_table *ens_table_find(const char *name)
{
    for (size_t i = 0; i < ENS_COUNT(all); i++)
        if (strcmp(all[i]->name, name) == 0)
            return all[i];
    return NULL;
}

const char *ens_table_name(const struct ens_table *table)
{
    return table->name;
}

const char *ens_table_help(const struct ens_table *table)
{
    return table->help;
}

/* What tables of the kind read. Shown stages are indexed already. */
static enum ens_status open_in(struct ens_tables *t, struct ens_error *err)
{
    const struct ens_tables_request *rq = &t->rq;
    enum ens_status s;

    t->in = calloc(1, sizeof(*t->in));
    if (t->in == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "tables: out of memory");
    s = ens_tables_in_init(t->in, rq->dir, rq->log, t->study, rq->known,
                           rq->n_known, err);
    for (size_t i = 0; s == ENS_OK && i < rq->n_stages; i++)
        ens_tables_in_put(t->in, rq->stage[i]);
    return s;
}

static enum ens_status open_own(struct ens_tables *t, struct ens_error *err)
{
    const struct ens_kind *kind = t->rq.plan->kind;

    t->own = calloc(kind->n_tables + 1, sizeof(*t->own));
    if (t->own == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "tables: out of memory");
    t->n_own = kind->n_tables;
    for (size_t i = 0; i < t->n_own; i++) {
        const struct ens_table_def *def = &kind->tables[i];

        t->own[i].name = def->name;
        t->own[i].help = def->help;
        t->own[i].written = def->written;
        t->own[i].def = def;
    }
    return open_in(t, err);
}

enum ens_status ens_tables_open(struct ens_tables **t,
                                const struct ens_tables_request *rq,
                                struct ens_error *err)
{
    struct ens_tables *new = calloc(1, sizeof(*new));
    enum ens_status s;

    if (rq->n_stages == 0) {
        free(new);
        return ens_fail(err, ENS_EPROTOCOL,
                        "tables: all stages are internal, none is shown");
    }
    if (new == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "tables: out of memory");
    new->rq = *rq;
    new->study = rq->plan->study;
    s = ens_fields_init(&new->fields, rq->stage, rq->n_stages, err);
    if (s == ENS_OK)
        s = open_own(new, err);
    if (s != ENS_OK) {
        ens_tables_close(new);
        return s;
    }
    *t = new;
    return ENS_OK;
}

void ens_tables_close(struct ens_tables *t)
{
    if (t == NULL)
        return;
    if (t->in != NULL)
        ens_tables_in_fini(t->in);
    free(t->in);
    free(t->own);
    ens_fields_fini(&t->fields);
    free(t);
}

static enum ens_status write_table(const struct ens_tables *t,
                                   const struct ens_table *table,
                                   const char *path, struct ens_error *err)
{
    struct ens_selection everything = {NULL, NULL, 0};
    struct ens_sheet sheet;
    struct ens_out out;
    enum ens_status s = ens_sheet_init(&sheet, t, table, &everything, err);

    if (s != ENS_OK)
        return s;
    s = ens_out_create(&out, path, t->rq.io, err);
    if (s == ENS_OK) {
        s = ens_sheet_export(&sheet, ens_exporter_find("csv"), &out, err);
        if (s == ENS_OK)
            s = ens_out_commit(&out, err);
        else
            ens_out_abort(&out);
    }
    ens_sheet_fini(&sheet);
    return s;
}

static enum ens_status one_file(const struct ens_tables *t,
                                const struct ens_table *table, int too_many,
                                struct ens_error *err)
{
    char path[4096];
    int n = snprintf(path, sizeof(path), "%s/%s.csv", t->rq.dir, table->name);

    if (n < 0 || (size_t)n >= sizeof(path))
        return ens_fail(err, ENS_EIO, "%s: path too long", t->rq.dir);
    if (!table->per_task || !too_many)
        return write_table(t, table, path, err);
    if (unlink(path) != 0 && errno != ENOENT) /* it would be an older one */
        return ens_fail_errno(err, ENS_EIO, "cannot remove %s", path);
    return ENS_OK;
}

enum ens_status ens_tables_write(const struct ens_tables_request *rq,
                                 struct ens_error *err)
{
    struct ens_tables *t;
    uint64_t n_tasks = 0;
    enum ens_status s = ens_tables_open(&t, rq, err);

    if (s != ENS_OK)
        return s;
    for (size_t i = 0; i < rq->n_stages; i++)
        n_tasks += ens_stage_n_tasks(ens_places_stage(rq->stage[i]));
    for (size_t i = 0; i < ENS_COUNT(all) && s == ENS_OK; i++)
        if (all[i]->written)
            s = one_file(t, all[i], n_tasks > rq->table_rows, err);
    for (size_t i = 0; i < t->n_own && s == ENS_OK; i++)
        if (t->own[i].written)
            s = one_file(t, &t->own[i], 0, err);
    for (size_t i = 0; i < rq->plan->kind->n_files && s == ENS_OK; i++)
        s = ens_file_write(t, &rq->plan->kind->files[i], err);
    ens_tables_close(t);
    return s;
}
