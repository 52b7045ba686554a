#include "learn/meta/block.h"

void *ens_meta_alloc(const struct ens_meta_problem *problem, size_t n,
                     size_t size, struct ens_error *err)
{
    void *p = problem->alloc(problem->own, n, size);

    if (p == NULL)
        ens_fail(err, ENS_ENOMEMORY, "weights of %zu learners: out of memory",
                 problem->n_learners);
    return p;
}

static struct ens_meta_block *make(const struct ens_meta_problem *problem,
                                   struct ens_error *err)
{
    struct ens_meta_block *b = ens_meta_alloc(problem, 1, sizeof(*b), err);
    size_t width = problem->n_learners + 2;

    if (b == NULL)
        return NULL;
    b->n_learners = problem->n_learners;
    b->z = ens_meta_alloc(problem, ENS_META_BLOCK * width, sizeof(*b->z), err);
    if (b->z == NULL)
        return NULL;
    b->y = b->z + ENS_META_BLOCK * problem->n_learners;
    b->w = b->y + ENS_META_BLOCK;
    return b;
}

enum ens_status ens_meta_each(const struct ens_meta_problem *problem,
                              struct ens_meta_block **memory,
                              ens_meta_block_fn *fn, void *arg,
                              struct ens_error *err)
{
    struct ens_meta_block *b = *memory ? *memory : make(problem, err);
    enum ens_status s = b ? ENS_OK : ENS_ENOMEMORY;

    *memory = b;
    for (uint64_t at = 0; at < problem->n && s == ENS_OK;
         at += ENS_META_BLOCK) {
        uint64_t left = problem->n - at;

        b->first = at;
        b->n = left < ENS_META_BLOCK ? (size_t)left : ENS_META_BLOCK;
        s = problem->read(problem->own, at, b->n, b->z, b->y, b->w, err);
        if (s == ENS_OK)
            s = fn(arg, b, err);
    }
    return s;
}
