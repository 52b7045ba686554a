/* One artifact over tasks, in task order, as one array or one table.
 *
 * An artifact (or a collected file) is an array when it is a .npy file; other
 * bytes are read as numbers of a type that the caller names. Everything is
 * streamed: memory holds a block of rows, at least one. Two passes: the first
 * reads heads and finds the shape, the second checks digests and writes.
 *
 * npy  with a new first axis, all shapes being equal: numpy.stack; or joined
 *      along the first axis, equal in the others: numpy.concatenate. A second
 *      file, CSV, has a row for each task: its columns, then `first` and
 *      `rows`: a[first : first + rows] is the task's (numpy counts from 0).
 * csv  a line per row of an array, behind the columns of its task and `row`
 *      (from 1): `value`, or v1 .. vM for what is in a row, in C order; where
 *      arrays are narrower than the widest, the rest is empty. */
#ifndef ENS_ARTIFACT_STACK_H
#define ENS_ARTIFACT_STACK_H

#include "artifact/object.h"
#include "export/tables.h"
#include "input/npy.h"

#define ENS_STACK_MAX_COLUMNS 100000u /* of a csv */

struct ens_stack_options {
    const char *dir;               /* results folder */
    const char *name;              /* of the artifact, or of a collected file */
    const struct ens_sheet *sheet; /* of table tasks: which, and columns */
    int raw; /* bytes that are no .npy are numbers of type dtype */
    enum ens_dtype dtype;
    int swapped;
    int npy;  /* shapes must fit: see above; else csv */
    int join; /* along the first axis */
    ens_artifact_progress_fn *progress; /* may be NULL */
    void *arg;
};

struct ens_stack {
    const struct ens_stack_options *o;
    uint64_t n_tasks;   /* that have it */
    uint64_t n_not_ok;  /* tasks without it: not ok, */
    uint64_t n_without; /* or ok and not kept */
    uint64_t n_rows;    /* of all arrays; a scalar has 1 */
    uint64_t n_columns; /* of the widest */
    uint64_t bytes, done;
    struct ens_npy first; /* head of the first one */
    char first_label[256];
    void *writing; /* of the second pass */
};

/**
 * The first pass. options are lent. ENS_EUSAGE: nothing has that name (those
 * there are get named), it is no array, or the shapes of two tasks do not fit;
 * ENS_ESTOPPED by progress.
 */
enum ens_status ens_stack_init(struct ens_stack *st,
                               const struct ens_stack_options *o,
                               struct ens_error *err);
/** The second: to out (not committed here), and the index of npy. */
enum ens_status ens_stack_npy(struct ens_stack *st, struct ens_out *out,
                              struct ens_out *index, struct ens_error *err);
enum ens_status ens_stack_csv(struct ens_stack *st, struct ens_out *out,
                              struct ens_error *err);

#endif
