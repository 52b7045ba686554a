/* Are the Monte Carlo standard errors right? In many simulated studies whose
 * true values are known, value -+ 1.96 mcse holds the true one in 95 of 100.
 *
 * Estimates are normal about truth + bias, squared standard errors chi-squared
 * about the variance, limits at known standard errors, the other fit's
 * estimates correlated with these. `test_mcse FACTOR` runs that many times the
 * studies (long_mcse.py). */
#include "kinds/simulation/measures/figures.h"
#include "kinds/simulation/measures/quantiles.h"

#include <check.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRUTH 2.0
#define BIAS  0.3
#define SIGMA 1.5
#define Z     1.959963984540054
#define NULL_ -1.0
#define DF    8.0
/* the other fit: bias -0.1, sd 2, correlation 0.6 */
#define OTHER_BIAS  (-0.1)
#define OTHER_SIGMA 2.0
#define RHO         0.6

static unsigned factor = 1;

/* E max(N(mean, sd) , 0) */
static double above_zero(double mean, double sd)
{
    return mean * gsl_cdf_ugaussian_P(mean / sd) +
           sd * gsl_ran_ugaussian_pdf(mean / sd);
}

static double share_between(double shift)
{
    return gsl_cdf_ugaussian_P(Z - shift) - gsl_cdf_ugaussian_P(-Z - shift);
}

static double true_value(const char *measure)
{
    const double power = 1 - share_between((TRUTH + BIAS - NULL_) / SIGMA);
    const double score =
        2 * Z * SIGMA + 2 / 0.05 *
                            (above_zero(BIAS - Z * SIGMA, SIGMA) +
                             above_zero(-BIAS - Z * SIGMA, SIGMA));
    const double mse = BIAS * BIAS + SIGMA * SIGMA;
    const double other = OTHER_BIAS * OTHER_BIAS + OTHER_SIGMA * OTHER_SIGMA;
    const struct {
        const char *measure;
        double value;
    } row[] = {
        {"mean", TRUTH + BIAS},
        {"sd", SIGMA},
        {"error_sd", SIGMA},
        {"variance", SIGMA * SIGMA},
        {"model_se", SIGMA},
        {"bias", BIAS},
        {"relative_bias", BIAS / TRUTH},
        {"mse", mse},
        {"rmse", sqrt(mse)},
        {"model_se_error", 0},
        {"variance_ratio", 1},
        {"coverage", share_between(BIAS / SIGMA)},
        {"rejection", power},
        {"interval_score", score},
        {"be_coverage", share_between(0)},
        {"relative_precision",
         100 * (OTHER_SIGMA * OTHER_SIGMA / (SIGMA * SIGMA) - 1)},
        {"difference", BIAS - OTHER_BIAS},
        {"mse_difference", mse - other},
        {"failure_rate", 0.1},
        {"convergence_rate", 0.8},
    };

    for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++)
        if (strcmp(row[i].measure, measure) == 0)
            return row[i].value;
    return NAN;
}

static struct ens_sample draw(struct ens_rng *g)
{
    double a = ens_rng_normal(g), b = ens_rng_normal(g);
    double est = TRUTH + BIAS + SIGMA * a;

    return (struct ens_sample){
        .estimate = est,
        .std_error = SIGMA * sqrt(gsl_ran_chisq(&g->gsl, DF) / DF),
        .truth = TRUTH,
        .low = est - Z * SIGMA,
        .high = est + Z * SIGMA,
        .level = 0.95,
        .null = NULL_,
        .centre = BIAS,
        .other = TRUTH + OTHER_BIAS +
                 OTHER_SIGMA * (RHO * a + sqrt(1 - RHO * RHO) * b),
        .failed = ens_rng_uniform(g) < 0.1,
        .converged = ens_rng_uniform(g) < 0.8,
    };
}

#define MAX_FIGURES 32

/* Those that have a true value: all but quantiles and the width, which does
 * not vary here. */
static size_t list_figures(struct ens_figure *figure)
{
    const struct ens_measure_def *def;
    size_t n = 0;

    for (size_t i = 0; (def = ens_measure_at(i)) != NULL; i++)
        if (!isnan(true_value(def->name)))
            figure[n++] = (struct ens_figure){.def = def, .name = def->name};
    ck_assert_uint_ge(n, 20);
    return n;
}

static void run_study(struct ens_figures *f, uint64_t study, size_t n)
{
    for (int pass = 0; pass < (f->mcse == ENS_MCSE_JACKKNIFE ? 2 : 1); pass++) {
        struct ens_rng g, weights;

        ens_rng_set(&g, 11, study, 0, 0);
        for (size_t r = 0; r < n; r++) {
            struct ens_sample s = draw(&g);

            ens_rng_set(&weights, 12, study, r, 0);
            ens_figures_replicate(f, &weights);
            for (size_t i = 0; i < f->n; i++)
                if (pass == 0)
                    ens_figures_add(f, i, &s);
                else
                    ens_figures_leave_out(f, i, &s);
        }
    }
}

