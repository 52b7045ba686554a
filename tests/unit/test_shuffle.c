/* Folds that are no blocks: what must hold of any order of rows. */
#include "learn/order.h"

#include "base/bug.h"
#include "math/rng.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define N 97

static struct ens_arena arena;
static struct ens_rng rng;
static double id[N], stratum[N], part[N];

static uint64_t below(void *arg, uint64_t n)
{
    return ens_rng_below(arg, n);
}

static const struct ens_draws draws = {below, &rng};

static void setup(void)
{
    ens_arena_init(&arena);
    ens_rng_set(&rng, 42, 1, 1, 0);
    for (int i = 0; i < N; i++) {
        id[i] = (i * 13) % 29;
        stratum[i] = i % 5 == 0 ? 10 : i % 7 == 0 ? -4 : 2;
        part[i] = i * i % 3;
    }
}

static void teardown(void)
{
    ens_arena_fini(&arena);
}

static struct ens_input input_of(const double *x)
{
    return (struct ens_input){.name = "g",
                              .n_rows = N,
                              .n_columns = 1,
                              .view = {.data = x,
                                       .dtype = ENS_DT_F64,
                                       .ndim = 1,
                                       .shape = {N},
                                       .strides = {8}}};
}

static struct ens_labels *labels_of(const double *x,
                                    const struct ens_rowset *rows)
{
    struct ens_labels *l = ens_arena_alloc(&arena, 1, sizeof(*l));
    const struct ens_input in = input_of(x);

    ck_assert_int_eq(ens_labels_read(&in, rows, &arena, l, NULL), ENS_OK);
    return l;
}

static struct ens_rowset all_rows(void)
{
    struct ens_span *span = ens_arena_alloc(&arena, 1, sizeof(*span));

    return ens_rowset_one(span, NULL, 0, N);
}

/* What an outer fold leaves. */
static struct ens_rowset some_rows(void)
{
    struct ens_span *span = ens_arena_alloc(&arena, 2, sizeof(*span));

    span[0] = (struct ens_span){NULL, 0, 30, 0};
    span[1] = (struct ens_span){NULL, 50, N - 50, 30};
    return (struct ens_rowset){N - 20, 2, span};
}

struct made {
    int64_t *order;
    uint64_t *start;
    struct ens_folds folds;
};

static struct made make(const struct ens_folds_spec *spec,
                        const struct ens_rowset *rows,
                        const struct ens_order_how *how)
{
    struct ens_span *span = ens_arena_alloc(&arena, 1, sizeof(*span));
    struct ens_error err = {0};
    struct ens_rowset base;
    struct made m;

    m.order = ens_arena_alloc(&arena, rows->n, sizeof(*m.order));
    m.start = ens_arena_alloc(&arena, ens_order_starts(spec), sizeof(*m.start));
    ck_assert_msg(ens_folds_order(spec, rows, how, &arena, m.order, m.start,
                                  &err) == ENS_OK,
                  "%s", err.text);
    base = ens_rowset_one(span, m.order, 0, rows->n);
    ck_assert_int_eq(ens_folds_open(spec, &base, m.start, &m.folds, NULL),
                     ENS_OK);
    return m;
}

/* Each row of the set once; groups in ascending order. */
static void check_order(const struct made *m, const struct ens_rowset *rows,
                        size_t n_groups)
{
    int seen[N] = {0};
    uint64_t at;

    for (uint64_t i = 0; i < rows->n; i++) {
        ck_assert_int_eq(seen[m->order[i]]++, 0);
        ck_assert(ens_rowset_find(rows, (uint64_t)m->order[i], &at));
    }
    for (size_t g = 0; g < n_groups; g++)
        for (uint64_t i = m->start[g] + 1; i < m->start[g + 1]; i++)
            ck_assert_int_lt(m->order[i - 1], m->order[i]);
}

/* Blocks of the two levels differ by one row at most. */
static void check_sizes(const struct ens_folds *f, uint64_t slack)
{
    for (uint32_t j = 0; j < f->J; j++) {
        uint64_t least = UINT64_MAX, most = 0;

        for (uint32_t k = 0; k < f->K; k++) {
            const uint64_t *s = f->start + (size_t)j * (f->K + 1) + k;
            uint64_t n = s[1] - s[0];

            least = n < least ? n : least;
            most = n > most ? n : most;
        }
        ck_assert_uint_le(most - least, slack);
    }
}

