#include "worker/inside.h"

#include "base/clock.h"
#include "plan/task.h"

#include <string.h>

/* Flush intervals: while other orders wait, and on the last one. With 1 ms
 * tasks a flush every 10 ms keeps the supervisor below 1 % of a core. */
#define FLUSH_NS      10000000u
#define FLUSH_LAST_NS 1000000u

void ens_worker_leave_cell(struct ens_worker *w)
{
    if (w->has_cell)
        ens_arrays_leave_cell(w);
    w->has_cell = 0;
}

static void enter_cell(struct ens_worker *w, uint64_t ordinal)
{
    ens_worker_leave_cell(w);
    ens_study_cell(w->plan->study, ordinal, &w->task.cell);
    w->has_cell = 1;
    w->cell_sum_ns = 0;
    w->cell_n = 0;
    memset(&w->cell_error, 0, sizeof(w->cell_error));
    if (w->kind->cell == NULL)
        return;
    if (ens_worker_call(w, ENS_ENTRY_CELL, &w->cell_error) != ENS_OK &&
        w->cell_error.status == ENS_OK)
        ens_fail(&w->cell_error, ENS_EDOMAIN, "cell cannot be prepared");
}

static uint64_t flush_ns(struct ens_worker *w)
{
    return w->more ? FLUSH_NS : FLUSH_LAST_NS;
}

/* Would records have waited too long at time t? The driver is asked for more
 * orders only when that decides. */
static int is_due(struct ens_worker *w, uint64_t t)
{
    uint64_t waited;

    if (w->packer.n == 0 && w->out.len == 0)
        return 0;
    waited = t - w->pending_since_ns;
    if (waited < flush_ns(w))
        return 0;
    return waited >= FLUSH_NS || !ens_worker_has_more(w);
}

static enum ens_status flush(struct ens_worker *w)
{
    enum ens_status s = ens_worker_flush(w);

    w->now_ns = ens_clock_ns();
    return s;
}

/* The slot names the culprit of a death: all of it before `phase`. */
static void publish(struct ens_worker *w, uint64_t place)
{
    struct ens_slot *slot = w->config.shared;

    atomic_store_explicit(&slot->place, place, memory_order_relaxed);
    atomic_store_explicit(&slot->start_ns, w->now_ns, memory_order_relaxed);
    atomic_store_explicit(&slot->phase, ENS_PHASE_RUNNING,
                          memory_order_release);
}

static void publish_end(struct ens_worker *w, uint64_t spent_ns)
{
    struct ens_slot *slot = w->config.shared;

    w->n_tasks++;
    w->busy_ns += spent_ns;
    atomic_store_explicit(&slot->n_tasks, w->n_tasks, memory_order_relaxed);
    atomic_store_explicit(&slot->busy_ns, w->busy_ns, memory_order_relaxed);
    atomic_store_explicit(&slot->phase, ENS_PHASE_IDLE, memory_order_release);
}

static enum ens_status run_kind(struct ens_worker *w, struct ens_error *err)
{
    struct ens_result *r = &w->result;
    enum ens_status s;

    if (w->cell_error.status != ENS_OK) {
        *err = w->cell_error;
        return (enum ens_status)err->status;
    }
    s = ens_worker_call(w, ENS_ENTRY_RUN, err);
    if (s == ENS_EINPUT && w->fatal.status == ENS_OK)
        w->fatal = *err;
    if (s == ENS_OK && r->parts != NULL)
        s = ens_fail(err, ENS_EUSAGE, "artifact %s was begun and not ended",
                     r->parts);
    if (s == ENS_OK && r->misuse.status != ENS_OK) {
        *err = r->misuse;
        return (enum ens_status)err->status;
    }
    if (s == ENS_OK)
        s = ens_arrays_write(w, err);
    if (s == ENS_OK && r->draft.items.failed)
        s = ens_fail(err, ENS_ENOMEMORY,
                     "texts and artifacts do not fit into the record");
    return s;
}

/* The outcome of a task that is not ok. */
static enum ens_status fail_task(struct ens_worker *w, enum ens_status s,
                                 const struct ens_error *why,
                                 struct ens_error *err)
{
    const char *text = why->text[0] != '\0' ? why->text : ens_status_text(s);
    enum ens_outcome outcome = ENS_TASK_FAILED;

