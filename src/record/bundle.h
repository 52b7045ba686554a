/* A bundle: many files in one artifact, so that their number and the length
 * of their names do not count against the 60 KiB of a record.
 *
 *   0  8  "ENSFILES"
 *   then for each file, in the order of their names as bytes:
 *   0  8  bytes of the file
 *   8  4  bytes of its name   12 4 zero
 *  16  .  the name            zeros up to a multiple of 8
 *   .  .  the file            zeros up to a multiple of 8
 *   .  8  XXH3-64 of the file
 *
 * All little-endian. A name is relative, its parts separated by "/", none of
 * them empty, "." or ".."; else it is any bytes but NUL: no way leads out of
 * the folder into which a bundle is unpacked. Names ascend, so none is there
 * twice. */
#ifndef ENS_RECORD_BUNDLE_H
#define ENS_RECORD_BUNDLE_H

#include "base/buf.h"
#include <ensrun/error.h>

#define ENS_BUNDLE_NAME_MAX 4000u
#define ENS_BUNDLE_PART_MAX 255u /* of a name, between two "/" */

/** 1 when a name is as described above. */
int ens_bundle_name_ok(const char *name, size_t n);
/** Order of names: as bytes, the shorter first. */
int ens_bundle_name_order(const char *a, size_t n_a, const char *b, size_t n_b);

/* Writing: magic, then for each file head, its bytes, tail. */
void ens_bundle_magic(struct ens_buf *out);
void ens_bundle_head(struct ens_buf *out, const char *name, size_t n,
                     uint64_t bytes);
void ens_bundle_tail(struct ens_buf *out, uint64_t bytes, uint64_t hash);

struct ens_bundle_file {
    const char *name; /* lent until the next one; terminated */
    size_t name_bytes;
    uint64_t offset; /* of its bytes, in the file that holds the bundle */
    uint64_t length;
    uint64_t hash;
};

struct ens_bundle {
    int fd;
    uint64_t at, end;
    size_t name_bytes;
    char name[ENS_BUNDLE_NAME_MAX + 1];
};

/** Do `length` bytes at `offset` of fd begin like a bundle? */
int ens_bundle_is(int fd, uint64_t offset, uint64_t length);
/** Read one; fd is lent and must hold that many bytes. */
void ens_bundle_init(struct ens_bundle *b, int fd, uint64_t offset,
                     uint64_t length);
/** The next file; *more 0 behind the last. The hash of its bytes is not
 * checked. ENS_ECORRUPT: not what is drawn above; ENS_EIO. */
enum ens_status ens_bundle_next(struct ens_bundle *b, int *more,
                                struct ens_bundle_file *file,
                                struct ens_error *err);

#endif
