/* What mpi.c (rank 0's view of all workers), mpi_setup.c, mpi_files.c (what far
 * workers read) and mpi_inputs.c (inputs for hosts that do not see them) share.
 */
#ifndef ENS_TRANSPORT_MPI_H
#define ENS_TRANSPORT_MPI_H

#include "base/hash.h"
#include "transport/mirror.h"
#include "transport/ranks.h"
#include "transport/ticker.h"

struct ens_peer { /* another rank */
    uint32_t first_slot, n_slots;
    struct ens_buf down; /* items to be sent: through ens_mpi_down */
    uint32_t credits;    /* to be given back */
    int is_waiting;      /* for either: it is in `waiting` */
    int has_opened;
    uint64_t heard_ns, told_ns;
    struct ens_relay_cost cost;
    /* of a far rank: what its workers read goes to one rank of its host */
    int is_far;
    struct ens_relay_opened opened;
    int leader;          /* that rank */
    struct ens_buf held; /* orders that wait for it */
    /* of that rank: */
    uint64_t mirrored; /* id of the stage whose files are there */
    int mirroring;     /* or on their way: */
    struct ens_mirror mirror;
    uint32_t n_parts; /* sent and not yet stored */
    /* of a rank that copies inputs: */
    uint64_t staged_bytes;     /* so far */
    int wants;                 /* PARTs of ... */
    struct ens_hasher *hasher; /* not NULL: is being served */
    uint64_t input, offset;    /* ... this, from there */
    uint32_t n_on_way;         /* sent and not yet written */
};

struct ens_transport {
    struct ens_transport_config config;
    struct ens_ranks *ranks;
    struct ens_transport *near; /* the fork transport of rank 0 */
    uint32_t n_near;
    struct ens_peer *peer; /* one per rank; [0] unused */
    int *waiting;          /* ranks that something is to be sent to */
    int n_waiting;
    struct ens_slot *far; /* slots from n_near on, as far as known */
    uint64_t limit_ns;    /* of a task; 0: none */
    double beat_s;        /* how often all are told and heard */
    struct ens_ticker ticker;
    uv_prepare_t prepare;
    uv_timer_t timer;
    uint64_t timer_ns;
    size_t n_handles;
    struct ens_staged_file *file; /* one per input; NULL: none */
    uint64_t n_copies;            /* of the inputs, on other hosts */
    int n_served;                 /* ranks that inputs are sent to */
    unsigned char *part;
    struct ens_wire_message inbox; /* being read; data NULL: none */
    size_t inbox_at;
    int paused, closing, broken;
    struct ens_error later; /* to be raised by the next tick */
};

/* mpi.c ------------------------------------------------------------------- */
/** What is to be sent to a rank when the loop turns: append to it. */
struct ens_buf *ens_mpi_down(struct ens_transport *t, int rank);
/** Send what there is for a rank. */
void ens_mpi_flush(struct ens_transport *t, int rank);
int ens_mpi_rank_of(const struct ens_transport *t, uint32_t slot);

/* mpi_setup.c ------------------------------------------------------------- */
enum ens_status ens_mpi_set_up(struct ens_transport *t, struct ens_error *err);

/* mpi_files.c ------------------------------------------------------------- */
/** A rank has opened its inputs: is it far, and which rank gets its files? */
void ens_mpi_opened(struct ens_transport *t, int rank,
                    const struct ens_relay_item *item);
/** Orders for a far slot, behind the files that their stage reads. */
void ens_mpi_order_far(struct ens_transport *t, uint32_t slot, const void *p,
                       size_t n);
/** Orders that still wait were for a worker that is dead now: its successor
 * must not follow them. */
void ens_mpi_forget_orders(struct ens_transport *t, uint32_t slot);
/** A rank has written a part. */
void ens_mpi_stored(struct ens_transport *t, int rank);

/* mpi_inputs.c ------------------------------------------------------------ */
/** WANT, GOT or STAGED. */
void ens_mpi_take_staging(struct ens_transport *t, int rank,
                          const struct ens_relay_item *item);

#endif
