/* A kind with tables of its own. Stage draw: each task draws x and writes it
 * to its element of the array "w"; stage sum, internal, adds a cell's up. */
#include <ensrun/plugin.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_DRAWS 4u
static const struct ens_host *host;

static const struct ens_setting settings[] = {
    ENS_SETTING("heights", "u", NUM, AXIS, CELL, "1", 0, 0, "added to x"),
    ENS_SETTING("heights", "fail", INT, ONE, CELL, "0", 0, 9,
                "replicate that fails"),
    ENS_SETTING("heights", "wrong", TEXT, ONE, CELL, "", 0, 0,
                "what table sums does wrong"),
};
static const struct ens_role roles[] = {{.name = "heights"}};
static const struct ens_array_def array = {"w", ENS_DT_F64, 1};
static const char *const arrays[] = {"w", NULL};

static enum ens_status plan(const struct ens_host *h, struct ens_plan *p,
                            struct ens_error *err)
{
    static const struct ens_field field = {"x", ENS_F64, "m", "a height"};
    uint32_t index;
    enum ens_status s = h->plan_schema(p, &field, 1, &index, err);

    if (s == ENS_OK)
        s = h->plan_array(p, &array, err);
    if (s == ENS_OK)
        s = h->plan_stage(p, "draw", N_DRAWS, NULL, arrays, NULL, 0, err);
    return s;
}

static enum ens_status draw(const struct ens_task *task, struct ens_result *r,
                            double *x, struct ens_error *err)
{
    double *to;
    uint64_t n;
    enum ens_status s;
    void *block;

    if (task->replicate ==
        (uint32_t)host->cell_value(&task->cell, "heights", "fail")->i)
        return host->fail(err, ENS_EDOMAIN, "as asked");
    if (strcmp(host->cell_value(&task->cell, "heights", "wrong")->text,
               "lap") == 0)
        host->lap(r, "sleep");
    *x = host->cell_value(&task->cell, "heights", "u")->d +
         host->uniform(host->rng(r, "x"));
    host->lap(r, "draw");
    s = host->block(r, "w", &block, &n, err);
    to = block;
    if (s == ENS_OK)
        to[0] = *x;
    host->lap(r, "write");
    host->lap(r, "draw");
    return s;
}

static enum ens_status run(void *state, const struct ens_task *task,
                           struct ens_result *r, struct ens_error *err)
{
    struct ens_view view;
    double x = 0, w[N_DRAWS];
    enum ens_status s;

    (void)state;
    if (strcmp(task->stage, "draw") == 0) {
        s = draw(task, r, &x, err);
    } else {
        s = host->array(r, "w", &view, err);
        if (s == ENS_OK)
            host->view_f64(&view, 0, N_DRAWS, w);
        for (uint32_t i = 0; s == ENS_OK && i < N_DRAWS; i++)
            x += isnan(w[i]) ? 0 : w[i];
    }
    host->f64(r, 0, x);
    return s;
}

static enum ens_status next(void *state, const char *key, uint32_t index,
                            struct ens_records *in, struct ens_plan *p,
                            struct ens_error *err)
{
    (void)state;
    (void)index;
    (void)in;
    return strcmp(key, "draw") != 0
               ? ENS_OK
               : host->plan_stage(p, "sum", 1, NULL, NULL, arrays, 1, err);
}

static enum ens_status shape(const struct ens_host *h, const struct ens_plan *p,
                             const char *name, const struct ens_cell *cell,
                             uint32_t *ndim, uint64_t *to)
{
    (void)h;
    (void)p;
    (void)name;
    (void)cell;
    *ndim = 1;
    to[0] = N_DRAWS;
    return ENS_OK;
}

static enum ens_status region(const struct ens_host *h,
                              const struct ens_plan *p, const char *name,
                              const struct ens_cell *cell, uint32_t replicate,
                              uint64_t *first, uint64_t *n)
{
    (void)h;
    (void)p;
    (void)name;
    (void)cell;
    *first = replicate - 1;
    *n = 1;
    return ENS_OK;
}

/* -- tables ---------------------------------------------------------------- */

static const char *wrong(const struct ens_host *h, const struct ens_plan *p)
{
    struct ens_cell cell;

    h->plan_cell(p, 0, &cell);
    return h->cell_value(&cell, "heights", "wrong")->text;
}

