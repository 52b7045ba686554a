/* The kind `synthetic`: the ruler. It does no science; it exercises every
 * shape that real kinds need (stages, next, arrays, stage data, several
 * schemas, text, artifacts) and goes wrong on demand.
 *
 * `stages` and `decide` are settings of a cell like all others: a cell takes
 * part in as many stages as it says, and one whose sum passes its `decide`
 * ends by itself; the study ends when no cell is left. Of cells with
 * `alone = s` only the first takes part in stage s, for all. */
#include "kinds/synthetic/synthetic.h"

#include "base/bug.h"
#include "kinds/synthetic/lanes.h"
#include "kinds/synthetic/params.h"
#include "kinds/synthetic/shape.h"
#include "kinds/synthetic/stages.h"
#include "kinds/synthetic/work.h"
#include <stdlib.h>

struct state {
    const struct ens_host *host;
    const struct ens_plan *plan;
    struct ens_synthetic_survey survey;
    struct ens_synthetic_leak *leaks;
    const void *data; /* of the stage; lent */
    size_t data_bytes;
    /* of the cell */
    struct ens_synthetic_params p;
    uint32_t schema;
    struct ens_synthetic_fields other[2]; /* when schema_varies */
};

static void forget_cell(struct state *st)
{
    ens_synthetic_fields_free(&st->other[0]);
    ens_synthetic_fields_free(&st->other[1]);
}

static void close_kind(void *state)
{
    struct state *st = state;

    if (st == NULL)
        return;
    forget_cell(st);
    ens_synthetic_unleak(&st->leaks);
    ens_synthetic_survey_free(&st->survey);
    free(st);
}

static enum ens_status open_kind(const struct ens_host *host,
                                 const struct ens_plan *plan, void **state,
                                 struct ens_error *err)
{
    struct state *st = calloc(1, sizeof(*st));
    enum ens_status s;

    if (st == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "state of kind synthetic");
    st->host = host;
    st->plan = plan;
    s = ens_synthetic_survey_new(&st->survey, host, plan, err);
    if (s != ENS_OK) {
        free(st);
        return s;
    }
    *state = st;
    return ENS_OK;
}

static enum ens_status enter_cell(void *state, const struct ens_cell *cell,
                                  struct ens_error *err)
{
    struct state *st = state;
    struct ens_synthetic_shape shape;
    enum ens_status s = ENS_OK;

    forget_cell(st);
    ens_synthetic_read(&st->p, cell);
    shape = ens_synthetic_shape(&st->p);
    st->schema = ens_synthetic_survey_find(&st->survey, &shape);
    if (!st->p.schema_varies)
        return ENS_OK;
    s = ens_synthetic_fields_new(&st->other[0], &shape, 1, err);
    if (s == ENS_OK)
        s = ens_synthetic_fields_new(&st->other[1], &shape, 2, err);
    return s;
}

static enum ens_status enter_stage(void *state, const char *key,
                                   const void *data, size_t bytes,
                                   struct ens_error *err)
{
    struct state *st = state;

    (void)key;
    (void)err;
    st->data = data;
    st->data_bytes = bytes;
    return ENS_OK;
}

static enum ens_status next_stage(void *state, const char *key,
                                  uint32_t stage_index, struct ens_records *in,
                                  struct ens_plan *plan, struct ens_error *err)
{
    struct state *st = state;

    (void)key;
    return ens_synthetic_next(st->host, stage_index + 1, in, plan, err);
}

static uint32_t max_stages(const struct ens_host *host,
                           const struct ens_plan *plan)
{
    uint64_t n = host->plan_n_cells(plan);
    uint32_t most = 1;

    for (uint64_t c = 0; c < n; c++) {
        struct ens_synthetic_params p;
        struct ens_cell cell;
        uint32_t stages;

        host->plan_cell(plan, c, &cell);
        ens_synthetic_read(&p, &cell);
        stages = p.until > 0 && p.until < p.stages ? p.until : p.stages;
        most = stages > most ? stages : most;
    }
    return most;
}

/* -- a task -------------------------------------------------------------- */

struct job { /* one run, while it goes on */
    struct state *st;
    const struct ens_host *host;
    const struct ens_synthetic_params *p;
    const struct ens_task *task;
    struct ens_result *r;
    struct ens_synthetic_fault fault;
    double previous; /* sum of the cell over the stage before; 0 in the first */
    double rows_sum, block_sum;
};

static void take_time(const struct job *j)
{
    const struct ens_synthetic_params *p = j->p;
    double factor = 1;

    if (p->work_us <= 0 && p->sleep_us <= 0)
        return;
    if (p->jitter > 0)
        factor +=
            p->jitter * (2 * j->host->uniform(j->host->rng(j->r, "time")) - 1);
    if (p->sleep_us > 0)
        ens_synthetic_sleep(p->sleep_us * factor);
    if (p->work_us > 0)
        ens_synthetic_spin(p->work_us * factor);
}

