#include "cli/divided.h"

#include "base/children.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOK_MS      20
#define LEFT_SECONDS 5.0

struct running {
    const struct ens_divided *w;
    struct ens_divided_said *said; /* shared */
    pid_t *pid;                    /* 0: there is none */
};

static uint64_t first_of(const struct ens_divided *w, uint32_t k)
{
    uint64_t more = w->n_rows % w->n;

    return w->n_rows / w->n * k + (k < more ? k : more);
}

static _Noreturn void work(const struct running *p, uint32_t k, pid_t parent)
{
    const struct ens_divided *w = p->w;
    uint64_t first = first_of(w, k);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    w->screen->bar = w->screen->lines = 0;
    p->said[k].error.status = w->run(w->own, first, first_of(w, k + 1) - first,
                                     &p->said[k], &p->said[k].error);
    p->said[k].ended = 1;
    _exit(0);
}

static enum ens_status start(struct running *p, struct ens_error *err)
{
    pid_t parent = getpid();

    for (uint32_t k = 0; k < p->w->n; k++) {
        p->pid[k] = fork();
        if (p->pid[k] == 0)
            work(p, k, parent);
        if (p->pid[k] > 0)
            continue;
        p->pid[k] = 0;
        return ens_fail_errno(err, ENS_EPROCESS, "cannot start a worker");
    }
    return ENS_OK;
}

static void stop(const struct running *p, uint32_t from)
{
    for (uint32_t k = from; k < p->w->n; k++)
        if (p->pid[k] > 0)
            kill(p->pid[k], SIGTERM);
}

/* How it ended, which is in what it said. */
static void bury(struct running *p, uint32_t k, int status)
{
    struct ens_error *e = &p->said[k].error;

    p->pid[k] = 0;
    if (p->said[k].ended)
        return;
    ens_fail(e, ENS_EPROCESS, "a worker ended by signal %d",
             WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

/* Those that have ended; what comes behind rows that failed is not needed.
 * Returns how many are left. */
static uint32_t look(struct running *p, uint64_t *done)
{
    uint32_t left = 0;
    int status;

    *done = 0;
    for (uint32_t k = 0; k < p->w->n; k++) {
        if (p->pid[k] > 0 && waitpid(p->pid[k], &status, WNOHANG) > 0) {
            bury(p, k, status);
            if (p->said[k].error.status != ENS_OK)
                stop(p, k + 1);
        }
        left += p->pid[k] > 0;
        *done += atomic_load(&p->said[k].done);
    }
    return left;
}

static enum ens_status attend(struct running *p, struct ens_error *err)
{
    uint64_t done = 0;
    int stopped = 0;

    while (look(p, &done) > 0) {
        if (ens_screen_tell(p->w->screen, "writing predictions", done,
                            p->w->n_rows) &&
            !stopped) {
            stopped = 1;
            stop(p, 0);
        }
        poll(NULL, 0, LOOK_MS);
    }
    return stopped ? ens_fail(err, ENS_ESTOPPED, "stopped; nothing was written")
                   : ENS_OK;
}

static enum ens_status take(const struct running *p, uint64_t *n_nan,
                            struct ens_error *err)
{
    *n_nan = 0;
    for (uint32_t k = 0; k < p->w->n; k++) {
        const struct ens_divided_said *said = &p->said[k];

        if (said->error.status != ENS_OK) {
            if (err != NULL)
                *err = said->error;
            return (enum ens_status)said->error.status;
        }
        *n_nan += said->n_nan;
    }
    return ENS_OK;
}

enum ens_status ens_divided_run(const struct ens_divided *w, uint64_t *n_nan,
                                struct ens_error *err)
{
    struct running p = {.w = w};
    size_t bytes = w->n * sizeof(*p.said);
    enum ens_status s, ended;

    p.said = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (p.said == MAP_FAILED)
        return ens_fail_errno(err, ENS_ENOMEMORY, "workers");
    p.pid = calloc(w->n, sizeof(*p.pid));
    (void)ens_screen_tell(w->screen, "writing predictions", 0, w->n_rows);
    /* what one that is killed has started is ours to end */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    s = p.pid ? start(&p, err) : ens_fail(err, ENS_ENOMEMORY, "workers");
    if (s != ENS_OK && p.pid != NULL)
        stop(&p, 0);
    ended = p.pid ? attend(&p, s == ENS_OK ? err : NULL) : ENS_OK;
    if (s == ENS_OK)
        s = ended;
    if (s == ENS_OK)
        s = take(&p, n_nan, err);
    ens_children_end(LEFT_SECONDS);
    free(p.pid);
    munmap(p.said, bytes);
    return s;
}
