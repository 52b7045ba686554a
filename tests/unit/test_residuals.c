/* Mean square errors from moments against those of rows in long double, and
 * functions of preprocessed columns as functions of their source's. */
#include "../prep.h"
#include "base/bug.h"
#include "learn/moments.h"
#include "math/rng.h"

#include <float.h>
#include <math.h>

#define N 3000
#define P 6

static struct ens_arena arena;
static double x[N][P], y[N], w[N];
static double centre[P], coef[P], size[P];

static void setup(void)
{
    ens_arena_init(&arena);
}

static void teardown(void)
{
    ens_arena_fini(&arena);
}

/* -- rounding ------------------------------------------------------------ */

static const struct made {
    double noise; /* sd of the response about the function */
    double apart; /* sd of the columns about what they have in common */
    double far;   /* means of columns and of the response */
    double shift; /* how far sums are from the means, in sds */
    double large; /* coefficients that all but cancel each other */
    int weighted;
    int known; /* is the error said? -1: either will do, if it is right */
} made[] = {
    {1, 1, 0, 0, 0, 0, 1},        {1, 1, 0, 0, 0, 1, 1},
    {1e-1, 1, 0, 0, 0, 0, 1},     {1e-1, 1e-3, 0, 0.1, 0, 1, 1},
    {1, 1, 100, 1, 0, 0, 1},      {1, 1, 1e5, 0, 0, 1, 1},
    {1, 1e-4, 0, 0, 1, 0, 1},     {1e-2, 1, 0, 0, 0, 0, -1},
    {1e-2, 1, 1e3, 10, 0, 1, -1}, {1e-3, 1e-3, 5, 1, 1, 0, -1},
    {1, 1e-6, 0, 0, 1e3, 1, -1},  {1, 1, 0, 300, 0, 1, -1},
    {1, 1, 1e9, 1, 0, 0, -1},     {1e-5, 1, 0, 0, 0, 0, 0},
    {1e-9, 1, 0, 0, 0, 1, 0},     {0, 1, 0, 0, 0, 0, 0},
    {1, 1e-6, 0, 0, 1e6, 0, 0},   {1, 1, 0, 1e5, 0, 1, 0},
    {1, 1, 1e13, 0, 0, 0, 0},
};

static double of_row(const double *row, double base)
{
    for (size_t j = 0; j < P; j++)
        base += (row[j] - centre[j]) * coef[j];
    return base;
}

static void fill(const struct made *m)
{
    struct ens_rng g;

    ens_rng_set(&g, 3, 0, 0, 0);
    for (size_t j = 0; j < P; j++) {
        centre[j] = m->far + 0.125;
        coef[j] = 1.5 - (double)j + m->large * (j % 2 ? 1 : -1);
        size[j] = fabs(coef[j]);
    }
    for (size_t i = 0; i < N; i++) {
        double common = ens_rng_normal(&g);

        for (size_t j = 0; j < P; j++)
            x[i][j] = m->far + common + m->apart * ens_rng_normal(&g);
        y[i] = of_row(x[i], m->far) + m->noise * ens_rng_normal(&g);
        w[i] = i % 7 ? ens_rng_uniform(&g) : 0;
    }
}

static double lost_of(const struct made *m, struct ens_moments *to)
{
    static double sums[100], work[60000], mem[P * (P + 2)], shift[P + 1];
    struct ens_sums_pass pass = {P, shift, 1, sums, work};
    struct ens_sums_rows rows = {
        .n = N, .x = x[0], .stride = P, .y = y, .w = m->weighted ? w : NULL};
    double lost;

    ck_assert(ens_sums_doubles(P) <= 100 &&
              ens_sums_pass_doubles(P, 1) <= 60000);
    for (size_t j = 0; j <= P; j++)
        shift[j] = m->far + m->shift;
    ens_sums_init(sums, P);
    ens_sums_lane(&pass, &rows);
    ck_assert_int_eq(ens_moments_finish(sums, shift, P, mem, to, &lost, NULL),
                     ENS_OK);
    return lost;
}

static double by_rows(const struct made *m)
{
    long double sum = 0, total = 0;

    for (size_t i = 0; i < N; i++) {
        long double e = (long double)y[i] - m->far, v = m->weighted ? w[i] : 1;

        for (size_t j = 0; j < P; j++)
            e -= ((long double)x[i][j] - centre[j]) * coef[j];
        sum += v * e * e;
        total += v;
    }
    return (double)(sum / total);
}

START_TEST(squares_are_those_of_rows)
{
    const struct made *m = &made[_i];
    struct ens_linear_form form = {P, m->far, fabs(m->far), centre, coef, size};
    struct ens_moments moments;
    double lost, found, expected;

    fill(m);
    lost = lost_of(m, &moments);
    found = ens_residuals_square(&moments, lost, &form);
    expected = by_rows(m);
    if (m->known >= 0)
        ck_assert_msg(isnan(found) == !m->known, "%d: %g of %g, lost %g", _i,
                      found, expected, lost);
    if (!isnan(found))
        ck_assert_msg(fabs(found - expected) <= 1e-9 * expected,
                      "%d: %.17g, not %.17g", _i, found, expected);
}
END_TEST

/* What residuals.h says of the constant: with coefficients of 8 and noise that
 * becomes small the worst of 400 is looked for. */
