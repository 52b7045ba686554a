#include "worker/zygote.h"

#include "base/bug.h"
#include "base/file.h"
#include "base/folder.h"
#include "plan/plan.h"
#include "base/children.h"
#include "worker/message.h"
#include "worker/process.h"
#include "worker/threads.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define END_SECONDS   5.0
#define PARENT_SIGNAL SIGUSR2 /* comes when the supervisor has died */

/* Pids are kept here too: a task may scribble over the slots. */
struct child {
    pid_t pid; /* 0: none */
    uint32_t incarnation;
};

struct zygote {
    int socket, signals;
    const struct ens_kind_table *kinds;
    pid_t supervisor;
    struct ens_slot *slot;
    struct child *child;
    uint32_t n_slots;
    int study_fd;
    int hold; /* of a far supervisor's folder; -1: none */
    int *input_fd;
    size_t n_inputs;
    struct ens_study *study;
    struct ens_inputs inputs;
    struct ens_plan plan;
    int opened;
    struct ens_zygote_message init;
    struct ens_finder finder;
};

/* -- opening the study ----------------------------------------------------- */

static enum ens_status parse_study(struct zygote *z, const void *text, size_t n,
                                   struct ens_error *err)
{
    struct ens_study_kinds kinds;
    struct ens_buf errors = ENS_BUF_INIT;
    enum ens_status s;

    ens_finder_init(&z->finder, z->kinds, &ens_host);
    z->finder.alone = 1;
    kinds = ens_finder_kinds(&z->finder);
    s = ens_study_parse(&z->study, "study.ini", text, n, "/", NULL, 0, &kinds,
                        &errors, err);
    ens_buf_fini(&errors);
    return s;
}

static enum ens_status read_study(struct zygote *z, struct ens_error *err)
{
    struct stat st;
    void *text;
    enum ens_status s;

    if (fstat(z->study_fd, &st) != 0 || st.st_size <= 0)
        return ens_fail(err, ENS_EPROTOCOL, "the zygote got no study");
    text =
        mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, z->study_fd, 0);
    if (text == MAP_FAILED)
        return ens_fail_errno(err, ENS_EPROCESS, "cannot map the study");
    s = parse_study(z, text, (size_t)st.st_size, err);
    munmap(text, (size_t)st.st_size);
    return s;
}

static enum ens_status open_all(struct zygote *z, struct ens_error *err)
{
    size_t n = z->n_inputs;
    enum ens_status s = read_study(z, err);

    if (s != ENS_OK)
        return s;
    if (z->init.plugins != 0 && ens_finder_hash(&z->finder) != z->init.plugins)
        return ens_fail(err, ENS_ECHANGED,
                        "%s: was changed while the study ran; run it again",
                        z->finder.n_files == 1 ? z->finder.file[0].path
                                               : "a plugin");
    z->n_inputs = 0; /* taken over, come what may */
    s = ens_inputs_open_fds(&z->inputs, z->study, z->input_fd, n, err);
    if (s == ENS_OK)
        s = ens_plan_make(&z->plan, &ens_host, z->finder.kind, z->study,
                          &z->inputs, err);
    if (s == ENS_OK)
        s = ens_threads_check(err);
    return s;
}

/* -- telling the supervisor ------------------------------------------------ */

static void tell(struct zygote *z, enum ens_zygote_type type, uint32_t slot,
                 int32_t pid, int32_t wait_status)
{
    struct ens_zygote_message m;

    memset(&m, 0, sizeof(m));
    m.type = type;
    m.slot = slot;
    m.incarnation = slot < z->n_slots ? z->child[slot].incarnation : 0;
    m.pid = pid;
    m.wait_status = wait_status;
    ens_message_send(z->socket, &m, NULL, 0, 0);
}

static void open_and_tell(struct zygote *z)
{
    struct ens_zygote_message m;

    memset(&m, 0, sizeof(m));
    if (open_all(z, &m.error) == ENS_OK) {
        z->opened = 1;
        tell(z, ENS_Z_OPENED, 0, 0, 0);
        return;
    }
    m.type = ENS_Z_FAILED;
    ens_message_send(z->socket, &m, NULL, 0, 0);
}

/* -- workers ----------------------------------------------------------------
 */

/* Signals as a program expects them; those meant for the coordinator stay
 * ignored: a worker ends on EOF or by order. */
