/* Metrics of tasks against plain R and posterior 1.4.0:
 * tests/data/metrics/golden.csv, made by make.R there. */
#include "base/arena.h"
#include "base/bug.h"
#include "kinds/simulation/metrics/metrics.h"
#include "math/rng.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N    250
#define M    4
#define S    (N * M)
#define ROWS 12

/* -- what make.R makes -------------------------------------------------------
 */

static uint64_t state;
static double values[3 * S]; /* of a, of a parameter without columns, of b */
static double sampler[ENS_N_SAMPLER * S];
static double y[ROWS], mean[ROWS], elpd[ROWS], p_loo[ROWS], k[ROWS];

static double u(void)
{
    state = state * 16807 % 2147483647;
    return (double)state / 2147483647.0;
}

static void fill(double *to, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = u();
}

static void make(void)
{
    double last = 0, pred[ROWS];

    state = 1;
    fill(values, S);
    for (size_t i = 0; i < S; i++) {
        values[i] -= 0.3;
        values[S + i] = (double)(i % 7);
    }
    for (size_t i = 0; i < S; i++)
        values[2 * S + i] = last = 0.9 * last + (u() - 0.5);
    for (size_t i = 0; i < S; i++) {
        double e = u();

        sampler[ENS_SAMPLER_ENERGY * S + i] = e;
        sampler[ENS_SAMPLER_DIVERGENT * S + i] = e > 0.9;
        sampler[ENS_SAMPLER_TREEDEPTH * S + i] = floor(10 * e) + 1;
    }
    fill(y, ROWS);
    fill(pred, ROWS);
    for (size_t i = 0; i < ROWS; i++) {
        y[i] *= 3;
        mean[i] = y[i] + pred[i] - 0.4;
    }
    fill(elpd, ROWS);
    for (size_t i = 0; i < ROWS; i++)
        elpd[i] = -elpd[i];
    fill(p_loo, ROWS);
    fill(k, ROWS);
}

/* -- golden values -----------------------------------------------------------
 */

static struct {
    char name[64];
    double v;
} golden[100];
static size_t n_golden;

static void read_golden(void)
{
    FILE *f = fopen(TEST_DATA "/metrics/golden.csv", "r");

    ck_assert(f != NULL);
    while (n_golden < ENS_COUNT(golden) &&
           fscanf(f, "%63[^,],%lf\n", golden[n_golden].name,
                  &golden[n_golden].v) == 2)
        n_golden++;
    fclose(f);
    ck_assert_uint_gt(n_golden, 50);
}

/* 0: R has no such number. */
static int find(const char *name, double *v)
{
    for (size_t i = 0; i < n_golden; i++)
        if (strcmp(golden[i].name, name) == 0) {
            *v = golden[i].v;
            return 1;
        }
    return 0;
}

/* -- a host ------------------------------------------------------------------
 */

struct ens_result {
    struct ens_arena arena;
    struct ens_rng rng;
    char purpose[64];
    char warning[64];
};

static void *host_alloc(struct ens_result *r, size_t n, size_t size)
{
    return ens_arena_alloc(&r->arena, n, size);
}

static struct ens_rng *host_rng(struct ens_result *r, const char *purpose)
{
    snprintf(r->purpose, sizeof(r->purpose), "%s", purpose);
    ens_rng_set(&r->rng, 1, 2, 3, 4);
    return &r->rng;
}

static const struct ens_value *host_value(const struct ens_study *study,
                                          const char *section, const char *key)
{
    static const struct ens_value null = {.d = 0.05};
    static const struct ens_value none = {.n_list = 0};
    static const struct ens_value one = {.n_list = 1, .list = &null};

    (void)study;
    ck_assert_str_eq(section, "metrics");
    return strcmp(key, "reference") == 0 ? &one : &none;
}

static void host_warn(struct ens_result *r, const char *text)
{
    snprintf(r->warning, sizeof(r->warning), "%s", text);
}

static const struct ens_host host = {
    .alloc = host_alloc,
    .warn = host_warn,
    .rng = host_rng,
    .uniform = ens_rng_uniform,
    .study_value = host_value,
};

/* -- a fit -------------------------------------------------------------------
 */

