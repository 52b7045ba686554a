#include "store/array.h"

#include "base/bug.h"
#include "base/file.h"
#include "base/hash.h"
#include "store/array_head.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILL_BYTES ((size_t)1 << 20)

static int format_path(char *to, size_t cap, const char *dir,
                       const char *folder, const char *name, uint64_t cell_id)
{
    char id[ENS_HEX64_BYTES];
    int n;

    ens_hex64(id, cell_id);
    n = snprintf(to, cap, "%s/%s/%s.%s.npy", dir, folder, name, id);
    return n > 0 && (size_t)n < cap ? 0 : -1;
}

void ens_array_path(char *to, size_t cap, const char *dir, const char *name,
                    uint64_t cell_id)
{
    format_path(to, cap, dir, "arrays", name, cell_id);
}

static enum ens_status path_of(char to[PATH_MAX], const char *dir,
                               const char *folder, const char *name,
                               uint64_t cell_id, struct ens_error *err)
{
    if (format_path(to, PATH_MAX, dir, folder, name, cell_id) != 0)
        return ens_fail(err, ENS_EIO, "%s/%s/%s: path too long", dir, folder,
                        name);
    return ENS_OK;
}

/* -- creating ------------------------------------------------------------ */
static enum ens_status write_all(int fd, uint64_t at, const void *data,
                                 size_t n, struct ens_io *io,
                                 struct ens_error *err)
{
    char path[PATH_MAX];
    int e;

    if (ens_io_write_all(io, fd, data, n, at, NULL) == 0)
        return ENS_OK;
    e = errno;
    ens_fd_path(fd, path, sizeof(path));
    errno = e;
    return ens_fail_errno(err, ENS_EIO, "cannot write %s at byte %" PRIu64,
                          path, at);
}

enum ens_status ens_array_write(int fd, uint64_t data_offset, size_t size,
                                uint64_t first, uint64_t n, const void *data,
                                struct ens_io *io, struct ens_error *err)
{
    return write_all(fd, data_offset + first * size, data, (size_t)n * size, io,
                     err);
}

enum ens_status ens_array_fill(int fd, uint64_t data_offset,
                               enum ens_dtype dtype, uint64_t first, uint64_t n,
                               struct ens_io *io, struct ens_error *err)
{
    /* The quiet NaN that numpy writes; all bits fixed, for equal files. */
    uint64_t word = dtype == ENS_DT_F64 ? UINT64_C(0x7ff8000000000000) : 0;
    size_t cap = n < FILL_BYTES / 8 ? (size_t)n : FILL_BYTES / 8;
    struct ens_buf b = ENS_BUF_INIT;
    enum ens_status s = ENS_OK;

    for (size_t i = 0; i < cap; i++)
        ens_buf_u64(&b, word);
    if (b.failed)
        s = ens_fail(err, ENS_ENOMEMORY, "fill of %" PRIu64 " elements", n);
    for (uint64_t k = 0; k < n && s == ENS_OK; k += cap) {
        uint64_t m = n - k < cap ? n - k : cap;

        s = ens_array_write(fd, data_offset, 8, first + k, m, b.data, io, err);
    }
    ens_buf_fini(&b);
    return s;
}

/* posix_fallocate's way (an error number) and the system call's (-1). */
static enum ens_status allocate(int fd, uint64_t n, struct ens_io *io,
                                struct ens_error *err)
{
    int r;

    do
        r = io->allocate(io, fd, 0, (off_t)n);
    while (r == EINTR || (r < 0 && errno == EINTR));
    if (r == 0)
        return ENS_OK;
    if (r > 0)
        errno = r;
    return ens_fail_errno(err, ENS_EIO, "cannot allocate %" PRIu64 " bytes", n);
}

static enum ens_status fill_file(int fd, const struct ens_array_head *h,
                                 struct ens_io *io, struct ens_error *err)
{
    char bytes[ENS_ARRAY_HEAD_MAX];
    size_t n = ens_array_head_write(bytes, h->dtype, h->ndim, h->shape);
    enum ens_status s = allocate(fd, n + 8 * h->n, io, err);

    if (s == ENS_OK)
        s = write_all(fd, 0, bytes, n, io, err);
    if (s == ENS_OK && h->dtype == ENS_DT_F64) /* zeros are there already */
        s = ens_array_fill(fd, n, h->dtype, 0, h->n, io, err);
    if (s == ENS_OK && io->sync(io, fd) != 0)
        s = ens_fail_errno(err, ENS_EIO, "cannot sync");
    return s;
}

/* Filling takes long: the folder may have another owner by now. */
static int is_named(int fd, const char *path)
{
    struct stat a, b;

    return fstat(fd, &a) == 0 && stat(path, &b) == 0 && a.st_ino == b.st_ino &&
           a.st_dev == b.st_dev;
}

