#include "record/bundle.h"

#include "base/file.h"
#include "record/little.h"

#include <inttypes.h>
#include <string.h>

#define MAGIC_BYTES 8u
#define HEAD_BYTES  16u
#define TAIL_BYTES  8u

static const char magic[MAGIC_BYTES + 1] = "ENSFILES";

static uint64_t padded(uint64_t n)
{
    return (n + 7) & ~(uint64_t)7;
}

static int part_ok(const char *p, size_t n)
{
    return n > 0 && n <= ENS_BUNDLE_PART_MAX && !(n == 1 && p[0] == '.') &&
           !(n == 2 && p[0] == '.' && p[1] == '.');
}

int ens_bundle_name_ok(const char *name, size_t n)
{
    size_t from = 0;

    if (n == 0 || n > ENS_BUNDLE_NAME_MAX || memchr(name, '\0', n) != NULL)
        return 0;
    for (size_t i = 0; i <= n; i++) {
        if (i < n && name[i] != '/')
            continue;
        if (!part_ok(name + from, i - from))
            return 0;
        from = i + 1;
    }
    return 1;
}

int ens_bundle_name_order(const char *a, size_t n_a, const char *b, size_t n_b)
{
    int order = memcmp(a, b, n_a < n_b ? n_a : n_b);

    return order != 0 ? order : (n_a > n_b) - (n_a < n_b);
}

/* -- writing --------------------------------------------------------------- */

static void put_zeros(struct ens_buf *out, uint64_t n)
{
    while (n-- > 0)
        ens_buf_u8(out, 0);
}

void ens_bundle_magic(struct ens_buf *out)
{
    ens_buf_put(out, magic, MAGIC_BYTES);
}

void ens_bundle_head(struct ens_buf *out, const char *name, size_t n,
                     uint64_t bytes)
{
    ens_buf_u64(out, bytes);
    ens_buf_u32(out, (uint32_t)n);
    ens_buf_u32(out, 0);
    ens_buf_put(out, name, n);
    put_zeros(out, padded(n) - n);
}

void ens_bundle_tail(struct ens_buf *out, uint64_t bytes, uint64_t hash)
{
    put_zeros(out, padded(bytes) - bytes);
    ens_buf_u64(out, hash);
}

/* -- reading --------------------------------------------------------------- */

int ens_bundle_is(int fd, uint64_t offset, uint64_t length)
{
    char head[MAGIC_BYTES];

    return length >= MAGIC_BYTES &&
           ens_read_all(fd, head, MAGIC_BYTES, offset) == 0 &&
           memcmp(head, magic, MAGIC_BYTES) == 0;
}

void ens_bundle_init(struct ens_bundle *b, int fd, uint64_t offset,
                     uint64_t length)
{
    b->fd = fd;
    b->at = offset + (length < MAGIC_BYTES ? length : MAGIC_BYTES);
    b->end = offset + length;
    b->name_bytes = 0;
    b->name[0] = '\0';
}

static enum ens_status cannot_read(const struct ens_bundle *b,
                                   struct ens_error *err)
{
    return ens_fail_errno(
        err, ENS_EIO, "cannot read collected files at byte %" PRIu64, b->at);
}

static enum ens_status damaged(const struct ens_bundle *b, const char *what,
                               struct ens_error *err)
{
    return ens_fail(err, ENS_ECORRUPT, "collected files: byte %" PRIu64 ": %s",
                    b->at, what);
}

/* The head and its name; *order tells how the name lies to the last one. */
static enum ens_status read_head(struct ens_bundle *b, uint64_t *length,
                                 int *order, struct ens_error *err)
{
    unsigned char head[HEAD_BYTES];
    char name[ENS_BUNDLE_NAME_MAX + 1];
    size_t n;

    if (b->end - b->at < HEAD_BYTES + TAIL_BYTES)
        return damaged(b, "cut in the head of a file", err);
    if (ens_read_all(b->fd, head, sizeof(head), b->at) != 0)
        return cannot_read(b, err);
    n = ens_get32(head + 8);
    if (n > ENS_BUNDLE_NAME_MAX || padded(n) > b->end - b->at - HEAD_BYTES)
        return damaged(b, "the name of a file is too long", err);
    if (ens_read_all(b->fd, name, n, b->at + HEAD_BYTES) != 0)
        return cannot_read(b, err);
    if (ens_get32(head + 12) != 0 || !ens_bundle_name_ok(name, n))
        return damaged(b, "not the name of a file in a folder", err);
    *order = ens_bundle_name_order(b->name, b->name_bytes, name, n);
    *length = ens_get64(head);
    memcpy(b->name, name, n);
    b->name[n] = '\0';
    b->name_bytes = n;
    return ENS_OK;
}

enum ens_status ens_bundle_next(struct ens_bundle *b, int *more,
                                struct ens_bundle_file *file,
                                struct ens_error *err)
{
    unsigned char tail[TAIL_BYTES];
    uint64_t length, left, from;
    int order;
    enum ens_status s;

    *more = 0;
    if (b->at == b->end)
        return ENS_OK;
    s = read_head(b, &length, &order, err);
    if (s != ENS_OK)
        return s;
    if (order >= 0)
        return damaged(b, "names do not ascend", err);
    from = b->at + HEAD_BYTES + padded(b->name_bytes);
    left = b->end - from;
    if (left < TAIL_BYTES || length > left - TAIL_BYTES ||
        padded(length) > left - TAIL_BYTES)
        return damaged(b, "a file ends behind the last", err);
    if (ens_read_all(b->fd, tail, TAIL_BYTES, from + padded(length)) != 0)
        return cannot_read(b, err);
    *file = (struct ens_bundle_file){b->name, b->name_bytes, from, length,
                                     ens_get64(tail)};
    b->at = from + padded(length) + TAIL_BYTES;
    *more = 1;
    return ENS_OK;
}
