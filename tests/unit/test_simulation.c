/* Kind `simulation` under a host of its own: what it plans, that a task is a
 * function of its identity, and its measures against formulas by hand. Whole
 * runs: tests/system. */
#include "base/bug.h"
#include "base/hash.h"
#include "kinds/kinds.h"
#include "math/rng.h"
#include "plan/plan.h"
#include "worker/worker.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FIELDS 32

/* -- a host -----------------------------------------------------------------
 */

struct ens_result {
    const struct ens_task *task;
    struct ens_arena arena;
    struct ens_rng rng;
    uint32_t schema;
    double value[MAX_FIELDS];
    size_t n_warnings;
    char warning[128];
    struct ens_hash128 data, fit; /* of the artifacts */
    size_t data_bytes, fit_bytes;
    unsigned char head[10];
};

static void use_schema(struct ens_result *r, uint32_t index)
{
    r->schema = index;
}

static void f64(struct ens_result *r, uint32_t field, double v)
{
    ck_assert_uint_lt(field, MAX_FIELDS);
    r->value[field] = v;
}

static void warn(struct ens_result *r, const char *text)
{
    r->n_warnings++;
    snprintf(r->warning, sizeof(r->warning), "%s", text);
}

static enum ens_status artifact(struct ens_result *r, const char *item,
                                const void *data, size_t bytes,
                                struct ens_error *err)
{
    (void)err;
    memcpy(r->head, data, sizeof(r->head));
    if (strcmp(item, "data") == 0) {
        r->data = ens_hash128(data, bytes);
        r->data_bytes = bytes;
    } else {
        ck_assert_str_eq(item, "fit");
        r->fit = ens_hash128(data, bytes);
        r->fit_bytes = bytes;
    }
    return ENS_OK;
}

static int keeps(const struct ens_result *r, const char *item)
{
    (void)r;
    (void)item;
    return 1;
}

static void *alloc(struct ens_result *r, size_t n, size_t size)
{
    return ens_arena_alloc(&r->arena, n, size);
}

static struct ens_rng *rng(struct ens_result *r, const char *purpose)
{
    ck_assert_str_eq(purpose, "data");
    ens_rng_set(&r->rng, 1, r->task->cell.data_hash[0], r->task->replicate,
                ens_rng_stream(r->task->stage, purpose));
    return &r->rng;
}

/* Records of a measure test: rows of values, the status of each. */
struct ens_records {
    const struct ens_schema *schema;
    const double *values; /* n x schema->n */
    const enum ens_outcome *status;
    size_t n, next;
    unsigned char words[8 * MAX_FIELDS];
};

static int next_record(struct ens_records *in, struct ens_record *rec,
                       const struct ens_schema **schema)
{
    size_t p = in->schema->n;

    if (in->next == in->n)
        return 0;
    memcpy(in->words, in->values + in->next * p, 8 * p);
    memset(rec, 0, sizeof(*rec));
    rec->status = in->status ? in->status[in->next] : ENS_TASK_OK;
    rec->n_fields = p;
    rec->fields = in->words;
    *schema = in->schema;
    in->next++;
    return 1;
}

static struct ens_host fake_host(void)
{
    struct ens_host h = ens_host; /* plan functions are the real ones */

    h.use_schema = use_schema;
    h.f64 = f64;
    h.warn = warn;
    h.artifact = artifact;
    h.keeps = keeps;
    h.alloc = alloc;
    h.rng = rng;
    h.next_record = next_record;
    return h;
}

/* -- a study -----------------------------------------------------------------
 */

static const struct ens_study_tables *find_tables(void *arg, const char *name)
{
    struct ens_study_tables *t = arg;

    return strcmp(name, "simulation") == 0 ? t : NULL;
}

struct fixture {
    struct ens_study_tables tables;
    struct ens_study *study;
    struct ens_plan plan;
    struct ens_inputs inputs;
    struct ens_host host;
    void *state;
    struct ens_error err;
};

/* What is said when it does not plan is left in err. */
static enum ens_status begin(struct fixture *x, const char *text,
                             struct ens_mapped *input)
{
    static const char *const names[] = {"simulation", NULL};
    struct ens_study_kinds kinds = {find_tables, names, &x->tables, NULL};
    struct ens_buf errors = ENS_BUF_INIT;
    enum ens_status s;