static enum ens_status put_columns(const struct ens_field *f, size_t n,
                                   ens_table_column_fn *sink, void *arg,
                                   struct ens_error *err)
{
    enum ens_status s = ENS_OK;

    for (size_t i = 0; i < n && s == ENS_OK; i++)
        s = sink(arg, &f[i], err);
    return s;
}

/* sums: a row per cell. */
static enum ens_status sums_columns(const struct ens_host *h,
                                    const struct ens_plan *p,
                                    struct ens_tables_in *in,
                                    ens_table_column_fn *sink, void *arg,
                                    struct ens_error *err)
{
    static const struct ens_field f[] = {
        {"u", ENS_F64, "m", "of the cell"},
        {"total", ENS_F64, "m", "of stage sum"},
        {"ok", ENS_I64, "", "draws that are ok"},
        {"note", ENS_TEXT, "", "remark, of every second cell"},
        {"seconds", ENS_F64, "s", "none: no facts here"},
    };
    static const struct ens_field more = {"more", ENS_F64, "", "later"};
    static int n_calls;
    enum ens_status s = put_columns(f, 5, sink, arg, err);

    (void)in;
    if (s == ENS_OK && strcmp(wrong(h, p), "column") == 0)
        s = put_columns(&f[1], 1, sink, arg, err);
    if (s == ENS_OK && strcmp(wrong(h, p), "more") == 0 && n_calls++ > 1)
        s = put_columns(&more, 1, sink, arg, err);
    return s;
}

static enum ens_status sums_row(const struct ens_host *h,
                                struct ens_tables_in *in,
                                const struct ens_cell *cell,
                                union ens_table_value *row,
                                struct ens_error *err)
{
    const struct ens_schema *schema;
    struct ens_records *draws, *sums;
    struct ens_record r;
    enum ens_status s =
        h->stage_records(in, "draw", cell->ordinal, &draws, err);

    row[0].f64 = h->cell_value(cell, "heights", "u")->d;
    row[1].f64 = NAN;
    row[2].i64 = 0;
    row[3].text.p = cell->ordinal % 2 == 1 ? "odd, \"so\"" : NULL;
    row[3].text.n = 9;
    row[4].f64 = NAN;
    while (s == ENS_OK && h->next_record(draws, &r, &schema)) {
        row[2].i64 += r.status == ENS_TASK_OK;
        row[4].f64 = isnan(r.seconds) ? h->record_lap(&r, 0) : r.seconds;
    }
    if (row[2].i64 == 0)
        row[2].i64 = ENS_I64_MISSING;
    if (s == ENS_OK)
        s = h->stage_records(in, "sum", cell->ordinal, &sums, err);
    while (s == ENS_OK && h->next_record(sums, &r, &schema))
        row[1].f64 = h->record_f64(&r, schema, 0);
    return s;
}

static enum ens_status sums_rows(const struct ens_host *h,
                                 const struct ens_plan *p,
                                 struct ens_tables_in *in,
                                 ens_table_row_fn *sink, void *arg,
                                 struct ens_error *err)
{
    union ens_table_value row[5];
    struct ens_cell cell;
    enum ens_status s = ENS_OK;

    if (strcmp(wrong(h, p), "row") == 0)
        return h->fail(err, ENS_EDOMAIN, "no row today");
    for (uint64_t c = 0; c < h->plan_n_cells(p) && s == ENS_OK; c++) {
        h->plan_cell(p, c, &cell);
        s = sums_row(h, in, &cell, row, err);
        if (s == ENS_OK)
            s = sink(arg, row, err);
        if (strcmp(wrong(h, p), "deaf") == 0)
            s = ENS_OK; /* must not matter */
    }
    return s;
}

/* wide: a row per draw, a column per cell. */
static enum ens_status wide_columns(const struct ens_host *h,
                                    const struct ens_plan *p,
                                    struct ens_tables_in *in,
                                    ens_table_column_fn *sink, void *arg,
                                    struct ens_error *err)
{
    enum ens_status s = ENS_OK;
    char name[32];

    (void)in;
    for (uint64_t c = 0; c < h->plan_n_cells(p) && s == ENS_OK; c++) {
        snprintf(name, sizeof(name), "w[%u]", (unsigned)c + 1);
        s = sink(arg, &(struct ens_field){name, ENS_F64, "m", "draws"}, err);
    }
    return s;
}

