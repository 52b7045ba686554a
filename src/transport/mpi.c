/* Workers of all ranks of an MPI job, as rank 0 sees them: its own through
 * the fork transport, the others through their supervisors (supervisor.c).
 *
 *   slots of rank 0 | of rank 1 | of rank 2 ...
 */
#include "transport/mpi.h"

#include "base/bug.h"
#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

#define TURN_MESSAGES 64 /* taken per turn of the loop */
#define LATE_NS       1000000000u

static const struct ens_transport_ops *const near_ops = &ens_transport_fork;

static void fail(struct ens_transport *t, const struct ens_error *err)
{
    if (t->broken || t->closing)
        return;
    t->broken = 1;
    t->config.events.broken(t->config.events.arg, err);
}

static void name_rank(const struct ens_transport *t, int rank,
                      struct ens_error *err)
{
    char name[128];

    ens_ranks_name(t->ranks, rank, name, sizeof(name));
    ens_wrap(err, (enum ens_status)err->status, "%s", name);
}

static void fail_rank(struct ens_transport *t, int rank, struct ens_error *err)
{
    name_rank(t, rank, err);
    fail(t, err);
}

/* -- down --------------------------------------------------------------------
 */

/* Of 10,000 ranks few are spoken to in a turn: looking at all of them took
 * half of rank 0's time (benchmarks/load.py). */
struct ens_buf *ens_mpi_down(struct ens_transport *t, int rank)
{
    struct ens_peer *p = &t->peer[rank];

    if (!p->is_waiting)
        t->waiting[t->n_waiting++] = rank;
    p->is_waiting = 1;
    return &p->down;
}

void ens_mpi_flush(struct ens_transport *t, int rank)
{
    struct ens_peer *p = &t->peer[rank];
    struct ens_error err;

    if (p->credits > 0) {
        unsigned char n[4] = {(unsigned char)p->credits,
                              (unsigned char)(p->credits >> 8),
                              (unsigned char)(p->credits >> 16),
                              (unsigned char)(p->credits >> 24)};

        ens_relay_put(&p->down, ENS_RELAY_CREDIT, 0, n, 4);
        p->credits = 0;
    }
    if (p->down.len == 0 && !p->down.failed)
        return;
    p->told_ns = ens_clock_ns();
    if (ens_ranks_send(t->ranks, rank, ENS_WIRE_DATA, &p->down, &err) != ENS_OK)
        fail(t, &err);
    ens_ticker_hurry(&t->ticker); /* an answer will come */
}

static void flush_all(struct ens_transport *t)
{
    for (int i = 0; i < t->n_waiting && !t->closing && !t->broken; i++) {
        t->peer[t->waiting[i]].is_waiting = 0;
        ens_mpi_flush(t, t->waiting[i]);
    }
    t->n_waiting = 0;
}

static void on_prepare(uv_prepare_t *prepare)
{
    flush_all(prepare->data);
}

int ens_mpi_rank_of(const struct ens_transport *t, uint32_t slot)
{
    int lo = 1;
    int hi = t->ranks->size - 1;

    while (lo < hi) {
        int mid = lo + (hi - lo + 1) / 2;

        if (t->peer[mid].first_slot <= slot)
            lo = mid;
        else
            hi = mid - 1;
    }
    return lo;
}

static void put(struct ens_transport *t, uint32_t slot,
                enum ens_relay_type type, const void *p, size_t n)
{
    ens_relay_put(ens_mpi_down(t, ens_mpi_rank_of(t, slot)), type, slot, p, n);
}

/* -- up ----------------------------------------------------------------------
 */

static struct ens_slot *far_slot(struct ens_transport *t, uint32_t slot)
{
    return &t->far[slot - t->n_near];
}

/* The same, with the host: others may well open the study. */
static void take_refusal(struct ens_transport *t, uint32_t slot,
                         const struct ens_frame *f)
{
    struct ens_buf b = ENS_BUF_INIT;
    struct ens_error err;
    struct ens_frame said;

    memcpy(&err, f->payload, sizeof(err));
    err.text[sizeof(err.text) - 1] = '\0';
    name_rank(t, t->inbox.rank, &err);
    ens_frame_write(&b, ENS_FRAME_REFUSED, f->slot, f->incarnation, f->seq,
                    &err, sizeof(err), t->config.run_id);
    if (ens_frame_read(&said, b.data, b.len, t->config.run_id) ==
        ENS_FRAME_GOOD)
        t->config.events.frame(t->config.events.arg, slot, &said, b.data,
                               b.len);
    ens_buf_fini(&b);
}