    if (s == ENS_ENOMEMORY && w->config.memory_limit > 0) {
        outcome = ENS_TASK_CRASHED;
        text = "memory limit";
    }
    ens_draft_fail(&w->result.draft, outcome, text);
    if (w->result.kept != NULL && outcome == ENS_TASK_FAILED)
        memcpy(w->result.draft.field, w->result.kept,
               w->result.draft.schema->n * sizeof(*w->result.kept));
    return ens_arrays_fill(w, err);
}

static enum ens_status fatal(struct ens_worker *w, struct ens_error *err)
{
    if (err != NULL)
        *err = w->fatal;
    return (enum ens_status)w->fatal.status;
}

/* At the limit, but earlier tasks may have taken the memory: whether it fits
 * is for a worker that begins with it to say. This one ends, not to blame. */
static int is_spent(const struct ens_worker *w, enum ens_status s)
{
    return s == ENS_ENOMEMORY && w->config.memory_limit > 0 && w->n_tasks > 0 &&
           (!w->replay || w->restore);
}

static enum ens_status retire(struct ens_worker *w, struct ens_error *err)
{
    ens_worker_phase(w, ENS_PHASE_IDLE);
    ens_worker_flush(w);
    return ens_fail(err, ENS_ESTOPPED, "memory limit");
}

/* Run it and leave the record in the draft. */
static enum ens_status make_record(struct ens_worker *w, struct ens_error *err)
{
    struct ens_error why;
    enum ens_status s, f;

    why.text[0] = '\0';
    w->task.seed =
        ens_task_seed(w->plan, w->stage.key, &w->task.cell, w->task.replicate);
    ens_arrays_begin_task(w);
    s = ens_result_begin(&w->result, err);
    if (s != ENS_OK)
        return s;
    s = run_kind(w, &why);
    if (w->fatal.status == ENS_OK && is_spent(w, s))
        return retire(w, err);
    if (w->fatal.status == ENS_OK && s != ENS_OK) {
        f = fail_task(w, s, &why, err);
        if (f != ENS_OK)
            return f;
    }
    if (w->fatal.status == ENS_OK)
        ens_retain_settle(w, err);
    return w->fatal.status == ENS_OK ? ENS_OK : fatal(w, err);
}

static void head_of_record(struct ens_worker *w, uint64_t cell,
                           uint64_t spent_ns)
{
    struct ens_draft *d = &w->result.draft;

    d->cell = cell;
    d->replicate = w->task.replicate;
    d->attempts = 1 + w->charged;
    d->worker = w->config.slot;
    d->seconds = (double)spent_ns * 1e-9;
    ens_laps_put(&w->result);
}

enum ens_status ens_worker_run(struct ens_worker *w, uint64_t place,
                               struct ens_error *err)
{
    uint64_t start, cell;
    enum ens_status s;

    if (w->cell_n > 0 &&
        is_due(w, w->now_ns + (uint64_t)(w->cell_sum_ns / w->cell_n)) &&
        (s = flush(w)) != ENS_OK)
        return ens_fail(err, s, "cannot send records");
    start = w->now_ns;
    publish(w, place);
    ens_stage_task(&w->stage, place, &cell, &w->task.replicate);
    if (!w->has_cell || w->task.cell.ordinal != cell)
        enter_cell(w, cell);
    s = w->fatal.status == ENS_OK ? make_record(w, err) : fatal(w, err);
    w->now_ns = ens_clock_ns();
    if (s != ENS_OK)
        return s;
    head_of_record(w, cell, w->now_ns - start);
    publish_end(w, w->now_ns - start);
    w->cell_sum_ns += (double)(w->now_ns - start);
    w->cell_n += 1;
    s = ens_worker_pack(w, err);
    ens_arena_reset(&w->result.arena);
    if (w->fault.signal != 0) { /* what the kind cached may be half done */
        w->fault.signal = 0;
        ens_worker_leave_cell(w);
    }
    if (s == ENS_OK && is_due(w, w->now_ns) && (s = flush(w)) != ENS_OK)
        return ens_fail(err, s, "cannot send records");
    return s;
}
