/* What the journal's thread does to its segment file: create, extend ahead,
 * put a group, cut. One user at a time; every error is final: after it
 * nothing more may be written through this object. */
#ifndef ENS_STORE_WRITER_H
#define ENS_STORE_WRITER_H

#include "base/buf.h"
#include "store/journal.h"

struct ens_writer {
    struct ens_io *io;
    int fd; /* -1: closed */
    char *path;
    uint64_t run_id;
    uint64_t end;      /* of what was accepted */
    uint64_t extended; /* the file has at least so many bytes, synced */
    uint64_t number;   /* of the last accepted COMMIT */
    double disk_wait_s;
    /** While the disk is full: wait a little; nonzero = give up now. */
    int (*wait_for_space)(void *arg);
    void *arg;
};

/**
 * Create the epoch's segment with its SEGMENT frame; synced, its folder too.
 * The caller sets disk_wait_s and wait_for_space (may be NULL: do not wait).
 */
enum ens_status ens_writer_create(struct ens_writer *w,
                                  const struct ens_epoch *epoch,
                                  const struct ens_segment_end *ends, size_t n,
                                  struct ens_io *io, struct ens_error *err);
/** Seal the group with its COMMIT (appended to it), write it, sync once. */
enum ens_status ens_writer_put(struct ens_writer *w, struct ens_buf *group,
                               uint64_t n_records, struct ens_error *err);
/** The group of n bytes put last counts: the next one goes behind it. */
void ens_writer_accept(struct ens_writer *w, uint64_t n);
/** Cut the file behind what was accepted, and sync. */
enum ens_status ens_writer_cut(struct ens_writer *w, struct ens_error *err);
void ens_writer_close(struct ens_writer *w);

#endif