    memset(x, 0, sizeof(*x));
    x->tables = ens_kind_tables(&ens_kind_simulation);
    x->host = fake_host();
    x->inputs.item = input;
    x->inputs.n = input ? 1 : 0;
    s = ens_study_parse(&x->study, "test.ini", text, strlen(text), "/nowhere",
                        NULL, 0, &kinds, &errors, &x->err);
    ck_assert_msg(s == ENS_OK, "%s %s", x->err.text, ens_buf_text(&errors));
    ens_buf_fini(&errors);
    s = ens_plan_make(&x->plan, &x->host, &ens_kind_simulation, x->study,
                      &x->inputs, &x->err);
    if (s == ENS_OK)
        s = ens_kind_simulation.open(&x->host, &x->plan, &x->state, &x->err);
    return s;
}

static void end(struct fixture *x)
{
    ens_kind_simulation.close(x->state);
    ens_plan_fini(&x->plan);
    ens_study_free(x->study);
}

static enum ens_status run(struct fixture *x, uint64_t cell, uint32_t replicate,
                           struct ens_result *r)
{
    struct ens_task task = {.stage = "fit", .replicate = replicate};
    enum ens_status s;

    memset(r, 0, sizeof(*r));
    r->task = &task;
    memset(&x->err, 0, sizeof(x->err));
    ens_study_cell(x->study, cell, &task.cell);
    s = ens_kind_simulation.cell(x->state, &task.cell, &x->err);
    ck_assert_msg(s == ENS_OK, "%s", x->err.text);
    s = ens_kind_simulation.run(x->state, &task, r, &x->err);
    r->task = NULL;
    ens_arena_fini(&r->arena);
    return s;
}

#define HEAD                                                                   \
    "[study]\nkind = simulation\nname = t\nseed = 1\nreplicates = 300\n"

static const char two_by_three[] =
    HEAD "[data]\ngenerator = linear\nn = 20, 50\nintercept = 1\n"
         "slope = 2 0.5\nsigma = 3\n"
         "[fit full]\nfitter = ols\nformula = y ~ x1 + x2\n"
         "[fit short]\nfitter = ols\nformula = y ~ x1\n"
         "[fit same]\nfitter = glm\nformula = y ~ x1 + x2\nlevel = 0.5\n";

START_TEST(plan_declares_a_schema_per_list_of_terms)
{
    struct fixture x;
    const struct ens_schema *s;

    ck_assert_msg(begin(&x, two_by_three, NULL) == ENS_OK, "%s", x.err.text);
    ck_assert_uint_eq(x.plan.n_stages, 1);
    ck_assert_str_eq(x.plan.stage[0].key, "fit");
    ck_assert_uint_eq(x.plan.schemas.n, 2);
    s = x.plan.schemas.item[0];
    ck_assert_uint_eq(s->n, 12);
    ck_assert_str_eq(s->field[0].name, "estimate__intercept");
    ck_assert_str_eq(s->field[1].name, "estimate__x1");
    ck_assert_str_eq(s->field[5].name, "std_error__x2");
    ck_assert_str_eq(s->field[6].name, "conf_low__intercept");
    ck_assert_str_eq(s->field[11].name, "conf_high__x2");
    ck_assert_uint_eq(x.plan.schemas.item[1]->n, 8);
    end(&x);
}
END_TEST

START_TEST(label_names_data_fit_and_replicate)
{
    struct fixture x;
    struct ens_task task = {.stage = "fit", .replicate = 3};
    char text[64];

    ck_assert_int_eq(begin(&x, two_by_three, NULL), ENS_OK);
    ens_study_cell(x.study, 4, &task.cell);
    ens_plan_label(&x.plan, &task, text, sizeof(text));
    ck_assert_str_eq(text, "d002_f002_r00003");
    end(&x);
}
END_TEST

