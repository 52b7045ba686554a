/* Roles whose rows make no cells: named by rows that do. */
#include "config/study.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#define ROW(section, key, type, def, choices)                                  \
    {                                                                          \
        section, key, type, ENS_AXIS, ENS_C_CELL, def, 0, 0, choices, NULL,    \
            "help"                                                             \
    }

static const struct ens_setting settings[] = {
    ROW("case", "steps", ENS_T_TEXT, "", NULL),
    ROW("layer", "folds", ENS_T_INT, "2", NULL),
    ROW("group", "size", ENS_T_INT, "", NULL),
    ROW("learner", "group", ENS_T_ROW, "", "group"),
    ROW("learner", "case", ENS_T_ROW, "", "case"),
    ROW("learner", "layer", ENS_T_ROW, "1", "layer"),
};
static const struct ens_setting ridge[] = {
    ROW("learner", "alpha", ENS_T_NUM, "1", NULL),
};
static const struct ens_impl learners[] = {
    {.name = "ridge", .help = "h", .settings = ridge, .n_settings = 1},
    {.name = "mean", .help = "h"},
};
static const struct ens_role roles[] = {
    {.name = "case", .beside = 1},
    {.name = "layer", .beside = 1, .numbered = 1},
    {.name = "learner",
     .impl_key = "learner",
     .impls = learners,
     .n_impls = 2,
     .required = 1},
    {.name = "meta",
     .impl_key = "learner",
     .impls = learners,
     .n_impls = 2,
     .beside = 1,
     .settings_of = "learner"},
    {.name = "group", .beside = 1, .by_name = 1},
};
static const struct ens_study_tables tables = {.kind = "toy",
                                               .settings = settings,
                                               .n_settings = 6,
                                               .roles = roles,
                                               .n_roles = 5};

static const struct ens_study_tables *find(void *arg, const char *name)
{
    (void)arg;
    return strcmp(name, "toy") == 0 ? &tables : NULL;
}

static struct ens_buf errors;

static struct ens_study *parse(const char *text)
{
    static const char *const names[] = {"toy", NULL};
    struct ens_study_kinds kinds = {find, names, NULL, NULL};
    struct ens_study *study = NULL;
    struct ens_error err;

    ens_buf_clear(&errors);
    if (ens_study_parse(&study, "s.ini", text, strlen(text), "/", NULL, 0,
                        &kinds, &errors, &err) != ENS_OK)
        return NULL;
    return study;
}

#define HEAD "[study]\nkind = toy\n"
#define TWO                                                                    \
    "[learner a]\nlearner = ridge\nalpha = 1, 2\ncase = s\n"                   \
    "[learner b]\nlearner = mean\nlayer = 2\n"

static uint64_t id_of(const struct ens_study *study, uint64_t i)
{
    struct ens_cell cell;

    ens_study_cell(study, i, &cell);
    return cell.hash[0];
}

START_TEST(cells)
{
    struct ens_study *s =
        parse(HEAD "[case s]\nsteps = x\n" TWO "[layer 2]\nfolds = 3\n"
                   "[meta]\nlearner = ridge\nalpha = 4\n");

    ck_assert_msg(s != NULL, "%s", ens_buf_text(&errors));
    ck_assert_uint_eq(ens_study_n_cells(s), 3);
    ck_assert_uint_eq(ens_study_n_axis_columns(s), 2);
    ck_assert_str_eq(ens_study_axis_column(s, 1)->name, "learner_alpha");
    ck_assert_str_eq(ens_study_row(s, "case", 0), "s");
    ck_assert_ptr_null(ens_study_row(s, "case", 1));
    ck_assert_str_eq(ens_study_row(s, "layer", 0), "2");
    ck_assert_ptr_null(ens_study_row(s, "layer", 1));
    ck_assert_int_eq(ens_study_row_value(s, "layer", "2", "folds")->i, 3);
    ck_assert_int_eq(ens_study_row_value(s, "layer", "1", "folds")->i, 2);
    ck_assert(ens_study_row_value(s, "meta", "", "alpha")->d == 4);
    ck_assert_str_eq(ens_study_row_impl(s, "meta", "")->name, "ridge");
    ens_study_free(s);
}
END_TEST

/* What a cell's hash holds of a row it names: its content, not its label. */
START_TEST(content)
{
    struct ens_study *a = parse(HEAD "[case s]\nsteps = x\n" TWO);
    struct ens_study *b = parse(HEAD "[case s]\nsteps = y\n" TWO);
    struct ens_study *c =
        parse(HEAD "[case s]\nsteps = x\n" TWO "[layer 2]\nfolds = 3\n");
    struct ens_study *d = parse(HEAD "[case t]\nsteps = x\n"
                                     "[learner z]\nlearner = ridge\n"
                                     "alpha = 1, 2\ncase = t\n");

    ck_assert(a != NULL && b != NULL && c != NULL && d != NULL);
    ck_assert_uint_ne(id_of(a, 0), id_of(b, 0));
    ck_assert_uint_eq(id_of(a, 2), id_of(b, 2));
    ck_assert_uint_eq(id_of(a, 0), id_of(c, 0));
    ck_assert_uint_ne(id_of(a, 2), id_of(c, 2));
    ck_assert_uint_eq(id_of(a, 0), id_of(d, 0));
    ens_study_free(a);
    ens_study_free(b);
    ens_study_free(c);
    ens_study_free(d);
}
END_TEST

