/* Which rows: a sequence of row numbers as a few pieces, none of which is a
 * copy of anything. A row has a position in it, 0 .. n-1.
 *
 * Folds are such sets: at most a few ranges of rows where folds are blocks of
 * them, slices of one shared array of row numbers where they are not. */
#ifndef ENS_LEARN_SPAN_H
#define ENS_LEARN_SPAN_H

#include "base/arena.h"
#include <ensrun/error.h>
#include <stddef.h>
#include <stdint.h>

struct ens_span {
    const int64_t *index; /* rows index[first .. first+n-1]; NULL: rows
                             first .. first+n-1 */
    uint64_t first, n;
    uint64_t at; /* position of its first row in the set */
};

/** Owns nothing. Spans lie one behind the other, none is empty. */
struct ens_rowset {
    uint64_t n;
    size_t n_spans;
    const struct ens_span *span;
};

/** Rows in one piece: row .. row+n-1, or index[0..n-1]. */
struct ens_rowrun {
    const int64_t *index; /* NULL: plain */
    uint64_t row;
    uint64_t n;
};

/** Positions first .. first+n-1 of a set. */
struct ens_positions {
    uint64_t first, n;
};

/** The n rows from `first` on (index NULL), or index[first ..]; *span is the
 * memory of it. */
struct ens_rowset ens_rowset_one(struct ens_span *span, const int64_t *index,
                                 uint64_t first, uint64_t n);
/** Rows of the set from position `at` < n on, as far as one piece goes and
 * at most `most`. */
struct ens_rowrun ens_rowset_run(const struct ens_rowset *s, uint64_t at,
                                 uint64_t most);
/** The row at a position. Cost: a binary search over spans. */
uint64_t ens_rowset_row(const struct ens_rowset *s, uint64_t at);
/** Rows at positions first .. first+n-1. */
void ens_rowset_rows(const struct ens_rowset *s, uint64_t first, uint64_t n,
                     uint64_t *row);
/** Position of a row in a set of increasing rows; 0 when it has none. */
int ens_rowset_find(const struct ens_rowset *s, uint64_t row, uint64_t *at);
/** Are they first, first + 1 ...? */
int ens_rowset_plain(const struct ens_rowset *s);

/** The rows at those positions, piece after piece. ENS_ENOMEMORY. */
enum ens_status ens_rowset_slice(const struct ens_rowset *s,
                                 const struct ens_positions *piece, size_t n,
                                 struct ens_arena *arena,
                                 struct ens_rowset *out, struct ens_error *err);
/**
 * The rows of `map` at positions that are the rows of s. Takes memory only
 * when both have indices: 8 bytes a row. ENS_ENOMEMORY.
 */
enum ens_status ens_rowset_compose(const struct ens_rowset *map,
                                   const struct ens_rowset *s,
                                   struct ens_arena *arena,
                                   struct ens_rowset *out,
                                   struct ens_error *err);

#endif
