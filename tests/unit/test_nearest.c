/* Nearest rows: a tree and brute force against a sort of all distances. */
#include "../learning.h"

#include "base/bug.h"
#include "learn/brute.h"

#define MAX_N 3000
#define MAX_P 18
#define MAX_K 40

static double x[MAX_N * MAX_P];
static uint64_t pick[MAX_N];
static uint32_t seed = 1;

static double draw(void)
{
    seed = seed * 1664525u + 1013904223u;
    return (double)(seed >> 8) / (double)(1 << 24);
}

static const struct data {
    const char *what;
    size_t n, p, k;
    int levels; /* of a value; 0: continuous */
    double offset;
    int shuffle, scaled, copied;
} all[] = {
    {"two columns", 3000, 2, 5, 0, 0, 0, 0, 0},
    {"one column", 1000, 1, 1, 0, 0, 0, 0, 0},
    {"many neighbours", 3000, 3, 40, 0, 0, 0, 1, 0},
    {"many columns", 1000, 18, 5, 0, 0, 0, 1, 0},
    {"ties", 3000, 3, 7, 3, 0, 0, 0, 0},
    {"all rows equal", 3000, 2, 7, 1, 0, 0, 0, 0},
    {"far from zero", 2000, 4, 5, 0, 1e8, 0, 0, 0},
    {"shuffled", 2000, 2, 5, 4, 0, 1, 1, 0},
    {"behind a function", 2000, 2, 5, 4, 0, 0, 1, 1},
    {"a leaf", 32, 2, 5, 0, 0, 0, 0, 0},
    {"more than a leaf", 33, 2, 33, 0, 0, 0, 0, 0},
    {"one row", 1, 3, 1, 0, 0, 0, 0, 0},
    {"huge", 1000, 2, 3, 0, 1e200, 0, 0, 0},
};

static struct table fill(const struct data *d)
{
    static const double centre[MAX_P] = {0.5, 0.25},
                        scale[MAX_P] = {3, 0.5, 2, 1, 1, 1, 1, 1, 1,
                                        1, 1,   1, 1, 1, 1, 1, 1, 1};
    struct table t = {.x = x,
                      .y = x,
                      .n_source = d->n,
                      .p = d->p,
                      .n = d->n,
                      .direct = !d->copied};

    seed = 1;
    for (size_t i = 0; i < d->n * d->p; i++)
        x[i] = d->offset * (1 + 1e-9 * draw()) +
               (d->levels ? floor(draw() * d->levels) : draw());
    if (d->scaled) {
        t.centre = centre;
        t.scale = scale;
    }
    if (d->shuffle) {
        for (size_t i = 0; i < d->n; i++)
            pick[i] = i;
        for (size_t i = d->n; i-- > 1;) {
            size_t j = (size_t)(draw() * (double)(i + 1));
            uint64_t keep = pick[i];

            pick[i] = pick[j];
            pick[j] = keep;
        }
        t.index = pick;
    }
    return t;
}

static int compare(const void *a, const void *b)
{
    const struct ens_near *c = a, *d = b;

    return ens_near_before(*c, *d) ? -1 : ens_near_before(*d, *c);
}

static void expect_all(const struct data *d, enum ens_kd_metric metric)
{
    static struct ens_near truth[MAX_N];
    static double work[ENS_BRUTE_WORK(MAX_P)];
    struct ens_near by_tree[MAX_K], by_brute[MAX_K];
    struct ens_nearest tree_heap = {by_tree, d->k}, heap = {by_brute, d->k};
    struct table t = fill(d);
    struct ens_rows r = table_rows(&t);
    size_t bytes = (size_t)ens_kdtree_bytes(r.n, r.p);
    void *memory = calloc(1, bytes),
         *scratch = calloc(1, (size_t)ens_kdtree_work(r.n, r.p));
    struct ens_kdtree tree;

    ens_kdtree_build(memory, &r, scratch);
    ck_assert_int_eq(ens_kdtree_open(&tree, memory, bytes, &r), 0);
    for (size_t q = 0; q < 60; q++) {
        double at[MAX_P], row[MAX_P];

        table_row(&t, q * 13 % d->n, at);
        for (size_t j = 0; j < d->p && q % 2; j++)
            at[j] += draw() - 0.5;
        for (size_t i = 0; i < d->n; i++) {
            table_row(&t, i, row);
            truth[i] = (struct ens_near){ens_kd_distance(metric, at, row, d->p),
                                         (uint32_t)i};
        }
        qsort(truth, d->n, sizeof(*truth), compare);
        ens_nearest_clear(&tree_heap);
        ens_nearest_clear(&heap);
        ck_assert_int_eq(ens_kdtree_search(&tree, metric, at, &tree_heap, work),
                         0);
        ck_assert_uint_eq(ens_nearest_sort(&tree_heap), d->k);
        ens_brute(&r, metric, at, 1, &heap, work);
        ck_assert_uint_eq(ens_nearest_sort(&heap), d->k);
        for (size_t i = 0; i < d->k; i++) {
            ck_assert_msg(by_tree[i].at == truth[i].at &&
                              by_tree[i].d == truth[i].d,
                          "%s: query %zu, tree: neighbour %zu is %u at %.17g, "
                          "not %u at %.17g",
                          d->what, q, i, by_tree[i].at, by_tree[i].d,
                          truth[i].at, truth[i].d);
            ck_assert_msg(by_brute[i].at == truth[i].at &&
                              by_brute[i].d == truth[i].d,
                          "%s: query %zu, brute force: neighbour %zu is %u",
                          d->what, q, i, by_brute[i].at);
        }
    }
    free(memory);
    free(scratch);
}

