#include "mcmc/windows.h"

#define FIRST_BUFFER 75
#define BASE_WINDOW  25
#define LAST_BUFFER  50
#define LEAST        20

void ens_windows_init(struct ens_windows *w, size_t warmup)
{
    size_t all = FIRST_BUFFER + BASE_WINDOW + LAST_BUFFER;

    if (warmup < LEAST) {
        *w = (struct ens_windows){0, 0, 0, 0};
        return;
    }
    w->first = warmup < all ? warmup * 15 / 100 : FIRST_BUFFER;
    w->last = warmup - (warmup < all ? warmup / 10 : LAST_BUFFER);
    w->size = warmup < all ? w->last - w->first : BASE_WINDOW;
    w->end = w->first + w->size - 1;
}

int ens_windows_learns(const struct ens_windows *w, size_t iteration)
{
    return iteration >= w->first && iteration < w->last;
}

int ens_windows_ends(struct ens_windows *w, size_t iteration)
{
    if (!ens_windows_learns(w, iteration) || iteration != w->end)
        return 0;
    /* A window that the next one would not fit behind is the last. */
    w->size *= 2;
    w->end = iteration + w->size;
    if (w->end + 2 * w->size >= w->last)
        w->end = w->last - 1;
    return 1;
}
