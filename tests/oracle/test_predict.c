/* Predictions and log likelihoods of families at draws, with offset, group and
 * known standard errors, against R 4.2.2: dnorm, dt, dbinom, dpois, dnbinom
 * and dgamma of
 *   x <- cbind(1, c(-1, .5, 2)); off <- c(.1, -.2, 0); lev <- c(1, 2, 1)
 *   b <- rbind(c(.3, .8), c(-.1, 1.1)); u <- rbind(c(.5, -.4), c(.2, .1))
 *   aux <- c(1.3, .7); nu <- c(4, 7); se <- c(.5, 1, 2)
 *   eta[, s] <- x %*% b[s, ] + off + u[s, lev] */
#include "base/arena.h"
#include "base/bug.h"
#include "fit/fitter.h"
#include "fit/predict.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROWS 3

struct ens_result {
    struct ens_arena arena;
};

static void *host_alloc(struct ens_result *r, size_t n, size_t size)
{
    return ens_arena_alloc(&r->arena, n, size);
}

static const struct ens_host host = {.alloc = host_alloc};
static struct ens_result result;
static const struct ens_job job = {&host, &result, NULL, NULL};

static const double x[] = {1, 1, 1, -1, 0.5, 2};
static const double offset[] = {0.1, -0.2, 0};
static const double se[] = {0.5, 1, 2};
static const double y[][ROWS] = {{0.2, -1, 3.5}, {0.2, -1, 3.5}, {0, 1, 1},
                                 {0, 3, 7},      {0, 3, 7},      {0.4, 2, 9}};
static const uint32_t of[] = {0, 1, 0};
static const char *const levels[] = {"one", "two"};
static const struct ens_fit_group group = {"g", 2, levels, of};

/* draws, parameter by parameter */
static const char *names[] = {"intercept", "x",      "sigma", "nu",
                              "sd_g",      "g[one]", "g[two]"};
static const double draws[] = {0.3, -0.1, 0.8, 1.1, 1.3, 0.7,  4,
                               7,   1,    1,   0.5, 0.2, -0.4, 0.1};

static struct ens_fit_options options;
static struct ens_fit_result fit;
static struct ens_fit_problem at;
static struct ens_fitter fitter;
static struct ens_fitted f;

static void setup(void)
{
    fitter = (struct ens_fitter){.delivers = ENS_DELIVERS_PREDICTIONS |
                                             ENS_DELIVERS_LOG_LIK};
    fit = (struct ens_fit_result){
        .n_parameters = 7,
        .sigma = 1,
        .draws = {.n_chains = 2, .n_draws = 1, .value = draws}};
    at = (struct ens_fit_problem){.n = ROWS,
                                  .p = 2,
                                  .x = x,
                                  .offset = offset,
                                  .n_groups = 1,
                                  .group = &group};
    f = (struct ens_fitted){.fitter = &fitter,
                            .job = &job,
                            .options = &options,
                            .result = &fit,
                            .parameter = names};
    names[2] = "sigma";
    names[3] = "nu";
}

static void teardown(void)
{
    ens_arena_fini(&result.arena);
}

static void use(enum ens_family family)
{
    options.family = family;
    options.link = ens_family_link(family);
    at.y = y[family];
    ck_assert(ens_fitted_init(&f, NULL) == ENS_OK);
}

static void check_near(const double *a, const double *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ck_assert_msg(fabs(a[i] - b[i]) <= 1e-13 * (1 + fabs(b[i])),
                      "%zu: %.17g, expected %.17g", i, a[i], b[i]);
}

static const struct {
    enum ens_family family;
    double value[2 * ROWS];
} densities[] = {
    {ENS_FAMILY_GAUSSIAN,
     {-1.1842613775538207, -1.796957466816961, -1.539290963352637,
      -2.4219574668169614, -1.5392909633526368, -2.0316513443679804}},
    {ENS_FAMILY_STUDENT,
     {-1.2468890096524947, -1.8064756268739055, -1.6548475243473446,
      -2.3024347768693234, -1.6548475243473444, -1.999993910299243}},
    {ENS_FAMILY_BINOMIAL,
     {-0.74439666007357075, -0.34115387473208775, -0.6443966600735711,
      -0.53338215541877687, -0.086836152153949644, -0.095545464597962981}},
    {ENS_FAMILY_POISSON,
     {-1.1051709180756475, -0.40656965974059905, -2.5969303873037028,
      -2.1608270178213127, -2.7483377417070174, -2.3993438158801363}},
    {ENS_FAMILY_NEGBINOMIAL,
     {-0.799833715683546, -0.32055784424721978, -2.6352602355549202,
      -2.6028386283785134, -2.9854446447967193, -3.2414350899620499}},
    {ENS_FAMILY_GAMMA,
     {-0.42615432362534655, -0.29434135885047885, -1.8253847794099123,
      -1.9500471870629619, -3.0729843269696615, -3.4113377959433082}},
};

