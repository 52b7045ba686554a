/* Posterior means and sds against the references of posteriordb, modes
 * against R (tests/data/posteriordb, tests/data/wells).
 *
 * The error of ours is that of batch means, which owes nothing to our own
 * effective sample sizes. ENSRUN_TEST_SEEDS=50 tries 50 seeds instead of 2. */
#include "../posteriors.h"

#include "base/bug.h"
#include "base/number.h"
#include "math/rng.h"
#include "mcmc/adapt.h"
#include "mcmc/chain.h"
#include "mcmc/mode.h"

#include <check.h>

#define CHAINS  4
#define DRAWS   1000
#define BATCHES 20 /* per chain */
#define ROWS    ((size_t)CHAINS * DRAWS)

static double mode_work[1000], work[20000];
static double q[ROWS * POSTERIOR_MAX_DIM];
static double reported[POSTERIOR_MAX_DIM][ROWS];
static struct ens_chain total;

static uint64_t seeds(void)
{
    const char *text = getenv("ENSRUN_TEST_SEEDS");
    uint64_t n = 2;

    if (text)
        ck_assert_int_eq(ens_number_parse_u64(text, strlen(text), &n), 0);
    return n;
}

static void run_chains(const struct ens_density *d,
                       const struct ens_adaptation *scheme, uint64_t seed)
{
    struct ens_error err = {0};
    struct ens_chain_options o;
    struct ens_mode mode;

    ens_chain_defaults(&o, scheme);
    ck_assert_uint_le(ens_chain_work(d->dim, &o), ENS_COUNT(work));
    total = (struct ens_chain){.q = NULL};
    if (scheme->needs_mode) {
        ens_mode_find(d, NULL, mode_work, &mode);
        ck_assert_msg(ens_mode_explain(&mode, NULL, &err) == ENS_OK, "%s",
                      err.text);
    }
    for (uint64_t c = 0; c < CHAINS; c++) {
        struct ens_chain chain = {.q = q + c * DRAWS * d->dim};
        struct ens_rng g;

        ens_rng_set(&g, seed, 1, c, 1);
        ck_assert_msg(ens_chain_run(d, &o, &mode, &g, work, &chain, &err) ==
                          ENS_OK,
                      "%s", err.text);
        total.leapfrogs += chain.leapfrogs;
        total.warmup_leapfrogs += chain.warmup_leapfrogs;
        total.n_divergent += chain.n_divergent;
    }
}

static void report(const struct posterior *p)
{
    for (size_t i = 0; i < ROWS; i++) {
        double out[POSTERIOR_MAX_DIM];

        posterior_report(p, q + i * p->dim, out);
        for (size_t j = 0; j < p->dim; j++)
            reported[j][i] = out[j];
    }
}

/* Mean of x[ROWS] and its standard error by the means of batches. */
static double batch_mean(const double *x, double *mcse)
{
    const size_t n = ROWS / (CHAINS * BATCHES);
    double mean = 0, square = 0;

    for (size_t i = 0; i < ROWS; i++)
        mean += x[i] / (double)ROWS;
    for (size_t b = 0; b < CHAINS * BATCHES; b++) {
        double sum = 0;

        for (size_t i = 0; i < n; i++)
            sum += x[b * n + i] / (double)n;
        square += (sum - mean) * (sum - mean);
    }
    *mcse = sqrt(square / (CHAINS * BATCHES - 1) / (CHAINS * BATCHES));
    return mean;
}

/* z of the mean and, as the sd of x is the root of the mean of squared
 * deviations, z of the sd by the delta method. */
static void compare(const double *x, const struct posterior_reference *ref,
                    double *z_mean, double *z_sd)
{
    static double square[ROWS];
    double mcse, mean = batch_mean(x, &mcse), sd;

    *z_mean = (mean - ref->mean) / hypot(mcse, ref->mcse_mean);
    for (size_t i = 0; i < ROWS; i++)
        square[i] = (x[i] - mean) * (x[i] - mean);
    sd = sqrt(batch_mean(square, &mcse));
    *z_sd = (sd - ref->sd) / hypot(mcse / (2 * sd), ref->mcse_sd);
}

