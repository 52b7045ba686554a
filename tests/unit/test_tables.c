/* The tables of a small study whose journal is made by hand. */
#include "base/file.h"
#include "base/hash.h"
#include "export/tables.h"
#include "kind/registry.h"
#include "plan/task.h"
#include "store/epoch.h"
#include "store/journal.h"
#include "store/replay.h"
#include "worker/worker.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* -- a kind ------------------------------------------------------------------
 */

static const struct ens_setting settings[] = {
    {"toy", "level", ENS_T_NUM, ENS_AXIS, ENS_C_CELL, "1", 0, 100, NULL, "m",
     "height"},
};

static const struct ens_role roles[] = {{.name = "toy"}};

static const struct ens_field short_fields[] = {
    {"x", ENS_F64, "kg", "weight"},
    {"n", ENS_I64, "", "count"},
};
static const struct ens_field long_fields[] = {
    {"n", ENS_I64, "", "count"},
    {"note", ENS_TEXT, "", "remark"},
};

static enum ens_status toy_plan(const struct ens_host *host,
                                struct ens_plan *plan, struct ens_error *err)
{
    uint32_t index;
    enum ens_status s = host->plan_schema(plan, short_fields, 2, &index, err);

    if (s == ENS_OK)
        s = host->plan_stage(plan, "main", 0, NULL, NULL, NULL, 0, err);
    return s;
}

static enum ens_status
toy_measures(const struct ens_host *host, const struct ens_plan *plan,
             const struct ens_cell *cell, struct ens_records *in,
             ens_measure_fn *sink, void *arg, struct ens_error *err)
{
    struct ens_measure m = {.estimand = "all", .measure = "count", .mcse = NAN};
    const struct ens_schema *schema;
    struct ens_record r;

    (void)plan;
    (void)cell;
    while (host->next_record(in, &r, &schema)) {
        m.n_used += r.status == ENS_TASK_OK;
        m.n_missing += r.status != ENS_TASK_OK;
    }
    m.value = (double)m.n_used;
    return sink(arg, &m, err);
}

static const struct ens_kind toy = {
    .abi = ENS_ABI,
    .name = "toy",
    .help = "a toy",
    .results_version = 1,
    .settings = settings,
    .n_settings = 1,
    .roles = roles,
    .n_roles = 1,
    .plan = toy_plan,
};

static const struct ens_study_tables *find_toy(void *arg, const char *name)
{
    static struct ens_study_tables t;

    (void)arg;
    t = ens_kind_tables(&toy);
    return strcmp(name, "toy") == 0 ? &t : NULL;
}

/* -- a results folder ---------------------------------------------------------
 */

struct folder {
    char dir[64];
    struct ens_study *study;
    struct ens_kind kind;
    struct ens_plan plan;
    struct ens_epoch epoch;
    struct ens_journal *journal;
    struct ens_schemas schemas;
    struct ens_log log;
    struct ens_places *places;
};

static void wake(void *arg)
{
    (void)arg;
}

static enum ens_status put_cells(void *arg, const void *payload, size_t n)
{
    return ens_journal_append_frame(arg, ENS_FRAME_CELLS, payload, n);
}

static void put_schema(struct folder *f, const struct ens_field *fields,
                       size_t n)
{
    struct ens_buf b = ENS_BUF_INIT;
    size_t index;

    ck_assert_int_eq(ens_schemas_add(&f->schemas, fields, n, &index, NULL),
                     ENS_OK);
    ens_schema_encode(f->schemas.item[index], &b);
    ck_assert_int_eq(
        ens_journal_append_frame(f->journal, ENS_FRAME_SCHEMA, b.data, b.len),
        ENS_OK);
    ens_buf_fini(&b);
}

