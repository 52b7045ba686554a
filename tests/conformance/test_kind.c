/* What every kind must do, looped over their table, on studies that name each
 * of its parts. A new kind needs its line in `samples`. */
#include "base/buf.h"
#include "base/bug.h"
#include "base/file.h"
#include "export/tables.h"
#include "kind/plugin.h"
#include "kinds/kinds.h"
#include "run/run.h"

#include <check.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>

#define WELLS                                                                  \
    "[input wells]\npath = " TEST_DATA "/wells/wells.csv\nrows = 1:120\n"      \
    "[inputs]\nX = wells[arsenic, dist, educ]\ny = wells[switch]\n"

static const struct sample {
    const char *kind, *lines;
} samples[] = {
    {"synthetic", "[synthetic]\nfields = 3\ntext_bytes = 9\nfail_rate = 0.2\n"
                  "schema_varies = yes\nwork_us = 1\njitter = 0.5\n"},
    {"synthetic", "[synthetic]\narray_rows = 3000\nstages = 3\n"
                  "payload_bytes = 50\n"},
    {"simulation", "[data]\ngenerator = linear\nn = 8, 20\nslope = 1 -2\n"
                   "[fit]\nfitter = ols\nformula = y ~ x1 + x2\n"},
    {"command", "[axes]\nn = 1, 2\n[command]\n"
                "run = printf 'x=%s\\nt=a{{b\\n' {n}{seed31}\n"},
    {"simulation", "[inputs]\nwells = " TEST_DATA "/wells/wells.csv\n"
                   "[data]\ngenerator = bootstrap\ninput = wells\n"
                   "[fit]\nfitter = glm\nfamily = binomial\n"
                   "formula = switch ~ arsenic\n"},
    {"simulation", "[inputs]\nwells = " TEST_DATA "/wells/wells.csv\n"
                   "[data]\ngenerator = subsample\ninput = wells\n"
                   "rows = 0.1\ntest = 100\n"
                   "[fit]\nfitter = glm\nfamily = binomial\n"
                   "formula = switch ~ arsenic\n"},
    {"simulation", "[data]\ngenerator = linear\nn = 40\n"
                   "[fit]\nfitter = nuts\nfamily = student\nnu = 5\n"
                   "chains = 1\ndraws = 20\nformula = y ~ x1\n"},
    {"simulation", "[data]\ngenerator = prior_predictive\n"
                   "formula = y ~ x1\nfamily = student\nnu = 5\n"
                   "prior.b = normal(0, 1)\nprior.sigma = half_normal(1)\n"
                   "prior.intercept = student_t(3, 0, 1)\n"
                   "[fit]\nfitter = mock\ndraws = 20\nformula = y ~ x1\n"},
    {"simulation", "[inputs]\nwells = " TEST_DATA "/wells/wells.csv\n"
                   "[data]\ngenerator = permute\ninput = wells\n"
                   "response = switch\ntest = 0.9\n"
                   "[fit]\nfitter = glm\nfamily = binomial\n"
                   "formula = switch ~ arsenic\n"},
    {"simulation", "[inputs]\nwells = " TEST_DATA "/wells/wells.csv\n"
                   "[data]\ngenerator = fixed\ninput = wells\n"
                   "test = 0.9\n"
                   "[fit]\nfitter = glm\nfamily = binomial\n"
                   "formula = switch ~ arsenic\n"},
    {"simulation", "[data]\ngenerator = ar1\nn = 30\n"
                   "[fit]\nfitter = ridge\nformula = y ~ lag1\n"},
    {"simulation", "[data]\ngenerator = negbinomial\nn = 30\n"
                   "[fit]\nfitter = normal_inverse_gamma\n"
                   "formula = y ~ x1\n"},
    {"simulation", "[data]\ngenerator = gamma\nn = 30\n"
                   "[fit]\nfitter = glm\nfamily = gamma\n"
                   "formula = y ~ x1\n"},
    {"simulation", "[data]\ngenerator = hierarchical\n"
                   "[fit]\nfitter = nuts\nchains = 1\ndraws = 20\n"
                   "formula = y ~ x1 + (1 | g)\n"},
    {"simulation", "[data]\ngenerator = mixture\nn = 30\n"
                   "[fit]\nfitter = ols\nformula = y ~ x1\n"},
    {"simulation", "[data]\ngenerator = logistic\nn = 60\n"
                   "[fit]\nfitter = glm\nfamily = binomial\n"
                   "formula = y ~ x1\n"},
    {"superlearner",
     WELLS "[superlearner]\nfamily = binomial\nfolds = 2\n"
           "[case scaled]\npreprocess = standardise\n"
           "[learner mean]\n[learner logistic]\ncase = scaled\n"
           "[learner naive_bayes]\n[learner lda]\n[learner qda]\n"
           "[learner forest]\ntrees = 3\n[meta]\nlearner = ridge\n"},
    {"superlearner",
     WELLS "[superlearner]\nfolds = 2\n[layer 1]\ntype = blend\n"
           "[learner ridge]\n[learner lasso]\n[learner elastic_net]\n"
           "[learner ridge_cv]\n[learner lasso_cv]\n"
           "[learner elastic_net_cv]\n[learner svm_linear]\n"
           "[learner svm]\n[learner spline]\n[learner tree]\n"
           "[learner boost]\nrounds = 3\n"
           "[meta]\nlearner = lasso\n"},
    {"superlearner", WELLS "[superlearner]\nfolds = 2\nfamily = poisson\n"
                           "[learner poisson]\n[learner mean]\n"},
    {"superlearner", WELLS "[superlearner]\nfolds = 2\nfamily = binomial\n"
                           "[learner logistic]\n[meta]\nlearner = nnloglik\n"},
};
#define N_SAMPLES ((int)ENS_COUNT(samples))

