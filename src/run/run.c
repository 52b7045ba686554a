#include "run/run.h"

#include "base/clock.h"
#include "base/file.h"
#include "run/state.h"
#include "transport/ranks.h"
#include "worker/worker.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int ens_run_exit(enum ens_status s, const struct ens_run_report *report)
{
    if (s != ENS_OK)
        return ens_status_exit(s);
    if (report->was_part)
        return report->n_differ > 0;
    for (int o = ENS_TASK_FAILED; o < ENS_N_OUTCOMES; o++)
        if (report->by_outcome[o] > 0)
            return 1;
    return report->n_differ > 0;
}

/* -- the loop ---------------------------------------------------------------
 */

static const int signals[4] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1};

static void on_signal(uv_signal_t *handle, int number)
{
    struct ens_run *r = handle->data;

    if (r->phase == ENS_RUN_OVER)
        return;
    ens_watch_log(r, "event=signal number=%d", number);
    if (r->phase == ENS_RUN_CLOSING) { /* tables may be left to the next run */
        r->n_signals++;
        r->stopping = 1;
        atomic_store(&r->digest_stop, 1);
    } else if (r->dispatch == NULL) { /* nothing runs yet */
        r->n_signals++;
        r->stopping = 1;
    } else if (!r->stopping) {
        r->n_signals++;
        ens_run_stop(r);
    } else if (number == SIGINT) {
        r->n_signals++;
        ens_dispatch_kill(r->dispatch);
    }
}

static void on_journal(uv_async_t *handle)
{
    ens_commit_poll(handle->data);
}

static void on_commit_timer(uv_timer_t *handle)
{
    ens_commit_poll(handle->data);
}

static void on_beat(uv_timer_t *handle)
{
    struct ens_run *r = handle->data;
    struct ens_error err;

    /* at the end the epoch is asked for anyway before it is closed */
    if (ens_epoch_beat(&r->epoch, &err) != ENS_OK && r->phase < ENS_RUN_OVER)
        ens_run_break(r, &err);
}

static void on_died(void *arg, uint32_t slot, const struct ens_death *death)
{
    ens_watch_log(arg,
                  "event=death slot=%u phase=%d wait=%d asked=%d zygote=%d",
                  slot, (int)death->phase, death->wait_status, death->asked,
                  death->zygote_lost);
}

static void on_broken(void *arg, const struct ens_error *err)
{
    ens_run_break(arg, err);
}

static void start_timer(struct ens_run *r, uv_timer_t *t, uv_timer_cb cb,
                        double seconds)
{
    uint64_t ms = (uint64_t)(seconds * 1000);

    uv_timer_init(&r->loop, t);
    t->data = r;
    uv_timer_start(t, cb, ms > 0 ? ms : 1, ms > 0 ? ms : 1);
}

void ens_run_beat(struct ens_run *r)
{
    start_timer(r, &r->beat_timer, on_beat, r->heartbeat_s);
}

static enum ens_status open_loop(struct ens_run *r, struct ens_error *err)
{
    if (uv_loop_init(&r->loop) != 0)
        return ens_fail(err, ENS_EPROCESS, "cannot make an event loop");
    r->has_loop = 1;
    uv_async_init(&r->loop, &r->journal_wake, on_journal);
    r->journal_wake.data = r;
    for (size_t i = 0; i < 4; i++) {
        uv_signal_init(&r->loop, &r->signal[i]);
        r->signal[i].data = r;
        uv_signal_start(&r->signal[i], on_signal, signals[i]);
    }
    if (r->options->held != NULL && *r->options->held != 0)
        raise(*r->options->held);
    signal(SIGPIPE, SIG_IGN);
    return ENS_OK;
}

