#include "kinds/superlearner/counts.h"

#include "kinds/superlearner/groups.h"
#include "kinds/superlearner/order.h"

#include <stdlib.h>

static struct {
    const struct ens_study *study;
    struct ens_arena arena;
    /* of each layer, group (0: its own) and sample, if found */
    uint64_t **first[ENS_SL_LAYERS + 1][ENS_SL_GROUPS + 1];
} known;

void ens_sl_count_anew(void)
{
    ens_arena_fini(&known.arena);
    memset(&known, 0, sizeof(known));
    ens_arena_init(&known.arena);
}

static enum ens_status count(const struct ens_sl *sl,
                             const struct ens_sl_layer *layer, uint32_t sample,
                             uint64_t *first, struct ens_error *err)
{
    int64_t *words = malloc(ens_sl_order_words(layer) * sizeof(*words));
    struct ens_arena arena;
    struct ens_rowset base;
    struct ens_span span;
    struct ens_folds f;
    enum ens_status s = words == NULL
                            ? ens_fail(err, ENS_ENOMEMORY,
                                       "folds of %llu rows: out of "
                                       "memory",
                                       (unsigned long long)layer->n_in)
                            : ENS_OK;

    ens_arena_init(&arena);
    if (s == ENS_OK)
        s = ens_sl_order(sl, layer, sample, &arena, words, err);
    if (s == ENS_OK) {
        base = ens_rowset_one(&span, NULL, 0, (uint64_t)words[0]);
        s = ens_folds_open(&layer->spec, &base, (uint64_t *)words + 1, &f, err);
    }
    for (uint32_t k = 1; k <= layer->n_folds && s == ENS_OK; k++)
        first[k - 1] = ens_folds_out_first(&f, k);
    if (s == ENS_OK) {
        first[layer->n_folds] = f.n_out;
        first[layer->n_folds + 1] = (uint64_t)words[0];
    }
    ens_arena_fini(&arena);
    free(words);
    return s;
}

enum ens_status ens_sl_count(const struct ens_sl *sl,
                             const struct ens_sl_layer *layer, uint32_t sample,
                             const uint64_t **first, struct ens_error *err)
{
    uint64_t ***of, *at;
    enum ens_status s;

    if (layer->number > ENS_SL_LAYERS)
        return ens_fail(err, ENS_ESTUDY, "[learner] layer: %u; at most %d",
                        layer->number, ENS_SL_LAYERS);
    if (known.study != sl->study)
        ens_sl_count_anew();
    known.study = sl->study;
    of = &known.first[layer->number][ens_sl_group_index(sl, layer->group)];
    if (*of == NULL)
        *of = ens_arena_alloc(&known.arena, layer->n_samples, sizeof(**of));
    at = *of == NULL || (*of)[sample] != NULL
             ? NULL
             : ens_arena_alloc(&known.arena, layer->n_folds + 2u, sizeof(*at));
    if (*of == NULL || ((*of)[sample] == NULL && at == NULL))
        return ens_fail(err, ENS_ENOMEMORY, "rows of folds: out of memory");
    if ((*of)[sample] == NULL) {
        s = count(sl, layer, sample, at, err);
        if (s != ENS_OK)
            return s;
        (*of)[sample] = at;
    }
    *first = (*of)[sample];
    return ENS_OK;
}