static void take_frame(struct ens_transport *t,
                       const struct ens_relay_item *item)
{
    struct ens_error err;
    struct ens_frame f;

    if (ens_frame_read(&f, item->body, item->n, t->config.run_id) !=
            ENS_FRAME_GOOD ||
        f.slot != item->slot) {
        ens_fail(&err, ENS_EPROTOCOL, "a damaged frame of worker %u",
                 item->slot);
        fail_rank(t, t->inbox.rank, &err);
        return;
    }
    atomic_store(&far_slot(t, item->slot)->phase, ENS_PHASE_IDLE);
    if (f.type == ENS_FRAME_REFUSED && f.length == sizeof(err)) {
        take_refusal(t, item->slot, &f);
        return;
    }
    t->config.events.frame(t->config.events.arg, item->slot, &f, item->body,
                           f.total_bytes);
}

static void take_death(struct ens_transport *t,
                       const struct ens_relay_item *item)
{
    struct ens_death d;

    if (ens_relay_get_death(&d, item) != 0)
        return;
    atomic_store(&far_slot(t, item->slot)->phase, ENS_PHASE_STARTING);
    if (t->peer[t->inbox.rank].held.len > 0)
        ens_mpi_forget_orders(t, item->slot);
    t->config.events.dead(t->config.events.arg, item->slot, &d);
}

/* Told in this host's clock: over the limit as of now. */
static void take_overdue(struct ens_transport *t,
                         const struct ens_relay_item *item)
{
    struct ens_cursor c = ens_cursor(item->body, item->n);
    struct ens_slot *slot = far_slot(t, item->slot);

    atomic_store(&slot->place, ens_cursor_u64(&c));
    atomic_store(&slot->stage, ens_cursor_u64(&c));
    atomic_store(&slot->start_ns, ens_clock_ns() - t->limit_ns - 1);
    if (!c.bad)
        atomic_store(&slot->phase, ENS_PHASE_RUNNING);
}

static void take_cost(struct ens_transport *t, int rank,
                      const struct ens_relay_item *item)
{
    struct ens_peer *p = &t->peer[rank];
    struct ens_relay_cost cost;

    if (ens_relay_get_cost(&cost, item) != 0)
        return;
    if (cost.pss_bytes == 0)
        cost.pss_bytes = p->cost.pss_bytes;
    p->cost = cost;
    atomic_store(&far_slot(t, p->first_slot)->busy_ns, cost.busy_ns);
}

/* Of a slot of that rank. */
static void take_of_slot(struct ens_transport *t,
                         const struct ens_relay_item *item)
{
    const struct ens_peer *p = &t->peer[t->inbox.rank];

    if (item->slot < p->first_slot || item->slot - p->first_slot >= p->n_slots)
        return;
    if (item->type == ENS_RELAY_FRAME) {
        take_frame(t, item);
    } else if (item->type == ENS_RELAY_DEAD) {
        take_death(t, item);
    } else if (item->type == ENS_RELAY_OVERDUE) {
        take_overdue(t, item);
    } else if (item->type == ENS_RELAY_READY) {
        atomic_store(&far_slot(t, item->slot)->phase, ENS_PHASE_IDLE);
        t->config.events.ready(t->config.events.arg, item->slot);
    }
}

static void take(struct ens_transport *t, const struct ens_relay_item *item)
{
    int rank = t->inbox.rank;
    struct ens_error err;

    if (item->type == ENS_RELAY_COST)
        take_cost(t, rank, item);
    else if (item->type == ENS_RELAY_OPENED)
        ens_mpi_opened(t, rank, item);
    else if (item->type == ENS_RELAY_STORED)
        ens_mpi_stored(t, rank);
    else if (item->type == ENS_RELAY_WANT || item->type == ENS_RELAY_GOT ||
             item->type == ENS_RELAY_STAGED)
        ens_mpi_take_staging(t, rank, item);
    else if (item->type != ENS_RELAY_BROKEN)
        take_of_slot(t, item);
    else if (ens_relay_get_error(&err, item) == 0)
        fail_rank(t, rank, &err);
}

static int may_read(const struct ens_transport *t)
{
    return !t->paused && !t->closing && !t->broken;
}

/* As far as the pause allows; 1 when the message is done with. */
static int read_inbox(struct ens_transport *t)
{
    struct ens_relay_item item;
    size_t n;

    while (may_read(t) &&
           (n = ens_relay_read(&item, t->inbox.data + t->inbox_at,
                               t->inbox.n - t->inbox_at)) > 0) {
        t->inbox_at += n;
        take(t, &item);
    }
    if (!may_read(t))
        return 0;
    free(t->inbox.data);
    t->inbox.data = NULL;
    ens_mpi_down(t, t->inbox.rank);
    t->peer[t->inbox.rank].credits++;
    return 1;
}

/* 1 = a message, 0 = none, -1 = broken. */
static int receive(struct ens_transport *t, enum ens_wire_tag tag,
                   struct ens_wire_message *m)
{
    struct ens_error err;
    int k = ens_ranks_receive(t->ranks, tag, m, &err);

