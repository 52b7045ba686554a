/* The chain: stage -> last commit -> `next` -> its answer durable -> stage. */
#include "base/bug.h"
#include "base/clock.h"
#include "run/only.h"
#include "run/pilot.h"
#include "run/state.h"
#include "store/array.h"
#include "store/pack.h"
#include "worker/order.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void ens_run_break(struct ens_run *r, const struct ens_error *err)
{
    if (r->error.status == ENS_OK)
        r->error = *err;
    r->phase = ENS_RUN_OVER;
    atomic_store(&r->hurry, 1);
    if (r->has_loop)
        uv_stop(&r->loop);
}

static void over(struct ens_run *r)
{
    r->phase = ENS_RUN_OVER;
    uv_stop(&r->loop);
}

void ens_run_stop(struct ens_run *r)
{
    if (r->stopping)
        return;
    r->stopping = 1;
    atomic_store(&r->hurry, 1);
    ens_dispatch_stop(r->dispatch);
    if (r->phase == ENS_RUN_NEXT)
        r->phase = ENS_RUN_STAGE_SYNC; /* it is asked again next time */
    ens_commit_poll(r);
}

/* -- beginning a stage -------------------------------------------------------
 */

/* Data that `plan` gave the first stage: kept like that of later ones. */
static enum ens_status store_first_data(struct ens_run *r,
                                        struct ens_error *err)
{
    struct ens_buf *data = &r->plan.stage_data[0];
    struct ens_pack pack;
    enum ens_status s;

    if (data->len == 0)
        return ENS_OK;
    ens_pack_init(&pack, r->dir, r->epoch.number, ENS_SLOT_COORDINATOR, r->io);
    s = ens_pack_append(&pack, data->data, data->len, &r->stage.data, err);
    if (s == ENS_OK && r->io->sync(r->io, pack.fd) != 0)
        s = ens_fail_errno(err, ENS_EIO, "cannot sync stage data");
    ens_pack_fini(&pack);
    r->stage.has_data = 1;
    r->stage.data_epoch = r->epoch.number;
    return s;
}

/* The part of the stage that is to run, for progress. */
static void count_part(struct ens_run *r)
{
    uint64_t n_ok = 0;

    r->stage_tasks = r->stage_done = 0;
    r->stage_cells = r->n_stopped = r->sum_stops = 0;
    for (size_t i = 0; i < r->stage.n_runs; i++) {
        const struct ens_stage_run *run = &r->stage.run[i];

        for (uint64_t k = 0; k < run->n_cells; k++) {
            uint64_t cell = run->first_cell + k;
            uint32_t first, last;

            if (!ens_part_get(&r->part, run, cell, &first, &last))
                continue;
            ens_run_stop_count(r, cell);
            r->stage_tasks += last - (first - 1);
            r->stage_done += ens_done_count(r->done, cell, last) -
                             ens_done_count(r->done, cell, first - 1);
            n_ok += ens_done_count_as(r->done, cell, last, ENS_TASK_OK) -
                    ens_done_count_as(r->done, cell, first - 1, ENS_TASK_OK);
        }
    }
    r->stage_not_ok = r->stage_done - n_ok;
}

static enum ens_status serve(struct ens_run *r, struct ens_error *err)
{
    enum ens_status s = ens_run_stop_begin(r, err);

    if (s == ENS_OK)
        s = ens_dispatch_stage(r->dispatch, &r->stage, r->done, r->round,
                               r->only, r->n_only, err);
    if (s != ENS_OK)
        return s;
    for (size_t i = 0; i < r->replay.n_attempts; i++)
        if (r->replay.attempt[i].stage == r->stage.id)
            ens_dispatch_charged(r->dispatch, r->replay.attempt[i].cell,
                                 r->replay.attempt[i].replicate,
                                 r->replay.attempt[i].attempts,
                                 r->replay.attempt[i].killed);
    r->phase = ENS_RUN_STAGE;
    ens_dispatch_go(r->dispatch);
    ens_watch_log(r, "event=stage key=%s tasks=%llu done=%llu", r->stage.key,
                  (unsigned long long)r->stage_tasks,
                  (unsigned long long)r->stage_done);
    return ENS_OK;
}

/* Run tasks of an earlier stage, or the present one, again for their blocks. */
static enum ens_status restore(struct ens_run *r, struct ens_error *err)
{
    enum ens_status s = ens_chain_point(r, r->restore.at, err);

