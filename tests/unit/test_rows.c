/* Rows for learners: every layout of an input gives the same numbers, by
 * blocks, by positions and through maps; what is no number is named. */
#include "learn/rows.h"

#include "base/bug.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N 700 /* more than two tiles */
#define P 11

static struct ens_arena arena;
static double table[N][P], by_column[P][N], wide[N][P + 3];
static float single[N][P], single_by_column[P][N];
static int16_t whole[N][P];
static struct ens_column column[P];

static void setup(void)
{
    ens_arena_init(&arena);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < P; j++) {
            double v = (double)((i * 37 + j * 101) % 1000 - 300);

            table[i][j] = by_column[j][i] = wide[i][j + 2] = v;
            single[i][j] = single_by_column[j][i] = (float)v;
            whole[i][j] = (int16_t)v;
        }
}

static void teardown(void)
{
    ens_arena_fini(&arena);
}

static struct ens_view view2(const void *data, enum ens_dtype dtype,
                             int64_t row, int64_t step)
{
    return (struct ens_view){.data = data,
                             .dtype = dtype,
                             .ndim = 2,
                             .shape = {N, P},
                             .strides = {row, step}};
}

/* A table: its columns have types of their own. */
static struct ens_input typed_table(void)
{
    static char name[P][8];

    for (int j = 0; j < P; j++) {
        snprintf(name[j], sizeof(name[j]), "c%d", j);
        column[j] = (struct ens_column){
            .name = name[j],
            .view = {.data = j % 2 ? (void *)by_column[j]
                                   : (void *)single_by_column[j],
                     .dtype = j % 2 ? ENS_DT_F64 : ENS_DT_F32,
                     .ndim = 1,
                     .shape = {N},
                     .strides = {j % 2 ? 8 : 4}}};
    }
    return (struct ens_input){
        .name = "X", .n_rows = N, .n_columns = P, .columns = column};
}

static struct ens_input layout(int i)
{
    struct ens_input in = {.name = "X", .n_rows = N, .n_columns = P};

    switch (i) {
    case 0:
        in.view = view2(table, ENS_DT_F64, P * 8, 8);
        break;
    case 1:
        in.view = view2(by_column, ENS_DT_F64, 8, N * 8);
        break;
    case 2:
        in.view = view2(&wide[0][2], ENS_DT_F64, (P + 3) * 8, 8);
        break;
    case 3:
        in.view = view2(single, ENS_DT_F32, P * 4, 4);
        break;
    case 4:
        in.view = view2(single_by_column, ENS_DT_F32, 4, N * 4);
        break;
    case 5:
        in.view = view2(whole, ENS_DT_I16, P * 2, 2);
        break;
    default:
        return typed_table();
    }
    return in;
}

#define N_LAYOUTS 7

static struct ens_learn_source source_of(const struct ens_input *in,
                                         uint64_t n_rows,
                                         const struct ens_rowset *map)
{
    struct ens_learn_source s;
    struct ens_error err = {0};

    ens_learn_source_init(&s, n_rows, &arena);
    ck_assert_msg(ens_learn_source_add_input(&s, in, ENS_TEXTS_REFUSED, map,
                                             &err) == ENS_OK,
                  "%s", err.text);
    return s;
}

static struct ens_rows open_rows(const struct ens_rows_spec *spec)
{
    struct ens_rows r;

    ck_assert_int_eq(ens_rows_open(spec, &arena, &r, NULL), ENS_OK);
    return r;
}

static void check_block(const struct ens_rows *r, uint64_t first, size_t n,
                        const uint64_t *want)
{
    double *out = malloc((n + 1) * r->p * sizeof(*out));

    r->x(r, first, n, out);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < P; j++)
            ck_assert_double_eq(out[i * P + j], table[want[first + i]][j]);
    free(out);
}

/* Two ranges and, between them, rows in an order of their own. */
static struct ens_rowset mixed_set(void)
{
    static int64_t index[300];
    static struct ens_span span[3];

    for (int i = 0; i < 300; i++)
        index[i] = (i * 7919) % N;
    span[0] = (struct ens_span){NULL, 50, 100, 0};
    span[1] = (struct ens_span){index, 0, 300, 100};
    span[2] = (struct ens_span){NULL, 400, 300, 400};
    return (struct ens_rowset){700, 3, span};
}

