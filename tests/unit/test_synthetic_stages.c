/* The course of a synthetic study: what it plans, and what `next` decides
 * from records that the test makes up. */
#include "base/bug.h"
#include "config/study.h"
#include "kinds/kinds.h"
#include "kinds/synthetic/stages.h"
#include "plan/plan.h"
#include "worker/worker.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct ens_study_tables tables;

static const struct ens_study_tables *find_kind(void *arg, const char *name)
{
    const struct ens_kind *k = ens_kind_find(&ens_kinds, name);

    (void)arg;
    if (k == NULL)
        return NULL;
    tables = ens_kind_tables(k);
    return &tables;
}

static const char *const kind_names[] = {"synthetic", NULL};
static const struct ens_study_kinds kinds = {find_kind, kind_names, NULL, NULL};

struct course {
    struct ens_study *study;
    struct ens_plan plan;
    struct ens_error err;
    enum ens_status status;
};

static void begin(struct course *c, const char *synthetic)
{
    struct ens_buf text = ENS_BUF_INIT, errors = ENS_BUF_INIT;

    memset(c, 0, sizeof(*c));
    ens_buf_printf(&text, "[study]\nkind = synthetic\nreplicates = 5\n%s",
                   synthetic);
    c->status = ens_study_parse(&c->study, "test.ini", text.data, text.len,
                                "/tmp", NULL, 0, &kinds, &errors, &c->err);
    ck_assert_msg(c->status == ENS_OK, "%s", ens_buf_text(&errors));
    c->status = ens_plan_make(&c->plan, &ens_host, &ens_kind_synthetic,
                              c->study, NULL, &c->err);
    ens_buf_fini(&text);
    ens_buf_fini(&errors);
}

static void end(struct course *c)
{
    if (c->status == ENS_OK)
        ens_plan_fini(&c->plan);
    ens_study_free(c->study);
}

START_TEST(one_stage_of_replicates)
{
    struct course c;

    begin(&c, "[synthetic]\nfields = 2, 3\n");
    ck_assert_msg(c.status == ENS_OK, "%s", c.err.text);
    ck_assert_uint_eq(c.plan.n_stages, 1);
    ck_assert_str_eq(c.plan.stage[0].key, "stage1");
    ck_assert_uint_eq(ens_stage_n_tasks(&c.plan.stage[0]), 10);
    ck_assert_uint_eq(c.plan.stage[0].flags & ENS_STAGE_FIXED, 0);
    ck_assert_uint_eq(c.plan.schemas.n, 2);
    ck_assert_uint_eq(c.plan.n_arrays, 0);
    end(&c);
}
END_TEST

START_TEST(a_task_per_1000_rows)
{
    struct course c;
    struct ens_cell cell;
    uint64_t shape[ENS_MAX_NDIM], n, first;
    uint32_t ndim;

    begin(&c, "[synthetic]\narray_rows = 1000, 1001, 2500\nstages = 3\n");
    ck_assert_msg(c.status == ENS_OK, "%s", c.err.text);
    ck_assert_uint_eq(ens_stage_n_tasks(&c.plan.stage[0]), 1 + 2 + 3);
    ck_assert_uint_eq(c.plan.stage[0].flags & ENS_STAGE_FIXED, ENS_STAGE_FIXED);
    ck_assert_uint_eq(c.plan.n_arrays, 3);
    ck_assert_uint_eq(c.plan.stage[0].n_writes, 1);
    ck_assert_uint_eq(c.plan.stage[0].n_reads, 0);
    ens_plan_cell(&c.plan, 2, &cell);
    ck_assert_int_eq(
        ens_plan_array_shape(&c.plan, "block1", &cell, &ndim, shape, &n, NULL),
        ENS_OK);
    ck_assert_uint_eq(ndim, 1);
    ck_assert_uint_eq(n, 2500);
    ck_assert_int_eq(ens_synthetic_array_region(NULL, &c.plan, "block1", &cell,
                                                3, &first, &n),
                     ENS_OK);
    ck_assert_uint_eq(first, 2000);
    ck_assert_uint_eq(n, 500);
    ck_assert_int_ne(ens_synthetic_array_region(NULL, &c.plan, "block1", &cell,
                                                4, &first, &n),
                     ENS_OK);
    end(&c);
}
END_TEST

START_TEST(arrays_in_some_cells_are_refused)
{
    struct course c;

    begin(&c, "[synthetic]\narray_rows = 0, 1000\n");
    ck_assert_int_eq(c.status, ENS_ESTUDY);
    ck_assert_ptr_nonnull(strstr(c.err.text, "array_rows"));
    end(&c);
}
END_TEST

START_TEST(rows_need_an_input)
{
    struct course c;

    begin(&c, "[synthetic]\nrows = 7\n");
    ck_assert_int_eq(c.status, ENS_ESTUDY);
    ck_assert_ptr_nonnull(strstr(c.err.text, "rows = 7"));
    end(&c);
}
END_TEST

/* -- next ---------------------------------------------------------------- */

/* Records of a stage without arrays: `chain` of each task is its cell's
 * ordinal + 1; task 1 of every cell failed. */
