#include "store/sets.h"

#include <stdlib.h>
#include <string.h>

void ens_sets_fini(struct ens_sets *t)
{
    for (size_t i = 0; i < t->n_slots; i++)
        if (t->slot[i].used)
            ens_replicates_fini(&t->slot[i].set);
    free(t->slot);
    memset(t, 0, sizeof(*t));
}

static size_t home(const struct ens_sets *t, uint64_t cell, uint32_t tag)
{
    uint64_t h =
        (cell + 1) * 0x9e3779b97f4a7c15u ^ (uint64_t)tag * 0xc2b2ae3d27d4eb4fu;

    h ^= h >> 32;
    h *= 0xd6e8feb86659fd93u;
    h ^= h >> 32;
    return (size_t)h & (t->n_slots - 1);
}

struct ens_replicates *ens_sets_find(const struct ens_sets *t, uint64_t cell,
                                     uint32_t tag)
{
    if (t->n == 0)
        return NULL;
    for (size_t i = home(t, cell, tag); t->slot[i].used;
         i = (i + 1) & (t->n_slots - 1))
        if (t->slot[i].cell == cell && t->slot[i].tag == tag)
            return &t->slot[i].set;
    return NULL;
}

static int grow_slots(struct ens_sets *t)
{
    struct ens_sets wide = *t;

    wide.n_slots = t->n_slots == 0 ? 64 : t->n_slots * 2;
    wide.slot = calloc(wide.n_slots, sizeof(*wide.slot));
    if (wide.slot == NULL)
        return -1;
    for (size_t i = 0; i < t->n_slots; i++) {
        const struct ens_sets_entry *e = &t->slot[i];
        size_t to;

        if (!e->used)
            continue;
        for (to = home(&wide, e->cell, e->tag); wide.slot[to].used;)
            to = (to + 1) & (wide.n_slots - 1);
        wide.slot[to] = *e;
    }
    free(t->slot);
    *t = wide;
    return 0;
}

struct ens_replicates *ens_sets_get(struct ens_sets *t, uint64_t cell,
                                    uint32_t tag)
{
    struct ens_replicates *s = ens_sets_find(t, cell, tag);
    size_t i;

    if (s != NULL)
        return s;
    if (4 * (t->n + 1) > 3 * t->n_slots && grow_slots(t) != 0)
        return NULL;
    for (i = home(t, cell, tag); t->slot[i].used;)
        i = (i + 1) & (t->n_slots - 1);
    t->slot[i].cell = cell;
    t->slot[i].tag = tag;
    t->slot[i].used = 1;
    t->n++;
    return &t->slot[i].set;
}

/* Close the hole that a removed entry leaves, so that probing never meets
 * one: an entry moves back unless its home lies behind the hole. */
void ens_sets_drop(struct ens_sets *t, struct ens_replicates *s)
{
    size_t mask = t->n_slots - 1;
    size_t hole =
        (size_t)((struct ens_sets_entry *)(void *)((char *)s -
                                                   offsetof(
                                                       struct ens_sets_entry,
                                                       set)) -
                 t->slot);

    ens_replicates_fini(s);
    for (size_t i = (hole + 1) & mask; t->slot[i].used; i = (i + 1) & mask) {
        size_t h = home(t, t->slot[i].cell, t->slot[i].tag);

        if (((i - h) & mask) < ((i - hole) & mask))
            continue;
        t->slot[hole] = t->slot[i];
        hole = i;
    }
    memset(&t->slot[hole], 0, sizeof(t->slot[hole]));
    t->n--;
}

int ens_sets_has(const struct ens_sets *t, uint64_t cell, uint32_t tag,
                 uint32_t replicate)
{
    const struct ens_replicates *s = ens_sets_find(t, cell, tag);

    return s != NULL && ens_replicates_has(s, replicate);
}

int ens_sets_add(struct ens_sets *t, uint64_t cell, uint32_t tag,
                 uint32_t replicate)
{
    struct ens_replicates *s = ens_sets_get(t, cell, tag);

    return s == NULL ? -1 : ens_replicates_add(s, replicate);
}

void ens_sets_remove(struct ens_sets *t, uint64_t cell, uint32_t tag,
                     uint32_t replicate)
{
    struct ens_replicates *s = ens_sets_find(t, cell, tag);

    if (s != NULL && ens_replicates_remove(s, replicate) &&
        ens_replicates_min(s) == 0)
        ens_sets_drop(t, s);
}

static int by_key(const void *a, const void *b)
{
    const struct ens_sets_entry *x = *(const struct ens_sets_entry *const *)a;
    const struct ens_sets_entry *y = *(const struct ens_sets_entry *const *)b;

    if (x->cell != y->cell)
        return x->cell < y->cell ? -1 : 1;
    return (x->tag > y->tag) - (x->tag < y->tag);
}

void ens_sets_write(const struct ens_sets *t, uint32_t skip,
                    struct ens_buf *out)
{
    const struct ens_sets_entry **e = calloc(t->n + 1, sizeof(*e));
    size_t n = 0;

    if (e == NULL) {
        out->failed = 1;
        return;
    }
    for (size_t i = 0; i < t->n_slots; i++)
        if (t->slot[i].used && t->slot[i].tag != skip)
            e[n++] = &t->slot[i];
    if (n > 0)
        qsort(e, n, sizeof(*e), by_key);
    ens_buf_u64(out, n);
    for (size_t i = 0; i < n; i++) {
        ens_buf_u64(out, e[i]->cell);
        ens_buf_u32(out, e[i]->tag);
        ens_replicates_write(&e[i]->set, out);
    }
    free(e);
}
