/* The head of an .npy file, for artifacts: numpy.load reads them. */
#ifndef ENS_KINDS_SIMULATION_NPY_H
#define ENS_KINDS_SIMULATION_NPY_H

#include <stddef.h>

/* Version 1.0, padded with blanks to this size: what follows it is aligned
 * for any type when the head is. */
#define ENS_NPY_HEAD 128

/** Head of a column-major array. descr: "<f8", "<u8". columns 0: one
 * dimension; depth 0: at most two. */
void ens_npy_head(char to[ENS_NPY_HEAD], const char *descr, size_t rows,
                  size_t columns, size_t depth);

#endif
