#include "learn/model/predictor_inside.h"

#include <string.h>

#define BLOCK_BYTES ((uint64_t)4 << 20)
#define LEAST_ROWS  16u
#define MOST_ROWS   4096u
/* Of programs, which are sent their model again when two of a program take
 * turns: two of 24 MB, 1,000,000 x 10 rows: 20 s by 4096 rows, 2 s by these. */
#define PROGRAM_BYTES ((uint64_t)16 << 20)
#define PROGRAM_ROWS  65536u

static void *get(struct ens_predictor_inside *in, size_t n, size_t size,
                 struct ens_error *err)
{
    void *p = ens_arena_alloc(in->arena, n + 1, size);

    if (p == NULL)
        ens_fail(err, ENS_ENOMEMORY, "predictions: out of memory");
    return p;
}

/* -- tables -----------------------------------------------------------------
 */

static enum ens_status view_table(struct ens_predictor *p, struct table *t,
                                  double *x, size_t n, const char *const *name,
                                  struct ens_error *err)
{
    struct ens_view v = {
        .dtype = ENS_DT_F64,
        .ndim = 2,
        .shape = {p->block, n},
        .strides = {(int64_t)(n * sizeof(double)), (int64_t)sizeof(double)},
        .data = x};

    t->p = n;
    t->x = x;
    ens_learn_source_init(&t->source, p->block, p->in->arena);
    return ens_learn_source_add_view(&t->source, &v, 0, n, name, NULL, err);
}

/* Of a block, and so many rows in front of it. */
static enum ens_status make_table(struct ens_predictor *p, struct table *t,
                                  size_t kept, size_t n,
                                  const char *const *name,
                                  struct ens_error *err)
{
    double *x = get(p->in, (kept + p->block) * n, sizeof(*x), err);

    return x ? view_table(p, t, x + kept * n, n, name, err) : ENS_ENOMEMORY;
}

/* Of a layer behind the first; made when a learner needs it. More rows back
 * than there are none has. */
static enum ens_status need_late(struct ens_predictor *p, uint32_t i,
                                 uint64_t lag, struct table **t,
                                 struct ens_error *err)
{
    struct layer *from = &p->in->layer[i - 1], *layer = &p->in->layer[i];
    struct late *late = layer->late;

    for (size_t k = 0; k < layer->n_late; k++, late++)
        if (late->lag == lag) {
            *t = &late->table;
            return ENS_OK;
        }
    layer->n_late++;
    late->lag = lag;
    *t = &late->table;
    if (lag > from->kept)
        lag = from->kept;
    return view_table(p, *t, from->to.x - lag * from->to.p, from->to.p,
                      p->model->layer[i - 1].out, err);
}

/* Made when a learner needs it. */
static enum ens_status need_first(struct ens_predictor *p, enum ens_texts texts,
                                  uint64_t lag, struct table **t,
                                  struct ens_error *err)
{
    struct ens_predictor_inside *in = p->in;
    struct first *f = in->first;
    enum ens_status s;

    for (size_t k = 0; k < in->n_first; k++, f++)
        if (f->texts == texts && f->lag == lag) {
            *t = &f->table;
            return ENS_OK;
        }
    in->n_first++;
    f->texts = texts;
    f->lag = lag;
    *t = &f->table;
    s = ens_model_input_source(&in->input, texts, in->arena, &f->raw, err);
    if (s == ENS_OK && f->raw.p == 0)
        return ens_fail(err, ENS_ECORRUPT, "model without columns");
    f->used = ens_arena_alloc(in->arena, f->raw.p, 1);
    if (s == ENS_OK && f->used == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "predictions: out of memory");
    if (s == ENS_OK)
        s = make_table(p, *t, 0, f->raw.p, (const char *const *)f->raw.column,
                       err);
    return s;
}

/* -- fits -------------------------------------------------------------------
 */

static void *job_alloc(const struct ens_learn_job *job, size_t n, size_t size)
{
    struct ens_predictor_inside *in = job->own;

    return ens_arena_alloc(&in->work, n, size);
}

static void *job_model(const struct ens_learn_job *job, size_t bytes)
{
    (void)job;
    (void)bytes;
    return NULL; /* nothing is fitted here */
}

static void job_warn(const struct ens_learn_job *job, const char *text)
{
    const struct ens_predictor_inside *in = job->own;

    if (in->study.warn != NULL)
        in->study.warn(in->study.own, in->now->name, text);
}

