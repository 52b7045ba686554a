/* Numbers and names as R writes them in the names of terms. */
#ifndef ENS_FIT_DEPARSE_H
#define ENS_FIT_DEPARSE_H

#include "base/buf.h"

/** v >= 0, finite, to 15 digits: fixed notation unless it is wider than the
 * scientific one (100, 1e+05, 0.001, 1e-04). */
void ens_deparse_number(struct ens_buf *out, double v);
/** A column's name, in backquotes unless it could stand without them. */
void ens_deparse_name(struct ens_buf *out, const char *s, size_t n);

#endif