START_TEST(layouts_read_alike)
{
    struct ens_input in = layout(_i);
    struct ens_learn_source s = source_of(&in, N, NULL);
    const struct ens_rows_spec spec = {.source = &s, .set = mixed_set()};
    struct ens_rows r = open_rows(&spec);
    uint64_t want[700], at[300], source[700];
    double out[300 * P];

    ens_rowset_rows(&spec.set, 0, 700, want);
    ck_assert_uint_eq(r.n, 700);
    ck_assert_uint_eq(r.p, P);
    ck_assert_uint_eq(r.first_row, UINT64_MAX);
    check_block(&r, 0, 700, want);
    check_block(&r, 90, 30, want);
    check_block(&r, 399, 2, want);
    check_block(&r, 699, 1, want);
    check_block(&r, 700, 0, want);
    for (size_t i = 0; i < 300; i++)
        at[i] = (i * 331) % 700;
    r.gather(&r, at, 300, out);
    for (size_t i = 0; i < 300; i++)
        for (size_t j = 0; j < P; j++)
            ck_assert_double_eq(out[i * P + j], table[want[at[i]]][j]);
    r.source(&r, 0, 700, source);
    ck_assert_int_eq(memcmp(source, want, sizeof(want)), 0);
    ck_assert_int_eq(ens_rows_bad(&r, NULL), ENS_OK);
}
END_TEST

/* A layer's rows are rows of an outer sample: columns are read through it. */
START_TEST(maps_are_followed)
{
    struct ens_input in = layout(_i);
    struct ens_span span[2] = {{NULL, 0, 200, 0}, {NULL, 330, 370, 200}};
    const struct ens_rowset map = {570, 2, span};
    struct ens_learn_source s = source_of(&in, 570, &map);
    struct ens_span part;
    struct ens_rows_spec spec = {.source = &s,
                                 .set = ens_rowset_one(&part, NULL, 150, 420)};
    struct ens_rows r = open_rows(&spec);
    static const int64_t index[4] = {569, 0, 201, 199};
    uint64_t want[420];

    ck_assert_uint_eq(r.first_row, 150);
    ck_assert_ptr_null(r.direct);
    for (uint64_t i = 0; i < 420; i++)
        want[i] = ens_rowset_row(&map, 150 + i);
    check_block(&r, 0, 420, want);
    spec.set = ens_rowset_one(&part, index, 0, 4);
    r = open_rows(&spec);
    for (uint64_t i = 0; i < 4; i++)
        want[i] = ens_rowset_row(&map, (uint64_t)index[i]);
    check_block(&r, 0, 4, want);
}
END_TEST

START_TEST(contiguous_doubles_are_lent)
{
    struct ens_input in = layout(_i);
    struct ens_learn_source s = source_of(&in, N, NULL);
    const struct ens_rows_spec spec = {.source = &s, .set = mixed_set()};
    struct ens_rows r = open_rows(&spec);

    ck_assert_ptr_null(r.direct); /* nobody looked for NaN yet */
    s.finite = 1;
    r = open_rows(&spec);
    if (_i != 0 && _i != 2) {
        ck_assert_ptr_null(r.direct);
        return;
    }
    ck_assert_ptr_nonnull(r.direct);
    ck_assert_ptr_null(r.centre);
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < P; j++)
            ck_assert_double_eq(r.direct[i * r.stride + j], table[i][j]);
}
END_TEST

