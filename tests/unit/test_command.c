/* Kind command: command lines, placeholders, what programs print. */
#include "base/bug.h"
#include "program/output.h"
#include "program/report.h"
#include "program/answer.h"
#include "program/share.h"
#include "program/words.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* -- words ----------------------------------------------------------------- */

static const char *value(void *arg, const char *name)
{
    (void)arg;
    if (strcmp(name, "n") == 0)
        return "10";
    if (strcmp(name, "text") == 0)
        return "a 'b' \"c\" $d";
    return strcmp(name, "dots") == 0 ? "./x" : NULL;
}

/* Words are shown with | behind each. */
static const struct {
    const char *line;
    int shell;
    const char *words; /* or the error */
} lines[] = {
    {"a  b\tc ", 0, "a|b|c|"},
    {"a 'b c' \"d e\" f' 'g", 0, "a|b c|d e|f g|"},
    {"a '' \"\"", 0, "a|||"},
    {"a \"x\\\"y\\\\z\\n\" b\\ c 'q\\'", 0, "a|x\"y\\z\\n|b c|q\\|"},
    {"p --n={n} {text} '{n}'", 0, "p|--n=10|a 'b' \"c\" $d|10|"},
    {"awk '{{ print $1 }' {{n}", 0, "awk|{ print $1 }|{n}|"},
    {"./p ../q .hidden a./b {dots}", 0,
     "/study/p|/study/../q|.hidden|a./b|./x|"},
    {"echo \"$x\" {n} | wc; a {text}", 1,
     "echo \"$x\" '10' | wc; a 'a '\\''b'\\'' \"c\" $d'|"},
    {"./p > o", 1, "./p > o|"},
    {"a 'b", 0, "'b: the quote does not end"},
    {"a \"b\\\"", 0, "\"b\\\": the quote does not end"},
    {"a {n", 0, "\"{n\": expected {NAME}; {{ stands for a brace"},
    {"a {}", 0, "\"{}\": expected {NAME}; {{ stands for a brace"},
    {"a {n m}", 0, "\"{n m}\": expected {NAME}; {{ stands for a brace"},
    {"", 0, "nothing to run"},
    {"a {zz}", 0, "{zz} has no value"},
};

START_TEST(lines_become_words)
{
    struct ens_arena arena = ENS_ARENA_INIT;
    struct ens_buf words = ENS_BUF_INIT;
    struct ens_error err = {0};
    struct ens_words c;
    enum ens_status s =
        ens_words_parse(&c, lines[_i].line, lines[_i].shell, &arena, &err);

    if (s == ENS_OK)
        s = ens_words_expand(&c, "/study", value, NULL, &words, &err);
    if (s == ENS_OK) {
        size_t n = 0;

        for (size_t i = 0; i < words.len; i++)
            if (words.data[i] == '\0') {
                words.data[i] = '|';
                n++;
            }
        ck_assert_uint_eq(n, c.n_words);
    }
    ck_assert_str_eq(s == ENS_OK ? ens_buf_text(&words) : err.text,
                     lines[_i].words);
    ens_buf_fini(&words);
    ens_arena_fini(&arena);
}
END_TEST

/* -- output ------------------------------------------------------------------
 */

static void show(const struct ens_output_items *items, struct ens_buf *b)
{
    for (size_t i = 0; i < items->n; i++) {
        const struct ens_output_item *it = &items->item[i];

        ens_buf_printf(b, "%s:", it->name);
        if (it->missing)
            ens_buf_puts(b, "-");
        else if (it->type == ENS_F64)
            ens_buf_printf(b, "num %g", it->d);
        else if (it->type == ENS_I64)
            ens_buf_printf(b, "int %lld", (long long)it->i);
        else
            ens_buf_printf(b, "text %.*s", (int)it->n_text, it->text);
        ens_buf_puts(b, "|");
    }
}

static struct ens_value list_of(struct ens_value *item, const char *fields)
{
    static char text[200];
    size_t n = 0;
    char *save = NULL;

    snprintf(text, sizeof(text), "%s", fields);
    for (char *p = strtok_r(text, ",", &save); p != NULL;
         p = strtok_r(NULL, ",", &save))
        item[n++].text = p;
    return (struct ens_value){.n_list = n, .list = item};
}

