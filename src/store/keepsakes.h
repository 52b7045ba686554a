/* Keepsakes: what tasks of a stage kept for those of another, found by place:
 * the first artifact of each record.
 *
 * Where the results folder is seen they are found by the journal, else in the
 * file artifacts/keepsakes, that the coordinator sends with the packs'
 * parts. In it 40 bytes for each place of the stage, little-endian:
 *
 *   0 u64 epoch (0: nothing is kept)   8 u64 slot   16 u64 offset in the pack
 *   24 u64 length                     32 u64 XXH3-64
 */
#ifndef ENS_STORE_KEEPSAKES_H
#define ENS_STORE_KEEPSAKES_H

#include "store/places.h"

#define ENS_KEEPSAKE_BYTES 40u
#define ENS_KEEPSAKE_FILE  "artifacts/keepsakes"

struct ens_keepsakes {
    struct ens_log log;
    struct ens_places *places; /* NULL: a file is read */
    int fd;                    /* of it */
    uint64_t n;                /* places */
};

/** By the journal of dir, up to its last commit; a run may be going on. study
 * is lent. */
enum ens_status ens_keepsakes_open(struct ens_keepsakes *k, const char *dir,
                                   const struct ens_study *study,
                                   const struct ens_stage *stage,
                                   struct ens_error *err);
/** By the file in dir. */
enum ens_status ens_keepsakes_open_file(struct ens_keepsakes *k,
                                        const char *dir,
                                        const struct ens_stage *stage,
                                        struct ens_error *err);
void ens_keepsakes_close(struct ens_keepsakes *k);
/** Where that of a place is; *epoch 0: there is none. ref without a name. */
enum ens_status ens_keepsakes_get(const struct ens_keepsakes *k, uint64_t place,
                                  uint32_t *epoch, struct ens_artifact_ref *ref,
                                  struct ens_error *err);
/** Bytes of the file for a place. */
void ens_keepsake_write(unsigned char to[ENS_KEEPSAKE_BYTES], uint32_t epoch,
                        const struct ens_artifact_ref *ref);

#endif
