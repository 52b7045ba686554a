/* Learner `program`: a program of the user's that stays, one per worker
 * (program/crew.h). It is told which rows of which file it is to learn, maps
 * them itself, and gives its model as bytes; launch/clients/README.md draws
 * the lines.
 *
 * Rows that lie in no file as they are (preprocessed, scaled, or not of
 * contiguous doubles) are copied into memory that it shares.
 *
 * The model: the bytes as the program made them. */
#include "learn/learners/learners.h"

#include "base/hash.h"
#include "program/crew.h"
#include "program/json.h"
#include "program/mapped.h"
#include "program/request.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK      256
#define MAX_RANGES 1000 /* more are sent as numbers */

struct program {
    const char *run, *folder;
};

/* Of a worker. */
struct state {
    struct ens_crew *crew;
    uint64_t known; /* hash of the model that a program has; 0: none */
    const struct ens_crew_member *knows;
};

const struct ens_setting ens_learner_program_settings[] = {
    {.section = "learner",
     .key = "run",
     .type = ENS_T_LINE,
     .cls = ENS_C_CELL,
     .def = NULL,
     .help = "the program and its arguments; {input.NAME}"},
    {.section = "learner",
     .key = "folder",
     .type = ENS_T_PATH,
     .cls = ENS_C_RUN,
     .def = ".",
     .help = "what words of run that begin with ./ are relative to"},
};

static enum ens_status options(const struct ens_learn_setup *setup,
                               const void **to, struct ens_error *err)
{
    struct program *o = setup->alloc(setup, 1, sizeof(*o));
    struct ens_arena arena = ENS_ARENA_INIT;
    struct ens_words line;
    enum ens_status s;

    if (o == NULL)
        return setup->host->fail(err, ENS_ENOMEMORY, "program: options");
    o->run = setup->value(setup, "run")->text;
    o->folder = setup->value(setup, "folder")->text;
    *to = o;
    s = ens_words_parse(&line, o->run, 0, &arena, err);
    ens_arena_fini(&arena);
    return s == ENS_OK ? s : ens_wrap(err, s, "run");
}

static void close_state(void *state_)
{
    struct state *state = state_;

    ens_crew_close(state->crew);
    free(state);
}

static enum ens_status open_state(const struct ens_host *host, void **to,
                                  struct ens_error *err)
{
    struct state *state = calloc(1, sizeof(*state));
    enum ens_status s;

    if (state == NULL)
        return host->fail(err, ENS_ENOMEMORY, "programs of a worker");
    s = ens_crew_open(&state->crew, err);
    if (s != ENS_OK)
        free(state);
    else
        *to = state;
    return s;
}

static uint64_t memory(const void *options_, uint64_t n, size_t p)
{
    (void)options_;
    return n * (p + 1) * sizeof(double); /* a copy, where one is needed */
}

/* -- a request --------------------------------------------------------------
 */

struct request {
    const struct ens_learn_job *job;
    struct ens_job of; /* what crews take */
    struct ens_crew *crew;
    struct ens_crew_member *member;
    struct ens_task_values values;
};

/* The learner of the task's cell, and not that of [meta], which has no keys of
 * the user's own? */
static int is_of_row(const struct ens_learn_job *job)
{
    const struct program *o = job->options;
    const struct ens_value *run =
        job->host->cell_value(&job->task->cell, "learner", "run");

    return run != NULL && run->text == o->run;
}

/* To be told once, not as the failure of every task. */
static enum ens_status check_program(const struct ens_learn_job *job,
                                     struct ens_error *err)
{
    const struct program *o = job->options;
    struct ens_arena arena = ENS_ARENA_INIT;
    struct ens_words line;
    enum ens_status s = ens_words_parse(&line, o->run, 0, &arena, err);

    if (s == ENS_OK)
        s = ens_words_check_program(&line, o->folder, &arena, err);
    if (s == ENS_OK && job->outside) /* no run has looked for them */
        s = ens_task_values_check_files(job->task->cell.study, &line, err);
    ens_arena_fini(&arena);
    return s == ENS_OK ? s : ens_wrap(err, s, "learner program, run");
}

