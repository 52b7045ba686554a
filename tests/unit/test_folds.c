/* Folds: explicit rows of small cases, then what must hold of all. */
#include "learn/folds.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct ens_arena arena;

static void setup(void)
{
    ens_arena_init(&arena);
}

static void teardown(void)
{
    ens_arena_fini(&arena);
}

/* "0-4 7 9-12" */
static const char *text_of(const struct ens_rowset *s)
{
    static char text[4][256];
    static int turn;
    char *to = text[turn++ % 4];
    size_t used = 0;

    to[0] = '\0';
    for (uint64_t i = 0; i < s->n;) {
        unsigned first = (unsigned)ens_rowset_row(s, i), last = first;

        while (++i < s->n && ens_rowset_row(s, i) == last + 1)
            last++;
        used += (size_t)snprintf(to + used, 256 - used, "%s%u",
                                 used > 0 ? " " : "", first);
        if (last > first)
            used += (size_t)snprintf(to + used, 256 - used, "-%u", last);
    }
    return to;
}

#define ROWS_ARE(set, text) ck_assert_str_eq(text_of(set), text)

static struct ens_folds open_on(const struct ens_folds_spec *spec, uint64_t n)
{
    struct ens_span *span = ens_arena_alloc(&arena, 1, sizeof(*span));
    struct ens_rowset base = ens_rowset_one(span, NULL, 0, n);
    struct ens_error err = {0};
    struct ens_folds f;

    ck_assert_msg(ens_folds_open(spec, &base, NULL, &f, &err) == ENS_OK, "%s",
                  err.text);
    return f;
}

static struct ens_rowset train(const struct ens_folds *f, uint32_t j,
                               uint32_t k)
{
    struct ens_rowset s;

    ck_assert_int_eq(ens_folds_train(f, j, k, &arena, &s, NULL), ENS_OK);
    return s;
}

static struct ens_rowset tested(const struct ens_folds *f, uint32_t k)
{
    struct ens_rowset s;

    ck_assert_int_eq(ens_folds_test(f, k, &arena, &s, NULL), ENS_OK);
    return s;
}

static struct ens_rowset out_rows(const struct ens_folds *f)
{
    struct ens_rowset s;

    ck_assert_int_eq(ens_folds_out(f, &arena, &s, NULL), ENS_OK);
    return s;
}

/* One (partition, fold) of mlens.md 1.3; partition from 0. */
static const struct fit {
    struct ens_folds_spec spec;
    uint64_t n;
    uint32_t j, k;
    const char *train, *test;
} fits[] = {
#define STACK13 {.type = ENS_FOLDS_STACK, .folds = 5}, 13, 0
    {STACK13, 1, "3-12", "0-2"},
    {STACK13, 2, "0-2 6-12", "3-5"},
    {STACK13, 3, "0-5 9-12", "6-8"},
    {STACK13, 4, "0-8 11-12", "9-10"},
    {STACK13, 5, "0-10", "11-12"},
    {STACK13, 0, "0-12", NULL},
    {{.type = ENS_FOLDS_STACK, .folds = 4}, 4, 0, 3, "0-1 3", "2"},
#define SUBSEMBLE12                                                            \
    {                                                                          \
        .type = ENS_FOLDS_SUBSEMBLE, .folds = 2, .partitions = 2               \
    }
    {SUBSEMBLE12, 12, 0, 1, "3-5", "0-2 6-8"},
    {SUBSEMBLE12, 12, 0, 2, "0-2", "3-5 9-11"},
    {SUBSEMBLE12, 12, 1, 1, "9-11", "0-2 6-8"},
    {SUBSEMBLE12, 12, 1, 2, "6-8", "3-5 9-11"},
    {SUBSEMBLE12, 12, 0, 0, "0-5", NULL},
    {SUBSEMBLE12, 12, 1, 0, "6-11", NULL},
    {SUBSEMBLE12, 13, 0, 1, "4-6", "0-3 7-9"}, /* 4 + 3, 3 + 3 */
    {SUBSEMBLE12, 13, 1, 2, "7-9", "4-6 10-12"},
#define TEMPORAL12                                                             \
    {.type = ENS_FOLDS_TEMPORAL,                                               \
     .step_size = 3,                                                           \
     .burn_in = 4,                                                             \
     .window = 4,                                                              \
     .lag = 1},                                                                \
        12, 0
    {TEMPORAL12, 1, "0-2", "4-6"},
    {TEMPORAL12, 2, "2-5", "7-9"},
    {TEMPORAL12, 3, "5-8", "10-11"},
    {TEMPORAL12, 0, "0-11", NULL},
    {{.type = ENS_FOLDS_TEMPORAL, .step_size = 5}, 12, 0, 1, "0-4", "5-9"},
    {{.type = ENS_FOLDS_TEMPORAL, .step_size = 5}, 12, 0, 2, "0-9", "10-11"},
    {{.type = ENS_FOLDS_BLEND, .test_share = 0.5}, 13, 0, 1, "0-6", "7-12"},
    {{.type = ENS_FOLDS_BLEND, .test_size = 4}, 13, 0, 1, "0-8", "9-12"},
    {{.type = ENS_FOLDS_BLEND, .test_size = 4, .train_size = 6},
     13,
     0,
     1,
     "0-5",
     "6-9"},
    {{.type = ENS_FOLDS_BLEND, .test_size = 4}, 13, 0, 0, "0-12", NULL},
    {{.type = ENS_FOLDS_FULL}, 7, 0, 0, "0-6", NULL},
};