static void reset_signals(void)
{
    static const int plain[] = {SIGSEGV, SIGBUS,  SIGFPE,  SIGILL,
                                SIGABRT, SIGCHLD, SIGUSR2, SIGPIPE};
    sigset_t none;

    for (size_t i = 0; i < ENS_COUNT(plain); i++)
        signal(plain[i], SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void be_worker(struct zygote *z, const struct ens_zygote_message *m,
                      int socket, pid_t zygote)
{
    struct ens_slot *slot = &z->slot[m->slot];
    struct ens_worker_config c = {
        .plan = &z->plan,
        .dir = z->init.dir,
        .epoch = z->init.epoch,
        .run_id = z->init.run_id,
        .slot = (uint16_t)(z->init.first_slot + m->slot),
        .incarnation = m->incarnation,
        .shared = slot,
        .far = (int)z->init.far,
        .pack_end = m->pack_end,
        .memory_limit = z->init.memory_limit,
    };

    atomic_store(&slot->pid, (int32_t)getpid());
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != zygote)
        _exit(0);
    setpgid(0, 0);
    prctl(PR_SET_NAME, "ensrun-worker");
    close(z->socket);
    close(z->signals);
    reset_signals();
    _exit(ens_worker_process(&c, socket));
}

static void clear_slot(struct ens_slot *slot, uint32_t incarnation)
{
    atomic_store(&slot->phase, ENS_PHASE_STARTING);
    atomic_store(&slot->incarnation, incarnation);
    atomic_store(&slot->place, 0);
    atomic_store(&slot->stage, 0);
    atomic_store(&slot->start_ns, 0);
    atomic_store(&slot->group, 0);
    atomic_store(&slot->n_tasks, 0);
}

static void spawn(struct zygote *z, const struct ens_zygote_message *m,
                  int socket)
{
    pid_t self = getpid();
    pid_t pid;

    if (!z->opened || m->slot >= z->n_slots || socket < 0)
        return;
    clear_slot(&z->slot[m->slot], m->incarnation);
    z->child[m->slot].incarnation = m->incarnation;
    pid = fork();
    if (pid == 0)
        be_worker(z, m, socket, self);
    if (pid < 0) {
        tell(z, ENS_Z_SPAWNED, m->slot, -errno, 0);
        return;
    }
    setpgid(pid, pid);
    atomic_store(&z->slot[m->slot].pid, (int32_t)pid);
    z->child[m->slot].pid = pid;
    tell(z, ENS_Z_SPAWNED, m->slot, (int32_t)pid, 0);
}

/* The worker's group, and that of the program its task runs. */
static void kill_groups(struct zygote *z, uint32_t slot)
{
    pid_t group = atomic_load(&z->slot[slot].group);

    if (z->child[slot].pid > 0)
        kill(-z->child[slot].pid, SIGKILL);
    if (group > 1 && group != getpgrp())
        kill(-group, SIGKILL);
}

static uint32_t slot_of(const struct zygote *z, pid_t pid)
{
    uint32_t i = 0;

    while (i < z->n_slots && z->child[i].pid != pid)
        i++;
    return i;
}

/* A child that is no worker was handed up by one that is dead: a program
 * whose group it had no time to publish, or what that one left. */
static void kill_stray(void *arg, int32_t pid)
{
    const struct zygote *z = arg;

    if (slot_of(z, pid) < z->n_slots)
        return;
    if (getpgid(pid) == pid)
        kill(-pid, SIGKILL);
    kill(pid, SIGKILL);
}

/* While the dead leader is not reaped its group cannot be another's. */
static void bury(struct zygote *z, pid_t pid)
{
    uint32_t slot = slot_of(z, pid);
    int status = 0;

    if (slot < z->n_slots) {
        kill_groups(z, slot);
        atomic_store(&z->slot[slot].pid, 0);
        atomic_store(&z->slot[slot].group, 0);
        z->child[slot].pid = 0;
    }
    waitpid(pid, &status, 0);
    ens_children_each(kill_stray, z);
    if (slot < z->n_slots)
        tell(z, ENS_Z_EXITED, slot, (int32_t)pid, status);
}

static void bury_all(struct zygote *z)
{
    siginfo_t info;

    for (;;) {
        memset(&info, 0, sizeof(info));
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
            info.si_pid == 0)
            return;
        bury(z, info.si_pid);
    }
}

static void end_all(struct zygote *z)
{
    for (uint32_t i = 0; i < z->n_slots; i++)
        kill_groups(z, i);
    ens_children_end(END_SECONDS);
}

/* -- messages ----------------------------------------------------------------
 */

