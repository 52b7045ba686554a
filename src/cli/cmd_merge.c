/* ensrun merge DIR... -o DIR: shards become one folder, which then takes its
 * next stage, or writes its tables. */
#include "base/bug.h"
#include "cli/command.h"
#include "cli/screen.h"
#include "kinds/kinds.h"
#include "merge/merge.h"
#include "run/run.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const struct ens_option options[] = {
    {"output", 'o', ENS_OPTION_TEXT, 0, "DIR",
     "the joined folder: new, empty, or results of the same study"},
    {"join-only", 0, ENS_OPTION_FLAG, 0, NULL,
     "do not ask for the next stage, write no tables"},
    {"progress", 0, ENS_OPTION_CHOICE, 0, "bar|lines|none",
     "of what takes more than two seconds, on standard error"},
    {"json", 0, ENS_OPTION_FLAG, 0, NULL, "one JSON object"},
};

static void say(void *arg, const char *line)
{
    ens_screen_clear(arg);
    fprintf(stderr, "ensrun: %s\n", line);
}

/* -- the joined folder
 * -----------------------------------------------------------
 */

static void print_json(const struct ens_merge_report *m,
                       const struct ens_run_report *r, const char *out,
                       int code)
{
    json_t *o = json_pack(
        "{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:s, s:i}", "results",
        r->dir[0] != '\0' ? r->dir : out, "segments", (json_int_t)m->n_segments,
        "all_segments", (json_int_t)m->n_all, "bytes", (json_int_t)m->bytes,
        "duplicates", (json_int_t)m->n_duplicates, "blocks",
        (json_int_t)m->n_blocks, "tasks", (json_int_t)r->n_tasks, "left",
        (json_int_t)r->n_left, "complete", r->complete, "stage", r->stage,
        "exit", code);

    json_dumpf(o, stdout, 0);
    printf("\n");
    json_decref(o);
}

static void print_joined(const struct ens_merge_report *m, size_t n_dirs,
                         const char *out)
{
    fprintf(stderr, "%s: %llu segment%s of %zu folder%s joined", out,
            (unsigned long long)m->n_segments, m->n_segments == 1 ? "" : "s",
            n_dirs, n_dirs == 1 ? "" : "s");
    if (m->n_segments < m->n_all)
        fprintf(stderr, ", %llu in all", (unsigned long long)m->n_all);
    if (m->n_duplicates > 0)
        fprintf(stderr, "; %llu tasks were recorded twice, equally",
                (unsigned long long)m->n_duplicates);
    fprintf(stderr, "\n");
}

static void print_state(const struct ens_run_report *r, const char *out)
{
    fprintf(stderr, "  %llu tasks: %llu ok", (unsigned long long)r->n_tasks,
            (unsigned long long)r->by_outcome[ENS_TASK_OK]);
    for (int k = ENS_TASK_FAILED; k < ENS_N_OUTCOMES; k++)
        if (r->by_outcome[k] > 0)
            fprintf(stderr, ", %llu %s", (unsigned long long)r->by_outcome[k],
                    ens_outcome_text((enum ens_outcome)k));
    if (r->n_left > 0)
        fprintf(stderr, ", %llu left", (unsigned long long)r->n_left);
    if (r->complete)
        fprintf(stderr, "\n  finished; results: %s\n", r->dir);
    else
        fprintf(stderr,
                "\n  stage %s is open; all of it: ensrun %s; in shards: ensrun "
                "run %s --shard K/N, then merge again\n",
                r->stage, out, out);
}

/* No task runs here: `next` is asked, or the tables are written. */
static enum ens_status go_on(const char *out, struct ens_screen *screen,
                             struct ens_run_report *report,
                             struct ens_buf *errors, struct ens_error *err)
{
    struct ens_run_options ro = {.results = out,
                                 .workers = 1,
                                 .transport = "auto",
                                 .program = "/proc/self/exe",
                                 .shard = {0, 1, 0},
                                 .kinds = &ens_kinds,
                                 .arg = screen,
                                 .say = say};

    return ens_run(&ro, report, errors, err);
}

static int run(const struct ens_options *o)
{
    const char *out = ens_options_text(o, "output");
    struct ens_screen screen;
    const struct ens_merge_options mo = {.dir = o->word,
                                         .n_dirs = o->n_words,
                                         .out = out,
                                         .kinds = &ens_kinds,
                                         .arg = &screen,
                                         .say = say,
                                         .progress = ens_screen_tell};
    struct ens_merge_report merged = {0};
    struct ens_run_report report = {.stage = ""};
    struct ens_buf errors = ENS_BUF_INIT;
    struct ens_error err = {0};
    enum ens_status s;
    int code;

    if (out == NULL) {
        ens_fail(&err, ENS_EUSAGE, "-o DIR is missing: the joined folder");
        return ens_cli_fail(ENS_EUSAGE, &err);
    }
    ens_screen_init(&screen, ens_options_text(o, "progress"));
    s = ens_merge(&mo, &merged, &errors, &err);
    ens_screen_clear(&screen);
    if (s == ENS_OK)
        print_joined(&merged, o->n_words, out);
    if (s == ENS_OK && !ens_options_has(o, "join-only")) {
        s = go_on(out, &screen, &report, &errors, &err);
        if (s == ENS_OK)
            print_state(&report, out);
    }
    code = ens_run_exit(s, &report);
    if (s != ENS_OK)
        ens_cli_fail_lines(s, &errors, &err);
    else if (ens_options_has(o, "json"))
        print_json(&merged, &report, out, code);
    ens_buf_fini(&errors);
    return code;
}

const struct ens_command ens_command_merge = {
    .name = "merge",
    .words = "DIR... -o DIR",
    .help = "join results folders of one study: shards",
    .min_words = 1,
    .max_words = ENS_OPTIONS_MAX,
    .options = options,
    .n_options = ENS_COUNT(options),
    .run = run,
    .more =
        "The folders are only read. Each record, artifact and block of an\n"
        "output array is copied and checked; a task that two folders have "
        "must\n"
        "have one result. When a stage is complete in the joined folder the\n"
        "next one begins there, or the tables are written. A study of several\n"
        "stages takes a round of these two for each:\n"
        "  ensrun run STUDY.ini --shard K/N           for each K\n"
        "  ensrun merge DIR-shard-*-of-N -o DIR       DIR: its results folder\n"
        "A merge that was stopped or killed goes on when it is run again.\n"
        "Exit status 1: finished, some tasks not ok; or results disagree.\n",
};
