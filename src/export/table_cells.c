/* cells: a row per cell, estimand and measure, from the kind or by default
 * the mean and sd of every numeric field. */
#include "export/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Running mean and sum of squares (Welford 1962), in replicate order, which
 * is part of the contract: equal bits for equal records. */
struct moments {
    uint64_t n;
    double mean, m2;
    int present; /* a schema of the cell has the field */
};

struct cells {
    const struct ens_tables *t;
    struct ens_row *row;
    struct ens_table_cell cell;
    const struct ens_places *places;
    struct moments *moments; /* of each field column */
};

static void cells_columns(const struct ens_tables *t, struct ens_columns *c)
{
    ens_columns_stage(c, t);
    ens_columns_cell(c);
    ens_columns_axes(c, t);
    ens_columns_add(c, "estimand", ENS_DATUM_TEXT, "", "what is measured");
    ens_columns_add(c, "measure", ENS_DATUM_TEXT, "", "by which measure");
    ens_columns_add(c, "value", ENS_DATUM_NUM, "", "of the measure");
    ens_columns_add(c, "mcse", ENS_DATUM_NUM, "",
                    "Monte Carlo standard error of the value");
    ens_columns_add(c, "n_used", ENS_DATUM_INT, "", "tasks that contribute");
    ens_columns_add(c, "n_missing", ENS_DATUM_INT, "",
                    "tasks that do not: not ok, or without a value");
}

static enum ens_status put_measure(void *arg, const struct ens_measure *m,
                                   struct ens_error *err)
{
    struct cells *a = arg;

    ens_row_stage(a->row, a->t, ens_places_stage(a->places));
    ens_row_text(a->row, a->cell.id, 16);
    ens_row_axes(a->row, a->t, &a->cell);
    ens_row_string(a->row, m->estimand);
    ens_row_string(a->row, m->measure);
    ens_row_num(a->row, m->value);
    ens_row_num(a->row, m->mcse);
    ens_row_int(a->row, (int64_t)m->n_used);
    ens_row_int(a->row, (int64_t)m->n_missing);
    return ens_row_end(a->row, err);
}

static void add_record(struct cells *a, const struct ens_record *r)
{
    const struct ens_fields_map *map =
        ens_fields_find(&a->t->fields, r->schema);

    for (size_t i = 0; map != NULL && i < map->schema->n; i++) {
        struct moments *m = &a->moments[map->column[i]];
        double x;
        double d;

        if (map->schema->field[i].type == ENS_TEXT)
            continue;
        m->present = 1;
        x = ens_record_f64(r, map->schema, i);
        if (isnan(x))
            continue;
        d = x - m->mean;
        m->n++;
        m->mean += d / (double)m->n;
        m->m2 += d * (x - m->mean);
    }
}

/* Monte Carlo errors: Morris, White and Crowther (2019), "Using simulation
 * studies to evaluate statistical methods", table 6, 10.1002/sim.8086. */
static enum ens_status put_field(struct cells *a, const char *name,
                                 const struct moments *m, uint64_t n_records,
                                 struct ens_error *err)
{
    double n = (double)m->n;
    double var = m->n < 2 ? NAN : m->m2 / (n - 1);
    double sd = sqrt(var);
    struct ens_measure out = {
        .estimand = name,
        .measure = "mean",
        .value = m->n == 0 ? NAN : m->mean,
        .mcse = sqrt(var / n),
        .n_used = m->n,
        .n_missing = n_records - m->n,
    };
    enum ens_status s = put_measure(a, &out, err);

    if (s != ENS_OK)
        return s;
    out.measure = "sd";
    out.value = sd;
    out.mcse = sd / sqrt(2 * (n - 1));
    return put_measure(a, &out, err);
}

