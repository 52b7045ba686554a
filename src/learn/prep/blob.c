/* Chains of fitted steps as bytes (layout: prep.h). */
#include "base/bug.h"
#include "learn/prep/inside.h"

#include <string.h>

#define MAGIC "ensprep1"

struct head {
    char magic[8];
    uint32_t n, p;
    uint64_t bytes;
    uint64_t zero;
};

struct part_head {
    char name[16];
    uint32_t p, q;
    uint64_t bytes;
};

_Static_assert(sizeof(struct head) == 32, "layout");
_Static_assert(sizeof(struct part_head) == 32, "layout");

enum ens_status ens_prep_bytes(const struct ens_prep_fitted *f,
                               struct ens_arena *arena, const void **blob,
                               size_t *bytes, struct ens_error *err)
{
    struct head h = {.magic = MAGIC, .n = (uint32_t)f->n};
    size_t size = sizeof(h), at = sizeof(h);
    unsigned char *to;

    for (size_t k = 0; k < f->n; k++)
        size += sizeof(struct part_head) + f->part[k].bytes;
    to = ens_arena_alloc(arena, size, 1);
    if (to == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "preprocessing: out of memory");
    h.p = (uint32_t)f->p;
    h.bytes = size;
    memcpy(to, &h, sizeof(h));
    for (size_t k = 0; k < f->n; k++) {
        const struct ens_prep_part *a = &f->part[k];
        struct part_head ph = {
            .p = (uint32_t)a->p, .q = (uint32_t)a->q, .bytes = a->bytes};

        ENS_BUG_ON(strlen(a->op->name) >= sizeof(ph.name));
        memcpy(ph.name, a->op->name, strlen(a->op->name));
        memcpy(to + at, &ph, sizeof(ph));
        if (a->bytes > 0)
            memcpy(to + at + sizeof(ph), a->own, a->bytes);
        at += sizeof(ph) + a->bytes;
    }
    *blob = to;
    *bytes = size;
    return ENS_OK;
}

static enum ens_status damaged(struct ens_error *err)
{
    return ens_fail(err, ENS_ECORRUPT, "fitted preprocessing is damaged");
}

static enum ens_status open_part(const unsigned char *blob, size_t bytes,
                                 size_t *at, struct ens_prep_part *a,
                                 struct ens_error *err)
{
    struct part_head h;

    if (bytes - *at < sizeof(h))
        return damaged(err);
    memcpy(&h, blob + *at, sizeof(h));
    *at += sizeof(h);
    if (memchr(h.name, '\0', sizeof(h.name)) == NULL || h.bytes % 16 != 0 ||
        h.bytes > bytes - *at)
        return damaged(err);
    *a = (struct ens_prep_part){.op = ens_prep_find(h.name),
                                .p = h.p,
                                .q = h.q,
                                .own = blob + *at,
                                .bytes = h.bytes};
    *at += h.bytes;
    return a->op != NULL ? ENS_OK : damaged(err);
}

enum ens_status ens_prep_open(const void *blob, size_t bytes,
                              const char *const *column, size_t p,
                              struct ens_arena *arena,
                              struct ens_prep_fitted *f, struct ens_error *err)
{
    size_t at = sizeof(struct head);
    struct ens_prep_part a;
    struct head h;
    enum ens_status st;

    ENS_BUG_ON((uintptr_t)blob % 16 != 0);
    if (bytes < sizeof(h))
        return damaged(err);
    memcpy(&h, blob, sizeof(h));
    if (memcmp(h.magic, MAGIC, sizeof(h.magic)) != 0 || h.bytes != bytes ||
        h.n > ENS_PREP_STEPS || h.zero != 0)
        return damaged(err);
    if (h.p != p)
        return ens_fail(err, ENS_ECORRUPT,
                        "preprocessing was fitted to %u columns, there are %zu",
                        h.p, p);
    st = ens_prep_begin(f, column, p, arena, err);
    for (uint32_t k = 0; k < h.n && st == ENS_OK; k++) {
        st = open_part(blob, bytes, &at, &a, err);
        if (st == ENS_OK)
            st = ens_prep_append(f, &a, arena, err);
    }
    if (st != ENS_OK)
        return st;
    if (at != bytes)
        return damaged(err);
    ens_prep_end(f);
    return ENS_OK;
}
