/* Embedding: a C program runs a study over arrays of its own.
 *
 *     cc -std=c11 -o prog prog.c $(pkg-config --cflags --libs ensrun)
 *
 * The program's arrays are inputs of the study, shared with the workers
 * without a copy. Tasks run in processes forked from the ensrun program, not
 * from yours, so the kind is one that is built in or of a plugin (plugin.h).
 *
 * Do not: run two studies at once in one process; fork while one runs, or
 * have processes in groups of their own started; wait for children that are
 * not yours. (What a killed zygote leaves is handed up to your process, and
 * ended as what stands in another group and was not there before.)
 */
#ifndef ENSRUN_RUN_H
#define ENSRUN_RUN_H

#include <ensrun/error.h>
#include <ensrun/record.h>
#include <ensrun/view.h>

/** Memory that workers can map. */
struct ens_array;

/**
 * An array of zeros in shared memory (a memfd), in C order. It counts as
 * memory of this process and goes with it. Owned: ens_array_free.
 * Errors:  ENS_EUSAGE: no dimension, or more than ENS_MAX_NDIM; ENS_ENOMEMORY.
 */
ENS_API enum ens_status ens_array_new(struct ens_array **array,
                                      enum ens_dtype dtype, uint32_t ndim,
                                      const uint64_t *shape,
                                      struct ens_error *err);
/** The same with a copy of data: for memory that lies elsewhere already. */
ENS_API enum ens_status ens_array_copy(struct ens_array **array,
                                       enum ens_dtype dtype, uint32_t ndim,
                                       const uint64_t *shape, const void *data,
                                       struct ens_error *err);
/** Its elements, aligned to a page. To be written until the first study runs
 * over it: from then on they are read-only for everybody. */
ENS_API void *ens_array_data(const struct ens_array *array);
/** NULL is harmless. Not while a study runs over it. */
ENS_API void ens_array_free(struct ens_array *array);

struct ens_embed_input {
    const char *name; /* the input's: [input NAME] need not be in the study */
    struct ens_array *array;
};

struct ens_embed_progress {
    const char *stage;
    uint64_t n_tasks, n_done, n_not_ok; /* of this stage */
    double tasks_per_s, eta_s;          /* NaN when unknown */
};

/** All members but one of the first three may be left zero. */
struct ens_embed_options {
    const char *study;   /* path of a study file */
    const char *text;    /* or its text; paths are relative to `folder` */
    const char *results; /* or a results folder to resume; with one of the
                            others: where results go */
    const char *folder;  /* NULL: the current one */
    const struct ens_embed_input *inputs;
    size_t n_inputs;
    const char *const *set; /* overrides, "SECTION.KEY=VALUE" */
    size_t n_set;
    uint32_t workers;      /* 0: as the study says */
    const char *transport; /* NULL or "fork"; "inline": in this process */
    const char *program;   /* path of the ensrun program; NULL: the variable
                              ENSRUN_PROGRAM, else that beside the library */
    int restart, retry_failed;
    double progress_s; /* seconds between calls of progress; 0: never */
    void *arg;
    void (*progress)(void *arg, const struct ens_embed_progress *p);
    /** A line for the user; NULL: they are dropped. */
    void (*say)(void *arg, const char *line);
};

struct ens_embed_report {
    int exit_code;      /* as of the program: 0, 1, 2, 3, 70 or 85 */
    char results[4096]; /* the folder: tasks.csv, cells.csv ... */
    uint64_t n_tasks, n_left, n_new;
    uint64_t by_outcome[ENS_N_OUTCOMES];
    double seconds;
    uint64_t peak_pss_bytes; /* of all processes; 0: too short to tell */
    char errors[4096];       /* all errors of the study file, a line each */
};

/**
 * Run a study to its end, or go on with one. SIGINT, SIGTERM, SIGHUP and
 * SIGUSR1 end it early in good order (ENS_ESTOPPED, 85) and are the program's
 * own again afterwards.
 * Errors:  what the status says; ENS_OK when the study has ended, also with
 *          tasks that are not ok (exit_code 1).
 */
ENS_API enum ens_status ens_embed_run(const struct ens_embed_options *options,
                                      struct ens_embed_report *report,
                                      struct ens_error *err);

#endif
