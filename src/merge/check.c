/* Before anything is written: what is recorded twice is equal, and folders
 * agree on what follows each stage. */
#include "base/hash.h"
#include "merge/state.h"
#include "store/cellmap.h"
#include "store/places.h"

#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* -- answers
 * --------------------------------------------------------------------
 */

static uint64_t hash_answer(const struct ens_stage *def)
{
    struct ens_buf b = ENS_BUF_INIT;
    uint64_t h;

    ens_buf_u64(&b, def->id);
    ens_buf_u64(&b, def->input_digest);
    ens_buf_u32(&b, def->flags);
    ens_buf_str(&b, def->key);
    /* a stage that says nothing of its tasks has the study's */
    for (size_t i = 0; (def->flags & ENS_STAGE_FIXED) && i < def->n_runs; i++) {
        ens_buf_u64(&b, def->run[i].first_cell);
        ens_buf_u64(&b, def->run[i].n_cells);
        ens_buf_u32(&b, def->run[i].n_replicates);
    }
    ens_buf_u64(&b, def->has_data ? def->data.hash : 0);
    /* what other settings answered alike is no other answer; when to end is
     * for settings alone to say */
    ens_buf_u64(&b, (def->flags & ENS_STAGE_END) ? def->run_settings : 0);
    h = ens_hash64(b.data, b.len);
    ens_buf_fini(&b);
    return h;
}

static uint64_t hash_done(struct ens_replay *r, uint64_t stage)
{
    const struct ens_replay_stage *st = ens_replay_find(r, stage);
    struct ens_buf b = ENS_BUF_INIT;
    uint64_t h;

    if (st == NULL)
        return 0;
    ens_done_write(st->done, &b);
    h = ens_hash64(b.data, b.len);
    ens_buf_fini(&b);
    return h;
}

static uint64_t run_id_of(const struct ens_log *log, uint32_t epoch)
{
    for (size_t i = 0; i < log->n; i++)
        if (log->segment[i].epoch == epoch)
            return log->segment[i].run_id;
    return 0;
}

static enum ens_status list_answers(struct ens_merge_source *src,
                                    struct ens_replay *r, struct ens_error *err)
{
    src->answer = calloc(r->n_answers + 1, sizeof(*src->answer));
    if (src->answer == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    for (size_t i = 0; i < r->n_answers; i++) {
        const struct ens_replay_answer *a = &r->answer[i];
        struct ens_merge_answer *to = &src->answer[src->n_answers];

        if (a->stale || !a->runs_ok)
            continue;
        to->from = a->def.from;
        to->from_definition = a->def.from_definition;
        to->answer = hash_answer(&a->def);
        to->done = hash_done(r, a->def.from);
        to->run_id = run_id_of(&src->log, a->epoch);
        src->n_answers++;
    }
    return ENS_OK;
}

enum ens_status ens_merge_answers(struct ens_merge *m, struct ens_error *err)
{
    enum ens_status s = ENS_OK;

    for (size_t i = 0; m->kind->next != NULL && i < m->n_sources && s == ENS_OK;
         i++) {
        struct ens_merge_source *src = &m->source[i];
        struct ens_replay r;

        s = ens_replay_build(&r, m->study, &src->log, src->dir, 1, err);
        if (s != ENS_OK)
            break;
        s = list_answers(src, &r, err);
        ens_replay_fini(&r);
    }
    return s;
}

static const struct ens_merge_answer *
find_answer(const struct ens_merge_source *src, uint64_t from,
            uint64_t from_definition)
{
    for (size_t i = src->n_answers; i-- > 0;) /* the newest counts */
        if (src->answer[i].from == from &&
            src->answer[i].from_definition == from_definition)
            return &src->answer[i];
    return NULL;
}

/* The answer in force for a stage of the chain: all that were given to the
 * same records are equal, and it was given to all records there are. */
static enum ens_status check_answer(struct ens_merge *m,
                                    const struct ens_stage *from,
                                    uint64_t definition,
                                    const struct ens_replay_answer *a,
                                    struct ens_error *err)
{
    uint64_t done = hash_done(&m->replay, from->id);
    size_t piece = ens_merge_segment_of(m, a->epoch);
    uint64_t run_id = m->log.segment[piece].run_id;

