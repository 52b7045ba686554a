#include "kinds/synthetic/stages.h"

#include "base/buf.h"
#include "kinds/synthetic/lanes.h"
#include "kinds/synthetic/params.h"
#include "kinds/synthetic/shape.h"
#include "kinds/synthetic/work.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENTRY 16u /* bytes of a cell in stage data */

void ens_synthetic_key(char to[ENS_SYNTHETIC_KEY_BYTES], const char *stem,
                       uint32_t s)
{
    snprintf(to, ENS_SYNTHETIC_KEY_BYTES, "%s%u", stem, s);
}

/* -- plan ---------------------------------------------------------------- */

static enum ens_status check_input(const struct ens_host *host,
                                   const struct ens_plan *plan, uint64_t rows,
                                   struct ens_error *err)
{
    const struct ens_input *x = host->plan_input(plan, "X");

    if (rows == 0)
        return ENS_OK;
    if (x == NULL)
        return ens_fail(err, ENS_ESTUDY,
                        "[synthetic] rows = %llu reads an input named X; add "
                        "it to [inputs]",
                        (unsigned long long)rows);
    if (!ens_synthetic_readable(x))
        return ens_fail(err, ENS_ESTUDY,
                        "[synthetic] rows: input X (%s) has %u dimensions; "
                        "one or two, or doubles in C order, are expected",
                        x->path, x->view.ndim);
    if (rows > x->n_rows)
        return ens_fail(
            err, ENS_ESTUDY, "[synthetic] rows = %llu: input X (%s) has %llu",
            (unsigned long long)rows, x->path, (unsigned long long)x->n_rows);
    return ENS_OK;
}

static enum ens_status add_schemas(const struct ens_host *host,
                                   struct ens_plan *plan,
                                   const struct ens_synthetic_survey *survey,
                                   struct ens_error *err)
{
    struct ens_synthetic_fields f;
    enum ens_status s = ENS_OK;
    uint32_t index;
    size_t i;

    for (i = 0; i < survey->n_shapes && s == ENS_OK; i++) {
        s = ens_synthetic_fields_new(&f, &survey->shape[i], 0, err);
        if (s != ENS_OK)
            break;
        s = host->plan_schema(plan, f.field, f.n, &index, err);
        ens_synthetic_fields_free(&f);
    }
    return s;
}

static enum ens_status add_arrays(const struct ens_host *host,
                                  struct ens_plan *plan, uint32_t n,
                                  int scratch, struct ens_error *err)
{
    char name[ENS_SYNTHETIC_KEY_BYTES];
    struct ens_array_def def = {name, ENS_DT_F64, !scratch};
    enum ens_status s = ENS_OK;
    uint32_t i;

    for (i = 1; i <= n && s == ENS_OK; i++) {
        ens_synthetic_key(name, "block", i);
        s = host->plan_array(plan, &def, err);
    }
    return s;
}

/* n_tasks 0 with per_cell NULL: the study's replicates in every cell. */
static enum ens_status add_stage(const struct ens_host *host,
                                 struct ens_plan *plan, uint32_t s,
                                 int has_arrays, uint32_t n_tasks,
                                 const uint32_t *per_cell,
                                 struct ens_error *err)
{
    char key[ENS_SYNTHETIC_KEY_BYTES], out[ENS_SYNTHETIC_KEY_BYTES];
    char in[ENS_SYNTHETIC_KEY_BYTES];
    const char *const writes[] = {out, NULL};
    const char *const reads[] = {in, NULL};

    ens_synthetic_key(key, "stage", s);
    ens_synthetic_key(out, "block", s);
    ens_synthetic_key(in, "block", s - 1);
    return host->plan_stage(plan, key, n_tasks, per_cell,
                            has_arrays ? writes : NULL,
                            has_arrays && s > 1 ? reads : NULL, 0, err);
}

/* Of a cell, in a stage that says how many tasks each has. */
static uint32_t tasks_of(const struct ens_host *host,
                         const struct ens_plan *plan,
                         const struct ens_synthetic_params *p)
{
    const struct ens_value *v =
        ens_study_value(host->plan_study(plan), "study", "replicates");

    return p->array_rows > 0 ? ens_synthetic_blocks(p) : (uint32_t)v->i;
}

static enum ens_status first_stage(const struct ens_host *host,
                                   struct ens_plan *plan,
                                   const struct ens_synthetic_survey *survey,
                                   struct ens_error *err)
{
    uint64_t c, n_cells = host->plan_n_cells(plan), n_alone = 0;
    struct ens_synthetic_params p;
    struct ens_cell cell;
    uint32_t *per_cell;
    enum ens_status s;

