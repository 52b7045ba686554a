/* Inside Newton's method: one pass over rows gives the loss, its derivatives
 * and the information. */
#ifndef ENS_LEARN_NEWTON_PASS_H
#define ENS_LEARN_NEWTON_PASS_H

#include "learn/newton.h"

struct ens_newton_pass {
    const struct ens_newton *o;
    const struct ens_rows *rows;
    const double *centre;
    size_t p, m, k;       /* columns; with a column of ones; outputs */
    double value, weight; /* sum of w loss; of w */
    double *grad;         /* k times m */
    double *gram;         /* of outputs a >= b: a triangle by rows */
    size_t size;          /* rows of a block */
    double *x, *z, *y, *w, *eta, *r, *h;
};

uint64_t ens_newton_pass_doubles(size_t p, size_t k);
enum ens_status ens_newton_pass_init(struct ens_newton_pass *s,
                                     const struct ens_newton *o,
                                     const struct ens_learn_job *job,
                                     const struct ens_rows *rows,
                                     const double *centre,
                                     struct ens_error *err);

/** At b: k times m. */
void ens_newton_pass_run(struct ens_newton_pass *s, const double *b);

/** Information of coefficient i of output a and j of output b. */
double ens_newton_information(const struct ens_newton_pass *s, size_t a,
                              size_t i, size_t b, size_t j);

#endif
