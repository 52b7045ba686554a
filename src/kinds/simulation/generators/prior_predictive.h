/* Inside prior_predictive: its model, and how data sets are made of it. */
#ifndef ENS_SIMULATION_PRIOR_PREDICTIVE_H
#define ENS_SIMULATION_PRIOR_PREDICTIVE_H

#include "fit/bayes/model.h"
#include "fit/design.h"
#include "kinds/simulation/generators/regression.h"

struct ens_predictive {
    struct ens_regression r; /* first: what generates predictors */
    struct ens_bayes_options o;
    struct ens_formula formula;
    struct ens_design design;
    size_t n_parameters, response; /* its column */
    struct ens_prior *prior;       /* of each parameter; of levels unused */
    char *is_positive;
    int is_input;
    size_t n_rows, n_groups;
};

/** Slot `generate`. */
enum ens_status ens_predictive_generate(const struct ens_job *job,
                                        const struct ens_data_shape *shape,
                                        struct ens_generated *out,
                                        struct ens_error *err);

#endif
