/* Chains: starting points, draws, what is counted, what goes wrong. */
#include "mcmc/chain.h"

#include "base/bug.h"
#include "math/rng.h"
#include "mcmc/adapt.h"
#include "mcmc/mode.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DIM   3
#define DRAWS 4000

static double work[20000], mode_work[200], q[DRAWS * DIM], other_q[DRAWS * DIM];
static struct ens_draw_stats stats[DRAWS], other_stats[DRAWS];

struct counted {
    double correlation;
    uint64_t calls;
};

/* x ~ N(1, 1), y | x ~ N(c x, 1 - c^2), log z with exp(z) ~ Gamma(5, 2). */
static double at(void *model, const double *x, double *gradient)
{
    struct counted *m = model;
    double c = m->correlation, w = 1 / (1 - c * c);
    double r = x[1] - c * x[0], e = exp(x[2]);

    m->calls++;
    gradient[0] = 1 - x[0] + c * r * w;
    gradient[1] = -r * w;
    gradient[2] = 5 - 2 * e;
    return -0.5 * ((x[0] - 1) * (x[0] - 1) + r * r * w) + 5 * x[2] - 2 * e;
}

static void check_near(double a, double b, double tolerance)
{
    ck_assert_msg(fabs(a - b) <= tolerance, "%.17g is not %.17g", a, b);
}

static enum ens_status run(const struct ens_density *d,
                           const struct ens_chain_options *o, uint64_t seed,
                           struct ens_chain *chain, struct ens_error *err)
{
    struct ens_mode mode;
    struct ens_rng g;

    ck_assert_uint_le(ens_chain_work(d->dim, o), ENS_COUNT(work));
    ens_rng_set(&g, seed, 1, 1, 1);
    if (o->adaptation->needs_mode) {
        ens_mode_find(d, NULL, mode_work, &mode);
        ck_assert_int_eq(ens_mode_explain(&mode, NULL, err), ENS_OK);
    }
    return ens_chain_run(d, o, &mode, &g, work, chain, err);
}

/* Moments on the scale of the density whatever the scheme samples; stats are
 * those of the draws; every gradient is counted. */
START_TEST(draws_are_of_the_density)
{
    struct counted m = {.correlation = 0.9};
    struct ens_density d = {.dim = DIM, .model = &m, .at = at};
    struct ens_chain chain = {.q = q, .stats = stats};
    struct ens_error err = {0};
    struct ens_chain_options o;
    uint64_t leapfrogs = 0;
    double mean[DIM] = {0}, square = 0, accept = 0;

    ens_chain_defaults(&o, ens_adaptation_at((size_t)_i));
    o.draws = DRAWS;
    ck_assert_msg(run(&d, &o, 1, &chain, &err) == ENS_OK, "%s", err.text);
    if (!o.adaptation->needs_mode)
        ck_assert_uint_eq(chain.n_gradients, m.calls);
    for (size_t k = 0; k < DRAWS; k++) {
        double gradient[DIM];

        check_near(at(&m, q + k * DIM, gradient), stats[k].lp, 1e-9);
        ck_assert_double_ge(stats[k].energy, -stats[k].lp - 1e-9);
        mean[0] += q[k * DIM] / DRAWS;
        mean[1] += q[k * DIM + 1] / DRAWS;
        mean[2] += exp(q[k * DIM + 2]) / DRAWS;
        square += q[k * DIM] * q[k * DIM] / DRAWS;
        leapfrogs += stats[k].n_leapfrog;
        accept += stats[k].accept / DRAWS;
    }
    check_near(mean[0], 1, 0.15);
    check_near(mean[1], 0.9, 0.15);
    check_near(mean[2], 2.5, 0.15);
    check_near(square, 2, 0.4);
    ck_assert_uint_eq(chain.leapfrogs, leapfrogs);
    ck_assert_uint_eq(chain.n_divergent + chain.n_max_depth, 0);
    check_near(chain.accept, accept, 1e-12);
    check_near(accept, 0.85, 0.1);
}
END_TEST

