#include "store/commit.h"

#include "base/bug.h"
#include "record/little.h"

#define HEAD_BYTES 16u
#define END_BYTES  16u

void ens_commit_write(const struct ens_commit *c, struct ens_buf *out,
                      uint64_t run_id)
{
    unsigned char p[ENS_COMMIT_PAYLOAD];

    ens_put64(p, c->number);
    ens_put64(p + 8, c->start);
    ens_put64(p + 16, c->end);
    ens_put64(p + 24, c->hash);
    ens_put64(p + 32, c->n_records);
    ens_frame_write(out, ENS_FRAME_COMMIT, ENS_SLOT_COORDINATOR, 0, c->number,
                    p, sizeof(p), run_id);
}

int ens_commit_read(struct ens_commit *c, const void *p, size_t n,
                    uint64_t run_id)
{
    struct ens_frame f;

    if (ens_frame_read(&f, p, n, run_id) != ENS_FRAME_GOOD ||
        f.type != ENS_FRAME_COMMIT || f.length != ENS_COMMIT_PAYLOAD)
        return 0;
    c->number = ens_get64(f.payload);
    c->start = ens_get64(f.payload + 8);
    c->end = ens_get64(f.payload + 16);
    c->hash = ens_get64(f.payload + 24);
    c->n_records = ens_get64(f.payload + 32);
    return 1;
}

void ens_segment_head_write(struct ens_buf *out, uint64_t run_id,
                            uint32_t epoch, const struct ens_segment_end *ends,
                            size_t n)
{
    size_t skip = n > ENS_SEGMENT_MAX_ENDS ? n - ENS_SEGMENT_MAX_ENDS : 0;
    size_t bytes = HEAD_BYTES + END_BYTES * (n - skip);
    unsigned char *p = ens_frame_begin(out, ENS_FRAME_SEGMENT,
                                       ENS_SLOT_COORDINATOR, 0, 0, bytes);

    if (p == NULL)
        return;
    ens_put64(p, run_id);
    ens_put32(p + 8, epoch);
    ens_put32(p + 12, (uint32_t)(n - skip));
    for (size_t i = skip; i < n; i++) {
        unsigned char *to = p + HEAD_BYTES + END_BYTES * (i - skip);

        ens_put32(to, ends[i].epoch);
        ens_put32(to + 4, 0);
        ens_put64(to + 8, ends[i].end);
    }
    ens_frame_end(out, bytes, run_id);
}

int ens_segment_head_read(struct ens_segment_head *h, const void *p, size_t n)
{
    struct ens_frame f;
    uint64_t run_id;

    if (n < ENS_FRAME_HEAD + HEAD_BYTES)
        return 0;
    /* The frame is sealed with the id that it holds. */
    run_id = ens_get64((const unsigned char *)p + ENS_FRAME_HEAD);
    if (ens_frame_read(&f, p, n, run_id) != ENS_FRAME_GOOD ||
        f.type != ENS_FRAME_SEGMENT || f.length < HEAD_BYTES)
        return 0;
    h->run_id = run_id;
    h->epoch = ens_get32(f.payload + 8);
    h->n = ens_get32(f.payload + 12);
    h->ends = f.payload + HEAD_BYTES;
    h->total_bytes = f.total_bytes;
    return f.length == HEAD_BYTES + (size_t)END_BYTES * h->n;
}

struct ens_segment_end ens_segment_head_end(const struct ens_segment_head *h,
                                            size_t i)
{
    const unsigned char *p = h->ends + END_BYTES * i;
    struct ens_segment_end e = {ens_get32(p), ens_get64(p + 8)};

    ENS_BUG_ON(i >= h->n);
    return e;
}
