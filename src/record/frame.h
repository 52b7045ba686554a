/* A frame: the unit on sockets, between hosts and in journals.
 *
 *   offset size  field (little-endian)
 *        0    4  magic "ENSF"
 *        4    1  version (ENS_FRAME_VERSION)
 *        5    1  type (enum ens_frame_type)
 *        6    2  slot of the writer (0xffff: the coordinator)
 *        8    4  payload length in bytes
 *       12    4  incarnation of the writer in its slot
 *       16    8  sequence number of the writer
 *       24    n  payload, then zeros up to a multiple of 8
 *   24+pad(n) 8  XXH3-64 of all bytes before, seeded with the run's id
 *
 * A frame is at most 64 KiB in all and starts at a multiple of 8. Nothing in
 * it depends on the number of an epoch. Types from 128 on never reach a
 * journal.
 */
#ifndef ENS_RECORD_FRAME_H
#define ENS_RECORD_FRAME_H

#include "base/buf.h"
#include <ensrun/error.h>

#define ENS_FRAME_MAGIC       0x46534e45u
#define ENS_FRAME_VERSION     1
#define ENS_FRAME_HEAD        24u
#define ENS_FRAME_TAIL        8u
#define ENS_FRAME_MAX         65536u
#define ENS_FRAME_PAYLOAD_MAX (ENS_FRAME_MAX - ENS_FRAME_HEAD - ENS_FRAME_TAIL)
#define ENS_SLOT_COORDINATOR  0xffffu

enum ens_frame_type {
    ENS_FRAME_SEGMENT = 1,
    ENS_FRAME_CELLS = 2,
    ENS_FRAME_SCHEMA = 3,
    ENS_FRAME_RECORDS = 4,
    ENS_FRAME_STAGE = 5,
    ENS_FRAME_ATTEMPT = 6,
    ENS_FRAME_COMMIT = 7,
    /* between processes only */
    ENS_FRAME_READY = 128,    /* worker: open done, give me work */
    ENS_FRAME_REFUSED = 129,  /* worker: open, stage or next failed: struct
                                 ens_error */
    ENS_FRAME_ANSWERED = 130, /* worker: all STAGE frames of a `next` are out */
    ENS_FRAME_BLOCK = 131,    /* worker elsewhere: record/parcel.h */
    ENS_FRAME_PACK = 132      /* the same, of the pack of its slot */
};

struct ens_frame {
    enum ens_frame_type type;
    uint16_t slot;
    uint32_t incarnation;
    uint64_t seq;
    const unsigned char *payload;
    size_t length;      /* of the payload */
    size_t total_bytes; /* of the frame, head, padding and hash included */
};

enum ens_frame_result {
    ENS_FRAME_GOOD,
    ENS_FRAME_PARTIAL, /* more bytes needed: f->total_bytes says how many in
                          all, 0 when not even the head is there */
    ENS_FRAME_BAD
};

/** Read the frame at p (n bytes there). Verifies the hash. Pure. A type not
 * listed above is returned as it is: readers skip what they do not know. */
enum ens_frame_result ens_frame_read(struct ens_frame *f, const void *p,
                                     size_t n, uint64_t run_id);

/** Append a frame to b. */
void ens_frame_write(struct ens_buf *b, enum ens_frame_type type, uint16_t slot,
                     uint32_t incarnation, uint64_t seq, const void *payload,
                     size_t length, uint64_t run_id);

/**
 * The same in two steps, for a payload that is made in place: begin appends
 * the head and lends room for the payload (length <= ENS_FRAME_PAYLOAD_MAX;
 * NULL when out of memory: then do not call end); end pads and hashes.
 */
unsigned char *ens_frame_begin(struct ens_buf *b, enum ens_frame_type type,
                               uint16_t slot, uint32_t incarnation,
                               uint64_t seq, size_t length);
void ens_frame_end(struct ens_buf *b, size_t length, uint64_t run_id);

/** Bytes of a frame with a payload of n bytes. */
size_t ens_frame_bytes(size_t n);

#endif
