/* Every learner, for every family that it takes, given a model that is cut,
 * garbled or of other columns. A new one is tested by its line in x.def. */
#include "../learners.h"

/* Predict n rows by bytes that end where their memory does. */
static enum ens_status predict_by(struct learning *l, struct table *t,
                                  const void *data, size_t bytes)
{
    void *copy = malloc(bytes + !bytes);
    enum ens_status s;

    memcpy(copy, data, bytes);
    l->model.data = copy;
    l->model.bytes = bytes;
    l->err.text[0] = '\0';
    s = learning_predict(l, t, t, t->n, out);
    ck_assert_msg(s == ENS_OK || (s == ENS_EDOMAIN && l->err.text[0] != '\0'),
                  "%s: status %d: %s", l->impl->name, (int)s, l->err.text);
    free(copy);
    return s;
}

START_TEST(cut_models_are_refused)
{
    struct table t;
    const struct ens_impl *impl = turn(_i, &t);
    struct learning l;
    struct ens_learn_model whole;

    if (impl == NULL || is_outside(impl))
        return;
    read_rows(t.family);
    t.n = 60;
    fit(&l, impl, &t);
    whole = l.model;
    ck_assert_int_eq(predict_by(&l, &t, whole.data, whole.bytes), ENS_OK);
    for (size_t n = 0; n < whole.bytes; n += 1 + (n > 100) * whole.bytes / 97)
        ck_assert_msg(predict_by(&l, &t, whole.data, n) == ENS_EDOMAIN,
                      "%s: %zu of %zu bytes are taken", impl->name, n,
                      whole.bytes);
    learning_close(&l);
}
END_TEST

/* Each byte, or some: by what makes counts large or numbers no number. */
START_TEST(garbled_models_are_survived)
{
    static const unsigned char to[] = {0x00, 0xff, 0x7f, 0x80};
    struct table t;
    const struct ens_impl *impl = turn(_i, &t);
    struct learning l;
    struct ens_learn_model whole;
    unsigned char *copy;

    if (impl == NULL || is_outside(impl))
        return;
    read_rows(t.family);
    t.n = 60;
    fit(&l, impl, &t);
    whole = l.model;
    copy = malloc(whole.bytes);
    for (size_t n = 0; n < whole.bytes; n += 1 + (n > 200) * whole.bytes / 97)
        for (size_t k = 0; k < 2 * ENS_COUNT(to); k++) {
            size_t m = k < ENS_COUNT(to) ? 1 : 8;

            memcpy(copy, whole.data, whole.bytes);
            memset(copy + n, to[k % ENS_COUNT(to)],
                   whole.bytes - n < m ? whole.bytes - n : m);
            predict_by(&l, &t, copy, whole.bytes);
        }
    free(copy);
    learning_close(&l);
}
END_TEST

START_TEST(models_of_other_columns_are_refused)
{
    struct table t, wider, narrower;
    const struct ens_impl *impl = turn(_i, &t);
    struct learning l;

    if (impl == NULL || is_outside(impl) || strcmp(impl->name, "mean") == 0 ||
        ((const struct ens_learner *)impl->ops)->uses & ENS_LEARN_ROWS)
        return;
    read_rows(t.family);
    fit(&l, impl, &t);
    wider = narrower = t;
    wider.p++;
    narrower.p--;
    wider.n = narrower.n = 20;
    wider.bins = narrower.bins = NULL;
    ck_assert_msg(learning_predict(&l, &t, &wider, 20, out) == ENS_EDOMAIN,
                  "%s: a column more", impl->name);
    ck_assert_msg(learning_predict(&l, &t, &narrower, 20, out) == ENS_EDOMAIN,
                  "%s: a column less", impl->name);
    learning_close(&l);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("learner_model");
    TCase *t = tcase_create("learner_model");
    SRunner *r = srunner_create(s);
    int failed, n = (int)ens_n_learners * FAMILIES;

    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, cut_models_are_refused, 0, n);
    tcase_add_loop_test(t, garbled_models_are_survived, 0, n);
    tcase_add_loop_test(t, models_of_other_columns_are_refused, 0, n);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
