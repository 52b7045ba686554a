/* A wire of two ranks over a socket pair, for tests of the transport `mpi`
 * without MPI: the other rank is a forked process. */
#ifndef TESTS_WIRE_H
#define TESTS_WIRE_H

#include "transport/supervisor.h"

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct wire_head {
    uint32_t tag;
    uint32_t n;
};

static struct {
    int rank, fd;
    pid_t other;        /* at rank 0 */
    struct ens_buf out; /* not yet written */
    struct ens_buf in;  /* read; whole messages and the beginning of one */
    int eof;
} wire;

static inline int wire_open(int *rank, int *size, char *why, size_t cap)
{
    (void)why;
    (void)cap;
    *rank = wire.rank;
    *size = 2;
    return 0;
}

static inline void wire_drop(struct ens_buf *b, size_t at, size_t n)
{
    memmove(b->data + at, b->data + at + n, b->len - at - n);
    b->len -= n;
}

static inline void wire_move(void)
{
    while (wire.out.len > 0) {
        ssize_t k = send(wire.fd, wire.out.data, wire.out.len,
                         MSG_DONTWAIT | MSG_NOSIGNAL);

        if (k <= 0)
            break;
        wire_drop(&wire.out, 0, (size_t)k);
    }
    while (wire.in.len < 1u << 20) {
        void *to = ens_buf_reserve(&wire.in, 65536);
        ssize_t k = recv(wire.fd, to, 65536, MSG_DONTWAIT);

        wire.eof |= k == 0;
        if (k <= 0)
            break;
        wire.in.len += (size_t)k;
    }
}

static inline int wire_send(int rank, enum ens_wire_tag tag, unsigned char *p,
                            size_t n, char *why, size_t cap)
{
    struct wire_head h = {(uint32_t)tag, (uint32_t)n};

    (void)why;
    (void)cap;
    ck_assert_int_eq(rank, 1 - wire.rank);
    ens_buf_put(&wire.out, &h, sizeof(h));
    ens_buf_put(&wire.out, p, n);
    free(p);
    wire_move();
    return 0;
}

static inline int wire_receive(enum ens_wire_tag tag,
                               struct ens_wire_message *m, char *why,
                               size_t cap)
{
    size_t at = 0;

    wire_move();
    while (wire.in.len - at >= sizeof(struct wire_head)) {
        struct wire_head h;

        memcpy(&h, wire.in.data + at, sizeof(h));
        if (wire.in.len - at - sizeof(h) < h.n)
            break;
        if (h.tag == (uint32_t)tag) {
            *m = (struct ens_wire_message){1 - wire.rank, tag, malloc(h.n + 1),
                                           h.n};
            memcpy(m->data, wire.in.data + at + sizeof(h), h.n);
            wire_drop(&wire.in, at, sizeof(h) + h.n);
            return 1;
        }
        at += sizeof(h) + h.n;
    }
    if (wire.eof && wire.rank > 0) {
        snprintf(why, cap, "rank 0 is gone");
        return -1;
    }
    return 0;
}

static inline size_t wire_n_sending(void)
{
    return wire.out.len > 0;
}

/* As MPI_Finalize: until the other has come so far too. */
static inline void wire_close(void)
{
    struct pollfd p = {wire.fd, POLLIN, 0};

    while (wire.out.len > 0 && poll(&p, 1, 1) >= 0)
        wire_move();
    shutdown(wire.fd, SHUT_WR);
    while (!wire.eof && poll(&p, 1, 5000) > 0) {
        wire_move();
        wire.in.len = 0;
    }
    close(wire.fd);
    ens_buf_fini(&wire.out);
    ens_buf_fini(&wire.in);
    if (wire.rank == 0)
        waitpid(wire.other, NULL, 0);
}

static const struct ens_wire_ops wire_ops = {
    .version = ENS_WIRE_VERSION,
    .library = "socket pair",
    .open = wire_open,
    .send = wire_send,
    .receive = wire_receive,
    .n_sending = wire_n_sending,
    .close = wire_close,
};

static inline int wire_supervise(const struct ens_kind_table *kinds)
{
    struct ens_launched launched = {ENS_LAUNCHER_MPI, 1, 2};
    struct ens_ranks *ranks;
    struct ens_error err;

    if (ens_ranks_open(&ranks, &launched, "cpu", &wire_ops, &err) != ENS_OK ||
        ens_supervisor_serve(ranks, "/proc/self/exe", kinds, &err) != ENS_OK)
        return 1;
    ens_ranks_close(ranks);
    return 0;
}

/* Two ranks: this one, and a process that supervises. */
static inline struct ens_ranks *wire_ranks(const struct ens_kind_table *kinds)
{
    struct ens_launched launched = {ENS_LAUNCHER_MPI, 0, 2};
    struct ens_ranks *ranks;
    struct ens_error err;
    int sv[2];

    memset(&wire, 0, sizeof(wire));
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), 0);
    wire.other = fork();
    ck_assert_int_ge(wire.other, 0);
    if (wire.other == 0) {
        close(sv[0]);
        wire.rank = 1;
        wire.fd = sv[1];
        _exit(wire_supervise(kinds));
    }
    close(sv[1]);
    wire.fd = sv[0];
    ck_assert_msg(ens_ranks_open(&ranks, &launched, "cpu", &wire_ops, &err) ==
                      ENS_OK,
                  "%s", err.text);
    return ranks;
}

#endif
