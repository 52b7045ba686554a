/* The file behind mapped memory, so that a program can map the same pages
 * instead of being sent a copy. */
#ifndef ENS_PROGRAM_MAPPED_H
#define ENS_PROGRAM_MAPPED_H

#include <stddef.h>
#include <stdint.h>

/**
 * Path of the file that all of p[bytes] is mapped from, and where in it p is.
 * 0; or -1: it is no mapped file, or none that its path still leads to.
 */
int ens_mapped_file(const void *p, size_t bytes, char *path, size_t cap,
                    uint64_t *at);

#endif