static const struct ens_folds_spec specs[] = {
    {.type = ENS_FOLDS_STACK, .folds = 5},
    {.type = ENS_FOLDS_STACK, .folds = 2},
    {.type = ENS_FOLDS_SUBSEMBLE, .folds = 3, .partitions = 4},
    {.type = ENS_FOLDS_SUBSEMBLE, .folds = 2, .partitions = 1},
};

static int same_order(const struct made *a, const struct made *b, uint64_t n)
{
    return memcmp(a->order, b->order, n * sizeof(*a->order)) == 0;
}

START_TEST(rows_are_shuffled)
{
    const struct ens_folds_spec *spec = &specs[_i];
    struct ens_rowset rows[2] = {all_rows(), some_rows()};

    for (int k = 0; k < 2; k++) {
        const struct ens_order_how how = {.shuffle = &draws};
        struct made a = make(spec, &rows[k], &how), b, c;

        check_order(&a, &rows[k], ens_order_starts(spec) - 1);
        check_sizes(&a.folds, 1);
        ck_assert_uint_eq(a.folds.n_out, rows[k].n);
        b = make(spec, &rows[k], &how); /* the stream goes on */
        ck_assert(!same_order(&a, &b, rows[k].n));
        ens_rng_set(&rng, 42, 1, 1, 0);
        b = make(spec, &rows[k], &how);
        ens_rng_set(&rng, 42, 1, 1, 0);
        c = make(spec, &rows[k], &how);
        ck_assert(same_order(&b, &c, rows[k].n));
    }
}
END_TEST

/* Without a stream and labels: the blocks. */
START_TEST(blocks_are_an_order_too)
{
    struct ens_rowset rows = some_rows(), a, b;
    struct made m = make(&specs[_i], &rows, &(struct ens_order_how){0});
    struct ens_folds plain;

    ck_assert_int_eq(ens_folds_open(&specs[_i], &rows, NULL, &plain, NULL),
                     ENS_OK);
    ens_folds_out(&plain, &arena, &a, NULL);
    ens_folds_out(&m.folds, &arena, &b, NULL);
    ck_assert_uint_eq(a.n, b.n);
    for (uint64_t i = 0; i < a.n; i++)
        ck_assert_uint_eq(ens_rowset_row(&a, i), ens_rowset_row(&b, i));
}
END_TEST

/* Fold of each row within its partition, and its partition. */
static void groups_of(const struct ens_folds *f, int fold[N], int partition[N])
{
    for (uint32_t j = 0; j < f->J; j++)
        for (uint32_t k = 0; k <= f->K; k++) {
            const uint64_t *s = f->start + (size_t)j * (f->K + 1) + k;

            for (uint64_t i = s[0]; i < s[1]; i++) {
                fold[ens_rowset_row(&f->base, i)] = (int)k;
                partition[ens_rowset_row(&f->base, i)] = (int)j;
            }
        }
}

START_TEST(ids_stay_together)
{
    const struct ens_folds_spec *spec = &specs[_i / 4];
    int fold[N], partition[N];
    struct ens_rowset rows = all_rows();
    const struct ens_order_how how = {
        .shuffle = _i % 2 ? &draws : NULL,
        .id = labels_of(id, &rows),
        .strata = _i % 4 > 1 ? labels_of(stratum, &rows) : NULL};
    struct made m = make(spec, &rows, &how);

    check_order(&m, &rows, ens_order_starts(spec) - 1);
    groups_of(&m.folds, fold, partition);
    for (int i = 0; i < N; i++)
        for (int k = i; k < N; k++)
            if (id[i] == id[k]) {
                ck_assert_int_eq(fold[i], fold[k]);
                ck_assert_int_eq(partition[i], partition[k]);
            }
    if (how.strata == NULL) /* ids have at most 4 rows */
        check_sizes(&m.folds, 4);
}
END_TEST

