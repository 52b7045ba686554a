/* What a walk over the cells says of layers. */
#include "kinds/superlearner/cases.h"
#include "kinds/superlearner/moments.h"
#include "kinds/superlearner/steps.h"

/* Sums of windows that would be too many are not made. */
static enum ens_status check_windows(const struct ens_plan *plan,
                                     const struct ens_host *host,
                                     const struct ens_sl_layer *layer,
                                     struct ens_sl_needs *needs,
                                     struct ens_error *err)
{
    struct ens_cell leader;
    struct ens_sl sl;
    enum ens_status s = ens_sl_read(&sl, plan, host, err);

    if (s != ENS_OK)
        return s;
    host->plan_cell(plan, needs->leader, &leader);
    needs->moments =
        ens_sl_sum_samples(layer, ens_sl_width(&sl, plan, host, layer->number,
                                               ens_sl_texts(&leader))) > 0;
    return ENS_OK;
}

enum ens_status ens_sl_needs(const struct ens_plan *plan,
                             const struct ens_host *host,
                             const struct ens_sl_layer *layer,
                             struct ens_sl_needs *needs, struct ens_error *err)
{
    uint64_t n = host->plan_n_cells(plan);
    struct ens_cell cell;

    *needs = (struct ens_sl_needs){0};
    for (uint64_t i = 0; i < n; i++) {
        const struct ens_learner *learner;

        host->plan_cell(plan, i, &cell);
        if (!ens_sl_is_in(&cell, layer))
            continue;
        learner = ens_cell_impl(&cell, "learner")->ops;
        if (needs->n_cells++ == 0)
            needs->leader = i;
        needs->moments |= ens_sl_shares_moments(&cell, learner);
        needs->bins |= ens_sl_shares_bins(&cell, learner);
    }
    if (needs->n_cells == 0)
        return ens_fail(err, ENS_ESTUDY,
                        "[learner] layer: no learner is in layer %u, though "
                        "some are in a later one",
                        layer->number);
    if (layer->spec.type == ENS_FOLDS_TEMPORAL && needs->moments)
        return check_windows(plan, host, layer, needs, err);
    return ENS_OK;
}

uint64_t ens_sl_n_learners(const struct ens_plan *plan,
                           const struct ens_host *host,
                           const struct ens_sl_layer *layer)
{
    struct ens_cell cell;
    uint64_t n = 0;

    for (uint64_t i = 0; i < host->plan_n_cells(plan); i++) {
        host->plan_cell(plan, i, &cell);
        n += ens_sl_is_in(&cell, layer) ? 1u : 0u;
    }
    return n;
}

uint32_t ens_sl_n_layers(const struct ens_plan *plan,
                         const struct ens_host *host)
{
    uint64_t n = host->plan_n_cells(plan);
    struct ens_cell cell;
    uint32_t most = 1;

    for (uint64_t i = 0; i < n; i++) {
        uint32_t layer;

        host->plan_cell(plan, i, &cell);
        layer = ens_sl_layer_of(&cell);
        most = layer > most ? layer : most;
    }
    return most;
}
