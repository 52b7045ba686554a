/* Formulas: what they mean, what terms are called, what is refused. */
#include "fit/formula.h"

#include "base/buf.h"
#include "base/bug.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct ens_arena arena = ENS_ARENA_INIT;
static const char *const columns[] = {"b", "y", "c d", "a"};

/* Names as R 4.2.2 gives them: names(coef(lm(...))), "|" between, with
 * "intercept" for "(Intercept)". */
static const struct {
    const char *formula, *response, *terms;
} named[] = {
    {"y ~ a + b", "y", "intercept|a|b"},
    {"y~a+b-1", "y", "a|b"},
    {"y ~ 0 + a", "y", "a"},
    {"y ~ a + 0 + 1", "y", "intercept|a"},
    {"y ~ -1 + a", "y", "a"},
    {"y ~ a - 0", "y", "intercept|a"},
    {"y ~ + a", "y", "intercept|a"},
    {"y ~ 1", "y", "intercept"},
    {"y ~ a + b - a", "y", "intercept|b"},
    {"y ~ a - b", "y", "intercept|a"},
    {"y ~ a + a + b + a", "y", "intercept|a|b"},
    {"y ~ I(a/100) + I( a / 100 )", "y", "intercept|I(a/100)"},
    {"y ~ I(a*b)", "y", "intercept|I(a * b)"},
    {"y ~ I(a+b-2)", "y", "intercept|I(a + b - 2)"},
    {"y ~ I((a+b)^2)", "y", "intercept|I((a + b)^2)"},
    {"y ~ I(-a^2)", "y", "intercept|I(-a^2)"},
    {"y ~ I(a^-1)", "y", "intercept|I(a^-1)"},
    {"y ~ I(+a)", "y", "intercept|I(+a)"},
    {"y ~ log(a) + exp(b/2)", "y", "intercept|log(a)|exp(b/2)"},
    {"y ~ I(sqrt( a )*log(b))", "y", "intercept|I(sqrt(a) * log(b))"},
    {"log(y) ~ a", "log(y)", "intercept|a"},
    {"y/2 ~ a", "y/2", "intercept|a"},
    {"I(y/2) ~ a", "I(y/2)", "intercept|a"},
    {"y ~ I(a*100000)", "y", "intercept|I(a * 1e+05)"},
    {"y ~ I(a*123456)", "y", "intercept|I(a * 123456)"},
    {"y ~ I(a*1e3)", "y", "intercept|I(a * 1000)"},
    {"y ~ I(a*.5)", "y", "intercept|I(a * 0.5)"},
    {"y ~ I(a*0.0001)", "y", "intercept|I(a * 1e-04)"},
    {"y ~ I(a*0.00012)", "y", "intercept|I(a * 0.00012)"},
    {"y ~ I(a*2.50)", "y", "intercept|I(a * 2.5)"},
    {"y ~ I(a*1.5e300)", "y", "intercept|I(a * 1.5e+300)"},
    {"y ~ I(a*0)", "y", "intercept|I(a * 0)"},
    {"y ~ I(a*1200000)", "y", "intercept|I(a * 1200000)"},
    {"y ~ I(a*10.25)", "y", "intercept|I(a * 10.25)"},
    {"y ~ I(a*0.1234567890123456789)", "y",
     "intercept|I(a * 0.123456789012346)"},
    {"y ~ I(a*33333333333333333333)", "y",
     "intercept|I(a * 33333333333333331968)"},
    {"y ~ I(a*2.99999999999999999e-7)", "y", "intercept|I(a * 3e-07)"},
    {"y ~ `a b` + I(`a b`/2) + `a`", "y", "intercept|`a b`|I(`a b`/2)|a"},
    {"y ~ x.1 + .x", "y", "intercept|x.1|.x"},
    {"y ~ a:b", "y", "intercept|a:b"},
    {"y ~ b + a + b:a", "y", "intercept|b|a|b:a"},
    {"y ~ b + a:b", "y", "intercept|b|b:a"},
    {"y ~ a*b", "y", "intercept|a|b|a:b"},
    {"y ~ a*b*c", "y", "intercept|a|b|c|a:b|a:c|b:c|a:b:c"},
    {"y ~ a:b + c", "y", "intercept|c|a:b"},
    {"y ~ a*b - a", "y", "intercept|b|a:b"},
    {"y ~ (a + b)^2", "y", "intercept|a|b|a:b"},
    {"y ~ (a + b + c)^2 - a:b", "y", "intercept|a|b|c|a:c|b:c"},
    {"y ~ (a + b):c", "y", "intercept|a:c|b:c"},
    {"y ~ a:b*c", "y", "intercept|c|a:b|a:b:c"},
    {"y ~ a*b:c", "y", "intercept|a|b:c|a:b:c"},
    {"y ~ (a) + ((b))", "y", "intercept|a|b"},
    {"y ~ a:a", "y", "intercept|a"},
    {"y ~ a*a", "y", "intercept|a"},
    {"y ~ .", "y", "intercept|b|`c d`|a"},
    {"log(y) ~ . - b", "log(y)", "intercept|`c d`|a"},
    {"y ~ a + .:a + .", "y", "intercept|a|b|`c d`|a:b|a:`c d`"},
    {"y ~ factor(a) + factor( b/2 )", "y", "intercept|factor(a)|factor(b/2)"},
    {"y ~ a*factor(b)", "y", "intercept|a|factor(b)|a:factor(b)"},
    {"y ~ a + offset(log(b))", "y", "intercept|a"},
    {"y ~ offset(b) + 1", "y", "intercept"},
    {"y ~ poly(a,2) + bs( b,df=5 )", "y", "intercept|poly(a, 2)|bs(b, df = 5)"},
    {"y ~ ns(log(a), 3):b", "y", "intercept|ns(log(a), 3):b"},
    {"y ~ a + (1 | g) + b", "y", "intercept|a|b"},
    {"y | se(s) ~ .", "y", "intercept|b|`c d`|a"},
    {"log(y)|se(y*2)~( 1|`g h`)", "log(y)", "intercept"},
};

