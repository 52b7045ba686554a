/* Values by their row of a table: canonical text, or what is wrong. */
#include "config/names.h"
#include "config/value.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SET(type, shape, min, max, choices)                                    \
    {                                                                          \
        "s", "k", type, shape, ENS_C_CELL, "", min, max, choices, NULL, ""     \
    }

static const struct ens_setting INT1 = SET(ENS_T_INT, ENS_ONE, -5, 1e6, NULL);
static const struct ens_setting U64 = SET(ENS_T_INT, ENS_ONE, 0, 1.9e19, NULL);
static const struct ens_setting INTS = SET(ENS_T_INT, ENS_AXIS, 0, 0, NULL);
static const struct ens_setting INTL = SET(ENS_T_INT, ENS_LIST, 0, 0, NULL);
static const struct ens_setting NUM1 = SET(ENS_T_NUM, ENS_ONE, 0, 0, NULL);
static const struct ens_setting NUMS = SET(ENS_T_NUM, ENS_AXIS, 0, 0, NULL);
static const struct ens_setting BOOL1 = SET(ENS_T_BOOL, ENS_ONE, 0, 0, NULL);
static const struct ens_setting TEXT1 = SET(ENS_T_TEXT, ENS_ONE, 0, 0, NULL);
static const struct ens_setting TEXTS = SET(ENS_T_TEXT, ENS_AXIS, 0, 0, NULL);
static const struct ens_setting TEXTL = SET(ENS_T_TEXT, ENS_LIST, 0, 0, NULL);
static const struct ens_setting CHOICE =
    SET(ENS_T_CHOICE, ENS_AXIS, 0, 0, "gaussian|binomial");
static const struct ens_setting SECS = SET(ENS_T_SECONDS, ENS_AXIS, 0, 0, NULL);
static const struct ens_setting BYTES = SET(ENS_T_BYTES, ENS_AXIS, 0, 0, NULL);
static const struct ens_setting PATH = SET(ENS_T_PATH, ENS_ONE, 0, 0, NULL);
static const struct ens_setting LINE = SET(ENS_T_LINE, ENS_ONE, 0, 0, NULL);
static const struct ens_setting LINES = SET(ENS_T_LINE, ENS_AXIS, 0, 0, NULL);
static const struct ens_setting VECS = SET(ENS_T_VECTOR, ENS_AXIS, 0, 0, NULL);
static const struct ens_setting CALLS =
    SET(ENS_T_CALL, ENS_AXIS, 0, 0, "normal|flat|free");
static const struct ens_setting INPUT = SET(ENS_T_INPUT, ENS_AXIS, 0, 0, NULL);
static const struct ens_setting FORMULA =
    SET(ENS_T_FORMULA, ENS_AXIS, 0, 0, NULL);

static const struct ens_setting arg_rows[] = {
    {"normal()", "mean", ENS_T_NUM, ENS_ONE, ENS_C_CELL, "0", 0, 0, NULL, NULL,
     ""},
    {"normal()", "sd", ENS_T_NUM, ENS_ONE, ENS_C_CELL, NULL, 0, 100, NULL, NULL,
     ""},
};

static const char *const inputs[] = {"X", "prices"};