START_TEST(strata_are_spread)
{
    const struct ens_folds_spec *spec = &specs[_i / 2];
    struct ens_rowset rows = some_rows();
    const struct ens_order_how how = {.shuffle = _i % 2 ? &draws : NULL,
                                      .strata = labels_of(stratum, &rows)};
    struct made m = make(spec, &rows, &how);
    int fold[N], partition[N], count[4][5][3] = {0};

    check_order(&m, &rows, ens_order_starts(spec) - 1);
    check_sizes(&m.folds, 1);
    groups_of(&m.folds, fold, partition);
    for (uint64_t i = 0; i < rows.n; i++) {
        uint64_t r = ens_rowset_row(&rows, i);
        int c = stratum[r] > 5 ? 0 : stratum[r] > 0 ? 1 : 2;

        count[partition[r]][fold[r]][c]++;
    }
    for (uint32_t j = 0; j < m.folds.J; j++)
        for (uint32_t k = 1; k < m.folds.K; k++)
            for (int c = 0; c < 3; c++)
                ck_assert_int_le(abs(count[j][k][c] - count[j][0][c]), 1);
}
END_TEST

START_TEST(clusters_are_partitions)
{
    const struct ens_folds_spec spec = {
        .type = ENS_FOLDS_SUBSEMBLE, .folds = 3, .partitions = 2};
    struct ens_rowset rows = all_rows();
    const struct ens_order_how how = {.shuffle = _i ? &draws : NULL,
                                      .partitions = labels_of(part, &rows)};
    struct made m = make(&spec, &rows, &how);
    int fold[N], partition[N];

    check_order(&m, &rows, ens_order_starts(&spec) - 1);
    check_sizes(&m.folds, 1);
    groups_of(&m.folds, fold, partition);
    for (int i = 0; i < N; i++)
        ck_assert_int_eq(partition[i], (int)part[i]);
}
END_TEST

START_TEST(folds_of_the_user_are_kept)
{
    static double mine[N];
    const struct ens_folds_spec spec = {.type = ENS_FOLDS_STACK, .folds = 3};
    struct ens_rowset rows = all_rows();
    struct ens_order_how how = {0};
    struct made m;
    int fold[N], partition[N];
    uint32_t n;

    for (int i = 0; i < N; i++)
        mine[i] = i % 10 == 9   ? -1
                  : i % 10 == 8 ? (double)NAN
                                : 7 * (i * 5 % 3) + 1;
    how.folds = labels_of(mine, &rows);
    ck_assert_int_eq(ens_order_folds(how.folds, &arena, &how.fold, &n, NULL),
                     ENS_OK);
    ck_assert_uint_eq(n, 3);
    m = make(&spec, &rows, &how);
    check_order(&m, &rows, 4);
    groups_of(&m.folds, fold, partition);
    for (int i = 0; i < N; i++)
        ck_assert_int_eq(fold[i], i % 10 >= 8 ? 3 : i * 5 % 3);
    ck_assert_uint_eq(m.folds.n_out, N - 18);
}
END_TEST

/* Exact sizes; the order of a blend is that of rows. */
START_TEST(blends_are_drawn)
{
    const struct ens_folds_spec spec = {.type = ENS_FOLDS_BLEND,
                                        .test_size = 30,
                                        .train_size = _i & 1 ? 40 : 0};
    struct ens_rowset rows = all_rows(), test, train;
    const struct ens_order_how how = {
        .shuffle = _i & 2 ? &draws : NULL,
        .strata = _i & 4 ? labels_of(stratum, &rows) : NULL};
    struct made m = make(&spec, &rows, &how);
    int classes[2] = {0, 0}, seen[N] = {0};

    ens_folds_test(&m.folds, 1, &arena, &test, NULL);
    ens_folds_train(&m.folds, 0, 1, &arena, &train, NULL);
    ck_assert_uint_eq(test.n, 30);
    ck_assert_uint_eq(train.n, _i & 1 ? 40 : N - 30);
    ck_assert_int_eq(ens_folds_in_order(&m.folds), 1);
    for (uint64_t i = 0; i < 30; i++) {
        uint64_t r = ens_rowset_row(&test, i);

        seen[r]++;
        classes[0] += stratum[r] > 5;
        if (i > 0)
            ck_assert_uint_gt(r, ens_rowset_row(&test, i - 1));
    }
    for (uint64_t i = 0; i < train.n; i++)
        ck_assert_int_eq(seen[ens_rowset_row(&train, i)]++, 0);
    for (int i = 0; i < N; i++)
        classes[1] += stratum[i] > 5;
    if (_i & 4)
        ck_assert_int_le(abs(classes[0] * N - classes[1] * 30), N);
}
END_TEST

