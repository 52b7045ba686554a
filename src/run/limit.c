/* When to stop in time: --time-limit, or what the batch system says is left
 * of this job. That is asked once, beside the first tasks: a command that
 * hangs is killed, and the run goes on without a limit. */
#include "base/clock.h"
#include "program/process.h"
#include "run/state.h"

#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_NS   10000000000u
#define LOOK_MS     100
#define ANSWER_MAX  65536u
#define RESERVE_MAX 60.0 /* s: for the rest of the job script */

static double passed(const struct ens_run *r)
{
    return (double)(ens_clock_ns() - r->begin_ns) / 1e9;
}

static void on_limit(uv_timer_t *timer)
{
    struct ens_run *r = timer->data;

    if (r->stopping || r->phase >= ENS_RUN_OVER)
        return;
    ens_watch_log(r, "event=time_limit");
    r->is_late = 1;
    ens_run_stop(r);
}

/* Near the limit nothing new begins: tasks that would end behind it are not
 * handed out, and what runs then may finish within `grace`. Kept back: time
 * for the last commit, and of the grace at most a tenth of the limit, so that
 * a short limit is not all grace. */
static void set_limit(struct ens_run *r, double limit, const char *by)
{
    double grace = ens_run_value(r, "grace")->d;
    double end = limit - fmin(limit / 20, 5);
    double stop = end - fmin(limit / 10, grace) - passed(r);

    ens_watch_log(r, "event=time_limit_set seconds=%.0f by=\"%s\"", limit, by);
    ens_dispatch_deadline(r->dispatch, r->begin_ns + (uint64_t)(end * 1e9));
    uv_timer_init(&r->loop, &r->limit_timer);
    r->limit_timer.data = r;
    uv_timer_start(&r->limit_timer, on_limit,
                   stop > 0 ? (uint64_t)(stop * 1000) : 0, 0);
}

/* -- asking ------------------------------------------------------------------
 */

/* left_s: of the job. Some of it is kept back for what follows this run in
 * its script, say to have it queued again. */
static void take_answer(struct ens_run *r, double left_s, const char *how)
{
    char by[64], line[256];

    snprintf(by, sizeof(by), "%s%s", r->question.of.name, how);
    if (isnan(left_s) || isinf(left_s)) {
        ens_watch_log(r, "event=time_limit_none by=\"%s\" why=\"%s\"", by,
                      isinf(left_s) ? "the job has none" : "no answer");
        return;
    }
    snprintf(line, sizeof(line),
             "%s gives this job %.0f h %02.0f min more: no task begins that "
             "would not end before (--time-limit none: do not ask)",
             by, floor(left_s / 3600), floor(fmod(left_s, 3600) / 60));
    if (r->options->say != NULL)
        r->options->say(r->options->arg, line);
    set_limit(r, passed(r) + left_s - fmin(left_s / 20, RESERVE_MAX), by);
}

static void reap(struct ens_question *q)
{
    if (q->pid != 0 && waitpid(q->pid, NULL, WNOHANG) != 0)
        q->pid = 0;
}

/* All that is to come has come. */
static void end_question(struct ens_run *r)
{
    struct ens_question *q = &r->question;
    double left_s = NAN;

    uv_close((uv_handle_t *)&q->out, NULL);
    q->is_open = 0;
    if (q->pid != 0)
        kill(-q->pid, SIGKILL);
    ens_buf_put(&q->text, "", 1);
    if (!q->text.failed)
        left_s = ens_scheduler_left(&q->of, (const char *)q->text.data,
                                    (int64_t)time(NULL));
    if (isnan(left_s))
        take_answer(r, q->of.most_s, " (at most)");
    else
        take_answer(r, left_s, "");
}

static void on_look(uv_timer_t *timer)
{
    struct ens_run *r = timer->data;
    struct ens_question *q = &r->question;

    if (q->is_open && ens_clock_ns() - q->begin_ns > ANSWER_NS)
        end_question(r);
    if (!q->is_open)
        reap(q);
    if (q->pid == 0)
        uv_timer_stop(timer);
}

static void lend(uv_handle_t *h, size_t n, uv_buf_t *buf)
{
    struct ens_run *r = h->data;
    struct ens_buf *b = &r->question.text;

    char *p = b->len < ANSWER_MAX ? ens_buf_reserve(b, n) : NULL;

    *buf = uv_buf_init(p, p != NULL ? (unsigned int)n : 0);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    struct ens_run *r = s->data;

    (void)buf;
    if (n > 0)
        r->question.text.len += (size_t)n;
    else if (n < 0 && r->phase < ENS_RUN_OVER)
        end_question(r);
}

static int start(struct ens_question *q, int *from)
{
    const struct ens_program p = {.argv = q->of.command,
                                  .env = (const char *const *)environ,
                                  .folder = "/"};
    int quiet = open("/dev/null", O_WRONLY | O_CLOEXEC);
    int fd[2];
    int failed;

    if (pipe2(fd, O_CLOEXEC) != 0) {
        if (quiet >= 0)
            close(quiet);
        return -1;
    }
    failed = ens_program_start(&q->pid, &p, -1, fd[1],
                               quiet >= 0 ? quiet : fd[1]) != 0;
    close(fd[1]);
    if (quiet >= 0)
        close(quiet);
    if (failed) {
        q->pid = 0;
        close(fd[0]);
        return -1;
    }
    *from = fd[0];
    return 0;
}

static void ask(struct ens_run *r)
{
    struct ens_question *q = &r->question;
    int from;

    ens_scheduler_find(&q->of, (int64_t)time(NULL));
    if (q->of.name == NULL)
        return;
    if (!isnan(q->of.left_s)) {
        take_answer(r, q->of.left_s, "");
        return;
    }
    if (start(q, &from) != 0) {
        take_answer(r, q->of.most_s, " (at most)");
        return;
    }
    q->begin_ns = ens_clock_ns();
    uv_pipe_init(&r->loop, &q->out, 0);
    uv_timer_init(&r->loop, &q->timer);
    q->out.data = r;
    q->timer.data = r;
    q->is_open = 1;
    uv_pipe_open(&q->out, from);
    uv_read_start((uv_stream_t *)&q->out, lend, on_read);
    uv_timer_start(&q->timer, on_look, LOOK_MS, LOOK_MS);
}

void ens_limit_begin(struct ens_run *r)
{
    if (r->options->time_limit_s > 0)
        set_limit(r, r->options->time_limit_s, "--time-limit");
    else if (r->options->ask_limit)
        ask(r);
}

void ens_limit_end(struct ens_run *r)
{
    struct ens_question *q = &r->question;

    if (q->pid != 0)
        kill(-q->pid, SIGKILL);
    reap(q);
    ens_buf_fini(&q->text);
}
