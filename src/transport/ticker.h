/* A timer that comes often while something happens and rarely when nothing
 * does: 20 us, times four up to 2 ms. libuv's own timers know only whole
 * milliseconds, and MPI has no descriptor to wait on.
 *
 * Measured (2 busy cores): a tick with its two MPI_Improbe costs about 10 us,
 * so an idle rank takes 0.5 % of a core; growing by four instead of two saves
 * an eighth of the supervisors' time under 1 ms tasks and finds an answer at
 * most four times as late as it came.
 */
#ifndef ENS_TRANSPORT_TICKER_H
#define ENS_TRANSPORT_TICKER_H

#include <ensrun/error.h>
#include <uv.h>

struct ens_ticker {
    uv_poll_t poll;
    int fd;
    uint64_t interval_ns;
    int (*tick)(void *arg); /* 1: something happened */
    void *arg;
};

/** Armed at once. Owned: ens_ticker_close, also before it may be freed. */
enum ens_status ens_ticker_open(struct ens_ticker *t, uv_loop_t *loop,
                                int (*tick)(void *arg), void *arg,
                                struct ens_error *err);
/** Something will come soon: back to the shortest interval. */
void ens_ticker_hurry(struct ens_ticker *t);
/** closed is called when its memory may go. */
void ens_ticker_close(struct ens_ticker *t, uv_close_cb closed);

#endif
