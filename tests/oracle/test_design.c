/* Model matrices and fits against R (tests/data/formula/make.R). */
#include "../fit.h"
#include "input/mapped.h"

#include <math.h>
#include <stdio.h>

#define TOLERANCE 1e-10 /* of values of order 1: what the issue asks for */

static struct ens_mapped mapped;
static struct ens_data data;
static struct ens_data_column column[16];
static const char *name[16];
static struct ens_arena arena = ENS_ARENA_INIT;

static void read_data(void)
{
    struct ens_input_spec spec = {.name = "d",
                                  .path = TEST_DATA "/formula/data.csv",
                                  .options = {.header = -1}};
    struct ens_error err = {0};
    const char *key;

    ck_assert_int_eq(setenv("ENSRUN_CACHE", "/dev/null/none", 1), 0);
    ck_assert_msg(ens_mapped_open(&mapped, &spec, -1, NULL, NULL, &key, &err) ==
                      ENS_OK,
                  "%s", err.text);
    for (size_t j = 0; j < mapped.input.n_columns; j++) {
        const struct ens_column *c = &mapped.input.columns[j];

        name[j] = c->name;
        column[j] = (struct ens_data_column){
            .view = &c->view, .level = c->levels, .n_levels = c->n_levels};
    }
    data =
        (struct ens_data){(size_t)mapped.input.n_rows,
                          (size_t)mapped.input.n_columns, name, column, NULL};
}

struct matrix {
    struct ens_formula f;
    struct ens_design d;
    struct ens_design_space to;
    size_t n;
};

static void make(struct matrix *m, const char *formula)
{
    struct ens_error err = {0};
    enum ens_status s;

    s = ens_formula_parse(&m->f, formula, data.name, data.n_columns, &arena,
                          &err);
    if (s == ENS_OK)
        s = ens_design_plan(&m->d, &m->f, &data, &arena, &err);
    ck_assert_msg(s == ENS_OK, "%s: %s", formula, err.text);
    m->to.x =
        ens_arena_alloc(&arena, data.n * m->d.n_columns, sizeof(*m->to.x));
    m->to.y = ens_arena_alloc(&arena, data.n, sizeof(*m->to.y));
    m->to.offset = ens_arena_alloc(&arena, data.n, sizeof(*m->to.offset));
    m->to.vars = ens_arena_alloc(&arena, m->f.n_vars, sizeof(*m->to.vars));
    m->to.work = ens_arena_alloc(&arena, ens_design_work(&m->d, data.n),
                                 sizeof(*m->to.work));
    ck_assert_msg(ens_design_build(&m->d, &data, &m->to, &m->n, &err) == ENS_OK,
                  "%s: %s", formula, err.text);
}

/* Cuts the next field off *at. */
static char *cut(char **at, const char *ends)
{
    char *field = *at;
    char *end = field + strcspn(field, ends);

    *at = *end ? end + 1 : end;
    *end = '\0';
    return field;
}

static void check_names(const struct matrix *m, const char *formula, char *line)
{
    for (size_t j = 0; j < m->d.n_columns; j++)
        ck_assert_msg(strcmp(cut(&line, "\t\n"), m->d.column[j].name) == 0,
                      "%s: column %zu is '%s'", formula, j + 1,
                      m->d.column[j].name);
    ck_assert_msg(*line == '\0', "%s: R has more columns: %s", formula, line);
}

START_TEST(model_matrices_equal_r)
{
    FILE *f = fopen(TEST_DATA "/formula/designs.txt", "r");
    static char formula[256], line[4096];
    size_t n_formulas = 0;

    read_data();
    ck_assert(f != NULL);
    while (fgets(formula, sizeof(formula), f)) {
        struct matrix m;
        size_t i = 0;

        formula[strcspn(formula, "\n")] = '\0';
        make(&m, formula);
        ck_assert(fgets(line, sizeof(line), f) != NULL);
        check_names(&m, formula, line);
        for (; fgets(line, sizeof(line), f) && line[0] != '\n'; i++) {
            char *at = line;

            for (size_t j = 0; j < m.d.n_columns; j++) {
                double by_r = strtod(cut(&at, "\t\n"), NULL);
                double ours = m.to.x[j * m.n + i];

                ck_assert_uint_lt(i, m.n);
                ck_assert_msg(fabs(ours - by_r) <= TOLERANCE * (1 + fabs(by_r)),
                              "%s: row %zu, %s: %.17g, by R %.17g", formula,
                              i + 1, m.d.column[j].name, ours, by_r);
            }
        }
        ck_assert_uint_eq(i, m.n);
        n_formulas++;
        ens_arena_reset(&arena);
    }
    ck_assert_uint_eq(n_formulas, 49);
    fclose(f);
    ens_mapped_close(&mapped);
}
END_TEST