static const struct {
    const char *posterior, *scheme;
    int few; /* seconds a seed */
} row[] = {
    {"eight schools", "stan", 0},
    {"eight schools", "dense", 0},
    {"eight schools", "fisher", 0},
    {"eight schools", "laplace", 0},
    {"eight schools", "fisher_dense", 0},
    {"kidiq", "stan", 0},
    {"kidiq", "dense", 0},
    {"kidiq", "fisher", 0},
    {"kidiq", "laplace", 0},
    {"kidiq", "fisher_dense", 0},
    {"sblri", "stan", 0},
    {"sblri", "dense", 0},
    {"sblri", "fisher", 0},
    {"sblri", "laplace", 0},
    {"sblri", "fisher_dense", 0},
    {"arK", "stan", 0},
    {"arK", "dense", 0},
    {"arK", "fisher", 0},
    {"arK", "laplace", 0},
    {"arK", "fisher_dense", 0},
    {"GLM Poisson", "stan", 0},
    {"GLM Poisson", "dense", 0},
    {"GLM Poisson", "fisher", 0},
    {"GLM Poisson", "laplace", 0},
    {"GLM Poisson", "fisher_dense", 0},
    {"wells", "laplace", 1},
};

START_TEST(moments_are_those_of_the_reference)
{
    const struct posterior *p = posterior_find(row[_i].posterior);
    struct ens_density d = posterior_load(p, TEST_DATA);
    struct posterior_reference ref[POSTERIOR_MAX_DIM];
    uint64_t n = row[_i].few ? 1 : seeds();

    posterior_reference(p, TEST_DATA, ref);
    for (uint64_t seed = 1; seed <= n; seed++) {
        run_chains(&d, ens_adaptation_find(row[_i].scheme), seed);
        report(p);
        for (size_t j = 0; j < p->dim; j++) {
            double z_mean, z_sd;

            compare(reported[j], &ref[j], &z_mean, &z_sd);
            ck_assert_msg(fabs(z_mean) <= 4,
                          "%s, %s, seed %d, number %zu: mean, z = %g", p->name,
                          row[_i].scheme, (int)seed, j, z_mean);
            ck_assert_msg(fabs(z_sd) <= 5,
                          "%s, %s, seed %d, number %zu: sd, z = %g", p->name,
                          row[_i].scheme, (int)seed, j, z_sd);
        }
    }
}
END_TEST

/* Leapfrogs of warm-up and sampling as rstan 2.21.7 counts them for 4 x
 * (1000 + 1000), over its seeds and a tenth to each side. */
START_TEST(leapfrogs_are_those_of_stan)
{
    static const struct {
        const char *posterior;
        double warmup[2], sampling[2];
    } stan[] = {
        {"eight schools", {35e3, 44e3}, {29e3, 42e3}},
        {"kidiq", {196e3, 272e3}, {109e3, 149e3}},
        {"sblri", {33e3, 41e3}, {27e3, 37e3}},
        {"arK", {108e3, 132e3}, {110e3, 138e3}},
        {"GLM Poisson", {51e3, 64e3}, {54e3, 69e3}},
    };
    const struct posterior *p = posterior_find(stan[_i].posterior);
    struct ens_density d = posterior_load(p, TEST_DATA);
    double warmup = 0, sampling = 0, n = 3;

    for (uint64_t seed = 1; seed <= n; seed++) {
        run_chains(&d, &ens_adapt_stan, seed);
        warmup += (double)total.warmup_leapfrogs / n;
        sampling += (double)total.leapfrogs / n;
    }
    ck_assert_double_gt(warmup, stan[_i].warmup[0]);
    ck_assert_double_lt(warmup, stan[_i].warmup[1]);
    ck_assert_double_gt(sampling, stan[_i].sampling[0]);
    ck_assert_double_lt(sampling, stan[_i].sampling[1]);
}
END_TEST

/* Centred, the funnel is too narrow for any step size: Stan finds 41
 * divergences of 4,000; not centred, hardly any. */
