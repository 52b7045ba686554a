/* Sums of blocks and moments against definitions in long double. */
#include "../learning.h"

#include "base/bug.h"
#include "math/chunk.h"
#include "math/rng.h"

#define N     3000
#define MAX_P 130

static double x[N * MAX_P], y[N], w[N], shift[MAX_P + 1];
static uint32_t fold[N];
static double mem[MAX_P * (MAX_P + 2)], other[MAX_P * (MAX_P + 2)];

static const size_t columns[] = {1, 2, 7, 8, 51, 129};

static void fill(size_t p, double far)
{
    struct ens_rng g;

    ens_rng_set(&g, 7, p, 0, 0);
    for (size_t i = 0; i < N; i++) {
        y[i] = 3 + ens_rng_normal(&g);
        w[i] = i % 11 ? ens_rng_uniform(&g) : 0;
        fold[i] = (uint32_t)ens_rng_below(&g, 4);
        for (size_t j = 0; j < p; j++) {
            x[i * p + j] =
                far * (double)(j + 1) + ens_rng_normal(&g) + y[i] / 4;
            shift[j] = far * (double)(j + 1) + 0.25;
        }
    }
    shift[p] = 2;
}

static double *doubles(size_t n)
{
    double *a = malloc((n + 1) * sizeof(*a));

    ck_assert_ptr_nonnull(a);
    return a;
}

/* Rows of folds that `in` says, added to sums of one block per fold. */
static double *pass(size_t p, const double *weights, const uint32_t *folds,
                    uint32_t n_folds, size_t call)
{
    double *sums = doubles(n_folds * ens_sums_doubles(p));
    double *work = doubles(ens_sums_pass_doubles(p, n_folds));
    struct ens_sums_pass to = {p, shift, n_folds, sums, work};

    for (uint32_t k = 0; k < n_folds; k++)
        ens_sums_init(sums + k * ens_sums_doubles(p), p);
    for (size_t i = 0; i < N; i += call) {
        struct ens_sums_rows rows = {
            .n = N - i < call ? N - i : call,
            .x = x + i * p,
            .stride = p,
            .y = y + i,
            .w = weights ? weights + i : NULL,
            .fold = folds ? folds + i : NULL,
        };

        ens_sums_lane(&to, &rows);
    }
    free(work);
    return sums;
}

/* Against two passes in long double over rows that are not of fold `out`. */
static void check_moments(const struct ens_moments *m, size_t p,
                          const double *weights, const uint32_t *folds,
                          uint32_t out)
{
    long double total = 0, mean[MAX_P + 1] = {0};
    uint64_t n = 0;

    for (int turn = 0; turn < 2; turn++)
        for (size_t i = 0; i < N; i++) {
            long double wi = weights ? weights[i] : 1;

            if (folds && folds[i] == out)
                continue;
            n += turn == 0;
            total += turn == 0 ? wi : 0;
            for (size_t j = 0; j <= p && turn == 0; j++)
                mean[j] += wi * (j < p ? x[i * p + j] : y[i]);
        }
    for (size_t j = 0; j <= p; j++)
        mean[j] /= total;
    ck_assert_uint_eq(m->n, n);
    ck_assert_uint_eq(m->p, p);
    ck_assert(fabs(m->weight - (double)total) < 1e-9);
    ck_assert(fabs(m->y_mean - (double)mean[p]) < 1e-12);
    for (size_t j = 0; j < p; j++) {
        ck_assert(fabs(m->mean[j] - (double)mean[j]) <
                  1e-12 + 4e-16 * fabs((double)mean[j]));
        for (size_t k = 0; k <= j + 1; k++) {
            long double s = 0;

            for (size_t i = 0; i < N; i++) {
                long double xk =
                    k <= j ? x[i * p + k] - mean[k] : y[i] - mean[p];

                if (!folds || folds[i] != out)
                    s += (weights ? weights[i] : 1) * (x[i * p + j] - mean[j]) *
                         xk;
            }
            s /= total;
            if (k > j) {
                ck_assert(fabs(m->cross[j] - (double)s) < 1e-12);
            } else {
                ck_assert(fabs(m->cov[j * p + k] - (double)s) < 1e-12);
                ck_assert(m->cov[j * p + k] == m->cov[k * p + j]);
            }
        }
    }
}

