/* What a task keeps, one by one: its artifacts, and in place of a bundle the
 * files in it. */
#ifndef ENS_ARTIFACT_OBJECT_H
#define ENS_ARTIFACT_OBJECT_H

#include "record/bundle.h"
#include "record/record.h"

struct ens_object {
    const char *name; /* lent until the next one */
    size_t name_bytes;
    int collected; /* a file of a bundle */
    int fd;        /* of the pack; lent until the next one */
    uint64_t offset, length, hash;
};

struct ens_objects {
    const char *dir; /* results folder */
    const struct ens_record *record;
    uint32_t epoch;
    size_t at; /* among the record's items */
    int fd;
    int in_bundle;
    struct ens_bundle bundle;
};

/** Begin with the objects of a record; all are lent. */
void ens_objects_init(struct ens_objects *o, const char *dir,
                      const struct ens_record *record, uint32_t epoch);
void ens_objects_fini(struct ens_objects *o);
/** The next one, in the order in which it was kept; *more 0 behind the last. */
enum ens_status ens_objects_next(struct ens_objects *o, int *more,
                                 struct ens_object *object,
                                 struct ens_error *err);

/** Told of bytes done; not 0: stop. */
typedef int ens_artifact_progress_fn(void *arg, const char *phase,
                                     uint64_t done, uint64_t all);

#endif