/* Predictions of the layer before, then two columns of an input. */
START_TEST(sources_join)
{
    static double z[N][3];
    static const char *const names[3] = {"a", "b", "c"}, *const two[2] = {"p",
                                                                          "q"};
    struct ens_view v = view2(z, ENS_DT_F64, 24, 8);
    struct ens_view x = view2(by_column, ENS_DT_F64, 8, N * 8);
    struct ens_learn_source s;
    struct ens_span span;
    struct ens_rowset all = ens_rowset_one(&span, NULL, 0, N);
    double out[N][5];

    v.shape[1] = 3;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < 3; j++)
            z[i][j] = 1000 * j + i;
    ens_learn_source_init(&s, N, &arena);
    ck_assert_int_eq(ens_learn_source_add_view(&s, &x, 4, 2, two, NULL, NULL),
                     ENS_OK);
    ck_assert_int_eq(ens_learn_source_add_view(&s, &v, 0, 3, names, NULL, NULL),
                     ENS_OK);
    ck_assert_uint_eq(s.p, 5);
    ck_assert_str_eq(s.column[1], "q");
    ck_assert_str_eq(s.column[4], "c");
    ens_learn_source_read(&s, &all, 0, N, &out[0][0]);
    for (int i = 0; i < N; i++) {
        ck_assert_double_eq(out[i][0], table[i][4]);
        ck_assert_double_eq(out[i][1], table[i][5]);
        ck_assert_double_eq(out[i][4], 2000 + i);
    }
}
END_TEST

static const char *const levels[3] = {"Fair", "Good", "Ideal"};
static int32_t codes[5] = {2, 0, 1, -1, 2};

static struct ens_input text_table(void)
{
    column[0] = (struct ens_column){.name = "cut",
                                    .view = {.data = codes,
                                             .dtype = ENS_DT_I32,
                                             .ndim = 1,
                                             .shape = {5},
                                             .strides = {4}},
                                    .levels = levels,
                                    .n_levels = 3};
    column[1] = (struct ens_column){.name = "price",
                                    .view = {.data = by_column[0],
                                             .dtype = ENS_DT_F64,
                                             .ndim = 1,
                                             .shape = {5},
                                             .strides = {8}}};
    return (struct ens_input){
        .name = "d", .n_rows = 5, .n_columns = 2, .columns = column};
}

START_TEST(text_becomes_indicators)
{
    static const double want[2][4][4] = {
        {{0, 1, -300}, {0, 0, -263}, {1, 0, -226}},
        {{0, 0, 1, -300}, {1, 0, 0, -263}, {0, 1, 0, -226}}};
    struct ens_input in = text_table();
    struct ens_learn_source s;
    struct ens_span span;
    struct ens_rows_spec spec = {.source = &s};
    struct ens_error err = {0};
    struct ens_rows r;
    double out[5 * 4];

    ens_learn_source_init(&s, 5, &arena);
    ck_assert_int_eq(
        ens_learn_source_add_input(
            &s, &in, _i ? ENS_TEXTS_LEVELS : ENS_TEXTS_CODED, NULL, NULL),
        ENS_OK);
    ck_assert_uint_eq(s.p, 3 + (size_t)_i);
    ck_assert_str_eq(s.column[_i], "cut[Good]");
    spec.set = ens_rowset_one(&span, NULL, 0, 5);
    r = open_rows(&spec);
    r.x(&r, 0, 5, out);
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < s.p; j++)
            ck_assert_double_eq(out[i * s.p + j], want[_i][i][j]);
    ck_assert_int_eq(ens_rows_bad(&r, &err), ENS_EDOMAIN);
    ck_assert_ptr_nonnull(strstr(err.text, ", row 4: nan"));
    ck_assert_double_eq(out[3 * s.p], 0);
}
END_TEST

/* Its level numbers lie like a matrix of whole numbers. */
START_TEST(tables_of_text_alone_are_text)
{
    struct ens_input in = text_table();
    struct ens_learn_source s;
    struct ens_error err = {0};

    in.n_columns = 1;
    in.view = column[0].view;
    ens_learn_source_init(&s, 5, &arena);
    ck_assert_int_eq(
        ens_learn_source_add_input(&s, &in, ENS_TEXTS_REFUSED, NULL, &err),
        ENS_EINPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "column \"cut\" of d is text"));
    ck_assert_int_eq(
        ens_learn_source_add_input(&s, &in, ENS_TEXTS_LEVELS, NULL, NULL),
        ENS_OK);
    ck_assert_uint_eq(s.p, 3);
}
END_TEST

