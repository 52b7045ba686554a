/* The rules of [stop]: when a cell has replicates enough.
 *
 * A rule is about rows of cells.csv: mcse(MEASURE, TERM) < NUMBER holds when
 * the rows of that measure (of that term, with * of all terms) each have a
 * Monte Carlo standard error below the number. A rule does not apply to a cell
 * that has no such row. All rules that apply must hold, and at least one must
 * apply.
 */
#ifndef ENS_STOP_RULES_H
#define ENS_STOP_RULES_H

#include "config/study.h"
#include <ensrun/kind.h>

#define ENS_STOP_MAX_RULES 16
#define ENS_STOP_NAME      128 /* of a measure or term, with its NUL */
#define ENS_STOP_MIN       50  /* replicates: the default of `min` */

struct ens_stop_rule {
    const char *text; /* lent by the study */
    char measure[ENS_STOP_NAME];
    char term[ENS_STOP_NAME]; /* "*": all */
    double below;
};

struct ens_stop_rules {
    size_t n; /* 0: there are none, cells have all their replicates */
    struct ens_stop_rule rule[ENS_STOP_MAX_RULES];
    uint32_t min, every; /* check points: min, min + every, ... */
    uint32_t unchecked;  /* bits of rules: nobody knows before tasks run
                            whether there are such rows. Those apply always */
};

/** Read one: `mcse(bias, x1) < 0.005`, `mcse(coverage)`: of all terms. */
enum ens_status ens_stop_rule_parse(struct ens_stop_rule *rule,
                                    const char *text, struct ens_error *err);
/** The [stop] of a study. Errors name file, line, the rule and what is
 * allowed. */
enum ens_status ens_stop_rules_read(struct ens_stop_rules *rules,
                                    const struct ens_study *study,
                                    struct ens_error *err);

/** The row that is farthest from what its rule asks of it. */
struct ens_stop_worst {
    double ratio; /* mcse over the rule's number, inf when there is no mcse; 0:
                     no row */
    double mcse;
    size_t rule;
    char term[ENS_STOP_NAME];
};

/** Is a row's measure the one that a rule names, or has as another name? */
int ens_stop_is_measure(const char *wanted, const char *name);

/** Rows of a cell being held against the rules. Zero it but for rules. */
struct ens_stop_look {
    const struct ens_stop_rules *rules;
    uint32_t met, failed, named, measured; /* bits of rules: a row fits and
                                holds, does not hold; has the measure */
    struct ens_stop_worst worst;
};
/** An ens_measure_fn; arg: the look. */
enum ens_status ens_stop_look_row(void *arg, const struct ens_measure *m,
                                  struct ens_error *err);
/** After all rows: do the rules hold? */
int ens_stop_look_holds(struct ens_stop_look *look);

/**
 * The MCSE that rules take: that of the row; of a share that is 0 or 1, whose
 * own is 0 however small n is, the half-width of Wilson's 95 % interval in
 * units of z: z / (2 (n + z^2)).
 * Source: Wilson (1927), doi:10.1080/01621459.1927.10502953.
 */
double ens_stop_mcse(const struct ens_measure *m);

#endif
