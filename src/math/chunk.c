#include "math/chunk.h"

#include "math/lanes.h"

#include <string.h>

#define CHUNK_DOUBLES 131072 /* 1 MiB */

size_t ens_chunk_rows(size_t p)
{
    size_t rows = ENS_CHUNK_MAX;

    while (rows > 128 && rows * p > CHUNK_DOUBLES)
        rows /= 2;
    return rows;
}

size_t ens_chunk_doubles(size_t p)
{
    return ENS_CHUNK_LD(ens_chunk_rows(p)) * p;
}

/* c[k] = row k to c[k] = column k. */
ENS_LANES_INLINE void transpose(ens_lanes *c)
{
    ens_lanes t[ENS_LANES], u[ENS_LANES];

#define LOW(a, b)  __builtin_shufflevector(a, b, 0, 8, 2, 10, 4, 12, 6, 14)
#define HIGH(a, b) __builtin_shufflevector(a, b, 1, 9, 3, 11, 5, 13, 7, 15)
    for (size_t k = 0; k < ENS_LANES; k += 2) {
        t[k] = LOW(c[k], c[k + 1]);
        t[k + 1] = HIGH(c[k], c[k + 1]);
    }
#undef LOW
#undef HIGH
#define LOW(a, b)  __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13)
#define HIGH(a, b) __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15)
    for (size_t k = 0; k < ENS_LANES; k += 4)
        for (size_t i = 0; i < 2; i++) {
            u[k + i] = LOW(t[k + i], t[k + i + 2]);
            u[k + i + 2] = HIGH(t[k + i], t[k + i + 2]);
        }
#undef LOW
#undef HIGH
#define LOW(a, b)  __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11)
#define HIGH(a, b) __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15)
    for (size_t k = 0; k < 4; k++) {
        c[k] = LOW(u[k], u[k + 4]);
        c[k + 4] = HIGH(u[k], u[k + 4]);
    }
#undef LOW
#undef HIGH
}

/* Eight rows, of which the first n are there. */
ENS_LANES_INLINE void fill_rows(double *z, size_t ld, const double *const *at,
                                size_t n, size_t p)
{
    size_t j = 0;

    for (; n == ENS_LANES && j + ENS_LANES <= p; j += ENS_LANES) {
        ens_lanes c[ENS_LANES];

        for (size_t k = 0; k < ENS_LANES; k++)
            c[k] = ens_lanes_load(at[k] + j);
        transpose(c);
        for (size_t k = 0; k < ENS_LANES; k++)
            ens_lanes_store(z + (j + k) * ld, c[k]);
    }
    for (; j < p; j++)
        for (size_t k = 0; k < ENS_LANES; k++)
            z[k + j * ld] = k < n ? at[k][j] : 0;
}

ENS_LANES_CLONES
void ens_chunk_fill(double *z, const double *x, size_t stride,
                    const uint32_t *row, size_t n, size_t p)
{
    for (size_t i = 0; i < n; i += ENS_LANES) {
        const double *at[ENS_LANES];
        size_t rows = n - i < ENS_LANES ? n - i : ENS_LANES;

        for (size_t k = 0; k < rows; k++)
            at[k] = x + (row ? row[i + k] : i + k) * stride;
        fill_rows(z + i, ENS_CHUNK_LD(n), at, rows, p);
    }
}

void ens_chunk_column(double *z, const double *from, const uint32_t *row,
                      size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        z[i] = row ? from[row[i]] : from[i];
    for (; i % ENS_LANES; i++)
        z[i] = 0;
}

struct range_lanes {
    ens_lanes min, max, sum;
};

/* Rows with a weight of 0 change nothing. */
ENS_LANES_INLINE ens_lanes shift_lanes(ens_lanes x, ens_lanes w, double shift,
                                       struct range_lanes *of)
{
    ens_lanes d = x - shift;
    ens_lanes_bits counts = w > 0.0;

    of->min = ens_lanes_choose(counts & (x < of->min), x, of->min);
    of->max = ens_lanes_choose(counts & (x > of->max), x, of->max);
    of->sum += w * d;
    return d;
}

ENS_LANES_CLONES
void ens_chunk_shift(double *z, const double *w, size_t n, double shift,
                     struct ens_chunk_range *of)
{
    struct range_lanes l = {ens_lanes_all(of->min), ens_lanes_all(of->max),
                            ens_lanes_all(0)};
    size_t i = 0;