START_TEST(moments_are_their_definition)
{
    size_t p = columns[_i];

    for (int weighted = 0; weighted < 2; weighted++) {
        struct ens_moments m;
        double *sums, loss;

        fill(p, 1e8);
        sums = pass(p, weighted ? w : NULL, NULL, 1, N);
        ck_assert(ens_moments_finish(sums, shift, p, mem, &m, &loss, NULL) ==
                  ENS_OK);
        ck_assert(loss > 0 && loss < 10);
        check_moments(&m, p, weighted ? w : NULL, NULL, 0);
        free(sums);
    }
}
END_TEST

/* Held out is a fold whose values are 10^6 times as large: total less fold
 * would leave nothing. */
START_TEST(training_sets_are_unions_of_folds)
{
    static const uint32_t train[] = {0, 1, 3};
    size_t p = 7, size = ens_sums_doubles(p);
    struct ens_moments m;
    double *sums, *all = doubles(size);

    fill(p, 2);
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; fold[i] == 2 && j < p; j++)
            x[i * p + j] *= 1e6;
    sums = pass(p, w, fold, 4, N);
    ens_sums_union(sums, size, train, 3, p, all);
    ck_assert(ens_moments_finish(all, shift, p, mem, &m, NULL, NULL) == ENS_OK);
    check_moments(&m, p, w, fold, 2);
    free(sums);
    /* a fold that is out of range is in none */
    sums = pass(p, w, fold, 2, N);
    for (size_t i = 0; i < N; i++)
        fold[i] = fold[i] > 1;
    ens_sums_union(sums, size, NULL, 2, p, all);
    ck_assert(ens_moments_finish(all, shift, p, mem, &m, NULL, NULL) == ENS_OK);
    check_moments(&m, p, w, fold, 1);
    free(sums);
    free(all);
}
END_TEST

START_TEST(equal_rows_give_equal_bits)
{
    size_t p = columns[_i], size = 3 * ens_sums_doubles(p) * sizeof(double);
    double *a, *b, *moved = doubles(N * p + 1);

    fill(p, 3);
    a = pass(p, w, fold, 3, N);
    b = pass(p, w, fold, 3, 1024);
    ck_assert_mem_eq(a, b, size);
    free(b);
    /* elsewhere in memory, wider rows */
    for (size_t k = 0; k < 3; k++) {
        double *work = doubles(ens_sums_pass_doubles(p, 3) + 1);
        struct ens_sums_pass to = {p, shift, 3, doubles(size / 8),
                                   work + k % 2};
        struct ens_sums_rows rows = {N, moved + k % 2, p, y, w, fold};

        memcpy(moved + k % 2, x, N * p * sizeof(*x));
        for (uint32_t f = 0; f < 3; f++)
            ens_sums_init(to.sums + f * ens_sums_doubles(p), p);
        ens_sums_lane(&to, &rows);
        ck_assert_mem_eq(a, to.sums, size);
        free(to.sums);
        free(work);
    }
    free(a);
    free(moved);
}
END_TEST

