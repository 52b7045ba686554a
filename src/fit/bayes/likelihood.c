/* The likelihood of a model: from sums over the data where these say all, else
 * row by row. */
#include "fit/bayes/model.h"

#include <gsl/gsl_sf_psi.h>
#include <math.h>
#include <string.h>

/* -- gaussian, from sums ----------------------------------------------------
 */

/* to += M v, M = Q'WQ; returns v'M v. */
static double quadratic(const struct ens_bayes *m, const double *v, double *to)
{
    double sum = 0;

    memset(to, 0, m->p * sizeof(*to));
    if (m->m_scale > 0)
        for (size_t j = 0; j < m->p; j++)
            to[j] = m->m_scale * v[j];
    else
        ens_kernel_times(m->m, m->p, m->p, m->p, v, to);
    for (size_t j = 0; j < m->p; j++)
        sum += v[j] * to[j];
    return sum;
}

/* Residual sum of squares, half its derivatives added to v_slope and the
 * group's slope. */
static double summed(struct ens_bayes *m, const double *v, double *half)
{
    struct ens_bayes_group *g = m->n_groups > 0 ? &m->group[0] : NULL;
    double ss = m->rss0 + quadratic(m, v, half);

    for (size_t j = 0; j < m->p; j++) {
        ss -= 2 * m->c[j] * v[j];
        half[j] -= m->c[j];
    }
    if (!g)
        return ss;
    for (size_t k = 0; k < g->n_levels; k++)
        g->slope[k] = -m->s[k];
    ens_kernel_times(m->zq, g->n_levels, g->n_levels, m->p, v, g->slope);
    for (size_t k = 0; k < g->n_levels; k++) {
        ss += g->r[k] * (2 * g->slope[k] + m->size[k] * g->r[k]);
        g->slope[k] += m->size[k] * g->r[k];
    }
    ens_kernel_cross(m->zq, g->n_levels, g->n_levels, m->p, g->r, half);
    return ss;
}

static double gaussian_sums(struct ens_bayes *m, const double *v,
                            const double *aux, double *v_slope,
                            double *aux_slope)
{
    double sigma = m->n_aux > 0 ? aux[0] : 1;
    double precision = 1 / (sigma * sigma);
    double ss = summed(m, v, m->v_slope);

    for (size_t j = 0; j < m->p; j++)
        v_slope[j] -= precision * m->v_slope[j];
    for (size_t k = 0; m->n_groups > 0 && k < m->group[0].n_levels; k++)
        m->group[0].slope[k] *= -precision;
    aux_slope[0] = precision * ss - m->total;
    return -0.5 * precision * ss - (m->n_aux > 0 ? m->total * log(sigma) : 0);
}

/* -- row by row -------------------------------------------------------------
 */

static ens_kernel_fn *const kernels[] = {
    [ENS_FAMILY_GAUSSIAN] = ens_kernel_gaussian,
    [ENS_FAMILY_STUDENT] = ens_kernel_student,
    [ENS_FAMILY_BINOMIAL] = ens_kernel_binomial,
    [ENS_FAMILY_POISSON] = ens_kernel_poisson,
    [ENS_FAMILY_NEGBINOMIAL] = ens_kernel_negbinomial,
    [ENS_FAMILY_GAMMA] = ens_kernel_gamma,
};

