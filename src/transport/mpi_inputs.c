/* Inputs for hosts that do not see rank 0's files: to the one rank of a host
 * that copies inputs, in parts. What waits in memory is bounded, whatever the
 * size of a file and the number of hosts. */
#include "base/file.h"
#include "transport/mpi.h"

#include <stdio.h>
#include <stdlib.h>

/* 32 MiB in all. A part of 256 KiB over TCP on one machine takes 0.3 ms. */
#define PART_BYTES    ((size_t)256 * 1024)
#define PARTS_ON_WAY  16
#define RANKS_AT_ONCE 8

static void serve_next(struct ens_transport *t);

static void fail_serving(struct ens_transport *t, int rank, size_t input)
{
    const struct ens_mapped *m = &t->config.plan->inputs->item[input];

    ens_fail_errno(&t->later, ENS_EIO,
                   "input %s: cannot read %s at byte %llu to send it to rank "
                   "%d on %s",
                   m->input.name, m->source,
                   (unsigned long long)t->peer[rank].offset, rank,
                   t->ranks->hello[rank].host);
}

/* -1 with errno. */
static int send_part(struct ens_transport *t, int rank)
{
    struct ens_peer *p = &t->peer[rank];
    struct ens_staged_part part = {
        .input = (uint32_t)p->input, .offset = p->offset, .data = t->part};
    int64_t n = ens_read_at(t->config.plan->inputs->item[p->input].fd, t->part,
                            PART_BYTES, p->offset);

    if (n < 0)
        return -1;
    part.n = (size_t)n;
    ens_hasher_put(p->hasher, t->part, part.n);
    part.is_last = n == 0;
    if (part.is_last)
        part.hash = ens_hasher_end(p->hasher);
    p->wants = !part.is_last;
    p->offset += part.n;
    p->n_on_way++;
    ens_relay_put_part(ens_mpi_down(t, rank), &part);
    ens_mpi_flush(t, rank);
    return 0;
}

static void pump(struct ens_transport *t, int rank)
{
    struct ens_peer *p = &t->peer[rank];

    while (p->wants && p->n_on_way < PARTS_ON_WAY && !t->broken) {
        if (send_part(t, rank) == 0)
            continue;
        fail_serving(t, rank, p->input);
        p->wants = 0;
    }
    if (p->wants || p->n_on_way > 0)
        return;
    ens_hasher_free(p->hasher);
    p->hasher = NULL;
    t->n_served--;
    serve_next(t);
}

static void serve(struct ens_transport *t, int rank)
{
    struct ens_peer *p = &t->peer[rank];

    if (t->part == NULL)
        t->part = malloc(PART_BYTES);
    p->hasher = ens_hasher_new();
    if (t->part == NULL || p->hasher == NULL) {
        ens_fail(&t->later, ENS_ENOMEMORY, "out of memory");
        p->wants = 0;
        return;
    }
    ens_hasher_begin(p->hasher);
    t->n_served++;
    pump(t, rank);
}

static void serve_next(struct ens_transport *t)
{
    for (int i = 1; i < t->ranks->size && t->n_served < RANKS_AT_ONCE; i++)
        if (t->peer[i].wants && t->peer[i].hasher == NULL)
            serve(t, i);
}

void ens_mpi_take_staging(struct ens_transport *t, int rank,
                          const struct ens_relay_item *item)
{
    const struct ens_inputs *in = t->config.plan->inputs;
    struct ens_peer *p = &t->peer[rank];
    uint64_t value = 0;

    if (item->type == ENS_RELAY_GOT) {
        p->n_on_way -= p->n_on_way > 0;
        if (p->hasher != NULL)
            pump(t, rank);
        return;
    }
    if (ens_relay_get_u64(&value, item) != 0)
        return;
    if (item->type == ENS_RELAY_STAGED) {
        p->staged_bytes = value;
    } else if (in != NULL && value < in->n && !p->wants && p->hasher == NULL) {
        p->wants = 1;
        p->input = value;
        p->offset = 0;
        serve_next(t);
    }
}
