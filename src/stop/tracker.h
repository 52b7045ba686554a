/* Cells being run: which replicates are wanted, and where each cell stops.
 *
 * Records come in any order; those of a cell are looked at in replicate
 * order. What comes early waits here, so only cells that were taken up
 * (ens_tracker_enter) and have not stopped cost memory: a bounded number, each
 * with a bounded number of replicates handed out ahead (dispatch/ranges).
 */
#ifndef ENS_STOP_TRACKER_H
#define ENS_STOP_TRACKER_H

#include "stop/scan.h"

struct ens_tracker;

/** A cell has stopped. */
typedef void ens_tracker_stopped_fn(void *arg, uint64_t cell, uint32_t at);

struct ens_tracker_config {
    struct ens_stopping *stopping;
    const struct ens_stage *stage;
    const struct ens_done *done;     /* of the stage */
    const struct ens_places *stored; /* records of earlier epochs, or NULL */
    void *arg;
    ens_tracker_stopped_fn *stopped;
};

/** NULL: out of memory. Lends what the config points to. */
struct ens_tracker *ens_tracker_new(const struct ens_tracker_config *config);
void ens_tracker_free(struct ens_tracker *t);
/** Take a cell up, with what is stored of it: it may stop at once. A failure
 * is kept for ens_tracker_failure. */
void ens_tracker_enter(struct ens_tracker *t, uint64_t cell);
/** Forget a cell that has not stopped. */
void ens_tracker_leave(struct ens_tracker *t, uint64_t cell);
/** The replicate up to which all of a cell that was taken up are wanted for
 * certain: its next check point. */
uint32_t ens_tracker_wanted(struct ens_tracker *t, uint64_t cell);
/** A record that counts and is in the done set; of cells that were not taken
 * up, or have stopped, it is not looked at. */
void ens_tracker_add(struct ens_tracker *t, const struct ens_record *rec,
                     const struct ens_schema *schema);
/** So much waits that nothing should be handed out ahead. */
int ens_tracker_is_full(const struct ens_tracker *t);
/** Rises when a cell stops, or when more of one is wanted. */
uint64_t ens_tracker_turn(const struct ens_tracker *t);
/** The cells of those turns, each once handed over; 0: no more. */
int ens_tracker_take_turn(struct ens_tracker *t, uint64_t *cell);
/** What went wrong first; NULL: nothing. */
const struct ens_error *ens_tracker_failure(const struct ens_tracker *t);

#endif
