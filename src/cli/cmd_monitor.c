/* ensrun monitor -- CMD: memory and CPU time of a process tree over time. */
#include "cli/command.h"
#include "cli/duration.h"

#include "base/bug.h"
#include "base/clock.h"
#include "base/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MIB       1048576.0
#define NOT_RUN   126 /* exit statuses as of env and nohup */
#define NO_SUCH   127
#define BY_SIGNAL 128

static const struct ens_option options[] = {
    {"output", 'o', ENS_OPTION_TEXT, 0, "FILE",
     "write a row per sample to FILE, as csv (-: standard output)"},
    {"every", 0, ENS_OPTION_TEXT, 0, "TIME",
     "between two samples (default: 0.1s)"},
};

/* Passed on to CMD. From a terminal it has them already. */
static const int passed[] = {SIGINT,  SIGTERM, SIGHUP,
                             SIGQUIT, SIGUSR1, SIGUSR2};

struct monitor {
    const char *path; /* NULL: only the summary */
    FILE *out;
    uint64_t every_ns, start_ns;
    pid_t pid; /* CMD's */
    int status;
    struct ens_tree tree;
    uint64_t cpu_ns, sampled_ns; /* at the last sample */
    uint64_t peak_pss, peak_own;
    uint64_t n_samples;
    size_t peak_n;
    int any_hidden;
};

/* -- samples ----------------------------------------------------------------
 */

struct sample {
    size_t n; /* processes */
    struct ens_memory memory;
    uint64_t cpu_ns; /* of all, those that have ended too */
};

/* Of those that ended, and that we waited for. */
static uint64_t waited_ns(void)
{
    struct rusage u;

    if (getrusage(RUSAGE_CHILDREN, &u) != 0)
        return 0;
    return ((uint64_t)u.ru_utime.tv_sec + (uint64_t)u.ru_stime.tv_sec) *
               1000000000u +
           ((uint64_t)u.ru_utime.tv_usec + (uint64_t)u.ru_stime.tv_usec) *
               1000u;
}

/* All below this process: CMD, and what was handed up to us. */
static void take(struct monitor *m, struct sample *s)
{
    memset(s, 0, sizeof(*s));
    s->cpu_ns = waited_ns();
    if (ens_tree_read(&m->tree, (int32_t)getpid()) != 0)
        return;
    for (size_t i = 1; i < m->tree.n; i++) {
        const struct ens_tree_process *p = &m->tree.process[i];

        s->n += !p->is_ended;
        s->cpu_ns += p->cpu_ns;
        s->memory.pss += p->memory.pss;
        s->memory.rss += p->memory.rss;
        s->memory.own_bytes += p->memory.own_bytes;
        m->any_hidden |= p->is_hidden;
    }
}

static void give_up(struct monitor *m)
{
    fprintf(stderr, "ensrun: monitor: cannot write %s: %s; CMD goes on\n",
            m->path, strerror(errno));
    fclose(m->out);
    m->out = NULL;
}

static void put_row(struct monitor *m, const struct sample *s, uint64_t now)
{
    double since = (double)(now - m->sampled_ns);
    double percent =
        m->n_samples == 0 ? 0 : 100 * (double)(s->cpu_ns - m->cpu_ns) / since;

    fprintf(m->out, "%.3f,%zu,%llu,%llu,%llu,%.1f\n",
            (double)(now - m->start_ns) / 1e9, s->n,
            (unsigned long long)s->memory.pss,
            (unsigned long long)s->memory.own_bytes,
            (unsigned long long)s->memory.rss, percent);
    if (fflush(m->out) != 0) /* a row at a time: killed, we lose none */
        give_up(m);
}

static void look(struct monitor *m)
{
    uint64_t now = ens_clock_ns();
    struct sample s;

    take(m, &s);
    if (s.cpu_ns < m->cpu_ns) /* one was waited for while we looked */
        s.cpu_ns = m->cpu_ns;
    if (m->out != NULL)
        put_row(m, &s, now);
    m->n_samples++;
    m->sampled_ns = now;
    m->cpu_ns = s.cpu_ns;
    if (s.memory.pss > m->peak_pss)
        m->peak_pss = s.memory.pss;
    if (s.memory.own_bytes > m->peak_own)
        m->peak_own = s.memory.own_bytes;
    if (s.n > m->peak_n)
        m->peak_n = s.n;
}

