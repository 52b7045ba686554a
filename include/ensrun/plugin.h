/* Plugins: kinds, generators, fitters, metrics and learners from a shared
 * library.
 *
 * A plugin is a file that defines one symbol, ensrun_plugin. It is written
 * against these headers alone and links nothing of ensrun: what it calls is
 * in the table of host functions. A study names what a file has as FILE:NAME
 * where it names what is built in:
 *
 *     kind = ./my.so:walk     generator = ./my.so:ar1     fitter = ./my.so:lad
 *     learner = ./my.so:shrunk_mean
 *     [metrics]  use = bias, ./my.so:mad(scale=1.5)
 *
 *     cc -std=c11 -O2 -shared -fPIC -I INCLUDE -o my.so my.c
 *
 * A plugin is loaded once by every process that needs it: the program that
 * reads the study, the one that workers are forked from. It is not unloaded.
 * It must not start threads or print when it is loaded.
 *
 * A kind of a plugin may have roles of its own; one that is selected by the key
 * "generator", "fitter" or "learner" takes the structures of these headers, as
 * rows may name those of any plugin there.
 */
#ifndef ENSRUN_PLUGIN_H
#define ENSRUN_PLUGIN_H

#include <ensrun/density.h>
#include <ensrun/fitter.h>
#include <ensrun/generator.h>
#include <ensrun/kind.h>
#include <ensrun/learner.h>
#include <ensrun/metric.h>

/** An implementation for a role of kind simulation or superlearner. */
struct ens_plugin_part {
    const char *key;      /* "generator", "fitter", "metric" or "learner": what
                             a study sets, and what impl.ops points to (a const
                             struct ens_generator, ens_fitter, ens_metric or
                             ens_learner) */
    struct ens_impl impl; /* its settings are of the section "data", "fit",
                             "metrics" or "learner"; none of type LINE */
};

struct ens_plugin {
    uint32_t abi; /* ENS_ABI; the first member in all versions */
    uint32_t layout;
    const char *version;
    const char *help; /* one line about the file, or NULL */
    /** Where to put the host's table before anything is called; or NULL. */
    const struct ens_host **host;
    const struct ens_kind *const *kinds;
    size_t n_kinds;
    const struct ens_plugin_part *parts;
    size_t n_parts;
};

/* While ENS_ABI is 0 its structures may change without it: their sizes tell. */
#define ENS_LAYOUT                                                             \
    ((uint32_t)(sizeof(struct ens_host) + 7 * sizeof(struct ens_kind) +        \
                11 * sizeof(struct ens_setting) +                              \
                13 * sizeof(struct ens_value) + 17 * sizeof(struct ens_impl) + \
                19 * sizeof(struct ens_generator) +                            \
                23 * sizeof(struct ens_generated) +                            \
                59 * sizeof(struct ens_data_shape) +                           \
                61 * sizeof(struct ens_fit_options) +                          \
                29 * sizeof(struct ens_fitter) +                               \
                31 * sizeof(struct ens_fit_problem) +                          \
                37 * sizeof(struct ens_fit_result) +                           \
                41 * sizeof(struct ens_metric) +                               \
                43 * sizeof(struct ens_metric_input) +                         \
                47 * sizeof(struct ens_input) + 53 * sizeof(struct ens_role) + \
                67 * sizeof(struct ens_table_def) +                            \
                71 * sizeof(struct ens_learner) +                              \
                73 * sizeof(struct ens_rows) +                                 \
                79 * sizeof(struct ens_learn_setup) +                          \
                83 * sizeof(struct ens_learn_job) +                            \
                89 * sizeof(struct ens_moments) +                              \
                97 * sizeof(struct ens_bins)))

/** The first members of every struct ens_plugin. */
#define ENS_PLUGIN_HEAD                                                        \
    .abi = ENS_ABI, .layout = ENS_LAYOUT, .version = ENS_VERSION

/** A row of a settings table: section, key, type without ENS_T_, shape without
 * ENS_, class without ENS_C_, default, bounds (0, 0: none), help. */
#define ENS_SETTING(SECTION, KEY, TYPE, SHAPE, CLASS, DEFAULT, MIN, MAX, HELP) \
    {                                                                          \
        .section = SECTION, .key = KEY, .type = ENS_T_##TYPE,                  \
        .shape = ENS_##SHAPE, .cls = ENS_C_##CLASS, .def = DEFAULT,            \
        .min = MIN, .max = MAX, .help = HELP                                   \
    }

/** What the file defines. */
extern ENS_API const struct ens_plugin ensrun_plugin;

#endif
