/* A fitted super learner: its file read and damaged; predictions of rows by
 * names and numbers, of text, with values missing, through two layers. */
#include "learn/model/predictor.h"

#include "base/buf.h"
#include "base/bug.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct ens_arena arena;

/* -- a learner: its model is an intercept and a slope per column ------------
 */

static enum ens_status predict(const struct ens_learn_job *job,
                               const struct ens_learn_model *model,
                               const struct ens_rows *train,
                               const struct ens_rows *at, uint64_t first,
                               size_t n, double *out, struct ens_error *err)
{
    const double *b = model->data;
    double *x = job->alloc(job, n * at->p, sizeof(*x));

    (void)train;
    if (model->bytes != (at->p + 1) * job->n_out * sizeof(*b))
        return ens_fail(err, ENS_EDOMAIN, "%zu bytes for %zu columns",
                        model->bytes, at->p);
    at->x(at, first, n, x);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < job->n_out; k++) {
            const double *slope = b + k * (at->p + 1);

            out[i * job->n_out + k] = slope[0];
            for (size_t j = 0; j < at->p; j++)
                out[i * job->n_out + k] += slope[j + 1] * x[i * at->p + j];
        }
    return ENS_OK;
}

static const struct ens_learner linear = {.families = ENS_LEARN_ALL,
                                          .predict = predict};
static enum ens_texts texts;
static uint64_t lag; /* of l1 */

static enum ens_status find_learner(void *own, uint64_t cell,
                                    struct ens_predictor_learner *l,
                                    struct ens_error *err)
{
    (void)own;
    (void)err;
    ck_assert(cell < 4 || cell == UINT64_MAX);
    *l = (struct ens_predictor_learner){
        .ops = &linear, .texts = texts, .lag = cell == 1 ? lag : 0};
    return ENS_OK;
}

/* Preprocessing: the last column alone, times a number. */
static void apply(const void *own, const double *in, size_t n, double *out,
                  double *work)
{
    const double *by = own;

    (void)work;
    for (size_t i = 0; i < n; i++)
        out[i] = in[(size_t)by[1] * (i + 1) - 1] * by[0];
}

static enum ens_status open_prep(void *own, const struct ens_model_blob *blob,
                                 const char *const *column, size_t p,
                                 struct ens_arena *a,
                                 const struct ens_rows_prep **prep,
                                 struct ens_error *err)
{
    struct ens_rows_prep *r = ens_arena_alloc(a, 1, sizeof(*r));
    double *by = ens_arena_alloc(a, 2, sizeof(*by));

    (void)own;
    (void)err;
    ck_assert(blob->bytes == sizeof(double));
    memcpy(by, blob->data, sizeof(double));
    by[1] = (double)p;
    *r = (struct ens_rows_prep){
        .p = 1, .column = column + p - 1, .apply = apply, .own = by};
    *prep = r;
    return ENS_OK;
}

static const struct ens_predictor_study study = {.learner = find_learner,
                                                 .prep = open_prep};

/* -- a model ----------------------------------------------------------------
 */

static const double one_two[] = {1, 2, 3}, minus[] = {0, -1}, half = 0.5;
static const double second[] = {10, 1, 1, 1}, meta_fit[] = {0, 1, 1, 0};
static const char *const levels[] = {"a", "b", "c"};
static const char *const out1[] = {"v", "l0", "l1"}, *const out2[] = {"l2"};
static const uint32_t propagated[] = {1};
static struct ens_model_column column[] = {{"u", 0, NULL}, {"v", 0, NULL}};
static struct ens_model_fit fit0, fit1, fit2;
static struct ens_model_learner learner1[2], learner2[1];
static struct ens_model_layer layer[2];
static double weight[2];

#define BLOB(x) ((struct ens_model_blob){(x), sizeof(x)})

/* Layer 1: v, 1 + 2u + 3v and -v/2; layer 2: 10 + their sum. */
static struct ens_model make(uint32_t n_layers)
{
    struct ens_model m = {.study = "[study]\n",
                          .study_bytes = 8,
                          .n_columns = 2,
                          .column = column,
                          .n_layers = n_layers,
                          .layer = layer};

