/* Adaptive replicates (DESIGN section 7): where each cell stops.
 *
 * The stopping replicate of a cell is a function of its own records alone:
 * the first check point r = min, min + every, ... at which the rules hold for
 * replicates 1..r, in replicate order, those that are not ok as missing; else
 * `replicates`, the most there are. Records behind it may exist (handed out
 * early, or of a longer or stricter run) and are in no table.
 *
 * 4 bytes per cell and a bit, when the study has rules; nothing otherwise.
 * What reads results takes the stage that ens_stopping_stage makes.
 */
#ifndef ENS_STOP_STOPPING_H
#define ENS_STOP_STOPPING_H

#include "plan/plan.h"
#include "stop/rules.h"
#include "stop/tally.h"
#include "store/done.h"
#include "store/log.h"

struct ens_stopping {
    const struct ens_host *host;
    const struct ens_plan *plan;
    struct ens_stop_rules rules; /* n 0: all below is empty */
    uint64_t n_cells;
    uint32_t *at;    /* per cell: where it stops; 0: not known yet */
    uint64_t *unmet; /* per cell a bit: there because of `replicates` */
    struct ens_stop_worst worst; /* of the cells that did not meet a rule */
    uint64_t worst_cell;
};

/**
 * Read and check the rules of a plan's study against the rows that its cells
 * will have. ENS_ESTUDY: a rule that cannot be read; a measure or term that
 * no cell has; a kind without such rows, or whose stages have a number of
 * replicates of their own. *s is to be ended with ens_stopping_fini.
 */
enum ens_status ens_stopping_init(struct ens_stopping *s,
                                  const struct ens_host *host,
                                  const struct ens_plan *plan,
                                  struct ens_error *err);
void ens_stopping_fini(struct ens_stopping *s);
/** Forget where cells stop. */
void ens_stopping_clear(struct ens_stopping *s);

/** Where a cell stops; 0 while that is not known. */
static inline uint32_t ens_stopping_at(const struct ens_stopping *s,
                                       uint64_t cell)
{
    return s != NULL && s->at != NULL ? s->at[cell] : 0;
}
/** Its last replicate as far as is known; max: of its stage. s may be NULL. */
static inline uint32_t ens_stopping_last(const struct ens_stopping *s,
                                         uint64_t cell, uint32_t max)
{
    uint32_t at = ens_stopping_at(s, cell);

    return at > 0 && at < max ? at : max;
}
/** It has all its replicates and did not meet the rules. */
static inline int ens_stopping_is_unmet(const struct ens_stopping *s,
                                        uint64_t cell)
{
    return (int)(s->unmet[cell / 64] >> cell % 64 & 1);
}

/**
 * The stage without what lies behind the stops: a run of 32 bytes for every
 * row of cells that stop together. Owned by the caller. s may be NULL, or
 * without rules: then it is a copy.
 */
enum ens_status ens_stopping_stage(const struct ens_stopping *s,
                                   const struct ens_stage *stage,
                                   struct ens_stage *to, struct ens_error *err);

struct ens_stopping_totals {
    uint64_t n_open;    /* cells whose stop is not known */
    uint64_t n_stopped; /* that met the rules */
    uint64_t n_unmet;
    uint32_t least, most; /* replicate at which they met them */
    double mean;
};
void ens_stopping_count(const struct ens_stopping *s,
                        struct ens_stopping_totals *t);

/** Are there rows for every rule, in some cell? Sets unchecked. ENS_ESTUDY. */
enum ens_status ens_stop_rules_check(struct ens_stop_rules *rules,
                                     const struct ens_host *host,
                                     const struct ens_plan *plan,
                                     struct ens_error *err);

/* -- a cell, record by record ----------------------------------------------
 */

struct ens_follow {
    uint64_t cell;
    struct ens_stop_tally tally;
    uint32_t seen;  /* replicates that were added */
    uint32_t check; /* the next at which the rules are looked at, or max */
    uint32_t max;
};

enum ens_status ens_follow_init(struct ens_follow *f,
                                const struct ens_stopping *s, uint64_t cell,
                                uint32_t max, struct ens_error *err);
void ens_follow_fini(struct ens_follow *f);
/** Replicate seen + 1. When the cell stops with it, s says so from then on;
 * nothing may be added any more. */
enum ens_status ens_follow_add(struct ens_follow *f, struct ens_stopping *s,
                               const struct ens_record *rec,
                               const struct ens_schema *schema,
                               struct ens_error *err);

#endif
