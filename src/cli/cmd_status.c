/* ensrun status DIR: what is done, failed, left; what a live run says. */
#include "cli/command.h"
#include "base/bug.h"
#include "base/file.h"
#include "cli/results.h"
#include "cli/shard.h"
#include "cli/watch.h"
#include "store/epoch.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const struct ens_option options[] = {
    {"json", 0, ENS_OPTION_FLAG, 0, NULL, "one JSON object"},
    {"watch", 0, ENS_OPTION_FLAG, 0, NULL,
     "follow a live run until it ends; from another host, too"},
};

struct state {
    struct ens_results *r;
    int has_epoch;
    struct ens_epoch_info epoch;
    const char *text;    /* running, finished, stopped, not begun */
    struct ens_buf live; /* the status file */
    struct ens_results_count total;
};

static void read_state(struct state *st)
{
    char path[4096 + 16];
    uint32_t newest = ens_epoch_newest(st->r->dir);

    st->has_epoch = newest > 0 && ens_epoch_read(&st->epoch, st->r->dir, newest,
                                                 NULL) == ENS_OK;
    for (size_t i = 0; i < st->r->n_stages; i++) {
        struct ens_results_count c;

        ens_results_count(&st->r->stage[i], &c);
        st->total.n_tasks += c.n_tasks;
        st->total.n_done += c.n_done;
        for (int o = 0; o < ENS_N_OUTCOMES; o++)
            st->total.by_outcome[o] += c.by_outcome[o];
    }
    if (st->has_epoch && !st->epoch.closed && st->epoch.alive)
        st->text = "running";
    else if (st->r->complete)
        st->text = "finished";
    else
        st->text = st->has_epoch ? "stopped" : "not begun";
    /* advisory: it may be missing, or from an earlier run */
    snprintf(path, sizeof(path), "%s/status", st->r->dir);
    if (strcmp(st->text, "running") == 0 &&
        ens_file_read(&st->live, path, 65536, NULL) != ENS_OK)
        ens_buf_clear(&st->live);
}

/* -- text ------------------------------------------------------------------ */

static void print_count(const char *name, const struct ens_results_count *c)
{
    printf("%-16s %12llu %12llu %12llu %10llu %10llu %10llu %12llu\n", name,
           (unsigned long long)c->n_tasks, (unsigned long long)c->n_done,
           (unsigned long long)c->by_outcome[ENS_TASK_OK],
           (unsigned long long)c->by_outcome[ENS_TASK_FAILED],
           (unsigned long long)c->by_outcome[ENS_TASK_TIMEOUT],
           (unsigned long long)c->by_outcome[ENS_TASK_CRASHED],
           (unsigned long long)(c->n_tasks - c->n_done));
}

static void print_live(struct ens_buf *live)
{
    const char *p = ens_buf_text(live);

    if (*p == '\0')
        return;
    printf("\nthe run says\n");
    while (*p != '\0') {
        size_t n = strcspn(p, "\n");
        size_t key = strcspn(p, "=\n");

        if (key < n)
            printf("  %-14.*s %.*s\n", (int)key, p, (int)(n - key - 1),
                   p + key + 1);
        p += n + (p[n] == '\n');
    }
}

/* [stop]: which cells need no more. */
static void print_stops(const struct ens_stopping *s)
{
    struct ens_stopping_totals t;

    if (s->rules.n == 0)
        return;
    ens_stopping_count(s, &t);
    printf("of %llu cells %llu met the rules of [stop]",
           (unsigned long long)s->n_cells, (unsigned long long)t.n_stopped);
    if (t.n_stopped > 0)
        printf(", after %u to %u replicates", t.least, t.most);
    printf("; %llu had all replicates without", (unsigned long long)t.n_unmet);
    if (t.n_open > 0)
        printf("; %llu are open (tasks, left: at most)",
               (unsigned long long)t.n_open);
    printf("\n");
}

static void print_text(struct state *st)
{
    const struct ens_results *r = st->r;
    struct ens_shard shard = ens_shard_of(r->dir);

    printf("results  %s\nstudy    %s (%s)\nstate    %s", r->dir,
           ens_study_name(r->loaded.study), r->loaded.kind->name, st->text);
    if (strcmp(st->text, "running") == 0)
        printf(": process %lld on %s", (long long)st->epoch.pid,
               st->epoch.host);
    if (st->has_epoch)
        printf(", epoch %u", st->epoch.number);
    if (shard.n > 0)
        printf("\nshard    %u/%u", shard.k, shard.n);
    printf("\n\n%-16s %12s %12s %12s %10s %10s %10s %12s\n", "stage", "tasks",
           "done", "ok", "failed", "timeout", "crashed", "left");
    for (size_t i = 0; i < r->n_stages; i++) {
        struct ens_results_count c;

        ens_results_count(&r->stage[i], &c);
        print_count(r->stage[i].def.key, &c);
    }
    if (r->n_stages > 1)
        print_count("all", &st->total);
    print_stops(&r->stops);
    if (!r->complete && r->stops.rules.n == 0 &&
        !ens_plan_is_last(&r->plan, r->n_stages))
        printf("further stages may follow\n");
    if (r->replay.n_unknown > 0)
        printf("%llu records belong to cells that are not in the study now\n",
               (unsigned long long)r->replay.n_unknown);
    print_live(&st->live);
    if (strcmp(st->text, "stopped") == 0 && shard.n > 0)
        printf("\nto go on: ensrun run %s --shard %u/%u; when all shards are "
               "done: ensrun merge\n",
               r->dir, shard.k, shard.n);
    else if (strcmp(st->text, "stopped") == 0)
        printf("\nto go on: ensrun %s\n", r->dir);
}