    column[0] = (struct ens_model_column){"u", 0, NULL};
    column[1] = (struct ens_model_column){"v", 0, NULL};
    fit0 = (struct ens_model_fit){.model = BLOB(one_two)};
    fit1 = (struct ens_model_fit){{&half, sizeof(half)}, BLOB(minus)};
    fit2 = (struct ens_model_fit){.model = BLOB(second)};
    learner1[0] = (struct ens_model_learner){"l0", 0, &fit0};
    learner1[1] = (struct ens_model_learner){"l1", 1, &fit1};
    learner2[0] = (struct ens_model_learner){"l2", 2, &fit2};
    layer[0] =
        (struct ens_model_layer){1, 1, 0, 1, propagated, 2, learner1, 3, out1};
    layer[1] = (struct ens_model_layer){1, 1, 0, 0, NULL, 1, learner2, 1, out2};
    return m;
}

static struct ens_model weighted(double w0, double w1)
{
    struct ens_model m = make(1);

    m.meta = ENS_MODEL_WEIGHTS;
    m.n_weights = 2;
    weight[0] = w0;
    weight[1] = w1;
    m.weights.weight = weight;
    m.weights.intercept = 100;
    return m;
}

static enum ens_status put(void *arg, const void *p, size_t n,
                           struct ens_error *err)
{
    (void)err;
    ens_buf_put(arg, p, n);
    return ENS_OK;
}

static void put_blob(struct ens_model_writer *w, const struct ens_model_blob *b)
{
    size_t some = (size_t)b->bytes / 3;

    ens_model_next(w, b->bytes);
    if (b->bytes == 0)
        return;
    ck_assert(ens_model_put(w, b->data, some, NULL) == ENS_OK);
    ck_assert(ens_model_put(w, (const char *)b->data + some,
                            (size_t)b->bytes - some, NULL) == ENS_OK);
}

static void write_model(const struct ens_model *m, struct ens_buf *to)
{
    struct ens_model_writer w;

    ck_assert(ens_model_begin(&w, m, put, to, NULL) == ENS_OK);
    for (uint32_t i = 0; i < m->n_layers; i++)
        for (uint32_t j = 0; j < m->layer[i].n_learners; j++)
            for (uint32_t k = 0; k < m->layer[i].n_partitions; k++) {
                put_blob(&w, &m->layer[i].learner[j].fit[k].prep);
                put_blob(&w, &m->layer[i].learner[j].fit[k].model);
            }
    if (m->meta == ENS_MODEL_LEARNER)
        put_blob(&w, &m->learner);
    ck_assert(ens_model_end(&w, NULL) == ENS_OK);
}

/* As it comes from a file. */
static struct ens_model reread(const struct ens_model *m)
{
    static struct ens_buf bytes = ENS_BUF_INIT;
    struct ens_model again;
    struct ens_error err;

    ens_buf_clear(&bytes);
    write_model(m, &bytes);
    ck_assert_msg(ens_model_read(&again, bytes.data, bytes.len, &arena, &err) ==
                      ENS_OK,
                  "%s", err.text);
    return again;
}

/* -- rows -------------------------------------------------------------------
 */

static double u[5000], v[5000];
static int32_t code[5000];

static struct ens_view view_of(const void *data, enum ens_dtype dtype,
                               uint64_t n)
{
    return (struct ens_view){.data = data,
                             .dtype = dtype,
                             .ndim = 1,
                             .shape = {n},
                             .strides = {(int64_t)ens_dtype_bytes(dtype)}};
}

static struct ens_input table(uint64_t n, struct ens_column *c, size_t n_c)
{
    for (size_t i = 0; i < ENS_COUNT(u); i++) {
        u[i] = (double)i;
        v[i] = (double)i * 10;
    }
    c[0] = (struct ens_column){.name = "v", .view = view_of(v, ENS_DT_F64, n)};
    c[1] =
        (struct ens_column){.name = "other", .view = view_of(v, ENS_DT_F64, n)};
    c[2] = (struct ens_column){.name = "u", .view = view_of(u, ENS_DT_F64, n)};
    return (struct ens_input){.name = "X",
                              .path = "new.csv",
                              .n_rows = n,
                              .n_columns = n_c,
                              .columns = c};
}

static enum ens_status run(const struct ens_model *m, const struct ens_input *x,
                           struct ens_predictor_options o, double *out,
                           size_t *n_out, struct ens_error *err)
{
    struct ens_predictor p;
    enum ens_status s = ens_predictor_open(&p, m, &study, &o, x, &arena, err);

    if (s != ENS_OK)
        return s;
    *n_out = p.n_out;
    for (uint64_t at = 0; at < x->n_rows && s == ENS_OK; at += p.block) {
        size_t n =
            x->n_rows - at < p.block ? (size_t)(x->n_rows - at) : p.block;

        s = ens_predictor_rows(&p, at, n, out + at * p.n_out, err);
    }
    ens_predictor_close(&p);
    return s;
}

