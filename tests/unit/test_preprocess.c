/* Preprocessing: what users write, names of columns, what is lent, damage. */
#include "../prep.h"
#include "base/bug.h"
#include "config/value.h"
#include "learn/moments.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define N 2000
#define P 4

static struct ens_arena arena;
static double x[N][P], weight[N];
static const char *const names[P] = {"price", "a:b", "V3", "id"};
static struct ens_learn_source source;
static struct ens_span all_span;

static void setup(void)
{
    const struct ens_view v = {.data = x,
                               .dtype = ENS_DT_F64,
                               .ndim = 2,
                               .shape = {N, P},
                               .strides = {8 * P, 8}};

    ens_arena_init(&arena);
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < P; j++)
            x[i][j] = (double)((i * (31 + j) + 7 * j) % (97 + j)) - 20;
        weight[i] = i % 4;
    }
    ens_learn_source_init(&source, N, &arena);
    ck_assert_int_eq(
        ens_learn_source_add_view(&source, &v, 0, P, names, NULL, NULL),
        ENS_OK);
    source.finite = 0;
}

static void teardown(void)
{
    ens_arena_fini(&arena);
}

static struct ens_prep_train all_rows(void)
{
    return (struct ens_prep_train){
        .rows = {.source = &source,
                 .set = ens_rowset_one(&all_span, NULL, 0, N)}};
}

static struct ens_prep steps_of(const char *text)
{
    struct ens_error err = {0};
    struct ens_prep prep;

    ck_assert_msg(read_steps(text, &arena, &prep, &err) == ENS_OK, "%s: %s",
                  text, err.text);
    return prep;
}

struct blob {
    const void *data;
    size_t bytes;
};

static struct blob fit(const char *text, const struct ens_prep_train *train)
{
    const struct ens_prep prep = steps_of(text);
    struct ens_error err = {0};
    struct blob b;

    ck_assert_msg(ens_prep_fit(&prep, train, &arena, &b.data, &b.bytes, &err) ==
                      ENS_OK,
                  "%s: %s", text, err.text);
    return b;
}

static struct ens_prep_fitted *open_blob(const struct blob *b)
{
    struct ens_prep_fitted *f = ens_arena_alloc(&arena, 1, sizeof(*f));

    ck_assert_int_eq(
        ens_prep_open(b->data, b->bytes, names, P, &arena, f, NULL), ENS_OK);
    return f;
}

/* -- what users write ---------------------------------------------------- */

static const struct named {
    const char *steps, *columns;
} named[] = {
    {"none", "price a:b V3 id"},
    {"standardise minmax", "price a:b V3 id"},
    {"subset(id, 1)", "id price"},
    {"subset(a:b)", "a:b"}, /* a column's name before a range */
    {"subset(2:3)", "a:b V3"},
    {"subset(price:V3)", "price a:b V3"},
    {"subset(-id)", "price a:b V3"},
    {"subset(-2:3, -price)", "id"},
    {"subset(-id) subset(V3, 1)", "V3 price"},
    {"pca(2)", "PC1 PC2"},
    {"subset(price, id) poly", "price id price^2 price:id id^2"},
    {"subset(1, 4) poly(3, no)", "price id price^2 id^2 price^3 id^3"},
    {"subset(-2) poly(3, interactions=only)",
     "price V3 id price:V3 price:id V3:id price:V3:id"},
    {"subset(1, 4) poly(3)",
     "price id price^2 price:id id^2 price^3 price^2:id price:id^2 id^3"},
    {"subset(id) spline(3, 2)", "id.s1 id.s2 id.s3"},
};

START_TEST(columns_have_names)
{
    const struct named *c = &named[_i];
    struct ens_prep_train train = all_rows();
    struct blob b = fit(c->steps, &train);
    struct ens_prep_fitted *f = open_blob(&b);
    const struct ens_prep prep = steps_of(c->steps);
    char text[256] = "";

    for (size_t j = 0; j < f->rows.p; j++) {
        strncat(text, j > 0 ? " " : "", sizeof(text) - strlen(text) - 1);
        strncat(text, f->rows.column[j], sizeof(text) - strlen(text) - 1);
    }
    ck_assert_str_eq(text, c->columns);
    ck_assert_int_eq(ens_prep_check(&prep, names, P, &arena, NULL), ENS_OK);
}
END_TEST

