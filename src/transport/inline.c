/* Workers in the coordinator itself: for tests and debuggers. No isolation,
 * no time-outs, no limits; `kill` cannot be done. */
#include "transport/transport.h"

#include "base/buf.h"
#include "base/clock.h"
#include "worker/order.h"
#include "worker/worker.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A turn of the loop runs tasks for this long, at least one. */
#define SLICE_NS 5000000u

struct inline_slot {
    struct ens_transport *t;
    struct ens_slot shared;
    uint32_t index;
    uint32_t incarnation;
    int wanted; /* start was called */
    struct ens_worker *worker;
    struct ens_buf orders;
    size_t at; /* first order not followed */
    struct ens_buf body;
    uint64_t place, end; /* what is left of the range in hand */
};

struct ens_transport {
    struct ens_transport_config config;
    struct inline_slot *slot;
    uv_idle_t idle;
    int paused, closing;
    int inside; /* in the idle callback */
};

static void free_transport(uv_handle_t *h)
{
    struct ens_transport *t = h->data;

    free(t->slot);
    free(t);
}

static void fini_slot(struct inline_slot *s)
{
    ens_worker_close(s->worker);
    s->worker = NULL;
    ens_buf_fini(&s->orders);
    ens_buf_fini(&s->body);
    s->at = 0;
    s->place = s->end = 0;
}

static void tear_down(struct ens_transport *t)
{
    for (uint32_t i = 0; i < t->config.n_slots; i++)
        fini_slot(&t->slot[i]);
    uv_close((uv_handle_t *)&t->idle, free_transport);
}

/* Frames are checked as if they had come through a socket. */
static enum ens_status take_frames(void *arg, const void *frames, size_t n)
{
    struct inline_slot *s = arg;
    struct ens_transport *t = s->t;
    const unsigned char *p = frames;
    struct ens_frame f;

    while (n > 0 && !t->closing) {
        if (ens_frame_read(&f, p, n, t->config.run_id) != ENS_FRAME_GOOD)
            return ENS_EPROTOCOL;
        t->config.events.frame(t->config.events.arg, s->index, &f, p,
                               f.total_bytes);
        p += f.total_bytes;
        n -= f.total_bytes;
    }
    return t->closing ? ENS_ESTOPPED : ENS_OK;
}

static int is_waiting(void *arg)
{
    const struct inline_slot *s = arg;

    return s->at < s->orders.len;
}

static void bury(struct inline_slot *s, enum ens_status status, int asked)
{
    struct ens_transport *t = s->t;
    struct ens_death d = {
        .incarnation = s->incarnation,
        .wait_status = ens_status_exit(status) << 8,
        .phase = (enum ens_phase)atomic_load(&s->shared.phase),
        .place = atomic_load(&s->shared.place),
        .stage = atomic_load(&s->shared.stage),
        .asked = asked,
    };

    fini_slot(s);
    if (!t->closing)
        t->config.events.dead(t->config.events.arg, s->index, &d);
}

static void refuse(struct inline_slot *s, const struct ens_error *err)
{
    struct ens_buf b = ENS_BUF_INIT;

    ens_frame_write(&b, ENS_FRAME_REFUSED, (uint16_t)s->index, s->incarnation,
                    0, err, sizeof(*err), s->t->config.run_id);
    if (!b.failed)
        take_frames(s, b.data, b.len);
    ens_buf_fini(&b);
}

static void open_slot(struct inline_slot *s)
{
    struct ens_transport *t = s->t;
    struct ens_worker_config c = {
        .plan = t->config.plan,
        .dir = t->config.dir,
        .epoch = t->config.epoch,
        .run_id = t->config.run_id,
        .slot = (uint16_t)s->index,
        .shared = &s->shared,
        .send = take_frames,
        .waiting = is_waiting,
        .arg = s,
    };
    struct ens_error err;
    enum ens_status status;

    s->wanted = 0;
    c.incarnation = ++s->incarnation;
    memset(&err, 0, sizeof(err));
    atomic_store(&s->shared.incarnation, s->incarnation);
    atomic_store(&s->shared.pid, (int32_t)getpid());
    atomic_store(&s->shared.n_tasks, 0);
    status = ens_worker_open(&s->worker, &c, &err);
    if (status == ENS_OK) {
        t->config.events.ready(t->config.events.arg, s->index);
        return;
    }
    refuse(s, &err);
    bury(s, status, 0);
}

/* The order at s->at, with its body moved out of the way of new orders. */
static enum ens_status follow_order(struct inline_slot *s, int *stop)
{
    struct ens_order o;
    size_t n =
        ens_order_read(&o, s->orders.data + s->at, s->orders.len - s->at);

