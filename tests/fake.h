/* A kind that does on demand what workers must survive, and studies of it.
 * For the tests of workers and transports. */
#ifndef TESTS_FAKE_H
#define TESTS_FAKE_H

#include "base/bug.h"
#include "base/clock.h"
#include "config/study.h"
#include "input/input.h"
#include "kind/registry.h"
#include "plan/plan.h"
#include "record/record.h"
#include "worker/worker.h"
#include "worker/zygote.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const struct ens_setting fake_settings[] = {
    {"fake", "mode", ENS_T_TEXT, ENS_AXIS, ENS_C_CELL, "ok", 0, 0, NULL, NULL,
     "what a task does"},
    {"how", "at", ENS_T_INT, ENS_ONE, ENS_C_RUN, "0", 0, 1000000, NULL, NULL,
     "replicate that goes wrong, 0: all"},
    {"how", "open", ENS_T_TEXT, ENS_ONE, ENS_C_RUN, "ok", 0, 0, NULL, NULL,
     "what open does"},
};

static const struct ens_field fake_fields[] = {
    {"x", ENS_F64, "", "a draw"},
    {"r", ENS_I64, "", "the replicate"},
    {"note", ENS_TEXT, "", "a text"},
};
static const struct ens_field fake_other[] = {{"y", ENS_F64, "", "a draw"}};

static const struct ens_retained fake_retained[] = {
    {"draws", "standard", "eight bytes"},
    {"trace", "debug", "eight bytes"},
};

struct fake_state {
    const struct ens_host *host;
    const struct ens_plan *plan;
    char mode[32];
    uint32_t at;
};

static enum ens_status fake_plan(const struct ens_host *host,
                                 struct ens_plan *p, struct ens_error *err)
{
    static const struct ens_array_def def = {"acc", ENS_DT_F64, 1};
    static const char *const writes[] = {"acc", NULL};
    const struct ens_study *study = host->plan_study(p);
    int arrays =
        strcmp(ens_study_value(study, "how", "open")->text, "arrays") == 0;
    uint32_t index;
    enum ens_status s =
        host->plan_schema(p, fake_fields, ENS_COUNT(fake_fields), &index, err);

    if (s == ENS_OK)
        s = host->plan_array(p, &def, err);
    if (s == ENS_OK)
        s = host->plan_stage(p, "main", 0, NULL, arrays ? writes : NULL, NULL,
                             0, err);
    return s;
}

static enum ens_status fake_open(const struct ens_host *host,
                                 const struct ens_plan *plan, void **state,
                                 struct ens_error *err)
{
    struct fake_state *st = calloc(1, sizeof(*st));
    const char *how = ens_study_value(plan->study, "how", "open")->text;

    if (strcmp(how, "fail") == 0) {
        free(st);
        return ens_fail(err, ENS_EINPUT, "open was told to fail");
    }
    if (strcmp(how, "die") == 0)
        _exit(7);
    ENS_BUG_ON(st == NULL);
    st->host = host;
    st->plan = plan;
    st->at = (uint32_t)ens_study_value(plan->study, "how", "at")->i;
    *state = st;
    return ENS_OK;
}

static void fake_close(void *state)
{
    free(state);
}

static enum ens_status fake_cell(void *state, const struct ens_cell *cell,
                                 struct ens_error *err)
{
    struct fake_state *st = state;

    snprintf(st->mode, sizeof(st->mode), "%s",
             ens_cell_value(cell, "fake", "mode")->text);
    if (strcmp(st->mode, "badcell") == 0)
        return ens_fail(err, ENS_EDOMAIN, "cell was told to fail");
    return ENS_OK;
}

/* A child in the worker's group that sleeps for ever. */
static void fake_spawn(void)
{
    pid_t pid = fork();

    if (pid == 0)
        for (;;)
            pause();
    ENS_BUG_ON(pid < 0);
}

static enum ens_status fake_touch(struct fake_state *st, struct ens_result *r,
                                  int write)
{
    const struct ens_input *in = st->host->input(r, "X");
    volatile double *p = (volatile double *)(uintptr_t)in->view.data;

    if (write)
        p[0] = 1;
    st->host->f64(r, 0, p[in->n_rows - 1]);
    return ENS_OK;
}