static enum ens_status open_rows(struct ens_predictor *p, struct table *t,
                                 const struct ens_rows_prep *prep,
                                 struct ens_rows *rows, struct ens_error *err)
{
    struct ens_rows_spec spec = {
        .source = &t->source, .response = &p->in->response, .prep = prep};

    spec.set = ens_rowset_one(&t->span, NULL, 0, p->block);
    return ens_rows_open(&spec, p->in->arena, rows, err);
}

struct where {
    uint32_t layer; /* n_layers: the meta learner */
    uint64_t cell;
    uint32_t partition;
};

/* Columns of X that the learner takes. */
static void note_used(struct ens_predictor_inside *in, const struct fit *f,
                      const struct table *from,
                      const struct ens_rows_prep *prep)
{
    if (f->learner.ops->uses & ENS_LEARN_BLIND)
        return;
    for (size_t k = 0; k < in->n_first; k++)
        for (size_t j = 0; j < from->p && from == &in->first[k].table; j++)
            in->first[k].used[j] |=
                prep == NULL || prep->ignored == NULL || !prep->ignored[j];
}

static enum ens_status open_fit(struct ens_predictor *p, struct fit *f,
                                const struct ens_model_fit *blobs,
                                struct table *from, const struct where *w,
                                struct ens_error *err)
{
    struct ens_predictor_inside *in = p->in;
    const struct ens_rows_prep *prep = NULL;
    enum ens_status s = ENS_OK;

    f->model =
        (struct ens_learn_model){blobs->model.data, (size_t)blobs->model.bytes};
    f->job = (struct ens_learn_job){.host = in->study.host,
                                    .result = f->learner.result,
                                    .task = f->learner.task,
                                    .outside = 1,
                                    .state = f->learner.state,
                                    .options = f->learner.options,
                                    .family = in->response.family,
                                    .n_classes = in->response.n_classes,
                                    .n_out = f->n_out,
                                    .alloc = job_alloc,
                                    .model = job_model,
                                    .warn = job_warn,
                                    .own = in};
    if (blobs->prep.bytes > 0)
        s = in->study.prep(in->study.own, &blobs->prep,
                           (const char *const *)from->source.column, from->p,
                           in->arena, &prep, err);
    if (s == ENS_OK)
        s = open_rows(p, from, prep, &f->at, err);
    if (s == ENS_OK)
        note_used(in, f, from, prep);
    if (s != ENS_OK || !(f->learner.ops->uses & ENS_LEARN_ROWS))
        return s;
    if (in->study.train == NULL)
        return ens_fail(err, ENS_EDOMAIN,
                        "it reads the rows that it was fitted on, which are "
                        "not here");
    return in->study.train(in->study.own, w->layer, w->cell, w->partition, prep,
                           &f->train, err);
}

/* -- layers -----------------------------------------------------------------
 */

/* Fits of a learner: of those partitions that have one. */
static enum ens_status open_learner(struct ens_predictor *p, uint32_t i,
                                    const struct ens_model_learner *e,
                                    struct layer *to, struct ens_error *err)
{
    const struct ens_model_layer *l = &p->model->layer[i];
    const struct ens_predictor_learner *learner = &to->learner[e - l->learner];
    struct table *from = &p->in->layer[i > 0 ? i - 1 : 0].to;
    enum ens_status s = ENS_OK;

    if (i == 0)
        s = need_first(p, learner->texts, learner->lag, &from, err);
    else if (learner->lag > 0)
        s = need_late(p, i, learner->lag, &from, err);
    for (uint32_t k = 0; k < l->n_partitions && s == ENS_OK; k++) {
        struct fit *f = &to->fit[to->n_fits];

        if (e->fit[k].model.bytes == 0)
            continue;
        f->learner = *learner;
        f->name = e->name;
        f->n_out = p->in->n_predicted;
        f->column = l->n_propagated + to->n_fits++ * l->m;
        s = open_fit(p, f, &e->fit[k], from, &(struct where){i, e->cell, k},
                     err);
    }
    return s == ENS_OK
               ? s
               : ens_wrap(err, s, "learner %s of layer %u", e->name, i + 1);
}

/* Learners of all layers: how far they look back says what is kept. */
static enum ens_status find_learners(struct ens_predictor *p, uint32_t i,
                                     struct ens_error *err)
{
    const struct ens_model_layer *l = &p->model->layer[i];
    struct layer *to = &p->in->layer[i];

