/* ensrun run: the study, its progress on stderr, the end report. */
#include "cli/command.h"
#include "cli/duration.h"
#include "cli/progress.h"
#include "cli/ranks.h"
#include "cli/screen.h"
#include "cli/shard.h"
#include "cli/show_cells.h"
#include "kinds/kinds.h"
#include "run/run.h"

#include "base/bug.h"
#include "base/file.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct ens_option options[] = {
    {"workers", 0, ENS_OPTION_COUNT, 1, "N",
     "worker processes, under MPI of each rank (default: see below)"},
    {"results", 0, ENS_OPTION_TEXT, 0, "DIR",
     "results folder (default: [study] results)"},
    {"set", 0, ENS_OPTION_LIST, 0, "SECTION.KEY=VALUE",
     "override a setting; may be given again"},
    {"restart", 0, ENS_OPTION_FLAG, 0, NULL,
     "begin anew; the old folder is renamed to DIR.1"},
    {"retry-failed", 0, ENS_OPTION_FLAG, 0, NULL,
     "run tasks that failed, timed out or crashed again"},
    {"only", 0, ENS_OPTION_TEXT, 0, "ID,...",
     "only these tasks; a finished one is run again and compared"},
    {"shard", 0, ENS_OPTION_TEXT, 0, "K/N",
     "part K of N of the present stage, in a folder of its own; see merge"},
    {"where", 0, ENS_OPTION_LIST, 0, "K=V,...",
     "only tasks of cells whose axis K is V; may be given again"},
    {"time-limit", 0, ENS_OPTION_TEXT, 0, "TIME",
     "as 2h or 90m: begin no task that would not end before, and exit 85; "
     "none: do not ask the batch system (default: its time left, see below)"},
    {"transport", 0, ENS_OPTION_CHOICE, 0, "auto|inline|fork|mpi",
     "tasks run in workers, in workers of all ranks of an MPI job (what auto "
     "means under mpirun), or in this process (inline)"},
    {"progress", 0, ENS_OPTION_CHOICE, 0, "bar|lines|none",
     "one line that changes, a line a minute, or nothing"},
    {"json", 0, ENS_OPTION_FLAG, 0, NULL,
     "print the end report as one JSON object on stdout"},
};

enum look { LOOK_NONE, LOOK_LINES, LOOK_BAR };

struct screen {
    enum look look;
    int drawn; /* a bar stands on the last line */
};

static void clear_bar(struct screen *s)
{
    if (s->drawn)
        fprintf(stderr, "\r\033[K");
    s->drawn = 0;
}

static void say(void *arg, const char *line)
{
    clear_bar(arg);
    fprintf(stderr, "ensrun: %s\n", line);
}

static void progress(void *arg, const struct ens_run_progress *p)
{
    struct screen *s = arg;
    char text[512];

    ens_progress_text(text, sizeof(text), p);
    fprintf(stderr, "%s%s%s",
            s->look == LOOK_BAR     ? "\r\033[K"
            : s->look == LOOK_LINES ? "ensrun: "
                                    : "",
            text, s->look == LOOK_LINES ? "\n" : "");
    s->drawn = s->look == LOOK_BAR;
    fflush(stderr);
}

/* -- the end report ----------------------------------------------------------
 */

