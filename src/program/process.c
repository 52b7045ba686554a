#include "program/process.h"

#include "base/children.h"
#include "program/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define READ_BYTES   65536
#define LEFT_SECONDS 5.0

struct pipes {
    int out[2], err[2];
};

static void close_one(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void close_pipes(struct pipes *p)
{
    close_one(&p->out[0]);
    close_one(&p->out[1]);
    close_one(&p->err[0]);
    close_one(&p->err[1]);
}

static int open_pipes(struct pipes *p)
{
    *p = (struct pipes){{-1, -1}, {-1, -1}};
    if (pipe2(p->out, O_CLOEXEC) == 0 && pipe2(p->err, O_CLOEXEC) == 0 &&
        fcntl(p->out[0], F_SETFL, O_NONBLOCK) == 0 &&
        fcntl(p->err[0], F_SETFL, O_NONBLOCK) == 0)
        return 0;
    close_pipes(p);
    return -1;
}

enum ens_status ens_program_adopt(struct ens_error *err)
{
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
        return ens_fail_errno(err, ENS_EPROCESS, "cannot adopt descendants");
    ens_stop_watch();
    return ENS_OK;
}

void ens_program_end_fini(struct ens_program_end *end)
{
    ens_buf_fini(&end->out);
    ens_buf_fini(&end->err);
}

/* -- start ------------------------------------------------------------------
 */

/* All signals as a fresh process has them; a group of its own; nothing open
 * but the three and what it is to share. */
static int set_up(posix_spawn_file_actions_t *files, posix_spawnattr_t *attr,
                  const struct ens_program *p, int in, int out, int errors)
{
    sigset_t all, none;
    int r = 0;

    sigfillset(&all);
    sigemptyset(&none);
    r |= posix_spawnattr_setflags(attr, POSIX_SPAWN_SETPGROUP |
                                            POSIX_SPAWN_SETSIGDEF |
                                            POSIX_SPAWN_SETSIGMASK);
    r |= posix_spawnattr_setpgroup(attr, p->join);
    r |= posix_spawnattr_setsigdefault(attr, &all);
    r |= posix_spawnattr_setsigmask(attr, &none);
    if (in < 0)
        r |= posix_spawn_file_actions_addopen(files, 0, "/dev/null", O_RDONLY,
                                              0);
    else
        r |= posix_spawn_file_actions_adddup2(files, in, 0);
    r |= posix_spawn_file_actions_adddup2(files, out, 1);
    r |= posix_spawn_file_actions_adddup2(files, errors, 2);
    for (int i = 0; i < (int)p->n_files; i++)
        r |= posix_spawn_file_actions_adddup2(files, p->file[i], 3 + i);
    r |= posix_spawn_file_actions_addclosefrom_np(files, 3 + (int)p->n_files);
    r |= posix_spawn_file_actions_addchdir_np(files, p->folder);
    return r;
}

int ens_program_start(pid_t *pid, const struct ens_program *p, int in, int out,
                      int errors)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    int r = posix_spawn_file_actions_init(&files);

    if (r != 0)
        return r;
    r = posix_spawnattr_init(&attr);
    if (r == 0) {
        r = set_up(&files, &attr, p, in, out, errors) != 0 ? ENOMEM : 0;
        if (r == 0)
            r = posix_spawnp(pid, p->argv[0], &files, &attr,
                             (char *const *)p->argv, (char *const *)p->env);
        posix_spawnattr_destroy(&attr);
    }
    posix_spawn_file_actions_destroy(&files);
    return r;
}

/* -- what it writes -----------------------------------------------------------
 */

static void keep_out(struct ens_program_end *end, const char *p, size_t n)
{
    size_t room = ENS_PROGRAM_OUT_MAX - end->out.len;

    if (n > room) {
        n = room;
        end->out_cut = 1;
    }
    ens_buf_put(&end->out, p, n);
}

static void keep_err(struct ens_program_end *end, const char *p, size_t n)
{
    struct ens_buf *b = &end->err;

    if (n > ENS_PROGRAM_ERR_MAX) {
        p += n - ENS_PROGRAM_ERR_MAX;
        n = ENS_PROGRAM_ERR_MAX;
    }
    if (b->len + n > 2 * ENS_PROGRAM_ERR_MAX) {
        size_t kept = ENS_PROGRAM_ERR_MAX - n;

        memmove(b->data, b->data + b->len - kept, kept);
        b->len = kept;
    }
    ens_buf_put(b, p, n);
}

