/* numpy's .npz files: zip archives of .npy files. A stored member is mapped
 * where it lies; a compressed one (numpy.savez_compressed) is unpacked once
 * into the cache.
 *
 * Read from the end: end record (22 bytes, magic "PK\5\6", or what a locator
 * "PK\6\7" before it names, "PK\6\6" for sizes of 64 bits), the directory
 * (46 bytes a member, "PK\1\2", name, extras), a member's own head (30 bytes,
 * "PK\3\4", name, extras), the member's bytes. All little-endian.
 *
 * Source: PKWARE APPNOTE 6.3.10, sections 4.3.7 - 4.3.16, 4.5.3.
 */
#ifndef ENS_INPUT_NPZ_H
#define ENS_INPUT_NPZ_H

#include <ensrun/error.h>
#include <stddef.h>
#include <stdint.h>

struct ens_npz_member {
    uint64_t offset; /* of its bytes, an .npy file; perhaps packed by deflate */
    uint64_t packed; /* bytes there */
    uint64_t bytes;  /* when unpacked */
    int is_packed;
    uint32_t crc; /* CRC-32 of it unpacked */
};

/**
 * Find the array `name` ("x" or "x.npy"; NULL: the only one) in an archive of
 * n bytes. Pure. ENS_EINPUT: damaged, packed in another way, or not there, then
 * with the names that are.
 */
enum ens_status ens_npz_find(struct ens_npz_member *to, const void *p,
                             uint64_t n, const char *name,
                             struct ens_error *err);

/** Unpack a packed member into the empty file fd. ENS_EINPUT: damaged. */
enum ens_status ens_npz_unpack(const struct ens_npz_member *m, const void *p,
                               int fd, struct ens_error *err);

#endif
