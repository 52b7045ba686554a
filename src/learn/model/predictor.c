#include "learn/model/predictor_inside.h"

#include "base/bug.h"

#include <math.h>
#include <string.h>

/* -- a block ----------------------------------------------------------------
 */

#define NO_ROW UINT32_MAX

/* Nobody is to stumble over what nobody takes. */
static void drop_unused(const struct first *f, size_t n, double *x)
{
    size_t p = f->table.p;

    for (size_t j = 0; j < p; j++)
        for (size_t i = 0; i < n && !f->used[j]; i++)
            x[i * p + j] = 0;
}

/* found: rows that this table cannot have; they are zeros in it. */
static void read_first(struct ens_predictor *p, struct first *f, uint64_t first,
                       size_t n)
{
    struct ens_predictor_inside *in = p->in;
    struct ens_span span;
    struct ens_rowset all = ens_rowset_one(&span, NULL, 0, p->n_rows);
    size_t none = 0, width = f->table.p;
    double *x = f->table.x;

    if (first < f->lag)
        none = f->lag - first < n ? (size_t)(f->lag - first) : n;
    for (size_t i = 0; i < none; i++)
        in->found[i] = NO_ROW;
    if (none < n) {
        ens_learn_source_read(&f->raw, &all, first + none - f->lag, n - none,
                              x + none * width);
        drop_unused(f, n - none, x + none * width);
        ens_model_input_check(&in->input, &f->raw, first + none - f->lag,
                              n - none, x + none * width, in->found + none);
    }
    for (size_t i = 0; i < n; i++)
        if (in->found[i] != 0)
            memset(x + i * width, 0, width * sizeof(*x));
}

static enum ens_status no_row(const struct ens_predictor *p, uint64_t row,
                              uint64_t lag, struct ens_error *err)
{
    return ens_fail(err, ENS_EINPUT,
                    "%s: row %llu: a learner reads the row that stands %llu "
                    "before it",
                    p->in->input.in->path, (unsigned long long)(row + 1),
                    (unsigned long long)lag);
}

/* Columns that layers hand on, whether a learner of layer 1 takes them or
 * not. */
static enum ens_status check_propagated(struct ens_predictor *p, uint32_t i,
                                        uint64_t first, size_t n,
                                        struct ens_error *err)
{
    const struct ens_model_layer *l = &p->model->layer[i];
    struct ens_predictor_inside *in = p->in;

    for (uint32_t k = 0; k < l->n_propagated; k++) {
        ens_view_f64(ens_model_input_view(&in->input, l->propagated[k]), first,
                     n, in->one);
        for (size_t r = 0; r < n; r++) {
            if (isfinite(in->one[r]))
                continue;
            in->bad[r] = 1;
            if (!in->options.skip_bad)
                return ens_model_input_missing(&in->input, first + r,
                                               l->propagated[k], err);
        }
    }
    return ENS_OK;
}

static enum ens_status read_rows(struct ens_predictor *p, uint64_t first,
                                 size_t n, struct ens_error *err)
{
    struct ens_predictor_inside *in = p->in;

    memset(in->bad, 0, n * sizeof(*in->bad));
    for (size_t k = 0; k < in->n_first; k++) {
        struct first *f = &in->first[k];

        read_first(p, f, first, n);
        for (size_t i = 0; i < n; i++) {
            if (in->found[i] == 0)
                continue;
            in->bad[i] = 1;
            if (in->options.skip_bad)
                continue;
            if (in->found[i] == NO_ROW)
                return no_row(p, first + i, f->lag, err);
            return ens_model_input_refuse(
                &in->input, &f->raw, first + i - f->lag, in->found[i], err);
        }
    }
    for (uint32_t i = 0; i < p->model->n_layers; i++) {
        enum ens_status s = check_propagated(p, i, first, n, err);

        if (s != ENS_OK)
            return s;
    }
    return ENS_OK;
}

static enum ens_status run_fit(struct ens_predictor *p, struct fit *f, size_t n,
                               struct ens_error *err)
{
    enum ens_status s;

    ens_arena_reset(&p->in->work);
    p->in->now = f;
    s = f->learner.ops->predict(&f->job, &f->model, f->train, &f->at, 0, n,
                                p->in->predicted, err);
    return s == ENS_OK ? ens_rows_bad(&f->at, err) : s;
}

static double likeliest(const double *p, size_t n)
{
    size_t best = 0;

    if (n == 1)
        return *p > 0.5;
    for (size_t k = 1; k < n; k++)
        if (p[k] > p[best])
            best = k;
    return (double)best;
}

/* Rows that are zeros stay such. */
static void propagate(struct ens_predictor *p, uint32_t i, uint64_t first,
                      size_t n)
{
    const struct ens_model_layer *l = &p->model->layer[i];
    struct table *to = &p->in->layer[i].to;

    for (uint32_t k = 0; k < l->n_propagated; k++) {
        const struct ens_view *v =
            ens_model_input_view(&p->in->input, l->propagated[k]);

        ens_view_f64(v, first, n, p->in->one);
        for (size_t r = 0; r < n; r++)
            to->x[r * to->p + k] = p->in->bad[r] ? 0 : p->in->one[r];
    }
}

/* Rows that the layer cannot have: those of the layer before, and where it
 * looks back on such. */
