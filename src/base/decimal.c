/* v = m 2^e with 2^52 <= m < 2^53. For the k that makes v 10^k a number of 17
 * digits before the point, v 10^k = (m 5^k) 2^(e+k), and m 5^k is an integer
 * of at most 179 bits as long as 0 <= k <= 54 (5^54 < 2^126). So the digits,
 * what is rounded off, and the distance to the neighbours of v (5^k in the
 * same units) are all exact: no approximation, no doubtful case. */
#include "base/decimal.h"

#include <stdint.h>
#include <string.h>

__extension__ typedef unsigned __int128 u128;

#define K_MAX 54
#define SHIFT_MAX                                                              \
    118 /* 4 * 50 * 2^SHIFT_MAX, see reads_back, is in 128 bits                \
         */

struct wide { /* 192 bits, low word first */
    uint64_t w[3];
};

struct scaled {
    uint64_t m;
    int k, shift;     /* v 10^k = p / 2^shift */
    u128 five;        /* 5^k: the distance between doubles, in units of p */
    struct wide p;    /* m 5^k */
    uint64_t integer; /* p >> shift */
    int half;         /* the rest against one half: -1, 0, 1 */
    int rest;         /* there is a rest */
};

static u128 power_of_five(int k)
{
    if (k < ENS_FIVES)
        return ens_five[k];
    return (u128)ens_five[ENS_FIVES - 1] * ens_five[k - ENS_FIVES + 1];
}

static struct wide multiply(u128 a, uint64_t m)
{
    u128 low = (u128)(uint64_t)a * m;
    u128 high = (u128)(uint64_t)(a >> 64) * m + (uint64_t)(low >> 64);
    struct wide p = {{(uint64_t)low, (uint64_t)high, (uint64_t)(high >> 64)}};

    return p;
}

static struct wide shift_left(uint64_t v, int n)
{
    struct wide p = {{0, 0, 0}};
    int word = n / 64;
    u128 x = (u128)v << (n % 64);

    p.w[word] = (uint64_t)x;
    if (word < 2)
        p.w[word + 1] = (uint64_t)(x >> 64);
    return p;
}

/* |a - b|, and which is larger. The difference is at most
 * half a unit of 100 times 2^shift. */
static u128 distance(const struct wide *a, const struct wide *b, int *a_larger)
{
    int i = 2;

    while (i > 0 && a->w[i] == b->w[i])
        i--;
    *a_larger = a->w[i] > b->w[i];
    if (!*a_larger) {
        const struct wide *t = a;

        a = b;
        b = t;
    }
    return ((u128)a->w[1] << 64 | a->w[0]) - ((u128)b->w[1] << 64 | b->w[0]);
}

/* 0 when v is outside of the range. */
static int scale(struct scaled *s, int e, int k)
{
    uint64_t low; /* the rest, its bits below the highest */
    int word;
    int bit;

    s->k = k;
    s->shift = -(e + k);
    if (k < 0 || k > K_MAX || s->shift < 1 || s->shift > SHIFT_MAX)
        return 0;
    s->five = power_of_five(k);
    s->p = multiply(s->five, s->m);
    word = s->shift / 64;
    bit = s->shift % 64;
    s->integer = s->p.w[word] >> bit;
    if (bit > 0)
        s->integer |= s->p.w[word + 1] << (64 - bit);
    word = (s->shift - 1) / 64;
    bit = (s->shift - 1) % 64;
    low = s->p.w[word] & (((uint64_t)1 << bit) - 1);
    if (word == 1)
        low |= s->p.w[0];
    s->half = (s->p.w[word] >> bit & 1) == 0 ? -1 : low != 0;
    s->rest = s->half >= 0 || low != 0;
    return 1;
}

/* The integer part rounded to a multiple of 1, 10 or 100, half to even. */
static uint64_t rounded(const struct scaled *s, uint64_t unit)
{
    uint64_t q = s->integer / unit;
    uint64_t r = s->integer % unit;
    int c; /* what is cut off, against half a unit */

    if (unit == 1)
        c = s->half;
    else if (r != unit / 2)
        c = r > unit / 2 ? 1 : -1;
    else
        c = s->rest;
    return q + (c > 0 || (c == 0 && q % 2 == 1));
}

/* Is v the double nearest to q * unit / 10^k? A tie goes to the even m. */
static int reads_back(const struct scaled *s, uint64_t q, uint64_t unit)
{
    struct wide t = shift_left(q * unit, s->shift);
    int above;
    u128 d = distance(&t, &s->p, &above);
    /* Below a power of two the next double is half as far. */
    u128 twice = d << (!above && s->m == (uint64_t)1 << 52 ? 2 : 1);

    return twice < s->five || (twice == s->five && s->m % 2 == 0);
}

static size_t put_digits(char *to, uint64_t q)
{
    char tmp[24];
    size_t n = 0;

    for (; q > 0; q /= 10)
        tmp[n++] = (char)('0' + q % 10);
    for (size_t i = 0; i < n; i++)
        to[i] = tmp[n - 1 - i];
    return n;
}

static size_t put_exponent(char *to, int x)
{
    size_t n = 0;

    to[n++] = 'e';
    to[n++] = x < 0 ? '-' : '+';
    x = x < 0 ? -x : x;
    to[n++] = (char)('0' + x / 10); /* |x| < 100 here */
    to[n++] = (char)('0' + x % 10);
    return n;
}

/* As %g writes `n` digits (no zeros at the end) with decimal exponent x. */
static size_t layout(char *to, const char *digit, size_t n, int x,
                     int precision)
{
    size_t len = 0;
    size_t whole; /* digits before the point */

    if (x < -4 || x >= precision) {
        whole = 1;
    } else if (x < 0) {
        memcpy(to, "0.000", 5);
        len = (size_t)(1 - x);
        memcpy(to + len, digit, n);
        return len + n;
    } else {
        whole = (size_t)x + 1;
    }
    for (size_t i = 0; i < n || i < whole; i++) {
        if (i == whole)
            to[len++] = '.';
        to[len++] = i < n ? digit[i] : '0';
    }
    if (x < -4 || x >= precision)
        len += put_exponent(to + len, x);
    return len;
}

size_t ens_decimal_format(char *to, double v)
{
    struct scaled s;
    uint64_t bits;
    uint64_t q = 0;
    uint64_t unit = 1000;
    char digit[24];
    int precision = 14;
    int e;
    int x;
    size_t n;
    size_t len = 0;

    memcpy(&bits, &v, 8);
    e = (int)(bits >> 52 & 0x7ff);
    if (e == 0 || e == 0x7ff)
        return 0;
    s.m = (bits & (((uint64_t)1 << 52) - 1)) | (uint64_t)1 << 52;
    e -= 1075;
    /* 10^x <= |v| up to one: log10(2) = 0.30103 */
    x = (int)((e + 52) * 30103LL / 100000) - (e + 52 < 0);
    if (!scale(&s, e, 16 - x))
        return 0;
    if (s.integer >= 100000000000000000 && !scale(&s, e, 16 - ++x))
        return 0;
    if (s.integer < 10000000000000000 && !scale(&s, e, 16 - --x))
        return 0;
    do {
        unit /= 10;
        precision++;
        q = rounded(&s, unit);
    } while (unit > 1 && !reads_back(&s, q, unit));
    n = put_digits(digit, q);
    if (n > (size_t)precision)
        x++; /* 9.99 became 10.0 */
    while (n > 1 && digit[n - 1] == '0')
        n--;
    if (bits >> 63)
        to[len++] = '-';
    len += layout(to + len, digit, n, x, precision);
    to[len] = '\0';
    return len;
}
