/* Where a shard runs: in a folder of its own beside the study's, into which
 * comes first what was merged since. */
#ifndef ENS_CLI_SHARD_H
#define ENS_CLI_SHARD_H

#include "run/run.h"

struct ens_screen;

struct ens_shard_place {
    char own[4096];
    char base[4096];  /* the folder of all; "" = none is known */
    char study[4128]; /* its study, when no study file was named */
};

/**
 * Choose ro->results (in place) and take over what the folder of all has.
 * dir: the folder named instead of ro->study: a shard's own, or that of all.
 * ro->results is the own folder when it is set; beside a study file, it then
 * has no folder of all. errors: of the study file, a line each.
 */
enum ens_status ens_shard_prepare(struct ens_run_options *ro, const char *dir,
                                  struct ens_shard_place *place,
                                  struct ens_screen *screen,
                                  struct ens_buf *errors,
                                  struct ens_error *err);
/** What comes after a shard's part: lines for the end report. */
void ens_shard_print(const struct ens_run_report *r);
/** The shard that a results folder is of; n 0: the whole study. */
struct ens_shard ens_shard_of(const char *dir);

#endif