START_TEST(blends_keep_ids_together)
{
    const struct ens_folds_spec spec = {.type = ENS_FOLDS_BLEND,
                                        .test_size = 30};
    struct ens_rowset rows = all_rows(), test, train;
    const struct ens_order_how how = {.shuffle = _i ? &draws : NULL,
                                      .id = labels_of(id, &rows)};
    struct made m = make(&spec, &rows, &how);

    ens_folds_test(&m.folds, 1, &arena, &test, NULL);
    ens_folds_train(&m.folds, 0, 1, &arena, &train, NULL);
    ck_assert_uint_ge(test.n, 30);
    ck_assert_uint_lt(test.n, 34);
    ck_assert_uint_eq(test.n + train.n, N);
    for (uint64_t i = 0; i < test.n; i++)
        for (uint64_t k = 0; k < train.n; k++)
            ck_assert(id[ens_rowset_row(&test, i)] !=
                      id[ens_rowset_row(&train, k)]);
}
END_TEST

START_TEST(what_cannot_be_is_refused)
{
    static double few[N], gap[N], odd[N];
    struct ens_rowset rows = all_rows();
    struct ens_labels *l_few, *l_gap, *l_odd, *l_part;
    const double *fold;
    int64_t order[N];
    uint64_t start[64];
    uint32_t n;

    for (int i = 0; i < N; i++) {
        few[i] = i % 3;
        gap[i] = i == 16 ? (double)NAN : i;
        odd[i] = i % 4 * 0.5;
    }
    l_few = labels_of(few, &rows);
    l_gap = labels_of(gap, &rows);
    l_odd = labels_of(odd, &rows);
    l_part = labels_of(part, &rows);
    {
        const struct ens_folds_spec
            stack = {.type = ENS_FOLDS_STACK, .folds = 5},
            time = {.type = ENS_FOLDS_TEMPORAL, .step_size = 5},
            three = {.type = ENS_FOLDS_SUBSEMBLE, .folds = 2, .partitions = 3},
            blend = {.type = ENS_FOLDS_BLEND, .test_size = 95};
        const struct {
            const struct ens_folds_spec *spec;
            struct ens_order_how how;
            const char *text;
        } row[] = {
            {&stack, {.id = l_few}, "g: 3 different ids, fewer than the 5"},
            {&stack,
             {.id = l_few, .strata = l_odd},
             "g: 3 different ids, fewer than the 5"},
            {&stack, {.id = l_gap}, "the first is that of row 17"},
            {&stack, {.strata = l_gap}, "the first is that of row 17"},
            {&time, {.shuffle = &draws}, "folds in time"},
            {&three, {.partitions = l_part}, "g: 2 different partitions"},
            {&three,
             {.id = l_few},
             "1 different ids in partition 1, fewer than the 2"},
            {&blend, {.id = l_few}, "leave none to train on"},
            {&blend, {.id = l_few, .strata = l_few}, "not both"},
            {&blend, {.folds = l_few}, "a blend has no folds"},
            {&stack, {.folds = l_few, .shuffle = &draws}, "nothing to shuffle"},
        };

        for (size_t i = 0; i < ENS_COUNT(row); i++) {
            struct ens_error err = {0};

            ck_assert_int_eq(ens_folds_order(row[i].spec, &rows, &row[i].how,
                                             &arena, order, start, &err),
                             ENS_ESTUDY);
            ck_assert_msg(strstr(err.text, row[i].text) != NULL, "%s",
                          err.text);
        }
    }
    { /* all rows of the second partition are of one fold */
        const struct ens_folds_spec two = {
            .type = ENS_FOLDS_SUBSEMBLE, .folds = 2, .partitions = 2};
        struct ens_order_how how = {.partitions = l_part};
        struct ens_error err = {0};

        how.folds = l_part;
        ck_assert_int_eq(
            ens_order_folds(how.folds, &arena, &how.fold, &n, NULL), ENS_OK);
        ck_assert_int_eq(
            ens_folds_order(&two, &rows, &how, &arena, order, start, &err),
            ENS_ESTUDY);
        ck_assert_str_eq(err.text, "fold 1 holds all rows of partition 1: "
                                   "nothing is left to train on");
    }
    ck_assert_int_eq(ens_order_folds(l_odd, &arena, &fold, &n, NULL),
                     ENS_EINPUT);
}
END_TEST

