/* From a study file to a run that can begin: everything that can be refused
 * is refused here, before any worker starts. */
#include "base/bug.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/number.h"
#include "run/state.h"
#include "store/array.h"
#include "store/outwait.h"
#include "store/renew.h"
#include "transport/ranks.h"
#include "worker/worker.h"

#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What takes less is not worth a line. */
#define CONVERT_QUIET_NS 1000000000u
#define CONVERT_SECONDS  10.0 /* at least, between two lines */

const struct ens_value *ens_run_value(const struct ens_run *r, const char *key)
{
    const struct ens_value *v = ens_study_value(r->study, "run", key);

    ENS_BUG_ON(v == NULL);
    return v;
}

static enum ens_status load_study(struct ens_run *r, struct ens_error *err)
{
    const struct ens_run_options *o = r->options;
    struct ens_study_kinds kinds;
    char path[PATH_MAX];
    const char *file = o->study;
    enum ens_status s;

    ens_finder_init(&r->finder, o->kinds, &ens_host);
    kinds = ens_finder_kinds(&r->finder);
    if (file == NULL && o->text == NULL) {
        snprintf(path, sizeof(path), "%s/study.ini", o->results);
        file = path;
    }
    if (o->text != NULL)
        s = ens_study_parse(&r->study, "study", o->text, strlen(o->text),
                            o->folder, o->set, o->n_set, &kinds, r->errors,
                            err);
    else
        s = ens_study_load(&r->study, file, NULL, o->set, o->n_set, &kinds,
                           r->errors, err);
    if (s == ENS_OK)
        r->kind = r->finder.kind;
    return s;
}

static int is_chosen(const void *arg, uint64_t cell)
{
    return ens_where_has(arg, cell);
}

static enum ens_status choose_cells(struct ens_run *r, struct ens_error *err)
{
    const struct ens_run_options *o = r->options;
    enum ens_status s =
        ens_where_init(&r->where, r->study, o->where, o->n_where, err);

    r->where_cells = (struct ens_chosen){is_chosen, &r->where};
    if (s == ENS_OK && r->where.n > 0)
        r->chosen = &r->where_cells;
    r->part = (struct ens_part){o->shard, r->chosen, &r->stops, NULL};
    return s;
}

static enum ens_status absolute(char *to, size_t cap, const char *path,
                                struct ens_error *err)
{
    char cwd[PATH_MAX];
    int n;

    if (path[0] == '/') {
        n = snprintf(to, cap, "%s", path);
    } else {
        if (getcwd(cwd, sizeof(cwd)) == NULL)
            return ens_fail_errno(err, ENS_EIO, "cannot tell the folder");
        n = snprintf(to, cap, "%s/%s", cwd, path);
    }
    if (n < 0 || (size_t)n >= cap)
        return ens_fail(err, ENS_EUSAGE, "%s: path too long", path);
    while (n > 1 && to[n - 1] == '/')
        to[--n] = '\0';
    return ENS_OK;
}

uint32_t ens_run_auto_workers(const struct ens_study *study)
{
    int64_t cores = ens_study_value(study, "run", "cores")->i;
    cpu_set_t set;
    long n = 1;

    if (sched_getaffinity(0, sizeof(set), &set) == 0)
        n = CPU_COUNT(&set);
    else
        n = sysconf(_SC_NPROCESSORS_ONLN);
    if (cores > 1)
        n /= cores;
    return n < 1 ? 1 : (uint32_t)n;
}

/* --workers, else [run] workers; 0: auto. */
static enum ens_status wanted_workers(struct ens_run *r, uint32_t *wanted,
                                      struct ens_error *err)
{
    const char *text = ens_run_value(r, "workers")->text;
    int64_t n = 0;

    *wanted = r->options->workers;
    if (*wanted > 0 || strcmp(text, "auto") == 0)
        return ENS_OK;
    if (ens_number_parse_i64(text, strlen(text), &n) != 0 || n < 1 || n > 4096)
        return ens_fail(err, ENS_ESTUDY,
                        "[run] workers: %s is neither auto nor 1 to 4096",
                        text);
    *wanted = (uint32_t)n;
    return ENS_OK;
}

static enum ens_status count_workers(struct ens_run *r, struct ens_error *err)
{
    struct ens_ranks *ranks = r->options->ranks;
    uint32_t n;
    enum ens_status s = wanted_workers(r, &n, err);