    for (size_t i = 0; i < m->n_sources; i++) {
        const struct ens_merge_source *src = &m->source[i];
        const struct ens_merge_answer *x =
            find_answer(src, from->id, definition);

        if (x == NULL)
            continue;
        if (x->done == done && x->answer != hash_answer(&a->def))
            return ens_fail(err, ENS_EDOMAIN,
                            "%s and %s disagree on what follows stage %s: a "
                            "setting that decides it was changed in one",
                            src->dir, ens_merge_source_of(m, piece)->dir,
                            from->key);
        if (x->run_id == run_id && x->done != done)
            return ens_fail(err, ENS_EDOMAIN,
                            "%s went on from stage %s without results that "
                            "others have of it; leave it out, and run its "
                            "part again after the merge",
                            src->dir, from->key);
    }
    return ENS_OK;
}

/* -- the chain
 * --------------------------------------------------------------------
 */

static int is_open(struct ens_merge *m, const struct ens_stage *st)
{
    const struct ens_replay_stage *known = ens_replay_find(&m->replay, st->id);

    for (size_t i = 0; i < st->n_runs; i++)
        for (uint64_t c = 0; c < st->run[i].n_cells; c++)
            if (known == NULL ||
                ens_done_count(known->done, st->run[i].first_cell + c,
                               st->run[i].n_replicates) <
                    st->run[i].n_replicates)
                return 1;
    return 0;
}

static enum ens_status add_stage(struct ens_merge *m,
                                 const struct ens_stage *def,
                                 struct ens_error *err)
{
    struct ens_stage *p = realloc(m->chain, (m->n_chain + 1) * sizeof(*p));
    enum ens_status s;

    if (p == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    m->chain = p;
    p += m->n_chain;
    s = ens_stage_copy(p, def);
    if (s != ENS_OK)
        return ens_fail(err, s, "out of memory");
    m->n_chain++;
    if (def->from != 0 && !(def->flags & ENS_STAGE_FIXED)) {
        p->n_runs = 0; /* the study may have been edited since */
        s = ens_stage_add_run(p, 0, ens_study_n_cells(m->study),
                              ens_study_replicates(m->study));
    }
    return s == ENS_OK ? s : ens_fail(err, s, "out of memory");
}

static enum ens_status follow_chain(struct ens_merge *m, struct ens_error *err)
{
    enum ens_status s = add_stage(m, &m->plan.stage[0], err);

    while (s == ENS_OK && !ens_plan_is_last(&m->plan, m->n_chain)) {
        const struct ens_stage *last = &m->chain[m->n_chain - 1];
        uint64_t definition = ens_plan_stage_definition(&m->plan, last);
        const struct ens_replay_answer *a[1];

        if (is_open(m, last) ||
            ens_replay_answers(&m->replay, last->id, definition,
                               ens_study_run_settings_hash(m->study), a,
                               1) != 1)
            break;
        s = check_answer(m, last, definition, a[0], err);
        if (s != ENS_OK || (a[0]->def.flags & ENS_STAGE_END))
            break;
        s = add_stage(m, &a[0]->def, err);
    }
    return s;
}

/* -- tasks recorded twice
 * -----------------------------------------------------------
 */

struct twice {
    struct ens_merge *m;
    struct ens_cellmap cells;
    uint64_t *n;  /* records of each stage of the replay, of known cells */
    size_t stage; /* second walk: the one that is looked at */
    struct ens_places *places; /* NULL: first walk */
};

static enum ens_status compare_task(struct twice *w, struct ens_log_at at,
                                    const struct ens_record *r, uint64_t cell,
                                    struct ens_error *err)
{
    const struct ens_stage *st = ens_places_stage(w->places);
    uint64_t place = ens_stage_place(st, cell, r->replicate);
    struct ens_record in_force;
    struct ens_cell c;
    uint32_t epoch;