static const struct {
    const char *text;
    const char *fields;
    const char *items; /* or the error */
} outputs[] = {
    {"", "", ""},
    {"\n \n", "", ""},
    {"a=1\nb=0.5\nc=hello there \r\n d =2\n", "",
     "output, line 4: neither key=value nor JSON: \"d =2\""},
    {"a=1\nb=0.5\nc= hello there \r\n  d.e_1=-2", "",
     "a:int 1|b:num 0.5|c:text hello there|d.e_1:int -2|"},
    {"a=nan\nb=-inf\nc=\nd=1e3\ne=0x10\n", "",
     "a:num nan|b:num -inf|c:-|d:num 1000|e:text 0x10|"},
    {"a=x=y\n", "", "a:text x=y|"},
    {"a=9223372036854775807\nb=9223372036854775808\n", "",
     "a:int 9223372036854775807|b:num 9.22337e+18|"},
    {"a=1\na=2\n", "", "output: a occurs twice"},
    {"a=1\nstarting\n", "",
     "output, line 2: neither key=value nor JSON: \"starting\""},
    {"=1\n", "", "output, line 1: neither key=value nor JSON: \"=1\""},
    {"a=\xff\n", "", "output, line 1: byte 0xff at place 3 is not UTF-8 text"},
    {"seed=1\n", "", "output: seed is a column of every table"},
    {"{\"a\": 1, \"b\": 1.5, \"c\": \"x\", \"d\": true, \"e\": null}\n", "",
     "a:int 1|b:num 1.5|c:text x|d:int 1|e:-|"},
    {" {}", "", ""},
    {"{\"a\": [1]}", "",
     "output: a is a list or an object: a field is a number or a text"},
    {"{\"a b\": 1}", "", "output: \"a b\" is no name of a field"},
    {"b=2\n", "a,b:int,c:text", "a:-|b:int 2|c:-|"},
    {"c=12\na=3\n", "a,b:int,c:text", "a:num 3|b:-|c:text 12|"},
    {"b=2.5\n", "a,b:int", "output: b is 2.5, not a whole number (int)"},
    {"d=1\n", "a,b:int", "output: d is not among the declared fields"},
    {"{\"c\": 1}", "c:text", "output: c is 1, not a text"},
};

START_TEST(output_becomes_fields)
{
    struct ens_arena arena = ENS_ARENA_INIT;
    struct ens_buf shown = ENS_BUF_INIT;
    struct ens_value item[8] = {{0}};
    struct ens_value list = list_of(item, outputs[_i].fields);
    struct ens_output_fields fields = {0};
    struct ens_output_items items;
    struct ens_error err = {0};
    enum ens_status s;

    ck_assert_int_eq(ens_output_fields_parse(&fields, &list, &arena, &err),
                     ENS_OK);
    s = ens_output_read(&items, outputs[_i].text, strlen(outputs[_i].text),
                        &fields, &arena, &err);
    if (s == ENS_OK)
        show(&items, &shown);
    else
        ck_assert_int_eq(s, ENS_EDOMAIN);
    ck_assert_str_eq(s == ENS_OK ? ens_buf_text(&shown) : err.text,
                     outputs[_i].items);
    ens_buf_fini(&shown);
    ens_arena_fini(&arena);
}
END_TEST

START_TEST(json_must_be_whole)
{
    static const char *const bad[] = {"{\"a\": 1", "{\"a\": 1} x",
                                      "{\"a\": NaN}", "{\"a\": 1, \"a\": 2}",
                                      "{\"a\": \"\xc3\"}"};
    struct ens_output_fields none = {0};

    for (size_t i = 0; i < ENS_COUNT(bad); i++) {
        struct ens_arena arena = ENS_ARENA_INIT;
        struct ens_output_items items;
        struct ens_error err = {0};

        ck_assert_int_eq(ens_output_read(&items, bad[i], strlen(bad[i]), &none,
                                         &arena, &err),
                         ENS_EDOMAIN);
        ck_assert_ptr_nonnull(strstr(err.text, "not one JSON object"));
        ens_arena_fini(&arena);
    }
}
END_TEST

