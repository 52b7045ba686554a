#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ens_buf_fini(struct ens_buf *b)
{
    free(b->data);
    memset(b, 0, sizeof(*b));
}

void ens_buf_clear(struct ens_buf *b)
{
    b->len = 0;
    b->failed = 0;
}

static int grow(struct ens_buf *b, size_t need)
{
    size_t cap = b->cap < 256 ? 256 : b->cap;
    unsigned char *p;

    while (cap < need) {
        if (cap > SIZE_MAX / 2)
            return -1;
        cap *= 2;
    }
    p = realloc(b->data, cap);
    if (p == NULL)
        return -1;
    b->data = p;
    b->cap = cap;
    return 0;
}

void *ens_buf_reserve(struct ens_buf *b, size_t n)
{
    if (n > SIZE_MAX - b->len ||
        (b->len + n > b->cap && grow(b, b->len + n) != 0)) {
        b->failed = 1;
        return NULL;
    }
    return b->data + b->len;
}

void ens_buf_put(struct ens_buf *b, const void *p, size_t n)
{
    void *to;

    if (n == 0)
        return;
    to = ens_buf_reserve(b, n);
    if (to == NULL)
        return;
    memcpy(to, p, n);
    b->len += n;
}

void ens_buf_puts(struct ens_buf *b, const char *s)
{
    ens_buf_put(b, s, strlen(s));
}

void ens_buf_printf(struct ens_buf *b, const char *fmt, ...)
{
    va_list ap;
    int n;
    char *to;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0) {
        b->failed = 1;
        return;
    }
    to = ens_buf_reserve(b, (size_t)n + 1);
    if (to == NULL)
        return;
    va_start(ap, fmt);
    vsnprintf(to, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->len += (size_t)n;
}

void ens_buf_u8(struct ens_buf *b, uint8_t v)
{
    ens_buf_put(b, &v, 1);
}

void ens_buf_u16(struct ens_buf *b, uint16_t v)
{
    unsigned char p[2] = {(unsigned char)v, (unsigned char)(v >> 8)};

    ens_buf_put(b, p, 2);
}

void ens_buf_u32(struct ens_buf *b, uint32_t v)
{
    unsigned char p[4];

    for (int i = 0; i < 4; i++)
        p[i] = (unsigned char)(v >> (8 * i));
    ens_buf_put(b, p, 4);
}

void ens_buf_u64(struct ens_buf *b, uint64_t v)
{
    unsigned char p[8];

    for (int i = 0; i < 8; i++)
        p[i] = (unsigned char)(v >> (8 * i));
    ens_buf_put(b, p, 8);
}

void ens_buf_f64(struct ens_buf *b, double v)
{
    uint64_t u;

    memcpy(&u, &v, 8);
    ens_buf_u64(b, u);
}

void ens_buf_str(struct ens_buf *b, const char *s)
{
    size_t n = strlen(s);

    if (n > UINT32_MAX) {
        b->failed = 1;
        return;
    }
    ens_buf_u32(b, (uint32_t)n);
    ens_buf_put(b, s, n);
}

void ens_buf_align(struct ens_buf *b, size_t n)
{
    while (!b->failed && b->len % n != 0)
        ens_buf_u8(b, 0);
}

const char *ens_buf_text(struct ens_buf *b)
{
    char *end = ens_buf_reserve(b, 1);

    if (end == NULL)
        return "";
    *end = '\0';
    return (const char *)b->data;
}

struct ens_cursor ens_cursor(const void *p, size_t n)
{
    struct ens_cursor c = {p, (const unsigned char *)p + n, 0};

    return c;
}

const void *ens_cursor_bytes(struct ens_cursor *c, size_t n)
{
    const unsigned char *p = c->p;

    if (c->bad || (size_t)(c->end - c->p) < n) {
        c->bad = 1;
        return NULL;
    }
    c->p += n;
    return p;
}

static uint64_t little(struct ens_cursor *c, size_t n)
{
    const unsigned char *p = ens_cursor_bytes(c, n);
    uint64_t v = 0;

    if (p == NULL)
        return 0;
    for (size_t i = 0; i < n; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

uint8_t ens_cursor_u8(struct ens_cursor *c)
{
    return (uint8_t)little(c, 1);
}

uint16_t ens_cursor_u16(struct ens_cursor *c)
{
    return (uint16_t)little(c, 2);
}

uint32_t ens_cursor_u32(struct ens_cursor *c)
{
    return (uint32_t)little(c, 4);
}

uint64_t ens_cursor_u64(struct ens_cursor *c)
{
    return little(c, 8);
}

double ens_cursor_f64(struct ens_cursor *c)
{
    uint64_t u = little(c, 8);
    double v;

    memcpy(&v, &u, 8);
    return v;
}

const char *ens_cursor_str(struct ens_cursor *c, size_t *n)
{
    *n = ens_cursor_u32(c);
    return ens_cursor_bytes(c, *n);
}