static enum ens_status make_file(const char *path,
                                 const struct ens_array_head *h,
                                 struct ens_io *io, struct ens_error *err)
{
    char tmp[PATH_MAX];
    enum ens_status s;
    int fd;

    if (snprintf(tmp, sizeof(tmp), "%s.tmp", path) >= (int)sizeof(tmp))
        return ens_fail(err, ENS_EIO, "%s: path too long", path);
    fd = ens_file_new(tmp);
    if (fd < 0)
        return ens_fail_errno(err, ENS_EIO, "cannot create %s", tmp);
    s = fill_file(fd, h, io, err);
    if (!is_named(fd, tmp)) {
        close(fd);
        return ens_fail(err, ENS_ELOCKED, "%s: another run makes it", path);
    }
    close(fd);
    if (s == ENS_OK && rename(tmp, path) != 0)
        s = ens_fail_errno(err, ENS_EIO, "cannot rename it");
    if (s != ENS_OK) {
        unlink(tmp);
        return ens_wrap(err, s, "%s", path);
    }
    return ENS_OK;
}

/* ENS_ENOTFOUND when there is no such file. */
static enum ens_status check_file(const char *path,
                                  const struct ens_array_head *want,
                                  struct ens_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct ens_array_head h;
    enum ens_status s;

    if (fd < 0)
        return errno == ENOENT
                   ? ENS_ENOTFOUND
                   : ens_fail_errno(err, ENS_EIO, "cannot open %s", path);
    s = ens_array_head_read(fd, path, &h, err);
    close(fd);
    if (s != ENS_OK)
        return s;
    if (h.dtype != want->dtype || h.ndim != want->ndim ||
        memcmp(h.shape, want->shape, sizeof(h.shape)) != 0)
        return ens_fail(err, ENS_ECORRUPT,
                        "%s: an array of another type or shape is in the way",
                        path);
    return ENS_OK;
}

/* Back from arrays/unused; ENS_ENOTFOUND when it is not there. */
static enum ens_status take_back(const char *unused, const char *path,
                                 const struct ens_array_head *h,
                                 struct ens_error *err)
{
    enum ens_status s = check_file(unused, h, err);

    if (s != ENS_OK)
        return s;
    if (rename(unused, path) != 0)
        return ens_fail_errno(err, ENS_EIO, "cannot rename %s", unused);
    return ENS_OK;
}

enum ens_status ens_array_settle(const char *dir, struct ens_error *err)
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof(path), "%s/arrays/", dir) >= (int)sizeof(path))
        return ens_fail(err, ENS_EIO, "%s: path too long", dir);
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return ENS_OK; /* none was created */
    return ens_file_sync_parent(path, err);
}

enum ens_status ens_array_create(const char *dir, const char *name,
                                 uint64_t cell_id, enum ens_dtype dtype,
                                 uint32_t ndim, const uint64_t *shape,
                                 struct ens_io *io, int *created,
                                 struct ens_error *err)
{
    struct ens_array_head h = {dtype, ndim, {0}, 0, 0};
    char path[PATH_MAX], unused[PATH_MAX];
    enum ens_status s;

    ENS_BUG_ON(dtype != ENS_DT_F64 && dtype != ENS_DT_I64);
    ENS_BUG_ON(ndim > ENS_MAX_NDIM);
    memcpy(h.shape, shape, ndim * sizeof(*shape));
    if (ens_array_count(shape, ndim, &h.n) != 0)
        return ens_fail(err, ENS_ESTUDY, "array %s: too many elements", name);
    s = path_of(path, dir, "arrays", name, cell_id, err);
    if (s == ENS_OK)
        s = path_of(unused, dir, "arrays/unused", name, cell_id, err);
    if (s == ENS_OK)
        s = check_file(path, &h, err);
    if (s == ENS_ENOTFOUND)
        s = take_back(unused, path, &h, err);
    if (s == ENS_OK)
        *created = 0;
    if (s != ENS_ENOTFOUND)
        return s;
    *strrchr(path, '/') = '\0';
    s = ens_file_mkdirs(path, err);
    path[strlen(path)] = '/';
    if (s == ENS_OK)
        s = make_file(path, &h, io != NULL ? io : ens_io_default(), err);
    if (s == ENS_OK)
        *created = 1;
    return s;
}

/* -- using --------------------------------------------------------------- */
static enum ens_status open_file(const char *dir, const char *folder,
                                 const char *name, uint64_t cell_id, int flags,
                                 int *fd, struct ens_array_head *h,
                                 struct ens_error *err)
{
    char path[PATH_MAX];
    enum ens_status s = path_of(path, dir, folder, name, cell_id, err);
    int f;