static void touch_rows(struct job *j)
{
    const struct ens_input *x;
    double u;

    if (j->p->rows == 0)
        return;
    x = j->host->input(j->r, "X");
    u = j->host->uniform(j->host->rng(j->r, "rows"));
    j->rows_sum =
        ens_synthetic_touch(x, (uint64_t)(u * (double)x->n_rows), j->p->rows);
}

static enum ens_status keep_payload(const struct job *j, struct ens_error *err)
{
    size_t n = (size_t)j->p->payload_bytes;
    unsigned char *bytes;

    if (n == 0)
        return ENS_OK;
    bytes = j->host->alloc(j->r, n, 1);
    if (bytes == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "payload of %zu bytes", n);
    ens_synthetic_bytes(j->host, j->host->rng(j->r, "payload"), bytes, n);
    return j->host->artifact(j->r, "payload", bytes, n, err);
}

/* Rows of the task's block in the cell's own array of the stage before; none
 * when the cell took no part in that stage. */
static enum ens_status add_own_rows(const struct job *j, const char *before,
                                    double *x, uint64_t n,
                                    struct ens_error *err)
{
    struct ens_view view;
    enum ens_status s = j->host->array(j->r, before, &view, err);

    if (s == ENS_OK)
        ens_view_f64(&view,
                     (uint64_t)(j->task->replicate - 1) * ENS_SYNTHETIC_BLOCK,
                     n, x);
    return s == ENS_ENOTFOUND ? ENS_OK : s;
}

static enum ens_status sum_all(const struct job *j, const char *before,
                               double *sum, struct ens_error *err)
{
    uint64_t n = j->host->plan_n_cells(j->st->plan);
    struct ens_view view;
    enum ens_status s = ENS_OK;

    for (uint64_t c = 0; s == ENS_OK && c < n; c++) {
        s = j->host->array_of(j->r, before, c, &view, err);
        if (s == ENS_OK)
            *sum += ens_lanes_sum(&view);
        else if (s == ENS_ENOTFOUND)
            s = ENS_OK;
    }
    return s;
}

/* What the stage before says to a block of n rows. */
static enum ens_status look_back(const struct job *j, double *x, uint64_t n,
                                 struct ens_error *err)
{
    char before[ENS_SYNTHETIC_KEY_BYTES];
    double sum = 0;
    enum ens_status s;

    if (j->task->stage_index == 0)
        return ENS_OK;
    ens_synthetic_key(before, "block", j->task->stage_index);
    s = add_own_rows(j, before, x, n, err);
    if (s == ENS_OK && j->p->reads_all)
        s = sum_all(j, before, &sum, err);
    for (uint64_t i = 0; s == ENS_OK && i < n; i++)
        x[i] += sum;
    return s;
}

static enum ens_status write_parts(const struct job *j, const char *name,
                                   const double *x, uint64_t n,
                                   struct ens_error *err)
{
    enum ens_status s = ENS_OK;

    for (uint64_t i = 0; s == ENS_OK && i < n; i += j->p->parts) {
        uint64_t m = n - i < j->p->parts ? n - i : j->p->parts;

        s = j->host->block_part(j->r, name, i, x + i, m, err);
    }
    return s;
}

/* rows = draws + own rows of the block before + sum of the whole before */
static enum ens_status make_rows(struct job *j, double *x, uint64_t n,
                                 struct ens_error *err)
{
    struct ens_rng *g = j->host->rng(j->r, "block");
    enum ens_status s;
    uint64_t i;

    for (i = 0; i < n; i++)
        x[i] = 0;
    s = look_back(j, x, n, err);
    for (i = 0; s == ENS_OK && i < n; i++) {
        x[i] += j->host->uniform(g) + j->previous;
        j->block_sum += x[i];
    }
    return s;
}

static enum ens_status fill_block(struct job *j, struct ens_error *err)
{
    char name[ENS_SYNTHETIC_KEY_BYTES];
    double own[ENS_SYNTHETIC_BLOCK];
    enum ens_status s = ENS_OK;
    uint64_t first, n;
    void *x = own;

    if (j->p->array_rows == 0)
        return ENS_OK;
    ens_synthetic_key(name, "block", j->task->stage_index + 1);
    if (j->p->parts > 0)
        s = ens_synthetic_array_region(j->host, j->st->plan, name,
                                       &j->task->cell, j->task->replicate,
                                       &first, &n);
    else
        s = j->host->block(j->r, name, &x, &n, err);
    if (s == ENS_OK)
        s = make_rows(j, x, n, err);
    if (s == ENS_OK && j->p->parts > 0)
        s = write_parts(j, name, own, n, err);
    return s;
}

