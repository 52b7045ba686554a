#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static enum ens_status read_fd(struct ens_buf *b, int fd, const char *path,
                               size_t max, struct ens_error *err)
{
    size_t start = b->len;

    for (;;) {
        void *to = ens_buf_reserve(b, 65536);
        ssize_t n;

        if (to == NULL)
            return ens_fail(err, ENS_ENOMEMORY, "%s: out of memory", path);
        n = read(fd, to, 65536);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ens_fail_errno(err, ENS_EINPUT, "cannot read %s", path);
        if (n == 0)
            return ENS_OK;
        b->len += (size_t)n;
        if (b->len - start > max)
            return ens_fail(err, ENS_EINPUT, "%s: larger than %zu bytes", path,
                            max);
    }
}

enum ens_status ens_file_read(struct ens_buf *b, const char *path, size_t max,
                              struct ens_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    enum ens_status s;

    if (fd < 0)
        return ens_fail_errno(err, ENS_EINPUT, "cannot open %s", path);
    s = read_fd(b, fd, path, max, err);
    close(fd);
    return s;
}

int ens_write_all(int fd, const void *p, size_t n)
{
    const unsigned char *at = p;

    while (n > 0) {
        ssize_t k = write(fd, at, n);

        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return -1;
        at += k;
        n -= (size_t)k;
    }
    return 0;
}

int ens_read_all(int fd, void *to, size_t n, uint64_t at)
{
    for (size_t got = 0; got < n;) {
        ssize_t k = pread(fd, (char *)to + got, n - got, (off_t)(at + got));

        if (k < 0 && errno == EINTR)
            continue;
        if (k == 0)
            errno = EIO;
        if (k <= 0)
            return -1;
        got += (size_t)k;
    }
    return 0;
}

void ens_fd_path(int fd, char *to, size_t cap)
{
    char link[64];
    ssize_t n;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, to, cap - 1);
    to[n > 0 ? n : 0] = '\0';
}

enum ens_status ens_file_sync_parent(const char *path, struct ens_error *err)
{
    char dir[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t n = slash == NULL ? 0 : (size_t)(slash - path);
    int fd;
    int r;

    if (n >= sizeof(dir))
        return ens_fail(err, ENS_EIO, "%s: path too long", path);
    memcpy(dir, path, n);
    dir[n] = '\0';
    fd = open(slash == NULL ? "."
              : n == 0      ? "/"
                            : dir,
              O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return ens_fail_errno(err, ENS_EIO, "cannot open folder of %s", path);
    r = fsync(fd);
    close(fd);
    if (r != 0)
        return ens_fail_errno(err, ENS_EIO, "cannot sync folder of %s", path);
    return ENS_OK;
}

int ens_file_new(const char *path)
{
    if (unlink(path) != 0 && errno != ENOENT)
        return -1;
    return open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
}

enum ens_status ens_file_replace(const char *path, const void *p, size_t n,
                                 struct ens_error *err)
{
    char tmp[PATH_MAX];
    int fd;

    if (snprintf(tmp, sizeof(tmp), "%s.tmp", path) >= (int)sizeof(tmp))
        return ens_fail(err, ENS_EIO, "%s: path too long", path);
    fd = ens_file_new(tmp);
    if (fd < 0)
        return ens_fail_errno(err, ENS_EIO, "cannot create %s", tmp);
    if (ens_write_all(fd, p, n) != 0 || fsync(fd) != 0) {
        ens_fail_errno(err, ENS_EIO, "cannot write %s", tmp);
        close(fd);
        unlink(tmp);
        return err != NULL ? (enum ens_status)err->status : ENS_EIO;
    }
    close(fd);
    if (rename(tmp, path) != 0)
        return ens_fail_errno(err, ENS_EIO, "cannot rename %s", tmp);
    return ens_file_sync_parent(path, err);
}

enum ens_status ens_file_mkdirs(const char *path, struct ens_error *err)
{
    char tmp[PATH_MAX];
    size_t n = strlen(path);

    if (n == 0 || n >= sizeof(tmp))
        return ens_fail(err, ENS_EIO, "%s: path empty or too long", path);
    memcpy(tmp, path, n + 1);
    for (size_t i = 1; i <= n; i++) {
        if (tmp[i] != '/' && tmp[i] != '\0')
            continue;
        tmp[i] = '\0';
        if (mkdir(tmp, 0777) != 0 && errno != EEXIST)
            return ens_fail_errno(err, ENS_EIO, "cannot create folder %s", tmp);
        if (i < n)
            tmp[i] = '/';
    }
    return ENS_OK;
}

/* -- files without a name -------------------------------------------------- */

/* "." for a name without a folder. -1: too long. */
static int folder_of(const char *path, char dir[PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    size_t n = slash == NULL || slash == path ? 1 : (size_t)(slash - path);

    if (n >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(dir, slash == NULL ? "." : path, n);
    dir[n] = '\0';
    return 0;
}

int ens_file_nameless(const char *path, unsigned mode)
{
    char dir[PATH_MAX];

    if (folder_of(path, dir) != 0)
        return -1;
    return open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, (mode_t)mode);
}

int ens_file_link(int fd, const char *path)
{
    char link[64];

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    return linkat(AT_FDCWD, link, AT_FDCWD, path, AT_SYMLINK_FOLLOW);
}

int ens_file_name(int fd, char *path, size_t cap)
{
    size_t n = strlen(path);
    uint32_t r;

    for (int tries = 0; tries < 100; tries++) {
        if (getrandom(&r, sizeof(r), 0) != (ssize_t)sizeof(r))
            return -1;
        if (snprintf(path + n, cap - n, ".%08x", r) >= (int)(cap - n)) {
            errno = ENAMETOOLONG;
            return -1;
        }
        if (ens_file_link(fd, path) == 0)
            return 0;
        if (errno != EEXIST)
            break;
    }
    return -1;
}

/* -- emptying a folder ----------------------------------------------------- */

/* Mostly it is empty: 5 us against the 20 of a walk. */
static int has_entries(const char *dir)
{
    DIR *d = opendir(dir);
    const struct dirent *e;
    int n = 0;

    if (d == NULL)
        return -1;
    while (n == 0 && (e = readdir(d)) != NULL)
        n = strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(d);
    return n;
}

static int remove_one(const char *path, const struct stat *st, int type,
                      struct FTW *at)
{
    (void)st;
    if (at->level == 0)
        return 0;
    return type == FTW_DP || type == FTW_DNR ? rmdir(path) : unlink(path);
}

enum ens_status ens_file_empty(const char *dir, struct ens_error *err)
{
    int n = has_entries(dir);

    if (n == 0)
        return ENS_OK;
    if (n < 0 && errno == ENOENT)
        return ens_file_mkdirs(dir, err);
    if (n < 0 || nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
        return ens_fail_errno(err, ENS_EIO, "cannot empty %s", dir);
    return ENS_OK;
}
