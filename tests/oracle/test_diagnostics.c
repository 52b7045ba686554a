/* Diagnostics of chains against the R package posterior 1.4.0:
 * tests/data/diagnostics/golden.json, every case and figure of it, and chains
 * that take hundreds of lags. */
#include "base/bug.h"
#include "mcmc/chains.h"

#include <check.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* golden.json has 15 digits; its inputs, too */
#define TOLERANCE 1e-10

static double q05(const struct ens_chains *c)
{
    return ens_chains_ess_quantile(c, 0.05);
}

static double q95(const struct ens_chains *c)
{
    return ens_chains_ess_quantile(c, 0.95);
}

static double q50(const struct ens_chains *c)
{
    return ens_chains_ess_quantile(c, 0.5);
}

static double mcse_q05(const struct ens_chains *c)
{
    return ens_chains_mcse_quantile(c, 0.05);
}

static double mcse_median(const struct ens_chains *c)
{
    return ens_chains_mcse_quantile(c, 0.5);
}

static const struct {
    const char *name;
    double (*of)(const struct ens_chains *c);
} figures[] = {
    {"rhat", ens_chains_rhat},
    {"rhat_basic", ens_chains_rhat_basic},
    {"ess_basic", ens_chains_ess_mean},
    {"ess_bulk", ens_chains_ess_bulk},
    {"ess_tail", ens_chains_ess_tail},
    {"ess_mean", ens_chains_ess_mean},
    {"ess_sd", ens_chains_ess_sd},
    {"ess_q05", q05},
    {"ess_q95", q95},
    {"ess_median", q50},
    {"mcse_mean", ens_chains_mcse_mean},
    {"mcse_sd", ens_chains_mcse_sd},
    {"mcse_q05", mcse_q05},
    {"mcse_median", mcse_median},
};

static const char *const cases[] = {
    "iid",     "ar09",     "antithetic", "shifted",
    "scaled",  "cauchy",   "odd_n",      "one_chain",
    "ties",    "binary",   "constant",   "one_const_chain",
    "with_na", "with_inf", "tiny_n",     "n6",
    "n14",
};

/* R-hats of golden.json that are not those of its inputs, which are rounded;
 * see tests/data/diagnostics/more.R, which printed these. */
static const struct {
    const char *name;
    double rhat;
} of_file[] = {
    {"iid", 1.0025489048278962},
    {"antithetic", 1.0049178889310877},
    {"odd_n", 0.99552716253304829},
};

static double number(const json_t *v)
{
    const char *text = json_string_value(v);

    if (json_is_number(v))
        return json_number_value(v);
    ck_assert_msg(text != NULL, "neither number nor text");
    if (strcmp(text, "Inf") == 0)
        return INFINITY;
    ck_assert_msg(strcmp(text, "NA") == 0 || strcmp(text, "NaN") == 0, "%s",
                  text);
    return NAN;
}

static void check_near(double a, double b, const char *where, const char *what)
{
    ck_assert_msg(isnan(a) ? isnan(b) != 0 : fabs(a - b) <= TOLERANCE * fabs(b),
                  "%s %s: %.17g, expected %.17g", where, what, a, b);
}

/* Rows of the matrix in the file are iterations. */
static double *read_draws(const json_t *rows, size_t *n, size_t *m)
{
    double *x;

    *n = json_array_size(rows);
    *m = json_array_size(json_array_get(rows, 0));
    x = calloc(*n * *m, sizeof(*x));
    ck_assert(x != NULL && *n > 0 && *m > 0);
    for (size_t i = 0; i < *n; i++)
        for (size_t c = 0; c < *m; c++)
            x[c * *n + i] = number(json_array_get(json_array_get(rows, i), c));
    return x;
}

static double expected(const json_t *golden, const char *name, size_t k)
{
    for (size_t i = 0; i < ENS_COUNT(of_file) && k == 0; i++)
        if (strcmp(of_file[i].name, name) == 0)
            return of_file[i].rhat;
    return number(json_object_get(golden, figures[k].name));
}

