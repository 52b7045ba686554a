/* QR decomposition of rows in blocks: least squares that do not square the
 * condition of the rows, and read them only once.
 *
 * Source: Demmel, Grigori, Hoemmen, Langou (2012), "Communication-optimal
 *         parallel and sequential QR and LU factorizations",
 *         doi:10.1137/080731992 (sequential TSQR).
 */
#ifndef ENS_LEARN_TSQR_H
#define ENS_LEARN_TSQR_H

#include "learn/linear.h"

struct ens_tsqr {
    size_t p;
    const double *centre; /* p; NULL: zeros */
    double base;          /* of the response */
    const double *scale;  /* p: columns are divided by it */
    double alpha;         /* rows sqrt(alpha) I are added below those of x,
                             before they are divided */
    double *r;            /* of [x y]: (p + 1)^2, column-major, upper */
};

/** Doubles of memory that the two below take from their job. */
uint64_t ens_tsqr_doubles(size_t p);

/** Fills t->r, in memory from job. */
enum ens_status ens_tsqr_rows(struct ens_tsqr *t,
                              const struct ens_learn_job *job,
                              const struct ens_rows *rows,
                              struct ens_error *err);

/**
 * b[p] = least squares solution of least norm in the divided columns, without
 * directions whose singular value is at most tol times the largest.
 * *rank: how many are left; vt[p, p], column-major: rows rank .. p-1 span the
 * others, lent as long as job's memory. ENS_EDOMAIN: no convergence.
 */
enum ens_status ens_tsqr_solve(const struct ens_tsqr *t,
                               const struct ens_learn_job *job, double tol,
                               double *b, size_t *rank, double **vt,
                               struct ens_error *err);

#endif
