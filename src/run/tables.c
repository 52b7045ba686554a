/* The tables of a finished study: those of its shown stages. */
#include "base/hash.h"
#include "export/tables.h"
#include "run/state.h"
#include "worker/worker.h"

#include <stdlib.h>

/* What the tables are written from; they stand while it does. */
uint64_t ens_chain_state(struct ens_run *r)
{
    struct ens_buf b = ENS_BUF_INIT;
    uint64_t h;

    ens_study_write(r->study, &b);
    for (size_t i = 0; i < r->n_chain; i++)
        ens_buf_u64(&b, ens_plan_stage_definition(&r->plan, &r->chain[i]));
    for (uint64_t c = 0; c < r->stops.n_cells; c++)
        ens_buf_u32(&b, r->stops.at[c]);
    ens_buf_u64(&b, r->replay.n_records);
    h = ens_hash64(b.data, b.len);
    ens_buf_fini(&b);
    return h | 1;
}

/* Shown: not internal. */
static int is_shown(const struct ens_run *r, size_t i)
{
    return !(r->chain[i].flags & ENS_STAGE_INTERNAL);
}

/* What of a stage is shown: nothing behind where cells stop. */
static enum ens_status index_stage(struct ens_run *r, const struct ens_log *log,
                                   size_t i, struct ens_places **places,
                                   struct ens_error *err)
{
    struct ens_stage shown;
    enum ens_status s =
        ens_stopping_stage(&r->stops, &r->chain[i], &shown, err);

    if (s != ENS_OK)
        return s;
    s = ens_places_build(places, r->dir, log, NULL, r->study, &shown, err);
    ens_stage_fini(&shown);
    return s;
}

static void free_places(struct ens_places **places, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ens_places_free(places[i]);
    free(places);
}

enum ens_status ens_stages_tables(struct ens_run *r, struct ens_error *err)
{
    struct ens_places **places = calloc(r->n_chain + 1, sizeof(*places));
    struct ens_tables_stage *known = calloc(r->n_chain + 1, sizeof(*known));
    struct ens_tables_request rq = {0};
    struct ens_log log = {0};
    enum ens_status s;

    if (places == NULL || known == NULL) {
        free(places);
        free(known);
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    }
    s = ens_log_open(&log, r->dir, NULL, err);
    for (size_t i = 0; s == ENS_OK && i < r->n_chain; i++) {
        known[i].def = &r->chain[i];
        known[i].finished = 1;
        if (!is_shown(r, i))
            continue;
        s = index_stage(r, &log, i, &places[rq.n_stages], err);
        rq.n_stages += s == ENS_OK;
    }
    rq.dir = r->dir;
    rq.plan = &r->plan;
    rq.host = &ens_host;
    rq.stage = (const struct ens_places *const *)places;
    rq.stopping = r->stops.rules.n > 0 ? &r->stops : NULL;
    rq.n_known = r->n_chain;
    rq.known = known;
    rq.log = &log;
    rq.table_rows = (uint64_t)ens_run_value(r, "table_rows")->i;
    rq.io = r->io;
    if (s == ENS_OK)
        s = ens_tables_write(&rq, err);
    free_places(places, rq.n_stages);
    free(known);
    ens_log_close(&log);
    return s;
}
