#include "worker/message.h"

#include "base/bug.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
    char bytes[CMSG_SPACE(ENS_MESSAGE_MAX_FDS * sizeof(int))];
    struct cmsghdr align;
};

/* Small messages stay small: hundreds fit into the socket's buffer. */
static size_t length(const struct ens_zygote_message *m)
{
    if (m->type == ENS_Z_INIT)
        return sizeof(*m);
    if (m->type == ENS_Z_FAILED)
        return offsetof(struct ens_zygote_message, dir);
    return offsetof(struct ens_zygote_message, error);
}

int ens_message_send(int socket, const struct ens_zygote_message *m,
                     const int *fd, size_t n_fds, int flags)
{
    struct iovec iov = {(void *)(uintptr_t)m, length(m)};
    union control control;
    struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};
    struct cmsghdr *c;
    ssize_t k;

    ENS_BUG_ON(n_fds > ENS_MESSAGE_MAX_FDS);
    memset(&control, 0, sizeof(control));
    if (n_fds > 0) {
        h.msg_control = control.bytes;
        h.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
        c = CMSG_FIRSTHDR(&h);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
        memcpy(CMSG_DATA(c), fd, n_fds * sizeof(int));
    }
    do
        k = sendmsg(socket, &h, flags | MSG_NOSIGNAL);
    while (k < 0 && errno == EINTR);
    return k < 0 ? -1 : 0;
}

static void take_fds(struct msghdr *h, int *fd)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c != NULL;
         c = CMSG_NXTHDR(h, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        memcpy(fd, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
    }
}

int ens_message_receive(int socket, struct ens_zygote_message *m, int *fd,
                        int flags)
{
    struct iovec iov = {m, sizeof(*m)};
    union control control;
    struct msghdr h = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control.bytes,
                       .msg_controllen = sizeof(control.bytes)};
    ssize_t k;

    for (size_t i = 0; i < ENS_MESSAGE_MAX_FDS; i++)
        fd[i] = -1;
    memset(m, 0, sizeof(*m));
    do
        k = recvmsg(socket, &h, flags | MSG_CMSG_CLOEXEC);
    while (k < 0 && errno == EINTR);
    if (k < 0 && errno == ECONNRESET)
        return 0;
    if (k < 0)
        return -1;
    if (k > 0)
        take_fds(&h, fd);
    return k > 0 ? 1 : 0;
}
