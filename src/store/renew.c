#include "store/renew.h"

#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define COPY_BYTES 1048576u

static int copy_bytes(int from, int to)
{
    static const size_t part = COPY_BYTES;
    char bytes[65536];
    ssize_t n;

    /* the kernel copies, or shares blocks, where the file system lets it */
    while ((n = copy_file_range(from, NULL, to, NULL, part, 0)) > 0)
        ;
    if (n == 0)
        return 0;
    if (errno != EXDEV && errno != EINVAL && errno != EOPNOTSUPP &&
        errno != ENOSYS)
        return -1;
    while ((n = read(from, bytes, sizeof(bytes))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || ens_write_all(to, bytes, (size_t)n) != 0)
            return -1;
    }
    return 0;
}

static enum ens_status renew_file(const char *path, struct ens_error *err)
{
    char tmp[PATH_MAX];
    int from, to;
    int failed = 1;

    if (snprintf(tmp, sizeof(tmp), "%s.tmp", path) >= (int)sizeof(tmp))
        return ens_fail(err, ENS_EIO, "%s: path too long", path);
    from = open(path, O_RDONLY | O_CLOEXEC);
    to = ens_file_new(tmp);
    if (from >= 0 && to >= 0)
        failed = copy_bytes(from, to) != 0 || fsync(to) != 0 ||
                 rename(tmp, path) != 0;
    if (failed)
        ens_fail_errno(err, ENS_EIO, "cannot copy %s", path);
    if (from >= 0)
        close(from);
    if (to >= 0)
        close(to);
    if (failed)
        unlink(tmp);
    return failed ? (enum ens_status)err->status : ENS_OK;
}

enum ens_status ens_arrays_renew(const char *dir, struct ens_error *err)
{
    char path[PATH_MAX];
    enum ens_status s = ENS_OK;
    size_t n = (size_t)snprintf(path, sizeof(path), "%s/arrays", dir);
    DIR *d = n < sizeof(path) ? opendir(path) : NULL;
    struct dirent *e;

    if (d == NULL)
        return errno == ENOENT
                   ? ENS_OK
                   : ens_fail_errno(err, ENS_EIO, "cannot read %s/arrays", dir);
    while (s == ENS_OK && (e = readdir(d)) != NULL) {
        size_t k = strlen(e->d_name);

        if (k < 4 || strcmp(e->d_name + k - 4, ".npy") != 0 ||
            n + 1 + k >= sizeof(path))
            continue;
        snprintf(path + n, sizeof(path) - n, "/%s", e->d_name);
        s = renew_file(path, err);
    }
    closedir(d);
    return s == ENS_OK && path[n] == '/' ? ens_file_sync_parent(path, err) : s;
}
