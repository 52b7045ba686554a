#include "fit/irls.h"

#include "math/linalg.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#define EPSILON        1e-8
#define MAX_ITERATIONS 25

size_t ens_irls_work(size_t n, size_t p)
{
    size_t base = ens_lsq_gaussian_work(n, p);

    return base == SIZE_MAX ? base : base + 4 * n;
}

static enum ens_status check_response(const struct ens_irls_family *family,
                                      const struct ens_fit_problem *problem,
                                      struct ens_error *err)
{
    for (size_t i = 0; i < problem->n; i++)
        if (!family->is_response(problem->y[i]))
            return ens_fail(
                err, ENS_EDOMAIN, "%s is %.15g in complete row %zu; %s",
                problem->response, problem->y[i], i + 1, family->takes);
    return ENS_OK;
}

enum ens_status ens_irls_init(struct ens_irls *g,
                              const struct ens_irls_family *family,
                              const struct ens_fit_problem *problem,
                              double *work, struct ens_error *err)
{
    size_t n = problem->n;

    g->family = family;
    g->n = n;
    ens_lsq_init(&g->q, problem, work);
    g->eta = work + ens_lsq_work(n, problem->p);
    g->mu = g->eta + n;
    g->w = g->mu + n;
    g->r = g->w + n;
    g->delta = g->r + n;
    return check_response(family, problem, err);
}

/* The first fit is of the working response itself, less the offset. */
static double start(struct ens_irls *g)
{
    const struct ens_fit_problem *problem = g->q.problem;

    g->family->start(g, problem->y);
    g->family->weigh(g, problem->y);
    for (size_t i = 0; i < g->n; i++)
        g->r[i] +=
            g->w[i] * (g->eta[i] - (problem->offset ? problem->offset[i] : 0));
    return g->family->deviance(g, problem->y);
}

void ens_irls_warn(const struct ens_irls *g, struct ens_fit_result *result)
{
    const double *y = g->q.problem->y;
    size_t same = 1;

    while (same < g->n && y[same] == y[0])
        same++;
    if (same == g->n)
        ens_fit_warn(result, "the response is constant");
    for (size_t i = 0; g->family->is_extreme != NULL && i < g->n; i++)
        if (g->family->is_extreme(g->mu[i])) {
            ens_fit_warn(result, g->family->extremes);
            return;
        }
}

static void predict(struct ens_irls *g, const double *b)
{
    const struct ens_fit_problem *problem = g->q.problem;

    ens_times(problem->x, g->n, problem->p, b, g->eta);
    for (size_t i = 0; problem->offset && i < g->n; i++)
        g->eta[i] += problem->offset[i];
    g->family->mean(g->eta, g->n, g->mu);
}

/* Of the weights and working residuals at hand. */
static enum ens_status take_step(struct ens_irls *g,
                                 struct ens_fit_result *result,
                                 struct ens_error *err)
{
    /* min(1e-7, epsilon/1000), as glm.fit has it */
    enum ens_status s = ens_lsq_factor(&g->q, g->w, EPSILON / 1000, err);

    if (s != ENS_OK)
        return s;
    ens_lsq_step(&g->q, g->r, result->estimate, g->delta);
    predict(g, result->estimate);
    result->iterations++;
    result->deviance = g->family->deviance(g, g->q.problem->y);
    return isfinite(result->deviance)
               ? ENS_OK
               : ens_fail(err, ENS_EDOMAIN,
                          "diverged: the deviance is not finite");
}

enum ens_status ens_irls_iterate(struct ens_irls *g,
                                 struct ens_fit_result *result,
                                 struct ens_error *err)
{
    double before = start(g);

    memset(result->estimate, 0, g->q.problem->p * sizeof(*result->estimate));
    result->iterations = 0;
    while (result->iterations < MAX_ITERATIONS) {
        enum ens_status s = take_step(g, result, err);

        if (s != ENS_OK)
            return s;
        if (fabs(result->deviance - before) / (fabs(result->deviance) + 0.1) <
            EPSILON)
            return ENS_OK;
        before = result->deviance;
        g->family->weigh(g, g->q.problem->y);
    }
    ens_fit_warn(result, "algorithm did not converge in 25 iterations");
    return ENS_OK;
}

enum ens_status ens_irls_step(struct ens_irls *g, struct ens_fit_result *result,
                              double *length, struct ens_error *err)
{
    size_t p = g->q.problem->p;
    double square = 0;
    enum ens_status s;

    g->family->weigh(g, g->q.problem->y);
    s = take_step(g, result, err);
    for (size_t k = 0; s == ENS_OK && k < p; k++) {
        double v = 0; /* row k of L'delta */

        for (size_t j = k; j < p; j++)
            v += g->q.factor[j + k * p] * g->delta[j];
        square += v * v;
    }
    if (s == ENS_OK)
        *length = sqrt(square);
    return s;
}
