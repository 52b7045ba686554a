/* Predictions of new rows: learn/model does them, here is what it asks of the
 * study. */
#include "base/bug.h"
#include "config/study.h"
#include "kinds/superlearner/cases.h"
#include "kinds/superlearner/fitted.h"
#include "kinds/superlearner/learn.h"
#include "learn/model/predictor.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct session {
    const struct ens_predict *p;
    const struct ens_model *m;
    struct ens_sl_state st; /* of training rows: made when they are asked for */
    struct ens_host host;   /* what tasks ask of it, asked of the folder */
    int has_training;
};

/* -- learners ---------------------------------------------------------------
 */

static enum ens_status find_learner(void *own, uint64_t cell,
                                    struct ens_predictor_learner *l,
                                    struct ens_error *err)
{
    struct session *s = own;
    const struct ens_study *study = s->p->study;
    struct ens_sl_state *st = &s->st;
    const struct ens_impl *impl = ens_study_row_impl(study, "meta", "");
    struct ens_cell c;

    if (cell != UINT64_MAX && cell >= ens_study_n_cells(study))
        return ens_fail(err, ENS_ECORRUPT,
                        "the model has learners that its study has not");
    if (cell != UINT64_MAX) {
        ens_study_cell(study, cell, &c);
        impl = ens_cell_impl(&c, "learner");
        l->texts = ens_sl_texts(&c);
        l->lag = ens_sl_lag(&c);
    } else {
        l->texts = ENS_TEXTS_REFUSED;
        l->lag = 0;
    }
    if (impl == NULL)
        return ens_fail(err, ENS_ECORRUPT, "the model's study has no [meta]");
    l->ops = impl->ops;
    l->state = NULL;
    return ens_sl_options(&st->sl, st->host, cell != UINT64_MAX ? &c : NULL,
                          l->ops, &st->arena, &l->options, err);
}

static enum ens_status open_prep(void *own, const struct ens_model_blob *blob,
                                 const char *const *column, size_t p,
                                 struct ens_arena *arena,
                                 const struct ens_rows_prep **prep,
                                 struct ens_error *err)
{
    struct ens_prep_fitted *f = ens_arena_alloc(arena, 1, sizeof(*f));
    enum ens_status s;

    (void)own;
    if (f == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "preprocessing: out of memory");
    s = ens_prep_open(blob->data, (size_t)blob->bytes, column, p, arena, f,
                      err);
    if (s == ENS_OK)
        *prep = &f->rows;
    return s;
}

/* -- rows that a learner was fitted on --------------------------------------
 */

/* A task's host, when there is no task: `result` is the session. */
static enum ens_status array_of(struct ens_result *r, const char *name,
                                uint64_t cell, struct ens_view *view,
                                struct ens_error *err)
{
    const struct session *s = (const struct session *)(const void *)r;

    if (strncmp(name, "rows", 4) == 0)
        return ens_fail(err, ENS_ENOTFOUND,
                        "rows that were shuffled, or divided by id, strata or "
                        "folds, are not kept in that order");
    return s->p->output(s->p->own, name, cell, view, err);
}

static void warn(struct ens_result *r, const char *text)
{
    (void)r;
    (void)text; /* the run said so */
}

static enum ens_status need_training(struct session *s, struct ens_error *err)
{
    struct ens_sl_state *st = &s->st;
    enum ens_status status;

    if (s->has_training)
        return ENS_OK;
    status = s->p->plan(s->p->own, &st->plan, err);
    if (status == ENS_OK)
        status = ens_sl_read(&st->sl, st->plan, st->host, err);
    if (status != ENS_OK)
        return status;
    st->n_layers = ens_sl_n_layers(st->plan, st->host);
    s->has_training = 1;
    return ENS_OK;
}

/* All rows of a partition; of the meta learner: all there are. */
static enum ens_status choose_rows(struct ens_sl_job *job,
                                   const struct ens_sl_layer *l, int is_meta,
                                   uint32_t partition, struct ens_rowset *set,
                                   struct ens_error *err)
{
    struct ens_arena *arena = &job->st->arena;
    struct ens_span *span = ens_arena_alloc(arena, 1, sizeof(*span));
    struct ens_folds folds;
    struct ens_rowset out;
    enum ens_status s;

