/* What built-in generators may use beside ensrun/generator.h: the struct
 * ens_setup they are given is the first member of one of these. */
#ifndef ENS_SIMULATION_SETUP_H
#define ENS_SIMULATION_SETUP_H

#include "base/arena.h"
#include <ensrun/generator.h>

struct ens_generator_setup {
    struct ens_setup shown;
    struct ens_arena *arena; /* its memory */
};

#endif
