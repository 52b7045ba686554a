#include "transport/handout.h"

#include "base/hash.h"
#include "worker/message.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* An abstract name: it goes with the last descriptor of the socket. With the
 * host in it: containers may have names of their own and share a network. */
static socklen_t address(struct sockaddr_un *to, uint64_t run_id)
{
    char hex[ENS_HEX64_BYTES], host[256] = "";
    int n;

    memset(to, 0, sizeof(*to));
    to->sun_family = AF_UNIX;
    gethostname(host, sizeof(host) - 1);
    ens_hex64(hex, ens_hash64_seed(host, strlen(host), run_id));
    n = snprintf(to->sun_path + 1, sizeof(to->sun_path) - 1, "ensrun-inputs-%s",
                 hex);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
}

static int open_socket(void)
{
    return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* Anybody on this host may know the name. */
static int is_own_user(int socket)
{
    struct ucred who;
    socklen_t n = sizeof(who);

    return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0 &&
           who.uid == geteuid();
}

/* -- the rank that gives -----------------------------------------------------
 */

enum ens_status ens_handout_open(struct ens_handout *h, uint64_t run_id,
                                 uint32_t n_peers, struct ens_error *err)
{
    struct sockaddr_un name;
    socklen_t n = address(&name, run_id);
    struct ens_handout_peer *peer = calloc(n_peers, sizeof(*peer));
    int fd = open_socket();

    if (peer == NULL || fd < 0 ||
        bind(fd, (const struct sockaddr *)&name, n) != 0 ||
        listen(fd, (int)n_peers) != 0) {
        ens_fail_errno(err, ENS_EPROCESS,
                       "cannot make a socket for the ranks of this host");
        if (fd >= 0)
            close(fd);
        free(peer);
        return ENS_EPROCESS;
    }
    *h = (struct ens_handout){fd, n_peers, 0, n_peers, peer};
    return ENS_OK;
}

static void meet(struct ens_handout *h)
{
    int fd;

    while (h->n_known < h->n_peers &&
           (fd = accept4(h->socket, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        if (is_own_user(fd))
            h->peer[h->n_known++] = (struct ens_handout_peer){fd, 0};
        else
            close(fd);
    }
}

/* As many as fit now; the system also limits how many are on their way. */
static void give(struct ens_handout *h, struct ens_handout_peer *p,
                 const int *fd, size_t n)
{
    struct ens_zygote_message m;

    memset(&m, 0, sizeof(m));
    m.type = ENS_Z_MAP;
    for (; p->n_sent < n; p->n_sent++) {
        m.slot = (uint32_t)p->n_sent;
        if (ens_message_send(p->socket, &m, &fd[p->n_sent], 1, MSG_DONTWAIT) !=
            0)
            break;
    }
    if (p->n_sent < n && (errno == EAGAIN || errno == ETOOMANYREFS))
        return;
    close(p->socket); /* it has them all, or has ended, and its job with it */
    p->socket = -1;
    h->n_left--;
}

void ens_handout_turn(struct ens_handout *h, const int *fd, size_t n)
{
    meet(h);
    for (uint32_t i = 0; i < h->n_known; i++)
        if (h->peer[i].socket >= 0)
            give(h, &h->peer[i], fd, n);
}

void ens_handout_close(struct ens_handout *h)
{
    for (uint32_t i = 0; i < h->n_known; i++)
        if (h->peer[i].socket >= 0)
            close(h->peer[i].socket);
    if (h->socket >= 0)
        close(h->socket);
    free(h->peer);
    *h = (struct ens_handout){.socket = -1};
}

/* -- the others ----------------------------------------------------------- */

static void drop(int *socket)
{
    close(*socket);
    *socket = -1;
}

static int ask(uint64_t run_id)
{
    struct sockaddr_un name;
    socklen_t n = address(&name, run_id);
    int fd = open_socket();

    if (fd >= 0 && (connect(fd, (const struct sockaddr *)&name, n) != 0 ||
                    !is_own_user(fd)))
        drop(&fd);
    return fd;
}

/* 1 = one more has come, 0 = none now. */
static int take(int socket, int *fd, size_t n)
{
    struct ens_zygote_message m;
    int got[ENS_MESSAGE_MAX_FDS];
    int r = ens_message_receive(socket, &m, got, MSG_DONTWAIT);

    if (r == 1 && m.type == ENS_Z_MAP && m.slot < n && fd[m.slot] < 0) {
        fd[m.slot] = got[0];
        got[0] = -1;
    }
    for (size_t i = 0; i < ENS_MESSAGE_MAX_FDS; i++)
        if (got[i] >= 0)
            close(got[i]);
    return r == 1;
}

static int has_all(const int *fd, size_t n)
{
    size_t i = 0;

    while (i < n && fd[i] >= 0)
        i++;
    return i == n;
}

/* When the other end goes first its job ends: somebody will tell. */
int ens_handout_take(int *socket, uint64_t run_id, int *fd, size_t n)
{
    if (*socket < 0)
        *socket = ask(run_id);
    while (*socket >= 0 && take(*socket, fd, n))
        ;
    if (*socket < 0 || !has_all(fd, n))
        return 0;
    drop(socket);
    return 1;
}