    if (span == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    *set = ens_rowset_one(span, NULL, 0, l->n_in);
    if (is_meta || l->n_partitions == 1) /* in their order: see fits */
        return ENS_OK;
    s = ens_sl_folds(job, l, 0, &folds, &out, err);
    return s == ENS_OK ? ens_folds_train(&folds, partition, 0, arena, set, err)
                       : s;
}

static enum ens_status open_training(struct session *s, uint64_t cell,
                                     uint32_t partition,
                                     const struct ens_rows_prep *prep,
                                     struct ens_rows *rows,
                                     struct ens_error *err)
{
    struct ens_sl_state *st = &s->st;
    struct ens_sl_job job = {st, NULL, (struct ens_result *)(void *)s};
    struct ens_sl_data *data = ens_arena_alloc(&st->arena, 1, sizeof(*data));
    int is_meta = cell == UINT64_MAX;
    struct ens_rows_spec spec = {.prep = prep};
    enum ens_texts texts = ENS_TEXTS_REFUSED;
    struct ens_cell c;
    struct ens_sl_layer l;
    enum ens_status status = ENS_OK;

    if (data == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    if (is_meta) {
        status = ens_sl_meta_layer(&st->sl, st->n_layers, &l, err);
    } else {
        ens_study_cell(s->p->study, cell, &c);
        status = ens_sl_layer_of_cell(&st->sl, &c, &l, err);
        texts = ens_sl_texts(&c);
        spec.lag = ens_sl_lag(&c);
    }
    if (status == ENS_OK)
        status = ens_sl_data(&job, &l, 0, texts, data, err);
    if (status == ENS_OK)
        status = choose_rows(&job, &l, is_meta, partition, &spec.set, err);
    spec.source = &data->source;
    spec.response = &data->response;
    return status == ENS_OK ? ens_rows_open(&spec, &st->arena, rows, err)
                            : status;
}

static enum ens_status find_training(void *own, uint32_t layer, uint64_t cell,
                                     uint32_t partition,
                                     const struct ens_rows_prep *prep,
                                     const struct ens_rows **rows,
                                     struct ens_error *err)
{
    struct session *s = own;
    struct ens_rows *made = ens_arena_alloc(&s->st.arena, 1, sizeof(*made));
    enum ens_status status = need_training(s, err);

    (void)layer; /* that of the cell */
    if (made == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    if (status == ENS_OK)
        status = open_training(s, cell, partition, prep, made, err);
    *rows = made;
    return status == ENS_OK
               ? status
               : ens_wrap(err, status, "the rows that it was fitted on");
}

/* -- rows -------------------------------------------------------------------
 */

static enum ens_status stream(struct ens_predictor *p,
                              const struct ens_predict *to,
                              struct ens_arena *arena, struct ens_error *err)
{
    const struct ens_model *m = p->model;
    double *out = ens_arena_alloc(arena, p->block * p->n_out, sizeof(*out));
    enum ens_status s =
        out ? to->begin(to->own, p->out, p->n_out,
                        p->is_class ? m->class_ : NULL,
                        p->is_class ? m->n_classes : 0, err)
            : ens_fail(err, ENS_ENOMEMORY, "predictions: out of memory");

    for (uint64_t at = 0; at < p->n_rows && s == ENS_OK; at += p->block) {
        uint64_t left = p->n_rows - at;
        size_t n = left < p->block ? (size_t)left : p->block;

        s = ens_predictor_rows(p, at, n, out, err);
        if (s == ENS_OK)
            s = to->put(to->own, out, n, err);
    }
    return s;
}

static enum ens_status predict(struct session *s, struct ens_error *err)
{
    const struct ens_predict *p = s->p;
    struct ens_predictor_study study = {.host = s->st.host,
                                        .learner = find_learner,
                                        .prep = open_prep,
                                        .train = find_training,
                                        .own = s};
    struct ens_predictor_options o = {.proba = p->proba,
                                      .skip_bad = p->skip_bad};
    struct ens_predictor predictor;
    enum ens_status status;

    if (p->proba && s->m->n_classes == 0)
        return ens_fail(err, ENS_EUSAGE,
                        "--proba: the response has no classes");
    status = ens_predictor_open(&predictor, s->m, &study, &o, p->rows,
                                &s->st.arena, err);
    if (status != ENS_OK)
        return status;
    status = stream(&predictor, p, &s->st.arena, err);
    ens_predictor_close(&predictor);
    return status;
}

enum ens_status ens_sl_predict(const struct ens_host *host,
                               const struct ens_predict *p,
                               struct ens_error *err)
{
    struct session *s = calloc(1, sizeof(*s));
    struct ens_model m;
    enum ens_status status;

    if (s == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    s->p = p;
    s->m = &m;
    s->host = *host;
    s->host.array_of = array_of;
    s->host.warn = warn;
    s->st.host = &s->host;
    ens_arena_init(&s->st.arena);
    status = ens_model_read(&m, p->model, p->bytes, &s->st.arena, err);
    if (status == ENS_OK) {
        s->st.sl = (struct ens_sl){
            .study = p->study, .family = m.family, .n_classes = m.n_classes};
        status = predict(s, err);
    }
    ens_arena_fini(&s->st.arena);
    free(s);
    return status;
}
