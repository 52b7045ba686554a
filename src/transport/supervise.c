/* The zygote as its supervisor sees it: booted, asked for workers and deaths,
 * lost and booted again. */
#include "transport/fork.h"

#include "base/children.h"
#include "base/clock.h"
#include "transport/launch.h"
#include "worker/message.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void on_zygote(uv_poll_t *poll, int status, int events);

/* -- messages down ------------------------------------------------------------
 */

/* One that died at once is found by its end of file. */
static enum ens_status check_sent(int r, struct ens_error *err)
{
    if (r != 0 && errno != EPIPE && errno != ECONNRESET)
        return ens_fail_errno(err, ENS_EPROCESS, "cannot talk to the zygote");
    return ENS_OK;
}

static enum ens_status send_inputs(struct ens_transport *t, int socket,
                                   struct ens_error *err)
{
    struct ens_zygote_message m;
    int r = 0;

    memset(&m, 0, sizeof(m));
    m.type = ENS_Z_MAP;
    for (size_t i = 0; r == 0 && i < t->n_inputs; i++) {
        m.slot = (uint32_t)i;
        r = ens_message_send(socket, &m, &t->input_fd[i], 1, 0);
    }
    m.type = ENS_Z_OPEN;
    if (r == 0)
        r = ens_message_send(socket, &m, NULL, 0, 0);
    return check_sent(r, err);
}

static enum ens_status send_study(struct ens_transport *t, int socket,
                                  struct ens_error *err)
{
    struct ens_zygote_message m;
    int fd[2] = {t->study_fd, t->slots_fd};
    size_t n = strlen(t->config.dir);
    int r;

    memset(&m, 0, sizeof(m));
    if (n >= sizeof(m.dir))
        return ens_fail(err, ENS_EUSAGE, "%s: path too long", t->config.dir);
    memcpy(m.dir, t->config.dir, n + 1);
    m.type = ENS_Z_INIT;
    m.pid = (int32_t)getpid();
    m.n_slots = t->config.n_slots;
    m.first_slot = t->config.first_slot;
    m.epoch = t->config.epoch;
    m.far = (uint32_t)t->config.far;
    m.run_id = t->config.run_id;
    m.memory_limit = t->config.memory_limit;
    m.plugins = t->config.plugins;
    r = ens_message_send(socket, &m, fd, 2, 0);
    return check_sent(r, err);
}

static void free_zygote(uv_handle_t *h)
{
    struct ens_supervised *z = h->data;
    struct ens_transport *t = z->t;

    close(z->socket);
    free(z);
    ens_fork_released(t);
}

enum ens_status ens_zygote_boot(struct ens_transport *t, struct ens_error *err)
{
    struct ens_supervised *z = calloc(1, sizeof(*z));
    enum ens_status s;

    if (z == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    s = ens_zygote_launch(t->config.program, &z->socket, &z->pid, err);
    if (s != ENS_OK) {
        free(z);
        return s;
    }
    uv_poll_init(t->config.loop, &z->poll, z->socket);
    z->poll.data = z;
    z->t = t;
    t->n_handles++;
    t->zygote = z;
    t->opened = 0;
    s = send_study(t, z->socket, err);
    if (s == ENS_OK && t->has_inputs)
        s = send_inputs(t, z->socket, err);
    if (s == ENS_OK)
        uv_poll_start(&z->poll, UV_READABLE, on_zygote);
    return s;
}

enum ens_status ens_zygote_give_inputs(struct ens_transport *t,
                                       struct ens_error *err)
{
    t->has_inputs = 1;
    return t->zygote != NULL ? send_inputs(t, t->zygote->socket, err) : ENS_OK;
}

/* 0 = sent; 1 = no room now; -1 = cannot be done. */
static int send_down(struct ens_supervised *z, enum ens_zygote_type type,
                     const struct ens_link *l, const int *fd, size_t n_fds)
{
    struct ens_zygote_message m;

    memset(&m, 0, sizeof(m));
    m.type = type;
    m.slot = l->index;
    m.incarnation = l->incarnation;
    m.pack_end = l->pack_end;
    if (ens_message_send(z->socket, &m, fd, n_fds, MSG_DONTWAIT) == 0)
        return 0;
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == ETOOMANYREFS
               ? 1
               : -1;
}

static int send_spawn(struct ens_transport *t, struct ens_link *l)
{
    int sv[2];
    int r;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) != 0) {
        ens_link_died(l);
        return 0;
    }
    r = send_down(t->zygote, ENS_Z_SPAWN, l, &sv[1], 1);
    close(sv[1]);
    if (r != 0) {
        close(sv[0]);
        return r;
    }
    l->state = ENS_LINK_LIVE;
    if (ens_link_connect(l, sv[0]) != 0) {
        close(sv[0]);
        l->kill_wanted = 1;
    }
    return 0;
}