START_TEST(same_task_same_bits_and_same_data_for_every_fit)
{
    struct fixture x;
    struct ens_result a, b, c, d;

    ck_assert_int_eq(begin(&x, two_by_three, NULL), ENS_OK);
    ck_assert_int_eq(run(&x, 0, 7, &a), ENS_OK);
    ck_assert_int_eq(run(&x, 1, 7, &b), ENS_OK);
    ck_assert_int_eq(run(&x, 2, 7, &c), ENS_OK);
    ck_assert_int_eq(run(&x, 0, 7, &d), ENS_OK);
    ck_assert(memcmp(a.value, d.value, sizeof(a.value)) == 0);
    ck_assert_uint_eq(a.data.low, b.data.low);
    ck_assert_uint_eq(a.data.low, c.data.low);
    ck_assert_uint_eq(a.fit.low, d.fit.low);
    ck_assert_uint_eq(a.schema, 0);
    ck_assert_uint_eq(b.schema, 1);
    ck_assert_uint_eq(c.schema, 0);
    for (size_t k = 0; k < 6; k++) /* glm gaussian is ols, but for its level */
        ck_assert(a.value[k] == c.value[k]);
    ck_assert(a.value[6] < c.value[6]);
    ck_assert_int_eq(run(&x, 0, 8, &d), ENS_OK);
    ck_assert_uint_ne(a.data.low, d.data.low);
    ck_assert_int_eq(run(&x, 3, 7, &d), ENS_OK); /* n = 50 */
    ck_assert_uint_eq(d.data_bytes, 128 + 50 * 3 * 8);
    ck_assert_uint_eq(d.fit_bytes, 128 + 3 * 4 * 8);
    ck_assert(memcmp(d.head, "\x93NUMPY\x01\x00\x76\x00", 10) == 0);
    end(&x);
}
END_TEST

/* -- measures
 * ------------------------------------------------------------------ */

struct row {
    char estimand[32], measure[32];
    double value, mcse;
    uint64_t n_used, n_missing;
};

struct rows {
    size_t n;
    struct row row[64];
};

static enum ens_status keep(void *arg, const struct ens_measure *m,
                            struct ens_error *err)
{
    struct rows *all = arg;
    struct row *r = &all->row[all->n++];

    (void)err;
    ck_assert_uint_le(all->n, 64);
    snprintf(r->estimand, sizeof(r->estimand), "%s", m->estimand);
    snprintf(r->measure, sizeof(r->measure), "%s", m->measure);
    r->value = m->value;
    r->mcse = m->mcse;
    r->n_used = m->n_used;
    r->n_missing = m->n_missing;
    return ENS_OK;
}

static void measure(struct fixture *x, uint64_t cell, const double *values,
                    const enum ens_outcome *status, size_t n, uint32_t schema,
                    struct rows *rows)
{
    struct ens_records in = {.schema = x->plan.schemas.item[schema],
                             .values = values,
                             .status = status,
                             .n = n};
    struct ens_cell c;

    rows->n = 0;
    ens_study_cell(x->study, cell, &c);
    ck_assert_int_eq(ens_kind_simulation.measures(&x->host, &x->plan, &c, &in,
                                                  keep, rows, &x->err),
                     ENS_OK);
}

static const struct row *find(const struct rows *rows, const char *estimand,
                              const char *measure)
{
    for (size_t i = 0; i < rows->n; i++)
        if (strcmp(rows->row[i].estimand, estimand) == 0 &&
            strcmp(rows->row[i].measure, measure) == 0)
            return &rows->row[i];
    return NULL;
}

static void check(const struct rows *rows, const char *estimand,
                  const char *measure, double value, double mcse,
                  uint64_t n_used, uint64_t n_missing)
{
    const struct row *r = find(rows, estimand, measure);

    ck_assert_msg(r != NULL, "%s %s", estimand, measure);
    ck_assert_msg(fabs(r->value - value) < 1e-12 &&
                      fabs(r->mcse - mcse) < 1e-12,
                  "%s %s: %.17g %.17g", estimand, measure, r->value, r->mcse);
    ck_assert_uint_eq(r->n_used, n_used);
    ck_assert_uint_eq(r->n_missing, n_missing);
}

