#include "kinds/command/collect.h"

#include "base/bug.h"

#include <check.h>
#include <stddef.h>

static const struct {
    const char *pattern, *path;
    int matches;
    int below; /* when the path is a folder */
} rows[] = {
    {"a.csv", "a.csv", 1, 0},
    {"a.csv", "b.csv", 0, 0},
    {"a.csv", "d/a.csv", 0, 0},
    {"*.csv", "a.csv", 1, 0},
    {"*.csv", ".csv", 0, 0},
    {"*.csv", "d/a.csv", 0, 0},
    {"*", "a", 1, 0},
    {"*", ".a", 0, 0},
    {".*", ".a", 1, 0},
    {"?", "a", 1, 0},
    {"?", "ab", 0, 0},
    {"[a-c]x", "bx", 1, 0},
    {"[!a-c]x", "bx", 0, 0},
    {"\\*", "*", 1, 0},
    {"\\*", "a", 0, 0},
    {"-x", "-x", 1, 0},
    {"d/*.csv", "d", 0, 1},
    {"d/*.csv", "d/a.csv", 1, 0},
    {"d/*.csv", "d/e", 0, 0},
    {"d/*.csv", "e/a.csv", 0, 0},
    {"d/*.csv", "d/e/a.csv", 0, 0},
    {"*/a", "d", 0, 1},
    {"*/a", ".d", 0, 0},
    {"*/a", "d/a", 1, 0},
    {"**/*.png", "a.png", 1, 1},
    {"**/*.png", "d/a.png", 1, 1},
    {"**/*.png", "d/e/a.png", 1, 1},
    {"**/*.png", "d", 0, 1},
    {"**/*.png", ".d/a.png", 0, 0},
    {"**/*.png", "d/.a.png", 0, 0},
    {"**", "a", 1, 1},
    {"**", "d/e/a", 1, 1},
    {"**", ".a", 0, 0},
    {"**", "d/.a", 0, 0},
    {"d/**", "d", 0, 1},
    {"d/**", "d/a", 1, 1},
    {"d/**", "e/a", 0, 0},
    {"d/**/z", "d/z", 1, 1},
    {"d/**/z", "d/e/f/z", 1, 1},
    {"**/d/**", "e/d/f/g", 1, 1},
    {"**/d/**", "e/f/g", 0, 1},
    {"**a", "bca", 1, 0}, /* not a part of its own: as * */
    {"**a", "b/a", 0, 0},
};

START_TEST(patterns_match_part_by_part)
{
    int below = 0;

    ck_assert_int_eq(ens_collect_match(rows[_i].pattern, rows[_i].path, &below),
                     rows[_i].matches);
    ck_assert_int_eq(below, rows[_i].below);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("collect");
    TCase *t = tcase_create("collect");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_loop_test(t, patterns_match_part_by_part, 0, ENS_COUNT(rows));
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
