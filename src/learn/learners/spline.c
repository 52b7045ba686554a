/* Additive regression: each column bent by cubic B-splines (learn/bspline.h),
 * their coefficients shrunk; of 0 and 1 and of counts by Newton's method, a
 * pass a step. Minimises
 *     - log likelihood (of variance 1) + alpha / 2 x squared coefficients,
 * the intercept not among these: scikit-learn's SplineTransformer before
 * Ridge(alpha), LogisticRegression(C = 1 / alpha) or PoissonRegressor.
 *
 * The model: struct spline_model, then knots, then intercept and coefficients.
 */
#include "learn/learners/learners.h"

#include "learn/bspline.h"
#include "math/linalg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_STEPS 200
#define BLOCK     256

struct spline {
    size_t knots;
    double alpha;
};

struct spline_model {
    uint64_t p, knots;
};

const struct ens_setting ens_learner_spline_settings[] = {
    {.section = "learner",
     .key = "knots",
     .type = ENS_T_INT,
     .shape = ENS_AXIS,
     .cls = ENS_C_CELL,
     .def = "5",
     .min = 2,
     .max = 1000,
     .help = "of each column, at quantiles of its rows, whatever they "
             "weigh, the outermost among them"},
    {.section = "learner",
     .key = "alpha",
     .type = ENS_T_NUM,
     .shape = ENS_AXIS,
     .cls = ENS_C_CELL,
     .def = "1",
     .min = 1e-10,
     .max = 1e300,
     .help = "weight of half the squared coefficients"},
};

static enum ens_status options(const struct ens_learn_setup *setup,
                               const void **to, struct ens_error *err)
{
    struct spline *o = setup->alloc(setup, 1, sizeof(*o));

    if (o == NULL)
        return setup->host->fail(err, ENS_ENOMEMORY, "spline: options");
    o->knots = (size_t)setup->value(setup, "knots")->i;
    o->alpha = setup->value(setup, "alpha")->d;
    *to = o;
    return ENS_OK;
}

static size_t n_coef(size_t knots, size_t p)
{
    return 1 + p * ENS_BSPLINE_COUNT(knots);
}

static uint64_t memory(const void *options_, uint64_t n, size_t p)
{
    const struct spline *o = options_;
    uint64_t m = n_coef(o->knots, p);

    return (m * m + 4 * m + ens_bspline_work(n, p)) * sizeof(double);
}

/* A fit at work. Coefficient 0 is the intercept. */
struct newton {
    const struct ens_rows *rows;
    const double *knot;
    size_t knots, m;
    double alpha;
    double *coef, *before, *step; /* m each */
    double *gradient, *hessian;   /* m; m x m, lower triangle */
    double objective;
    double *x; /* BLOCK rows */
    uint32_t *index;
    double *value;
};

struct point {
    double mean, curvature, loss;
};

static struct point at_point(enum ens_outcome_family family, double eta,
                             double y)
{
    struct point at;

    if (family == ENS_OUTCOME_BINOMIAL) {
        double e = exp(-fabs(eta));

        at.mean = eta >= 0 ? 1 / (1 + e) : e / (1 + e);
        at.curvature = e / ((1 + e) * (1 + e));
        at.loss = (eta > 0 ? eta : 0) + log1p(e) - y * eta;
    } else if (family == ENS_OUTCOME_POISSON) {
        at.mean = at.curvature = exp(eta);
        at.loss = at.mean - y * eta;
    } else {
        at.mean = eta;
        at.curvature = 1;
        at.loss = 0.5 * (y - eta) * (y - eta);
    }
    return at;
}

static double predictor(const double *coef, const uint32_t *index,
                        const double *value, size_t n)
{
    double eta = coef[0];

    for (size_t k = 0; k < n; k++)
        eta += coef[1 + index[k]] * value[k];
    return eta;
}