START_TEST(same_stream_same_bits)
{
    struct counted m = {.correlation = 0.5};
    struct ens_density d = {.dim = DIM, .model = &m, .at = at};
    struct ens_chain chain = {.q = q, .stats = stats}, other;
    struct ens_chain_options o;

    ens_chain_defaults(&o, ens_adaptation_at((size_t)_i));
    o.draws = 100;
    o.jitter = 0.1;
    ck_assert_int_eq(run(&d, &o, 7, &chain, NULL), ENS_OK);
    for (size_t k = 0; k < ENS_COUNT(work); k++)
        work[k] = NAN; /* what the work held does not matter */
    other = (struct ens_chain){.q = other_q, .stats = other_stats};
    ck_assert_int_eq(run(&d, &o, 7, &other, NULL), ENS_OK);
    ck_assert_mem_eq(q, other_q, o.draws * DIM * sizeof(*q));
    ck_assert_mem_eq(stats, other_stats, o.draws * sizeof(*stats));
    ck_assert(chain.step_size == other.step_size);
    ck_assert_uint_eq(chain.n_gradients, other.n_gradients);
    ck_assert_int_eq(run(&d, &o, 8, &other, NULL), ENS_OK);
    ck_assert_mem_ne(q, other_q, o.draws * DIM * sizeof(*q));
}
END_TEST

/* Thinned draws are every third of those that are not. */
START_TEST(thinned_draws_are_some_of_all)
{
    struct counted m = {.correlation = 0.5};
    struct ens_density d = {.dim = DIM, .model = &m, .at = at};
    struct ens_chain all = {.q = q, .stats = stats};
    struct ens_chain some = {.q = other_q, .stats = NULL};
    struct ens_chain_options o;

    ens_chain_defaults(&o, &ens_adapt_fisher);
    o.draws = 30;
    ck_assert_int_eq(run(&d, &o, 3, &all, NULL), ENS_OK);
    o.draws = 10;
    o.thin = 3;
    ck_assert_int_eq(run(&d, &o, 3, &some, NULL), ENS_OK);
    for (size_t k = 0; k < 10; k++)
        ck_assert_mem_eq(q + (3 * k + 2) * DIM, other_q + k * DIM,
                         DIM * sizeof(*q));
    ck_assert_uint_eq(all.leapfrogs, some.leapfrogs);
    check_near(all.accept, some.accept, 1e-12);
}
END_TEST

/* Any warm-up will do, none at all included. */
START_TEST(short_warm_ups)
{
    struct counted m = {.correlation = 0.5};
    struct ens_density d = {.dim = DIM, .model = &m, .at = at};
    struct ens_error err = {0};
    struct ens_chain_options o;

    for (size_t scheme = 0; scheme < 5; scheme++) {
        struct ens_chain chain = {.q = q, .stats = stats};

        ens_chain_defaults(&o, ens_adaptation_at(scheme));
        o.warmup = (size_t)_i;
        o.draws = 20;
        ck_assert_msg(run(&d, &o, 3, &chain, &err) == ENS_OK, "%s", err.text);
        ck_assert(chain.step_size > 0 && chain.step_size < 100);
        ck_assert_uint_eq(chain.warmup_leapfrogs > 0, _i > 0);
    }
}
END_TEST

START_TEST(starts_where_told)
{
    static const double init[DIM] = {0.5, 0.25, 1};
    struct counted m = {.correlation = 0.5};
    struct ens_density d = {.dim = DIM, .model = &m, .at = at};
    struct ens_chain chain = {.q = q, .stats = NULL};
    struct ens_chain_options o;
    double distance = 0;

    ens_chain_defaults(&o, ens_adaptation_at((size_t)_i));
    o.init = init;
    o.warmup = 0;
    o.draws = 1;
    o.max_depth = 1;
    ck_assert_int_eq(run(&d, &o, 3, &chain, NULL), ENS_OK);
    for (size_t i = 0; i < DIM; i++)
        distance += fabs(q[i] - init[i]);
    ck_assert_double_lt(distance, 4);
}
END_TEST

static double nan_at(void *model, const double *x, double *gradient)
{
    (void)model;
    gradient[0] = x[0];
    return NAN;
}

static double infinite_gradient_at(void *model, const double *x,
                                   double *gradient)
{
    (void)model;
    (void)x;
    gradient[0] = INFINITY;
    return 0;
}

static double linear_at(void *model, const double *x, double *gradient)
{
    (void)model;
    gradient[0] = 1e-20;
    return x[0] * 1e-20;
}

