#include "cli/results.h"

#include "base/bug.h"
#include "kinds/kinds.h"
#include "worker/worker.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* -- study ----------------------------------------------------------------- */

enum ens_status ens_loaded_open(struct ens_loaded *l, const char *path,
                                const struct ens_override *set, size_t n_set,
                                struct ens_buf *errors, struct ens_error *err)
{
    struct ens_study_kinds kinds;
    enum ens_status s;

    memset(l, 0, sizeof(*l));
    ens_finder_init(&l->finder, &ens_kinds, &ens_host);
    kinds = ens_finder_kinds(&l->finder);
    s = ens_study_load(&l->study, path, NULL, set, n_set, &kinds, errors, err);
    l->kind = l->finder.kind;
    if (s != ENS_OK)
        ens_loaded_close(l);
    return s;
}

void ens_loaded_close(struct ens_loaded *l)
{
    ens_study_free(l->study);
    ens_finder_fini(&l->finder);
    memset(l, 0, sizeof(*l));
}

/* -- folder ---------------------------------------------------------------- */

static enum ens_status find_folder(struct ens_results *r, const char *dir,
                                   char study[PATH_MAX], struct ens_error *err)
{
    char path[PATH_MAX];
    struct stat st;
    int n;

    if (stat(dir, &st) != 0)
        return ens_fail_errno(err, ENS_ENOTFOUND, "%s", dir);
    if (!S_ISDIR(st.st_mode))
        return ens_fail(err, ENS_ENOTFOUND, "%s: not a results folder", dir);
    if (realpath(dir, path) == NULL || strlen(path) + 16 > sizeof(r->dir))
        return ens_fail_errno(err, ENS_ENOTFOUND, "%s", dir);
    memcpy(r->dir, path, strlen(path) + 1);
    n = snprintf(study, PATH_MAX, "%s/study.ini", r->dir);
    if (n < 0 || n >= PATH_MAX || stat(study, &st) != 0)
        return ens_fail(err, ENS_ENOTFOUND,
                        "%s: not a results folder: it has no study.ini", dir);
    n = snprintf(path, sizeof(path), "%s/journal", r->dir);
    if (n < 0 || n >= PATH_MAX || stat(path, &st) != 0)
        return ens_fail(err, ENS_ENOTFOUND,
                        "%s: not a results folder: it has no journal", dir);
    return ENS_OK;
}

/* Kinds may need their inputs to plan; when those are gone, try without. */
static enum ens_status make_plan(struct ens_results *r, unsigned how,
                                 struct ens_error *err)
{
    enum ens_status (*make)(struct ens_plan *, const struct ens_host *,
                            const struct ens_kind *, const struct ens_study *,
                            const struct ens_inputs *, struct ens_error *) =
        how & ENS_RESULTS_WHOLE ? ens_plan_make_whole : ens_plan_make;
    const struct ens_loaded *l = &r->loaded;
    struct ens_error gone = {0};
    enum ens_status s =
        ens_inputs_open(&r->inputs, l->study, NULL, NULL, &gone);

    if (s == ENS_OK)
        return make(&r->plan, &ens_host, l->kind, l->study, &r->inputs, err);
    memset(&r->inputs, 0, sizeof(r->inputs));
    if (make(&r->plan, &ens_host, l->kind, l->study, NULL, NULL) == ENS_OK)
        return ENS_OK;
    if (err != NULL)
        *err = gone;
    return ens_wrap(err, s, "%s needs its inputs to be read", r->dir);
}

/* -- stages: the chain of answers, as the run follows it --------------------
 */

static enum ens_status add_stage(struct ens_results *r,
                                 const struct ens_stage *def,
                                 struct ens_error *err)
{
    const struct ens_replay_stage *known = ens_replay_find(&r->replay, def->id);
    struct ens_results_stage *st =
        realloc(r->stage, (r->n_stages + 1) * sizeof(*st));
    enum ens_status s;