START_TEST(inputs_that_are_no_rows_are_refused)
{
    struct ens_input in = text_table(), cube = layout(0), complex = layout(0);
    struct ens_learn_source s;
    struct ens_error err = {0};

    ens_learn_source_init(&s, 5, &arena);
    ck_assert_int_eq(
        ens_learn_source_add_input(&s, &in, ENS_TEXTS_REFUSED, NULL, &err),
        ENS_EINPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "column \"cut\" of d is text"));
    ck_assert_int_eq(
        ens_learn_source_add_input(&s, &cube, ENS_TEXTS_REFUSED, NULL, &err),
        ENS_EINPUT);
    ck_assert_str_eq(err.text, "X has 700 rows, 5 are expected");
    ens_learn_source_init(&s, N, &arena);
    cube.view.ndim = 3;
    ck_assert_int_eq(
        ens_learn_source_add_input(&s, &cube, ENS_TEXTS_REFUSED, NULL, &err),
        ENS_EINPUT);
    complex.view.dtype = ENS_DT_C128;
    ck_assert_int_eq(
        ens_learn_source_add_input(&s, &complex, ENS_TEXTS_REFUSED, NULL, &err),
        ENS_EINPUT);
    ck_assert_str_eq(err.text, "X: complex numbers");
}
END_TEST

/* Two columns: their difference, and their product. */
static void combine(const void *own, const double *in, size_t n, double *out,
                    double *work)
{
    (void)own;
    for (size_t i = 0; i < n; i++) {
        work[i] = in[i * P] - in[i * P + 1];
        out[2 * i] = work[i];
        out[2 * i + 1] = in[i * P] * in[i * P + 1];
    }
}

START_TEST(preprocessing_is_applied)
{
    static const char *const names[2] = {"difference", "product"};
    const struct ens_rows_prep prep = {
        .p = 2, .column = names, .work = 1, .apply = combine};
    struct ens_input in = layout(0);
    struct ens_learn_source s = source_of(&in, N, NULL);
    const struct ens_rows_spec spec = {
        .source = &s, .set = mixed_set(), .prep = &prep};
    struct ens_rows r = open_rows(&spec);
    struct ens_error err = {0};
    double out[700][2];

    s.finite = 1;
    ck_assert_uint_eq(r.p, 2);
    r.x(&r, 0, 700, &out[0][0]);
    for (uint64_t i = 0; i < 700; i++) {
        const double *x = table[ens_rowset_row(&spec.set, i)];

        ck_assert_double_eq(out[i][0], x[0] - x[1]);
        ck_assert_double_eq(out[i][1], x[0] * x[1]);
    }
    table[60][0] = table[60][1] = 1e200;
    r.x(&r, 0, 700, &out[0][0]);
    ck_assert_int_eq(ens_rows_bad(&r, &err), ENS_EDOMAIN);
    ck_assert_str_eq(err.text, "column product, row 61: inf: preprocessing "
                               "made it of the row");
}
END_TEST

START_TEST(scaling_keeps_rows_lent)
{
    static const char *const names[2] = {"V4", "V5"};
    static const double centre[2] = {1, 2}, scale[2] = {3, 4};
    const struct ens_rows_prep prep = {.p = 2,
                                       .column = names,
                                       .apply = combine,
                                       .is_scaled = 1,
                                       .select = 3,
                                       .centre = centre,
                                       .scale = scale};
    struct ens_input in = layout(0);
    struct ens_learn_source s = source_of(&in, N, NULL);
    const struct ens_rows_spec spec = {
        .source = &s, .set = mixed_set(), .prep = &prep};
    struct ens_rows r;

    s.finite = 1;
    r = open_rows(&spec);
    ck_assert_ptr_eq(r.direct, &table[0][3]);
    ck_assert_uint_eq(r.stride, P);
    ck_assert_ptr_eq(r.centre, centre);
    ck_assert_ptr_eq(r.scale, scale);
}
END_TEST

