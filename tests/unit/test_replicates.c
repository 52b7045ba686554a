#include "store/replicates.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define N 3000u

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

/* Around a container's border (65,536), and around the largest numbers. */
static const uint32_t bases[] = {1, 65536 - N / 2, UINT32_MAX - N + 1};

static void check_same(const struct ens_replicates *s, const unsigned char *in,
                       uint32_t base)
{
    uint32_t min = 0, max = 0;
    uint64_t n = 0;

    for (uint32_t i = 0; i < N; i++) {
        if (in[i] && min == 0)
            min = base + i;
        if (in[i])
            max = base + i;
        n += in[i];
        EXPECT(ens_replicates_has(s, base + i) == in[i]);
        if (i % 101 == 0)
            ck_assert_uint_eq(ens_replicates_count(s, base, base + i), n);
    }
    ck_assert_uint_eq(ens_replicates_min(s), min);
    ck_assert_uint_eq(ens_replicates_max(s), max);
    ck_assert_uint_eq(ens_replicates_count(s, 1, UINT32_MAX), n);
    for (int k = 0; k < 100; k++) {
        uint32_t i = below(N), from = i, end;

        while (i < N && !in[i])
            i++;
        ck_assert_uint_eq(ens_replicates_next(s, base + from),
                          i < N ? base + i : 0);
        if (i == N)
            continue;
        for (end = i; end + 1 < N && in[end + 1];)
            end++;
        ck_assert_uint_eq(ens_replicates_run_end(s, base + i), base + end);
    }
}

static void check_bytes(const struct ens_replicates *s, const unsigned char *in,
                        uint32_t base)
{
    struct ens_buf a = ENS_BUF_INIT, b = ENS_BUF_INIT;
    struct ens_replicates back;
    struct ens_cursor c;

    memset(&back, 0, sizeof(back));
    ens_replicates_write(s, &a);
    for (size_t n = 0; n < a.len; n += 1 + n / 8) {
        c = ens_cursor(a.data, n);
        ck_assert_int_eq(ens_replicates_read(&back, &c), -1);
    }
    c = ens_cursor(a.data, a.len);
    ck_assert_int_eq(ens_replicates_read(&back, &c), 0);
    ck_assert_ptr_eq(c.p, c.end);
    check_same(&back, in, base);
    ens_replicates_write(&back, &b);
    ck_assert_uint_eq(a.len, b.len);
    ck_assert_mem_eq(a.data, b.data, a.len);
    ck_assert_uint_le(a.len, N / 8 + 16);
    ens_replicates_fini(&back);
    ens_buf_fini(&a);
    ens_buf_fini(&b);
}

static void change(struct ens_replicates *s, unsigned char *in, uint32_t base)
{
    uint32_t first = below(N), n = below(40) == 0 ? below(N - first) : below(4);
    uint32_t end;

    n = first + n < N ? n : N - 1 - first;
    switch (below(4)) {
    case 0:
        ck_assert_int_eq(
            ens_replicates_add_range(s, base + first, base + first + n), 0);
        memset(in + first, 1, n + 1);
        break;
    case 1:
        ck_assert_int_eq(ens_replicates_remove(s, base + first), in[first]);
        in[first] = 0;
        break;
    case 2:
        if (!in[first])
            break;
        for (end = first; end + 1 < N && in[end + 1];)
            end++;
        ens_replicates_remove_run(s, base + first, base + end);
        memset(in + first, 0, end - first + 1);
        break;
    default:
        ck_assert_int_eq(ens_replicates_add(s, base + first), !in[first]);
        in[first] = 1;
    }
}

/* Roaring 0.2.66 asserts in roaring_bitmap_contains_range when a range ends
 * behind the last container: sets end at multiples of 65,536 too. */
START_TEST(runs_end_with_the_set)
{
    static const uint32_t ends[] = {65535, 65536, 131071, 200000, UINT32_MAX};
    uint32_t end = ends[_i];
    struct ens_replicates s = {0};

    for (uint32_t length = 10; length < 65000; length += 9973) {
        uint32_t first = end - length;

        ck_assert_int_eq(ens_replicates_add_range(&s, first, end), 0);
        ck_assert_uint_eq(ens_replicates_run_end(&s, first), end);
        ck_assert_uint_eq(ens_replicates_run_end(&s, end), end);
        ens_replicates_fini(&s);
    }
    ck_assert_int_eq(ens_replicates_add_range(&s, end - 65530, end), 0);
    ck_assert_uint_eq(ens_replicates_run_end(&s, end - 65530), end);
    ens_replicates_fini(&s);
}
END_TEST

START_TEST(any_change_equals_the_naive_set)
{
    uint32_t base = bases[(size_t)_i % (sizeof(bases) / sizeof(*bases))];
    unsigned char *in = calloc(N, 1);
    struct ens_replicates s;

    memset(&s, 0, sizeof(s));
    state = (uint64_t)_i * 31337;
    check_bytes(&s, in, base);
    for (int k = 0; k < 400; k++) {
        change(&s, in, base);
        if (k % 20 == 0 || k < 8)
            check_bytes(&s, in, base);
        if (k % 20 == 0)
            check_same(&s, in, base);
    }
    ens_replicates_fini(&s);
    ens_replicates_fini(&s);
    free(in);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("replicates");
    TCase *t = tcase_create("replicates");
    SRunner *r;
    int failed;

    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, runs_end_with_the_set, 0, 5);
    tcase_add_loop_test(t, any_change_equals_the_naive_set, 0, 30);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
