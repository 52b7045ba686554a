/* Files of the results folder for hosts that do not see it: to one rank of
 * each host, and the orders of all its ranks wait until they are there. */
#include "transport/mpi.h"
#include "worker/order.h"

#include <string.h>

#define FILE_MESSAGES 16 /* parts of files on their way to a rank */

static void end_mirror(struct ens_transport *t, int leader)
{
    struct ens_peer *l = &t->peer[leader];

    l->mirroring = 0;
    ens_mirror_fini(&l->mirror);
    for (int i = 1; i < t->ranks->size; i++) {
        struct ens_peer *p = &t->peer[i];

        if (!p->is_far || p->leader != leader)
            continue;
        ens_buf_put(ens_mpi_down(t, i), p->held.data, p->held.len);
        p->down.failed |= p->held.failed;
        ens_buf_clear(&p->held);
    }
}

static void pump_mirror(struct ens_transport *t, int leader)
{
    struct ens_peer *l = &t->peer[leader];
    struct ens_error err;
    int more = 1;

    while (l->mirroring && more && l->n_parts < FILE_MESSAGES) {
        if (ens_mirror_next(&l->mirror, ens_mpi_down(t, leader), &more, &err) !=
            ENS_OK) {
            end_mirror(t, leader);
            t->later = err; /* this may be inside of a call */
            return;
        }
        l->n_parts += (uint32_t)more;
        if (l->down.len >= ENS_RELAY_BYTES)
            ens_mpi_flush(t, leader);
    }
    if (l->mirroring && !more && l->n_parts == 0)
        end_mirror(t, leader);
}

static void begin_mirror(struct ens_transport *t, int leader,
                         const struct ens_stage *stage)
{
    struct ens_peer *l = &t->peer[leader];

    if (l->mirrored == stage->id)
        return;
    ens_mirror_fini(&l->mirror);
    if (ens_mirror_init(&l->mirror, t->config.plan, t->config.dir, stage,
                        &t->later) != ENS_OK)
        return;
    ens_relay_put(ens_mpi_down(t, leader), ENS_RELAY_FORGET, 0, NULL, 0);
    l->mirrored = stage->id;
    l->mirroring = 1;
    pump_mirror(t, leader);
}

/* Orders that name a new stage: do its tasks read files? */
static void look_at_orders(struct ens_transport *t, int leader, const void *p,
                           size_t n)
{
    const unsigned char *at = p;
    struct ens_order_stage body;
    struct ens_order o;
    size_t k;

    while ((k = ens_order_read(&o, at, n)) > 0) {
        if (o.type == ENS_ORDER_STAGE &&
            ens_order_read_stage(&body, at + ENS_ORDER_BYTES, o.n, NULL) ==
                ENS_OK) {
            if (ens_mirror_is_needed(&body.stage))
                begin_mirror(t, leader, &body.stage);
            ens_stage_fini(&body.stage);
        }
        at += k;
        n -= k;
    }
}

void ens_mpi_order_far(struct ens_transport *t, uint32_t slot, const void *p,
                       size_t n)
{
    int rank = ens_mpi_rank_of(t, slot);
    struct ens_peer *peer = &t->peer[rank];

    if (peer->is_far)
        look_at_orders(t, peer->leader, p, n);
    ens_relay_put(peer->is_far && t->peer[peer->leader].mirroring
                      ? &peer->held
                      : ens_mpi_down(t, rank),
                  ENS_RELAY_ORDER, slot, p, n);
}

/* Which rank of its host gets the files: the first that came. */
void ens_mpi_opened(struct ens_transport *t, int rank,
                    const struct ens_relay_item *item)
{
    struct ens_peer *p = &t->peer[rank];

    if (p->has_opened || ens_relay_get_opened(&p->opened, item) != 0)
        return;
    p->has_opened = 1;
    p->is_far = p->opened.far != 0;
    p->leader = rank;
    for (int i = 1; i < t->ranks->size && p->is_far; i++) {
        const struct ens_peer *q = &t->peer[i];

        if (i != rank && q->is_far && q->leader == i &&
            q->opened.dev == p->opened.dev && q->opened.ino == p->opened.ino &&
            strcmp(t->ranks->hello[i].host, t->ranks->hello[rank].host) == 0 &&
            strcmp(t->ranks->hello[i].boot, t->ranks->hello[rank].boot) == 0)
            p->leader = i;
    }
}

void ens_mpi_forget_orders(struct ens_transport *t, uint32_t slot)
{
    struct ens_buf *held = &t->peer[ens_mpi_rank_of(t, slot)].held;
    struct ens_buf kept = ENS_BUF_INIT;
    struct ens_relay_item item;
    size_t at = 0;
    size_t n;

    while ((n = ens_relay_read(&item, held->data + at, held->len - at)) > 0) {
        if (item.slot != slot)
            ens_buf_put(&kept, held->data + at, n);
        at += n;
    }
    kept.failed |= held->failed;
    ens_buf_fini(held);
    *held = kept;
}

void ens_mpi_stored(struct ens_transport *t, int rank)
{
    struct ens_peer *p = &t->peer[rank];

    if (p->n_parts > 0)
        p->n_parts--;
    pump_mirror(t, rank);
}
