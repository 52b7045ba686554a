/* Linear learners against scikit-learn 1.2.1 and least squares in 60 digits
 * (linear.inc, made by linear.py): coefficients and predictions to 1e-8. */
#include "../learning.h"

#include "base/bug.h"
#include "learn/linear.h"

#define TOLERANCE 1e-8
#define MAX_OUT   3
#define MAX_ROWS  400

struct set {
    const char *name;
    size_t n, p;
    const double *x, *y;
};

struct fit {
    const char *learner;
    const struct set *set;
    const char *settings;
    int weighted;
    size_t n_out;
    size_t n_predicted; /* values, of the first rows */
    const double *b;    /* per output: intercept, coefficients */
    const double *out;
};

#include "linear.inc"

static double weight[MAX_ROWS], out[MAX_ROWS * MAX_OUT];

static double spread(const double *x, size_t n, size_t stride)
{
    double mean = 0, sum = 0;

    for (size_t i = 0; i < n; i++)
        mean += x[i * stride] / (double)n;
    for (size_t i = 0; i < n; i++)
        sum += (x[i * stride] - mean) * (x[i * stride] - mean) / (double)n;
    return sum > 1e-20 ? sqrt(sum) : 1;
}

/* Of a coefficient: relative, or in units of what a column's spread is worth
 * in the response's. */
static void check_near(const struct fit *f, size_t term, double a, double b,
                       double unit)
{
    ck_assert_msg(fabs(a - b) <= TOLERANCE * fmax(fabs(b), unit),
                  "%s of %s (%s), term %zu: %.17g, not %.17g", f->learner,
                  f->set->name, f->settings, term, a, b);
}

/* Where columns are 0. */
static double intercept(struct ens_linear *m, size_t k)
{
    double sum = *ens_linear_base(m, k);

    for (size_t j = 0; j < m->p; j++)
        sum -= ens_linear_centre(m)[j] * ens_linear_coef(m, k)[j];
    return sum;
}

static void check_coefficients(const struct fit *f, const struct learning *l)
{
    struct ens_linear *m = (void *)(uintptr_t)l->model.data;
    const struct set *s = f->set;
    double of_y = spread(s->y, s->n, 1), mean = 0;

    /* those of classes say the same when a number is added to all */
    for (size_t k = 0; f->n_out > 1 && k < f->n_out; k++)
        mean += intercept(m, k) / (double)f->n_out;
    for (size_t k = 0; k < f->n_out; k++) {
        const double *b = f->b + k * (s->p + 1);

        for (size_t j = 0; j < s->p; j++)
            check_near(f, j + 1, ens_linear_coef(m, k)[j], b[j + 1],
                       of_y / spread(s->x + j, s->n, s->p));
        if (!isnan(b[0])) /* of columns far away it says nothing */
            check_near(f, 0, intercept(m, k) - mean, b[0], of_y);
    }
}

static void split(const char *settings, char *text, const char **part)
{
    size_t n = 0;

    strncpy(text, settings, 199);
    for (char *at = text; *at != '\0';) {
        part[n++] = at;
        at = strchr(at, ' ');
        if (at == NULL)
            break;
        *at++ = '\0';
    }
    part[n] = NULL;
}

static struct table table_of(const struct fit *f)
{
    for (size_t i = 0; i < f->set->n; i++)
        weight[i] = i % 9 ? (double)(1 + i % 4) / 2 : 0; /* as in linear.py */
    return (struct table){
        .x = f->set->x,
        .y = f->set->y,
        .n_source = f->set->n,
        .p = f->set->p,
        .n = f->set->n,
        .w = f->weighted ? weight : NULL,
        .family = strcmp(f->learner, "poisson") == 0 ? ENS_OUTCOME_POISSON
                  : strcmp(f->learner, "logistic")   ? ENS_OUTCOME_GAUSSIAN
                  : f->n_out > 1                     ? ENS_OUTCOME_MULTINOMIAL
                                                     : ENS_OUTCOME_BINOMIAL,
        .n_classes = f->n_out > 1 ? (uint32_t)f->n_out : 2,
    };
}

static const char *const names[] = {
    "c1",  "c2",  "c3",  "c4",  "c5",  "c6",  "c7",  "c8",  "c9",  "c10",
    "c11", "c12", "c13", "c14", "c15", "c16", "c17", "c18", "c19", "c20",
    "c21", "c22", "c23", "c24", "c25", "c26", "c27", "c28", "c29", "c30"};

START_TEST(fits_equal_their_reference)
{
    const struct fit *f = &fit[_i];
    struct table t = table_of(f);
    struct learning l;
    char text[200] = "";
    const char *settings[8];

    split(f->settings, text, settings);
    t.names = names;
    ck_assert(t.n <= MAX_ROWS && t.p <= ENS_COUNT(names));
    ck_assert(learning_open(&l, f->learner, settings, &t) == ENS_OK);
    ck_assert_msg(learning_fit(&l, &t) == ENS_OK, "%s of %s (%s): %s",
                  f->learner, f->set->name, f->settings, l.err.text);
    check_coefficients(f, &l);
    ck_assert(learning_predict(&l, &t, &t, 7, out) == ENS_OK);
    for (size_t i = 0; i < f->n_predicted; i++)
        check_near(f, 1000 + i, out[i], f->out[i],
                   spread(f->set->y, f->set->n, 1));
    if (strcmp(f->set->name, "twice") && strcmp(f->set->name, "wide"))
        ck_assert_str_eq(l.warning, "");
    learning_close(&l);
}
END_TEST

START_TEST(columns_that_depend_on_each_other_are_named)
{
    struct learning l;
    struct table t;

    for (size_t i = 0; i < ENS_COUNT(fit); i++) {
        if (strcmp(fit[i].set->name, "twice") || strcmp(fit[i].learner, "ols"))
            continue;
        t = table_of(&fit[i]);
        t.names = names;
        ck_assert(learning_open(&l, "ols", NULL, &t) == ENS_OK);
        ck_assert(learning_fit(&l, &t) == ENS_OK);
        ck_assert_str_eq(l.warning,
                         "columns depend on each other (solution of least norm "
                         "taken): c1, c2, c4, c6, c7");
        learning_close(&l);
        return;
    }
    ck_abort_msg("no such fit");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("linear");
    TCase *t = tcase_create("linear");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, fits_equal_their_reference, 0, ENS_COUNT(fit));
    tcase_add_test(t, columns_that_depend_on_each_other_are_named);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
