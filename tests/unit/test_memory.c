/* Out of memory is a status: every allocation of a few readers and writers
 * fails in turn. The linker sends our calls here (--wrap). */
#include "base/arena.h"
#include "base/buf.h"
#include "learn/order.h"
#include "learn/prep/prep.h"
#include "record/frame.h"
#include "record/record.h"
#include "record/schema.h"
#include "record/stage.h"
#include "stopping_fixture.h"
#include "study_fixture.h"

#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NEVER SIZE_MAX
#define RUN   99u

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
char *__real_strdup(const char *s);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
char *__wrap_strdup(const char *s);

static size_t left = NEVER; /* allocations until one fails */
static int failed;

static int refuse(void)
{
    if (left == NEVER)
        return 0;
    if (left > 0) {
        left--;
        return 0;
    }
    left = NEVER; /* the one only: what follows may clean up */
    failed = 1;
    return 1;
}

void *__wrap_malloc(size_t n)
{
    return refuse() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return refuse() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
    return refuse() ? NULL : __real_realloc(p, n);
}

char *__wrap_strdup(const char *s)
{
    return refuse() ? NULL : __real_strdup(s);
}

/* Check allocates too. */
static void calm(void)
{
    left = NEVER;
}

/* -- what is tried: 0 when it says that it failed -------------------------- */

static int use_arena(void)
{
    struct ens_arena a = ENS_ARENA_INIT;
    int ok = ens_arena_alloc(&a, 10, 8) != NULL;

    ok = ens_arena_alloc(&a, 1, (size_t)1 << 20) != NULL && ok;
    ok = ens_arena_printf(&a, "%070000d", 1) != NULL && ok;
    ok = ens_arena_strdup(&a, "text") != NULL && ok;
    ens_arena_fini(&a);
    return ok;
}

static int use_buf(void)
{
    struct ens_buf b = ENS_BUF_INIT;
    int ok;

    ens_buf_u32(&b, 7);
    for (size_t i = 0; i < 1000; i++)
        ens_buf_str(&b, "text");
    ens_buf_printf(&b, "%09000d", 1);
    ok = !b.failed;
    calm();
    ck_assert(!ok || b.len == 4 + 8000 + 9000);
    ens_buf_fini(&b);
    return ok;
}

static const struct ens_field fields[] = {{"x", ENS_F64, "m", "length"},
                                          {"n", ENS_I64, "", ""},
                                          {"note", ENS_TEXT, NULL, NULL}};

static int use_schemas(void)
{
    struct ens_schemas s = ENS_SCHEMAS_INIT, t = ENS_SCHEMAS_INIT;
    struct ens_buf b = ENS_BUF_INIT;
    size_t i = 0, k = 0;
    int ok = ens_schemas_add(&s, fields, 3, &i, NULL) == ENS_OK;

    if (ok) {
        ens_schema_encode(s.item[i], &b);
        ok = !b.failed;
    }
    if (ok)
        ok = ens_schemas_add_encoded(&t, b.data, b.len, &k, NULL) == ENS_OK;
    calm();
    ck_assert(!ok || t.item[k]->hash == s.item[i]->hash);
    ens_buf_fini(&b);
    ens_schemas_fini(&s);
    ens_schemas_fini(&t);
    return ok;
}

static void check_frame(const struct ens_buf *out)
{
    struct ens_record r;
    struct ens_frame f;
    struct ens_batch b;

    calm();
    ck_assert_int_eq(ens_frame_read(&f, out->data, out->len, RUN),
                     ENS_FRAME_GOOD);
    ck_assert_int_eq(ens_batch_read(&b, f.payload, f.length, NULL), ENS_OK);
    ck_assert_uint_eq(b.n, 1);
    ens_batch_get(&b, 0, &r);
    ck_assert_uint_eq(r.cell, 5);
}

static int use_record(void)
{
    struct ens_schemas s = ENS_SCHEMAS_INIT;
    struct ens_draft d = {0};
    struct ens_packer p = {0};
    struct ens_buf out = ENS_BUF_INIT;
    size_t i = 0;
    int ok = ens_schemas_add(&s, fields, 3, &i, NULL) == ENS_OK &&
             ens_draft_begin(&d, s.item[i]) == ENS_OK;

    if (ok) {
        d.cell = 5;
        d.replicate = 1;
        ens_draft_f64(&d, 0, 1.5);
        ens_draft_item(&d, ENS_ITEM_TEXT, 2, "abc", 3);
        ok = !d.items.failed;
    }
    if (ok) {
        ens_packer_add(&p, &d);
        ens_packer_flush(&p, &out, 1, 2, 3, RUN);
        ok = !out.failed;
    }
    if (ok)
        check_frame(&out);
    ens_buf_fini(&out);
    ens_packer_fini(&p);
    ens_draft_fini(&d);
    ens_schemas_fini(&s);
    return ok;
}

