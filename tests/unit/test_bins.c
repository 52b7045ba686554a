/* Bins of columns: how they are cut, what codes they give. */
#include "../growing.h"

#define ROWS 5000

static double x[ROWS * 3];

static struct table table_of(size_t n, size_t p)
{
    return (struct table){.x = x, .n_source = n, .p = p, .n = n};
}

/* Where a value belongs, by the definition. */
static unsigned bin_of(const double *column, double v)
{
    unsigned b = 0;

    while (b + 1 < (unsigned)column[0] &&
           v > ens_bins_between(ens_bins_high(column)[b],
                                ens_bins_low(column)[b + 1]))
        b++;
    return b;
}

static void check_codes(const struct ens_bins *b)
{
    for (size_t i = 0; i < b->n_rows; i++)
        for (size_t j = 0; j < b->p; j++)
            ck_assert_uint_eq(
                b->code[i * b->stride + j],
                bin_of(b->table + j * ENS_BINS_TABLE, x[i * b->p + j]));
}

START_TEST(few_values_have_bins_of_their_own)
{
    struct ens_arena arena = ENS_ARENA_INIT;
    struct table t = table_of(ROWS, 3);
    struct ens_bins b;

    for (size_t i = 0; i < ROWS; i++) {
        x[3 * i] = (double)(i * 7 % 256) - 100;
        x[3 * i + 1] = 4;
        x[3 * i + 2] = i == 17 ? 1e300 : i % 2 ? -0.0 : 0.0;
    }
    b = growing_bins(&t, &arena);
    ck_assert_uint_eq(b.stride, 8);
    ck_assert(b.table[0] == 256);
    ck_assert(b.table[ENS_BINS_TABLE] == 1);
    ck_assert(b.table[2 * ENS_BINS_TABLE] == 2);
    for (size_t i = 0; i < ROWS; i++) {
        const uint8_t *code = b.code + i * 8;

        ck_assert_uint_eq(code[0], i * 7 % 256);
        ck_assert_uint_eq(code[1], 0);
        ck_assert_uint_eq(code[2], i == 17);
        for (size_t j = 3; j < 8; j++)
            ck_assert_uint_eq(code[j], 0);
    }
    ens_arena_fini(&arena);
}
END_TEST

START_TEST(many_values_are_shared_out)
{
    struct ens_arena arena = ENS_ARENA_INIT;
    struct table t = table_of(ROWS, 3);
    struct ens_bins b;
    size_t count[2][256] = {{0}};

    for (size_t i = 0; i < ROWS; i++) {
        double u = (double)(i * 2741 % ROWS) / ROWS;

        x[3 * i] = exp(20 * u);
        x[3 * i + 1] = u < 0.6 ? 0 : u; /* one value of 3 rows in 5 */
        x[3 * i + 2] = u;
    }
    b = growing_bins(&t, &arena);
    check_codes(&b);
    for (size_t i = 0; i < ROWS; i++)
        for (size_t j = 0; j < 2; j++)
            count[j][b.code[i * 8 + j]]++;
    for (size_t k = 0; k < 256; k++) {
        ck_assert_uint_ge(count[0][k], ROWS / 256);
        ck_assert_uint_le(count[0][k], ROWS / 256 + 1);
    }
    /* the others share the other bins */
    ck_assert(b.table[ENS_BINS_TABLE] == 256);
    ck_assert_uint_eq(count[1][0], 3000);
    for (size_t k = 1; k < 256; k++)
        ck_assert_uint_le(count[1][k], 9);
    ens_arena_fini(&arena);
}
END_TEST

START_TEST(neighbours_are_told_apart)
{
    static const double v[] = {-1.7e308, -5e-324, 0,       5e-324,
                               1,        1.7e308, 1.79e308};
    struct ens_arena arena = ENS_ARENA_INIT;
    struct table t = table_of(8, 1);
    struct ens_bins b;

    memcpy(x, v, sizeof(v));
    x[7] = nextafter(1, 2);
    b = growing_bins(&t, &arena);
    ck_assert(b.table[0] == 8);
    check_codes(&b);
    for (size_t i = 0; i < 7; i++)
        ck_assert_uint_eq(b.code[i * 8], i < 5 ? i : i + 1);
    ck_assert_uint_eq(b.code[7 * 8], 5);
    ens_arena_fini(&arena);
}
END_TEST

START_TEST(ranges_of_rows_give_the_same_codes)
{
    struct ens_arena arena = ENS_ARENA_INIT;
    struct table t = table_of(ROWS, 3);
    struct ens_rows r = table_rows(&t);
    double work[3 * 512];
    uint8_t code[ROWS * 8];
    struct ens_bins b;

    ck_assert_uint_le(ens_bins_encode_work(3), 3 * 512);
    ck_assert_uint_eq(ens_bins_bytes(ROWS, 3), sizeof(code));
    for (size_t i = 0; i < 3 * ROWS; i++)
        x[i] = sin((double)i);
    b = growing_bins(&t, &arena);
    for (size_t at = 0, n = 1; at < ROWS; at += n, n = n * 3 % 1000 + 1) {
        size_t rows = ROWS - at < n ? ROWS - at : n;

        ens_bins_encode(&r, b.table, at, rows, work, code + at * 8);
    }
    ck_assert_mem_eq(code, b.code, sizeof(code));
    ens_arena_fini(&arena);
}
END_TEST

START_TEST(impossible_sizes_are_no_sizes)
{
    ck_assert_uint_eq(ens_bins_bytes(UINT64_MAX / 8, 9), 0);
    ck_assert_uint_eq(ens_bins_bytes(1, SIZE_MAX), 0);
    ck_assert_uint_eq(ens_bins_table_size(SIZE_MAX / 2), 0);
    ck_assert_uint_eq(ens_bins_bytes(3, 9), 48);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("bins");
    TCase *t = tcase_create("bins");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_test(t, few_values_have_bins_of_their_own);
    tcase_add_test(t, many_values_are_shared_out);
    tcase_add_test(t, neighbours_are_told_apart);
    tcase_add_test(t, ranges_of_rows_give_the_same_codes);
    tcase_add_test(t, impossible_sizes_are_no_sizes);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