static double out[20000];

static void expect(const struct ens_model *m, const struct ens_input *x,
                   struct ens_predictor_options o, size_t columns)
{
    struct ens_error err;
    size_t n = 0;

    ck_assert_msg(run(m, x, o, out, &n, &err) == ENS_OK, "%s", err.text);
    ck_assert_uint_eq(n, columns);
}

/* -- tests ------------------------------------------------------------------
 */

START_TEST(columns_are_found_by_name)
{
    struct ens_column c[3];
    struct ens_input x = table(5000, c, 3);
    struct ens_model m = make(1), again = reread(&m);

    expect(&again, &x, (struct ens_predictor_options){0}, 3);
    for (size_t i = 0; i < 5000; i++) {
        ck_assert(out[i * 3] == v[i]);
        ck_assert(out[i * 3 + 1] == 1 + 2 * u[i] + 3 * v[i]);
        ck_assert(out[i * 3 + 2] == -v[i] / 2);
    }
}
END_TEST

START_TEST(layers_and_meta_learners)
{
    struct ens_column c[3];
    struct ens_input x = table(300, c, 3);
    struct ens_model m = make(2), again = reread(&m);

    expect(&again, &x, (struct ens_predictor_options){.block_bytes = 1}, 1);
    for (size_t i = 0; i < 300; i++)
        ck_assert(out[i] == 11 + 2 * u[i] + 3.5 * v[i]);
    m = weighted(0.5, 2);
    again = reread(&m);
    expect(&again, &x, (struct ens_predictor_options){0}, 1);
    for (size_t i = 0; i < 300; i++)
        ck_assert(out[i] == 100 + (1 + 2 * u[i] + 3 * v[i]) / 2 - v[i]);
    m = make(1);
    m.meta = ENS_MODEL_LEARNER;
    m.learner = BLOB(meta_fit);
    again = reread(&m);
    expect(&again, &x, (struct ens_predictor_options){0}, 1);
    for (size_t i = 0; i < 300; i++)
        ck_assert(out[i] == v[i] + (1 + 2 * u[i] + 3 * v[i]));
}
END_TEST

START_TEST(a_row_alone_is_predicted_alike)
{
    struct ens_column c[3];
    struct ens_input x = table(40, c, 3);
    struct ens_model m = make(2);
    struct ens_predictor p;
    struct ens_predictor_options o = {0};

    expect(&m, &x, o, 1);
    ck_assert(ens_predictor_open(&p, &m, &study, &o, &x, &arena, NULL) ==
              ENS_OK);
    for (uint64_t i = 40; i-- > 0;) {
        double one;

        ck_assert(ens_predictor_rows(&p, i, 1, &one, NULL) == ENS_OK);
        ck_assert(one == out[i]);
    }
    ens_predictor_close(&p);
    ck_assert_str_eq(p.out[0], "l2");
}
END_TEST

static void refuse(const struct ens_model *m, const struct ens_input *x,
                   const char *text)
{
    struct ens_error err;
    size_t n;

    ck_assert(run(m, x, (struct ens_predictor_options){0}, out, &n, &err) !=
              ENS_OK);
    ck_assert_msg(strstr(err.text, text) != NULL, "%s", err.text);
}

START_TEST(columns_that_do_not_fit)
{
    struct ens_column c[3];
    struct ens_input x = table(3, c, 3);
    struct ens_model m = make(1);

    c[2].name = "U";
    refuse(&m, &x, "new.csv: column u is missing");
    c[2].name = "u";
    c[1].name = "u";
    refuse(&m, &x, "column u is there more than once");
    c[1].name = "other";
    c[2].levels = levels;
    c[2].n_levels = 3;
    refuse(&m, &x, "column u is text; it was numbers");
    x = table(3, c, 3);
    for (size_t j = 0; j < 3; j++)
        c[j].name = "";
    refuse(&m, &x, "3 columns; the model was fitted on 2");
    x.n_columns = 2; /* by number */
    expect(&m, &x, (struct ens_predictor_options){0}, 3);
    ck_assert(out[3 + 1] == 1 + 2 * v[1] + 3 * v[1]);
}
END_TEST

START_TEST(missing_values)
{
    struct ens_column c[3];
    struct ens_input x = table(300, c, 3);
    struct ens_model m = make(2);

    u[170] = NAN;
    v[299] = INFINITY;
    refuse(&m, &x, "new.csv: row 171, column u: missing or not finite");
    expect(&m, &x, (struct ens_predictor_options){.skip_bad = 1}, 1);
    for (size_t i = 0; i < 300; i++)
        ck_assert(i == 170 || i == 299 ? isnan(out[i])
                                       : out[i] == 11 + 2 * u[i] + 3.5 * v[i]);
}
END_TEST