START_TEST(every_case_equals_posterior)
{
    json_t *all = json_load_file(TEST_DATA "/diagnostics/golden.json", 0, NULL);
    const json_t *golden = json_object_get(all, cases[_i]);
    struct ens_chains c;
    double *x, *work;
    size_t n, m;

    ck_assert_msg(golden != NULL, "%s", cases[_i]);
    /* all cases but loo, of another test, are in the table */
    ck_assert_uint_eq(json_object_size(all), ENS_COUNT(cases) + 1);
    ck_assert_uint_eq(json_object_size(golden), ENS_COUNT(figures) + 1);
    x = read_draws(json_object_get(golden, "x"), &n, &m);
    work = calloc(ens_chains_work(n, m), sizeof(*work));
    ens_chains_init(&c, n, m, work);
    ens_chains_set(&c, x);
    for (size_t k = 0; k < ENS_COUNT(figures); k++)
        check_near(figures[k].of(&c), expected(golden, cases[_i], k), cases[_i],
                   figures[k].name);
    free(work);
    free(x);
    json_decref(all);
}
END_TEST

/* tests/data/diagnostics/more.R */
static const struct {
    size_t n, m;
    double rho;
    double value[9];
} slow[] = {
    {2000,
     4,
     0.99,
     {1.08372815378532650, 35.56590241057642743, 150.87944668345960508,
      36.25997461852973203, 118.23433179653765990, 0.33555373026823504,
      0.11724983129358089, 0.29845392584948405, 0.36561509381926804}},
    {1001,
     3,
     0.98,
     {1.09182825922207760, 28.94484505681616682, 49.76530446081232384,
      26.07433248144962690, 58.47514102512666767, 0.26121307895803292,
      0.13012310271223454, 0.16467591578736629, 0.19503849018752156}},
    {5000,
     1,
     0.995,
     {1.06184981004349921, 16.29283069093905212, 58.66553725079041470,
      16.24684968333020407, 13.85557819187117268, 0.70539442019289167,
      0.29362361227369060, 0.46866549805332380, 0.76950399526584168}},
    {300,
     2,
     0.95,
     {1.09770838282186878, 20.12874623817014452, 23.12085081749903992,
      18.75119022467662688, 28.38370233448057789, 0.20708859396543627,
      0.13002545886195577, 0.15541213938961596, 0.23858929510752094}},
};
static const char *const slow_figures[] = {
    "rhat",      "ess_bulk", "ess_tail", "ess_mean",   "ess_sd",
    "mcse_mean", "mcse_sd",  "mcse_q05", "mcse_median"};

static double figure(const char *name, const struct ens_chains *c)
{
    for (size_t k = 0; k < ENS_COUNT(figures); k++)
        if (strcmp(figures[k].name, name) == 0)
            return figures[k].of(c);
    ck_abort_msg("%s", name);
}

static void fill_slow(double *x, size_t n, size_t m, double rho)
{
    uint64_t state = 1;

    for (size_t c = 0; c < m; c++) {
        double last = 0;

        for (size_t i = 0; i < n; i++) {
            state = state * 16807 % 2147483647;
            last = rho * last + ((double)state / 2147483647.0 - 0.5);
            x[c * n + i] = last;
        }
    }
}

START_TEST(slow_chains_equal_posterior)
{
    size_t n = slow[_i].n, m = slow[_i].m;
    double *x = calloc(n * m, sizeof(*x));
    double *work = calloc(ens_chains_work(n, m), sizeof(*work));
    struct ens_chains c;

    fill_slow(x, n, m, slow[_i].rho);
    ens_chains_init(&c, n, m, work);
    ens_chains_set(&c, x);
    for (size_t k = 0; k < ENS_COUNT(slow_figures); k++)
        check_near(figure(slow_figures[k], &c), slow[_i].value[k], "slow",
                   slow_figures[k]);
    free(work);
    free(x);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("diagnostics");
    TCase *t = tcase_create("posterior");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_loop_test(t, every_case_equals_posterior, 0, ENS_COUNT(cases));
    tcase_add_loop_test(t, slow_chains_equal_posterior, 0, ENS_COUNT(slow));
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