START_TEST(rows_are_those_of_the_reference)
{
    const struct fit *c = &fits[_i];
    struct ens_folds f = open_on(&c->spec, c->n);
    struct ens_rowset s = train(&f, c->j, c->k);

    ROWS_ARE(&s, c->train);
    if (c->test == NULL)
        return;
    s = tested(&f, c->k);
    ROWS_ARE(&s, c->test);
    ck_assert_uint_eq(s.n, ens_folds_out_n(&f, c->k));
}
END_TEST

static const struct refusal {
    struct ens_folds_spec spec;
    uint64_t n;
    const char *text;
} refusals[] = {
    {{.type = ENS_FOLDS_STACK, .folds = 1}, 13, "folds = 1: at least 2"},
    {{.type = ENS_FOLDS_STACK, .folds = 14}, 13, "folds = 14: there are 13"},
    {{.type = ENS_FOLDS_STACK, .folds = UINT64_MAX}, 13, "there are 13 rows"},
    {{.type = ENS_FOLDS_STACK, .folds = 2}, 0, "there are 0 rows"},
    {{.type = ENS_FOLDS_SUBSEMBLE, .folds = 5, .partitions = 3},
     12,
     "partitions = 3: with 5 folds each they need 15 rows"},
    {{.type = ENS_FOLDS_SUBSEMBLE, .folds = 2, .partitions = UINT64_MAX},
     12,
     "they need 18446744073709551615 rows"},
    {{.type = ENS_FOLDS_SUBSEMBLE, .folds = 2}, 12, "partitions = 0"},
    {{.type = ENS_FOLDS_STACK, .folds = UINT64_C(1) << 31},
     UINT64_C(1) << 40,
     "at most 1073741824 fits"},
    {{.type = ENS_FOLDS_BLEND}, 12, "test_size: 0 of 12"},
    {{.type = ENS_FOLDS_BLEND, .test_share = 0.01}, 12, "test_size: 0 of 12"},
    {{.type = ENS_FOLDS_BLEND, .test_share = 1}, 12, "test_size = 1: a share"},
    {{.type = ENS_FOLDS_BLEND, .test_size = 12}, 12, "test_size: 12 of 12"},
    {{.type = ENS_FOLDS_BLEND, .test_size = 6, .train_size = 7},
     12,
     "train_size: 7 rows to train on beside 6"},
    {{.type = ENS_FOLDS_TEMPORAL}, 12, "step_size = 0"},
    {{.type = ENS_FOLDS_TEMPORAL, .step_size = 12}, 12, "step_size = 12"},
    {{.type = ENS_FOLDS_TEMPORAL, .step_size = 1, .burn_in = 12},
     12,
     "burn_in = 12: less than the 12 rows"},
    {{.type = ENS_FOLDS_TEMPORAL, .step_size = 1, .burn_in = 3, .lag = 3},
     12,
     "lag = 3: less than burn_in, 3"},
};

START_TEST(what_does_not_fit_is_refused)
{
    const struct refusal *c = &refusals[_i];
    struct ens_error err = {0};
    uint32_t J, K;

    ck_assert_int_eq(ens_folds_count(&c->spec, c->n, &J, &K, &err), ENS_ESTUDY);
    ck_assert_msg(strstr(err.text, c->text) != NULL, "%s", err.text);
}
END_TEST

/* -- what must hold ------------------------------------------------------ */

#define MOST 64

/* No row of its own fold in a training set, and none from outside of the
 * partition; with J = 1 of stacks all others. */
static void check_fit(const struct ens_folds *f, uint32_t j, uint32_t k)
{
    struct ens_rowset a = train(f, j, k), b = tested(f, k),
                      all = train(f, j, 0);
    int in_test[MOST] = {0}, in_all[MOST] = {0};
    uint64_t both = 0;

    for (uint64_t i = 0; i < b.n; i++)
        in_test[ens_rowset_row(&b, i)]++;
    for (uint64_t i = 0; i < all.n; i++) {
        in_all[ens_rowset_row(&all, i)]++;
        both += in_test[ens_rowset_row(&all, i)] > 0;
    }
    ck_assert_uint_gt(a.n, 0);
    for (uint64_t i = 0; i < a.n; i++) {
        ck_assert_int_eq(in_test[ens_rowset_row(&a, i)], 0);
        ck_assert_int_eq(in_all[ens_rowset_row(&a, i)], 1);
    }
    if (f->type == ENS_FOLDS_STACK || f->type == ENS_FOLDS_SUBSEMBLE)
        ck_assert_uint_eq(a.n + both, all.n);
}