START_TEST(fits_equal_r)
{
    FILE *f = fopen(TEST_DATA "/formula/fits.csv", "r");
    static char line[512];
    size_t n_lines = 0;

    read_data();
    ck_assert(f != NULL);
    ck_assert(fgets(line, sizeof(line), f) != NULL);
    for (; fgets(line, sizeof(line), f); n_lines++) {
        char *at = line;
        enum fit_family family =
            strcmp(cut(&at, "|"), "poisson") == 0 ? FIT_POISSON : FIT_GAUSSIAN;
        const char *formula = cut(&at, "|");
        const char *term = cut(&at, "|");
        double estimate = strtod(cut(&at, "|"), NULL);
        double std_error = strtod(at, NULL);
        struct fit r;
        size_t j = 0;

        ck_assert_msg(fit_run(&r, &ens_fitter_glm, family, formula, &data) ==
                          ENS_OK,
                      "%s", r.err.text);
        while (j < r.design.n_columns && strcmp(r.term[j], term) != 0)
            j++;
        ck_assert_msg(j < r.design.n_columns, "%s: no %s", formula, term);
        ck_assert_msg(fabs(r.estimate[j] - estimate) <= 1e-8 * fabs(estimate) &&
                          fabs(r.std_error[j] - std_error) <= 1e-8 * std_error,
                      "%s, %s: %.15g (%.15g), by R %.15g (%.15g)", formula,
                      term, r.estimate[j], r.std_error[j], estimate, std_error);
        fit_fini(&r);
    }
    ck_assert_uint_eq(n_lines, 26);
    fclose(f);
    ens_mapped_close(&mapped);
}
END_TEST

static const struct {
    const char *formula, *message;
} refused[] = {
    {"y ~ I(species + 1)",
     "'species' is a column of text: it can stand as a term"},
    {"species ~ x", "'species' is a column of text"},
    {"y ~ log(site)", "'site' is a column of text"},
    {"y ~ x + offset(site)", "'site' is a column of text"},
    {"y ~ factor(x - x)", "'factor(x - x)' is a factor of fewer than 2 levels"},
    {"y ~ nothing", "no column 'nothing' (columns: y, x, z, k"},
};

START_TEST(what_data_do_not_allow_is_refused)
{
    struct ens_error err = {0};
    struct ens_formula f;
    struct ens_design d;

    read_data();
    ck_assert_int_eq(ens_formula_parse(&f, refused[_i].formula, data.name,
                                       data.n_columns, &arena, &err),
                     ENS_OK);
    ck_assert_int_eq(ens_design_plan(&d, &f, &data, &arena, &err), ENS_ESTUDY);
    ck_assert_msg(strstr(err.text, refused[_i].message) != NULL, "%s",
                  err.text);
    ens_mapped_close(&mapped);
    ens_arena_reset(&arena);
}
END_TEST

static const struct {
    const char *formula, *message;
} failing[] = {
    {"y ~ poly(x, 2)", "poly(x, 2): missing values are not allowed in poly()"},
    {"y ~ poly(k, 3)", "poly(k, 3): the degree must be less than the number"},
    {"y ~ ns(I(k * 0), 3)", "ns(I(k * 0), 3): fewer than two different values"},
    {"y ~ bs(log(w * 0))", "row 1: bs(log(w * 0)) is infinite"},
};

START_TEST(bases_that_cannot_be_made_are_an_outcome)
{
    struct fit r;

    read_data();
    ck_assert_int_eq(
        fit_run(&r, &ens_fitter_ols, FIT_GAUSSIAN, failing[_i].formula, &data),
        ENS_EDOMAIN);
    ck_assert_str_eq(strstr(r.err.text, failing[_i].message) ? "" : r.err.text,
                     "");
    fit_fini(&r);
    ens_mapped_close(&mapped);
}
END_TEST

START_TEST(factors_need_few_levels_that_are_known)
{
    static double id[2000];
    static const char *const names[] = {"y", "id"};
    struct ens_data_column c[2] = {{.values = id}, {.values = id}};
    struct ens_data many = {2000, 2, names, c, NULL};
    struct ens_data later = {2000, 2, names, NULL, NULL};
    struct ens_error err = {0};
    struct ens_formula f;
    struct ens_design d;

    for (size_t i = 0; i < 2000; i++)
        id[i] = (double)i;
    ck_assert_int_eq(
        ens_formula_parse(&f, "y ~ factor(id)", names, 2, &arena, &err),
        ENS_OK);
    ck_assert_int_eq(ens_design_plan(&d, &f, &many, &arena, &err), ENS_ESTUDY);
    ck_assert(strstr(err.text, "more than 1000 levels") != NULL);
    ck_assert_int_eq(ens_design_plan(&d, &f, &later, &arena, &err), ENS_ESTUDY);
    ck_assert(strstr(err.text, "levels are not known beforehand") != NULL);
    many.n = 1000;
    ck_assert_int_eq(ens_design_plan(&d, &f, &many, &arena, &err), ENS_OK);
    ck_assert_uint_eq(d.n_columns, 1000);
    ck_assert_str_eq(d.column[999].name, "factor(id)999");
    ens_arena_reset(&arena);
}
END_TEST