    if (s != ENS_OK)
        return s;
    f = open(path, flags | O_CLOEXEC);
    if (f < 0)
        return ens_fail_errno(err, errno == ENOENT ? ENS_ENOTFOUND : ENS_EIO,
                              "cannot open %s", path);
    s = ens_array_head_read(f, path, h, err);
    if (s != ENS_OK) {
        close(f);
        return s;
    }
    *fd = f;
    return ENS_OK;
}

enum ens_status ens_array_open(const char *dir, const char *name,
                               uint64_t cell_id, int *fd, uint64_t *data_offset,
                               struct ens_error *err)
{
    struct ens_array_head h;
    enum ens_status s =
        open_file(dir, "arrays", name, cell_id, O_RDWR, fd, &h, err);

    if (s == ENS_OK)
        *data_offset = h.data_offset;
    return s;
}

static void make_view(struct ens_view *view, const struct ens_array_head *h,
                      const void *base)
{
    int64_t stride = 8;

    memset(view, 0, sizeof(*view));
    view->data = (const char *)base + h->data_offset;
    view->dtype = h->dtype;
    view->ndim = h->ndim;
    for (uint32_t i = h->ndim; i-- > 0;) {
        view->shape[i] = h->shape[i];
        view->strides[i] = stride;
        stride *= (int64_t)h->shape[i];
    }
}

static enum ens_status map_fd(int fd, const struct ens_array_head *h,
                              const char *name, struct ens_view *view,
                              void **base, uint64_t *map_bytes,
                              struct ens_error *err)
{
    uint64_t n = h->data_offset + 8 * h->n;
    void *p = mmap(NULL, (size_t)n, PROT_READ, MAP_SHARED, fd, 0);

    close(fd);
    if (p == MAP_FAILED)
        return ens_fail_errno(err, ENS_EIO, "cannot map array %s", name);
    make_view(view, h, p);
    *base = p;
    *map_bytes = n;
    return ENS_OK;
}

enum ens_status ens_array_map(const char *dir, const char *name,
                              uint64_t cell_id, struct ens_view *view,
                              void **base, uint64_t *map_bytes,
                              struct ens_error *err)
{
    struct ens_array_head h;
    int fd = -1;
    enum ens_status s =
        open_file(dir, "arrays", name, cell_id, O_RDONLY, &fd, &h, err);

    return s == ENS_OK ? map_fd(fd, &h, name, view, base, map_bytes, err) : s;
}

static enum ens_status open_any(const char *dir, const char *name,
                                uint64_t cell_id, int *fd,
                                struct ens_array_head *h, struct ens_error *err)
{
    struct ens_error why = {0}; /* err is left alone where it is found */
    enum ens_status s =
        open_file(dir, "arrays", name, cell_id, O_RDONLY, fd, h, &why);

    if (s == ENS_ENOTFOUND && open_file(dir, "arrays/unused", name, cell_id,
                                        O_RDONLY, fd, h, NULL) == ENS_OK)
        return ENS_OK;
    if (s != ENS_OK && err != NULL)
        *err = why;
    return s;
}

enum ens_status ens_array_map_any(const char *dir, const char *name,
                                  uint64_t cell_id, struct ens_view *view,
                                  void **base, uint64_t *map_bytes,
                                  struct ens_error *err)
{
    struct ens_array_head h;
    int fd = -1;
    enum ens_status s = open_any(dir, name, cell_id, &fd, &h, err);

    return s == ENS_OK ? map_fd(fd, &h, name, view, base, map_bytes, err) : s;
}

enum ens_status ens_array_open_any(const char *dir, const char *name,
                                   uint64_t cell_id, int *fd,
                                   struct ens_error *err)
{
    struct ens_array_head h;

    return open_any(dir, name, cell_id, fd, &h, err);
}

void ens_array_unmap(void *base, uint64_t map_bytes)
{
    if (base != NULL)
        munmap(base, (size_t)map_bytes);
}