START_TEST(terms_are_named_as_in_r)
{
    struct ens_formula f;
    struct ens_error err = {0};
    struct ens_buf all = ENS_BUF_INIT;

    ck_assert_msg(ens_formula_parse(&f, named[_i].formula, columns, 4, &arena,
                                    &err) == ENS_OK,
                  "%s", err.text);
    for (size_t i = 0; i < f.n_terms; i++)
        ens_buf_printf(&all, "%s%s", i ? "|" : "", f.term[i].name);
    ck_assert_str_eq(ens_buf_text(&all), named[_i].terms);
    ck_assert_str_eq(f.response.name, named[_i].response);
    ens_buf_fini(&all);
}
END_TEST

START_TEST(groups_and_standard_errors_are_kept_apart)
{
    const char *text = "y | se(s/2) ~ a + (1 | g) + (1|`h i`)";
    struct ens_error err = {0};
    struct ens_formula f;

    ck_assert_msg(ens_formula_parse(&f, text, NULL, 0, &arena, &err) == ENS_OK,
                  "%s", err.text);
    ck_assert_uint_eq(f.n_groups, 2);
    ck_assert_str_eq(f.group[0].name, "g");
    ck_assert_str_eq(f.group[1].name, "`h i`");
    ck_assert_str_eq(f.se.name, "(s/2)");
    ck_assert_uint_eq(f.n_variables, 1);
    ck_assert_uint_eq(f.n_vars, 5);
}
END_TEST