    to->learner = get(p->in, l->n_learners, sizeof(*to->learner), err);
    if (to->learner == NULL)
        return ENS_ENOMEMORY;
    for (uint32_t j = 0; j < l->n_learners; j++) {
        const struct ens_model_learner *e = &l->learner[j];
        enum ens_status s = p->in->study.learner(p->in->study.own, e->cell,
                                                 &to->learner[j], err);
        uint64_t lag = to->learner[j].lag;

        if (s != ENS_OK)
            return ens_wrap(err, s, "learner %s of layer %u", e->name, i + 1);
        if (i == 0 || lag == 0)
            continue;
        lag = lag < p->n_rows ? lag : p->n_rows;
        if (to[-1].kept < lag)
            to[-1].kept = (size_t)lag;
    }
    return ENS_OK;
}

static enum ens_status open_layer(struct ens_predictor *p, uint32_t i,
                                  struct ens_error *err)
{
    const struct ens_model_layer *l = &p->model->layer[i];
    struct layer *to = &p->in->layer[i];
    enum ens_status s = make_table(p, &to->to, to->kept, l->n_out, l->out, err);

    to->fit = get(p->in, (size_t)l->n_learners * l->n_partitions,
                  sizeof(*to->fit), err);
    to->late = get(p->in, l->n_learners, sizeof(*to->late), err);
    to->bad = get(p->in, to->kept + p->block, sizeof(*to->bad), err);
    if (s != ENS_OK || !to->fit || !to->late || !to->bad)
        return ENS_ENOMEMORY;
    for (uint32_t k = 0; k < l->n_propagated; k++)
        if (ens_model_input_view(&p->in->input, l->propagated[k]) == NULL)
            return ens_fail(err, ENS_EINPUT,
                            "the new rows are an array without columns");
    for (uint32_t j = 0; j < l->n_learners && s == ENS_OK; j++)
        s = open_learner(p, i, &l->learner[j], to, err);
    return s;
}

static enum ens_status open_meta(struct ens_predictor *p, struct ens_error *err)
{
    const struct ens_model *m = p->model;
    struct fit *f = &p->in->meta;
    struct ens_model_fit blobs = {.model = m->learner};
    enum ens_status s;

    if (m->meta != ENS_MODEL_LEARNER)
        return ENS_OK;
    if (m->learner.bytes == 0)
        return ens_fail(err, ENS_EDOMAIN, "the meta learner has no fit");
    f->name = "[meta]";
    f->n_out = p->in->n_predicted;
    s = p->in->study.learner(p->in->study.own, UINT64_MAX, &f->learner, err);
    if (s == ENS_OK)
        s = open_fit(p, f, &blobs, &p->in->layer[m->n_layers - 1].to,
                     &(struct where){m->n_layers, UINT64_MAX, 0}, err);
    return s == ENS_OK ? s : ens_wrap(err, s, "meta learner");
}

/* -- what comes out ---------------------------------------------------------
 */

size_t ens_predictor_combined(const struct ens_model *m)
{
    const struct ens_model_layer *last = &m->layer[m->n_layers - 1];

    if (m->meta == ENS_MODEL_NO_META)
        return last->n_out;
    if (m->meta == ENS_MODEL_WEIGHTS)
        return last->m;
    return m->family == ENS_OUTCOME_MULTINOMIAL ? m->n_classes : 1;
}

/* "prediction", or "prediction[CLASS]" of probabilities: of two classes that
 * of the second. */
static enum ens_status name_columns(struct ens_predictor *p,
                                    struct ens_error *err)
{
    const struct ens_model *m = p->model;
    size_t n = ens_predictor_combined(m);
    const char **name = get(p->in, n, sizeof(*name), err);

    p->n_out = n;
    p->out = m->layer[m->n_layers - 1].out;
    if (m->meta == ENS_MODEL_NO_META)
        return name ? ENS_OK : ENS_ENOMEMORY;
    p->is_class = m->n_classes > 0 && !p->in->options.proba;
    p->in->is_number = n == 1 && m->n_classes > 2;
    if (p->in->options.proba && p->in->is_number)
        return ens_fail(err, ENS_EUSAGE,
                        "probabilities: the last layer predicts classes "
                        "([layer] proba = no)");
    if (p->is_class || m->n_classes == 0)
        p->n_out = 1;
    for (size_t k = 0; k < p->n_out && name != NULL; k++) {
        name[k] = "prediction";
        if (m->n_classes > 0 && !p->is_class)
            name[k] = ens_arena_printf(p->in->arena, "prediction[%s]",
                                       m->class_[n == 1 ? 1 : k]);
        if (name[k] == NULL)
            return ens_fail(err, ENS_ENOMEMORY, "predictions: out of memory");
    }
    p->out = name;
    return name ? ENS_OK : ENS_ENOMEMORY;
}

