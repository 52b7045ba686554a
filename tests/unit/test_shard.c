/* Shards: every task in exactly one, and as much for each, over cells, axes
 * and rows. */
#include "plan/shard.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static uint64_t part_of(uint32_t k, uint32_t n, const struct ens_stage_run *run,
                        uint64_t cell)
{
    const struct ens_shard shard = {k, n, 0};
    uint32_t first, last;

    ens_shard_part(&shard, run, cell, &first, &last);
    ck_assert_uint_ge(first, 1);
    ck_assert_uint_le(last, run->n_replicates);
    return first > last ? 0 : last - first + 1;
}

static const struct {
    uint64_t n_cells;
    uint32_t replicates, n;
} shapes[] = {{1, 1, 1},    {1, 1, 4},     {1, 10, 3},   {2, 3, 4},
              {7, 5, 4},    {16, 1000, 4}, {100, 1, 4},  {5000, 1, 3},
              {3000, 7, 5}, {64, 64, 8},   {10, 3, 100}, {1000, 2, 1}};

START_TEST(each_task_once)
{
    const struct ens_stage_run run = {11, shapes[_i].n_cells,
                                      shapes[_i].replicates, 0};
    uint32_t n = shapes[_i].n;

    for (uint64_t c = 11; c < 11 + run.n_cells; c++) {
        unsigned char *seen = calloc(run.n_replicates + 1u, 1);

        ck_assert(seen != NULL);
        for (uint32_t k = 1; k <= n; k++) {
            const struct ens_shard shard = {k, n, 0};
            uint32_t first, last;

            ens_shard_part(&shard, &run, c, &first, &last);
            for (uint32_t r = first; r <= last; r++)
                seen[r]++;
        }
        for (uint32_t r = 1; r <= run.n_replicates; r++)
            ck_assert_uint_eq(seen[r], 1);
        free(seen);
    }
}
END_TEST

/* No shard has more than a fifth above its share, a piece aside. */
START_TEST(shares_are_even)
{
    const struct ens_stage_run run = {0, shapes[_i].n_cells,
                                      shapes[_i].replicates, 0};
    uint32_t n = shapes[_i].n;
    double fair = (double)(run.n_cells * run.n_replicates) / n;

    for (uint32_t k = 1; k <= n; k++) {
        uint64_t mine = 0;

        for (uint64_t c = 0; c < run.n_cells; c++)
            mine += part_of(k, n, &run, c);
        ck_assert_msg((double)mine <= 1.2 * fair + 2,
                      "shard %u/%u has %llu of %g", k, n,
                      (unsigned long long)mine, fair);
    }
}
END_TEST

/* Cells of one replicate, crossed axes: no value of an axis is one shard's. */
START_TEST(axes_are_spread)
{
    static const struct {
        uint32_t n, inner, outer;
    } t[] = {{4, 4, 4}, {4, 2, 8}, {2, 4, 4}, {3, 3, 9}, {8, 8, 8}, {4, 16, 4}};

    for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        const struct ens_stage_run run = {0, (uint64_t)t[i].inner * t[i].outer,
                                          1, 0};

        for (uint32_t k = 1; k <= t[i].n; k++)
            for (uint32_t a = 0; a < t[i].inner; a++) {
                uint64_t mine = 0;

                for (uint32_t b = 0; b < t[i].outer; b++)
                    mine +=
                        part_of(k, t[i].n, &run, (uint64_t)b * t[i].inner + a);
                ck_assert_msg(mine <= (t[i].outer + t[i].n - 1) / t[i].n + 1,
                              "%u x %u: value %u: shard %u/%u has %llu",
                              t[i].outer, t[i].inner, a, k, t[i].n,
                              (unsigned long long)mine);
            }
    }
}
END_TEST

