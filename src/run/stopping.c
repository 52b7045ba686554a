/* Adaptive replicates: the [stop] of a run. */
#include "base/hash.h"
#include "base/number.h"
#include "run/state.h"
#include "worker/worker.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MANY_RECORDS 4000000u /* about two seconds, of four terms each */

enum ens_status ens_run_stop_rules(struct ens_run *r, struct ens_error *err)
{
    enum ens_status s = ens_stopping_init(&r->stops, &ens_host, &r->plan, err);

    r->part.shard.whole = r->stops.rules.n > 0;
    return s;
}

enum ens_status ens_run_stop_scan(struct ens_run *r, struct ens_error *err)
{
    const struct ens_stored from = {r->dir, &r->log, &r->stage, r->done};

    ens_places_free(r->stored);
    r->stored = NULL;
    return ens_stopping_scan(&r->stops, &from, &r->stored, err);
}

enum ens_status ens_run_stop_find(struct ens_run *r, struct ens_error *err)
{
    char line[128];

    if (r->stops.rules.n == 0)
        return ENS_OK;
    if (r->replay.n_records > MANY_RECORDS && r->options->say != NULL) {
        snprintf(line, sizeof(line),
                 "looking at %llu results: where do cells stop?",
                 (unsigned long long)r->replay.n_records);
        r->options->say(r->options->arg, line);
    }
    return ens_beside(r, ens_run_stop_scan, err);
}

/* The tasks behind the stop are not of the study any more. */
static void on_stopped(void *arg, uint64_t cell, uint32_t at)
{
    struct ens_run *r = arg;
    uint32_t max = ens_stage_replicates(&r->stage, cell);
    uint64_t n_done =
        ens_done_count(r->done, cell, max) - ens_done_count(r->done, cell, at);
    uint64_t n_ok = ens_done_count_as(r->done, cell, max, ENS_TASK_OK) -
                    ens_done_count_as(r->done, cell, at, ENS_TASK_OK);

    r->stage_tasks -= max - at;
    r->stage_done -= n_done;
    r->stage_not_ok -= n_done - n_ok;
    r->n_stopped++;
    r->sum_stops += at;
}

void ens_run_stop_count(struct ens_run *r, uint64_t cell)
{
    uint32_t at = ens_stopping_at(&r->stops, cell);

    r->stage_cells++;
    r->n_stopped += at > 0;
    r->sum_stops += at;
}

uint64_t ens_run_stop_left(const struct ens_run *r)
{
    uint64_t most = r->stage_tasks - r->stage_done;
    double open = (double)(r->stage_cells - r->n_stopped);
    double n;

    if (r->tracker == NULL || r->n_stopped == 0)
        return most;
    n = open * (double)r->sum_stops / (double)r->n_stopped -
        (double)(r->stage_done - r->sum_stops);
    if (n < open) /* cells that already are longer than most */
        n = open;
    return n < (double)most ? (uint64_t)n : most;
}

enum ens_status ens_run_stop_begin(struct ens_run *r, struct ens_error *err)
{
    const struct ens_tracker_config config = {&r->stops, &r->stage, r->done,
                                              r->stored, r,         on_stopped};

    if (r->stops.rules.n == 0 || r->only != NULL)
        return ENS_OK;
    ens_tracker_free(r->tracker);
    r->tracker = r->part.tracker = ens_tracker_new(&config);
    return r->tracker != NULL ? ENS_OK
                              : ens_fail(err, ENS_ENOMEMORY, "out of memory");
}

int ens_run_stop_is_behind(const struct ens_run *r,
                           const struct ens_record *rec)
{
    uint32_t at = ens_stopping_at(&r->stops, rec->cell);

    return at > 0 && rec->replicate > at;
}

void ens_run_stop_records(struct ens_run *r, const struct ens_batch *b)
{
    const struct ens_schema *schema = NULL;
    struct ens_record rec;

    if (r->tracker == NULL)
        return;
    for (uint32_t i = 0; i < b->n; i++) {
        ens_batch_get(b, i, &rec);
        if (schema == NULL || schema->hash != rec.schema)
            schema = ens_schemas_find(&r->replay.schemas, rec.schema);
        if (ens_run_stop_is_behind(r, &rec))
            r->stage_done--; /* it was counted a moment ago */
        else
            ens_tracker_add(r->tracker, &rec, schema);
    }
}

static void put_worst(struct ens_run *r)
{
    const struct ens_stop_worst *w = &r->stops.worst;
    char hex[ENS_HEX64_BYTES];
    char mcse[ENS_NUMBER_BYTES] = "missing";
    struct ens_cell cell;

    ens_study_cell(r->study, r->stops.worst_cell, &cell);
    ens_hex64(hex, cell.hash[0]);
    if (!isnan(w->mcse))
        snprintf(mcse, sizeof(mcse), "%.3g", w->mcse);
    if (w->ratio > 0)
        snprintf(r->report->stop_worst, sizeof(r->report->stop_worst),
                 "cell %s: %.100s, of %s it is %s", hex,
                 r->stops.rules.rule[w->rule].text, w->term, mcse);
    else
        snprintf(r->report->stop_worst, sizeof(r->report->stop_worst),
                 "cell %s: no rule is about any row of it", hex);
}

void ens_run_stop_report(struct ens_run *r)
{
    struct ens_run_report *rep = r->report;
    struct ens_stopping_totals t;

    ens_stopping_count(&r->stops, &t);
    rep->n_cells = r->stops.n_cells;
    rep->n_stopped = t.n_stopped;
    rep->n_unmet = t.n_unmet;
    rep->stop_least = t.least;
    rep->stop_most = t.most;
    rep->stop_mean = t.mean;
    if (t.n_unmet > 0)
        put_worst(r);
}

void ens_run_stop_fini(struct ens_run *r)
{
    ens_tracker_free(r->tracker);
    ens_places_free(r->stored);
    ens_stopping_fini(&r->stops);
}
