/* Measures and their Monte Carlo errors against R: data/measures/make.R. */
#include "kinds/simulation/measures/figures.h"
#include "kinds/simulation/measures/limits.h"
#include "kinds/simulation/measures/quantiles.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX 200

struct replicate {
    char name[16];
    struct ens_sample s;
};

static struct replicate replicate[MAX];
static size_t n_replicates;

/* Fields of a line, NaN when empty; the first two are texts. */
static size_t split(char *line, char **field)
{
    size_t n = 0;

    line[strcspn(line, "\n")] = '\0';
    for (char *p = line; p != NULL; n++) {
        field[n] = p;
        p = strchr(p, ',');
        if (p != NULL)
            *p++ = '\0';
    }
    return n;
}

static double number(const char *text)
{
    return *text == '\0' ? NAN : strtod(text, NULL);
}

static FILE *open_data(const char *name)
{
    char path[512], line[512];
    FILE *f;

    snprintf(path, sizeof(path), "%s/measures/%s", TEST_DATA, name);
    f = fopen(path, "r");
    ck_assert_msg(f != NULL, "%s", path);
    ck_assert(fgets(line, sizeof(line), f) != NULL); /* names */
    return f;
}

static void read_replicates(void)
{
    FILE *f = open_data("replicates.csv");
    char line[512], *field[16];

    n_replicates = 0;
    while (fgets(line, sizeof(line), f) != NULL) {
        struct replicate *r = &replicate[n_replicates++];

        ck_assert_uint_eq(split(line, field), 7);
        snprintf(r->name, sizeof(r->name), "%s", field[0]);
        r->s = (struct ens_sample){.estimate = number(field[1]),
                                   .std_error = number(field[2]),
                                   .truth = number(field[3]),
                                   .low = number(field[4]),
                                   .high = number(field[5]),
                                   .level = 0.95,
                                   .null = 0.5,
                                   .other = number(field[6])};
    }
    fclose(f);
}

/* Mean error of the case, as the kind has it of a pass before. */
static double centre_of(const char *name)
{
    struct ens_joint e = {0};

    for (size_t i = 0; i < n_replicates; i++) {
        double x = replicate[i].s.estimate - replicate[i].s.truth;

        if (strcmp(replicate[i].name, name) == 0 && isfinite(x))
            ens_joint_add(&e, x, 0, 1);
    }
    return e.x;
}

struct result {
    double n, value, mcse;
};

static struct result measure(const char *name, const char *which,
                             enum ens_mcse mcse, int backwards)
{
    const struct ens_figure figure = {.def = ens_measure_find(which)};
    struct ens_arena arena = ENS_ARENA_INIT;
    struct ens_figures f;
    struct result r;
    double centre = centre_of(name);

    ck_assert_msg(figure.def != NULL, "%s", which);
    ck_assert_int_eq(ens_figures_init(&f, &figure, 1, mcse, 0, &arena, NULL),
                     ENS_OK);
    for (int pass = 0; pass < 2; pass++)
        for (size_t k = 0; k < n_replicates; k++) {
            size_t i = backwards ? n_replicates - 1 - k : k;
            struct ens_sample s = replicate[i].s;

            s.centre = centre;
            if (strcmp(replicate[i].name, name) != 0)
                continue;
            if (pass == 0)
                ens_figures_add(&f, 0, &s);
            else if (mcse == ENS_MCSE_JACKKNIFE)
                ens_figures_leave_out(&f, 0, &s);
        }
    ens_figures_value(&f, 0, &r.value, &r.mcse);
    r.n = f.sum[0].n;
    ens_arena_fini(&arena);
    return r;
}

static struct result quantile(const char *name, double prob)
{
    static union ens_select_memory memory;
    struct ens_quantile q;
    struct result r = {0};

    for (size_t i = 0; i < n_replicates; i++)
        r.n += strcmp(replicate[i].name, name) == 0 &&
               !isnan(replicate[i].s.estimate);
    ens_quantile_begin(&q, (uint64_t)r.n, prob, &memory);
    do
        for (size_t i = 0; i < n_replicates; i++)
            if (strcmp(replicate[i].name, name) == 0 &&
                !isnan(replicate[i].s.estimate))
                ens_select_add(&q.select, replicate[i].s.estimate);
    while (ens_select_next(&q.select));
    ens_quantile_end(&q, &r.value, &r.mcse);
    return r;
}

