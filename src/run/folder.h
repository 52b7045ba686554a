/* run.json: the facts of a results folder that are not in the journal. */
#ifndef ENS_RUN_FOLDER_H
#define ENS_RUN_FOLDER_H

#include "base/buf.h"
#include "input/input.h"
#include "kind/finder.h"
#include "plan/shard.h"
#include <ensrun/record.h>

struct ens_folder_input {
    struct ens_file_id id;
    int has_digest;
    int tainted; /* changed in place while tasks read it */
    struct ens_hash128 digest;
};

struct ens_folder_totals { /* of all stages that are known */
    uint64_t n_tasks, n_left;
    uint64_t by_outcome[ENS_N_OUTCOMES];
};

struct ens_folder {
    int exists;           /* run.json was there */
    uint64_t text_hash;   /* of run.json; 0 = it was not there */
    struct ens_buf print; /* fingerprint lines of the last epoch */
    size_t n_inputs;
    struct ens_folder_input *input; /* in the order of the present study */
    uint64_t finished; /* hash of the state the tables were written for */
    int has_totals;    /* of this epoch, at its end */
    struct ens_folder_totals totals;
    struct ens_buf cpu, hosts; /* CPU class and host of the last epoch */
    struct ens_shard shard;    /* n 0: the folder is of the whole study */
    int keep_host; /* write cpu and hosts as they are, not those of here */
    struct ens_buf plugins;          /* its files, a line "NAME=digest" each */
    const struct ens_finder *finder; /* of those of this epoch */
};

/** Read dir/run.json; inputs are matched by name. A missing file is fine. */
enum ens_status ens_folder_read(struct ens_folder *f, const char *dir,
                                const struct ens_study *study,
                                struct ens_error *err);
enum ens_status ens_folder_write(const struct ens_folder *f, const char *dir,
                                 const struct ens_study *study, uint32_t epoch,
                                 struct ens_error *err);
/** Has run.json been written since it was read? */
int ens_folder_moved(const struct ens_folder *f, const char *dir);
void ens_folder_fini(struct ens_folder *f);

/**
 * Compare the study's fingerprint with the folder's. Differences are written
 * to `errors`, a line each (setting, where, old, new); ENS_ECHANGED then.
 */
enum ens_status ens_folder_compare(struct ens_folder *f,
                                   const struct ens_study *study,
                                   uint64_t n_done, struct ens_buf *errors,
                                   struct ens_error *err);

/** The first plugin whose file is not the last epoch's of that name; NULL. */
const char *ens_folder_plugin(struct ens_folder *f);

/** --restart: rename dir to dir.1 (the first number that is free). */
enum ens_status ens_folder_retire(const char *dir, char *to, size_t cap,
                                  struct ens_error *err);
/** This host's name and CPU model with its flags hashed, "NAME (hex)". */
void ens_folder_host(struct ens_buf *host, struct ens_buf *cpu);

#endif
