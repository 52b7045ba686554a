/* A fitted super learner in one file: `ensrun predict`.
 *
 *    0   8  "ENSMODEL"
 *    8   4  version, 1             12  4  zero
 *   16   8  bytes of the file      24  8  bytes of the contents
 *   32   .  contents (model.c), zeros up to a multiple of 16
 *    .   .  blobs, each followed by zeros up to a multiple of 16, in the order
 *           of the contents: of every learner, of every partition, its
 *           preprocessing and its model; that of a meta learner
 *  end   8  XXH3-64 of all before it
 *
 * All little-endian; made for machines that are. Blobs are what learners and
 * preprocessing steps made, at places that are multiples of 16.
 */
#ifndef ENS_LEARN_MODEL_MODEL_H
#define ENS_LEARN_MODEL_MODEL_H

#include "base/arena.h"
#include "base/hash.h"
#include "learn/meta/meta.h"
#include <ensrun/learner.h>

#define ENS_MODEL_FILE    "model.ens" /* in the results folder */
#define ENS_MODEL_VERSION 1u
#define ENS_MODEL_LAYERS  64u

/** Bytes in the file. */
struct ens_model_blob {
    const void *data; /* aligned to 16; NULL while writing */
    uint64_t bytes;   /* 0: there is none */
};

/** A learner fitted on all rows of a partition. Without a model it failed,
 * there or in a fold, or has fewer partitions than others of the layer: it is
 * left out, as if there were no such learner. */
struct ens_model_fit {
    struct ens_model_blob prep, model;
};

struct ens_model_learner {
    const char *name;
    uint64_t cell;             /* its ordinal in the study */
    struct ens_model_fit *fit; /* n_partitions of its layer */
};

struct ens_model_layer {
    uint32_t n_partitions; /* of the learner that has most */
    uint32_t m;            /* columns of a prediction: 1, or classes */
    int is_cut; /* predictions of classes are their numbers: m is 1 */
    uint32_t n_propagated;      /* columns of X, of numbers, that go before */
    const uint32_t *propagated; /* from 0 */
    uint32_t n_learners;
    struct ens_model_learner *learner;
    uint32_t n_out; /* columns that go out: those that are propagated, */
    const char *const *out; /* then by learner, partition, class; their names */
};

/** A column of X. */
struct ens_model_column {
    const char *name; /* "": it has none */
    uint32_t n_levels;
    const char *const *level; /* of text; NULL: numbers */
};

enum ens_model_meta {
    ENS_MODEL_NO_META, /* predictions are those of the last layer */
    ENS_MODEL_WEIGHTS,
    ENS_MODEL_LEARNER /* fitted on the columns of the last layer */
};

struct ens_model {
    const char *study; /* study.ini, resolved */
    size_t study_bytes;
    enum ens_outcome_family family;
    uint32_t n_classes;        /* of classes; else 0 */
    const char *const *class_; /* n_classes names: levels of text, or numbers */
    uint32_t n_columns;
    const struct ens_model_column *column;
    uint32_t n_layers;
    const struct ens_model_layer *layer;
    enum ens_model_meta meta;
    uint32_t n_weights; /* of WEIGHTS: one for each fit of the last layer */
    struct ens_meta_result weights;
    struct ens_model_blob learner; /* of LEARNER */
};

/**
 * The bytes of a file, lent to *m; memory is the arena's. p is aligned to 16.
 * Pure. ENS_ECORRUPT: they are none, damaged, of another version, or what they
 * say does not fit together.
 */
enum ens_status ens_model_read(struct ens_model *m, const void *p, size_t n,
                               struct ens_arena *arena, struct ens_error *err);

typedef enum ens_status ens_model_put_fn(void *arg, const void *p, size_t n,
                                         struct ens_error *err);

/** Writes a file from its beginning to its end, to `put`. */
struct ens_model_writer {
    ens_model_put_fn *put;
    void *arg;
    struct ens_hasher *hasher;
    uint64_t at, left; /* of the present blob */
};

/** Contents. Blobs of m say how many bytes they will have. Ends by end, or
 * drop. */
enum ens_status ens_model_begin(struct ens_model_writer *w,
                                const struct ens_model *m,
                                ens_model_put_fn *put, void *arg,
                                struct ens_error *err);
/** The next blob, which will have so many bytes; then they, in parts. */
void ens_model_next(struct ens_model_writer *w, uint64_t bytes);
enum ens_status ens_model_put(struct ens_model_writer *w, const void *p,
                              size_t n, struct ens_error *err);
enum ens_status ens_model_end(struct ens_model_writer *w,
                              struct ens_error *err);
void ens_model_drop(struct ens_model_writer *w);

#endif