    if (k < 0)
        fail(t, &err);
    if (k > 0 && (m->rank < 1 || m->rank >= t->ranks->size)) {
        free(m->data);
        m->data = NULL;
        return 0;
    }
    if (k > 0)
        t->peer[m->rank].heard_ns = ens_clock_ns();
    return k;
}

static void read_beats(struct ens_transport *t)
{
    struct ens_wire_message m;
    struct ens_relay_item item;

    while (!t->closing && !t->broken && receive(t, ENS_WIRE_BEAT, &m) > 0) {
        if (ens_relay_read(&item, m.data, m.n) == m.n &&
            item.type == ENS_RELAY_COST)
            take_cost(t, m.rank, &item);
        free(m.data);
    }
}

static int on_tick(void *arg)
{
    struct ens_transport *t = arg;
    int n = 0;

    if (t->later.status != ENS_OK)
        fail(t, &t->later);
    while (may_read(t) && n < TURN_MESSAGES) {
        if (t->inbox.data == NULL) {
            if (receive(t, ENS_WIRE_DATA, &t->inbox) <= 0)
                break;
            t->inbox_at = 0;
        }
        n++;
        if (!read_inbox(t))
            break;
    }
    return n > 0;
}

/* -- time ---------------------------------------------------------------------
 */

static void check_rank(struct ens_transport *t, int rank, uint64_t now)
{
    struct ens_peer *p = &t->peer[rank];
    struct ens_error err;

    if ((double)(now - p->told_ns) > t->beat_s * 1e9)
        ens_relay_put(ens_mpi_down(t, rank), ENS_RELAY_PING, 0, NULL, 0);
    if (!p->has_opened || now < p->heard_ns ||
        (double)(now - p->heard_ns) < t->config.dead_man_s * 1e9)
        return;
    t->ranks->lost = 1;
    ens_fail(&err, ENS_EPROCESS, "no word for %g s ([run] dead_man)",
             t->config.dead_man_s);
    fail_rank(t, rank, &err);
}

static void on_timer(uv_timer_t *timer)
{
    struct ens_transport *t = timer->data;
    uint64_t now = ens_clock_ns();
    uint64_t late = now - t->timer_ns;

    t->timer_ns = now;
    read_beats(t);
    for (int i = 1; i < t->ranks->size && !t->broken && !t->closing; i++) {
        if (late > LATE_NS)
            t->peer[i].heard_ns += late; /* the silence was ours */
        check_rank(t, i, now);
    }
}

/* -- the interface ------------------------------------------------------------
 */

static void mpi_start(struct ens_transport *t, uint32_t slot)
{
    if (slot < t->n_near) {
        near_ops->start(t->near, slot);
        return;
    }
    atomic_store(&far_slot(t, slot)->phase, ENS_PHASE_STARTING);
    put(t, slot, ENS_RELAY_START, NULL, 0);
}

static void mpi_order(struct ens_transport *t, uint32_t slot, const void *p,
                      size_t n)
{
    if (slot < t->n_near)
        near_ops->order(t->near, slot, p, n);
    else
        ens_mpi_order_far(t, slot, p, n);
}

static void mpi_kill(struct ens_transport *t, uint32_t slot)
{
    if (slot < t->n_near)
        near_ops->kill(t->near, slot);
    else
        put(t, slot, ENS_RELAY_KILL, NULL, 0);
}

static void mpi_pause(struct ens_transport *t, int on)
{
    if (t->closing)
        return;
    t->paused = on;
    near_ops->pause(t->near, on);
    if (!on)
        ens_ticker_hurry(&t->ticker);
}

static const struct ens_slot *mpi_slot(const struct ens_transport *t,
                                       uint32_t slot)
{
    return slot < t->n_near ? near_ops->slot(t->near, slot)
                            : &t->far[slot - t->n_near];
}

static size_t mpi_pids(const struct ens_transport *t, int32_t *pid, size_t max)
{
    return near_ops->pids(t->near, pid, max);
}

static void mpi_others(const struct ens_transport *t, uint64_t *cpu_ns,
                       uint64_t *pss_bytes, uint64_t *worker_bytes)
{
    *cpu_ns = *pss_bytes = *worker_bytes = 0;
    for (int i = 1; i < t->ranks->size; i++) {
        *cpu_ns += t->peer[i].cost.cpu_ns;
        *pss_bytes += t->peer[i].cost.pss_bytes;
        if (t->peer[i].cost.worker_bytes > *worker_bytes)
            *worker_bytes = t->peer[i].cost.worker_bytes;
    }
}

static void mpi_staged(const struct ens_transport *t, uint64_t *done_bytes,
                       uint64_t *all_bytes)
{
    near_ops->staged(t->near, done_bytes, all_bytes);
    *all_bytes *= 1 + t->n_copies;
    for (int i = 1; i < t->ranks->size; i++)
        *done_bytes += t->peer[i].staged_bytes;
}