static enum ens_status begin(struct request *q, const struct ens_learn_job *job,
                             const char *role, struct ens_error *err)
{
    static const char *const family[] = {
        [ENS_OUTCOME_GAUSSIAN] = "gaussian",
        [ENS_OUTCOME_BINOMIAL] = "binomial",
        [ENS_OUTCOME_MULTINOMIAL] = "multinomial",
        [ENS_OUTCOME_POISSON] = "poisson",
    };
    const struct program *o = job->options;
    struct state *state = job->state;
    enum ens_status s;

    if (job->task == NULL || job->result == NULL || state == NULL)
        return job->host->fail(err, ENS_EDOMAIN,
                               "learner program: its program runs in tasks of "
                               "a study only");
    s = check_program(job, err);
    if (s != ENS_OK)
        return s;
    q->job = job;
    q->of = (struct ens_job){
        .host = job->host, .result = job->result, .task = job->task};
    q->crew = state->crew;
    q->crew->alone = job->outside;
    s = ens_crew_get(q->crew, o->run, o->folder, &q->of, &q->member, err);
    if (s != ENS_OK)
        return s;
    ens_task_values_set(&q->values, job->task);
    if (strcmp(role, "learn") == 0)
        ens_task_values_as(&q->values, job->task->cell.hash[0],
                           job->host->bits(job->host->rng(job->result, "fit")));
    ens_request_begin(&q->crew->line, role, is_of_row(job) ? "learner" : NULL,
                      &q->values);
    ens_request_inputs(&q->crew->line, job->host, &q->values, job->result);
    ens_buf_printf(&q->crew->line,
                   ", \"family\": \"%s\", \"n_classes\": %u, \"n_out\": %zu, "
                   "\"answer\": \"" ENS_CREW_ANSWER_PATH "\"",
                   family[job->family], job->n_classes, job->n_out);
    return ENS_OK;
}

static enum ens_status ask(struct request *q, struct ens_answer *answer,
                           struct ens_error *err)
{
    ens_request_end(&q->crew->line);
    return ens_crew_ask(q->crew, q->member, &q->of, q->values.task, answer,
                        err);
}

/* -- rows: where they lie ---------------------------------------------------
 */

/* Pieces of rows that follow each other in the source. */
struct pieces {
    struct ens_buf *to;
    size_t n;
    uint64_t first, length;
};

static void put_piece(struct pieces *p)
{
    if (p->length > 0 && p->n++ < MAX_RANGES)
        ens_buf_printf(p->to, "%s[%llu, %llu]", p->n > 1 ? ", " : "",
                       (unsigned long long)p->first,
                       (unsigned long long)p->length);
}

static size_t block_at(uint64_t at, uint64_t n)
{
    return n - at < BLOCK ? (size_t)(n - at) : BLOCK;
}

/* "[[first, n], ...]" of rows first .. first+n-1; 0 pieces: too many. */
static size_t put_ranges(struct ens_buf *to, const struct ens_rows *rows,
                         uint64_t first, uint64_t n)
{
    struct pieces p = {.to = to};
    uint64_t source[BLOCK];

    for (uint64_t at = 0; at < n; at += BLOCK) {
        size_t m = block_at(at, n);

        rows->source(rows, first + at, m, source);
        for (size_t i = 0; i < m; i++) {
            if (p.length == 0 || source[i] != p.first + p.length) {
                put_piece(&p);
                p.first = source[i];
                p.length = 0;
            }
            p.length++;
        }
    }
    put_piece(&p);
    return p.n > MAX_RANGES ? 0 : p.n;
}

static enum ens_status put_index(struct request *q, const struct ens_rows *rows,
                                 uint64_t first, uint64_t n,
                                 struct ens_error *err)
{
    uint64_t source[BLOCK], begin_ = q->member->data.used, at_;
    double number[BLOCK];
    enum ens_status s = ENS_OK;

    for (uint64_t at = 0; at < n && s == ENS_OK; at += BLOCK) {
        size_t m = block_at(at, n);

        rows->source(rows, first + at, m, source);
        for (size_t i = 0; i < m; i++)
            number[i] = (double)source[i];
        s = ens_share_put(&q->member->data, number, m, &at_, err);
    }
    ens_buf_printf(&q->crew->line,
                   "\"index\": {\"path\": \"" ENS_CREW_DATA_PATH
                   "\", \"at\": %llu, \"rows\": %llu, \"columns\": [\"row\"]}",
                   (unsigned long long)begin_, (unsigned long long)n);
    return s;
}

/* Rows seen, so that what is no number among them is told; to the program's
 * memory when they lie in no file. */
static enum ens_status see_x(struct request *q, const struct ens_rows *rows,
                             uint64_t first, uint64_t n, int copied,
                             struct ens_error *err)
{
    double *x = malloc((BLOCK * rows->p + 1) * sizeof(*x));
    uint64_t ignored;
    enum ens_status s = ENS_OK;