/* 1e-12 of the size of the numbers that went in: estimates of the case
 * "offset" are 1e4 times their sd, and their error about 2 in 1e-12 of it. */
static void same(const char *line, const char *what, double a, double b,
                 const char *name)
{
    double scale = strcmp(name, "offset") == 0 ? 1e4 : 1;

    if (isnan(b) && isnan(a))
        return;
    ck_assert_msg(fabs(a - b) <= 1e-12 * scale * fmax(1, fabs(b)),
                  "%s: %s %.17g, not %.17g", line, what, a, b);
}

START_TEST(measures_and_errors_are_those_of_r)
{
    FILE *f = open_data("golden.csv");
    char line[512], text[512], *field[16];
    size_t n = 0;

    read_replicates();
    for (; fgets(line, sizeof(line), f) != NULL; n++) {
        struct result r, jackknife, backwards;

        snprintf(text, sizeof(text), "%s", line);
        ck_assert_uint_eq(split(line, field), 6);
        if (strncmp(field[1], "quantile_", 9) == 0) {
            r = quantile(field[0], number(field[1] + 9));
            jackknife = (struct result){.mcse = NAN};
            backwards = r;
        } else {
            r = measure(field[0], field[1], ENS_MCSE_FORMULA, 0);
            backwards = measure(field[0], field[1], ENS_MCSE_FORMULA, 1);
            jackknife = measure(field[0], field[1], ENS_MCSE_JACKKNIFE, 0);
        }
        ck_assert_msg(r.n == number(field[2]), "%s", text);
        same(text, "value", r.value, number(field[3]), field[0]);
        same(text, "mcse", r.mcse, number(field[4]), field[0]);
        same(text, "jackknife", jackknife.mcse, number(field[5]), field[0]);
        same(text, "backwards", backwards.value, number(field[3]), field[0]);
    }
    ck_assert_uint_gt(n, 80);
    fclose(f);
}
END_TEST

/* qt(0.975, 12) = 2.17881282966723, qt(0.75, 12) = 0.695482865511686 */
START_TEST(limits_at_another_level_are_those_of_their_t)
{
    static const struct {
        double df, level, to, from_half, to_half;
    } row[] = {
        {12, 0.95, 0.5, 2.1788128296672285, 0.6954828655117925},
        {12, 0.5, 0.99, 0.6954828655117925, 3.0545395893929013},
        {1, 0.9, 0.5, 6.3137515146750376, 1},
        {5000, 0.95, 0.8, 1.9604385517065075, 1.2817209053357186},
        {INFINITY, 0.95, 0.5, 1.959963984540054, 0.67448975019608171},
    };
    struct ens_limits l = {0};

    for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++)
        for (int again = 0; again < 2; again++) {
            double se = 0.3 + again;
            struct ens_sample s = {.estimate = 1e3,
                                   .std_error = se,
                                   .low = 1e3 - row[i].from_half * se,
                                   .high = 1e3 + row[i].from_half * se,
                                   .level = row[i].level};

            ens_limits_move(&l, &s, row[i].to);
            ck_assert_msg(fabs((s.high - 1e3) / se / row[i].to_half - 1) < 1e-9,
                          "%zu: %.17g", i, (s.high - 1e3) / se);
            ck_assert(fabs((1e3 - s.low) / se / row[i].to_half - 1) < 1e-9);
        }
}
END_TEST

START_TEST(limits_of_no_t_do_not_move)
{
    struct ens_limits l = {0};
    struct ens_sample skew = {
        .estimate = 1, .std_error = 1, .low = 0, .high = 3, .level = 0.9};
    struct ens_sample narrow = {
        .estimate = 0, .std_error = 1, .low = -1, .high = 1, .level = 0.95};
    struct ens_sample same_level = skew;

    ens_limits_move(&l, &skew, 0.5);
    ck_assert(isnan(skew.low) && isnan(skew.high) && skew.level == 0.5);
    ens_limits_move(&l, &narrow, 0.5);
    ck_assert(isnan(narrow.low) && isnan(narrow.high));
    ens_limits_move(&l, &same_level, 1 - 0.1);
    ck_assert(same_level.low == 0 && same_level.high == 3);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("figures");
    TCase *t = tcase_create("figures");
    SRunner *r;
    int failed;

    tcase_add_test(t, measures_and_errors_are_those_of_r);
    tcase_add_test(t, limits_at_another_level_are_those_of_their_t);
    tcase_add_test(t, limits_of_no_t_do_not_move);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
