#include "input/npy.h"

#include "base/buf.h"
#include "base/bug.h"
#include "base/file.h"
#include "input/dtype.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const codes[] = {
#define CODE(name, code, bytes) code,
    ENS_DTYPE_LIST(CODE)
#undef CODE
};

static void load(struct ens_buf *b, const char *name)
{
    char path[512];
    struct ens_error err = {.status = 0};

    snprintf(path, sizeof(path), TEST_DATA "/npy/%s.npy", name);
    ck_assert_msg(ens_file_read(b, path, 1 << 20, &err) == ENS_OK, "%s",
                  err.text);
}

static double expected(enum ens_dtype t, int i, int j)
{
    double v = 10 * i + j;

    switch (ens_dtype_code(t)[0]) {
    case 'b':
        return (10 * i + j) % 2;
    case 'i':
        return v - 5;
    case 'u':
        return v;
    default:
        return v - 5.5;
    }
}

static void check_values(const struct ens_npy *npy, const struct ens_buf *b)
{
    struct ens_view v = {
        .dtype = npy->dtype, .swapped = npy->swapped, .ndim = npy->ndim};

    memcpy(v.shape, npy->shape, sizeof(v.shape));
    ens_dtype_strides(&v, npy->fortran);
    for (int j = 0; j < 4; j++) {
        struct ens_view c = v;
        double out[3];

        c.ndim = 1;
        c.data = b->data + npy->data_offset + j * v.strides[1];
        ens_view_f64(&c, 0, 3, out);
        for (int i = 0; i < 3; i++)
            ck_assert_double_eq(out[i], expected(npy->dtype, i, j));
    }
}

/* All that numpy writes of our types: 14 types, 2 byte orders, 2 orders. */
START_TEST(reads_what_numpy_wrote)
{
    size_t type = (size_t)_i / 4;
    int big = _i & 1;
    int fortran = (_i & 2) != 0;
    struct ens_buf b = ENS_BUF_INIT;
    struct ens_error err = {.status = 0};
    struct ens_npy npy;
    char name[64];

    if (ens_dtype_bytes((enum ens_dtype)type) == 1 && big)
        return;
    snprintf(name, sizeof(name), "%s_%s_%c", codes[type], big ? "be" : "le",
             fortran ? 'f' : 'c');
    load(&b, name);
    ck_assert_msg(ens_npy_parse(&npy, b.data, b.len, b.len, &err) == ENS_OK,
                  "%s: %s", name, err.text);
    ck_assert_uint_eq(npy.dtype, type);
    ck_assert_int_eq(npy.fortran, fortran);
    ck_assert_uint_eq(npy.ndim, 2);
    ck_assert_uint_eq(npy.shape[0], 3);
    ck_assert_uint_eq(npy.shape[1], 4);
    check_values(&npy, &b);
    ens_buf_fini(&b);
}
END_TEST

static const struct {
    const char *name;
    uint32_t ndim;
    uint64_t shape[3];
} shapes[] = {
    {"v2", 2, {3, 4}}, {"v3", 2, {3, 4}},    {"scalar", 0, {0}},
    {"one", 1, {5}},   {"empty", 2, {0, 4}}, {"three", 3, {2, 3, 4}},
};

START_TEST(versions_and_shapes)
{
    struct ens_buf b = ENS_BUF_INIT;
    struct ens_npy npy;

    load(&b, shapes[_i].name);
    ck_assert_int_eq(ens_npy_parse(&npy, b.data, b.len, b.len, NULL), ENS_OK);
    ck_assert_uint_eq(npy.ndim, shapes[_i].ndim);
    for (uint32_t i = 0; i < npy.ndim; i++)
        ck_assert_uint_eq(npy.shape[i], shapes[_i].shape[i]);
    if (shapes[_i].name[0] == 'v')
        check_values(&npy, &b);
    ens_buf_fini(&b);
}
END_TEST

static const struct {
    const char *name;
    const char *text;
} unread[] = {
    {"object", "holds Python objects"},
    {"struct", "structured dtype"},
    {"text", "holds text"},
    {"date", "holds dates"},
};

START_TEST(other_types_are_refused_with_a_conversion)
{
    struct ens_buf b = ENS_BUF_INIT;
    struct ens_error err = {.status = 0};
    struct ens_npy npy;

    load(&b, unread[_i].name);
    ck_assert_int_eq(ens_npy_parse(&npy, b.data, b.len, b.len, &err),
                     ENS_EINPUT);
    ck_assert_ptr_nonnull(strstr(err.text, unread[_i].text));
    ck_assert_ptr_nonnull(strstr(err.text, "convert: python3"));
    ens_buf_fini(&b);
}
END_TEST

#define D8   "'descr': '<f8', "
#define C    "'fortran_order': False, "
#define GOOD "{" D8 C "'shape': (2,)}\n"

