/* Aligned text in the terminal: cells are put row by row, and printed when
 * the widths are known. */
#ifndef ENS_CLI_PAGE_H
#define ENS_CLI_PAGE_H

#include "base/buf.h"

struct ens_page_column {
    const char *name; /* lent */
    int left;         /* texts; numbers stand on the right */
    size_t width;     /* in characters */
};

/** ENS_PAGE_INIT, then columns, then cells. */
struct ens_page {
    size_t n;
    struct ens_page_column *column; /* n */
    size_t n_cells;
    struct ens_buf text; /* cells, NUL-terminated; sticky error */
};

#define ENS_PAGE_INIT                                                          \
    {                                                                          \
        0, NULL, 0, ENS_BUF_INIT                                               \
    }

/** Append a column; 0 when out of memory. */
int ens_page_column(struct ens_page *p, const char *name, int left);
/** Append the next cell. Control characters become blanks; long texts are
 * cut, and marked. */
void ens_page_put(struct ens_page *p, const char *text, size_t n);
/** Characters of a line. */
size_t ens_page_width(const struct ens_page *p);
/** The header and all whole rows to stdout, indent blanks before each. */
void ens_page_print(const struct ens_page *p, int indent);
void ens_page_fini(struct ens_page *p);

#endif