static enum ens_status wide_rows(const struct ens_host *h,
                                 const struct ens_plan *p,
                                 struct ens_tables_in *in,
                                 ens_table_row_fn *sink, void *arg,
                                 struct ens_error *err)
{
    uint64_t n = h->plan_n_cells(p);
    union ens_table_value *row = calloc(n, sizeof(*row));
    struct ens_view view;
    enum ens_status s =
        row == NULL ? h->fail(err, ENS_ENOMEMORY, "wide") : ENS_OK;

    for (uint64_t i = 0; i < N_DRAWS && s == ENS_OK; i++) {
        for (uint64_t c = 0; c < n && s == ENS_OK; c++) {
            s = h->output(in, "w", c, &view, err);
            if (s == ENS_OK)
                h->view_f64(&view, i, 1, &row[c].f64);
        }
        if (s == ENS_OK)
            s = sink(arg, row, err);
    }
    free(row);
    return s;
}

/* times: a row per stage. */
static enum ens_status times_columns(const struct ens_host *h,
                                     const struct ens_plan *p,
                                     struct ens_tables_in *in,
                                     ens_table_column_fn *sink, void *arg,
                                     struct ens_error *err)
{
    static const struct ens_field f[] = {
        {"stage", ENS_TEXT, "", "key"},
        {"finished", ENS_I64, "", "1: it has"},
        {"tasks", ENS_I64, "", "that have ended"},
        {"seconds", ENS_F64, "s", "of all its tasks"},
        {"draw", ENS_F64, "s", "of that lap"},
    };

    (void)h;
    (void)p;
    (void)in;
    return put_columns(f, 5, sink, arg, err);
}

static enum ens_status times_rows(const struct ens_host *h,
                                  const struct ens_plan *p,
                                  struct ens_tables_in *in,
                                  ens_table_row_fn *sink, void *arg,
                                  struct ens_error *err)
{
    static const char *const keys[] = {"draw", "sum", "none"};
    const struct ens_schema *schema;
    struct ens_records *records;
    struct ens_record r;
    enum ens_status s = ENS_OK;

    (void)p;
    for (int i = 0; i < 3 && s == ENS_OK; i++) {
        union ens_table_value row[5] = {{0}};

        s = h->stage_records(in, keys[i], ENS_ALL_CELLS, &records, err);
        row[0].text.p = keys[i];
        row[0].text.n = strlen(keys[i]);
        row[1].i64 = h->stage_finished(in, keys[i]);
        while (s == ENS_OK && h->next_record(records, &r, &schema)) {
            row[2].i64++;
            row[3].f64 += r.seconds;
            row[4].f64 += h->record_lap(&r, 0);
        }
        if (s == ENS_OK)
            s = sink(arg, row, err);
    }
    return s;
}

static const struct ens_table_def tables[] = {
    {.name = "sums",
     .help = "a row per cell",
     .written = 1,
     .shown = 1,
     .columns = sums_columns,
     .rows = sums_rows},
    {.name = "wide",
     .help = "a row per draw",
     .large = 1,
     .columns = wide_columns,
     .rows = wide_rows},
    {.name = "times",
     .help = "a row per stage",
     .shown = 1,
     .facts = 1,
     .columns = times_columns,
     .rows = times_rows},
};

static const struct ens_lap laps[] = {
    {"draw", "drawing"},
    {"write", "writing"},
};

static const struct ens_kind heights = {.abi = ENS_ABI,
                                        .name = "heights",
                                        .help = "heights",
                                        .results_version = 1,
                                        .settings = settings,
                                        .n_settings = 3,
                                        .roles = roles,
                                        .n_roles = 1,
                                        .tables = tables,
                                        .n_tables = 3,
                                        .laps = laps,
                                        .n_laps = 2,
                                        .plan = plan,
                                        .run = run,
                                        .next = next,
                                        .array_shape = shape,
                                        .array_region = region};
static const struct ens_kind *const kinds[] = {&heights};

const struct ens_plugin ensrun_plugin = {ENS_PLUGIN_HEAD, .host = &host,
                                         .kinds = kinds, .n_kinds = 1};