/* -- CMD --------------------------------------------------------------------
 */

static void set_of(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGCHLD);
    for (size_t i = 0; i < ENS_COUNT(passed); i++)
        sigaddset(set, passed[i]);
}

/* In the child. */
static _Noreturn void become(char *const *argv, const sigset_t *old,
                             const struct sigaction *pipe_action, int report)
{
    int why;

    sigaction(SIGPIPE, pipe_action, NULL);
    sigprocmask(SIG_SETMASK, old, NULL);
    execvp(argv[0], argv);
    why = errno;
    (void)!write(report, &why, sizeof(why));
    _exit(NO_SUCH);
}

/* Start CMD; returns when it is a program of its own. 0, or the exit status
 * of what could not be run. */
static int start(struct monitor *m, char *const *argv)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, old_pipe;
    struct sigaction plain = {.sa_handler = SIG_DFL};
    sigset_t set, old;
    int report[2], why = 0;

    set_of(&set);
    sigprocmask(SIG_BLOCK, &set, &old);
    sigaction(SIGCHLD, &plain, NULL);
    sigaction(SIGPIPE, &ignore, &old_pipe);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (pipe2(report, O_CLOEXEC) != 0)
        why = errno;
    m->start_ns = ens_clock_ns();
    m->pid = why == 0 ? fork() : -1;
    if (m->pid == 0)
        become(argv, &old, &old_pipe, report[1]);
    if (m->pid < 0) {
        fprintf(stderr, "ensrun: monitor: cannot start a process: %s\n",
                strerror(why != 0 ? why : errno));
        return NOT_RUN;
    }
    close(report[1]);
    if (read(report[0], &why, sizeof(why)) != (ssize_t)sizeof(why))
        why = 0;
    close(report[0]);
    if (why == 0)
        return 0;
    waitpid(m->pid, NULL, 0);
    fprintf(stderr, "ensrun: monitor: cannot run %s: %s\n", argv[0],
            strerror(why));
    return why == ENOENT ? NO_SUCH : NOT_RUN;
}

/* 1: CMD has ended. Others that were handed up to us are reaped. */
static int reap(struct monitor *m)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        if (pid == m->pid) {
            m->status = status;
            return 1;
        }
    return 0;
}

/* Wait until a time for signals; 1: CMD has ended. */
static int wait_until(struct monitor *m, uint64_t due_ns)
{
    sigset_t set;
    siginfo_t info;
    uint64_t now;

    set_of(&set);
    while ((now = ens_clock_ns()) < due_ns) {
        uint64_t left = due_ns - now;
        const struct timespec t = {(time_t)(left / 1000000000u),
                                   (long)(left % 1000000000u)};
        int got = sigtimedwait(&set, &info, &t);

        if (got == SIGCHLD && reap(m))
            return 1;
        if (got > 0 && got != SIGCHLD && info.si_code != SI_KERNEL)
            kill(m->pid, got);
    }
    return 0;
}

static void follow(struct monitor *m)
{
    uint64_t due = m->start_ns;
    uint64_t took;

    do {
        took = ens_clock_ns();
        look(m);
        took = ens_clock_ns() - took;
        due += m->every_ns;
        /* where a look takes long, as long a pause at least */
        if (due < ens_clock_ns() + took)
            due = ens_clock_ns() + took;
    } while (!wait_until(m, due));
}

/* -- the command ------------------------------------------------------------
 */

