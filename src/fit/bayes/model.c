#include "fit/bayes/model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void *take(const struct ens_job *job, size_t n, size_t size)
{
    return job->host->alloc(job->result, n > 0 ? n : 1, size);
}

/* -- responses --------------------------------------------------------------
 */

static int is_count(double y)
{
    return y >= 0 && y == floor(y);
}

static enum ens_status check_response(const struct ens_bayes *m,
                                      const struct ens_fit_problem *f,
                                      struct ens_error *err)
{
    const char *takes = NULL;
    enum ens_family family = m->o->family;

    for (size_t i = 0; i < f->n && !takes; i++) {
        double y = f->y[i];

        if (family == ENS_FAMILY_BINOMIAL && y != 0 && y != 1)
            takes = "family binomial takes 0 or 1";
        else if ((family == ENS_FAMILY_POISSON ||
                  family == ENS_FAMILY_NEGBINOMIAL) &&
                 !is_count(y))
            takes = "families poisson and negbinomial take whole numbers from "
                    "0";
        else if (family == ENS_FAMILY_GAMMA && !(y > 0))
            takes = "family gamma takes numbers above 0";
        if (takes)
            return ens_fail(err, ENS_EDOMAIN,
                            "%s is %.15g in complete row %zu; %s", f->response,
                            y, i + 1, takes);
    }
    return ENS_OK;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double median(double *x, size_t n)
{
    qsort(x, n, sizeof(*x), by_value);
    return n % 2 ? x[n / 2] : (x[n / 2 - 1] + x[n / 2]) / 2;
}

/* R's mad(y): 1.4826 times the median distance from the median. */
static double mad(const double *y, size_t n, double *work)
{
    double middle;

    memcpy(work, y, n * sizeof(*work));
    middle = median(work, n);
    for (size_t i = 0; i < n; i++)
        work[i] = fabs(y[i] - middle);
    return 1.4826 * median(work, n);
}

/* log y summed; how many counts are above k. */
static enum ens_status sum_response(struct ens_bayes *m,
                                    const struct ens_job *job,
                                    struct ens_error *err)
{
    const size_t most = 4096; /* beyond, Stirling's series is exact */
    double top = 0;

