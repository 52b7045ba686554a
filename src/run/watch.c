/* Progress, the status file, the log, memory of the job, the end report. */
#include "base/clock.h"
#include "base/file.h"
#include "run/state.h"

#include <ctype.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TASK_NS 1000000000u /* tasks that last so long are named */

/* -- log ---------------------------------------------------------------------
 */

void ens_watch_log(struct ens_run *r, const char *fmt, ...)
{
    char now[21];
    va_list ap;

    if (r->log_file == NULL)
        return;
    ens_clock_utc(now);
    fprintf(r->log_file, "time=%s epoch=%u ", now, r->epoch.number);
    va_start(ap, fmt);
    vfprintf(r->log_file, fmt, ap);
    va_end(ap);
    fputc('\n', r->log_file);
    fflush(r->log_file);
}

/* -- failures
 * ------------------------------------------------------------------ */

/* Same text but for its digits? */
static int same_class(const char *a, const char *b, size_t n)
{
    size_t i = 0;
    size_t k = 0;

    while (a[i] != '\0' && k < n) {
        if (isdigit((unsigned char)a[i]) && isdigit((unsigned char)b[k])) {
            while (isdigit((unsigned char)a[i]))
                i++;
            while (k < n && isdigit((unsigned char)b[k]))
                k++;
        } else if (a[i++] != b[k++]) {
            return 0;
        }
    }
    return a[i] == '\0' && k == n;
}

static void name_failure(struct ens_run *r, const struct ens_record *rec,
                         struct ens_run_failure *f)
{
    struct ens_task task = {.stage = r->stage.key,
                            .stage_index = r->stage.index,
                            .replicate = rec->replicate};
    char text[sizeof(f->text)] = "";

    for (size_t i = 0; f->text[i] != '\0'; i++) /* of one line */
        text[i] = iscntrl((unsigned char)f->text[i]) ? ' ' : f->text[i];
    ens_study_cell(r->study, rec->cell, &task.cell);
    ens_plan_label(&r->plan, &task, f->task, sizeof(f->task));
    ens_watch_log(r, "event=%s task=%s text=\"%s\"",
                  rec->status == ENS_TASK_OK ? "warned"
                                             : ens_outcome_text(rec->status),
                  f->task, text);
}

static void count_failure(struct ens_run *r, const struct ens_record *rec,
                          const char *text, size_t n)
{
    struct ens_run_report *rep = r->report;
    enum ens_outcome outcome = rec->status;
    struct ens_run_failure *f;

    if (n >= sizeof(f->text))
        n = sizeof(f->text) - 1;
    for (size_t i = 0; i < rep->n_failures; i++) {
        f = &rep->failure[i];
        if (f->outcome == outcome && same_class(f->text, text, n)) {
            f->n++;
            return;
        }
    }
    if (rep->n_failures == ENS_RUN_FAILURES) {
        rep->n_other_failures++;
        return;
    }
    f = &rep->failure[rep->n_failures++];
    f->outcome = outcome;
    f->n = 1;
    memcpy(f->text, text, n);
    f->text[n] = '\0';
    name_failure(r, rec, f);
}

static void stop_at_max_errors(struct ens_run *r)
{
    char line[128];

    ens_watch_log(r, "event=max_errors n=%llu",
                  (unsigned long long)r->n_failed);
    snprintf(line, sizeof(line),
             "stopping: %llu tasks are not ok ([run] max_errors = %llu)",
             (unsigned long long)r->n_failed,
             (unsigned long long)r->max_errors);
    if (r->options->say != NULL)
        r->options->say(r->options->arg, line);
    ens_run_stop(r);
}

