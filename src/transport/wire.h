/* MPI as ensrun needs it: whole messages between ranks, nothing that waits.
 *
 * The implementation, mpi/wire_mpi.c, is a shared object that is loaded on
 * demand (ranks.c). It is built with the site's MPI, includes nothing of
 * ensrun but this header and links nothing of it, so that it can be built
 * again on another machine. It defines `const struct ens_wire_ops ens_wire`.
 *
 * Messages of one rank with one tag arrive in the order they were sent.
 * All functions are called on one thread.
 */
#ifndef ENS_TRANSPORT_WIRE_H
#define ENS_TRANSPORT_WIRE_H

#include <stddef.h>

#define ENS_WIRE_VERSION 1
#define ENS_WIRE_SYMBOL  "ens_wire"

enum ens_wire_tag {
    ENS_WIRE_DATA = 1, /* in order; may be left waiting */
    ENS_WIRE_BEAT = 2  /* overtakes data */
};

struct ens_wire_message {
    int rank; /* of the sender */
    enum ens_wire_tag tag;
    unsigned char *data; /* malloc'ed: free it */
    size_t n;
};

struct ens_wire_ops {
    unsigned version;    /* ENS_WIRE_VERSION */
    const char *library; /* which MPI it was built with */
    /** Start MPI. 0, or -1 with a text of at most cap bytes. */
    int (*open)(int *rank, int *size, char *why, size_t cap);
    /** Queue n bytes (malloc'ed, taken over also on failure). 0 or -1. */
    int (*send)(int rank, enum ens_wire_tag tag, unsigned char *p, size_t n,
                char *why, size_t cap);
    /** The next message with that tag: 1, or 0 when there is none now, or
     * -1. Moves what is being sent and received along. */
    int (*receive)(enum ens_wire_tag tag, struct ens_wire_message *m, char *why,
                   size_t cap);
    /** Messages not yet sent. */
    size_t (*n_sending)(void);
    /** End MPI: waits for all ranks to do so. */
    void (*close)(void);
};

#endif
