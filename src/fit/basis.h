/* Columns made of one variable: orthogonal polynomials and splines, as R 4.2
 * makes them (stats::poly, splines::bs, splines::ns), signs included. */
#ifndef ENS_FIT_BASIS_H
#define ENS_FIT_BASIS_H

#include "fit/formula.h"

#define ENS_BASIS_MAX_DF 50

/**
 * The df columns of a variable of kind POLY, BS or NS.
 *
 * Shapes:  x[n], NaN for missing; out[n * df], column-major; rows of missing
 *          values are NaN; work[n].
 * Method:  poly: monic polynomials, orthogonalised twice, of length 1. bs:
 *          knots at quantiles (type 7), Cox and de Boor, the first column left
 *          out. ns: cubic, projected onto those whose second derivatives at
 *          the ends are zero by the Householder reflections of dqrdc2.
 * Errors:  ENS_EDOMAIN: too few different values; missing ones in poly.
 */
enum ens_status ens_basis(const struct ens_formula_variable *v, const double *x,
                          size_t n, double *work, double *out,
                          struct ens_error *err);

#endif