static int use_stage(void)
{
    struct ens_stage s = {.key = "fit"}, copy = {0}, back = {0};
    struct ens_buf b = ENS_BUF_INIT;
    int ok = 1;

    s.id = ens_stage_id("fit", 0);
    for (uint64_t i = 0; ok && i < 40; i++)
        ok = ens_stage_add_run(&s, 2 * i, 1, 3) == ENS_OK;
    ok = ok && ens_stage_copy(&copy, &s) == ENS_OK;
    if (ok) {
        ens_stage_encode(&copy, &b);
        ok = !b.failed;
    }
    ok = ok && ens_stage_decode(&back, b.data, b.len, NULL) == ENS_OK;
    calm();
    ck_assert(!ok || ens_stage_n_tasks(&back) == 120);
    ens_buf_fini(&b);
    ens_stage_fini(&s);
    ens_stage_fini(&copy);
    ens_stage_fini(&back);
    return ok;
}

static int use_study(void)
{
    static const char text[] =
        "[study]\nkind = trial\n[inputs]\nX = x.npy\n[data]\n"
        "generator = linear\nn = 5, 10:30:10\nslope = 2 0.5, 1 0\n"
        "[fit a]\nfitter = ols\nridge = 0.1\n"
        "[fit b]\nfitter = glm\nprior = normal(0, sd=2.5), flat\n"
        "[metrics]\nuse = bias, coverage(level=0.9)\n";
    static const struct ens_override set[] = {{"fit b.family=binomial"}};
    struct ens_buf errors = ENS_BUF_INIT, out = ENS_BUF_INIT;
    struct ens_study *st = NULL;
    struct ens_error err = {0};
    int ok = ens_study_parse(&st, "s.ini", text, strlen(text), "/base", set, 1,
                             &fix_all, &errors, &err) == ENS_OK;

    if (ok) {
        ens_study_write(st, &out);
        ok = !out.failed;
        calm();
    } else {
        calm();
        ck_assert_msg(err.status == ENS_ENOMEMORY, "%s %s", err.text,
                      ens_buf_text(&errors));
        ck_assert_ptr_null(st);
    }
    ck_assert(!ok || ens_study_n_cells(st) == 24);
    ens_study_free(st);
    ens_buf_fini(&out);
    ens_buf_fini(&errors);
    return ok;
}

/* Cells followed in pairs of records that come the wrong way round. */
static int follow_cells(struct world *w, struct ens_tracker *t)
{
    for (uint64_t c = 0; c < CELLS; c++)
        ens_tracker_enter(t, c);
    for (uint32_t r = 1; r <= 60; r++) {
        uint32_t turned = r % 2 == 1 ? r + 1 : r - 1;
        struct made m;

        for (uint64_t c = 0; c < CELLS; c++) {
            make(w, &m, c, turned);
            ens_tracker_add(t, &m.rec, w->plan.schemas.item[0]);
        }
    }
    return ens_tracker_failure(t) == NULL;
}

static int use_stopping(void)
{
    size_t saved = left;
    struct ens_stage cut = {0};
    struct ens_tracker *t;
    struct world w;
    struct made m;
    int ok;

    left = NEVER;
    world_init(&w, "rule = mcse(mean) < 0.2\nmin = 4\nevery = 3\n");
    ens_stopping_fini(&w.s);
    for (uint32_t i = 0; i < 60 * CELLS; i++) /* done sets: elsewhere */
        make(&w, &m, i % CELLS, i / CELLS + 1);
    left = saved;
    ok = ens_stopping_init(&w.s, &ens_host, &w.plan, NULL) == ENS_OK;
    t = ok ? ens_tracker_new(&(const struct ens_tracker_config){
                 .stopping = &w.s, .stage = &w.plan.stage[0], .done = w.done})
           : NULL;
    ok = t != NULL && follow_cells(&w, t);
    ok = ok && ens_stopping_stage(&w.s, &w.plan.stage[0], &cut, NULL) == ENS_OK;
    calm();
    ck_assert(!ok || ens_stopping_at(&w.s, 0) > 0);
    ens_stage_fini(&cut);
    ens_tracker_free(t);
    world_fini(&w);
    return ok;
}

#define TALL 4000
#define WIDE 20

static double matrix[TALL][WIDE];

/* Columns of TALL rows, or one row after the other. */
static struct ens_input input_of(size_t p)
{
    for (size_t i = 0; i < TALL; i++)
        for (size_t j = 0; j < WIDE; j++)
            matrix[i][j] = (double)((i * (j + 3)) % 101);
    return (struct ens_input){.name = "X",
                              .n_rows = TALL,
                              .n_columns = p,
                              .view = {.data = matrix,
                                       .dtype = ENS_DT_F64,
                                       .ndim = 2,
                                       .shape = {TALL, p},
                                       .strides = {8 * WIDE, 8}}};
}