typedef void keep_fn(struct ens_program_end *end, const char *p, size_t n);

/* One read; 1 when something came. At the end of file *fd is closed. */
static int take(int *fd, struct ens_program_end *end, keep_fn *keep)
{
    char bytes[READ_BYTES];
    ssize_t n;

    if (*fd < 0)
        return 0;
    do
        n = read(*fd, bytes, sizeof(bytes));
    while (n < 0 && errno == EINTR);
    if (n > 0)
        keep(end, bytes, (size_t)n);
    else if (n == 0 || errno != EAGAIN)
        close_one(fd);
    return n > 0;
}

int ens_program_take_out(int *fd, struct ens_program_end *end)
{
    return take(fd, end, keep_out);
}

int ens_program_take_err(int *fd, struct ens_program_end *end)
{
    return take(fd, end, keep_err);
}

/* What lies in the pipe now. More than its capacity a survivor is writing. */
static void take_rest(int *fd, struct ens_program_end *end, keep_fn *keep)
{
    for (size_t n = 0; n < ENS_PROGRAM_OUT_MAX && take(fd, end, keep);)
        n += READ_BYTES;
}

/* -- its end ------------------------------------------------------------------
 */

static int has_ended(pid_t pid)
{
    siginfo_t info;

    memset(&info, 0, sizeof(info));
    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
           info.si_pid == pid;
}

/* Until the program has ended; without a pidfd it is asked every 2 ms. */
static void attend(pid_t pid, struct pipes *io, struct ens_program_end *end)
{
    int watch = pidfd_open(pid, 0);

    for (;;) {
        struct pollfd p[3] = {{io->out[0], POLLIN, 0},
                              {io->err[0], POLLIN, 0},
                              {watch, POLLIN, 0}};

        poll(p, 3, watch >= 0 ? -1 : 2);
        if (p[0].revents != 0)
            take(&io->out[0], end, keep_out);
        if (p[1].revents != 0)
            take(&io->err[0], end, keep_err);
        if ((watch < 0 || p[2].revents != 0) && has_ended(pid))
            break;
    }
    close_one(&watch);
}

static void reap(const struct ens_program *p, pid_t pid, int *status)
{
    p->group(p->arg, 0); /* while nobody else can have the number */
    while (waitpid(pid, status, 0) < 0 && errno == EINTR)
        ;
}

/* Whatever else it started; mostly there is nothing. */
static void end_left(void)
{
    pid_t pid;

    do
        pid = waitpid(-1, NULL, WNOHANG);
    while (pid > 0 || (pid < 0 && errno == EINTR));
    if (pid == 0)
        ens_children_end(LEFT_SECONDS);
}

enum ens_status ens_program_run(const struct ens_program *p,
                                struct ens_program_end *end,
                                struct ens_error *err)
{
    struct pipes io;
    pid_t pid = 0;
    int r;

    ens_buf_clear(&end->out);
    ens_buf_clear(&end->err);
    end->out_cut = 0;
    end->status = 0;
    ens_stop_yield(0);
    if (open_pipes(&io) != 0)
        return ens_fail_errno(err, ENS_EPROCESS, "cannot open pipes");
    r = ens_program_start(&pid, p, -1, io.out[1], io.err[1]);
    if (r != 0) {
        close_pipes(&io);
        return ens_fail(err, ENS_EDOMAIN, "cannot run %s: %s", p->argv[0],
                        strerror(r));
    }
    p->group(p->arg, pid);
    close_one(&io.out[1]);
    close_one(&io.err[1]);
    attend(pid, &io, end);
    kill(-pid, SIGKILL);
    take_rest(&io.out[0], end, keep_out);
    take_rest(&io.err[0], end, keep_err);
    reap(p, pid, &end->status);
    close_pipes(&io);
    end_left();
    ens_stop_yield(end->status);
    if (end->out.failed || end->err.failed)
        return ens_fail(err, ENS_ENOMEMORY, "output of the program");
    return ENS_OK;
}