/* Of a role by_name the label counts, too: rows that say the same are two. */
START_TEST(names)
{
    struct ens_study *a = parse(HEAD "[group g]\n[group h]\n[learner a]\n"
                                     "learner = mean\ngroup = g, h\n");
    struct ens_study *b = parse(HEAD "[group g]\nsize = 3\n[group h]\n"
                                     "[learner a]\nlearner = mean\n"
                                     "group = g, h\n[learner b]\n"
                                     "learner = mean\n");
    struct ens_study *c = parse(HEAD "[learner a]\nlearner = mean\n");

    ck_assert_msg(a != NULL && b != NULL && c != NULL, "%s",
                  ens_buf_text(&errors));
    ck_assert_uint_ne(id_of(a, 0), id_of(a, 1));
    ck_assert_uint_ne(id_of(a, 0), id_of(b, 0));
    ck_assert_uint_eq(id_of(a, 1), id_of(b, 1));
    ck_assert_uint_eq(id_of(b, 2), id_of(c, 0));
    ens_study_free(a);
    ens_study_free(b);
    ens_study_free(c);
}
END_TEST

/* "c/l c/l ..." of a row's pairs of case and layer. */
static const char *pairs(const struct ens_study *s, size_t row)
{
    static const char *const keys[] = {"case", "layer"};
    static char text[200];
    const struct ens_value *v[2];
    size_t n = 0;

    text[0] = '\0';
    for (size_t i = 0; ens_study_pair(s, "learner", row, keys, i, v); i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s/%s ", v[0]->text,
                              v[1]->text);
    return text;
}

START_TEST(values_together)
{
    static const char *const no_key[] = {"case", "none"};
    const struct ens_value *v[2];
    struct ens_study *s =
        parse(HEAD "[case s]\n[case t]\n[learner a]\nlearner = ridge\n"
                   "alpha = 1, 2\ncase = s, t\nlayer = 1, 3\n"
                   "[learner b]\nlearner = mean\nlayer = 2, 4\n"
                   "[learner c]\nlearner = ridge\n"
                   "grid = (case, layer), (s, 2), (t, 1), (s, 5)\n"
                   "[learner d]\nlearner = ridge\nlayer = 1, 2\n"
                   "grid = (case, alpha), (s, 2), (t, 1)\n");

    ck_assert_msg(s != NULL, "%s", ens_buf_text(&errors));
    ck_assert_str_eq(pairs(s, 0), "s/1 s/3 t/1 t/3 ");
    ck_assert_str_eq(pairs(s, 1), "/2 /4 ");
    ck_assert_str_eq(pairs(s, 2), "s/2 t/1 s/5 ");
    ck_assert_str_eq(pairs(s, 3), "s/1 s/2 t/1 t/2 ");
    ck_assert_str_eq(pairs(s, 4), "");
    ck_assert(!ens_study_pair(s, "learner", 0, no_key, 0, v));
    ck_assert(!ens_study_pair(s, "nobody", 0, no_key, 0, v));
    ens_study_free(s);
}
END_TEST

/* A layer whose settings are changed where it is the default one. */
START_TEST(changed_default)
{
    struct ens_study *a = parse(HEAD "[learner a]\nlearner = mean\n");
    struct ens_study *b = parse(HEAD "[learner a]\nlearner = mean\n"
                                     "[layer 1]\nfolds = 5\n");
    struct ens_study *c = parse(HEAD "[learner a]\nlearner = mean\n"
                                     "[layer]\nfolds = 5\n");

    ck_assert(a != NULL && b != NULL && c != NULL);
    ck_assert_uint_ne(id_of(a, 0), id_of(b, 0));
    ck_assert_uint_eq(id_of(b, 0), id_of(c, 0));
    ens_study_free(a);
    ens_study_free(b);
    ens_study_free(c);
}
END_TEST

/* The resolved study is the same study. */
START_TEST(written)
{
    struct ens_study *a =
        parse(HEAD "[case s]\nsteps = x\n" TWO "[layer]\nfolds = 4\n"
                   "[layer 2]\nfolds = 3\n"
                   "[meta]\nlearner = ridge\nalpha = 4\n");
    struct ens_buf text = ENS_BUF_INIT;
    struct ens_study *b;

    ck_assert_ptr_nonnull(a);
    ens_study_write(a, &text);
    b = parse(ens_buf_text(&text));
    ck_assert_msg(b != NULL, "%s\n%s", ens_buf_text(&errors),
                  ens_buf_text(&text));
    for (uint64_t i = 0; i < 3; i++)
        ck_assert_uint_eq(id_of(a, i), id_of(b, i));
    ck_assert(ens_study_row_value(b, "meta", "", "alpha")->d == 4);
    ens_buf_fini(&text);
    ens_study_free(a);
    ens_study_free(b);
}
END_TEST

static void refused(const char *text, const char *message)
{
    ck_assert_ptr_null(parse(text));
    ck_assert_msg(strstr(ens_buf_text(&errors), message) != NULL, "%s",
                  ens_buf_text(&errors));
}

START_TEST(errors_of_files)
{
    refused(HEAD TWO, "s.ini:6: [learner a] case: there is no [case s]");
    refused(HEAD "[case t]\n" TWO, "[learner a] case: no [case s]");
    refused(HEAD "[learner a]\nlearner = mean\nlayer = 0\n",
            "s.ini:5: [learner a] layer: \"0\" is no number from 1");
    refused(HEAD "[learner a]\nlearner = mean\n"
                 "[meta]\nlearner = ridge\nalpha = 1, 2\n",
            "s.ini:7: [meta] alpha: takes one value");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("beside");
    TCase *t = tcase_create("all");
    SRunner *runner;
    int failed;

    tcase_add_test(t, cells);
    tcase_add_test(t, content);
    tcase_add_test(t, names);
    tcase_add_test(t, values_together);
    tcase_add_test(t, changed_default);
    tcase_add_test(t, written);
    tcase_add_test(t, errors_of_files);
    suite_add_tcase(suite, t);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    ens_buf_fini(&errors);
    return failed != 0;
}