START_TEST(rounding_is_bounded)
{
    double most = 0;

    for (int k = 0; k < 400; k++) {
        const struct made m = {.noise = exp2(-(k % 14)),
                               .apart = exp2(-(k % 11)),
                               .shift = k % 5,
                               .large = k % 3,
                               .weighted = k % 2};
        struct ens_linear_form form = {P, 0, 0, centre, coef, size};
        struct ens_moments moments;
        double lost, spread, found;

        fill(&m);
        lost = lost_of(&m, &moments);
        found = ens_residuals_square(&moments, lost, &form);
        spread = sqrt(moments.y_var);
        for (size_t j = 0; j < P; j++)
            spread += size[j] * sqrt(moments.cov[j * P + j]);
        if (!isnan(found))
            most = fmax(most, fabs(found - by_rows(&m)) /
                                  (DBL_EPSILON * lost * spread * spread));
    }
    ck_assert_msg(most > 0 && most < 2, "%g", most);
}
END_TEST

/* -- preprocessing ------------------------------------------------------- */

static const char *const chains[] = {
    "none",
    "standardise",
    "subset(5, 2, 3)",
    "minmax subset(-1) standardise",
    "standardise pca(3)",
    "maxabs pca subset(4, 1) standardise",
    "robust pca(0.9, whiten=yes)",
};

static const struct ens_prep_fitted *fit_steps(const char *text)
{
    static const char *const name[P] = {"a", "b", "c", "d", "e", "f"};
    static struct ens_learn_source source;
    static struct ens_span span;
    const struct ens_view v = {.data = x,
                               .dtype = ENS_DT_F64,
                               .ndim = 2,
                               .shape = {N, P},
                               .strides = {8 * P, 8}};
    struct ens_prep_train train = {
        .rows = {.source = &source, .set = ens_rowset_one(&span, NULL, 0, N)}};
    struct ens_prep_fitted *f = ens_arena_alloc(&arena, 1, sizeof(*f));
    struct ens_error err = {0};
    struct ens_prep steps;
    const void *blob;
    size_t bytes;

    ens_learn_source_init(&source, N, &arena);
    ck_assert(ens_learn_source_add_view(&source, &v, 0, P, name, NULL, NULL) ==
              ENS_OK);
    ck_assert(read_steps(text, &arena, &steps, &err) == ENS_OK);
    ck_assert_msg(ens_prep_fit(&steps, &train, &arena, &blob, &bytes, &err) ==
                      ENS_OK,
                  "%s", err.text);
    ck_assert(ens_prep_open(blob, bytes, name, P, &arena, f, &err) == ENS_OK);
    return f;
}

START_TEST(functions_are_of_the_source)
{
    static const struct made m = {.noise = 1, .apart = 0.5, .far = 40};
    const struct ens_prep_fitted *f;
    struct ens_learn_affine own = {0.75, centre, coef};
    struct ens_linear_form form;
    double *work, out[P];

    fill(&m);
    f = fit_steps(chains[_i]);
    for (size_t j = 0; j < P; j++)
        centre[j] = 0.25 * (double)j - 0.5;
    work = ens_arena_alloc(&arena, f->rows.work + 1, sizeof(*work));
    ck_assert(ens_prep_pull(f, &own, &arena, &form, NULL) == ENS_OK);
    ck_assert_uint_eq(form.p, P);
    for (size_t i = 0; i < N; i += 100) {
        double expected = own.base, found = form.base;

        f->rows.apply(f->rows.own, x[i], 1, out, work);
        for (size_t k = 0; k < f->rows.p; k++)
            expected += (out[k] - centre[k]) * coef[k];
        for (size_t j = 0; j < P; j++) {
            found += (x[i][j] - form.centre[j]) * form.coef[j];
            ck_assert(form.coef_size[j] >= fabs(form.coef[j]) * (1 - 1e-15));
        }
        ck_assert_double_eq_tol(found, expected, 1e-11);
    }
}
END_TEST

START_TEST(bent_columns_have_none)
{
    static const struct made m = {.noise = 1, .apart = 1};
    struct ens_learn_affine own = {0.5, NULL, NULL};
    struct ens_linear_form form;

    fill(&m);
    ck_assert(ens_prep_pull(fit_steps("poly(2) standardise"), &own, &arena,
                            &form, NULL) == ENS_OK);
    ck_assert_uint_eq(form.p, 0);
}
END_TEST

/* Of a constant and of columns that are constant. */
START_TEST(means_are_functions)
{
    static const struct made m = {.noise = 1, .apart = 1};
    struct ens_learn_affine own = {2.5, NULL, NULL};
    const struct ens_prep_fitted *f;
    struct ens_linear_form form;
    struct ens_moments moments;
    double lost;

    fill(&m);
    for (size_t i = 0; i < N; i++)
        x[i][2] = 7;
    f = fit_steps("standardise");
    ck_assert(ens_prep_pull(f, &own, &arena, &form, NULL) == ENS_OK);
    lost = lost_of(&m, &moments);
    ck_assert_double_eq_tol(ens_residuals_square(&moments, lost, &form),
                            moments.y_var + pow(moments.y_mean - 2.5, 2),
                            1e-12);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("residuals");
    TCase *t = tcase_create("residuals");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, squares_are_those_of_rows, 0, ENS_COUNT(made));
    tcase_add_test(t, rounding_is_bounded);
    tcase_add_loop_test(t, functions_are_of_the_source, 0, ENS_COUNT(chains));
    tcase_add_test(t, bent_columns_have_none);
    tcase_add_test(t, means_are_functions);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