    for (size_t i = 0; i < m->n; i++) {
        m->sum_log_y += m->o->family == ENS_FAMILY_GAMMA ? log(m->y[i]) : 0;
        top = fmax(top, m->y[i]);
    }
    if (m->o->family != ENS_FAMILY_NEGBINOMIAL)
        return ENS_OK;
    m->n_above = top < (double)most ? (size_t)top : most;
    m->above = take(job, m->n_above, sizeof(*m->above));
    m->large = take(job, m->n, sizeof(*m->large));
    if (!m->above || !m->large)
        return ens_fail(err, ENS_ENOMEMORY, "counts of %zu rows", m->n);
    memset(m->above, 0, m->n_above * sizeof(*m->above));
    for (size_t i = 0; i < m->n; i++) {
        for (size_t k = 0; k < m->n_above && (double)k < m->y[i]; k++)
            m->above[k]++;
        if (m->y[i] > (double)m->n_above)
            m->large[m->n_large++] = m->y[i];
    }
    return ENS_OK;
}

/* -- the parts of q ---------------------------------------------------------
 */

static const struct ens_prior *find_named(const struct ens_bayes_options *o,
                                          const char *name)
{
    for (size_t i = 0; i < o->n_named; i++)
        if (strcmp(o->name[i], name) == 0)
            return &o->named[i];
    return NULL;
}

static void take_term_priors(struct ens_bayes *m,
                             const struct ens_fit_problem *f)
{
    m->intercept = SIZE_MAX;
    for (size_t j = 0; j < m->p; j++) {
        int is_intercept = strcmp(f->term[j], "intercept") == 0;
        const struct ens_prior *named = find_named(m->o, f->term[j]);

        m->prior[j] = named ? *named : is_intercept ? m->o->intercept : m->o->b;
        m->has_prior |= m->prior[j].kind != ENS_PRIOR_FLAT;
        if (is_intercept)
            m->intercept = j;
    }
}

static void add_aux(struct ens_bayes *m, enum ens_bayes_prior which,
                    struct ens_prior by_default)
{
    m->aux[m->n_aux] = which;
    m->aux_prior[m->n_aux++] =
        m->o->has_prior[which] ? m->o->prior[which] : by_default;
}

/* Half-t with 3 degrees of freedom, as brms has it. */
static void take_aux(struct ens_bayes *m, const struct ens_fit_problem *f,
                     double spread)
{
    struct ens_prior scale = {ENS_PRIOR_HALF_STUDENT_T, {3, spread, 0}};

    if (m->o->family == ENS_FAMILY_STUDENT ||
        (m->o->family == ENS_FAMILY_GAUSSIAN && !f->se))
        add_aux(m, ENS_BAYES_SIGMA, scale);
    if (m->o->family == ENS_FAMILY_STUDENT && isnan(m->o->nu))
        add_aux(m, ENS_BAYES_NU,
                (struct ens_prior){ENS_PRIOR_GAMMA, {2, 0.1, 0}});
    if (m->o->family == ENS_FAMILY_NEGBINOMIAL)
        add_aux(m, ENS_BAYES_PHI,
                (struct ens_prior){ENS_PRIOR_GAMMA, {0.01, 0.01, 0}});
    if (m->o->family == ENS_FAMILY_GAMMA)
        add_aux(m, ENS_BAYES_SHAPE,
                (struct ens_prior){ENS_PRIOR_GAMMA, {0.01, 0.01, 0}});
}

/* The prior of sd_G: its own, that of all, the default. */
static struct ens_prior sd_prior(const struct ens_bayes_options *o,
                                 const char *group, double spread)
{
    struct ens_prior p = {ENS_PRIOR_HALF_STUDENT_T, {3, spread, 0}};

    if (o->has_sd)
        p = o->sd;
    for (size_t i = 0; i < o->n_named; i++)
        if (strncmp(o->name[i], "sd_", 3) == 0 &&
            strcmp(o->name[i] + 3, group) == 0)
            p = o->named[i];
    return p;
}

static enum ens_status take_groups(struct ens_bayes *m,
                                   const struct ens_job *job,
                                   const struct ens_fit_problem *f,
                                   double spread, struct ens_error *err)
{
    m->n_groups = f->n_groups;
    m->group = take(job, f->n_groups, sizeof(*m->group));
    m->dim = m->n_parameters = m->p + m->n_aux;
    for (size_t k = 0; m->group && k < f->n_groups; k++) {
        struct ens_bayes_group *g = &m->group[k];

        *g = (struct ens_bayes_group){.of = f->group[k].of,
                                      .n_levels = f->group[k].n_levels,
                                      .at = m->dim,
                                      .parameter = m->n_parameters};
        g->prior = sd_prior(m->o, f->group[k].name, spread);
        g->r = take(job, 2 * g->n_levels, sizeof(*g->r));
        if (!g->r)
            break;
        g->slope = g->r + g->n_levels;
        m->dim += 1 + g->n_levels;
        m->n_parameters += 1 + g->n_levels;
    }
    if (!m->group || (m->n_groups > 0 && !m->group[m->n_groups - 1].slope))
        return ens_fail(err, ENS_ENOMEMORY, "model of %zu groups", f->n_groups);
    return ENS_OK;
}

static enum ens_status allocate(struct ens_bayes *m, const struct ens_job *job,
                                const struct ens_fit_problem *f,
                                struct ens_error *err)
{
    size_t n = f->n, p = f->p;
    double *at = n <= SIZE_MAX / 16 / (p + 2)
                     ? take(job, n * (p + 2) + p * (p + 4), sizeof(*at))
                     : NULL;

    m->prior = take(job, p, sizeof(*m->prior));
    if (!at || !m->prior)
        return ens_fail(err, ENS_ENOMEMORY, "model of %zu rows, %zu terms", n,
                        p);
    m->q = at;
    m->eta0 = m->q + n * p;
    m->weight = m->eta0 + n;
    m->a = m->weight + n;
    m->b0 = m->a + p * p;
    m->b = m->b0 + p;
    m->b_slope = m->b + p;
    m->v_slope = m->b_slope + p;
    return ENS_OK;
}

/* Propriety that depends on the data set. */
static enum ens_status check_flat(const struct ens_bayes *m,
                                  struct ens_error *err)
{
    size_t n_flat = 0;