static void free_transport(struct ens_transport *t)
{
    for (int i = 1; t->peer != NULL && i < t->ranks->size; i++) {
        ens_buf_fini(&t->peer[i].down);
        ens_buf_fini(&t->peer[i].held);
        ens_mirror_fini(&t->peer[i].mirror);
        ens_hasher_free(t->peer[i].hasher);
    }
    free(t->inbox.data);
    free(t->part);
    free(t->file);
    free(t->peer);
    free(t->waiting);
    free(t->far);
    free(t);
}

static void release(struct ens_transport *t)
{
    if (--t->n_handles == 0)
        free_transport(t);
}

static void released(uv_handle_t *h)
{
    release(h->data);
}

static void ticker_released(uv_handle_t *h)
{
    release(((struct ens_ticker *)h->data)->arg);
}

static void mpi_close(struct ens_transport *t)
{
    if (t == NULL || t->closing)
        return;
    t->closing = 1;
    if (t->near != NULL)
        near_ops->close(t->near);
    ens_ranks_end(t->ranks);
    ens_ticker_close(&t->ticker, ticker_released);
    uv_close((uv_handle_t *)&t->prepare, released);
    uv_close((uv_handle_t *)&t->timer, released);
}

/* -- opening ------------------------------------------------------------------
 */

static enum ens_status make_peers(struct ens_transport *t,
                                  struct ens_error *err)
{
    const struct ens_ranks *r = t->ranks;
    uint32_t slot = r->n_slots[0];

    t->n_near = slot;
    t->peer = calloc((size_t)r->size, sizeof(*t->peer));
    t->waiting = calloc((size_t)r->size, sizeof(*t->waiting));
    t->far = calloc(t->config.n_slots - t->n_near + 1, sizeof(*t->far));
    if (t->peer == NULL || t->waiting == NULL || t->far == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    for (int i = 1; i < r->size; i++) {
        t->peer[i].first_slot = slot;
        t->peer[i].n_slots = r->n_slots[i];
        slot += r->n_slots[i];
    }
    ENS_BUG_ON(slot != t->config.n_slots);
    return ENS_OK;
}

static enum ens_status open_near(struct ens_transport *t, struct ens_error *err)
{
    struct ens_transport_config c = t->config;

    c.n_slots = t->n_near;
    return near_ops->open(&t->near, &c, err);
}

static enum ens_status open_handles(struct ens_transport *t,
                                    struct ens_error *err)
{
    enum ens_status s =
        ens_ticker_open(&t->ticker, t->config.loop, on_tick, t, err);

    if (s != ENS_OK)
        return s;
    uv_prepare_init(t->config.loop, &t->prepare);
    uv_timer_init(t->config.loop, &t->timer);
    t->prepare.data = t;
    t->timer.data = t;
    t->n_handles = 3;
    t->timer_ns = ens_clock_ns();
    uv_prepare_start(&t->prepare, on_prepare);
    uv_timer_start(&t->timer, on_timer, 100, 100);
    return ENS_OK;
}

static enum ens_status mpi_open(struct ens_transport **out,
                                const struct ens_transport_config *config,
                                struct ens_error *err)
{
    struct ens_transport *t;
    enum ens_status s;

    t = config->ranks == NULL ? NULL : calloc(1, sizeof(*t));
    if (t == NULL) {
        ens_stager_close(config->stager);
        return config->ranks == NULL
                   ? ens_fail(err, ENS_EUSAGE, "transport mpi needs ranks")
                   : ens_fail(err, ENS_ENOMEMORY, "out of memory");
    }
    t->config = *config;
    t->ranks = config->ranks;
    t->limit_ns = (uint64_t)(config->timeout_s * 1e9);
    t->beat_s = config->heartbeat_s < config->dead_man_s / 4
                    ? config->heartbeat_s
                    : config->dead_man_s / 4;
    s = make_peers(t, err);
    if (s == ENS_OK)
        s = ens_mpi_set_up(t, err);
    if (s == ENS_OK)
        s = open_handles(t, err);
    if (s != ENS_OK) {
        ens_stager_close(config->stager);
        free_transport(t);
        return s;
    }
    s = open_near(t, err);
    if (s != ENS_OK)
        mpi_close(t);
    else
        *out = t;
    return s;
}

const struct ens_transport_ops ens_transport_mpi = {
    .name = "mpi",
    .help = "workers of all ranks of an MPI job",
    .open = mpi_open,
    .start = mpi_start,
    .order = mpi_order,
    .kill = mpi_kill,
    .pause = mpi_pause,
    .slot = mpi_slot,
    .pids = mpi_pids,
    .others = mpi_others,
    .staged = mpi_staged,
    .close = mpi_close,
};