/* With [stop]: every cell is one shard's, whole, and shares are even. */
START_TEST(whole_cells)
{
    const struct ens_stage_run run = {11, shapes[_i].n_cells,
                                      shapes[_i].replicates, 0};
    uint32_t n = shapes[_i].n;
    double fair = (double)run.n_cells / n;

    for (uint32_t k = 1; k <= n; k++) {
        const struct ens_shard shard = {k, n, 1};
        uint64_t mine = 0;

        for (uint64_t c = 11; c < 11 + run.n_cells; c++) {
            uint32_t first, last, others = 0;

            ens_shard_part(&shard, &run, c, &first, &last);
            if (first > last)
                continue;
            mine++;
            ck_assert_uint_eq(first, 1);
            ck_assert_uint_eq(last, run.n_replicates);
            for (uint32_t j = 1; j <= n; j++) {
                const struct ens_shard other = {j, n, 1};

                ens_shard_part(&other, &run, c, &first, &last);
                others += j != k && first <= last;
            }
            ck_assert_uint_eq(others, 0);
        }
        ck_assert_msg((double)mine <= 1.2 * fair + 2,
                      "shard %u/%u has %llu of %g", k, n,
                      (unsigned long long)mine, fair);
    }
}
END_TEST

START_TEST(every_whole_cell_is_somebodys)
{
    const struct ens_stage_run run = {11, shapes[_i].n_cells,
                                      shapes[_i].replicates, 0};
    uint64_t n = 0;

    for (uint32_t k = 1; k <= shapes[_i].n; k++)
        for (uint64_t c = 11; c < 11 + run.n_cells; c++) {
            const struct ens_shard shard = {k, shapes[_i].n, 1};
            uint32_t first, last;

            ens_shard_part(&shard, &run, c, &first, &last);
            n += first <= last;
        }
    ck_assert_uint_eq(n, run.n_cells);
}
END_TEST

/* Many small cells come in rows that make ranges. */
START_TEST(small_cells_stay_together)
{
    const struct ens_stage_run run = {0, 100000, 1, 0};
    uint64_t turns = 0;
    int mine = 0;

    for (uint64_t c = 0; c < run.n_cells; c++) {
        int now = part_of(2, 4, &run, c) > 0;

        turns += now != mine;
        mine = now;
    }
    ck_assert_uint_le(turns, 2 * (100000 / 64 / 4 + 1) + 2);
}
END_TEST

START_TEST(none_and_all)
{
    const struct ens_stage_run run = {3, 5, 8, 0};

    for (uint64_t c = 3; c < 8; c++) {
        ck_assert_uint_eq(part_of(0, 1, &run, c), 0);
        ck_assert_uint_eq(part_of(0, 0, &run, c), 8);
        ck_assert_uint_eq(part_of(1, 1, &run, c), 8);
    }
}
END_TEST

START_TEST(names)
{
    static const char *const bad[] = {
        "",    "/",   "1",    "1/",    "/4",  "0/4",  "5/4",
        "a/4", "1/b", "-1/4", "1/4/2", "1/0", "1 /4", "1/9999999"};
    struct ens_shard shard = {0, 0, 0};
    struct ens_error err;

    ck_assert_int_eq(ens_shard_parse(&shard, "12/40", &err), ENS_OK);
    ck_assert_uint_eq(shard.k, 12);
    ck_assert_uint_eq(shard.n, 40);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_int_eq(ens_shard_parse(&shard, bad[i], &err), ENS_EUSAGE);
        ck_assert_ptr_nonnull(strstr(err.text, "--shard"));
    }
    ck_assert_uint_eq(shard.k, 12);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("shard");
    TCase *tc = tcase_create("shard");
    SRunner *runner;
    int failed;
    int n = (int)(sizeof(shapes) / sizeof(shapes[0]));

    tcase_add_loop_test(tc, each_task_once, 0, n);
    tcase_add_loop_test(tc, shares_are_even, 0, n);
    tcase_add_loop_test(tc, whole_cells, 0, n);
    tcase_add_loop_test(tc, every_whole_cell_is_somebodys, 0, n);
    tcase_add_test(tc, axes_are_spread);
    tcase_add_test(tc, small_cells_stay_together);
    tcase_add_test(tc, none_and_all);
    tcase_add_test(tc, names);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