static const char *const bad_fields[][2] = {
    {"a,a", "a is given twice"},
    {"a:float", "\"a:float\": the type is num, int or text"},
    {"1a", "\"1a\": a field is NAME, NAME:int or NAME:text"},
    {"status", "status is a column of every table"},
};

START_TEST(declared_fields_are_checked)
{
    struct ens_arena arena = ENS_ARENA_INIT;
    struct ens_value item[8] = {{0}};
    struct ens_value list = list_of(item, bad_fields[_i][0]);
    struct ens_output_fields fields;
    struct ens_error err = {0};

    ck_assert_int_eq(ens_output_fields_parse(&fields, &list, &arena, &err),
                     ENS_ESTUDY);
    ck_assert_str_eq(err.text, bad_fields[_i][1]);
    ens_arena_fini(&arena);
}
END_TEST

/* -- persistent programs -----------------------------------------------------
 */

static const struct {
    const char *line;
    enum ens_status status;
    const char *text;
} answers[] = {
    {"{\"task\": \"t\", \"x\": 1}", ENS_OK, ""},
    {"{\"task\": \"t\", \"error\": \"so\"}", ENS_EDOMAIN, "so"},
    {"{\"task\": \"t\", \"error\": 5}", ENS_EDOMAIN,
     "output: error is no text"},
    {"{\"task\": \"u\", \"x\": 1}", ENS_EPROTOCOL,
     "output: the answer to task t is to \"u\""},
    {"{\"x\": 1}", ENS_EPROTOCOL,
     "output: the answer to task t has no \"task\""},
    {"[\"task\"]", ENS_EPROTOCOL,
     "output: the answer to task t has no \"task\""},
};

START_TEST(an_answer_names_its_task)
{
    struct ens_error err = {0};
    struct ens_answer a;
    enum ens_status s = ens_answer_open(&a, answers[_i].line,
                                        strlen(answers[_i].line), "t", &err);

    ck_assert_int_eq(s, answers[_i].status);
    if (s == ENS_OK)
        ens_answer_close(&a);
    ck_assert_str_eq(err.text, answers[_i].text);
}
END_TEST

/* What is read for each of a, b: estimates of a fit, say. */
static const struct {
    const char *answer, *values; /* or the error */
} numbers[] = {
    {"{}", "7 7"},
    {"{\"e\": null}", "7 7"},
    {"{\"e\": [1, 2.5]}", "1 2.5"},
    {"{\"e\": [null, 2]}", "7 2"},
    {"{\"e\": {\"b\": 2}}", "7 2"},
    {"{\"e\": {\"(Intercept)\": 1, \"b\": null}}", "1 7"},
    {"{\"e\": {\"c\": 2}}", "output: e of \"c\": no such name is asked for"},
    {"{\"e\": [1]}", "output: e has 1 numbers; 2 are asked for"},
    {"{\"e\": [1, true]}", "output: e of b is no number"},
    {"{\"e\": {\"b\": []}}", "output: e of b is no number"},
    {"{\"e\": 5}", "output: e is neither an object nor a list"},
};

START_TEST(numbers_of_an_answer)
{
    static const char *const name[] = {"intercept", "b"};
    double v[2] = {7, 7};
    struct ens_error err = {0};
    struct ens_answer a;
    char text[600];

    snprintf(text, sizeof(text), "{\"task\": \"t\", %s",
             numbers[_i].answer + 1);
    if (strcmp(numbers[_i].answer, "{}") == 0)
        snprintf(text, sizeof(text), "{\"task\": \"t\"}");
    ck_assert_int_eq(ens_answer_open(&a, text, strlen(text), "t", &err),
                     ENS_OK);
    if (ens_answer_numbers(&a, "e", name, 2, v, &err) == ENS_OK)
        snprintf(text, sizeof(text), "%g %g", v[0], v[1]);
    else
        snprintf(text, sizeof(text), "%s", err.text);
    ck_assert_str_eq(text, numbers[_i].values);
    ens_answer_close(&a);
}
END_TEST