/* Codes stay, what is known of their values is scaled. */
START_TEST(bins_are_scaled)
{
    static double table_of[P][ENS_BINS_TABLE];
    static double centre[P], scale[P];
    const struct ens_bins bins = {
        .n_rows = N, .p = P, .stride = 16, .table = &table_of[0][0]};
    struct ens_rows_prep prep = {.p = P, .apply = combine, .is_scaled = 1};
    struct ens_input in = layout(0);
    struct ens_learn_source s = source_of(&in, N, NULL);
    struct ens_rows_spec spec = {
        .source = &s, .set = mixed_set(), .bins = &bins};
    struct ens_rows r = open_rows(&spec);

    ck_assert_ptr_eq(r.bins, &bins);
    spec.prep = &prep;
    r = open_rows(&spec);
    ck_assert_ptr_eq(r.bins, &bins);
    for (size_t j = 0; j < P; j++) {
        table_of[j][0] = 3;
        table_of[j][1] = table_of[j][1 + ENS_BINS_MAX] = 5 + (double)j;
        centre[j] = (double)j;
        scale[j] = 2;
    }
    prep.centre = centre;
    prep.scale = scale;
    r = open_rows(&spec);
    for (size_t j = 0; j < P; j++) {
        const double *column_of = r.bins->table + j * ENS_BINS_TABLE;

        ck_assert_double_eq(column_of[0], 3);
        ck_assert_double_eq(column_of[1], 10);
        ck_assert_double_eq(column_of[1 + ENS_BINS_MAX], 10);
    }
    ck_assert_uint_eq(r.bins->stride, 16);
    prep.p = P - 1; /* other columns */
    ck_assert(open_rows(&spec).bins == NULL);
    prep.p = P;
    prep.is_scaled = 0;
    ck_assert(open_rows(&spec).bins == NULL);
}
END_TEST

START_TEST(rows_of_no_order_have_none_before)
{
    struct ens_input in = layout(0);
    struct ens_learn_source s = source_of(&in, N, NULL);
    const struct ens_rows_spec spec = {
        .source = &s, .set = mixed_set(), .lag = 1};
    struct ens_error err = {0};
    struct ens_rows r;

    ck_assert_int_eq(ens_rows_open(&spec, &arena, &r, &err), ENS_EDOMAIN);
    ck_assert_ptr_nonnull(strstr(err.text, "lag: rows of folds"));
}
END_TEST

/* -- response ------------------------------------------------------------ */

static struct ens_learn_source *one_column(const char *name,
                                           const double *values)
{
    struct ens_learn_source *s = ens_arena_alloc(&arena, 1, sizeof(*s));
    const struct ens_view v = {.data = values,
                               .dtype = ENS_DT_F64,
                               .ndim = 1,
                               .shape = {4},
                               .strides = {8}};

    ens_learn_source_init(s, 4, &arena);
    ck_assert_int_eq(ens_learn_source_add_view(s, &v, 0, 1, &name, NULL, NULL),
                     ENS_OK);
    return s;
}

static const struct response {
    enum ens_outcome_family family;
    double y[4], w[4], want_y[4];
    const char *text; /* "": nothing is wrong */
} responses[] = {
    {ENS_OUTCOME_GAUSSIAN, {1, -2, 3, 4}, {1, 0, 2, 3}, {1, -2, 3, 4}, ""},
    {ENS_OUTCOME_GAUSSIAN,
     {1, 2, NAN, 4},
     {1, 1, 1, 1},
     {1, 2, 0, 4},
     "column y, row 3: nan: a finite number is expected"},
    {ENS_OUTCOME_GAUSSIAN,
     {1, 2, 3, 4},
     {1, 1, -1, 1},
     {1, 2, 3, 4},
     "column w, row 3: -1: a weight of 0 or more is expected"},
    {ENS_OUTCOME_POISSON,
     {0, 2, 3, 1.5},
     {1, 1, 1, 1},
     {0, 2, 3, 0},
     "column y, row 4: 1.5: a count is expected"},
    {ENS_OUTCOME_MULTINOMIAL, {7, 3, 3, 9}, {1, 1, 1, 1}, {1, 0, 0, 2}, ""},
    {ENS_OUTCOME_BINOMIAL,
     {3, 7, 9, 4},
     {1, 1, 1, 1},
     {0, 1, 2, 0},
     "column y, row 4: 4: no class of the response"},
};

