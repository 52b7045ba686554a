/* Ranges: every open task once, sizes that follow what was measured. */
#include "dispatch/ranges.h"

#include "../fake.h"

#include <check.h>
#include <math.h>

struct world {
    struct fake_study study;
    struct ens_done *done;
    struct ens_ranges *ranges;
    const struct ens_stage *stage;
};

static void world_init(struct world *w, unsigned replicates, const char *lines,
                       uint32_t n_workers)
{
    fake_study_init(&w->study, replicates, lines, NULL);
    w->stage = &w->study.plan.stage[0];
    w->done = ens_done_new();
    ck_assert(w->done != NULL);
    w->ranges =
        ens_ranges_new(&w->study.plan, w->stage, w->done, n_workers, NULL, 0);
    ck_assert(w->ranges != NULL);
}

static void world_fini(struct world *w)
{
    ens_ranges_free(w->ranges);
    ens_done_free(w->done);
    fake_study_fini(&w->study);
}

/* Take all; every place must come exactly `times` times. */
static void take_all(struct world *w, const uint8_t *expected, uint64_t n)
{
    uint8_t *seen = calloc(n, 1);
    struct ens_range range;
    double seconds;

    ck_assert(seen != NULL);
    while (ens_ranges_take(w->ranges, &range, &seconds))
        for (uint32_t i = 0; i < range.n; i++) {
            uint64_t cell;
            uint32_t replicate;

            ck_assert_uint_lt(range.first + i, n);
            seen[range.first + i]++;
            ens_stage_task(w->stage, range.first + i, &cell, &replicate);
            ens_ranges_measure(w->ranges, cell, 1e-6);
        }
    for (uint64_t i = 0; i < n; i++)
        ck_assert_msg(seen[i] == expected[i], "place %llu: %u times",
                      (unsigned long long)i, seen[i]);
    ck_assert_uint_eq(ens_ranges_left(w->ranges), 0);
    free(seen);
}

/* The shards of a stage hand out every open task once. */
START_TEST(shards_make_the_stage)
{
    uint8_t seen[3 * 70] = {0};

    for (uint32_t k = 1; k <= 4; k++) {
        struct ens_range range;
        enum ens_outcome was;
        struct world w;
        uint64_t left, n = 0;
        double seconds;

        world_init(&w, 70, "[fake]\nmode = ok, slow, other\n", 2);
        for (uint32_t r = 20; r <= 40; r++)
            ck_assert_int_eq(ens_done_add(w.done, 1, r, ENS_TASK_OK, 0, &was),
                             1);
        ens_ranges_free(w.ranges);
        w.ranges = ens_ranges_new(
            &w.study.plan, w.stage, w.done, 2,
            &(const struct ens_part){{k, 4, 0}, NULL, NULL, NULL}, 0);
        left = ens_ranges_left(w.ranges);
        while (ens_ranges_take(w.ranges, &range, &seconds)) {
            n += range.n;
            for (uint32_t i = 0; i < range.n; i++)
                seen[range.first + i]++;
        }
        ck_assert_uint_eq(n, left);
        ck_assert_uint_eq(ens_ranges_left(w.ranges), 0);
        world_fini(&w);
    }
    for (unsigned i = 0; i < sizeof(seen); i++)
        ck_assert_uint_eq(seen[i], i < 89 || i > 109);
}
END_TEST

START_TEST(every_open_task_once)
{
    static const unsigned replicates[] = {1, 3, 63, 64, 1000};
    unsigned r = replicates[_i];
    struct world w;
    uint64_t n;
    uint8_t *expected;

    world_init(&w, r, "[fake]\nmode = ok, slow, other\n", 2);
    n = ens_stage_n_tasks(w.stage);
    ck_assert_uint_eq(n, 3 * r);
    expected = malloc(n);
    ck_assert(expected != NULL);
    memset(expected, 1, n);
    for (uint64_t place = 0; place < n; place += 7) {
        enum ens_outcome before;
        uint64_t cell;
        uint32_t replicate;

        ens_stage_task(w.stage, place, &cell, &replicate);
        ck_assert_int_eq(
            ens_done_add(w.done, cell, replicate, ENS_TASK_OK, 0, &before), 1);
        expected[place] = 0;
    }
    ens_ranges_free(w.ranges);
    w.ranges = ens_ranges_new(&w.study.plan, w.stage, w.done, 2, NULL, 0);
    take_all(&w, expected, n);
    free(expected);
    world_fini(&w);
}
END_TEST

START_TEST(single_until_measured)
{
    struct world w;
    struct ens_range range;
    double seconds;

    world_init(&w, 10000, "[fake]\nmode = ok\n", 2);
    for (int i = 0; i < 5; i++) {
        ck_assert(ens_ranges_take(w.ranges, &range, &seconds));
        ck_assert_uint_eq(range.n, 1);
        ck_assert(isnan(seconds));
    }
    ens_ranges_measure(w.ranges, 0, 0.001);
    ck_assert(ens_ranges_take(w.ranges, &range, &seconds));
    ck_assert_uint_eq(range.n, 10); /* 10 ms of 1 ms tasks */
    ck_assert_double_eq_tol(seconds, 0.010, 1e-9);
    for (int i = 0; i < 1000; i++)
        ens_ranges_measure(w.ranges, 0, 1e-7);
    ck_assert(ens_ranges_take(w.ranges, &range, &seconds));
    ck_assert_uint_eq(range.n, ENS_RANGE_MAX_TASKS);
    world_fini(&w);
}
END_TEST

/* What does not fit before a deadline is left with the rest of its cell; the
 * other cells go on, and nothing counts as left at the end. */