    if (st == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    r->stage = st;
    st += r->n_stages;
    memset(st, 0, sizeof(*st));
    s = ens_stage_copy(&st->def, def);
    if (s != ENS_OK)
        return ens_fail(err, s, "out of memory");
    r->n_stages++;
    st->done = known == NULL ? NULL : known->done;
    if (r->n_stages > 1 && !(def->flags & ENS_STAGE_FIXED)) {
        st->def.n_runs = 0; /* the study may have been edited since */
        s = ens_stage_add_run(&st->def, 0, ens_study_n_cells(r->loaded.study),
                              ens_study_replicates(r->loaded.study));
    }
    return s == ENS_OK ? s : ens_fail(err, s, "out of memory");
}

static int is_finished(const struct ens_results_stage *st)
{
    struct ens_results_count c;

    ens_results_count(st, &c);
    return c.n_done == c.n_tasks;
}

/* Cut the first stage to where its cells stop. */
static enum ens_status find_stops(struct ens_results *r, struct ens_error *err)
{
    struct ens_results_stage *st = &r->stage[0];
    const struct ens_stored from = {r->dir, &r->log, &st->def, st->done};
    struct ens_stage cut;
    enum ens_status s = ens_stopping_init(&r->stops, &ens_host, &r->plan, err);

    if (s == ENS_OK)
        s = ens_stopping_scan(&r->stops, &from, NULL, err);
    if (s != ENS_OK || r->stops.rules.n == 0)
        return s;
    s = ens_stopping_stage(&r->stops, &st->def, &cut, err);
    if (s != ENS_OK)
        return s;
    ens_stage_fini(&st->def);
    st->def = cut;
    return ENS_OK;
}

static enum ens_status follow_chain(struct ens_results *r,
                                    struct ens_error *err)
{
    enum ens_status s = add_stage(r, &r->plan.stage[0], err);

    if (s == ENS_OK)
        s = find_stops(r, err);
    while (s == ENS_OK && is_finished(&r->stage[r->n_stages - 1])) {
        const struct ens_stage *last = &r->stage[r->n_stages - 1].def;
        const struct ens_replay_answer *a[1];

        if (r->stops.rules.n > 0 || ens_plan_is_last(&r->plan, r->n_stages)) {
            r->complete = 1;
            break;
        }
        if (ens_replay_answers(
                &r->replay, last->id, ens_plan_stage_definition(&r->plan, last),
                ens_study_run_settings_hash(r->loaded.study), a, 1) != 1)
            break;
        if (a[0]->def.flags & ENS_STAGE_END) {
            r->complete = 1;
            break;
        }
        s = add_stage(r, &a[0]->def, err);
        r->stage[r->n_stages - 1].def.data_epoch = a[0]->epoch;
    }
    return s;
}

enum ens_status ens_results_open(struct ens_results *r, const char *dir,
                                 unsigned how, struct ens_buf *errors,
                                 struct ens_error *err)
{
    char study[PATH_MAX];
    enum ens_status s;

    memset(r, 0, sizeof(*r));
    s = find_folder(r, dir, study, err);
    if (s == ENS_OK)
        s = ens_loaded_open(&r->loaded, study, NULL, 0, errors, err);
    if (s == ENS_OK)
        s = make_plan(r, how, err);
    if (s == ENS_OK)
        s = ens_log_open(&r->log, r->dir, NULL, err);
    if (s == ENS_OK)
        s = ens_replay_build(&r->replay, r->loaded.study, &r->log, r->dir,
                             how & ENS_RESULTS_FAST, err);
    if (s == ENS_OK)
        s = follow_chain(r, err);
    if (s != ENS_OK)
        ens_results_close(r);
    return s;
}

void ens_results_close(struct ens_results *r)
{
    for (size_t i = 0; i < r->n_places; i++)
        ens_places_free(r->places[i]);
    free(r->places);
    for (size_t i = 0; i < r->n_stages; i++)
        ens_stage_fini(&r->stage[i].def);
    free(r->stage);
    ens_stopping_fini(&r->stops);
    ens_replay_fini(&r->replay);
    ens_log_close(&r->log);
    ens_plan_fini(&r->plan);
    ens_inputs_close(&r->inputs);
    ens_loaded_close(&r->loaded);
    memset(r, 0, sizeof(*r));
}

/* -- tables ---------------------------------------------------------------- */

enum ens_status ens_results_places(struct ens_results *r, size_t stage,
                                   struct ens_places **places,
                                   struct ens_error *err)
{
    const struct ens_results_stage *st = &r->stage[stage];
    struct ens_stage stored;
    enum ens_status s = ENS_OK;

