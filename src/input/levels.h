/* The different texts of a column, numbered as they are met; sorted (by
 * bytes) when all are known. */
#ifndef ENS_INPUT_LEVELS_H
#define ENS_INPUT_LEVELS_H

#include "base/arena.h"
#include <ensrun/error.h>
#include <stddef.h>
#include <stdint.h>

/* Of one column: a text that differs in every row of a large table is an
 * identifier, not a variable. */
#define ENS_LEVELS_MAX_BYTES ((uint64_t)1 << 30)

struct ens_level {
    const char *text; /* terminated */
    uint32_t n;       /* bytes */
    uint32_t code;    /* as first met */
};

struct ens_levels {
    struct ens_level *item; /* realloc */
    uint32_t n, cap;
    uint32_t *slot; /* hash table of 1 + index; 0: free */
    uint32_t n_slots;
    uint64_t bytes; /* of all texts with their NUL */
    struct ens_arena arena;
};

/** The code of a text. ENS_ENOMEMORY; ENS_EINPUT beyond the largest size. */
enum ens_status ens_levels_add(struct ens_levels *l, const char *s, size_t n,
                               uint32_t *code, struct ens_error *err);
/** Sort by bytes; to[code] is the place of the text first met as `code`. */
void ens_levels_sort(struct ens_levels *l, int32_t *to);
void ens_levels_fini(struct ens_levels *l);

/** Bytes of s that are valid UTF-8 from its start; n: all. */
size_t ens_utf8_valid(const char *s, size_t n);

#endif