/* What a share of n_studies may be off, and what the normal approximation may
 * be of n replicates: more of shares near 1, and where few replicates, far out,
 * make the value. (At p = 0.95, n = 400 the interval p -+ 1.96 sqrt(p (1 - p)
 * / n) holds p in 0.927 of all samples, as sums of dbinom tell.) */
static double slack(const struct ens_measure_def *def, size_t n,
                    unsigned n_studies)
{
    double skew = strcmp(def->name, "interval_score") == 0 ? 5
                  : def->flags & ENS_MEASURE_SHARE         ? 2.5
                                                           : 1;

    return 4 * sqrt(0.95 * 0.05 / n_studies) + skew * 0.25 / sqrt((double)n);
}

static void check_coverage(enum ens_mcse mcse, size_t resamples, size_t n,
                           unsigned n_studies)
{
    struct ens_figure figure[MAX_FIGURES];
    size_t n_figures = list_figures(figure);
    unsigned n_held[MAX_FIGURES] = {0};
    struct ens_arena arena = ENS_ARENA_INIT;

    for (unsigned study = 0; study < n_studies; study++) {
        struct ens_figures f;

        ens_arena_reset(&arena);
        ck_assert_int_eq(ens_figures_init(&f, figure, n_figures, mcse,
                                          resamples, &arena, NULL),
                         ENS_OK);
        run_study(&f, study, n);
        for (size_t i = 0; i < n_figures; i++) {
            double value, e;

            ens_figures_value(&f, i, &value, &e);
            n_held[i] += fabs(value - true_value(figure[i].name)) <= Z * e;
        }
    }
    for (size_t i = 0; i < n_figures; i++) {
        double share = (double)n_held[i] / n_studies;
        double off = slack(figure[i].def, n, n_studies);

        if (factor > 1)
            printf("%-9s n = %zu  %-18s %.4f of %u\n",
                   mcse == ENS_MCSE_FORMULA     ? "formula"
                   : mcse == ENS_MCSE_JACKKNIFE ? "jackknife"
                                                : "bootstrap",
                   n, figure[i].name, share, n_studies);
        ck_assert_msg(fabs(share - 0.95) < off,
                      "%s: %.4f of %u studies, not 0.95 within %.4f",
                      figure[i].name, share, n_studies, off);
    }
    ens_arena_fini(&arena);
}

START_TEST(formulas_hold_the_true_value)
{
    check_coverage(ENS_MCSE_FORMULA, 0, 400, 1000 * factor);
}
END_TEST

START_TEST(the_jackknife_holds_the_true_value)
{
    check_coverage(ENS_MCSE_JACKKNIFE, 0, 400, 400 * factor);
}
END_TEST

START_TEST(the_bootstrap_holds_the_true_value)
{
    check_coverage(ENS_MCSE_BOOTSTRAP, 100, 200, 120 * factor);
}
END_TEST

START_TEST(quantiles_hold_the_true_value)
{
    static union ens_select_memory memory;
    static const double prob[] = {0.5, 0.9, 0.05};
    unsigned n_studies = 1000 * factor, n_held[3] = {0};

    for (unsigned study = 0; study < n_studies; study++)
        for (size_t k = 0; k < 3; k++) {
            struct ens_quantile q;
            struct ens_rng g;
            double value, e;

            ens_quantile_begin(&q, 400, prob[k], &memory);
            ens_rng_set(&g, 13, study, 0, 0);
            for (int i = 0; i < 400; i++)
                ens_select_add(&q.select, ens_rng_normal(&g));
            ck_assert_int_eq(ens_select_next(&q.select), 0);
            ens_quantile_end(&q, &value, &e);
            n_held[k] += fabs(value - gsl_cdf_ugaussian_Pinv(prob[k])) <= Z * e;
        }
    for (size_t k = 0; k < 3; k++)
        ck_assert_msg(fabs((double)n_held[k] / n_studies - 0.95) < 0.04,
                      "%g: %u of %u", prob[k], n_held[k], n_studies);
}
END_TEST

int main(int argc, char **argv)
{
    Suite *s = suite_create("mcse");
    TCase *t = tcase_create("mcse");
    SRunner *r;
    int failed;

    if (argc > 1)
        factor = (unsigned)strtoul(argv[1], NULL, 10);
    tcase_set_timeout(t, 0);
    tcase_add_test(t, formulas_hold_the_true_value);
    tcase_add_test(t, the_jackknife_holds_the_true_value);
    tcase_add_test(t, the_bootstrap_holds_the_true_value);
    tcase_add_test(t, quantiles_hold_the_true_value);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
