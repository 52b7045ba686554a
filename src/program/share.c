#include "program/share.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

/* Above those that a program is given: see ens_program_start. */
#define FIRST_FD 100

enum ens_status ens_share_open(struct ens_share *s, struct ens_error *err)
{
    int low = memfd_create("ensrun", MFD_CLOEXEC);

    s->used = 0;
    s->fd = low < 0 ? -1 : fcntl(low, F_DUPFD_CLOEXEC, FIRST_FD);
    if (s->fd < 0)
        ens_fail_errno(err, ENS_EPROCESS, "memory shared with a program");
    if (low >= 0)
        close(low);
    return s->fd < 0 ? ENS_EPROCESS : ENS_OK;
}

void ens_share_close(struct ens_share *s)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}

enum ens_status ens_share_put_bytes(struct ens_share *s, const void *from,
                                    size_t n, uint64_t *at,
                                    struct ens_error *err)
{
    const char *p = from;
    uint64_t end = s->used + n;

    *at = s->used;
    while (s->used < end) {
        ssize_t k = pwrite(s->fd, p, end - s->used, (off_t)s->used);

        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return ens_fail_errno(err, ENS_ENOMEMORY,
                                  "memory shared with a program: %zu bytes", n);
        p += k;
        s->used += (uint64_t)k;
    }
    s->used = (s->used + 7) & ~(uint64_t)7;
    return ENS_OK;
}

enum ens_status ens_share_put(struct ens_share *s, const double *x, size_t n,
                              uint64_t *at, struct ens_error *err)
{
    return ens_share_put_bytes(s, x, n * sizeof(*x), at, err);
}

enum ens_status ens_share_get_bytes(const struct ens_share *s, void *to,
                                    size_t size, struct ens_error *err)
{
    char *p = to;
    size_t done = 0;

    while (done < size) {
        ssize_t k = pread(s->fd, p + done, size - done, (off_t)done);

        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return ens_fail(err, ENS_EDOMAIN,
                            "output: %zu bytes of numbers in the shared file; "
                            "%zu expected",
                            done, size);
        done += (size_t)k;
    }
    return ENS_OK;
}

enum ens_status ens_share_get(const struct ens_share *s, double *x, size_t n,
                              struct ens_error *err)
{
    return ens_share_get_bytes(s, x, n * sizeof(*x), err);
}
