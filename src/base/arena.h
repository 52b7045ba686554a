/* Memory that is given back all at once.
 *
 * An arena grows by chunks and keeps them over a reset, so a worker that
 * resets it after each task stops allocating after the first few.
 * Not for: sharing between threads; objects that outlive the reset.
 */
#ifndef ENS_BASE_ARENA_H
#define ENS_BASE_ARENA_H

#include <ensrun/version.h>
#include <stddef.h>

struct ens_arena_chunk;

struct ens_arena {
    struct ens_arena_chunk *first;
    struct ens_arena_chunk *cur;
    size_t used; /* bytes of cur in use */
};

#define ENS_ARENA_INIT                                                         \
    {                                                                          \
        NULL, NULL, 0                                                          \
    }

void ens_arena_init(struct ens_arena *a);
void ens_arena_fini(struct ens_arena *a);
/** Forget everything; chunks over 1 MiB in total are given back. */
void ens_arena_reset(struct ens_arena *a);
/** n objects of size bytes, zeroed, aligned to 16; NULL when out of memory. */
void *ens_arena_alloc(struct ens_arena *a, size_t n, size_t size);
char *ens_arena_strndup(struct ens_arena *a, const char *s, size_t n);
char *ens_arena_strdup(struct ens_arena *a, const char *s);
char *ens_arena_printf(struct ens_arena *a, const char *fmt, ...)
    ENS_PRINTF(2, 3);

#endif
