/* Folds by id, by stratum and by both: those of scikit-learn (folds.py). */
#include "learn/order.h"

#include "base/bug.h"

#include <check.h>
#include <stdlib.h>

#define N 90

enum what { NONE, STRATA, IDS, BOTH };

static const struct folds {
    const char *name;
    enum what what;
    uint32_t K;
    double id[N], stratum[N];
    uint32_t fold[N];
} table[] = {
#include "folds.inc"
};

static struct ens_labels labels_of(const double *x, struct ens_arena *arena)
{
    const struct ens_input in = {.name = "labels",
                                 .n_rows = N,
                                 .n_columns = 1,
                                 .view = {.data = x,
                                          .dtype = ENS_DT_F64,
                                          .ndim = 1,
                                          .shape = {N},
                                          .strides = {8}}};
    struct ens_span span;
    const struct ens_rowset rows = ens_rowset_one(&span, NULL, 0, N);
    struct ens_labels l;

    ck_assert_int_eq(ens_labels_read(&in, &rows, arena, &l, NULL), ENS_OK);
    return l;
}

START_TEST(folds_are_those_of_the_reference)
{
    const struct folds *c = &table[_i];
    struct ens_arena arena = ENS_ARENA_INIT;
    struct ens_labels id = labels_of(c->id, &arena),
                      strata = labels_of(c->stratum, &arena);
    const struct ens_order_how how = {.id = c->what & IDS ? &id : NULL,
                                      .strata =
                                          c->what & STRATA ? &strata : NULL};
    const struct ens_folds_spec spec = {.type = ENS_FOLDS_STACK, .folds = c->K};
    struct ens_span span;
    struct ens_rowset rows = ens_rowset_one(&span, NULL, 0, N);
    struct ens_error err = {0};
    int64_t order[N];
    uint64_t start[9];

    ck_assert_msg(ens_folds_order(&spec, &rows, &how, &arena, order, start,
                                  &err) == ENS_OK,
                  "%s", err.text);
    for (uint32_t k = 0; k < c->K; k++)
        for (uint64_t i = start[k]; i < start[k + 1]; i++)
            ck_assert_msg(c->fold[order[i]] == k, "%s, K %u: row %d: %u not %u",
                          c->name, c->K, (int)order[i], k, c->fold[order[i]]);
    ck_assert_uint_eq(start[c->K], N);
    ens_arena_fini(&arena);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("order");
    TCase *t = tcase_create("order");
    SRunner *r;
    int failed;

    tcase_add_loop_test(t, folds_are_those_of_the_reference, 0,
                        ENS_COUNT(table));
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