static enum ens_status fake_misbehave(struct fake_state *st,
                                      const struct ens_task *task,
                                      struct ens_result *r,
                                      struct ens_error *err)
{
    const struct ens_host *h = st->host;
    const struct timespec ms = {0, 1000000};
    const char *mode = st->mode;
    uint64_t word = task->replicate;

    if (strcmp(mode, "crash") == 0)
        *(volatile int *)(uintptr_t)(8 + 4 * st->at) = 0;
    if (strcmp(mode, "abort") == 0)
        abort();
    if (strcmp(mode, "spawnhang") == 0)
        fake_spawn();
    if (strcmp(mode, "hang") == 0 || strcmp(mode, "spawnhang") == 0)
        for (;;)
            pause();
    if (strcmp(mode, "sleep") == 0)
        nanosleep(&ms, NULL);
    if (strcmp(mode, "fail") == 0)
        return ens_fail(err, ENS_EDOMAIN, "singular at %u", task->replicate);
    if (strcmp(mode, "nomem") == 0)
        return malloc((size_t)1 << 40) == NULL ? ENS_ENOMEMORY : ENS_OK;
    if (strcmp(mode, "touch") == 0)
        return fake_touch(st, r, 0);
    if (strcmp(mode, "scribble") == 0)
        return fake_touch(st, r, 1);
    if (strcmp(mode, "env") == 0 && getenv("OMPI_FAKE") != NULL)
        return ens_fail(err, ENS_EDOMAIN, "OMPI_FAKE is set");
    if (strcmp(mode, "badfield") == 0)
        h->f64(r, 99, 0);
    if (strcmp(mode, "keep") == 0) {
        enum ens_status s = h->artifact(r, "draws", &word, 8, err);

        if (s == ENS_OK)
            s = h->artifact(r, "trace", &word, 8, err);
        return s;
    }
    return ENS_OK;
}

/* Eight bytes in two parts. */
static enum ens_status fake_parts(const struct ens_host *h,
                                  struct ens_result *r, const char *item,
                                  uint64_t word, struct ens_error *err)
{
    enum ens_status s = h->artifact_begin(r, item, err);

    if (s == ENS_OK)
        s = h->artifact_part(r, &word, 3, err);
    if (s == ENS_OK)
        s = h->artifact_part(r, (const char *)&word + 3, 5, err);
    return s == ENS_OK ? h->artifact_end(r, err) : s;
}

static enum ens_status fake_fill(struct fake_state *st,
                                 const struct ens_task *task,
                                 struct ens_result *r, struct ens_error *err)
{
    void *data;
    uint64_t n;
    enum ens_status s = st->host->block(r, "acc", &data, &n, err);

    for (uint64_t i = 0; s == ENS_OK && i < n; i++)
        ((double *)data)[i] = 100 * task->replicate + (double)i;
    return s;
}

/* The same block, an element at a time; "gap", "short", "over" and "both" are
 * wrong. */
static enum ens_status fake_pieces(struct fake_state *st,
                                   const struct ens_task *task,
                                   struct ens_result *r, struct ens_error *err)
{
    int over = strcmp(st->mode, "over") == 0;
    int gap = strcmp(st->mode, "gap") == 0;
    uint64_t n = strcmp(st->mode, "short") == 0 ? 2 : 3;
    enum ens_status s = ENS_OK;

    for (uint64_t i = 0; s == ENS_OK && i < n; i++) {
        const double x[2] = {100 * task->replicate + (double)i, 0};

        s = st->host->block_part(r, "acc", i + (uint64_t)(gap && i == 1), x,
                                 1 + (uint64_t)(over && i == 2), err);
    }
    return s == ENS_OK && strcmp(st->mode, "both") == 0
               ? fake_fill(st, task, r, err)
               : s;
}

static int fake_is_pieces(const char *mode)
{
    static const char *const modes[] = {"pieces", "gap", "short", "over",
                                        "both"};

    for (size_t i = 0; i < ENS_COUNT(modes); i++)
        if (strcmp(mode, modes[i]) == 0)
            return 1;
    return 0;
}