static int pump_link(struct ens_transport *t, struct ens_link *l)
{
    int r = 0;

    if (l->state == ENS_LINK_WANTED && !l->reaped)
        r = send_spawn(t, l);
    if (r == 0 && l->kill_wanted && l->state == ENS_LINK_LIVE && !l->reaped) {
        r = send_down(t->zygote, ENS_Z_KILL, l, NULL, 0);
        if (r == 0)
            l->kill_wanted = 0;
    }
    return r;
}

void ens_zygote_pump(struct ens_transport *t)
{
    struct ens_supervised *z = t->zygote;
    int events = UV_READABLE;

    if (z == NULL || !t->opened || t->closing)
        return;
    for (uint32_t i = 0; i < t->config.n_slots; i++) {
        int r = pump_link(t, &t->link[i]);

        if (r < 0)
            return; /* it is dying: the end of file comes */
        if (r > 0) {
            events |= UV_WRITABLE;
            break;
        }
    }
    uv_poll_start(&z->poll, events, on_zygote);
}

/* -- its end
 * -------------------------------------------------------------------- */

static pid_t worker_pid(const struct ens_transport *t, const struct ens_link *l)
{
    pid_t pid = l->pid > 0 ? l->pid : atomic_load(&t->slots[l->index].pid);

    return pid > 1 && pid != getpid() ? pid : 0;
}

/* Nobody else may reap them now but us: no pid can be another's. */
static void kill_link(const struct ens_transport *t, const struct ens_link *l)
{
    pid_t group = atomic_load(&t->slots[l->index].group);
    pid_t pid = worker_pid(t, l);

    if (pid > 0) {
        kill(pid, SIGKILL);
        kill(-pid, SIGKILL);
    }
    if (group > 1 && group != getpgrp())
        kill(-group, SIGKILL);
}

/* Reap what was handed up from a group; until `end_ns` when it lingers. */
static void reap_group(pid_t group, uint64_t end_ns)
{
    const struct timespec pause = {0, 500000};
    pid_t p;

    if (group <= 1 || group == getpgrp())
        return;
    while ((p = waitpid(-group, NULL, WNOHANG)) >= 0) {
        if (p > 0)
            continue;
        kill(-group, SIGKILL);
        if (ens_clock_ns() > end_ns)
            return;
        nanosleep(&pause, NULL);
    }
}

struct strays {
    const struct ens_transport *t;
    size_t n_left;
};

static int was_before(const struct ens_transport *t, pid_t pid)
{
    const int32_t *before = (const int32_t *)(const void *)t->before.data;
    size_t n = t->before.len / sizeof(*before);

    for (size_t i = 0; i < n; i++)
        if (before[i] == pid)
            return 1;
    return 0;
}

/* In a group of ours only what an embedding program started. */
static void end_stray(void *arg, int32_t pid)
{
    struct strays *s = arg;

    if (getpgid(pid) == getpgrp() || was_before(s->t, pid))
        return;
    kill(pid, SIGKILL);
    if (waitpid(pid, NULL, WNOHANG) == 0)
        s->n_left++;
}

/* Programs that left their groups (daemons) are handed up to us as their
 * parents end, and theirs in turn. */
static void end_strays(const struct ens_transport *t, uint64_t end_ns)
{
    const struct timespec pause = {0, 500000};
    struct strays s = {t, 0};

    for (;;) {
        s.n_left = 0;
        ens_children_each(end_stray, &s);
        if (s.n_left == 0 || ens_clock_ns() > end_ns)
            return;
        nanosleep(&pause, NULL);
    }
}

/* The zygote is dead: so are, or will be, all below it. */
static void sweep(struct ens_transport *t, pid_t zygote)
{
    uint64_t end = ens_clock_ns() + (uint64_t)(ENS_CLOSE_SECONDS * 1e9);

    kill(-zygote, SIGKILL);
    for (uint32_t i = 0; i < t->config.n_slots; i++)
        kill_link(t, &t->link[i]);
    reap_group(zygote, end);
    for (uint32_t i = 0; i < t->config.n_slots; i++) {
        reap_group(worker_pid(t, &t->link[i]), end);
        reap_group(atomic_load(&t->slots[i].group), end);
        atomic_store(&t->slots[i].pid, 0);
        atomic_store(&t->slots[i].group, 0);
    }
    end_strays(t, end);
}

static void forget_zygote(struct ens_transport *t)
{
    uv_close((uv_handle_t *)&t->zygote->poll, free_zygote);
    t->zygote = NULL;
    t->opened = 0;
}