static void begin(struct folder *f, const char *text)
{
    static const char *const names[] = {"toy", NULL};
    struct ens_study_kinds kinds = {find_toy, names, NULL, NULL};
    struct ens_journal_options options = {.wake = wake};
    struct ens_buf b = ENS_BUF_INIT;
    struct ens_error err = {0};

    memset(f, 0, sizeof(*f));
    snprintf(f->dir, sizeof(f->dir), "/tmp/ensrun_tables_XXXXXX");
    ck_assert(mkdtemp(f->dir) != NULL);
    f->kind = toy;
    if (ens_study_parse(&f->study, "study.ini", text, strlen(text), "/tmp",
                        NULL, 0, &kinds, &b, &err) != ENS_OK)
        ck_abort_msg("%s", ens_buf_text(&b));
    ck_assert_int_eq(
        ens_plan_make(&f->plan, &ens_host, &f->kind, f->study, NULL, &err),
        ENS_OK);
    ck_assert_int_eq(ens_epoch_take(&f->epoch, f->dir, &err), ENS_OK);
    ck_assert_int_eq(ens_journal_open(&f->journal, &f->epoch, NULL, 0,
                                      ens_io_default(), &options, &err),
                     ENS_OK);
    ck_assert_int_eq(ens_cells_write(f->study, put_cells, f->journal), ENS_OK);
    ens_buf_clear(&b);
    ens_stage_encode(&f->plan.stage[0], &b);
    ck_assert_int_eq(
        ens_journal_append_frame(f->journal, ENS_FRAME_STAGE, b.data, b.len),
        ENS_OK);
    ens_buf_fini(&b);
    put_schema(f, short_fields, 2);
    put_schema(f, long_fields, 2);
}

struct task {
    uint64_t cell;
    uint32_t replicate;
    enum ens_outcome status;
    size_t schema;
    double x;
    int64_t n;
    const char *note;
    const char *warning[2];
};

static void put_task(struct folder *f, const struct task *t)
{
    struct ens_draft d = {0};
    struct ens_packer p = {.stage = f->plan.stage[0].id};
    struct ens_buf out = ENS_BUF_INIT;

    ck_assert_int_eq(ens_draft_begin(&d, f->schemas.item[t->schema]), ENS_OK);
    d.cell = t->cell;
    d.replicate = t->replicate;
    d.attempts = 1;
    d.worker = 3;
    d.seconds = 0.25;
    if (t->schema == 0)
        ens_draft_f64(&d, 0, t->x);
    ens_draft_i64(&d, t->schema == 0 ? 1 : 0, t->n);
    if (t->schema == 1 && t->note != NULL)
        ens_draft_item(&d, ENS_ITEM_TEXT, 1, t->note, strlen(t->note));
    for (int i = 0; i < 2 && t->warning[i] != NULL; i++)
        ens_draft_item(&d, ENS_ITEM_WARNING, 0, t->warning[i],
                       strlen(t->warning[i]));
    if (t->status != ENS_TASK_OK)
        ens_draft_fail(&d, t->status, t->note);
    ens_packer_add(&p, &d);
    ens_packer_flush(&p, &out, 0, 0, 0, f->epoch.run_id);
    ck_assert_int_eq(ens_journal_append(f->journal, out.data, out.len, 1),
                     ENS_OK);
    ens_buf_fini(&out);
    ens_packer_fini(&p);
    ens_draft_fini(&d);
}

static struct ens_tables_request finish(struct folder *f)
{
    struct ens_tables_request rq = {0};
    struct ens_error err = {0};
    uint64_t end;

    ck_assert_int_eq(ens_journal_close(f->journal, &end, &err), ENS_OK);
    ck_assert_int_eq(ens_epoch_close(&f->epoch, end, &err), ENS_OK);
    ck_assert_int_eq(ens_log_open(&f->log, f->dir, NULL, &err), ENS_OK);
    ck_assert_int_eq(ens_places_build(&f->places, f->dir, &f->log, NULL,
                                      f->study, &f->plan.stage[0], &err),
                     ENS_OK);
    rq.dir = f->dir;
    rq.plan = &f->plan;
    rq.host = &ens_host;
    rq.n_stages = 1;
    rq.stage = (const struct ens_places *const *)&f->places;
    rq.table_rows = 1000;
    return rq;
}

