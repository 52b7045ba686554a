/* Numbers as far as their errors let them mean something. */
#include "cli/rounded.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    double value, error;
    const char *text;
} row[] = {
    {2.01214, 0.0338729, "2.012 (0.034)"},
    {0.5, 0.01, "0.500 (0.010)"},
    {1234.5678, 12.3, "1235 (12)"},
    {123456, 2345, "123456 (2345)"},
    {-0.0001, 0.02, "0.000 (0.020)"},
    {1, 0, "1 (0)"},
    {0.123456789, NAN, "0.123457"},
    {NAN, 1, ""},
    {NAN, NAN, ""},
    {1e300, 1e290, "1e+300 (1e+290)"},
    {1e-20, 1e-22, "1e-20 (1e-22)"},
    {INFINITY, NAN, "inf"},
};

START_TEST(digits_follow_the_error)
{
    char text[ENS_ROUNDED_BYTES];
    size_t n = ens_rounded_both(text, row[_i].value, row[_i].error);

    ck_assert_str_eq(text, row[_i].text);
    ck_assert_uint_eq(n, strlen(text));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("rounded");
    TCase *t = tcase_create("rounded");
    SRunner *r;
    int failed;

    tcase_add_loop_test(t, digits_follow_the_error, 0,
                        sizeof(row) / sizeof(*row));
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
