/* Generators: distributions against their theory (|z| < 4.5 over fixed seeds),
 * resampling against its counts. */
#include "../generate.h"

#include "base/bug.h"

#define MAX_Z 4.5

static void begin(struct generate *g, const char *row)
{
    ck_assert_msg(generate_begin(g, row) == ENS_OK, "%s", g->err.text);
}

static void next(struct generate *g, uint32_t replicate)
{
    ck_assert_msg(generate_next(g, replicate) == ENS_OK, "%s", g->err.text);
}

static double mean(const double *x, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return sum / (double)n;
}

static double cross(const double *x, const double *y, size_t n)
{
    double mx = mean(x, n), my = mean(y, n), sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += (x[i] - mx) * (y[i] - my);
    return sum / (double)n;
}

/* A mean of n numbers of that variance. */
static void near(double got, double want, double variance, double n)
{
    double z = (got - want) / sqrt(variance / n);

    ck_assert_msg(fabs(z) < MAX_Z, "%.9g for %.9g: z = %.3g", got, want, z);
}

/* -- regression -------------------------------------------------------------
 */

/* Mean, variance of y without predictors' effect, and E (y - mean)^4. */
START_TEST(responses_have_their_mean_and_variance)
{
    static const struct {
        const char *row;
        double mean, variance, fourth;
    } row[] = {
        {"generator = linear\nintercept = 2\nsigma = 3\n", 2, 9, 243},
        {"generator = logistic\nintercept = -1\n", 0.26894142137, 0.19661193324,
         0.0812},
        {"generator = poisson\nintercept = 1\n", 2.718281828459, 2.718281828459,
         24.9},
        {"generator = negbinomial\nintercept = 1\nphi = 2\n", 2.718281828459,
         6.412809878, 350},
        {"generator = gamma\nintercept = 1\nshape = 4\n", 2.718281828459,
         1.847264025, 16},
        /* 0.75 N(0, 1) + 0.25 N(4, 2): mean 1, variance 0.75 + 1 + 3 */
        {"generator = mixture\nweight = 3 1\nmean = 0 4\nsd = 1 2\n", 1, 4.75,
         90},
        /* settles about 1 / (1 - 0.5); its mean varies as (1 + phi) /
         * (1 - phi) times more than of independent values */
        {"generator = ar1\nintercept = 1\nphi = 0.5\n", 2, 4. / 3, 20},
    };
    struct generate g;
    char text[256];
    const double *y;
    double n = 100000, more = strstr(row[_i].row, "ar1") ? 3 : 1;

    snprintf(text, sizeof(text), "%sn = 100000\n%s", row[_i].row,
             more > 1 ? "" : "slope = 0 0\n");
    begin(&g, text);
    next(&g, 1);
    y = generate_column(&g, &g.out.data, "y");
    near(mean(y, g.out.data.n), row[_i].mean, more * row[_i].variance, n);
    near(cross(y, y, g.out.data.n), row[_i].variance,
         more * row[_i].fourth - row[_i].variance * row[_i].variance, n);
    generate_end(&g);
}
END_TEST

