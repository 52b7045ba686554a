/* A growable byte buffer with a sticky error: write without checking, look
 * at `failed` once at the end. A text in it is not NUL-terminated unless
 * ens_buf_text is used to read it. */
#ifndef ENS_BASE_BUF_H
#define ENS_BASE_BUF_H

#include <ensrun/version.h>
#include <stddef.h>
#include <stdint.h>

struct ens_buf {
    unsigned char *data;
    size_t len;
    size_t cap;
    int failed; /* out of memory at some point */
};

#define ENS_BUF_INIT                                                           \
    {                                                                          \
        NULL, 0, 0, 0                                                          \
    }

void ens_buf_fini(struct ens_buf *b);
void ens_buf_clear(struct ens_buf *b); /* keeps the memory */
/** Make room for n more bytes; NULL when out of memory. Not yet counted. */
void *ens_buf_reserve(struct ens_buf *b, size_t n);
void ens_buf_put(struct ens_buf *b, const void *p, size_t n);
void ens_buf_puts(struct ens_buf *b, const char *s);
void ens_buf_printf(struct ens_buf *b, const char *fmt, ...) ENS_PRINTF(2, 3);
void ens_buf_u8(struct ens_buf *b, uint8_t v);
void ens_buf_u16(struct ens_buf *b, uint16_t v); /* little-endian */
void ens_buf_u32(struct ens_buf *b, uint32_t v);
void ens_buf_u64(struct ens_buf *b, uint64_t v);
void ens_buf_f64(struct ens_buf *b, double v);
/** u32 length, then the bytes. */
void ens_buf_str(struct ens_buf *b, const char *s);
/** Zero bytes up to a multiple of n. */
void ens_buf_align(struct ens_buf *b, size_t n);
/** NUL-terminated text (the NUL is not counted); "" when empty or failed. */
const char *ens_buf_text(struct ens_buf *b);

/** A reader over bytes with a sticky `bad` flag (never reads past end). */
struct ens_cursor {
    const unsigned char *p;
    const unsigned char *end;
    int bad;
};

struct ens_cursor ens_cursor(const void *p, size_t n);
uint8_t ens_cursor_u8(struct ens_cursor *c);
uint16_t ens_cursor_u16(struct ens_cursor *c);
uint32_t ens_cursor_u32(struct ens_cursor *c);
uint64_t ens_cursor_u64(struct ens_cursor *c);
double ens_cursor_f64(struct ens_cursor *c);
/** Lends n bytes, NULL (and bad) when fewer are left. */
const void *ens_cursor_bytes(struct ens_cursor *c, size_t n);
/** Lends a text written by ens_buf_str; *n its length; not terminated. */
const char *ens_cursor_str(struct ens_cursor *c, size_t *n);

#endif