static void end(struct folder *f)
{
    char command[128];

    ens_places_free(f->places);
    ens_log_close(&f->log);
    ens_schemas_fini(&f->schemas);
    ens_plan_fini(&f->plan);
    ens_study_free(f->study);
    snprintf(command, sizeof(command), "rm -r '%s'", f->dir);
    ck_assert_int_eq(system(command), 0);
}

static const char *file_text(const struct folder *f, const char *name,
                             struct ens_buf *b)
{
    char path[128];
    struct ens_error err = {0};

    ens_buf_clear(b);
    snprintf(path, sizeof(path), "%s/%s", f->dir, name);
    ck_assert_int_eq(ens_file_read(b, path, 1 << 20, &err), ENS_OK);
    return ens_buf_text(b);
}

static int has_file(const struct folder *f, const char *name)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", f->dir, name);
    return access(path, F_OK) == 0;
}

/* -- tests
 * --------------------------------------------------------------------- */

#define STUDY                                                                  \
    "[study]\nkind = toy\nseed = 5\nreplicates = 3\n[toy]\nlevel = 1, 2.5\n"

static const struct task tasks[] = {
    {0, 1, ENS_TASK_OK, 0, 0.1, 7, NULL, {NULL, NULL}},
    {0, 2, ENS_TASK_OK, 0, 0.3, ENS_I64_MISSING, NULL, {"slow", "late"}},
    {0, 3, ENS_TASK_FAILED, 0, 9, 9, "no, \"not\" so", {NULL, NULL}},
    {1, 1, ENS_TASK_OK, 1, 0, -2, "a\nb", {NULL, NULL}},
    {1, 2, ENS_TASK_CRASHED, 0, 0, 0, "signal 11", {NULL, NULL}},
    {1, 3, ENS_TASK_OK, 1, 0, 4, NULL, {NULL, NULL}},
};
enum { N_TASKS = sizeof(tasks) / sizeof(tasks[0]) };

static void put_line(const struct folder *f, const struct task *t,
                     const char *level, const char *rest, struct ens_buf *out)
{
    struct ens_task task = {.stage = "main", .replicate = t->replicate};
    char hex[ENS_HEX64_BYTES];
    char label[64];

    ens_study_cell(f->study, t->cell, &task.cell);
    ens_hex64(hex, task.cell.hash[0]);
    ens_plan_label(&f->plan, &task, label, sizeof(label));
    ens_buf_printf(out, "%s,%s,%u,%llu,%s,%s,%s\n", label, hex, t->replicate,
                   (unsigned long long)ens_task_seed(&f->plan, "main",
                                                     &task.cell, t->replicate),
                   ens_outcome_text(t->status), level, rest);
}

START_TEST(tasks_are_the_same_whatever_the_order_of_arrival)
{
    static const int order[2][N_TASKS] = {{0, 1, 2, 3, 4, 5},
                                          {5, 3, 4, 2, 0, 1}};
    struct ens_buf want = ENS_BUF_INIT;
    struct ens_buf got = ENS_BUF_INIT;
    struct ens_tables_request rq;
    struct ens_error err = {0};
    struct folder f;

    begin(&f, STUDY);
    for (int i = 0; i < N_TASKS; i++)
        put_task(&f, &tasks[order[_i][i]]);
    put_task(&f, &tasks[0]); /* again: the first one counts */
    rq = finish(&f);
    ens_buf_puts(&want, "task,cell,replicate,seed,status,toy_level,x,n,note,"
                        "warnings,error\n");
    put_line(&f, &tasks[0], "1", "0.1,7,,,", &want);
    put_line(&f, &tasks[1], "1", "0.3,,,slow; late,", &want);
    put_line(&f, &tasks[2], "1", ",,,,\"no, \"\"not\"\" so\"", &want);
    put_line(&f, &tasks[3], "2.5", ",-2,\"a\nb\",,", &want);
    put_line(&f, &tasks[4], "2.5", ",,,,signal 11", &want);
    put_line(&f, &tasks[5], "2.5", ",4,,,", &want);
    ck_assert_int_eq(ens_tables_write(&rq, &err), ENS_OK);
    ck_assert_str_eq(file_text(&f, "tasks.csv", &got), ens_buf_text(&want));
    ens_buf_fini(&want);
    ens_buf_fini(&got);
    end(&f);
}
END_TEST

