/* Predictions on their way to a file: .npy, .csv, or CSV to standard output.
 * Rows come block by block and go on at once. */
#ifndef ENS_CLI_PREDICTIONS_H
#define ENS_CLI_PREDICTIONS_H

#include "cli/screen.h"
#include "export/out.h"

struct ens_predictions {
    struct ens_out out;
    struct ens_screen *screen;
    int is_npy;
    uint64_t n_rows, done, n_nan; /* rows that are NaN */
    uint64_t first; /* of the rows that are put, in .npy; others write the rest
                     */
    size_t n;       /* columns */
    const char *const *class_; /* names; NULL: values are numbers */
    size_t n_classes;
    double *label; /* names of classes as numbers, when all are */
    struct ens_buf row;
};

/** Where it will go; path NULL or "-": standard output. ENS_EUSAGE: another
 * extension than .npy and .csv, .npy to a terminal or a file that is there
 * without `force`. */
enum ens_status ens_predictions_open(struct ens_predictions *p,
                                     const char *path, int force,
                                     struct ens_screen *screen,
                                     struct ens_error *err);
/** As the functions of struct ens_predict; class_ is lent. */
enum ens_status ens_predictions_begin(struct ens_predictions *p,
                                      const char *const *column, size_t n,
                                      const char *const *class_,
                                      size_t n_classes, struct ens_error *err);
enum ens_status ens_predictions_put(struct ens_predictions *p,
                                    const double *values, size_t n_rows,
                                    struct ens_error *err);
/** The file is there when s is ENS_OK, and the status returned. */
enum ens_status ens_predictions_close(struct ens_predictions *p,
                                      enum ens_status s, struct ens_error *err);

#endif
