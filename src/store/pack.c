#include "store/pack.h"

#include "base/file.h"
#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PART_BYTES ((size_t)1 << 20)

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
    ens_hasher_free(p->hasher);
    p->hasher = NULL;
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

static enum ens_status ready(struct ens_pack *p, struct ens_error *err)
{
    return p->fd >= 0 || p->sink != NULL ? ENS_OK : open_pack(p, err);
}

static enum ens_status write_at(struct ens_pack *p, const void *data, size_t n,
                                uint64_t at, struct ens_error *err)
{
    char path[PATH_MAX];
    int e;

    if (p->sink != NULL)
        return p->sink(p->arg, at, data, n, err);
    if (ens_io_write_all(p->io, p->fd, data, n, at, NULL) == 0)
        return ENS_OK;
    e = errno;
    ens_fd_path(p->fd, path, sizeof(path));
    errno = e;
    return ens_fail_errno(err, ENS_EIO, "cannot write %s at byte %" PRIu64,
                          path, at);
}

static void set_ref(struct ens_pack *p, uint64_t length, uint64_t hash,
                    struct ens_artifact_ref *ref)
{
    ref->slot = p->slot;
    ref->offset = p->end;
    ref->length = length;
    ref->hash = hash;
    p->end += length;
}

void ens_pack_redirect(struct ens_pack *p, uint64_t end, ens_pack_sink_fn *sink,
                       void *arg)
{
    p->sink = sink;
    p->arg = arg;
    p->end = end;
}

enum ens_status ens_pack_write(struct ens_pack *p, uint64_t at,
                               const void *data, size_t n,
                               struct ens_error *err)
{
    enum ens_status s = ready(p, err);

    return s == ENS_OK ? write_at(p, data, n, at, err) : s;
}

enum ens_status ens_pack_append(struct ens_pack *p, const void *data,
                                size_t bytes, struct ens_artifact_ref *ref,
                                struct ens_error *err)
{
    enum ens_status s = ready(p, err);

    if (s == ENS_OK)
        s = write_at(p, data, bytes, p->end, err);
    if (s == ENS_OK)
        set_ref(p, bytes, ens_hash64(data, bytes), ref);
    return s;
}

enum ens_status ens_pack_begin(struct ens_pack *p, struct ens_error *err)
{
    enum ens_status s = ready(p, err);

    if (s == ENS_OK && p->hasher == NULL &&
        (p->hasher = ens_hasher_new()) == NULL)
        s = ens_fail(err, ENS_ENOMEMORY, "artifact: out of memory");
    if (s != ENS_OK)
        return s;
    ens_hasher_begin(p->hasher);
    p->part_bytes = 0;
    return ENS_OK;
}

enum ens_status ens_pack_part(struct ens_pack *p, const void *data,
                              size_t bytes, struct ens_error *err)
{
    enum ens_status s = write_at(p, data, bytes, p->end + p->part_bytes, err);

    if (s != ENS_OK)
        return s;
    ens_hasher_put(p->hasher, data, bytes);
    p->part_bytes += bytes;
    return ENS_OK;
}

void ens_pack_end(struct ens_pack *p, struct ens_artifact_ref *ref)
{
    set_ref(p, p->part_bytes, ens_hasher_end(p->hasher), ref);
}

/* -- reading ----------------------------------------------------------------
 */

int ens_pack_open_fd(const char *dir, uint32_t epoch, uint32_t slot)
{
    char path[PATH_MAX];

    if (make_path(path, dir, epoch, slot) != 0)
        return -1;
    return open(path, O_RDONLY | O_CLOEXEC);
}

static enum ens_status mismatch(const struct ens_artifact_ref *ref,
                                struct ens_error *err)
{
    return ens_fail(err, ENS_ECORRUPT,
                    "%" PRIu64 " bytes at %" PRIu64 ": checksum does not match",
                    ref->length, ref->offset);
}

/* Before anything is allocated: the length may be nonsense. */
static enum ens_status check_extent(int fd, const struct ens_artifact_ref *ref,
                                    struct ens_error *err)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return ens_fail_errno(err, ENS_EIO, "stat");
    if (ref->offset > (uint64_t)st.st_size ||
        ref->length > (uint64_t)st.st_size - ref->offset)
        return ens_fail(err, ENS_ECORRUPT,
                        "%" PRIu64 " bytes at %" PRIu64
                        ", but the file ends at %" PRIu64,
                        ref->length, ref->offset, (uint64_t)st.st_size);
    return ENS_OK;
}

