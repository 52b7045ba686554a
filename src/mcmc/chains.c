#include "mcmc/chains.h"

#include "math/order.h"
#include "math/quantile.h"
#include "math/sums.h"
#include "mcmc/ess.h"

#include <float.h>
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <string.h>

/* A chain of one draw stays whole. */
static size_t half_length(size_t n)
{
    return n == 1 ? 1 : n / 2;
}

static size_t n_halves(const struct ens_chains *c)
{
    return c->n == 1 ? c->m : 2 * c->m;
}

/* Draws in halves: the middle ones of odd chains are left out. */
static size_t n_kept(const struct ens_chains *c)
{
    return half_length(c->n) * n_halves(c);
}

/* order[] takes half of its doubles; scratch is the sort's work first, then
 * holds sorted distances and their order. */
size_t ens_chains_work(size_t n, size_t m)
{
    size_t s = n * m;

    return 4 * s + ENS_ORDER_WORK(s) + ens_ess_work(half_length(n));
}

/* Normal score of average rank r among n. */
static double score(double r, size_t n)
{
    return gsl_cdf_ugaussian_Pinv((r - 0.375) / ((double)n + 0.25));
}

void ens_chains_init(struct ens_chains *c, size_t n, size_t m, double *work)
{
    size_t s = n * m, kept;

    memset(c, 0, sizeof(*c));
    c->n = n;
    c->m = m;
    c->own.sorted = work;
    c->own.order = (uint32_t *)(void *)(work + s);
    c->own.score = work + 2 * s;
    c->own.half = work + 3 * s;
    c->own.scratch = work + 4 * s;
    c->own.ess = c->own.scratch + ENS_ORDER_WORK(s);
    kept = n_kept(c);
    for (size_t i = 0; i < kept; i++)
        c->own.score[i] = score((double)(i + 1), kept);
}

void ens_chains_set(struct ens_chains *c, const double *x)
{
    size_t s = c->n * c->m;

    c->x = x;
    c->sorted = c->own.sorted;
    c->is_nan = s == 0;
    c->is_computable = 0;
    for (size_t i = 0; i < s && !c->is_nan; i++)
        c->is_nan = isnan(x[i]) != 0;
    if (c->is_nan)
        return;
    ens_order(x, s, c->own.sorted, c->own.order, c->own.scratch);
    c->is_computable = isfinite(c->sorted[0]) && isfinite(c->sorted[s - 1]) &&
                       c->sorted[s - 1] - c->sorted[0] >= DBL_EPSILON;
}

/* Where a draw lies among the halves; SIZE_MAX: in none. */
static size_t place(const struct ens_chains *c, size_t i)
{
    size_t chain, at;

    if (c->n == 1 || c->n % 2 == 0)
        return i;
    chain = i / c->n;
    at = i % c->n;
    if (at == c->n / 2)
        return SIZE_MAX;
    return chain * (c->n - 1) + at - (at > c->n / 2);
}

static double average_score(const struct ens_chains *c, size_t before,
                            size_t tied)
{
    if (tied % 2 == 1)
        return c->own.score[before + tied / 2];
    return score((double)before + (double)(tied + 1) / 2, n_kept(c));
}

/* half = normal scores of average ranks, given all draws in ascending order of
 * some value[]. */
static void rank_scores(const struct ens_chains *c, const double *value,
                        const uint32_t *order)
{
    size_t s = c->n * c->m, rank = 0, next;

    for (size_t i = 0; i < s; i = next) {
        size_t tied = 0;
        double z;

        for (next = i; next < s && value[next] == value[i]; next++)
            tied += place(c, order[next]) != SIZE_MAX;
        if (tied == 0)
            continue;
        z = average_score(c, rank, tied);
        for (size_t k = i; k < next; k++) {
            size_t at = place(c, order[k]);

            if (at != SIZE_MAX)
                c->own.half[at] = z;
        }
        rank += tied;
    }
}

static double rhat_of_half(const struct ens_chains *c)
{
    return ens_rhat_kernel(c->own.half, half_length(c->n), n_halves(c));
}

static double ess_of_half(const struct ens_chains *c)
{
    return ens_ess_kernel(c->own.half, half_length(c->n), n_halves(c),
                          c->own.ess);
}

/* As R has it: the mean of the middle two decides about ties. */
static double median(const struct ens_chains *c)
{
    size_t s = c->n * c->m;

    return s % 2 ? c->sorted[s / 2]
                 : (c->sorted[s / 2 - 1] + c->sorted[s / 2]) / 2;
}

/* Distances from the median ascend as the draws on both sides of it do. */
static void folded_scores(const struct ens_chains *c, double mid)
{
    const double *x = c->sorted;
    size_t s = c->n * c->m, low = s / 2, high = low;
    double *value = c->own.scratch;
    uint32_t *order = (uint32_t *)(void *)(value + s);

    for (size_t i = 0; i < s; i++) {
        int left = high == s ||
                   (low > 0 && fabs(x[low - 1] - mid) < fabs(x[high] - mid));
        size_t k = left ? --low : high++;

        value[i] = fabs(x[k] - mid);
        order[i] = c->own.order[k];
    }
    rank_scores(c, value, order);
}