static const struct refused {
    const char *steps, *text;
} refused[] = {
    {"log", "\"log\" is no preprocessing"},
    {"pca(2.5)", "a whole number of them, or a share"},
    {"pca(-1)", "a whole number of them, or a share"},
    {"pca(two)", "components = two: a number is expected"},
    {"pca(nan)", "a whole number of them, or a share"},
    {"pca(2, whiten=maybe)", "whiten = maybe: yes or no"},
    {"poly(11)", "degree: 1 to 10"},
    {"poly(2, sometimes)", "yes, no or only, not sometimes"},
    {"spline(1)", "knots: 2 to 50"},
    {"spline(4, 6)", "degree: 0 to 5"},
    {"screen_cor(2)", "p is 0 to 1"},
    {"screen_rank(0)", "how many, 1 or more"},
    {"screen_lasso(0)", "are 1 or more"},
    {"subset", "columns are expected"},
    {"subset(k=3)", "columns are expected, not k = ..."},
    {"lag", "a number of rows is expected"},
    {"lag(1.5)", "a number of rows is expected"},
    {"none minmax minmax minmax minmax minmax minmax minmax minmax minmax "
     "minmax minmax minmax minmax minmax minmax minmax minmax",
     "more than 16 steps"},
};

START_TEST(what_makes_no_sense_is_refused)
{
    struct ens_error err = {0};
    struct ens_prep prep;

    ck_assert_int_eq(read_steps(refused[_i].steps, &arena, &prep, &err),
                     ENS_ESTUDY);
    ck_assert_msg(strstr(err.text, refused[_i].text) != NULL, "%s: %s",
                  refused[_i].steps, err.text);
}
END_TEST

static const struct refused missing[] = {
    {"subset(pirce)",
     "subset: no column \"pirce\" among 4; did you mean price"},
    {"subset(5)", "no column \"5\" among 4"},
    {"subset(0)", "no column \"0\" among 4"},
    {"subset(-id) subset(id)", "no column \"id\" among 3"},
    {"minmax subset(id:price)", "the last column is before the first"},
    {"subset(id, -price)", "no column \"-price\""},
    {"subset(-price, id)", "are not mixed"},
    {"subset(id, 4)", "id is named twice"},
    {"subset(-1:4)", "no column is left of 4"},
};

/* At the plan and at the fit. */
START_TEST(columns_that_are_not_there_are_named)
{
    const struct ens_prep prep = steps_of(missing[_i].steps);
    struct ens_prep_train train = all_rows();
    struct ens_error err = {0};
    struct blob b;

    ck_assert_int_eq(ens_prep_check(&prep, names, P, &arena, &err), ENS_ESTUDY);
    ck_assert_msg(strstr(err.text, missing[_i].text) != NULL, "%s", err.text);
    err.text[0] = '\0';
    ck_assert_int_ne(
        ens_prep_fit(&prep, &train, &arena, &b.data, &b.bytes, &err), ENS_OK);
    ck_assert_msg(strstr(err.text, missing[_i].text) != NULL, "%s", err.text);
}
END_TEST

START_TEST(how_rows_are_read_is_no_step)
{
    struct ens_prep prep = steps_of("indicators standardise lag(2) lag(1)");

    ck_assert_uint_eq(prep.n, 1);
    ck_assert_uint_eq(prep.lag, 3);
    ck_assert_int_eq(prep.texts, ENS_TEXTS_CODED);
    prep = steps_of("indicators(all=yes)");
    ck_assert_int_eq(prep.texts, ENS_TEXTS_LEVELS);
    prep = steps_of("minmax");
    ck_assert_int_eq(prep.texts, ENS_TEXTS_REFUSED);
    ck_assert_ptr_null(ens_prep_screen(&prep));
    prep = steps_of("minmax screen_rank(2)");
    ck_assert_str_eq(ens_prep_screen(&prep), "screen_rank");
}
END_TEST

/* As the study file's reader gives them: checked, defaults filled in. */
static enum ens_status from_study(const char *text, struct ens_prep *prep,
                                  struct ens_error *err)
{
    static const struct ens_setting rows[] = {
        {.section = "case",
         .key = "preprocess",
         .type = ENS_T_CALL,
         .shape = ENS_LIST,
         .cls = ENS_C_CELL,
         .def = "",
         .choices = ens_prep_choices},
#define ENS_PREP(name, help, settings) settings
#include "learn/prep/x.def"
#undef ENS_PREP
    };
    const struct ens_value_context c = {
        .arena = &arena, .calls = {rows}, .n_calls = {ENS_COUNT(rows)}};
    struct ens_values v;
    enum ens_status st = ens_value_parse(&c, &rows[0], text, &v, err);

