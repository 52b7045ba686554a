/* Inputs for hosts that do not see rank 0's files: to the one rank of a host
 * that copies inputs, in parts. What waits in memory is bounded, whatever the
 * size of a file and the number of hosts. */
#include "base/file.h"
#include "transport/mpi.h"

#include <stdlib.h>

/* 32 MiB in all. 2 GiB to each of two hosts took 9 s (namespaces, TCP, 2 busy
 * cores), rank 0 had 14 MiB of its own meanwhile. */
#define PART_BYTES    ((size_t)256 * 1024)
#define PARTS_ON_WAY  16
#define RANKS_AT_ONCE 8

static void serve_next(struct ens_transport *t);

/* What the receiver was told of in the first place, and then an empty part. */
static enum ens_status send_part(struct ens_transport *t, int rank,
                                 struct ens_error *err)
{
    struct ens_peer *p = &t->peer[rank];
    const struct ens_mapped *m = &t->config.plan->inputs->item[p->input];
    uint64_t left = t->file[p->input].bytes - p->offset;
    struct ens_staged_part part = {.input = (uint32_t)p->input,
                                   .is_last = left == 0,
                                   .offset = p->offset,
                                   .data = t->part,
                                   .n = left < PART_BYTES ? left : PART_BYTES};

    if (ens_read_all(m->fd, t->part, part.n, part.offset) != 0)
        return ens_staged_fail_read(m, t->file[p->input].bytes, err);
    ens_hasher_put(p->hasher, t->part, part.n);
    if (part.is_last)
        part.hash = ens_hasher_end(p->hasher);
    p->wants = !part.is_last;
    p->offset += part.n;
    p->n_on_way++;
    ens_relay_put_part(ens_mpi_down(t, rank), &part);
    ens_mpi_flush(t, rank);
    return ENS_OK;
}

static void pump(struct ens_transport *t, int rank)
{
    struct ens_peer *p = &t->peer[rank];

    while (p->wants && p->n_on_way < PARTS_ON_WAY && !t->broken)
        if (send_part(t, rank, &t->later) != ENS_OK)
            p->wants = 0;
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
