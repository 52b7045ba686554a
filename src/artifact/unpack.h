/* What tasks keep, as files: FOLDER/TASK/NAME, or FOLDER/STAGE/TASK/NAME when
 * the study shows more than one stage.
 *
 * Streamed. A file is there whole or not at all: it is written as .ensrun.part
 * in the folder and renamed. One that is there already with the same bytes is
 * left alone, so that an unpacking that was interrupted goes on; with other
 * bytes it is an error. Links in the folder are not followed. */
#ifndef ENS_ARTIFACT_UNPACK_H
#define ENS_ARTIFACT_UNPACK_H

#include "artifact/object.h"
#include "export/tables.h"

struct ens_unpack_options {
    const char *dir;               /* results folder */
    const char *folder;            /* made when it is not there */
    const char *name;              /* only objects of that name; NULL: all */
    const struct ens_sheet *sheet; /* of table tasks: which */
    int force;                     /* replace other files */
    ens_artifact_progress_fn *progress; /* may be NULL */
    void *arg;
};

struct ens_unpacked {
    uint64_t n_tasks;   /* that keep something */
    uint64_t n_not_ok;  /* that do not, as they are not ok */
    uint64_t n_without; /* or for another reason */
    uint64_t n_files, bytes;
    uint64_t n_same; /* of the files: were there already */
};

/** ENS_EUSAGE: a file is there with other bytes; ENS_ESTOPPED by progress. */
enum ens_status ens_unpack(const struct ens_unpack_options *o,
                           struct ens_unpacked *done, struct ens_error *err);

#endif