START_TEST(columns_say_unit_and_meaning)
{
    struct ens_buf got = ENS_BUF_INIT;
    struct ens_tables_request rq;
    struct ens_error err = {0};
    struct folder f;
    const char *text;

    begin(&f, STUDY);
    for (int i = 0; i < N_TASKS; i++)
        put_task(&f, &tasks[i]);
    rq = finish(&f);
    ck_assert_int_eq(ens_tables_write(&rq, &err), ENS_OK);
    text = file_text(&f, "columns.csv", &got);
    ck_assert(strstr(text, "name,type,unit,meaning\n") == text);
    ck_assert(strstr(text, "\ntoy_level,number,m,height\n") != NULL);
    ck_assert(strstr(text, "\nx,number,kg,weight\n") != NULL);
    ck_assert(strstr(text, "\nn,integer,,count\n") != NULL);
    ck_assert(strstr(text, "\nnote,text,,remark\n") != NULL);
    text = file_text(&f, "timings.csv", &got);
    ck_assert(strstr(text, ",1,0.25,3,1\n") != NULL);
    ens_buf_fini(&got);
    end(&f);
}
END_TEST

/* 0.1 and 0.3: mean 0.2, sd sqrt(0.02), errors by Morris et al. (2019). */
START_TEST(cells_have_means_with_monte_carlo_errors)
{
    struct ens_buf got = ENS_BUF_INIT;
    struct ens_tables_request rq;
    struct ens_error err = {0};
    struct folder f;
    const char *text;
    double value, mcse;

    begin(&f, STUDY);
    for (int i = 0; i < N_TASKS; i++)
        put_task(&f, &tasks[i]);
    rq = finish(&f);
    ck_assert_int_eq(ens_tables_write(&rq, &err), ENS_OK);
    text = file_text(&f, "cells.csv", &got);
    ck_assert(strstr(text, "cell,toy_level,estimand,measure,value,mcse,n_used,"
                           "n_missing\n") == text);
    ck_assert_int_eq(sscanf(strstr(text, ",1,x,mean,"), ",1,x,mean,%lf,%lf,2,1",
                            &value, &mcse),
                     2);
    ck_assert_double_eq_tol(value, 0.2, 1e-15);
    ck_assert_double_eq_tol(mcse, sqrt(0.02) / sqrt(2), 1e-15);
    ck_assert_int_eq(
        sscanf(strstr(text, ",1,x,sd,"), ",1,x,sd,%lf,%lf,2,1", &value, &mcse),
        2);
    ck_assert_double_eq_tol(value, sqrt(0.02), 1e-15);
    ck_assert_double_eq_tol(mcse, sqrt(0.02) / sqrt(2), 1e-15);
    ck_assert(strstr(text, ",1,n,mean,7,,1,2\n") != NULL);
    ck_assert(strstr(text, ",1,n,sd,,,1,2\n") != NULL);
    ck_assert(strstr(text, ",2.5,n,mean,1,3,2,1\n") != NULL);
    ck_assert(strstr(text, ",2.5,x,") == NULL); /* the cell has no such field */
    ck_assert(strstr(text, "note") == NULL);
    ens_buf_fini(&got);
    end(&f);
}
END_TEST

START_TEST(a_kind_measures_itself)
{
    struct ens_buf got = ENS_BUF_INIT;
    struct ens_tables_request rq;
    struct ens_error err = {0};
    struct folder f;
    const char *text;

    begin(&f, STUDY);
    f.kind.measures = toy_measures;
    for (int i = 0; i < N_TASKS; i++)
        put_task(&f, &tasks[i]);
    rq = finish(&f);
    ck_assert_int_eq(ens_tables_write(&rq, &err), ENS_OK);
    text = file_text(&f, "cells.csv", &got);
    ck_assert(strstr(text, ",1,all,count,2,,2,1\n") != NULL);
    ck_assert(strstr(text, ",2.5,all,count,2,,2,1\n") != NULL);
    ens_buf_fini(&got);
    end(&f);
}
END_TEST

