/* Limits at another level than a fit's, from what a task recorded. */
#ifndef ENS_KINDS_SIMULATION_MEASURES_LIMITS_H
#define ENS_KINDS_SIMULATION_MEASURES_LIMITS_H

#include "kinds/simulation/measures/measure.h"

/** Of replicates that follow each other: mostly of the same distribution.
 * All zeros at first. */
struct ens_limits {
    double from, to;    /* levels */
    double half, moved; /* half-widths at them, in standard errors */
};

/**
 * Move the limits of s from s->level to `level`. Those at std_error times a
 * quantile of t, or the normal, about the estimate tell its degrees of
 * freedom; of others the new ones are not known: NaN.
 */
void ens_limits_move(struct ens_limits *l, struct ens_sample *s, double level);

#endif
