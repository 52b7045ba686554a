#include "learn/nearest.h"

void ens_nearest_clear(struct ens_nearest *h)
{
    for (size_t i = 0; i < h->k; i++)
        h->near[i] = (struct ens_near){INFINITY, ENS_NEAREST_NONE};
}

/* Place `one` at or below node i of the first n. */
static void sink(struct ens_near *near, size_t n, size_t i, struct ens_near one)
{
    for (size_t child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && ens_near_before(near[child], near[child + 1]))
            child++;
        if (!ens_near_before(one, near[child]))
            break;
        near[i] = near[child];
    }
    near[i] = one;
}

void ens_nearest_replace(struct ens_nearest *h, struct ens_near with)
{
    sink(h->near, h->k, 0, with);
}

size_t ens_nearest_sort(struct ens_nearest *h)
{
    size_t n = h->k;

    for (size_t last = h->k; last-- > 1;) {
        struct ens_near one = h->near[last];

        h->near[last] = h->near[0];
        sink(h->near, last, 0, one);
    }
    while (n > 0 && h->near[n - 1].at == ENS_NEAREST_NONE)
        n--;
    return n;
}
