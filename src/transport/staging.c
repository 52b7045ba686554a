#include "transport/staging.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define PART_BYTES   ((size_t)4 << 20)
#define WAIT_NS      10000000L
#define WAIT_SECONDS 600.0
#define SLOWEST      10e6 /* bytes/s of a copy that is still waited for */

/* Where the ranks of a host meet: $TMPDIR/ensrun-in-RUN. */
static enum ens_status folder(char to[PATH_MAX], const struct ens_staging *s,
                              struct ens_error *err)
{
    const char *tmp = getenv("TMPDIR");
    char hex[ENS_HEX64_BYTES];
    struct stat st;

    ens_hex64(hex, s->run_id);
    if (tmp == NULL || tmp[0] != '/')
        tmp = "/tmp";
    if (snprintf(to, PATH_MAX, "%s/ensrun-in-%s", tmp, hex) >= PATH_MAX - 64)
        return ens_fail(err, ENS_EIO, "%s: path too long", tmp);
    if (mkdir(to, 0700) != 0 && errno != EEXIST)
        return ens_fail_errno(err, ENS_EIO, "cannot make %s", to);
    if (lstat(to, &st) != 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid() ||
        (st.st_mode & 077) != 0)
        return ens_fail(err, ENS_EIO, "%s is not this user's own folder", to);
    return ENS_OK;
}

/* -- the rank that copies ----------------------------------------------------
 */

static enum ens_status check_room(const char *dir, uint64_t bytes,
                                  const char *name, struct ens_error *err)
{
    struct statvfs v;

    if (statvfs(dir, &v) == 0 && (uint64_t)v.f_bavail * v.f_frsize < bytes)
        return ens_fail(err, ENS_ENOSPACE,
                        "input %s: no room for a copy of %llu bytes in %s "
                        "(TMPDIR, or [run] stage_inputs = no)",
                        name, (unsigned long long)bytes, dir);
    return ENS_OK;
}

/* Without a name where the file system can do that. */
static int create(const char *dir, char path[PATH_MAX], size_t i)
{
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    path[0] = '\0';
    if (fd >= 0)
        return fd;
    snprintf(path, PATH_MAX, "%.4000s/%zu.part", dir, i);
    return open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

/* Hash of all bytes of `from`, which are written to `to` unless it is -1. */
static int pass(int from, int to, uint64_t bytes, unsigned char *part,
                struct ens_hasher *h, uint64_t *hash)
{
    ens_hasher_begin(h);
    for (uint64_t at = 0; at < bytes;) {
        uint64_t left = bytes - at;
        size_t n = left < PART_BYTES ? (size_t)left : PART_BYTES;

        if (ens_read_all(from, part, n, at) != 0 ||
            (to >= 0 && ens_write_all(to, part, n) != 0))
            return -1;
        ens_hasher_put(h, part, n);
        at += n;
    }
    *hash = ens_hasher_end(h);
    return 0;
}

static enum ens_status copy(const struct ens_mapped *m, int to, uint64_t bytes,
                            struct ens_error *err)
{
    struct ens_hasher *h = ens_hasher_new();
    unsigned char *part = malloc(PART_BYTES);
    uint64_t read = 0, written = 0;
    enum ens_status s = ENS_OK;

    if (h == NULL || part == NULL)
        s = ens_fail(err, ENS_ENOMEMORY, "out of memory");
    else if (pass(m->fd, to, bytes, part, h, &read) != 0 ||
             pass(to, -1, bytes, part, h, &written) != 0)
        s = ens_fail_errno(err, ENS_EIO, "input %s: cannot copy %s",
                           m->input.name, m->source);
    else if (read != written)
        s = ens_fail(err, ENS_EIO, "input %s: its copy reads back otherwise",
                     m->input.name);
    ens_hasher_free(h);
    free(part);
    return s;
}

/* A name for each of the others, which it takes away again. */
static enum ens_status hand_out(const struct ens_staging *s, const char *dir,
                                size_t i, int fd, struct ens_error *err)
{
    char self[64], path[PATH_MAX];

    snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
    for (uint32_t k = 1; k < s->n; k++) {
        snprintf(path, sizeof(path), "%.4000s/%zu.%u", dir, i, k);
        if (linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW) != 0)
            return ens_fail_errno(err, ENS_EIO, "cannot create %s", path);
    }
    return ENS_OK;
}

static enum ens_status make(const struct ens_staging *s, const char *dir,
                            size_t i, const struct ens_mapped *m, int *fd,
                            struct ens_error *err)
{
    char path[PATH_MAX], self[64];
    struct stat st;
    enum ens_status status;
    int to;

    if (fstat(m->fd, &st) != 0)
        return ens_fail_errno(err, ENS_EIO, "cannot look at %s", m->source);
    status = check_room(dir, (uint64_t)st.st_size, m->input.name, err);
    if (status != ENS_OK)
        return status;
    to = create(dir, path, i);
    if (to < 0)
        return ens_fail_errno(err, ENS_EIO, "cannot create a file in %s", dir);
    status = copy(m, to, (uint64_t)st.st_size, err);
    if (status == ENS_OK)
        status = hand_out(s, dir, i, to, err);
    if (path[0] != '\0')
        unlink(path);
    snprintf(self, sizeof(self), "/proc/self/fd/%d", to);
    *fd = status == ENS_OK ? open(self, O_RDONLY | O_CLOEXEC) : -1;
    close(to);
    if (status == ENS_OK && *fd < 0)
        status = ens_fail_errno(err, ENS_EIO, "cannot open the copy of %s",
                                m->source);
    return status;
}

/* -- the others ---------------------------------------------------------------
 */

static enum ens_status get(const struct ens_staging *s, const char *dir,
                           size_t i, const struct ens_mapped *m, int *fd,
                           struct ens_error *err)
{
    const struct timespec pause = {0, WAIT_NS};
    uint64_t start = ens_clock_ns();
    double patience = WAIT_SECONDS + (double)m->map_bytes / SLOWEST;
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%.4000s/%zu.%u", dir, i, s->index);
    while ((*fd = open(path, O_RDONLY | O_CLOEXEC)) < 0) {
        if (errno != ENOENT)
            return ens_fail_errno(err, ENS_EIO, "cannot open %s", path);
        if ((double)(ens_clock_ns() - start) > patience * 1e9)
            return ens_fail(err, ENS_EIO,
                            "input %s: no copy in %s after %.0f s (have all "
                            "ranks of this host the same TMPDIR?)",
                            m->input.name, dir, patience);
        nanosleep(&pause, NULL);
    }
    unlink(path);
    return ENS_OK;
}

enum ens_status ens_stage_input(const struct ens_staging *s, size_t i,
                                const struct ens_mapped *m, int *fd,
                                struct ens_error *err)
{
    char dir[PATH_MAX];
    enum ens_status status = folder(dir, s, err);

    if (status != ENS_OK)
        return status;
    return s->index == 0 ? make(s, dir, i, m, fd, err)
                         : get(s, dir, i, m, fd, err);
}

void ens_staging_done(const struct ens_staging *s)
{
    char dir[PATH_MAX];

    if (s->n > 0 && folder(dir, s, NULL) == ENS_OK)
        rmdir(dir); /* while others wait for theirs it is not empty */
}
