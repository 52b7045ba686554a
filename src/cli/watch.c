#include "cli/watch.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/number.h"
#include "cli/progress.h"
#include "store/epoch.h"

#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define POLL_NS   500000000L
#define FILE_MAX  65536
#define STILL_MIN 2.0 /* s */
#define BEATS     3.0 /* heartbeats that may be late */
#define EXIT_WAIT 3.0 /* s: its exit status is written after `closed` */

struct snapshot { /* of the file `status` */
    uint64_t epoch;
    int64_t exit; /* -1: not yet */
    char stage[128], task[192];
    struct ens_run_progress p;
};

struct watch {
    const char *dir;
    int is_terminal, drawn;
    double still_s;
    uint32_t epoch;
    struct ens_epoch_info info;
    uint64_t beat_ns;   /* when its counter was last seen to change */
    uint64_t closed_ns; /* when it was first seen closed; 0 */
    int is_still;
    char last[256]; /* what was said of its progress */
};

static volatile sig_atomic_t is_left;

static void leave(int number)
{
    (void)number;
    is_left = 1;
}

static double seconds_since(uint64_t ns)
{
    return (double)(ens_clock_ns() - ns) / 1e9;
}

/* A line that stays. */
static void say(struct watch *w, const char *text)
{
    printf("%s%s\n", w->drawn ? "\r\033[K" : "", text);
    w->drawn = 0;
    fflush(stdout);
}

/* -- the files --------------------------------------------------------------
 */

static int is_key(const char *line, size_t n, const char *key)
{
    return strlen(key) == n && memcmp(line, key, n) == 0;
}

static void take_number(const char *v, size_t n, double *to)
{
    double d;

    if (ens_number_parse(v, n, &d) == 0)
        *to = d;
}

static void take_count(const char *v, size_t n, uint64_t *to)
{
    uint64_t u;

    if (ens_number_parse_u64(v, n, &u) == 0)
        *to = u;
}

static void take_line(struct snapshot *s, const char *line, size_t n)
{
    const char *eq = memchr(line, '=', n);
    size_t key = eq == NULL ? n : (size_t)(eq - line);
    const char *v = line + key + 1;
    size_t len = eq == NULL ? 0 : n - key - 1;

    if (is_key(line, key, "epoch"))
        take_count(v, len, &s->epoch);
    else if (is_key(line, key, "exit"))
        ens_number_parse_i64(v, len, &s->exit);
    else if (is_key(line, key, "tasks"))
        take_count(v, len, &s->p.n_tasks);
    else if (is_key(line, key, "done"))
        take_count(v, len, &s->p.n_done);
    else if (is_key(line, key, "not_ok"))
        take_count(v, len, &s->p.n_not_ok);
    else if (is_key(line, key, "pss_bytes"))
        take_count(v, len, &s->p.pss_bytes);
    else if (is_key(line, key, "tasks_per_s"))
        take_number(v, len, &s->p.tasks_per_s);
    else if (is_key(line, key, "eta_s"))
        take_number(v, len, &s->p.eta_s);
    else if (is_key(line, key, "efficiency"))
        take_number(v, len, &s->p.efficiency);
    else if (is_key(line, key, "cells"))
        take_count(v, len, &s->p.n_cells);
    else if (is_key(line, key, "cells_stopped"))
        take_count(v, len, &s->p.n_stopped);
    else if (is_key(line, key, "task_seconds"))
        take_number(v, len, &s->p.task_s);
    else if (is_key(line, key, "task"))
        snprintf(s->task, sizeof(s->task), "%.*s", (int)len, v);
    else if (is_key(line, key, "stage"))
        snprintf(s->stage, sizeof(s->stage), "%.*s", (int)len, v);
}

/* Only lines with their end count: it may be being rewritten. */
static void read_snapshot(const struct watch *w, struct snapshot *s)
{
    char path[PATH_MAX];
    struct ens_buf b = ENS_BUF_INIT;
    const char *nl;

    memset(s, 0, sizeof(*s));
    s->exit = -1;
    s->p.eta_s = NAN;
    snprintf(path, sizeof(path), "%s/status", w->dir);
    if (ens_file_read(&b, path, FILE_MAX, NULL) == ENS_OK) {
        const char *p = ens_buf_text(&b);

        for (; (nl = strchr(p, '\n')) != NULL; p = nl + 1)
            take_line(s, p, (size_t)(nl - p));
    }
    ens_buf_fini(&b);
    s->p.stage = s->stage;
    s->p.task = s->task[0] != '\0' ? s->task : NULL;
    if (s->epoch != w->epoch) { /* what an earlier run said */
        s->exit = -1;
        s->stage[0] = '\0';
    }
}

/* The resolved study has every setting, in canonical form. */
static double read_heartbeat(const char *dir)
{
    char path[PATH_MAX];
    struct ens_buf b = ENS_BUF_INIT;
    double s = 5;
    const char *p;

    snprintf(path, sizeof(path), "%s/study.ini", dir);
    if (ens_file_read(&b, path, (size_t)256 << 20, NULL) == ENS_OK) {
        p = strstr(ens_buf_text(&b), "\nheartbeat = ");
        if (p != NULL)
            take_number(p + 13, strcspn(p + 13, "\n"), &s);
    }
    ens_buf_fini(&b);
    return s;
}

