/* Packs: many artifacts per file, artifacts/EEEEEE-SSSSS.pack (epoch, slot),
 * addressed by offset and length. One writer per pack: a worker, or the
 * coordinator (slot 0xffff). Bytes of a killed worker are dead space. */
#ifndef ENS_STORE_PACK_H
#define ENS_STORE_PACK_H

#include "record/record.h"
#include "store/io.h"
#include <ensrun/error.h>

struct ens_pack {
    int fd; /* -1: not yet created (the first append does) */
    uint64_t end;
    uint32_t epoch, slot;
    char dir[4096];
    struct ens_io *io;
};

void ens_pack_init(struct ens_pack *p, const char *dir, uint32_t epoch,
                   uint32_t slot, struct ens_io *io);
/** Append; *ref filled but for the name. Not synced: the journal's group
 * does that (ens_pack_open_fd). */
enum ens_status ens_pack_append(struct ens_pack *p, const void *data,
                                size_t bytes, struct ens_artifact_ref *ref,
                                struct ens_error *err);
void ens_pack_fini(struct ens_pack *p);
/** Descriptor for syncing or reading; -1 with errno. */
int ens_pack_open_fd(const char *dir, uint32_t epoch, uint32_t slot);
/** Read an artifact and check its hash. */
enum ens_status ens_pack_read(const char *dir, uint32_t epoch,
                              const struct ens_artifact_ref *ref,
                              struct ens_buf *out, struct ens_error *err);

#endif