static enum ens_status open_dispatch(struct ens_run *r, struct ens_error *err)
{
    const struct ens_dispatch_config config = {
        .loop = &r->loop,
        .plan = &r->plan,
        .n_slots = r->n_workers,
        .n_near = r->options->ranks != NULL ? r->options->ranks->n_slots[0] : 0,
        .attempts = (uint32_t)ens_run_value(r, "attempts")->i,
        .attempts_timeout = (uint32_t)ens_run_value(r, "attempts_timeout")->i,
        .timeout_s = ens_run_value(r, "timeout")->d,
        .grace_s = ens_run_value(r, "grace")->d,
        .part = &r->part,
        .events = {r, ens_events_records, ens_events_frame, ens_events_attempt,
                   ens_events_ended, ens_stages_done, ens_stages_answered,
                   on_died, on_broken}};
    struct ens_transport_config tc = {
        .loop = &r->loop,
        .program = r->options->program,
        .plan = &r->plan,
        .study_text = (const char *)r->study_text.data,
        .study_bytes = r->study_text.len,
        .dir = r->dir,
        .epoch = r->epoch.number,
        .run_id = r->epoch.run_id,
        .n_slots = r->n_workers,
        .memory_limit = (uint64_t)ens_run_value(r, "memory_limit")->i,
        .plugins = ens_finder_hash(&r->finder),
        .ranks = r->options->ranks,
        .timeout_s = config.timeout_s,
        .heartbeat_s = r->heartbeat_s,
        .dead_man_s = ens_run_value(r, "dead_man")->d};
    enum ens_status s = ens_dispatch_new(&r->dispatch, &config, err);

    if (s == ENS_OK)
        s = ens_staging_make(r, &tc.stager, err);
    if (s != ENS_OK)
        return s;
    tc.events = ens_dispatch_sink(r->dispatch);
    s = r->ops->open(&r->transport, &tc, err);
    if (s == ENS_OK)
        ens_dispatch_attach(r->dispatch, r->ops, r->transport);
    return s;
}

static void close_handle(uv_handle_t *h, void *arg)
{
    (void)arg;
    if (!uv_is_closing(h))
        uv_close(h, NULL);
}

static void close_loop(struct ens_run *r)
{
    if (!r->has_loop)
        return;
    ens_digest_stop(r);
    ens_limit_end(r);
    ens_dispatch_close(r->dispatch);
    uv_walk(&r->loop, close_handle, NULL);
    while (uv_run(&r->loop, UV_RUN_DEFAULT) != 0)
        ;
    uv_loop_close(&r->loop);
    ens_dispatch_free(r->dispatch);
    r->dispatch = NULL;
    r->has_loop = 0;
}

static enum ens_status run_loop(struct ens_run *r, struct ens_error *err)
{
    enum ens_status s = open_dispatch(r, err);

    if (s != ENS_OK)
        return s;
    ens_watch_begin(r);
    ens_limit_begin(r);
    s = ens_digest_begin(r, err);
    if (s == ENS_OK)
        s = ens_stages_first(r, err);
    if (s != ENS_OK)
        return s;
    start_timer(r, &r->commit_timer, on_commit_timer,
                r->commit_seconds < 0.25 ? r->commit_seconds : 0.25);
    start_timer(r, &r->watch_timer, ens_watch_tick, 1.0);
    while (s == ENS_OK && r->phase != ENS_RUN_OVER)
        if (r->phase == ENS_RUN_ARRAYS)
            s = ens_stages_arrays(r, err);
        else
            uv_run(&r->loop, UV_RUN_DEFAULT);
    if (r->error.status != ENS_OK) {
        *err = r->error;
        return (enum ens_status)r->error.status;
    }
    return s;
}

/* -- the end ------------------------------------------------------------------
 */

static enum ens_status close_run(struct ens_run *r, struct ens_error *err)
{
    struct ens_journal *j = r->journal;
    uint64_t end;
    enum ens_status s;

    r->journal = NULL;
    r->phase = r->complete ? ENS_RUN_CLOSING : ENS_RUN_OVER;
    s = ens_journal_close(j, &end, err);
    if (!r->complete)
        ens_digest_stop(r);
    else if (s == ENS_OK)
        s = ens_digest_end(r, err);
    if (s == ENS_ESTOPPED) {
        r->complete = 0;
        s = ENS_OK;
    }
    if (s == ENS_OK && r->complete && ens_epoch_superseded(&r->epoch))
        s = ens_run_write_folder(r, err); /* says so */
    if (s == ENS_OK && r->complete)
        s = ens_aside_retire(r, err);
    if (s == ENS_OK && r->complete)
        s = ens_beside(r, ens_stages_tables, err);
    if (s == ENS_OK && (r->complete || r->only != NULL))
        s = ens_aside_sweep(r, err);
    r->phase = ENS_RUN_OVER;
    if (s == ENS_OK) {
        r->folder.has_totals = r->n_chain > 0;
        ens_watch_totals(r, &r->folder.totals);
        /* an older value names a state that no longer is: harmless */
        if (r->complete)
            r->folder.finished = ens_chain_state(r);
        s = ens_run_write_folder(r, err);
    }
    if (s == ENS_OK)
        s = ens_epoch_close(&r->epoch, end, err);
    return s;
}

