/* For tests of kind simulation: a host in one process, and studies of it. */
#ifndef TESTS_UNIT_SIMULATION_FIXTURE_H
#define TESTS_UNIT_SIMULATION_FIXTURE_H

#include "base/hash.h"
#include "math/rng.h"
#include "kinds/kinds.h"
#include "plan/plan.h"
#include "worker/worker.h"

#include <check.h>
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

static inline void use_schema(struct ens_result *r, uint32_t index)
{
    r->schema = index;
}

static inline void f64(struct ens_result *r, uint32_t field, double v)
{
    ck_assert_uint_lt(field, MAX_FIELDS);
    r->value[field] = v;
}

static inline void warn(struct ens_result *r, const char *text)
{
    r->n_warnings++;
    snprintf(r->warning, sizeof(r->warning), "%s", text);
}

static inline void keep_fields(struct ens_result *r)
{
    (void)r;
}

static inline enum ens_status artifact(struct ens_result *r, const char *item,
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

static inline int keeps(const struct ens_result *r, const char *item)
{
    (void)r;
    (void)item;
    return 1;
}

static inline void *alloc(struct ens_result *r, size_t n, size_t size)
{
    return ens_arena_alloc(&r->arena, n, size);
}

static inline struct ens_rng *rng(struct ens_result *r, const char *purpose)
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
    struct ens_records *other; /* of the cell compared with */
};

static inline int next_record(struct ens_records *in, struct ens_record *rec,
                              const struct ens_schema **schema)
{
    size_t p = in->schema->n;

    if (in->next == in->n)
        return 0;
    memcpy(in->words, in->values + in->next * p, 8 * p);
    memset(rec, 0, sizeof(*rec));
    rec->status = in->status ? in->status[in->next] : ENS_TASK_OK;
    rec->replicate = (uint32_t)in->next + 1;
    rec->n_fields = p;
    rec->fields = in->words;
    *schema = in->schema;
    in->next++;
    return 1;
}

static inline void rewind_records(struct ens_records *in)
{
    in->next = 0;
}

static inline enum ens_status records_of(struct ens_records *in, uint64_t cell,
                                         struct ens_records **other,
                                         struct ens_error *err)
{
    (void)cell;
    (void)err;
    ck_assert(in->other != NULL);
    *other = in->other;
    return ENS_OK;
}

static inline struct ens_host fake_host(void)
{
    struct ens_host h = ens_host; /* plan functions are the real ones */

    h.use_schema = use_schema;
    h.f64 = f64;
    h.warn = warn;
    h.keep_fields = keep_fields;
    h.artifact = artifact;
    h.keeps = keeps;
    h.alloc = alloc;
    h.rng = rng;
    h.next_record = next_record;
    h.rewind = rewind_records;
    h.records_of = records_of;
    return h;
}

/* -- a study -----------------------------------------------------------------
 */

static inline const struct ens_study_tables *find_tables(void *arg,
                                                         const char *name)
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
static inline enum ens_status begin(struct fixture *x, const char *text,
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

static inline void end(struct fixture *x)
{
    ens_kind_simulation.close(x->state);
    ens_plan_fini(&x->plan);
    ens_study_free(x->study);
}

static inline enum ens_status run(struct fixture *x, uint64_t cell,
                                  uint32_t replicate, struct ens_result *r)
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

#endif
