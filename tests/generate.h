/* For tests: data sets of one row of a study, straight from its generator. */
#ifndef TESTS_GENERATE_H
#define TESTS_GENERATE_H

#include "base/arena.h"
#include "config/study.h"
#include "fit/design.h"
#include "kinds/kinds.h"
#include "kinds/simulation/generators/setup.h"
#include "math/rng.h"
#include "worker/worker.h"
#include <ensrun/generator.h>

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

struct ens_result {
    const struct ens_task *task;
    struct ens_arena arena;
    struct ens_rng rng;
    int begun;
};

static inline void *generate_alloc(struct ens_result *r, size_t n, size_t size)
{
    return ens_arena_alloc(&r->arena, n, size);
}

/* One stream, which goes on. */
static inline struct ens_rng *generate_rng(struct ens_result *r,
                                           const char *purpose)
{
    ck_assert_str_eq(purpose, "data");
    if (!r->begun)
        ens_rng_set(&r->rng, 1, r->task->cell.data_hash[0], r->task->replicate,
                    ens_rng_stream("fit", purpose));
    r->begun = 1;
    return &r->rng;
}

/* -- an input of 60 rows: a, b numbers, k text, y ----------------------------
 */

#define INPUT_ROWS 60

struct input_table {
    struct ens_input input;
    struct ens_column column[4];
    double number[3][INPUT_ROWS];
    int32_t place[INPUT_ROWS];
};

static inline void input_fill(struct input_table *t)
{
    static const char *const name[] = {"a", "b", "y", "k"};
    static const char *const level[] = {"u", "v", "w"};
    struct ens_rng g;

    memset(t, 0, sizeof(*t));
    ens_rng_set(&g, 1, 1, 1, 1);
    for (size_t i = 0; i < INPUT_ROWS; i++) {
        for (size_t j = 0; j < 3; j++)
            t->number[j][i] = ens_rng_normal(&g);
        t->place[i] = (int32_t)(i % 3);
    }
    for (size_t j = 0; j < 4; j++) {
        struct ens_view *v = &t->column[j].view;

        t->column[j].name = name[j];
        v->data = j < 3 ? (void *)t->number[j] : (void *)t->place;
        v->dtype = j < 3 ? ENS_DT_F64 : ENS_DT_I32;
        v->ndim = 1;
        v->shape[0] = INPUT_ROWS;
        v->strides[0] = j < 3 ? 8 : 4;
    }
    t->column[3].levels = level;
    t->column[3].n_levels = 3;
    t->input = (struct ens_input){.name = "T",
                                  .path = "t.npy",
                                  .n_rows = INPUT_ROWS,
                                  .n_columns = 4,
                                  .columns = t->column};
}

/* -- a row ------------------------------------------------------------------
 */

struct generate {
    struct ens_generator_setup setup; /* first: what `shape` is given */
    struct ens_arena arena;
    struct input_table table;
    struct ens_study_tables tables;
    struct ens_study *study;
    struct ens_task task;
    const struct ens_generator *generator;
    struct ens_data_shape shape;
    struct ens_host host;
    struct ens_result result;
    struct ens_generated out;
    struct ens_error err;
};

static inline void *generate_setup_alloc(const struct ens_setup *setup,
                                         size_t n, size_t size)
{
    return ens_arena_alloc(&((struct generate *)(uintptr_t)setup)->arena, n,
                           size);
}

static inline const struct ens_input *
generate_input(const struct ens_setup *setup, const char *name)
{
    const struct generate *g = (const struct generate *)setup;

    return strcmp(name, "T") == 0 ? &g->table.input : NULL;
}

static inline const struct ens_study_tables *generate_tables(void *arg,
                                                             const char *kind)
{
    return strcmp(kind, "simulation") == 0 ? arg : NULL;
}

/* row: lines of the section [data]. */
static inline enum ens_status generate_begin(struct generate *g,
                                             const char *row)
{
    static const char *const names[] = {"simulation", NULL};
    struct ens_study_kinds kinds = {generate_tables, names, &g->tables, NULL};
    struct ens_buf errors = ENS_BUF_INIT;
    char text[1024];
    int n = snprintf(text, sizeof(text),
                     "[study]\nkind = simulation\n[inputs]\nT = t.npy\n"
                     "[data]\n%s[fit]\nfitter = ols\nformula = y ~ 1\n",
                     row);

    memset(g, 0, sizeof(*g));
    input_fill(&g->table);
    g->setup = (struct ens_generator_setup){
        {generate_input, generate_setup_alloc}, &g->arena};
    g->host = ens_host;
    g->host.alloc = generate_alloc;
    g->host.rng = generate_rng;
    g->tables = ens_kind_tables(&ens_kind_simulation);
    ck_assert_msg(ens_study_parse(&g->study, "t.ini", text, (size_t)n,
                                  "/nowhere", NULL, 0, &kinds, &errors,
                                  NULL) == ENS_OK,
                  "%s", ens_buf_text(&errors));
    ens_buf_fini(&errors);
    g->task.stage = "fit";
    ens_study_cell(g->study, 0, &g->task.cell);
    g->generator = ens_cell_impl(&g->task.cell, "data")->ops;
    return g->generator->shape(&g->setup.shown, &g->task.cell, &g->shape,
                               &g->err);
}

/* Data set number `replicate`; in memory until the next. */
static inline enum ens_status generate_next(struct generate *g,
                                            uint32_t replicate)
{
    const struct ens_job job = {&g->host, &g->result, &g->task, NULL};
    size_t n = g->shape.n_truth + g->shape.n_meta;
    double *numbers;

    ens_arena_reset(&g->result.arena);
    g->task.replicate = replicate;
    g->result.task = &g->task;
    g->result.begun = 0;
    numbers = ens_arena_alloc(&g->result.arena, n, sizeof(*numbers));
    for (size_t k = 0; k < n; k++)
        numbers[k] = NAN;
    g->out = (struct ens_generated){.truth = numbers,
                                    .meta = numbers + g->shape.n_truth};
    return g->generator->generate(&job, &g->shape, &g->out, &g->err);
}

static inline void generate_end(struct generate *g)
{
    ens_arena_fini(&g->arena);
    ens_arena_fini(&g->result.arena);
    ens_study_free(g->study);
}

/* All rows of a column, in memory of the data set. */
static inline const double *
generate_column(struct generate *g, const struct ens_data *d, const char *name)
{
    uint32_t j = 0;
    double *block = ens_arena_alloc(&g->result.arena, d->n + 1, sizeof(*block));

    while (strcmp(d->name[j], name) != 0)
        ck_assert_uint_lt(++j, d->n_columns);
    return ens_data_rows(d, j, 0, d->n, block);
}

/* Value of a truth; of this data set where the shape does not have it. */
static inline double generate_truth(const struct generate *g, const char *name)
{
    for (size_t k = 0; k < g->shape.n_truth; k++)
        if (strcmp(g->shape.truth[k], name) == 0)
            return isnan(g->shape.truth_value[k]) ? g->out.truth[k]
                                                  : g->shape.truth_value[k];
    ck_abort_msg("no truth of %s", name);
}

#endif