/* Values separated by " | ", or "! " and the error. */
static const struct {
    const struct ens_setting *s;
    const char *text, *want;
} rows[] = {
    {&INT1, "42", "42"},
    {&LINES, "a, b  c", "a, b  c"},
    {&LINES, "@ \"a \\\"b\\\" \\\\\"  \" c \" \"c\"", "a \"b\" \\ | c | c"},
    {&LINES, "@\"a\" b", "! expected a \"line\" in quotes at \"b\""},
    {&LINES, "@\"a\\\"", "! expected a \"line\" in quotes at \"\"a\\\"\""},
    {&LINES, "@", "! the name of a file expected after @"},
    {&LINES, "@/nowhere/x",
     "! cannot open /nowhere/x: No such file or directory"},
    {&LINE, "@x", "@x"},
    {&INT1, " -5 ", "-5"},
    {&INT1, "1e6", "1000000"},
    {&INT1, "-6", "! -6 is below -5"},
    {&INT1, "1000001", "! 1000001 is above 1000000"},
    {&INT1, "1.5", "! \"1.5\" is not an integer"},
    {&INT1, "9223372036854775808", "! 9223372036854775808 is too large"},
    {&INT1, "1e17", "! 1e17 is too large"},
    {&INT1, "inf", "! \"inf\" is not an integer"},
    {&INT1, "0x10", "! \"0x10\" is not an integer"},
    {&INT1, "1, 2", "! \"1, 2\" is not an integer"},
    {&INT1, "99999999999999999999", "! 99999999999999999999 is too large"},
    {&U64, "18446744073709551615", "18446744073709551615"},
    {&INTS, "1, 2,3", "1 | 2 | 3"},
    {&INTS, "1:4", "1 | 2 | 3 | 4"},
    {&INTS, "1:10:4, 20", "1 | 5 | 9 | 20"},
    {&INTS, "5:1:-2", "5 | 3 | 1"},
    {&INTS, "3:3", "3"},
    {&INTS, "5:1",
     "! range \"5:1\" is empty: its step leads away from its "
     "end"},
    {&INTS, "1:5:0",
     "! range \"1:5:0\" is empty: its step leads away from "
     "its end"},
    {&INTS, "1:2:3:4", "! \"1:2:3:4\" is not a:b:step"},
    {&INTS, "1:x", "! range \"1:x\": \"x\" is not an integer"},
    {&INTS, "1:1000001", "! \"1:1000001\" has more than 1000000 values"},
    {&INTS, "1, 2, 1", "! 1 is given twice"},
    {&INTS, "1,,2", "! nothing between two commas"},
    {&INTS, "linspace(0, 10, 3)", "0 | 5 | 10"},
    {&INTS, "linspace(0, 1, 3)",
     "! \"linspace(0, 1, 3)\" gives 0.5, not an "
     "integer"},
    {&INTS, "geomspace(1, 1000, 4)", "1 | 10 | 100 | 1000"},
    {&INTS, "logspace(0, 3, num=4)", "1 | 10 | 100 | 1000"},
    {&INTS, "logspace(0, 3, 4, base=2)", "1 | 2 | 4 | 8"},
    {&INTL, "3, 1:2, 3", "3, 1, 2, 3"},
    {&NUM1, "1.50", "1.5"},
    {&NUM1, "-0", "0"},
    {&NUM1, "inf", "inf"},
    {&NUM1, "1E-3", "0.001"},
    {&NUM1, "nan", "! \"nan\" is not a number"},
    {&NUM1, "1:3", "! \"1:3\" is not a number"},
    {&NUMS, "0:0.5:0.1", "0 | 0.1 | 0.2 | 0.3 | 0.4 | 0.5"},
    {&NUMS, "1:2:0.75", "1 | 1.75"},
    {&NUMS, "1:0:-0.5", "1 | 0.5 | 0"},
    {&NUMS, "0:1e-20:5e-21", "0 | 5e-21 | 1e-20"},
    {&NUMS, "0:inf", "! range \"0:inf\" is not finite"},
    {&NUMS, "linspace(0, 1, 5)", "0 | 0.25 | 0.5 | 0.75 | 1"},
    {&NUMS, "linspace(0, 1, 4, endpoint=no)", "0 | 0.25 | 0.5 | 0.75"},
    {&NUMS, "geomspace(-1, -100, 3)", "-1 | -10 | -100"},
    {&NUMS, "geomspace(0, 1, 3)",
     "! \"geomspace(0, 1, 3)\": start and stop "
     "must have one sign"},
    {&NUMS, "linspace(0)",
     "! \"linspace(0)\": expected (start, stop, num), "
     "num from 1 to 1000000"},
    {&NUMS, "linspace(0, 1, base=2)",
     "! \"linspace(0, 1, base=2)\": expected (start, stop, num), num from 1 "
     "to 1000000"},
    {&BOOL1, "Yes", "yes"},
    {&BOOL1, "off", "no"},
    {&BOOL1, "1", "yes"},
    {&BOOL1, "maybe", "! \"maybe\" is neither yes nor no"},
    {&TEXT1, "a, b (c", "a, b (c"},
    {&TEXT1, "\" a \\\"b\\\\ \"", " a \"b\\ "},
    {&TEXT1, "\"\"", ""},
    {&TEXTS, "a b, \"c, d\", e(f, g)[h,i]", "a b | c, d | e(f, g)[h,i]"},
    {&TEXTS, "a (b", "! quotes or brackets do not match in \"a (b\""},
    {&TEXTS, "a) b", "! quotes or brackets do not match in \"a) b\""},
    {&TEXTS, "(a]", "! quotes or brackets do not match in \"(a]\""},
    {&TEXTL, "b, \"a, c\", b", "b, \"a, c\", b"},
    {&CHOICE, "binomial, gaussian", "binomial | gaussian"},
    {&CHOICE, "binomal", "! \"binomal\" is unknown; did you mean binomial?"},
    {&CHOICE, "x", "! \"x\" is unknown; allowed: gaussian, binomial"},
    {&SECS, "10", "10"},
    {&SECS, "60 s, 2h, 1h 30m, 1.5d", "60 | 7200 | 5400 | 129600"},
    {&SECS, "1 s:3 s", "1 | 2 | 3"},
    {&SECS, "-1 s", "! -1 is below 0"},
    {&SECS, "5 min",
     "! \"5 min\" is not a duration (10, 60 s, 1h 30m; units "
     "s m h d)"},
    {&SECS, "5 s 3",
     "! \"5 s 3\" is not a duration (10, 60 s, 1h 30m; units "
     "s m h d)"},
    {&BYTES, "4096, 64 KiB, 2 G, 1.5k", "4096 | 65536 | 2000000000 | 1500"},
    {&BYTES, "1 MiB, 1GiB, 3M", "1048576 | 1073741824 | 3000000"},
    {&BYTES, "1 KB",
     "! \"1 KB\" is not a size in whole bytes (4096, 64 KiB, "
     "2 G; units k M G KiB MiB GiB)"},
    {&BYTES, "0.5",
     "! \"0.5\" is not a size in whole bytes (4096, 64 KiB, "
     "2 G; units k M G KiB MiB GiB)"},
    {&PATH, "a/b c.npy", "/base/a/b c.npy"},
    {&PATH, "./a", "/base/a"},
    {&PATH, "/abs", "/abs"},
    {&PATH, "X[a, b]", "X[a, b]"},
    {&PATH, "Z[a]", "/base/Z[a]"},
    {&PATH, "${HOME}/x", "/base/${HOME}/x"},
    {&LINE, "a \"b ; c, # d", "a \"b ; c, # d"},
    {&VECS, "2 0.5, 1 0", "2 0.5 | 1 0"},
    {&VECS, "1:3 7", "1 2 3 7"},
    {&VECS, "1 x", "! \"x\" is not a number"},
    {&CALLS, "flat, normal(0, 2.50), normal(sd=1, mean=2)",
     "flat | normal(sd=2.5) | normal(mean=2, sd=1)"},
    {&CALLS, "flat()", "flat"},
    {&CALLS, "free(1.0, a = x y, \"q\")", "free(1, a=x y, \"q\")"},
    {&CALLS, "normal", "! normal: sd is missing"},
    {&CALLS, "normal(0, -1)", "! normal: sd: -1 is below 0"},
    {&CALLS, "normal(0, 1, 2)",
     "! normal takes at most 2 arguments (allowed: mean, sd)"},
    {&CALLS, "normal(s=1)", "! normal: unknown argument s; did you mean sd?"},
    {&CALLS, "normal(1, mean=2)", "! normal: mean is given twice"},
    {&CALLS, "norml(1)", "! \"norml\" is unknown; did you mean normal?"},
    {&CALLS, "normal(1) x",
     "! \"normal(1) x\" is not NAME or NAME(arg, "
     "key=value)"},
    {&INPUT, "X, prices", "X | prices"},
    {&INPUT, "price", "! no input \"price\"; did you mean prices?"},
    {&FORMULA, "y ~ a + I(b/100), y ~ poly(a, 2)",
     "y ~ a + I(b/100) | y ~ poly(a, 2)"},
};

