/* The header of an output array's file: .npy, version 1.0, little-endian, C
 * order, padded with blanks so that the data begin at a multiple of 64. */
#ifndef ENS_STORE_ARRAY_HEAD_H
#define ENS_STORE_ARRAY_HEAD_H

#include <ensrun/error.h>
#include <ensrun/view.h>
#include <stddef.h>
#include <stdint.h>

#define ENS_ARRAY_HEAD_MAX 512 /* bytes */

struct ens_array_head {
    enum ens_dtype dtype;
    uint32_t ndim;
    uint64_t shape[ENS_MAX_NDIM];
    uint64_t n;           /* elements */
    uint64_t data_offset; /* of element 0 */
};

/** *n elements; 0, or -1: too many. */
int ens_array_count(const uint64_t *shape, uint32_t ndim, uint64_t *n);
/** Returns the bytes of the header, i.e. the offset of the data. */
size_t ens_array_head_write(char to[ENS_ARRAY_HEAD_MAX], enum ens_dtype dtype,
                            uint32_t ndim, const uint64_t *shape);
/** Of the file behind fd, whose size must fit. ENS_EIO, ENS_ECORRUPT. */
enum ens_status ens_array_head_read(int fd, const char *path,
                                    struct ens_array_head *h,
                                    struct ens_error *err);

#endif
