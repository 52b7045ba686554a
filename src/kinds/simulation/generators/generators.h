/* The generators that are built in: one file each, one line in x.def. */
#ifndef ENS_KINDS_SIMULATION_GENERATORS_H
#define ENS_KINDS_SIMULATION_GENERATORS_H

#include <ensrun/generator.h>

#define ENS_GENERATOR(name, n, help)                                           \
    extern const struct ens_generator ens_generator_##name;                    \
    extern const struct ens_setting ens_generator_##name##_settings[n];
#include "kinds/simulation/generators/x.def"
#undef ENS_GENERATOR

#endif
