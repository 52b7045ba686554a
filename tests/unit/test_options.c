#include "cli/options.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct ens_option table[] = {
    {"workers", 0, ENS_OPTION_COUNT, 1, "N", "how many"},
    {"output", 'o', ENS_OPTION_TEXT, 0, "FILE", "where"},
    {"set", 0, ENS_OPTION_LIST, 0, "S.K=V", "set"},
    {"to", 0, ENS_OPTION_CHOICE, 0, "csv|npy", "format"},
    {"json", 0, ENS_OPTION_FLAG, 0, NULL, "as JSON"},
};

static enum ens_status parse(struct ens_options *o, const char *line,
                             struct ens_error *err)
{
    static char copy[512];
    static char *argv[32];
    int argc = 0;
    char *p = copy;

    snprintf(copy, sizeof(copy), "%s", line);
    while (*p != '\0') {
        argv[argc++] = p;
        p += strcspn(p, " ");
        if (*p == ' ')
            *p++ = '\0';
    }
    return ens_options_parse(o, table, sizeof(table) / sizeof(table[0]), argc,
                             argv, err);
}

START_TEST(values_come_beside_or_behind)
{
    static const char *const lines[] = {
        "--workers 3 a --output x b --json",
        "--workers=3 --output=x a b --json",
        "a b --json -o x --workers 3",
        "--json -ox --workers 9 --workers 3 -- a b",
    };
    struct ens_error err = {0};
    struct ens_options o;

    ck_assert_int_eq(parse(&o, lines[_i], &err), ENS_OK);
    ck_assert_uint_eq(ens_options_count(&o, "workers", 0), 3);
    ck_assert_str_eq(ens_options_text(&o, "output"), "x");
    ck_assert(ens_options_has(&o, "json"));
    ck_assert(!ens_options_has(&o, "to"));
    ck_assert_uint_eq(o.n_words, 2);
    ck_assert_str_eq(o.word[0], "a");
    ck_assert_str_eq(o.word[1], "b");
}
END_TEST

START_TEST(lists_keep_their_order)
{
    struct ens_error err = {0};
    struct ens_options o;

    ck_assert_int_eq(parse(&o, "--set a.b=1 x --set=c.d=2,3", &err), ENS_OK);
    ck_assert_str_eq(ens_options_item(&o, "set", 0), "a.b=1");
    ck_assert_str_eq(ens_options_item(&o, "set", 1), "c.d=2,3");
    ck_assert(ens_options_item(&o, "set", 2) == NULL);
    ck_assert_uint_eq(ens_options_count(&o, "workers", 7), 7);
}
END_TEST

START_TEST(words_behind_two_dashes_are_not_options)
{
    struct ens_error err = {0};
    struct ens_options o;

    ck_assert_int_eq(parse(&o, "- -- --json --nonsense", &err), ENS_OK);
    ck_assert_uint_eq(o.n_words, 3);
    ck_assert_str_eq(o.word[0], "-");
    ck_assert_str_eq(o.word[1], "--json");
    ck_assert(!ens_options_has(&o, "json"));
}
END_TEST

START_TEST(help_is_answered_before_anything_is_checked)
{
    struct ens_error err = {0};
    struct ens_options o;

    ck_assert_int_eq(parse(&o, "--wrong --help", &err), ENS_OK);
    ck_assert(o.help);
    ck_assert_int_eq(parse(&o, "-- --help", &err), ENS_OK);
    ck_assert(!o.help);
}
END_TEST

static const struct wrong {
    const char *line;
    const char *says;
} wrong[] = {
    {"--wrokers 2", "did you mean --workers?"},
    {"--zzzzzzz", "unknown option --zzzzzzz; --help lists them"},
    {"--jsno=1", "unknown option --jsno; did you mean --json?"},
    {"-x", "unknown option -x"},
    {"--workers none", "--workers none: expected an integer of at least 1"},
    {"--workers 0", "at least 1"},
    {"--workers -1", "at least 1"},
    {"--workers 99999999999999999999", "at least 1"},
    {"--workers", "--workers: N is missing"},
    {"-o", "--output: FILE is missing"},
    {"--json=yes", "--json takes no value"},
    {"--to xls", "expected one of csv|npy"},
    {"--to cs", "expected one of csv|npy"},
    {"--to csv|npy", "expected one of csv|npy"},
};

START_TEST(errors_say_what_is_expected)
{
    struct ens_error err = {0};
    struct ens_options o;

    ck_assert_int_eq(parse(&o, wrong[_i].line, &err), ENS_EUSAGE);
    ck_assert_msg(strstr(err.text, wrong[_i].says) != NULL, "%s: %s",
                  wrong[_i].line, err.text);
}
END_TEST

START_TEST(the_nearest_name_is_near)
{
    static const char *const names[] = {"status", "show", "kinds"};

    ck_assert_str_eq(ens_nearest("staus", names, 3), "status");
    ck_assert_str_eq(ens_nearest("kind", names, 3), "kinds");
    ck_assert(ens_nearest("wells", names, 3) == NULL);
    ck_assert(ens_nearest("", names, 3) == NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("options");
    TCase *tc = tcase_create("options");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_loop_test(tc, values_come_beside_or_behind, 0, 4);
    tcase_add_test(tc, lists_keep_their_order);
    tcase_add_test(tc, words_behind_two_dashes_are_not_options);
    tcase_add_test(tc, help_is_answered_before_anything_is_checked);
    tcase_add_loop_test(tc, errors_say_what_is_expected, 0,
                        (int)(sizeof(wrong) / sizeof(wrong[0])));
    tcase_add_test(tc, the_nearest_name_is_near);
    suite_add_tcase(suite, tc);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
