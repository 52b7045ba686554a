/* The journal's writer: groups of frames, each durable before the next.
 *
 * journal/000007-01.ej begins with a SEGMENT frame (run id, epoch, where each
 * earlier segment ends). A group is frames and their COMMIT, the last frame:
 * u64 number, u64 start, u64 end (offset of the COMMIT itself), u64 XXH3-64
 * (seeded with the run id) of the bytes [start, end), u64 records in it.
 * Order: sync what the group refers to (packs, array files); write group and
 * COMMIT; one fdatasync; look for a newer epoch; acknowledged. Not a byte of
 * the next group is written before that.
 *
 * One dedicated thread does all this; the owner (one thread) appends to the
 * group in memory and seals it when the thread is idle.
 * ENOSPC and EDQUOT are retried for disk_wait; a failed sync and EIO are
 * sticky: nothing is written on that descriptor again.
 */
#ifndef ENS_STORE_JOURNAL_H
#define ENS_STORE_JOURNAL_H

#include "store/epoch.h"
#include "store/io.h"
#include <ensrun/error.h>
#include <stddef.h>
#include <stdint.h>

struct ens_journal;

struct ens_journal_options {
    double disk_wait_s;
    uint64_t slow_bytes_per_s; /* tests: pretend a slow disk; 0 = no */
    /** Called on the journal's thread after each group and on failure; must
     * only wake the owner (uv_async_send). */
    void (*wake)(void *arg);
    void *arg;
};

struct ens_journal_state {  /* a consistent copy */
    uint64_t groups;        /* acknowledged */
    uint64_t bytes;         /* of the segment, acknowledged */
    uint64_t records;       /* acknowledged, of this epoch */
    double last_commit_s;   /* duration of the last commit */
    int busy;               /* a group is being written */
    int waiting_for_space;  /* retrying on a full disk */
    struct ens_error error; /* status ENS_OK while all is well */
};

/** Where an earlier segment ends (written into the SEGMENT frame). */
struct ens_segment_end {
    uint32_t epoch;
    uint64_t end;
};

enum ens_status ens_journal_open(struct ens_journal **j,
                                 const struct ens_epoch *epoch,
                                 const struct ens_segment_end *ends, size_t n,
                                 struct ens_io *io,
                                 const struct ens_journal_options *options,
                                 struct ens_error *err);
/** Append whole frames (as a worker wrote them); n_records in them. Fails
 * with ENS_ENOMEMORY only: that the journal failed is in its state. */
enum ens_status ens_journal_append(struct ens_journal *j, const void *frames,
                                   size_t n, uint64_t n_records);
/** Append a frame of the coordinator's own. */
enum ens_status ens_journal_append_frame(struct ens_journal *j, int type,
                                         const void *payload, size_t n);
/** As above for a frame that counts as one record (a crashed task). */
enum ens_status ens_journal_append_record(struct ens_journal *j,
                                          const void *payload, size_t n);
/** Bytes in memory: being written, and in the open group. */
size_t ens_journal_pending(const struct ens_journal *j);
/** Records in the open group. */
uint64_t ens_journal_open_records(const struct ens_journal *j);
/** Give the open group to the thread, unless it is busy or has failed or the
 * group is empty (then 0). sync_fd: duplicated descriptors to sync before;
 * taken over when the answer is 1, else still the caller's. */
int ens_journal_seal(struct ens_journal *j, const int *sync_fd, size_t n);
void ens_journal_state(const struct ens_journal *j,
                       struct ens_journal_state *state);
/** Size of the segment once the group last sealed is written. */
uint64_t ens_journal_sealed_end(const struct ens_journal *j);
/** Wait for the thread to be idle (or failed). */
void ens_journal_wait(struct ens_journal *j);
/** Seal, wait, stop the thread, cut the segment to size; *end its size.
 * Frees j in any case. */
enum ens_status ens_journal_close(struct ens_journal *j, uint64_t *end,
                                  struct ens_error *err);
/** Stop without writing anything more (after an error). Frees j. */
void ens_journal_abandon(struct ens_journal *j);

#endif
