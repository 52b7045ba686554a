/* A worker begins, enters a cell, ends. */
#include "kinds/simulation/state.h"

#include "base/bug.h"
#include "config/study.h"
#include "kinds/simulation/program.h"

#include <stdlib.h>

enum ens_status ens_simulation_open(const struct ens_host *host,
                                    const struct ens_plan *plan, void **state,
                                    struct ens_error *err)
{
    struct ens_simulation_state *st = calloc(1, sizeof(*st));
    enum ens_status s;

    if (!st)
        return ens_fail(err, ENS_ENOMEMORY, "simulation");
    st->host = host;
    st->plan = plan;
    s = ens_simulation_metrics(host->plan_study(plan), &st->metrics, err);
    if (s == ENS_OK)
        s = ens_program_check_all(host, plan, err);
    if (s == ENS_OK)
        s = ens_simulation_schemas(&st->schemas, host, plan, &st->arena, err);
    for (size_t i = 0; s == ENS_OK && i < st->metrics.n; i++) {
        const struct ens_metric *m = st->metrics.item[i].ops;

        s = ens_parts_get(&st->parts,
                          &(struct ens_part){.ops = m, .close = m->close},
                          m->open, host, &st->metric_state[i], err);
    }
    if (s != ENS_OK) {
        ens_simulation_close(st);
        return s;
    }
    *state = st;
    return ENS_OK;
}

void ens_simulation_close(void *state)
{
    struct ens_simulation_state *st = state;

    if (!st)
        return;
    ens_parts_close(&st->parts);
    ens_arena_fini(&st->arena);
    ens_arena_fini(&st->cell_arena);
    free(st);
}

static enum ens_status open_parts(struct ens_simulation_state *st,
                                  struct ens_error *err)
{
    const struct ens_generator *g = st->generator;
    const struct ens_fitter *f = st->model.fitter;
    enum ens_status s;

    s = ens_parts_get(&st->parts,
                      &(struct ens_part){.ops = g, .close = g->close}, g->open,
                      st->host, &st->generator_state, err);
    if (s == ENS_OK)
        s = ens_parts_get(&st->parts,
                          &(struct ens_part){.ops = f, .close = f->close},
                          f->open, st->host, &st->fitter_state, err);
    return s;
}

enum ens_status ens_simulation_cell(void *state, const struct ens_cell *cell,
                                    struct ens_error *err)
{
    struct ens_simulation_state *st = state;
    enum ens_status s;

    st->ready = 0;
    ens_arena_reset(&st->cell_arena);
    s = ens_simulation_shape(&st->shape, cell, st->host, st->plan,
                             &st->cell_arena, err);
    if (s == ENS_OK)
        s = ens_simulation_model(&st->model, cell, &st->shape, &st->cell_arena,
                                 err);
    if (s == ENS_OK)
        s = ens_simulation_layout(&st->layout, &st->model, &st->shape,
                                  &st->metrics, &st->cell_arena, err);
    if (s != ENS_OK)
        return s;
    st->model.options.wants_draws =
        (ens_simulation_needs(&st->metrics, 0) &
         (ENS_NEEDS_DRAWS | ENS_NEEDS_LOG_LIK | ENS_NEEDS_LOO)) != 0;
    st->generator = ens_cell_impl(cell, "data")->ops;
    s = open_parts(st, err);
    if (s != ENS_OK)
        return s;
    st->schema = ens_simulation_schema(&st->schemas, &st->layout);
    ENS_BUG_ON(st->schema == st->schemas.n);
    st->ready = 1;
    return ENS_OK;
}