void ens_watch_failures(struct ens_run *r, const struct ens_batch *b)
{
    struct ens_record rec;
    struct ens_item_view item;

    for (uint32_t i = 0; i < b->n; i++) {
        ens_batch_get(b, i, &rec);
        if (rec.status == ENS_TASK_OK) {
            if (rec.items_bytes > 0 && !ens_run_stop_is_behind(r, &rec) &&
                ens_item_find(&rec, ENS_ITEM_WARNING, &item))
                count_failure(r, &rec, (const char *)item.bytes, item.length);
            continue;
        }
        if (ens_run_stop_is_behind(r, &rec))
            continue;
        r->n_failed++;
        r->stage_not_ok++;
        if (ens_item_find(&rec, ENS_ITEM_ERROR, &item))
            count_failure(r, &rec, (const char *)item.bytes, item.length);
    }
    if (r->max_errors > 0 && r->n_failed >= r->max_errors && !r->stopping)
        stop_at_max_errors(r);
}

/* -- memory of the job --------------------------------------------------------
 */

static void read_memory(struct ens_run *r)
{
    struct ens_run_report *rep = r->report;
    uint64_t cpu_ns, pss_bytes = 0, worker_bytes = 0;

    ens_cost_memory(&r->meter, r->ops, r->transport, r->n_workers);
    if (r->transport != NULL && r->ops->others != NULL)
        r->ops->others(r->transport, &cpu_ns, &pss_bytes, &worker_bytes);
    r->pss_bytes = r->meter.pss_bytes + pss_bytes;
    if (r->pss_bytes > rep->peak_pss_bytes)
        rep->peak_pss_bytes = r->pss_bytes;
    if (r->meter.worker_bytes > worker_bytes)
        worker_bytes = r->meter.worker_bytes;
    if (worker_bytes > rep->worker_private_bytes)
        rep->worker_private_bytes = worker_bytes;
}

/* -- progress
 * ------------------------------------------------------------------ */

static uint64_t busy_ns(const struct ens_run *r)
{
    struct ens_dispatch_totals t;

    if (r->transport == NULL)
        return r->busy_ns;
    ens_dispatch_totals(r->dispatch, &t);
    return t.busy_ns;
}

/* Short tasks would only flicker. */
static void name_oldest(struct ens_run *r, struct ens_run_progress *p,
                        uint64_t now)
{
    struct ens_task task = {.stage = r->stage.key,
                            .stage_index = r->stage.index};
    uint64_t place, start, ordinal;

    if (r->transport == NULL || r->phase > ENS_RUN_STAGE_SYNC ||
        !ens_dispatch_oldest(r->dispatch, &place, &start) ||
        now < start + TASK_NS)
        return;
    ens_stage_task(&r->stage, place, &ordinal, &task.replicate);
    ens_study_cell(r->study, ordinal, &task.cell);
    ens_plan_label(&r->plan, &task, r->task, sizeof(r->task));
    p->task = r->task;
    p->task_s = (double)(now - start) / 1e9;
}

static void take(struct ens_run *r, struct ens_run_progress *p, uint64_t now)
{
    struct ens_journal_state state;
    double since = (double)(now - r->watch_ns) / 1e9;
    uint64_t n_new = r->report->n_new;

    memset(p, 0, sizeof(*p));
    if (since > 0.2) {
        double rate = (double)(n_new - r->watch_done) / since;

        r->rate = r->rate > 0 ? 0.7 * r->rate + 0.3 * rate : rate;
        r->watch_ns = now;
        r->watch_done = n_new;
    }
    p->stage = r->stage.key;
    p->n_tasks = r->stage_tasks;
    p->n_not_ok = r->stage_not_ok;
    p->n_done = r->stage_done;
    p->seconds = (double)(now - r->start_ns) / 1e9;
    p->tasks_per_s = r->rate;
    p->eta_s = r->rate > 0 && p->n_tasks >= p->n_done
                   ? (double)ens_run_stop_left(r) / r->rate
                   : NAN;
    p->n_cells = r->tracker != NULL ? r->stage_cells : 0;
    p->n_stopped = r->n_stopped;
    p->n_workers = r->n_workers;
    p->efficiency =
        (double)busy_ns(r) / 1e9 / (p->seconds * (double)r->n_workers);
    p->pss_bytes = r->pss_bytes;
    name_oldest(r, p, now);
    if (r->phase == ENS_RUN_CLOSING)
        p->note =
            r->digest_running ? "reading all of the inputs" : "writing tables";
    if (r->journal == NULL)
        return;
    ens_journal_state(r->journal, &state);
    if (state.waiting_for_space)
        p->note = "waiting for disk space";
    else if (r->phase == ENS_RUN_ARRAYS)
        p->note = "looking after output arrays";
    else if (r->restore.running)
        p->note = "making arrays again that a later stage reads";
    else if (r->phase == ENS_RUN_NEXT)
        p->note = "working out what follows";
    else if (r->stopping)
        p->note = "stopping: running tasks finish";
    else
        p->note = ens_staging_note(r);
}

