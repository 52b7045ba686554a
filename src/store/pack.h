/* Packs: many artifacts per file, artifacts/EEEEEE-SSSSS.pack (epoch, slot),
 * addressed by offset and length. One writer per pack: a worker, or the
 * coordinator (slot 0xffff). Bytes of a killed worker are dead space. */
#ifndef ENS_STORE_PACK_H
#define ENS_STORE_PACK_H

#include "record/record.h"
#include "store/io.h"
#include <ensrun/error.h>

typedef enum ens_status ens_pack_sink_fn(void *arg, uint64_t at,
                                         const void *data, size_t n,
                                         struct ens_error *err);

struct ens_pack {
    ens_pack_sink_fn *sink; /* NULL: into the file */
    void *arg;
    int fd; /* -1: not yet created (the first append does) */
    uint64_t end;
    uint64_t part_bytes;       /* of the artifact that comes in parts */
    struct ens_hasher *hasher; /* of it; NULL before the first one */
    uint32_t epoch, slot;
    char dir[4096];
    struct ens_io *io;
};

void ens_pack_init(struct ens_pack *p, const char *dir, uint32_t epoch,
                   uint32_t slot, struct ens_io *io);
/** What would be written goes to sink(arg); the pack ends at `end` now. */
void ens_pack_redirect(struct ens_pack *p, uint64_t end, ens_pack_sink_fn *sink,
                       void *arg);
/** Write what another's sink was given. */
enum ens_status ens_pack_write(struct ens_pack *p, uint64_t at,
                               const void *data, size_t n,
                               struct ens_error *err);
/** Append; *ref filled but for the name. Not synced: the journal's group
 * does that (ens_pack_open_fd). */
enum ens_status ens_pack_append(struct ens_pack *p, const void *data,
                                size_t bytes, struct ens_artifact_ref *ref,
                                struct ens_error *err);
/** The same in parts: begin, parts, end; a begin or an append forgets what was
 * not ended. A part that failed may be given again. */
enum ens_status ens_pack_begin(struct ens_pack *p, struct ens_error *err);
enum ens_status ens_pack_part(struct ens_pack *p, const void *data,
                              size_t bytes, struct ens_error *err);
void ens_pack_end(struct ens_pack *p, struct ens_artifact_ref *ref);
void ens_pack_fini(struct ens_pack *p);
/** Descriptor for syncing or reading; -1 with errno. */
int ens_pack_open_fd(const char *dir, uint32_t epoch, uint32_t slot);
/** Read an artifact and check its hash. */
enum ens_status ens_pack_read(const char *dir, uint32_t epoch,
                              const struct ens_artifact_ref *ref,
                              struct ens_buf *out, struct ens_error *err);

/** Open the pack that holds an artifact, to read it in parts: *fd, and its
 * bytes are ref->length at ref->offset, all of them there. */
enum ens_status ens_pack_open(const char *dir, uint32_t epoch,
                              const struct ens_artifact_ref *ref, int *fd,
                              struct ens_error *err);
/** Check its hash, reading in parts; fd as of ens_pack_open. progress (may be
 * NULL) is told of every part. */
enum ens_status ens_pack_check(int fd, const struct ens_artifact_ref *ref,
                               void (*progress)(void *arg, uint64_t bytes),
                               void *arg, struct ens_error *err);

#endif
