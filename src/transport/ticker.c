#include "transport/ticker.h"

#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define SHORTEST_NS 20000u
#define LONGEST_NS  2000000u

static void arm(struct ens_ticker *t, uint64_t interval_ns)
{
    struct itimerspec every;

    memset(&every, 0, sizeof(every));
    every.it_value.tv_nsec = (long)interval_ns;
    every.it_interval.tv_nsec = (long)interval_ns;
    t->interval_ns = interval_ns;
    timerfd_settime(t->fd, 0, &every, NULL);
}

static void on_timer(uv_poll_t *poll, int status, int events)
{
    struct ens_ticker *t = poll->data;
    uint64_t n;

    (void)status;
    (void)events;
    if (read(t->fd, &n, sizeof(n)) < 0)
        return;
    if (t->tick(t->arg))
        ens_ticker_hurry(t);
    else if (t->interval_ns < LONGEST_NS && !uv_is_closing((void *)poll))
        arm(t,
            2 * t->interval_ns < LONGEST_NS ? 2 * t->interval_ns : LONGEST_NS);
}

enum ens_status ens_ticker_open(struct ens_ticker *t, uv_loop_t *loop,
                                int (*tick)(void *arg), void *arg,
                                struct ens_error *err)
{
    t->tick = tick;
    t->arg = arg;
    t->fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (t->fd < 0)
        return ens_fail_errno(err, ENS_EPROCESS, "cannot make a timer");
    uv_poll_init(loop, &t->poll, t->fd);
    t->poll.data = t;
    arm(t, SHORTEST_NS);
    uv_poll_start(&t->poll, UV_READABLE, on_timer);
    return ENS_OK;
}

void ens_ticker_hurry(struct ens_ticker *t)
{
    if (t->interval_ns != SHORTEST_NS && !uv_is_closing((void *)&t->poll))
        arm(t, SHORTEST_NS);
}

void ens_ticker_close(struct ens_ticker *t, uv_close_cb closed)
{
    uv_poll_stop(&t->poll);
    uv_close((uv_handle_t *)&t->poll, closed);
    close(t->fd);
}