static enum ens_status put_note(const struct job *j, uint32_t at,
                                struct ens_error *err)
{
    size_t n = (size_t)j->p->text_bytes;
    char *text = j->host->alloc(j->r, n, 1);

    if (text == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "note of %zu bytes", n);
    ens_synthetic_text(j->host, j->host->rng(j->r, "note"), text, n);
    j->host->text(j->r, at, text, n);
    return ENS_OK;
}

/* In the order of ens_synthetic_fields_new. */
static enum ens_status put_fields(const struct job *j, struct ens_error *err)
{
    const struct ens_synthetic_params *p = j->p;
    uint32_t at = 0, i;
    struct ens_rng *g;

    if (j->fault.variant > 0)
        j->host->i64(j->r, at++, j->fault.variant);
    g = j->host->rng(j->r, "value");
    for (i = 0; i < p->fields; i++)
        j->host->f64(j->r, at++, j->host->uniform(g));
    if (p->rows > 0)
        j->host->f64(j->r, at++, j->rows_sum);
    if (p->array_rows > 0)
        j->host->f64(j->r, at++, j->block_sum);
    else if (p->stages > 1)
        j->host->f64(j->r, at++, j->host->uniform(g) + j->previous);
    return p->text_bytes > 0 ? put_note(j, at, err) : ENS_OK;
}

static enum ens_status choose_schema(const struct job *j, struct ens_error *err)
{
    const struct ens_synthetic_fields *f;

    if (j->fault.variant == 0) {
        j->host->use_schema(j->r, j->st->schema);
        return ENS_OK;
    }
    f = &j->st->other[j->fault.variant - 1];
    return j->host->new_schema(j->r, f->field, f->n, err);
}

static int may_go_wrong(const struct ens_synthetic_params *p)
{
    return p->fail_rate > 0 || p->crash_rate > 0 || p->abort_rate > 0 ||
           p->hang_rate > 0 || p->schema_varies;
}

static enum ens_status find_previous(struct job *j, struct ens_error *err)
{
    const struct ens_task *t = j->task;

    if (t->stage_index > 0 &&
        ens_synthetic_total(j->st->data, j->st->data_bytes, t->cell.hash[0],
                            &j->previous) != 0)
        return ens_fail(err, ENS_EPROTOCOL, "data of stage %s lacks the cell",
                        t->stage);
    return ENS_OK;
}

/* The payload and the block come before the fault: a task that dies leaves
 * bytes behind in its pack that nobody may ever see. */
static enum ens_status run_job(struct job *j, struct ens_error *err)
{
    enum ens_status s = find_previous(j, err);

    if (s == ENS_OK && j->p->leak_mb > 0)
        s = ens_synthetic_leak(&j->st->leaks, j->p->leak_mb, err);
    if (s != ENS_OK)
        return s;
    touch_rows(j);
    take_time(j);
    s = keep_payload(j, err);
    if (s == ENS_OK)
        s = fill_block(j, err);
    if (s == ENS_OK)
        s = ens_synthetic_suffer(j->fault.fate, j->p, err);
    if (s == ENS_OK)
        s = choose_schema(j, err);
    if (s == ENS_OK)
        s = put_fields(j, err);
    return s;
}

static enum ens_status run_task(void *state, const struct ens_task *task,
                                struct ens_result *result,
                                struct ens_error *err)
{
    struct state *st = state;
    struct job j = {
        .st = st, .host = st->host, .p = &st->p, .task = task, .r = result};

    if (may_go_wrong(&st->p))
        j.fault = ens_synthetic_decide(&st->p, st->host,
                                       st->host->rng(result, "fault"));
    return run_job(&j, err);
}

static const struct ens_role roles[] = {{.name = "synthetic"}};

static const struct ens_retained retained[] = {
    {"payload", "standard", "payload_bytes random bytes of each task"},
};

const struct ens_kind ens_kind_synthetic = {
    .abi = ENS_ABI,
    .name = "synthetic",
    .help = "tasks that work, wait, read, write and go wrong on demand",
    .results_version = 1,
    .settings = ens_synthetic_settings,
    .n_settings = ENS_SYNTHETIC_N_SETTINGS,
    .roles = roles,
    .n_roles = ENS_COUNT(roles),
    .retained = retained,
    .n_retained = ENS_COUNT(retained),
    .plan = ens_synthetic_plan,
    .open = open_kind,
    .close = close_kind,
    .cell = enter_cell,
    .stage = enter_stage,
    .run = run_task,
    .next = next_stage,
    .max_stages = max_stages,
    .array_shape = ens_synthetic_array_shape,
    .array_region = ens_synthetic_array_region,
};