static void write_status(struct ens_run *r, const struct ens_run_progress *p)
{
    struct ens_buf b = ENS_BUF_INIT;
    char now[21];
    struct ens_journal_state state = {0};

    if (r->status_fd < 0)
        return;
    if (r->journal != NULL)
        ens_journal_state(r->journal, &state);
    ens_clock_utc(now);
    ens_buf_printf(
        &b,
        "time=%s\nepoch=%u\npid=%d\nstate=%s\nstage=%s\n"
        "tasks=%llu\ndone=%llu\nnot_ok=%llu\nacknowledged=%llu\n"
        "seconds=%.1f\ntasks_per_s=%.6g\neta_s=%.6g\n"
        "workers=%u\nefficiency=%.3f\npss_bytes=%llu\n",
        now, r->epoch.number, (int)getpid(),
        r->phase >= ENS_RUN_OVER ? "ended" : "running", p->stage,
        (unsigned long long)p->n_tasks, (unsigned long long)p->n_done,
        (unsigned long long)p->n_not_ok, (unsigned long long)state.records,
        p->seconds, p->tasks_per_s, p->eta_s, p->n_workers, p->efficiency,
        (unsigned long long)p->pss_bytes);
    if (p->n_cells > 0)
        ens_buf_printf(&b, "cells=%llu\ncells_stopped=%llu\n",
                       (unsigned long long)p->n_cells,
                       (unsigned long long)p->n_stopped);
    if (p->task != NULL)
        ens_buf_printf(&b, "task=%s\ntask_seconds=%.1f\n", p->task, p->task_s);
    /* advisory: a full disk must not stop the run here */
    if (!b.failed && pwrite(r->status_fd, b.data, b.len, 0) == (ssize_t)b.len)
        (void)!ftruncate(r->status_fd, (off_t)b.len);
    ens_buf_fini(&b);
}

void ens_watch_tick(uv_timer_t *timer)
{
    struct ens_run *r = timer->data;
    const struct ens_run_options *o = r->options;
    struct ens_run_progress p;
    uint64_t now = ens_clock_ns();

    if (r->phase == ENS_RUN_OVER || r->done == NULL)
        return;
    if (now >= r->meter.due_ns && r->transport != NULL)
        read_memory(r);
    take(r, &p, now);
    write_status(r, &p);
    ens_staging_say(r, now);
    if (o->progress == NULL || o->progress_s <= 0 ||
        (double)(now - r->progress_ns) / 1e9 < o->progress_s)
        return;
    r->progress_ns = now;
    o->progress(o->arg, &p);
}

void ens_watch_begin(struct ens_run *r)
{
    char path[sizeof(r->dir) + 16];

    r->start_ns = r->watch_ns = r->progress_ns = ens_clock_ns();
    snprintf(path, sizeof(path), "%s/status", r->dir);
    r->status_fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    snprintf(path, sizeof(path), "%s/log.txt", r->dir);
    r->log_file = fopen(path, "ae");
    ens_watch_log(r, "event=start version=%s kind=%s workers=%u transport=%s",
                  ENS_VERSION, r->kind->name, r->n_workers, r->ops->name);
}

/* What the run itself costs: the coordinator's CPU time, the zygote's (the
 * first process the transport names), and that of other supervisors. */
