#include "stop/tally.h"

#include "math/sums.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* -- mean and sd of fields ---------------------------------------------------
 */

struct field {
    char *name;
    struct ens_welford moments;
};

struct fields {
    uint64_t n_records;
    size_t n, cap;
    struct field *item;
    /* where the fields of the last schema are; SIZE_MAX: not numeric */
    uint64_t schema;
    size_t n_at;
    size_t *at;
};

static void free_fields(struct fields *f)
{
    if (f == NULL)
        return;
    for (size_t i = 0; i < f->n; i++)
        free(f->item[i].name);
    free(f->item);
    free(f->at);
    free(f);
}

/* Place of a field by name, added when it is new; SIZE_MAX: no memory. */
static size_t place(struct fields *f, const char *name)
{
    size_t cap = f->cap == 0 ? 8 : 2 * f->cap;
    struct field *p;

    for (size_t i = 0; i < f->n; i++)
        if (strcmp(f->item[i].name, name) == 0)
            return i;
    if (f->n == f->cap) {
        p = realloc(f->item, cap * sizeof(*p));
        if (p == NULL)
            return SIZE_MAX;
        f->item = p;
        f->cap = cap;
    }
    p = &f->item[f->n];
    memset(p, 0, sizeof(*p));
    p->name = strdup(name);
    return p->name == NULL ? SIZE_MAX : f->n++;
}

static enum ens_status use_schema(struct fields *f, const struct ens_schema *s,
                                  struct ens_error *err)
{
    size_t *at = f->at;

    if (f->at != NULL && f->schema == s->hash)
        return ENS_OK;
    if (s->n > f->n_at || at == NULL) {
        at = realloc(f->at, (s->n + 1) * sizeof(*at));
        if (at == NULL)
            return ens_fail(err, ENS_ENOMEMORY, "[stop]: out of memory");
        f->at = at;
        f->n_at = s->n;
    }
    for (size_t i = 0; i < s->n; i++) {
        at[i] = SIZE_MAX;
        if (s->field[i].type == ENS_TEXT)
            continue;
        at[i] = place(f, s->field[i].name);
        if (at[i] == SIZE_MAX)
            return ens_fail(err, ENS_ENOMEMORY, "[stop]: out of memory");
    }
    f->schema = s->hash;
    return ENS_OK;
}

/* All fields that the plan knows of have rows, before any record. */
static enum ens_status new_fields(struct fields **to,
                                  const struct ens_plan *plan,
                                  struct ens_error *err)
{
    struct fields *f = calloc(1, sizeof(*f));
    enum ens_status s = ENS_OK;

    if (f == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "[stop]: out of memory");
    for (size_t i = 0; s == ENS_OK && i < plan->schemas.n; i++)
        s = use_schema(f, plan->schemas.item[i], err);
    if (s == ENS_OK)
        *to = f;
    else
        free_fields(f);
    return s;
}

static enum ens_status add_fields(struct fields *f,
                                  const struct ens_record *rec,
                                  const struct ens_schema *schema,
                                  struct ens_error *err)
{
    enum ens_status s;

    f->n_records++;
    if (rec->status != ENS_TASK_OK || schema == NULL)
        return ENS_OK;
    s = use_schema(f, schema, err);
    for (size_t i = 0; s == ENS_OK && i < schema->n; i++) {
        double x;

        if (f->at[i] == SIZE_MAX)
            continue;
        x = ens_record_f64(rec, schema, i);
        if (!isnan(x))
            ens_welford_add(&f->item[f->at[i]].moments, x);
    }
    return s;
}

/* As export/table_cells.c has them. */
static enum ens_status put_fields(const struct fields *f, ens_measure_fn *sink,
                                  void *arg, struct ens_error *err)
{
    enum ens_status s = ENS_OK;

    for (size_t i = 0; i < f->n && s == ENS_OK; i++) {
        const struct ens_welford *m = &f->item[i].moments;
        double n = (double)m->n;
        double sd = sqrt(ens_welford_var(m));
        struct ens_measure out = {.estimand = f->item[i].name,
                                  .measure = "mean",
                                  .value = m->n > 0 ? m->mean : NAN,
                                  .mcse = sd / sqrt(n),
                                  .n_used = m->n,
                                  .n_missing = f->n_records - m->n};

        s = sink(arg, &out, err);
        out.measure = "sd";
        out.value = sd;
        out.mcse = sd / sqrt(2 * (n - 1));
        if (s == ENS_OK)
            s = sink(arg, &out, err);
    }
    return s;
}

/* -- either -----------------------------------------------------------------
 */

int ens_stop_tally_is_possible(const struct ens_kind *kind)
{
    return kind->tally_new != NULL || kind->measures == NULL;
}

enum ens_status ens_stop_tally_init(struct ens_stop_tally *t,
                                    const struct ens_host *host,
                                    const struct ens_plan *plan,
                                    const struct ens_cell *cell,
                                    struct ens_error *err)
{
    struct fields *f = NULL;
    void *own = NULL;
    enum ens_status s;

    if (plan->kind->tally_new != NULL) {
        s = plan->kind->tally_new(host, plan, cell, &own, err);
    } else {
        s = new_fields(&f, plan, err);
        own = f;
    }
    if (s == ENS_OK)
        *t = (struct ens_stop_tally){plan->kind, own};
    return s;
}

void ens_stop_tally_fini(struct ens_stop_tally *t)
{
    if (t->own == NULL)
        return;
    if (t->kind->tally_new != NULL)
        t->kind->tally_free(t->own);
    else
        free_fields(t->own);
    t->own = NULL;
}

enum ens_status ens_stop_tally_add(struct ens_stop_tally *t,
                                   const struct ens_record *rec,
                                   const struct ens_schema *schema,
                                   struct ens_error *err)
{
    return t->kind->tally_new != NULL
               ? t->kind->tally_add(t->own, rec, schema, err)
               : add_fields(t->own, rec, schema, err);
}

enum ens_status ens_stop_tally_rows(const struct ens_stop_tally *t,
                                    ens_measure_fn *sink, void *arg,
                                    struct ens_error *err)
{
    return t->kind->tally_new != NULL
               ? t->kind->tally_rows(t->own, sink, arg, err)
               : put_fields(t->own, sink, arg, err);
}