    if (survey->one_size)
        return add_stage(host, plan, 1, survey->has_arrays, survey->n_tasks,
                         NULL, err);
    per_cell = calloc(n_cells, sizeof(*per_cell));
    if (per_cell == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "tasks of %llu cells",
                        (unsigned long long)n_cells);
    for (c = 0; c < n_cells; c++) {
        host->plan_cell(plan, c, &cell);
        ens_synthetic_read(&p, &cell);
        if (p.alone != 1 || n_alone++ == 0)
            per_cell[c] = tasks_of(host, plan, &p);
    }
    s = add_stage(host, plan, 1, survey->has_arrays, 0, per_cell, err);
    free(per_cell);
    return s;
}

enum ens_status ens_synthetic_plan(const struct ens_host *host,
                                   struct ens_plan *plan, struct ens_error *err)
{
    struct ens_synthetic_survey survey;
    enum ens_status s;

    s = ens_synthetic_survey_new(&survey, host, plan, err);
    if (s != ENS_OK)
        return s;
    s = check_input(host, plan, survey.max_rows, err);
    if (s == ENS_OK)
        s = add_schemas(host, plan, &survey, err);
    if (s == ENS_OK && survey.has_arrays)
        s = add_arrays(host, plan, survey.max_stages, survey.scratch, err);
    if (s == ENS_OK)
        s = first_stage(host, plan, &survey, err);
    ens_synthetic_survey_free(&survey);
    return s;
}

/* -- next ---------------------------------------------------------------- */

struct sums { /* one entry per cell of the study */
    uint64_t n;
    double *total;
    unsigned char *seen; /* took part in the finished stage */
    uint32_t *n_tasks;   /* of the next stage; 0: takes no part */
};

static void free_sums(struct sums *t)
{
    free(t->total);
    free(t->seen);
    free(t->n_tasks);
}

static enum ens_status new_sums(struct sums *t, uint64_t n,
                                struct ens_error *err)
{
    t->n = n;
    t->total = calloc(n, sizeof(*t->total));
    t->seen = calloc(n, sizeof(*t->seen));
    t->n_tasks = calloc(n, sizeof(*t->n_tasks));
    if (t->total != NULL && t->seen != NULL && t->n_tasks != NULL)
        return ENS_OK;
    free_sums(t);
    return ens_fail(err, ENS_ENOMEMORY, "sums of %llu cells",
                    (unsigned long long)n);
}

/* Value of `chain`; 0 for a task that has none (it failed). */
static double chain_of(const struct ens_record *r, const struct ens_schema *s)
{
    double v;
    size_t i;

    if (r->status != ENS_TASK_OK || s == NULL)
        return 0;
    for (i = s->n; i-- > 0;) {
        if (strcmp(s->field[i].name, "chain") != 0)
            continue;
        v = ens_record_f64(r, s, i);
        return isnan(v) ? 0 : v;
    }
    return 0;
}

static void sum_records(const struct ens_host *host, struct ens_records *in,
                        struct sums *t)
{
    const struct ens_schema *schema;
    struct ens_record r;

    while (host->next_record(in, &r, &schema)) {
        if (r.cell >= t->n)
            continue;
        t->seen[r.cell] = 1;
        t->total[r.cell] += chain_of(&r, schema);
    }
}

static enum ens_status sum_arrays(const struct ens_host *host,
                                  struct ens_records *in, uint32_t s,
                                  struct sums *t, struct ens_error *err)
{
    char name[ENS_SYNTHETIC_KEY_BYTES];
    struct ens_view view;
    enum ens_status status;
    uint64_t c;

    ens_synthetic_key(name, "block", s);
    for (c = 0; c < t->n; c++) {
        if (!t->seen[c])
            continue;
        status = host->read_array(in, name, c, &view, err);
        if (status != ENS_OK)
            return status;
        t->total[c] = ens_lanes_sum(&view);
    }
    return ENS_OK;
}

/* Which cells go on, with how many tasks; returns how many go on. */
static uint64_t choose(const struct ens_host *host, const struct ens_plan *plan,
                       uint32_t s, struct sums *t)
{
    struct ens_synthetic_params p;
    struct ens_cell cell;
    uint64_t c, n = 0, n_alone = 0;

    for (c = 0; c < t->n; c++) {
        host->plan_cell(plan, c, &cell);
        ens_synthetic_read(&p, &cell);
        if (!t->seen[c] && p.alone != s)
            continue;
        if (p.stages <= s || (p.until > 0 && p.until <= s) ||
            (p.decides && t->total[c] > p.decide))
            continue;
        if (p.alone == s + 1 && n_alone++ > 0)
            continue;
        t->n_tasks[c] = tasks_of(host, plan, &p);
        n++;
    }
    return n;
}

