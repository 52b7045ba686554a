#include "program/servant.h"

#include "base/children.h"
#include "config/reader.h"
#include "program/report.h"
#include "program/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define LEFT_SECONDS 5.0
#define LOOK_MS      1000

struct talk { /* a line on its way there */
    const char *p;
    size_t n, written;
};

static void close_one(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void close_all(struct ens_servant *v)
{
    close_one(&v->in);
    close_one(&v->out);
    close_one(&v->err);
}

enum ens_status ens_servant_start(struct ens_servant *v,
                                  const struct ens_program *p,
                                  struct ens_error *err)
{
    int in[2] = {-1, -1}, out[2] = {-1, -1}, errors[2] = {-1, -1};
    int r = ENOMEM;

    signal(SIGPIPE, SIG_IGN); /* one that died is found by its end of file */
    if (pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0 &&
        pipe2(errors, O_CLOEXEC) == 0 &&
        fcntl(in[1], F_SETFL, O_NONBLOCK) == 0 &&
        fcntl(out[0], F_SETFL, O_NONBLOCK) == 0 &&
        fcntl(errors[0], F_SETFL, O_NONBLOCK) == 0)
        r = ens_program_start(&v->pid, p, in[0], out[1], errors[1]);
    else
        r = errno;
    close_one(&in[0]);
    close_one(&out[1]);
    close_one(&errors[1]);
    v->in = in[1];
    v->out = out[0];
    v->err = errors[0];
    v->n_answers = 0;
    v->group = p->join > 0 ? p->join : v->pid;
    if (r == 0)
        return ENS_OK;
    v->pid = 0;
    close_all(v);
    return ens_fail(err, ENS_EDOMAIN, "cannot run %s: %s", p->argv[0],
                    strerror(r));
}

static int finish(struct ens_servant *v)
{
    int status = 0;

    if (v->group > 0)
        kill(-v->group, SIGKILL);
    while (waitpid(v->pid, &status, 0) < 0 && errno == EINTR)
        ;
    v->pid = 0;
    close_all(v);
    ens_children_end(LEFT_SECONDS);
    return status;
}

void ens_servant_stop(struct ens_servant *v)
{
    if (v->pid > 0)
        finish(v);
}

/* -- a task ------------------------------------------------------------------
 */

static void write_some(struct ens_servant *v, struct talk *t)
{
    ssize_t k = write(v->in, t->p, t->n);

    if (k > 0) {
        t->p += k;
        t->n -= (size_t)k;
        t->written += (size_t)k;
    } else if (k < 0 && errno != EAGAIN && errno != EINTR) {
        t->n = 0; /* it closed its input: the end of file tells */
    }
}

/* Where its line ends; NULL while it does not. */
static const char *newline(const struct ens_servant *v)
{
    const struct ens_buf *b = &v->said.out;

    return b->len == 0 ? NULL : memchr(b->data, '\n', b->len);
}

static int has_ended(const struct ens_servant *v)
{
    siginfo_t info;

    memset(&info, 0, sizeof(info));
    return waitid(P_PID, (id_t)v->pid, &info, WEXITED | WNOHANG | WNOWAIT) !=
               0 ||
           info.si_pid == v->pid;
}

/* Until there is a line, an end of file, or too much. */
static void converse(struct ens_servant *v, struct talk *t)
{
    while (v->out >= 0 && newline(v) == NULL && !v->said.out_cut) {
        struct pollfd p[3] = {{v->out, POLLIN, 0},
                              {v->err, POLLIN, 0},
                              {t->n > 0 ? v->in : -1, POLLOUT, 0}};

        /* a child of it may hold its stdout open */
        if (poll(p, 3, LOOK_MS) == 0 && has_ended(v))
            close_one(&v->out);
        if (p[0].revents != 0)
            ens_program_take_out(&v->out, &v->said);
        if (p[1].revents != 0)
            ens_program_take_err(&v->err, &v->said);
        if (p[2].revents != 0)
            write_some(v, t);
    }
    while (ens_program_take_err(&v->err, &v->said))
        if (v->out >= 0)
            break; /* while it lives there may be more for ever */
}

/* Killed by us or not, its own signal or status counts if it has one. */
static int bury(struct ens_servant *v)
{
    struct pollfd none = {-1, 0, 0};
    int status;

    /* stdout is closed: give the exit that follows a moment to be its own */
    for (int i = 0; i < LOOK_MS && !has_ended(v); i++)
        poll(&none, 1, 1);
    status = finish(v);
    if (!v->alone)
        ens_stop_yield(status);
    return status;
}

/* Has it not read a byte of its first line? Then whatever it does is no task's
 * doing. */
static int is_starting(const struct ens_servant *v, const struct talk *t)
{
    int unread = 0;

    return v->n_answers == 0 && ioctl(v->in, FIONREAD, &unread) == 0 &&
           (size_t)unread == t->written;
}

static enum ens_status died(struct ens_servant *v, const struct talk *t,
                            int *status, struct ens_error *err)
{
    int starting = is_starting(v, t);

    *status = bury(v);
    if (!starting || !WIFEXITED(*status))
        return ens_fail(err, ENS_ESTOPPED, "the program died");
    v->said.status = *status;
    if (ens_program_verdict(&v->said, err) == ENS_OK)
        ens_fail(err, ENS_EINPUT, "exit status 0");
    return ens_wrap(err, ENS_EINPUT,
                    "the program ended before it read its first line");
}

static enum ens_status spoke_first(struct ens_servant *v, struct ens_error *err)
{
    const char *text = (const char *)v->said.out.data;
    size_t n = strcspn(text, "\n"); /* there is one */

    ens_servant_stop(v);
    n = n > 120 ? 120 : n;
    return ens_fail(err, ENS_EINPUT,
                    "the program wrote to standard output before it read its "
                    "first line: \"%.*s\"",
                    ens_text_check(text, n) == n ? (int)n : 0, text);
}

enum ens_status ens_servant_ask(struct ens_servant *v, const void *line,
                                size_t n, int *status, struct ens_error *err)
{
    struct talk t = {line, n, 0};
    const char *end;
    size_t length;

    ens_buf_clear(&v->said.out);
    ens_buf_clear(&v->said.err);
    v->said.out_cut = 0;
    converse(v, &t);
    if (v->said.out.failed || v->said.err.failed)
        return ens_fail(err, ENS_ENOMEMORY, "output of the program");
    if (!v->alone)
        ens_stop_yield(0);
    end = newline(v);
    if (end == NULL && !v->said.out_cut)
        return died(v, &t, status, err);
    if (end != NULL && is_starting(v, &t))
        return spoke_first(v, err);
    if (end == NULL) {
        ens_servant_stop(v);
        return ens_fail(err, ENS_EDOMAIN, "output: more than %zu bytes",
                        ENS_PROGRAM_OUT_MAX);
    }
    length = (size_t)(end - (const char *)v->said.out.data);
    if (length + 1 < v->said.out.len || t.n > 0) {
        ens_servant_stop(v);
        return ens_fail(err, ENS_EDOMAIN,
                        "output: one line expected for each line of input");
    }
    v->said.out.len = length;
    v->n_answers++;
    return ENS_OK;
}

_Noreturn void ens_servant_follow(int status)
{
    int number = WIFSIGNALED(status) ? WTERMSIG(status) : SIGABRT;

    signal(number, SIG_DFL);
    raise(number);
    abort();
}