    return st == ENS_OK ? ens_prep_read(v.v, prep, err) : st;
}

START_TEST(tables_know_all_arguments)
{
    struct ens_error err = {0};
    struct ens_prep prep;

    ck_assert_msg(
        from_study("indicators, standardise, subset(-id, 2:3), "
                   "pca(whiten=on), pca(3), poly(interactions=only), "
                   "spline(4), lag(2), screen_cor, screen_lasso(5), none",
                   &prep, &err) == ENS_OK,
        "%s", err.text);
    ck_assert_uint_eq(prep.n, 8);
    ck_assert_uint_eq(prep.lag, 2);
    ck_assert_uint_eq(prep.step[1].call->n, 2);
    ck_assert_double_eq(prep.step[2].arg[0], 0);
    ck_assert_double_eq(prep.step[2].arg[1], 1);
    ck_assert_double_eq(prep.step[3].arg[0], 3);
    ck_assert_double_eq(prep.step[4].arg[0], 2);
    ck_assert_double_eq(prep.step[4].arg[1], 2);
    ck_assert_double_eq(prep.step[5].arg[0], 4);
    ck_assert_double_eq(prep.step[5].arg[1], 3);
    ck_assert_double_eq(prep.step[6].arg[0], 0.1);
    ck_assert_double_eq(prep.step[7].arg[1], -1);
    ck_assert_int_eq(from_study("", &prep, &err), ENS_OK);
    ck_assert_uint_eq(prep.n, 0);
}
END_TEST

static const struct refused by_table[] = {
    {"standardize", "did you mean standardise"},
    {"standardise(2)", "standardise takes no arguments"},
    {"pca(5, 6, 7)", "pca takes at most 2 arguments"},
    {"poly(degree=12)", "poly: degree"},
    {"spline(degre=2)", "unknown argument degre"},
    {"lag", "lag: rows is missing"},
};

START_TEST(tables_refuse_the_rest)
{
    struct ens_error err = {0};
    struct ens_prep prep;

    ck_assert_int_eq(from_study(by_table[_i].steps, &prep, &err), ENS_ESTUDY);
    ck_assert_msg(strstr(err.text, by_table[_i].text) != NULL, "%s", err.text);
}
END_TEST

/* -- fits ---------------------------------------------------------------- */

static const struct refused impossible[] = {
    {"pca(5)", "preprocess pca: 5 components of 4 columns"},
    {"screen_rank", "screen_rank: a response of numbers or of two classes"},
    {"poly(10) poly(10)", "preprocess poly: it would make more than 1000000"},
};

START_TEST(fits_that_cannot_be_say_so)
{
    const struct ens_prep prep = steps_of(impossible[_i].steps);
    struct ens_prep_train train = all_rows();
    struct ens_error err = {0};
    struct blob b;

    ck_assert_int_eq(
        ens_prep_fit(&prep, &train, &arena, &b.data, &b.bytes, &err),
        ENS_EDOMAIN);
    ck_assert_msg(strstr(err.text, impossible[_i].text) != NULL, "%s",
                  err.text);
}
END_TEST

START_TEST(numbers_that_are_missing_are_named)
{
    const struct ens_prep prep = steps_of("robust");
    struct ens_prep_train train = all_rows();
    struct ens_error err = {0};
    struct blob b;

    x[77][2] = (double)NAN;
    ck_assert_int_eq(
        ens_prep_fit(&prep, &train, &arena, &b.data, &b.bytes, &err),
        ENS_EDOMAIN);
    ck_assert_str_eq(err.text,
                     "column V3, row 78: nan: a finite number is expected");
}
END_TEST

/* Steps, and the columns that nothing looks at: of the steps as written, and
 * as fitted. */
static const struct unused {
    const char *steps, *written, *fitted;
} unused[] = {
    {"none", "....", "...."},
    {"standardise", "....", "...."},
    {"subset(-id)", "...i", "...i"},
    {"subset(2, 1)", "..ii", "..ii"},
    {"minmax standardise subset(-V3)", "..i.", "..i."},
    {"subset(-id) subset(2)", "...i", "...i"},
    {"pca(2) subset(1)", "....", "...."},
    {"poly subset(1)", "....", "...."},
    {"screen_rank(2)", "....", NULL}, /* it looks at all; then it does not */
    {"lag(1) subset(3)", "ii.i", "ii.i"},
};

