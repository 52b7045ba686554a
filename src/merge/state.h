/* What the files of merge/ share. */
#ifndef ENS_MERGE_STATE_H
#define ENS_MERGE_STATE_H

#include "kind/finder.h"
#include "merge/merge.h"
#include "plan/plan.h"
#include "run/folder.h"
#include "store/epoch.h"
#include "store/io.h"
#include "store/replay.h"

/* What a folder knows of what follows a stage, and of what records. */
struct ens_merge_answer {
    uint64_t from, from_definition;
    uint64_t answer; /* hash of what it says */
    uint64_t done;   /* hash of the stage's done set then */
    uint64_t run_id; /* of the segment that holds it */
};

/* A list of cells in force: where it begins. */
struct ens_merge_list {
    uint64_t hash; /* 0: none yet */
    size_t segment;
    uint64_t offset;
};

struct ens_merge_source {
    char dir[4096];
    int is_out;
    struct ens_log log;
    struct ens_folder folder;
    struct ens_merge_list *list; /* before each segment, and at the end */
    size_t n_answers;
    struct ens_merge_answer *answer;
};

struct ens_merge_piece { /* a segment of the joined journal */
    size_t source, segment;
    uint32_t head_bytes;
    int is_new;
    struct ens_buf bytes; /* of one made here (lists.c); else empty */
};

struct ens_merge {
    const struct ens_merge_options *options;
    struct ens_merge_report *report;
    char out[4096];
    int has_out; /* source 0 is it */
    size_t n_sources;
    struct ens_merge_source *source;

    struct ens_study *study; /* of the first folder named */
    const struct ens_kind *kind;
    struct ens_finder finder;
    struct ens_inputs inputs;
    struct ens_plan plan;

    size_t n_pieces;
    struct ens_merge_piece *piece;
    struct ens_log log; /* of all pieces, in the numbers of `out`; its maps are
                           the sources' */
    struct ens_replay replay;
    size_t n_chain; /* stages of the study so far */
    struct ens_stage *chain;

    char *cell_ids;           /* arrays.c */
    struct ens_folder folder; /* as it will be */
    struct ens_epoch epoch;
    int has_epoch;
    struct ens_io *io;
    uint64_t copied, to_copy, beat_ns;
};

/* source.c */
enum ens_status ens_merge_open(struct ens_merge *m, struct ens_buf *errors,
                               struct ens_error *err);
/** One study, one set of inputs; m->folder made. */
enum ens_status ens_merge_compare(struct ens_merge *m, struct ens_buf *errors,
                                  struct ens_error *err);
void ens_merge_close(struct ens_merge *m);

/* pieces.c */
enum ens_status ens_merge_pieces(struct ens_merge *m, struct ens_error *err);
/** The source of a segment of m->log. */
static inline struct ens_merge_source *
ens_merge_source_of(const struct ens_merge *m, size_t segment)
{
    return &m->source[m->piece[segment].source];
}
/* lists.c: number the pieces, with lists of cells before those that need one */
enum ens_status ens_merge_lists(struct ens_merge *m, struct ens_error *err);
/** Index in m->log of an epoch of it. */
size_t ens_merge_segment_of(const struct ens_merge *m, uint32_t epoch);

/* check.c */
/** What each source knows of what follows its stages. */
enum ens_status ens_merge_answers(struct ens_merge *m, struct ens_error *err);
/** Build the replay and the chain of the joined journal; refuse what does not
 * agree. */
enum ens_status ens_merge_check(struct ens_merge *m, struct ens_error *err);

/* arrays.c: with the epoch of the first new piece taken */
enum ens_status ens_merge_arrays(struct ens_merge *m, struct ens_error *err);

/* copy.c */
/** Copy a file, or from a position on; new, synced, there whole or not. */
enum ens_status ens_merge_file(struct ens_merge *m, const char *from,
                               const char *to, const struct ens_buf *head,
                               uint64_t from_at, uint64_t n,
                               struct ens_error *err);
/** Add up what there is to copy of segments and packs. */
enum ens_status ens_merge_count(struct ens_merge *m, struct ens_error *err);
/** Packs and segment of a piece; its epoch is taken. */
enum ens_status ens_merge_piece(struct ens_merge *m, size_t i,
                                struct ens_error *err);
/** Count bytes, tell the progress, keep the lock. */
enum ens_status ens_merge_tick(struct ens_merge *m, uint64_t bytes,
                               struct ens_error *err);

#endif
