/* Every learner, for every family that it takes: what its interface promises
 * of fits. A new one is tested by its line in x.def. */
#include "../learners.h"

static double w[N], other[MOST * CLASSES];

START_TEST(real_rows_are_predicted)
{
    struct table t;
    const struct ens_impl *impl = turn(_i, &t);
    double error = 0, mean_error = 0, mean = 0;
    struct learning l;

    if (impl == NULL || is_outside(impl))
        return;
    read_rows(t.family);
    fit(&l, impl, &t);
    ck_assert_int_eq(learning_predict(&l, &t, &t, N, out), ENS_OK);
    check(impl, &t, out, "wells");
    for (size_t i = 0; i < N; i++)
        mean += y[i] / N;
    for (size_t i = 0; i < N && t.family != ENS_OUTCOME_MULTINOMIAL; i++) {
        error += (y[i] - out[i]) * (y[i] - out[i]);
        mean_error += (y[i] - mean) * (y[i] - mean);
    }
    /* svm_linear decides: 0 or 1 is farther off than a share */
    ck_assert_msg(error <= 1.5 * mean_error, "%s: %s: far from its rows: %g",
                  impl->name, family_name[t.family], error / mean_error);
    learning_close(&l);
}
END_TEST

/* Fitted twice; predicted by blocks of other sizes; read through an index of a
 * source in another order, or where they lie. */
START_TEST(same_rows_same_bytes)
{
    struct table t, shuffled, direct;
    const struct ens_impl *impl = turn(_i, &t);
    static double x2[N * P], y2[N];
    static uint64_t at[N];
    struct learning l, m;
    size_t bytes;

    if (impl == NULL || is_outside(impl))
        return;
    read_rows(t.family);
    for (size_t i = 0; i < N; i++) {
        at[i] = (i * 77 + 5) % N; /* 77 and 180 have no common factor */
        memcpy(x2 + at[i] * P, x + i * P, P * sizeof(*x));
        y2[at[i]] = y[i];
    }
    shuffled = direct = t;
    shuffled.x = x2;
    shuffled.y = y2;
    shuffled.index = at;
    direct.direct = 1;
    fit(&l, impl, &t);
    bytes = N * l.job.n_out * sizeof(*out);
    ck_assert_int_eq(learning_predict(&l, &t, &t, N, out), ENS_OK);
    for (size_t block = 1; block < N; block = 3 * block + 4) {
        ck_assert_int_eq(learning_predict(&l, &t, &t, block, other), ENS_OK);
        ck_assert_mem_eq(out, other, bytes);
    }
    for (int k = 0; k < 3; k++) {
        struct table *of = k == 0 ? &t : k == 1 ? &shuffled : &direct;

        fit(&m, impl, of);
        ck_assert_uint_eq(l.model.bytes, m.model.bytes);
        ck_assert_msg(k || !memcmp(l.model.data, m.model.data, l.model.bytes),
                      "%s: another model", impl->name);
        ck_assert_int_eq(learning_predict(&m, of, of, N, other), ENS_OK);
        ck_assert_msg(memcmp(out, other, bytes) == 0, "%s: %s: %d", impl->name,
                      family_name[t.family], k);
        learning_close(&m);
    }
    learning_close(&l);
}
END_TEST

/* Where a model says that it is an affine function it predicts by that; one
 * that is cut to 0 .. 1, or behind a link, is none. */
START_TEST(affine_functions_are_predictions)
{
    struct ens_learn_affine f = {0};
    struct table t;
    const struct ens_impl *impl = turn(_i, &t);
    const struct ens_learner *ops = impl ? impl->ops : NULL;
    struct learning l;
    int is;

    if (impl == NULL || ops->affine == NULL)
        return;
    read_rows(t.family);
    fit(&l, impl, &t);
    ck_assert_int_eq(learning_predict(&l, &t, &t, N, out), ENS_OK);
    is = ops->affine(&l.model, P, &f);
    if (t.family == ENS_OUTCOME_GAUSSIAN)
        ck_assert_msg(is, "%s: gaussian: none", impl->name);
    for (size_t i = 0; i < N && is; i++) {
        double expected = f.base;

        for (size_t j = 0; j < P && f.coef != NULL; j++)
            expected += (x[i * P + j] - f.centre[j]) * f.coef[j];
        ck_assert_msg(fabs(out[i] - expected) <= 1e-12 * (1 + fabs(expected)),
                      "%s: %s: row %zu: %g, not %g", impl->name,
                      family_name[t.family], i, out[i], expected);
    }
    learning_close(&l);
}
END_TEST

/* Rows count for these (of a leaf, knots at their quantiles), are drawn, or
 * sorted into inner folds, whatever they weigh. */
static int counts_rows(const struct ens_impl *impl)
{
    static const char *const name[] = {"tree",     "forest",   "boost",
                                       "lasso_cv", "ridge_cv", "elastic_net_cv",
                                       "spline"};

    for (size_t i = 0; i < ENS_COUNT(name); i++)
        if (strcmp(name[i], impl->name) == 0)
            return 1;
    return 0;
}

