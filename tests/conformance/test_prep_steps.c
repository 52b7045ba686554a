/* Every step of preprocessing: what its interface promises. A new one is
 * tested by its line in x.def. */
#include "../prep.h"
#include "base/bug.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define N 300
#define P 6

static struct ens_arena arena;
static double x[N][P], y[N];
static struct ens_learn_source source, response_source;
static const struct ens_response response = {.y = &response_source};
static struct ens_span span[2];

/* What cannot go without arguments. */
static const struct {
    const char *name, *text;
} arguments[] = {{"subset", "subset(2:3)"}, {"lag", "lag(1)"}};

static void setup(void)
{
    static const char *const name[P] = {"a", "b", "c", "d", "e", "f"};
    struct ens_view v = {.data = x,
                         .dtype = ENS_DT_F64,
                         .ndim = 2,
                         .shape = {N, P},
                         .strides = {8 * P, 8}};

    ens_arena_init(&arena);
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < P; j++)
            x[i][j] = sin(i * (1.1 + j)) * (j + 1) * 10 + j * 5;
        y[i] = x[i][1] - x[i][4];
    }
    ens_learn_source_init(&source, N, &arena);
    ck_assert_int_eq(
        ens_learn_source_add_view(&source, &v, 0, P, name, NULL, NULL), ENS_OK);
    v.data = y;
    v.ndim = 1;
    v.strides[0] = 8;
    ens_learn_source_init(&response_source, N, &arena);
    ck_assert_int_eq(ens_learn_source_add_view(&response_source, &v, 0, 1,
                                               &name[0], NULL, NULL),
                     ENS_OK);
    span[0] = (struct ens_span){NULL, 10, 100, 0};
    span[1] = (struct ens_span){NULL, 150, 140, 100};
}

static void teardown(void)
{
    ens_arena_fini(&arena);
}

static size_t n_steps(void)
{
    size_t n = 0;

    for (const char *p = ens_prep_choices; *p != '\0'; p++)
        n += *p == '|';
    return n; /* the last is "none" */
}

static const char *step_text(int i)
{
    const char *p = ens_prep_choices;
    char *name;

    while (i-- > 0)
        p = strchr(p, '|') + 1;
    name = ens_arena_strndup(&arena, p, strcspn(p, "|"));
    for (size_t k = 0; k < ENS_COUNT(arguments); k++)
        if (strcmp(arguments[k].name, name) == 0)
            return arguments[k].text;
    return name;
}

struct blob {
    const void *data;
    size_t bytes;
};

static struct blob fit(const char *text)
{
    const struct ens_prep_train train = {.rows = {.source = &source,
                                                  .set = {240, 2, span},
                                                  .response = &response}};
    struct ens_error err = {0};
    struct ens_prep prep;
    struct blob b;

    ck_assert_msg(read_steps(text, &arena, &prep, &err) == ENS_OK &&
                      ens_prep_fit(&prep, &train, &arena, &b.data, &b.bytes,
                                   &err) == ENS_OK,
                  "%s: %s", text, err.text);
    return b;
}

static struct ens_rows rows_of(const struct blob *b)
{
    static struct ens_span all;
    struct ens_prep_fitted *f = ens_arena_alloc(&arena, 1, sizeof(*f));
    const struct ens_rows_spec spec = {.source = &source,
                                       .set = ens_rowset_one(&all, NULL, 0, N),
                                       .prep = &f->rows};
    struct ens_rows r;

    ck_assert_int_eq(ens_prep_open(b->data, b->bytes,
                                   (const char *const *)source.column, P,
                                   &arena, f, NULL),
                     ENS_OK);
    ck_assert_int_eq(ens_rows_open(&spec, &arena, &r, NULL), ENS_OK);
    return r;
}

START_TEST(same_rows_same_bits)
{
    const char *text = step_text(_i);
    struct blob a = fit(text), b = fit(text);

    ck_assert_uint_eq(a.bytes, b.bytes);
    ck_assert_int_eq(memcmp(a.data, b.data, a.bytes), 0);
}
END_TEST

