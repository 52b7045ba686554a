#include "learn/bspline.h"

#include <math.h>
#include <stdlib.h>

#define BLOCK  256
#define DEGREE ENS_BSPLINE_DEGREE

static uint64_t sample_of(uint64_t rows)
{
    return rows < ENS_BSPLINE_SAMPLE ? rows : ENS_BSPLINE_SAMPLE;
}

size_t ens_bspline_work(uint64_t rows, size_t p)
{
    return ((size_t)sample_of(rows) + BLOCK + 2) * p;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double quantile(const double *sorted, size_t n, double share)
{
    double at = share * (double)(n - 1);
    size_t i = (size_t)at;

    if (i + 1 >= n)
        return sorted[n - 1];
    return sorted[i] + (at - (double)i) * (sorted[i + 1] - sorted[i]);
}

/* sorted[m]; low, high: of all rows. */
static void place_knots(const double *sorted, size_t m, double low, double high,
                        size_t n, double *knot)
{
    double *inner = knot + DEGREE, step;

    for (size_t i = 0; i < n; i++)
        inner[i] = quantile(sorted, m, (double)i / (double)(n - 1));
    inner[0] = low;
    inner[n - 1] = high;
    step = inner[1] - inner[0];
    for (size_t i = 0; i < DEGREE; i++)
        knot[i] = low - step * (double)(DEGREE - i);
    step = inner[n - 1] - inner[n - 2];
    for (size_t i = 0; i < DEGREE; i++)
        inner[n + i] = high + step * (double)(i + 1);
}

void ens_bspline_knots(const struct ens_rows *r, size_t n, double *knot,
                       double *work)
{
    size_t p = r->p, m = (size_t)sample_of(r->n), taken = 0;
    double *low = work, *high = low + p, *x = high + p, *kept = x + BLOCK * p;

    for (uint64_t at = 0; at < r->n; at += BLOCK) {
        size_t rows = r->n - at < BLOCK ? (size_t)(r->n - at) : BLOCK;

        r->x(r, at, rows, x);
        for (size_t i = 0; i < rows; i++) {
            const double *row = x + i * p;
            /* row floor(k n / m) is the k-th */
            int take = taken < m && at + i == taken * r->n / m;

            for (size_t j = 0; j < p; j++) {
                low[j] = at + i == 0 || row[j] < low[j] ? row[j] : low[j];
                high[j] = at + i == 0 || row[j] > high[j] ? row[j] : high[j];
                if (take)
                    kept[j * m + taken] = row[j];
            }
            taken += (size_t)take;
        }
    }
    for (size_t j = 0; j < p; j++) {
        qsort(kept + j * m, m, sizeof(*kept), ascending);
        place_knots(kept + j * m, m, low[j], high[j], n,
                    knot + j * ENS_BSPLINE_KNOTS(n));
    }
}

/* Values at x of the DEGREE + 1 splines over [t[0], t[1]): Cox and de Boor; a
 * part over knots that coincide is 0. */
static void evaluate(const double *t, double x, double *value)
{
    value[0] = 1;
    for (int d = 1; d <= DEGREE; d++) {
        double carried = 0;

        for (int i = 0; i < d; i++) {
            double right = t[i + 1] - x, left = x - t[i + 1 - d];
            double width = right + left;
            double part = width > 0 ? value[i] / width : 0;

            value[i] = carried + right * part;
            carried = left * part;
        }
        value[d] = carried;
    }
}

size_t ens_bspline_row(const double *knot, size_t n, size_t p, const double *x,
                       uint32_t *index, double *value)
{
    size_t found = 0, count = ENS_BSPLINE_COUNT(n);

    for (size_t j = 0; j < p; j++) {
        const double *inner = knot + j * ENS_BSPLINE_KNOTS(n) + DEGREE;
        double at = fmin(fmax(x[j], inner[0]), inner[n - 1]);
        double of[DEGREE + 1];
        size_t i = n - 1; /* the last piece that begins here or before */

        while (i > 0 && !(inner[i - 1] <= at && inner[i - 1] < inner[i]))
            i--;
        if (i-- == 0)
            continue; /* all knots are equal */
        evaluate(inner + i, at, of);
        for (size_t k = 0; k <= DEGREE; k++) {
            if (i + k >= count)
                break;
            index[found] = (uint32_t)(j * count + i + k);
            value[found++] = of[k];
        }
    }
    return found;
}
