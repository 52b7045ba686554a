/* What learners read: a table of doubles that is nowhere as such. Its columns
 * are columns of inputs (any layout and type) and of output arrays, its rows
 * theirs, or theirs by a set of rows. Blocks of it are made when asked for.
 *
 * A number that is not finite is read as it is; rows.h deals with those. */
#ifndef ENS_LEARN_SOURCE_H
#define ENS_LEARN_SOURCE_H

#include "learn/span.h"
#include <ensrun/view.h>

/** Columns that text becomes. */
enum ens_texts {
    ENS_TEXTS_REFUSED, /* an error that names the column */
    ENS_TEXTS_CODED,   /* one per level but the first, 0 or 1 */
    ENS_TEXTS_LEVELS   /* one per level */
};

enum ens_part_kind {
    ENS_PART_ROWS,   /* native doubles, those of a row side by side */
    ENS_PART_ACROSS, /* of any type; the values of a row are nearer to each
                        other than those of a column */
    ENS_PART_COLUMNS,
    ENS_PART_TEXT /* one column of level numbers */
};

/** Some neighbouring columns of a source. */
struct ens_learn_source_part {
    enum ens_part_kind kind;
    struct ens_view view;            /* n x m; of text: n */
    const struct ens_column *column; /* of a table: m of them, instead */
    size_t first, m;                 /* columns of the source */
    uint32_t level;                  /* of text: that of its first column */
    const struct ens_rowset *map; /* its rows by the source's; NULL: the same */
};

struct ens_learn_source {
    uint64_t n_rows;
    size_t p;
    const char **column; /* p names */
    size_t n_parts;
    struct ens_learn_source_part *part;
    /* 1: known to hold finite numbers only. Of those who looked: no function
     * here does. */
    int finite;
    /* By column, 1: of no use to whoever reads. In rows (rows.h) what is not
     * finite in it is 0. NULL: none. */
    const unsigned char *ignored;
    size_t room_columns, room_parts;
    struct ens_arena *arena;
};

/** No columns yet. Memory is the arena's, which is lent. */
void ens_learn_source_init(struct ens_learn_source *s, uint64_t n_rows,
                           struct ens_arena *arena);

/**
 * All columns of an input behind those that are there. map: n_rows rows of
 * the input, lent; NULL: the source has as many rows as the input. Columns
 * without a name are V1, V2 ...
 * Errors: ENS_EINPUT: complex numbers, more than two dimensions, other
 *         number of rows, text that is refused; ENS_ENOMEMORY.
 */
enum ens_status ens_learn_source_add_input(struct ens_learn_source *s,
                                           const struct ens_input *in,
                                           enum ens_texts texts,
                                           const struct ens_rowset *map,
                                           struct ens_error *err);
/** Columns first .. first+m-1 of a view of one (m = 1) or two dimensions,
 * under those names (copied). The rest as above. */
enum ens_status ens_learn_source_add_view(struct ens_learn_source *s,
                                          const struct ens_view *view,
                                          uint64_t first, size_t m,
                                          const char *const *name,
                                          const struct ens_rowset *map,
                                          struct ens_error *err);

/** A column of a text's view (int32): 1 where it is that level, else 0. */
enum ens_status ens_learn_source_add_level(struct ens_learn_source *s,
                                           const struct ens_view *view,
                                           uint32_t level, const char *name,
                                           struct ens_error *err);

/** Rows at positions first .. first+n-1 of a set of its rows, row-major. */
void ens_learn_source_read(const struct ens_learn_source *s,
                           const struct ens_rowset *set, uint64_t first,
                           size_t n, double *out);
/** Rows row[0..n-1] of it. */
void ens_learn_source_gather(const struct ens_learn_source *s,
                             const uint64_t *row, size_t n, double *out);
/** Row 0, when the source itself is in memory as doubles: value (i, j) is
 * [i * *stride + j]. Else NULL. */
const double *ens_learn_source_direct(const struct ens_learn_source *s,
                                      uint64_t *stride);

/** First number of x[n] that is not finite; n: none. */
size_t ens_not_finite(const double *x, size_t n);

#endif
