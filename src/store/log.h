/* The journal's reader: all segments of a results folder, mapped read-only.
 *
 * Rules of opening (DESIGN section 11): a segment's end is fixed by a later
 * SEGMENT frame or by `closed`; in the last one the first group that does not
 * verify ends the journal, unless a valid COMMIT with a higher number lies
 * behind it (corruption: ENS_ECORRUPT names file and offset).
 */
#ifndef ENS_STORE_LOG_H
#define ENS_STORE_LOG_H

#include "record/frame.h"
#include "store/journal.h"
#include <ensrun/error.h>
#include <stddef.h>
#include <stdint.h>

struct ens_segment {
    uint32_t epoch;
    uint64_t run_id;
    const unsigned char *data;
    uint64_t map_bytes;
    uint64_t end; /* first byte that does not count */
    char *path;
};

struct ens_log {
    size_t n;
    struct ens_segment *segment; /* by epoch */
};

/** A folder without segments gives n = 0. trusted (may be NULL): the end of
 * the newest segment, known to its writer; it is not scanned for commits. */
enum ens_status ens_log_open(struct ens_log *log, const char *dir,
                             const struct ens_segment_end *trusted,
                             struct ens_error *err);
void ens_log_close(struct ens_log *log);

/** Position of a frame. */
struct ens_log_at {
    size_t segment; /* index */
    uint64_t offset;
};

/** Called per frame, in order; anything but ENS_OK ends the walk. */
typedef enum ens_status ens_log_visit_fn(void *arg,
                                         const struct ens_segment *segment,
                                         struct ens_log_at at,
                                         const struct ens_frame *frame,
                                         struct ens_error *err);
/** All committed frames from a position on (NULL: from the start). Verifies
 * every frame's hash: ENS_ECORRUPT names path and offset. */
enum ens_status ens_log_walk(const struct ens_log *log,
                             const struct ens_log_at *from,
                             ens_log_visit_fn *visit, void *arg,
                             struct ens_error *err);

#endif
