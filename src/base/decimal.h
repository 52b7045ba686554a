/* Doubles from and to text, computed with integers: the same as strtod, and
 * as the loop over %.15g %.16g %.17g (number.h), several times faster. */
#ifndef ENS_BASE_DECIMAL_H
#define ENS_BASE_DECIMAL_H

#include <stdint.h>

#include <stddef.h>

/**
 * Write the canonical text of v to `to` (ENS_NUMBER_BYTES); returns its
 * length, 0 when v is outside of what is done here (about 1e-36 <= |v| < 1e15;
 * zero, inf and nan are outside, too).
 */
size_t ens_decimal_format(char *to, double v);

/**
 * Read all n bytes of s, [+-] digits [. digits] [e [+-] digits], as the nearest
 * double, a tie to the even one. -1 when it is not that, or outside of what is
 * done here: at most 19 digits from the first that is not 0, times 10^-27 to
 * 10^27 as an integer.
 */
int ens_decimal_parse(const char *s, size_t n, double *v);

/** How many of the n bytes at p are digits, from the first on. */
size_t ens_decimal_digits(const char *p, size_t n);

/** 5^0 .. 5^27, all that 64 bits hold. */
#define ENS_FIVES 28
extern const uint64_t ens_five[ENS_FIVES];

#endif