static struct made {
    uint64_t n_cells, cell;
    uint32_t replicate;
    const struct ens_schema *schema;
    unsigned char fields[16];
} made;

static int next_made(struct ens_records *in, struct ens_record *r,
                     const struct ens_schema **schema)
{
    struct ens_buf b = ENS_BUF_INIT;

    (void)in;
    if (made.cell == made.n_cells)
        return 0;
    memset(r, 0, sizeof(*r));
    r->cell = made.cell;
    r->replicate = ++made.replicate;
    r->status = made.replicate == 1 ? ENS_TASK_FAILED : ENS_TASK_OK;
    ens_buf_f64(&b, 0.5);
    ens_buf_f64(&b, (double)(made.cell + 1));
    memcpy(made.fields, b.data, sizeof(made.fields));
    ens_buf_fini(&b);
    r->n_fields = 2;
    r->fields = made.fields;
    *schema = made.schema;
    if (made.replicate == 5) {
        made.replicate = 0;
        made.cell++;
    }
    return 1;
}

static void ask(struct course *c, struct ens_plan *answer, uint32_t s)
{
    struct ens_host host = ens_host;
    enum ens_status status;

    host.next_record = next_made;
    made = (struct made){.n_cells = ens_plan_n_cells(&c->plan),
                         .schema = c->plan.schemas.item[0]};
    ens_plan_answer(answer, &c->plan, s);
    status = ens_synthetic_next(&host, s, NULL, answer, &c->err);
    ck_assert_msg(status == ENS_OK, "%s", c->err.text);
}

static double total_of(const struct course *c, const struct ens_plan *answer,
                       uint64_t ordinal)
{
    struct ens_cell cell;
    double total = -1;

    ens_plan_cell(&c->plan, ordinal, &cell);
    if (ens_synthetic_total(answer->stage_data[0].data,
                            answer->stage_data[0].len, cell.hash[0],
                            &total) != 0)
        return -1;
    return total;
}

START_TEST(sums_are_handed_down)
{
    struct course c;
    struct ens_plan answer;

    begin(&c, "[synthetic]\nstages = 3\nsleep_us = 0, 1, 2\n");
    ck_assert_msg(c.status == ENS_OK, "%s", c.err.text);
    ask(&c, &answer, 1);
    ck_assert_uint_eq(answer.n_stages, 1);
    ck_assert_str_eq(answer.stage[0].key, "stage2");
    ck_assert_uint_eq(answer.stage[0].index, 1);
    ck_assert_uint_eq(answer.stage[0].flags & ENS_STAGE_FIXED, 0);
    ck_assert_uint_eq(ens_stage_n_tasks(&answer.stage[0]), 15);
    for (uint64_t i = 0; i < 3; i++)
        ck_assert(total_of(&c, &answer, i) == 4 * (double)(i + 1));
    ens_plan_fini(&answer);
    ask(&c, &answer, 3);
    ck_assert_uint_eq(answer.n_stages, 0);
    ens_plan_fini(&answer);
    end(&c);
}
END_TEST

START_TEST(cells_end_by_themselves)
{
    struct course c;
    struct ens_plan answer;

    /* sums 4, 8, 12 and 16, against bounds of 100, 1, 100 and 1 */
    begin(&c, "[synthetic]\nstages = 3\nsleep_us = 0, 1\ndecide = 100, 1\n");
    ck_assert_msg(c.status == ENS_OK, "%s", c.err.text);
    ask(&c, &answer, 1);
    ck_assert_uint_eq(answer.n_stages, 1);
    ck_assert_uint_eq(ens_stage_replicates(&answer.stage[0], 0), 5);
    ck_assert_uint_eq(ens_stage_replicates(&answer.stage[0], 1), 0);
    ck_assert_uint_eq(ens_stage_replicates(&answer.stage[0], 2), 5);
    ck_assert_uint_eq(ens_stage_replicates(&answer.stage[0], 3), 0);
    ck_assert(total_of(&c, &answer, 1) == -1);
    ck_assert(total_of(&c, &answer, 2) == 12);
    ens_plan_fini(&answer);
    end(&c);
}
END_TEST

START_TEST(until_ends_early)
{
    struct course c;
    struct ens_plan answer;

    begin(&c, "[synthetic]\nstages = 3\nuntil = 2\n");
    ck_assert_msg(c.status == ENS_OK, "%s", c.err.text);
    ask(&c, &answer, 1);
    ck_assert_uint_eq(answer.n_stages, 1);
    ens_plan_fini(&answer);
    ask(&c, &answer, 2);
    ck_assert_uint_eq(answer.n_stages, 0);
    ens_plan_fini(&answer);
    end(&c);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("synthetic_stages");
    TCase *t = tcase_create("synthetic_stages");
    SRunner *runner;
    int n_failed;

    tcase_add_test(t, one_stage_of_replicates);
    tcase_add_test(t, a_task_per_1000_rows);
    tcase_add_test(t, arrays_in_some_cells_are_refused);
    tcase_add_test(t, rows_need_an_input);
    tcase_add_test(t, sums_are_handed_down);
    tcase_add_test(t, cells_end_by_themselves);
    tcase_add_test(t, until_ends_early);
    suite_add_tcase(suite, t);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
