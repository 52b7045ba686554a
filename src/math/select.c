#include "math/select.h"

#include "base/bug.h"

#include <stdlib.h>
#include <string.h>

#define SIGN ((uint64_t)1 << 63)

/* Keys are ordered as the numbers are; -0 is 0. */
static uint64_t key_of(double x)
{
    uint64_t bits;

    x += 0.0;
    memcpy(&bits, &x, sizeof(bits));
    return bits & SIGN ? ~bits : bits | SIGN;
}

static double number_of(uint64_t key)
{
    uint64_t bits = key & SIGN ? key ^ SIGN : ~key;
    double x;

    memcpy(&x, &bits, sizeof(x));
    return x;
}

static unsigned step(const struct ens_select *s)
{
    return 64 - s->n_bits < ENS_SELECT_BITS ? 64 - s->n_bits : ENS_SELECT_BITS;
}

static void clear(struct ens_select *s)
{
    s->seen = 0;
    memset(s->memory->count, 0, sizeof(s->memory->count));
}

void ens_select_init(struct ens_select *s, uint64_t n, const uint64_t *rank,
                     size_t n_ranks, union ens_select_memory *memory)
{
    ENS_BUG_ON(n_ranks > ENS_SELECT_RANKS);
    memset(s, 0, sizeof(*s));
    s->n = n;
    s->n_ranks = n_ranks;
    s->memory = memory;
    for (size_t k = 0; k < n_ranks; k++) {
        ENS_BUG_ON(rank[k] >= n);
        s->rank[k] = rank[k];
    }
    if (n > ENS_SELECT_KEPT)
        clear(s);
}

void ens_select_add(struct ens_select *s, double x)
{
    uint64_t key = key_of(x);

    ENS_BUG_ON(s->seen == s->n); /* other numbers than before */
    if (s->n <= ENS_SELECT_KEPT) {
        s->memory->kept[s->seen++] = x + 0.0;
        return;
    }
    s->seen++;
    for (size_t k = 0; k < s->n_ranks; k++)
        if (s->n_bits == 0 || key >> (64 - s->n_bits) == s->prefix[k])
            s->memory->count[k][key << s->n_bits >> (64 - step(s))]++;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

int ens_select_next(struct ens_select *s)
{
    unsigned bits = step(s);

    ENS_BUG_ON(s->seen != s->n);
    if (s->n <= ENS_SELECT_KEPT) {
        qsort(s->memory->kept, s->n, sizeof(double), ascending);
        for (size_t k = 0; k < s->n_ranks; k++)
            s->value[k] = s->memory->kept[s->rank[k]];
        return 0;
    }
    for (size_t k = 0; k < s->n_ranks; k++) {
        uint64_t bin = 0;

        while (s->rank[k] >= s->memory->count[k][bin])
            s->rank[k] -= s->memory->count[k][bin++];
        s->prefix[k] = s->prefix[k] << bits | bin;
    }
    s->n_bits += bits;
    if (s->n_bits < 64) {
        clear(s);
        return 1;
    }
    for (size_t k = 0; k < s->n_ranks; k++)
        s->value[k] = number_of(s->prefix[k]);
    return 0;
}
