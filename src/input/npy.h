/* numpy's .npy files, versions 1.0 to 3.0.
 *
 *   0  6  "\x93NUMPY"
 *   6  2  version: major, minor
 *   8  2  header bytes, u16 little-endian (1.0); 4 bytes, u32 (2.0, 3.0)
 *  10  n  (12 from 2.0 on) a Python dict of descr, fortran_order and shape,
 *         padded with blanks, ended by a line feed
 *         the array, dense
 *
 * Source: numpy/lib/format.py of numpy 1.24.
 */
#ifndef ENS_INPUT_NPY_H
#define ENS_INPUT_NPY_H

#include <ensrun/view.h>

/* numpy writes 128 bytes for arrays of numbers, and up to 10,000 are read by
 * numpy.load without a special flag. */
#define ENS_NPY_MAX_HEADER 65536

struct ens_npy {
    enum ens_dtype dtype;
    int swapped;
    int fortran;
    uint32_t ndim;
    uint64_t shape[ENS_MAX_NDIM];
    uint64_t data_offset;
    uint64_t data_bytes;
};

/**
 * Read the header from the first n bytes of a file of file_size bytes (n is
 * all of it, or at least ENS_NPY_MAX_HEADER + 12). Pure.
 * Errors: ENS_EINPUT with the byte and what was expected there.
 */
enum ens_status ens_npy_parse(struct ens_npy *npy, const void *head, size_t n,
                              uint64_t file_size, struct ens_error *err);

/** The view of the array of a file whose bytes begin at p. */
void ens_npy_view(struct ens_view *v, const struct ens_npy *npy, const void *p);

#endif
