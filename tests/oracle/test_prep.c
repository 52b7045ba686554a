/* Preprocessing fitted on some rows and applied to others: that of
 * scikit-learn (prep.py). */
#include "../prep.h"
#include "base/bug.h"
#include "learn/moments.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define N 60
#define P 5

struct known {
    const char *steps;
    size_t q;
    const double *values;
};

#include "prep.inc"

static const uint64_t shown[] = {0, 14, 17, 30, 49, 55, 59};
static struct ens_arena arena;

static void setup(void)
{
    ens_arena_init(&arena);
}

static void teardown(void)
{
    ens_arena_fini(&arena);
}

static struct ens_learn_source source_of_data(void)
{
    const struct ens_input in = {.name = "X",
                                 .n_rows = N,
                                 .n_columns = P,
                                 .view = {.data = data_x,
                                          .dtype = ENS_DT_F64,
                                          .ndim = 2,
                                          .shape = {N, P},
                                          .strides = {8 * P, 8}}};
    struct ens_learn_source s;

    ens_learn_source_init(&s, N, &arena);
    ck_assert_int_eq(
        ens_learn_source_add_input(&s, &in, ENS_TEXTS_REFUSED, NULL, NULL),
        ENS_OK);
    return s;
}

static const struct ens_response *response_of_data(void)
{
    static struct ens_learn_source s;
    static const struct ens_response y = {.y = &s};
    static const char *const name = "y";
    const struct ens_view v = {.data = data_y,
                               .dtype = ENS_DT_F64,
                               .ndim = 1,
                               .shape = {N},
                               .strides = {8}};

    ens_learn_source_init(&s, N, &arena);
    ck_assert_int_eq(ens_learn_source_add_view(&s, &v, 0, 1, &name, NULL, NULL),
                     ENS_OK);
    return &y;
}

/* Of the source's columns, as a pass before all fits leaves them. */
static enum ens_status raw_moments(void *arg, const struct ens_rows *r,
                                   const struct ens_moments **m,
                                   struct ens_error *err)
{
    (void)r;
    (void)err;
    *m = arg;
    return ENS_OK;
}

static struct ens_moments moments_of(const struct ens_rows_spec *spec)
{
    struct ens_rows rows;
    struct ens_moments m;
    double *mem, *work;

    ck_assert_int_eq(ens_rows_open(spec, &arena, &rows, NULL), ENS_OK);
    mem = ens_arena_alloc(&arena, ens_moments_doubles(rows.p), sizeof(*mem));
    work = ens_arena_alloc(&arena, ens_moments_of_rows_doubles(rows.p),
                           sizeof(*work));
    ck_assert_int_eq(ens_moments_of_rows(&rows, mem, work, &m, NULL), ENS_OK);
    return m;
}

static struct ens_rowset train_rows(void)
{
    struct ens_span *span = ens_arena_alloc(&arena, 2, sizeof(*span));

    span[0] = (struct ens_span){NULL, 0, 15, 0};
    span[1] = (struct ens_span){NULL, 25, 25, 15};
    return (struct ens_rowset){40, 2, span};
}

struct ready {
    struct ens_learn_source source;
    struct ens_prep_train train;
    struct ens_prep_fitted fitted;
    struct ens_moments raw;
};

/* by_algebra: moments and extremes are known, no pass is made for them. */
static void fit(struct ready *t, const char *steps, int by_algebra)
{
    struct ens_error err = {0};
    struct ens_prep prep;
    const void *blob;
    size_t bytes;

    t->source = source_of_data();
    t->train =
        (struct ens_prep_train){.rows = {.source = &t->source,
                                         .set = train_rows(),
                                         .response = response_of_data()}};
    t->raw = moments_of(&t->train.rows);
    if (by_algebra) {
        t->train.rows.moments = raw_moments;
        t->train.rows.moments_arg = &t->raw;
    }
    ck_assert_msg(read_steps(steps, &arena, &prep, &err) == ENS_OK, "%s",
                  err.text);
    ck_assert_msg(ens_prep_fit(&prep, &t->train, &arena, &blob, &bytes, &err) ==
                      ENS_OK,
                  "%s", err.text);
    ck_assert_msg(ens_prep_open(blob, bytes,
                                (const char *const *)t->source.column, P,
                                &arena, &t->fitted, &err) == ENS_OK,
                  "%s", err.text);
}

START_TEST(columns_are_those_of_the_reference)
{
    const struct known *c = &known[_i / 2];
    struct ens_span span;
    struct ready t;
    struct ens_rows rows;
    struct ens_rows_spec spec;
    double out[N * 64];

    fit(&t, c->steps, _i % 2);
    ck_assert_msg(t.fitted.rows.p == c->q, "%s: %zu not %zu", c->steps,
                  t.fitted.rows.p, c->q);
    spec = (struct ens_rows_spec){.source = &t.source,
                                  .set = ens_rowset_one(&span, NULL, 0, N),
                                  .prep = &t.fitted.rows};
    ck_assert_int_eq(ens_rows_open(&spec, &arena, &rows, NULL), ENS_OK);
    rows.x(&rows, 0, N, out);
    for (size_t i = 0; i < ENS_COUNT(shown); i++)
        for (size_t j = 0; j < c->q; j++) {
            double is = out[shown[i] * c->q + j],
                   want = c->values[i * c->q + j];

            ck_assert_msg(fabs(is - want) <= 1e-10 * fmax(1, fabs(want)),
                          "%s: row %d, %s: %.17g not %.17g", c->steps,
                          (int)shown[i], rows.column[j], is, want);
        }
    ck_assert_int_eq(ens_rows_bad(&rows, NULL), ENS_OK);
}
END_TEST

/* Moments by algebra are those of the preprocessed rows themselves. */
START_TEST(moments_follow_the_steps)
{
    const struct known *c = &known[_i];
    struct ens_prep_moments by_algebra = {.arena = &arena};
    const struct ens_moments *a;
    struct ens_moments b;
    struct ens_rows_spec spec;
    struct ens_rows rows;
    struct ready t;

    fit(&t, c->steps, 1);
    by_algebra.fitted = &t.fitted;
    by_algebra.raw = raw_moments;
    by_algebra.raw_arg = &t.raw;
    spec = t.train.rows;
    spec.prep = &t.fitted.rows;
    spec.moments = ens_prep_moments;
    spec.moments_arg = &by_algebra;
    ck_assert_int_eq(ens_rows_open(&spec, &arena, &rows, NULL), ENS_OK);
    ck_assert_int_eq(rows.moments(&rows, &a, NULL), ENS_OK);
    b = moments_of(&spec);
    ck_assert_uint_eq(a->n, 40);
    ck_assert_uint_eq(a->p, c->q);
    for (size_t j = 0; j < c->q; j++) {
        double scale = sqrt(b.cov[j * c->q + j]) + 1e-8;

        ck_assert_double_eq_tol(a->mean[j], b.mean[j],
                                1e-9 * (fabs(b.mean[j]) + scale));
        for (size_t k = 0; k < c->q; k++)
            ck_assert_double_eq_tol(a->cov[j * c->q + k], b.cov[j * c->q + k],
                                    1e-9 * scale *
                                        (sqrt(b.cov[k * c->q + k]) + 1e-8));
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("prep");
    TCase *t = tcase_create("prep");
    SRunner *r;
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, columns_are_those_of_the_reference, 0,
                        2 * (int)ENS_COUNT(known));
    tcase_add_loop_test(t, moments_follow_the_steps, 0, ENS_COUNT(known));
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