    for (size_t j = 0; j < m->p; j++)
        n_flat += m->prior[j].kind == ENS_PRIOR_FLAT ? 1 : 0;
    if (m->n_aux > 0 && m->aux[0] == ENS_BAYES_SIGMA && m->n <= n_flat)
        return ens_fail(err, ENS_EDOMAIN,
                        "%zu complete rows for %zu terms of flat priors leave "
                        "nothing for sigma to explain",
                        m->n, n_flat);
    if (m->n_aux > 0 && m->aux[0] == ENS_BAYES_SIGMA &&
        m->aux_prior[0].kind == ENS_PRIOR_FLAT && m->n < n_flat + 2)
        return ens_fail(err, ENS_EDOMAIN,
                        "prior.sigma is flat: no posterior from %zu complete "
                        "rows and %zu terms of flat priors",
                        m->n, n_flat);
    return ENS_OK;
}

/* Groups' intercepts in units of the data; within groups something must be
 * left for sigma to explain. */
static enum ens_status finish_groups(struct ens_bayes *m, struct ens_error *err)
{
    double within = m->rss0;
    size_t used = m->p;

    for (size_t k = 0; k < m->n_groups; k++) {
        double sum = 0;

        for (size_t i = 0; m->weight && i < m->n; i++)
            sum += m->weight[i] / (double)m->n;
        m->group[k].unit = m->weight ? 1 / sqrt(sum) : m->sigma;
    }
    if (!m->is_summed || m->n_groups == 0 || m->n_aux == 0)
        return ENS_OK;
    for (size_t k = 0; k < m->group[0].n_levels; k++) {
        within -= m->size[k] > 0 ? m->s[k] * m->s[k] / m->size[k] : 0;
        used += m->size[k] > 0 ? 1 : 0;
    }
    if (m->n > used && within <= 1e-13 * m->rss0)
        return ens_fail(err, ENS_EDOMAIN,
                        "the response does not vary within groups: sigma has "
                        "no posterior");
    return ENS_OK;
}

enum ens_status ens_bayes_make(struct ens_bayes **model,
                               const struct ens_job *job,
                               const struct ens_bayes_options *o,
                               const struct ens_fit_problem *problem,
                               struct ens_error *err)
{
    struct ens_bayes *m = take(job, 1, sizeof(*m));
    int is_identity =
        o->family == ENS_FAMILY_GAUSSIAN || o->family == ENS_FAMILY_STUDENT;
    double spread = 2.5;
    enum ens_status s;

