/* The ranks of an MPI job: the module loaded, all of them heard, one version.
 *
 * Rank 0 coordinates (mpi.c), the others are supervisors (supervisor.c).
 */
#ifndef ENS_TRANSPORT_RANKS_H
#define ENS_TRANSPORT_RANKS_H

#include "transport/launcher.h"
#include "transport/relay.h"
#include "transport/wire.h"

struct ens_ranks {
    void *module; /* of dlopen; NULL for a wire that was given */
    const struct ens_wire_ops *wire;
    int rank, size;
    int lost; /* rank 0: a rank is silent and will not say GONE */
    struct ens_relay_hello self;
    struct ens_relay_hello *hello; /* of all, at rank 0; else NULL */
    uint32_t *n_slots;             /* workers of each rank, at rank 0 */
};

/**
 * Load the module (beside the program, see ENS_MODULES in src/CMakeLists.txt),
 * start MPI and let every rank tell rank 0 who it is. Waits for all of them.
 * cpu: this processor's class. wire: NULL, or use this one (tests).
 * ENS_EPROCESS: no module, no MPI, or launcher and MPI do not agree;
 * ENS_EUSAGE at rank 0: the ranks are not of one version, and were told to
 * end. Owned: ens_ranks_close.
 */
enum ens_status ens_ranks_open(struct ens_ranks **out,
                               const struct ens_launched *launched,
                               const char *cpu, const struct ens_wire_ops *wire,
                               struct ens_error *err);
/** Ends MPI if it still runs; all other ranks must have been told to end. */
void ens_ranks_close(struct ens_ranks *r);
/** Rank 0: end all other ranks, then MPI; they have a few seconds. Twice is
 * harmless. */
void ens_ranks_end(struct ens_ranks *r);

/**
 * Rank 0: how many workers each rank gets: per_rank, or when that is 0 what
 * Slurm gives a task over `cores` of each worker, else one. Returns the sum;
 * 0 when it is more than slots can be numbered.
 */
uint32_t ens_ranks_assign(struct ens_ranks *r, uint32_t per_rank,
                          uint32_t cores);

/** Rank 0: how many ranks the host of a rank has, and how many of them come
 * before it. */
void ens_ranks_place(const struct ens_ranks *r, int rank, uint32_t *n,
                     uint32_t *index);

enum ens_status ens_ranks_send(struct ens_ranks *r, int rank,
                               enum ens_wire_tag tag, struct ens_buf *b,
                               struct ens_error *err);
/** 1 = a message (free its data), 0 = none now, -1 = MPI failed. */
int ens_ranks_receive(struct ens_ranks *r, enum ens_wire_tag tag,
                      struct ens_wire_message *m, struct ens_error *err);
/** "rank 3 on node17" */
void ens_ranks_name(const struct ens_ranks *r, int rank, char *to, size_t cap);

#endif