static void add_row(struct newton *f, const double *x, double y, double w)
{
    size_t n =
        ens_bspline_row(f->knot, f->knots, f->rows->p, x, f->index, f->value);
    struct point at =
        at_point(f->rows->family, predictor(f->coef, f->index, f->value, n), y);
    double slope = w * (y - at.mean), bend = w * at.curvature;

    f->objective += w * at.loss;
    f->gradient[0] += slope;
    f->hessian[0] += bend;
    for (size_t a = 0; a < n; a++) {
        size_t row = 1 + f->index[a];
        double v = bend * f->value[a];

        f->gradient[row] += slope * f->value[a];
        f->hessian[row] += v;
        for (size_t b = 0; b <= a; b++)
            f->hessian[row + (1 + f->index[b]) * f->m] += v * f->value[b];
    }
}

/* Objective, gradient and curvature at coef. */
static void pass(struct newton *f)
{
    const struct ens_rows *r = f->rows;
    double y[BLOCK], w[BLOCK];

    f->objective = 0;
    memset(f->gradient, 0, f->m * sizeof(*f->gradient));
    memset(f->hessian, 0, f->m * f->m * sizeof(*f->hessian));
    for (uint64_t at = 0; at < r->n; at += BLOCK) {
        size_t n = r->n - at < BLOCK ? (size_t)(r->n - at) : BLOCK;

        r->x(r, at, n, f->x);
        r->y(r, at, n, y);
        r->w(r, at, n, w);
        for (size_t i = 0; i < n; i++)
            if (w[i] > 0)
                add_row(f, f->x + i * r->p, y[i], w[i]);
    }
    for (size_t j = 1; j < f->m; j++) {
        f->objective += 0.5 * f->alpha * f->coef[j] * f->coef[j];
        f->gradient[j] -= f->alpha * f->coef[j];
        f->hessian[j + j * f->m] += f->alpha;
    }
}

/* Newton's steps, halved while they make things worse. */
static enum ens_status minimise(struct newton *f,
                                const struct ens_learn_job *job,
                                struct ens_error *err)
{
    double last = INFINITY;

    for (int round = 0; round < MAX_STEPS; round++) {
        double gain = 0;

        pass(f);
        if (!(f->objective <= last + 1e-12 * fabs(last))) {
            for (size_t j = 0; j < f->m; j++)
                f->coef[j] = 0.5 * (f->coef[j] + f->before[j]);
            continue;
        }
        last = f->objective;
        if (!(ens_cholesky(f->hessian, f->m) > 0))
            return job->host->fail(
                err, ENS_EDOMAIN,
                "spline: columns are collinear; a larger alpha allows it");
        memcpy(f->step, f->gradient, f->m * sizeof(*f->step));
        ens_cholesky_solve(f->hessian, f->m, f->step);
        for (size_t j = 0; j < f->m; j++) {
            gain += f->step[j] * f->gradient[j];
            f->before[j] = f->coef[j];
            f->coef[j] += f->step[j];
        }
        if (gain <= 1e-14 * (1 + fabs(last)) ||
            f->rows->family == ENS_OUTCOME_GAUSSIAN)
            return ENS_OK;
    }
    return job->host->fail(err, ENS_EDOMAIN, "spline: no end after %d steps",
                           MAX_STEPS);
}

/* The intercept alone: the mean of the response, on the scale of the link. */
static enum ens_status begin(struct newton *f, const struct ens_learn_job *job,
                             struct ens_error *err)
{
    const struct ens_rows *r = f->rows;
    double y[BLOCK], w[BLOCK], sum = 0, weight = 0;

    for (uint64_t at = 0; at < r->n; at += BLOCK) {
        size_t n = r->n - at < BLOCK ? (size_t)(r->n - at) : BLOCK;

        r->y(r, at, n, y);
        r->w(r, at, n, w);
        for (size_t i = 0; i < n; i++) {
            sum += w[i] * y[i];
            weight += w[i];
        }
    }
    if (!(weight > 0))
        return job->host->fail(err, ENS_EDOMAIN, "all weights are 0");
    sum /= weight;
    if (r->family != ENS_OUTCOME_GAUSSIAN &&
        !(sum > 0 && (r->family == ENS_OUTCOME_POISSON || sum < 1)))
        return job->host->fail(
            err, ENS_EDOMAIN, "spline: the response is %g in all training rows",
            sum);
    f->coef[0] = r->family == ENS_OUTCOME_BINOMIAL  ? log(sum / (1 - sum))
                 : r->family == ENS_OUTCOME_POISSON ? log(sum)
                                                    : sum;
    return ENS_OK;
}

