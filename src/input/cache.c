#include "input/cache.h"

#include "base/buf.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAX_BYTES  ((size_t)512 * 1024)
#define WORDS      8
#define LINE_BYTES ((size_t)WORDS * 17) /* 16 digits and a blank or a LF */

int ens_cache_path(char *to, size_t cap, const char *name)
{
    const char *own = getenv("ENSRUN_CACHE");
    const char *xdg = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    int n = -1;

    if (own != NULL && *own != '\0')
        n = snprintf(to, cap, "%s/%s", own, name);
    else if (xdg != NULL && *xdg == '/')
        n = snprintf(to, cap, "%s/ensrun/%s", xdg, name);
    else if (home != NULL && *home == '/')
        n = snprintf(to, cap, "%s/.cache/ensrun/%s", home, name);
    return n < 0 || (size_t)n >= cap ? -1 : 0;
}

static void make_line(char *to, const struct ens_file_id *id,
                      const struct ens_hash128 *d)
{
    uint64_t word[WORDS] = {id->device,
                            id->inode,
                            id->size,
                            (uint64_t)id->mtime_ns,
                            (uint64_t)id->ctime_ns,
                            d->low,
                            d->high,
                            0};

    for (size_t i = 0; i < WORDS; i++) {
        if (i == WORDS - 1)
            word[i] = ens_hash64(to, 17 * i);
        ens_hex64(to + 17 * i, word[i]);
        to[17 * i + 16] = i == WORDS - 1 ? '\n' : ' ';
    }
}

static int read_hex(const char *s, uint64_t *v)
{
    *v = 0;
    for (int i = 0; i < 16; i++) {
        const char *digits = "0123456789abcdef";
        const char *d = s[i] == '\0' ? NULL : strchr(digits, s[i]);

        if (d == NULL)
            return -1;
        *v = *v << 4 | (uint64_t)(d - digits);
    }
    return 0;
}

/* Lines are all of one length, but a torn one may have shifted the rest:
 * the caller goes by line feeds. */
static int parse_line(const char *s, const char *wanted, struct ens_hash128 *d)
{
    struct ens_hash128 r;
    uint64_t check;

    if (memcmp(s, wanted, (size_t)17 * 5) != 0 ||
        read_hex(s + 17 * 5, &r.low) != 0 ||
        read_hex(s + 17 * 6, &r.high) != 0 ||
        read_hex(s + 17 * 7, &check) != 0 ||
        check != ens_hash64(s, (size_t)17 * 7))
        return 0;
    *d = r;
    return 1;
}

int ens_cache_get_digest(const struct ens_file_id *id, struct ens_hash128 *d)
{
    struct ens_buf b = ENS_BUF_INIT;
    struct ens_hash128 none = {0, 0};
    char path[PATH_MAX];
    char wanted[LINE_BYTES + 1];
    int found = 0;
    const char *p;

    if (ens_cache_path(path, sizeof(path), "digests") != 0 ||
        ens_file_read(&b, path, 4 * MAX_BYTES, NULL) != ENS_OK) {
        ens_buf_fini(&b);
        return 0;
    }
    make_line(wanted, id, &none);
    p = (const char *)b.data;
    for (size_t left = b.len; left > 0;) {
        const char *lf = memchr(p, '\n', left);
        size_t n = lf == NULL ? left : (size_t)(lf - p) + 1;

        if (n == LINE_BYTES && parse_line(p, wanted, d))
            found = 1;
        p += n;
        left -= n;
    }
    ens_buf_fini(&b);
    return found;
}

/* mkdir -p of the folder of path; the last one is the user's own. */
static int make_folder(const char *path)
{
    char dir[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t n = slash == NULL ? 0 : (size_t)(slash - path);

    if (n == 0 || n >= sizeof(dir))
        return -1;
    memcpy(dir, path, n);
    dir[n] = '\0';
    if (mkdir(dir, 0700) == 0 || errno == EEXIST)
        return 0;
    return ens_file_mkdirs(dir, NULL) == ENS_OK ? 0 : -1;
}

int ens_cache_create(const char *path, char *temporary, size_t cap)
{
    int n = snprintf(temporary, cap, "%s.XXXXXX", path);
    int fd;

    if (n < 0 || (size_t)n >= cap) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (make_folder(path) != 0)
        return -1;
    fd = ens_file_nameless(path, 0600);
    if (fd < 0)
        return mkostemp(temporary, O_CLOEXEC);
    temporary[0] = '\0';
    return fd;
}

int ens_cache_scratch(const char *folder)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s/.ensrun.XXXXXX", folder);
    int fd;

    if (n < 0 || (size_t)n >= sizeof(path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = ens_file_nameless(path, 0600);
    if (fd >= 0)
        return fd;
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

/* The file without a name gets one beside path. */
static int give_name(int fd, char *name, size_t cap, const char *path)
{
    int n = snprintf(name, cap, "%s", path);

    if (n < 0 || (size_t)n >= cap) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return ens_file_name(fd, name, cap);
}

int ens_cache_commit(int fd, const char *temporary, const char *path)
{
    char name[PATH_MAX];
    int e;

    if (*temporary == '\0' && give_name(fd, name, sizeof(name), path) != 0)
        return -1;
    if (*temporary == '\0')
        temporary = name;
    if (fsync(fd) == 0 && rename(temporary, path) == 0) {
        (void)ens_file_sync_parent(path, NULL);
        return 0;
    }
    e = errno;
    unlink(temporary);
    errno = e;
    return -1;
}

static void shorten(const char *path)
{
    struct ens_buf b = ENS_BUF_INIT;
    char temporary[PATH_MAX];
    const unsigned char *from;
    int fd;

    if (ens_file_read(&b, path, 4 * MAX_BYTES, NULL) != ENS_OK)
        b.len = 0; /* far too long: begin anew */
    fd = ens_cache_create(path, temporary, sizeof(temporary));
    if (fd >= 0) {
        size_t skip = b.len / 2;

        from = b.len == 0 ? NULL : memchr(b.data + skip, '\n', b.len - skip);
        if (from != NULL &&
            ens_write_all(fd, from + 1,
                          (size_t)(b.data + b.len - (from + 1))) != 0)
            unlink(temporary);
        else
            (void)ens_cache_commit(fd, temporary, path);
        close(fd);
    }
    ens_buf_fini(&b);
}

void ens_cache_put_digest(const struct ens_file_id *id,
                          const struct ens_hash128 *d)
{
    char path[PATH_MAX];
    char line[LINE_BYTES + 1];
    struct stat st;
    int fd;

    if (ens_cache_path(path, sizeof(path), "digests") != 0 ||
        make_folder(path) != 0)
        return;
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    make_line(line, id, d);
    if (write(fd, line, LINE_BYTES) != (ssize_t)LINE_BYTES)
        (void)!write(fd, "\n", 1); /* full disk: end the torn line */
    if (fstat(fd, &st) == 0 && (size_t)st.st_size > MAX_BYTES)
        shorten(path);
    close(fd);
}

int ens_cache_is_settled(const struct ens_file_id *id)
{
    struct timespec now;
    /* stamps of whole seconds are those of a coarse file system (2 s on
     * FAT); others move with the kernel's tick, at most 10 ms */
    int64_t step = id->ctime_ns % 1000000000 == 0 ? 2000000000 : 20000000;
    int64_t now_ns;

    clock_gettime(CLOCK_REALTIME, &now);
    now_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    return id->ctime_ns + step < now_ns && id->mtime_ns + step < now_ns;
}