static const char *const parameter[] = {"a", "b"};
static const size_t place[] = {0, 2};
static double truth[] = {0.25, 0.8};
static double estimate[] = {1, 0, -2}, std_error[] = {0.5, 1, 3};
static double low[3], high[3];
static struct ens_fit_result fit;
static struct ens_predicted test;
static struct ens_loo loo;
static struct ens_fit_problem problem;
static struct ens_metric_input in;
static struct ens_result result;
static const struct ens_task task;
static const struct ens_job job = {&host, &result, &task, NULL};

static void setup(void)
{
    /* qt(0.975, 7) */
    static const double t = 2.3646242515927849;

    read_golden();
    make();
    for (size_t j = 0; j < 3; j++) {
        low[j] = estimate[j] - t * std_error[j];
        high[j] = estimate[j] + t * std_error[j];
    }
    fit = (struct ens_fit_result){
        .n_parameters = 3,
        .estimate = estimate,
        .std_error = std_error,
        .conf_low = low,
        .conf_high = high,
        .df = 7,
        .draws = {.n_chains = M,
                  .n_draws = N,
                  .value = values,
                  .sampler = sampler,
                  .max_treedepth = 10},
    };
    test = (struct ens_predicted){ROWS, y, mean, elpd};
    loo = (struct ens_loo){ROWS, elpd, p_loo, k, mean};
    problem = (struct ens_fit_problem){.n = ROWS, .y = y};
    in = (struct ens_metric_input){.problem = &problem,
                                   .fit = &fit,
                                   .n_parameters = 2,
                                   .parameter = parameter,
                                   .place = place,
                                   .truth = truth,
                                   .test = &test,
                                   .loo = &loo,
                                   .level = 0.95,
                                   .name = "NAME"};
}

static void teardown(void)
{
    ens_arena_fini(&result.arena);
    n_golden = 0;
}

struct computed {
    struct ens_metric_field field[16];
    char name[16][ENS_METRIC_NAME];
    size_t n;
    double value[64];
};

static void compute(const struct ens_metric *m, const struct ens_call *call,
                    struct computed *c)
{
    struct ens_error err = {0};

    c->n = m->n_fields;
    memcpy(c->field, m->field, c->n * sizeof(*c->field));
    if (m->columns != NULL)
        ck_assert(m->columns(call, c->field, &c->n, c->name, &err) == ENS_OK);
    for (size_t i = 0; i < ENS_COUNT(c->value); i++)
        c->value[i] = NAN;
    in.call = call;
    ck_assert_msg(m->compute(&job, &in, c->value, &err) == ENS_OK, "%s",
                  err.text);
}

/* Each of its numbers that R has, named LABEL.FIELD or LABEL.FIELD.PARAMETER;
 * the rest is for the caller. Returns how many R has. */
static size_t compare(const char *label, const struct computed *c)
{
    const double *v = c->value;
    size_t n = 0;

    for (size_t i = 0; i < c->n; i++)
        for (size_t j = 0; j < (c->field[i].per_term ? 2 : 1); j++, v++) {
            char name[128];
            double expected;

            snprintf(name, sizeof(name), "%s.%s%s%s", label, c->field[i].name,
                     c->field[i].per_term ? "." : "",
                     c->field[i].per_term ? parameter[j] : "");
            if (!find(name, &expected))
                continue;
            n++;
            ck_assert_msg(fabs(*v - expected) <= 1e-12 + 1e-11 * fabs(expected),
                          "%s: %.17g, expected %.17g", name, *v, expected);
        }
    return n;
}

#define ARGS(...)                                                              \
    (const struct ens_call_arg[])                                              \
    {                                                                          \
        __VA_ARGS__                                                            \
    }

static const struct ens_call none = {.name = "none"};
static const struct ens_call prob = {"posterior_summary", 1,
                                     ARGS({"prob", "0.9"}), NULL};
static const struct ens_call half = {"intervals", 1, ARGS({"level", "0.5"}),
                                     NULL};
static const struct ens_call three = {
    "quantiles", 4,
    ARGS({"p1", "0.025"}, {"p2", "0.4"}, {"p3", ""}, {"p4", "1"}), NULL};
