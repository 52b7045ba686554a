/* UTF-8, read byte by byte: no locale. */
#ifndef ENS_BASE_UTF8_H
#define ENS_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/** Bytes of the character at p (n >= 1 bytes left); 0 when it is none:
 * overlong forms, surrogates and what lies above U+10FFFF included. */
size_t ens_utf8_bytes(const char *p, size_t n);
/** Next character of a text (n >= 1 bytes left): bytes taken; *c its code
 * point, U+FFFD for a byte that is not UTF-8. */
size_t ens_utf8_next(const char *p, size_t n, uint32_t *c);
/** Number of characters. */
size_t ens_utf8_count(const char *p, size_t n);

/** A name as one line of text, for messages: bytes that are no printable
 * character, and "\\", as \\xNN; cut to fit cap > 8, then ending in "...".
 * Returns to. */
char *ens_utf8_show(char *to, size_t cap, const char *p, size_t n);

#endif