    if (x == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "rows for a program");
    for (uint64_t at = 0; at < n && s == ENS_OK; at += BLOCK) {
        size_t m = block_at(at, n);

        rows->x(rows, first + at, m, x);
        if (copied)
            s = ens_share_put(&q->member->data, x, m * rows->p, &ignored, err);
    }
    free(x);
    return s;
}

/* File and byte of the source's row 0; -1: rows must be copied. */
static int find_file(const struct ens_rows *rows, uint64_t first, uint64_t n,
                     char *path, size_t cap, uint64_t *at)
{
    uint64_t source = 0, before, found;
    const double *row;

    if (rows->mapped == NULL || n == 0 || rows->p == 0)
        return -1;
    rows->source(rows, first, 1, &source);
    row = rows->mapped + source * rows->stride;
    before = source * rows->stride * sizeof(*row);
    if (ens_mapped_file(row, rows->p * sizeof(*row), path, cap, &found) != 0 ||
        found < before)
        return -1;
    *at = found - before;
    return 0;
}

/* `, "x": {...}` */
static enum ens_status put_x(struct request *q, const struct ens_rows *rows,
                             uint64_t first, uint64_t n, struct ens_error *err)
{
    struct ens_buf *line = &q->crew->line;
    char path[PATH_MAX];
    uint64_t at = q->member->data.used, stride = rows->p;
    int mapped = find_file(rows, first, n, path, sizeof(path), &at) == 0;
    size_t mark;
    enum ens_status s = see_x(q, rows, first, n, !mapped, err);

    ens_buf_puts(line, ", \"x\": {\"path\": ");
    ens_json_text(line, mapped ? path : ENS_CREW_DATA_PATH);
    if (mapped)
        stride = rows->stride;
    ens_buf_printf(line, ", \"at\": %llu, \"stride\": %llu, \"columns\": ",
                   (unsigned long long)at, (unsigned long long)stride);
    ens_json_texts(line, rows->column, rows->p);
    ens_buf_printf(line, ", \"rows\": %llu, ", (unsigned long long)n);
    mark = line->len;
    ens_buf_puts(line, "\"ranges\": [");
    if (!mapped) {
        ens_buf_printf(line, "[0, %llu]]", (unsigned long long)n);
    } else if (put_ranges(line, rows, first, n) > 0) {
        ens_buf_puts(line, "]");
    } else {
        line->len = mark;
        if (s == ENS_OK)
            s = put_index(q, rows, first, n, err);
    }
    ens_buf_puts(line, "}");
    return s;
}

/* `, "KEY": {...}`: a number a row. */
static enum ens_status
put_column(struct request *q, const char *key, const struct ens_rows *rows,
           void (*read)(const struct ens_rows *, uint64_t, size_t, double *),
           struct ens_error *err)
{
    uint64_t begin_ = q->member->data.used, ignored;
    double v[BLOCK];
    enum ens_status s = ENS_OK;

    for (uint64_t at = 0; at < rows->n && s == ENS_OK; at += BLOCK) {
        size_t m = block_at(at, rows->n);

        read(rows, at, m, v);
        s = ens_share_put(&q->member->data, v, m, &ignored, err);
    }
    ens_buf_printf(&q->crew->line,
                   ", \"%s\": {\"path\": \"" ENS_CREW_DATA_PATH
                   "\", \"at\": %llu, \"rows\": %llu, \"columns\": [\"%s\"]}",
                   key, (unsigned long long)begin_, (unsigned long long)rows->n,
                   key);
    return s;
}

/* -- fit --------------------------------------------------------------------
 */

static enum ens_status take_warnings(const struct ens_learn_job *job,
                                     const struct ens_answer *answer,
                                     struct ens_error *err)
{
    const char *text[16];
    size_t n;
    enum ens_status s = ens_answer_texts(answer, "warnings", text, 16, &n, err);

    for (size_t i = 0; s == ENS_OK && i < n; i++)
        job->warn(job, text[i]);
    return s;
}

static enum ens_status take_model(struct request *q,
                                  const struct ens_answer *answer,
                                  struct ens_error *err)
{
    const struct ens_learn_job *job = q->job;
    uint64_t bytes;
    void *model;
    enum ens_status s =
        ens_answer_count(answer, "bytes", (uint64_t)1 << 40, &bytes, err);

