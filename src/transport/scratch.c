#include "transport/scratch.h"

#include "base/file.h"
#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const sub[] = {"arrays", "artifacts"};

static enum ens_status join(const char *dir, struct ens_relay_opened *o,
                            struct ens_error *err)
{
    struct stat st;

    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return ens_fail_errno(err, ENS_EIO, "cannot make %s", dir);
    if (lstat(dir, &st) != 0)
        return ens_fail_errno(err, ENS_EIO, "cannot look at %s", dir);
    if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() ||
        (st.st_mode & 077) != 0)
        return ens_fail(err, ENS_EIO, "%s is not this user's own folder", dir);
    o->dev = st.st_dev;
    o->ino = st.st_ino;
    return ENS_OK;
}

enum ens_status ens_scratch_make(char *dir, size_t cap, uint64_t run_id,
                                 struct ens_relay_opened *o,
                                 struct ens_error *err)
{
    const char *tmp = getenv("TMPDIR");
    char hex[ENS_HEX64_BYTES];
    char path[PATH_MAX];
    enum ens_status s;
    int n;

    ens_hex64(hex, run_id);
    if (tmp == NULL || tmp[0] != '/')
        tmp = "/tmp";
    n = snprintf(dir, cap, "%s/ensrun-%s", tmp, hex);
    if (n < 0 || (size_t)n >= cap)
        return ens_fail(err, ENS_EIO, "%s: path too long", tmp);
    s = join(dir, o, err);
    for (size_t i = 0; s == ENS_OK && i < 2; i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, sub[i]);
        if (mkdir(path, 0700) != 0 && errno != EEXIST)
            s = ens_fail_errno(err, ENS_EIO, "cannot make %s", path);
    }
    return s;
}

enum ens_status ens_scratch_write(const char *dir,
                                  const struct ens_relay_file *f,
                                  struct ens_error *err)
{
    char path[PATH_MAX];
    size_t at = 0;
    int fd;

    if (snprintf(path, sizeof(path), "%s/%s", dir, f->path) >=
        (int)sizeof(path))
        return ens_fail(err, ENS_EIO, "%s: path too long", dir);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    while (fd >= 0 && at < f->n) {
        ssize_t k =
            pwrite(fd, f->data + at, f->n - at, (off_t)(f->offset + at));

        if (k < 0 && errno != EINTR)
            break;
        at += k > 0 ? (size_t)k : 0;
    }
    if (fd < 0 || at < f->n)
        ens_fail_errno(err, ENS_EIO, "cannot write %s", path);
    if (fd >= 0)
        close(fd);
    return fd >= 0 && at == f->n ? ENS_OK : (enum ens_status)err->status;
}

void ens_scratch_forget(const char *dir)
{
    char path[PATH_MAX];

    for (size_t i = 0; i < 2; i++)
        if (snprintf(path, sizeof(path), "%s/%s", dir, sub[i]) <
            (int)sizeof(path))
            ens_file_empty(path, NULL);
}

void ens_scratch_remove(const char *dir)
{
    if (ens_file_empty(dir, NULL) == ENS_OK)
        rmdir(dir);
}
