/* Conditions NAME=VALUE on the axes of cells (--where).
 *
 * A name is a column of the tables ("data", "data_n"), or a key alone ("n")
 * where only one role has it as an axis. A value is one the axis takes,
 * written in any way its type allows (1e2 for 100); empty for cells whose row
 * has no such key.
 */
#ifndef ENS_CONFIG_WHERE_H
#define ENS_CONFIG_WHERE_H

#include "config/study.h"

/** One piece of "k=v, k2=v2": lent, not terminated. */
struct ens_condition {
    const char *key, *value;
    size_t n_key, n_value;
};

/**
 * The condition at *at, which moves behind it: 1; 0 at the end. Commas inside
 * brackets and quotes do not separate. -1: err says what is wrong (usage).
 */
int ens_condition_next(const char **at, struct ens_condition *c,
                       struct ens_error *err);

struct ens_where {
    const struct ens_study *study;
    size_t n; /* all of them hold */
    struct ens_where_term {
        size_t column;    /* of the study's axis columns */
        const char *text; /* canonical */
    } * term;
    struct ens_arena arena;
};

/**
 * Parse lists of conditions, text[0..n-1]. ENS_EUSAGE: no such axis, or a
 * value that no cell has; names those there are. Lends study.
 */
enum ens_status ens_where_init(struct ens_where *w,
                               const struct ens_study *study,
                               const char *const *text, size_t n,
                               struct ens_error *err);
void ens_where_fini(struct ens_where *w);
/** Do all hold for a cell? No terms: yes. */
int ens_where_has(const struct ens_where *w, uint64_t ordinal);

#endif