/* Of a program, mostly. */
static int has_state(const struct ens_predictor *p)
{
    for (uint32_t i = 0; i < p->model->n_layers; i++)
        for (uint32_t j = 0; j < p->model->layer[i].n_learners; j++)
            if (p->in->layer[i].learner[j].state != NULL)
                return 1;
    return 0;
}

static size_t block_rows(const struct ens_predictor *p)
{
    const struct ens_model *m = p->model;
    int programs = has_state(p);
    uint64_t bytes = programs ? PROGRAM_BYTES : BLOCK_BYTES;
    uint64_t most = programs ? PROGRAM_ROWS : MOST_ROWS;
    size_t widest = m->n_columns;

    if (p->in->options.block_bytes > 0)
        bytes = p->in->options.block_bytes;
    for (uint32_t i = 0; i < m->n_layers; i++)
        if (m->layer[i].n_out > widest)
            widest = m->layer[i].n_out;
    bytes /= widest * sizeof(double);
    if (bytes < LEAST_ROWS)
        return LEAST_ROWS;
    return (size_t)(bytes < most ? bytes : most);
}

static enum ens_status open_all(struct ens_predictor *p,
                                const struct ens_input *input,
                                struct ens_error *err)
{
    struct ens_predictor_inside *in = p->in;
    const struct ens_model *m = p->model;
    size_t outs = ens_predictor_combined(m);
    enum ens_status s =
        ens_model_input_open(&in->input, m, input, in->arena, err);

    in->layer = get(in, m->n_layers, sizeof(*in->layer), err);
    if (in->layer == NULL)
        return ENS_ENOMEMORY;
    for (uint32_t i = 0; i < m->n_layers && s == ENS_OK; i++)
        s = find_learners(p, i, err);
    for (uint32_t i = 0; i < m->n_layers; i++)
        p->reach += in->layer[i].kept;
    if (s != ENS_OK)
        return s;
    p->block = block_rows(p);
    in->first = get(in, m->layer[0].n_learners, sizeof(*in->first), err);
    in->bad = get(in, 2 * p->block, sizeof(*in->bad), err);
    in->z = get(in, p->block * (m->n_weights + (size_t)1), sizeof(double), err);
    in->one = get(in, p->block, sizeof(double), err);
    in->predicted =
        get(in, p->block * (outs + m->n_classes), sizeof(double), err);
    if (!in->first || !in->bad || !in->z || !in->one || !in->predicted)
        return ENS_ENOMEMORY;
    in->found = in->bad + p->block;
    for (uint32_t i = 0; i < m->n_layers && s == ENS_OK; i++)
        s = open_layer(p, i, err);
    if (s == ENS_OK)
        s = open_meta(p, err);
    return s == ENS_OK ? name_columns(p, err) : s;
}

enum ens_status ens_predictor_open(struct ens_predictor *p,
                                   const struct ens_model *m,
                                   const struct ens_predictor_study *study,
                                   const struct ens_predictor_options *options,
                                   const struct ens_input *input,
                                   struct ens_arena *arena,
                                   struct ens_error *err)
{
    enum ens_status s;

    *p = (struct ens_predictor){.model = m, .n_rows = input->n_rows};
    p->in = ens_arena_alloc(arena, 1, sizeof(*p->in));
    if (p->in == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "predictions: out of memory");
    p->in->study = *study;
    p->in->options = *options;
    p->in->arena = arena;
    p->in->n_predicted =
        m->family == ENS_OUTCOME_MULTINOMIAL ? m->n_classes : 1;
    p->in->response =
        (struct ens_response){.family = m->family, .n_classes = m->n_classes};
    s = open_all(p, input, err);
    if (s != ENS_OK)
        ens_predictor_close(p);
    return s;
}

void ens_predictor_close(struct ens_predictor *p)
{
    if (p->in)
        ens_arena_fini(&p->in->work);
    p->in = NULL;
}