static const struct ens_call fifth = {"rank", 1, ARGS({"thin", "5"}), NULL};
static const struct ens_call by_ess = {"rank", 1, ARGS({"thin", "auto"}), NULL};

static const struct {
    const char *label;
    const struct ens_metric *ops;
    const struct ens_call *call;
    size_t n; /* numbers that R has */
} with_draws[] = {
    {"posterior_summary", &ens_metric_posterior_summary, &prob, 10},
    {"quantiles", &ens_metric_quantiles, &three, 6},
    {"pos_prob", &ens_metric_pos_prob, &none, 2},
    {"crps", &ens_metric_crps, &none, 2},
    {"draws_mcse", &ens_metric_draws_mcse, &none, 10},
    {"intervals", &ens_metric_intervals, &half, 10},
    {"p_value", &ens_metric_p_value, &none, 2},
    {"rank5", &ens_metric_rank, &fifth, 2},
    {"rank", &ens_metric_rank, &by_ess, 4},
    {"pred_bias", &ens_metric_pred_bias, &none, 1},
    {"pred_mae", &ens_metric_pred_mae, &none, 1},
    {"pred_mse", &ens_metric_pred_mse, &none, 1},
    {"pred_rmse", &ens_metric_pred_rmse, &none, 1},
    {"r2_test", &ens_metric_r2_test, &none, 1},
    {"elpd_test", &ens_metric_elpd_test, &none, 1},
    {"elpd_loo", &ens_metric_elpd_loo, &none, 4},
    {"rmse_loo", &ens_metric_rmse_loo, &none, 1},
};

START_TEST(numbers_equal_r)
{
    struct computed c;

    compute(with_draws[_i].ops, with_draws[_i].call, &c);
    ck_assert_uint_eq(compare(with_draws[_i].label, &c), with_draws[_i].n);
}
END_TEST

/* The worst are of the parameters with columns: the third mixes well. */
START_TEST(diagnostics_equal_posterior)
{
    struct computed c;

    compute(&ens_metric_diagnostics, &none, &c);
    ck_assert_uint_eq(compare("diagnostics", &c), 6);
    ck_assert_str_eq(result.warning, "R-hat above 1.05: chains differ");
    fit.draws.sampler = NULL;
    compute(&ens_metric_diagnostics, &none, &c);
    ck_assert(c.value[0] > 1 && isnan(c.value[3]) && isnan(c.value[5]));
}
END_TEST

START_TEST(r2_loo_is_that_of_many_weightings)
{
    struct computed c;
    double expected, sd;

    compute(&ens_metric_r2_loo, &none, &c);
    ck_assert(find("r2_loo.value", &expected) && find("r2_loo.sd", &sd));
    ck_assert_msg(fabs(c.value[0] - expected) < 4 * sd / sqrt(S), "%g",
                  c.value[0]);
    ck_assert(c.value[2] == 0);
    ck_assert_str_eq(result.purpose, "metric.NAME");
    for (size_t i = 0; i < ROWS; i++)
        y[i] = 2;
    compute(&ens_metric_r2_loo, &none, &c);
    ck_assert(isnan(c.value[0]) && c.value[2] == 1);
    compute(&ens_metric_r2_test, &none, &c);
    ck_assert(isnan(c.value[0]) && c.value[1] == ROWS && c.value[2] == 1);
}
END_TEST

START_TEST(without_draws_limits_are_of_t)
{
    struct computed c;

    fit.draws = (struct ens_draws){0};
    compute(&ens_metric_intervals, &half, &c);
    ck_assert_uint_eq(compare("t.intervals", &c), 4);
    compute(&ens_metric_interval_width, &half, &c);
    ck_assert(fabs(c.value[1] - 0.71114177808167954) < 1e-9);
    ck_assert(fabs(c.value[0] - (c.value[1] + c.value[2]) / 2) < 1e-15);
    compute(&ens_metric_p_value, &none, &c);
    ck_assert_uint_eq(compare("t.p_value", &c), 2);
    /* limits of their own: not known at another level */
    low[0] -= 0.1;
    compute(&ens_metric_intervals, &half, &c);
    ck_assert(isnan(c.value[3]) && !isnan(c.value[4]));
    compute(&ens_metric_intervals, &none, &c);
    ck_assert(c.value[3] == low[0] && c.value[5] == high[0]);
}
END_TEST