static void rows(struct ens_bayes *m, const double *v, const double *parameter,
                 double *v_slope, struct ens_kernel_sums *sums)
{
    ens_kernel_fn *kernel = kernels[m->o->family];
    double eta[ENS_KERNEL_BLOCK];

    for (size_t k = 0; k < m->n_groups; k++)
        memset(m->group[k].slope, 0,
               m->group[k].n_levels * sizeof(*m->group[k].slope));
    for (size_t first = 0; first < m->n; first += ENS_KERNEL_BLOCK) {
        size_t left = m->n - first;
        size_t n = left < ENS_KERNEL_BLOCK ? left : ENS_KERNEL_BLOCK;

        memcpy(eta, m->eta0 + first, n * sizeof(*eta));
        ens_kernel_times(m->q + first, m->n, n, m->p, v, eta);
        for (size_t k = 0; k < m->n_groups; k++)
            for (size_t i = 0; i < n; i++)
                eta[i] += m->group[k].r[m->group[k].of[first + i]];
        kernel(m->y + first, m->weight ? m->weight + first : NULL, eta, n,
               parameter, sums);
        ens_kernel_cross(m->q + first, m->n, n, m->p, eta, v_slope);
        for (size_t k = 0; k < m->n_groups; k++)
            for (size_t i = 0; i < n; i++)
                m->group[k].slope[m->group[k].of[first + i]] += eta[i];
    }
}

/* Stirling's series of log gamma, without its constant, to 1e-15 for x above
 * 1,000; *slope: its derivative. */
static double stirling(double x, double *slope)
{
    *slope = log(x) - 0.5 / x - 1 / (12 * x * x);
    return (x - 0.5) * log(x) - x + 1 / (12 * x);
}

/* sum over rows of log gamma(y + phi) - log gamma(phi), and its derivative:
 * log(phi + k) for as many rows as have y above k. */
static double counts(const struct ens_bayes *m, double phi, double *slope)
{
    double value = ens_kernel_rising(m->above, m->n_above, phi, slope);
    double from_slope, from;

    if (m->n_large == 0)
        return value;
    from = stirling((double)m->n_above + phi, &from_slope);
    for (size_t i = 0; i < m->n_large; i++) {
        double d;

        value += stirling(m->large[i] + phi, &d) - from;
        *slope += d - from_slope;
    }
    return value;
}

double ens_bayes_likelihood(struct ens_bayes *m, const double *v,
                            const double *aux, double *v_slope,
                            double *aux_slope)
{
    struct ens_kernel_sums sums = {0};
    double n = (double)m->n;
    double parameter[2] = {aux[0], aux[1]};
    double nu = isnan(m->o->nu) ? aux[1] : m->o->nu;
    double d;

    if (m->is_summed)
        return gaussian_sums(m, v, aux, v_slope, aux_slope);
    if (m->o->family == ENS_FAMILY_GAUSSIAN)
        parameter[0] = m->n_aux > 0 ? 1 / (aux[0] * aux[0]) : 1;
    if (m->o->family == ENS_FAMILY_STUDENT)
        parameter[1] = nu;
    rows(m, v, parameter, v_slope, &sums);
    switch (m->o->family) {
    case ENS_FAMILY_GAUSSIAN:
        aux_slope[0] = parameter[0] * sums.first - n;
        return sums.value - (m->n_aux > 0 ? n * log(aux[0]) : 0);
    case ENS_FAMILY_STUDENT:
        aux_slope[0] = sums.first - n;
        aux_slope[1] =
            sums.second +
            n / 2 * (gsl_sf_psi((nu + 1) / 2) - gsl_sf_psi(nu / 2) - 1 / nu);
        return sums.value + n * (lgamma((nu + 1) / 2) - lgamma(nu / 2) -
                                 0.5 * log(nu) - log(aux[0]));
    case ENS_FAMILY_NEGBINOMIAL:
        sums.value += counts(m, aux[0], &d);
        aux_slope[0] = aux[0] * (sums.first + d);
        return sums.value;
    case ENS_FAMILY_GAMMA:
        aux_slope[0] = aux[0] * (sums.first + m->sum_log_y +
                                 n * (log(aux[0]) + 1 - gsl_sf_psi(aux[0])));
        return sums.value + (aux[0] - 1) * m->sum_log_y +
               n * (aux[0] * log(aux[0]) - lgamma(aux[0]));
    case ENS_FAMILY_BINOMIAL:
    case ENS_FAMILY_POISSON:
        break;
    }
    return sums.value;
}