    if (s != ENS_OK)
        return s;
    if (ranks != NULL)
        r->n_workers =
            ens_ranks_assign(ranks, n, (uint32_t)ens_run_value(r, "cores")->i);
    else
        r->n_workers = n > 0 ? n : ens_run_auto_workers(r->study);
    if (r->n_workers == 0)
        return ens_fail(err, ENS_EUSAGE, "more than 65534 workers in all");
    r->dirty_slots = calloc((r->n_workers + 63) / 64, 8);
    if (r->dirty_slots == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    return ENS_OK;
}

static void report_convert(void *arg, const char *name, uint64_t done,
                           uint64_t all)
{
    struct ens_run *r = arg;
    char line[256];

    uint64_t now = ens_clock_ns();
    double every = r->options->progress_s < CONVERT_SECONDS
                       ? CONVERT_SECONDS
                       : r->options->progress_s;

    if (r->options->say == NULL || r->options->progress_s <= 0 || all == 0 ||
        now - r->begin_ns < CONVERT_QUIET_NS ||
        (r->progress_ns != 0 && (double)(now - r->progress_ns) / 1e9 < every))
        return;
    r->progress_ns = now;
    snprintf(line, sizeof(line), "input %s: converting, %.0f %%", name,
             100.0 * (double)done / (double)all);
    r->options->say(r->options->arg, line);
}

/* One by one: a pilot, and --only unless it names a task of a stage. */
static int is_whole(const struct ens_run_options *o)
{
    return o->pilot > 0 || (o->only != NULL && strchr(o->only, '/') == NULL);
}

static enum ens_status plan_study(struct ens_run *r, struct ens_error *err)
{
    enum ens_status (*make)(struct ens_plan *, const struct ens_host *,
                            const struct ens_kind *, const struct ens_study *,
                            const struct ens_inputs *, struct ens_error *) =
        is_whole(r->options) ? ens_plan_make_whole : ens_plan_make;
    enum ens_status s;

    s = ens_study_check_cells(r->study, err);
    if (s == ENS_OK)
        s = ens_inputs_open_with(&r->inputs, r->study, r->options->memory,
                                 r->options->n_memory, report_convert, r, err);
    if (s == ENS_OK)
        s = make(&r->plan, &ens_host, r->kind, r->study, &r->inputs, err);
    if (s == ENS_OK)
        s = ens_run_stop_rules(r, err);
    if (s == ENS_OK)
        s = ens_stage_copy(&r->stage, &r->plan.stage[0]);
    return s;
}

uint64_t ens_run_n_recorded(const struct ens_run *r)
{
    uint64_t n = 0;

    for (size_t i = 0; i < r->replay.n_stages; i++)
        for (int o = 0; o < ENS_N_OUTCOMES; o++)
            n += ens_done_total(r->replay.stage[i].done, (enum ens_outcome)o);
    return n;
}

/* The folder as it stands: its fingerprint must be ours. */
static enum ens_status read_folder(struct ens_run *r, struct ens_error *err)
{
    enum ens_status s;

    s = ens_folder_read(&r->folder, r->dir, r->study, err);
    r->folder.finder = &r->finder;
    if (s == ENS_OK)
        s = ens_log_open(&r->log, r->dir, NULL, err);
    if (s == ENS_OK)
        s = ens_replay_build(&r->replay, r->study, &r->log, r->dir, 1, err);
    if (s == ENS_OK)
        s = ens_folder_compare(&r->folder, r->study, ens_run_n_recorded(r),
                               r->errors, err);
    if (s == ENS_OK)
        s = ens_digest_check(r, err);
    return s;
}

/* The old folder goes aside: this run finds none. */
static enum ens_status restart(struct ens_run *r, struct ens_error *err)
{
    char old[sizeof(r->dir) + 16], line[sizeof(old) + 64];
    enum ens_status s = ens_folder_retire(r->dir, old, sizeof(old), err);

    if (s != ENS_OK)
        return s;
    if (old[0] != '\0' && r->options->say != NULL) {
        snprintf(line, sizeof(line), "old results are now %s", old);
        r->options->say(r->options->arg, line);
    }
    ens_replay_fini(&r->replay); /* --only was looked up in it */
    return read_folder(r, err);
}

enum ens_status ens_run_setup(struct ens_run *r, struct ens_error *err)
{
    const struct ens_run_options *o = r->options;
    enum ens_status s = load_study(r, err);

