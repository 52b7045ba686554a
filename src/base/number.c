#include "base/number.h"

#include "base/decimal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t ens_number_format_u64(char *to, uint64_t v)
{
    char tmp[24];
    size_t n = 0;
    size_t len = 0;

    do {
        tmp[n++] = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);
    while (n > 0)
        to[len++] = tmp[--n];
    to[len] = '\0';
    return len;
}

size_t ens_number_format_i64(char *to, int64_t v)
{
    if (v >= 0)
        return ens_number_format_u64(to, (uint64_t)v);
    *to = '-';
    return 1 + ens_number_format_u64(to + 1, 0 - (uint64_t)v);
}

size_t ens_number_format_padded(char *to, uint64_t v, size_t width)
{
    char text[ENS_NUMBER_BYTES];
    size_t n = ens_number_format_u64(text, v);
    size_t zeros = width > n ? width - n : 0;

    memset(to, '0', zeros);
    memcpy(to + zeros, text, n + 1);
    return zeros + n;
}

/* Integers below 10^15 print the same by %.15g and are much cheaper so. */
static int is_small_integer(double v)
{
    return v > -1e15 && v < 1e15 && v == (double)(int64_t)v;
}

size_t ens_number_format(char *to, double v)
{
    int n = 0;

    if (isnan(v))
        return (size_t)snprintf(to, ENS_NUMBER_BYTES, "nan");
    if (isinf(v))
        return (size_t)snprintf(to, ENS_NUMBER_BYTES, v > 0 ? "inf" : "-inf");
    if (is_small_integer(v))
        return ens_number_format_i64(to, (int64_t)v);
    n = (int)ens_decimal_format(to, v);
    if (n > 0)
        return (size_t)n;
    for (int digits = 15; digits <= 17; digits++) {
        n = snprintf(to, ENS_NUMBER_BYTES, "%.*g", digits, v);
        if (digits == 17 || strtod(to, NULL) == v)
            break;
    }
    return (size_t)n;
}

/* Is it a decimal number, "inf", "infinity" or "nan", sign allowed? */
static int looks_like_number(const char *s)
{
    const char *words[] = {"inf", "infinity", "nan"};

    if (*s == '+' || *s == '-')
        s++;
    for (size_t i = 0; i < 3; i++) {
        size_t k = 0;

        while (words[i][k] != '\0' && (s[k] | 32) == words[i][k])
            k++;
        if (words[i][k] == '\0' && s[k] == '\0')
            return 1;
    }
    return *s != '\0' && strspn(s, "0123456789.eE+-") == strlen(s);
}

int ens_number_parse(const char *s, size_t n, double *v)
{
    char tmp[400];
    char *end;

    if (ens_decimal_parse(s, n, v) == 0)
        return 0;
    if (n == 0 || n >= sizeof(tmp) || memchr(s, '\0', n) != NULL)
        return -1;
    memcpy(tmp, s, n);
    tmp[n] = '\0';
    if (!looks_like_number(tmp))
        return -1;
    *v = strtod(tmp, &end);
    return *end == '\0' ? 0 : -1;
}

int ens_number_parse_u64(const char *s, size_t n, uint64_t *v)
{
    uint64_t u = 0;

    if (n == 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        if (s[i] < '0' || s[i] > '9' ||
            __builtin_mul_overflow(u, (uint64_t)10, &u) ||
            __builtin_add_overflow(u, (uint64_t)(s[i] - '0'), &u))
            return -1;
    }
    *v = u;
    return 0;
}

int ens_number_parse_i64(const char *s, size_t n, int64_t *v)
{
    int neg = n > 0 && s[0] == '-';
    size_t skip = (n > 0 && (s[0] == '-' || s[0] == '+')) ? 1 : 0;
    uint64_t u;
    uint64_t max = (uint64_t)INT64_MAX + (uint64_t)neg;

    if (ens_number_parse_u64(s + skip, n - skip, &u) != 0 || u > max)
        return -1;
    *v = neg ? (int64_t)(0 - u) : (int64_t)u;
    return 0;
}
