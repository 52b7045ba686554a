#include "convert/element.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static size_t print(char *to, enum ens_dtype t, const void *p)
{
    struct ens_view v = {.data = p, .dtype = t, .ndim = 1};

    v.shape[0] = 1;
    v.strides[0] = (int64_t)ens_dtype_bytes(t);
    return ens_element_print(to, &v, 0);
}

/* Every one of them: printed, read and rounded to 16 bits it is the same. */
START_TEST(halves_read_back)
{
    char text[ENS_ELEMENT_BYTES];

    for (uint32_t i = 0; i < 65536; i++) {
        uint16_t half = (uint16_t)i;
        uint16_t back = 0;
        struct ens_element e = ens_element_load(&half, ENS_DT_F16, 0);
        size_t n = print(text, ENS_DT_F16, &half);

        ck_assert_int_eq(n == 0, isnan(e.as.real) != 0);
        if (n == 0)
            continue;
        e.as.real = strtod(text, NULL);
        ck_assert_int_eq(ens_element_store(&back, ENS_DT_F16, &e, 0), 0);
        ck_assert_msg(back == half, "%04x: %s", half, text);
    }
}
END_TEST

START_TEST(floats_read_back)
{
    char text[ENS_ELEMENT_BYTES];
    uint32_t s = 2463534242u;

    for (int i = 0; i < 200000; i++) {
        float f, g;

        s ^= s << 13;
        s ^= s >> 17;
        s ^= s << 5;
        memcpy(&f, &s, sizeof(f));
        if (isnan(f))
            continue;
        ck_assert_uint_le(print(text, ENS_DT_F32, &f), 15);
        g = strtof(text, NULL);
        ck_assert_msg(memcmp(&f, &g, sizeof(f)) == 0, "%a: %s", (double)f,
                      text);
    }
}
END_TEST

static const struct {
    enum ens_dtype from;
    int64_t value; /* a double's when from is F64, as its integer value */
    enum ens_dtype to;
    int exact, status;
} stores[] = {
    {ENS_DT_I64, 127, ENS_DT_I8, 1, 0},
    {ENS_DT_I64, 128, ENS_DT_I8, 1, -1},
    {ENS_DT_I64, -128, ENS_DT_I8, 1, 0},
    {ENS_DT_I64, -129, ENS_DT_I8, 1, -1},
    {ENS_DT_I64, -1, ENS_DT_U64, 1, -1},
    {ENS_DT_I64, INT64_MIN, ENS_DT_I64, 1, 0},
    {ENS_DT_I64, 2, ENS_DT_BOOL, 1, -1},
    {ENS_DT_I64, INT64_C(9007199254740993), ENS_DT_F64, 1, -1},
    {ENS_DT_I64, INT64_C(9007199254740993), ENS_DT_F64, 0, 0},
    {ENS_DT_I64, INT64_MAX, ENS_DT_F64, 1, -1},
    {ENS_DT_I64, INT64_MIN, ENS_DT_F64, 1, 0},
    {ENS_DT_U64, -1, ENS_DT_I64, 1, -1},
    {ENS_DT_U64, -1, ENS_DT_U64, 1, 0},
    {ENS_DT_U64, -1, ENS_DT_F64, 1, -1},
    {ENS_DT_F64, 255, ENS_DT_U8, 1, 0},
    {ENS_DT_F64, 256, ENS_DT_U8, 1, -1},
    {ENS_DT_F64, -1, ENS_DT_U8, 1, -1},
    {ENS_DT_F64, 1, ENS_DT_C128, 0, -1},
};

START_TEST(holds_what_it_can)
{
    unsigned char to[16];
    double d = (double)stores[_i].value;
    struct ens_element e = ens_element_load(
        stores[_i].from == ENS_DT_F64 ? (const void *)&d
                                      : (const void *)&stores[_i].value,
        stores[_i].from, 0);

    ck_assert_int_eq(ens_element_store(to, stores[_i].to, &e, stores[_i].exact),
                     stores[_i].status);
}
END_TEST

START_TEST(no_integer_of_a_fraction)
{
    const double values[] = {0.5, NAN, INFINITY, 0x1p64, -0x1p64};
    unsigned char to[8];

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        struct ens_element e = {ENS_EL_REAL, {.real = values[i]}};

        ck_assert_int_eq(ens_element_store(to, ENS_DT_I64, &e, 0), -1);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("element");
    TCase *tc = tcase_create("element");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, halves_read_back);
    tcase_add_test(tc, floats_read_back);
    tcase_add_loop_test(tc, holds_what_it_can, 0,
                        (int)(sizeof(stores) / sizeof(stores[0])));
    tcase_add_test(tc, no_integer_of_a_fraction);
    suite_add_tcase(suite, tc);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