/* Workers remove their own folders; not those that were killed. */
static void remove_work(const struct ens_run *r)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s/" ENS_WORK_FOLDER, r->dir);

    if (n > 0 && (size_t)n < sizeof(path) && access(path, F_OK) == 0 &&
        ens_file_empty(path, NULL) == ENS_OK)
        rmdir(path);
}

static enum ens_status run_new(struct ens_run *r, struct ens_error *err)
{
    enum ens_status s = open_loop(r, err);

    if (s == ENS_OK)
        s = ens_run_begin(r, err);
    if (s == ENS_OK && !r->stopping)
        s = run_loop(r, err);
    ens_watch_end(r);
    if (r->transport != NULL) { /* so the folder is ours */
        r->ops->close(r->transport);
        ens_dispatch_detach(r->dispatch);
        if (!ens_epoch_superseded(&r->epoch))
            remove_work(r);
    }
    r->transport = NULL;
    if (s == ENS_OK)
        s = close_run(r, err);
    r->report->complete = s == ENS_OK && r->complete;
    r->report->stopped = r->stopping;
    r->report->was_part =
        (r->only != NULL || r->chosen != NULL || r->options->shard.n > 0) &&
        !r->complete && !r->stopping;
    ens_watch_report(r);
    if (s == ENS_OK && r->n_signals > 0 && !r->complete)
        s = ens_fail(err, ENS_ESTOPPED, "stopped by a signal");
    else if (s == ENS_OK && r->is_late && !r->complete)
        s = ens_fail(err, ENS_ESTOPPED,
                     "time limit: %llu tasks left%s; run again",
                     (unsigned long long)r->report->n_left,
                     ens_plan_is_last(&r->plan, r->n_chain)
                         ? ""
                         : ", and stages that may follow");
    ens_watch_exit(r, ens_run_exit(s, r->report));
    if (r->journal != NULL) /* its thread wakes the loop until it ends */
        ens_journal_abandon(r->journal);
    r->journal = NULL;
    if (s != ENS_OK)
        ens_watch_log(r, "event=error error=\"%s\"", err->text);
    close_loop(r);
    return s;
}

/* Nothing to do: the tables are those of this study and these records. */
static enum ens_status look(struct ens_run *r, struct ens_error *err)
{
    if (r->options->only != NULL || r->options->retry_failed ||
        r->folder.finished == 0)
        return ENS_OK;
    if (!ens_chain_finished(r) || ens_chain_state(r) != r->folder.finished)
        return ens_chain_rewind(r, err);
    ens_watch_report(r);
    r->report->was_finished = r->report->complete = 1;
    return ENS_OK;
}

enum ens_status ens_run(const struct ens_run_options *options,
                        struct ens_run_report *report, struct ens_buf *errors,
                        struct ens_error *err)
{
    struct ens_run *r = calloc(1, sizeof(*r));
    enum ens_status s;

    memset(report, 0, sizeof(*report));
    if (r == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    r->options = options;
    r->report = report;
    r->errors = errors;
    r->status_fd = -1;
    r->begin_ns = ens_clock_ns();
    r->io = ens_io_default();
    r->ops = ens_transport_find(
        strcmp(options->transport, "auto") == 0 ? "fork" : options->transport);
    if (r->ops == NULL) {
        free(r);
        return ens_fail(err, ENS_EUSAGE,
                        "--transport %s: not one of auto, inline, fork, mpi",
                        options->transport);
    }
    s = ens_run_setup(r, err);
    if (s == ENS_OK)
        s = look(r, err);
    if (s == ENS_OK && !report->was_finished)
        s = run_new(r, err);
    ens_run_fini(r);
    free(r);
    return s;
}
