#include <ensrun/view.h>

#include "base/bug.h"

#include <math.h>
#include <string.h>

static uint16_t load16(const unsigned char *p, int swapped)
{
    uint16_t u;

    memcpy(&u, p, sizeof(u));
    return swapped ? __builtin_bswap16(u) : u;
}

static uint32_t load32(const unsigned char *p, int swapped)
{
    uint32_t u;

    memcpy(&u, p, sizeof(u));
    return swapped ? __builtin_bswap32(u) : u;
}

static uint64_t load64(const unsigned char *p, int swapped)
{
    uint64_t u;

    memcpy(&u, p, sizeof(u));
    return swapped ? __builtin_bswap64(u) : u;
}

static double get_F64(const unsigned char *p, int swapped)
{
    uint64_t u = load64(p, swapped);
    double d;

    memcpy(&d, &u, sizeof(d));
    return d;
}

static double get_F32(const unsigned char *p, int swapped)
{
    uint32_t u = load32(p, swapped);
    float f;

    memcpy(&f, &u, sizeof(f));
    return (double)f;
}

/* IEEE 754 binary16: 1 sign bit, 5 exponent bits (bias 15), 10 of fraction. */
static double get_F16(const unsigned char *p, int swapped)
{
    uint16_t u = load16(p, swapped);
    int e = (u >> 10) & 31;
    double fraction = (double)(u & 1023);
    double v;

    if (e == 31)
        v = (u & 1023) != 0 ? (double)NAN : (double)INFINITY;
    else if (e == 0)
        v = ldexp(fraction, -24);
    else
        v = ldexp(fraction + 1024.0, e - 25);
    return (u & 0x8000) != 0 ? -v : v;
}

static double get_I64(const unsigned char *p, int swapped)
{
    return (double)(int64_t)load64(p, swapped);
}

static double get_I32(const unsigned char *p, int swapped)
{
    return (double)(int32_t)load32(p, swapped);
}

static double get_I16(const unsigned char *p, int swapped)
{
    return (double)(int16_t)load16(p, swapped);
}

static double get_I8(const unsigned char *p, int swapped)
{
    (void)swapped;
    return (double)(signed char)*p;
}

static double get_U64(const unsigned char *p, int swapped)
{
    return (double)load64(p, swapped);
}

static double get_U32(const unsigned char *p, int swapped)
{
    return (double)load32(p, swapped);
}

static double get_U16(const unsigned char *p, int swapped)
{
    return (double)load16(p, swapped);
}

static double get_U8(const unsigned char *p, int swapped)
{
    (void)swapped;
    return (double)*p;
}

static double get_BOOL(const unsigned char *p, int swapped)
{
    (void)swapped;
    return *p != 0 ? 1.0 : 0.0;
}

/* the real part comes first */
static double get_C64(const unsigned char *p, int swapped)
{
    return get_F32(p, swapped);
}

static double get_C128(const unsigned char *p, int swapped)
{
    return get_F64(p, swapped);
}

/* One loop per type, so that the load is inlined into it: a call through a
 * pointer per element would cost more than the conversion. */
#define DEFINE_LOOPS(name, code, bytes)                                        \
    static void run_##name(const unsigned char *p, int64_t stride,             \
                           int swapped, uint64_t n, double *out)               \
    {                                                                          \
        if (swapped)                                                           \
            for (uint64_t i = 0; i < n; i++)                                   \
                out[i] = get_##name(p + (int64_t)i * stride, 1);               \
        else                                                                   \
            for (uint64_t i = 0; i < n; i++)                                   \
                out[i] = get_##name(p + (int64_t)i * stride, 0);               \
    }                                                                          \
    static void gather_##name(const struct ens_view *v, const uint64_t *index, \
                              uint64_t n, double *out)                         \
    {                                                                          \
        const unsigned char *p = v->data;                                      \
        int64_t stride = v->strides[0];                                        \
        int swapped = v->swapped;                                              \
                                                                               \
        for (uint64_t i = 0; i < n; i++)                                       \
            out[i] = get_##name(p + (int64_t)index[i] * stride, swapped);      \
    }
ENS_DTYPE_LIST(DEFINE_LOOPS)
#undef DEFINE_LOOPS

static const struct {
    void (*run)(const unsigned char *p, int64_t stride, int swapped, uint64_t n,
                double *out);
    void (*gather)(const struct ens_view *v, const uint64_t *index, uint64_t n,
                   double *out);
} loops[] = {
#define LOOPS_ROW(name, code, bytes) {run_##name, gather_##name},
    ENS_DTYPE_LIST(LOOPS_ROW)
#undef LOOPS_ROW
};

static int is_native_f64(const struct ens_view *v)
{
    return v->dtype == ENS_DT_F64 && !v->swapped;
}

void ens_view_f64(const struct ens_view *v, uint64_t first, uint64_t n,
                  double *out)
{
    const unsigned char *p = v->data;

    ENS_BUG_ON(v->ndim != 1 || (size_t)v->dtype >= ENS_COUNT(loops));
    ENS_BUG_ON(first > v->shape[0] || n > v->shape[0] - first);
    if (n == 0)
        return;
    p += (int64_t)first * v->strides[0];
    if (is_native_f64(v) && v->strides[0] == (int64_t)sizeof(double))
        memcpy(out, p, n * sizeof(double));
    else
        loops[v->dtype].run(p, v->strides[0], v->swapped, n, out);
}

void ens_view_gather_f64(const struct ens_view *v, const uint64_t *index,
                         uint64_t n, double *out)
{
    const double *x = ens_view_pointer_f64(v);

    ENS_BUG_ON(v->ndim != 1 || (size_t)v->dtype >= ENS_COUNT(loops));
    if (x == NULL)
        loops[v->dtype].gather(v, index, n, out);
    else
        for (uint64_t i = 0; i < n; i++)
            out[i] = x[index[i]];
}

const double *ens_view_pointer_f64(const struct ens_view *v)
{
    int64_t step = sizeof(double);

    if (!is_native_f64(v) || v->data == NULL ||
        (uintptr_t)v->data % sizeof(double) != 0)
        return NULL;
    for (uint32_t i = v->ndim; i-- > 0;) {
        if (v->shape[i] > 1 && v->strides[i] != step)
            return NULL;
        step *= (int64_t)v->shape[i];
    }
    return v->data;
}

const struct ens_column *ens_input_column(const struct ens_input *in,
                                          const char *name)
{
    if (in->columns == NULL || *name == '\0')
        return NULL;
    for (uint64_t i = 0; i < in->n_columns; i++)
        if (strcmp(in->columns[i].name, name) == 0)
            return &in->columns[i];
    return NULL;
}