START_TEST(no_chain_says_why)
{
    static const double init = 1;
    const struct {
        double (*at)(void *, const double *, double *);
        double radius;
        const double *init;
        const char *text;
    } row[] = {
        {nan_at, 2, NULL, "in 100 tries"},
        {nan_at, 2, NULL, "within +-2"},
        {infinite_gradient_at, 2, NULL, "in 100 tries"},
        {nan_at, 0, NULL, "at the starting point"},
        {nan_at, 2, &init, "at the starting point"},
        {linear_at, 2, NULL, "improper"},
    };
    struct ens_density d = {.dim = 1, .model = NULL, .at = row[_i].at};
    struct ens_chain chain = {.q = q, .stats = NULL};
    struct ens_error err = {0};
    struct ens_chain_options o;

    ens_chain_defaults(&o, &ens_adapt_stan);
    o.init_radius = row[_i].radius;
    o.init = row[_i].init;
    ck_assert_int_eq(run(&d, &o, 3, &chain, &err), ENS_EDOMAIN);
    ck_assert_msg(strstr(err.text, row[_i].text) != NULL, "%s", err.text);
}
END_TEST

/* Finite in a corner of the starting box alone: found within the tries. */
static double corner_at(void *model, const double *x, double *gradient)
{
    (void)model;
    gradient[0] = -x[0];
    return x[0] > 1.6 ? -0.5 * x[0] * x[0] : -INFINITY;
}

START_TEST(rare_start_is_found)
{
    struct ens_density d = {.dim = 1, .model = NULL, .at = corner_at};
    struct ens_chain chain = {.q = q, .stats = NULL};
    struct ens_error err = {0};
    struct ens_chain_options o;

    ens_chain_defaults(&o, &ens_adapt_stan);
    ck_assert_msg(run(&d, &o, 3, &chain, &err) == ENS_OK, "%s", err.text);
    for (size_t k = 0; k < o.draws; k++)
        ck_assert_double_gt(q[k], 1.6);
}
END_TEST

static double normal_at(void *model, const double *x, double *gradient)
{
    size_t n = *(const size_t *)model;
    double lp = 0;

    for (size_t i = 0; i < n; i++) {
        gradient[i] = -x[i];
        lp -= 0.5 * x[i] * x[i];
    }
    return lp;
}

/* Nothing is written behind the work asked for. */
START_TEST(work_is_enough)
{
    size_t n = (size_t)_i, mode_n = ens_mode_work(n);
    struct ens_density d = {.dim = n, .model = &n, .at = normal_at};
    double *mine = malloc((mode_n + 100000) * sizeof(*mine));

    ck_assert(mine != NULL);
    for (size_t k = 0; ens_adaptation_at(k); k++) {
        struct ens_chain chain = {.q = q, .stats = stats};
        struct ens_chain_options o;
        struct ens_mode mode;
        struct ens_rng g;
        size_t size;

        ens_rng_set(&g, n, k, 1, 1);
        ens_chain_defaults(&o, ens_adaptation_at(k));
        o.warmup = 100;
        o.draws = 20;
        size = mode_n + ens_chain_work(n, &o);
        ck_assert_uint_lt(size, mode_n + 99999);
        mine[mode_n] = mine[size] = 4711;
        ens_mode_find(&d, NULL, mine, &mode);
        ck_assert(mine[mode_n] == 4711);
        ck_assert_int_eq(
            ens_chain_run(&d, &o, &mode, &g, mine + mode_n, &chain, NULL),
            ENS_OK);
        ck_assert_msg(mine[size] == 4711, "%s", o.adaptation->name);
    }
    free(mine);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("chain");
    TCase *t = tcase_create("chain");
    SRunner *runner;
    int failed;

    tcase_add_loop_test(t, draws_are_of_the_density, 0, 5);
    tcase_add_loop_test(t, same_stream_same_bits, 0, 5);
    tcase_add_test(t, thinned_draws_are_some_of_all);
    tcase_add_loop_test(t, short_warm_ups, 0, 32);
    tcase_add_loop_test(t, starts_where_told, 0, 5);
    tcase_add_loop_test(t, no_chain_says_why, 0, 6);
    tcase_add_test(t, rare_start_is_found);
    tcase_add_loop_test(t, work_is_enough, 1, 30);
    tcase_set_timeout(t, 60);
    suite_add_tcase(suite, t);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