/* Output positions: test rows fold by fold, each row once. */
static void check_out(const struct ens_folds *f)
{
    struct ens_rowset out = out_rows(f);
    int seen[MOST] = {0}, increasing = 1;
    uint64_t at = 0;

    ck_assert_uint_eq(out.n, f->n_out);
    for (uint32_t k = 1; k <= f->K; k++) {
        struct ens_rowset b = tested(f, k);

        ck_assert_uint_eq(ens_folds_out_first(f, k), at);
        ck_assert_uint_eq(ens_folds_out_n(f, k), b.n);
        for (uint64_t i = 0; i < b.n; i++, at++)
            ck_assert_uint_eq(ens_rowset_row(&b, i), ens_rowset_row(&out, at));
    }
    ck_assert_uint_eq(at, out.n);
    for (uint64_t i = 0; i < out.n; i++) {
        ck_assert_int_eq(seen[ens_rowset_row(&out, i)]++, 0);
        increasing &=
            i == 0 || ens_rowset_row(&out, i) > ens_rowset_row(&out, i - 1);
    }
    if (ens_folds_in_order(f))
        ck_assert(increasing);
}

static void check_folds(const struct ens_folds *f)
{
    for (uint32_t j = 0; j < f->J; j++)
        for (uint32_t k = 1; k <= f->K; k++)
            check_fit(f, j, k);
    check_out(f);
}

START_TEST(every_cell_is_written_once_by_who_did_not_see_it)
{
    for (uint64_t n = 4; n < 40; n++)
        for (uint64_t K = 2; K <= 6; K++)
            for (uint64_t J = 1; J <= 4; J++) {
                struct ens_folds_spec spec = {
                    .type = ENS_FOLDS_SUBSEMBLE, .folds = K, .partitions = J};
                struct ens_folds f;

                if (J * K > n)
                    continue;
                f = open_on(&spec, n);
                check_folds(&f);
                ck_assert_uint_eq(f.n_out, n);
                spec.type = ENS_FOLDS_STACK;
                f = open_on(&spec, n);
                check_folds(&f);
            }
}
END_TEST

START_TEST(later_rows_are_predicted_by_earlier_ones)
{
    for (uint64_t step = 1; step < 7; step++)
        for (uint64_t burn = 1; burn < 9; burn++)
            for (uint64_t window = 0; window < 5; window++) {
                struct ens_folds_spec spec = {.type = ENS_FOLDS_TEMPORAL,
                                              .step_size = step,
                                              .burn_in = burn,
                                              .window = window,
                                              .lag = burn > 2 ? burn - 2 : 0};
                struct ens_folds f = open_on(&spec, 20);

                check_folds(&f);
                for (uint32_t k = 1; k <= f.K; k++) {
                    struct ens_rowset a = train(&f, 0, k), b = tested(&f, k);

                    ck_assert_uint_eq(ens_rowset_row(&a, a.n - 1) + spec.lag +
                                          1,
                                      ens_rowset_row(&b, 0));
                    if (window > 0 && k > 1)
                        ck_assert_uint_le(a.n, window);
                }
            }
}
END_TEST

/* Folds of the rows that an outer fold leaves. */
START_TEST(folds_nest)
{
    const struct ens_folds_spec outer = {.type = ENS_FOLDS_STACK, .folds = 3};
    const struct ens_folds_spec inner = {
        .type = ENS_FOLDS_SUBSEMBLE, .folds = 2, .partitions = 2};
    struct ens_folds f = open_on(&outer, 12), g;
    struct ens_rowset left = train(&f, 0, 2), s;

    ROWS_ARE(&left, "0-3 8-11");
    ck_assert_int_eq(ens_folds_open(&inner, &left, NULL, &g, NULL), ENS_OK);
    check_folds(&g);
    s = train(&g, 0, 1);
    ROWS_ARE(&s, "2-3");
    s = tested(&g, 2);
    ROWS_ARE(&s, "2-3 10-11");
    ck_assert_int_eq(
        ens_folds_open(
            &(struct ens_folds_spec){.type = ENS_FOLDS_STACK, .folds = 3},
            &left, NULL, &g, NULL),
        ENS_OK);
    s = tested(&g, 2);
    ROWS_ARE(&s, "3 8-9"); /* across the gap */
    ck_assert_int_eq(ens_folds_in_order(&g), 1);
    check_folds(&g);
}
END_TEST