START_TEST(missing_truths_are_missing)
{
    struct computed c;

    truth[0] = NAN;
    compute(&ens_metric_crps, &none, &c);
    ck_assert(isnan(c.value[1]) && c.value[0] == c.value[2]);
    compute(&ens_metric_rank, &fifth, &c);
    ck_assert(isnan(c.value[3]) && c.value[4] > 0);
    truth[1] = NAN;
    compute(&ens_metric_rank, &fifth, &c);
    for (size_t i = 0; i < 5; i++)
        ck_assert(isnan(c.value[i]));
    compute(&ens_metric_intervals, &half, &c);
    ck_assert(isnan(c.value[2]) && !isnan(c.value[0]));
    truth[0] = 0.25;
    truth[1] = 0.8;
}
END_TEST

START_TEST(draws_that_are_not_finite_are_missing)
{
    struct computed c;

    values[17] = _i ? NAN : INFINITY;
    compute(&ens_metric_posterior_summary, &prob, &c);
    ck_assert(isnan(c.value[0]) && !isnan(c.value[1]));
    compute(&ens_metric_diagnostics, &none, &c);
    ck_assert(c.value[0] > 1 && c.value[1] > 0);
}
END_TEST

START_TEST(bad_rows_are_an_error)
{
    struct ens_error err = {0};
    double v[8];

    in.call = &none;
    mean[3] = NAN;
    ck_assert(ens_metric_pred_mse.compute(&job, &in, v, &err) == ENS_EDOMAIN);
    ck_assert_str_eq(err.text, "row 4 of the test set: not a finite number");
    elpd[0] = -INFINITY;
    ck_assert(ens_metric_elpd_loo.compute(&job, &in, v, &err) == ENS_EDOMAIN);
    test.n = 0;
    ck_assert(ens_metric_pred_mse.compute(&job, &in, v, &err) == ENS_EDOMAIN);
    ck_assert_str_eq(err.text, "0 complete rows in the test set");
}
END_TEST

static const struct ens_call twice = {"quantiles", 2,
                                      ARGS({"p1", "0.5"}, {"p2", "0.5"}), NULL};
static const struct ens_call no_list = {"quantiles", 1, ARGS({"p1", ""}), NULL};
static const struct ens_call bad = {"rank", 1, ARGS({"thin", "0"}), NULL};

START_TEST(columns_are_named_by_the_call)
{
    struct ens_metric_field field[ENS_METRIC_QUANTILES];
    char name[ENS_METRIC_QUANTILES][ENS_METRIC_NAME];
    struct ens_error err = {0};
    size_t n;

    ck_assert(ens_metric_quantiles.columns(&three, field, &n, name, &err) ==
              ENS_OK);
    ck_assert_uint_eq(n, 3);
    ck_assert_str_eq(field[0].name, "q2.5");
    ck_assert_str_eq(field[2].name, "q100");
    ck_assert(ens_metric_quantiles.columns(&no_list, field, &n, name, &err) ==
              ENS_OK);
    ck_assert_uint_eq(n, 3);
    ck_assert_str_eq(field[0].name, "q5");
    ck_assert(ens_metric_quantiles.columns(&twice, field, &n, name, &err) ==
              ENS_ESTUDY);
    ck_assert(ens_metric_rank.columns(&bad, field, &n, name, &err) ==
              ENS_ESTUDY);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("metrics");
    TCase *t = tcase_create("metrics");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, numbers_equal_r, 0, ENS_COUNT(with_draws));
    tcase_add_test(t, diagnostics_equal_posterior);
    tcase_add_test(t, r2_loo_is_that_of_many_weightings);
    tcase_add_test(t, without_draws_limits_are_of_t);
    tcase_add_test(t, missing_truths_are_missing);
    tcase_add_loop_test(t, draws_that_are_not_finite_are_missing, 0, 2);
    tcase_add_test(t, bad_rows_are_an_error);
    tcase_add_test(t, columns_are_named_by_the_call);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
