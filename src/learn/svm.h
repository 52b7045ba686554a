/* What the learners over libsvm and liblinear share: the libraries, loaded on
 * demand, and rows in their format. */
#ifndef ENS_LEARN_SVM_H
#define ENS_LEARN_SVM_H

#include <ensrun/learner.h>

/* The layout of struct svm_node and of struct feature_node. */
struct ens_svm_node {
    int index; /* column from 1; -1 ends a row */
    double value;
};

/* Training rows as these libraries take them: a copy, 16 bytes a value. */
struct ens_svm_rows {
    size_t n, p;
    int has_one;     /* a column of ones behind the others */
    int n_classes;   /* with rows; of classes */
    double constant; /* the response of row 0 */
    double variance; /* of all values of x together, about their mean */
    double *y;       /* n; of classes: their numbers */
    struct ens_svm_node **x;
    struct ens_svm_node *node;
};

/** Bytes of such a copy. */
uint64_t ens_svm_rows_bytes(uint64_t n, size_t p);

/** Copies rows; ENS_ENOMEMORY; ENS_EDOMAIN: more than the library can count.
 * To be given back by ens_svm_rows_fini, after an error too. */
enum ens_status ens_svm_rows_init(struct ens_svm_rows *to,
                                  const struct ens_learn_job *job,
                                  const struct ens_rows *train, int has_one,
                                  struct ens_error *err);
void ens_svm_rows_fini(struct ens_svm_rows *rows);

/**
 * Functions of a library, found by its soname: function[n] and symbol[n].
 * ENS_EINPUT, which ends a run, names the library and its Debian package. It
 * stays loaded, so that all but the first call cost microseconds.
 */
enum ens_status ens_svm_load(const char *soname, const char *package,
                             const char *const *symbol, size_t n,
                             void **function, struct ens_error *err);

/* Both libraries print through a function without an argument of its own, so
 * this is the one place that keeps what they said: whether it was a warning,
 * since ens_svm_listen. */
void ens_svm_print(const char *text);
void ens_svm_listen(void);
int ens_svm_warned(void);

/* Both call rand(): what it gives while one of them runs is a function of the
 * task alone, and afterwards it goes on as if nothing had been. */
struct ens_svm_random {
    char state[128];
    char *before;
};
void ens_svm_random_begin(struct ens_svm_random *r, const struct ens_host *host,
                          struct ens_result *result);
void ens_svm_random_end(struct ens_svm_random *r);

#endif
