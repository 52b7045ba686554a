#include "kinds/simulation/chains.h"

#include "config/study.h"
#include "kinds/simulation/state.h"

#include <stdlib.h>
#include <string.h>

/* A STAGE frame of 60 KiB has room for more. */
#define MOST_RUNS 2000

uint32_t ens_simulation_chains(const struct ens_cell *cell)
{
    const struct ens_value *apart =
        ens_cell_value(cell, "fit", "chains_as_tasks");
    const struct ens_value *n = ens_cell_value(cell, "fit", "chains");

    return apart != NULL && apart->i && n != NULL ? (uint32_t)n->i : 0;
}

uint32_t ens_simulation_whole(const struct ens_host *host,
                              struct ens_result *result,
                              const struct ens_task *task,
                              struct ens_task *whole)
{
    uint32_t n, at = task->replicate - 1;

    *whole = *task;
    if (strcmp(task->stage, ENS_SIMULATION_CHAINS) != 0)
        return 0;
    n = ens_simulation_chains(&task->cell);
    whole->stage = ENS_SIMULATION_FIT;
    whole->replicate = at / n + 1;
    whole->seed = host->act_for(result, whole->stage, whole->replicate);
    return at % n + 1;
}

/* -- stages -----------------------------------------------------------------
 */

/* Chains of each combination of the fit grid: those of the first data. */
static int count(const struct ens_host *host, const struct ens_plan *plan,
                 uint32_t *n)
{
    uint64_t n_fits = ens_study_role_count(host->plan_study(plan), "fit");
    int any = 0;

    for (uint64_t i = 0; i < n_fits; i++) {
        struct ens_cell cell;
        uint32_t k;

        host->plan_cell(plan, i, &cell);
        k = ens_simulation_chains(&cell);
        any |= k > 0;
        if (n != NULL)
            n[i] = k;
    }
    return any;
}

static enum ens_status refuse(const struct ens_host *host,
                              const struct ens_plan *plan, const char *why,
                              struct ens_error *err)
{
    struct ens_cell cell;
    char place[ENS_CELL_PLACE];
    uint64_t i = 0;

    do
        host->plan_cell(plan, i++, &cell);
    while (ens_simulation_chains(&cell) == 0);
    ens_cell_place(&cell, "fit", "chains_as_tasks", place);
    return ens_fail(err, ENS_ESTUDY, "%s chains_as_tasks: %s", place, why);
}

static enum ens_status check(const struct ens_host *host,
                             const struct ens_plan *plan,
                             const uint32_t *per_cell, struct ens_error *err)
{
    const struct ens_study *study = host->plan_study(plan);
    const struct ens_value *rule = host->study_value(study, "stop", "rule");
    uint64_t n_runs = 1;

    if (rule != NULL && rule->set)
        return refuse(host, plan,
                      "cells cannot stop early ([stop] rule) when chains are "
                      "tasks of their own: a stage of chains comes first; use "
                      "one or the other",
                      err);
    for (uint64_t i = 1; i < host->plan_n_cells(plan); i++)
        n_runs += per_cell[i] != per_cell[i - 1];
    if (n_runs > MOST_RUNS)
        return refuse(host, plan,
                      "too many cells with and without chains take turns: give "
                      "these rows a study of their own",
                      err);
    return ENS_OK;
}

static enum ens_status add_chains(const struct ens_host *host,
                                  struct ens_plan *plan, uint32_t *per_cell,
                                  struct ens_error *err)
{
    const struct ens_study *study = host->plan_study(plan);
    uint64_t n_fits = ens_study_role_count(study, "fit");
    uint64_t n_cells = host->plan_n_cells(plan);
    uint32_t replicates = ens_study_replicates(study);
    enum ens_status s;

    count(host, plan, per_cell);
    for (uint64_t i = 0; i < n_fits; i++)
        if (per_cell[i] > UINT32_MAX / replicates)
            return refuse(host, plan, "more than 2^32 chains in a cell", err);
    for (uint64_t i = 0; i < n_fits; i++)
        per_cell[i] *= replicates;
    for (uint64_t i = n_fits; i < n_cells; i++)
        per_cell[i] = per_cell[i - n_fits];
    s = check(host, plan, per_cell, err);
    return s == ENS_OK ? host->plan_stage(plan, ENS_SIMULATION_CHAINS, 0,
                                          per_cell, NULL, NULL, 1, err)
                       : s;
}

static int is_divided(const struct ens_host *host, const struct ens_plan *plan)
{
    return !host->plan_is_whole(plan) && count(host, plan, NULL);
}

enum ens_status ens_simulation_first(const struct ens_host *host,
                                     struct ens_plan *plan,
                                     struct ens_error *err)
{
    uint32_t schema, *per_cell;
    enum ens_status s;

    if (!is_divided(host, plan))
        return host->plan_stage(plan, ENS_SIMULATION_FIT, 0, NULL, NULL, NULL,
                                0, err);
    per_cell = calloc((size_t)host->plan_n_cells(plan), sizeof(*per_cell));
    if (per_cell == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "%llu cells",
                        (unsigned long long)host->plan_n_cells(plan));
    s = add_chains(host, plan, per_cell, err);
    free(per_cell);
    /* behind those of fits */
    return s == ENS_OK ? host->plan_schema(plan, NULL, 0, &schema, err) : s;
}

uint32_t ens_simulation_max_stages(const struct ens_host *host,
                                   const struct ens_plan *plan)
{
    return is_divided(host, plan) ? 2 : 1;
}

enum ens_status ens_simulation_next(void *state, const char *key,
                                    uint32_t stage_index,
                                    struct ens_records *in,
                                    struct ens_plan *plan,
                                    struct ens_error *err)
{
    const struct ens_simulation_state *st = state;
    enum ens_status s;

    (void)stage_index;
    (void)in;
    if (strcmp(key, ENS_SIMULATION_CHAINS) != 0)
        return ENS_OK;
    s = st->host->plan_stage(plan, ENS_SIMULATION_FIT, 0, NULL, NULL, NULL, 0,
                             err);
    if (s == ENS_OK)
        st->host->plan_keepsakes(plan);
    return s;
}