/* Weights 0, 1 and 2: rows that are not there, once and twice. */
START_TEST(a_weight_of_two_is_a_row_twice)
{
    static uint64_t twice[2 * N];
    struct table t, rows;
    const struct ens_impl *impl = turn(_i, &t);
    struct learning l, m;

    if (impl == NULL || is_outside(impl))
        return;
    read_rows(t.family);
    rows = t;
    rows.index = twice;
    rows.n = 0;
    for (size_t i = 0; i < N; i++) {
        w[i] = (double)(i % 3);
        for (size_t k = 0; k < i % 3; k++)
            twice[rows.n++] = i;
    }
    t.w = w;
    if (!(((const struct ens_learner *)impl->ops)->uses & ENS_LEARN_WEIGHTS))
        return; /* refused before */
    fit(&l, impl, &t);
    fit(&m, impl, &rows);
    ck_assert_int_eq(learning_predict(&l, &t, &t, N, out), ENS_OK);
    check(impl, &t, out, "weights");
    ck_assert_int_eq(learning_predict(&m, &rows, &t, N, other), ENS_OK);
    for (size_t i = 0; i < N * l.job.n_out && !counts_rows(impl); i++)
        ck_assert_msg(fabs(out[i] - other[i]) <= 1e-6 * (1 + fabs(out[i])),
                      "%s: %s: %zu: %.15g weighted, %.15g of rows", impl->name,
                      family_name[t.family], i, out[i], other[i]);
    learning_close(&l);
    learning_close(&m);
}
END_TEST

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
/* -- memory -----------------------------------------------------------------
 */

/* A line of /proc/self/status that ends in kB. */
static double status_kib(const char *key)
{
    FILE *f = fopen("/proc/self/status", "r");
    char line[256];
    double kib = -1;

    ck_assert(f != NULL);
    while (fgets(line, sizeof(line), f) != NULL)
        if (strncmp(line, key, strlen(key)) == 0)
            kib = strtod(line + strlen(key), NULL);
    fclose(f);
    ck_assert(kib > 0);
    return kib;
}

static void fill_many(double *x_, double *y_, size_t n, size_t p, uint32_t k)
{
    uint32_t seed = 1;

    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < p; j++) {
            seed = seed * 1664525u + 1013904223u;
            x_[i * p + j] = (double)(seed >> 8) / (double)(1 << 24);
        }
        y_[i] = floor((x_[i * p] + x_[i * p + 1]) * 0.4999 * (k ? k : 50));
    }
}

/* What `plan` is told of is what a fit takes: no second copy of the rows. */
START_TEST(memory_is_declared)
{
    enum { ROWS = 40000, COLUMNS = 12, SLACK_KIB = 3000 };
    struct table t;
    const struct ens_impl *impl = turn(_i, &t);
    struct learning l = {0};
    double *many, *response, before, peak, declared = 0;
    FILE *f;

    if (impl == NULL || is_outside(impl))
        return;
    many = malloc(ROWS * COLUMNS * sizeof(*many));
    response = malloc(ROWS * sizeof(*response));
    fill_many(many, response, ROWS, COLUMNS, t.n_classes);
    t.x = many;
    t.y = response;
    t.n = t.n_source = strcmp(impl->name, "svm") == 0 ? 1000 : ROWS;
    t.p = COLUMNS;
    ck_assert(learning_open(&l, impl->name, settings_of(impl), &t) == ENS_OK);
    if (l.ops->uses & ENS_LEARN_BINS) {
        bins = growing_bins(&t, &l.arena);
        t.bins = &bins;
    }
    if (l.ops->memory != NULL)
        declared = (double)l.ops->memory(l.job.options, t.n, t.p) / 1024;
    f = fopen("/proc/self/clear_refs", "w"); /* the peak begins anew */
    ck_assert(f != NULL && fputs("5", f) >= 0 && fclose(f) == 0);
    before = status_kib("VmHWM:");
    ck_assert_msg(learning_fit(&l, &t) == ENS_OK, "%s: %s", impl->name,
                  l.err.text);
    peak = status_kib("VmHWM:") - before;
    ck_assert_msg(peak <= declared + SLACK_KIB, "%s: %s: %g KiB of %g",
                  impl->name, family_name[t.family], peak, declared);
    learning_close(&l);
}
END_TEST
#endif

int main(void)
{
    Suite *s = suite_create("learner");
    TCase *t = tcase_create("learner");
    SRunner *r = srunner_create(s);
    int failed, n = (int)ens_n_learners * FAMILIES;

    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, real_rows_are_predicted, 0, n);
    tcase_add_loop_test(t, same_rows_same_bytes, 0, n);
    tcase_add_loop_test(t, affine_functions_are_predictions, 0, n);
    tcase_add_loop_test(t, a_weight_of_two_is_a_row_twice, 0, n);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    tcase_add_loop_test(t, memory_is_declared, 0, n);
#endif
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
