#include "transport/scratch.h"

#include "base/file.h"
#include "base/folder.h"
#include "base/hash.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX "ensrun-"

static const char *const sub[] = {"arrays", "artifacts"};

static int is_own(const char *dir)
{
    struct stat st;

    return lstat(dir, &st) == 0 && S_ISDIR(st.st_mode) &&
           st.st_uid == geteuid() && (st.st_mode & 077) == 0;
}

/* -- what others have left
 * ----------------------------------------------------- */

/* "-" and 16 hex digits of the host: a folder of several hosts is no matter of
 * this one's. */
static void host_part(char to[ENS_HEX64_BYTES + 1])
{
    char host[256] = "";

    gethostname(host, sizeof(host) - 1);
    to[0] = '-';
    ens_hex64(to + 1, ens_hash64(host, strlen(host)));
}

static int is_scratch(const char *name, const char *host)
{
    return strncmp(name, PREFIX, strlen(PREFIX)) == 0 &&
           strspn(name + strlen(PREFIX), "0123456789abcdef") == 16 &&
           strcmp(name + strlen(PREFIX) + 16, host) == 0;
}

static void remove_if_free(const char *dir)
{
    int fd = is_own(dir) ? ens_folder_take(dir) : -1;

    if (fd < 0)
        return;
    ens_scratch_remove(dir);
    close(fd);
}

static void remove_free_ones(const char *tmp, const char *host)
{
    char path[PATH_MAX];
    const struct dirent *e;
    DIR *d = opendir(tmp);

    while (d != NULL && (e = readdir(d)) != NULL)
        if (is_scratch(e->d_name, host) &&
            snprintf(path, sizeof(path), "%s/%s", tmp, e->d_name) <
                (int)sizeof(path))
            remove_if_free(path);
    if (d != NULL)
        closedir(d);
}

/* -- our own ------------------------------------------------------------------
 */

/* Another rank that starts may remove it before it is held. */
static enum ens_status join(const char *dir, int *hold, struct ens_error *err)
{
    do {
        if (mkdir(dir, 0700) != 0 && errno != EEXIST)
            return ens_fail_errno(err, ENS_EIO, "cannot make %s", dir);
        *hold = ens_folder_hold(dir);
    } while (*hold < 0 && errno == ENOENT);
    if (*hold < 0)
        return ens_fail_errno(err, ENS_EIO, "cannot open %s", dir);
    if (is_own(dir))
        return ENS_OK;
    close(*hold);
    *hold = -1;
    return ens_fail(err, ENS_EIO, "%s is not this user's own folder", dir);
}

static enum ens_status fill(const char *dir, struct ens_relay_opened *o,
                            struct ens_error *err)
{
    char path[PATH_MAX];
    struct stat st;

    if (stat(dir, &st) != 0)
        return ens_fail_errno(err, ENS_EIO, "cannot look at %s", dir);
    o->dev = st.st_dev;
    o->ino = st.st_ino;
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), "%.4000s/%s", dir, sub[i]);
        if (mkdir(path, 0700) != 0 && errno != EEXIST)
            return ens_fail_errno(err, ENS_EIO, "cannot make %s", path);
    }
    return ENS_OK;
}

enum ens_status ens_scratch_make(char *dir, size_t cap, uint64_t run_id,
                                 struct ens_relay_opened *o, int *hold,
                                 struct ens_error *err)
{
    const char *tmp = getenv("TMPDIR");
    char hex[ENS_HEX64_BYTES], host[ENS_HEX64_BYTES + 1];
    enum ens_status s;
    int n;

    host_part(host);
    ens_hex64(hex, run_id);
    if (tmp == NULL || tmp[0] != '/')
        tmp = "/tmp";
    n = snprintf(dir, cap, "%s/" PREFIX "%s%s", tmp, hex, host);
    if (n < 0 || (size_t)n >= cap || n > 4000)
        return ens_fail(err, ENS_EIO, "%s: path too long", tmp);
    remove_free_ones(tmp, host);
    s = join(dir, hold, err);
    if (s != ENS_OK)
        return s;
    s = fill(dir, o, err);
    if (s != ENS_OK) {
        close(*hold);
        *hold = -1;
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