static int fit_steps(const struct ens_prep *prep, struct ens_arena *a)
{
    const struct ens_input in = input_of(WIDE), one = input_of(1);
    struct ens_learn_source source, y;
    const struct ens_response response = {.y = &y};
    struct ens_prep_train train = {
        .rows = {.source = &source, .response = &response}};
    struct ens_prep_fitted f;
    struct ens_span span;
    const void *blob;
    size_t bytes;

    ens_learn_source_init(&source, TALL, a);
    ens_learn_source_init(&y, TALL, a);
    train.rows.set = ens_rowset_one(&span, NULL, 0, TALL);
    return ens_learn_source_add_input(&source, &in, ENS_TEXTS_REFUSED, NULL,
                                      NULL) == ENS_OK &&
           ens_learn_source_add_input(&y, &one, ENS_TEXTS_REFUSED, NULL,
                                      NULL) == ENS_OK &&
           ens_prep_fit(prep, &train, a, &blob, &bytes, NULL) == ENS_OK &&
           ens_prep_open(blob, bytes, (const char *const *)source.column, WIDE,
                         a, &f, NULL) == ENS_OK;
}

static int use_prep(void)
{
    static const struct ens_value list[] = {
        {.call = {.name = "standardise"}},  {.call = {.name = "robust"}},
        {.call = {.name = "screen_lasso"}}, {.call = {.name = "spline"}},
        {.call = {.name = "screen_cor"}},   {.call = {.name = "pca"}},
        {.call = {.name = "minmax"}},       {.call = {.name = "poly"}}};
    const struct ens_value calls = {.n_list = 8, .list = list};
    struct ens_arena a = ENS_ARENA_INIT;
    struct ens_prep prep;
    int ok =
        ens_prep_read(&calls, &prep, NULL) == ENS_OK && fit_steps(&prep, &a);

    ens_arena_fini(&a);
    return ok;
}

static int use_order(void)
{
    const struct ens_folds_spec spec = {
        .type = ENS_FOLDS_SUBSEMBLE, .folds = 3, .partitions = 2};
    static int64_t order[TALL];
    struct ens_input in = input_of(1);
    struct ens_arena a = ENS_ARENA_INIT;
    struct ens_labels id, strata;
    struct ens_order_how how = {.id = &id, .strata = &strata};
    struct ens_span span;
    struct ens_rowset rows = ens_rowset_one(&span, NULL, 0, TALL), out;
    uint64_t start[9];
    struct ens_folds f;
    int ok;

    ok = ens_labels_read(&in, &rows, &a, &id, NULL) == ENS_OK;
    in.view.data = &matrix[0][1];
    ok = ok && ens_labels_read(&in, &rows, &a, &strata, NULL) == ENS_OK;
    for (int k = 0; k < 2 && ok; k++) {
        how.strata = k == 0 ? &strata : NULL;
        ok = ens_folds_order(&spec, &rows, &how, &a, order, start, NULL) ==
             ENS_OK;
    }
    ok = ok && ens_folds_open(&spec, &rows, start, &f, NULL) == ENS_OK &&
         ens_folds_train(&f, 1, 2, &a, &out, NULL) == ENS_OK &&
         ens_folds_out(&f, &a, &out, NULL) == ENS_OK;
    ens_arena_fini(&a);
    return ok;
}

static const struct {
    const char *name;
    int (*use)(void);
} rows[] = {
    {"arena", use_arena},       {"buf", use_buf},     {"schema", use_schemas},
    {"record", use_record},     {"stage", use_stage}, {"study", use_study},
    {"stopping", use_stopping}, {"prep", use_prep},   {"order", use_order}};

START_TEST(every_allocation_that_fails_is_told)
{
    size_t n = 0;

    ck_assert_msg(rows[_i].use(), "%s: fails with memory", rows[_i].name);
    for (;; n++) {
        int ok;

        left = n;
        failed = 0;
        ok = rows[_i].use();
        left = NEVER;
        if (!failed)
            break; /* it needs only n */
        ck_assert_msg(!ok, "%s: allocation %zu failed unnoticed", rows[_i].name,
                      n);
    }
    ck_assert_uint_gt(n, 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("memory");
    TCase *t = tcase_create("memory");
    SRunner *r = srunner_create(s);
    int n;

    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, every_allocation_that_fails_is_told, 0,
                        (int)(sizeof(rows) / sizeof(*rows)));
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_ENV);
    n = srunner_ntests_failed(r);
    srunner_free(r);
    return n == 0 ? 0 : 1;
}