/* -- retiring ------------------------------------------------------------ */
/* "NAME.0123456789abcdef.npy" and then `tail`; the name ends in `file`. */
static int split_name(const char *file, const char *tail, char *name,
                      size_t cap, uint64_t *id)
{
    size_t n = strlen(file), fixed = 1 + 16 + strlen(tail);

    if (n <= fixed || n - fixed >= cap || file[n - fixed] != '.' ||
        strcmp(file + n - strlen(tail), tail) != 0)
        return -1;
    *id = 0;
    for (size_t i = n - fixed + 1; i < n - strlen(tail); i++) {
        int c = file[i];

        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f'))
            return -1;
        *id = *id << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    memcpy(name, file, n - fixed);
    name[n - fixed] = '\0';
    return 0;
}

static enum ens_status retire_one(const char *dir, const char *file,
                                  struct ens_error *err)
{
    char from[PATH_MAX], to[PATH_MAX];
    enum ens_status s;

    if (snprintf(from, sizeof(from), "%s/arrays/%s", dir, file) >= PATH_MAX ||
        snprintf(to, sizeof(to), "%s/arrays/unused", dir) >= PATH_MAX)
        return ens_fail(err, ENS_EIO, "%s: path too long", dir);
    s = ens_file_mkdirs(to, err);
    if (s != ENS_OK)
        return s;
    if (snprintf(to, sizeof(to), "%s/arrays/unused/%s", dir, file) >= PATH_MAX)
        return ens_fail(err, ENS_EIO, "%s: path too long", dir);
    if (rename(from, to) != 0)
        return ens_fail_errno(err, ENS_EIO, "cannot rename %s", from);
    return ENS_OK;
}

enum ens_status ens_array_retire(const char *dir,
                                 int (*kept)(void *arg, const char *name,
                                             uint64_t cell_id),
                                 void *arg, struct ens_error *err)
{
    char path[PATH_MAX], name[NAME_MAX + 1];
    enum ens_status s = ENS_OK;
    uint64_t id;
    DIR *d;

    if (snprintf(path, sizeof(path), "%s/arrays", dir) >= PATH_MAX)
        return ens_fail(err, ENS_EIO, "%s: path too long", dir);
    d = opendir(path);
    if (d == NULL)
        return errno == ENOENT
                   ? ENS_OK
                   : ens_fail_errno(err, ENS_EIO, "cannot read %s", path);
    for (struct dirent *e; s == ENS_OK && (e = readdir(d)) != NULL;) {
        if (split_name(e->d_name, ".npy.tmp", name, sizeof(name), &id) == 0) {
            if (!kept(arg, name, id)) /* left by a killed run */
                unlinkat(dirfd(d), e->d_name, 0);
            continue;
        }
        if (split_name(e->d_name, ".npy", name, sizeof(name), &id) == 0 &&
            !kept(arg, name, id))
            s = retire_one(dir, e->d_name, err);
    }
    closedir(d);
    return s;
}

enum ens_status ens_array_drop(const char *dir, const char *name,
                               uint64_t cell_id, struct ens_error *err)
{
    static const char *const folder[] = {"arrays", "arrays/unused"};
    char path[PATH_MAX];
    enum ens_status s = ENS_OK;

    for (size_t i = 0; s == ENS_OK && i < ENS_COUNT(folder); i++) {
        s = path_of(path, dir, folder[i], name, cell_id, err);
        if (s == ENS_OK && unlink(path) != 0 && errno != ENOENT)
            s = ens_fail_errno(err, ENS_EIO, "cannot remove %s", path);
    }
    return s;
}

static enum ens_status remove_from(const char *path,
                                   int (*gone)(void *arg, const char *name,
                                               uint64_t cell_id),
                                   void *arg, struct ens_error *err)
{
    char name[NAME_MAX + 1];
    enum ens_status s = ENS_OK;
    uint64_t id;
    DIR *d = opendir(path);

    if (d == NULL)
        return errno == ENOENT
                   ? ENS_OK
                   : ens_fail_errno(err, ENS_EIO, "cannot read %s", path);
    for (struct dirent *e; s == ENS_OK && (e = readdir(d)) != NULL;) {
        if (split_name(e->d_name, ".npy", name, sizeof(name), &id) != 0 &&
            split_name(e->d_name, ".npy.tmp", name, sizeof(name), &id) != 0)
            continue;
        if (gone(arg, name, id) && unlinkat(dirfd(d), e->d_name, 0) != 0 &&
            errno != ENOENT)
            s = ens_fail_errno(err, ENS_EIO, "cannot remove %s/%s", path,
                               e->d_name);
    }
    closedir(d);
    return s;
}

enum ens_status ens_array_remove(const char *dir,
                                 int (*gone)(void *arg, const char *name,
                                             uint64_t cell_id),
                                 void *arg, struct ens_error *err)
{
    static const char *const folder[] = {"arrays", "arrays/unused"};
    char path[PATH_MAX];
    enum ens_status s = ENS_OK;

    for (size_t i = 0; s == ENS_OK && i < ENS_COUNT(folder); i++) {
        if (snprintf(path, sizeof(path), "%s/%s", dir, folder[i]) >= PATH_MAX)
            return ens_fail(err, ENS_EIO, "%s: path too long", dir);
        s = remove_from(path, gone, arg, err);
    }
    return s;
}
