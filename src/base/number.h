/* Numbers as text: one canonical form everywhere (DESIGN section 5), in the
 * C locale whatever the environment says. */
#ifndef ENS_BASE_NUMBER_H
#define ENS_BASE_NUMBER_H

#include <stddef.h>
#include <stdint.h>

#define ENS_NUMBER_BYTES 32 /* enough for any number and its NUL */

/**
 * Write the canonical text of v: the shortest of %.15g %.16g %.17g that reads
 * back the same; "inf", "-inf", "nan"; -0 as "0".
 * Returns its length. to has ENS_NUMBER_BYTES.
 */
size_t ens_number_format(char *to, double v);

/** Decimal text of v; returns its length. to has ENS_NUMBER_BYTES. */
size_t ens_number_format_i64(char *to, int64_t v);
size_t ens_number_format_u64(char *to, uint64_t v);
/** With zeros in front up to a width below ENS_NUMBER_BYTES. */
size_t ens_number_format_padded(char *to, uint64_t v, size_t width);

/**
 * Read all n bytes of s as a double (decimal or scientific, inf, nan, any
 * case; no hex, no blanks). Returns 0 on success, -1 otherwise.
 */
int ens_number_parse(const char *s, size_t n, double *v);

/** Read all n bytes of s as a decimal integer; -1 when not one or too big. */
int ens_number_parse_i64(const char *s, size_t n, int64_t *v);
int ens_number_parse_u64(const char *s, size_t n, uint64_t *v);

#endif