    if (n == 0)
        return ENS_EPROTOCOL;
    ens_buf_clear(&s->body);
    ens_buf_put(&s->body, s->orders.data + s->at + ENS_ORDER_BYTES,
                n - ENS_ORDER_BYTES);
    if (s->body.failed)
        return ENS_ENOMEMORY;
    s->at += n;
    if (s->at == s->orders.len) {
        ens_buf_clear(&s->orders);
        s->at = 0;
    }
    *stop = o.type == ENS_ORDER_STOP;
    if (o.type == ENS_ORDER_RANGE && o.n > 0 && o.charged == 0) {
        s->place = o.first;
        s->end = o.first + o.n;
        ens_worker_more(s->worker, is_waiting(s));
        return ENS_OK;
    }
    return ens_worker_order(s->worker, &o, s->body.data, NULL);
}

static enum ens_status run_tasks(struct inline_slot *s, uint64_t until_ns)
{
    enum ens_status status = ENS_OK;

    do
        status = ens_worker_task(s->worker, s->place++, NULL);
    while (status == ENS_OK && s->place < s->end && !s->t->paused &&
           !s->t->closing && ens_clock_ns() < until_ns);
    if (status == ENS_OK && s->place == s->end)
        status = ens_worker_flush(s->worker);
    return status;
}

static void work(struct inline_slot *s)
{
    uint64_t until = ens_clock_ns() + SLICE_NS;
    enum ens_status status = ENS_OK;
    int stop = 0;

    while (status == ENS_OK && !stop && !s->t->closing && !s->t->paused &&
           ens_clock_ns() < until) {
        if (s->place < s->end)
            status = run_tasks(s, until);
        else if (s->at < s->orders.len)
            status = follow_order(s, &stop);
        else
            break;
    }
    if (status != ENS_OK || stop)
        bury(s, status, stop);
}

static int has_work(const struct inline_slot *s)
{
    return s->wanted ||
           (s->worker != NULL && (s->place < s->end || s->at < s->orders.len));
}

static void wake(struct ens_transport *t);

static void on_idle(uv_idle_t *idle)
{
    struct ens_transport *t = idle->data;
    int busy = 0;

    t->inside = 1;
    for (uint32_t i = 0; i < t->config.n_slots; i++) {
        struct inline_slot *s = &t->slot[i];

        if (t->closing || t->paused)
            break;
        if (s->wanted)
            open_slot(s);
        else if (s->worker != NULL)
            work(s);
    }
    for (uint32_t i = 0; i < t->config.n_slots; i++)
        busy |= has_work(&t->slot[i]);
    t->inside = 0;
    if (t->closing)
        tear_down(t);
    else if (!busy || t->paused)
        uv_idle_stop(idle);
}

static void wake(struct ens_transport *t)
{
    if (!t->paused && !t->closing)
        uv_idle_start(&t->idle, on_idle);
}

/* -- the interface -----------------------------------------------------------
 */

static enum ens_status inline_open(struct ens_transport **out,
                                   const struct ens_transport_config *config,
                                   struct ens_error *err)
{
    struct ens_transport *t = calloc(1, sizeof(*t));

    if (t == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    t->config = *config;
    t->slot = calloc(config->n_slots, sizeof(*t->slot));
    if (t->slot == NULL) {
        free(t);
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    }
    for (uint32_t i = 0; i < config->n_slots; i++) {
        t->slot[i].t = t;
        t->slot[i].index = i;
    }
    uv_idle_init(config->loop, &t->idle);
    t->idle.data = t;
    *out = t;
    return ENS_OK;
}

static void inline_start(struct ens_transport *t, uint32_t slot)
{
    t->slot[slot].wanted = 1;
    wake(t);
}

static void inline_order(struct ens_transport *t, uint32_t slot, const void *p,
                         size_t n)
{
    if (t->slot[slot].worker == NULL)
        return; /* it has died: so do its orders */
    ens_buf_put(&t->slot[slot].orders, p, n);
    wake(t);
}

static void inline_kill(struct ens_transport *t, uint32_t slot)
{
    (void)t;
    (void)slot;
}

static void inline_pause(struct ens_transport *t, int on)
{
    t->paused = on;
    if (on && !t->closing)
        uv_idle_stop(&t->idle);
    wake(t);
}

static const struct ens_slot *inline_slot(const struct ens_transport *t,
                                          uint32_t slot)
{
    return &t->slot[slot].shared;
}

static size_t inline_pids(const struct ens_transport *t, int32_t *pid,
                          size_t max)
{
    (void)t;
    if (max == 0)
        return 0;
    pid[0] = (int32_t)getpid();
    return 1;
}

static void inline_close(struct ens_transport *t)
{
    if (t == NULL || t->closing)
        return;
    t->closing = 1;
    if (!t->inside)
        tear_down(t);
}

const struct ens_transport_ops ens_transport_inline = {
    .name = "inline",
    .help = "in this process, for tests and debuggers",
    .open = inline_open,
    .start = inline_start,
    .order = inline_order,
    .kill = inline_kill,
    .pause = inline_pause,
    .slot = inline_slot,
    .pids = inline_pids,
    .close = inline_close,
};