/* a = 3, b = 0.25; values by R. */
static const struct {
    const char *formula;
    double value;
} evaluated[] = {
    {"y ~ 0 + I(a/100)", 0.03},
    {"y ~ 0 + I(a - b - 1)", 1.75},
    {"y ~ 0 + I(a / b / 2)", 6},
    {"y ~ 0 + I(-a^2)", -9},
    {"y ~ 0 + I((-a)^2)", 9},
    {"y ~ 0 + I(2^a^2)", 512},
    {"y ~ 0 + I(a^-1)", 1.0 / 3},
    {"y ~ 0 + I(2^-a*4)", 0.5},
    {"y ~ 0 + I(-a*b + 1)", 0.25},
    {"y ~ 0 + I(a - -b)", 3.25},
    {"y ~ 0 + I(1 + a*b^2)", 1.1875},
    {"y ~ 0 + sqrt(b)", 0.5},
    {"y ~ 0 + I(log(exp(a)))", 3},
    {"y ~ 0 + I(I(a) * 2)", 6},
    {"y ~ 0 + I(((a+(b*(a+(b))))))", 3.8125},
    {"y ~ 0 + a", 3},
    {"y ~ 0 + I(log(0)^-0.5)", NAN},
    {"y ~ 0 + I((-a)^exp(1000))", NAN},
    {"y ~ 0 + I(log(0)^3)", -INFINITY},
    {"y ~ 0 + I(sqrt(-1)^0)", 1},
};

START_TEST(expressions_mean_what_they_mean_in_r)
{
    static const double one[4] = {3, 1, 1, 3}, two[4] = {0.25, 1, 1, 0.25};
    const char *names[] = {"y", "b", "a"};
    const double *vars[3];
    uint32_t at[3];
    double stack[20 * ENS_FORMULA_BLOCK], out[4];
    struct ens_formula f;
    struct ens_error err = {0};

    ck_assert_msg(ens_formula_parse(&f, evaluated[_i].formula, NULL, 0, &arena,
                                    &err) == ENS_OK,
                  "%s", err.text);
    ck_assert_uint_eq(f.n_terms, 1);
    ck_assert_uint_le(f.depth, 20);
    ck_assert_int_eq(ens_formula_bind(&f, names, 3, at, &err), ENS_OK);
    for (size_t v = 0; v < f.n_vars; v++)
        vars[v] = at[v] == 2 ? one : at[v] == 1 ? two : NULL;
    ens_formula_eval(&f.variable[f.term[0].part[0]].expr, vars, 4, stack, out);
    if (isfinite(evaluated[_i].value))
        ck_assert(fabs(out[0] - evaluated[_i].value) < 1e-15);
    else
        ck_assert(memcmp(&out[0], &evaluated[_i].value, 8) == 0);
    ck_assert(memcmp(&out[3], &out[0], 8) == 0);
}
END_TEST

