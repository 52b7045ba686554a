/* The columnar form of a table: what a CSV becomes in the cache.
 *
 *    0  8  magic "ENSRTAB\n"
 *    8  4  version, 2
 *   12  4  zero
 *   16  8  bytes of the header, up to the data; a multiple of 64
 *   24  8  rows
 *   32  8  columns
 *   40 16  XXH3-128 of the user's file, low word first
 *   56  8  hash of the options it was read with
 *   64  8  XXH3-64 of the header, with these 8 bytes zero
 *   72  8  bytes of the file
 *   80 48  zero
 *  128     a row per column, 48 bytes:
 *            0 4 type: 0 float64, 1 int64, 2 text    4 4 bytes of the name
 *            8 8 offset of the name in the file
 *           16 8 missing values             24 8 offset of the data
 *           32 8 offset of the levels       40 4 bytes of the levels
 *           44 4 number of levels (these three 0 but for text)
 *          the names, each with a NUL behind it; zeros up to the data
 *  then    column after column, rows x 8 bytes each, of text rows x 4 bytes
 *          and zeros up to a multiple of 8: neighbours of one type are a
 *          two-dimensional array in Fortran order
 *  then    the levels of each column of text, in the order of columns: texts
 *          that differ, sorted by bytes, each with a NUL behind it. The values
 *          are places among them from 0, -1 for missing.
 *
 * All integers and values little-endian.
 */
#ifndef ENS_INPUT_COLUMNAR_H
#define ENS_INPUT_COLUMNAR_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include <ensrun/view.h>

struct ens_table_column {
    const char *name;
    enum ens_dtype dtype; /* ENS_DT_F64, ENS_DT_I64, ENS_DT_I32: text */
    uint64_t n_missing;
    uint64_t offset;    /* of its data in the file; set by build */
    uint64_t levels_at; /* set by build */
    uint32_t levels_bytes;
    uint32_t n_levels;
};

struct ens_table_head {
    uint64_t n_rows, n_columns;
    uint64_t header_bytes; /* set by build */
    uint64_t file_bytes;   /* set by build */
    struct ens_hash128 digest;
    uint64_t options_hash;
    struct ens_table_column *column;
};

int ens_columnar_is(const void *p, size_t n);

/** Append the header to b (empty so far); sets header_bytes and offsets.
 * ENS_ENOMEMORY; ENS_EINPUT when the file would not fit 63 bits. */
enum ens_status ens_columnar_build(struct ens_buf *b, struct ens_table_head *h,
                                   struct ens_error *err);
/** Bytes of a column's data, with what fills them up to a multiple of 8. */
uint64_t ens_columnar_column_bytes(const struct ens_table_head *h,
                                   const struct ens_table_column *c);
/** Read one from the bytes of a whole file (a map): names lent by p, columns
 * from the arena. ENS_EINPUT with the place. Pure. */
enum ens_status ens_columnar_parse(struct ens_table_head *h, const void *p,
                                   uint64_t n, struct ens_arena *arena,
                                   struct ens_error *err);

#endif