/* A program may cut the file they share, or write less than it says. */
START_TEST(shared_numbers_that_are_not_there)
{
    struct ens_share s;
    struct ens_error err = {0};
    double x[3] = {1, 2, 3};
    uint64_t at;

    ck_assert_int_eq(ens_share_open(&s, &err), ENS_OK);
    ck_assert_int_eq(ens_share_put(&s, x, 2, &at, &err), ENS_OK);
    ck_assert_int_eq(ens_share_put(&s, x + 2, 1, &at, &err), ENS_OK);
    ck_assert_uint_eq(at, 16);
    memset(x, 0, sizeof(x));
    ck_assert_int_eq(ens_share_get(&s, x, 3, &err), ENS_OK);
    ck_assert(x[0] == 1 && x[1] == 2 && x[2] == 3);
    ck_assert_int_eq(ftruncate(s.fd, 20), 0);
    ck_assert_int_eq(ens_share_get(&s, x, 3, &err), ENS_EDOMAIN);
    ck_assert_str_eq(err.text, "output: 20 bytes of numbers in the shared "
                               "file; 24 expected");
    ens_share_close(&s);
    ens_share_close(&s);
}
END_TEST

/* -- ends --------------------------------------------------------------------
 */

/* As waitpid gives them: exit status * 256, or the signal. */
static const struct {
    int status;
    const char *err, *text, *all;
} ends[] = {
    {0, "said something", "", "stderr: said something"},
    {3 * 256, "", "exit status 3", "stderr: "},
    {1 * 256, "a\nlast line\n\n", "exit status 1: last line",
     "stderr: a\nlast line"},
    {11, "\xff\x01z", "ended by signal 11 SIGSEGV: ??z", "stderr: ??z"},
};

START_TEST(an_end_is_told)
{
    struct ens_program_end end = {.status = ends[_i].status};
    struct ens_arena arena = ENS_ARENA_INIT;
    struct ens_error err = {0};

    ens_buf_puts(&end.err, ends[_i].err);
    ck_assert_int_eq(ens_program_verdict(&end, &err),
                     ends[_i].status == 0 ? ENS_OK : ENS_EDOMAIN);
    ck_assert_str_eq(err.text, ends[_i].text);
    ck_assert_str_eq(ens_program_stderr(&end, &arena), ends[_i].all);
    ens_program_end_fini(&end);
    ens_arena_fini(&arena);
}
END_TEST

START_TEST(long_stderr_keeps_its_end)
{
    struct ens_program_end end = {.status = 256};
    struct ens_arena arena = ENS_ARENA_INIT;
    struct ens_error err = {0};

    for (int i = 0; i < 2000; i++)
        ens_buf_puts(&end.err, "\xc3\xbc");
    ens_buf_puts(&end.err, "end");
    ck_assert_int_eq(ens_program_verdict(&end, &err), ENS_EDOMAIN);
    ck_assert_uint_le(strlen(err.text), 330);
    ck_assert_str_eq(err.text + strlen(err.text) - 5, "\xc3\xbc"
                                                      "end");
    ck_assert_ptr_null(strchr(err.text, '?'));
    ck_assert_uint_le(strlen(ens_program_stderr(&end, &arena)),
                      ENS_PROGRAM_ERR_MAX + 10);
    ens_program_end_fini(&end);
    ens_arena_fini(&arena);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("command");
    TCase *t = tcase_create("command");
    SRunner *runner;
    int n_failed;

    tcase_add_loop_test(t, lines_become_words, 0, (int)ENS_COUNT(lines));
    tcase_add_loop_test(t, output_becomes_fields, 0, (int)ENS_COUNT(outputs));
    tcase_add_test(t, json_must_be_whole);
    tcase_add_loop_test(t, declared_fields_are_checked, 0,
                        (int)ENS_COUNT(bad_fields));
    tcase_add_loop_test(t, an_answer_names_its_task, 0,
                        (int)ENS_COUNT(answers));
    tcase_add_loop_test(t, numbers_of_an_answer, 0,
                        (int)(sizeof(numbers) / sizeof(numbers[0])));
    tcase_add_test(t, shared_numbers_that_are_not_there);
    tcase_add_loop_test(t, an_end_is_told, 0, (int)ENS_COUNT(ends));
    tcase_add_test(t, long_stderr_keeps_its_end);
    suite_add_tcase(suite, t);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