    if (s != ENS_OK)
        return s;
    snprintf(r->report->name, sizeof(r->report->name), "%s",
             ens_study_name(r->study));
    s = absolute(r->dir, sizeof(r->dir),
                 o->results != NULL ? o->results : ens_study_results(r->study),
                 err);
    if (s == ENS_OK)
        s = count_workers(r, err);
    if (s == ENS_OK)
        s = choose_cells(r, err);
    if (s == ENS_OK)
        s = plan_study(r, err);
    ens_study_write(r->study, &r->study_text);
    if (s == ENS_OK && r->study_text.failed)
        s = ens_fail(err, ENS_ENOMEMORY, "out of memory");
    if (s == ENS_OK && !o->restart)
        s = read_folder(r, err);
    if (s == ENS_OK && o->only != NULL)
        s = ens_stages_check_only(r, err);
    if (s == ENS_OK && o->restart)
        s = restart(r, err);
    return s;
}

/* -- taking the folder
 * --------------------------------------------------------- */

static enum ens_status put_cells(void *arg, const void *payload, size_t n)
{
    struct ens_run *r = arg;

    return ens_journal_append_frame(r->journal, ENS_FRAME_CELLS, payload, n);
}

static void wake(void *arg)
{
    struct ens_run *r = arg;

    uv_async_send(&r->journal_wake);
}

static enum ens_status open_journal(struct ens_run *r, struct ens_error *err)
{
    struct ens_journal_options jo = {.disk_wait_s =
                                         ens_run_value(r, "disk_wait")->d,
                                     .wake = wake,
                                     .arg = r};
    const char *slow = getenv("ENSRUN_SLOW_JOURNAL"); /* bytes/s, for tests */
    struct ens_segment_end *ends = calloc(r->log.n + 1, sizeof(*ends));
    enum ens_status s;

    if (ends == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    if (slow != NULL)
        ens_number_parse_u64(slow, strlen(slow), &jo.slow_bytes_per_s);
    for (size_t i = 0; i < r->log.n; i++)
        ends[i] = (struct ens_segment_end){r->log.segment[i].epoch,
                                           r->log.segment[i].end};
    s = ens_journal_open(&r->journal, &r->epoch, ends, r->log.n, r->io, &jo,
                         err);
    free(ends);
    return s;
}

/* What frames of this epoch refer to and the journal may lack. */
static enum ens_status put_preamble(struct ens_run *r, struct ens_error *err)
{
    uint64_t cells = ens_study_cells_hash(r->study);
    struct ens_buf b = ENS_BUF_INIT;
    size_t index;
    enum ens_status s = ENS_OK;

    if (r->replay.cells_hash != cells)
        s = ens_cells_write(r->study, put_cells, r);
    r->replay.cells_hash = cells;
    if (s == ENS_OK)
        s = ens_schemas_add(&r->empty, NULL, 0, &index, err);
    if (s == ENS_OK &&
        ens_schemas_find(&r->replay.schemas, r->empty.item[0]->hash) == NULL) {
        ens_schema_encode(r->empty.item[0], &b);
        s = ens_journal_append_frame(r->journal, ENS_FRAME_SCHEMA, b.data,
                                     b.len);
        if (s == ENS_OK)
            s = ens_schemas_add_encoded(&r->replay.schemas, b.data, b.len,
                                        &index, err);
        ens_buf_fini(&b);
    }
    return s == ENS_OK ? s : ens_fail(err, s, "out of memory");
}

/* Results are known by version, not by the bytes of a compiler: a file that
 * was built anew is taken, and said. */
static void check_plugins(struct ens_run *r)
{
    const char *path = ens_folder_plugin(&r->folder);
    char line[1024];

    if (path == NULL || r->options->say == NULL)
        return;
    snprintf(line, sizeof(line),
             "%.600s is not the file that earlier tasks ran; their results "
             "are kept. If it computes other ones, raise its results_version "
             "or use --restart",
             path);
    r->options->say(r->options->arg, line);
}

/* The signals that stop a run stop this too. */
static int on_waiting(void *arg, const struct ens_epoch_info *owner,
                      double left_s)
{
    struct ens_run *r = arg;
    char line[sizeof(r->dir) + 512];

    if (!r->said_waiting && r->options->say != NULL) {
        snprintf(line, sizeof(line),
                 "%s may still be in use by process %lld on %s, which cannot "
                 "be asked from here: taking it over if its heartbeat stands "
                 "still for %.3g s ([run] lock_wait)",
                 r->dir, (long long)owner->pid, owner->host, left_s);
        r->options->say(r->options->arg, line);
    }
    r->said_waiting = 1;
    uv_run(&r->loop, UV_RUN_NOWAIT);
    return r->stopping;
}

static enum ens_status take_folder(struct ens_run *r, struct ens_error *err)
{
    const struct ens_outwait how = {ens_run_value(r, "lock_wait")->d, r,
                                    on_waiting};
    uint32_t still;
    enum ens_status s = ens_epoch_outwait(r->dir, &how, &still, err);