static void print_json(const struct ens_run_report *r, int code)
{
    json_t *dir = json_string(r->dir);
    char *text = json_dumps(dir, JSON_ENCODE_ANY);

    printf("{\"results\": %s, \"tasks\": %llu", text != NULL ? text : "null",
           (unsigned long long)r->n_tasks);
    free(text);
    json_decref(dir);
    for (int o = 0; o < ENS_N_OUTCOMES; o++)
        printf(", \"%s\": %llu", ens_outcome_text((enum ens_outcome)o),
               (unsigned long long)r->by_outcome[o]);
    printf(", \"left\": %llu, \"new\": %llu, \"seconds\": %.3f, "
           "\"efficiency\": %.4f, \"peak_pss_bytes\": %llu, "
           "\"worker_private_bytes\": %llu",
           (unsigned long long)r->n_left, (unsigned long long)r->n_new,
           r->seconds, isfinite(r->efficiency) ? r->efficiency : 0.0,
           (unsigned long long)r->peak_pss_bytes,
           (unsigned long long)r->worker_private_bytes);
    if (r->n_cells > 0)
        printf(", \"cells\": %llu, \"cells_stopped\": %llu, "
               "\"cells_unmet\": %llu",
               (unsigned long long)r->n_cells, (unsigned long long)r->n_stopped,
               (unsigned long long)r->n_unmet);
    if (r->shard.n > 0)
        printf(", \"shard\": \"%u/%u\", \"stage\": \"%s\", \"part\": %llu, "
               "\"part_left\": %llu",
               r->shard.k, r->shard.n, r->stage, (unsigned long long)r->n_part,
               (unsigned long long)r->n_part_left);
    printf(", \"exit\": %d}\n", code);
}

/* Where cells stopped, by [stop]. */
static void print_stops(const struct ens_run_report *r)
{
    if (r->n_cells == 0)
        return;
    fprintf(stderr, "  %llu of %llu cells met the rules of [stop]",
            (unsigned long long)r->n_stopped, (unsigned long long)r->n_cells);
    if (r->n_stopped > 0)
        fprintf(stderr, ", after %u to %u replicates, %.4g on average",
                r->stop_least, r->stop_most, r->stop_mean);
    fprintf(stderr, "\n");
    if (r->n_unmet > 0)
        fprintf(stderr,
                "  warning: %llu cell%s had all replicates without meeting "
                "them; farthest: %s\n",
                (unsigned long long)r->n_unmet, r->n_unmet == 1 ? "" : "s",
                r->stop_worst);
}

static void print_report(const struct ens_run_report *r,
                         const struct ens_options *o)
{
    const char *results = ens_options_text(o, "results");

    fprintf(stderr, "%s: %llu tasks: %llu ok", r->name,
            (unsigned long long)r->n_tasks,
            (unsigned long long)r->by_outcome[ENS_TASK_OK]);
    for (int k = ENS_TASK_FAILED; k < ENS_N_OUTCOMES; k++)
        if (r->by_outcome[k] > 0)
            fprintf(stderr, ", %llu %s", (unsigned long long)r->by_outcome[k],
                    ens_outcome_text((enum ens_outcome)k));
    if (r->n_left > 0)
        fprintf(stderr, ", %llu left", (unsigned long long)r->n_left);
    fprintf(stderr, "\n");
    if (r->was_finished) {
        fprintf(stderr, "  was finished already; nothing to do\n");
    } else {
        fprintf(stderr, "  %llu now in %.*f s, %u worker%s, efficiency %.0f %%",
                (unsigned long long)r->n_new, r->seconds < 1 ? 3 : 1,
                r->seconds, r->n_workers, r->n_workers == 1 ? "" : "s",
                100 * r->efficiency);
        fprintf(stderr, "\n");
        if (r->peak_pss_bytes > 0) /* 0: /proc does not say */
            fprintf(stderr,
                    "  peak memory %.1f MiB (PSS of all processes), %.1f MiB "
                    "private in the largest worker\n",
                    (double)r->peak_pss_bytes / 1048576.0,
                    (double)r->worker_private_bytes / 1048576.0);
    }
    for (size_t i = 0; i < r->n_failures; i++)
        fprintf(stderr, "  %llu %s%s: %s (%s%s)\n",
                (unsigned long long)r->failure[i].n,
                ens_outcome_text(r->failure[i].outcome),
                r->failure[i].outcome == ENS_TASK_OK ? ", warned" : "",
                r->failure[i].text, r->failure[i].task,
                r->failure[i].n > 1 ? " ..." : "");
    if (r->n_other_failures > 0)
        fprintf(stderr, "  %llu with other messages\n",
                (unsigned long long)r->n_other_failures);
    print_stops(r);
    fprintf(stderr, "  results: %s\n", r->dir);
    if (r->complete || (r->n_left == 0 && !r->stopped))
        return;
    if (r->shard.n > 0) {
        ens_shard_print(r);
        return;
    }
    fprintf(stderr, "  to go on: ensrun %s\n",
            results != NULL ? results : r->dir);
}

