#include "learn/penalised.h"

int ens_penalised_solve(const struct ens_penalised *o,
                        const struct ens_squares *q, double enough, double *b,
                        double *work)
{
    struct ens_descent d = {.p = q->p,
                            .c = q->c,
                            .k = q->k,
                            .l1 = o->alpha * o->l1_ratio,
                            .l2 = o->alpha * (1 - o->l1_ratio),
                            .positive = o->positive,
                            .enough = enough};

    return ens_descent_solve(&d, b, work);
}

uint64_t ens_penalised_doubles(size_t p)
{
    return ens_descent_doubles(p) + (uint64_t)p * (p + 2);
}

enum ens_status ens_penalised_fit(const struct ens_penalised *o,
                                  const struct ens_learn_job *job,
                                  const struct ens_rows *rows,
                                  struct ens_error *err)
{
    const struct ens_moments *m;
    struct ens_squares q;
    double *b, *work;
    enum ens_status s = ens_linear_check(rows, err);

    if (s == ENS_OK)
        s = rows->moments(rows, &m, err);
    if (s == ENS_OK)
        s = ens_squares_init(&q, job, m, o->intercept, err);
    if (s != ENS_OK)
        return s;
    b = job->alloc(job, q.p + 1, sizeof(*b));
    work = job->alloc(job, ens_descent_doubles(q.p) + 1, sizeof(*work));
    if (b == NULL || work == NULL)
        return ens_linear_memory(err);
    if (!ens_penalised_solve(o, &q, 0, b, work))
        job->warn(job, "coordinate descent did not converge: columns nearly "
                       "depend on each other");
    return ens_squares_model(&q, job, b, err);
}