static enum ens_status fake_run(void *state, const struct ens_task *task,
                                struct ens_result *r, struct ens_error *err)
{
    struct fake_state *st = state;
    const struct ens_host *h = st->host;
    const char *of = strrchr(st->mode, ':'); /* mode "x:PURPOSE": a draw */
    enum ens_status s;

    if (strcmp(st->mode, "parts") == 0) {
        s = fake_parts(h, r, "draws", task->replicate, err);
        return s == ENS_OK ? fake_parts(h, r, "trace", task->replicate, err)
                           : s;
    }
    if (strcmp(st->mode, "unended") == 0)
        return h->artifact_begin(r, "draws", err);
    if (strcmp(st->mode, "nested") == 0) {
        s = h->artifact_begin(r, "draws", err);
        return s == ENS_OK ? h->artifact(r, "trace", "x", 1, err) : s;
    }
    if (strcmp(st->mode, "noop") == 0)
        return ENS_OK;
    if (strcmp(st->mode, "other") == 0 && task->replicate % 2 == 0) {
        s = h->new_schema(r, fake_other, 1, err);
        h->f64(r, 0, h->normal(h->rng(r, "fit")));
        return s;
    }
    if (strcmp(st->mode, "block") == 0 || fake_is_pieces(st->mode)) {
        s = fake_is_pieces(st->mode) ? fake_pieces(st, task, r, err)
                                     : fake_fill(st, task, r, err);
        if (s != ENS_OK)
            return s;
    }
    h->f64(r, 0, h->uniform(h->rng(r, of != NULL ? of + 1 : "fit")));
    h->i64(r, 1, task->replicate);
    h->text(r, 2, "note", 4);
    if (task->replicate % 10 == 0)
        h->warn(r, "tenth");
    if (st->at != 0 && st->at != task->replicate)
        return ENS_OK;
    return fake_misbehave(st, task, r, err);
}

static enum ens_status fake_next(void *state, const char *key, uint32_t index,
                                 struct ens_records *in, struct ens_plan *plan,
                                 struct ens_error *err)
{
    static const char *const reads[] = {"acc", NULL};
    struct fake_state *st = state;
    const struct ens_schema *schema;
    struct ens_record rec;
    uint64_t sum = 0;
    enum ens_status s;

    (void)key;
    if (index >= 1)
        return ENS_OK;
    while (st->host->next_record(in, &rec, &schema)) {
        int missing;
        int64_t v = ens_record_i64(&rec, 1, &missing);

        sum = 3 * sum + (missing ? 0 : (uint64_t)v);
    }
    s = st->host->plan_stage(plan, "second", 2, NULL, NULL, reads, 0, err);
    if (s == ENS_OK)
        s = st->host->plan_data(plan, &sum, sizeof(sum), err);
    return s;
}

static enum ens_status fake_shape(const struct ens_host *host,
                                  const struct ens_plan *p, const char *array,
                                  const struct ens_cell *cell, uint32_t *ndim,
                                  uint64_t *shape)
{
    (void)host;
    (void)array;
    (void)cell;
    *ndim = 2;
    shape[0] = ens_study_replicates(p->study);
    shape[1] = 3;
    return ENS_OK;
}

static enum ens_status fake_region(const struct ens_host *host,
                                   const struct ens_plan *p, const char *array,
                                   const struct ens_cell *cell,
                                   uint32_t replicate, uint64_t *first,
                                   uint64_t *n)
{
    (void)host;
    (void)p;
    (void)array;
    (void)cell;
    *first = 3 * (uint64_t)(replicate - 1);
    *n = 3;
    return ENS_OK;
}

static const struct ens_role fake_roles[] = {{.name = "fake"}};