/* Rows in an order of their own, some never tested. */
START_TEST(folds_follow_an_order)
{
    static const int64_t order[10] = {7, 9, 0, 4, 1, 2, 8, 3, 5, 6};
    static const uint64_t start[] = {0, 2, 4, 7, 10};
    const struct ens_folds_spec spec = {.type = ENS_FOLDS_STACK, .folds = 3};
    struct ens_span span;
    struct ens_rowset base = ens_rowset_one(&span, order, 0, 10), s;
    struct ens_folds f;

    ck_assert_int_eq(ens_folds_open(&spec, &base, start, &f, NULL), ENS_OK);
    ck_assert_uint_eq(f.n_out, 7);
    ck_assert_int_eq(ens_folds_in_order(&f), 0);
    check_folds(&f);
    s = train(&f, 0, 2);
    ROWS_ARE(&s, "7 9 1-2 8 3 5-6");
    s = out_rows(&f);
    ROWS_ARE(&s, "7 9 0 4 1-2 8");
    ck_assert_uint_eq(s.n_spans, 1);
    s = train(&f, 0, 0);
    ck_assert_uint_eq(s.n, 10);
}
END_TEST

/* -- sets of rows -------------------------------------------------------- */

START_TEST(sets_are_read_by_position)
{
    static const int64_t index[4] = {9, 3, 5, 1};
    struct ens_span span[3] = {
        {NULL, 10, 2, 0}, {index, 1, 3, 2}, {NULL, 20, 4, 5}};
    const struct ens_rowset s = {9, 3, span};
    static const uint64_t want[9] = {10, 11, 3, 5, 1, 20, 21, 22, 23};
    uint64_t row[9];

    for (uint64_t first = 0; first < 9; first++)
        for (uint64_t n = 0; n <= 9 - first; n++) {
            ens_rowset_rows(&s, first, n, row);
            ck_assert_int_eq(memcmp(row, want + first, n * sizeof(*row)), 0);
        }
    for (uint64_t i = 0; i < 9; i++)
        ck_assert_uint_eq(ens_rowset_row(&s, i), want[i]);
    ck_assert_int_eq(ens_rowset_plain(&s), 0);
}
END_TEST

START_TEST(rows_are_found)
{
    struct ens_span span[2] = {{NULL, 3, 4, 0}, {NULL, 10, 2, 4}};
    const struct ens_rowset s = {6, 2, span};
    uint64_t at;

    for (uint64_t row = 0; row < 14; row++) {
        int has = (row >= 3 && row < 7) || row == 10 || row == 11;

        ck_assert_int_eq(ens_rowset_find(&s, row, &at), has);
        if (has)
            ck_assert_uint_eq(ens_rowset_row(&s, at), row);
    }
}
END_TEST

START_TEST(sets_compose)
{
    static const int64_t index[4] = {5, 0, 2, 1}, other[3] = {3, 0, 1};
    struct ens_span span[5];
    struct ens_rowset map = ens_rowset_one(&span[0], NULL, 10, 6), s, out;
    struct ens_rowset shuffled = ens_rowset_one(&span[1], index, 0, 4);

    s = ens_rowset_one(&span[2], index, 1, 3);
    ck_assert_int_eq(ens_rowset_compose(&map, &s, &arena, &out, NULL), ENS_OK);
    ROWS_ARE(&out, "10 12 11");
    s = ens_rowset_one(&span[2], NULL, 1, 2);
    ck_assert_int_eq(ens_rowset_compose(&shuffled, &s, &arena, &out, NULL),
                     ENS_OK);
    ROWS_ARE(&out, "0 2");
    ck_assert_ptr_eq(out.span[0].index, index);
    s = ens_rowset_one(&span[2], other, 0, 3);
    ck_assert_int_eq(ens_rowset_compose(&shuffled, &s, &arena, &out, NULL),
                     ENS_OK);
    ROWS_ARE(&out, "1 5 0");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("folds");
    TCase *t = tcase_create("folds");
    SRunner *r;
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, rows_are_those_of_the_reference, 0,
                        sizeof(fits) / sizeof(fits[0]));
    tcase_add_loop_test(t, what_does_not_fit_is_refused, 0,
                        sizeof(refusals) / sizeof(refusals[0]));
    tcase_add_test(t, every_cell_is_written_once_by_who_did_not_see_it);
    tcase_add_test(t, later_rows_are_predicted_by_earlier_ones);
    tcase_add_test(t, folds_nest);
    tcase_add_test(t, folds_follow_an_order);
    tcase_add_test(t, sets_are_read_by_position);
    tcase_add_test(t, rows_are_found);
    tcase_add_test(t, sets_compose);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
