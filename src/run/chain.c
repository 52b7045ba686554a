/* The chain of stages as the journal knows it, without running anything. */
#include "run/state.h"

#include <stdlib.h>
#include <string.h>

#define MAX_ANSWERS 1 /* stages per answer: a chain, one group */

uint64_t ens_chain_count(const struct ens_run *r, const struct ens_stage *st,
                         const struct ens_done *done, enum ens_outcome outcome)
{
    uint64_t n = 0;

    for (size_t i = 0; i < st->n_runs; i++) {
        for (uint64_t c = 0; c < st->run[i].n_cells; c++) {
            uint64_t cell = st->run[i].first_cell + c;
            uint32_t last =
                ens_stopping_last(&r->stops, cell, st->run[i].n_replicates);

            n += outcome == ENS_N_OUTCOMES
                     ? ens_done_count(done, cell, last)
                     : ens_done_count_as(done, cell, last, outcome);
        }
    }
    return n;
}

uint64_t ens_chain_n_tasks(const struct ens_run *r, const struct ens_stage *st)
{
    uint64_t n = 0;

    if (r->stops.rules.n == 0)
        return ens_stage_n_tasks(st);
    for (size_t i = 0; i < st->n_runs; i++)
        for (uint64_t c = 0; c < st->run[i].n_cells; c++)
            n += ens_stopping_last(&r->stops, st->run[i].first_cell + c,
                                   st->run[i].n_replicates);
    return n;
}

static int add_to_chain(struct ens_run *r, const struct ens_stage *st)
{
    struct ens_stage *p =
        realloc(r->chain, (r->n_chain + 1) * sizeof(*r->chain));

    if (p == NULL)
        return -1;
    r->chain = p;
    memset(&p[r->n_chain], 0, sizeof(*p));
    if (ens_stage_copy(&p[r->n_chain], st) != ENS_OK)
        return -1;
    r->n_chain++;
    return 0;
}

enum ens_status ens_chain_take(struct ens_run *r, const struct ens_stage *def,
                               uint32_t epoch)
{
    enum ens_status s;

    ens_stage_fini(&r->stage);
    memset(&r->stage, 0, sizeof(r->stage));
    s = ens_stage_copy(&r->stage, def);
    if (s != ENS_OK)
        return s;
    r->stage.data_epoch = epoch;
    if (!(def->flags & ENS_STAGE_FIXED)) {
        r->stage.n_runs = 0;
        s = ens_stage_add_run(&r->stage, 0, ens_study_n_cells(r->study),
                              ens_study_replicates(r->study));
    }
    return s;
}

size_t ens_chain_writer(const struct ens_run *r, size_t k, const char *array)
{
    for (size_t w = k; w-- > 0;)
        if (ens_stage_writes(&r->chain[w], array))
            return w;
    return k;
}

/* Which cells have what the present stage reads: of each array those of the
 * last stage that wrote it. */
static enum ens_status find_holders(struct ens_run *r)
{
    size_t k;
    enum ens_status s = ENS_OK;

    for (size_t i = 0; s == ENS_OK && i < r->stage.n_reads; i++)
        if ((k = ens_chain_writer(r, r->n_chain, r->stage.reads[i])) !=
            r->n_chain)
            s = ens_stage_hold(&r->stage, i, &r->chain[k]);
    return s;
}

/* What a stage makes once for all cells each of them needs: there --where does
 * not choose. */
static void choose_part(struct ens_run *r)
{
    const struct ens_stage *st = &r->stage;
    int is_for_all = (st->flags & ENS_STAGE_INTERNAL) != 0 && st->n_runs == 1 &&
                     st->run[0].n_cells == 1;

    r->part.cells = is_for_all ? NULL : r->chosen;
}

enum ens_status ens_chain_enter(struct ens_run *r, struct ens_error *err)
{
    struct ens_replay_stage *st = ens_replay_find(&r->replay, r->stage.id);

    if (st == NULL) {
        st = ens_replay_add(&r->replay, &r->stage);
        if (st != NULL)
            st->first = (struct ens_log_at){r->log.n, 0};
    }
    if (st == NULL || find_holders(r) != ENS_OK ||
        add_to_chain(r, &r->stage) != 0)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    r->done = st->done;
    if (ens_restore_note(r) != 0)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    r->definition = ens_plan_stage_definition(&r->plan, &r->stage);
    choose_part(r);
    if (r->options->retry_failed &&
        ens_done_reopen_failed(r->done, r->part.cells) != 0)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    return ENS_OK;
}

enum ens_status ens_chain_point(struct ens_run *r, size_t k,
                                struct ens_error *err)
{
    struct ens_stage copy;

    if (ens_stage_copy(&copy, &r->chain[k]) != ENS_OK)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    ens_stage_fini(&r->stage);
    r->stage = copy;
    r->done = ens_replay_find(&r->replay, copy.id)->done;
    r->definition = ens_plan_stage_definition(&r->plan, &r->stage);
    choose_part(r);
    return ENS_OK;
}

enum ens_status ens_chain_rewind(struct ens_run *r, struct ens_error *err)
{
    while (r->n_chain > 0)
        ens_stage_fini(&r->chain[--r->n_chain]);
    ens_stage_fini(&r->stage);
    memset(&r->stage, 0, sizeof(r->stage));
    r->done = NULL;
    r->n_only = 0;
    return ens_stage_copy(&r->stage, &r->plan.stage[0]) == ENS_OK
               ? ENS_OK
               : ens_fail(err, ENS_ENOMEMORY, "out of memory");
}

int ens_chain_known(struct ens_run *r)
{
    const struct ens_replay_answer *a[MAX_ANSWERS];

    if (r->stops.rules.n > 0 || ens_plan_is_last(&r->plan, r->n_chain))
        return -1; /* cells stop in studies of one stage only */
    if (ens_replay_answers(&r->replay, r->stage.id, r->definition,
                           ens_study_run_settings_hash(r->study), a,
                           MAX_ANSWERS) != 1)
        return 0;
    if (a[0]->def.flags & ENS_STAGE_END)
        return -1;
    return ens_chain_take(r, &a[0]->def, a[0]->epoch) == ENS_OK ? 1 : 0;
}

int ens_chain_is_open(const struct ens_run *r)
{
    return ens_chain_count(r, &r->stage, r->done, ENS_N_OUTCOMES) <
           ens_chain_n_tasks(r, &r->stage);
}

int ens_chain_finished(struct ens_run *r)
{
    int known = 1;

    while (known == 1) {
        if (ens_chain_enter(r, NULL) != ENS_OK ||
            ens_run_stop_scan(r, NULL) != ENS_OK || ens_chain_is_open(r))
            return 0;
        known = ens_chain_known(r);
    }
    return known < 0;
}