START_TEST(responses_are_checked)
{
    static const double label[3] = {3, 7, 9};
    const struct response *c = &responses[_i];
    const struct ens_response response = {.family = c->family,
                                          .n_classes = 3,
                                          .label = label,
                                          .y = one_column("y", c->y),
                                          .w = one_column("w", c->w)};
    struct ens_learn_source *x = one_column("x", c->y);
    struct ens_span span;
    const struct ens_rows_spec spec = {.source = x,
                                       .set = ens_rowset_one(&span, NULL, 0, 4),
                                       .response = &response};
    struct ens_rows r = open_rows(&spec);
    struct ens_error err = {0};
    double y[4], w[4];

    ck_assert_int_eq(r.weighted, 1);
    r.y(&r, 0, 4, y);
    r.w(&r, 0, 4, w);
    for (size_t i = 0; i < 4; i++) {
        ck_assert_double_eq(y[i], c->want_y[i]);
        ck_assert_double_eq(w[i], c->w[i] < 0 ? 0 : c->w[i]);
    }
    ens_rows_bad(&r, &err);
    ck_assert_str_eq(err.text, c->text);
}
END_TEST

START_TEST(weights_are_ones_where_there_are_none)
{
    static const double x[4] = {1, 2, 3, 4};
    struct ens_span span;
    const struct ens_rows_spec spec = {
        .source = one_column("x", x), .set = ens_rowset_one(&span, NULL, 0, 4)};
    struct ens_rows r = open_rows(&spec);
    double w[4];

    ck_assert(r.y == NULL);
    r.w(&r, 0, 4, w);
    for (size_t i = 0; i < 4; i++)
        ck_assert_double_eq(w[i], 1);
}
END_TEST

/* Zeros for what is not finite, the rest as it is, nothing to complain of; in
 * other columns it is a fault as ever. */
START_TEST(columns_that_are_ignored_are_no_fault)
{
    const unsigned char ignored[P] = {[3] = 1, [7] = 1};
    const struct ens_input in = layout(0);
    struct ens_learn_source s = source_of(&in, N, NULL);
    struct ens_span span;
    const struct ens_rows_spec spec = {
        .source = &s, .set = ens_rowset_one(&span, NULL, 0, N)};
    struct ens_rows r;
    double x[2 * P];

    s.ignored = ignored;
    ck_assert_int_eq(ens_rows_open(&spec, &arena, &r, NULL), ENS_OK);
    table[5][3] = NAN;
    r.x(&r, 0, 2, x);
    ck_assert_int_eq(ens_rows_dropped(&r), 0);
    r.x(&r, 4, 2, x);
    ck_assert_int_eq(ens_rows_bad(&r, NULL), ENS_OK);
    ck_assert_int_eq(ens_rows_dropped(&r), 1);
    ck_assert(x[P + 3] == 0);
    for (int j = 0; j < 2 * P; j++)
        ck_assert(j == P + 3 || x[j] == table[4 + j / P][j % P]);
    table[5][4] = INFINITY;
    r.x(&r, 4, 2, x);
    ck_assert_int_eq(ens_rows_bad(&r, NULL), ENS_EDOMAIN);
}
END_TEST

START_TEST(what_is_not_finite_is_found)
{
    double x[37];

    for (size_t n = 0; n <= 37; n++)
        for (size_t bad = 0; bad <= n; bad++) {
            for (size_t i = 0; i < n; i++)
                x[i] = i == bad ? (i % 2 ? (double)NAN : -(double)INFINITY)
                                : 1e308;
            ck_assert_uint_eq(ens_not_finite(x, n), bad);
        }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("rows");
    TCase *t = tcase_create("rows");
    SRunner *r;
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, layouts_read_alike, 0, N_LAYOUTS);
    tcase_add_loop_test(t, maps_are_followed, 0, N_LAYOUTS);
    tcase_add_loop_test(t, contiguous_doubles_are_lent, 0, N_LAYOUTS);
    tcase_add_test(t, sources_join);
    tcase_add_loop_test(t, text_becomes_indicators, 0, 2);
    tcase_add_test(t, tables_of_text_alone_are_text);
    tcase_add_test(t, inputs_that_are_no_rows_are_refused);
    tcase_add_test(t, preprocessing_is_applied);
    tcase_add_test(t, scaling_keeps_rows_lent);
    tcase_add_test(t, bins_are_scaled);
    tcase_add_test(t, rows_of_no_order_have_none_before);
    tcase_add_loop_test(t, responses_are_checked, 0, ENS_COUNT(responses));
    tcase_add_test(t, weights_are_ones_where_there_are_none);
    tcase_add_test(t, columns_that_are_ignored_are_no_fault);
    tcase_add_test(t, what_is_not_finite_is_found);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
