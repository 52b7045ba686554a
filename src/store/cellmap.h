/* What the cell ordinals of a journal mean in the present study.
 *
 * The list in force is that of the last CELLS frames. While it is the present
 * study's (their hashes are equal) ordinals coincide and nothing is loaded;
 * else each of its hashes is looked up among the present cells.
 *
 * Payload of a CELLS frame, one part of a list (replay.h writes them):
 *    0  8  hash of the list (ens_study_cells_hash)
 *    8  8  n cells in the whole list
 *   16  8  ordinal of the first cell in this part
 *   24  4  n cells in this part     28  4  zero
 *   32  .  n x 16 bytes: the cells' hashes, low word first
 * Parts come in order; an empty list is one part without cells.
 */
#ifndef ENS_STORE_CELLMAP_H
#define ENS_STORE_CELLMAP_H

#include "config/study.h"
#include "record/stage.h"
#include <ensrun/error.h>

#define ENS_CELLS_HEAD 32u
#define ENS_CELL_NONE  UINT64_MAX

struct ens_cellmap_slot;

struct ens_cellmap {
    const struct ens_study *study;
    uint64_t n_cells, study_hash;
    uint64_t list_hash; /* in force; 0 = none yet */
    uint64_t n_list;    /* cells in it */
    uint64_t n_read;    /* of those, read so far */
    uint64_t *to;       /* n_list present ordinals; unused while equal */
    uint64_t cap_to;
    struct ens_cellmap_slot *slot; /* present cells by hash; made when needed */
    uint64_t n_slots;
};

void ens_cellmap_init(struct ens_cellmap *m, const struct ens_study *study);
void ens_cellmap_fini(struct ens_cellmap *m);
/** Take the payload of a CELLS frame. ENS_ECORRUPT. */
enum ens_status ens_cellmap_read(struct ens_cellmap *m, const void *payload,
                                 size_t n, struct ens_error *err);
/** The list in force is the present study's. */
static inline int ens_cellmap_same(const struct ens_cellmap *m)
{
    return m->list_hash == m->study_hash;
}
/** Present ordinal; ENS_CELL_NONE when the study lacks it. */
static inline uint64_t ens_cellmap_get(const struct ens_cellmap *m,
                                       uint64_t ordinal)
{
    if (ens_cellmap_same(m))
        return ordinal < m->n_cells ? ordinal : ENS_CELL_NONE;
    return ordinal < m->n_read ? m->to[ordinal] : ENS_CELL_NONE;
}
/**
 * Translate a stage's runs. 0, or -1 when they cannot be said in present
 * ordinals (a cell is gone, or they no longer rise): then they are untouched.
 */
int ens_cellmap_runs(const struct ens_cellmap *m, struct ens_stage *stage);

#endif
