#include "store/pack.h"

#include "base/file.h"
#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int make_path(char to[PATH_MAX], const char *dir, uint32_t epoch,
                     uint32_t slot)
{
    int n =
        snprintf(to, PATH_MAX, "%s/artifacts/%06" PRIu32 "-%05" PRIu32 ".pack",
                 dir, epoch, slot);

    if (n > 0 && n < PATH_MAX)
        return 0;
    errno = ENAMETOOLONG;
    return -1;
}

void ens_pack_init(struct ens_pack *p, const char *dir, uint32_t epoch,
                   uint32_t slot, struct ens_io *io)
{
    memset(p, 0, sizeof(*p));
    p->fd = -1;
    p->epoch = epoch;
    p->slot = slot;
    p->io = io != NULL ? io : ens_io_default();
    snprintf(p->dir, sizeof(p->dir), "%s", dir);
}

void ens_pack_fini(struct ens_pack *p)
{
    if (p->fd >= 0)
        close(p->fd);
    p->fd = -1;
}

/* The pack of an earlier worker in this slot is continued behind whatever it
 * left, half-written artifacts included. */
static enum ens_status open_pack(struct ens_pack *p, struct ens_error *err)
{
    char path[PATH_MAX];
    struct stat st;
    enum ens_status s;
    int fd;

    if (make_path(path, p->dir, p->epoch, p->slot) != 0)
        return ens_fail_errno(err, ENS_EIO, "pack in %s", p->dir);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0 && errno == ENOENT) {
        *strrchr(path, '/') = '\0';
        s = ens_file_mkdirs(path, err);
        if (s != ENS_OK)
            return s;
        path[strlen(path)] = '/';
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    }
    if (fd < 0)
        return ens_fail_errno(err, ENS_EIO, "cannot create %s", path);
    if (fstat(fd, &st) != 0) {
        ens_fail_errno(err, ENS_EIO, "cannot stat %s", path);
        close(fd);
        return ENS_EIO;
    }
    s = st.st_size > 0 ? ENS_OK : ens_file_sync_parent(path, err);
    if (s != ENS_OK) {
        close(fd);
        return s;
    }
    p->fd = fd;
    p->end = (uint64_t)st.st_size;
    return ENS_OK;
}

static enum ens_status write_at(struct ens_pack *p, const void *data, size_t n,
                                struct ens_error *err)
{
    char path[PATH_MAX];
    int e;

    if (ens_io_write_all(p->io, p->fd, data, n, p->end, NULL) == 0)
        return ENS_OK;
    e = errno;
    ens_fd_path(p->fd, path, sizeof(path));
    errno = e;
    return ens_fail_errno(err, ENS_EIO, "cannot write %s at byte %" PRIu64,
                          path, p->end);
}

enum ens_status ens_pack_append(struct ens_pack *p, const void *data,
                                size_t bytes, struct ens_artifact_ref *ref,
                                struct ens_error *err)
{
    enum ens_status s = p->fd >= 0 ? ENS_OK : open_pack(p, err);

    if (s == ENS_OK)
        s = write_at(p, data, bytes, err);
    if (s != ENS_OK)
        return s;
    ref->slot = p->slot;
    ref->offset = p->end;
    ref->length = bytes;
    ref->hash = ens_hash64(data, bytes);
    p->end += bytes;
    return ENS_OK;
}

int ens_pack_open_fd(const char *dir, uint32_t epoch, uint32_t slot)
{
    char path[PATH_MAX];

    if (make_path(path, dir, epoch, slot) != 0)
        return -1;
    return open(path, O_RDONLY | O_CLOEXEC);
}

static enum ens_status read_at(int fd, const struct ens_artifact_ref *ref,
                               struct ens_buf *out, struct ens_error *err)
{
    size_t n = (size_t)ref->length, got = 0;
    struct stat st;
    unsigned char *to;

    /* Before anything is allocated: the length may be nonsense. */
    if (fstat(fd, &st) != 0)
        return ens_fail_errno(err, ENS_EIO, "stat");
    if (ref->offset > (uint64_t)st.st_size ||
        ref->length > (uint64_t)st.st_size - ref->offset)
        return ens_fail(err, ENS_ECORRUPT,
                        "%" PRIu64 " bytes at %" PRIu64
                        ", but the file ends at %" PRIu64,
                        ref->length, ref->offset, (uint64_t)st.st_size);
    to = ens_buf_reserve(out, n);
    if (to == NULL && n > 0)
        return ens_fail(err, ENS_ENOMEMORY, "%zu bytes: out of memory", n);
    while (got < n) {
        ssize_t k = pread(fd, to + got, n - got, (off_t)(ref->offset + got));

        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return ens_fail_errno(err, ENS_EIO, "cannot read at %" PRIu64,
                                  ref->offset + got);
        got += (size_t)k;
    }
    if (ens_hash64(to, n) != ref->hash)
        return ens_fail(err, ENS_ECORRUPT,
                        "%" PRIu64 " bytes at %" PRIu64
                        ": checksum does not match",
                        ref->length, ref->offset);
    out->len += n;
    return ENS_OK;
}

enum ens_status ens_pack_read(const char *dir, uint32_t epoch,
                              const struct ens_artifact_ref *ref,
                              struct ens_buf *out, struct ens_error *err)
{
    char path[PATH_MAX];
    enum ens_status s;
    int fd;

    if (ref->slot > UINT32_MAX ||
        make_path(path, dir, epoch, (uint32_t)ref->slot) != 0)
        return ens_fail(err, ENS_ECORRUPT,
                        "%s: artifact in a slot %" PRIu64 " that cannot be",
                        dir, ref->slot);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return ens_fail_errno(err, ENS_EIO, "cannot open %s", path);
    s = read_at(fd, ref, out, err);
    close(fd);
    return s == ENS_OK ? s : ens_wrap(err, s, "%s", path);
}
