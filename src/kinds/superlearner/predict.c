/* Predictions of new rows: learn/model does them, here is what it asks of the
 * study. */
#include "base/bug.h"
#include "base/hash.h"
#include "config/study.h"
#include "kinds/superlearner/cases.h"
#include "kinds/superlearner/fitted.h"
#include "kinds/superlearner/groups.h"
#include "kinds/superlearner/learn.h"
#include "kinds/superlearner/order.h"
#include "learn/model/predictor.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_SAID 20

struct session {
    const struct ens_predict *p;
    const struct ens_model *m;
    struct ens_sl_state st; /* of training rows: made when they are asked for */
    struct ens_host host;   /* what tasks ask of it, asked of the folder */
    struct ens_host at_work; /* the same for learners at work */
    int has_training;
    /* of rows, by layer and group */
    int64_t *order[ENS_SL_LAYERS + 1][ENS_SL_GROUPS + 1];
    size_t n_said; /* warnings */
    uint64_t said[MOST_SAID];
};

/* `result` of a task that is none is the session. */
static struct ens_result *as_result(struct session *s)
{
    return (struct ens_result *)(void *)s;
}

static const struct session *of_result(const struct ens_result *r)
{
    return (const struct session *)(const void *)r;
}

/* -- learners ---------------------------------------------------------------
 */

/* That of the fit, as far as a model without its inputs can tell: replicate 1
 * is the fit on all rows, of the first partition. */
static enum ens_status make_task(struct session *s, uint64_t cell,
                                 struct ens_predictor_learner *l,
                                 struct ens_error *err)
{
    struct ens_task *task = ens_arena_alloc(&s->st.arena, 1, sizeof(*task));
    int is_meta = cell == UINT64_MAX;
    struct ens_sl_at at = {0, is_meta ? ENS_SL_META : ENS_SL_FIT, ""};
    char key[ENS_SL_KEY];