static void check_unused(const unsigned char *ignored, const char *want,
                         const char *steps)
{
    for (int j = 0; j < P; j++)
        ck_assert_msg((ignored != NULL && ignored[j]) == (want[j] == 'i'),
                      "%s: column %d", steps, j + 1);
}

START_TEST(columns_left_out_are_not_looked_at)
{
    const struct unused *u = &unused[_i];
    const struct ens_prep prep = steps_of(u->steps);
    struct ens_prep_train train = all_rows();
    const unsigned char *ignored;
    struct blob b;

    ck_assert_int_eq(ens_prep_ignored(&prep, names, P, &arena, &ignored, NULL),
                     ENS_OK);
    check_unused(ignored, u->written, u->steps);
    if (u->fitted == NULL)
        return;
    source.ignored = ignored;
    for (int i = 0; i < N && ignored != NULL; i++)
        for (int j = 0; j < P; j++)
            if (ignored[j])
                x[i][j] = i % 3 == 0 ? NAN : -INFINITY;
    train.rows.lag = prep.lag;
    b = fit(u->steps, &train); /* in spite of that */
    if (prep.n > 0)
        check_unused(open_blob(&b)->rows.ignored, u->fitted, u->steps);
}
END_TEST

START_TEST(constant_columns_are_centred)
{
    static const char *const step[] = {"standardise", "minmax", "robust"};
    struct ens_prep_train train = all_rows();
    struct ens_prep_fitted *f;
    struct blob b;
    double out[P], work[64];

    for (int i = 0; i < N; i++)
        x[i][1] = 1e8 + 1.0 / 3;
    b = fit(step[_i], &train);
    f = open_blob(&b);
    f->rows.apply(f->rows.own, x[5], 1, out, work);
    ck_assert_double_eq(out[1], 0);
    ck_assert(isfinite(out[0]));
}
END_TEST

/* Of many rows some are taken: here each value of x 150 times. */
START_TEST(quantiles_of_many_rows_are_those_of_some)
{
    static int64_t index[150 * N];
    struct ens_prep_train train = all_rows();
    struct ens_span many;
    const double *exact, *own;
    struct blob a = fit("robust", &train), b;

    for (int64_t i = 0; i < 150 * N; i++)
        index[i] = i * 7 % N;
    train.rows.set = ens_rowset_one(&many, index, 0, 150 * N);
    b = fit("robust", &train);
    exact = open_blob(&a)->part[0].own;
    own = open_blob(&b)->part[0].own;
    for (size_t j = 0; j < P; j++) {
        ck_assert_double_le(fabs(own[j] - exact[j]), 1); /* of 97 values */
        ck_assert_double_le(fabs(1 / own[P + j] - 1 / exact[P + j]), 2);
    }
    a = fit("robust", &train);
    ck_assert_int_eq(memcmp(a.data, b.data, a.bytes), 0);
}
END_TEST

/* Known extremes take no pass, and give the same. */
START_TEST(extremes_go_through_steps)
{
    static const char *const step[] = {"minmax",
                                       "standardise subset(id, 2) minmax",
                                       "maxabs minmax maxabs", "pca(2) minmax"};
    struct ens_prep_train train = all_rows();
    double least[P], largest[P];
    struct blob a, b;
    const double *u, *v;

    for (int j = 0; j < P; j++) {
        least[j] = INFINITY;
        largest[j] = -INFINITY;
        for (int i = 0; i < N; i++) {
            least[j] = fmin(least[j], x[i][j]);
            largest[j] = fmax(largest[j], x[i][j]);
        }
    }
    a = fit(step[_i], &train);
    train.least = least;
    train.largest = largest;
    b = fit(step[_i], &train);
    ck_assert_uint_eq(a.bytes, b.bytes);
    ck_assert_int_eq(memcmp(a.data, b.data, 32), 0);
    u = open_blob(&a)->part[0].own;
    v = open_blob(&b)->part[0].own;
    for (size_t k = 0; k < 2 * open_blob(&a)->part[0].p; k++)
        ck_assert_double_eq(u[k], v[k]);
    ck_assert_int_eq(memcmp(a.data, b.data, a.bytes), 0);
}
END_TEST

