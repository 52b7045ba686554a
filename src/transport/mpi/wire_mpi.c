/* The MPI module; see wire.h. mpicc -shared -fPIC -I src is all it takes. */
#include "transport/wire.h"

#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct outgoing {
    struct outgoing *next;
    MPI_Request request;
    unsigned char *data;
};

struct incoming { /* matched; its bytes may still be on their way */
    struct incoming *next;
    MPI_Request request;
    int complete;
    struct ens_wire_message m;
};

/* MPI itself is one per process, and so is this. */
static struct outgoing *out;
static size_t n_out;
static struct incoming *in;

static int fail(int code, const char *what, char *why, size_t cap)
{
    char text[MPI_MAX_ERROR_STRING] = "";
    int n = 0;

    MPI_Error_string(code, text, &n);
    snprintf(why, cap, "%s: %s", what, text);
    return -1;
}

static int open_mpi(int *rank, int *size, char *why, size_t cap)
{
    int provided = 0;
    int r = MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided);

    if (r != MPI_SUCCESS)
        return fail(r, "MPI_Init_thread", why, cap);
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    r = MPI_Comm_rank(MPI_COMM_WORLD, rank);
    if (r == MPI_SUCCESS)
        r = MPI_Comm_size(MPI_COMM_WORLD, size);
    return r == MPI_SUCCESS ? 0 : fail(r, "MPI_Comm_rank", why, cap);
}

/* -- sending -----------------------------------------------------------------
 */

/* Free what has gone. */
static int move_out(char *why, size_t cap)
{
    struct outgoing **at = &out;

    while (*at != NULL) {
        struct outgoing *o = *at;
        int done = 0;
        int r = MPI_Test(&o->request, &done, MPI_STATUS_IGNORE);

        if (r != MPI_SUCCESS)
            return fail(r, "MPI_Test", why, cap);
        if (!done) {
            at = &o->next;
            continue;
        }
        *at = o->next;
        free(o->data);
        free(o);
        n_out--;
    }
    return 0;
}

static int send_message(int rank, enum ens_wire_tag tag, unsigned char *p,
                        size_t n, char *why, size_t cap)
{
    struct outgoing *o = malloc(sizeof(*o));
    int r;

    if (o == NULL || n > 0x7fffffff) {
        free(o);
        free(p);
        snprintf(why, cap, "no memory for a message of %zu bytes", n);
        return -1;
    }
    o->data = p;
    r = MPI_Isend(p, (int)n, MPI_BYTE, rank, (int)tag, MPI_COMM_WORLD,
                  &o->request);
    if (r != MPI_SUCCESS) {
        free(p);
        free(o);
        return fail(r, "MPI_Isend", why, cap);
    }
    o->next = out;
    out = o;
    n_out++;
    return move_out(why, cap);
}

static size_t n_sending(void)
{
    return n_out;
}

/* -- receiving ---------------------------------------------------------------
 */

/* Match all that has come. Twice: the first call may do no more than notice
 * an eager message that has already arrived (measured with Open MPI 4.1). */
static int match(enum ens_wire_tag tag, char *why, size_t cap)
{
    struct incoming **end = &in;
    int misses = 0;

    while (*end != NULL)
        end = &(*end)->next;
    while (misses < 2) {
        MPI_Message handle;
        MPI_Status status;
        struct incoming *i;
        int found = 0, n = 0;
        int r = MPI_Improbe(MPI_ANY_SOURCE, (int)tag, MPI_COMM_WORLD, &found,
                            &handle, &status);

        if (r != MPI_SUCCESS)
            return fail(r, "MPI_Improbe", why, cap);
        if (!found) {
            misses++;
            continue;
        }
        MPI_Get_count(&status, MPI_BYTE, &n);
        i = calloc(1, sizeof(*i));
        if (i != NULL)
            i->m.data = malloc(n > 0 ? (size_t)n : 1);
        if (i == NULL || i->m.data == NULL) {
            free(i);
            snprintf(why, cap, "no memory for a message of %d bytes", n);
            return -1;
        }
        i->m.rank = status.MPI_SOURCE;
        i->m.tag = tag;
        i->m.n = (size_t)n;
        r = MPI_Imrecv(i->m.data, n, MPI_BYTE, &handle, &i->request);
        if (r != MPI_SUCCESS)
            return fail(r, "MPI_Imrecv", why, cap);
        *end = i;
        end = &i->next;
        if (tag == ENS_WIRE_DATA)
            break; /* the sender's credits count what is not received */
    }
    return 0;
}

/* Does an older message of the same rank and tag still come in? */
static int is_behind(const struct incoming *i)
{
    for (const struct incoming *k = in; k != i; k = k->next)
        if (k->m.rank == i->m.rank && k->m.tag == i->m.tag)
            return 1;
    return 0;
}

static int receive(enum ens_wire_tag tag, struct ens_wire_message *m, char *why,
                   size_t cap)
{
    struct incoming **at = &in;

    if (move_out(why, cap) != 0 || match(tag, why, cap) != 0)
        return -1;
    for (; *at != NULL; at = &(*at)->next) {
        struct incoming *i = *at;
        int r = MPI_SUCCESS;

        if (!i->complete)
            r = MPI_Test(&i->request, &i->complete, MPI_STATUS_IGNORE);
        if (r != MPI_SUCCESS)
            return fail(r, "MPI_Test", why, cap);
        if (!i->complete || i->m.tag != tag || is_behind(i))
            continue;
        *m = i->m;
        *at = i->next;
        free(i);
        return 1;
    }
    return 0;
}

static void close_mpi(void)
{
    char why[64];

    while (n_out > 0 && move_out(why, sizeof(why)) == 0)
        ;
    MPI_Finalize();
}

extern const struct ens_wire_ops ens_wire;
__attribute__((visibility("default"))) const struct ens_wire_ops ens_wire = {
    .version = ENS_WIRE_VERSION,
#if defined(OPEN_MPI)
    .library = "Open MPI",
#elif defined(MPICH_VERSION)
    .library = "MPICH " MPICH_VERSION,
#else
    .library = "MPI",
#endif
    .open = open_mpi,
    .send = send_message,
    .receive = receive,
    .n_sending = n_sending,
    .close = close_mpi,
};