    if (place == UINT64_MAX ||
        !ens_places_get(w->places, place, &in_force, &epoch) ||
        in_force.round != r->round || in_force.fields == r->fields)
        return ENS_OK;
    if (ens_record_result_hash(r) == ens_record_result_hash(&in_force)) {
        w->m->report->n_duplicates++;
        return ENS_OK;
    }
    ens_study_cell(w->m->study, cell, &c);
    return ens_fail(
        err, ENS_EDOMAIN,
        "task %s/%016llx:%u has two results: %s in %s, %s in %s", st->key,
        (unsigned long long)c.hash[0], r->replicate,
        ens_outcome_text(in_force.status),
        ens_merge_source_of(w->m, ens_merge_segment_of(w->m, epoch))->dir,
        ens_outcome_text(r->status),
        ens_merge_source_of(w->m, at.segment)->dir);
}

static enum ens_status look(void *arg, const struct ens_segment *segment,
                            struct ens_log_at at, const struct ens_frame *f,
                            struct ens_error *err)
{
    struct twice *w = arg;
    const struct ens_replay *r = &w->m->replay;
    struct ens_batch b;
    size_t k = 0;
    enum ens_status s;

    (void)segment;
    if (f->type == ENS_FRAME_CELLS)
        return ens_cellmap_read(&w->cells, f->payload, f->length, err);
    if (f->type != ENS_FRAME_RECORDS)
        return ENS_OK;
    s = ens_batch_read(&b, f->payload, f->length, err);
    while (s == ENS_OK && k < r->n_stages && r->stage[k].id != b.stage)
        k++;
    if (s != ENS_OK || k == r->n_stages || (w->places != NULL && k != w->stage))
        return s;
    for (uint32_t i = 0; i < b.n && s == ENS_OK; i++) {
        struct ens_record rec;
        uint64_t cell;

        ens_batch_get(&b, i, &rec);
        cell = ens_cellmap_get(&w->cells, rec.cell);
        if (cell == ENS_CELL_NONE)
            continue;
        w->n[k]++;
        if (w->places != NULL)
            s = compare_task(w, at, &rec, cell, err);
    }
    return s;
}

static enum ens_status walk(struct twice *w, struct ens_error *err)
{
    enum ens_status s;

    ens_cellmap_init(&w->cells, w->m->study);
    s = ens_log_walk(&w->m->log, NULL, look, w, err);
    ens_cellmap_fini(&w->cells);
    return s;
}

static uint64_t n_ended(const struct ens_replay_stage *st)
{
    uint64_t n = 0;

    for (int o = 0; o < ENS_N_OUTCOMES; o++)
        n += ens_done_total(st->done, (enum ens_outcome)o);
    return n;
}

/* A place index lies beside the folder while that is not there. */
static enum ens_status compare_stage(struct twice *w, struct ens_error *err)
{
    const struct ens_replay_stage *st = &w->m->replay.stage[w->stage];
    char parent[PATH_MAX];
    char *at = parent;
    enum ens_status s;

    snprintf(parent, sizeof(parent), "%s", w->m->out);
    while (access(at, F_OK) != 0)
        at = dirname(at); /* ends at / or . */
    s = ens_places_build(&w->places, at, &w->m->log, NULL, w->m->study,
                         &st->def, err);
    if (s == ENS_OK)
        s = walk(w, err);
    ens_places_free(w->places);
    w->places = NULL;
    return s;
}

static enum ens_status check_twice(struct ens_merge *m, struct ens_error *err)
{
    const struct ens_replay *r = &m->replay;
    struct twice w = {.m = m};
    uint64_t n = 0;
    enum ens_status s = ENS_OK;

    for (size_t i = 0; i < r->n_stages; i++)
        n += n_ended(&r->stage[i]);
    if (n == r->n_records - r->n_unknown)
        return ENS_OK; /* each once */
    w.n = calloc(r->n_stages + 1, sizeof(*w.n));
    if (w.n == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    s = walk(&w, err);
    for (; w.stage < r->n_stages && s == ENS_OK; w.stage++)
        if (w.n[w.stage] > n_ended(&r->stage[w.stage]) &&
            r->stage[w.stage].runs_ok)
            s = compare_stage(&w, err);
    free(w.n);
    return s;
}

enum ens_status ens_merge_check(struct ens_merge *m, struct ens_error *err)
{
    enum ens_status s =
        ens_replay_build(&m->replay, m->study, &m->log, m->out, 0, err);

    if (s == ENS_OK)
        s = check_twice(m, err);
    if (s == ENS_OK)
        s = follow_chain(m, err);
    return s;
}
