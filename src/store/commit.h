/* The journal's own two frames: what begins a segment, what ends a group.
 *
 * SEGMENT payload:  u64 run id, u32 epoch, u32 n,
 *                   n x { u32 epoch, u32 zero, u64 end } of earlier segments
 * COMMIT payload:   u64 number (1, 2 ... in its segment), u64 start,
 *                   u64 end (offset of the COMMIT itself),
 *                   u64 XXH3-64 of [start, end), seeded with the run id,
 *                   u64 records in the group
 */
#ifndef ENS_STORE_COMMIT_H
#define ENS_STORE_COMMIT_H

#include "record/frame.h"
#include "store/journal.h"

#define ENS_COMMIT_PAYLOAD 40u
#define ENS_COMMIT_BYTES   (ENS_FRAME_HEAD + ENS_COMMIT_PAYLOAD + ENS_FRAME_TAIL)
/* What one frame holds; older segments' ends are in earlier SEGMENT frames. */
#define ENS_SEGMENT_MAX_ENDS 4000u

struct ens_commit {
    uint64_t number, start, end, hash, n_records;
};

/** Append the frame. */
void ens_commit_write(const struct ens_commit *c, struct ens_buf *out,
                      uint64_t run_id);
/** 1 when the n bytes at p begin with a valid COMMIT frame. */
int ens_commit_read(struct ens_commit *c, const void *p, size_t n,
                    uint64_t run_id);

struct ens_segment_head {
    uint64_t run_id;
    uint32_t epoch;
    uint32_t n;
    const unsigned char *ends; /* lent */
    size_t total_bytes;        /* of the frame */
};

/** Append the frame; of more than ENS_SEGMENT_MAX_ENDS ends the last ones. */
void ens_segment_head_write(struct ens_buf *out, uint64_t run_id,
                            uint32_t epoch, const struct ens_segment_end *ends,
                            size_t n);
/** 1 when the n bytes at p begin with a valid SEGMENT frame. */
int ens_segment_head_read(struct ens_segment_head *h, const void *p, size_t n);
/** Entry i < h->n. */
struct ens_segment_end ens_segment_head_end(const struct ens_segment_head *h,
                                            size_t i);

#endif