START_TEST(large_tables_are_left_to_export)
{
    struct ens_tables_request rq;
    struct ens_error err = {0};
    struct folder f;

    begin(&f, STUDY);
    for (int i = 0; i < N_TASKS; i++)
        put_task(&f, &tasks[i]);
    rq = finish(&f);
    ck_assert_int_eq(ens_tables_write(&rq, &err), ENS_OK);
    ck_assert(has_file(&f, "tasks.csv") && has_file(&f, "timings.csv"));
    rq.table_rows = N_TASKS - 1;
    ck_assert_int_eq(ens_tables_write(&rq, &err), ENS_OK);
    ck_assert(!has_file(&f, "tasks.csv") && !has_file(&f, "timings.csv"));
    ck_assert(has_file(&f, "cells.csv") && has_file(&f, "columns.csv"));
    end(&f);
}
END_TEST

START_TEST(tasks_without_a_record_have_no_row)
{
    struct ens_selection sel = {"replicate,status", "status=ok", 0};
    struct ens_buf got = ENS_BUF_INIT;
    struct ens_tables_request rq;
    struct ens_tables *t;
    struct ens_sheet sheet;
    struct ens_out out;
    struct ens_error err = {0};
    struct folder f;
    char path[128];

    begin(&f, STUDY);
    put_task(&f, &tasks[2]);
    put_task(&f, &tasks[5]);
    rq = finish(&f);
    snprintf(path, sizeof(path), "%s/part.csv", f.dir);
    ck_assert_int_eq(ens_tables_open(&t, &rq, &err), ENS_OK);
    ck_assert_int_eq(
        ens_sheet_init(&sheet, t, ens_table_find("tasks"), &sel, &err), ENS_OK);
    ck_assert_int_eq(ens_out_create(&out, path, NULL, &err), ENS_OK);
    ck_assert_int_eq(
        ens_sheet_export(&sheet, ens_exporter_find("csv"), &out, &err), ENS_OK);
    ck_assert_int_eq(ens_out_commit(&out, &err), ENS_OK);
    ck_assert_str_eq(file_text(&f, "part.csv", &got),
                     "replicate,status\n3,ok\n");
    ens_sheet_fini(&sheet);
    sel.columns = "replicate,stauts";
    ck_assert_int_eq(
        ens_sheet_init(&sheet, t, ens_table_find("tasks"), &sel, &err),
        ENS_EUSAGE);
    ck_assert(strstr(err.text, "stauts") != NULL);
    ens_tables_close(t);
    ens_buf_fini(&got);
    end(&f);
}
END_TEST

/* The words are little-endian whatever the machine: a golden value. */
START_TEST(a_seed_is_a_function_of_identity)
{
    static const unsigned char words[32] = {
        5, [8] = 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, [24] = 9};
    unsigned char copy[32];
    struct ens_cell cell = {.hash = {0x1122334455667788, 1}};
    uint64_t stage = ens_hash64("main", 4);
    struct folder f;

    begin(&f, STUDY);
    memcpy(copy, words, 32);
    for (int i = 0; i < 8; i++)
        copy[16 + i] = (unsigned char)(stage >> (8 * i));
    ck_assert_uint_eq(ens_task_seed(&f.plan, "main", &cell, 9),
                      ens_hash64(copy, 32));
    finish(&f);
    end(&f);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tables");
    TCase *tc = tcase_create("tables");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_loop_test(tc, tasks_are_the_same_whatever_the_order_of_arrival, 0,
                        2);
    tcase_add_test(tc, columns_say_unit_and_meaning);
    tcase_add_test(tc, cells_have_means_with_monte_carlo_errors);
    tcase_add_test(tc, a_kind_measures_itself);
    tcase_add_test(tc, large_tables_are_left_to_export);
    tcase_add_test(tc, tasks_without_a_record_have_no_row);
    tcase_add_test(tc, a_seed_is_a_function_of_identity);
    suite_add_tcase(suite, tc);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
