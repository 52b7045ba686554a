/* Orders: what goes down to a worker. 16 bytes, little-endian, then `n` bytes
 * for the types that have a body.
 *
 *   offset size  field
 *        0    2  type        2 2 charged     4 4 n (tasks, bytes of a body)
 *        8    8  first
 * Body of STAGE: u64 epoch of the stage data's pack, u32 round, the cells that
 * hold what it reads and the stage, both as in record/stage.h. Body of NEXT:
 * u64 epoch of the pack, u64 definition, u64 run settings, u64 from segment,
 * u64 from offset, u64 end, u32 epoch of end, u32 next index, the stage. */
#ifndef ENS_WORKER_ORDER_H
#define ENS_WORKER_ORDER_H

#include "base/buf.h"
#include "record/stage.h"
#include "store/log.h"

enum ens_order_type {
    ENS_ORDER_RANGE = 1,  /* run n tasks from place `first` of the stage */
    ENS_ORDER_STAGE = 2,  /* body: ens_order_stage; ranges below belong to it */
    ENS_ORDER_NEXT = 3,   /* body: ens_order_next; answer: STAGE frames, then
                             ANSWERED (or REFUSED) */
    ENS_ORDER_STOP = 4,   /* flush and exit 0 */
    ENS_ORDER_LAST = 5,   /* no order is in flight behind the ones given:
                             flush every 1 ms instead of 10 */
    ENS_ORDER_REPLAY = 6, /* one task that has ended, at `first`: its record is
                            made anew, arrays and packs are left alone */
    ENS_ORDER_RESTORE = 7 /* the same, but its blocks of arrays are written */
};

struct ens_order {
    uint16_t type;
    uint16_t charged; /* RANGE of one task: deaths charged to it so far */
    uint32_t n;
    uint64_t first; /* RANGE: place, with round in the STAGE body */
};
#define ENS_ORDER_BYTES 16

/* Round of the records to write, and the stage with where its data lies. */
void ens_order_write_range(struct ens_buf *out, uint64_t first, uint32_t n,
                           uint16_t charged);
void ens_order_write_replay(struct ens_buf *out, uint64_t first);
void ens_order_write_restore(struct ens_buf *out, uint64_t first);
void ens_order_write_plain(struct ens_buf *out, enum ens_order_type type);
void ens_order_write_stage(struct ens_buf *out, const struct ens_stage *stage,
                           uint32_t round);
/** end: how far the journal's last segment counts (already verified). */
void ens_order_write_next(struct ens_buf *out, const struct ens_stage *stage,
                          uint64_t definition, uint32_t next_index,
                          uint64_t run_settings, const struct ens_log_at *from,
                          const struct ens_segment_end *end);

/* -- the other end ------------------------------------------------------- */

struct ens_order_stage { /* body of STAGE; owned (ens_stage_fini) */
    struct ens_stage stage;
    uint32_t round;
};

struct ens_order_next { /* body of NEXT; stage owned */
    struct ens_stage stage;
    uint64_t definition, run_settings;
    uint32_t next_index;
    struct ens_log_at from;
    struct ens_segment_end end;
};

/** The order at p (n bytes there), with its body right behind it. Returns the
 * bytes it takes, 0 when more are needed. Pure. */
size_t ens_order_read(struct ens_order *order, const void *p, size_t n);
/** Bytes of an order's body. */
size_t ens_order_body_bytes(const struct ens_order *order);
enum ens_status ens_order_read_stage(struct ens_order_stage *body,
                                     const void *p, size_t n,
                                     struct ens_error *err);
enum ens_status ens_order_read_next(struct ens_order_next *body, const void *p,
                                    size_t n, struct ens_error *err);

#endif
