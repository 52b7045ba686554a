/* Where cells stop, from the journal: each cell's records are read through
 * the place index, so the order in which they were written does not matter
 * and memory does not grow with their number. */
#ifndef ENS_STOP_SCAN_H
#define ENS_STOP_SCAN_H

#include "stop/stopping.h"
#include "store/places.h"

/**
 * Decide all cells of a stage that the records of a log decide; others stay
 * open. done: of the stage (NULL: nothing is): what it says is open is not
 * read. kept (may be NULL): the index of those records, to be freed, or NULL
 * when there are none; log must outlive it. Does nothing without rules.
 */
enum ens_status ens_stopping_scan(struct ens_stopping *s, const char *dir,
                                  const struct ens_log *log,
                                  const struct ens_stage *stage,
                                  const struct ens_done *done,
                                  struct ens_places **kept,
                                  struct ens_error *err);

/** The stage with each cell up to the last of its replicates that has a
 * record: what has places when `replicates` may be far more. Owned by the
 * caller. */
enum ens_status ens_stopping_stored(const struct ens_stage *stage,
                                    const struct ens_done *done,
                                    struct ens_stage *to,
                                    struct ens_error *err);

/** Add what is stored of a cell from f->seen + 1 on, up to the first gap, to
 * where it stops, or to the replicate before `end` (0: any). stored NULL:
 * nothing. */
enum ens_status ens_follow_stored(struct ens_follow *f, struct ens_stopping *s,
                                  const struct ens_places *stored,
                                  const struct ens_done *done, uint32_t end,
                                  struct ens_error *err);

#endif