static char dir[64], study[96];

static int remove_entry(const char *path, const struct stat *st, int flag,
                        struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static void setup(void)
{
    snprintf(dir, sizeof(dir), "/tmp/ensrun-kinds-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(study, sizeof(study), "%s/study.ini", dir);
    setenv("ENSRUN_CACHE", dir, 1);
}

static void teardown(void)
{
    nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void write_study(const struct sample *s)
{
    struct ens_buf b = ENS_BUF_INIT;

    ens_buf_printf(&b, "[study]\nkind = %s\nseed = 7\nreplicates = 6\n%s",
                   s->kind, s->lines);
    ck_assert_int_eq(ens_file_replace(study, b.data, b.len, NULL), ENS_OK);
    ens_buf_fini(&b);
}

static enum ens_status run(const char *name, const char *transport,
                           uint32_t workers, const char *set,
                           struct ens_error *err)
{
    struct ens_override override = {.text = set};
    struct ens_run_options o = {.study = study,
                                .results = name,
                                .set = &override,
                                .n_set = set != NULL,
                                .workers = workers,
                                .transport = transport,
                                .program = ENSRUN_PROGRAM,
                                .kinds = &ens_kinds};
    struct ens_run_report report;
    struct ens_buf errors = ENS_BUF_INIT;
    enum ens_status s = ens_run(&o, &report, &errors, err);

    ens_buf_fini(&errors);
    return s;
}

static void must_run(const char *name, const char *transport, uint32_t workers)
{
    struct ens_error err = {0};

    ck_assert_msg(run(name, transport, workers, NULL, &err) == ENS_OK, "%s",
                  err.text);
}

static void must_equal(const char *a, const char *b, const char *file)
{
    struct ens_buf x = ENS_BUF_INIT;
    struct ens_buf y = ENS_BUF_INIT;
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", a, file);
    ck_assert_int_eq(ens_file_read(&x, path, 1 << 20, NULL), ENS_OK);
    snprintf(path, sizeof(path), "%s/%s", b, file);
    ck_assert_int_eq(ens_file_read(&y, path, 1 << 20, NULL), ENS_OK);
    ck_assert_uint_gt(x.len, 40);
    ck_assert_uint_eq(x.len, y.len);
    ck_assert_msg(memcmp(x.data, y.data, x.len) == 0, "%s differs", file);
    ens_buf_fini(&x);
    ens_buf_fini(&y);
}

START_TEST(every_kind_has_a_sample)
{
    int found = 0;

    for (int i = 0; i < N_SAMPLES; i++)
        found |= strcmp(samples[i].kind, ens_kinds.item[_i]->name) == 0;
    ck_assert_msg(found, "%s", ens_kinds.item[_i]->name);
}
END_TEST

START_TEST(same_task_same_bits_twice_and_forked)
{
    static const char *const files[] = {"tasks.csv", "cells.csv",
                                        "columns.csv"};
    char a[96], b[96], c[96];

    write_study(&samples[_i]);
    snprintf(a, sizeof(a), "%s/a", dir);
    snprintf(b, sizeof(b), "%s/b", dir);
    snprintf(c, sizeof(c), "%s/c", dir);
    must_run(a, "inline", 1);
    must_run(b, "fork", 3);
    must_run(c, "fork", 1);
    for (size_t i = 0; i < ENS_COUNT(files); i++) {
        must_equal(a, b, files[i]);
        must_equal(a, c, files[i]);
    }
}
END_TEST

/* Refused as a value, not as a key that is unknown here. */
static int refuses_nan(const struct ens_setting *s)
{
    struct ens_error err = {0};
    char set[128], r[96];

    snprintf(set, sizeof(set), "%s.%s=nan", s->section, s->key);
    snprintf(r, sizeof(r), "%s/nan", dir);
    ck_assert_msg(run(r, "inline", 1, set, &err) == ENS_ESTUDY, "%s", set);
    return strstr(err.text, "\"nan\" is not a number") != NULL;
}

static void check_settings(const struct ens_kind *k,
                           const struct ens_setting *item, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct ens_setting *s = &item[i];
        int found = 0;

        ck_assert_msg(s->help != NULL && s->help[0] != '\0', "%s", s->key);
        ck_assert_msg(s->unit == NULL || s->unit[0] != '\0', "%s", s->key);
        if (s->type != ENS_T_NUM || strchr(s->section, '(') != NULL)
            continue;
        for (int j = 0; j < N_SAMPLES && !found; j++) {
            if (strcmp(samples[j].kind, k->name) != 0)
                continue;
            write_study(&samples[j]);
            found = refuses_nan(s);
        }
        ck_assert_msg(found, "%s.%s = nan", s->section, s->key);
    }
}

START_TEST(settings_are_described_and_refuse_nan)
{
    const struct ens_kind *k = ens_kinds.item[_i];

    ck_assert_uint_gt(strlen(k->help), 0);
    ck_assert_uint_ge(k->results_version, 1);
    check_settings(k, k->settings, k->n_settings);
    for (size_t i = 0; i < k->n_roles; i++)
        for (size_t j = 0; j < k->roles[i].n_impls; j++)
            check_settings(k, k->roles[i].impls[j].settings,
                           k->roles[i].impls[j].n_settings);
    for (size_t i = 0; i < k->n_retained; i++)
        ck_assert_uint_gt(strlen(k->retained[i].help), 0);
}
END_TEST

/* By the rules for plugins. */
START_TEST(tables_are_sound)
{
    const struct ens_kind *k = ens_kinds.item[_i];
    struct ens_table_def table = {0};
    struct ens_kind spoilt = *k;
    const struct ens_kind *const kinds[] = {&spoilt};
    struct ens_plugin plugin = {.kinds = kinds, .n_kinds = 1};
    struct ens_error err = {0};
    const struct ens_table *t;

    for (size_t i = 0; i < k->n_tables; i++)
        ck_assert_uint_gt(strlen(k->tables[i].help), 0);
    spoilt.n_settings = spoilt.n_roles = 0; /* others' rules */
    ck_assert_msg(ens_plugin_check(&plugin, &err) == ENS_OK, "%s", err.text);
    spoilt.tables = &table;
    spoilt.n_tables = 1;
    for (size_t i = 0; (t = ens_table_at(i)) != NULL; i++) {
        ck_assert_ptr_null(ens_table_of_kind(k, ens_table_name(t)));
        table.name = ens_table_name(t);
        ck_assert_int_eq(ens_plugin_check(&plugin, &err), ENS_ESTUDY);
        ck_assert_ptr_nonnull(strstr(err.text, "one of the program's"));
    }
}
END_TEST

static enum ens_status write_nothing(const struct ens_host *host,
                                     const struct ens_plan *plan,
                                     struct ens_tables_in *in,
                                     ens_bytes_fn *put, void *arg,
                                     struct ens_error *err)
{
    (void)host;
    (void)plan;
    (void)in;
    (void)put;
    (void)arg;
    (void)err;
    return ENS_ENOTFOUND;
}

START_TEST(files_have_names_of_their_own)
{
    static const char *const bad[] = {
        "study.ini",    "run.json", "log.txt", "tasks.csv",
        "arrays/x.npy", "model",    ".ens",    "x."};
    const struct ens_kind *k = ens_kinds.item[_i];
    struct ens_file_def file[2] = {{"model.ens", "help", write_nothing},
                                   {"model.ens", "help", write_nothing}};
    struct ens_kind spoilt = *k;
    const struct ens_kind *const kinds[] = {&spoilt};
    struct ens_plugin plugin = {.kinds = kinds, .n_kinds = 1};
    struct ens_error err = {0};

    spoilt.n_settings = spoilt.n_roles = 0; /* others' rules */
    ck_assert_msg(ens_plugin_check(&plugin, &err) == ENS_OK, "%s", err.text);
    spoilt.files = file;
    spoilt.n_files = 1;
    ck_assert_msg(ens_plugin_check(&plugin, &err) == ENS_OK, "%s", err.text);
    spoilt.n_files = 2; /* twice */
    ck_assert_int_eq(ens_plugin_check(&plugin, &err), ENS_ESTUDY);
    spoilt.n_files = 1;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        file[0].name = bad[i];
        ck_assert_msg(ens_plugin_check(&plugin, &err) == ENS_ESTUDY, "%s",
                      bad[i]);
    }
}
END_TEST

/* columns.csv: name,type,unit,meaning. */
START_TEST(fields_have_a_meaning)
{
    struct ens_buf b = ENS_BUF_INIT;
    char a[96], path[128];
    int n = 0;

    write_study(&samples[_i]);
    snprintf(a, sizeof(a), "%s/a", dir);
    must_run(a, "inline", 1);
    snprintf(path, sizeof(path), "%s/columns.csv", a);
    ck_assert_int_eq(ens_file_read(&b, path, 1 << 20, NULL), ENS_OK);
    ens_buf_u8(&b, '\0');
    ck_assert_int_eq(b.failed, 0);
    for (char *save, *line = strtok_r((char *)b.data, "\n", &save);
         line != NULL; line = strtok_r(NULL, "\n", &save)) {
        ck_assert_msg(line[strlen(line) - 1] != ',', "%s", line);
        n++;
    }
    ck_assert_int_gt(n, 8);
    ens_buf_fini(&b);
}
END_TEST

int main(void)
{
    int n_kinds = (int)ens_kinds.n;
    Suite *s = suite_create("kinds");
    TCase *t = tcase_create("each");
    SRunner *r;
    int failed;

    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, every_kind_has_a_sample, 0, n_kinds);
    tcase_add_loop_test(t, settings_are_described_and_refuse_nan, 0, n_kinds);
    tcase_add_loop_test(t, tables_are_sound, 0, n_kinds);
    tcase_add_loop_test(t, files_have_names_of_their_own, 0, n_kinds);
    tcase_add_loop_test(t, same_task_same_bits_twice_and_forked, 0, N_SAMPLES);
    tcase_add_loop_test(t, fields_have_a_meaning, 0, N_SAMPLES);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? 0 : 1;
}
