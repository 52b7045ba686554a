#include "math/order.h"

#include <string.h>

#define BYTES  8
#define VALUES 256

struct entry {
    uint64_t key;
    uint64_t place;
};

/* Keys ascend as unsigned numbers where doubles do. */
static uint64_t to_key(double x)
{
    uint64_t bits;

    memcpy(&bits, &x, sizeof(bits));
    return bits >> 63 ? ~bits : bits | (uint64_t)1 << 63;
}

static double from_key(uint64_t key)
{
    uint64_t bits = key >> 63 ? key & ~((uint64_t)1 << 63) : ~key;
    double x;

    memcpy(&x, &bits, sizeof(x));
    return x;
}

static void scatter(const struct entry *from, size_t n, int shift,
                    const uint32_t *count, struct entry *to)
{
    uint32_t at[VALUES];
    uint32_t sum = 0;

    for (size_t v = 0; v < VALUES; v++) {
        at[v] = sum;
        sum += count[v];
    }
    for (size_t i = 0; i < n; i++)
        to[at[from[i].key >> shift & (VALUES - 1)]++] = from[i];
}

void ens_order(const double *x, size_t n, double *sorted, uint32_t *order,
               double *work)
{
    struct entry *from = (struct entry *)(void *)work;
    struct entry *to = from + n;
    uint32_t count[BYTES][VALUES] = {{0}};

    for (size_t i = 0; i < n; i++) {
        from[i] = (struct entry){to_key(x[i]), i};
        for (int b = 0; b < BYTES; b++)
            count[b][from[i].key >> (8 * b) & (VALUES - 1)]++;
    }
    for (int b = 0; b < BYTES && n > 0; b++) {
        struct entry *swap = to;

        if (count[b][from[0].key >> (8 * b) & (VALUES - 1)] == n)
            continue;
        scatter(from, n, 8 * b, count[b], to);
        to = from;
        from = swap;
    }
    for (size_t i = 0; i < n; i++) {
        sorted[i] = from_key(from[i].key);
        if (order != NULL)
            order[i] = (uint32_t)from[i].place;
    }
}