START_TEST(neighbours_are_those_of_a_sort)
{
    expect_all(&all[_i], ENS_KD_EUCLIDEAN);
    expect_all(&all[_i], ENS_KD_MANHATTAN);
}
END_TEST

START_TEST(queries_in_a_block_do_not_touch_each_other)
{
    static double work[ENS_BRUTE_WORK(MAX_P)];
    static struct ens_near near[ENS_BRUTE_QUERIES][5], alone[5];
    struct ens_nearest heap[ENS_BRUTE_QUERIES], one = {alone, 5};
    struct table t = fill(&all[3]);
    struct ens_rows r = table_rows(&t);
    static double q[ENS_BRUTE_QUERIES * MAX_P];

    table_x(&r, 100, ENS_BRUTE_QUERIES, q);
    for (size_t i = 0; i < ENS_BRUTE_QUERIES; i++) {
        heap[i] = (struct ens_nearest){near[i], 5};
        ens_nearest_clear(&heap[i]);
    }
    ens_brute(&r, ENS_KD_EUCLIDEAN, q, ENS_BRUTE_QUERIES, heap, work);
    for (size_t i = 0; i < ENS_BRUTE_QUERIES; i += 17) {
        ens_nearest_clear(&one);
        ens_brute(&r, ENS_KD_EUCLIDEAN, q + i * r.p, 1, &one, work);
        ens_nearest_sort(&one);
        ens_nearest_sort(&heap[i]);
        for (size_t k = 0; k < 5; k++)
            ck_assert(near[i][k].at == alone[k].at &&
                      near[i][k].d == alone[k].d);
    }
}
END_TEST

/* Any byte of a tree may be wrong: an error, or another answer, nothing else
 * (run under a sanitizer). */
START_TEST(a_damaged_tree_is_refused_or_survived)
{
    struct table t = fill(&all[0]);
    struct ens_rows r = table_rows(&t);
    size_t bytes = (size_t)ens_kdtree_bytes(r.n, r.p);
    char *memory = calloc(1, bytes), *broken = malloc(bytes);
    void *scratch = calloc(1, (size_t)ens_kdtree_work(r.n, r.p));
    double work[ENS_KD_SEARCH_WORK(2)];
    int refused = 0;

    ens_kdtree_build(memory, &r, scratch);
    for (size_t i = 0; i < bytes; i += i < 2000 ? 1 : 101) {
        struct ens_kdtree tree;
        struct ens_near near[5];
        struct ens_nearest heap = {near, 5};

        memcpy(broken, memory, bytes);
        broken[i] = (char)(broken[i] ^ 0x81);
        if (ens_kdtree_open(&tree, broken, bytes, &r) != 0) {
            refused++;
            continue;
        }
        ens_nearest_clear(&heap);
        (void)ens_kdtree_search(&tree, ENS_KD_EUCLIDEAN, x + 20, &heap, work);
    }
    ck_assert_int_gt(refused, 30);
    ck_assert_int_ne(
        ens_kdtree_open(&(struct ens_kdtree){0}, memory, bytes - 1, &r), 0);
    r.n--;
    ck_assert_int_ne(
        ens_kdtree_open(&(struct ens_kdtree){0}, memory, bytes, &r), 0);
    free(memory);
    free(broken);
    free(scratch);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("nearest");
    TCase *t = tcase_create("nearest");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_loop_test(t, neighbours_are_those_of_a_sort, 0,
                        (int)ENS_COUNT(all));
    tcase_add_test(t, queries_in_a_block_do_not_touch_each_other);
    tcase_add_test(t, a_damaged_tree_is_refused_or_survived);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
