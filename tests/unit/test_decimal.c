#include "base/decimal.h"
#include "base/number.h"

#include <check.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What number.h promises, by the C library. */
static void by_printf(char *to, double v)
{
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(to, ENS_NUMBER_BYTES, "%.*g", digits, v);
        if (strtod(to, NULL) == v)
            return;
    }
}

static uint64_t next(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

static void check_same(double v)
{
    char want[ENS_NUMBER_BYTES];
    char got[ENS_NUMBER_BYTES];
    size_t n = ens_decimal_format(got, v);

    if (n == 0)
        return;
    by_printf(want, v);
    ck_assert_str_eq(got, want);
    ck_assert_uint_eq(n, strlen(want));
}

START_TEST(does_what_printf_does)
{
    uint64_t s = 88172645463325252u;
    unsigned n_done = 0;

    for (int i = 0; i < 100000; i++) {
        uint64_t r = next(&s);
        double u = (double)(r >> 11) * 0x1p-53;
        char got[ENS_NUMBER_BYTES];
        double any;

        check_same(u);
        check_same(-u * 100);
        check_same(ldexp(u, (int)(r % 180) - 130));
        check_same(floor(u * 1e6) / 1e3); /* few digits */
        memcpy(&any, &r, 8);
        check_same(any);
        n_done += ens_decimal_format(got, u) > 0;
    }
    ck_assert_uint_gt(n_done, 99000);
}
END_TEST

/* Powers of two (unequal neighbours), of ten, and what lies beside them. */
START_TEST(does_the_corners)
{
    for (int e = -140; e < 60; e++) {
        check_same(ldexp(1, e));
        check_same(nextafter(ldexp(1, e), 0));
        check_same(nextafter(ldexp(1, e), 1e300));
    }
    for (int e = -45; e < 20; e++) {
        double p = pow(10, e);

        check_same(p);
        check_same(nextafter(p, 0));
        check_same(nextafter(p, 1e300));
        check_same(p * 0.5);
        check_same(p * 9.5);
    }
    for (int i = 1; i < 100000; i++)
        check_same(i * 0.01);
}
END_TEST

START_TEST(leaves_the_rest_to_others)
{
    char to[ENS_NUMBER_BYTES];

    ck_assert_uint_eq(ens_decimal_format(to, 0.0), 0);
    ck_assert_uint_eq(ens_decimal_format(to, INFINITY), 0);
    ck_assert_uint_eq(ens_decimal_format(to, NAN), 0);
    ck_assert_uint_eq(ens_decimal_format(to, 5e-324), 0);
    ck_assert_uint_eq(ens_decimal_format(to, 1e300), 0);
    ck_assert_uint_eq(ens_number_format(to, 1e300), 6);
    ck_assert_str_eq(to, "1e+300");
}
END_TEST

/* -- reading ----------------------------------------------------------------
 */

static unsigned n_read;

static void check_read(const char *text)
{
    double want = strtod(text, NULL);
    double got = 0;

    if (ens_decimal_parse(text, strlen(text), &got) != 0)
        return;
    n_read++;
    ck_assert_msg(memcmp(&want, &got, sizeof(want)) == 0, "%s: %a, not %a",
                  text, got, want);
}

static void check_digits(uint64_t r, uint64_t digits, int q)
{
    char text[64];
    int n = snprintf(text, sizeof(text), "%s%llu", (r & 1) != 0 ? "-" : "",
                     (unsigned long long)digits);

    check_read(text);
    snprintf(text + n, sizeof(text) - (size_t)n, "e%d", q);
    check_read(text);
    snprintf(text, sizeof(text), "%llu.%llu",
             (unsigned long long)(digits / 1000000),
             (unsigned long long)(digits % 1000000));
    check_read(text);
}

START_TEST(reads_what_strtod_reads)
{
    uint64_t s = 2463534242u;
    char text[64];

    for (int i = 0; i < 100000; i++) {
        uint64_t r = next(&s);
        double u = ldexp((double)(r >> 11) * 0x1p-53, (int)(r % 80) - 40);
        int q = (int)(r >> 7 & 63) - 32;

        for (int k = 3; k <= 19; k += 2) {
            snprintf(text, sizeof(text), "%.*g", k, u);
            check_read(text);
        }
        snprintf(text, sizeof(text), "%.3f", u);
        check_read(text);
        check_digits(r, next(&s) >> (r & 63), q);
        /* between two doubles: a tie goes to the even one */
        check_digits(r, r >> 10 | 1, q);
        check_digits(r, ((uint64_t)1 << 53 | r >> 12) * 2 + 1, -(q & 3));
    }
    ck_assert_uint_gt(n_read, 1000000);
}
END_TEST

START_TEST(reads_forms)
{
    static const char *const good[] = {
        "0",
        "-0",
        "+0.0",
        "5.",
        ".5",
        "1e5",
        "1E+05",
        "-.5e-3",
        "00012",
        "0.0000000000000000000000000000000001e20",
        "9999999999999999999",
        "9007199254740993",
        "0.1e1",
        "1e-27",
        "1e27"};
    static const char *const bad[] = {"",        "-",
                                      "+",       ".",
                                      "e5",      "1e",
                                      "1e+",     "1e5x",
                                      "1.2.3",   "--1",
                                      " 1",      "1 ",
                                      "inf",     "nan",
                                      "0x10",    "1e28",
                                      "1e-28",   "18446744073709551616",
                                      "1e99999", "12345678901234567890"};
    double v;

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        ck_assert_msg(ens_decimal_parse(good[i], strlen(good[i]), &v) == 0,
                      "%s", good[i]);
        check_read(good[i]);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(ens_decimal_parse(bad[i], strlen(bad[i]), &v) != 0, "%s",
                      bad[i]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("decimal");
    TCase *tc = tcase_create("decimal");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, does_what_printf_does);
    tcase_add_test(tc, does_the_corners);
    tcase_add_test(tc, leaves_the_rest_to_others);
    tcase_add_test(tc, reads_what_strtod_reads);
    tcase_add_test(tc, reads_forms);
    suite_add_tcase(suite, tc);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
