#include "record/frame.h"

#include "base/bug.h"
#include "base/hash.h"
#include "record/little.h"

#include <string.h>

static size_t pad8(size_t n)
{
    return (n + 7) & ~(size_t)7;
}

size_t ens_frame_bytes(size_t n)
{
    return ENS_FRAME_HEAD + pad8(n) + ENS_FRAME_TAIL;
}

enum ens_frame_result ens_frame_read(struct ens_frame *f, const void *p,
                                     size_t n, uint64_t run_id)
{
    const unsigned char *at = p;
    size_t length, body;

    f->total_bytes = 0;
    if (n < ENS_FRAME_HEAD)
        return ENS_FRAME_PARTIAL;
    length = ens_get32(at + 8);
    if (ens_get32(at) != ENS_FRAME_MAGIC || at[4] != ENS_FRAME_VERSION ||
        at[5] == 0 || length > ENS_FRAME_PAYLOAD_MAX)
        return ENS_FRAME_BAD;
    f->total_bytes = ens_frame_bytes(length);
    if (n < f->total_bytes)
        return ENS_FRAME_PARTIAL;
    body = f->total_bytes - ENS_FRAME_TAIL;
    if (ens_hash64_seed(at, body, run_id) != ens_get64(at + body))
        return ENS_FRAME_BAD;
    f->type = (enum ens_frame_type)at[5];
    f->slot = ens_get16(at + 6);
    f->incarnation = ens_get32(at + 12);
    f->seq = ens_get64(at + 16);
    f->payload = at + ENS_FRAME_HEAD;
    f->length = length;
    return ENS_FRAME_GOOD;
}

unsigned char *ens_frame_begin(struct ens_buf *b, enum ens_frame_type type,
                               uint16_t slot, uint32_t incarnation,
                               uint64_t seq, size_t length)
{
    unsigned char *at;

    ENS_BUG_ON(length > ENS_FRAME_PAYLOAD_MAX);
    at = ens_buf_reserve(b, ens_frame_bytes(length));
    if (at == NULL)
        return NULL;
    ens_put32(at, ENS_FRAME_MAGIC);
    at[4] = ENS_FRAME_VERSION;
    at[5] = (unsigned char)type;
    ens_put16(at + 6, slot);
    ens_put32(at + 8, (uint32_t)length);
    ens_put32(at + 12, incarnation);
    ens_put64(at + 16, seq);
    return at + ENS_FRAME_HEAD;
}

void ens_frame_end(struct ens_buf *b, size_t length, uint64_t run_id)
{
    unsigned char *at = b->data + b->len; /* reserved by begin */
    size_t body = ENS_FRAME_HEAD + pad8(length);

    memset(at + ENS_FRAME_HEAD + length, 0, pad8(length) - length);
    ens_put64(at + body, ens_hash64_seed(at, body, run_id));
    b->len += body + ENS_FRAME_TAIL;
}

void ens_frame_write(struct ens_buf *b, enum ens_frame_type type, uint16_t slot,
                     uint32_t incarnation, uint64_t seq, const void *payload,
                     size_t length, uint64_t run_id)
{
    unsigned char *to =
        ens_frame_begin(b, type, slot, incarnation, seq, length);

    if (to == NULL)
        return;
    if (length > 0)
        memcpy(to, payload, length);
    ens_frame_end(b, length, run_id);
}
