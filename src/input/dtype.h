/* Element types by name: numpy's codes and words. */
#ifndef ENS_INPUT_DTYPE_H
#define ENS_INPUT_DTYPE_H

#include <ensrun/view.h>

/**
 * Read "<f8", ">i4", "|b1", "f4" or "float64" (all n bytes of s). Without an
 * order, or with "=" or "|", the machine's own. 0, or -1 when it is none of
 * the types of ENS_DTYPE_LIST.
 */
int ens_dtype_parse(const char *s, size_t n, enum ens_dtype *t, int *swapped);

/** Bytes of an array; -1 when they, or a stride, do not fit 63 bits. */
int ens_dtype_array_bytes(enum ens_dtype t, uint32_t ndim,
                          const uint64_t *shape, uint64_t *bytes);

/** Strides of a dense array in C order, or in Fortran order. */
void ens_dtype_strides(struct ens_view *v, int fortran);

#endif