static enum ens_status mark_bad(struct ens_predictor *p, uint32_t i,
                                uint64_t first, size_t n, struct ens_error *err)
{
    const struct layer *layer = &p->in->layer[i];
    const struct layer *from = &p->in->layer[i > 0 ? i - 1 : 0];
    uint8_t *bad = layer->bad + layer->kept;
    const uint8_t *was = from->bad + from->kept;

    for (size_t r = 0; r < n; r++)
        bad[r] = i == 0 ? p->in->bad[r] != 0 : was[r];
    for (size_t k = 0; k < layer->n_late; k++) {
        uint64_t lag = layer->late[k].lag;

        for (size_t r = 0; r < n; r++) {
            if (first + r < lag && !p->in->options.skip_bad)
                return no_row(p, first + r, lag, err);
            bad[r] |= first + r < lag || *(was + r - lag);
        }
    }
    return ENS_OK;
}

/* The last rows, for the next block. */
static void keep(const struct layer *layer, size_t n)
{
    double *x = layer->to.x - layer->kept * layer->to.p;

    memmove(x, x + n * layer->to.p, layer->kept * layer->to.p * sizeof(*x));
    memmove(layer->bad, layer->bad + n, layer->kept);
}

static enum ens_status run_layer(struct ens_predictor *p, uint32_t i,
                                 uint64_t first, size_t n,
                                 struct ens_error *err)
{
    const struct ens_model_layer *l = &p->model->layer[i];
    struct layer *layer = &p->in->layer[i];
    struct table *to = &layer->to;
    enum ens_status marked = mark_bad(p, i, first, n, err);

    if (marked != ENS_OK)
        return marked;
    for (size_t j = 0; j < layer->n_fits; j++) {
        struct fit *f = &layer->fit[j];
        enum ens_status s = run_fit(p, f, n, err);

        if (s != ENS_OK)
            return ens_wrap(err, s, "learner %s of layer %u", f->name, i + 1);
        for (size_t r = 0; r < n; r++) {
            const double *v = p->in->predicted + r * f->n_out;

            for (size_t k = 0; k < l->m; k++)
                to->x[r * to->p + f->column + k] =
                    l->is_cut ? likeliest(v, f->n_out) : v[k];
        }
    }
    return ENS_OK;
}

/* By class: the same weights for the predictions of each. */
static void weigh(struct ens_predictor *p, size_t n, double *out)
{
    const struct ens_model *m = p->model;
    const struct ens_model_layer *l = &m->layer[m->n_layers - 1];
    const struct table *t = &p->in->layer[m->n_layers - 1].to;
    size_t columns = l->m;

    for (size_t k = 0; k < columns; k++) {
        for (size_t r = 0; r < n; r++)
            for (size_t j = 0; j < m->n_weights; j++)
                p->in->z[r * m->n_weights + j] =
                    t->x[r * t->p + l->n_propagated + j * columns + k];
        ens_meta_predict(&m->weights, m->n_weights, p->in->z, n, p->in->one);
        for (size_t r = 0; r < n; r++)
            out[r * columns + k] = p->in->one[r];
    }
}

static double class_of(const struct ens_predictor *p, const double *v,
                       size_t columns)
{
    double most = (double)p->model->n_classes - 1;

    if (!p->in->is_number)
        return likeliest(v, columns);
    return *v > 0 ? fmin(ceil(*v - 0.5), most) : 0;
}

static enum ens_status combine(struct ens_predictor *p, size_t n,
                               struct ens_error *err)
{
    const struct ens_model *m = p->model;
    const struct table *t = &p->in->layer[m->n_layers - 1].to;

    if (m->meta == ENS_MODEL_NO_META)
        memcpy(p->in->predicted, t->x, n * t->p * sizeof(double));
    else if (m->meta == ENS_MODEL_WEIGHTS)
        weigh(p, n, p->in->predicted);
    else
        return run_fit(p, &p->in->meta, n, err);
    return ENS_OK;
}

enum ens_status ens_predictor_rows(struct ens_predictor *p, uint64_t first,
                                   size_t n, double *out, struct ens_error *err)
{
    struct ens_predictor_inside *in = p->in;
    size_t columns = ens_predictor_combined(p->model);
    const struct layer *last = &in->layer[p->model->n_layers - 1];
    const uint8_t *bad = last->bad + last->kept;
    enum ens_status s;

    ENS_BUG_ON(n > p->block || first > p->n_rows || n > p->n_rows - first);
    ENS_BUG_ON(p->reach > 0 && in->next > 0 && first != in->next);
    in->next = first + n;
    s = read_rows(p, first, n, err);
    for (uint32_t i = 0; i < p->model->n_layers && s == ENS_OK; i++) {
        propagate(p, i, first, n);
        s = run_layer(p, i, first, n, err);
    }
    if (s == ENS_OK)
        s = combine(p, n, err);
    if (s != ENS_OK)
        return s;
    for (size_t r = 0; r < n; r++) {
        const double *v = in->predicted + r * columns;

        for (size_t k = 0; k < p->n_out; k++)
            out[r * p->n_out + k] = bad[r]        ? NAN
                                    : p->is_class ? class_of(p, v, columns)
                                                  : v[k];
    }
    for (uint32_t i = 0; i < p->model->n_layers; i++)
        keep(&in->layer[i], n);
    return ENS_OK;
}
