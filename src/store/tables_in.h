/* What the tables of a kind are made from: records of the stages of a results
 * folder, by key and cell, and output arrays. Place indexes are built when a
 * stage is first asked for, and kept. */
#ifndef ENS_STORE_TABLES_IN_H
#define ENS_STORE_TABLES_IN_H

#include "store/places.h"

/** A stage of the results folder. */
struct ens_tables_stage {
    const struct ens_stage *def; /* lent */
    int finished;                /* all its tasks have ended */
};

struct ens_tables_lent; /* records given out */

struct ens_tables_in {
    const char *dir;           /* these are lent */
    const struct ens_log *log; /* not used for stages that were put in */
    const struct ens_study *study;
    int facts; /* are records to have seconds, attempts and worker? */
    size_t n;
    struct ens_tables_stage *stage;
    const struct ens_places **places; /* of each stage; NULL: not yet */
    struct ens_places **made;         /* those that are ours to free */
    struct ens_tables_lent *lent;
    struct ens_records arrays; /* maps arrays; of no stage */
};

/** Copies the list of stages, not what it points to. */
enum ens_status ens_tables_in_init(struct ens_tables_in *in, const char *dir,
                                   const struct ens_log *log,
                                   const struct ens_study *study,
                                   const struct ens_tables_stage *stage,
                                   size_t n, struct ens_error *err);
/** Twice is harmless. */
void ens_tables_in_fini(struct ens_tables_in *in);
/** The index of one of its stages is there already (lent). */
void ens_tables_in_put(struct ens_tables_in *in,
                       const struct ens_places *places);
/** Take back all that was given out; before the next table. */
void ens_tables_in_rewind(struct ens_tables_in *in, int facts);

/* Slots of struct ens_host. */
enum ens_status ens_tables_in_records(struct ens_tables_in *in, const char *key,
                                      uint64_t cell,
                                      struct ens_records **records,
                                      struct ens_error *err);
int ens_tables_in_finished(const struct ens_tables_in *in, const char *key);
enum ens_status ens_tables_in_array(struct ens_tables_in *in, const char *array,
                                    uint64_t cell, struct ens_view *view,
                                    struct ens_error *err);

#endif
