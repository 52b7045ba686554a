#include "convert/element.h"

#include "base/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int ens_dtype_is_complex(enum ens_dtype t)
{
    return t == ENS_DT_C64 || t == ENS_DT_C128;
}

int ens_dtype_is_real(enum ens_dtype t)
{
    return t == ENS_DT_F64 || t == ENS_DT_F32 || t == ENS_DT_F16;
}

static int is_unsigned(enum ens_dtype t)
{
    return t == ENS_DT_U64 || t == ENS_DT_U32 || t == ENS_DT_U16 ||
           t == ENS_DT_U8 || t == ENS_DT_BOOL;
}

/* The n bytes at p as a number. */
static uint64_t load_bits(const unsigned char *p, size_t n, int swapped)
{
    int big = swapped == (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
    uint64_t u = 0;

    for (size_t i = 0; i < n; i++)
        u = u << 8 | p[big ? i : n - 1 - i];
    return u;
}

static double load_real(const void *p, enum ens_dtype t, int swapped)
{
    struct ens_view v = {.data = p, .dtype = t, .swapped = swapped, .ndim = 1};
    double d;

    v.shape[0] = 1;
    ens_view_f64(&v, 0, 1, &d);
    return d;
}

struct ens_element ens_element_load(const void *p, enum ens_dtype t,
                                    int swapped)
{
    struct ens_element e = {.kind = ENS_EL_REAL};
    size_t n = ens_dtype_bytes(t);
    uint64_t u;

    if (ens_dtype_is_real(t)) {
        e.as.real = load_real(p, t, swapped);
        return e;
    }
    u = load_bits(p, n, swapped);
    e.kind = is_unsigned(t) ? ENS_EL_UNSIGNED : ENS_EL_SIGNED;
    if (t == ENS_DT_BOOL)
        u = u != 0;
    else if (e.kind == ENS_EL_SIGNED && n < 8 && (u >> (8 * n - 1)) != 0)
        u |= UINT64_MAX << (8 * n);
    e.as.unsigned_ = u;
    return e;
}

/* Nearest binary16, ties to even; what is too large becomes infinite. */
static uint16_t half_of(double d)
{
    uint16_t sign = signbit(d) ? 0x8000 : 0;
    double a = fabs(d);
    int e;

    if (isnan(d))
        return 0x7e00;
    if (a >= 65520)
        return (uint16_t)(sign | 0x7c00);
    if (a < 0x1p-14) /* subnormal: a multiple of 2^-24 */
        return (uint16_t)(sign | (uint16_t)nearbyint(a * 0x1p24));
    frexp(a, &e); /* a in [2^(e-1), 2^e); 1.0 + fraction / 1024 */
    return (uint16_t)(sign + ((e + 13) << 10) +
                      (int)nearbyint(ldexp(a, 11 - e)));
}

static void put(unsigned char *p, uint64_t u, size_t n)
{
    for (size_t i = 0; i < n; i++, u >>= 8)
        p[i] = (unsigned char)u;
}

static void store_real(unsigned char *p, enum ens_dtype t, double d)
{
    float f = (float)d;
    uint32_t word;
    uint64_t u;

    memcpy(&word, &f, sizeof(word));
    memcpy(&u, &d, sizeof(u));
    put(p,
        t == ENS_DT_F64   ? u
        : t == ENS_DT_F32 ? word
                          : half_of(d),
        ens_dtype_bytes(t));
}

static double as_real(const struct ens_element *e)
{
    return e->kind == ENS_EL_REAL     ? e->as.real
           : e->kind == ENS_EL_SIGNED ? (double)e->as.signed_
                                      : (double)e->as.unsigned_;
}

/* Does the double d, made from the integer e, still equal it? */
static int is_same(const struct ens_element *e, double d)
{
    if (e->kind == ENS_EL_SIGNED)
        return d < 0x1p63 && (int64_t)d == e->as.signed_;
    return e->kind == ENS_EL_REAL ||
           (d < 0x1p64 && (uint64_t)d == e->as.unsigned_);
}

/* A real that is whole becomes an integer. -1: it is not. */
static int make_integer(struct ens_element *e)
{
    double d = e->as.real;

    if (e->kind != ENS_EL_REAL)
        return 0;
    if (!(d >= -0x1p63 && d < 0x1p64) || d != trunc(d))
        return -1;
    e->kind = d < 0 ? ENS_EL_SIGNED : ENS_EL_UNSIGNED;
    if (d < 0)
        e->as.signed_ = (int64_t)d;
    else
        e->as.unsigned_ = (uint64_t)d;
    return 0;
}

/* The largest integer of a type. */
static uint64_t most_of(enum ens_dtype t)
{
    size_t bits = 8 * ens_dtype_bytes(t);

    return t == ENS_DT_BOOL ? 1 : UINT64_MAX >> (64 - bits + !is_unsigned(t));
}

int ens_element_store(void *p, enum ens_dtype t, const struct ens_element *e,
                      int exact)
{
    struct ens_element k = *e;
    int negative;

    if (ens_dtype_is_real(t)) {
        double d = as_real(e);

        if (exact && t == ENS_DT_F64 && !is_same(e, d))
            return -1;
        store_real(p, t, d);
        return 0;
    }
    if (ens_dtype_is_complex(t) || make_integer(&k) != 0)
        return -1;
    negative = k.kind == ENS_EL_SIGNED && k.as.signed_ < 0;
    if (negative ? is_unsigned(t) || ~k.as.unsigned_ > most_of(t)
                 : k.as.unsigned_ > most_of(t))
        return -1;
    put(p, k.as.unsigned_, ens_dtype_bytes(t));
    return 0;
}

/* -- as text -------------------------------------------------------------- */

static int reads_back(const char *text, enum ens_dtype t, double d)
{
    if (t == ENS_DT_F32)
        return strtof(text, NULL) == (float)d;
    return half_of(strtod(text, NULL)) == half_of(d);
}

/* Zero and what is not finite aside. */
static size_t print_real(char *to, enum ens_dtype t, double d)
{
    int least = t == ENS_DT_F32 ? 6 : 3; /* digits that always survive */
    int most = t == ENS_DT_F32 ? 9 : 5;
    int n = 0;

    if (t == ENS_DT_F64 || (fabs(d) < 1e5 && d == trunc(d)))
        return ens_number_format(to, d);
    for (int digits = least; digits <= most; digits++) {
        n = snprintf(to, ENS_ELEMENT_BYTES, "%.*g", digits, d);
        if (reads_back(to, t, d))
            break;
    }
    return (size_t)n;
}

size_t ens_element_print(char *to, const struct ens_view *v, uint64_t i)
{
    const char *p = (const char *)v->data + (int64_t)i * v->strides[0];
    struct ens_element e = ens_element_load(p, v->dtype, v->swapped);

    if (e.kind == ENS_EL_REAL && isnan(e.as.real))
        return 0;
    if (e.kind == ENS_EL_REAL && e.as.real == 0 && signbit(e.as.real)) {
        memcpy(to, "-0", 3); /* ens_number_format drops the sign */
        return 2;
    }
    if (e.kind == ENS_EL_REAL)
        return print_real(to, v->dtype, e.as.real);
    if (v->dtype == ENS_DT_BOOL)
        return (size_t)snprintf(to, ENS_ELEMENT_BYTES, "%s",
                                e.as.unsigned_ != 0 ? "TRUE" : "FALSE");
    return e.kind == ENS_EL_SIGNED ? ens_number_format_i64(to, e.as.signed_)
                                   : ens_number_format_u64(to, e.as.unsigned_);
}