static enum ens_status default_measures(struct cells *a, uint64_t first,
                                        uint32_t n, struct ens_error *err)
{
    const struct ens_fields *f = &a->t->fields;
    struct ens_record r;
    uint64_t n_records = 0;
    int any = 0;
    enum ens_status s = ENS_OK;

    memset(a->moments, 0, f->n * sizeof(*a->moments));
    for (uint32_t i = 0; i < n; i++) {
        uint32_t epoch;

        if (!ens_places_get(a->places, first + i, &r, &epoch))
            continue;
        n_records++;
        if (r.status != ENS_TASK_OK)
            continue;
        any = 1;
        add_record(a, &r);
    }
    /* A cell without any task that is ok keeps its rows, empty. */
    for (size_t i = 0; i < f->n && n_records > 0 && s == ENS_OK; i++)
        if (a->moments[i].present ||
            (!any && f->column[i].type != ENS_DATUM_TEXT))
            s = put_field(a, f->column[i].name, &a->moments[i], n_records, err);
    return s;
}

/* With [stop]: where the cell stopped, and whether its rules held there. */
static enum ens_status put_stop(struct cells *a, uint64_t first, uint32_t n,
                                struct ens_error *err)
{
    const struct ens_stopping *stop = a->t->rq.stopping;
    uint64_t cell = a->cell.cell.ordinal;
    struct ens_measure out = {
        .estimand = "replicates", .measure = "stop", .value = n, .mcse = NAN};
    struct ens_record r;
    uint32_t epoch;
    enum ens_status s;

    if (stop == NULL || ens_stopping_at(stop, cell) == 0)
        return ENS_OK;
    for (uint32_t i = 0; i < n; i++)
        out.n_used += ens_places_get(a->places, first + i, &r, &epoch) &&
                      r.status == ENS_TASK_OK;
    out.n_missing = n - out.n_used;
    s = put_measure(a, &out, err);
    out.measure = "rules_met";
    out.value = !ens_stopping_is_unmet(stop, cell);
    return s == ENS_OK ? put_measure(a, &out, err) : s;
}

static enum ens_status one_cell(struct cells *a, uint64_t first, uint32_t n,
                                struct ens_error *err)
{
    const struct ens_tables_request *rq = &a->t->rq;
    struct ens_records in;
    enum ens_status s;

    if (rq->plan->kind->measures == NULL)
        return default_measures(a, first, n, err);
    ens_records_init(&in, a->places, rq->dir, first, n);
    s = rq->plan->kind->measures(rq->host, rq->plan, &a->cell.cell, &in,
                                 put_measure, a, err);
    ens_records_fini(&in);
    return s;
}

static enum ens_status whole_cell(struct cells *a, uint64_t first, uint32_t n,
                                  struct ens_error *err)
{
    enum ens_status s = one_cell(a, first, n, err);

    return s == ENS_OK ? put_stop(a, first, n, err) : s;
}

static enum ens_status one_stage(struct cells *a, struct ens_error *err)
{
    const struct ens_stage *stage = ens_places_stage(a->places);
    uint64_t place = 0;
    enum ens_status s = ENS_OK;

    for (size_t i = 0; i < stage->n_runs; i++) {
        const struct ens_stage_run *run = &stage->run[i];

        for (uint64_t c = 0; c < run->n_cells && s == ENS_OK; c++) {
            ens_table_cell_set(&a->cell, a->t, run->first_cell + c);
            s = whole_cell(a, place, run->n_replicates, err);
            place += run->n_replicates;
        }
    }
    return s;
}

static enum ens_status cells_rows(const struct ens_tables *t,
                                  struct ens_row *row, struct ens_error *err)
{
    struct cells a = {.t = t, .row = row};
    enum ens_status s = ens_table_cell_init(&a.cell, t, err);

    if (s != ENS_OK)
        return s;
    a.moments = calloc(t->fields.n + 1, sizeof(*a.moments));
    if (a.moments == NULL)
        s = ens_fail(err, ENS_ENOMEMORY, "tables: out of memory");
    for (size_t i = 0; i < t->rq.n_stages && s == ENS_OK; i++) {
        a.places = t->rq.stage[i];
        s = one_stage(&a, err);
    }
    free(a.moments);
    ens_table_cell_fini(&a.cell);
    return s;
}

const struct ens_table ens_table_cells = {
    .name = "cells",
    .help = "a row per cell, estimand and measure, with Monte Carlo errors",
    .written = 1,
    .columns = cells_columns,
    .rows = cells_rows,
};