    if (r->stops.rules.n == 0 || st->done == NULL)
        return ens_places_build(places, r->dir, &r->log, NULL, r->loaded.study,
                                &st->def, err);
    s = ens_stopping_stored(NULL, &st->def, st->done, &stored, err);
    if (s != ENS_OK)
        return s;
    s = ens_places_build(places, r->dir, &r->log, NULL, r->loaded.study,
                         &stored, err);
    ens_stage_fini(&stored);
    return s;
}

enum ens_status ens_results_index(struct ens_results *r, struct ens_error *err)
{
    enum ens_status s = ENS_OK;

    r->places = calloc(r->n_stages + 1, sizeof(struct ens_places *));
    if (r->places == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    for (size_t i = 0; i < r->n_stages && s == ENS_OK; i++) {
        if (r->stage[i].def.flags & ENS_STAGE_INTERNAL)
            continue;
        s = ens_results_places(r, i, &r->places[r->n_places], err);
        r->n_places += s == ENS_OK;
    }
    return s;
}

enum ens_status ens_results_tables(struct ens_results *r, struct ens_tables **t,
                                   struct ens_error *err)
{
    struct ens_tables_stage *known = calloc(r->n_stages, sizeof(*known));
    struct ens_tables_request rq = {
        .dir = r->dir,
        .plan = &r->plan,
        .host = &ens_host,
        .n_stages = r->n_places,
        .stage = (const struct ens_places *const *)r->places,
        .stopping = r->stops.rules.n > 0 ? &r->stops : NULL,
        .n_known = r->n_stages,
        .known = known,
        .log = &r->log,
    };
    enum ens_status s;

    if (known == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    for (size_t i = 0; i < r->n_stages; i++) {
        known[i].def = &r->stage[i].def;
        known[i].finished = is_finished(&r->stage[i]);
    }
    s = ens_tables_open(t, &rq, err);
    free(known);
    return s;
}

/* The done set may hold replicates that left the study: then its totals do
 * not do, and the tasks are looked at one by one. */
static void count_each(const struct ens_results_stage *st,
                       struct ens_results_count *c)
{
    memset(c->by_outcome, 0, sizeof(c->by_outcome));
    for (uint64_t place = 0; place < c->n_tasks; place++) {
        enum ens_outcome o;
        uint64_t cell;
        uint32_t replicate;

        ens_stage_task(&st->def, place, &cell, &replicate);
        o = ens_done_get(st->done, cell, replicate);
        if (o < ENS_N_OUTCOMES)
            c->by_outcome[o]++;
    }
}

void ens_results_count(const struct ens_results_stage *st,
                       struct ens_results_count *c)
{
    uint64_t all = 0;

    memset(c, 0, sizeof(*c));
    c->n_tasks = ens_stage_n_tasks(&st->def);
    if (st->done == NULL)
        return;
    for (size_t i = 0; i < st->def.n_runs; i++) {
        const struct ens_stage_run *run = &st->def.run[i];

        for (uint64_t k = 0; k < run->n_cells; k++)
            c->n_done += ens_done_count(st->done, run->first_cell + k,
                                        run->n_replicates);
    }
    for (int o = 0; o < ENS_N_OUTCOMES; o++) {
        c->by_outcome[o] = ens_done_total(st->done, (enum ens_outcome)o);
        all += c->by_outcome[o];
    }
    if (all != c->n_done)
        count_each(st, c);
}