/* Estimates 1 2 2 4 of a truth of 2, standard errors 1 1 2 1; in R:
 *   e <- c(1,2,2,4); s <- c(1,1,2,1); d <- (e-2)^2; n <- 4
 *   mean(e); sd(e)/sqrt(n); sd(e); sd(e)/sqrt(2*(n-1)); m <- sqrt(mean(s^2))
 *   m; sqrt(var(s^2)/(4*n*m^2)); mean(e)-2; sqrt(mean(d))
 *   sqrt(sum((d-mean(d))^2)/(n*(n-1)))/(2*sqrt(mean(d))) */
START_TEST(measures_are_those_of_morris_et_al)
{
    static const double v[6][8] = {
        {1, 1, 1, 1, 0, 0, 3, 3},   /* second term: 0 < 2 < 3 holds */
        {1, 2, 1, 1, 0, 0, 3, 1.5}, /* does not */
        {NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN},
        {1, 2, 1, 2, 0, 0, 3, 3},
        {1, 4, 1, 1, 0, 2, 3, 3}, /* its end counts */
        {1, 4, 1, 1, 0, 2, 3, 3}, /* but this one failed */
    };
    static const enum ens_outcome status[6] = {ENS_TASK_OK, ENS_TASK_OK,
                                               ENS_TASK_OK, ENS_TASK_OK,
                                               ENS_TASK_OK, ENS_TASK_TIMEOUT};
    struct fixture x;
    struct rows rows;

    ck_assert_int_eq(begin(&x, two_by_three, NULL), ENS_OK);
    measure(&x, 1, &v[0][0], status, 6, 1, &rows);
    ck_assert_uint_eq(rows.n, 12);
    check(&rows, "x1", "mean", 2.25, 0.62915286960589578, 4, 2);
    check(&rows, "x1", "sd", 1.2583057392117916, 0.51370116691408148, 4, 2);
    check(&rows, "x1", "model_se", 1.3228756555322954, 0.28347335475692041, 4,
          2);
    check(&rows, "x1", "bias", 0.25, 0.62915286960589578, 4, 2);
    check(&rows, "x1", "rmse", 1.1180339887498949, 0.42328083664000976, 4, 2);
    check(&rows, "x1", "coverage", 0.75, sqrt(0.75 * 0.25 / 4), 4, 2);
    end(&x);
}
END_TEST

START_TEST(all_missing_is_said_not_computed)
{
    static const double v[2][8] = {{0}};
    static const enum ens_outcome status[2] = {ENS_TASK_FAILED,
                                               ENS_TASK_CRASHED};
    struct fixture x;
    struct rows rows;

    ck_assert_int_eq(begin(&x, two_by_three, NULL), ENS_OK);
    measure(&x, 1, &v[0][0], status, 2, 1, &rows);
    ck_assert_uint_eq(rows.n, 12);
    for (size_t i = 0; i < rows.n; i++) {
        ck_assert(isnan(rows.row[i].value) && isnan(rows.row[i].mcse));
        ck_assert_uint_eq(rows.row[i].n_used, 0);
        ck_assert_uint_eq(rows.row[i].n_missing, 2);
    }
    end(&x);
}
END_TEST

/* 300 replicates: bias within 4 Monte Carlo errors, coverage and standard
 * errors as they should be for a model that is true. */
START_TEST(a_true_model_is_unbiased_and_covers)
{
    static const char text[] =
        HEAD "[data]\ngenerator = linear\nn = 20\nintercept = 1\n"
             "slope = 2 0.5\nsigma = 3\n"
             "[fit]\nfitter = ols\nformula = y ~ x1 + x2\n"
             "[metrics]\nuse = bias, coverage, coverage(level=0.5)\n";
    static double v[300][12];
    static const char *const term[] = {"intercept", "x1", "x2"};
    struct fixture x;
    struct rows rows;

    ck_assert_msg(begin(&x, text, NULL) == ENS_OK, "%s", x.err.text);
    for (uint32_t r = 0; r < 300; r++) {
        struct ens_result result;

        ck_assert_int_eq(run(&x, 0, r + 1, &result), ENS_OK);
        memcpy(v[r], result.value, sizeof(v[r]));
    }
    measure(&x, 0, &v[0][0], NULL, 300, 0, &rows);
    for (size_t j = 0; j < 3; j++) {
        const struct row *bias = find(&rows, term[j], "bias");
        const struct row *sd = find(&rows, term[j], "sd");
        const struct row *se = find(&rows, term[j], "model_se");
        const struct row *c95 = find(&rows, term[j], "coverage");
        const struct row *c50 = find(&rows, term[j], "coverage_0.5");

        ck_assert(find(&rows, term[j], "rmse") == NULL);
        ck_assert(fabs(bias->value) < 4 * bias->mcse);
        ck_assert(fabs(sd->value - se->value) < 4 * (sd->mcse + se->mcse));
        ck_assert(fabs(c95->value - 0.95) < 4 * sqrt(0.95 * 0.05 / 300));
        ck_assert(fabs(c50->value - 0.5) < 4 * sqrt(0.25 / 300));
    }
    end(&x);
}
END_TEST

