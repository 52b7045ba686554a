#include "math/chunk.h"

#include "math/lanes.h"

#include <lapacke.h>
#include <math.h>

#define FEW   40 /* columns that own loops are faster for than blocks of them */
#define PANEL 32

ENS_LANES_INLINE double dot(const double *x, const double *y, size_t n)
{
    ens_lanes sum = {0};

    for (size_t i = 0; i < n; i += ENS_LANES)
        sum += ens_lanes_load(x + i) * ens_lanes_load(y + i);
    return ens_lanes_sum(sum);
}

/* Length of (first, x) where squares may be too large or small; 0: x is 0; NaN:
 * something in x is. */
static double length(double first, const double *x, size_t n)
{
    double most = 0, sum;

    for (size_t i = 0; i < n; i++) {
        if (isnan(x[i]))
            return NAN;
        most = fabs(x[i]) > most ? fabs(x[i]) : most;
    }
    if (most == 0)
        return 0;
    most = fabs(first) > most ? fabs(first) : most;
    sum = (first / most) * (first / most);
    for (size_t i = 0; i < n; i++)
        sum += (x[i] / most) * (x[i] / most);
    return most * sqrt(sum);
}

/* Column x becomes the reflector that takes it away, without its first element,
 * which is 1; *first that element of the triangle. Its factor, 0: none. */
ENS_LANES_INLINE double reflect(double *first, double *x, size_t n)
{
    double square = dot(x, x, n), all = *first * *first + square, head, size;

    size = square > 1e-280 && all < 1e280 ? sqrt(all) : length(*first, x, n);
    if (size == 0)
        return 0;
    size = copysign(size, *first);
    head = *first + size;
    if (fabs(head) > 1e-280) {
        for (size_t i = 0; i < n; i += ENS_LANES)
            ens_lanes_store(x + i, ens_lanes_load(x + i) * (1 / head));
    } else {
        for (size_t i = 0; i < n; i++)
            x[i] /= head;
    }
    *first = -size;
    return head / size;
}

ENS_LANES_CLONES
static void add_rows(double *z, size_t n, size_t p, double *r)
{
    size_t ld = ENS_CHUNK_LD(n);

    for (size_t j = 0; j < p; j++) {
        double *x = z + j * ld, factor = reflect(&r[j + j * p], x, n);

        for (size_t k = j + 1; k < p && factor != 0; k++) {
            double *y = z + k * ld;
            double along = factor * (r[j + k * p] + dot(x, y, n));

            r[j + k * p] -= along;
            for (size_t i = 0; i < n; i += ENS_LANES)
                ens_lanes_store(y + i, ens_lanes_load(y + i) -
                                           ens_lanes_load(x + i) * along);
        }
    }
}

void ens_chunk_qr(double *z, size_t n, size_t p, double *r, double *work)
{
    int panel = p < PANEL ? (int)p : PANEL;

    if (p <= FEW)
        add_rows(z, n, p, r);
    else
        LAPACKE_dtpqrt_work(LAPACK_COL_MAJOR, (int)n, (int)p, 0, panel, r,
                            (int)p, z, (int)ENS_CHUNK_LD(n), work, panel,
                            work + PANEL * p);
}