static double supervisor_cpu(const struct ens_run *r)
{
    uint64_t ns = ens_process_cpu_ns(getpid());
    uint64_t cpu_ns, pss_bytes, worker_bytes;
    int32_t pid[1];

    if (r->transport != NULL && r->ops->pids(r->transport, pid, 1) == 1)
        ns += ens_process_cpu_ns(pid[0]);
    if (r->transport != NULL && r->ops->others != NULL) {
        r->ops->others(r->transport, &cpu_ns, &pss_bytes, &worker_bytes);
        ns += cpu_ns;
    }
    return (double)ns / 1e9;
}

void ens_watch_first(struct ens_run *r)
{
    double ms = (double)(ens_clock_ns() - r->begin_ns) / 1e6;

    if (r->had_first)
        return;
    r->had_first = 1;
    ens_watch_log(r, "event=first_task ms=%.3f", ms);
}

void ens_watch_end(struct ens_run *r)
{
    struct ens_run_progress p;
    uint64_t now = ens_clock_ns();

    if (r->done == NULL || r->start_ns == 0)
        return;
    if (r->transport != NULL)
        read_memory(r);
    take(r, &p, now);
    r->busy_ns = busy_ns(r);
    ens_watch_log(r, "event=stop busy_s=%.3f supervisor_cpu_s=%.3f",
                  (double)r->busy_ns / 1e9, supervisor_cpu(r));
    r->report->seconds = p.seconds;
    r->report->efficiency = p.efficiency;
    r->phase = ENS_RUN_OVER;
    write_status(r, &p);
}

void ens_watch_exit(struct ens_run *r, int code)
{
    char line[32];
    struct stat st;
    int n = snprintf(line, sizeof(line), "exit=%d\n", code);

    /* advisory, as all of it */
    if (r->status_fd >= 0 && r->start_ns > 0 && fstat(r->status_fd, &st) == 0)
        (void)!pwrite(r->status_fd, line, (size_t)n, st.st_size);
}

void ens_watch_totals(struct ens_run *r, struct ens_folder_totals *t)
{
    uint64_t ended = 0;

    memset(t, 0, sizeof(*t));
    for (size_t i = 0; i < r->n_chain; i++) {
        struct ens_replay_stage *st =
            ens_replay_find(&r->replay, r->chain[i].id);

        t->n_tasks += ens_chain_n_tasks(r, &r->chain[i]);
        for (int o = 0; st != NULL && o < ENS_N_OUTCOMES; o++)
            t->by_outcome[o] +=
                ens_chain_count(r, &r->chain[i], st->done, (enum ens_outcome)o);
    }
    for (int o = 0; o < ENS_N_OUTCOMES; o++)
        ended += t->by_outcome[o];
    t->n_left = t->n_tasks > ended ? t->n_tasks - ended : 0;
}

void ens_watch_report(struct ens_run *r)
{
    struct ens_run_report *rep = r->report;
    struct ens_folder_totals t;

    ens_watch_totals(r, &t);
    snprintf(rep->dir, sizeof(rep->dir), "%s", r->dir);
    rep->n_workers = r->n_workers;
    rep->n_tasks = t.n_tasks;
    rep->n_left = t.n_left;
    memcpy(rep->by_outcome, t.by_outcome, sizeof(rep->by_outcome));
    ens_run_stop_report(r);
    rep->shard = r->options->shard;
    snprintf(rep->stage, sizeof(rep->stage), "%s", r->stage.key);
    rep->n_part = r->stage_tasks;
    rep->n_part_left = r->stage_tasks - r->stage_done;
    if (r->log_file != NULL)
        ens_watch_log(r,
                      "event=end new=%llu ok=%llu failed=%llu timeout=%llu "
                      "crashed=%llu left=%llu seconds=%.1f",
                      (unsigned long long)rep->n_new,
                      (unsigned long long)rep->by_outcome[0],
                      (unsigned long long)rep->by_outcome[1],
                      (unsigned long long)rep->by_outcome[2],
                      (unsigned long long)rep->by_outcome[3],
                      (unsigned long long)rep->n_left, rep->seconds);
}