/* -- labels -------------------------------------------------------------- */

START_TEST(labels_are_counted_as_they_appear)
{
    static double x[20000];
    struct ens_input in = input_of(x);
    struct ens_span span;
    const struct ens_rowset rows = ens_rowset_one(&span, NULL, 0, 20000);
    struct ens_labels l;
    uint64_t sum = 0;

    in.view.shape[0] = 20000;
    for (int i = 0; i < 20000; i++)
        x[i] = i % 100 == 0 ? (double)NAN : (double)(i * 31 % 5000) - 700;
    ck_assert_int_eq(ens_labels_read(&in, &rows, &arena, &l, NULL), ENS_OK);
    ck_assert_uint_eq(l.n_labels, 4950);
    ck_assert_uint_eq(l.n_missing, 200);
    for (uint32_t i = 0, next = 0; i < 20000; i++) {
        if (isnan(x[i])) {
            ck_assert_uint_eq(l.code[i], ENS_LABEL_NONE);
            continue;
        }
        ck_assert_uint_le(l.code[i], next);
        next += l.code[i] == next;
        ck_assert_double_eq(l.value[l.code[i]], x[i]);
    }
    for (uint32_t k = 0; k < l.n_labels; k++)
        sum += l.count[k];
    ck_assert_uint_eq(sum, 20000 - 200);
}
END_TEST

START_TEST(labels_that_would_be_confused_are_refused)
{
    static const int64_t big[2] = {1, INT64_C(1) << 60};
    struct ens_input in = {.name = "id",
                           .n_rows = 2,
                           .n_columns = 1,
                           .view = {.data = big,
                                    .dtype = ENS_DT_I64,
                                    .ndim = 1,
                                    .shape = {2},
                                    .strides = {8}}};
    struct ens_span span;
    const struct ens_rowset rows = ens_rowset_one(&span, NULL, 0, 2);
    struct ens_error err = {0};
    struct ens_labels l;

    ck_assert_int_eq(ens_labels_read(&in, &rows, &arena, &l, &err), ENS_EINPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "below 2^53"));
    in.n_columns = 2;
    ck_assert_int_eq(ens_labels_read(&in, &rows, &arena, &l, &err), ENS_EINPUT);
    ck_assert_str_eq(err.text, "id has 2 columns, one is expected");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("shuffle");
    TCase *t = tcase_create("shuffle");
    SRunner *r;
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, rows_are_shuffled, 0, ENS_COUNT(specs));
    tcase_add_loop_test(t, blocks_are_an_order_too, 0, ENS_COUNT(specs));
    tcase_add_loop_test(t, ids_stay_together, 0, 4 * ENS_COUNT(specs));
    tcase_add_loop_test(t, strata_are_spread, 0, 2 * ENS_COUNT(specs));
    tcase_add_loop_test(t, clusters_are_partitions, 0, 2);
    tcase_add_test(t, folds_of_the_user_are_kept);
    tcase_add_loop_test(t, blends_are_drawn, 0, 8);
    tcase_add_loop_test(t, blends_keep_ids_together, 0, 2);
    tcase_add_test(t, what_cannot_be_is_refused);
    tcase_add_test(t, labels_are_counted_as_they_appear);
    tcase_add_test(t, labels_that_would_be_confused_are_refused);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