/* With as many tasks in each: then the stage says one number, and without
 * arrays it says `replicates`. */
static int all_go_on(const struct sums *t)
{
    uint64_t c;

    for (c = 0; c < t->n; c++)
        if (t->n_tasks[c] != t->n_tasks[0])
            return 0;
    return 1;
}

static int by_id(const void *a, const void *b)
{
    struct ens_cursor ca = ens_cursor(a, 8), cb = ens_cursor(b, 8);
    uint64_t x = ens_cursor_u64(&ca), y = ens_cursor_u64(&cb);

    return (x > y) - (x < y);
}

static enum ens_status hand_down(const struct ens_host *host,
                                 struct ens_plan *plan, const struct sums *t,
                                 struct ens_error *err)
{
    struct ens_buf data = ENS_BUF_INIT;
    struct ens_cell cell;
    enum ens_status s;
    uint64_t c;

    for (c = 0; c < t->n; c++) {
        if (t->n_tasks[c] == 0)
            continue;
        host->plan_cell(plan, c, &cell);
        ens_buf_u64(&data, cell.hash[0]);
        ens_buf_f64(&data, t->total[c]);
    }
    if (data.failed) {
        s = ens_fail(err, ENS_ENOMEMORY, "stage data");
    } else {
        qsort(data.data, data.len / ENTRY, ENTRY, by_id);
        s = host->plan_data(plan, data.data, data.len, err);
    }
    ens_buf_fini(&data);
    return s;
}

enum ens_status ens_synthetic_next(const struct ens_host *host, uint32_t s,
                                   struct ens_records *in,
                                   struct ens_plan *plan, struct ens_error *err)
{
    struct ens_synthetic_survey survey;
    enum ens_status status;
    struct sums t;

    status = ens_synthetic_survey_new(&survey, host, plan, err);
    if (status != ENS_OK)
        return status;
    status = new_sums(&t, host->plan_n_cells(plan), err);
    if (status != ENS_OK)
        goto free_survey;
    sum_records(host, in, &t);
    if (survey.has_arrays)
        status = sum_arrays(host, in, s, &t, err);
    if (status != ENS_OK || choose(host, plan, s, &t) == 0)
        goto free_all;
    status = add_stage(host, plan, s + 1, survey.has_arrays, survey.n_tasks,
                       all_go_on(&t) ? NULL : t.n_tasks, err);
    if (status == ENS_OK)
        status = hand_down(host, plan, &t, err);
free_all:
    free_sums(&t);
free_survey:
    ens_synthetic_survey_free(&survey);
    return status;
}

int ens_synthetic_total(const void *data, size_t bytes, uint64_t cell_id,
                        double *total)
{
    const unsigned char *p = data;
    size_t low = 0, high = bytes / ENTRY, mid;
    struct ens_cursor c;
    uint64_t id;

    while (low < high) {
        mid = low + (high - low) / 2;
        c = ens_cursor(p + mid * ENTRY, ENTRY);
        id = ens_cursor_u64(&c);
        if (id == cell_id) {
            *total = ens_cursor_f64(&c);
            return 0;
        }
        if (id < cell_id)
            low = mid + 1;
        else
            high = mid;
    }
    return -1;
}

/* -- arrays -------------------------------------------------------------- */

enum ens_status ens_synthetic_array_shape(const struct ens_host *host,
                                          const struct ens_plan *plan,
                                          const char *array,
                                          const struct ens_cell *cell,
                                          uint32_t *ndim, uint64_t *shape)
{
    struct ens_synthetic_params p;

    (void)host;
    (void)plan;
    (void)array; /* all of a cell have one shape */
    ens_synthetic_read(&p, cell);
    *ndim = 1;
    shape[0] = p.array_rows;
    return ENS_OK;
}

enum ens_status ens_synthetic_array_region(const struct ens_host *host,
                                           const struct ens_plan *plan,
                                           const char *array,
                                           const struct ens_cell *cell,
                                           uint32_t replicate, uint64_t *first,
                                           uint64_t *n)
{
    struct ens_synthetic_params p;
    uint64_t from;

    (void)host;
    (void)plan;
    (void)array;
    ens_synthetic_read(&p, cell);
    from = (uint64_t)(replicate - 1) * ENS_SYNTHETIC_BLOCK;
    if (replicate == 0 || from >= p.array_rows)
        return ENS_ENOTFOUND;
    *first = from;
    *n = p.array_rows - from < ENS_SYNTHETIC_BLOCK ? p.array_rows - from
                                                   : ENS_SYNTHETIC_BLOCK;
    return ENS_OK;
}
