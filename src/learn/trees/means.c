#include "learn/trees/means.h"

#define BLOCK 1024

static size_t block_at(const struct ens_rows *r, uint64_t at)
{
    return r->n - at < BLOCK ? (size_t)(r->n - at) : BLOCK;
}

/* Total weight, and the mean that is taken from the responses. */
static void average(struct ens_means *m)
{
    const struct ens_rows *r = m->rows;
    double y[BLOCK], w[BLOCK], sum = 0;

    for (uint64_t at = 0; at < r->n; at += BLOCK) {
        size_t n = block_at(r, at);

        r->y(r, at, n, y);
        r->w(r, at, n, w);
        for (size_t i = 0; i < n; i++) {
            sum += w[i] * y[i];
            m->weight += w[i];
        }
    }
    if (r->family == ENS_OUTCOME_GAUSSIAN && m->weight > 0)
        m->shift = sum / m->weight;
}

static enum ens_status load(struct ens_means *m,
                            const struct ens_learn_job *job,
                            struct ens_error *err)
{
    const struct ens_rows *r = m->rows;
    size_t stats = ens_tree_stats(m->data.mode);
    double y[BLOCK], w[BLOCK];

    for (uint64_t at = 0; at < r->n; at += BLOCK) {
        size_t n = block_at(r, at);
        double *to = m->data.stat + at * stats;

        r->y(r, at, n, y);
        r->w(r, at, n, w);
        for (size_t i = 0; i < n; i++) {
            to[i * stats] = w[i];
            to[i * stats + stats - 1] = y[i] - m->shift;
            if (m->data.mode == ENS_TREE_CLASSES &&
                !(y[i] >= 0 && y[i] < (double)m->data.n_classes))
                return job->host->fail(err, ENS_EDOMAIN,
                                       "class %g of a response that has %zu",
                                       y[i], m->data.n_classes);
        }
    }
    return ENS_OK;
}

enum ens_status ens_means_init(struct ens_means *m,
                               const struct ens_learn_job *job,
                               const struct ens_rows *rows, int entropy,
                               int always_weighted, struct ens_error *err)
{
    int multi = rows->family == ENS_OUTCOME_MULTINOMIAL;
    int by_class = multi || (entropy && rows->family == ENS_OUTCOME_BINOMIAL);
    enum ens_status s;

    *m = (struct ens_means){.rows = rows, .n_out = job->n_out};
    s = ens_tree_data_init(&m->data, job, rows, err);
    if (s != ENS_OK)
        return s;
    m->data.n_classes = by_class ? (multi ? job->n_classes : 2) : 0;
    m->data.mode = by_class                            ? ENS_TREE_CLASSES
                   : always_weighted || rows->weighted ? ENS_TREE_WEIGHTED
                                                       : ENS_TREE_RESPONSE;
    m->criterion = !by_class ? ENS_TREE_SQUARES
                   : entropy ? ENS_TREE_ENTROPY
                             : ENS_TREE_GINI;
    m->data.stat = job->alloc(job, m->data.n * ens_tree_stats(m->data.mode),
                              sizeof(double));
    if (m->data.stat == NULL)
        return job->host->fail(err, ENS_ENOMEMORY, "responses of %u rows",
                               m->data.n);
    average(m);
    if (!(m->weight > 0))
        return job->host->fail(err, ENS_EDOMAIN, "all weights are 0");
    return load(m, job, err);
}

size_t ens_means_sums(enum ens_outcome_family family, uint32_t n_classes)
{
    return family == ENS_OUTCOME_MULTINOMIAL ? (size_t)n_classes + 1 : 3;
}

uint32_t ens_means_index(const struct ens_means *m, uint32_t *index)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < m->data.n; i++) {
        index[n] = i;
        n += m->data.mode == ENS_TREE_RESPONSE ||
             m->data.stat[2 * (size_t)i] > 0;
    }
    return n;
}

void ens_means_leaf(const void *arg, const double *sum, double *value)
{
    const struct ens_means *m = arg;
    double total = 0;

    if (m->data.mode != ENS_TREE_CLASSES) {
        value[0] = m->shift + sum[0] / sum[1];
        return;
    }
    for (size_t k = 0; k < m->data.n_classes; k++)
        total += sum[k];
    if (m->n_out == 1)
        value[0] = sum[1] / total;
    else
        for (size_t k = 0; k < m->n_out; k++)
            value[k] = sum[k] / total;
}