static const struct ens_kind fake_kind = {
    .abi = ENS_ABI,
    .name = "fake",
    .help = "does what it is told",
    .results_version = 1,
    .settings = fake_settings,
    .n_settings = ENS_COUNT(fake_settings),
    .roles = fake_roles,
    .n_roles = ENS_COUNT(fake_roles),
    .retained = fake_retained,
    .n_retained = ENS_COUNT(fake_retained),
    .plan = fake_plan,
    .open = fake_open,
    .close = fake_close,
    .cell = fake_cell,
    .run = fake_run,
    .next = fake_next,
    .array_shape = fake_shape,
    .array_region = fake_region,
};
static const struct ens_kind *const fake_kinds[] = {&fake_kind};
static const struct ens_kind_table fake_table = {fake_kinds, 1};

/* -- studies ------------------------------------------------------------- */

struct fake_study {
    char dir[64]; /* scratch, removed by fake_study_fini */
    struct ens_buf text;
    struct ens_study *study;
    struct ens_inputs inputs;
    int has_inputs;
    struct ens_plan plan;
};

static const struct ens_study_tables *fake_find(void *arg, const char *name)
{
    struct ens_study_tables *t = arg;

    if (strcmp(name, "fake") != 0)
        return NULL;
    *t = ens_kind_tables(&fake_kind);
    return t;
}

/* replicates and further lines; `input`: path of input X or NULL. */
static inline void fake_study_init(struct fake_study *f, unsigned replicates,
                                   const char *lines, const char *input)
{
    static const char *const names[] = {"fake", NULL};
    struct ens_study_tables tables;
    struct ens_study_kinds kinds = {fake_find, names, &tables, NULL};
    struct ens_buf text = ENS_BUF_INIT, errors = ENS_BUF_INIT;
    struct ens_error err = {0};

    memset(f, 0, sizeof(*f));
    snprintf(f->dir, sizeof(f->dir), "/tmp/ensrun-test-XXXXXX");
    ck_assert(mkdtemp(f->dir) != NULL);
    ens_buf_printf(&text,
                   "[study]\nkind = fake\nname = t\nseed = 42\n"
                   "replicates = %u\n%s",
                   replicates, lines);
    if (input != NULL)
        ens_buf_printf(&text, "[inputs]\nX = %s\n", input);
    ck_assert_msg(ens_study_parse(&f->study, "study.ini", text.data, text.len,
                                  "/", NULL, 0, &kinds, &errors,
                                  &err) == ENS_OK,
                  "%s\n%s", err.text, ens_buf_text(&errors));
    ens_study_write(f->study, &f->text);
    if (input != NULL) {
        ck_assert_msg(ens_inputs_open(&f->inputs, f->study, NULL, NULL, &err) ==
                          ENS_OK,
                      "%s", err.text);
        f->has_inputs = 1;
    }
    ck_assert_msg(ens_plan_make(&f->plan, &ens_host, &fake_kind, f->study,
                                f->has_inputs ? &f->inputs : NULL,
                                &err) == ENS_OK,
                  "%s", err.text);
    ens_buf_fini(&text);
    ens_buf_fini(&errors);
}

static inline void fake_study_fini(struct fake_study *f)
{
    char command[128];

    ens_plan_fini(&f->plan);
    if (f->has_inputs)
        ens_inputs_close(&f->inputs);
    ens_study_free(f->study);
    ens_buf_fini(&f->text);
    snprintf(command, sizeof(command), "rm -rf %s", f->dir);
    ck_assert_int_eq(system(command), 0);
}

/* A file of n doubles 0, 1 ... as .npy at path. */
static inline void fake_npy(const char *path, size_t n)
{
    char head[128];
    FILE *file = fopen(path, "wb");
    int k;

    ck_assert(file != NULL);
    memset(head, ' ', sizeof(head));
    memcpy(head, "\x93NUMPY\x01\x00\x76\x00", 10);
    k = snprintf(head + 10, 100,
                 "{'descr': '<f8', 'fortran_order': False, 'shape': (%zu,), }",
                 n);
    head[10 + k] = ' ';
    head[127] = '\n';
    ck_assert_uint_eq(fwrite(head, 1, sizeof(head), file), sizeof(head));
    for (size_t i = 0; i < n; i++) {
        double v = (double)i;

        ck_assert_uint_eq(fwrite(&v, sizeof(v), 1, file), 1);
    }
    ck_assert_int_eq(fclose(file), 0);
}

#endif
