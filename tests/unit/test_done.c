#include "store/done.h"

#include "store/replicates.h"

#include <check.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#define CELLS 7u
#define REPS  600u

/* What a task says in the naive model. */
struct task {
    int outcome; /* ENS_N_OUTCOMES: no record */
    uint32_t round;
    int reopened;
};

struct model {
    struct task task[CELLS][REPS + 1];
};

/* An assertion of Check writes to a file, held or not: too dear for loops. */
#define EXPECT(held)                                                           \
    do {                                                                       \
        if (!(held))                                                           \
            ck_abort_msg("not so: %s", #held);                                 \
    } while (0)

static uint64_t state;

static uint32_t below(uint32_t n) /* splitmix64 */
{
    uint64_t z = state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (uint32_t)((z ^ (z >> 31)) >> 32) % n;
}

static void model_init(struct model *m)
{
    for (size_t c = 0; c < CELLS; c++)
        for (size_t r = 0; r <= REPS; r++)
            m->task[c][r] = (struct task){ENS_N_OUTCOMES, 0, 0};
}

static int model_add(struct task *t, int outcome, uint32_t round, int *replaced)
{
    if (t->outcome != ENS_N_OUTCOMES && round <= t->round)
        return 0;
    *replaced = t->reopened ? ENS_N_OUTCOMES : t->outcome;
    *t = (struct task){outcome, round, 0};
    return 1;
}

static int model_get(const struct task *t)
{
    return t->reopened ? ENS_N_OUTCOMES : t->outcome;
}

/* Cell ordinals far apart, so that several chunks are in use. */
static uint64_t ordinal(size_t c)
{
    return c * 1777 + (c == CELLS - 1 ? 100000 : 0);
}

static void add_both(struct ens_done *d, struct model *m, size_t c, uint32_t r,
                     int outcome, uint32_t round)
{
    enum ens_outcome replaced = ENS_TASK_OK;
    int want = ENS_TASK_OK;
    int a = model_add(&m->task[c][r], outcome, round, &want);
    int b = ens_done_add(d, ordinal(c), r, (enum ens_outcome)outcome, round,
                         &replaced);

    EXPECT(a == b);
    EXPECT(a != 1 || want == (int)replaced);
}

static void check_next(const struct ens_done *d, const struct model *m,
                       size_t c, uint32_t from, uint32_t last)
{
    uint32_t r = from == 0 ? 1 : from, got;
    uint64_t n = 0, want_n = 0;

    while (r <= last && model_get(&m->task[c][r]) != ENS_N_OUTCOMES)
        r++;
    for (uint32_t k = r; k <= last; k++, want_n++)
        if (model_get(&m->task[c][k]) != ENS_N_OUTCOMES)
            break;
    got = ens_done_next_open(d, ordinal(c), from, last, &n);
    EXPECT(got == (r <= last ? r : 0));
    EXPECT(got == 0 || n == want_n);
}

static void check_all(const struct ens_done *d, const struct model *m)
{
    uint64_t total[ENS_N_OUTCOMES] = {0};

    for (size_t c = 0; c < CELLS; c++) {
        uint64_t n = 0;
        uint32_t last = 0; /* that has a record, reopened or not */

        for (uint32_t r = 1; r <= REPS; r++) {
            int want = model_get(&m->task[c][r]);

            if (m->task[c][r].outcome != ENS_N_OUTCOMES)
                last = r;

            EXPECT((int)ens_done_get(d, ordinal(c), r) == want);
            EXPECT(ens_done_round(d, ordinal(c), r) == m->task[c][r].round);
            if (want != ENS_N_OUTCOMES) {
                total[want]++;
                n++;
            }
            if (r % 37 == 0)
                ck_assert_uint_eq(ens_done_count(d, ordinal(c), r), n);
        }
        ck_assert_uint_eq(ens_done_last(d, ordinal(c)), last);
        for (int k = 0; k < 60; k++) {
            uint32_t from = below(REPS + 2), to = from + below(20);

            check_next(d, m, c, from, to < REPS ? to : REPS);
            check_next(d, m, c, from, REPS);
        }
    }
    for (int o = 0; o < ENS_N_OUTCOMES; o++)
        ck_assert_uint_eq(ens_done_total(d, (enum ens_outcome)o), total[o]);
}

/* Write, read back, compare bytes and answers (reopened ones are closed). */
static void check_bytes(const struct ens_done *d, const struct model *m)
{
    struct ens_buf a = ENS_BUF_INIT, b = ENS_BUF_INIT;
    struct model closed = *m;
    struct ens_done *back;

    ens_done_write(d, &a);
    ck_assert(!a.failed);
    back = ens_done_read(a.data, a.len);
    ck_assert_ptr_nonnull(back);
    for (size_t c = 0; c < CELLS; c++)
        for (size_t r = 1; r <= REPS; r++)
            closed.task[c][r].reopened = 0;
    check_all(back, &closed);
    ens_done_write(back, &b);
    ck_assert_uint_eq(a.len, b.len);
    ck_assert_mem_eq(a.data, b.data, a.len);
    for (size_t n = 0; n < a.len; n += 1 + n / 64)
        EXPECT(ens_done_read(a.data, n) == NULL);
    ens_done_free(back);
    ens_buf_fini(&a);
    ens_buf_fini(&b);
}

static int some_outcome(void)
{
    return below(3) != 0 ? ENS_TASK_OK : (int)below(ENS_N_OUTCOMES);
}

static void reopen_both(struct ens_done *d, struct model *m)
{
    ck_assert_int_eq(ens_done_reopen_failed(d, NULL), 0);
    for (size_t c = 0; c < CELLS; c++)
        for (size_t r = 1; r <= REPS; r++)
            m->task[c][r].reopened = m->task[c][r].outcome != ENS_N_OUTCOMES &&
                                     m->task[c][r].outcome != ENS_TASK_OK;
}

/* Several workers, each with a range of its own, finishing in any order. */
static void add_ranges(struct ens_done *d, struct model *m, size_t c,
                       uint32_t round)
{
    uint32_t at[4], end[4], next = 1 + below(REPS / 2);

    for (size_t w = 0; w < 4; w++) {
        at[w] = next;
        end[w] = at[w] + below(64);
        end[w] = end[w] > REPS + 1 ? REPS + 1 : end[w];
        next = end[w];
    }
    for (int k = 0; k < 200; k++) {
        size_t w = below(4);

        if (at[w] < end[w])
            add_both(d, m, c, at[w]++, some_outcome(), round);
    }
}

START_TEST(any_order_equals_the_naive_model)
{
    struct ens_done *d = ens_done_new();
    struct model *m = malloc(sizeof(*m));
    uint32_t round = 0;

    ck_assert_ptr_nonnull(d);
    ck_assert_ptr_nonnull(m);
    model_init(m);
    state = (uint64_t)_i * 1000003;
    for (int step = 0; step < 60; step++) {
        size_t c = below(CELLS);

        switch (below(6)) {
        case 0: /* in order */
            for (uint32_t r = 1, n = below(REPS); r <= n; r++)
                add_both(d, m, c, r, ENS_TASK_OK, round);
            break;
        case 1: /* backwards */
            for (uint32_t r = REPS, n = below(REPS); r > n; r--)
                add_both(d, m, c, r, some_outcome(), round);
            break;
        case 2: /* scattered, any round */
            for (uint32_t k = below(200); k > 0; k--)
                add_both(d, m, c, 1 + below(REPS), some_outcome(), below(4));
            break;
        case 3:
            if (below(3) == 0) {
                reopen_both(d, m);
                round++;
            }
            break;
        default:
            add_ranges(d, m, c, round);
        }
        if (step % 7 == 0)
            check_all(d, m);
    }
    check_all(d, m);
    check_bytes(d, m);
    free(m);
    ens_done_free(d);
}
END_TEST

static size_t heap_bytes(void)
{
    struct mallinfo2 m = mallinfo2();

    return m.uordblks + m.hblkhd;
}

static void finish(struct ens_done *d, uint64_t n_cells, uint32_t n)
{
    enum ens_outcome replaced;

    for (uint64_t c = 0; c < n_cells; c++)
        for (uint32_t r = 1; r <= n; r++)
            EXPECT(ens_done_add(d, c, r, ENS_TASK_OK, 0, &replaced) == 1);
}

START_TEST(finished_cells_cost_a_few_bytes)
{
    size_t before = heap_bytes();
    struct ens_done *d = ens_done_new();
    struct ens_buf b = ENS_BUF_INIT;
    struct ens_done *back;

    finish(d, 1000000, 3);
    ck_assert_uint_lt(heap_bytes() - before, 64 << 10);
    ens_done_write(d, &b);
    ck_assert_uint_lt(b.len, 100);
    back = ens_done_read(b.data, b.len);
    ck_assert_ptr_nonnull(back);
    ck_assert_uint_eq(ens_done_total(back, ENS_TASK_OK), 3000000);
    ck_assert_uint_eq(ens_done_count(back, 999999, 3), 3);
    ck_assert_uint_eq(ens_done_count(back, 1000000, 3), 0);
    ens_done_free(back);
    ens_buf_fini(&b);
    ens_done_free(d);
}
END_TEST

START_TEST(scattered_completions_stay_compressed)
{
    size_t before = heap_bytes();
    struct ens_done *d = ens_done_new();
    enum ens_outcome replaced;

    for (uint64_t c = 0; c < 100; c++) /* a shard's second half */
        for (uint32_t r = 5001; r <= 10000; r++)
            ens_done_add(d, c, r, ENS_TASK_OK, 0, &replaced);
    ck_assert_uint_lt(heap_bytes() - before, 100 * 1024);
    for (uint64_t c = 0; c < 100; c++)
        for (uint32_t r = 1; r <= 5000; r++)
            ens_done_add(d, c, r, ENS_TASK_FAILED, 0, &replaced);
    ck_assert_uint_lt(heap_bytes() - before, 100 * 1024);
    ck_assert_uint_eq(ens_done_total(d, ENS_TASK_FAILED), 500000);
    ck_assert_uint_eq(ens_done_total(d, ENS_TASK_OK), 500000);
    ens_done_free(d);
}
END_TEST

START_TEST(next_open_leaps_over_finished_cells)
{
    struct ens_done *d = ens_done_new();
    enum ens_outcome replaced;
    uint64_t n = 0;

    finish(d, 200000, 2);
    ens_done_add(d, 199999, 5, ENS_TASK_OK, 0, &replaced);
    for (uint64_t c = 0; c < 200000; c++)
        EXPECT(ens_done_next_open(d, c, 1, 2, &n) == 0);
    ck_assert_uint_eq(ens_done_next_open(d, 199999, 1, 9, &n), 3);
    ck_assert_uint_eq(n, 2);
    ck_assert_uint_eq(ens_done_next_open(d, 199999, 5, 9, &n), 6);
    ck_assert_uint_eq(n, 4);
    ck_assert_uint_eq(ens_done_next_open(d, 1u << 30, 0, 9, &n), 1);
    ck_assert_uint_eq(n, 9);
    ens_done_free(d);
}
END_TEST

START_TEST(largest_replicates_do_not_overflow)
{
    struct ens_done *d = ens_done_new();
    enum ens_outcome replaced;
    uint64_t n;

    ens_done_add(d, 3, UINT32_MAX, ENS_TASK_CRASHED, UINT32_MAX, &replaced);
    ens_done_add(d, 3, UINT32_MAX - 1, ENS_TASK_OK, 0, &replaced);
    ck_assert_int_eq((int)ens_done_get(d, 3, UINT32_MAX), ENS_TASK_CRASHED);
    ck_assert_uint_eq(ens_done_next_open(d, 3, UINT32_MAX - 1, UINT32_MAX, &n),
                      0);
    ck_assert_uint_eq(ens_done_next_open(d, 3, 1, UINT32_MAX, &n), 1);
    ck_assert_uint_eq(n, UINT32_MAX - 2);
    ck_assert_uint_eq(ens_done_count(d, 3, UINT32_MAX), 2);
    ck_assert_int_eq(ens_done_reopen_failed(d, NULL), 0);
    ck_assert_uint_eq(ens_done_next_open(d, 3, UINT32_MAX - 1, UINT32_MAX, &n),
                      UINT32_MAX);
    ck_assert_uint_eq(n, 1);
    ens_done_free(d);
}
END_TEST

START_TEST(no_cell_beyond_the_study_is_read)
{
    struct ens_done *d = ens_done_new(), *back;
    struct ens_buf b = ENS_BUF_INIT;
    enum ens_outcome replaced;

    ens_done_add(d, 5000, 9, ENS_TASK_OK, 0, &replaced);
    ens_done_write(d, &b);
    ck_assert_ptr_null(ens_done_read_cells(b.data, b.len, 5000));
    back = ens_done_read_cells(b.data, b.len, 5001);
    ck_assert_ptr_nonnull(back);
    ens_done_free(back);
    ens_done_free(d);
    ens_buf_fini(&b);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("done");
    TCase *t = tcase_create("done");
    SRunner *r;
    int failed;

    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, any_order_equals_the_naive_model, 0, 40);
    tcase_add_test(t, finished_cells_cost_a_few_bytes);
    tcase_add_test(t, scattered_completions_stay_compressed);
    tcase_add_test(t, next_open_leaps_over_finished_cells);
    tcase_add_test(t, largest_replicates_do_not_overflow);
    tcase_add_test(t, no_cell_beyond_the_study_is_read);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
