/* A kernel machine as bytes, and its value at a row: what libsvm's model says,
 * without its pointers.
 *
 * Layout (native byte order): struct ens_svm_head, then doubles
 *   label[k]             number of each of the k classes it knows
 *   rho[pairs]           pairs = k (k - 1) / 2; of numbers 1
 *   sigmoid[2][pairs]    of is_probable: slopes, then offsets
 *   count[k]             support vectors of each class
 *   weight[rows][n]      rows = k - 1; of numbers 1
 *   vector[n][p]         support vectors, class by class
 */
#ifndef ENS_LEARN_SVM_KERNEL_H
#define ENS_LEARN_SVM_KERNEL_H

#include <stddef.h>
#include <stdint.h>

enum ens_svm_kernel {
    ENS_SVM_LINEAR,
    ENS_SVM_POLY,
    ENS_SVM_RBF,
    ENS_SVM_SIGMOID
};

struct ens_svm_head {
    uint64_t n, p, k; /* support vectors; columns; classes, 0 of numbers */
    uint32_t kernel, degree;
    double gamma, coef0;
    uint64_t is_probable;
};

struct ens_svm_machine {
    struct ens_svm_head head;
    size_t pairs;
    double *label, *rho, *sigmoid, *count, *weight, *vector;
};

/** Bytes of a machine; 0: there is none of that size. */
uint64_t ens_svm_machine_bytes(const struct ens_svm_head *head);
/** Its parts, in memory of that many bytes that begins with the head. */
void ens_svm_machine_lay(struct ens_svm_machine *m, void *data);
/** The same of bytes from elsewhere: 0, or -1: it is damaged. */
int ens_svm_machine_open(struct ens_svm_machine *m, const void *data,
                         size_t bytes);

/** Doubles of work for the functions below. */
size_t ens_svm_machine_work(const struct ens_svm_machine *m);
/** The number at x[p]. */
double ens_svm_machine_number(const struct ens_svm_machine *m, const double *x);
/** share[n_classes]: probabilities (is_probable), or 1 for the class that most
 * pairs vote for, of several the lowest. */
void ens_svm_machine_classes(const struct ens_svm_machine *m, const double *x,
                             double *share, size_t n_classes, double *work);

#endif
