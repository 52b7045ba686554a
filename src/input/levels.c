#include "input/levels.h"

#include "base/hash.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static uint32_t *find_slot(const struct ens_levels *l, const char *s, size_t n)
{
    uint32_t mask = l->n_slots - 1;
    uint32_t i = (uint32_t)ens_hash64(s, n) & mask;

    for (; l->slot[i] != 0; i = (i + 1) & mask) {
        const struct ens_level *k = &l->item[l->slot[i] - 1];

        if (k->n == n && memcmp(k->text, s, n) == 0)
            break;
    }
    return &l->slot[i];
}

/* Twice the slots; half of them stay free. */
static int grow(struct ens_levels *l)
{
    uint32_t n_slots = l->n_slots == 0 ? 64 : 2 * l->n_slots;
    uint32_t *slot = calloc(n_slots, sizeof(*slot));
    void *item = realloc(l->item, n_slots / 2 * sizeof(*l->item));

    if (item != NULL)
        l->item = item;
    if (slot == NULL || item == NULL) {
        free(slot);
        return -1;
    }
    free(l->slot);
    l->slot = slot;
    l->n_slots = n_slots;
    l->cap = n_slots / 2;
    for (uint32_t i = 0; i < l->n; i++)
        *find_slot(l, l->item[i].text, l->item[i].n) = i + 1;
    return 0;
}

enum ens_status ens_levels_add(struct ens_levels *l, const char *s, size_t n,
                               uint32_t *code, struct ens_error *err)
{
    uint32_t *slot = l->n_slots == 0 ? NULL : find_slot(l, s, n);
    char *text;

    if (slot != NULL && *slot != 0) {
        *code = *slot - 1;
        return ENS_OK;
    }
    if (l->bytes + n + 1 > ENS_LEVELS_MAX_BYTES)
        return ens_fail(err, ENS_EINPUT,
                        "more than %" PRIu64 " bytes of different texts; "
                        "leave the column out of the file",
                        (uint64_t)ENS_LEVELS_MAX_BYTES);
    if (l->n == l->cap && grow(l) != 0)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    text = ens_arena_strndup(&l->arena, s, n);
    if (text == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    l->item[l->n] = (struct ens_level){text, (uint32_t)n, l->n};
    *code = l->n++;
    *find_slot(l, s, n) = l->n;
    l->bytes += n + 1;
    return ENS_OK;
}

static int by_text(const void *a, const void *b)
{
    const struct ens_level *x = a;
    const struct ens_level *y = b;

    return strcmp(x->text, y->text);
}

void ens_levels_sort(struct ens_levels *l, int32_t *to)
{
    if (l->n > 0)
        qsort(l->item, l->n, sizeof(*l->item), by_text);
    for (uint32_t i = 0; i < l->n; i++)
        to[l->item[i].code] = (int32_t)i;
}

void ens_levels_fini(struct ens_levels *l)
{
    free(l->item);
    free(l->slot);
    ens_arena_fini(&l->arena);
    memset(l, 0, sizeof(*l));
}

size_t ens_utf8_valid(const char *s, size_t n)
{
    size_t i = 0;

    for (size_t k; i < n; i += k) {
        k = ens_utf8_bytes(s + i, n - i);
        if (k == 0)
            break;
    }
    return i;
}
