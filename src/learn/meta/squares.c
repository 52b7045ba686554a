#include "learn/meta/squares.h"

#include "learn/meta/active.h"
#include "learn/meta/block.h"
#include "math/linalg.h"

#include <math.h>
#include <string.h>

enum ens_status ens_meta_squares(const struct ens_meta_task *task,
                                 int is_simplex, double *weight,
                                 struct ens_error *err)
{
    struct ens_active q = {task->m, task->n, task->f, task->b, is_simplex};
    double *work = ens_meta_alloc(
        task->problem, ENS_ACTIVE_WORK(task->m, task->n), sizeof(*work), err);
    size_t *places =
        work ? ens_meta_alloc(task->problem, ENS_ACTIVE_PLACES(task->n),
                              sizeof(*places), err)
             : NULL;

    if (places == NULL)
        return ENS_ENOMEMORY;
    ens_active_solve(&q, weight, work, places);
    return ENS_OK;
}

/* -- with an intercept ------------------------------------------------------
 */

/* The centred columns are the rows behind the first. */
static void centred(const struct ens_meta_task *task, double penalty, double *x,
                    size_t rows, double *y)
{
    size_t m = task->m - 1;

    for (size_t j = 0; j < task->n; j++) {
        memcpy(x + j * rows, task->f + j * task->m + 1, m * sizeof(*x));
        if (penalty > 0)
            x[j * rows + m + j] = sqrt(penalty);
    }
    memcpy(y, task->b + 1, m * sizeof(*y));
}

enum ens_status ens_meta_ridge_weights(const struct ens_meta_task *task,
                                       double penalty, double *weight,
                                       struct ens_error *err)
{
    size_t n = task->n, rows = task->m - 1 + (penalty > 0 ? n : 0);
    double *x = ens_meta_alloc(task->problem,
                               rows * (n + 1) + ENS_MIN_NORM_WORK(rows, n),
                               sizeof(*x), err);
    double *y;

    if (x == NULL)
        return ENS_ENOMEMORY;
    y = x + rows * n;
    centred(task, penalty, x, rows, y);
    if (ens_min_norm(x, rows, n, y, task->resolution, weight, y + rows) != 0)
        return ens_fail(err, ENS_EDOMAIN, "least squares have no solution");
    return ENS_OK;
}

double ens_meta_intercept(const struct ens_meta_task *task,
                          const double *weight)
{
    double sum = task->b[0];

    for (size_t j = 0; j < task->n; j++)
        sum -= weight[j] * task->f[j * task->m];
    return sum / sqrt(task->weight);
}