START_TEST(rows_before)
{
    struct ens_column c[3];
    struct ens_input x = table(300, c, 3);
    struct ens_model m = make(1);

    lag = 20;
    refuse(&m, &x, "row 1: a learner reads the row that stands 20 before it");
    v[150] = NAN;
    expect(&m, &x,
           (struct ens_predictor_options){.skip_bad = 1, .block_bytes = 1}, 3);
    for (size_t i = 0; i < 300; i++)
        ck_assert(i < 20 || i == 150 || i == 170
                      ? isnan(out[i * 3 + 1])
                      : out[i * 3 + 2] == -v[i - 20] / 2 && out[i * 3] == v[i]);
    lag = 0;
}
END_TEST

/* The new file has the levels b, c, d: other numbers for b and c. */
START_TEST(texts_are_those_of_the_training_data)
{
    static const char *const seen[] = {"b", "c", "d"};
    static const double slopes[] = {0, 1, 10, 100, 1000, 10000};
    struct ens_column c[3];
    struct ens_input x = table(4, c, 3);
    struct ens_model m = make(1);
    int coded = _i == 0;

    texts = coded ? ENS_TEXTS_CODED : ENS_TEXTS_LEVELS;
    column[0] = (struct ens_model_column){"other", 3, levels};
    for (int i = 0; i < 4; i++)
        code[i] = i == 3 ? 0 : i;
    c[1] = (struct ens_column){.name = "other",
                               .view = view_of(code, ENS_DT_I32, 4),
                               .levels = seen,
                               .n_levels = 3};
    layer[0].n_propagated = 0;
    layer[0].n_learners = 1;
    layer[0].n_out = 1;
    fit0.model.data = slopes;
    fit0.model.bytes = (coded ? 4 : 5) * sizeof(double);
    m = reread(&m);
    refuse(&m, &x, "row 3, column other: \"d\" was not in the training data");
    expect(&m, &x, (struct ens_predictor_options){.skip_bad = 1}, 1);
    ck_assert(out[0] == (coded ? 1 : 10));
    ck_assert(out[1] == (coded ? 10 + 100 * 10 : 100 + 1000 * 10));
    ck_assert(isnan(out[2]));
    ck_assert(out[3] == (coded ? 1 + 100 * 30 : 10 + 1000 * 30));
    code[3] = -1;
    x.n_rows = 4;
    expect(&m, &x, (struct ens_predictor_options){.skip_bad = 1}, 1);
    ck_assert(isnan(out[3]));
    c[1].levels = NULL;
    refuse(&m, &x, "column other is numbers; it was text");
    texts = ENS_TEXTS_CODED;
}
END_TEST

START_TEST(classes)
{
    static const char *const name[] = {"no", "maybe", "yes"};
    static const double fits[] = {0.5, 0, 0, 0.2, 0.1, 0, 0.3, 0, 0};
    struct ens_column c[3];
    struct ens_input x = table(6, c, 3);
    struct ens_model m = weighted(0, 1);
    struct ens_predictor p;
    struct ens_predictor_options proba = {.proba = 1};

    m.weights.intercept = 0;
    m.family = ENS_OUTCOME_MULTINOMIAL;
    m.n_classes = 3;
    m.class_ = name;
    layer[0].m = 3;
    fit0 = fit1 = (struct ens_model_fit){.model = BLOB(fits)};
    layer[0].n_propagated = 0;
    layer[0].n_out = 6;
    layer[0].out = (const char *const[]){"a", "b", "c", "d", "e", "f"};
    m = reread(&m);
    expect(&m, &x, (struct ens_predictor_options){0}, 1);
    for (size_t i = 0; i < 6; i++)
        ck_assert(out[i] == (i > 3 ? 1 : 0));
    expect(&m, &x, proba, 3);
    ck_assert(out[0] == 0.5 && out[16] == 0.2 + 0.1 * 5 && out[17] == 0.3);
    ck_assert(ens_predictor_open(&p, &m, &study, &proba, &x, &arena, NULL) ==
              ENS_OK);
    ck_assert_str_eq(p.out[1], "prediction[maybe]");
    ens_predictor_close(&p);
}
END_TEST

