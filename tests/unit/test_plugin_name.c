#include "config/plugin_name.h"

#include <check.h>
#include <string.h>

static const struct {
    const char *text;
    int is_name;
    const char *path, *name, *label; /* NULL: refused */
    const char *call;                /* without arguments; NULL: text */
} cases[] = {
    {"./my.so:walk", 1, "/d/my.so", "walk", "my.so:walk", NULL},
    {"my.so:walk", 1, "/d/my.so", "walk", "my.so:walk", NULL},
    {"././my.so:walk", 1, "/d/my.so", "walk", "my.so:walk", NULL},
    {"../x/my.so:w.2", 1, "/d/../x/my.so", "w.2", "my.so:w.2", NULL},
    {"/abs/a b/my.so:walk", 1, "/abs/a b/my.so", "walk", "my.so:walk", NULL},
    {"/a:b/my.so:walk", 1, "/a:b/my.so", "walk", "my.so:walk", NULL},
    {"lib/x:y", 1, "/d/lib/x", "y", "x:y", NULL},
    {"./my.so:m(a=1)", 1, NULL, NULL, NULL, "./my.so:m"},
    {"./my.so:m(1:3, x/y)", 1, NULL, NULL, NULL, "./my.so:m"},
    {"/a(b)/my.so:m", 1, "/a(b)/my.so", "m", "my.so:m", NULL},
    {"./my.so", 1, NULL, NULL, NULL, NULL},
    {"./my.so:", 1, NULL, NULL, NULL, NULL},
    {"my.so", 1, NULL, NULL, NULL, NULL},
    {"a,b.so:c", 1, NULL, NULL, NULL, NULL},
    {"a \"b.so:c", 1, NULL, NULL, NULL, NULL},
    {"a ;b.so:c", 1, NULL, NULL, NULL, NULL},
    {"a\\b.so:c", 1, NULL, NULL, NULL, NULL},
    {":c", 1, NULL, NULL, NULL, NULL},
    {"simulation", 0, NULL, NULL, NULL, NULL},
    {"coverage(level=0.9)", 0, NULL, NULL, NULL, "coverage"},
    {"program(./m.py)", 0, NULL, NULL, NULL, "program"},
    {"", 0, NULL, NULL, NULL, NULL},
};

START_TEST(names_are_split)
{
    const char *text = cases[_i].text;
    size_t n = strlen(text);
    struct ens_arena arena = ENS_ARENA_INIT;
    struct ens_plugin_name p;
    struct ens_error err = {0};
    enum ens_status s = ens_plugin_name_read(&p, &arena, "/d", text, n, &err);

    ck_assert_int_eq(ens_plugin_is_name(text, n), cases[_i].is_name);
    if (cases[_i].call != NULL)
        ck_assert_uint_eq(ens_plugin_name_end(text, n), strlen(cases[_i].call));
    if (cases[_i].call == NULL && cases[_i].path == NULL) {
        ck_assert_int_eq(s, ENS_ESTUDY);
        ck_assert_uint_gt(strlen(err.text), 0);
    } else if (cases[_i].path != NULL) {
        ck_assert_msg(s == ENS_OK, "%s", err.text);
        ck_assert_str_eq(p.path, cases[_i].path);
        ck_assert_str_eq(p.name, cases[_i].name);
        ck_assert_str_eq(p.label, cases[_i].label);
        ck_assert_uint_eq(strlen(p.full), strlen(p.path) + 1 + strlen(p.name));
    }
    ens_arena_fini(&arena);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("plugin_name");
    TCase *t = tcase_create("names");
    SRunner *r;
    int failed;

    tcase_add_loop_test(t, names_are_split, 0,
                        (int)(sizeof(cases) / sizeof(cases[0])));
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? 0 : 1;
}