static int wait_for(pid_t pid, double seconds, int *status)
{
    const struct timespec pause = {0, 500000};
    uint64_t start = ens_clock_ns();

    while (waitpid(pid, status, WNOHANG) == 0) {
        if ((double)(ens_clock_ns() - start) > seconds * 1e9)
            return 0;
        nanosleep(&pause, NULL);
    }
    return 1;
}

void ens_zygote_end(struct ens_transport *t)
{
    struct ens_supervised *z = t->zygote;
    int status = 0;

    if (z == NULL)
        return;
    shutdown(z->socket, SHUT_RDWR); /* it reads the end of file */
    if (!wait_for(z->pid, ENS_CLOSE_SECONDS, &status)) {
        kill(z->pid, SIGKILL);
        waitpid(z->pid, &status, 0);
    }
    sweep(t, z->pid);
    forget_zygote(t);
}

static int may_restart(struct ens_transport *t)
{
    uint64_t now = ens_clock_ns();
    uint64_t *oldest = &t->restart_ns[t->n_restarts % ENS_MAX_RESTARTS];

    if (t->n_restarts >= ENS_MAX_RESTARTS && now - *oldest < ENS_RESTART_NS)
        return 0;
    *oldest = now;
    t->n_restarts++;
    return 1;
}

static void give_up(struct ens_transport *t)
{
    if (t->closing || t->broken)
        return;
    t->broken = 2;
    t->config.events.broken(t->config.events.arg, &t->why);
}

static void describe(struct ens_error *err, int status)
{
    if (WIFSIGNALED(status))
        ens_fail(err, ENS_EPROCESS,
                 "the zygote was killed by signal %d, for the %dth time within "
                 "a minute",
                 WTERMSIG(status), ENS_MAX_RESTARTS + 1);
    else
        ens_fail(err, ENS_EPROCESS,
                 "the zygote ended with status %d, for the %dth time within a "
                 "minute",
                 WEXITSTATUS(status), ENS_MAX_RESTARTS + 1);
}

static void lost(struct ens_transport *t)
{
    pid_t pid = t->zygote->pid;
    int status = 0;
    int again;

    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    sweep(t, pid);
    forget_zygote(t);
    for (uint32_t i = 0; i < t->config.n_slots; i++)
        if (t->link[i].state == ENS_LINK_LIVE && !t->link[i].reaped)
            ens_link_reaped(&t->link[i], status, 1);
    again = !t->broken && may_restart(t);
    if (!again)
        describe(&t->why, status);
    else if (ens_zygote_boot(t, &t->why) != ENS_OK)
        again = 0;
    ens_links_finish(t);
    if (!again)
        give_up(t);
}

/* -- messages up
 * ------------------------------------------------------------------ */

static void on_message(struct ens_transport *t,
                       const struct ens_zygote_message *m)
{
    struct ens_link *l = m->slot < t->config.n_slots ? &t->link[m->slot] : NULL;
    int mine = l != NULL && l->state == ENS_LINK_LIVE && !l->reaped &&
               l->incarnation == m->incarnation;

    switch ((enum ens_zygote_type)m->type) {
    case ENS_Z_OPENED:
        t->opened = 1;
        ens_zygote_pump(t);
        return;
    case ENS_Z_FAILED:
        t->why = m->error;
        t->why.text[sizeof(t->why.text) - 1] = '\0';
        give_up(t);
        return;
    case ENS_Z_SPAWNED:
        if (mine && m->pid > 0)
            l->pid = m->pid;
        else if (mine)
            ens_link_died(l);
        return;
    case ENS_Z_EXITED:
        if (mine)
            ens_link_reaped(l, m->wait_status, 0);
        ens_links_finish(t);
        return;
    default:
        return; /* ours to send, not its */
    }
}

static void on_zygote(uv_poll_t *poll, int status, int events)
{
    struct ens_supervised *z = poll->data;
    struct ens_transport *t = z->t;
    struct ens_zygote_message m;
    int fd[ENS_MESSAGE_MAX_FDS];

    (void)status;
    (void)events;
    while (!t->closing && t->zygote == z) {
        int r = ens_message_receive(z->socket, &m, fd, MSG_DONTWAIT);

        for (size_t i = 0; i < ENS_MESSAGE_MAX_FDS; i++)
            if (fd[i] >= 0)
                close(fd[i]);
        if (r < 0)
            break; /* nothing more now */
        if (r == 0) {
            lost(t);
            return;
        }
        on_message(t, &m);
    }
    if (!t->closing && t->zygote == z)
        ens_zygote_pump(t);
}
