#include "learn/meta/sample.h"

#include "learn/meta/block.h"
#include "learn/scores.h"
#include "math/linalg.h"
#include "math/order.h"

/* Doubles of a row beside its columns. */
#define OTHERS 8

uint64_t ens_meta_sample_memory(uint64_t n, size_t n_columns)
{
    n = n < ENS_META_SAMPLE ? n : ENS_META_SAMPLE;
    return n * (n_columns + OTHERS) * sizeof(double) + n * sizeof(uint32_t);
}

static enum ens_status make(const struct ens_meta_problem *problem,
                            size_t n_columns, struct ens_meta_sample *t,
                            struct ens_error *err)
{
    uint64_t n = problem->n < ENS_META_SAMPLE ? problem->n : ENS_META_SAMPLE;

    t->n = (size_t)n;
    t->n_columns = n_columns;
    t->z = ens_meta_alloc(problem, (n_columns + OTHERS) * t->n, sizeof(*t->z),
                          err);
    t->order =
        t->z ? ens_meta_alloc(problem, t->n, sizeof(*t->order), err) : NULL;
    if (t->order == NULL)
        return ENS_ENOMEMORY;
    t->w = t->z + n_columns * t->n;
    t->score = t->w + t->n;
    t->sorted = t->score + t->n;
    t->weight = t->sorted + t->n;
    t->work = t->weight + t->n; /* ENS_ORDER_WORK: 4 n */
    return ENS_OK;
}

struct filling {
    struct ens_meta_sample *t;
    const size_t *column;
    uint64_t n;  /* rows there are */
    size_t next; /* of the sample */
    double total[2];
};

/* floor(k n / size): the row that is number k of the sample. */
static uint64_t place(uint64_t n, uint64_t size, uint64_t k)
{
    return k * (n / size) + k * (n % size) / size;
}

static enum ens_status take_block(void *arg, const struct ens_meta_block *b,
                                  struct ens_error *err)
{
    struct filling *f = arg;
    struct ens_meta_sample *t = f->t;

    for (size_t i = 0; i < b->n && f->next < t->n; i++) {
        if (b->first + i != place(f->n, t->n, f->next))
            continue;
        if (b->y[i] != 0 && b->y[i] != 1)
            return ens_fail(err, ENS_EDOMAIN,
                            "response in row %llu: %g is no class, allowed are "
                            "0 and 1",
                            (unsigned long long)(b->first + i + 1), b->y[i]);
        for (size_t j = 0; j < t->n_columns; j++)
            t->z[f->next + j * t->n] = b->z[i * b->n_learners + f->column[j]];
        t->w[f->next] = b->y[i] == 1 ? b->w[i] : -b->w[i];
        f->total[b->y[i] == 1] += b->w[i];
        f->next++;
    }
    return ENS_OK;
}

enum ens_status ens_meta_sample_take(const struct ens_meta_problem *problem,
                                     const size_t *column, size_t n_columns,
                                     struct ens_meta_sample *t,
                                     struct ens_error *err)
{
    struct filling f = {.t = t, .column = column, .n = problem->n};
    struct ens_meta_block *memory = NULL;
    enum ens_status s = make(problem, n_columns, t, err);

    if (s == ENS_OK)
        s = ens_meta_each(problem, &memory, take_block, &f, err);
    if (s == ENS_OK && !(f.total[0] > 0 && f.total[1] > 0))
        s = ens_fail(err, ENS_EDOMAIN,
                     "response: class %d alone, the area under the curve needs "
                     "both",
                     f.total[1] > 0);
    return s;
}

double ens_meta_sample_auc(struct ens_meta_sample *t, const double *x)
{
    ens_times(t->z, t->n, t->n_columns, x, t->score);
    ens_order(t->score, t->n, t->sorted, t->order, t->work);
    for (size_t i = 0; i < t->n; i++)
        t->weight[i] = t->w[t->order[i]];
    return ens_auc_sorted(t->sorted, t->weight, t->n, NULL);
}