/* Per level 2j and 2j + 1, level by level. */
START_TEST(lanes_are_added_by_a_tree)
{
    size_t p = 2, size = ens_sums_doubles(p), stride = 2 * size;
    double *lane = doubles(32 * stride), *out = doubles(size);

    for (size_t n = 1; n <= 19; n++) {
        double *work = doubles(ens_sums_tree_doubles(n, p));
        size_t left = n;

        fill(p, 1);
        for (size_t i = 0; i < n; i++) {
            double *sums = lane + i * stride;
            struct ens_sums_pass to = {p, shift, 1, sums, mem};
            struct ens_sums_rows rows = {10 + i, x + 50 * i, p, y, w, NULL};
            double *pass_work = doubles(ens_sums_pass_doubles(p, 1));

            to.work = pass_work;
            ens_sums_init(sums, p);
            ens_sums_lane(&to, &rows);
            free(pass_work);
        }
        ens_sums_tree(lane, stride, n, p, work, out);
        free(work);
        for (; left > 1; left = left / 2 + left % 2) {
            for (size_t i = 0; i < left / 2; i++) {
                memmove(lane + i * stride, lane + 2 * i * stride,
                        size * sizeof(*lane));
                ens_sums_add(lane + i * stride, lane + (2 * i + 1) * stride, p);
            }
            if (left % 2)
                memmove(lane + left / 2 * stride, lane + (left - 1) * stride,
                        size * sizeof(*lane));
        }
        ck_assert_mem_eq(lane, out, size * sizeof(*lane));
    }
    free(lane);
    free(out);
}
END_TEST

START_TEST(rows_give_their_moments)
{
    size_t p = columns[_i];
    struct ens_arena arena = ENS_ARENA_INIT;
    struct table t = {x, y, N, p, NULL, N, .w = w, .arena = &arena};
    struct ens_rows r = table_rows(&t);
    const struct ens_moments *m;

    fill(p, 1e8);
    ck_assert(r.moments(&r, &m, NULL) == ENS_OK);
    check_moments(m, p, w, NULL, 0);
    /* far from the shift that 1000 of the rows give: a second pass */
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; i % 3 == 0 && j < p; j++)
            x[i * p + j] += 1e9;
    for (size_t i = 0; i < N; i++)
        w[i] = i % 3 ? 1 : 0;
    ck_assert(r.moments(&r, &m, NULL) == ENS_OK);
    check_moments(m, p, w, NULL, 0);
    ens_arena_fini(&arena);
}
END_TEST

START_TEST(constant_columns_have_no_variance)
{
    size_t p = 7;
    struct ens_arena arena = ENS_ARENA_INIT;
    struct table t = {x, y, N, p, NULL, N, .arena = &arena};
    struct ens_rows r = table_rows(&t);
    const struct ens_moments *m;

    fill(p, 2);
    for (size_t i = 0; i < N; i++)
        x[i * p + 3] = 0.1;
    ck_assert(r.moments(&r, &m, NULL) == ENS_OK);
    ck_assert(m->mean[3] == 0.1);
    ck_assert(m->cross[3] == 0);
    for (size_t j = 0; j < p; j++)
        ck_assert(m->cov[3 * p + j] == 0 && m->cov[j * p + 3] == 0);
    ens_arena_fini(&arena);
}
END_TEST

START_TEST(bad_sums_are_refused)
{
    size_t p = 7;
    struct ens_arena arena = ENS_ARENA_INIT;
    struct table t = {x, y, N, p, NULL, N, .w = w, .arena = &arena};
    struct ens_rows r = table_rows(&t);
    const struct ens_moments *m;
    struct ens_error err;

    fill(p, 2);
    x[500 * p + 2] = 1e200;
    ck_assert(r.moments(&r, &m, &err) == ENS_EDOMAIN);
    ck_assert_str_eq(err.text, "column c has values that are not finite, or "
                               "too large to be squared");
    fill(p, 2);
    y[7] = 1e300;
    ck_assert(r.moments(&r, &m, &err) == ENS_EDOMAIN);
    ck_assert(strstr(err.text, "the response has") != NULL);
    fill(p, 2);
    memset(w, 0, sizeof(w));
    ck_assert(r.moments(&r, &m, &err) == ENS_EDOMAIN);
    ck_assert_str_eq(err.text, "all weights are 0");
    t.n = 0;
    r = table_rows(&t);
    ck_assert(r.moments(&r, &m, &err) == ENS_EDOMAIN);
    ck_assert_str_eq(err.text, "no rows");
    ens_arena_fini(&arena);
}
END_TEST

