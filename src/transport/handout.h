/* Descriptors from one rank of a host to the others, through a socket that has
 * no name in any folder. Nothing waits: call again later. */
#ifndef ENS_TRANSPORT_HANDOUT_H
#define ENS_TRANSPORT_HANDOUT_H

#include <ensrun/error.h>
#include <stddef.h>

struct ens_handout_peer {
    int socket; /* -1: it has all */
    size_t n_sent;
};

struct ens_handout { /* at the rank that gives */
    int socket;      /* -1: not open */
    uint32_t n_peers, n_known, n_left;
    struct ens_handout_peer *peer;
};

/** Ranks of one user and run_id meet. */
enum ens_status ens_handout_open(struct ens_handout *h, uint64_t run_id,
                                 uint32_t n_peers, struct ens_error *err);
/** Give all who have asked the n descriptors; h->n_left did not get them. */
void ens_handout_turn(struct ens_handout *h, const int *fd, size_t n);
void ens_handout_close(struct ens_handout *h);

/** At the others: *socket is -1 at first. fd[i] is -1 until it has come. 1: all
 * of them have come, 0: not yet. The caller closes what is not -1. */
int ens_handout_take(int *socket, uint64_t run_id, int *fd, size_t n);

#endif
