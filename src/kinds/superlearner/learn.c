#include "kinds/superlearner/learn.h"

#include "config/study.h"
#include "learn/rows.h"

#include <math.h>

size_t ens_sl_n_out(enum ens_outcome_family family, uint32_t n_classes)
{
    return family == ENS_OUTCOME_MULTINOMIAL ? n_classes : 1;
}

/* -- options --------------------------------------------------------------- */

struct setup_own {
    const struct ens_study *study;
    const struct ens_cell *cell; /* NULL: [meta] */
    struct ens_arena *arena;
};

static void *setup_alloc(const struct ens_learn_setup *setup, size_t n,
                         size_t size)
{
    const struct setup_own *own = setup->own;

    return ens_arena_alloc(own->arena, n, size);
}

static const struct ens_value *setup_value(const struct ens_learn_setup *setup,
                                           const char *key)
{
    const struct setup_own *own = setup->own;

    return own->cell != NULL ? ens_cell_value(own->cell, "learner", key)
                             : ens_study_row_value(own->study, "meta", "", key);
}

struct ens_learn_setup ens_sl_setup(const struct ens_sl *sl,
                                    const struct ens_host *host,
                                    const struct ens_cell *cell,
                                    struct ens_arena *arena)
{
    struct setup_own *own = ens_arena_alloc(arena, 1, sizeof(*own));
    struct ens_learn_setup setup = {
        .host = host,
        .alloc = setup_alloc,
        .value = setup_value,
        .family = sl->family,
        .n_classes = sl->n_classes,
        .own = own,
    };

    if (own != NULL)
        *own = (struct setup_own){sl->study, cell, arena};
    return setup;
}

enum ens_status ens_sl_options(const struct ens_sl *sl,
                               const struct ens_host *host,
                               const struct ens_cell *cell,
                               const struct ens_learner *learner,
                               struct ens_arena *arena, const void **options,
                               struct ens_error *err)
{
    struct ens_learn_setup setup = ens_sl_setup(sl, host, cell, arena);

    *options = NULL;
    if (setup.own == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    return learner->options == NULL ? ENS_OK
                                    : learner->options(&setup, options, err);
}

/* -- at work --------------------------------------------------------------- */

static void *job_alloc(const struct ens_learn_job *job, size_t n, size_t size)
{
    const struct ens_sl_learn *learn = job->own;

    return ens_arena_alloc(&learn->task->st->arena, n, size);
}

static void *job_model(const struct ens_learn_job *job, size_t bytes)
{
    struct ens_sl_learn *learn = job->own;

    learn->made =
        ens_arena_alloc(&learn->task->st->arena, 1, bytes > 0 ? bytes : 1);
    learn->model = (struct ens_learn_model){learn->made, bytes};
    return learn->made;
}

/* Of rows that were read as 0 nothing is worth a warning: the fit fails. */
static void job_warn(const struct ens_learn_job *job, const char *text)
{
    const struct ens_sl_learn *learn = job->own;

    if (ens_rows_bad(learn->train, NULL) == ENS_OK)
        job->host->warn(job->result, text);
}

enum ens_status ens_sl_learn(struct ens_sl_learn *learn,
                             const struct ens_rows *train,
                             struct ens_error *err)
{
    struct ens_sl_state *st = learn->task->st;
    const struct ens_sl *sl = &st->sl;
    struct ens_part part = {.ops = learn->learner,
                            .close = learn->learner->close};
    struct ens_error bad;
    void *state;
    enum ens_status s = ens_parts_get(&st->parts, &part, learn->learner->open,
                                      st->host, &state, err);

    if (s != ENS_OK)
        return s;
    learn->job = (struct ens_learn_job){
        .host = st->host,
        .result = learn->task->result,
        .task = learn->task->task,
        .state = state,
        .options = learn->options,
        .family = sl->family,
        .n_classes = sl->n_classes,
        .n_out = ens_sl_n_out(sl->family, sl->n_classes),
        .alloc = job_alloc,
        .model = job_model,
        .warn = job_warn,
        .own = learn,
    };
    learn->train = train;
    if (train->n == 0)
        return ens_fail(err, ENS_EDOMAIN, "there are no rows to be fitted on");
    s = learn->learner->fit(&learn->job, train, err);
    /* what was read as 0 explains any failure better than its consequence */
    if (ens_rows_bad(train, &bad) != ENS_OK) {
        if (err != NULL)
            *err = bad;
        return ENS_EDOMAIN;
    }
    if (s == ENS_OK && learn->made == NULL)
        return ens_fail(err, ENS_EPROTOCOL, "the learner made no model");
    return s;
}

enum ens_status ens_sl_predict_rows(const struct ens_sl_learn *learn,
                                    const struct ens_rows *train,
                                    const struct ens_rows *at, uint64_t first,
                                    size_t n, double *out,
                                    struct ens_error *err)
{
    size_t m = learn->job.n_out;
    enum ens_status s = learn->learner->predict(&learn->job, &learn->model,
                                                train, at, first, n, out, err);

    if (s == ENS_OK)
        s = ens_rows_bad(at, err);
    for (size_t i = 0; i < n * m && s == ENS_OK; i++)
        if (!isfinite(out[i]))
            s = ens_fail(err, ENS_EDOMAIN,
                         "the prediction of a row is %g, not a finite number",
                         out[i]);
    return s;
}
