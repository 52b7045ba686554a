#include "input/raw.h"

#include "base/bug.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *dtype;
    uint32_t n_shape;
    int64_t shape[3];
    uint64_t size;
    const char *text; /* NULL: accepted */
    const char *key;
    uint64_t rows;
} cases[] = {
    {"<f8", 2, {3, 4}, 96, NULL, NULL, 3},
    {">i4", 1, {6}, 24, NULL, NULL, 6},
    {"f4", 2, {-1, 4}, 96, NULL, NULL, 6},
    {"uint8", 0, {0}, 7, NULL, NULL, 7},
    {"<f8", 2, {0, 4}, 0, NULL, NULL, 0},
    {"<f8", 2, {-1, 4}, 0, NULL, NULL, 0},
    {"<f8", 0, {0}, 0, "empty", "shape", 0},
    {"<f8", 0, {0}, 9, "9 bytes are not a multiple of 8", "shape", 0},
    {"<f8", 2, {3, 4}, 95, "need 96 bytes, the file has 95", "shape", 0},
    {"<f8", 2, {3, 4}, 104, "need 96 bytes, the file has 104", "shape", 0},
    {"<f8", 2, {-1, -1}, 96, "at most one -1", "shape", 0},
    {"<f8", 2, {-2, 4}, 96, "-2", "shape", 0},
    {"<f8", 2, {-1, 0}, 96, "need 0 bytes, the file has 96", "shape", 0},
    {"<f8", 2, {INT64_MAX, 4}, 96, "overflows", "shape", 0},
    {"f9", 1, {3}, 24, "dtype 'f9'; expected", "dtype", 0},
    {NULL, 1, {3}, 24, "dtype ''; expected", "dtype", 0},
};

START_TEST(shapes_against_sizes)
{
    struct ens_input_options o = {.dtype = cases[_i].dtype,
                                  .has_shape = cases[_i].n_shape > 0,
                                  .n_shape = cases[_i].n_shape};
    struct ens_error err = {.status = 0};
    struct ens_view v = {.ndim = 77};
    const char *key = "none";
    enum ens_status s;

    memcpy(o.shape, cases[_i].shape, sizeof(cases[_i].shape));
    s = ens_raw_describe(&v, &o, cases[_i].size, &key, &err);
    if (cases[_i].text == NULL) {
        ck_assert_msg(s == ENS_OK, "%s", err.text);
        ck_assert_uint_eq(v.shape[0], cases[_i].rows);
        ck_assert_ptr_null(key);
    } else {
        ck_assert_int_eq(s, ENS_EINPUT);
        ck_assert_msg(strstr(err.text, cases[_i].text) != NULL, "%s", err.text);
        ck_assert_str_eq(key, cases[_i].key);
        ck_assert_uint_eq(v.ndim, 77);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("raw");
    TCase *t = tcase_create("raw");
    SRunner *r;
    int failed;

    tcase_add_loop_test(t, shapes_against_sizes, 0, ENS_COUNT(cases));
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
