/* RECORDS frames: many records of one stage, schema and round.
 *
 * Payload:
 *   0  8  stage id (XXH3-64 of key NUL input digest; stage.h)
 *   8  8  schema hash
 *  16  4  n records
 *  20  4  bytes of one record = 32 + 8 * fields
 *  24  4  round
 *  28  4  bytes of the items behind the records
 *  32  .  n records, then the items
 * A record:
 *   0  8  cell (ordinal in the epoch's list)
 *   8  4  replicate
 *  12  1  status   13  1 attempts   14  2 worker
 *  16  4  offset of its items       20  4 bytes of its items
 *  24  8  seconds (f64)
 *  32  .  fields, 8 bytes each (f64 bits, i64; 0 for text)
 * A record whose status is not ok has all fields missing.
 * Items of a record, one after another, each padded to 8:
 *   0  1  type (enum ens_item)  1 1 zero  2 2 index  4 4 length  8 . bytes
 */
#ifndef ENS_RECORD_RECORD_H
#define ENS_RECORD_RECORD_H

#include "base/buf.h"
#include "record/frame.h"
#include <ensrun/record.h>

#define ENS_RECORDS_HEAD  32u
#define ENS_RECORD_HEAD   32u
#define ENS_RECORD_MAX    61440u /* 60 KiB, items included */
#define ENS_ITEM_HEAD     8u
#define ENS_ARTIFACT_HEAD 32u

enum ens_item {
    ENS_ITEM_TEXT = 1,  /* index = field */
    ENS_ITEM_ERROR = 2, /* why the task is not ok */
    ENS_ITEM_WARNING = 3,
    ENS_ITEM_ARTIFACT = 4, /* struct ens_artifact_ref, encoded: 4 x 8 bytes:
                              slot, offset, length, hash; then the name */
    ENS_ITEM_BLOCK = 5,    /* u64 XXH3-64 of the block, then array name */
    ENS_ITEM_LAPS = 6      /* f32 seconds of each of the kind's laps; NaN:
                              none. Facts of the run, no part of the result */
};

struct ens_item_view {
    enum ens_item type;
    uint16_t index;
    uint32_t length;
    const unsigned char *bytes;
};

/** Where an artifact's bytes are: in the pack of a slot, of the epoch whose
 * segment holds the record. */
struct ens_artifact_ref {
    uint64_t slot;
    uint64_t offset;
    uint64_t length;
    uint64_t hash; /* XXH3-64 of the bytes */
    const char *name;
    size_t name_bytes;
};

/** A record being made. Zero it, fill the head, then set fields and items. */
struct ens_draft {
    uint64_t cell;
    uint32_t replicate;
    enum ens_outcome status;
    uint32_t attempts, worker;
    double seconds;
    const struct ens_schema *schema;
    uint64_t *field; /* schema->n words, owned; missing until set */
    size_t field_cap;
    struct ens_buf items;
};

void ens_draft_fini(struct ens_draft *d);
/** Start a record: status ok, all fields missing, no items; the rest of the
 * head stays. schema NULL: no fields, schema hash 0. ENS_ENOMEMORY. */
enum ens_status ens_draft_begin(struct ens_draft *d,
                                const struct ens_schema *schema);
void ens_draft_f64(struct ens_draft *d, size_t i, double v);
void ens_draft_i64(struct ens_draft *d, size_t i, int64_t v);
/**
 * Append an item; a text that would make the record too long is cut (at a
 * character) and ends in "...". Warnings, then texts, give way first, so that
 * there is room for references and the error. items.failed is set when an
 * item could not be stored at all: look at it once, before packing; such a
 * task fails (ens_draft_fail clears it). Of two texts of a field the later
 * one counts.
 */
void ens_draft_item(struct ens_draft *d, enum ens_item type, uint16_t index,
                    const void *p, size_t n);
void ens_draft_artifact(struct ens_draft *d,
                        const struct ens_artifact_ref *ref);
void ens_draft_block(struct ens_draft *d, const char *array, uint64_t digest);
/** Seconds of n <= ENS_MAX_LAPS laps; left out when there is no room. */
void ens_draft_laps(struct ens_draft *d, const double *seconds, size_t n);
void ens_draft_forget_warnings(struct ens_draft *d);
/** Drop all fields and TEXT, ARTIFACT, BLOCK items: what a task that is not
 * ok keeps is its error and its warnings. */
void ens_draft_fail(struct ens_draft *d, enum ens_outcome status,
                    const char *error);

/** Collects drafts into a RECORDS payload. */
struct ens_packer {
    uint64_t stage;
    uint32_t round;
    const struct ens_schema *schema; /* of the records now in it */
    uint32_t n;
    struct ens_buf records;
    struct ens_buf items;
};

void ens_packer_fini(struct ens_packer *p);
/** 1 when d fits into the frame under construction (same schema, room). */
int ens_packer_fits(const struct ens_packer *p, const struct ens_draft *d);
void ens_packer_add(struct ens_packer *p, const struct ens_draft *d);
/** Bytes the frame has now (0 when it is empty). */
size_t ens_packer_bytes(const struct ens_packer *p);
/** Write the frame to out and empty the packer. */
void ens_packer_flush(struct ens_packer *p, struct ens_buf *out, uint16_t slot,
                      uint32_t incarnation, uint64_t seq, uint64_t run_id);

/** A decoded RECORDS payload. */
struct ens_batch {
    uint64_t stage, schema;
    uint32_t n, record_bytes, round, items_bytes;
    const unsigned char *records, *items;
};

/** Check a payload's own structure (every offset inside). Pure. */
enum ens_status ens_batch_read(struct ens_batch *b, const void *payload,
                               size_t n, struct ens_error *err);
/** Record i < b->n; lent. */
void ens_batch_get(const struct ens_batch *b, uint32_t i, struct ens_record *r);

/** Walk items: *at starts 0; 1 while there is one. Safe on any bytes. */
int ens_item_next(const struct ens_record *r, size_t *at,
                  struct ens_item_view *item);
/** First item of a type; 0 when none. */
int ens_item_find(const struct ens_record *r, enum ens_item type,
                  struct ens_item_view *item);
int ens_artifact_ref_read(const struct ens_item_view *item,
                          struct ens_artifact_ref *ref);

/** Hash of a record's result part (status, fields, items): equal for equal
 * results whatever run made them. */
uint64_t ens_record_result_hash(const struct ens_record *r);

#endif