START_TEST(densities_equal_r)
{
    static const char *const aux[] = {"sigma", "sigma", "a",
                                      "a",     "phi",   "shape"};
    double out[2 * ROWS];

    names[2] = aux[densities[_i].family];
    use(densities[_i].family);
    ck_assert_uint_eq(f.n_draws, 2);
    ck_assert(ens_fitted_log_lik(&f, &at, 0, ROWS, out, NULL) == ENS_OK);
    check_near(out, densities[_i].value, 2 * ROWS);
    /* rows alone are the same */
    ck_assert(ens_fitted_log_lik(&f, &at, 2, 1, out, NULL) == ENS_OK);
    check_near(out, densities[_i].value + 4, 2);
}
END_TEST

START_TEST(known_standard_errors)
{
    static const double alone[] = {-0.24579135264472751, -2.6457913526447276,
                                   -1.5239385332046727,  -1.830188533204673,
                                   -1.7633357137646182,  -1.7920857137646178};
    static const double both[] = {-1.2528598393299202, -1.5859535543802799,
                                  -1.6386161932085725, -1.7299037743914105,
                                  -1.89462054655323,   -1.8302212315205071};
    double out[2 * ROWS];

    at.se = se;
    use(ENS_FAMILY_GAUSSIAN);
    ck_assert(ens_fitted_log_lik(&f, &at, 0, ROWS, out, NULL) == ENS_OK);
    check_near(out, both, 2 * ROWS);
    names[2] = "a";
    use(ENS_FAMILY_GAUSSIAN);
    ck_assert(ens_fitted_log_lik(&f, &at, 0, ROWS, out, NULL) == ENS_OK);
    check_near(out, alone, 2 * ROWS);
}
END_TEST

START_TEST(fixed_nu)
{
    static const double expected[] = {-1.2468890096524947, -1.8261220956899025,
                                      -1.6548475243473446, -2.2677560426678647,
                                      -1.6548475243473444, -2.0012317050222181};
    double out[2 * ROWS];

    names[3] = "other";
    options.nu = 4;
    use(ENS_FAMILY_STUDENT);
    ck_assert(ens_fitted_log_lik(&f, &at, 0, ROWS, out, NULL) == ENS_OK);
    check_near(out, expected, 2 * ROWS);
}
END_TEST

START_TEST(means_equal_r)
{
    static const struct {
        enum ens_family family;
        double value[2 * ROWS];
    } means[] = {
        {ENS_FAMILY_GAUSSIAN, {0.1, -0.9, 0.1, 0.35, 2.4, 2.3}},
        {ENS_FAMILY_BINOMIAL,
         {0.5249791874789399, 0.289050497374996, 0.5249791874789399,
          0.58661757891733013, 0.91682730350607766, 0.90887703898514383}},
        {ENS_FAMILY_POISSON,
         {1.1051709180756475, 0.40656965974059905, 1.1051709180756475,
          1.4190675485932573, 11.023176380641605, 9.9741824548147235}},
    };
    double out[2 * ROWS];

    for (size_t i = 0; i < ENS_COUNT(means); i++) {
        use(means[i].family);
        ck_assert(ens_fitted_predict(&f, &at, 0, ROWS, out, NULL) == ENS_OK);
        check_near(out, means[i].value, 2 * ROWS);
    }
}
END_TEST

/* Without draws: estimates; sigma of the result where it is no parameter. */
START_TEST(estimates_are_one_draw)
{
    static double estimate[] = {0.3, 0.8, 9, 9, 9, 0.5, -0.4};
    double out[ROWS], expected[ROWS];

    fit.draws = (struct ens_draws){0};
    fit.estimate = estimate;
    fit.sigma = 1.3;
    names[2] = "a";
    use(ENS_FAMILY_GAUSSIAN);
    ck_assert_uint_eq(f.n_draws, 1);
    ck_assert(ens_fitted_log_lik(&f, &at, 0, ROWS, out, NULL) == ENS_OK);
    for (size_t i = 0; i < ROWS; i++)
        expected[i] = densities[0].value[2 * i];
    check_near(out, expected, ROWS);
}
END_TEST

START_TEST(missing_parameters_are_an_error)
{
    struct ens_error err = {0};
    double out[2 * ROWS];

    names[5] = "h[one]";
    use(ENS_FAMILY_GAUSSIAN);
    ck_assert(ens_fitted_predict(&f, &at, 0, ROWS, out, &err) == ENS_EDOMAIN);
    ck_assert_str_eq(err.text, "the fit has no g[one]");
    names[5] = "g[one]";
}
END_TEST

int main(void)
{
    Suite *s = suite_create("predict");
    TCase *t = tcase_create("predict");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, densities_equal_r, 0, ENS_COUNT(densities));
    tcase_add_test(t, known_standard_errors);
    tcase_add_test(t, fixed_nu);
    tcase_add_test(t, means_equal_r);
    tcase_add_test(t, estimates_are_one_draw);
    tcase_add_test(t, missing_parameters_are_an_error);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