/* -- json ------------------------------------------------------------------ */

static void set_count(json_t *o, const char *key, uint64_t v)
{
    json_object_set_new(o, key, json_integer((json_int_t)v));
}

static void set_counts(json_t *o, const struct ens_results_count *c)
{
    set_count(o, "tasks", c->n_tasks);
    set_count(o, "done", c->n_done);
    for (int i = 0; i < ENS_N_OUTCOMES; i++)
        set_count(o, ens_outcome_text((enum ens_outcome)i), c->by_outcome[i]);
    set_count(o, "left", c->n_tasks - c->n_done);
}

static void set_stops(json_t *root, const struct ens_stopping *s)
{
    struct ens_stopping_totals t;

    if (s->rules.n == 0)
        return;
    ens_stopping_count(s, &t);
    set_count(root, "cells", s->n_cells);
    set_count(root, "cells_stopped", t.n_stopped);
    set_count(root, "cells_unmet", t.n_unmet);
}

static json_t *live_json(struct ens_buf *live)
{
    json_t *o = json_object();
    const char *p = ens_buf_text(live);

    while (*p != '\0') {
        size_t n = strcspn(p, "\n");
        size_t key = strcspn(p, "=\n");
        char name[64];

        if (key < n && key < sizeof(name)) {
            memcpy(name, p, key);
            name[key] = '\0';
            json_object_set_new(o, name,
                                json_stringn(p + key + 1, n - key - 1));
        }
        p += n + (p[n] == '\n');
    }
    return o;
}

static int print_json(struct state *st)
{
    const struct ens_results *r = st->r;
    struct ens_shard shard = ens_shard_of(r->dir);
    json_t *root = json_object();
    json_t *stages = json_array();
    int bad;

    json_object_set_new(root, "results", json_string(r->dir));
    json_object_set_new(root, "study",
                        json_string(ens_study_name(r->loaded.study)));
    json_object_set_new(root, "kind", json_string(r->loaded.kind->name));
    json_object_set_new(root, "state", json_string(st->text));
    set_count(root, "epoch", st->has_epoch ? st->epoch.number : 0);
    if (shard.n > 0)
        json_object_set_new(
            root, "shard",
            json_sprintf("%u/%u", (unsigned)shard.k, (unsigned)shard.n));
    set_counts(root, &st->total);
    for (size_t i = 0; i < r->n_stages; i++) {
        json_t *o = json_object();
        struct ens_results_count c;

        ens_results_count(&r->stage[i], &c);
        json_object_set_new(o, "stage", json_string(r->stage[i].def.key));
        set_counts(o, &c);
        json_array_append_new(stages, o);
    }
    json_object_set_new(root, "stages", stages);
    set_stops(root, &r->stops);
    json_object_set_new(root, "complete", json_boolean(r->complete));
    if (st->live.len > 0)
        json_object_set_new(root, "live", live_json(&st->live));
    bad = json_dumpf(root, stdout, JSON_INDENT(2));
    printf("\n");
    json_decref(root);
    return bad;
}

static int watch(const struct ens_options *o)
{
    struct ens_error err = {0};
    int code = 0;
    enum ens_status s = ENS_OK;

    if (ens_options_has(o, "json"))
        s = ens_fail(&err, ENS_EUSAGE, "--watch does not go with --json");
    if (s == ENS_OK)
        s = ens_watch_folder(o->word[0], &code, &err);
    return s == ENS_OK ? code : ens_cli_fail(s, &err);
}

static int run(const struct ens_options *o)
{
    struct ens_buf errors = ENS_BUF_INIT;
    struct ens_error err = {0};
    struct ens_results r;
    struct state st = {.r = &r};
    enum ens_status s;
    int code = 0;

    if (ens_options_has(o, "watch"))
        return watch(o);
    s = ens_results_open(&r, o->word[0], ENS_RESULTS_FAST, &errors, &err);
    if (s == ENS_OK) {
        read_state(&st);
        if (!ens_options_has(o, "json"))
            print_text(&st);
        else if (print_json(&st) != 0)
            s = ens_fail(&err, ENS_ENOMEMORY, "status: cannot make JSON");
        ens_buf_fini(&st.live);
        ens_results_close(&r);
    }
    if (s != ENS_OK)
        code = ens_cli_fail_lines(s, &errors, &err);
    ens_buf_fini(&errors);
    return code;
}

const struct ens_command ens_command_status = {
    .name = "status",
    .words = "DIR",
    .help = "what is done, failed and left in a results folder",
    .min_words = 1,
    .max_words = 1,
    .options = options,
    .n_options = ENS_COUNT(options),
    .more = "--watch reads files of the folder and nothing else; Ctrl-C ends "
            "the watching, not\nthe run. Exit status: that of the run; 3 when "
            "it died; 130 after Ctrl-C.\n",
    .run = run,
};
