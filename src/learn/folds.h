/* Folds: which rows a fit sees and which it predicts, as a description that
 * keeps nothing per row.
 *
 * Rows of a layer's input have positions 0 .. n-1 in `base`, in groups: of
 * partition j the test rows of its folds 1 .. K one after the other, then
 * those that are never tested. Where folds are blocks of rows, base is the
 * layer's rows in their order. Where they are not (shuffled, by id, by
 * stratum, the user's own), base is an array of row numbers that
 * ens_folds_order (order.h) made, and `start` what it said.
 *
 * A fit is (partition j = 0 .. J-1, fold k): k = 0 on all rows of the
 * partition, k = 1 .. K without those of fold k; the latter predicts fold k
 * of *all* partitions. Output positions are the test rows of fold 1, of fold
 * 2 ...; each is written once per partition.
 *
 * Remainders: n rows in m blocks are n / m each, the first n % m one more. */
#ifndef ENS_LEARN_FOLDS_H
#define ENS_LEARN_FOLDS_H

#include "learn/span.h"

enum ens_folds_type {
    ENS_FOLDS_STACK,     /* K folds */
    ENS_FOLDS_BLEND,     /* the last rows are predicted by the first */
    ENS_FOLDS_SUBSEMBLE, /* K folds of each of J partitions */
    ENS_FOLDS_TEMPORAL,  /* the next rows by those before them */
    ENS_FOLDS_FULL       /* a meta learner: one fit, nothing predicted */
};

struct ens_folds_spec {
    enum ens_folds_type type;
    uint64_t folds;      /* K; blend: of no meaning */
    uint64_t partitions; /* J of subsemble */
    /* blend: rows that are predicted, then those that are trained on; 0: by
     * share. Without either share the rest is trained on. */
    uint64_t test_size, train_size;
    double test_share, train_share;
    uint64_t step_size, burn_in, window, lag; /* temporal; window 0: all;
                                                 burn_in 0: step_size */
};

struct ens_folds {
    enum ens_folds_type type;
    uint64_t n, n_out;
    uint32_t J, K;
    struct ens_rowset base;
    const uint64_t *start; /* of group (j, k), k = 1 .. K, then the rest:
                              start[j (K + 1) + k - 1]; [J (K + 1)] = n; NULL:
                              by blocks. Of blend: how many rows are trained
                              on, then those and the tested ones */
    uint64_t n_train;      /* blend */
    uint64_t step_size, burn_in, window, lag; /* temporal */
};

/**
 * Folds of the rows of base (lent, as is start; start NULL: blocks).
 * Errors: ENS_ESTUDY: too many folds for the rows, or none, or windows that
 *         do not fit; the text begins with the setting.
 */
enum ens_status ens_folds_open(const struct ens_folds_spec *spec,
                               const struct ens_rowset *base,
                               const uint64_t *start, struct ens_folds *f,
                               struct ens_error *err);
/** J and K for n rows, checked as above. */
enum ens_status ens_folds_count(const struct ens_folds_spec *spec, uint64_t n,
                                uint32_t *J, uint32_t *K,
                                struct ens_error *err);

/** Rows of fit (j, k), k = 0 .. K. ENS_ENOMEMORY. */
enum ens_status ens_folds_train(const struct ens_folds *f, uint32_t j,
                                uint32_t k, struct ens_arena *arena,
                                struct ens_rowset *out, struct ens_error *err);
/** Rows that fits (., k) predict, k = 1 .. K. ENS_ENOMEMORY. */
enum ens_status ens_folds_test(const struct ens_folds *f, uint32_t k,
                               struct ens_arena *arena, struct ens_rowset *out,
                               struct ens_error *err);
/** Position in base where group g = 0 .. K of partition j begins: folds 1 .. K,
 * then rows that are never tested; g = K + 1: where the partition ends. Of
 * stack and subsemble. */
uint64_t ens_folds_group(const struct ens_folds *f, uint32_t j, uint32_t g);
/** Output position of the first of them, and how many they are. */
uint64_t ens_folds_out_first(const struct ens_folds *f, uint32_t k);
uint64_t ens_folds_out_n(const struct ens_folds *f, uint32_t k);
/** Rows of all output positions. ENS_ENOMEMORY. */
enum ens_status ens_folds_out(const struct ens_folds *f,
                              struct ens_arena *arena, struct ens_rowset *out,
                              struct ens_error *err);
/** Are the rows of the output increasing? Then it is in row order already. */
int ens_folds_in_order(const struct ens_folds *f);

#endif
