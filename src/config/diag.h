/* All errors of a study file: collected, then written in file order. */
#ifndef ENS_CONFIG_DIAG_H
#define ENS_CONFIG_DIAG_H

#include "base/arena.h"
#include "base/buf.h"
#include <ensrun/error.h>

/** Where a name or value was written. */
struct ens_pos {
    uint32_t line;   /* 1 .., 0: nowhere (a default, a missing key) */
    const char *set; /* the text of a --set, or NULL */
};

struct ens_diag_item {
    struct ens_pos pos;
    size_t order;
    const char *text;
};

struct ens_diag {
    struct ens_arena *arena;
    const char *file; /* for messages */
    size_t n, cap;
    struct ens_diag_item *item;
    int no_memory;
};

/** Add "FILE:LINE: text" or "--set X: text". */
void ens_diag_add(struct ens_diag *d, struct ens_pos pos, const char *fmt, ...)
    ENS_PRINTF(3, 4);
/** Put all into out (may be NULL), each once, and the first into err.
 * Returns ENS_OK when there are none, else ENS_ESTUDY or ENS_ENOMEMORY. */
enum ens_status ens_diag_flush(struct ens_diag *d, struct ens_buf *out,
                               struct ens_error *err);

/** Enlarge an array in an arena to hold one more; 0, or -1: no memory. */
int ens_grow(struct ens_arena *a, void *array, size_t n, size_t *cap,
             size_t size);

#endif