static void print_summary(struct monitor *m)
{
    double wall_s = (double)(ens_clock_ns() - m->start_ns) / 1e9;
    struct sample s;
    double cpu_s;

    take(m, &s);
    cpu_s = (double)s.cpu_ns / 1e9;
    if (m->peak_pss > 0)
        fprintf(stderr,
                "ensrun: monitor: peak PSS %.1f MiB, peak private %.1f MiB, "
                "%zu process%s at most\n",
                (double)m->peak_pss / MIB, (double)m->peak_own / MIB, m->peak_n,
                m->peak_n == 1 ? "" : "es");
    else
        fprintf(stderr, "ensrun: monitor: it had ended before its memory could "
                        "be read\n");
    fprintf(stderr,
            "ensrun: monitor: wall %.3f s, CPU %.3f s, mean %.0f %%, "
            "%llu sample%s\n",
            wall_s, cpu_s, 100 * cpu_s / wall_s,
            (unsigned long long)m->n_samples, m->n_samples == 1 ? "" : "s");
    if (m->any_hidden)
        fprintf(stderr, "ensrun: monitor: memory of another user's processes "
                        "could not be read; it is missing\n");
}

static enum ens_status open_output(struct monitor *m, struct ens_error *err)
{
    if (m->path == NULL)
        return ENS_OK;
    /* not stdout: what it could not write would be an error at our end */
    m->out = strcmp(m->path, "-") == 0
                 ? fdopen(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3), "w")
                 : fopen(m->path, "we");
    if (m->out == NULL)
        return ens_fail_errno(err, ENS_EIO, "cannot write %s", m->path);
    fprintf(m->out, "seconds,processes,pss_bytes,private_bytes,rss_bytes,"
                    "cpu_percent\n");
    return ENS_OK;
}

static int watch(struct monitor *m, char *const *argv)
{
    int code = start(m, argv);

    if (code == 0) {
        follow(m);
        print_summary(m);
        code = WIFSIGNALED(m->status) ? BY_SIGNAL + WTERMSIG(m->status)
                                      : WEXITSTATUS(m->status);
    }
    if (m->out != NULL)
        fclose(m->out);
    ens_tree_fini(&m->tree);
    return code;
}

static int run(const struct ens_options *o)
{
    const char *every = ens_options_text(o, "every");
    struct monitor m = {.path = ens_options_text(o, "output")};
    static char *argv[ENS_OPTIONS_MAX + 1];
    struct ens_error err = {0};
    double every_s = 0.1;
    enum ens_status s = ENS_OK;

    for (size_t i = 0; i < o->n_words; i++)
        argv[i] = (char *)(uintptr_t)o->word[i]; /* exec takes no const */
    if (every != NULL)
        s = ens_duration_parse("every", every, &every_s, &err);
    if (s == ENS_OK && !(every_s >= 0.001))
        s = ens_fail(&err, ENS_EUSAGE, "--every %s: at least 1 ms", every);
    if (s == ENS_OK)
        s = open_output(&m, &err);
    m.every_ns = (uint64_t)(every_s * 1e9);
    return s == ENS_OK ? watch(&m, argv) : ens_cli_fail(s, &err);
}

const struct ens_command ens_command_monitor = {
    .name = "monitor",
    .words = "[-o FILE] -- CMD [ARG ...]",
    .help = "memory and CPU time of a program and all it starts, over time",
    .min_words = 1,
    .max_words = ENS_OPTIONS_MAX,
    .options = options,
    .n_options = ENS_COUNT(options),
    .run = run,
    .more =
        "Columns: seconds since the start; processes; pss_bytes, in which a "
        "page that\nseveral processes map counts once; private_bytes, heap, "
        "stack and what was changed\nof mapped files, as far as no other "
        "process shares it; rss_bytes, the usual sum,\nin which a page counts "
        "for each that maps it; cpu_percent since the row before, 100\nfor one "
        "core (the system counts in steps of 10 ms).\nProcesses whose parent "
        "has ended are followed too; the monitor ends with CMD, and with\nits "
        "exit status (128 + N when signal N ended it; 127, 126: it could not "
        "be run).\nPeaks and means go to standard error.\n"
        "\n"
        "  ensrun monitor -o mem.csv -- ensrun study.ini\n"
        "  ensrun monitor -o mem.csv --every 1s -- mpirun -n 4 ensrun "
        "study.ini\n",
};
