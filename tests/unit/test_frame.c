#include "record/frame.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define RUN 0x1122334455667788u

static const size_t lengths[] = {0, 1, 7, 8, 9, 1000, ENS_FRAME_PAYLOAD_MAX};

static void make(struct ens_buf *b, size_t n)
{
    unsigned char *p = malloc(n + 1);

    for (size_t i = 0; i < n; i++)
        p[i] = (unsigned char)(i * 7 + 1);
    ens_frame_write(b, ENS_FRAME_RECORDS, 3, 9, 77, p, n, RUN);
    free(p);
}

START_TEST(written_frame_reads_back)
{
    size_t n = lengths[_i];
    struct ens_buf b = ENS_BUF_INIT;
    struct ens_frame f;

    make(&b, n);
    ck_assert_uint_eq(b.len, ens_frame_bytes(n));
    ck_assert_uint_eq(b.len % 8, 0);
    ck_assert_uint_le(b.len, ENS_FRAME_MAX);
    ck_assert_int_eq(ens_frame_read(&f, b.data, b.len, RUN), ENS_FRAME_GOOD);
    ck_assert_int_eq(f.type, ENS_FRAME_RECORDS);
    ck_assert_uint_eq(f.slot, 3);
    ck_assert_uint_eq(f.incarnation, 9);
    ck_assert_uint_eq(f.seq, 77);
    ck_assert_uint_eq(f.length, n);
    ck_assert_uint_eq(f.total_bytes, b.len);
    for (size_t i = 0; i < n; i++)
        ck_assert_uint_eq(f.payload[i], (unsigned char)(i * 7 + 1));
    ck_assert_int_eq(ens_frame_read(&f, b.data, b.len, RUN + 1), ENS_FRAME_BAD);
    ens_buf_fini(&b);
}
END_TEST

START_TEST(layout_is_as_drawn)
{
    static const unsigned char want[] = {
        'E', 'N', 'S', 'F', 1, 4, 3, 0, 1, 0, 0, 0, 9, 0, 0, 0,
        77,  0,   0,   0,   0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0};
    struct ens_buf b = ENS_BUF_INIT;

    make(&b, 1);
    ck_assert_uint_eq(b.len, 40);
    ck_assert_mem_eq(b.data, want, sizeof(want));
    ens_buf_fini(&b);
}
END_TEST

START_TEST(every_cut_is_partial)
{
    struct ens_buf b = ENS_BUF_INIT;
    struct ens_frame f;

    make(&b, 13);
    for (size_t n = 0; n < b.len; n++) {
        unsigned char *p = malloc(n + 1);

        memcpy(p, b.data, n);
        ck_assert_int_eq(ens_frame_read(&f, p, n, RUN), ENS_FRAME_PARTIAL);
        ck_assert_uint_eq(f.total_bytes, n < ENS_FRAME_HEAD ? 0 : b.len);
        free(p);
    }
    ens_buf_fini(&b);
}
END_TEST

START_TEST(every_flipped_bit_is_seen)
{
    struct ens_buf b = ENS_BUF_INIT;
    struct ens_frame f;

    make(&b, 13);
    for (size_t bit = 0; bit < 8 * b.len; bit++) {
        b.data[bit / 8] ^= (unsigned char)(1u << (bit % 8));
        ck_assert_int_ne(ens_frame_read(&f, b.data, b.len, RUN),
                         ENS_FRAME_GOOD);
        b.data[bit / 8] ^= (unsigned char)(1u << (bit % 8));
    }
    ck_assert_int_eq(ens_frame_read(&f, b.data, b.len, RUN), ENS_FRAME_GOOD);
    ens_buf_fini(&b);
}
END_TEST

START_TEST(two_steps_write_the_same)
{
    struct ens_buf a = ENS_BUF_INIT, b = ENS_BUF_INIT;
    unsigned char *p;

    ens_frame_write(&a, ENS_FRAME_STAGE, 1, 2, 3, "abcde", 5, RUN);
    p = ens_frame_begin(&b, ENS_FRAME_STAGE, 1, 2, 3, 5);
    ck_assert_ptr_nonnull(p);
    ck_assert_uint_eq(b.len, 0);
    memcpy(p, "abcde", 5);
    ens_frame_end(&b, 5, RUN);
    ck_assert_uint_eq(a.len, b.len);
    ck_assert_mem_eq(a.data, b.data, a.len);
    ens_buf_fini(&a);
    ens_buf_fini(&b);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("frame");
    TCase *t = tcase_create("frame");
    SRunner *r;
    int failed;

    tcase_add_loop_test(t, written_frame_reads_back, 0,
                        sizeof(lengths) / sizeof(lengths[0]));
    tcase_add_test(t, layout_is_as_drawn);
    tcase_add_test(t, every_cut_is_partial);
    tcase_add_test(t, every_flipped_bit_is_seen);
    tcase_add_test(t, two_steps_write_the_same);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? 0 : 1;
}
