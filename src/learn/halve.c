#include "learn/halve.h"

#include <math.h>

#define INLINE static inline __attribute__((always_inline))
/* A range over so many is first narrowed by a sample of it. */
#define LARGE 600
/* Keys compared before any of their rows moves. */
#define BLOCK 128

INLINE double key(const struct ens_halve *h, size_t p, size_t j, int64_t i)
{
    return j == p ? (double)h->place[i] : h->x[(size_t)i * p + j];
}

INLINE void swap(const struct ens_halve *h, size_t p, int64_t i, int64_t j)
{
    double *a = h->x + (size_t)i * p, *b = h->x + (size_t)j * p;
    uint32_t at = h->place[i];

    h->place[i] = h->place[j];
    h->place[j] = at;
    for (size_t k = 0; k < p; k++) {
        double v = a[k];

        a[k] = b[k];
        b[k] = v;
    }
}

/* Blocks from both ends, as long as there are two. */
INLINE void blocks(const struct ens_halve *h, size_t p, size_t j, double pivot,
                   int64_t *left, int64_t *right)
{
    uint8_t low[BLOCK], high[BLOCK]; /* those on the wrong side */
    int n_low = 0, n_high = 0, at_low = 0, at_high = 0;
    int64_t a = *left, b = *right;

    while (b - a + 1 >= 2 * BLOCK) {
        if (n_low == 0) {
            at_low = 0;
            for (int i = 0; i < BLOCK; i++) {
                low[n_low] = (uint8_t)i;
                n_low += !(key(h, p, j, a + i) < pivot);
            }
        }
        if (n_high == 0) {
            at_high = 0;
            for (int i = 0; i < BLOCK; i++) {
                high[n_high] = (uint8_t)i;
                n_high += !(key(h, p, j, b - i) > pivot);
            }
        }
        for (; n_low > 0 && n_high > 0; n_low--, n_high--)
            swap(h, p, a + low[at_low++], b - high[at_high++]);
        a += n_low == 0 ? BLOCK : 0;
        b -= n_high == 0 ? BLOCK : 0;
    }
    *left = a;
    *right = b;
}

/* The last row of [left, right] that belongs to the lower ones; left - 1 when
 * none does. */
INLINE int64_t divide(const struct ens_halve *h, size_t p, size_t j,
                      double pivot, int64_t left, int64_t right)
{
    blocks(h, p, j, pivot, &left, &right);
    for (;;) {
        while (left <= right && key(h, p, j, left) < pivot)
            left++;
        while (left <= right && key(h, p, j, right) > pivot)
            right--;
        if (left >= right)
            return right;
        swap(h, p, left++, right--);
    }
}

static int64_t divide_by(const struct ens_halve *h, size_t j, double pivot,
                         int64_t left, int64_t right)
{
    if (j < h->p)
        switch (h->p) {
        case 1:
            return divide(h, 1, 0, pivot, left, right);
        case 2:
            return divide(h, 2, j, pivot, left, right);
        case 3:
            return divide(h, 3, j, pivot, left, right);
        default:
            break;
        }
    return divide(h, h->p, j, pivot, left, right);
}

void ens_halve(const struct ens_halve *h, size_t j, int64_t left, int64_t right,
               int64_t k)
{
    while (right > left) {
        int64_t end;

        if (right - left > LARGE) {
            double n = (double)(right - left + 1), m = (double)(k - left + 1);
            double z = log(n), s = 0.5 * exp(2 * z / 3);
            double sd =
                0.5 * sqrt(z * s * (n - s) / n) * (m - n / 2 < 0 ? -1 : 1);
            int64_t low = (int64_t)((double)k - m * s / n + sd);
            int64_t high = (int64_t)((double)k + (n - m) * s / n + sd);

            ens_halve(h, j, low > left ? low : left,
                      high < right ? high : right, k);
        }
        swap(h, h->p, left, k);
        end = divide_by(h, j, key(h, h->p, j, left), left + 1, right);
        swap(h, h->p, left, end);
        if (end == k)
            return;
        left = end < k ? end + 1 : left;
        right = end > k ? end - 1 : right;
    }
}
