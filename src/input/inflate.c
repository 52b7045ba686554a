#include "input/inflate.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#define OUT_BYTES ((size_t)1 << 18)

struct ens_inflate {
    enum ens_packing packing;
    z_stream z;
    ZSTD_DStream *zstd;
    uint64_t n_in;
    int between; /* members: what follows must begin one */
    char out[OUT_BYTES];
};

enum ens_packing ens_packing_of(const void *head, size_t n)
{
    if (n >= 2 && memcmp(head, "\x1f\x8b", 2) == 0)
        return ENS_PACKED_GZIP;
    if (n >= 4 && memcmp(head, "\x28\xb5\x2f\xfd", 4) == 0)
        return ENS_PACKED_ZSTD;
    return ENS_PACKED_NOT;
}

struct ens_inflate *ens_inflate_new(enum ens_packing packing)
{
    struct ens_inflate *i = calloc(1, sizeof(*i));
    int ok = 0;

    if (i == NULL)
        return NULL;
    i->packing = packing;
    i->between = 1;
    if (packing != ENS_PACKED_ZSTD) {
        /* 16: a gzip head; negative: no head */
        ok = inflateInit2(&i->z, packing == ENS_PACKED_GZIP ? 15 + 16 : -15) ==
             Z_OK;
    } else {
        i->zstd = ZSTD_createDStream();
        ok = i->zstd != NULL;
    }
    if (ok)
        return i;
    free(i);
    return NULL;
}

void ens_inflate_free(struct ens_inflate *i)
{
    if (i == NULL)
        return;
    if (i->packing != ENS_PACKED_ZSTD)
        inflateEnd(&i->z);
    ZSTD_freeDStream(i->zstd);
    free(i);
}

static enum ens_status damaged(const struct ens_inflate *i, uint64_t byte,
                               const char *what, struct ens_error *err)
{
    return ens_fail(err, ENS_EINPUT,
                    "byte %" PRIu64 ": the %s data are damaged (%s)", byte,
                    i->packing == ENS_PACKED_GZIP   ? "gzip"
                    : i->packing == ENS_PACKED_ZSTD ? "zstd"
                                                    : "deflate",
                    what);
}

/* One call of the library: bytes taken and made. */
static enum ens_status step_gzip(struct ens_inflate *i, const void *p, size_t n,
                                 size_t *taken, size_t *made,
                                 struct ens_error *err)
{
    uInt in = n < UINT32_MAX / 2 ? (uInt)n : UINT32_MAX / 2;
    int r;

    if (i->between && inflateReset(&i->z) != Z_OK)
        return damaged(i, i->n_in, "cannot begin", err);
    i->z.next_in = (Bytef *)(uintptr_t)p;
    i->z.avail_in = in;
    i->z.next_out = (Bytef *)i->out;
    i->z.avail_out = (uInt)OUT_BYTES;
    r = inflate(&i->z, Z_NO_FLUSH);
    *taken = in - i->z.avail_in;
    *made = OUT_BYTES - i->z.avail_out;
    if (r == Z_MEM_ERROR)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    if (r != Z_OK && r != Z_STREAM_END && r != Z_BUF_ERROR)
        return damaged(i, i->n_in + *taken,
                       i->z.msg != NULL ? i->z.msg : "not gzip", err);
    i->between = r == Z_STREAM_END;
    return ENS_OK;
}

static enum ens_status step_zstd(struct ens_inflate *i, const void *p, size_t n,
                                 size_t *taken, size_t *made,
                                 struct ens_error *err)
{
    ZSTD_inBuffer in = {p, n, 0};
    ZSTD_outBuffer out = {i->out, OUT_BYTES, 0};
    size_t r = ZSTD_decompressStream(i->zstd, &out, &in);

    *taken = in.pos;
    *made = out.pos;
    if (ZSTD_isError(r))
        return damaged(i, i->n_in + in.pos, ZSTD_getErrorName(r), err);
    i->between = r == 0;
    return ENS_OK;
}

enum ens_status ens_inflate_push(struct ens_inflate *i, const void *p, size_t n,
                                 ens_inflate_fn *sink, void *arg,
                                 struct ens_error *err)
{
    const char *at = p;
    size_t made = 0;
    enum ens_status s = ENS_OK;

    /* a full buffer may leave more inside, though all bytes were taken */
    while (s == ENS_OK && (n > 0 || made == OUT_BYTES)) {
        size_t taken = 0;

        if (n == 0 && i->between)
            break;
        made = 0;
        s = i->packing == ENS_PACKED_ZSTD
                ? step_zstd(i, at, n, &taken, &made, err)
                : step_gzip(i, at, n, &taken, &made, err);
        at += taken;
        n -= taken;
        i->n_in += taken;
        if (s == ENS_OK && made > 0)
            s = sink(arg, i->out, made, err);
        if (s == ENS_OK && taken == 0 && made == 0 && n > 0)
            s = damaged(i, i->n_in, "no progress", err);
    }
    return s;
}

enum ens_status ens_inflate_finish(struct ens_inflate *i, struct ens_error *err)
{
    return i->between && i->n_in > 0
               ? ENS_OK
               : damaged(i, i->n_in, "the file is cut", err);
}

struct head {
    char *to;
    size_t n, cap;
};

static enum ens_status keep_head(void *arg, const char *p, size_t n,
                                 struct ens_error *err)
{
    struct head *h = arg;
    size_t k = n < h->cap - h->n ? n : h->cap - h->n;

    (void)err;
    memcpy(h->to + h->n, p, k);
    h->n += k;
    return h->n < h->cap ? ENS_OK : ENS_ESTOPPED;
}

size_t ens_inflate_head(enum ens_packing packing, const void *p, size_t n,
                        char *to, size_t cap)
{
    struct ens_inflate *i = ens_inflate_new(packing);
    struct head h = {to, 0, cap};

    if (i != NULL)
        (void)ens_inflate_push(i, p, n, keep_head, &h, NULL);
    ens_inflate_free(i);
    return h.n;
}
