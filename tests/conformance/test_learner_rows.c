/* Every learner, for every family that it takes, on odd rows: a clear error or
 * predictions, never one that is no number. A new one is tested by its line in
 * x.def. */
#include "../learners.h"

static double w[N];

static void as_they_are(struct table *t)
{
    (void)t;
}

static void constant_column(struct table *t)
{
    for (size_t i = 0; i < N; i++)
        x[i * P + 1] = 0.1;
    (void)t;
}

static void constant_columns(struct table *t)
{
    for (size_t i = 0; i < N * P; i++)
        x[i] = 1e5 / 3;
    (void)t;
}

static void column_twice(struct table *t)
{
    for (size_t i = 0; i < N; i++)
        x[i * P + 2] = x[i * P];
    (void)t;
}

static void one_row(struct table *t)
{
    t->n = t->n_source = 1;
}

static void two_rows(struct table *t)
{
    t->n = t->n_source = 2;
}

static void wide_rows(struct table *t)
{
    static double narrow[N * P];

    memcpy(narrow, x, sizeof(narrow));
    t->p = WIDE;
    t->n = t->n_source = 10;
    for (size_t i = 0; i < t->n; i++)
        for (size_t j = 0; j < WIDE; j++)
            x[i * WIDE + j] =
                narrow[i * P + j % P] + sin((double)(i * j)) * (double)j;
}

static void absent_class(struct table *t)
{
    for (size_t i = 0; i < N && t->n_classes == CLASSES; i++)
        y[i] = y[i] == 1 ? 2 : y[i];
}

static void one_response(struct table *t)
{
    (void)t;
    for (size_t i = 0; i < N; i++)
        y[i] = 1;
}

static void no_response(struct table *t)
{
    (void)t;
    for (size_t i = 0; i < N; i++)
        y[i] = 0;
}

static void rare_response(struct table *t)
{
    no_response(t);
    y[17] = 1;
}

static void scale_x(double by)
{
    for (size_t i = 0; i < N * P; i++)
        x[i] *= by;
}

static void tiny_x(struct table *t)
{
    (void)t;
    scale_x(1e-200);
}

static void smallest_x(struct table *t)
{
    (void)t;
    scale_x(1e-320);
}

static void huge_x(struct table *t)
{
    (void)t;
    scale_x(1e200);
}

static void largest_x(struct table *t)
{
    (void)t;
    for (size_t i = 0; i < N * P; i++)
        x[i] = i % 2 ? 1.7e308 : -1.7e308;
}

static void one_huge_value(struct table *t)
{
    (void)t;
    x[7] = 1.7e308;
}

static void mixed_scales(struct table *t)
{
    (void)t;
    for (size_t i = 0; i < N; i++) {
        x[i * P] *= 1e150;
        x[i * P + 1] *= 1e-150;
    }
}

static void far_column(struct table *t)
{
    (void)t;
    for (size_t i = 0; i < N; i++)
        x[i * P] += 1e12;
}

static void tiny_y(struct table *t)
{
    for (size_t i = 0; i < N && t->n_classes == 0; i++)
        y[i] *= 1e-200;
}

static void huge_y(struct table *t)
{
    for (size_t i = 0; i < N && t->n_classes == 0; i++)
        y[i] *= 1e200;
}

static void largest_y(struct table *t)
{
    for (size_t i = 0; i < N && t->family == ENS_OUTCOME_GAUSSIAN; i++)
        y[i] = i % 2 ? 1e300 : -1e300;
}

static void large_counts(struct table *t)
{
    for (size_t i = 0; i < N && t->n_classes == 0; i++)
        y[i] = i % 2 ? 1e18 : 0;
}

static void no_weight(struct table *t)
{
    memset(w, 0, sizeof(w));
    t->w = w;
}

static void one_weight(struct table *t)
{
    no_weight(t);
    w[11] = 3;
}

static void tiny_weights(struct table *t)
{
    for (size_t i = 0; i < N; i++)
        w[i] = 1e-300;
    t->w = w;
}

static void huge_weights(struct table *t)
{
    for (size_t i = 0; i < N; i++)
        w[i] = 1e300;
    t->w = w;
}

#define ODD(f)                                                                 \
    {                                                                          \
#f, f                                                                  \
    }
static const struct odd {
    const char *name;
    void (*make)(struct table *t);
} odds[] = {
    ODD(as_they_are),    ODD(constant_column), ODD(constant_columns),
    ODD(column_twice),   ODD(one_row),         ODD(two_rows),
    ODD(wide_rows),      ODD(absent_class),    ODD(one_response),
    ODD(no_response),    ODD(rare_response),   ODD(tiny_x),
    ODD(smallest_x),     ODD(huge_x),          ODD(largest_x),
    ODD(one_huge_value), ODD(mixed_scales),    ODD(far_column),
    ODD(tiny_y),         ODD(huge_y),          ODD(largest_y),
    ODD(large_counts),   ODD(no_weight),       ODD(one_weight),
    ODD(tiny_weights),   ODD(huge_weights),
};

static void survive(const struct ens_impl *impl, struct table t,
                    const struct odd *odd)
{
    struct learning l;
    enum ens_status s;

    read_rows(t.family);
    odd->make(&t);
    if (t.w != NULL &&
        !(((const struct ens_learner *)impl->ops)->uses & ENS_LEARN_WEIGHTS))
        return; /* refused before */
    s = try_fit(&l, impl, &t);
    if (s == ENS_OK)
        s = learning_predict(&l, &t, &t, t.n, out);
    ck_assert_msg(s == ENS_OK || (s == ENS_EDOMAIN && l.err.text[0] != '\0'),
                  "%s: status %d: %s", impl->name, (int)s, l.err.text);
    if (s == ENS_OK)
        check(impl, &t, out, odd->name);
    learning_close(&l);
}

START_TEST(odd_rows_are_survived_or_refused)
{
    struct table t;
    const struct ens_impl *impl = turn(_i, &t);

    for (size_t k = 0; impl && !is_outside(impl) && k < ENS_COUNT(odds); k++)
        survive(impl, t, &odds[k]);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("learner_rows");
    TCase *t = tcase_create("learner_rows");
    SRunner *r = srunner_create(s);
    int failed, n = (int)ens_n_learners * FAMILIES;

    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, odd_rows_are_survived_or_refused, 0, n);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
