#include "kinds/superlearner/fit.h"

#include "config/study.h"
#include "kinds/superlearner/cases.h"
#include "kinds/superlearner/learn.h"
#include "kinds/superlearner/models.h"
#include "kinds/superlearner/moments.h"
#include "kinds/superlearner/residuals.h"
#include "kinds/superlearner/scoring.h"
#include "kinds/superlearner/trees.h"

#include <string.h>

const struct ens_field ens_sl_fit_fields[ENS_SL_N_FIT_FIELDS] = {
#define ENS_SL_FIELD(id, name, type, unit, help) {name, ENS_##type, unit, help},
    ENS_SL_FIT_FIELDS(ENS_SL_FIELD)
#undef ENS_SL_FIELD
};

struct fitting {
    const struct ens_sl_job *job;
    const struct ens_sl_layer *layer;
    struct ens_sl_fit fit;
    int is_kept; /* predictions are written */
    struct ens_sl_data data;
    struct ens_folds folds;
    struct ens_rowset train_set, test_set;
    struct ens_sl_case prep; /* fitted on the training rows */
    struct ens_rows train, test;
    struct ens_sl_learn learn;
    struct ens_scorer score, risk, train_score;
    struct ens_sl_scored known; /* scores that need no rows */
};

/* Which rows: without fold k of partition j; fold 0 all of them, in their
 * order where there is one partition: `predict` finds them again when that of
 * folds is gone. Fold 0 of an outer sample predicts what the sample leaves
 * out. */
static enum ens_status choose_rows(struct fitting *f, struct ens_error *err)
{
    struct ens_arena *arena = &f->job->st->arena;
    struct ens_span *all = ens_arena_alloc(arena, 1, sizeof(*all));
    struct ens_rowset out;
    enum ens_status s =
        ens_sl_folds(f->job, f->layer, f->fit.sample, &f->folds, &out, err);

    if (s == ENS_OK && all == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    if (s == ENS_OK && f->fit.sample == 0 && f->fit.fold == 0 &&
        f->layer->n_partitions == 1)
        f->train_set = ens_rowset_one(all, NULL, 0, f->layer->n_in);
    else if (s == ENS_OK)
        s = ens_folds_train(&f->folds, f->fit.partition, f->fit.fold, arena,
                            &f->train_set, err);
    f->test_set = out;
    if (s == ENS_OK && f->fit.fold > 0)
        s = ens_folds_test(&f->folds, f->fit.fold, arena, &f->test_set, err);
    return s;
}

static enum ens_status open_rows(struct fitting *f, struct ens_error *err)
{
    enum ens_status s =
        ens_sl_data(f->job, f->layer, f->fit.sample,
                    ens_sl_texts(&f->job->task->cell), &f->data, err);

    if (s == ENS_OK)
        s = ens_sl_case_ignored(&f->job->task->cell, &f->data.source, err);
    if (s == ENS_OK)
        f->data.source.finite |= ens_sl_finite(f->job, f->layer, &f->data);
    if (s == ENS_OK)
        s = choose_rows(f, err);
    if (s == ENS_OK)
        s = ens_sl_shared_bins(f->job, f->layer, &f->data, &f->data.bins, err);
    if (s == ENS_OK)
        s = ens_sl_case_fit(f->job, f->fit, &f->data, &f->train_set, &f->prep,
                            err);
    if (s == ENS_OK)
        s = ens_sl_case_open(&f->prep, &f->data, &f->train_set, &f->train, err);
    return s == ENS_OK ? ens_sl_case_open(&f->prep, &f->data, &f->test_set,
                                          &f->test, err)
                       : s;
}

/* Predictions as the next layer sees them: the likeliest class where the layer
 * does not keep probabilities. */
static void cut(const struct fitting *f, double *p, size_t n)
{
    size_t m = f->learn.job.n_out;

    if (f->layer->is_proba || f->train.n_classes == 0)
        return;
    for (size_t i = 0; i < n; i++) {
        size_t best = 0;

        for (size_t k = 1; k < m; k++)
            if (p[i * m + k] > p[i * m + best])
                best = k;
        p[i] = m > 1 ? (double)best : p[i] > 0.5;
    }
}

struct blocks { /* buffers of a block of rows */
    double *p, *y, *w;
};

static enum ens_status alloc_blocks(struct fitting *f, struct blocks *b,
                                    struct ens_error *err)
{
    struct ens_arena *arena = &f->job->st->arena;