    if (s == ENS_OK)
        s = ens_epoch_take_over(&r->epoch, r->dir, still, err);
    if (s != ENS_OK)
        return s;
    r->has_epoch = 1;
    r->heartbeat_s = ens_run_value(r, "heartbeat")->d;
    ens_run_beat(r);
    return ENS_OK;
}

/* Another epoch may have ended between the first look and the lock, of another
 * study even. */
static enum ens_status look_again(struct ens_run *r, struct ens_error *err)
{
    enum ens_status s = ENS_OK;

    if (r->epoch.unproved)
        s = ens_arrays_renew(r->dir, err);
    if (s != ENS_OK ||
        !(ens_folder_moved(&r->folder, r->dir) || r->epoch.unproved ||
          (r->epoch.number > 1 &&
           (r->log.n == 0 ||
            r->log.segment[r->log.n - 1].epoch + 1 != r->epoch.number))))
        return s;
    ens_replay_fini(&r->replay);
    ens_log_close(&r->log);
    ens_folder_fini(&r->folder);
    return read_folder(r, err);
}

enum ens_status ens_run_write_folder(struct ens_run *r, struct ens_error *err)
{
    if (ens_epoch_superseded(&r->epoch))
        return ens_fail(err, ENS_ELOCKED,
                        "results folder %s was taken over by epoch %u", r->dir,
                        r->epoch.number + 1);
    return ens_folder_write(&r->folder, r->dir, r->study, r->epoch.number, err);
}

enum ens_status ens_run_begin(struct ens_run *r, struct ens_error *err)
{
    char path[sizeof(r->dir) + 16];
    enum ens_status s = take_folder(r, err);

    if (s == ENS_OK)
        s = ens_beside(r, look_again, err);
    if (s == ENS_OK)
        s = ens_hosts_check(r, err);
    if (s != ENS_OK)
        return s;
    check_plugins(r);
    /* a merge that asks for the next stage leaves it what it is */
    if (r->options->shard.n == 0 || r->options->shard.k > 0)
        r->folder.shard = r->options->shard;
    snprintf(path, sizeof(path), "%s/study.ini", r->dir);
    if (s == ENS_OK)
        s = ens_file_replace(path, r->study_text.data, r->study_text.len, err);
    if (s == ENS_OK)
        s = ens_run_write_folder(r, err);
    if (s == ENS_OK)
        s = ens_aside_retire(r, err);
    if (s == ENS_OK)
        s = open_journal(r, err);
    if (s == ENS_OK)
        s = put_preamble(r, err);
    if (r->options->retry_failed)
        r->round = r->replay.max_round + 1;
    r->commit_every = (uint64_t)ens_run_value(r, "commit_every")->i;
    r->commit_seconds = ens_run_value(r, "commit_seconds")->d;
    r->max_errors = (uint64_t)ens_run_value(r, "max_errors")->i;
    r->last_commit_ns = r->checkpoint_ns = ens_clock_ns();
    r->checkpoint_records = r->replay.n_records;
    return s;
}

void ens_run_fini(struct ens_run *r)
{
    if (r->journal != NULL)
        ens_journal_abandon(r->journal);
    if (r->has_epoch)
        ens_epoch_abandon(&r->epoch);
    for (size_t i = 0; i < r->n_chain; i++)
        ens_stage_fini(&r->chain[i]);
    free(r->chain);
    free(r->only);
    ens_run_stop_fini(r);
    ens_stage_fini(&r->stage);
    ens_replay_fini(&r->replay);
    ens_log_close(&r->log);
    ens_folder_fini(&r->folder);
    ens_plan_fini(&r->plan);
    ens_inputs_close(&r->inputs);
    ens_where_fini(&r->where);
    ens_study_free(r->study);
    ens_finder_fini(&r->finder);
    ens_draft_fini(&r->draft);
    ens_schemas_fini(&r->empty);
    ens_buf_fini(&r->study_text);
    ens_buf_fini(&r->answer);
    ens_buf_fini(&r->checkpoint);
    ens_far_fini(r);
    ens_restore_fini(r);
    free(r->dirty_slots);
    free(r->dirty);
    if (r->log_file != NULL)
        fclose(r->log_file);
    if (r->status_fd >= 0)
        close(r->status_fd);
}
