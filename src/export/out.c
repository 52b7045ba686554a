#include "export/out.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OUT_BYTES ((size_t)256 << 10)

void ens_out_init(struct ens_out *o, int fd, const char *name)
{
    memset(o, 0, sizeof(*o));
    o->fd = fd;
    snprintf(o->path, sizeof(o->path), "%s", name);
}

enum ens_status ens_out_create(struct ens_out *o, const char *path,
                               struct ens_io *io, struct ens_error *err)
{
    struct stat st;
    int n;

    ens_out_init(o, -1, path);
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) /* a device, say */
        return ens_fail(err, ENS_EUSAGE,
                        "%s is not a regular file (standard output is -)",
                        path);
    n = snprintf(o->tmp, sizeof(o->tmp), "%s.tmp", path);
    if (n < 0 || (size_t)n >= sizeof(o->tmp))
        return ens_fail(err, ENS_EIO, "%s: path too long", path);
    o->io = io == NULL ? ens_io_default() : io;
    o->fd = ens_file_nameless(path, 0666);
    o->nameless = o->fd >= 0;
    if (o->fd < 0)
        o->fd = ens_file_new(o->tmp);
    if (o->fd < 0)
        return ens_fail_errno(err, ENS_EIO, "cannot create %s", o->tmp);
    return ENS_OK;
}

/* 0, or -1 with errno. */
static int hand_over(struct ens_out *o)
{
    if (o->io == NULL)
        return ens_write_all(o->fd, o->buf.data, o->buf.len);
    return ens_io_write_all(o->io, o->fd, o->buf.data, o->buf.len, o->at, NULL);
}

enum ens_status ens_out_flush(struct ens_out *o, struct ens_error *err)
{
    if (o->error.status == ENS_OK && o->buf.failed)
        ens_fail(&o->error, ENS_ENOMEMORY, "%s: out of memory", o->path);
    if (o->error.status == ENS_OK && hand_over(o) != 0)
        ens_fail_errno(&o->error, ENS_EIO, "cannot write %s", o->path);
    o->at += o->buf.len;
    ens_buf_clear(&o->buf);
    if (o->error.status != ENS_OK && err != NULL)
        *err = o->error;
    return (enum ens_status)o->error.status;
}

enum ens_status ens_out_patch(struct ens_out *o, uint64_t at, const void *p,
                              size_t n, struct ens_error *err)
{
    enum ens_status s = ens_out_flush(o, err);

    if (s != ENS_OK)
        return s;
    if (o->io == NULL || ens_io_write_all(o->io, o->fd, p, n, at, NULL) != 0)
        ens_fail_errno(&o->error, ENS_EIO, "cannot write %s", o->path);
    return ens_out_flush(o, err);
}

void ens_out_put(struct ens_out *o, const void *p, size_t n)
{
    ens_buf_put(&o->buf, p, n);
    if (o->buf.len >= OUT_BYTES || o->buf.failed)
        ens_out_flush(o, NULL);
}

void ens_out_puts(struct ens_out *o, const char *s)
{
    ens_out_put(o, s, strlen(s));
}

void ens_out_zeros(struct ens_out *o, size_t n)
{
    static const unsigned char zeros[256];

    for (; n > sizeof(zeros); n -= sizeof(zeros))
        ens_out_put(o, zeros, sizeof(zeros));
    ens_out_put(o, zeros, n);
}

static enum ens_status settle(struct ens_out *o, struct ens_error *err)
{
    enum ens_status s = ens_out_flush(o, err);

    if (s != ENS_OK || o->tmp[0] == '\0')
        return s;
    if (o->io->sync(o->io, o->fd) != 0)
        return ens_fail_errno(err, ENS_EIO, "cannot sync %s", o->path);
    if (o->nameless && ens_file_link(o->fd, o->path) == 0)
        return ens_file_sync_parent(o->path, err);
    if (o->nameless &&
        (errno != EEXIST || ens_file_name(o->fd, o->tmp, sizeof(o->tmp)) != 0))
        return ens_fail_errno(err, ENS_EIO, "cannot create %s", o->path);
    o->nameless = 0;
    if (rename(o->tmp, o->path) != 0)
        return ens_fail_errno(err, ENS_EIO, "cannot rename %s", o->tmp);
    return ens_file_sync_parent(o->path, err);
}

enum ens_status ens_out_commit(struct ens_out *o, struct ens_error *err)
{
    enum ens_status s = settle(o, err);

    if (s == ENS_OK && o->tmp[0] != '\0') {
        close(o->fd);
        o->fd = -1;
        o->tmp[0] = '\0'; /* nothing left to remove */
    }
    ens_out_abort(o);
    return s;
}

void ens_out_abort(struct ens_out *o)
{
    if (o->tmp[0] != '\0') {
        if (o->fd >= 0)
            close(o->fd);
        if (!o->nameless)
            unlink(o->tmp);
    }
    ens_buf_fini(&o->buf);
    o->tmp[0] = '\0';
    o->fd = -1;
}
