/* Generators: where a simulation's data sets come from.
 *
 * One file per implementation, one line in x.def; its settings are rows of
 * the section "data". Data are a function of the data part of the cell and
 * the replicate (stream "data"): every fit row sees the same. */
#ifndef ENS_KINDS_SIMULATION_GENERATOR_H
#define ENS_KINDS_SIMULATION_GENERATOR_H

#include "base/arena.h"
#include "fit/design.h"
#include <ensrun/kind.h>

/** What a replicate's data are. */
struct ens_generated {
    struct ens_data data;
    /* The bytes of the artifact "data" (an .npy file): what was generated. */
    const void *npy;
    size_t npy_bytes;
};

struct ens_generator {
    /**
     * What does not depend on the replicate: rows, names of the columns and,
     * where they lie in an input, the columns themselves. input: finds an
     * input by name, with `arg`. Kept in the arena. Pure.
     */
    enum ens_status (*shape)(const struct ens_cell *cell,
                             const struct ens_input *(*input)(const void *arg,
                                                              const char *name),
                             const void *arg, struct ens_arena *arena,
                             struct ens_data *shape, struct ens_error *err);
    /** One data set, in memory of host->alloc. */
    enum ens_status (*generate)(const struct ens_host *host,
                                struct ens_result *result,
                                const struct ens_cell *cell,
                                const struct ens_data *shape,
                                struct ens_generated *out,
                                struct ens_error *err);
    /** True value of a term of a linear model of the response; 0 when it is
     * not known. NULL: no truths. */
    int (*truth)(const struct ens_cell *cell, const char *response,
                 const char *term, double *value);
};

#define ENS_GENERATOR(name, n, help)                                           \
    extern const struct ens_generator ens_generator_##name;                    \
    extern const struct ens_setting ens_generator_##name##_settings[n];
#include "kinds/simulation/x.def"
#undef ENS_GENERATOR

#endif
