/* What every generator must do, looped over their table. */
#include "../generate.h"

#include "base/bug.h"
#include "kinds/simulation/generators/generators.h"

static const struct entry {
    const char *name;
    const struct ens_setting *settings;
    size_t n_settings;
} generators[] = {
#define ENS_GENERATOR(name, n, help)                                           \
    {#name, ens_generator_##name##_settings, n},
#include "kinds/simulation/generators/x.def"
#undef ENS_GENERATOR
};
#define N_GENERATORS ((int)ENS_COUNT(generators))

static int takes(const struct entry *e, const char *key)
{
    for (size_t i = 0; i < e->n_settings; i++)
        if (strcmp(e->settings[i].key, key) == 0)
            return 1;
    return 0;
}

static const char *must_say(int i)
{
    if (strcmp(generators[i].name, "permute") == 0)
        return "columns = a\n";
    return strcmp(generators[i].name, "prior_predictive") == 0
               ? "formula = y ~ x1\nprior.intercept = normal(0, 1)\n"
                 "prior.b = normal(0, 1)\nprior.sigma = half_normal(1)\n"
               : "";
}

/* Always; prior_predictive may generate predictors, too. */
static int is_of_input(int i)
{
    return takes(&generators[i], "input") &&
           strcmp(generators[i].name, "prior_predictive") != 0;
}

/* The least that a row must say, and `more`. */
static void begin(struct generate *g, int i, const char *more)
{
    char row[256];

    snprintf(row, sizeof(row), "generator = %s\n%s%s%s", generators[i].name,
             is_of_input(i) ? "input = T\n" : "", must_say(i), more);
    ck_assert_msg(generate_begin(g, row) == ENS_OK, "%s: %s", row, g->err.text);
}

static void next(struct generate *g, uint32_t replicate)
{
    ck_assert_msg(generate_next(g, replicate) == ENS_OK, "%s", g->err.text);
}

static void same_rows(struct generate *g, const struct ens_data *a,
                      struct generate *h, const struct ens_data *b)
{
    ck_assert_uint_eq(a->n, b->n);
    for (size_t j = 0; j < a->n_columns; j++)
        ck_assert_mem_eq(generate_column(g, a, a->name[j]),
                         generate_column(h, b, b->name[j]),
                         a->n * sizeof(double));
}

START_TEST(same_replicate_same_bits)
{
    struct generate g, h;

    begin(&g, _i, "test = 10\n");
    begin(&h, _i, "test = 10\n");
    next(&g, 3);
    next(&h, 2);
    next(&h, 3);
    same_rows(&g, &g.out.data, &h, &h.out.data);
    same_rows(&g, &g.out.test, &h, &h.out.test);
    ck_assert_mem_eq(g.out.truth, h.out.truth,
                     (g.shape.n_truth + g.shape.n_meta) * sizeof(double));
    generate_end(&g);
    generate_end(&h);
}
END_TEST

START_TEST(columns_are_those_of_the_shape)
{
    struct generate g;

    begin(&g, _i, "test = 7\n");
    next(&g, 1);
    ck_assert_uint_gt(g.out.data.n, 0);
    ck_assert_uint_eq(g.out.test.n, 7);
    ck_assert_uint_eq(g.out.data.n_columns, g.shape.data.n_columns);
    ck_assert_uint_eq(g.out.test.n_columns, g.shape.data.n_columns);
    for (size_t j = 0; j < g.shape.data.n_columns; j++) {
        const char *name = g.shape.data.name[j];

        ck_assert_str_eq(g.out.data.name[j], name);
        for (size_t k = 0; k < j; k++)
            ck_assert_str_ne(g.shape.data.name[k], name);
        for (size_t i = 0; i < g.out.data.n; i++)
            ck_assert(isfinite(generate_column(&g, &g.out.data, name)[i]));
        for (size_t i = 0; i < 7; i++)
            ck_assert(isfinite(generate_column(&g, &g.out.test, name)[i]));
    }
    generate_end(&g);
}
END_TEST

START_TEST(truths_and_numbers_are_given)
{
    struct generate g;

    begin(&g, _i, "");
    next(&g, 1);
    ck_assert_uint_eq(g.out.test.n, 0);
    for (size_t k = 0; k < g.shape.n_truth; k++) {
        ck_assert_uint_gt(strlen(g.shape.truth[k]), 0);
        ck_assert(isfinite(generate_truth(&g, g.shape.truth[k])));
    }
    for (size_t k = 0; k < g.shape.n_meta; k++) {
        ck_assert_uint_gt(strlen(g.shape.meta[k]), 0);
        ck_assert(isfinite(g.out.meta[k]));
    }
    generate_end(&g);
}
END_TEST

/* Of an input nothing is copied: columns lie where they lie in it. */
START_TEST(inputs_are_not_copied)
{
    struct generate g;

    if (!is_of_input(_i))
        return;
    begin(&g, _i, "test = 0.5\n");
    next(&g, 1);
    for (size_t j = 0; j < 3; j++) {
        ck_assert_ptr_eq(g.out.data.column[j].values, g.table.number[j]);
        ck_assert_ptr_eq(g.out.test.column[j].values, g.table.number[j]);
    }
    ck_assert_ptr_eq(g.out.data.column[3].view->data, g.table.place);
    ck_assert_ptr_nonnull(g.out.test.index);
    generate_end(&g);
}
END_TEST

/* No row is both fitted to and predicted. */
START_TEST(test_rows_are_others)
{
    struct generate g;
    int is_test[INPUT_ROWS] = {0};

    if (!is_of_input(_i))
        return;
    begin(&g, _i, "test = 0.3\n");
    next(&g, 1);
    ck_assert_uint_eq(g.out.test.n, 18);
    for (size_t i = 0; i < g.out.test.n; i++)
        is_test[g.out.test.index[i]]++;
    for (size_t i = 0; i < INPUT_ROWS; i++)
        ck_assert_int_le(is_test[i], 1);
    for (size_t i = 0; i < g.out.data.n; i++)
        ck_assert_int_eq(is_test[g.out.data.index[i]], 0);
    generate_end(&g);
}
END_TEST

START_TEST(settings_are_those_of_role_data)
{
    const struct entry *e = &generators[_i];

    for (size_t i = 0; i < e->n_settings; i++) {
        size_t n = strlen(e->settings[i].section);

        ck_assert(strcmp(e->settings[i].section, "data") == 0 ||
                  strcmp(e->settings[i].section + n - 2, "()") == 0);
        ck_assert_uint_gt(strlen(e->settings[i].help), 0);
        ck_assert(e->settings[i].cls == ENS_C_DATA ||
                  strcmp(e->settings[i].key, "truth") == 0);
    }
    ck_assert(takes(e, "test"));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("generators");
    TCase *c = tcase_create("each");
    SRunner *r;
    int failed;

    tcase_add_loop_test(c, same_replicate_same_bits, 0, N_GENERATORS);
    tcase_add_loop_test(c, columns_are_those_of_the_shape, 0, N_GENERATORS);
    tcase_add_loop_test(c, truths_and_numbers_are_given, 0, N_GENERATORS);
    tcase_add_loop_test(c, inputs_are_not_copied, 0, N_GENERATORS);
    tcase_add_loop_test(c, test_rows_are_others, 0, N_GENERATORS);
    tcase_add_loop_test(c, settings_are_those_of_role_data, 0, N_GENERATORS);
    suite_add_tcase(s, c);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? 0 : 1;
}
