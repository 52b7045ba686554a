/* The rows of cells.csv of one cell, from records that come one by one: those
 * of the kind, or mean and sd of every numeric field. */
#ifndef ENS_STOP_TALLY_H
#define ENS_STOP_TALLY_H

#include "plan/plan.h"

struct ens_stop_tally {
    const struct ens_kind *kind;
    void *own; /* the kind's, or a struct of ours */
};

/** May the kind's cells be measured record by record? */
int ens_stop_tally_is_possible(const struct ens_kind *kind);
/** *t is unchanged on failure. */
enum ens_status ens_stop_tally_init(struct ens_stop_tally *t,
                                    const struct ens_host *host,
                                    const struct ens_plan *plan,
                                    const struct ens_cell *cell,
                                    struct ens_error *err);
/** Harmless on a zeroed one, and twice. */
void ens_stop_tally_fini(struct ens_stop_tally *t);
/** The next record of the cell, in replicate order; schema NULL: none. */
enum ens_status ens_stop_tally_add(struct ens_stop_tally *t,
                                   const struct ens_record *rec,
                                   const struct ens_schema *schema,
                                   struct ens_error *err);
enum ens_status ens_stop_tally_rows(const struct ens_stop_tally *t,
                                    ens_measure_fn *sink, void *arg,
                                    struct ens_error *err);

#endif
