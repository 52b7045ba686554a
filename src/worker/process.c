#include "worker/process.h"

#include "record/frame.h"
#include "worker/limits.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_BYTES 65536

struct line { /* the socket, and orders read from it but not yet followed */
    int fd;
    struct ens_buf in;
    size_t at; /* first byte not followed */
};

static enum ens_status send_frames(void *arg, const void *frames, size_t n)
{
    struct line *l = arg;
    const unsigned char *p = frames;

    while (n > 0) {
        ssize_t k = send(l->fd, p, n, MSG_NOSIGNAL);

        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return ENS_ESTOPPED; /* the supervisor is gone */
        p += k;
        n -= (size_t)k;
    }
    return ENS_OK;
}

/* Read what is there; 1 when something came, 0 when nothing (flags), -1 at
 * the end. */
static int fill(struct line *l, int flags)
{
    void *to = ens_buf_reserve(&l->in, READ_BYTES);
    ssize_t k;

    if (to == NULL)
        return -1;
    do
        k = recv(l->fd, to, READ_BYTES, flags);
    while (k < 0 && errno == EINTR);
    if (k < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return 0;
    if (k <= 0)
        return -1;
    l->in.len += (size_t)k;
    return 1;
}

/* Asked while a range runs: a range has no body, so the buffer may move. */
static int is_waiting(void *arg)
{
    struct line *l = arg;

    return l->at < l->in.len || fill(l, MSG_DONTWAIT) == 1;
}

static void compact(struct line *l)
{
    if (l->at == 0)
        return;
    memmove(l->in.data, l->in.data + l->at, l->in.len - l->at);
    l->in.len -= l->at;
    l->at = 0;
}

/* Follow all whole orders that are there; 1 = go on. */
static int follow_all(struct line *l, struct ens_worker *w, enum ens_status *s)
{
    struct ens_order o;
    size_t n;

    while ((n = ens_order_read(&o, l->in.data + l->at, l->in.len - l->at)) >
           0) {
        const unsigned char *body = l->in.data + l->at + ENS_ORDER_BYTES;

        if (ens_order_body_bytes(&o) == 0)
            l->at += n;
        ens_worker_more(w, l->at < l->in.len);
        *s = ens_worker_order(w, &o, body, NULL);
        if (ens_order_body_bytes(&o) > 0)
            l->at += n;
        if (*s != ENS_OK || o.type == ENS_ORDER_STOP)
            return 0;
    }
    return 1;
}

static enum ens_status serve(struct line *l, struct ens_worker *w)
{
    enum ens_status s = ENS_OK;

    do {
        compact(l);
        if (fill(l, 0) < 0)
            return ENS_OK;
    } while (follow_all(l, w, &s));
    return s == ENS_ESTOPPED ? ENS_OK : s;
}

static enum ens_status say(struct line *l, const struct ens_worker_config *c,
                           enum ens_frame_type type, const void *p, size_t n)
{
    struct ens_buf b = ENS_BUF_INIT;
    enum ens_status s = ENS_ENOMEMORY;

    /* The worker object counts its own frames from 0. */
    ens_frame_write(&b, type, c->slot, c->incarnation, UINT64_MAX, p, n,
                    c->run_id);
    if (!b.failed)
        s = send_frames(l, b.data, b.len);
    ens_buf_fini(&b);
    return s;
}

int ens_worker_process(const struct ens_worker_config *config, int socket)
{
    struct line l = {.fd = socket, .in = ENS_BUF_INIT};
    struct ens_worker_config c = *config;
    struct ens_worker *w;
    struct ens_error err;
    enum ens_status s;

    ens_limit_oom_first();
    memset(&err, 0, sizeof(err));
    c.send = send_frames;
    c.waiting = is_waiting;
    c.arg = &l;
    if (ens_buf_reserve(&l.in, 4 * READ_BYTES) == NULL)
        return ens_status_exit(ENS_ENOMEMORY);
    s = ens_worker_open(&w, &c, &err);
    if (s != ENS_OK) {
        say(&l, &c, ENS_FRAME_REFUSED, &err, sizeof(err));
        return ens_status_exit(s);
    }
    s = say(&l, &c, ENS_FRAME_READY, NULL, 0);
    if (s == ENS_OK)
        s = serve(&l, w);
    ens_worker_close(w);
    ens_buf_fini(&l.in);
    return s == ENS_ESTOPPED ? 0 : ens_status_exit(s);
}
