/* Checkpoints: snapshots of a replay that shorten resume, and nothing else.
 *
 * checkpoints/000007-000012.ckpt (epoch, number), written to a temporary
 * file, synced, renamed:
 *    0  8  magic "ENSCKPT1"
 *    8  8  XXH3-64 of all that follows
 *   16  8  hash of the list of cells     24  8  epoch
 *   32  8  journal end (behind a COMMIT) 40  8  records seen
 *   48  8  records of unknown cells      56  4  highest round
 *   60  4  zero
 *   64  .  u32 n schemas, each: block of its encoding (schema.h)
 *          u32 n stages, each: block of its STAGE payload, u64 epoch of its
 *            data, u32 epoch of the frame, u32 runs ok, position of the first
 *            frame and of the last records (each u64 segment, u64 offset),
 *            block of its done set (done.h)
 *          u32 n answers, each: block of its STAGE payload, u64 epoch of its
 *            data, u32 epoch, u32 group, u32 stale, u32 runs ok, position
 *          u32 n attempts, each as in an ATTEMPT frame (replay.h)
 * A block is a u64 length and as many bytes. Segments are counted as in
 * struct ens_log: they are never removed, and new ones come last.
 *
 * A checkpoint may say nothing that is not durable: encode when everything
 * that was applied is in groups up to journal_end (right after a seal), write
 * when that group is acknowledged.
 */
#ifndef ENS_STORE_CHECKPOINT_H
#define ENS_STORE_CHECKPOINT_H

#include "store/replay.h"

/** Encode now (cheap: on the loop), write later (any thread). */
void ens_checkpoint_encode(const struct ens_replay *r, uint32_t epoch,
                           uint64_t journal_end, struct ens_buf *out);
enum ens_status ens_checkpoint_write(const char *dir, uint32_t epoch,
                                     uint32_t number, const void *p, size_t n,
                                     int keep, struct ens_error *err);

struct ens_checkpoint_info {
    uint32_t epoch, number;
    uint64_t journal_end, n_records, bytes;
    int valid; /* complete, with the right hash */
    uint64_t cells_hash;
};
/** What the bytes of a file say of themselves, but for the number, which is
 * in its name. -1: it is not complete. */
int ens_checkpoint_info_read(struct ens_checkpoint_info *info, const void *p,
                             size_t n);
/** List, newest first; returns how many (at most max). */
size_t ens_checkpoint_list(const char *dir, struct ens_checkpoint_info *info,
                           size_t max);
/** Remove all but the newest n. */
enum ens_status ens_checkpoint_keep(const char *dir, size_t n,
                                    struct ens_error *err);

/**
 * Load the newest checkpoint that fits into r (its study, n_cells and
 * study_hash set, the rest zero): same list of cells, and its journal end
 * behind a COMMIT of the log. *loaded and *from (where to go on) are set;
 * damaged files and those of another list are passed over.
 * ENS_ECORRUPT: the newest valid one says that more was committed than the
 * journal holds.
 */
enum ens_status ens_checkpoint_load(struct ens_replay *r,
                                    const struct ens_log *log, const char *dir,
                                    struct ens_log_at *from, int *loaded,
                                    struct ens_error *err);
/** For a replay without one. ENS_ECORRUPT as above. */
enum ens_status ens_checkpoint_check(const struct ens_log *log, const char *dir,
                                     struct ens_error *err);
/** The bytes of a file. Pure; ENS_ECORRUPT when they are none or do not fit
 * r's list of cells; r as above, unchanged on failure. */
enum ens_status ens_checkpoint_decode(struct ens_replay *r, const void *p,
                                      size_t n,
                                      struct ens_checkpoint_info *info,
                                      struct ens_error *err);

#endif
