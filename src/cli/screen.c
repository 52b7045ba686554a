#include "cli/screen.h"

#include "base/bug.h"
#include "base/clock.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define QUIET_NS UINT64_C(2000000000)

/* Set by a signal; looked at while the output is written. */
static volatile sig_atomic_t stopped;
/* Before that there is nothing to clean up. */
static volatile sig_atomic_t is_writing;
/* What is killed with it. */
static volatile sig_atomic_t group;

static void on_signal(int number)
{
    if (is_writing) {
        int e = errno; /* of what it interrupts */

        stopped = number;
        if (group > 0)
            kill(-group, SIGKILL);
        errno = e;
        return;
    }
    signal(number, SIG_DFL);
    raise(number);
}

static void catch_signals(void)
{
    const int number[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    struct sigaction old;

    for (size_t i = 0; i < ENS_COUNT(number); i++)
        if (sigaction(number[i], NULL, &old) == 0 &&
            old.sa_handler != SIG_IGN) /* nohup */
            sigaction(number[i], &sa, NULL);
}

void ens_screen_init(struct ens_screen *s, const char *look)
{
    int terminal = isatty(STDERR_FILENO);

    memset(s, 0, sizeof(*s));
    s->start_ns = ens_clock_ns();
    s->bar = look == NULL ? terminal : strcmp(look, "bar") == 0;
    s->lines = look == NULL ? !terminal : strcmp(look, "lines") == 0;
    catch_signals();
}

int ens_screen_tell(void *arg, const char *phase, uint64_t done, uint64_t all)
{
    struct ens_screen *s = arg;
    uint64_t now = ens_clock_ns();
    uint64_t every = s->bar ? UINT64_C(500000000) : UINT64_C(60000000000);
    char how_far[32];

    is_writing = strncmp(phase, "writing", 7) == 0;
    if (stopped || (!s->bar && !s->lines) || now - s->start_ns < QUIET_NS ||
        (s->told_ns != 0 && now - s->told_ns < every))
        return stopped != 0;
    s->told_ns = now;
    s->drawn = s->bar;
    if (all > 0)
        snprintf(how_far, sizeof(how_far), "%.0f %%",
                 100.0 * (double)done / (double)all);
    else
        snprintf(how_far, sizeof(how_far), "%.0f MB", (double)done / 1e6);
    fprintf(stderr, "%s%s, %s, %.0f s%s",
            s->bar ? "\r\033[K" : "ensrun: ", phase, how_far,
            (double)(now - s->start_ns) / 1e9, s->bar ? "" : "\n");
    fflush(stderr);
    return 0;
}

void ens_screen_group(int32_t pgid)
{
    group = pgid;
    if (stopped && pgid > 0) /* the signal came first */
        kill(-pgid, SIGKILL);
}

void ens_screen_clear(struct ens_screen *s)
{
    if (s->drawn)
        fprintf(stderr, "\r\033[K");
    s->drawn = 0;
}

void ens_screen_raise(void)
{
    if (!stopped)
        return;
    signal(stopped, SIG_DFL);
    raise(stopped);
}