    b->p = ens_arena_alloc(arena, ENS_SL_BLOCK * f->learn.job.n_out,
                           sizeof(double));
    b->y = ens_arena_alloc(arena, ENS_SL_BLOCK, sizeof(double));
    b->w = ens_arena_alloc(arena, ENS_SL_BLOCK, sizeof(double));
    return b->p == NULL || b->y == NULL || b->w == NULL
               ? ens_fail(err, ENS_ENOMEMORY, "out of memory")
               : ENS_OK;
}

/* A score and a risk that are made of the same sums are added up once. */
static void add_scores(struct fitting *f, int is_train, const struct blocks *b,
                       const double *w, size_t n)
{
    if (is_train)
        ens_scorer_add(&f->train_score, b->y, b->p, w, n);
    else
        ens_scorer_add(&f->risk, b->y, b->p, w, n);
    if (!is_train && f->job->st->score->terms != f->job->st->risk->terms)
        ens_scorer_add(&f->score, b->y, b->p, w, n);
}

/* What rows say where sums did not. */
static void settle_scores(struct fitting *f)
{
    const struct ens_sl_state *st = f->job->st;

    if (!f->known.test) {
        if (st->score->terms == st->risk->terms) {
            f->score = f->risk;
            f->score.score = st->score;
        }
        f->known.score = ens_scorer_value(&f->score);
        f->known.risk = ens_scorer_value(&f->risk);
    }
    if (!f->known.train && st->sl.is_select)
        f->known.train_score = ens_scorer_value(&f->train_score);
}

static enum ens_status score_block(struct fitting *f, const struct blocks *b,
                                   const struct ens_rows *at, uint64_t first,
                                   size_t n, struct ens_error *err)
{
    struct ens_rows *train =
        f->learn.learner->uses & ENS_LEARN_ROWS ? &f->train : NULL;
    enum ens_status s =
        ens_sl_predict_rows(&f->learn, train, at, first, n, b->p, err);

    if (s != ENS_OK)
        return s;
    at->y(at, first, n, b->y);
    if (at->weighted)
        at->w(at, first, n, b->w);
    s = ens_rows_bad(at, err);
    if (s == ENS_OK && (at == &f->train || !f->known.test))
        add_scores(f, at == &f->train, b, at->weighted ? b->w : NULL, n);
    return s;
}

static size_t block_of(const struct ens_rows *at, uint64_t first)
{
    return at->n - first < ENS_SL_BLOCK ? (size_t)(at->n - first)
                                        : ENS_SL_BLOCK;
}

static enum ens_status score_training(struct fitting *f, const struct blocks *b,
                                      struct ens_error *err)
{
    enum ens_status s = ENS_OK;

    for (uint64_t at = 0; at < f->train.n && s == ENS_OK; at += ENS_SL_BLOCK)
        s = score_block(f, b, &f->train, at, block_of(&f->train, at), err);
    return s;
}

static void block_name(const struct fitting *f, char to[ENS_SL_KEY])
{
    ens_sl_array(to,
                 f->fit.sample > 0     ? "rawouter"
                 : f->layer->is_sorted ? "predicted"
                                       : "raw",
                 f->layer);
}

static enum ens_status predict(struct fitting *f, const struct blocks *b,
                               struct ens_error *err)
{
    const struct ens_host *host = f->job->st->host;
    char name[ENS_SL_KEY];
    size_t m = f->layer->m;
    enum ens_status s = ENS_OK;

    if (f->known.test && !f->is_kept)
        return ENS_OK;
    block_name(f, name);
    for (uint64_t at = 0; at < f->test.n && s == ENS_OK; at += ENS_SL_BLOCK) {
        size_t n = block_of(&f->test, at);

        s = score_block(f, b, &f->test, at, n, err);
        if (s != ENS_OK)
            break;
        if (!f->is_kept)
            continue;
        cut(f, b->p, n);
        s = host->block_part(f->job->result, name, at * m, b->p, n * m, err);
    }
    return s;
}

/* Blocks that are empty, and that the fit ended well. */
static enum ens_status rest_of_blocks(const struct fitting *f,
                                      struct ens_error *err)
{
    const struct ens_host *host = f->job->st->host;
    struct ens_result *r = f->job->result;
    char name[ENS_SL_KEY];
    void *data;
    uint64_t n;
    enum ens_status s = ENS_OK;

