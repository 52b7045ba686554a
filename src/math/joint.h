/* Sums of pairs (x, v) about their means, up to the fourth power of x: what
 * means, variances and their ratios over replicates are made of.
 *
 * Two of them merge into what all their pairs would have given, whatever the
 * split; bits are those of the order in which pairs are added and merged. A
 * weight counts a pair so often; -1 takes out one that was added.
 * Source: Pebay (2008), "Formulas for robust, one-pass parallel computation of
 *         covariances and arbitrary-order statistical moments", SAND2008-6212.
 */
#ifndef ENS_MATH_JOINT_H
#define ENS_MATH_JOINT_H

struct ens_joint {     /* all zeros: none yet */
    double n;          /* sum of weights */
    double x, v;       /* means */
    double x2, x3, x4; /* sums of (x - mean)^2 ... */
    double v2, xv;     /* of (v - mean)^2, (x - mean)(v - mean) */
    double x2v;        /* of (x - mean)^2 (v - mean) */
};

void ens_joint_add(struct ens_joint *s, double x, double v, double weight);
void ens_joint_merge(struct ens_joint *to, const struct ens_joint *from);

/** Variances with n - 1; NaN when n < 2. */
double ens_joint_var_x(const struct ens_joint *s);
double ens_joint_var_v(const struct ens_joint *s);

#endif
