/* What the dispatcher says of tasks: into the done set and the journal. */
#include "run/only.h"
#include "run/state.h"

struct ens_log_at ens_run_here(const struct ens_run *r)
{
    return (struct ens_log_at){r->log.n, ens_journal_sealed_end(r->journal)};
}

enum ens_status ens_run_put(struct ens_run *r, enum ens_frame_type type,
                            const struct ens_buf *b, struct ens_error *err)
{
    enum ens_status s;

    if (b->failed)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    if (b->len > ENS_FRAME_PAYLOAD_MAX)
        return ens_fail(err, ENS_EUSAGE,
                        "stage %s: %zu runs of cells with as many replicates "
                        "each: too many",
                        r->stage.key, r->stage.n_runs);
    s = ens_journal_append_frame(r->journal, (int)type, b->data, b->len);
    return s == ENS_OK ? s : ens_fail(err, s, "out of memory");
}

void ens_events_records(void *arg, const struct ens_frame *f, const void *bytes,
                        size_t n, const struct ens_batch *b)
{
    struct ens_run *r = arg;
    struct ens_error err;
    uint64_t n_counted = 0;
    enum ens_status s;

    if (r->phase >= ENS_RUN_OVER)
        return;
    if (r->restore.running) { /* they are recorded */
        r->stage_done += b->n;
        return;
    }
    if (ens_only_replayed(r, b))
        return;
    s = ens_replay_records(&r->replay, NULL, ens_run_here(r), f->payload,
                           f->length, &n_counted, &err);
    if (s == ENS_OK)
        s = ens_journal_append(r->journal, bytes, n, b->n);
    if (s != ENS_OK) {
        ens_fail(&err, s, "out of memory for results");
        ens_run_break(r, &err);
        return;
    }
    r->report->n_new += n_counted;
    r->stage_done += n_counted;
    ens_watch_first(r);
    ens_commit_note(r, f, b);
    ens_watch_failures(r, b);
    ens_run_stop_records(r, b);
    ens_commit_poll(r);
}

void ens_events_frame(void *arg, const struct ens_frame *f, const void *bytes,
                      size_t n)
{
    struct ens_run *r = arg;
    struct ens_error err;
    size_t n_known = r->replay.schemas.n;
    size_t index;

    if (r->phase >= ENS_RUN_OVER)
        return;
    if (f->type == ENS_FRAME_STAGE) {
        ens_buf_put(&r->answer, bytes, n);
        return;
    }
    if (f->type == ENS_FRAME_BLOCK || f->type == ENS_FRAME_PACK)
        ens_far_take(r, f, bytes, n);
    if (f->type != ENS_FRAME_SCHEMA)
        return;
    if (ens_schemas_add_encoded(&r->replay.schemas, f->payload, f->length,
                                &index, &err) != ENS_OK)
        ens_run_break(r, &err);
    else if (index >= n_known)
        ens_journal_append(r->journal, bytes, n, 0);
}

/* It has a record: what runs now is its replay. */
static int has_ended(const struct ens_run *r, uint64_t cell, uint32_t replicate)
{
    return ens_done_get(r->done, cell, replicate) != ENS_N_OUTCOMES;
}

void ens_events_attempt(void *arg, uint64_t cell, uint32_t replicate,
                        uint32_t attempts, uint32_t killed)
{
    struct ens_run *r = arg;
    const struct ens_replay_attempt a = {r->stage.id, cell, replicate, attempts,
                                         killed};
    struct ens_buf b = ENS_BUF_INIT;
    struct ens_error err;

    if (has_ended(r, cell, replicate))
        return;
    ens_attempt_write(&a, &b);
    if (ens_run_put(r, ENS_FRAME_ATTEMPT, &b, &err) != ENS_OK ||
        ens_replay_charge(&r->replay, NULL, b.data, b.len, &err) != ENS_OK)
        ens_run_break(r, &err);
    ens_buf_fini(&b);
}

/* The frame of one record without fields, as a worker would write it. */
static void write_verdict(struct ens_run *r, uint64_t cell, uint32_t replicate,
                          enum ens_outcome outcome, const char *text,
                          struct ens_buf *out)
{
    struct ens_packer p = {0};

    r->draft.cell = cell;
    r->draft.replicate = replicate;
    r->draft.worker = ENS_SLOT_COORDINATOR;
    ens_draft_fail(&r->draft, outcome, text);
    p.stage = r->stage.id;
    p.round = r->round;
    ens_packer_add(&p, &r->draft);
    ens_packer_flush(&p, out, ENS_SLOT_COORDINATOR, 0, 0, r->epoch.run_id);
    ens_packer_fini(&p);
}

void ens_events_ended(void *arg, uint64_t cell, uint32_t replicate,
                      enum ens_outcome outcome, uint32_t attempts,
                      const char *text)
{
    struct ens_run *r = arg;
    struct ens_buf frame = ENS_BUF_INIT;
    struct ens_error err;
    struct ens_frame f;
    struct ens_batch b;
    enum ens_status s = ENS_OK;

    if (r->phase >= ENS_RUN_OVER)
        return;
    if (!has_ended(r, cell, replicate))
        s = ens_blocks_fill(r, cell, replicate, &err);
    if (s == ENS_OK)
        s = ens_draft_begin(&r->draft, r->empty.item[0]);
    r->draft.attempts = attempts;
    if (s != ENS_OK) {
        ens_run_break(r, &err);
        return;
    }
    write_verdict(r, cell, replicate, outcome, text, &frame);
    if (ens_frame_read(&f, frame.data, frame.len, r->epoch.run_id) ==
            ENS_FRAME_GOOD &&
        ens_batch_read(&b, f.payload, f.length, &err) == ENS_OK)
        ens_events_records(r, &f, frame.data, frame.len, &b);
    ens_buf_fini(&frame);
}
