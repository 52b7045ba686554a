/* Epochs: one per run of a results folder. The lock is the epoch: creating
 * epochs/000008 with O_EXCL takes over from 7; nothing is unlinked.
 *
 * The file is text, key=value lines: counter (rewritten every heartbeat in
 * place, fixed width, hence first), host, boot, pidns, pid, start (of the
 * process, clock ticks), run_id (hex), closed (end of the segment; written
 * last). It is written under another name and gets its own by link(), which
 * is as exclusive as O_EXCL: nobody ever sees one without its owner.
 */
#ifndef ENS_STORE_EPOCH_H
#define ENS_STORE_EPOCH_H

#include <ensrun/error.h>
#include <stdint.h>

struct ens_epoch {
    char dir[4096]; /* results folder */
    uint32_t number;
    int unproved;    /* taken from an owner that may still run somewhere */
    uint64_t run_id; /* random; seeds every checksum of the epoch */
    int fd;
    uint64_t counter;
};

/**
 * Take the next epoch of dir (created when missing, with its sub-folders).
 * The newest epoch must be closed, or its owner proved dead (same boot id and
 * PID namespace, and no such process), else ENS_ELOCKED names host and pid.
 */
enum ens_status ens_epoch_take(struct ens_epoch *e, const char *dir,
                               struct ens_error *err);
/** As above with the run id of a segment that is copied here (merge). */
enum ens_status ens_epoch_take_as(struct ens_epoch *e, const char *dir,
                                  uint64_t run_id, struct ens_error *err);
/** As ens_epoch_take, but also from the owner of epoch `still`, which stood
 * still (outwait.h); 0: from no such. */
enum ens_status ens_epoch_take_over(struct ens_epoch *e, const char *dir,
                                    uint32_t still, struct ens_error *err);
/** Rewrite the counter. ENS_ELOCKED when a newer epoch exists. */
enum ens_status ens_epoch_beat(struct ens_epoch *e, struct ens_error *err);
/** 1 when a newer epoch exists. For the journal thread too. */
int ens_epoch_superseded(const struct ens_epoch *e);
/** Write `closed`. */
enum ens_status ens_epoch_close(struct ens_epoch *e, uint64_t segment_end,
                                struct ens_error *err);
void ens_epoch_abandon(struct ens_epoch *e); /* close the descriptor only */

/** What an epoch file says (any epoch; for log.c, status, verify). */
struct ens_epoch_info {
    uint32_t number;
    uint64_t run_id;
    int closed;
    uint64_t segment_end; /* when closed */
    uint64_t counter;     /* the heartbeat */
    int alive;            /* its owner may still run (0 when closed) */
    int here;             /* ... and was started where it can be looked at:
                             alive is proved */
    char host[256];
    int64_t pid;
};
enum ens_status ens_epoch_read(struct ens_epoch_info *info, const char *dir,
                               uint32_t number, struct ens_error *err);
/** Number of the newest epoch; 0 when there is none. */
uint32_t ens_epoch_newest(const char *dir);

#endif