START_TEST(weights_count)
{
    struct ens_learn_source w;
    const struct ens_view v = {.data = weight,
                               .dtype = ENS_DT_F64,
                               .ndim = 1,
                               .shape = {N},
                               .strides = {8}};
    const char *name = "w";
    struct ens_response response = {.w = &w};
    struct ens_prep_train train = all_rows();
    struct blob b;
    const double *own;
    double sum = 0, all = 0, square = 0, mean;

    ens_learn_source_init(&w, N, &arena);
    ens_learn_source_add_view(&w, &v, 0, 1, &name, NULL, NULL);
    train.rows.response = &response;
    b = fit("standardise", &train);
    own = open_blob(&b)->part[0].own;
    for (int i = 0; i < N; i++) {
        all += weight[i];
        sum += weight[i] * x[i][0];
    }
    mean = sum / all;
    for (int i = 0; i < N; i++)
        square += weight[i] * (x[i][0] - mean) * (x[i][0] - mean);
    ck_assert_double_eq_tol(own[0], mean, 1e-10);
    ck_assert_double_eq_tol(own[P], 1 / sqrt(square / all), 1e-10);
}
END_TEST

/* -- rows that are lent -------------------------------------------------- */

static const struct lent {
    const char *steps;
    int is_lent;
} lent[] = {
    {"none", 1},
    {"standardise", 1},
    {"subset(2:3)", 1},
    {"subset(2:4) robust subset(2)", 1},
    {"minmax subset(-1)", 1},
    {"subset(3, 1)", 0},
    {"minmax standardise", 0}, /* two roundings are not one */
    {"pca(2)", 0},
};

START_TEST(scaled_columns_are_lent)
{
    struct ens_prep_train train = all_rows();
    struct blob b = fit(lent[_i].steps, &train);
    struct ens_prep_fitted *f = open_blob(&b);
    struct ens_rows_spec spec = train.rows;
    struct ens_rows r;
    double out[P];

    source.finite = 1;
    spec.prep = &f->rows;
    ck_assert_int_eq(ens_rows_open(&spec, &arena, &r, NULL), ENS_OK);
    ck_assert_int_eq(r.direct != NULL, lent[_i].is_lent);
    for (uint64_t i = 0; i < N && r.direct != NULL; i++) {
        r.x(&r, i, 1, out);
        for (size_t j = 0; j < r.p; j++) {
            double v = r.direct[i * r.stride + j];

            if (r.centre != NULL)
                v = (v - r.centre[j]) * r.scale[j];
            ck_assert_double_eq(out[j], v);
        }
    }
}
END_TEST

/* -- rows before --------------------------------------------------------- */

START_TEST(lags_read_rows_before)
{
    struct ens_span span[3] = {
        {NULL, 0, 2, 0}, {NULL, 2, 6, 2}, {NULL, 20, 10, 8}};
    const struct ens_view v = {.data = weight,
                               .dtype = ENS_DT_F64,
                               .ndim = 1,
                               .shape = {N},
                               .strides = {8}};
    const char *name = "y";
    struct ens_learn_source y;
    const struct ens_response response = {.y = &y, .w = &y};
    const struct ens_rows_spec spec = {.source = &source,
                                       .set = {18, 3, span},
                                       .response = &response,
                                       .lag = 3};
    static const uint64_t want[15] = {3,  4,  5,  6,  7,  20, 21, 22,
                                      23, 24, 25, 26, 27, 28, 29};
    struct ens_rows r;
    double row[15][P], is_y[15], is_w[15];
    uint64_t at[15];

    ens_learn_source_init(&y, N, &arena);
    ens_learn_source_add_view(&y, &v, 0, 1, &name, NULL, NULL);
    ck_assert_int_eq(ens_rows_open(&spec, &arena, &r, NULL), ENS_OK);
    ck_assert_uint_eq(r.n, 15);
    r.x(&r, 0, 15, &row[0][0]);
    r.y(&r, 0, 15, is_y);
    r.w(&r, 0, 15, is_w);
    r.source(&r, 0, 15, at);
    for (size_t i = 0; i < 15; i++) {
        ck_assert_double_eq(row[i][0], x[want[i] - 3][0]);
        ck_assert_double_eq(is_y[i], weight[want[i]]);
        ck_assert_double_eq(is_w[i], weight[want[i]]);
        ck_assert_uint_eq(at[i], want[i] - 3);
    }
}
END_TEST

static enum ens_status no_moments(void *arg, const struct ens_rows *r,
                                  const struct ens_moments **m,
                                  struct ens_error *err)
{
    (void)arg;
    (void)r;
    (void)m;
    return ens_fail(err, ENS_EDOMAIN, "moments of other rows");
}

