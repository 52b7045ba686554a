/* --only: naming tasks by hand, and replaying finished ones. */
#ifndef ENS_RUN_ONLY_H
#define ENS_RUN_ONLY_H

#include "run/state.h"

/**
 * The stage that --only names ("stage/cell:replicate"; "" for the first): a
 * copy in to, of cap bytes. ENS_EUSAGE when it names two.
 */
enum ens_status ens_only_stage(const char *only, char *to, size_t cap,
                               struct ens_error *err);
/** Fill r->only with the places, in the present stage, of what --only names:
 * labels, or cell:replicate with any unambiguous beginning of the cell's id.
 * ENS_ENOTFOUND names the one that is not there. */
enum ens_status ens_only_resolve(struct ens_run *r, struct ens_error *err);
/** 1 when the batch is of finished tasks run again: compared with the stored
 * records and said, not to be journaled. */
int ens_only_replayed(struct ens_run *r, const struct ens_batch *b);

#endif
