#include "store/tables_in.h"

#include <ensrun/kind.h>
#include <stdlib.h>
#include <string.h>

struct ens_tables_lent {
    struct ens_tables_lent *next;
    struct ens_records records;
};

enum ens_status ens_tables_in_init(struct ens_tables_in *in, const char *dir,
                                   const struct ens_log *log,
                                   const struct ens_study *study,
                                   const struct ens_tables_stage *stage,
                                   size_t n, struct ens_error *err)
{
    memset(in, 0, sizeof(*in));
    in->dir = dir;
    in->log = log;
    in->study = study;
    in->n = n;
    in->stage = calloc(n + 1, sizeof(*in->stage));
    in->places = calloc(n + 1, sizeof(*in->places));
    in->made = calloc(n + 1, sizeof(*in->made));
    if (in->stage == NULL || in->places == NULL || in->made == NULL) {
        ens_tables_in_fini(in);
        return ens_fail(err, ENS_ENOMEMORY, "tables: out of memory");
    }
    for (size_t i = 0; i < n; i++)
        in->stage[i] = stage[i];
    ens_records_none(&in->arrays, study, dir);
    return ENS_OK;
}

void ens_tables_in_rewind(struct ens_tables_in *in, int facts)
{
    struct ens_tables_lent *next;

    for (struct ens_tables_lent *l = in->lent; l != NULL; l = next) {
        next = l->next;
        ens_records_fini(&l->records);
        free(l);
    }
    in->lent = NULL;
    in->facts = facts;
    ens_records_fini(&in->arrays);
}

void ens_tables_in_fini(struct ens_tables_in *in)
{
    ens_tables_in_rewind(in, 0);
    for (size_t i = 0; in->made != NULL && i < in->n; i++)
        ens_places_free(in->made[i]);
    free(in->stage);
    free(in->places);
    free(in->made);
    memset(in, 0, sizeof(*in));
}

void ens_tables_in_put(struct ens_tables_in *in,
                       const struct ens_places *places)
{
    for (size_t i = 0; i < in->n; i++)
        if (in->stage[i].def->id == ens_places_stage(places)->id)
            in->places[i] = places;
}

/* The last one with that key; n when there is none. */
static size_t find(const struct ens_tables_in *in, const char *key)
{
    for (size_t i = in->n; i-- > 0;)
        if (strcmp(in->stage[i].def->key, key) == 0)
            return i;
    return in->n;
}

static enum ens_status index_stage(struct ens_tables_in *in, size_t i,
                                   struct ens_error *err)
{
    enum ens_status s;

    if (in->places[i] != NULL)
        return ENS_OK;
    s = ens_places_build(&in->made[i], in->dir, in->log, NULL, in->study,
                         in->stage[i].def, err);
    in->places[i] = in->made[i];
    return s;
}

enum ens_status ens_tables_in_records(struct ens_tables_in *in, const char *key,
                                      uint64_t cell,
                                      struct ens_records **records,
                                      struct ens_error *err)
{
    size_t i = find(in, key);
    const struct ens_stage *stage = i < in->n ? in->stage[i].def : NULL;
    uint32_t of_cell = stage != NULL ? ens_stage_replicates(stage, cell) : 0;
    struct ens_tables_lent *l;
    enum ens_status s = stage != NULL ? index_stage(in, i, err) : ENS_OK;

    if (s != ENS_OK)
        return s;
    l = calloc(1, sizeof(*l));
    if (l == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "tables: out of memory");
    if (stage != NULL && cell == ENS_ALL_CELLS)
        ens_records_init(&l->records, in->places[i], in->dir, 0,
                         ens_stage_n_tasks(stage));
    else if (of_cell > 0)
        ens_records_init(&l->records, in->places[i], in->dir,
                         ens_stage_place(stage, cell, 1), of_cell);
    else
        ens_records_none(&l->records, in->study, in->dir);
    l->records.no_facts = !in->facts;
    l->next = in->lent;
    in->lent = l;
    *records = &l->records;
    return ENS_OK;
}

int ens_tables_in_finished(const struct ens_tables_in *in, const char *key)
{
    size_t i = find(in, key);

    return i < in->n && in->stage[i].finished;
}

enum ens_status ens_tables_in_array(struct ens_tables_in *in, const char *array,
                                    uint64_t cell, struct ens_view *view,
                                    struct ens_error *err)
{
    return ens_records_array(&in->arrays, array, cell, view, err);
}