START_TEST(predictors_are_distributed_as_asked)
{
    static const struct {
        const char *row;
        double mean, variance, fourth, near, far; /* correlations */
    } row[] = {
        {"x = normal\nrho = 0\n", 0, 1, 3, 0, 0},
        {"x = normal\nrho = 0.6\n", 0, 1, 3, 0.6, 0.36},
        {"x = uniform\nrho = 0\n", 0, 1, 1.8, 0, 0},
        /* 6/pi asin(rho/2); 2/pi asin(rho) */
        {"x = uniform\nrho = 0.6\n", 0, 1, 1.8, 0.581934748, 0.345571586},
        {"x = binary\nrho = -0.6\n", 0.5, 0.25, 0.0625, -0.409665529,
         0.234446447},
    };
    struct generate g;
    char text[256];
    const double *x[3];
    static const char *const name[] = {"x1", "x2", "x3"};
    size_t n = 100000;

    snprintf(text, sizeof(text),
             "generator = linear\nslope = 1 1 1\nn = 100000\n%s", row[_i].row);
    begin(&g, text);
    next(&g, 1);
    for (size_t j = 0; j < 3; j++) {
        x[j] = generate_column(&g, &g.out.data, name[j]);
        near(mean(x[j], n), row[_i].mean, row[_i].variance, (double)n);
        near(cross(x[j], x[j], n), row[_i].variance,
             row[_i].fourth - row[_i].variance * row[_i].variance + 1e-6,
             (double)n);
    }
    near(cross(x[0], x[1], n) / row[_i].variance, row[_i].near, 1.5, (double)n);
    near(cross(x[1], x[2], n) / row[_i].variance, row[_i].near, 1.5, (double)n);
    near(cross(x[0], x[2], n) / row[_i].variance, row[_i].far, 1.5, (double)n);
    generate_end(&g);
}
END_TEST

START_TEST(rows_to_predict_follow_the_others)
{
    struct generate g, h;

    begin(&g, "generator = linear\nn = 30\nslope = 1 2\n");
    begin(&h, "generator = linear\nn = 20\nslope = 1 2\ntest = 10\n");
    h.task.cell.data_hash[0] = g.task.cell.data_hash[0];
    next(&g, 1);
    next(&h, 1);
    for (size_t j = 0; j < 3; j++) {
        const double *all = g.out.data.column[j].values;

        ck_assert_mem_eq(h.out.data.column[j].values, all, 20 * 8);
        ck_assert_mem_eq(h.out.test.column[j].values, all + 20, 10 * 8);
    }
    ck_assert_uint_eq(h.out.test.n, 10);
    generate_end(&g);
    generate_end(&h);
}
END_TEST

START_TEST(truths_are_those_of_the_settings)
{
    struct generate g;

    begin(&g, "generator = negbinomial\nintercept = 3\nslope = 1 -2\n"
              "phi = 0.5\n");
    ck_assert(generate_truth(&g, "intercept") == 3);
    ck_assert(generate_truth(&g, "x2") == -2);
    ck_assert(generate_truth(&g, "phi") == 0.5);
    ck_assert_int_eq(g.shape.family, ENS_FAMILY_NEGBINOMIAL);
    ck_assert_str_eq(g.shape.response, "y");
    generate_end(&g);
    /* of the whole: mean 0.25 * 4, variance 0.75 + 0.25 * 4 + 3 */
    begin(&g, "generator = mixture\nintercept = 1\nweight = 3 1\nmean = 0 4\n"
              "sd = 1 2\n");
    ck_assert(generate_truth(&g, "intercept") == 2);
    ck_assert_double_eq_tol(generate_truth(&g, "sigma"), sqrt(4.75), 1e-15);
    generate_end(&g);
}
END_TEST

START_TEST(mixtures_count_their_rows)
{
    struct generate g;

    begin(&g, "generator = mixture\nn = 10000\ntest = 500\nweight = 3 1 0\n"
              "mean = 0\nsd = 1\n");
    next(&g, 1);
    ck_assert_uint_eq(g.shape.n_meta, 3);
    ck_assert(g.out.meta[0] + g.out.meta[1] == 10000);
    ck_assert(g.out.meta[2] == 0);
    near(g.out.meta[1] / 1e4, 0.25, 0.25 * 0.75, 1e4);
    generate_end(&g);
}
END_TEST

