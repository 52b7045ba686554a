/* The reader: bytes -> sections, keys, values with their lines. */
#include "config/reader.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static int is_line(const void *arg, const char *section, const char *key)
{
    (void)arg;
    return strcmp(section, "c") == 0 && strcmp(key, "run") == 0;
}

struct read {
    struct ens_arena arena;
    struct ens_ini ini;
    struct ens_diag diag;
    struct ens_buf errors;
};

static void begin(struct read *r, const char *text, size_t n)
{
    memset(r, 0, sizeof(*r));
    r->ini.arena = &r->arena;
    r->diag.arena = &r->arena;
    r->diag.file = "f";
    ens_ini_read(&r->ini, &r->diag, text, n, is_line, NULL);
    ens_diag_flush(&r->diag, &r->errors, NULL);
}

static void end(struct read *r)
{
    ens_buf_fini(&r->errors);
    ens_arena_fini(&r->arena);
}

/* text, section, key, value, line */
static const struct {
    const char *text, *section, *key, *value;
    uint32_t line;
} good[] = {
    {"[a]\nk=v", "a", "k", "v", 2},
    {"  [ a ]  ; c\n\t k\t = \tv w \t\n", "a", "k", "v w", 2},
    {"[a   b c]\nk = v", "a b c", "k", "v", 2},
    {"\xef\xbb\xbf[a]\r\nk = v\r\n", "a", "k", "v", 2},
    {"; x\n# y\n\n[a]# z\nk = v", "a", "k", "v", 5},
    {"[a]\nk = v ; c", "a", "k", "v", 2},
    {"[a]\nk = v\t# c", "a", "k", "v", 2},
    {"[a]\nk = a;b#c", "a", "k", "a;b#c", 2},
    {"[a]\nk = \"a ; b # c\" ; d", "a", "k", "\"a ; b # c\"", 2},
    {"[a]\nk = \"a \\\" ; b\" ; d", "a", "k", "\"a \\\" ; b\"", 2},
    {"[a]\nk = ; empty", "a", "k", "", 2},
    {"[a]\nk =", "a", "k", "", 2},
    {"[a]\nk = x = y", "a", "k", "x = y", 2},
    {"[a]\nk = 1, ; one\n  ; two\n  2,\n\t3\n", "a", "k", "1, 2, 3", 2},
    {"[a]\nk = y ~ a \\ ; more\n   + b", "a", "k", "y ~ a + b", 2},
    {"[a]\nk = ${HOME}", "a", "k", "${HOME}", 2},
    {"[c]\nrun = a ; b # \"c,\nx = 1", "c", "run", "a ; b # \"c,", 2},
    {"[c]\nrun = a \\\n  ; b", "c", "run", "a ; b", 2},
    {"[a]\nK = 1\n[A b]\nx = \xc3\xa4", "A b", "x", "\xc3\xa4", 4},
};

START_TEST(values_keep_text_and_line)
{
    struct read r;
    const struct ens_entry *e;

    begin(&r, good[_i].text, strlen(good[_i].text));
    ck_assert_str_eq(ens_buf_text(&r.errors), "");
    e = ens_section_find(ens_ini_find(&r.ini, good[_i].section), good[_i].key);
    ck_assert_ptr_nonnull(e);
    ck_assert_str_eq(e->text, good[_i].value);
    ck_assert_uint_eq(e->pos.line, good[_i].line);
    end(&r);
}
END_TEST

