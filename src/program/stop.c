#include "program/stop.h"

#include "base/bug.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SHELL_DEATH 128 /* a shell's status for a child ended by a signal */

static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1};

/* A program may die before the same signal reaches us. */
static const struct timespec moment = {0, 300000000};
static const struct timespec at_once = {0, 0};
static const struct timespec grace = {1, 0};

static sigset_t stops(void)
{
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < ENS_COUNT(signals); i++)
        sigaddset(&set, signals[i]);
    return set;
}

void ens_stop_watch(void)
{
    const sigset_t set = stops();

    sigprocmask(SIG_BLOCK, &set, NULL);
}

/* The signal that came; -1: none. */
static int look(const struct timespec *wait)
{
    const sigset_t set = stops();
    int number;

    do
        number = sigtimedwait(&set, NULL, wait);
    while (number < 0 && errno == EINTR);
    return number;
}

static int is_by_stop(int status)
{
    int number = WIFSIGNALED(status) ? WTERMSIG(status)
                                     : WEXITSTATUS(status) - SHELL_DEATH;

    for (size_t i = 0; i < ENS_COUNT(signals); i++)
        if (number == signals[i])
            return 1;
    return 0;
}

void ens_stop_yield(int status)
{
    const int number = look(is_by_stop(status) ? &moment : &at_once);
    sigset_t set;

    if (number < 0)
        return;
    nanosleep(&grace, NULL);
    signal(number, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, number);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    raise(number);
}