START_TEST(centred_eight_schools_diverge)
{
    const struct posterior *p = posterior_find("eight schools centred");
    const struct posterior *other = posterior_find("eight schools");
    struct ens_density d = posterior_load(p, TEST_DATA);
    uint64_t divergent = 0;

    for (uint64_t seed = 1; seed <= 5; seed++) {
        run_chains(&d, &ens_adapt_stan, seed);
        ck_assert_uint_gt(total.n_divergent, 5);
        divergent += total.n_divergent;
    }
    ck_assert_uint_gt(divergent, 5 * 20);
    ck_assert_uint_lt(divergent, 5 * 400);
    d = posterior_load(other, TEST_DATA);
    for (uint64_t seed = 1; seed <= 5; seed++) {
        run_chains(&d, &ens_adapt_stan, seed);
        ck_assert_uint_lt(total.n_divergent, 10);
    }
}
END_TEST

/* With flat priors the mode is the maximum of the likelihood: R's glm of
 * switch ~ dist100 + arsenic + educ4, with standard errors. */
START_TEST(mode_is_that_of_glm)
{
    static const double r[4][2] = {
        {-0.213932481598516994, 0.0931133716574995551},
        {-0.895643951214323830, 0.1046095015109229504},
        {0.468363796913964459, 0.0415915511463399168},
        {0.171280588920690341, 0.0382979581216126505},
    };
    const struct posterior *p = posterior_find("wells");
    struct ens_density d = posterior_load(p, TEST_DATA);
    struct posterior_rows *m = d.model;
    double covariance[16];
    struct ens_mode mode;
    json_t *data =
        json_load_file(TEST_DATA "/posteriordb/data/wells_data.json", 0, NULL);

    ck_assert(data != NULL);
    for (size_t i = 0; i < m->n; i++)
        m->x[3 * m->n + i] = posterior_number(data, "educ", i) / 4;
    json_decref(data);
    m->p = d.dim = 4;
    ens_mode_find(&d, NULL, mode_work, &mode);
    ck_assert_int_eq(mode.status, ENS_MODE_FOUND);
    ens_mode_covariance(&mode, covariance);
    for (size_t j = 0; j < 4; j++) {
        ck_assert_double_lt(fabs(mode.q[j] / r[j][0] - 1), 1e-7);
        ck_assert_double_lt(fabs(sqrt(covariance[5 * j]) / r[j][1] - 1), 1e-6);
    }
}
END_TEST

/* With flat slopes their mode is least squares: R 4.2.2, lm(kid_score ~ mom_hs
 * + mom_iq). */
START_TEST(mode_is_that_of_lm)
{
    static const double r[3] = {25.73154, 5.95012, 0.56391};
    const struct posterior *p = posterior_find("kidiq");
    struct ens_density d = posterior_load(p, TEST_DATA);
    struct ens_mode mode;

    ens_mode_find(&d, NULL, mode_work, &mode);
    ck_assert_int_eq(mode.status, ENS_MODE_FOUND);
    for (size_t j = 0; j < 3; j++)
        ck_assert_double_lt(fabs(mode.q[j] - r[j]), 6e-6);
}
END_TEST

/* log tau goes to minus infinity, and the density with it to infinity. */
START_TEST(centred_eight_schools_have_no_mode)
{
    const struct posterior *p = posterior_find("eight schools centred");
    struct ens_density d = posterior_load(p, TEST_DATA);
    struct ens_mode mode;

    ens_mode_find(&d, NULL, mode_work, &mode);
    ck_assert_int_eq(mode.status, ENS_MODE_RISES);
    ck_assert_uint_eq(mode.where, 9);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("posteriors");
    TCase *t = tcase_create("posteriors");
    SRunner *runner;
    int failed;

    tcase_add_loop_test(t, moments_are_those_of_the_reference, 0,
                        ENS_COUNT(row));
    tcase_add_loop_test(t, leapfrogs_are_those_of_stan, 0, 5);
    tcase_add_test(t, centred_eight_schools_diverge);
    tcase_add_test(t, mode_is_that_of_glm);
    tcase_add_test(t, mode_is_that_of_lm);
    tcase_add_test(t, centred_eight_schools_have_no_mode);
    tcase_set_timeout(t, 600);
    suite_add_tcase(suite, t);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
