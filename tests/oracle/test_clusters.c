/* Clusters: Lloyd's steps as scikit-learn takes them (clusters.py), and what
 * must hold of starts that are drawn. */
#include "learn/clusters.h"

#include "base/bug.h"
#include "learn/rows.h"
#include "math/rng.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define N 300
#define P 3

#include "clusters.inc"

static struct ens_arena arena;
static struct ens_rng rng;
static struct ens_learn_source source;
static struct ens_span span;

static uint64_t below(void *arg, uint64_t n)
{
    return ens_rng_below(arg, n);
}

static const struct ens_draws draws = {below, &rng};

static void setup(void)
{
    ens_arena_init(&arena);
    ens_rng_set(&rng, 42, 1, 1, 0);
}

static void teardown(void)
{
    ens_arena_fini(&arena);
}

static struct ens_rows rows_of(const double *x, uint64_t n, size_t p)
{
    static const char *const name[P] = {"a", "b", "c"};
    const struct ens_view v = {.data = x,
                               .dtype = ENS_DT_F64,
                               .ndim = 2,
                               .shape = {n, p},
                               .strides = {8 * (int64_t)p, 8}};
    const struct ens_rows_spec spec = {
        .source = &source, .set = ens_rowset_one(&span, NULL, 0, n)};
    struct ens_rows r;

    ens_learn_source_init(&source, n, &arena);
    ck_assert_int_eq(
        ens_learn_source_add_view(&source, &v, 0, p, name, NULL, NULL), ENS_OK);
    ck_assert_int_eq(ens_rows_open(&spec, &arena, &r, NULL), ENS_OK);
    return r;
}

static const struct known {
    uint32_t J;
    const double *centre;
    const int *label;
} known[] = {{2, centres_2, labels_2},
             {3, centres_3, labels_3},
             {4, centres_4, labels_4},
             {7, centres_7, labels_7}};

START_TEST(steps_are_those_of_the_reference)
{
    const struct known *k = &known[_i];
    struct ens_rows r = rows_of(data_x, N, P);
    struct ens_clusters c = {.n = k->J, .p = P};
    double start[7 * P], block[256 * P];
    int64_t label[N];
    struct ens_labels l;

    memcpy(start, data_x, k->J * P * sizeof(*start));
    c.centre = start;
    ck_assert_int_eq(ens_clusters_settle(&r, &arena, &c, NULL), ENS_OK);
    for (size_t j = 0; j < k->J * P; j++)
        ck_assert_double_eq_tol(c.centre[j], k->centre[j], 1e-12 * 20);
    ens_clusters_of(&c, &r, 0, N, block, label);
    ck_assert_int_eq(ens_clusters_labels(&c, &r, &arena, &l, NULL), ENS_OK);
    ck_assert_uint_eq(l.n_labels, k->J);
    for (int i = 0; i < N; i++) {
        ck_assert_int_eq(label[i], k->label[i]);
        ck_assert_uint_eq(l.code[i], (uint32_t)k->label[i]);
    }
}
END_TEST

/* Clusters as the partitions of a subsemble. */
START_TEST(clusters_make_folds)
{
    const struct ens_folds_spec spec = {
        .type = ENS_FOLDS_SUBSEMBLE, .folds = 3, .partitions = 4};
    struct ens_rows r = rows_of(data_x, N, P);
    struct ens_order_how how = {0};
    struct ens_span all;
    struct ens_rowset rows = ens_rowset_one(&all, NULL, 0, N);
    struct ens_clusters c;
    struct ens_labels l;
    int64_t order[N];
    uint64_t start[17];

    ck_assert_int_eq(ens_clusters_fit(&r, 4, &draws, &arena, &c, NULL), ENS_OK);
    ck_assert_int_eq(ens_clusters_labels(&c, &r, &arena, &l, NULL), ENS_OK);
    how.partitions = &l;
    ck_assert_int_eq(
        ens_folds_order(&spec, &rows, &how, &arena, order, start, NULL),
        ENS_OK);
    for (uint32_t j = 0; j < 4; j++)
        for (uint64_t i = start[4 * j]; i < start[4 * (j + 1)]; i++)
            ck_assert_uint_eq(l.code[order[i]], j);
}
END_TEST

