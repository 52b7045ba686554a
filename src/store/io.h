/* The few calls through which everything durable is written, so that tests
 * can make them fail: short writes, EIO, ENOSPC, failing syncs, pages that
 * reach the disk in any order. ENSRUN_FAULT (see io.c) sets it from outside,
 * for system tests. */
#ifndef ENS_STORE_IO_H
#define ENS_STORE_IO_H

#include <ensrun/error.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* All as the system's: -1 with errno on failure. */
struct ens_io {
    ssize_t (*pwrite)(struct ens_io *io, int fd, const void *p, size_t n,
                      off_t at);
    int (*sync)(struct ens_io *io, int fd); /* fdatasync */
    int (*allocate)(struct ens_io *io, int fd, off_t at, off_t n); /* at >= size
                                                             grows the file */
    void *arg;
};

/** Write all n bytes from offset `at` on, whatever parts they go in; on
 * failure -1 with errno and *left (may be NULL) what is still to do. */
int ens_io_write_all(struct ens_io *io, int fd, const void *p, size_t n,
                     uint64_t at, size_t *left);

/** Copy n bytes from one file into another, by the file system itself where
 * it can; -1 with errno (0: the source is shorter). */
int ens_io_copy(struct ens_io *io, int from, uint64_t from_at, int to,
                uint64_t to_at, uint64_t n);

/** The system's calls; or, when ENSRUN_FAULT is set, the faulty ones. */
struct ens_io *ens_io_default(void);

/**
 * Calls that fail as spec says: words separated by commas, all counted over
 * all calls of this object (in its process).
 *   short            a write stores half of its bytes, rounded up
 *   eio@N            the N-th write and all later ones fail with EIO
 *   enospc@BYTES     what would raise the bytes written or allocated above
 *                    BYTES fails with ENOSPC (a write stores what fits)
 *   enospc@BYTES+N   after N such failures there is space again
 *   syncfail@N       the N-th sync fails with EIO (later ones do not: as on
 *                    Linux, the error is reported once)
 *   slow@BYTES       a write takes a second for so many bytes
 */
enum ens_status ens_fault_new(struct ens_io **io, const char *spec,
                              struct ens_error *err);
void ens_fault_free(struct ens_io *io);

#endif
