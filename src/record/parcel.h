/* Parcels: parts of output arrays and of packs on their way to the coordinator:
 * the payload of BLOCK and PACK frames, little-endian.
 *
 *   offset size  field
 *        0    8  id of the cell; 0 in a PACK
 *        8    8  first byte: of the array's data, or of the writer's pack
 *       16    8  n, bytes
 *       24    4  fill: 1 = no bytes follow, all n are missing values
 *       28    4  m, length of the array's name; 0 in a PACK
 *       32    m  name
 *     32+m    n  bytes, unless fill
 */
#ifndef ENS_RECORD_PARCEL_H
#define ENS_RECORD_PARCEL_H

#include "record/frame.h"

/** Bytes of a parcel: with its head and the longest name it fits a frame. */
#define ENS_PARCEL_BYTES (ENS_FRAME_PAYLOAD_MAX - 32u - 64u)

struct ens_parcel {
    uint64_t cell;
    uint64_t offset;
    uint64_t n;
    const unsigned char *data; /* lent; NULL: fill */
    const char *name;          /* lent, not terminated; of the array */
    size_t name_bytes;
};

/** Bytes of the payload. */
size_t ens_parcel_bytes(const struct ens_parcel *part);
/** Write them. */
void ens_parcel_write(unsigned char *to, const struct ens_parcel *part);
/** ENS_EPROTOCOL when it is cut short or its numbers make no sense. */
enum ens_status ens_parcel_read(struct ens_parcel *part, const void *p,
                                size_t n, struct ens_error *err);

#endif