    if (s == ENS_OK)
        s = ens_beside(r, ens_blocks_again, err);
    if (s != ENS_OK || r->phase >= ENS_RUN_OVER)
        return s;
    s = ens_dispatch_stage(r->dispatch, &r->stage, r->done, r->round,
                           r->restore.place, r->restore.n, err);
    if (s != ENS_OK)
        return s;
    ens_dispatch_restore(r->dispatch);
    r->restore.running = 1;
    r->stage_tasks = r->restore.n;
    r->stage_done = r->stage_not_ok = 0;
    r->phase = ENS_RUN_STAGE;
    ens_dispatch_go(r->dispatch);
    ens_watch_log(r, "event=restore key=%s tasks=%zu", r->stage.key,
                  r->restore.n);
    return ENS_OK;
}

/* Its tasks are through: back to what they were run for. */
static enum ens_status end_restore(struct ens_run *r, struct ens_error *err)
{
    ens_restore_done(r);
    if (ens_chain_point(r, r->n_chain - 1, err) != ENS_OK)
        return ENS_ENOMEMORY;
    count_part(r);
    if (r->stopping || r->is_late) {
        over(r);
    } else {
        r->phase = ENS_RUN_ARRAYS;
        uv_stop(&r->loop);
    }
    return ENS_OK;
}

static void ask_next(struct ens_run *r)
{
    struct ens_replay_stage *st = ens_replay_find(&r->replay, r->stage.id);
    struct ens_journal_state state;
    struct ens_segment_end end;
    struct ens_buf b = ENS_BUF_INIT;

    ens_journal_state(r->journal, &state);
    end = (struct ens_segment_end){r->epoch.number, state.bytes};
    ens_order_write_next(&b, &r->stage, r->definition, (uint32_t)r->n_chain,
                         ens_study_run_settings_hash(r->study), &st->first,
                         &end);
    ENS_BUG_ON(b.failed);
    ens_buf_clear(&r->answer);
    r->phase = ENS_RUN_NEXT;
    ens_dispatch_next(r->dispatch, b.data, b.len);
    ens_buf_fini(&b);
}

enum ens_status ens_stages_arrays(struct ens_run *r, struct ens_error *err)
{
    struct ens_journal_state state;
    enum ens_status s = ENS_OK;

    ens_journal_state(r->journal, &state);
    r->restore.end = (struct ens_segment_end){r->epoch.number, state.bytes};
    if (!r->restore.asking)
        s = ens_beside(r, ens_blocks_make, err);
    if (s == ENS_OK && r->phase < ENS_RUN_OVER && !r->stopping)
        s = ens_beside(r, ens_restore_look, err);
    if (s != ENS_OK || r->phase >= ENS_RUN_OVER)
        return s;
    if (r->stopping) {
        r->phase = ENS_RUN_STAGE_SYNC;
        ens_commit_poll(r);
        return ENS_OK;
    }
    if (r->restore.n > 0)
        return restore(r, err);
    if (!r->restore.asking)
        return serve(r, err);
    r->restore.asking = 0;
    ask_next(r);
    return ENS_OK;
}

static enum ens_status begin(struct ens_run *r, struct ens_error *err)
{
    struct ens_buf b = ENS_BUF_INIT;
    enum ens_status s = ENS_OK;

    r->phase = ENS_RUN_STAGE;
    count_part(r);
    if (r->options->shard.n > 0 && r->options->shard.k == 0 &&
        ens_chain_is_open(r)) { /* a merge: its tasks are not for here */
        over(r);
        return ENS_OK;
    }
    if (ens_chain_is_open(r) && r->stage.from == 0) {
        ens_stage_encode(&r->stage, &b);
        s = ens_run_put(r, ENS_FRAME_STAGE, &b, err);
        if (s == ENS_OK)
            s = ens_replay_define(&r->replay, NULL, r->epoch.number,
                                  ens_run_here(r), b.data, b.len, err);
        ens_buf_fini(&b);
    }
    if (s != ENS_OK || r->stage.n_writes + r->stage.n_reads == 0)
        return s == ENS_OK ? serve(r, err) : s;
    r->phase = ENS_RUN_ARRAYS; /* also when all is done: a cell may have come
                                  back */
    uv_stop(&r->loop);
    return ENS_OK;
}

/* Follow the chain to the stage that --only names. */
static enum ens_status seek_only(struct ens_run *r, struct ens_error *err)
{
    char key[ENS_STAGE_KEY_MAX + 1];
    enum ens_status s = ens_only_stage(r->options->only, key, sizeof(key), err);

    while (s == ENS_OK && key[0] != '\0' && strcmp(key, r->stage.key) != 0) {
        if (ens_chain_is_open(r) || ens_chain_known(r) != 1)
            return ens_fail(err, ENS_ENOTFOUND,
                            "--only: stage %s has not begun", key);
        s = ens_chain_enter(r, err);
    }
    return s == ENS_OK ? ens_only_resolve(r, err) : s;
}

enum ens_status ens_stages_check_only(struct ens_run *r, struct ens_error *err)
{
    enum ens_status s = ens_chain_enter(r, err);

