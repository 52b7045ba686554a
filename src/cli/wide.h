/* Inside show_wide.c and show_blocks.c: the table cells in memory, a row per
 * cell and estimand. */
#ifndef ENS_CLI_WIDE_H
#define ENS_CLI_WIDE_H

#include "base/arena.h"
#include "base/buf.h"
#include "cli/page.h"
#include "export/tables.h"

struct ens_wide_item {
    size_t measure;
    double value, mcse;
};

struct ens_wide_row {
    const char **key; /* n_keys, then the estimand */
    uint64_t n_used, n_missing;
    size_t first_item;
};

struct ens_wide {
    const struct ens_sheet *sheet;
    size_t n_keys;
    struct ens_arena arena;
    struct ens_buf measures; /* const char *, in order of appearance */
    struct ens_buf rows;     /* struct ens_wide_row */
    struct ens_buf items;    /* struct ens_wide_item, in order of rows */
    uint64_t head;
    int any_missing;
    int more;
};

static inline size_t ens_wide_n_rows(const struct ens_wide *w)
{
    return w->rows.len / sizeof(struct ens_wide_row);
}

static inline size_t ens_wide_n_measures(const struct ens_wide *w)
{
    return w->measures.len / sizeof(const char *);
}

static inline struct ens_wide_row *ens_wide_row(const struct ens_wide *w,
                                                size_t i)
{
    return (struct ens_wide_row *)(void *)w->rows.data + i;
}

static inline const char *ens_wide_measure(const struct ens_wide *w, size_t i)
{
    return ((const char **)(void *)w->measures.data)[i];
}

/** What row i has of a measure; NULL when nothing. */
const struct ens_wide_item *ens_wide_find(const struct ens_wide *w, size_t i,
                                          size_t measure);

/** Print it cell by cell: a line per measure, a column per estimand, in lines
 * of at most so many characters where that can be. 0: out of memory. */
int ens_show_blocks(const struct ens_wide *w, size_t line);

#endif
