#include "learn/classes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 256

size_t ens_classes_of(const struct ens_learn_job *job)
{
    return job->family == ENS_OUTCOME_BINOMIAL ? 2 : job->n_classes;
}

static size_t scatter_size(size_t p, int full)
{
    return full ? p * p : p;
}

/* Rows of one block. */
struct block {
    size_t n, p;
    double *x, *y, *w; /* n x p, n, n */
    double *mean, *m2; /* of one class */
    double *step;      /* p */
};

/* Mean and scatter of the block's rows of class k; their weight. */
static double block_moments(const struct block *b, size_t k, int full,
                            uint64_t *rows)
{
    size_t p = b->p;
    double weight = 0;

    memset(b->mean, 0, p * sizeof(*b->mean));
    memset(b->m2, 0, scatter_size(p, full) * sizeof(*b->m2));
    for (size_t i = 0; i < b->n; i++) {
        if (b->y[i] != (double)k || !(b->w[i] > 0))
            continue;
        ++*rows;
        weight += b->w[i];
        for (size_t j = 0; j < p; j++)
            b->mean[j] += b->w[i] * b->x[i * p + j];
    }
    for (size_t j = 0; j < p && weight > 0; j++)
        b->mean[j] /= weight;
    for (size_t i = 0; i < b->n; i++) {
        double *x = b->x + i * p;

        if (b->y[i] != (double)k || !(b->w[i] > 0))
            continue;
        for (size_t j = 0; j < p; j++)
            x[j] -= b->mean[j]; /* a row is of one class only */
        for (size_t j = 0; j < p; j++) {
            double wx = b->w[i] * x[j];

            if (!full)
                b->m2[j] += wx * x[j];
            for (size_t h = 0; full && h <= j; h++)
                b->m2[j * p + h] += wx * x[h];
        }
    }
    return weight;
}

static void merge(struct ens_classes *c, size_t k, const struct block *b,
                  double weight)
{
    size_t p = c->p;
    double *mean = c->mean + k * p, *m2 = c->m2 + k * scatter_size(p, c->full);
    double total = c->weight[k] + weight;
    double between = c->weight[k] * (weight / total);

    for (size_t j = 0; j < p; j++)
        b->step[j] = b->mean[j] - mean[j];
    for (size_t j = 0; j < p; j++) {
        double d = between * b->step[j];

        if (!c->full)
            m2[j] += b->m2[j] + d * b->step[j];
        for (size_t h = 0; c->full && h <= j; h++)
            m2[j * p + h] += b->m2[j * p + h] + d * b->step[h];
        mean[j] += b->step[j] * (weight / total);
    }
    c->weight[k] = total;
}

/* Lower triangles to both. */
static void mirror(struct ens_classes *c)
{
    size_t p = c->p;

    for (size_t k = 0; k < c->n && c->full; k++) {
        double *m2 = c->m2 + k * p * p;

        for (size_t j = 0; j < p; j++)
            for (size_t h = 0; h < j; h++)
                m2[h * p + j] = m2[j * p + h];
    }
}

static void add_rows(struct ens_classes *c, const struct ens_rows *train,
                     struct block *b)
{
    for (uint64_t at = 0; at < train->n; at += BLOCK) {
        b->n = train->n - at < BLOCK ? (size_t)(train->n - at) : BLOCK;
        train->x(train, at, b->n, b->x);
        train->y(train, at, b->n, b->y);
        train->w(train, at, b->n, b->w);
        for (size_t k = 0; k < c->n; k++) {
            double weight = block_moments(b, k, c->full, &c->rows[k]);

            if (weight > 0)
                merge(c, k, b, weight);
        }
    }
    mirror(c);
}

size_t ens_classes_doubles(size_t n, size_t p, int full)
{
    size_t m = scatter_size(p, full);

    return n * (2 + p + m) + (BLOCK + 2) * p + m + 2 * BLOCK;
}

enum ens_status ens_classes_count(struct ens_classes *c,
                                  const struct ens_learn_job *job,
                                  const struct ens_rows *train, int full,
                                  struct ens_error *err)
{
    size_t p = train->p, n = ens_classes_of(job), m = scatter_size(p, full);
    double *d = job->alloc(job, ens_classes_doubles(n, p, full), sizeof(*d));
    struct block b = {.p = p};
    double total = 0;