static struct ens_value_context context(struct ens_arena *a)
{
    return (struct ens_value_context){
        .arena = a,
        .dir = "/base",
        .inputs = inputs,
        .n_inputs = 2,
        .calls = {arg_rows, NULL},
        .n_calls = {2, 0},
    };
}

START_TEST(text_becomes_canonical_values)
{
    struct ens_arena a = ENS_ARENA_INIT;
    struct ens_value_context c = context(&a);
    struct ens_values v = {0, NULL};
    struct ens_error err;
    struct ens_buf b = ENS_BUF_INIT;

    if (ens_value_parse(&c, rows[_i].s, rows[_i].text, &v, &err) != ENS_OK)
        ens_buf_printf(&b, "! %s", err.text);
    for (size_t i = 0; i < v.n; i++)
        ens_buf_printf(&b, "%s%s", i > 0 ? " | " : "", v.v[i].text);
    ck_assert_str_eq(ens_buf_text(&b), rows[_i].want);
    ens_buf_fini(&b);
    ens_arena_fini(&a);
}
END_TEST

/* What is written reads back as the same values. */
START_TEST(written_values_read_back)
{
    struct ens_arena a = ENS_ARENA_INIT;
    struct ens_value_context c = context(&a);
    struct ens_values v, w;
    struct ens_buf b = ENS_BUF_INIT;

    if (ens_value_parse(&c, rows[_i].s, rows[_i].text, &v, NULL) == ENS_OK) {
        ens_value_write(rows[_i].s, &v, &b);
        c.dir = "/elsewhere";
        ck_assert_int_eq(
            ens_value_parse(&c, rows[_i].s, ens_buf_text(&b), &w, NULL),
            ENS_OK);
        ck_assert_uint_eq(v.n, w.n);
        for (size_t i = 0; i < v.n; i++)
            ck_assert_str_eq(v.v[i].text, w.v[i].text);
    }
    ens_buf_fini(&b);
    ens_arena_fini(&a);
}
END_TEST