/* Rows 2 and 5 lack a value each, in the response's errors and the group. */
START_TEST(groups_and_standard_errors_follow_the_rows)
{
    static const double y[] = {1, 2, 3, 4, 5, 6}, s[] = {1, NAN, 3, 4, 5, 6};
    static const double code[] = {2, 0, 0, 2, -1, 1}, id[] = {9, 7, 7, 9, 7, 7};
    static const char *const level[] = {"a", "b", "c"};
    static const char *const names[] = {"y", "s", "g", "id"};
    const struct ens_data_column columns[] = {
        {.values = y},
        {.values = s},
        {.values = code, .level = level, .n_levels = 3},
        {.values = id}};
    const struct ens_data_column shape[] = {
        {0}, {0}, {.level = level, .n_levels = 3}, {0}};
    const struct ens_data d = {6, 4, names, columns, NULL};
    const uint32_t expected[] = {2, 0, 2, 1, 1, 0, 1, 0};
    struct ens_error err = {0};
    double se[6];
    uint32_t levels[12];
    struct matrix m;

    data = d;
    m.to.se = se;
    m.to.level = levels;
    make(&m, "y | se(s) ~ 1 + (1 | g) + (1 | id)");
    ck_assert_uint_eq(m.d.n_groups, 2);
    ck_assert_uint_eq(m.d.group[0].n_levels, 3);
    ck_assert_str_eq(m.d.group[0].level[2], "c");
    ck_assert_uint_eq(m.d.group[1].n_levels, 2);
    ck_assert_str_eq(m.d.group[1].level[1], "9");
    ck_assert_uint_eq(m.n, 4);
    ck_assert_double_eq(se[1], 3);
    ck_assert_mem_eq(levels, expected, sizeof(expected));
    /* levels of text are known before the rows are; those of numbers not */
    data.column = shape;
    ck_assert(ens_formula_parse(&m.f, "y ~ (1 | g)", data.name, 4, &arena,
                                &err) == ENS_OK);
    ck_assert_msg(ens_design_plan(&m.d, &m.f, &data, &arena, &err) == ENS_OK,
                  "%s", err.text);
    ck_assert_uint_eq(m.d.group[0].n_levels, 3);
    ck_assert(ens_formula_parse(&m.f, "y ~ (1 | id)", data.name, 4, &arena,
                                &err) == ENS_OK);
    ck_assert_int_eq(ens_design_plan(&m.d, &m.f, &data, &arena, &err),
                     ENS_ESTUDY);
    ck_assert(strstr(err.text, "'id' is a factor of generated values") != NULL);
}
END_TEST

START_TEST(standard_errors_are_above_zero)
{
    static const double y[] = {1, 2}, s[] = {1, 0};
    static const char *const names[] = {"y", "s"};
    const struct ens_data_column columns[] = {{.values = y}, {.values = s}};
    const struct ens_data d = {2, 2, names, columns, NULL};
    struct ens_error err = {0};
    double se[2];
    struct matrix m;

    data = d;
    m.to.se = se;
    make(&m, "y ~ s");
    ck_assert(ens_formula_parse(&m.f, "y | se(s) ~ 1", d.name, 2, &arena,
                                &err) == ENS_OK);
    ck_assert(ens_design_plan(&m.d, &m.f, &d, &arena, &err) == ENS_OK);
    m.to.work = ens_arena_alloc(&arena, ens_design_work(&m.d, 2), 8);
    ck_assert_int_eq(ens_design_build(&m.d, &d, &m.to, &m.n, &err),
                     ENS_EDOMAIN);
    ck_assert_str_eq(err.text, "complete row 2: se is 0; it must be above 0");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("design");
    TCase *t = tcase_create("design");
    SRunner *r;
    int failed;

    tcase_add_test(t, model_matrices_equal_r);
    tcase_add_test(t, fits_equal_r);
    tcase_add_loop_test(t, what_data_do_not_allow_is_refused, 0,
                        (int)(sizeof(refused) / sizeof(refused[0])));
    tcase_add_loop_test(t, bases_that_cannot_be_made_are_an_outcome, 0, 4);
    tcase_add_test(t, groups_and_standard_errors_follow_the_rows);
    tcase_add_test(t, standard_errors_are_above_zero);
    tcase_add_test(t, factors_need_few_levels_that_are_known);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    ens_arena_fini(&arena);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