double ens_chains_rhat(const struct ens_chains *c)
{
    double bulk, folded, mid;

    if (c->is_nan)
        return NAN;
    mid = median(c);
    if (!isfinite(mid))
        return NAN;
    folded_scores(c, mid);
    folded = rhat_of_half(c);
    rank_scores(c, c->sorted, c->own.order);
    bulk = rhat_of_half(c);
    return isnan(folded) || folded > bulk ? folded : bulk;
}

double ens_chains_ess_bulk(const struct ens_chains *c)
{
    if (c->is_nan)
        return NAN;
    rank_scores(c, c->sorted, c->own.order);
    return ess_of_half(c);
}

/* half = f of each draw that is kept */
static void halve(const struct ens_chains *c, double (*f)(double, double),
                  double parameter)
{
    size_t s = c->n * c->m;

    for (size_t i = 0; i < s; i++) {
        size_t at = place(c, i);

        if (at != SIZE_MAX)
            c->own.half[at] = f(c->x[i], parameter);
    }
}

static double same(double x, double unused)
{
    (void)unused;
    return x;
}

static double distance(double x, double centre)
{
    return fabs(x - centre);
}

static double square(double x, double centre)
{
    return (x - centre) * (x - centre);
}

static double is_below(double x, double limit)
{
    return x <= limit;
}

double ens_chains_rhat_basic(const struct ens_chains *c)
{
    halve(c, same, 0);
    return rhat_of_half(c);
}

double ens_chains_ess_mean(const struct ens_chains *c)
{
    halve(c, same, 0);
    return ess_of_half(c);
}

static double mean(const struct ens_chains *c)
{
    return ens_sum(c->x, c->n * c->m) / (double)(c->n * c->m);
}

double ens_chains_ess_sd(const struct ens_chains *c)
{
    halve(c, distance, mean(c));
    return ess_of_half(c);
}

double ens_chains_ess_quantile(const struct ens_chains *c, double p)
{
    size_t s = c->n * c->m;

    if (!c->is_computable)
        return NAN;
    /* all draws are below the largest */
    if (p == 1)
        p = ((double)s - 0.5) / (double)s;
    halve(c, is_below, ens_quantile_sorted(c->sorted, s, p));
    return ess_of_half(c);
}

double ens_chains_ess_tail(const struct ens_chains *c)
{
    double low = ens_chains_ess_quantile(c, 0.05);
    double high = ens_chains_ess_quantile(c, 0.95);

    return isnan(low) || low < high ? low : high;
}

double ens_chains_mcse_mean(const struct ens_chains *c)
{
    double m = mean(c), sum = 0;
    size_t s = c->n * c->m;

    for (size_t i = 0; i < s; i++)
        sum += square(c->x[i], m);
    return sqrt(sum / ((double)s - 1) / ens_chains_ess_mean(c));
}

double ens_chains_mcse_sd(const struct ens_chains *c)
{
    double m = mean(c), two = 0, four = 0, ess;
    size_t s = c->n * c->m;

    for (size_t i = 0; i < s; i++) {
        double d = square(c->x[i], m);

        two += d / (double)s;
        four += d * d / (double)s;
    }
    halve(c, square, m);
    ess = ess_of_half(c);
    return sqrt((four - two * two) / ess / two / 4);
}

/* Draws k of s up to which beta(a, b) has a probability of at most p, or
 * (is_up) the first that has at least p. By bisection: gsl_cdf_beta_Pinv does
 * not end for some a, b. */
static size_t beta_rank(double a, double b, double p, size_t s, int is_up)
{
    size_t low = 0, high = s; /* F(low) <= p <= F(high) */

    while (high - low > 1) {
        size_t k = low + (high - low) / 2;
        double at = gsl_cdf_beta_P((double)k / (double)s, a, b);

        if (at == p)
            return k;
        /* NaN: within 1e-3 of the median, where a + b > 1e6 */
        if (isnan(at) ? p > 0.5 : at < p)
            low = k;
        else
            high = k;
    }
    return is_up ? high : low;
}

double ens_chains_mcse_quantile(const struct ens_chains *c, double p)
{
    double ess = ens_chains_ess_quantile(c, p);
    double a = ess * p + 1, b = ess * (1 - p) + 1;
    size_t s = c->n * c->m, low, high;

    if (isnan(ess))
        return NAN;
    /* one standard error of a normal to each side */
    low = beta_rank(a, b, 0.1586553, s, 0);
    high = beta_rank(a, b, 0.8413447, s, 1);
    low = low < 1 ? 1 : low;
    return (c->sorted[high - 1] - c->sorted[low - 1]) / 2;
}

double ens_ebfmi(const double *energy, size_t n)
{
    struct ens_welford m = {0};
    double steps = 0;

    for (size_t i = 0; i < n; i++) {
        double step = i > 0 ? energy[i] - energy[i - 1] : 0;

        steps += step * step;
        ens_welford_add(&m, energy[i]);
    }
    return m.m2 > 0 ? steps / (double)n / ens_welford_var(&m) : NAN;
}