static const struct {
    const char *formula, *message;
} refused[] = {
    {"y ~ (a | g)", "position 8: a group is (1 | g)"},
    {"y ~ (1 + a | g)", "position 6: the intercept's 0 or 1 within brackets"},
    {"y ~ a | g", "position 7: a group is (1 | g)"},
    {"y ~ (1 | g/h)", "position 11: unexpected '/', expected ')': a group is "
                      "one column"},
    {"y ~ (1 | 2)", "position 10: unexpected '2', expected a column"},
    {"y ~ a - (1 | g)", "position 9: (1 | g) stands between +"},
    {"y ~ (1 | g) * a", "position 13: unexpected '*'"},
    {"y ~ (1 | g) + (1|g)", "position 15: a second group of 'g'"},
    {"y | trials(n) ~ a", "position 5: behind '|' of a response stands se("},
    {"y | se ~ a", "position 5: behind '|' of a response stands se("},
    {"y | se() ~ a", "position 8: unexpected ')'"},
    {"y ~ dist/100", "position 9: '/' between terms does not compute; for "
                     "arithmetic write I(dist/100)"},
    {"y ~ a + b^2 + c", "position 10: '^' between terms does not compute; "
                        "for arithmetic write I(b^2)"},
    {"y ~ a*b*2", "write I(a * b * 2)"},
    {"y ~ 100*a", "write I(100 * a)"},
    {"y ~ a/(", "write I(dist/100)"},
    {"y ~ I(factor(a))", "position 7: factor() is not arithmetic"},
    {"y ~ factor(a, b)", "position 13: factor() takes one argument"},
    {"y ~ factor(a", "ends where ')' or an operator should be"},
    {"y ~ poly(a, 0)", "position 13: a whole number from 1 to 50"},
    {"y ~ poly(a, 2, raw = 1)", "poly() has no argument 'raw' here"},
    {"y ~ ns(a, knots = 3)", "ns() has no argument 'knots' here"},
    {"y ~ bs(a, df = 2)", "bs() takes a df of at least its degree, 3"},
    {"y ~ bs(a, b)", "unexpected ')', expected '='"},
    {"y ~ bs(a, df = b)", "unexpected 'b', expected a whole number"},
    {"y ~ a:offset(b)", "offset() stands between + at the outside"},
    {"y ~ (a + offset(b))", "offset() stands between + at the outside"},
    {"y ~ a - offset(b)", "offset() cannot be taken away"},
    {"y ~ .", "position 5: '.' stands for all other columns, but"},
    {"y ~ I(.)", "'.' (all other columns) inside arithmetic"},
    {"y ~ (a + b)^b", "unexpected 'b', expected a whole number"},
    {"y ~ (a + b)^99", "a power of terms is a whole number from 1 to 20"},
    {"y ~ (a + 1)", "the intercept's 0 or 1 within brackets"},
    {"y ~ (a + b", "ends where an operator or ')' should be"},
    {"y ~ (a+b+c+d+e+f+g+h+i+j+k+l+m+n)^14", "more than 4096 terms"},
    {"y ~ foo(a)", "unknown function 'foo'"},
    {"y ~ 2", "must be 0 or 1"},
    {"y ~ 0", "no term and no intercept"},
    {"y ~ a - a - 1", "no term and no intercept"},
    {"~ a", "no response before '~'"},
    {"2 ~ a", "the response names no column"},
    {"y", "position 2: ends where '~' should be"},
    {"", "position 1: ends where a column"},
    {"y ~", "ends where a term should be"},
    {"y ~ a +", "ends where a term should be"},
    {"y ~ a b", "position 7: unexpected 'b'"},
    {"y ~ I(a", "ends where ')' or an operator should be"},
    {"y ~ I(a > 2)", "position 9: unexpected '>'"},
    {"y ~ I()", "unexpected ')'"},
    {"y ~ I(a +)", "unexpected ')'"},
    {"y ~ I(1e)", "'1e' is not a number"},
    {"y ~ I(a*1e999)", "'1e999' is not a number"},
    {"y ~ a)", "unexpected ')'"},
    {"y ~ `a", "'`' is not closed"},
    {"y ~ ``", "empty name"},
    {"y ~ y + a", "the response 'y' is also a term"},
    {"y ~ \xe2\x82\xac + %", "unexpected '%'"},
    {"y ~ a ~ b", "unexpected '~'"},
    {"y ~ a + intercept", "a column named 'intercept' beside the intercept"},
};

START_TEST(what_is_not_understood_is_refused_by_name)
{
    struct ens_formula f;
    struct ens_error err = {0};

    ck_assert_int_eq(
        ens_formula_parse(&f, refused[_i].formula, NULL, 0, &arena, &err),
        ENS_ESTUDY);
    ck_assert_msg(strstr(err.text, refused[_i].message) != NULL, "%s",
                  err.text);
    ck_assert(strstr(err.text, refused[_i].formula) != NULL);
}
END_TEST

START_TEST(missing_column_is_named_with_those_there_are)
{
    const char *names[] = {"switch", "arsenic", "dist"};
    struct ens_formula f;
    struct ens_error err = {0};

    ck_assert_int_eq(ens_formula_parse(&f, "switch ~ I(dist/100) + arsnic",
                                       NULL, 0, &arena, &err),
                     ENS_OK);
    ck_assert_int_eq(ens_formula_bind(&f, names, 3, NULL, &err), ENS_ESTUDY);
    ck_assert_str_eq(err.text,
                     "formula 'switch ~ I(dist/100) + arsnic', position 24: no "
                     "column 'arsnic' (columns: switch, arsenic, dist)");
}
END_TEST

