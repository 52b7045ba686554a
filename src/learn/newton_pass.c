#include "learn/newton_pass.h"

#include "math/chunk.h"
#include "math/losses.h"

#include <string.h>

static size_t triangle(size_t m)
{
    return m * (m + 1) / 2;
}

uint64_t ens_newton_pass_doubles(size_t p, size_t k)
{
    size_t m = p + 1, size = ens_chunk_rows(m);

    return size * p + ens_chunk_doubles(m) + ENS_CHUNK_LD(size) * (4 + k) +
           k * m + (uint64_t)triangle(k) * triangle(m);
}

enum ens_status ens_newton_pass_init(struct ens_newton_pass *s,
                                     const struct ens_newton *o,
                                     const struct ens_learn_job *job,
                                     const struct ens_rows *rows,
                                     const double *centre,
                                     struct ens_error *err)
{
    size_t m = rows->p + 1, k = o->n_out, size = ens_chunk_rows(m);
    size_t ld = ENS_CHUNK_LD(size);

    *s = (struct ens_newton_pass){.o = o,
                                  .rows = rows,
                                  .centre = centre,
                                  .p = rows->p,
                                  .m = m,
                                  .k = k,
                                  .size = size};
    s->x = job->alloc(job, size * rows->p + 1, sizeof(double));
    s->z = job->alloc(job, ens_chunk_doubles(m), sizeof(double));
    s->y = job->alloc(job, ld * (4 + k), sizeof(double));
    s->grad = job->alloc(job, k * m, sizeof(double));
    s->gram = job->alloc(job, triangle(k) * triangle(m), sizeof(double));
    if (!s->x || !s->z || !s->y || !s->grad || !s->gram)
        return ens_linear_memory(err);
    s->w = s->y + ld;
    s->r = s->w + ld;
    s->h = s->r + ld;
    s->eta = s->h + ld;
    return ENS_OK;
}

static void read_block(struct ens_newton_pass *s, uint64_t first, size_t n)
{
    size_t ld = ENS_CHUNK_LD(n);
    double *ones = s->z + s->p * ld;

    s->rows->x(s->rows, first, n, s->x);
    s->rows->y(s->rows, first, n, s->y);
    s->rows->w(s->rows, first, n, s->w);
    ens_chunk_fill(s->z, s->x, s->p, NULL, n, s->p);
    for (size_t i = 0; i < ld; i++)
        ones[i] = i < n && s->o->intercept;
    for (size_t i = n; i < ld; i++)
        s->y[i] = s->w[i] = 0;
    for (size_t j = 0; j < s->p; j++) {
        struct ens_chunk_range of = {0, 0, 0};

        ens_chunk_shift(s->z + j * ld, s->w, n, s->centre[j], &of);
    }
}

/* Derivatives of output a: its residuals are s->r. */
static void add_gradient(struct ens_newton_pass *s, size_t a, size_t n)
{
    ens_chunk_cross(s->z, n, s->m, s->r, s->grad + a * s->m);
}

static void add_information(struct ens_newton_pass *s, size_t a, size_t b,
                            size_t n)
{
    ens_chunk_gram(s->z, n, s->m, s->h,
                   s->gram + (triangle(a) + b) * triangle(s->m));
}

static void add_classes(struct ens_newton_pass *s, size_t n)
{
    size_t ld = ENS_CHUNK_LD(n);

    for (size_t i = 0; s->o->output && i < n; i++)
        s->y[i] = s->o->output[(size_t)s->y[i]];
    s->value += ens_loss_softmax(s->eta, ld, s->k, s->y, s->w, n);
    for (size_t a = 0; a < s->k; a++) {
        const double *mu = s->eta + a * ld;

        ens_loss_softmax_residual(mu, s->y, s->w, (double)a, n, s->r);
        add_gradient(s, a, n);
        for (size_t b = 0; b <= a; b++) {
            ens_loss_softmax_weight(mu, s->eta + b * ld, a == b, s->w, n, s->h);
            add_information(s, a, b, n);
        }
    }
}

static void add_block(struct ens_newton_pass *s, const double *b, size_t n)
{
    size_t ld = ENS_CHUNK_LD(n);

    memset(s->eta, 0, s->k * ld * sizeof(*s->eta));
    for (size_t a = 0; a < s->k; a++)
        ens_chunk_times(s->z, n, s->m, b + a * s->m, s->eta + a * ld);
    for (size_t i = 0; i < n; i++)
        s->weight += s->w[i];
    switch (s->o->loss) {
    case ENS_NEWTON_SOFTMAX:
        add_classes(s, n);
        return;
    case ENS_NEWTON_BINOMIAL:
        s->value += ens_loss_binomial(s->eta, s->y, s->w, n, s->r, s->h);
        break;
    case ENS_NEWTON_POISSON:
        s->value += ens_loss_poisson(s->eta, s->y, s->w, n, s->r, s->h);
        break;
    }
    add_gradient(s, 0, n);
    add_information(s, 0, 0, n);
}

void ens_newton_pass_run(struct ens_newton_pass *s, const double *b)
{
    memset(s->grad, 0, s->k * s->m * sizeof(*s->grad));
    memset(s->gram, 0, triangle(s->k) * triangle(s->m) * sizeof(*s->gram));
    s->value = s->weight = 0;
    for (uint64_t first = 0; first < s->rows->n; first += s->size) {
        size_t n = s->rows->n - first < s->size ? (size_t)(s->rows->n - first)
                                                : s->size;

        read_block(s, first, n);
        add_block(s, b, n);
    }
}

double ens_newton_information(const struct ens_newton_pass *s, size_t a,
                              size_t i, size_t b, size_t j)
{
    size_t block = a >= b ? triangle(a) + b : triangle(b) + a;
    const double *g = s->gram + block * triangle(s->m);

    return i >= j ? g[triangle(i) + j] : g[triangle(j) + i];
}