static void close_to(const struct ens_moments *a, const struct ens_moments *b)
{
    ck_assert_uint_eq(a->p, b->p);
    ck_assert(a->y_var == b->y_var || fabs(a->y_var - b->y_var) < 1e-12);
    for (size_t j = 0; j < a->p; j++) {
        ck_assert(fabs(a->mean[j] - b->mean[j]) < 1e-12);
        ck_assert(fabs(a->cross[j] - b->cross[j]) < 1e-12);
        for (size_t k = 0; k < a->p; k++)
            ck_assert(fabs(a->cov[j * a->p + k] - b->cov[j * a->p + k]) <
                      1e-12);
    }
}

/* Preprocessing of moments gives the moments of rows that are preprocessed. */
START_TEST(preprocessing_is_algebra)
{
    static const size_t chosen[] = {5, 0, 6};
    size_t p = 7, q = 3;
    double centre[7], scale[7], a[21], work[21], *z = doubles(N * p);
    struct ens_arena arena = ENS_ARENA_INIT;
    struct table t = {x, y, N, p, NULL, N, .w = w, .arena = &arena};
    struct table made = {z, y, N, q, NULL, N, .w = w, .arena = &arena};
    struct ens_rows r = table_rows(&t), rz;
    const struct ens_moments *from, *truth;
    struct ens_moments m;

    fill(p, 2);
    ck_assert(r.moments(&r, &from, NULL) == ENS_OK);
    for (size_t j = 0; j < p; j++) {
        centre[j] = 0.5 * (double)j;
        scale[j] = 1 / (1 + (double)j);
    }
    for (size_t i = 0; i < p * q; i++)
        a[i] = (double)(i * i % 7) - 2.5;

    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < q; j++)
            z[i * q + j] = x[i * p + chosen[j]];
    rz = table_rows(&made);
    ck_assert(rz.moments(&rz, &truth, NULL) == ENS_OK);
    ens_moments_select(from, chosen, q, other, &m);
    close_to(&m, truth);

    for (size_t i = 0; i < N; i++)
        for (size_t k = 0; k < q; k++) {
            z[i * q + k] = 0;
            for (size_t j = 0; j < p; j++)
                z[i * q + k] += a[j + k * p] * (x[i * p + j] - centre[j]);
        }
    ck_assert(rz.moments(&rz, &truth, NULL) == ENS_OK);
    ens_moments_map(from, centre, a, q, other, work, &m);
    for (size_t k = 0; k < q * q; k++)
        ck_assert(fabs(m.cov[k] - truth->cov[k]) < 1e-10);
    for (size_t k = 0; k < q; k++)
        ck_assert(fabs(m.mean[k] - truth->mean[k]) < 1e-10 &&
                  fabs(m.cross[k] - truth->cross[k]) < 1e-10);

    made.p = p;
    rz = table_rows(&made);
    for (size_t i = 0; i < N * p; i++)
        z[i] = (x[i] - centre[i % p]) * scale[i % p];
    ck_assert(rz.moments(&rz, &truth, NULL) == ENS_OK);
    ens_moments_scale(from, centre, scale, other, &m);
    close_to(&m, truth);
    ens_arena_fini(&arena);
    free(z);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("moments");
    TCase *t = tcase_create("moments");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, moments_are_their_definition, 0, ENS_COUNT(columns));
    tcase_add_loop_test(t, equal_rows_give_equal_bits, 0, ENS_COUNT(columns));
    tcase_add_loop_test(t, rows_give_their_moments, 0, ENS_COUNT(columns));
    tcase_add_test(t, training_sets_are_unions_of_folds);
    tcase_add_test(t, lanes_are_added_by_a_tree);
    tcase_add_test(t, constant_columns_have_no_variance);
    tcase_add_test(t, bad_sums_are_refused);
    tcase_add_test(t, preprocessing_is_algebra);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
