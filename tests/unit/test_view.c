#include <ensrun/view.h>

#include "base/bug.h"
#include "input/dtype.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define N 5

/* Five values that every type but bool can hold, as bytes of each type. */
static const double values[N] = {0, 1, 2, 100, 7};

static void reverse(unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        unsigned char b = p[i];

        p[i] = p[n - 1 - i];
        p[n - 1 - i] = b;
    }
}

static uint16_t half_of(double v)
{
    int e;
    double f = frexp(v, &e); /* 0.5 <= f < 1 */

    if (v == 0)
        return 0;
    return (uint16_t)((e + 14) << 10 | ((int)(f * 2048) & 1023));
}

static void encode(unsigned char *to, enum ens_dtype t, double v)
{
    union {
        double f64[2];
        float f32[2];
        int64_t i64;
        int32_t i32;
        int16_t i16;
        uint16_t u16;
        unsigned char b[16];
    } u = {.f64 = {0, 3}};

    switch (t) {
    case ENS_DT_F64:
    case ENS_DT_C128:
        u.f64[0] = v;
        break;
    case ENS_DT_C64:
        u.f32[1] = 3;
        u.f32[0] = (float)v;
        break;
    case ENS_DT_F32:
        u.f32[0] = (float)v;
        break;
    case ENS_DT_F16:
        u.u16 = half_of(v);
        break;
    case ENS_DT_I64:
    case ENS_DT_U64:
        u.i64 = (int64_t)v;
        break;
    case ENS_DT_I32:
    case ENS_DT_U32:
        u.i32 = (int32_t)v;
        break;
    case ENS_DT_I16:
    case ENS_DT_U16:
        u.i16 = (int16_t)v;
        break;
    case ENS_DT_I8:
    case ENS_DT_U8:
    case ENS_DT_BOOL:
        u.b[0] = (unsigned char)v;
        break;
    }
    memcpy(to, u.b, ens_dtype_bytes(t));
}

/* Each type, native and swapped, dense and with gaps: the same values. */
START_TEST(every_type_reads_the_same)
{
    enum ens_dtype t = (enum ens_dtype)(_i / 4);
    int swapped = _i & 1;
    size_t bytes = ens_dtype_bytes(t);
    size_t part = t == ENS_DT_C64 || t == ENS_DT_C128 ? bytes / 2 : bytes;
    size_t stride = (_i & 2) != 0 ? bytes + 3 : bytes;
    unsigned char data[N * 20 + 1];
    struct ens_view v = {data + 1, t, swapped, 1, {N}, {(int64_t)stride}};
    uint64_t index[4] = {4, 0, 3, 3};
    double out[N];

    for (size_t i = 0; i < N; i++) {
        unsigned char *to = data + 1 + i * stride;

        encode(to, t, values[i]);
        if (swapped)
            for (size_t k = 0; k < bytes; k += part)
                reverse(to + k, part);
    }
    ens_view_f64(&v, 0, N, out);
    for (size_t i = 0; i < N; i++)
        ck_assert_double_eq(out[i],
                            t == ENS_DT_BOOL ? values[i] != 0 : values[i]);
    ens_view_f64(&v, 2, 2, out);
    ck_assert_double_eq(out[1], t == ENS_DT_BOOL ? 1 : 100);
    ens_view_gather_f64(&v, index, 4, out);
    ck_assert_double_eq(out[0], t == ENS_DT_BOOL ? 1 : 7);
    ck_assert_double_eq(out[1], 0);
    ck_assert_double_eq(out[3], t == ENS_DT_BOOL ? 1 : 100);
}
END_TEST

static const struct {
    uint16_t bits;
    double value;
} halves[] = {
    {0x0000, 0.0},
    {0x8000, -0.0},
    {0x3c00, 1.0},
    {0xc000, -2.0},
    {0x7bff, 65504.0},
    {0x0400, 0x1p-14},
    {0x0001, 0x1p-24},
    {0x83ff, -1023.0 * 0x1p-24},
    {0x3555, 0.333251953125},
    {0x7c00, INFINITY},
    {0xfc00, -INFINITY},
    {0x7e00, NAN},
};

START_TEST(half_precision)
{
    struct ens_view v = {&halves[_i].bits, ENS_DT_F16, 0, 1, {1}, {2}};
    double got;

    ens_view_f64(&v, 0, 1, &got);
    if (isnan(halves[_i].value)) {
        ck_assert(isnan(got));
    } else {
        ck_assert_double_eq(got, halves[_i].value);
        ck_assert_int_eq(signbit(got) != 0, signbit(halves[_i].value) != 0);
    }
}
END_TEST

START_TEST(signs_and_extremes)
{
    int64_t i64[2] = {INT64_MIN, -1};
    uint64_t u64[1] = {UINT64_MAX};
    signed char i8[1] = {-128};
    unsigned char u8[1] = {255};
    struct ens_view v = {i64, ENS_DT_I64, 0, 1, {2}, {8}};
    double out[2];

    ens_view_f64(&v, 0, 2, out);
    ck_assert_double_eq(out[0], -0x1p63);
    ck_assert_double_eq(out[1], -1);
    v = (struct ens_view){u64, ENS_DT_U64, 0, 1, {1}, {8}};
    ens_view_f64(&v, 0, 1, out);
    ck_assert_double_eq(out[0], 0x1p64);
    v = (struct ens_view){i8, ENS_DT_I8, 0, 1, {1}, {1}};
    ens_view_f64(&v, 0, 1, out);
    ck_assert_double_eq(out[0], -128);
    v = (struct ens_view){u8, ENS_DT_U8, 0, 1, {1}, {1}};
    ens_view_f64(&v, 0, 1, out);
    ck_assert_double_eq(out[0], 255);
}
END_TEST

