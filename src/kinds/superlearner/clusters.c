#include "kinds/superlearner/clusters.h"

#include "config/study.h"
#include "kinds/superlearner/cases.h"
#include "learn/clusters.h"
#include "learn/rows.h"
#include "math/rng.h"

#include <stdio.h>
#include <string.h>

static uint64_t draw_below(void *arg, uint64_t n)
{
    return ens_rng_below(arg, n);
}

/* Those rows of X, whatever the layer's input is. */
static enum ens_status open_rows(const struct ens_sl *sl,
                                 const struct ens_sl_layer *layer,
                                 const struct ens_rowset *set,
                                 struct ens_arena *arena, struct ens_rows *rows,
                                 struct ens_error *err)
{
    struct ens_learn_source *source =
        ens_arena_alloc(arena, 1, sizeof(*source));
    struct ens_rowset *map = ens_arena_alloc(arena, 1, sizeof(*map));
    struct ens_rows_spec spec = {.source = source, .set = *set};
    enum ens_status s;

    if (source == NULL || map == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    ens_learn_source_init(source, layer->n_in, arena);
    s = ens_sl_map(sl, layer, arena, map, err);
    if (s == ENS_OK)
        s = ens_learn_source_add_input(source, sl->x, ENS_TEXTS_CODED, map,
                                       err);
    return s == ENS_OK ? ens_rows_open(&spec, arena, rows, err) : s;
}

enum ens_status
ens_sl_clusters(const struct ens_sl *sl, const struct ens_sl_layer *layer,
                const struct ens_rowset *rows, struct ens_arena *arena,
                const struct ens_labels **labels, struct ens_error *err)
{
    struct ens_labels *made;
    struct ens_clusters clusters;
    const struct ens_response none = {.family = sl->family};
    struct ens_rows x;
    struct ens_rng rng;
    char purpose[ENS_SL_KEY];
    struct ens_draws draws = {draw_below, &rng};
    enum ens_status s;

    *labels = NULL;
    if (!layer->is_kmeans)
        return ENS_OK;
    made = ens_arena_alloc(arena, 1, sizeof(*made));
    if (made == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    snprintf(purpose, sizeof(purpose), "clusters%s%s",
             layer->group[0] != '\0' ? "_" : "", layer->group);
    ens_rng_set(&rng, ens_study_seed(sl->study), 0, layer->number,
                ens_rng_stream("superlearner", purpose));
    s = open_rows(sl, layer, rows, arena, &x, err);
    if (s == ENS_OK)
        s = ens_clusters_fit(&x, layer->n_partitions, &draws, arena, &clusters,
                             err);
    if (s == ENS_OK)
        s = ens_clusters_labels(&clusters, &x, arena, made, err);
    if (s == ENS_OK)
        s = ens_sl_refuse(sl, &x, &none, err);
    *labels = made;
    return s;
}
