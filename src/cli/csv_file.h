/* A CSV file (RFC 4180, with a header), mapped: rows at any offset. */
#ifndef ENS_CLI_CSV_FILE_H
#define ENS_CLI_CSV_FILE_H

#include "base/buf.h"
#include <ensrun/error.h>
#include <stddef.h>
#include <stdint.h>

#define ENS_CSV_NONE SIZE_MAX

struct ens_csv_field {
    const char *p; /* in the map, or in text of the row when it was quoted */
    size_t n;
    int quoted; /* "" is an empty text; nothing at all is missing */
};

struct ens_csv_row {
    size_t n, cap; /* n 0: behind the last row */
    struct ens_csv_field *field;
    struct ens_buf text;
    uint64_t at, next; /* offsets in the file */
};

struct ens_csv_file { /* all zero: closed */
    const char *path; /* lent */
    const char *data;
    size_t size;
    struct ens_csv_row head, row;
};

/** Map and read the header; row.next is that of the first row. ENS_EINPUT. */
enum ens_status ens_csv_file_open(struct ens_csv_file *f, const char *path,
                                  struct ens_error *err);
void ens_csv_file_close(struct ens_csv_file *f);
/** Read the row at r->next, and move it on; empty lines are left out.
 * ENS_EINPUT names the line. */
enum ens_status ens_csv_file_read(const struct ens_csv_file *f,
                                  struct ens_csv_row *r, struct ens_error *err);
/** ENS_CSV_NONE when there is none of that name. */
size_t ens_csv_file_column(const struct ens_csv_file *f, const char *name,
                           size_t n);

#endif