/* Whatever block it is read in, and wherever the blob lies. */
START_TEST(a_row_is_made_alone)
{
    struct blob b = fit(step_text(_i)), copy = b;
    struct ens_rows r = rows_of(&b), s;
    double *block = malloc(N * r.p * sizeof(*block)),
           *row = malloc(r.p * sizeof(*row));
    void *elsewhere = aligned_alloc(16, (b.bytes + 15) & ~(size_t)15);
    uint64_t at;

    memcpy(elsewhere, b.data, b.bytes);
    copy.data = elsewhere;
    s = rows_of(&copy);
    r.x(&r, 0, N, block);
    for (uint64_t i = 0; i < N; i++) {
        s.x(&s, i, 1, row);
        ck_assert_int_eq(memcmp(row, block + i * r.p, r.p * sizeof(*row)), 0);
        at = N - 1 - i;
        s.gather(&s, &at, 1, row);
        ck_assert_int_eq(memcmp(row, block + at * r.p, r.p * sizeof(*row)), 0);
    }
    ck_assert_int_eq(ens_rows_bad(&r, NULL), ENS_OK);
    free(elsewhere);
    free(row);
    free(block);
}
END_TEST

/* Rows that are not trained on change nothing. */
START_TEST(only_training_rows_count)
{
    const char *text = step_text(_i);
    struct blob before = fit(text), after;

    x[0][1] = x[120][2] = 1e9;
    y[0] = y[120] = -1e9;
    after = fit(text);
    ck_assert_uint_eq(before.bytes, after.bytes);
    ck_assert_int_eq(memcmp(before.data, after.data, before.bytes), 0);
}
END_TEST

START_TEST(columns_have_different_names)
{
    struct blob b = fit(step_text(_i));
    struct ens_rows r = rows_of(&b);

    ck_assert_uint_gt(r.p, 0);
    for (size_t j = 0; j < r.p; j++) {
        ck_assert_uint_gt(strlen(r.column[j]), 0);
        for (size_t k = 0; k < j; k++)
            ck_assert_str_ne(r.column[j], r.column[k]);
    }
}
END_TEST

START_TEST(missing_numbers_are_refused)
{
    const char *text = step_text(_i);
    struct blob b = fit(text);
    struct ens_rows r = rows_of(&b);
    double *row = malloc(r.p * sizeof(*row));
    struct ens_error err = {0};

    x[5][3] = (double)NAN;
    r.x(&r, 5, 1, row);
    ck_assert_int_eq(ens_rows_bad(&r, &err), ENS_EDOMAIN);
    ck_assert_ptr_nonnull(strstr(err.text, "column d, row 6: nan"));
    for (size_t j = 0; j < r.p; j++)
        ck_assert(isfinite(row[j]));
    free(row);
}
END_TEST

START_TEST(cut_blobs_are_refused)
{
    struct blob b = fit(step_text(_i));
    struct ens_prep_fitted f;
    struct ens_error err = {0};

    for (size_t n = 0; n < b.bytes; n++)
        ck_assert_int_eq(ens_prep_open(b.data, n,
                                       (const char *const *)source.column, P,
                                       &arena, &f, &err),
                         ENS_ECORRUPT);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("prep_steps");
    TCase *t = tcase_create("prep_steps");
    SRunner *r;
    int failed, n = (int)n_steps();

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, same_rows_same_bits, 0, n);
    tcase_add_loop_test(t, a_row_is_made_alone, 0, n);
    tcase_add_loop_test(t, only_training_rows_count, 0, n);
    tcase_add_loop_test(t, columns_have_different_names, 0, n);
    tcase_add_loop_test(t, missing_numbers_are_refused, 0, n);
    tcase_add_loop_test(t, cut_blobs_are_refused, 0, n);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