    if (d == NULL)
        return job->host->fail(err, ENS_ENOMEMORY, "moments of %zu classes", n);
    *c = (struct ens_classes){.n = n, .p = p, .full = full};
    c->rows = (uint64_t *)(void *)d;
    c->weight = d + n;
    c->mean = c->weight + n;
    c->m2 = c->mean + n * p;
    b.x = c->m2 + n * m;
    b.step = b.x + BLOCK * p;
    b.mean = b.step + p;
    b.m2 = b.mean + p;
    b.y = b.m2 + m;
    b.w = b.y + BLOCK;
    add_rows(c, train, &b);
    for (size_t k = 0; k < n; k++)
        total += c->weight[k];
    if (!(total > 0))
        return job->host->fail(err, ENS_EDOMAIN, "all weights are 0");
    return ENS_OK;
}

enum ens_status ens_classes_priors(const struct ens_learn_setup *setup,
                                   const double **priors, struct ens_error *err)
{
    const struct ens_value *v = setup->value(setup, "priors");
    size_t n =
        setup->family == ENS_OUTCOME_BINOMIAL ? 2 : (size_t)setup->n_classes;
    double *to, sum = 0;

    *priors = NULL;
    if (!v->set)
        return ENS_OK;
    if (v->n_vec != n)
        return setup->host->fail(err, ENS_ESTUDY,
                                 "priors = %s: %zu numbers, there are %zu "
                                 "classes",
                                 v->text, v->n_vec, n);
    to = setup->alloc(setup, n, sizeof(*to));
    if (to == NULL)
        return setup->host->fail(err, ENS_ENOMEMORY, "priors");
    for (size_t k = 0; k < n; k++) {
        to[k] = v->vec[k];
        sum += to[k];
        if (!(to[k] >= 0))
            sum = NAN;
    }
    if (!(fabs(sum - 1) < 1e-8))
        return setup->host->fail(err, ENS_ESTUDY,
                                 "priors = %s: probabilities with the sum 1 "
                                 "are needed",
                                 v->text);
    *priors = to;
    return ENS_OK;
}

void ens_classes_log_priors(const struct ens_classes *c, const double *priors,
                            double *log_prior)
{
    double total = 0;

    for (size_t k = 0; k < c->n; k++)
        total += c->weight[k];
    for (size_t k = 0; k < c->n; k++) {
        log_prior[k] = log(priors != NULL ? priors[k] : c->weight[k] / total);
        if (!(c->weight[k] > 0))
            log_prior[k] = -INFINITY;
    }
}

/* Probabilities from scores. */
static void share(const double *score, size_t n, size_t n_out, double *out)
{
    double top = -INFINITY, sum = 0;

    if (n_out == 1) { /* of two classes, the second */
        out[0] = 1 / (1 + exp(score[0] - score[1]));
        return;
    }
    for (size_t k = 0; k < n; k++)
        top = score[k] > top ? score[k] : top;
    for (size_t k = 0; k < n; k++) {
        out[k] = exp(score[k] - top);
        sum += out[k];
    }
    for (size_t k = 0; k < n; k++)
        out[k] /= sum;
}

enum ens_status ens_classes_predict(const struct ens_learn_job *job,
                                    const struct ens_rows *at, uint64_t first,
                                    size_t n, ens_classes_score_fn *score,
                                    const void *arg, double *out,
                                    struct ens_error *err)
{
    size_t p = at->p, classes = ens_classes_of(job);
    double *x = malloc((BLOCK * p + classes) * sizeof(*x));
    enum ens_status s = ENS_OK;

    if (x == NULL)
        return job->host->fail(err, ENS_ENOMEMORY, "%d rows", BLOCK);
    for (size_t i = 0; i < n && s == ENS_OK; i++) {
        if (i % BLOCK == 0)
            at->x(at, first + i, n - i < BLOCK ? n - i : BLOCK, x);
        score(arg, x + i % BLOCK * p, x + BLOCK * p);
        share(x + BLOCK * p, classes, job->n_out, out + i * job->n_out);
        if (isnan(out[i * job->n_out]))
            s = job->host->fail(err, ENS_EDOMAIN,
                                "row %llu of those to be predicted: densities "
                                "that are no numbers, values are too large",
                                (unsigned long long)(first + i + 1));
    }
    free(x);
    return s;
}