static const struct {
    const char *text, *errors;
} bad[] = {
    {"x = 1", "f:1: x: a key before the first [SECTION]\n"},
    {"[a]\nnonsense",
     "f:2: expected KEY = VALUE or [SECTION], found \"nonsense\"\n"},
    {"[a]\n= 1", "f:2: expected KEY = VALUE or [SECTION], found \"= 1\"\n"},
    {"[a\nk = 1", "f:1: section without its ]\n"},
    {"[ ]\n", "f:1: section without a name\n"},
    {"[a] b\n", "f:1: text after the ] of a section\n"},
    {"[a]\nk = \"x", "f:2: a quote (\") is not closed\n"},
    {"[a]\nk = 1,\n", "f:2: the value goes on after this line (trailing comma "
                      "or \\), but nothing follows\n"},
    {"[a]\nk = 1 \\\n[b]\n",
     "f:2: the value goes on after this line (trailing comma or \\), but "
     "nothing follows\n"},
    {"[a]\nk = 1\nk = 2", "f:3: [a] k: key given twice, k is on line 2\n"},
    {"[a]\nk = 1\nK = 2",
     "f:3: [a] K: differs only in case from k on line 2\n"},
    {"[a]\n[b]\n[a]", "f:3: [a]: section given twice, [a] is on line 1\n"},
    {"[d a]\n[d A]", "f:2: [d A]: differs only in case from [d a] on line 1\n"},
    {"[a]\nk = \xff", "f:2: byte 0xff at place 5 of the line is not UTF-8 "
                      "text\n"},
    {"[a]\nk = \xc0\xaf", "f:2: byte 0xc0 at place 5 of the line is not UTF-8 "
                          "text\n"},
    {"[a]\nk = \x01", "f:2: byte 0x01 at place 5 of the line is not UTF-8 "
                      "text\n"},
    {"[a]\nx\ny\n", "f:2: expected KEY = VALUE or [SECTION], found \"x\"\n"
                    "f:3: expected KEY = VALUE or [SECTION], found \"y\"\n"},
};

START_TEST(errors_name_line_and_reason)
{
    struct read r;

    begin(&r, bad[_i].text, strlen(bad[_i].text));
    ck_assert_str_eq(ens_buf_text(&r.errors), bad[_i].errors);
    end(&r);
}
END_TEST

START_TEST(nul_byte_is_an_error)
{
    struct read r;

    begin(&r, "[a]\nk = 1\0 2\n", 12);
    ck_assert_ptr_nonnull(strstr(ens_buf_text(&r.errors), "f:2: byte 0x00"));
    end(&r);
}
END_TEST

START_TEST(long_lines_are_not_cut)
{
    struct ens_buf b = ENS_BUF_INIT;
    struct read r;

    ens_buf_puts(&b, "[a]\nk = ");
    for (int i = 0; i < 100000; i++)
        ens_buf_puts(&b, "x");
    begin(&r, ens_buf_text(&b), b.len);
    ck_assert_uint_eq(strlen(ens_ini_find(&r.ini, "a")->entry[0].text), 100000);
    end(&r);
    ens_buf_fini(&b);
}
END_TEST

START_TEST(a_flood_of_errors_is_cut)
{
    struct ens_buf b = ENS_BUF_INIT;
    struct read r;

    for (int i = 0; i < 250; i++)
        ens_buf_puts(&b, "x\n");
    begin(&r, ens_buf_text(&b), b.len);
    ck_assert_ptr_nonnull(strstr(ens_buf_text(&r.errors), "f:100: "));
    ck_assert_ptr_null(strstr(ens_buf_text(&r.errors), "f:101: "));
    ck_assert_ptr_nonnull(
        strstr(ens_buf_text(&r.errors), "f: 150 more errors\n"));
    end(&r);
    ens_buf_fini(&b);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("reader");
    TCase *t = tcase_create("reader");
    SRunner *sr = srunner_create(s);
    int failed;

    suite_add_tcase(s, t);
    tcase_add_loop_test(t, values_keep_text_and_line, 0,
                        sizeof(good) / sizeof(good[0]));
    tcase_add_loop_test(t, errors_name_line_and_reason, 0,
                        sizeof(bad) / sizeof(bad[0]));
    tcase_add_test(t, nul_byte_is_an_error);
    tcase_add_test(t, long_lines_are_not_cut);
    tcase_add_test(t, a_flood_of_errors_is_cut);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