START_TEST(strides_may_be_negative_or_zero)
{
    double x[3] = {1, 2, 3};
    struct ens_view v = {&x[2], ENS_DT_F64, 0, 1, {3}, {-8}};
    double out[3];

    ens_view_f64(&v, 0, 3, out);
    ck_assert_double_eq(out[0], 3);
    ck_assert_double_eq(out[2], 1);
    v = (struct ens_view){&x[1], ENS_DT_F64, 0, 1, {3}, {0}};
    ens_view_f64(&v, 0, 3, out);
    ck_assert_double_eq(out[2], 2);
}
END_TEST

START_TEST(pointer_only_to_native_dense_doubles)
{
    double x[12] = {0};
    struct ens_view v = {x, ENS_DT_F64, 0, 2, {3, 4}, {32, 8}};

    ck_assert_ptr_eq(ens_view_pointer_f64(&v), x);
    v.swapped = 1;
    ck_assert_ptr_null(ens_view_pointer_f64(&v));
    v.swapped = 0;
    v.dtype = ENS_DT_I64;
    ck_assert_ptr_null(ens_view_pointer_f64(&v));
    v.dtype = ENS_DT_F64;
    v.strides[0] = 8;
    v.strides[1] = 24; /* Fortran order */
    ck_assert_ptr_null(ens_view_pointer_f64(&v));
    v = (struct ens_view){(char *)x + 4, ENS_DT_F64, 0, 1, {3}, {8}};
    ck_assert_ptr_null(ens_view_pointer_f64(&v));
    v = (struct ens_view){x, ENS_DT_F64, 0, 1, {3}, {16}};
    ck_assert_ptr_null(ens_view_pointer_f64(&v));
    v = (struct ens_view){NULL, ENS_DT_F64, 0, 1, {3}, {8}};
    ck_assert_ptr_null(ens_view_pointer_f64(&v));
}
END_TEST

START_TEST(dtype_names)
{
    enum ens_dtype t = ENS_DT_F64;
    int swapped = 0;

    ck_assert_int_eq(ens_dtype_parse(">f8", 3, &t, &swapped), 0);
    ck_assert(t == ENS_DT_F64 &&
              swapped == (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__));
    ck_assert_int_eq(ens_dtype_parse("uint16", 6, &t, &swapped), 0);
    ck_assert(t == ENS_DT_U16 && !swapped);
    ck_assert_int_eq(ens_dtype_parse("|b1", 3, &t, &swapped), 0);
    ck_assert(t == ENS_DT_BOOL && !swapped);
    ck_assert_int_eq(ens_dtype_parse("<c16", 4, &t, &swapped), 0);
    ck_assert(t == ENS_DT_C128);
    ck_assert_int_eq(ens_dtype_parse("f16", 3, &t, &swapped), -1);
    ck_assert_int_eq(ens_dtype_parse("<O8", 3, &t, &swapped), -1);
    ck_assert_int_eq(ens_dtype_parse("", 0, &t, &swapped), -1);
    ck_assert_int_eq(ens_dtype_parse("<", 1, &t, &swapped), -1);
    ck_assert(t == ENS_DT_C128); /* failures leave it alone */
    ck_assert_str_eq(ens_dtype_code(ENS_DT_F16), "f2");
}
END_TEST

START_TEST(array_bytes_are_checked)
{
    uint64_t big[3] = {UINT64_C(1) << 31, UINT64_C(1) << 31, 4};
    uint64_t empty[3] = {UINT64_C(1) << 62, 0, UINT64_C(1) << 62};
    uint64_t ok[2] = {3, 4};
    uint64_t bytes = 1;

    ck_assert_int_eq(ens_dtype_array_bytes(ENS_DT_F64, 3, big, &bytes), -1);
    ck_assert_int_eq(ens_dtype_array_bytes(ENS_DT_F64, 3, empty, &bytes), -1);
    ck_assert_int_eq(ens_dtype_array_bytes(ENS_DT_F64, 2, ok, &bytes), 0);
    ck_assert_uint_eq(bytes, 96);
    ok[0] = 0;
    ck_assert_int_eq(ens_dtype_array_bytes(ENS_DT_F64, 2, ok, &bytes), 0);
    ck_assert_uint_eq(bytes, 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("view");
    TCase *t = tcase_create("view");
    SRunner *r;
    int failed;

    tcase_add_loop_test(t, every_type_reads_the_same, 0, 4 * (ENS_DT_C128 + 1));
    tcase_add_loop_test(t, half_precision, 0, ENS_COUNT(halves));
    tcase_add_test(t, signs_and_extremes);
    tcase_add_test(t, strides_may_be_negative_or_zero);
    tcase_add_test(t, pointer_only_to_native_dense_doubles);
    tcase_add_test(t, dtype_names);
    tcase_add_test(t, array_bytes_are_checked);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
