#include "fit/deparse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS 15 /* R keeps that many of a constant */

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (unsigned char)c >= 0x80;
}

/* R's formatReal: as few of 15 digits as say the same; "%f" unless "%e" is
 * shorter. */
void ens_deparse_number(struct ens_buf *out, double v)
{
    char text[DIGITS + 16];
    int digits = DIGITS;
    int exponent;
    int decimals;
    int fixed;
    int scientific;

    snprintf(text, sizeof(text), "%.*e", DIGITS - 1, v);
    exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
    while (digits > 1 && text[digits] == '0') /* behind "d." */
        digits--;
    decimals = digits - 1 > exponent ? digits - 1 - exponent : 0;
    fixed = (exponent < 0 ? 1 : exponent + 1) + (decimals > 0) + decimals;
    scientific =
        digits + (digits > 1) + (exponent <= -100 || exponent >= 100 ? 5 : 4);
    if (fixed <= scientific)
        ens_buf_printf(out, "%.*f", decimals, v);
    else
        ens_buf_printf(out, "%.*e", digits - 1, v);
}

static int is_plain(const char *s, size_t n)
{
    if (!is_letter(s[0]) && !(s[0] == '.' && !(n > 1 && is_digit(s[1]))))
        return 0;
    for (size_t i = 1; i < n; i++)
        if (!is_letter(s[i]) && !is_digit(s[i]) && s[i] != '.' && s[i] != '_')
            return 0;
    return 1;
}

void ens_deparse_name(struct ens_buf *out, const char *s, size_t n)
{
    const char *quote = is_plain(s, n) ? "" : "`";

    ens_buf_puts(out, quote);
    ens_buf_put(out, s, n);
    ens_buf_puts(out, quote);
}