    l->task = task;
    l->result = as_result(s);
    if (task == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    ens_study_cell(s->p->study, is_meta ? 0 : cell, &task->cell);
    at.layer = ens_sl_layer_of(&task->cell);
    snprintf(at.group, sizeof(at.group), "%s", ens_sl_group_of(&task->cell));
    ens_sl_stage_key(at, key);
    task->stage = ens_arena_strdup(&s->st.arena, key);
    task->replicate = 1;
    if (task->stage == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    task->seed = s->p->seed(s->p->own, task);
    return ENS_OK;
}

/* One that starts programs blocks the signals that stop a worker; here they
 * stop us. */
static enum ens_status open_learner(struct session *s,
                                    struct ens_predictor_learner *l,
                                    struct ens_error *err)
{
    struct ens_part part = {.ops = l->ops, .close = l->ops->close};
    sigset_t before;
    enum ens_status status;

    sigprocmask(SIG_SETMASK, NULL, &before);
    status = ens_parts_get(&s->st.parts, &part, l->ops->open, &s->at_work,
                           &l->state, err);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return status;
}

static enum ens_status find_learner(void *own, uint64_t cell,
                                    struct ens_predictor_learner *l,
                                    struct ens_error *err)
{
    struct session *s = own;
    const struct ens_study *study = s->p->study;
    struct ens_sl_state *st = &s->st;
    const struct ens_impl *impl = ens_study_row_impl(study, "meta", "");
    struct ens_cell c;
    enum ens_status status;

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
    status = make_task(s, cell, l, err);
    if (status == ENS_OK)
        status = open_learner(s, l, err);
    if (status != ENS_OK)
        return status;
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

/* -- what learners at work ask of a task's host -----------------------------
 */

static const struct ens_input *input_of(const struct ens_result *r,
                                        const char *name)
{
    return of_result(r)->p->input(of_result(r)->p->own, name);
}

static const char *folder_of(struct ens_result *r)
{
    return of_result(r)->p->folder(of_result(r)->p->own);
}

static void set_group(struct ens_result *r, int32_t pgid)
{
    of_result(r)->p->group(of_result(r)->p->own, pgid);
}

static void say(struct ens_result *r, const char *text)
{
    of_result(r)->p->warn(of_result(r)->p->own, text);
}

/* Blocks of rows mostly say the same. */
static void say_once(void *own, const char *learner, const char *text)
{
    struct session *s = own;
    uint64_t hash = ens_hash64_seed(text, strlen(text),
                                    ens_hash64(learner, strlen(learner)));
    char line[2400];

    for (size_t i = 0; i < s->n_said; i++)
        if (s->said[i] == hash)
            return;
    if (s->n_said == MOST_SAID)
        return;
    s->said[s->n_said++] = hash;
    snprintf(line, sizeof(line), "learner %s: %s%s", learner, text,
             s->n_said == MOST_SAID ? " (further warnings are not shown)" : "");
    s->p->warn(s->p->own, line);
}

/* -- rows that a learner was fitted on --------------------------------------
 */

/* Array rowsL is scratch: it is made again, of sample 0. */
static enum ens_status order_of(struct session *s, const struct ens_sl_layer *l,
                                struct ens_view *view, struct ens_error *err)
{
    struct ens_arena work = ENS_ARENA_INIT;
    int64_t **words =
        &s->order[l->number][ens_sl_group_index(&s->st.sl, l->group)];
    size_t n = ens_sl_order_words(l);
    enum ens_status status = ENS_OK;

    if (*words == NULL) {
        int64_t *made = ens_arena_alloc(&s->st.arena, n, sizeof(*made));

        status = made != NULL ? ens_sl_order(&s->st.sl, l, 0, &work, made, err)
                              : ens_fail(err, ENS_ENOMEMORY,
                                         "order of rows: out of memory");
        if (status == ENS_OK)
            *words = made;
    }
    ens_arena_fini(&work);
    *view = (struct ens_view){.dtype = ENS_DT_I64,
                              .ndim = 1,
                              .shape = {n},
                              .strides = {sizeof(**words)},
                              .data = *words};
    return status;
}

static enum ens_status array_of(struct ens_result *r, const char *name,
                                uint64_t cell, struct ens_view *view,
                                struct ens_error *err)
{
    struct session *s = (struct session *)(void *)r;
    enum ens_status status;
    char group[ENS_SL_GROUP];
    struct ens_sl_layer l;
    uint32_t layer;
    size_t stem;

    if (ens_sl_array_parse(name, &stem, &layer, group) != ENS_OK ||
        layer == 0 || stem != 4 || memcmp(name, "rows", stem) != 0)
        return s->p->output(s->p->own, name, cell, view, err);
    status = ens_sl_layer(&s->st.sl, layer, group, &l, err);
    return status == ENS_OK ? order_of(s, &l, view, err) : status;
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
    struct ens_sl_job job = {st, NULL, as_result(s)};
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
    if (status == ENS_OK && !is_meta)
        status = ens_sl_case_ignored(&c, &data->source, err);
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
    uint64_t end = to->first + to->n_rows;
    uint64_t at = to->first > p->reach ? to->first - p->reach : 0;
    double *out = ens_arena_alloc(arena, p->block * p->n_out, sizeof(*out));
    enum ens_status s =
        out ? to->begin(to->own, p->out, p->n_out,
                        p->is_class ? m->class_ : NULL,
                        p->is_class ? m->n_classes : 0, err)
            : ens_fail(err, ENS_ENOMEMORY, "predictions: out of memory");

    while (at < end && s == ENS_OK) {
        uint64_t left = (at < to->first ? to->first : end) - at;
        size_t n = left < p->block ? (size_t)left : p->block;

        s = ens_predictor_rows(p, at, n, out, err);
        if (s == ENS_OK && at >= to->first)
            s = to->put(to->own, out, n, err);
        at += n;
    }
    return s;
}

static enum ens_status predict(struct session *s, struct ens_error *err)
{
    const struct ens_predict *p = s->p;
    struct ens_predictor_study study = {.host = &s->at_work,
                                        .learner = find_learner,
                                        .prep = open_prep,
                                        .train = find_training,
                                        .warn = say_once,
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
    s->at_work = s->host;
    s->at_work.input = input_of;
    s->at_work.folder = folder_of;
    s->at_work.group = set_group;
    s->at_work.warn = say;
    ens_arena_init(&s->st.arena);
    status = ens_model_read(&m, p->model, p->bytes, &s->st.arena, err);
    if (status == ENS_OK) {
        s->st.sl = (struct ens_sl){
            .study = p->study, .family = m.family, .n_classes = m.n_classes};
        status = predict(s, err);
    }
    p->group(p->own, 0);
    ens_parts_close(&s->st.parts);
    ens_arena_fini(&s->st.arena);
    free(s);
    return status;
}