/* Headers by hand; 16 bytes of data follow. */
static const struct {
    const char *dict;
    const char *text; /* NULL: accepted */
} dicts[] = {
    {GOOD, NULL},
    {"{'shape': (2L,), " D8 "'fortran_order': True, }   \n", NULL},
    {"{\"descr\":'<f8',\"fortran_order\":False,\"shape\":(2,)}", NULL},
    {"{" D8 C "'shape': (2)}", NULL},
    {"", "expected '{'"},
    {"{}", "no descr"},
    {"{" D8 C "}", "no shape"},
    {"{" D8 D8 C "'shape': (2,)}", "descr twice"},
    {"{" D8 C "'shape': (2,), 'x': 1}", "unknown key"},
    {"{" D8 C "'shape': (-2,)}", "negative number in the shape"},
    {"{" D8 C "'shape': (x,)}", "expected a number of the shape"},
    {"{" D8 C "'shape': (2,}", "expected a number of the shape"},
    {"{" D8 C "'shape': (2", "expected ','"},
    {"{" D8 C "'shape': (2,)", "expected ','"},
    {"{" D8 C "'shape': (99999999999999999999,)}", "does not fit 63 bits"},
    {"{" D8 C "'shape': (4611686018427387904, 4)}", "overflows"},
    {"{" D8 C "'shape': (4611686018427387904, 0, 4)}", "overflows"},
    {"{" D8 C "'shape': (1,1,1,1,1,1,1,1,1)}", "more than 8 dimensions"},
    {"{" D8 C "'shape': (3,)}", "truncated: shape (3) of f8 needs 24 bytes, "
                                "the file has 16"},
    {"{" D8 C "'shape': (1,)}", "too long"},
    {"{" D8 "'fortran_order': 1, 'shape': (2,)}", "neither True nor False"},
    {"{'descr': '<f8, ", "a quote that is not closed"},
    {"{'descr': '<f9', " C "'shape': (2,)}", "long doubles"},
    {"{'descr': '<q8', " C "'shape': (2,)}", "unknown dtype '<q8'"},
    {"{'descr': '', " C "'shape': (2,)}", "unknown dtype ''"},
    {GOOD "x", "text after the dict"},
};

static size_t make(unsigned char *to, int version, const char *dict,
                   uint32_t length)
{
    size_t n = version == 1 ? 10 : 12;
    size_t k = strlen(dict);

    memcpy(to, "\x93NUMPY", 6);
    to[6] = (unsigned char)version;
    to[7] = 0;
    to[8] = (unsigned char)length;
    to[9] = (unsigned char)(length >> 8);
    to[10] = (unsigned char)(length >> 16);
    to[11] = (unsigned char)(length >> 24);
    memcpy(to + n, dict, k);
    memset(to + n + k, 0, 16);
    return n + k + 16;
}

START_TEST(headers_by_hand)
{
    unsigned char file[512];
    const char *dict = dicts[_i].dict;
    struct ens_error err = {.status = 0};
    struct ens_npy npy;

    for (int version = 1; version <= 3; version++) {
        size_t n = make(file, version, dict, (uint32_t)strlen(dict));
        enum ens_status s = ens_npy_parse(&npy, file, n, n, &err);

        if (dicts[_i].text == NULL) {
            ck_assert_msg(s == ENS_OK, "%s: %s", dict, err.text);
            continue;
        }
        ck_assert_int_eq(s, ENS_EINPUT);
        ck_assert_msg(strstr(err.text, dicts[_i].text) != NULL, "%s: %s", dict,
                      err.text);
    }
}
END_TEST

static void expect_error(const unsigned char *p, size_t n, uint64_t size,
                         const char *text)
{
    struct ens_error err = {.status = 0};
    struct ens_npy npy = {.ndim = 77};

    ck_assert_int_eq(ens_npy_parse(&npy, p, n, size, &err), ENS_EINPUT);
    ck_assert_msg(strstr(err.text, text) != NULL, "%s", err.text);
    ck_assert_uint_eq(npy.ndim, 77); /* unchanged */
}

START_TEST(broken_beginnings)
{
    unsigned char file[512];
    size_t n = make(file, 1, GOOD, (uint32_t)strlen(GOOD));

    expect_error(file, 0, 0, "byte 0: not a .npy file");
    expect_error((const unsigned char *)"hello, world", 12, 12, "magic");
    file[6] = 4;
    expect_error(file, n, n, "byte 6: .npy version 4.0");
    file[6] = 1;
    make(file, 1, GOOD, 60000);
    expect_error(file, n, n, "byte 8: header of 60000 bytes");
    make(file, 2, GOOD, 0xffffffffu);
    expect_error(file, n, n, "byte 8: header of 4294967295 bytes");
    expect_error(file, n, UINT64_C(1) << 40, "expected at most 65536");
    make(file, 1, GOOD, (uint32_t)strlen(GOOD));
    file[20] = 0;
    expect_error(file, n, n, "bad npy header");
}
END_TEST

START_TEST(cut_anywhere_is_an_error)
{
    struct ens_buf b = ENS_BUF_INIT;
    struct ens_error err = {.status = 0};
    struct ens_npy npy;

    load(&b, "f8_le_c");
    for (size_t n = 0; n < b.len; n++) {
        /* a copy of its own, so that a sanitizer sees a read past the end */
        unsigned char *p = malloc(n > 0 ? n : 1);

        memcpy(p, b.data, n);
        ck_assert_int_eq(ens_npy_parse(&npy, p, n, n, &err), ENS_EINPUT);
        ck_assert(err.text[0] != '\0');
        free(p);
    }
    ens_buf_fini(&b);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("npy");
    TCase *t = tcase_create("npy");
    SRunner *r;
    int failed;

    tcase_add_loop_test(t, reads_what_numpy_wrote, 0, 4 * ENS_COUNT(codes));
    tcase_add_loop_test(t, versions_and_shapes, 0, ENS_COUNT(shapes));
    tcase_add_loop_test(t, other_types_are_refused_with_a_conversion, 0,
                        ENS_COUNT(unread));
    tcase_add_loop_test(t, headers_by_hand, 0, ENS_COUNT(dicts));
    tcase_add_test(t, broken_beginnings);
    tcase_add_test(t, cut_anywhere_is_an_error);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