    if (!m)
        return ens_fail(err, ENS_ENOMEMORY, "model");
    *m = (struct ens_bayes){
        .o = o, .n = problem->n, .p = problem->p, .y = problem->y};
    s = check_response(m, problem, err);
    if (s == ENS_OK)
        s = allocate(m, job, problem, err);
    if (s != ENS_OK)
        return s;
    if (is_identity)
        spread = fmax(spread, mad(m->y, m->n, m->eta0));
    for (size_t i = 0; problem->se && i < m->n; i++)
        m->weight[i] = 1 / (problem->se[i] * problem->se[i]);
    if (!problem->se)
        m->weight = NULL;
    take_term_priors(m, problem);
    take_aux(m, problem, spread);
    s = check_flat(m, err);
    if (s == ENS_OK)
        s = take_groups(m, job, problem, spread, err);
    if (s == ENS_OK)
        s = ens_bayes_coordinates(m, job, problem, err);
    if (s == ENS_OK)
        s = sum_response(m, job, err);
    m->is_summed = o->family == ENS_FAMILY_GAUSSIAN && m->n_groups <= 1;
    if (s == ENS_OK && m->is_summed)
        s = ens_bayes_sums(m, job, err);
    if (s == ENS_OK)
        s = finish_groups(m, err);
    *model = m;
    return s;
}

/* -- the density ------------------------------------------------------------
 */

/* sigma, nu ... from their logs. */
static double aux_at(const struct ens_bayes *m, size_t k, double q)
{
    return m->aux[k] == ENS_BAYES_SIGMA ? m->sigma * exp(q)
           : m->aux[k] == ENS_BAYES_NU  ? 1 + exp(q)
                                        : exp(q);
}

/* Of the first group, centred: what its e have in them beside r. */
static double intercept_at(const struct ens_bayes *m, const double *v)
{
    double sum = 0;

    for (size_t j = m->intercept; j < m->p; j++)
        sum += m->a[m->intercept + j * m->p] * v[j];
    return sum;
}

static int holds_intercept(const struct ens_bayes *m, size_t group)
{
    return m->o->is_centred && group == 0 && m->intercept != SIZE_MAX;
}

static void effects(const struct ens_bayes *m, const double *q)
{
    for (size_t k = 0; k < m->n_groups; k++) {
        const struct ens_bayes_group *g = &m->group[k];
        double from = holds_intercept(m, k) ? intercept_at(m, q) : 0;
        double unit = m->o->is_centred ? g->unit : g->unit * exp(q[g->at]);

        for (size_t i = 0; i < g->n_levels; i++)
            g->r[i] = unit * q[g->at + 1 + i] - from;
    }
}

/* Density of r given sd, of sd; slopes of the likelihood by r become those by
 * e and log sd. */
static double add_group(const struct ens_bayes *m, size_t group,
                        const double *q, double *gradient)
{
    const struct ens_bayes_group *g = &m->group[group];
    double sd = g->unit * exp(q[g->at]);
    const double *e = q + g->at + 1;
    double *slope = gradient + g->at;
    double squares = 0, sum = 0, sd_slope, value;

    value = ens_prior_log(&g->prior, sd, &sd_slope) + q[g->at];
    slope[0] = sd * sd_slope + 1;
    if (!m->o->is_centred) {
        for (size_t i = 0; i < g->n_levels; i++) {
            squares += e[i] * e[i];
            slope[0] += g->slope[i] * g->r[i];
            slope[1 + i] = sd * g->slope[i] - e[i];
        }
        return value - 0.5 * squares;
    }
    for (size_t i = 0; i < g->n_levels; i++) {
        double z = g->r[i] / sd;
        double d = g->slope[i] - z / sd;

        squares += z * z;
        sum += d;
        slope[1 + i] = g->unit * d;
    }
    slope[0] += squares - (double)g->n_levels;
    for (size_t j = m->intercept; holds_intercept(m, group) && j < m->p; j++)
        gradient[j] -= m->a[m->intercept + j * m->p] * sum;
    return value - 0.5 * squares - (double)g->n_levels * q[g->at];
}

static double add_priors(const struct ens_bayes *m, const double *v,
                         double *gradient)
{
    size_t p = m->p;
    double value = 0;

    for (size_t i = 0; i < p; i++) {
        double b = m->b0[i];

        m->b_slope[i] = 0;
        if (m->prior[i].kind == ENS_PRIOR_FLAT)
            continue;
        for (size_t j = i; j < p; j++)
            b += m->a[i + j * p] * v[j];
        value += ens_prior_log(&m->prior[i], b, &m->b_slope[i]);
    }
    for (size_t j = 0; j < p; j++)
        for (size_t i = 0; i <= j; i++)
            gradient[j] += m->a[i + j * p] * m->b_slope[i];
    return value;
}

static double at(void *model, const double *q, double *gradient)
{
    struct ens_bayes *m = model;
    double aux[2] = {1, 1}, aux_slope[2] = {0, 0};
    double value;

    for (size_t k = 0; k < m->n_aux; k++)
        aux[k] = aux_at(m, k, q[m->p + k]);
    effects(m, q);
    memset(gradient, 0, m->p * sizeof(*gradient));
    value = ens_bayes_likelihood(m, q, aux, gradient, aux_slope);
    for (size_t k = 0; k < m->n_aux; k++) {
        double by_log = m->aux[k] == ENS_BAYES_NU ? aux[k] - 1 : aux[k];
        double slope;

        if (m->aux[k] == ENS_BAYES_NU)
            aux_slope[k] *= by_log;
        value += ens_prior_log(&m->aux_prior[k], aux[k], &slope);
        value += q[m->p + k];
        gradient[m->p + k] = aux_slope[k] + slope * by_log + 1;
    }
    for (size_t k = 0; k < m->n_groups; k++)
        value += add_group(m, k, q, gradient);
    if (m->has_prior)
        value += add_priors(m, q, gradient);
    return isfinite(value) ? value : -INFINITY;
}

struct ens_density ens_bayes_density(struct ens_bayes *m)
{
    return (struct ens_density){.dim = m->dim, .model = m, .at = at};
}

void ens_bayes_constrain(void *model, const double *q, double *parameter)
{
    const struct ens_bayes *m = model;

    effects(m, q);
    for (size_t i = 0; i < m->p; i++) {
        parameter[i] = m->b0[i];
        for (size_t j = i; j < m->p; j++)
            parameter[i] += m->a[i + j * m->p] * q[j];
    }
    for (size_t k = 0; k < m->n_aux; k++)
        parameter[m->p + k] = aux_at(m, k, q[m->p + k]);
    for (size_t k = 0; k < m->n_groups; k++) {
        const struct ens_bayes_group *g = &m->group[k];

        parameter[g->parameter] = g->unit * exp(q[g->at]);
        memcpy(parameter + g->parameter + 1, g->r, g->n_levels * sizeof(*g->r));
    }
}