static enum ens_status fit(const struct ens_learn_job *job,
                           const struct ens_rows *train, struct ens_error *err)
{
    const struct spline *o = job->options;
    size_t p = train->p, m = n_coef(o->knots, p);
    size_t nk = p * ENS_BSPLINE_KNOTS(o->knots);
    struct spline_model *model =
        job->model(job, sizeof(*model) + (nk + m) * sizeof(double));
    double *work = job->alloc(job, ens_bspline_work(train->n, p) + 1, 8);
    double *d = job->alloc(job, m * m + 3 * m + (BLOCK + 2 * 4) * p + 1, 8);
    struct newton f = {.rows = train, .knots = o->knots, .m = m};
    enum ens_status s;

    if (model == NULL || work == NULL || d == NULL)
        return job->host->fail(err, ENS_ENOMEMORY,
                               "spline: %zu coefficients of %zu columns", m, p);
    *model = (struct spline_model){p, o->knots};
    f.alpha = o->alpha;
    f.knot = (double *)(void *)(model + 1);
    f.coef = (double *)(void *)(model + 1) + nk;
    f.hessian = d;
    f.before = d + m * m;
    f.step = f.before + m;
    f.gradient = f.step + m;
    f.x = f.gradient + m;
    f.value = f.x + BLOCK * p;
    f.index = (uint32_t *)(void *)(f.value + 4 * p);
    ens_bspline_knots(train, o->knots, (double *)(void *)(model + 1), work);
    s = begin(&f, job, err);
    return s == ENS_OK ? minimise(&f, job, err) : s;
}

static enum ens_status predict(const struct ens_learn_job *job,
                               const struct ens_learn_model *model,
                               const struct ens_rows *train,
                               const struct ens_rows *at, uint64_t first,
                               size_t n, double *out, struct ens_error *err)
{
    struct spline_model h = {0, 0};
    size_t p = at->p, nk, m;
    const double *knot, *coef;
    double *x;

    (void)train;
    if (model->bytes >= sizeof(h))
        memcpy(&h, model->data, sizeof(h));
    nk = p * ENS_BSPLINE_KNOTS(h.knots);
    m = n_coef(h.knots, p);
    if (h.p != p || h.knots < 2 || h.knots > 1000 ||
        model->bytes != sizeof(h) + (nk + m) * sizeof(double))
        return job->host->fail(err, ENS_EDOMAIN, "spline: damaged model");
    knot =
        (const double *)(const void *)((const char *)model->data + sizeof(h));
    coef = knot + nk;
    x = malloc(((BLOCK + 2 * 4) * p + 1) * sizeof(*x));
    if (x == NULL)
        return job->host->fail(err, ENS_ENOMEMORY, "spline: rows");
    for (size_t i = 0; i < n; i++) {
        double *value = x + BLOCK * p;
        uint32_t *index = (uint32_t *)(void *)(value + 4 * p);
        size_t found;

        if (i % BLOCK == 0)
            at->x(at, first + i, n - i < BLOCK ? n - i : BLOCK, x);
        found = ens_bspline_row(knot, (size_t)h.knots, p, x + i % BLOCK * p,
                                index, value);
        out[i] =
            at_point(job->family, predictor(coef, index, value, found), 0).mean;
    }
    free(x);
    return ENS_OK;
}

const struct ens_learner ens_learner_spline = {
    .families = ENS_LEARN_REGRESSION | ENS_LEARN_FAMILY(ENS_OUTCOME_BINOMIAL),
    .uses = ENS_LEARN_WEIGHTS,
    .options = options,
    .memory = memory,
    .fit = fit,
    .predict = predict,
};
