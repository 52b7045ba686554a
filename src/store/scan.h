/* Where a segment ends that nobody closed: group by group, by its COMMITs. */
#ifndef ENS_STORE_SCAN_H
#define ENS_STORE_SCAN_H

#include <ensrun/error.h>
#include <stdint.h>

/**
 * data: the file mapped (size bytes); fd: the same file; start: behind the
 * SEGMENT frame. *end: behind the last COMMIT of the valid groups (start when
 * there is none). What follows is tail, unless a COMMIT is in it that only
 * comes after the group that failed: ENS_ECORRUPT with its offset.
 *
 * The owner may be alive, writing behind the end and cutting the file there:
 * what is not known to be committed is read through fd, never through data.
 */
enum ens_status ens_scan_segment(int fd, const unsigned char *data,
                                 uint64_t size, uint64_t start, uint64_t run_id,
                                 const char *path, uint64_t *end,
                                 struct ens_error *err);

/** As above for a segment whose SEGMENT frame is not there: ENS_ECORRUPT when
 * any COMMIT is in the file. */
enum ens_status ens_scan_headless(int fd, uint64_t size, uint64_t run_id,
                                  const char *path, struct ens_error *err);

#endif
