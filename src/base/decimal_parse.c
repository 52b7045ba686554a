/* A decimal w 10^q with w < 2^64 and |q| <= 27. As 5^27 < 2^63, w 5^q is an
 * integer of 127 bits at most, and w / 5^-q a quotient of 64 by 64 bits whose
 * remainder says on which side of it the number is: so both round exactly once,
 * and there is no doubtful case. Up to 2^53 and 10^22 both numbers are doubles,
 * and one operation does it (Clinger 1990, doi:10.1145/93548.93557). */
#include "base/decimal.h"

#include <stdint.h>
#include <string.h>

__extension__ typedef unsigned __int128 u128;

#define Q_MAX      (ENS_FIVES - 1)
#define DIGITS_MAX 19

const uint64_t ens_five[ENS_FIVES] = {1,
                                      5,
                                      25,
                                      125,
                                      625,
                                      3125,
                                      15625,
                                      78125,
                                      390625,
                                      1953125,
                                      9765625,
                                      48828125,
                                      244140625,
                                      1220703125,
                                      6103515625,
                                      30517578125,
                                      152587890625,
                                      762939453125,
                                      3814697265625,
                                      19073486328125,
                                      95367431640625,
                                      476837158203125,
                                      2384185791015625,
                                      11920928955078125,
                                      59604644775390625,
                                      298023223876953125,
                                      1490116119384765625,
                                      7450580596923828125};

static const double ten[23] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                               1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                               1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* m 2^e, m >= 2^63, and a rest below one if rest: rounded to 53 bits. e is far
 * from where doubles end. */
static double rounded(uint64_t m, int rest, int e)
{
    uint64_t cut = m & 0x7ff;
    uint64_t kept = m >> 11;
    uint64_t bits = (uint64_t)(e + 11 + 1023) << 52;
    double power;

    if (cut > 0x400 || (cut == 0x400 && (rest || (kept & 1) != 0)))
        kept++;
    memcpy(&power, &bits, sizeof(power));
    return (double)kept * power;
}

static double multiply(uint64_t w, int q)
{
    u128 p = (u128)w * ens_five[q];
    uint64_t high = (uint64_t)(p >> 64);
    int up =
        high != 0 ? __builtin_clzll(high) : 64 + __builtin_clzll((uint64_t)p);

    p <<= up;
    return rounded((uint64_t)(p >> 64), (uint64_t)p != 0, q + 64 - up);
}

static double divide(uint64_t w, int q)
{
    uint64_t d = ens_five[q];
    int w_up = __builtin_clzll(w);
    int d_up = __builtin_clzll(d);
    u128 n;
    uint64_t m;
    int e = d_up - w_up - 63 - q;
    int rest;

    w <<= w_up;
    d <<= d_up;
    n = (u128)w << 63;
    m = (uint64_t)(n / d);
    rest = (u128)m * d != n;
    if (m >> 63 == 0) { /* one bit more: that the rest decides */
        uint64_t left = (uint64_t)(n - (u128)m * d);

        m <<= 1;
        e--;
        if (left >= d - left) {
            m++;
            left -= d - left;
        } else {
            left *= 2;
        }
        rest = left != 0;
    }
    return rounded(m, rest, e);
}

static int are_digits(uint64_t u)
{
    return ((u & 0xf0f0f0f0f0f0f0f0) |
            ((u + 0x0606060606060606) & 0xf0f0f0f0f0f0f0f0) >> 4) ==
           0x3333333333333333;
}

size_t ens_decimal_digits(const char *p, size_t n)
{
    size_t i = 0;
    uint64_t u;

    for (; n - i >= sizeof(u); i += sizeof(u)) {
        memcpy(&u, p + i, sizeof(u));
        if (!are_digits(u))
            break;
    }
    while (i < n && (unsigned char)(p[i] - '0') < 10)
        i++;
    return i;
}

/* Eight digits at once: pairs, fours, eight, each by one multiplication. */
static int take_eight(const char *p, uint64_t *w)
{
    uint64_t u;

    memcpy(&u, p, sizeof(u));
    if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__ || !are_digits(u))
        return 0;
    u = (u & 0x0f0f0f0f0f0f0f0f) * 2561 >> 8;
    u = (u & 0x00ff00ff00ff00ff) * 6553601 >> 16;
    u = (u & 0x0000ffff0000ffff) * 42949672960001 >> 32;
    *w = *w * 100000000 + u;
    return 1;
}

/* Digits from p to end into *w, counted from the first that is not 0. */
static const char *digits(const char *p, const char *end, uint64_t *w, int *n)
{
    uint64_t u = *w;
    const char *first = p - *n; /* that counts */

    if (u == 0)
        for (first = p; first < end && *first == '0';)
            first++;
    p = p > first ? p : first;
    while (end - p >= 8 && take_eight(p, &u))
        p += 8;
    for (; p < end && (unsigned char)(*p - '0') < 10; p++)
        u = u * 10 + (uint64_t)(*p - '0');
    *w = u;
    *n = (int)(p - first);
    return p;
}

/* e [+-] digits at p; what is not that, or too long, is not the end. */
static const char *exponent(const char *p, const char *end, int *q)
{
    int negative;
    int e = 0;
    const char *start;

    if (p == end || (*p | 32) != 'e')
        return p;
    p++;
    negative = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    for (start = p; p < end && p - start < 4 && *p >= '0' && *p <= '9'; p++)
        e = e * 10 + (*p - '0');
    *q += negative ? -e : e;
    return p > start ? p : start - 1;
}

int ens_decimal_parse(const char *s, size_t n, double *v)
{
    const char *end = s + n;
    const char *p = s + (n > 0 && (*s == '-' || *s == '+'));
    const char *start = p;
    uint64_t w = 0;
    int found = 0;
    int point = 0;
    int q = 0;
    double d;

    if (n > 64)
        return -1;
    p = digits(p, end, &w, &found);
    if (p < end && *p == '.') {
        const char *behind = p + 1;

        point = 1;
        p = digits(behind, end, &w, &found);
        q = -(int)(p - behind);
    }
    if (p - start == point || found > DIGITS_MAX)
        return -1;
    p = exponent(p, end, &q);
    if (p != end || q < -Q_MAX || q > Q_MAX)
        return -1;
    if (w == 0)
        d = 0;
    else if (w <= (uint64_t)1 << 53 && q >= -22 && q <= 22)
        d = q < 0 ? (double)w / ten[-q] : (double)w * ten[q];
    else
        d = q < 0 ? divide(w, -q) : multiply(w, q);
    *v = *s == '-' ? -d : d;
    return 0;
}