static enum ens_status open_checked(const char *dir, uint32_t epoch,
                                    const struct ens_artifact_ref *ref,
                                    char path[PATH_MAX], int *fd,
                                    struct ens_error *err)
{
    enum ens_status s;
    int f;

    if (ref->slot > UINT32_MAX ||
        make_path(path, dir, epoch, (uint32_t)ref->slot) != 0)
        return ens_fail(err, ENS_ECORRUPT,
                        "%s: artifact in a slot %" PRIu64 " that cannot be",
                        dir, ref->slot);
    f = open(path, O_RDONLY | O_CLOEXEC);
    if (f < 0)
        return ens_fail_errno(err, ENS_EIO, "cannot open %s", path);
    s = check_extent(f, ref, err);
    if (s != ENS_OK) {
        close(f);
        return ens_wrap(err, s, "%s", path);
    }
    *fd = f;
    return ENS_OK;
}

enum ens_status ens_pack_open(const char *dir, uint32_t epoch,
                              const struct ens_artifact_ref *ref, int *fd,
                              struct ens_error *err)
{
    char path[PATH_MAX];

    return open_checked(dir, epoch, ref, path, fd, err);
}

static enum ens_status read_all(int fd, const struct ens_artifact_ref *ref,
                                struct ens_buf *out, struct ens_error *err)
{
    size_t n = (size_t)ref->length;
    unsigned char *to = ens_buf_reserve(out, n);

    if (to == NULL && n > 0)
        return ens_fail(err, ENS_ENOMEMORY, "%zu bytes: out of memory", n);
    if (ens_read_all(fd, to, n, ref->offset) != 0)
        return ens_fail_errno(err, ENS_EIO, "cannot read at %" PRIu64,
                              ref->offset);
    if (ens_hash64(to, n) != ref->hash)
        return mismatch(ref, err);
    out->len += n;
    return ENS_OK;
}

enum ens_status ens_pack_read(const char *dir, uint32_t epoch,
                              const struct ens_artifact_ref *ref,
                              struct ens_buf *out, struct ens_error *err)
{
    char path[PATH_MAX];
    int fd;
    enum ens_status s = open_checked(dir, epoch, ref, path, &fd, err);

    if (s != ENS_OK)
        return s;
    s = read_all(fd, ref, out, err);
    close(fd);
    return s == ENS_OK ? s : ens_wrap(err, s, "%s", path);
}

static enum ens_status hash_parts(int fd, const struct ens_artifact_ref *ref,
                                  struct ens_hasher *h, void *part,
                                  void (*progress)(void *arg, uint64_t bytes),
                                  void *arg, struct ens_error *err)
{
    for (uint64_t at = 0; at < ref->length;) {
        uint64_t left = ref->length - at;
        size_t n = left < PART_BYTES ? (size_t)left : PART_BYTES;

        if (ens_read_all(fd, part, n, ref->offset + at) != 0)
            return ens_fail_errno(err, ENS_EIO, "cannot read at %" PRIu64,
                                  ref->offset + at);
        ens_hasher_put(h, part, n);
        at += n;
        if (progress != NULL)
            progress(arg, n);
    }
    return ens_hasher_end(h) == ref->hash ? ENS_OK : mismatch(ref, err);
}

enum ens_status ens_pack_check(int fd, const struct ens_artifact_ref *ref,
                               void (*progress)(void *arg, uint64_t bytes),
                               void *arg, struct ens_error *err)
{
    struct ens_hasher *h = ens_hasher_new();
    void *part =
        malloc(ref->length < PART_BYTES ? (size_t)ref->length + 1 : PART_BYTES);
    char path[PATH_MAX];
    enum ens_status s;

    if (h == NULL || part == NULL) {
        s = ens_fail(err, ENS_ENOMEMORY, "artifact: out of memory");
    } else {
        ens_hasher_begin(h);
        s = hash_parts(fd, ref, h, part, progress, arg, err);
    }
    free(part);
    ens_hasher_free(h);
    if (s == ENS_OK)
        return s;
    ens_fd_path(fd, path, sizeof(path));
    return ens_wrap(err, s, "%s", path);
}