/* A learner that failed is as if it were not there. */
START_TEST(fits_that_failed)
{
    static const double one_weight[] = {2};
    struct ens_column c[3];
    struct ens_input x = table(6, c, 3);
    struct ens_model m = weighted(0, 1), again;
    struct ens_buf bytes = ENS_BUF_INIT;
    struct ens_error err;

    fit0.model.bytes = 0;
    write_model(&m, &bytes); /* two weights, three columns */
    ck_assert(ens_model_read(&again, bytes.data, bytes.len, &arena, &err) ==
              ENS_ECORRUPT);
    ens_buf_fini(&bytes);
    m.n_weights = 1;
    memcpy(weight, one_weight, sizeof(one_weight));
    layer[0].n_out = 2;
    layer[0].out = (const char *const[]){"v", "l1"};
    again = reread(&m);
    expect(&again, &x, (struct ens_predictor_options){0}, 1);
    ck_assert(out[3] == 100 - v[3]);
    m = make(1);
    fit1.model.bytes = 8;
    again = reread(&m);
    refuse(&again, &x, "learner l1 of layer 1: 8 bytes for 1 columns");
}
END_TEST

/* Layers that hand on numbers of classes. */
START_TEST(cut_predictions)
{
    static const char *const name[] = {"no", "maybe", "yes"};
    static const double fits[] = {0.5, 0, 0, 0.2, 0.1, 0, 0.3, 0, 0};
    struct ens_column c[3];
    struct ens_input x = table(6, c, 3);
    struct ens_model m = weighted(0.5, 0.5);

    m.weights.intercept = 0;
    m.family = ENS_OUTCOME_MULTINOMIAL;
    m.n_classes = 3;
    m.class_ = name;
    layer[0].is_cut = 1;
    fit0 = fit1 = (struct ens_model_fit){.model = BLOB(fits)};
    m = reread(&m);
    expect(&m, &x, (struct ens_predictor_options){0}, 1);
    for (size_t i = 0; i < 6; i++)
        ck_assert(out[i] == (i > 3 ? 1 : 0));
    {
        struct ens_predictor_options proba = {.proba = 1};
        struct ens_error err;
        size_t n;

        ck_assert(run(&m, &x, proba, out, &n, &err) == ENS_EUSAGE);
    }
}
END_TEST

START_TEST(damaged_files)
{
    struct ens_model m = weighted(0.5, 2), again;
    struct ens_buf whole = ENS_BUF_INIT;
    struct ens_error err;
    unsigned char *copy;

    write_model(&m, &whole);
    copy = malloc(whole.len + 8);
    ck_assert(copy != NULL);
    for (size_t n = 0; n < whole.len; n++) {
        memcpy(copy, whole.data, n);
        ck_assert(ens_model_read(&again, copy, n, &arena, &err) ==
                  ENS_ECORRUPT);
    }
    for (size_t i = 0; i < whole.len; i++) {
        memcpy(copy, whole.data, whole.len);
        copy[i] ^= 0x41;
        ck_assert(ens_model_read(&again, copy, whole.len, &arena, &err) ==
                  ENS_ECORRUPT);
    }
    memcpy(copy, whole.data, whole.len);
    memset(copy + whole.len, 0, 8);
    ck_assert(ens_model_read(&again, copy, whole.len + 8, &arena, &err) ==
              ENS_ECORRUPT);
    copy[8] = 2;
    ck_assert(ens_model_read(&again, copy, whole.len, &arena, &err) ==
              ENS_ECORRUPT);
    ck_assert_str_eq(err.text,
                     "a model of version 2; this program reads version 1");
    ck_assert(ens_model_read(&again, "GIF89a", 6, &arena, &err) ==
              ENS_ECORRUPT);
    ck_assert_str_eq(err.text, "not a model of ensrun");
    free(copy);
    ens_buf_fini(&whole);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("model");
    TCase *tc = tcase_create("model");
    SRunner *runner;
    int failed;

    tcase_add_test(tc, columns_are_found_by_name);
    tcase_add_test(tc, layers_and_meta_learners);
    tcase_add_test(tc, a_row_alone_is_predicted_alike);
    tcase_add_test(tc, columns_that_do_not_fit);
    tcase_add_test(tc, missing_values);
    tcase_add_test(tc, rows_before);
    tcase_add_loop_test(tc, texts_are_those_of_the_training_data, 0, 2);
    tcase_add_test(tc, classes);
    tcase_add_test(tc, fits_that_failed);
    tcase_add_test(tc, cut_predictions);
    tcase_add_test(tc, damaged_files);
    suite_add_tcase(suite, tc);
    ens_arena_init(&arena);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    ens_arena_fini(&arena);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
