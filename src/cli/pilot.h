/* `plan --pilot N`: a few tasks are run, and what the study will take is told
 * from them: time, memory, disk. */
#ifndef ENS_CLI_PILOT_H
#define ENS_CLI_PILOT_H

#include "cli/results.h"

struct ens_pilot_options {
    const char *study; /* path */
    const struct ens_override *set;
    size_t n_set;
    uint32_t workers; /* 0: as the study says */
    uint32_t n;       /* tasks */
};

/**
 * Run the pilot in a scratch folder beside where the results will be, print
 * what it tells to stdout, remove the folder; on Ctrl-C too (ENS_ESTOPPED).
 * l: the same study, loaded.
 */
enum ens_status ens_pilot(const struct ens_loaded *l,
                          const struct ens_pilot_options *o,
                          struct ens_buf *errors, struct ens_error *err);

#endif
