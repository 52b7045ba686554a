#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

size_t ens_utf8_bytes(const char *p, size_t n)
{
    const unsigned char *s = (const unsigned char *)p;
    size_t len = s[0] < 0x80   ? 1
                 : s[0] < 0xc2 ? 0
                 : s[0] < 0xe0 ? 2
                 : s[0] < 0xf0 ? 3
                 : s[0] < 0xf5 ? 4
                               : 0;

    if (len == 0 || len > n)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
        (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return len;
}

size_t ens_utf8_next(const char *p, size_t n, uint32_t *c)
{
    const unsigned char *b = (const unsigned char *)p;
    size_t len = ens_utf8_bytes(p, n);
    uint32_t v;

    *c = 0xfffd;
    if (len == 0)
        return 1;
    v = len == 1 ? b[0] : b[0] & (0xffu >> (len + 1));
    for (size_t i = 1; i < len; i++)
        v = v << 6 | (b[i] & 0x3fu);
    *c = v;
    return len;
}

size_t ens_utf8_count(const char *p, size_t n)
{
    size_t chars = 0;
    uint32_t c;

    for (size_t at = 0; at < n; chars++)
        at += ens_utf8_next(p + at, n - at, &c);
    return chars;
}

/* C1 control characters, too: terminals obey them. */
static int is_shown(const char *p, size_t len)
{
    const unsigned char *s = (const unsigned char *)p;

    if (len == 1)
        return s[0] >= 0x20 && s[0] != 0x7f && s[0] != '\\';
    return len > 0 && !(s[0] == 0xc2 && s[1] < 0xa0);
}

char *ens_utf8_show(char *to, size_t cap, const char *p, size_t n)
{
    size_t len, at = 0;

    for (size_t i = 0; i < n; i += len) {
        char hex[5];
        const char *from = p + i;
        size_t bytes = len = ens_utf8_bytes(p + i, n - i);

        if (!is_shown(p + i, len)) {
            snprintf(hex, sizeof(hex), "\\x%02x", (unsigned char)p[i]);
            from = hex;
            bytes = 4;
            len = 1;
        }
        if (at + bytes + 4 > cap) {
            memcpy(to + at, "...", 3);
            at += 3;
            break;
        }
        memcpy(to + at, from, bytes);
        at += bytes;
    }
    to[at] = '\0';
    return to;
}
