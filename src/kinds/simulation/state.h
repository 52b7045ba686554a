/* What a worker of kind simulation has: since it began, and of its cell. */
#ifndef ENS_KINDS_SIMULATION_STATE_H
#define ENS_KINDS_SIMULATION_STATE_H

#include "kinds/simulation/model.h"
#include "kind/parts.h"

struct ens_simulation_state {
    const struct ens_host *host;
    const struct ens_plan *plan;
    struct ens_arena arena; /* as long as the worker */
    struct ens_simulation_schemas schemas;
    struct ens_simulation_metrics metrics;
    struct ens_parts parts;
    void *metric_state[ENS_SIMULATION_MAX_METRICS + 1];

    /* of the present cell */
    struct ens_arena cell_arena;
    struct ens_data_shape shape;
    struct ens_simulation_model model;
    struct ens_simulation_layout layout;
    const struct ens_generator *generator;
    void *generator_state, *fitter_state;
    uint32_t schema;
    int ready;
};

#endif
