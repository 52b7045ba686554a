/* Generators: where a simulation's data sets come from (`[data] generator`).
 *
 * The settings of a generator are rows of the section "data". Data are a
 * function of the data part of the cell, the replicate and the stream "data":
 * every fit row of the study sees the same ones.
 *
 * Built-in ones are a file in src/kinds/simulation/generators and a line in
 * its x.def; those of a plugin a row of its table (plugin.h).
 */
#ifndef ENSRUN_GENERATOR_H
#define ENSRUN_GENERATOR_H

#include <ensrun/data.h>
#include <ensrun/family.h>
#include <ensrun/kind.h>

/** What `shape` may use. What alloc gives lives as long as the shape; NULL
 * when out of memory. */
struct ens_setup {
    /** Input by the name of its section; NULL when there is none. */
    const struct ens_input *(*input)(const struct ens_setup *setup,
                                     const char *name);
    /** n * size bytes of zeros. */
    void *(*alloc)(const struct ens_setup *setup, size_t n, size_t size);
};

/**
 * What is known of a row's data sets before one is made. Arrays live as long
 * as the setup's memory.
 *
 * Truths are named like parameters of fits: terms of a formula ("x1",
 * "intercept"), "sigma", "sd_g", "g[3]". Those of terms hold for fits with
 * the link of `family`, the others for fits of that family.
 */
struct ens_data_shape {
    struct ens_data data; /* n: rows to fit to */
    const char *response; /* whose model the truths are of; NULL: any */
    size_t n_truth;
    const char *const *truth;  /* names */
    const double *truth_value; /* NaN: differs from data set to data set */
    enum ens_family family;
    size_t n_meta; /* numbers kept with each task: columns meta__NAME */
    const char *const *meta;
    int any_family;  /* truths hold for every family and link: zeros, say */
    const void *own; /* the generator's: settings read once, say */
};

/** What a replicate's data are. */
struct ens_generated {
    struct ens_data data; /* as many columns, of the same names, as `shape`;
                             its rows may be other than shape's */
    struct ens_data test; /* rows to predict; same columns; n = 0: none */
    /* NaN in all of both before generate is called. */
    double *truth; /* shape.n_truth: only what shape leaves NaN is read */
    double *meta;  /* shape.n_meta */
};

struct ens_generator {
    /**
     * Optional, in a worker, before the first call of generate: *state is
     * given to it and kept as long as the worker; for caches and programs,
     * nothing that changes a result. What has the same open shares its state.
     * NULL: no state.
     */
    enum ens_status (*open)(const struct ens_host *host, void **state,
                            struct ens_error *err);
    void (*close)(void *state);
    /**
     * Required. What does not depend on the replicate: rows, names of the
     * columns and, where they lie in an input, the columns themselves; names
     * of truths and their values where they are settings. Pure; called in
     * every process that plans the study, and again in a worker whenever the
     * cell changes. *shape is all zeros before.
     */
    enum ens_status (*shape)(const struct ens_setup *setup,
                             const struct ens_cell *cell,
                             struct ens_data_shape *shape,
                             struct ens_error *err);
    /**
     * Required, in a worker. One data set, in memory of host->alloc, from the
     * stream host->rng(result, "data"). Anything but ENS_OK: the task is
     * `failed`, with err's text.
     */
    enum ens_status (*generate)(const struct ens_job *job,
                                const struct ens_data_shape *shape,
                                struct ens_generated *out,
                                struct ens_error *err);
};

#endif
