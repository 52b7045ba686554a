#include "input/npz.h"

#include "base/buf.h"
#include "base/file.h"
#include "input/inflate.h"

#include <inttypes.h>
#include <string.h>
#include <zlib.h>

#define END_BYTES     22u
#define END64_BYTES   56u
#define LOCATOR_BYTES 20u
#define ENTRY_BYTES   46u
#define HEAD_BYTES    30u
#define ENCRYPTED     1u
#define STORED        0u
#define DEFLATED      8u
#define MOST_COMMENT  65535u
#define MAX_NAMES     200 /* bytes of names in an error */

struct entry { /* a member as the directory has it */
    const char *name;
    size_t n_name; /* without ".npy" */
    unsigned flags, method;
    uint32_t crc;
    uint64_t packed, bytes, head;
};

struct zip {
    const unsigned char *p;
    uint64_t n;
    uint64_t at; /* of the directory's next entry */
    uint64_t n_entries;
};

static uint64_t number(const unsigned char *p, size_t bytes)
{
    uint64_t v = 0;

    for (size_t i = bytes; i-- > 0;)
        v = v << 8 | p[i];
    return v;
}

static int is_at(const struct zip *z, uint64_t at, uint64_t bytes,
                 const char magic[4])
{
    return at <= z->n && z->n - at >= bytes && memcmp(z->p + at, magic, 4) == 0;
}

static enum ens_status damaged(uint64_t byte, const char *what,
                               struct ens_error *err)
{
    return ens_fail(err, ENS_EINPUT, "byte %" PRIu64 ": damaged archive: %s",
                    byte, what);
}

static enum ens_status find_directory(struct zip *z, struct ens_error *err)
{
    uint64_t most = END_BYTES + MOST_COMMENT;
    uint64_t first = z->n > most ? z->n - most : 0;
    uint64_t at = z->n >= END_BYTES ? z->n - END_BYTES : 0;

    while (!is_at(z, at, END_BYTES, "PK\5\6")) {
        if (at <= first)
            return damaged(z->n, "it has no directory at its end; cut?", err);
        at--;
    }
    z->n_entries = number(z->p + at + 10, 2);
    z->at = number(z->p + at + 16, 4);
    if (at >= LOCATOR_BYTES &&
        is_at(z, at - LOCATOR_BYTES, LOCATOR_BYTES, "PK\6\7")) {
        uint64_t end = number(z->p + at - LOCATOR_BYTES + 8, 8);

        if (!is_at(z, end, END64_BYTES, "PK\6\6"))
            return damaged(at - LOCATOR_BYTES, "no end record there", err);
        z->n_entries = number(z->p + end + 32, 8);
        z->at = number(z->p + end + 48, 8);
    }
    return ENS_OK;
}

/* Extra field 1 holds the sizes that do not fit 32 bits, in this order. */
static void read_wide(const unsigned char *p, size_t n, struct entry *e)
{
    uint64_t *const value[] = {&e->bytes, &e->packed, &e->head};

    while (n >= 4) {
        size_t bytes = (size_t)number(p + 2, 2);
        size_t k = 4;

        if (bytes > n - 4)
            return;
        for (size_t i = 0; number(p, 2) == 1 && i < 3; i++)
            if (*value[i] == UINT32_MAX && k + 8 <= bytes + 4) {
                *value[i] = number(p + k, 8);
                k += 8;
            }
        p += bytes + 4;
        n -= bytes + 4;
    }
}

static enum ens_status next_entry(struct zip *z, struct entry *e,
                                  struct ens_error *err)
{
    const unsigned char *p;
    size_t n_name, n_extra, n_comment;

    if (!is_at(z, z->at, ENTRY_BYTES, "PK\1\2"))
        return damaged(z->at, "expected an entry of its directory", err);
    p = z->p + z->at;
    n_name = (size_t)number(p + 28, 2);
    n_extra = (size_t)number(p + 30, 2);
    n_comment = (size_t)number(p + 32, 2);
    if (z->n - z->at - ENTRY_BYTES < n_name + n_extra + n_comment)
        return damaged(z->at, "an entry beyond its end", err);
    e->flags = (unsigned)number(p + 8, 2);
    e->method = (unsigned)number(p + 10, 2);
    e->crc = (uint32_t)number(p + 16, 4);
    e->packed = number(p + 20, 4);
    e->bytes = number(p + 24, 4);
    e->head = number(p + 42, 4);
    e->name = (const char *)p + ENTRY_BYTES;
    e->n_name = n_name;
    if (n_name > 4 && memcmp(e->name + n_name - 4, ".npy", 4) == 0)
        e->n_name -= 4;
    read_wide(p + ENTRY_BYTES + n_name, n_extra, e);
    z->at += ENTRY_BYTES + n_name + n_extra + n_comment;
    return ENS_OK;
}