/* Means of groups lie about their intercepts; those about 0, with sd_g. */
START_TEST(groups_have_intercepts_of_their_own)
{
    struct generate g;
    double square = 0;
    size_t groups = 200, rows = 50;

    begin(&g, _i == 0 ? "generator = hierarchical\ngroups = 200\nn = 10000\n"
                        "slope = 0\nsd_g = 3\nintercept = 1\n"
                      : "generator = hierarchical\ngroups = 200\nn = 10000\n"
                        "slope = 0\nsd_g = 3\nintercept = 1\n"
                        "group = number\n");
    next(&g, 1);
    for (size_t j = 0; j < groups; j++) {
        const double *y = generate_column(&g, &g.out.data, "y");
        const double *of = generate_column(&g, &g.out.data, "g");
        double sum = 0, truth;
        char name[16];

        snprintf(name, sizeof(name), "g[%zu]", j + 1);
        truth = generate_truth(&g, name);
        for (size_t i = 0; i < 10000; i++)
            sum += (size_t)of[i] == j + (_i == 0 ? 0 : 1) ? y[i] : 0;
        near(sum / (double)rows, 1 + truth, 1, (double)rows);
        square += truth * truth;
    }
    near(square / (double)groups, 9, 2 * 81, (double)groups);
    ck_assert(generate_truth(&g, "sd_g") == 3);
    if (_i == 0) {
        ck_assert_uint_eq(g.shape.data.column[1].n_levels, 200);
        ck_assert_str_eq(g.shape.data.column[1].level[199], "200");
    }
    generate_end(&g);
}
END_TEST

START_TEST(series_go_on)
{
    struct generate g;
    const double *lag, *y;

    begin(&g, "generator = ar1\nn = 50\ntest = 5\nphi = 0.9\n");
    next(&g, 1);
    lag = generate_column(&g, &g.out.data, "lag1");
    y = generate_column(&g, &g.out.data, "y");
    ck_assert_mem_eq(lag + 1, y, 49 * sizeof(*y));
    ck_assert(generate_column(&g, &g.out.test, "lag1")[0] == y[49]);
    ck_assert(generate_column(&g, &g.out.test, "t")[0] == 51);
    generate_end(&g);
}
END_TEST

START_TEST(counts_that_no_one_can_draw_fail)
{
    struct generate g;

    begin(&g, "generator = poisson\nintercept = 30\n");
    ck_assert_int_eq(generate_next(&g, 1), ENS_EDOMAIN);
    ck_assert_msg(strstr(g.err.text, "row 1: no count is drawn") != NULL, "%s",
                  g.err.text);
    generate_end(&g);
}
END_TEST

/* -- prior predictive --------------------------------------------------------
 */

#define NORMAL                                                                 \
    "generator = prior_predictive\nprior.intercept = normal(1, 2)\n"           \
    "prior.b = normal(0, 1)\nprior.sigma = gamma(4, 2)\n"

/* Parameters by their priors: means, variances, fourth central moments. */
START_TEST(parameters_come_from_their_priors)
{
    static const struct {
        const char *prior;
        double mean, variance, fourth;
    } row[] = {
        {"half_normal(2)", 1.5957691216, 1.4535209105, 8.178},
        {"exponential(0.5)", 2, 4, 144},
        {"gamma(4, 2)", 2, 1, 4.5},
        {"inv_gamma(9, 16)", 2, 0.5714285714, 1.9},
        {"lognormal(0, 0.5)", 1.1331484531, 0.3646958540, 1.18},
        {"half_student_t(9, 2)", 1.71, 2.218, 40},
        {"normal(3, 1)", 3.0044378, 0.98670, 2.9},
    };
    struct generate g;
    char text[512];
    double sum = 0, square = 0, slope = 0, n = 20000;

    snprintf(text, sizeof(text),
             "generator = prior_predictive\nformula = y ~ x1\nn = 1\n"
             "prior.intercept = normal(1, 2)\nprior.x1 = student_t(30, 5, 1)\n"
             "prior.b = cauchy(0, 1)\nprior.sigma = %s\n",
             row[_i].prior);
    begin(&g, text);
    for (uint32_t k = 1; k <= 20000; k++) {
        double v;

        next(&g, k);
        v = generate_truth(&g, "sigma");
        ck_assert_double_gt(v, 0);
        sum += v;
        square += (v - row[_i].mean) * (v - row[_i].mean);
        slope += generate_truth(&g, "x1");
    }
    if (strncmp(row[_i].prior, "half_student", 12) != 0)
        near(sum / n, row[_i].mean, row[_i].variance, n);
    near(square / n, row[_i].variance,
         row[_i].fourth - row[_i].variance * row[_i].variance, n);
    near(slope / n, 5, 30. / 28, n);
    generate_end(&g);
}
END_TEST