START_TEST(deep_nesting_is_an_error_not_a_crash)
{
    static char text[200010];
    struct ens_formula f;
    struct ens_error err = {0};
    static const char fill[] = "(-";

    for (int k = 0; k < 2; k++) {
        memcpy(text, "y ~ I(", 6);
        memset(text + 6, fill[k], 200000);
        text[200006] = '\0';
        ck_assert_int_eq(ens_formula_parse(&f, text, NULL, 0, &arena, &err),
                         ENS_ESTUDY);
        ck_assert(strstr(err.text, "nested more than") != NULL);
    }
}
END_TEST

/* Random text from the formula alphabet: parsed or refused, never worse; what
 * is parsed can be evaluated. Run under ASan. */
START_TEST(random_text_is_parsed_or_refused)
{
    static const char *const piece[] = {
        "|", "(1|", "| se(", "y",  "~", "a", "+", "-",   "1",
        "0", "I(",  "log(",  "(",  ")", "^", "*", "/",   ":",
        ".", "`",   "2.5",   "1e", " ", "b", "~", "y ~ "};
    static double zeros[ENS_FORMULA_BLOCK];
    double out[ENS_FORMULA_BLOCK];
    unsigned long state = 12345;
    int n_parsed = 0;

    for (int round = 0; round < 30000; round++) {
        struct ens_buf text = ENS_BUF_INIT;
        struct ens_formula f;
        struct ens_error err = {0};
        enum ens_status s;

        ens_buf_puts(&text, round % 4 ? "y ~ a" : "");
        for (int i = 0; i < round % 12; i++) {
            state = state * 6364136223846793005UL + 1442695040888963407UL;
            ens_buf_puts(&text, piece[(state >> 33) % ENS_COUNT(piece)]);
        }
        s = ens_formula_parse(&f, ens_buf_text(&text), columns, 4, &arena,
                              &err);
        ck_assert(s == ENS_OK || s == ENS_ESTUDY);
        if (s == ENS_OK) {
            const double *vars[40];
            double *stack = malloc((f.depth + 1) * sizeof(out));

            n_parsed++;
            ck_assert_uint_le(f.n_vars, 40);
            for (size_t v = 0; v < f.n_vars; v++)
                vars[v] = zeros;
            for (size_t t = 0; t < f.n_variables; t++)
                ens_formula_eval(&f.variable[t].expr, vars, 7, stack, out);
            for (size_t t = 0; t < f.n_groups; t++)
                ens_formula_eval(&f.group[t], vars, 7, stack, out);
            if (f.se.n_ops > 0)
                ens_formula_eval(&f.se, vars, 7, stack, out);
            free(stack);
        }
        ens_buf_fini(&text);
        ens_arena_reset(&arena);
    }
    ck_assert_int_gt(n_parsed, 1000);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("formula");
    TCase *t = tcase_create("formula");
    SRunner *r;
    int failed;

    tcase_add_loop_test(t, terms_are_named_as_in_r, 0, (int)ENS_COUNT(named));
    tcase_add_loop_test(t, expressions_mean_what_they_mean_in_r, 0,
                        (int)ENS_COUNT(evaluated));
    tcase_add_loop_test(t, what_is_not_understood_is_refused_by_name, 0,
                        (int)ENS_COUNT(refused));
    tcase_add_test(t, missing_column_is_named_with_those_there_are);
    tcase_add_test(t, groups_and_standard_errors_are_kept_apart);
    tcase_add_test(t, deep_nesting_is_an_error_not_a_crash);
    tcase_add_test(t, random_text_is_parsed_or_refused);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    ens_arena_fini(&arena);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
