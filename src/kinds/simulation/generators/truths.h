/* Truths that the user knows: `truth = TERM=VALUE, ...`. */
#ifndef ENS_SIMULATION_TRUTHS_H
#define ENS_SIMULATION_TRUTHS_H

#include <ensrun/generator.h>

/**
 * Names and values in memory of the setup. VALUE is a number or a key of the
 * cell's row that is one; a TERM alone is NaN: given with each data set, where
 * may_vary says that it may.
 * Errors: ENS_ESTUDY names the element.
 */
enum ens_status ens_truths_read(const struct ens_setup *setup,
                                const struct ens_cell *cell, int may_vary,
                                struct ens_data_shape *out,
                                struct ens_error *err);

#endif