/* What is known of the source is of other rows then. */
START_TEST(lags_are_fitted_by_a_pass)
{
    static const double none[P] = {0};
    struct ens_prep_train train = all_rows();
    struct ens_prep_train same = all_rows();
    struct ens_span before;
    struct blob a, b;

    train.rows.lag = 7;
    train.rows.moments = no_moments;
    train.least = train.largest = none;
    a = fit("standardise minmax", &train);
    same.rows.set = ens_rowset_one(&before, NULL, 0, N - 7);
    b = fit("standardise minmax", &same);
    ck_assert_uint_eq(a.bytes, b.bytes);
    ck_assert_int_eq(memcmp(a.data, b.data, a.bytes), 0);
}
END_TEST

/* -- damage -------------------------------------------------------------- */

START_TEST(damaged_blobs_are_errors)
{
    static const char *const steps[] = {
        "standardise subset(-2) pca(2) poly spline(4, 2)", "spline(3) robust",
        "poly(3, only) minmax subset(2)"};
    struct ens_prep_train train = all_rows();
    struct blob b = fit(steps[_i], &train);
    struct ens_prep_fitted f;
    unsigned char *copy = ens_arena_alloc(&arena, b.bytes, 1);
    double *out = malloc(1000 * sizeof(*out)), *work;

    for (size_t n = 0; n < b.bytes; n++) { /* truncated */
        memcpy(copy, b.data, b.bytes);
        ck_assert_int_eq(ens_prep_open(copy, n, names, P, &arena, &f, NULL),
                         ENS_ECORRUPT);
    }
    for (size_t at = 0; at < b.bytes; at++) { /* another byte */
        memcpy(copy, b.data, b.bytes);
        copy[at] ^= (unsigned char)(1 + at % 255);
        if (ens_prep_open(copy, b.bytes, names, P, &arena, &f, NULL) != ENS_OK)
            continue;
        work = malloc((f.rows.work + 1) * sizeof(*work));
        ck_assert_uint_le(f.rows.p, 1000);
        f.rows.apply(f.rows.own, x[3], 1, out, work);
        free(work);
    }
    ck_assert_int_eq(
        ens_prep_open(b.data, b.bytes, names, P - 1, &arena, &f, NULL),
        ENS_ECORRUPT);
    free(out);
}
END_TEST

START_TEST(every_step_has_help)
{
    const char *p = ens_prep_choices;
    char name[32], said[40];
    int n = 0;

    while (*p != '\0') {
        size_t len = strcspn(p, "|");

        ck_assert_uint_lt(len, sizeof(name));
        memcpy(name, p, len);
        name[len] = '\0';
        if (strcmp(name, "none") != 0) {
            snprintf(said, sizeof(said), "; %s: ", name);
            ck_assert_ptr_nonnull(strstr(ens_prep_help, said));
            ck_assert_int_ne(strstr(ens_prep_help, said)[strlen(said)], ';');
        }
        n++;
        p += len + (p[len] == '|');
    }
    ck_assert_int_ge(n, 11);
    ck_assert_ptr_null(strstr(ens_prep_help, "; log: "));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("preprocess");
    TCase *t = tcase_create("preprocess");
    SRunner *r;
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, columns_have_names, 0, ENS_COUNT(named));
    tcase_add_loop_test(t, what_makes_no_sense_is_refused, 0,
                        ENS_COUNT(refused));
    tcase_add_loop_test(t, columns_that_are_not_there_are_named, 0,
                        ENS_COUNT(missing));
    tcase_add_test(t, how_rows_are_read_is_no_step);
    tcase_add_test(t, tables_know_all_arguments);
    tcase_add_loop_test(t, tables_refuse_the_rest, 0, ENS_COUNT(by_table));
    tcase_add_loop_test(t, fits_that_cannot_be_say_so, 0,
                        ENS_COUNT(impossible));
    tcase_add_test(t, numbers_that_are_missing_are_named);
    tcase_add_loop_test(t, columns_left_out_are_not_looked_at, 0,
                        ENS_COUNT(unused));
    tcase_add_loop_test(t, constant_columns_are_centred, 0, 3);
    tcase_add_test(t, quantiles_of_many_rows_are_those_of_some);
    tcase_add_loop_test(t, extremes_go_through_steps, 0, 4);
    tcase_add_test(t, weights_count);
    tcase_add_loop_test(t, scaled_columns_are_lent, 0, ENS_COUNT(lent));
    tcase_add_test(t, lags_read_rows_before);
    tcase_add_test(t, lags_are_fitted_by_a_pass);
    tcase_add_loop_test(t, damaged_blobs_are_errors, 0, 3);
    tcase_add_test(t, every_step_has_help);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