/* 0 = go on. */
static int begin(struct zygote *z, const struct ens_zygote_message *m,
                 const int *fd)
{
    size_t bytes = (size_t)m->n_slots * sizeof(struct ens_slot);
    void *slots;

    if (z->slot != NULL || m->n_slots == 0 || fd[0] < 0 || fd[1] < 0 ||
        memchr(m->dir, '\0', sizeof(m->dir)) == NULL)
        return -1;
    z->supervisor = m->pid;
    slots = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd[1], 0);
    close(fd[1]);
    z->child = calloc(m->n_slots, sizeof(*z->child));
    if (slots == MAP_FAILED || z->child == NULL)
        return -1;
    z->slot = slots;
    z->n_slots = m->n_slots;
    z->study_fd = fd[0];
    z->init = *m;
    if (m->far) /* workers inherit that */
        z->hold = ens_folder_hold(m->dir);
    return getppid() == z->supervisor ? 0 : -1;
}

static int add_input(struct zygote *z, const struct ens_zygote_message *m,
                     int fd)
{
    int *p;

    if (m->slot != z->n_inputs || fd < 0)
        return -1;
    p = realloc(z->input_fd, (z->n_inputs + 1) * sizeof(*p));
    if (p == NULL)
        return -1;
    z->input_fd = p;
    p[z->n_inputs++] = fd;
    return 0;
}

static int obey(struct zygote *z, const struct ens_zygote_message *m,
                const int *fd)
{
    switch (m->type) {
    case ENS_Z_INIT:
        return begin(z, m, fd);
    case ENS_Z_MAP:
        return add_input(z, m, fd[0]);
    case ENS_Z_OPEN:
        open_and_tell(z);
        return 0;
    case ENS_Z_SPAWN:
        spawn(z, m, fd[0]);
        if (fd[0] >= 0)
            close(fd[0]);
        return 0;
    case ENS_Z_KILL:
        if (m->slot < z->n_slots &&
            z->child[m->slot].incarnation == m->incarnation)
            kill_groups(z, m->slot);
        return 0;
    default:
        return -1; /* TERM, or nothing we know */
    }
}

static int read_signals(struct zygote *z)
{
    struct signalfd_siginfo info;

    while (read(z->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
        ;
    bury_all(z);
    return z->supervisor != 0 && getppid() != z->supervisor ? -1 : 0;
}

static int take_signals(void)
{
    static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1};
    sigset_t set;

    for (size_t i = 0; i < ENS_COUNT(ignored); i++)
        signal(ignored[i], SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, PARENT_SIGNAL);
    if (sigprocmask(SIG_SETMASK, &set, NULL) != 0)
        return -1;
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void serve(struct zygote *z)
{
    struct ens_zygote_message m;
    int fd[ENS_MESSAGE_MAX_FDS];

    for (;;) {
        struct pollfd p[2] = {{z->socket, POLLIN, 0}, {z->signals, POLLIN, 0}};

        if (poll(p, 2, -1) < 0 && errno != EINTR)
            return;
        if (p[1].revents != 0 && read_signals(z) != 0)
            return;
        if (p[0].revents == 0)
            continue;
        if (ens_message_receive(z->socket, &m, fd, 0) != 1 ||
            obey(z, &m, fd) != 0)
            return;
    }
}

static void free_all(struct zygote *z)
{
    if (z->study != NULL) { /* the plan and the inputs lean on it */
        ens_plan_fini(&z->plan);
        ens_inputs_close(&z->inputs);
        ens_study_free(z->study);
    }
    ens_finder_fini(&z->finder);
    for (size_t i = 0; i < z->n_inputs; i++)
        close(z->input_fd[i]);
    free(z->input_fd);
    free(z->child);
    if (z->study_fd >= 0)
        close(z->study_fd);
    if (z->hold >= 0)
        close(z->hold);
    close(z->signals);
}

static void remove_folder(const char *dir)
{
    if (ens_file_empty(dir, NULL) == ENS_OK)
        rmdir(dir);
}

int ens_zygote_main(int socket, const struct ens_kind_table *kinds)
{
    struct zygote z = {
        .socket = socket, .kinds = kinds, .study_fd = -1, .hold = -1};

    prctl(PR_SET_NAME, "ensrun-zygote");
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    prctl(PR_SET_PDEATHSIG, PARENT_SIGNAL);
    z.signals = take_signals();
    if (z.signals < 0)
        return 3;
    serve(&z);
    end_all(&z);
    if (z.init.far) /* the supervisor may be dead and cannot */
        remove_folder(z.init.dir);
    free_all(&z);
    return 0;
}