START_TEST(typed_parts_are_filled)
{
    struct ens_arena a = ENS_ARENA_INIT;
    struct ens_value_context c = context(&a);
    struct ens_values v;

    ck_assert_int_eq(ens_value_parse(&c, &VECS, "2 -0.5", &v, NULL), ENS_OK);
    ck_assert_uint_eq(v.v->n_vec, 2);
    ck_assert(v.v->vec[0] == 2 && v.v->vec[1] == -0.5);
    ck_assert_int_eq(ens_value_parse(&c, &TEXTL, "a, \"b, c\"", &v, NULL), 0);
    ck_assert_uint_eq(v.v->n_list, 2);
    ck_assert_str_eq(v.v->list[1].text, "b, c");
    ck_assert_int_eq(ens_value_parse(&c, &CALLS, "normal(0, 2)", &v, NULL), 0);
    ck_assert_str_eq(v.v->call.name, "normal");
    ck_assert_uint_eq(v.v->call.n, 2); /* defaults filled in */
    ck_assert_str_eq(v.v->call.arg[0].key, "mean");
    ck_assert_str_eq(v.v->call.arg[0].text, "0");
    ck_assert_str_eq(v.v->call.arg[1].text, "2");
    ck_assert_int_eq(ens_value_parse(&c, &CHOICE, "binomial", &v, NULL), 0);
    ck_assert_int_eq(v.v->i, 1);
    ck_assert_int_eq(ens_value_parse(&c, &BOOL1, "on", &v, NULL), 0);
    ck_assert_int_eq(v.v->i, 1);
    ck_assert_int_eq(
        ens_value_parse(&c, &U64, "18446744073709551615", &v, NULL), 0);
    ck_assert_uint_eq((uint64_t)v.v->i, UINT64_MAX);
    ck_assert_int_eq(ens_value_parse(&c, &TEXT1, "", &v, NULL), 0);
    ck_assert_int_eq(v.v->set, 0);
    ck_assert_int_eq(ens_value_parse(&c, &TEXT1, "\"\"", &v, NULL), 0);
    ck_assert_int_eq(v.v->set, 1);
    ens_arena_fini(&a);
}
END_TEST

START_TEST(names_are_near_by_edits)
{
    ck_assert_uint_eq(ens_name_distance("", "abc"), 3);
    ck_assert_uint_eq(ens_name_distance("kitten", "sitting"), 3);
    ck_assert_uint_eq(ens_name_distance("workers", "wrokers"), 1);
    ck_assert_uint_eq(ens_name_distance("Seed", "seed"), 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("value");
    TCase *t = tcase_create("value");
    SRunner *sr = srunner_create(s);
    int n = (int)(sizeof(rows) / sizeof(rows[0]));
    int failed;

    suite_add_tcase(s, t);
    tcase_add_loop_test(t, text_becomes_canonical_values, 0, n);
    tcase_add_loop_test(t, written_values_read_back, 0, n);
    tcase_add_test(t, typed_parts_are_filled);
    tcase_add_test(t, names_are_near_by_edits);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
