/* model.ens, mapped. */
#ifndef ENS_CLI_MODEL_FILE_H
#define ENS_CLI_MODEL_FILE_H

#include "config/study.h"
#include "input/input.h"
#include "learn/model/model.h"

#include <limits.h>

struct ens_model_file {
    char path[PATH_MAX];
    char dir[PATH_MAX]; /* that it lies in */
    void *data;
    size_t bytes;
};

/** Of a results folder, or the file itself. ENS_ENOTFOUND: it is not there. */
enum ens_status ens_model_file_open(struct ens_model_file *f, const char *path,
                                    struct ens_error *err);
void ens_model_file_close(struct ens_model_file *f);
/** As ens_model_read, with the path in front of errors. */
enum ens_status ens_model_file_read(const struct ens_model_file *f,
                                    struct ens_model *m,
                                    struct ens_arena *arena,
                                    struct ens_error *err);
/** Are the study's inputs, opened now, what it was fitted on? Known in its
 * results folder only. ENS_ECHANGED. Cost: reads those that were touched. */
enum ens_status ens_model_file_check(const struct ens_model_file *f,
                                     const struct ens_study *study,
                                     const struct ens_inputs *in,
                                     struct ens_error *err);

#endif