/* -- what is told ------------------------------------------------------------
 */

static void show(struct watch *w, struct snapshot *s)
{
    char line[512];
    char now[sizeof(w->last)];

    if (s->stage[0] == '\0')
        return;
    ens_progress_text(line, sizeof(line), &s->p);
    if (w->is_terminal) {
        printf("\r\033[K%s", line);
        w->drawn = 1;
        fflush(stdout);
        return;
    }
    snprintf(now, sizeof(now), "%s %llu %llu %llu", s->stage,
             (unsigned long long)s->p.n_done, (unsigned long long)s->p.n_tasks,
             (unsigned long long)s->p.n_not_ok);
    if (strcmp(now, w->last) != 0)
        say(w, line);
    memcpy(w->last, now, sizeof(now));
}

static void check_heart(struct watch *w, uint64_t counter)
{
    char line[160];

    if (w->info.counter != counter) {
        w->beat_ns = ens_clock_ns();
        if (w->is_still)
            say(w, "goes on: its heart beats again");
        w->is_still = 0;
    } else if (!w->is_still && seconds_since(w->beat_ns) > w->still_s) {
        snprintf(line, sizeof(line),
                 "stands still: no heartbeat for %.0f s (process %lld on "
                 "%.64s)",
                 seconds_since(w->beat_ns), (long long)w->info.pid,
                 w->info.host);
        say(w, line);
        w->is_still = 1;
    }
}

/* A newer epoch: follow that one. */
static void follow(struct watch *w, uint32_t newest)
{
    char line[512];

    if (w->epoch > 0) {
        snprintf(line, sizeof(line), "epoch %u %s; following epoch %u",
                 w->epoch, w->info.closed ? "has ended" : "was taken over",
                 newest);
        say(w, line);
    }
    w->epoch = newest;
    memset(&w->info, 0, sizeof(w->info));
    w->beat_ns = ens_clock_ns();
    w->closed_ns = 0;
    w->is_still = 0;
    w->last[0] = '\0';
}

/* 1: the run has ended, *code is known. */
static int has_ended(struct watch *w, const struct snapshot *s, int *code)
{
    char line[160];

    if (!w->info.closed && w->info.alive)
        return 0;
    *code = s->exit >= 0 && s->exit < 256 ? (int)s->exit : 3;
    if (w->info.closed && w->closed_ns == 0)
        w->closed_ns = ens_clock_ns();
    if (w->info.closed && s->exit < 0 &&
        seconds_since(w->closed_ns) < EXIT_WAIT)
        return 0;
    if (s->exit >= 0)
        snprintf(line, sizeof(line), "epoch %u ended with exit status %d",
                 w->epoch, *code);
    else
        snprintf(line, sizeof(line),
                 w->info.closed ? "epoch %u ended; its exit status is not "
                                  "known"
                                : "epoch %u: its process died without closing",
                 w->epoch);
    if (w->drawn) /* the last of it stays */
        printf("\n");
    w->drawn = 0;
    say(w, line);
    return 1;
}

/* One look; 1 when there is nothing more to see. */
static int look(struct watch *w, int *code)
{
    uint32_t newest = ens_epoch_newest(w->dir);
    struct ens_epoch_info info;
    struct snapshot s;
    int first;

    if (newest > w->epoch)
        follow(w, newest);
    if (ens_epoch_read(&info, w->dir, w->epoch, NULL) != ENS_OK)
        return 0; /* unreadable for the moment */
    first = w->info.run_id == 0;
    if (first)
        w->info = info;
    if (!info.closed)
        check_heart(w, info.counter);
    w->info = info;
    read_snapshot(w, &s);
    show(w, &s);
    return has_ended(w, &s, code);
}

enum ens_status ens_watch_folder(const char *dir, int *code,
                                 struct ens_error *err)
{
    const struct timespec pause = {0, POLL_NS};
    struct sigaction act = {.sa_handler = leave};
    struct watch w = {.dir = dir, .is_terminal = isatty(STDOUT_FILENO)};
    struct stat st;
    double beat;

    if (stat(dir, &st) != 0)
        return ens_fail_errno(err, ENS_ENOTFOUND, "%s", dir);
    if (ens_epoch_newest(dir) == 0)
        return ens_fail(err, ENS_ENOTFOUND,
                        "%s: no run has begun in this folder", dir);
    beat = read_heartbeat(dir);
    w.still_s = BEATS * beat > STILL_MIN ? BEATS * beat : STILL_MIN;
    sigaction(SIGINT, &act, NULL);
    while (!look(&w, code)) {
        if (!is_left)
            nanosleep(&pause, NULL);
        if (is_left) {
            *code = ENS_WATCH_LEFT;
            break;
        }
    }
    if (w.drawn)
        printf("\n");
    return ENS_OK;
}
