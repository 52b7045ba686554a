#include "convert/packer.h"

#include "base/bug.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#define BLOCK_BYTES ((size_t)1 << 17)
#define MOST_ROOM   ((size_t)1 << 16)

struct ens_packer {
    enum ens_packing packing;
    struct ens_out *out;
    z_stream z;
    ZSTD_CCtx *zstd;
    int failed;
    size_t n; /* of text */
    char text[BLOCK_BYTES];
    char packed[BLOCK_BYTES];
};

struct ens_packer *ens_packer_new(enum ens_packing packing, struct ens_out *out)
{
    struct ens_packer *p = calloc(1, sizeof(*p));
    int ok = 1;

    if (p == NULL)
        return NULL;
    p->packing = packing;
    p->out = out;
    if (packing == ENS_PACKED_GZIP)
        ok = deflateInit2(&p->z, 6, Z_DEFLATED, 15 + 16, 8,
                          Z_DEFAULT_STRATEGY) == Z_OK; /* 16: gzip */
    if (packing == ENS_PACKED_ZSTD) {
        p->zstd = ZSTD_createCCtx();
        ok = p->zstd != NULL && !ZSTD_isError(ZSTD_CCtx_setParameter(
                                    p->zstd, ZSTD_c_checksumFlag, 1));
    }
    if (ok)
        return p;
    ZSTD_freeCCtx(p->zstd);
    free(p);
    return NULL;
}

static void flush_gzip(struct ens_packer *p, int end)
{
    int r;

    p->z.next_in = (Bytef *)p->text;
    p->z.avail_in = (uInt)p->n;
    do {
        p->z.next_out = (Bytef *)p->packed;
        p->z.avail_out = (uInt)BLOCK_BYTES;
        r = deflate(&p->z, end ? Z_FINISH : Z_NO_FLUSH);
        p->failed |= r == Z_STREAM_ERROR;
        ens_out_put(p->out, p->packed, BLOCK_BYTES - p->z.avail_out);
    } while (p->z.avail_out == 0 && !p->failed);
}

static void flush_zstd(struct ens_packer *p, int end)
{
    ZSTD_inBuffer in = {p->text, p->n, 0};
    size_t left;

    do {
        ZSTD_outBuffer out = {p->packed, BLOCK_BYTES, 0};

        left = ZSTD_compressStream2(p->zstd, &out, &in,
                                    end ? ZSTD_e_end : ZSTD_e_continue);
        p->failed |= ZSTD_isError(left) != 0;
        ens_out_put(p->out, p->packed, out.pos);
    } while (!p->failed && (end ? left > 0 : in.pos < in.size));
}

static void flush(struct ens_packer *p, int end)
{
    switch (p->packing) {
    case ENS_PACKED_NOT:
    case ENS_PACKED_DEFLATE: /* of zip; nobody asks for it */
        ens_out_put(p->out, p->text, p->n);
        break;
    case ENS_PACKED_GZIP:
        flush_gzip(p, end);
        break;
    case ENS_PACKED_ZSTD:
        flush_zstd(p, end);
        break;
    }
    p->n = 0;
}

char *ens_packer_room(struct ens_packer *p, size_t n)
{
    ENS_BUG_ON(n > MOST_ROOM);
    if (n > BLOCK_BYTES - p->n)
        flush(p, 0);
    return p->text + p->n;
}

void ens_packer_used(struct ens_packer *p, size_t n)
{
    p->n += n;
}

void ens_packer_put(struct ens_packer *p, const void *from, size_t n)
{
    const char *at = from;

    while (n > 0) {
        size_t k = n < MOST_ROOM ? n : MOST_ROOM;

        memcpy(ens_packer_room(p, k), at, k);
        p->n += k;
        at += k;
        n -= k;
    }
}

enum ens_status ens_packer_finish(struct ens_packer *p, struct ens_error *err)
{
    flush(p, 1);
    return p->failed ? ens_fail(err, ENS_ENOMEMORY, "cannot compress: %s",
                                "out of memory")
                     : ENS_OK;
}

void ens_packer_free(struct ens_packer *p)
{
    if (p == NULL)
        return;
    if (p->packing == ENS_PACKED_GZIP)
        deflateEnd(&p->z);
    ZSTD_freeCCtx(p->zstd);
    free(p);
}
