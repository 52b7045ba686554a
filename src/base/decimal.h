/* The canonical text of a double, computed with integers: the same as the
 * loop over %.15g %.16g %.17g (number.h), several times faster. */
#ifndef ENS_BASE_DECIMAL_H
#define ENS_BASE_DECIMAL_H

#include <stddef.h>

/**
 * Write the canonical text of v to `to` (ENS_NUMBER_BYTES); returns its
 * length, 0 when v is outside of what is done here (about 1e-36 <= |v| < 1e15;
 * zero, inf and nan are outside, too).
 */
size_t ens_decimal_format(char *to, double v);

#endif
