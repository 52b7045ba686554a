#include "learn/linear.h"

#include "math/affine.h"

#include <string.h>

#define BLOCK ENS_LINEAR_MAX /* doubles: on the stack */

static size_t padded(size_t p)
{
    return (p + 7) / 8 * 8;
}

static size_t size_of(uint64_t p, uint64_t n_out)
{
    size_t stride = padded(p);

    return sizeof(struct ens_linear) +
           (stride + n_out * (8 + stride)) * sizeof(double);
}

struct ens_linear *ens_linear_new(const struct ens_learn_job *job, size_t p,
                                  size_t n_out, enum ens_linear_link link)
{
    struct ens_linear *l = job->model(job, size_of(p, n_out));

    if (l == NULL)
        return NULL;
    l->p = p;
    l->n_out = n_out;
    l->link = link;
    l->stride = padded(p);
    return l;
}

double *ens_linear_centre(struct ens_linear *l)
{
    return l->number;
}

double *ens_linear_base(struct ens_linear *l, size_t k)
{
    return l->number + l->stride + k * (8 + l->stride);
}

double *ens_linear_coef(struct ens_linear *l, size_t k)
{
    return ens_linear_base(l, k) + 8;
}

enum ens_status ens_linear_memory(struct ens_error *err)
{
    return ens_fail(err, ENS_ENOMEMORY, "linear learner: out of memory");
}

enum ens_status ens_linear_check(const struct ens_rows *rows,
                                 struct ens_error *err)
{
    if (rows->p > ENS_LINEAR_MAX)
        return ens_fail(err, ENS_EDOMAIN,
                        "%zu columns; a linear learner takes at most %d: "
                        "screen them first",
                        rows->p, ENS_LINEAR_MAX);
    if (rows->n == 0)
        return ens_fail(err, ENS_EDOMAIN, "no rows");
    return ENS_OK;
}

enum ens_linear_link ens_linear_squares_link(enum ens_outcome_family family)
{
    return family == ENS_OUTCOME_BINOMIAL ? ENS_LINEAR_SHARE
                                          : ENS_LINEAR_IDENTITY;
}

static void apply(enum ens_linear_link link, double *eta, size_t n,
                  size_t n_out)
{
    switch (link) {
    case ENS_LINEAR_IDENTITY:
        return;
    case ENS_LINEAR_SHARE:
        for (size_t i = 0; i < n; i++)
            eta[i] = eta[i] > 1 ? 1 : eta[i] > 0 ? eta[i] : 0;
        return;
    case ENS_LINEAR_LOGISTIC:
        ens_affine_logistic(eta, n);
        return;
    case ENS_LINEAR_SOFTMAX:
        for (size_t i = 0; i < n; i++)
            ens_affine_softmax(eta + i * n_out, n_out);
        return;
    case ENS_LINEAR_EXP:
        ens_affine_exp(eta, n);
        return;
    }
}

static int is_damaged(const struct ens_learn_model *model, size_t p,
                      size_t n_out)
{
    const struct ens_linear *l = model->data;

    return model->bytes < sizeof(*l) || l->p != p || l->n_out != n_out ||
           l->link > ENS_LINEAR_EXP || l->stride != padded(p) ||
           model->bytes != size_of(p, n_out);
}

/* Rows of the source where they lie: what scales columns goes into centre and
 * coefficients. */
struct in_place {
    const double *rows; /* of the first row asked for */
    double centre[ENS_LINEAR_MAX + 8], coef[ENS_LINEAR_MAX + 8];
};

static int lies_in_place(const struct ens_rows *at)
{
    for (size_t j = 0; at->scale != NULL && j < at->p; j++)
        if (at->scale[j] == 0)
            return 0;
    return at->direct != NULL && at->stride == at->p && at->p > 0 &&
           at->first_row != UINT64_MAX;
}

static void scale_in_place(struct in_place *in, const struct ens_linear *l,
                           size_t k, const struct ens_rows *at)
{
    const double *coef = l->number + l->stride + k * (8 + l->stride) + 8;

    memset(in->centre + at->p, 0, 8 * sizeof(double));
    memset(in->coef + at->p, 0, 8 * sizeof(double));
    for (size_t j = 0; j < at->p; j++) {
        double centre = at->centre == NULL ? 0 : at->centre[j];
        double scale = at->scale == NULL ? 1 : at->scale[j];

        in->centre[j] = centre + l->number[j] / scale;
        in->coef[j] = coef[j] * scale;
    }
}

/* One output of n rows. What is behind the last row may not be there. */
static void predict_in_place(struct in_place *in, const struct ens_linear *l,
                             size_t k, const struct ens_rows *at, size_t n,
                             double *out)
{
    size_t last = 7 / at->p + 1, whole = n > last ? n - last : 0;
    double x[ENS_LINEAR_MAX + 8];
    struct ens_affine f = {at->p, in->centre,
                           l->number[l->stride + k * (8 + l->stride)],
                           in->coef};

    scale_in_place(in, l, k, at);
    ens_affine_rows(&f, in->rows, whole, out + k, l->n_out);
    for (size_t i = whole; i < n; i++) {
        memcpy(x, in->rows + i * at->p, at->p * sizeof(*x));
        memset(x + at->p, 0, 8 * sizeof(*x));
        ens_affine_rows(&f, x, 1, out + i * l->n_out + k, l->n_out);
    }
}

enum ens_status ens_linear_predict(const struct ens_learn_job *job,
                                   const struct ens_learn_model *model,
                                   const struct ens_rows *train,
                                   const struct ens_rows *at, uint64_t first,
                                   size_t n, double *out, struct ens_error *err)
{
    const struct ens_linear *l = model->data;
    double x[BLOCK + 8]; /* rows are read up to their stride */
    size_t rows;

    (void)train;
    if (at->p > ENS_LINEAR_MAX || is_damaged(model, at->p, job->n_out))
        return ens_fail(err, ENS_EDOMAIN, "linear learner: damaged model");
    if (lies_in_place(at)) {
        struct in_place in;

        in.rows = at->direct + (at->first_row + first) * at->stride;
        for (size_t k = 0; k < l->n_out; k++)
            predict_in_place(&in, l, k, at, n, out);
        apply((enum ens_linear_link)l->link, out, n, l->n_out);
        return ENS_OK;
    }
    rows = at->p > 0 ? BLOCK / at->p : BLOCK;
    for (size_t i = 0; i < n; i += rows) {
        size_t some = n - i < rows ? n - i : rows;

        at->x(at, first + i, some, x);
        memset(x + some * at->p, 0, 8 * sizeof(*x));
        for (size_t k = 0; k < l->n_out; k++) {
            const double *base = l->number + l->stride + k * (8 + l->stride);
            struct ens_affine f = {at->p, l->number, base[0], base + 8};

            ens_affine_rows(&f, x, some, out + i * l->n_out + k, l->n_out);
        }
        apply((enum ens_linear_link)l->link, out + i * l->n_out, some,
              l->n_out);
    }
    return ENS_OK;
}

int ens_linear_affine(const struct ens_learn_model *model, size_t p,
                      struct ens_learn_affine *to)
{
    const struct ens_linear *l = model->data;

    if (is_damaged(model, p, 1) || l->link != ENS_LINEAR_IDENTITY)
        return 0;
    to->centre = l->number;
    to->base = l->number[l->stride];
    to->coef = l->number + l->stride + 8;
    return 1;
}