START_TEST(forgotten_cells_are_left)
{
    const struct ens_part half = {{(uint32_t)_i, 2, 0}, NULL, NULL, NULL};
    const struct ens_part *part = _i == 0 ? NULL : &half;
    struct world w;
    struct ens_range range;
    double seconds;
    uint64_t taken = 0;
    enum ens_outcome before;

    world_init(&w, 100, "[fake]\nmode = ok, b, c\n", 2);
    ck_assert_uint_eq(ens_stage_n_tasks(w.stage), 300);
    ck_assert_int_eq(ens_done_add(w.done, 1, 50, ENS_TASK_OK, 0, &before), 1);
    ens_ranges_free(w.ranges);
    w.ranges = ens_ranges_new(&w.study.plan, w.stage, w.done, 2, part, 0);
    ck_assert(isnan(ens_ranges_seconds(w.ranges, (struct ens_range){0, 3})));
    for (uint64_t c = 0; c < 3; c++)
        ens_ranges_measure(w.ranges, c, c == 1 ? 3600 : 0.5);
    ck_assert_double_eq_tol(
        ens_ranges_seconds(w.ranges, (struct ens_range){100, 2}), 7200, 1e-6);
    while (ens_ranges_take(w.ranges, &range, &seconds)) {
        if (ens_ranges_seconds(w.ranges, range) > 60) {
            ck_assert_uint_ge(range.first, 100);
            ck_assert_uint_lt(range.first, 200);
            ens_ranges_forget(w.ranges, range);
        } else {
            taken += range.n;
        }
    }
    ck_assert_uint_eq(taken, part == NULL ? 200 : 100);
    ck_assert_uint_eq(ens_ranges_left(w.ranges), 0);
    world_fini(&w);
}
END_TEST

static int is_middle(const void *arg, uint64_t cell)
{
    (void)arg;
    return cell == 1;
}

START_TEST(chosen_cells_only)
{
    const struct ens_chosen cells = {is_middle, NULL};
    const struct ens_part middle = {{0, 0, 0}, &cells, NULL, NULL};
    struct world w;
    struct ens_range range;
    double seconds;
    uint64_t taken = 0;

    world_init(&w, 100, "[fake]\nmode = ok, b, c\n", 2);
    ens_ranges_free(w.ranges);
    w.ranges = ens_ranges_new(&w.study.plan, w.stage, w.done, 2, &middle, 0);
    ck_assert_uint_eq(ens_ranges_left(w.ranges), 100);
    while (ens_ranges_take(w.ranges, &range, &seconds)) {
        ck_assert_uint_ge(range.first, 100);
        ck_assert_uint_lt(range.first + range.n, 201);
        taken += range.n;
    }
    ck_assert_uint_eq(taken, 100);
    ck_assert_uint_eq(ens_ranges_left(w.ranges), 0);
    world_fini(&w);
}
END_TEST

START_TEST(single_at_the_end)
{
    struct world w;
    struct ens_range range;
    double seconds;
    uint64_t left = 0;

    world_init(&w, 1000, "[fake]\nmode = ok\n", 2);
    ens_ranges_measure(w.ranges, 0, 1e-6);
    while (ens_ranges_take(w.ranges, &range, &seconds)) {
        left = ens_ranges_left(w.ranges);
        /* never more than a fair share of what is left */
        ck_assert_uint_le(range.n, (left + range.n) / 8 + 1);
    }
    ck_assert_uint_eq(left, 0);
    ck_assert_uint_eq(range.n, 1);
    world_fini(&w);
}
END_TEST

START_TEST(big_cells_are_not_spanned)
{
    struct world w;
    struct ens_range range;
    double seconds;

    world_init(&w, 100, "[fake]\nmode = ok, slow\n", 1);
    ens_ranges_measure(w.ranges, 0, 1e-7);
    ens_ranges_measure(w.ranges, 1, 1e-7);
    while (ens_ranges_take(w.ranges, &range, &seconds))
        ck_assert_uint_eq(range.first / 100, (range.first + range.n - 1) / 100);
    world_fini(&w);
}
END_TEST

START_TEST(what_comes_back_goes_first)
{
    struct world w;
    struct ens_range range;
    double seconds;

    world_init(&w, 100, "[fake]\nmode = ok\n", 1);
    ck_assert(ens_ranges_take(w.ranges, &range, &seconds));
    ck_assert(ens_ranges_take(w.ranges, &range, &seconds));
    ens_ranges_put_back(w.ranges, (struct ens_range){0, 2});
    ens_ranges_put_back(w.ranges, (struct ens_range){5, 0}); /* nothing */
    ck_assert_uint_eq(ens_ranges_left(w.ranges), 100);
    ck_assert(ens_ranges_take(w.ranges, &range, &seconds));
    ck_assert_uint_eq(range.first, 0);
    ck_assert_uint_eq(range.n, 2);
    ens_ranges_put_last(w.ranges, 1);
    ck_assert_uint_eq(ens_ranges_n_last(w.ranges), 1);
    while (ens_ranges_take(w.ranges, &range, &seconds))
        ck_assert_uint_ne(range.first, 1);
    ck_assert(ens_ranges_take_last(w.ranges, &range));
    ck_assert_uint_eq(range.first, 1);
    ck_assert(!ens_ranges_take_last(w.ranges, &range));
    world_fini(&w);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("ranges");
    TCase *t = tcase_create("ranges");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_test(t, shards_make_the_stage);
    tcase_add_loop_test(t, every_open_task_once, 0, 5);
    tcase_add_test(t, single_until_measured);
    tcase_add_test(t, single_at_the_end);
    tcase_add_loop_test(t, forgotten_cells_are_left, 0, 3);
    tcase_add_test(t, chosen_cells_only);
    tcase_add_test(t, big_cells_are_not_spanned);
    tcase_add_test(t, what_comes_back_goes_first);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? 0 : 1;
}