/* y - intercept - slope x is N(0, sigma), in rows to predict, too. */
START_TEST(responses_come_from_the_likelihood)
{
    struct generate g;
    double square = 0;

    begin(&g, NORMAL "formula = y ~ x1 + x2 + (1 | g) + offset(x3)\n"
                     "predictors = 3\nrho = 0.5\nn = 40\ntest = 10\n"
                     "groups = 5\nprior.sd = exponential(1)\n");
    for (uint32_t k = 1; k <= 200; k++) {
        next(&g, k);
        for (int part = 0; part < 2; part++) {
            const struct ens_data *d = part == 0 ? &g.out.data : &g.out.test;
            const double *x[3], *y = generate_column(&g, d, "y");
            const double *of = generate_column(&g, d, "g");

            x[0] = generate_column(&g, d, "x1");
            x[1] = generate_column(&g, d, "x2");
            x[2] = generate_column(&g, d, "x3");
            ck_assert_uint_eq(d->n, part == 0 ? 40 : 10);
            for (size_t i = 0; i < d->n; i++) {
                char name[16];
                double z;

                snprintf(name, sizeof(name), "g[%d]", (int)of[i] + 1);
                z = y[i] - x[2][i] - generate_truth(&g, "intercept") -
                    generate_truth(&g, "x1") * x[0][i] -
                    generate_truth(&g, "x2") * x[1][i] -
                    generate_truth(&g, name);
                z /= generate_truth(&g, "sigma");
                square += z * z;
            }
        }
    }
    near(square / 1e4, 1, 2, 1e4);
    generate_end(&g);
}
END_TEST

/* Predictors of an input stay where they are; its y is not looked at, rows
 * that lack a predictor have no response. */
START_TEST(predictors_may_be_of_an_input)
{
    struct generate g;
    size_t missing = 0;

    begin(&g, NORMAL "formula = y ~ a + k\ninput = T\ntest = 0.25\n");
    g.table.number[0][7] = NAN;
    next(&g, 1);
    ck_assert_uint_eq(g.out.data.n, 45);
    ck_assert_uint_eq(g.out.test.n, 15);
    ck_assert_ptr_eq(g.out.data.column[0].values, g.table.number[0]);
    ck_assert_ptr_ne(g.out.data.column[2].values, g.table.number[2]);
    for (size_t i = 0; i < 60; i++) {
        double y = g.out.data.column[2].values[i];

        ck_assert(y != g.table.number[2][i]);
        missing += isnan(y) ? 1 : 0;
        ck_assert(!isnan(y) || i == 7);
    }
    ck_assert_uint_eq(missing, 1);
    ck_assert(isfinite(generate_truth(&g, "kv")));
    generate_end(&g);
    /* a response that the input lacks */
    begin(&g, NORMAL "formula = z ~ a\ninput = T\n");
    next(&g, 1);
    ck_assert_uint_eq(g.out.data.n_columns, 5);
    ck_assert_str_eq(g.shape.response, "z");
    ck_assert(isfinite(generate_column(&g, &g.out.data, "z")[59]));
    generate_end(&g);
}
END_TEST

/* -- resampling -------------------------------------------------------------
 */

