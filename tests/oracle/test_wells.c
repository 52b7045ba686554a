/* Fits of the wells data against R 4.2.2 (tests/data/wells/README.md). */
#include "../fit.h"
#include "math/rng.h"
#include "math/sums.h"

#include <math.h>
#include <stdio.h>

#define ROWS    3020
#define COLUMNS 5

static double value[COLUMNS][ROWS];
static char names[COLUMNS][32];
static struct ens_data_column column[COLUMNS];
static const char *name[COLUMNS];
static struct ens_data data = {ROWS, COLUMNS, name, column, NULL};

static void read_wells(void)
{
    FILE *f = fopen(TEST_DATA "/wells/wells.csv", "r");
    char line[256];
    size_t row = 0;

    ck_assert(f != NULL);
    ck_assert(fgets(line, sizeof(line), f) != NULL);
    ck_assert_int_eq(sscanf(line, "%31[^,],%31[^,],%31[^,],%31[^,],%31[^\n]",
                            names[0], names[1], names[2], names[3], names[4]),
                     COLUMNS);
    while (fgets(line, sizeof(line), f)) {
        char *at = line;

        for (size_t j = 0; j < COLUMNS; j++) {
            value[j][row] = strtod(at, &at);
            at++;
        }
        row++;
    }
    ck_assert_uint_eq(row, ROWS);
    fclose(f);
    for (size_t j = 0; j < COLUMNS; j++) {
        name[j] = names[j];
        column[j].values = value[j];
    }
}

/* "switch~dist100+arsenic" -> "switch ~ I(dist/100) + arsenic" */
static void to_formula(char *to, size_t cap, const char *model)
{
    static const char *const word[][2] = {
        {"dist100", "I(dist/100)"},
        {"educ4", "I(educ/4)"},
        {"~", " ~ "},
        {"+", " + "},
    };
    size_t n = 0;

    while (*model) {
        const char *piece = NULL;

        for (size_t k = 0; k < 4; k++)
            if (strncmp(model, word[k][0], strlen(word[k][0])) == 0) {
                piece = word[k][1];
                model += strlen(word[k][0]);
                break;
            }
        ck_assert_uint_lt(n + 16, cap);
        if (piece)
            n += (size_t)snprintf(to + n, cap - n, "%s", piece);
        else
            to[n++] = *model++;
    }
    to[n] = '\0';
}

static double relative(double a, double b)
{
    return fabs(a - b) / fabs(b);
}

static void check_line(const char *model, const char *term, double estimate,
                       double std_error, double dev)
{
    enum fit_family family = strncmp(model, "logit ", 6) == 0 ? FIT_BINOMIAL
                             : strncmp(model, "poisson ", 8) == 0
                                 ? FIT_POISSON
                                 : FIT_GAUSSIAN;
    char formula[256], wanted[64];

    to_formula(formula, sizeof(formula), strchr(model, ' ') + 1);
    to_formula(wanted, sizeof(wanted),
               strcmp(term, "(Intercept)") == 0 ? "intercept" : term);
    for (int pass = family != FIT_GAUSSIAN; pass < 2;
         pass++) { /* ols also by glm */
        struct fit f;
        size_t j = 0;

        ck_assert_msg(fit_run(&f, pass ? &ens_fitter_glm : &ens_fitter_ols,
                              family, formula, &data) == ENS_OK,
                      "%s", f.err.text);
        while (j < f.design.n_columns && strcmp(f.term[j], wanted) != 0)
            j++;
        ck_assert_uint_lt(j, f.design.n_columns);
        ck_assert(relative(f.estimate[j], estimate) < 1e-8);
        ck_assert(relative(f.std_error[j], std_error) < 1e-8);
        if (!isnan(dev))
            ck_assert(relative(f.r.deviance, dev) < 1e-8);
        ck_assert_uint_eq(f.r.n_warnings, 0);
        fit_fini(&f);
    }
}

START_TEST(estimates_and_standard_errors_equal_r)
{
    FILE *f = fopen(TEST_DATA "/wells/glm_reference.csv", "r");
    char line[512], model[128], term[64], number[3][64];
    int n_checked = 0;

    read_wells();
    ck_assert(f != NULL);
    ck_assert(fgets(line, sizeof(line), f) != NULL);
    while (fgets(line, sizeof(line), f)) {
        ck_assert_int_eq(sscanf(line,
                                "\"%127[^\"]\",\"%63[^\"]\",\"%63[^\"]\","
                                "\"%63[^\"]\",\"%63[^\"]\"",
                                model, term, number[0], number[1], number[2]),
                         5);
        check_line(model, term, strtod(number[0], NULL),
                   strtod(number[1], NULL),
                   strstr(number[2], "NA") ? NAN : strtod(number[2], NULL));
        n_checked++;
    }
    fclose(f);
    ck_assert_int_eq(n_checked, 12);
}
END_TEST

/* confint.default(glm(...)) in R: estimate -+ qnorm(0.975) se */
START_TEST(limits_are_normal_for_binomial)
{
    struct fit f;

    read_wells();
    ck_assert_int_eq(fit_run(&f, &ens_fitter_glm, 0,
                             "switch ~ I(dist/100) + arsenic + I(educ/4)",
                             &data),
                     ENS_OK);
    for (size_t j = 0; j < 4; j++) {
        double half = 1.9599639845400536 * f.std_error[j];

        ck_assert(fabs(f.high[j] - f.estimate[j] - half) < 1e-12);
        ck_assert(fabs(f.estimate[j] - f.low[j] - half) < 1e-12);
    }
    fit_fini(&f);
}
END_TEST

/* 2,000 bootstrap replicates in R (README.md beside the data); each standard
 * deviation of 1,000 here has a Monte Carlo error of 2.2 %, of R's 1.6 %. */
START_TEST(bootstrap_standard_errors_agree_with_r)
{
    static const double by_r[4] = {0.0964, 0.1046, 0.0457, 0.0391};
    static uint64_t index[ROWS];
    struct ens_welford m[4] = {{0, 0, 0}};
    struct ens_data drawn;

    read_wells();
    drawn = data;
    drawn.index = index;
    for (uint64_t r = 1; r <= 1000; r++) {
        struct ens_rng g;
        struct fit f;

        ens_rng_set(&g, 42, 0, r, ens_rng_stream("fit", "data"));
        for (size_t i = 0; i < ROWS; i++)
            index[i] = ens_rng_below(&g, ROWS);
        ck_assert_int_eq(fit_run(&f, &ens_fitter_glm, 0,
                                 "switch ~ I(dist/100) + arsenic + I(educ/4)",
                                 &drawn),
                         ENS_OK);
        for (size_t j = 0; j < 4; j++)
            ens_welford_add(&m[j], f.estimate[j]);
        fit_fini(&f);
    }
    for (size_t j = 0; j < 4; j++) {
        double sd = sqrt(ens_welford_var(&m[j]));

        ck_assert_msg(relative(sd, by_r[j]) <
                          4 * sqrt(0.022 * 0.022 + 0.016 * 0.016),
                      "term %zu: %g", j, sd);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("wells");
    TCase *t = tcase_create("wells");
    SRunner *r;
    int failed;

    tcase_add_test(t, estimates_and_standard_errors_equal_r);
    tcase_add_test(t, limits_are_normal_for_binomial);
    tcase_add_test(t, bootstrap_standard_errors_agree_with_r);
    tcase_set_timeout(t, 60);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