START_TEST(no_truth_no_bias)
{
    /* log(y) is not what the truths are of; I(x1^2) has none */
    static const char text[] =
        HEAD "[data]\ngenerator = linear\nintercept = 100\n"
             "[fit a]\nfitter = ols\nformula = log(y) ~ x1\n"
             "[fit b]\nfitter = ols\nformula = y ~ x1 + I(x1^2)\n";
    static const double v[3][12] = {{1, 2, 3}, {2, 3, 4}, {3, 4, 5}};
    struct fixture x;
    struct rows rows;

    ck_assert_msg(begin(&x, text, NULL) == ENS_OK, "%s", x.err.text);
    measure(&x, 0, &v[0][0], NULL, 3, 0, &rows);
    ck_assert_uint_eq(rows.n, 6);
    ck_assert(find(&rows, "x1", "bias") == NULL);
    ck_assert(find(&rows, "x1", "sd") != NULL);
    measure(&x, 1, &v[0][0], NULL, 3, 1, &rows);
    ck_assert(find(&rows, "x1", "bias") != NULL);
    ck_assert(find(&rows, "I(x1^2)", "bias") == NULL);
    ck_assert(find(&rows, "I(x1^2)", "model_se") != NULL);
    end(&x);
}
END_TEST

/* -- bootstrap
 * -------------------------------------------------------------------- */

static double cells[3][40];

static struct ens_mapped table_of(struct ens_column column[3])
{
    static const char *const name[] = {"a", "b", "y"};
    struct ens_mapped m = {0};
    struct ens_rng g;

    ens_rng_set(&g, 1, 1, 1, 1);
    for (size_t j = 0; j < 3; j++) {
        column[j] = (struct ens_column){.name = name[j]};
        column[j].view =
            (struct ens_view){.data = cells[j], .dtype = ENS_DT_F64, .ndim = 1};
        column[j].view.shape[0] = 40;
        column[j].view.strides[0] = 8;
    }
    for (size_t i = 0; i < 40; i++) {
        cells[0][i] = ens_rng_normal(&g);
        cells[1][i] = ens_rng_normal(&g);
        cells[2][i] = ens_rng_uniform(&g) < 0.5;
    }
    m.input = (struct ens_input){.name = "T",
                                 .path = "t.npy",
                                 .n_rows = 40,
                                 .n_columns = 3,
                                 .columns = column};
    return m;
}

#define BOOTSTRAP                                                              \
    HEAD "[inputs]\nT = t.npy\n[data]\ngenerator = bootstrap\ninput = T\n"     \
         "[fit]\nfitter = glm\nfamily = binomial\nformula = "

START_TEST(bootstrap_draws_rows_of_the_input)
{
    struct ens_column column[3];
    struct ens_mapped input = table_of(column);
    struct fixture x;
    struct ens_result a, b;

    ck_assert_msg(begin(&x, BOOTSTRAP "y ~ a + I(b/2)\n", &input) == ENS_OK,
                  "%s", x.err.text);
    ck_assert_int_eq(run(&x, 0, 1, &a), ENS_OK);
    ck_assert_uint_eq(a.data_bytes, 128 + 40 * 8);
    ck_assert_int_eq(run(&x, 0, 2, &b), ENS_OK);
    ck_assert(a.value[0] != b.value[0]);
    /* by byte order and stride: the same through a gathered view */
    column[0].view.strides[0] = -8;
    column[0].view.data = &cells[0][39];
    for (size_t i = 0; i < 20; i++) {
        double t = cells[0][i];

        cells[0][i] = cells[0][39 - i];
        cells[0][39 - i] = t;
    }
    ck_assert_int_eq(run(&x, 0, 2, &a), ENS_OK);
    ck_assert(memcmp(a.value, b.value, sizeof(a.value)) == 0);
    end(&x);
}
END_TEST

