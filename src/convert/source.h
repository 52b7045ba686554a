/* The input as one array: of one type, its elements in C or Fortran order. */
#ifndef ENS_CONVERT_SOURCE_H
#define ENS_CONVERT_SOURCE_H

#include "base/arena.h"
#include "base/buf.h"
#include "convert/writer.h"

struct ens_source {
    const struct ens_column *column; /* a table, or an array by its columns */
    uint64_t n_columns;
    struct ens_view view; /* of an array: data, strides; else data NULL */
    enum ens_dtype dtype; /* of what is written */
    int big_endian;
    int exact; /* no integer may be rounded */
    int fortran;
    uint32_t ndim;
    uint64_t shape[ENS_MAX_NDIM];
    struct ens_arena arena;
};

/**
 * The input of w as an array: its dtype is `--to-dtype`, else the input's,
 * else (columns that differ) float64 or int64. Fortran order when the input
 * lies so and may_fortran. ENS_EINPUT: text, unless `codes`; a type that is
 * not numbers. Owned: ens_source_fini.
 */
enum ens_status ens_source_init(struct ens_source *s,
                                const struct ens_writing *w, int may_fortran,
                                struct ens_error *err);
void ens_source_fini(struct ens_source *s);

typedef void ens_source_fn(void *arg, const void *p, size_t n);

/** Bytes of all elements, in order, to `put`. ENS_EINPUT: an element that the
 * dtype cannot hold, with its place. */
enum ens_status ens_source_write(const struct ens_source *s,
                                 struct ens_writing *w, ens_source_fn *put,
                                 void *arg, struct ens_error *err);

/** The header of an .npy file (npy.h in input), a multiple of 64 bytes. */
void ens_source_npy_head(const struct ens_source *s, struct ens_buf *b);

/**
 * The columns of the input, those of an array of more than two dimensions
 * when `flatten`. ENS_EINPUT when it has none. Lent by arena and input.
 */
enum ens_status ens_source_columns(const struct ens_writing *w,
                                   struct ens_arena *arena,
                                   const struct ens_column **column,
                                   uint64_t *n, struct ens_error *err);

/** "1000 x 3" */
void ens_shape_text(char *to, size_t cap, uint32_t ndim, const uint64_t *shape);

#endif