    if (!f->is_kept)
        return ENS_OK;
    if (f->fit.sample > 0 || f->test.n == 0) {
        ens_sl_array(name, f->layer->is_sorted ? "predicted" : "raw", f->layer);
        s = host->block(r, name, &data, &n, err);
    }
    if (s == ENS_OK && f->layer->n_samples > 1 &&
        (f->fit.sample == 0 || f->test.n == 0)) {
        ens_sl_array(name, "rawouter", f->layer);
        s = host->block(r, name, &data, &n, err);
    }
    ens_sl_array(name, "fits", f->layer);
    if (s == ENS_OK)
        s = host->block(r, name, &data, &n, err);
    if (s == ENS_OK)
        *(double *)data = 1;
    return s;
}

static void put_fields(struct fitting *f)
{
    const struct ens_host *host = f->job->st->host;
    struct ens_result *r = f->job->result;

    host->use_schema(r, f->job->st->fit_schema);
    host->i64(r, ENS_SL_F_SAMPLE, f->fit.sample);
    host->i64(r, ENS_SL_F_PARTITION, f->fit.partition + 1);
    host->i64(r, ENS_SL_F_FOLD, f->fit.fold);
    host->i64(r, ENS_SL_F_N_TRAIN, (int64_t)f->train.n);
    host->i64(r, ENS_SL_F_N_TEST, (int64_t)f->test.n);
    host->i64(r, ENS_SL_F_P, (int64_t)f->train.p);
    if (f->test.n > 0) {
        host->f64(r, ENS_SL_F_SCORE, f->known.score);
        host->f64(r, ENS_SL_F_RISK, f->known.risk);
    }
    if (f->job->st->sl.is_select)
        host->f64(r, ENS_SL_F_TRAIN_SCORE, f->known.train_score);
}

static enum ens_status start_scores(struct fitting *f, struct ens_error *err)
{
    const struct ens_sl_state *st = f->job->st;
    size_t m = f->learn.job.n_out;
    enum ens_status s =
        ens_sl_scorer(f->job, m, st->score, f->test.n, &f->score, err);

    if (s == ENS_OK)
        s = ens_sl_scorer(f->job, m, st->risk, f->test.n, &f->risk, err);
    if (s == ENS_OK && st->sl.is_select)
        s = ens_sl_scorer(f->job, m, st->score, f->train.n, &f->train_score,
                          err);
    return s;
}

enum ens_status ens_sl_run_fit(const struct ens_sl_job *job,
                               struct ens_error *err)
{
    struct ens_sl_state *st = job->st;
    struct fitting *f = ens_arena_alloc(&st->arena, 1, sizeof(*f));
    struct blocks b;
    enum ens_status s;

    if (f == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    f->job = job;
    f->layer = &st->layer;
    f->fit = ens_sl_fit_of(&st->layer, job->task->replicate);
    f->is_kept = ens_sl_is_kept(&st->sl, st->layer.number, st->n_layers);
    f->learn = (struct ens_sl_learn){
        .task = job, .learner = st->learner, .options = st->options};
    s = open_rows(f, err);
    if (s == ENS_OK)
        s = ens_sl_learn(&f->learn, &f->train, err);
    st->host->lap(job->result, "fit");
    if (s == ENS_OK)
        s = alloc_blocks(f, &b, err);
    if (s == ENS_OK)
        s = start_scores(f, err);
    if (s == ENS_OK && st->sl.is_select)
        s = ens_sl_residuals(&f->learn, &f->prep, &f->known, err);
    if (s == ENS_OK)
        s = predict(f, &b, err);
    st->host->lap(job->result, "predict");
    if (s == ENS_OK && st->sl.is_select && !f->known.train)
        s = score_training(f, &b, err);
    if (s == ENS_OK)
        s = rest_of_blocks(f, err);
    if (s == ENS_OK && f->fit.sample == 0 && f->fit.fold == 0)
        s = ens_sl_model_keep(&f->learn, &f->prep, err);
    if (s == ENS_OK) {
        settle_scores(f);
        put_fields(f);
    }
    return s;
}