static int is_named(const struct entry *e, const char *name)
{
    size_t n = strlen(name);

    if (n > 4 && strcmp(name + n - 4, ".npy") == 0)
        n -= 4;
    return e->n_name == n && memcmp(e->name, name, n) == 0;
}

static enum ens_status fail_choice(struct zip *z, const char *name,
                                   struct ens_error *err)
{
    struct ens_buf names = ENS_BUF_INIT;
    struct entry e;
    enum ens_status s = find_directory(z, err);

    for (uint64_t i = 0; s == ENS_OK && i < z->n_entries; i++) {
        s = next_entry(z, &e, err);
        if (s == ENS_OK && names.len < MAX_NAMES)
            ens_buf_printf(&names, "%s%.*s", i ? ", " : "",
                           (int)(e.n_name < 64 ? e.n_name : 64), e.name);
    }
    if (s == ENS_OK)
        s = name != NULL
                ? ens_fail(err, ENS_EINPUT, "no array '%s'; there are: %s",
                           name, ens_buf_text(&names))
                : ens_fail(err, ENS_EINPUT,
                           "%" PRIu64 " arrays; say `dataset` = one of: %s",
                           z->n_entries, ens_buf_text(&names));
    ens_buf_fini(&names);
    return s;
}

/* Where the member's own head says that its bytes begin. */
static enum ens_status locate(const struct zip *z, const struct entry *e,
                              struct ens_npz_member *to, struct ens_error *err)
{
    uint64_t offset;

    int n_name = (int)(e->n_name < 64 ? e->n_name : 64);

    if ((e->flags & ENCRYPTED) != 0)
        return ens_fail(err, ENS_EINPUT, "array '%.*s' is encrypted", n_name,
                        e->name);
    if (e->method != STORED && e->method != DEFLATED)
        return ens_fail(err, ENS_EINPUT,
                        "array '%.*s' is compressed by method %u; convert: "
                        "python3 -c \"import numpy as np; np.savez('out.npz', "
                        "**np.load('in.npz'))\"",
                        n_name, e->name, e->method);
    if (!is_at(z, e->head, HEAD_BYTES, "PK\3\4"))
        return damaged(e->head, "expected the head of a member", err);
    offset = e->head + HEAD_BYTES + number(z->p + e->head + 26, 2) +
             number(z->p + e->head + 28, 2);
    if ((e->method == STORED && e->packed != e->bytes) || offset > z->n ||
        e->packed > z->n - offset)
        return damaged(e->head, "a member beyond its end", err);
    *to = (struct ens_npz_member){offset, e->packed, e->bytes,
                                  e->method == DEFLATED, e->crc};
    return ENS_OK;
}

enum ens_status ens_npz_find(struct ens_npz_member *to, const void *p,
                             uint64_t n, const char *name,
                             struct ens_error *err)
{
    struct zip z = {.p = p, .n = n};
    enum ens_status s = find_directory(&z, err);
    struct entry e;

    if (s == ENS_OK && name == NULL && z.n_entries != 1)
        return fail_choice(&z, name, err);
    for (uint64_t i = 0; s == ENS_OK && i < z.n_entries; i++) {
        s = next_entry(&z, &e, err);
        if (s == ENS_OK && (name == NULL || is_named(&e, name)))
            return locate(&z, &e, to, err);
    }
    return s == ENS_OK ? fail_choice(&z, name, err) : s;
}

/* -- unpacking ----------------------------------------------------------- */

struct unpack {
    const struct ens_npz_member *m;
    int fd;
    uint64_t n;
    uint32_t crc;
};

static enum ens_status keep(void *arg, const char *p, size_t n,
                            struct ens_error *err)
{
    struct unpack *u = arg;

    if (n > u->m->bytes - u->n)
        return damaged(u->m->offset, "more in a member than it says", err);
    u->n += n;
    u->crc = (uint32_t)crc32(u->crc, (const Bytef *)p, (uInt)n);
    return ens_write_all(u->fd, p, n) == 0
               ? ENS_OK
               : ens_fail_errno(err, ENS_EIO, "cannot write it unpacked");
}

enum ens_status ens_npz_unpack(const struct ens_npz_member *m, const void *p,
                               int fd, struct ens_error *err)
{
    struct unpack u = {.m = m, .fd = fd};
    struct ens_inflate *i = ens_inflate_new(ENS_PACKED_DEFLATE);
    enum ens_status s;

    if (i == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    s = ens_inflate_push(i, (const char *)p + m->offset, (size_t)m->packed,
                         keep, &u, err);
    if (s == ENS_OK)
        s = ens_inflate_finish(i, err);
    ens_inflate_free(i);
    if (s == ENS_OK && (u.n != m->bytes || u.crc != m->crc))
        s = damaged(m->offset, "a member does not unpack to what it says", err);
    return s == ENS_EINPUT
               ? ens_wrap(err, s, "the array at byte %" PRIu64, m->offset)
               : s;
}
