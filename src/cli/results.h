/* A results folder opened for reading: study, plan, journal, what is done. */
#ifndef ENS_CLI_RESULTS_H
#define ENS_CLI_RESULTS_H

#include "base/buf.h"
#include "export/tables.h"
#include "kind/finder.h"
#include "plan/plan.h"
#include "store/places.h"
#include "stop/scan.h"
#include "store/replay.h"

/** A study file with its kind. */
struct ens_loaded {
    struct ens_study *study;
    const struct ens_kind *kind;
    struct ens_finder finder;
};
/** errors: all errors of the file, a line each. */
enum ens_status ens_loaded_open(struct ens_loaded *l, const char *path,
                                const struct ens_override *set, size_t n_set,
                                struct ens_buf *errors, struct ens_error *err);
void ens_loaded_close(struct ens_loaded *l);

struct ens_results_stage {
    struct ens_stage def; /* as it is for the present study; of cells that
                             stop ([stop]), up to there */
    const struct ens_done *done; /* NULL: no task of it has ended */
};

struct ens_results {
    char dir[4096]; /* absolute */
    struct ens_loaded loaded;
    struct ens_inputs inputs; /* empty when they are gone, not needed */
    struct ens_plan plan;
    struct ens_log log;
    struct ens_replay replay;
    size_t n_stages;
    struct ens_results_stage *stage; /* those known so far, in order */
    int complete;                    /* the last one is the last */
    struct ens_stopping stops;       /* of the first stage; it has no others */
    size_t n_places;
    struct ens_places **places; /* of shown stages; ens_results_index */
};

/**
 * Open for reading; a run may be going on. ENS_ENOTFOUND when there is no
 * such folder, or nothing of ours in it.
 */
#define ENS_RESULTS_FAST  1u /* begin at a checkpoint, do not read it all */
#define ENS_RESULTS_WHOLE 2u /* tasks ran one by one: ens_plan_make_whole */
enum ens_status ens_results_open(struct ens_results *r, const char *dir,
                                 unsigned how, struct ens_buf *errors,
                                 struct ens_error *err);
void ens_results_close(struct ens_results *r);

/** The place index of a stage: of all replicates, or, where cells stop and may
 * have far more, up to the last that has a record. */
enum ens_status ens_results_places(struct ens_results *r, size_t stage,
                                   struct ens_places **places,
                                   struct ens_error *err);
/** Build the place index of the shown stages (places, n_places). */
enum ens_status ens_results_index(struct ens_results *r, struct ens_error *err);
/** Tables over the shown stages; after ens_results_index. */
enum ens_status ens_results_tables(struct ens_results *r, struct ens_tables **t,
                                   struct ens_error *err);

struct ens_results_count {
    uint64_t n_tasks, n_done;
    uint64_t by_outcome[ENS_N_OUTCOMES];
};
/** Tasks of a stage that are in the present study, by how they ended. */
void ens_results_count(const struct ens_results_stage *st,
                       struct ens_results_count *c);

#endif