    for (; i + ENS_LANES <= n; i += ENS_LANES)
        ens_lanes_store(z + i, shift_lanes(ens_lanes_load(z + i),
                                           ens_lanes_load(w + i), shift, &l));
    if (i < n) {
        double part[ENS_LANES];

        ens_lanes_store(part, shift_lanes(ens_lanes_load(z + i),
                                          ens_lanes_load(w + i), shift, &l));
        for (; i < n; i++)
            z[i] = part[i % ENS_LANES]; /* zeros behind it stay zeros */
    }
    for (size_t k = 0; k < ENS_LANES; k++) {
        of->min = l.min[k] < of->min ? l.min[k] : of->min;
        of->max = l.max[k] > of->max ? l.max[k] : of->max;
    }
    of->sum += ens_lanes_sum(l.sum);
}

/* Products of columns i, i + 1 with j, j + 1: two of each fit the registers of
 * processors with 256-bit vectors. */
ENS_LANES_INLINE void tile(const double *const *at, size_t n, const double *w,
                           double *sum)
{
    ens_lanes s00 = {0}, s01 = {0}, s10 = {0}, s11 = {0};

    for (size_t r = 0; r < n; r += ENS_LANES) {
        ens_lanes a = ens_lanes_load(at[0] + r), b = ens_lanes_load(at[1] + r);
        ens_lanes c = ens_lanes_load(at[2] + r), d = ens_lanes_load(at[3] + r);

        if (w) {
            ens_lanes v = ens_lanes_load(w + r);

            a *= v;
            b *= v;
        }
        s00 += a * c;
        s01 += a * d;
        s10 += b * c;
        s11 += b * d;
    }
    sum[0] = ens_lanes_sum(s00);
    sum[1] = ens_lanes_sum(s01);
    sum[2] = ens_lanes_sum(s10);
    sum[3] = ens_lanes_sum(s11);
}

/* Rows i, i + 1 of the triangle. */
ENS_LANES_INLINE void tile_rows(const double *z, size_t n, size_t i, size_t p,
                                const double *w, double *gram)
{
    size_t ld = ENS_CHUNK_LD(n), other = i + 1 < p ? i + 1 : i;
    double *first = gram + i * (i + 1) / 2;
    double *second = gram + other * (other + 1) / 2;

    for (size_t j = 0; j <= other; j += 2) {
        size_t next = j + 1 < p ? j + 1 : j;
        const double *at[4] = {z + i * ld, z + other * ld, z + j * ld,
                               z + next * ld};
        double sum[4];

        tile(at, n, w, sum);
        if (j <= i)
            first[j] += sum[0];
        if (j + 1 <= i)
            first[j + 1] += sum[1];
        if (other == i)
            continue;
        second[j] += sum[2];
        if (j + 1 <= other)
            second[j + 1] += sum[3];
    }
}

ENS_LANES_CLONES
void ens_chunk_gram(const double *z, size_t n, size_t p, const double *w,
                    double *gram)
{
    if (w)
        for (size_t i = 0; i < p; i += 2)
            tile_rows(z, n, i, p, w, gram);
    else
        for (size_t i = 0; i < p; i += 2)
            tile_rows(z, n, i, p, NULL, gram);
}

ENS_LANES_CLONES
void ens_chunk_cross(const double *z, size_t n, size_t p, const double *r,
                     double *out)
{
    size_t ld = ENS_CHUNK_LD(n);

    for (size_t j = 0; j < p; j++) {
        ens_lanes sum = {0};

        for (size_t i = 0; i < n; i += ENS_LANES)
            sum += ens_lanes_load(z + i + j * ld) * ens_lanes_load(r + i);
        out[j] += ens_lanes_sum(sum);
    }
}

ENS_LANES_CLONES
void ens_chunk_times(const double *z, size_t n, size_t p, const double *b,
                     double *eta)
{
    size_t ld = ENS_CHUNK_LD(n);

    for (size_t i = 0; i < n; i += ENS_LANES) {
        ens_lanes sum = ens_lanes_load(eta + i);

        for (size_t j = 0; j < p; j++)
            sum += ens_lanes_load(z + i + j * ld) * b[j];
        ens_lanes_store(eta + i, sum);
    }
}
