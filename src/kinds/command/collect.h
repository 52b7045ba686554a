/* What a program left in its folder: files that match are kept, all of a task
 * in one artifact (record/bundle.h).
 *
 * A pattern is matched part by part: * ? [..] as in the shell never match a
 * "/" nor a leading dot, a part ** is any number of folders. Links are not
 * followed. What makes the task `failed`, before a byte is stored: a pattern
 * that matches no file (unless it is optional), too many files or bytes, and
 * a match that is neither file nor folder. */
#ifndef ENS_KINDS_COMMAND_COLLECT_H
#define ENS_KINDS_COMMAND_COLLECT_H

#include "base/arena.h"
#include <ensrun/kind.h>

#define ENS_COLLECT_ITEM "files" /* the retained item */

struct ens_collect_pattern {
    const char *text;
    int optional; /* may match no file */
};

struct ens_collect {
    size_t n;
    const struct ens_collect_pattern *pattern;
    uint64_t max_files, max_bytes; /* of a task */
};

/** From the settings of a cell's [command]; ENS_ESTUDY. Texts are lent. */
enum ens_status ens_collect_parse(struct ens_collect *c,
                                  const struct ens_cell *cell,
                                  struct ens_arena *arena,
                                  struct ens_error *err);
/** Whether a path below the folder matches; the relative path of a folder:
 * *below set when something in it may. */
int ens_collect_match(const char *pattern, const char *path, int *below);
/** Keep what the task left in folder. arena: of the task. ENS_EDOMAIN: its
 * failure; else as of the host's functions. */
enum ens_status ens_collect_run(const struct ens_collect *c, const char *folder,
                                const struct ens_host *host,
                                struct ens_result *r, struct ens_arena *arena,
                                struct ens_error *err);

#endif
