/* The columnar form of a table: what a CSV becomes in the cache.
 *
 *    0  8  magic "ENSRTAB\n"
 *    8  4  version, 1
 *   12  4  zero
 *   16  8  bytes of the header, up to the data; a multiple of 64
 *   24  8  rows
 *   32  8  columns
 *   40 16  XXH3-128 of the user's file, low word first
 *   56  8  hash of the options it was read with
 *   64  8  XXH3-64 of the header, with these 8 bytes zero
 *   72 56  zero
 *  128     a row per column, 32 bytes:
 *            0 4 type: 0 float64, 1 int64    4 4 bytes of the name
 *            8 8 offset of the name in the file
 *           16 8 missing values             24 8 offset of the data
 *          the names, each with a NUL behind it; zeros up to the data
 *  then    column after column, rows x 8 bytes each, without gaps: columns of
 *          one type are a two-dimensional array in Fortran order
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
    enum ens_dtype dtype; /* ENS_DT_F64 or ENS_DT_I64 */
    uint64_t n_missing;
    uint64_t offset; /* of its data in the file */
};

struct ens_table_head {
    uint64_t n_rows, n_columns;
    uint64_t header_bytes; /* set by build */
    struct ens_hash128 digest;
    uint64_t options_hash;
    struct ens_table_column *column;
};

int ens_columnar_is(const void *p, size_t n);

/** Append the header to b (empty so far); sets header_bytes and offsets.
 * ENS_ENOMEMORY; ENS_EINPUT when the file would not fit 63 bits. */
enum ens_status ens_columnar_build(struct ens_buf *b, struct ens_table_head *h,
                                   struct ens_error *err);
/** Read one from the bytes of a whole file (a map): names lent by p, columns
 * from the arena. ENS_EINPUT with the place. Pure. */
enum ens_status ens_columnar_parse(struct ens_table_head *h, const void *p,
                                   uint64_t n, struct ens_arena *arena,
                                   struct ens_error *err);

#endif