/* Each set of rows is as likely: how often each pair is drawn together. */
START_TEST(subsamples_are_uniform)
{
    static unsigned together[INPUT_ROWS][INPUT_ROWS];
    struct generate g;
    size_t m = _i == 0 ? 6 : 54, runs = 20000;
    double chi = 0, expected;

    memset(together, 0, sizeof(together));
    begin(&g, _i == 0 ? "generator = subsample\ninput = T\nrows = 0.1\n"
                      : "generator = subsample\ninput = T\nrows = 54\n");
    for (uint32_t k = 1; k <= runs; k++) {
        next(&g, k);
        ck_assert_uint_eq(g.out.data.n, m);
        for (size_t i = 0; i < m; i++)
            for (size_t j = 0; j < i; j++) {
                ck_assert(g.out.data.index[j] < g.out.data.index[i]);
                together[g.out.data.index[j]][g.out.data.index[i]]++;
            }
    }
    expected = (double)(runs * m * (m - 1)) / (INPUT_ROWS * (INPUT_ROWS - 1));
    for (size_t i = 0; i < INPUT_ROWS; i++)
        for (size_t j = 0; j < i; j++) {
            double d = together[j][i] - expected;

            chi += d * d / expected;
        }
    /* 1770 pairs: not above their number's 6 standard deviations; pairs drawn
     * almost always vary less than a chi-squared */
    ck_assert_double_lt(chi, 1770 + 6 * sqrt(2 * 1770));
    if (_i == 0)
        ck_assert_double_gt(chi, 1770 - 6 * sqrt(2 * 1770));
    generate_end(&g);
}
END_TEST

START_TEST(permuted_columns_move_together_and_alone)
{
    struct generate g;
    const double *a, *b, *y;
    double sum = 0;
    size_t moved = 0;

    begin(&g, "generator = permute\ninput = T\ncolumns = a, k\n");
    next(&g, 1);
    a = generate_column(&g, &g.out.data, "a");
    b = generate_column(&g, &g.out.data, "b");
    y = generate_column(&g, &g.out.data, "y");
    ck_assert_mem_eq(b, g.table.number[1], INPUT_ROWS * 8);
    ck_assert_mem_eq(y, g.table.number[2], INPUT_ROWS * 8);
    for (size_t i = 0; i < INPUT_ROWS; i++) {
        size_t from = 0;

        while (g.table.number[0][from] != a[i])
            ck_assert_uint_lt(++from, INPUT_ROWS);
        moved += from != i;
        sum += a[i] - g.table.number[0][i];
        ck_assert(generate_column(&g, &g.out.data, "k")[i] ==
                  g.table.place[from]);
    }
    ck_assert_uint_gt(moved, INPUT_ROWS / 2);
    ck_assert_double_lt(fabs(sum), 1e-12);
    ck_assert(generate_truth(&g, "a") == 0);
    ck_assert(generate_truth(&g, "kv") == 0);
    ck_assert(g.shape.any_family);
    generate_end(&g);
}
END_TEST

/* On average n (1 - (1 - 1/n)^n) rows are drawn. */
START_TEST(bootstraps_count_rows_and_leave_the_others)
{
    struct generate g;
    double sum = 0, n = INPUT_ROWS;
    double q = pow(1 - 1 / n, n), r = pow(1 - 2 / n, n);

    begin(&g, "generator = bootstrap\ninput = T\noob = yes\n");
    for (uint32_t k = 1; k <= 2000; k++) {
        int drawn[INPUT_ROWS] = {0};
        size_t distinct = 0;

        next(&g, k);
        for (size_t i = 0; i < INPUT_ROWS; i++)
            drawn[g.out.data.index[i]] = 1;
        for (size_t i = 0; i < INPUT_ROWS; i++)
            distinct += (size_t)drawn[i];
        ck_assert(g.out.meta[0] == (double)distinct);
        ck_assert_uint_eq(g.out.test.n, INPUT_ROWS - distinct);
        for (size_t i = 0; i < g.out.test.n; i++)
            ck_assert_int_eq(drawn[g.out.test.index[i]], 0);
        sum += g.out.meta[0];
    }
    near(sum / 2000, n * (1 - q), n * q + n * (n - 1) * r - n * n * q * q,
         2000);
    generate_end(&g);
}
END_TEST

/* -- settings ----------------------------------------------------------------
 */