START_TEST(missing_values_are_left_out_with_a_warning)
{
    struct ens_column column[3];
    struct ens_mapped input = table_of(column);
    struct fixture x;
    struct ens_result a;

    ck_assert_int_eq(begin(&x, BOOTSTRAP "y ~ a\n", &input), ENS_OK);
    for (size_t i = 0; i < 20; i++)
        cells[0][2 * i] = NAN;
    ck_assert_msg(run(&x, 0, 1, &a) == ENS_OK, "%s", x.err.text);
    ck_assert_uint_eq(a.n_warnings, 1);
    ck_assert_str_eq(a.warning, "rows with missing values left out");
    ck_assert(isfinite(a.value[0]));
    for (size_t i = 0; i < 40; i++)
        cells[0][i] = NAN;
    ck_assert_int_eq(run(&x, 0, 1, &a), ENS_EDOMAIN);
    ck_assert_str_eq(x.err.text, "0 complete rows for 2 terms");
    end(&x);
}
END_TEST

static const struct {
    const char *text, *message;
} refused[] = {
    {BOOTSTRAP "y ~ a + c\n", "test.ini:14: [fit] over [data]: formula 'y ~ a "
                              "+ c', position 9: no column 'c' "
                              "(columns: a, b, y)"},
    {BOOTSTRAP "y ~ a/2\n",
     "[fit]: formula 'y ~ a/2', position 6: '/' between terms does not "
     "compute; for arithmetic write I(a/2)"},
    {HEAD "[data one]\ngenerator = linear\nslope = 1 1, 1\n"
          "[fit f]\nfitter = ols\nformula = y ~ x1, y ~ x2\n",
     "[fit f] over [data one]: formula 'y ~ x2', position 5: no column 'x2' "
     "(columns: x1, y)"},
    {HEAD "[data]\ngenerator = linear\n[fit]\nfitter = ols\nlevel = 1\n"
          "formula = y ~ x1\n",
     "[fit]: level: 1 is not between 0 and 1"},
    {HEAD "[data]\ngenerator = linear\n[fit]\nfitter = ols\n"
          "formula = y ~ x1\n[metrics]\nuse = bias, bias\n",
     "[metrics] use: bias is there twice"},
    {HEAD "[data]\ngenerator = linear\n[fit]\nfitter = ols\n"
          "formula = y ~ x1\n[metrics]\nuse = coverage(level=1)\n",
     "[metrics] use: coverage: level: '1' is not a number between 0 and 1"},
};

START_TEST(plan_says_what_is_wrong_and_where)
{
    struct ens_column column[3];
    struct ens_mapped input = table_of(column);
    struct fixture x;

    ck_assert_int_ne(begin(&x, refused[_i].text, &input), ENS_OK);
    ck_assert_msg(strstr(x.err.text, refused[_i].message) != NULL, "%s",
                  x.err.text);
    end(&x);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("simulation");
    TCase *t = tcase_create("simulation");
    SRunner *r;
    int failed;

    tcase_add_test(t, plan_declares_a_schema_per_list_of_terms);
    tcase_add_test(t, label_names_data_fit_and_replicate);
    tcase_add_test(t, same_task_same_bits_and_same_data_for_every_fit);
    tcase_add_test(t, measures_are_those_of_morris_et_al);
    tcase_add_test(t, all_missing_is_said_not_computed);
    tcase_add_test(t, a_true_model_is_unbiased_and_covers);
    tcase_add_test(t, no_truth_no_bias);
    tcase_add_test(t, bootstrap_draws_rows_of_the_input);
    tcase_add_test(t, missing_values_are_left_out_with_a_warning);
    tcase_add_loop_test(t, plan_says_what_is_wrong_and_where, 0,
                        (int)ENS_COUNT(refused));
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
