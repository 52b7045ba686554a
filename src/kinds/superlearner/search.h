/* Table search: the learners of a study of type select, the best first. */
#ifndef ENS_SUPERLEARNER_SEARCH_H
#define ENS_SUPERLEARNER_SEARCH_H

#include "kinds/superlearner/members.h"

/** A learner and partition, as seen over folds. */
struct ens_sl_found {
    uint64_t cell; /* ordinal */
    uint32_t layer, partition;
    uint64_t folds, failed;
    double score[2], train[2];             /* mean, standard deviation */
    uint64_t place, rank, rank_in_section; /* of the table's own; 0: none */
    const char *section;
};

extern const struct ens_field ens_sl_search_fields[13];
/** Ranks what at->found holds (struct ens_sl_found) and gives it to the sink.
 * A learner of which a fold failed, or without a score, has no rank and comes
 * last; of equal scores the first one is better. */
enum ens_status ens_sl_put_search(const struct ens_sl_tables_at *at,
                                  struct ens_error *err);

#endif