static double spread(const struct ens_clusters *c)
{
    static uint32_t cluster[N];
    static double distance[N];
    double sum = 0;

    ens_clusters_nearest(c, data_x, N, cluster, distance);
    for (int i = 0; i < N; i++)
        sum += distance[i];
    return sum;
}

START_TEST(starts_are_drawn)
{
    struct ens_rows r = rows_of(data_x, N, P);
    struct ens_clusters known4 = {4, P, NULL}, a, b;
    double centre[4 * P], best = 1e300;

    memcpy(centre, centres_4, sizeof(centre));
    known4.centre = centre;
    for (int i = 0; i < 10; i++) {
        ck_assert_int_eq(ens_clusters_fit(&r, 4, &draws, &arena, &a, NULL),
                         ENS_OK);
        best = spread(&a) < best ? spread(&a) : best;
    }
    ck_assert_double_le(best, spread(&known4) * (1 + 1e-12));
    ens_rng_set(&rng, 42, 1, 1, 0);
    ens_clusters_fit(&r, 4, &draws, &arena, &a, NULL);
    ens_rng_set(&rng, 42, 1, 1, 0);
    ens_clusters_fit(&r, 4, &draws, &arena, &b, NULL);
    ck_assert_int_eq(memcmp(a.centre, b.centre, 4 * P * sizeof(*a.centre)), 0);
}
END_TEST

/* More rows than centres are found from; three values. */
START_TEST(many_rows_are_sampled)
{
    uint64_t n = 3 * ENS_CLUSTERS_ROWS + 17;
    double *x = malloc(n * sizeof(*x)), block[256];
    int64_t *label = malloc(n * sizeof(*label));
    struct ens_clusters c;
    struct ens_error err = {0};
    struct ens_rows r;

    for (uint64_t i = 0; i < n; i++)
        x[i] = (double)(i * 7 % 3) * 100;
    r = rows_of(x, n, 1);
    ck_assert_int_eq(ens_clusters_fit(&r, 3, &draws, &arena, &c, NULL), ENS_OK);
    ens_clusters_of(&c, &r, 0, n, block, label);
    for (uint64_t i = 0; i < n; i++)
        ck_assert_double_eq(c.centre[label[i]], x[i]);
    ck_assert_int_eq(ens_clusters_fit(&r, 4, &draws, &arena, &c, &err),
                     ENS_EDOMAIN);
    ck_assert_str_eq(err.text, "4 clusters: the rows are of 3 different kinds "
                               "only");
    free(label);
    free(x);
}
END_TEST

/* Two centres at one place: one of them loses all rows. */
START_TEST(empty_clusters_start_anew)
{
    static const double x[6] = {0, 1, 2, 10, 11, 12};
    struct ens_rows r = rows_of(x, 6, 1);
    double centre[3] = {5, 5, 500};
    struct ens_clusters c = {3, 1, centre};
    uint32_t label[6];
    int seen[3] = {0};

    ck_assert_int_eq(ens_clusters_settle(&r, &arena, &c, NULL), ENS_OK);
    ens_clusters_nearest(&c, x, 6, label, NULL);
    for (int i = 0; i < 6; i++)
        seen[label[i]] = 1;
    ck_assert_int_eq(seen[0] + seen[1] + seen[2], 3);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("clusters");
    TCase *t = tcase_create("clusters");
    SRunner *r;
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, steps_are_those_of_the_reference, 0,
                        ENS_COUNT(known));
    tcase_add_test(t, clusters_make_folds);
    tcase_add_test(t, starts_are_drawn);
    tcase_add_test(t, many_rows_are_sampled);
    tcase_add_test(t, empty_clusters_start_anew);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
