/* Joining results folders of one study: `merge`, and what a shard takes over
 * from the joined folder before it begins.
 *
 *   merge.c     the order of things
 *   source.c    the folders: fit to be joined?
 *   pieces.c    segments: which are new
 *   lists.c     the journal as it will be
 *   check.c     tasks recorded twice, and what follows a stage: they agree
 *   arrays.c    output arrays, block by block
 *   copy.c      segments and packs into the folder
 *
 * The folder that is joined to grows as by runs: every segment of another
 * folder becomes an epoch of its own, its frames verbatim behind a new SEGMENT
 * frame of the same length, its packs under that epoch's number. What a frame
 * refers to is there before it. So it is a valid results folder at any
 * moment; a merge that was killed goes on where it was (a segment is known by
 * its run id), and one that finds nothing new does nothing. All checks come
 * before the first byte is written. Sources are only read.
 */
#ifndef ENS_MERGE_MERGE_H
#define ENS_MERGE_MERGE_H

#include "base/buf.h"
#include "kind/registry.h"
#include <ensrun/error.h>

struct ens_merge_options {
    const char *const *dir;
    size_t n_dirs;
    const char *out; /* new, empty, or a results folder of the study */
    const struct ens_kind_table *kinds;
    void *arg;
    void (*say)(void *arg, const char *line); /* warnings; may be NULL */
    /** Called at any pace; may be NULL. Not 0: stop (ENS_ESTOPPED). */
    int (*progress)(void *arg, const char *phase, uint64_t done, uint64_t all);
};

struct ens_merge_report {
    uint64_t n_segments;   /* joined now */
    uint64_t n_all;        /* in the folder now */
    uint64_t n_duplicates; /* tasks recorded twice, with equal results */
    uint64_t n_blocks;     /* of arrays, copied */
    uint64_t bytes;        /* of segments and packs copied */
};

/**
 * errors: all errors of the study file, and every setting that differs, a
 * line each. ENS_ECHANGED: not one study. ENS_ELOCKED: a folder is in use.
 * ENS_EDOMAIN: a task has two results, or shards disagree on what follows.
 */
enum ens_status ens_merge(const struct ens_merge_options *options,
                          struct ens_merge_report *report,
                          struct ens_buf *errors, struct ens_error *err);

#endif