    if (s == ENS_OK)
        s = seek_only(r, err);
    return s == ENS_OK ? ens_chain_rewind(r, err) : s;
}

enum ens_status ens_stages_first(struct ens_run *r, struct ens_error *err)
{
    enum ens_status s = store_first_data(r, err);

    if (s == ENS_OK)
        s = ens_chain_enter(r, err);
    if (s == ENS_OK)
        s = ens_run_stop_find(r, err);
    if (s == ENS_OK && r->options->only != NULL)
        s = seek_only(r, err);
    else if (s == ENS_OK && r->options->pilot > 0)
        s = ens_pilot_choose(r, err);
    if (s == ENS_OK)
        s = begin(r, err);
    return s;
}

void ens_stages_done(void *arg)
{
    struct ens_run *r = arg;

    if (r->phase != ENS_RUN_STAGE)
        return;
    r->phase = ENS_RUN_STAGE_SYNC;
    ens_commit_poll(r);
}

/* -- next
 * ---------------------------------------------------------------------- */

/* Journal the answer's STAGE frame; r->stage becomes what it names. */
static enum ens_status store_answer(struct ens_run *r, struct ens_error *err)
{
    struct ens_stage def = {0};
    struct ens_frame f;
    enum ens_status s;

    if (ens_frame_read(&f, r->answer.data, r->answer.len, r->epoch.run_id) !=
            ENS_FRAME_GOOD ||
        f.total_bytes != r->answer.len)
        return ens_fail(err, ENS_EPROTOCOL,
                        "next of stage %s: one stage expected", r->stage.key);
    s = ens_stage_decode(&def, f.payload, f.length, err);
    if (s != ENS_OK)
        return s;
    s = ens_journal_append(r->journal, f.payload - ENS_FRAME_HEAD,
                           f.total_bytes, 0);
    if (s == ENS_OK)
        s = ens_replay_define(&r->replay, NULL, r->epoch.number,
                              ens_run_here(r), f.payload, f.length, err);
    if (def.has_data && f.slot < r->n_workers)
        r->dirty_slots[f.slot / 64] |= 1ull << (f.slot % 64);
    r->complete = (def.flags & ENS_STAGE_END) != 0;
    if (s == ENS_OK && !r->complete)
        s = ens_chain_take(r, &def, r->epoch.number);
    ens_stage_fini(&def);
    return s == ENS_OK ? s : ens_fail(err, s, "out of memory");
}

void ens_stages_answered(void *arg, const struct ens_error *failure)
{
    struct ens_run *r = arg;
    struct ens_error err;

    if (r->phase != ENS_RUN_NEXT)
        return;
    if (failure != NULL) {
        err = *failure;
        /* a full or broken disk stays what it is: exit 3 */
        ens_wrap(&err,
                 err.status == ENS_EIO || err.status == ENS_ENOSPACE
                     ? (enum ens_status)err.status
                     : ENS_EDOMAIN,
                 "next of stage %s", r->stage.key);
        ens_run_break(r, &err);
        return;
    }
    if (store_answer(r, &err) != ENS_OK) {
        ens_run_break(r, &err);
        return;
    }
    r->phase = ENS_RUN_NEXT_SYNC;
    ens_commit_poll(r);
}

/* The next stage is known: begin it. */
static void go_on(struct ens_run *r)
{
    struct ens_error err;

    if (ens_chain_enter(r, &err) != ENS_OK || begin(r, &err) != ENS_OK)
        ens_run_break(r, &err);
}

void ens_stages_synced(struct ens_run *r)
{
    struct ens_dispatch_totals totals;
    struct ens_error err;
    int known;

    if (r->phase == ENS_RUN_NEXT_SYNC) {
        if (r->complete || r->stopping)
            over(r);
        else
            go_on(r);
        return;
    }
    if (r->phase != ENS_RUN_STAGE_SYNC)
        return;
    ens_dispatch_totals(r->dispatch, &totals);
    r->is_late |= totals.n_forgotten > 0;
    if (r->restore.running) {
        if (end_restore(r, &err) != ENS_OK)
            ens_run_break(r, &err);
        return;
    }
    if ((r->stopping && !r->is_late) || ens_chain_is_open(r) ||
        r->only != NULL) {
        over(r);
        return;
    }
    known = ens_chain_known(r);
    if (known < 0) { /* the limit met while the last commit was on its way */
        r->complete = 1;
        over(r);
    } else if (r->stopping) {
        over(r);
    } else if (known > 0) {
        go_on(r);
    } else if (ens_restore_is_due(r)) {
        r->restore.asking = 1;
        r->phase = ENS_RUN_ARRAYS;
        uv_stop(&r->loop);
    } else {
        ask_next(r);
    }
}
