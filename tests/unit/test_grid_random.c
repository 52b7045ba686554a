/* grid = random(...): draws are as defined, few or many of them, whatever else
 * is drawn; the resolved study holds them. */
#include "study_fixture.h"

#include "base/buf.h"

#include <check.h>
#include <math.h>
#include <stdio.h>

#define RULER "[study]\nkind = ruler\nseed = %d\n[ruler]\n"
#define MANY  400

static struct ens_study *must(const char *text)
{
    struct ens_buf errors = ENS_BUF_INIT;
    struct ens_study *st = NULL;

    ens_study_parse(&st, "s.ini", text, strlen(text), "/base", NULL, 0,
                    &fix_all, &errors, NULL);
    if (st == NULL)
        ck_abort_msg("%s\n%s", text, ens_buf_text(&errors));
    ens_buf_fini(&errors);
    return st;
}

static struct ens_study *draw(int seed, int n, const char *keys)
{
    char text[512];

    snprintf(text, sizeof(text), RULER "grid = random(%d, %s)\n", seed, n,
             keys);
    return must(text);
}

static const struct ens_value *value(const struct ens_study *st, uint64_t i,
                                     const char *key)
{
    struct ens_cell cell;

    ens_study_cell(st, i, &cell);
    return ens_cell_value(&cell, "ruler", key);
}

static const struct {
    double work_us;
    int64_t fields, level;
    double wait;
} expected[] = {
#include "../oracle/grid_random.inc"
};
#define N_EXPECTED (sizeof(expected) / sizeof(expected[0]))
#define KEYS                                                                   \
    "work_us = loguniform(0.01, 1e2), fields = randint(1, 6),\n"               \
    "  level = choice(1, 2, 7), wait = uniform(10, 20)"

START_TEST(draws_are_as_defined)
{
    struct ens_study *st = draw(42, (int)N_EXPECTED, KEYS);

    ck_assert_uint_eq(ens_study_n_cells(st), N_EXPECTED);
    for (uint64_t i = 0; i < N_EXPECTED; i++) {
        ck_assert_double_eq(value(st, i, "work_us")->d, expected[i].work_us);
        ck_assert_int_eq(value(st, i, "fields")->i, expected[i].fields);
        ck_assert_int_eq(value(st, i, "level")->i, expected[i].level);
        ck_assert_double_eq(value(st, i, "wait")->d, expected[i].wait);
    }
    ens_study_free(st);
}
END_TEST

/* Of more draws, or beside other keys, in another order, in another section. */
START_TEST(draws_stay)
{
    struct ens_study *few = draw(42, (int)N_EXPECTED, KEYS);
    struct ens_study *many = draw(42, MANY, KEYS);
    struct ens_study *one = draw(42, (int)N_EXPECTED,
                                 "size = randint(0, 1e15), "
                                 "work_us = loguniform(0.01, 100)");
    struct ens_study *other = draw(43, (int)N_EXPECTED, KEYS);
    struct ens_cell a, b;

    ck_assert_uint_eq(ens_study_n_cells(many), MANY);
    for (uint64_t i = 0; i < N_EXPECTED; i++) {
        ens_study_cell(few, i, &a);
        ens_study_cell(many, i, &b);
        ck_assert_uint_eq(a.hash[0], b.hash[0]);
        ck_assert_str_eq(value(one, i, "work_us")->text,
                         value(few, i, "work_us")->text);
        ck_assert_str_ne(value(other, i, "work_us")->text,
                         value(few, i, "work_us")->text);
    }
    ens_study_free(few);
    ens_study_free(many);
    ens_study_free(one);
    ens_study_free(other);
}
END_TEST

/* Each in its bounds, and as often as it should be: of MANY draws a share is
 * off by more than five standard errors once in two million. */
START_TEST(draws_are_spread_as_named)
{
    struct ens_study *st = draw(7, MANY, KEYS);
    double error = 5 * sqrt(MANY / 4.0);
    double small = 0, low = 0, seven = 0, soon = 0;

    for (uint64_t i = 0; i < MANY; i++) {
        double us = value(st, i, "work_us")->d;
        int64_t fields = value(st, i, "fields")->i;
        double wait = value(st, i, "wait")->d;

        ck_assert(us >= 0.01 && us <= 100);
        ck_assert(fields >= 1 && fields <= 6);
        ck_assert(wait >= 10 && wait <= 20);
        small += us < 1;
        low += fields <= 3;
        seven += value(st, i, "level")->i == 7;
        soon += wait < 15;
    }
    ck_assert_double_le(fabs(small - MANY / 2.0), error);
    ck_assert_double_le(fabs(low - MANY / 2.0), error);
    ck_assert_double_le(fabs(soon - MANY / 2.0), error);
    ck_assert_double_le(fabs(seven - MANY / 3.0), error);
    ens_study_free(st);
}
END_TEST

/* All there are, each once. */
START_TEST(none_is_there_twice)
{
    struct ens_study *st =
        draw(1, 600, "fields = randint(1, 200), level = choice(3, 4, 5)");

    ck_assert_uint_eq(ens_study_n_cells(st), 600);
    ck_assert_int_eq(ens_study_check_cells(st, NULL), ENS_OK);
    ens_study_free(st);
}
END_TEST

static const char *const round_trip[] = {
    "[study]\nkind = ruler\n[ruler]\nwork_us = 1, 2\ngrid = random(9, wait = "
    "uniform(1e-9, 2e-9), size = randint(1, 1e15), fields = choice(3))\n",
    "[study]\nkind = ruler\n[ruler]\ngrid = random(5, work_us = "
    "uniform(999999999.75, 1000000000))\n",
    "[study]\nkind = free\n[axes]\ngrid = random(3, a = choice(x y, \"b, #\", "
    "\"4\", f(1, 2)), b = uniform(-1e300, 1e300), c = randint(-5, 5),\n"
    "  d = uniform(0, 5e-324))\n",
    "[study]\nkind = trial\n[data linear]\nn = 5\n[fit glm]\ngrid = random(4, "
    "prior.x1:x2 = choice(flat, normal(0, 2.5)), family = choice(binomial, "
    "gaussian))\n",
    "[study]\nkind = ruler\nseed = 18446744073709551615\n[ruler]\n"
    "grid = random(1, fields = randint(4, 4))\n",
};

START_TEST(the_resolved_study_holds_the_draws)
{
    struct ens_study *st = must(round_trip[_i]);
    struct ens_buf text = ENS_BUF_INIT;
    struct ens_buf twice = ENS_BUF_INIT;
    struct ens_study *again;

    ens_study_write(st, &text);
    ck_assert_ptr_null(strstr(ens_buf_text(&text), "random("));
    again = must(ens_buf_text(&text));
    ck_assert_uint_eq(ens_study_cells_hash(st), ens_study_cells_hash(again));
    ens_study_write(again, &twice);
    ck_assert_str_eq(ens_buf_text(&text), ens_buf_text(&twice));
    ens_buf_fini(&text);
    ens_buf_fini(&twice);
    ens_study_free(st);
    ens_study_free(again);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("grid_random");
    TCase *t = tcase_create("grid_random");
    SRunner *r;
    int failed;

    tcase_set_timeout(t, 60);
    tcase_add_test(t, draws_are_as_defined);
    tcase_add_test(t, draws_stay);
    tcase_add_test(t, draws_are_spread_as_named);
    tcase_add_test(t, none_is_there_twice);
    tcase_add_loop_test(t, the_resolved_study_holds_the_draws, 0,
                        (int)(sizeof(round_trip) / sizeof(round_trip[0])));
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed > 0;
}