START_TEST(wrong_settings_are_named)
{
    static const struct {
        const char *row, *says;
    } row[] = {
        {"generator = linear\nslope = 1 1\nrho = 1\n", "rho: 1 and -1"},
        {"generator = mixture\nweight = 1 1\nsd = 1 2 3\n",
         "weight has 2 numbers, mean 1, sd 3"},
        {"generator = mixture\nweight = 0 0\n", "all are 0"},
        {"generator = mixture\nweight = 1 -1\n", "must not be negative"},
        {"generator = subsample\ninput = T\nrows = 61\n", "rows: 61 is no"},
        {"generator = subsample\ninput = T\nrows = 1.5\n", "rows: 1.5 is no"},
        {"generator = subsample\ninput = T\nrows = 0.001\n", "is no number"},
        {"generator = subsample\ninput = T\nrows = 50\ntest = 20\n",
         "rows: 50 is no number of rows, or share of them, between 1 and 40"},
        {"generator = fixed\ninput = T\ntest = 60\n", "test: 60 is no"},
        {"generator = fixed\ninput = T\ntruth = a\n", "is not TERM=VALUE"},
        {"generator = fixed\ninput = T\ntruth = a=x\n", "neither a number"},
        {"generator = fixed\ninput = T\ntruth = a=1, a=2\n", "given twice"},
        {"generator = permute\ninput = T\n", "nothing to shuffle"},
        {"generator = permute\ninput = T\ncolumns = q\n", "no column 'q'"},
        {"generator = permute\ninput = T\ncolumns = y\nresponse = y\n",
         "'y' is among columns"},
        {"generator = bootstrap\ninput = T\noob = yes\ntest = 5\n",
         "only one of them"},
        {NORMAL "input = T\nformula = log(y) ~ a\n", "is no name"},
        {NORMAL "formula = z ~ x1\n", "of generated data is y"},
        {NORMAL "formula = y ~ x2\n", "no column 'x2'"},
        {NORMAL "formula = y ~ x1 + (1 | g)\ngroups = 3\n", "prior.sd:"},
        {NORMAL "formula = y ~ x1\nfamily = poisson\ngroups = 1\n",
         "groups: 1 is none"},
        {NORMAL "formula = y ~ x1\nprior.x1 = flat\n", "prior.x1: nothing"},
        {NORMAL "formula = y ~ x1\nprior.x9 = normal(0, 1)\n", "no such term"},
        {NORMAL "formula = y ~ y\n", "is also a term"},
    };
    struct generate g;

    ck_assert_msg(generate_begin(&g, row[_i].row) == ENS_ESTUDY, "%s",
                  row[_i].row);
    ck_assert_msg(strstr(g.err.text, row[_i].says) != NULL, "%s", g.err.text);
    generate_end(&g);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("generators");
    TCase *c = tcase_create("generators");
    SRunner *r;
    int failed;

    tcase_set_timeout(c, 120);
    tcase_add_loop_test(c, responses_have_their_mean_and_variance, 0, 7);
    tcase_add_loop_test(c, predictors_are_distributed_as_asked, 0, 5);
    tcase_add_test(c, rows_to_predict_follow_the_others);
    tcase_add_test(c, truths_are_those_of_the_settings);
    tcase_add_test(c, mixtures_count_their_rows);
    tcase_add_loop_test(c, groups_have_intercepts_of_their_own, 0, 2);
    tcase_add_test(c, series_go_on);
    tcase_add_test(c, counts_that_no_one_can_draw_fail);
    tcase_add_loop_test(c, parameters_come_from_their_priors, 0, 7);
    tcase_add_test(c, responses_come_from_the_likelihood);
    tcase_add_test(c, predictors_may_be_of_an_input);
    tcase_add_loop_test(c, subsamples_are_uniform, 0, 2);
    tcase_add_test(c, permuted_columns_move_together_and_alone);
    tcase_add_test(c, bootstraps_count_rows_and_leave_the_others);
    tcase_add_loop_test(c, wrong_settings_are_named, 0, 24);
    suite_add_tcase(s, c);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? 0 : 1;
}