    if (s == ENS_OK && bytes == 0)
        s = ens_fail(err, ENS_EDOMAIN, "output: a model of 0 bytes");
    if (s == ENS_OK)
        s = take_warnings(job, answer, err);
    if (s != ENS_OK)
        return s;
    model = job->model(job, (size_t)bytes);
    return model == NULL ? ens_fail(err, ENS_ENOMEMORY, "a model of %llu bytes",
                                    (unsigned long long)bytes)
                         : ens_share_get_bytes(&q->member->answer, model,
                                               (size_t)bytes, err);
}

static enum ens_status fit(const struct ens_learn_job *job,
                           const struct ens_rows *train, struct ens_error *err)
{
    struct request q;
    struct ens_answer answer;
    enum ens_status s = begin(&q, job, "learn", err);

    if (s == ENS_OK)
        s = put_x(&q, train, 0, train->n, err);
    if (s == ENS_OK)
        s = put_column(&q, "y", train, train->y, err);
    if (s == ENS_OK && train->weighted)
        s = put_column(&q, "w", train, train->w, err);
    if (s == ENS_OK)
        s = ask(&q, &answer, err);
    if (s != ENS_OK)
        return s;
    s = take_model(&q, &answer, err);
    ens_answer_close(&answer);
    return s;
}

/* -- predict ----------------------------------------------------------------
 */

/* The model itself unless the program had it last. */
static enum ens_status put_model(struct request *q,
                                 const struct ens_learn_model *model,
                                 struct ens_error *err)
{
    struct state *state = q->job->state;
    uint64_t hash = ens_hash64(model->data, model->bytes), at;
    enum ens_status s = ENS_OK;

    ens_buf_printf(&q->crew->line, ", \"model\": {\"key\": \"%016llx\"",
                   (unsigned long long)hash);
    if (hash != state->known || q->member != state->knows) {
        s = ens_share_put_bytes(&q->member->data, model->data, model->bytes,
                                &at, err);
        ens_buf_printf(&q->crew->line,
                       ", \"path\": \"" ENS_CREW_DATA_PATH
                       "\", \"at\": %llu, \"bytes\": %zu",
                       (unsigned long long)at, model->bytes);
    }
    ens_buf_puts(&q->crew->line, "}");
    state->known = 0; /* unless all goes well */
    state->knows = q->member;
    return s;
}

/* n x n_out, column after column, to row-major. */
static enum ens_status take_predictions(struct request *q, size_t n,
                                        double *out, struct ens_error *err)
{
    size_t m = q->job->n_out;
    double *column;
    enum ens_status s;

    if (m == 1)
        return ens_share_get(&q->member->answer, out, n, err);
    column = malloc((n * m + 1) * sizeof(*column));
    if (column == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "predictions of a program");
    s = ens_share_get(&q->member->answer, column, n * m, err);
    for (size_t i = 0; s == ENS_OK && i < n; i++)
        for (size_t k = 0; k < m; k++)
            out[i * m + k] = column[k * n + i];
    free(column);
    return s;
}

static enum ens_status predict(const struct ens_learn_job *job,
                               const struct ens_learn_model *model,
                               const struct ens_rows *train,
                               const struct ens_rows *at, uint64_t first,
                               size_t n, double *out, struct ens_error *err)
{
    struct state *state = job->state;
    struct request q;
    struct ens_answer answer;
    uint64_t rows;
    enum ens_status s = begin(&q, job, "predict", err);

    (void)train;
    if (s == ENS_OK)
        s = put_x(&q, at, first, n, err);
    if (s == ENS_OK)
        s = put_model(&q, model, err);
    if (s == ENS_OK)
        s = ask(&q, &answer, err);
    if (s != ENS_OK)
        return s;
    s = ens_answer_count(&answer, "rows", UINT32_MAX, &rows, err);
    if (s == ENS_OK && rows != n)
        s = ens_fail(err, ENS_EDOMAIN,
                     "output: predictions of %llu rows; %zu expected",
                     (unsigned long long)rows, n);
    if (s == ENS_OK)
        s = take_warnings(job, &answer, err);
    ens_answer_close(&answer);
    if (s == ENS_OK)
        s = take_predictions(&q, n, out, err);
    if (s == ENS_OK)
        state->known = ens_hash64(model->data, model->bytes);
    return s;
}

const struct ens_learner ens_learner_program = {
    .families = ENS_LEARN_ALL,
    .uses = ENS_LEARN_WEIGHTS,
    .open = open_state,
    .close = close_state,
    .options = options,
    .memory = memory,
    .fit = fit,
    .predict = predict,
};