/* A study, or a folder of results. */
static enum ens_status choose(const struct ens_options *o,
                              struct ens_run_options *ro, struct ens_error *err)
{
    const char *word = o->n_words > 0 ? o->word[0] : "config.ini";
    struct stat st;

    if (stat(word, &st) != 0) {
        if (o->n_words == 0)
            return ens_fail(err, ENS_EUSAGE,
                            "no study named, and no config.ini here; see "
                            "ensrun --help");
        return ens_fail_errno(err, ENS_ESTUDY, "cannot open %s", word);
    }
    ro->results = ens_options_text(o, "results");
    if (!S_ISDIR(st.st_mode)) {
        ro->study = word;
        return ENS_OK;
    }
    if (ro->shard.n > 0)
        return ENS_OK; /* ens_shard_prepare */
    if (ro->results != NULL)
        return ens_fail(err, ENS_EUSAGE,
                        "%s is a results folder; --results does not go with "
                        "it",
                        word);
    ro->results = word;
    return ENS_OK;
}

/* BLAS starts its threads before main(): only a new process can say one.
 * The command line is read back, as options were parsed away from it. */
static void single_thread(void)
{
    const char *set = getenv("OPENBLAS_NUM_THREADS");
    struct ens_buf line = ENS_BUF_INIT;
    char *argv[ENS_OPTIONS_MAX + 4];
    size_t n = 0;
    const char *p;

    if ((set != NULL && strcmp(set, "1") == 0) ||
        ens_file_read(&line, "/proc/self/cmdline", (size_t)1 << 22, NULL) !=
            ENS_OK)
        return;
    p = ens_buf_text(&line);
    for (const char *end = p + line.len; p < end && n + 1 < ENS_COUNT(argv);
         p += strlen(p) + 1)
        argv[n++] = (char *)(uintptr_t)p;
    argv[n] = NULL;
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    setenv("OMP_NUM_THREADS", "1", 1);
    execv("/proc/self/exe", argv);
}

static enum look choose_look(const struct ens_options *o)
{
    const char *text = ens_options_text(o, "progress");

    if (text == NULL)
        return isatty(STDERR_FILENO) ? LOOK_BAR : LOOK_LINES;
    return strcmp(text, "bar") == 0     ? LOOK_BAR
           : strcmp(text, "lines") == 0 ? LOOK_LINES
                                        : LOOK_NONE;
}

static int run_study(const struct ens_options *o, struct ens_run_options *ro)
{
    struct ens_run_report report;
    struct ens_buf errors = ENS_BUF_INIT;
    struct ens_error err = {0};
    struct screen screen = {choose_look(o), 0};
    enum ens_status s;
    int code;

    ro->arg = &screen;
    ro->say = say;
    ro->progress = progress;
    ro->progress_s = screen.look == LOOK_BAR     ? 1
                     : screen.look == LOOK_LINES ? 60
                                                 : 0;
    s = ens_run(ro, &report, &errors, &err);
    clear_bar(&screen);
    code = ens_run_exit(s, &report);
    if (report.dir[0] != '\0' && (s == ENS_OK || report.n_tasks > 0))
        print_report(&report, o);
    if (s != ENS_OK)
        ens_cli_fail_lines(s, &errors, &err);
    if (ens_options_has(o, "json") && (s == ENS_OK || s == ENS_ESTOPPED))
        print_json(&report, code);
    else if (s == ENS_OK && report.complete &&
             (report.was_finished || isatty(STDOUT_FILENO)))
        ens_show_end(report.dir);
    ens_buf_fini(&errors);
    return code;
}

/* A shard runs in its own folder, with what the joined one has. */
static int run_shard(const struct ens_options *o, struct ens_run_options *ro)
{
    struct ens_buf errors = ENS_BUF_INIT;
    struct ens_error err = {0};
    struct ens_screen screen;
    struct ens_shard_place place;
    enum ens_status s;
    int code = 0;

    ens_screen_init(&screen, ens_options_text(o, "progress"));
    s = ens_shard_prepare(ro, o->word[0], &place, &screen, &errors, &err);
    if (s != ENS_OK)
        code = ens_cli_fail_lines(s, &errors, &err);
    ens_buf_fini(&errors);
    return s == ENS_OK ? run_study(o, ro) : code;
}

static int run_here(const struct ens_options *o, struct ens_run_options *ro)
{
    return ro->shard.n > 0 ? run_shard(o, ro) : run_study(o, ro);
}

static int cmd_run(const struct ens_options *o)
{
    struct ens_override set[ENS_OPTIONS_MAX];
    const char *where[ENS_OPTIONS_MAX];
    struct ens_run_options ro = {
        .set = set, .where = where, .kinds = &ens_kinds};
    struct ens_launched launched = ens_launched();
    struct ens_error err = {0};
    const char *text;
    enum ens_status s = ENS_OK;

    text = ens_options_text(o, "shard");
    if (text != NULL)
        s = ens_shard_parse(&ro.shard, text, &err);
    if (s == ENS_OK && text != NULL && ens_options_has(o, "only"))
        s = ens_fail(&err, ENS_EUSAGE, "--only does not go with --shard");
    if (s == ENS_OK)
        s = choose(o, &ro, &err);
    text = ens_options_text(o, "time-limit");
    ro.ask_limit = text == NULL;
    if (s == ENS_OK && text != NULL && strcmp(text, "none") != 0)
        s = ens_duration_parse("time-limit", text, &ro.time_limit_s, &err);
    ro.transport = ens_options_text(o, "transport");
    if (ro.transport == NULL || strcmp(ro.transport, "auto") == 0)
        ro.transport = launched.by == ENS_LAUNCHER_NONE  ? "fork"
                       : launched.by == ENS_LAUNCHER_MPI ? "mpi"
                                                         : "auto";
    if (strcmp(ro.transport, "auto") == 0)
        return ens_cli_refuse_bare(&launched);
    if (strcmp(ro.transport, "mpi") != 0)
        launched.rank = 0; /* whoever started it, it is on its own */
    if (s != ENS_OK && launched.rank == 0)
        return ens_cli_fail(s, &err);
    while ((text = ens_options_item(o, "set", ro.n_set)) != NULL)
        set[ro.n_set++].text = text;
    while ((text = ens_options_item(o, "where", ro.n_where)) != NULL)
        where[ro.n_where++] = text;
    ro.workers = (uint32_t)ens_options_count(o, "workers", 0);
    if (strcmp(ro.transport, "inline") == 0)
        single_thread();
    ro.program = "/proc/self/exe";
    ro.restart = ens_options_has(o, "restart");
    ro.retry_failed = ens_options_has(o, "retry-failed");
    ro.only = ens_options_text(o, "only");
    if (strcmp(ro.transport, "mpi") == 0)
        return ens_cli_ranks(o, &ro, &launched, run_here);
    return run_here(o, &ro);
}

const struct ens_command ens_command_run = {
    "run",
    "[STUDY.ini|DIR]",
    "run a study, or resume a results folder",
    0,
    1,
    options,
    ENS_COUNT(options),
    "`run` may be left out. A results folder that exists is resumed: finished\n"
    "tasks are not redone. Workers: [run] workers; else as many as there are\n"
    "cores, under MPI one per rank or as many as Slurm gives a task. Exit\n"
    "status: 0 all tasks ok; 1 finished, some are not; 2 usage, study or "
    "input\n"
    "error; 3 disk, memory or lock; 85 stopped early, nothing lost, run again\n"
    "to go on; 70 internal error. In a job of Slurm, PBS, LSF or Flux without\n"
    "--time-limit the run asks once how much time the job has left, and keeps\n"
    "at most a minute of it back for what follows in the job's script.\n",
    cmd_run,
};
