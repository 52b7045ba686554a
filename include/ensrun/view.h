/* Read-only views of input arrays. A view owns nothing and outlives nothing:
 * it is valid as long as the input it was taken from is mapped. */
#ifndef ENSRUN_VIEW_H
#define ENSRUN_VIEW_H

#include <ensrun/error.h>
#include <stddef.h>
#include <stdint.h>

/* X(name, npy code, bytes) */
#define ENS_DTYPE_LIST(X)                                                      \
    X(F64, "f8", 8)                                                            \
    X(F32, "f4", 4)                                                            \
    X(F16, "f2", 2)                                                            \
    X(I64, "i8", 8)                                                            \
    X(I32, "i4", 4)                                                            \
    X(I16, "i2", 2)                                                            \
    X(I8, "i1", 1)                                                             \
    X(U64, "u8", 8)                                                            \
    X(U32, "u4", 4)                                                            \
    X(U16, "u2", 2)                                                            \
    X(U8, "u1", 1)                                                             \
    X(BOOL, "b1", 1)                                                           \
    X(C64, "c8", 8)                                                            \
    X(C128, "c16", 16)

enum ens_dtype {
#define ENS_DTYPE_ENUM(name, code, bytes) ENS_DT_##name,
    ENS_DTYPE_LIST(ENS_DTYPE_ENUM)
#undef ENS_DTYPE_ENUM
};

#define ENS_MAX_NDIM    8
#define ENS_MAX_COLUMNS (UINT32_C(1) << 20)

struct ens_view {
    const void *data;
    enum ens_dtype dtype;
    int swapped; /* not in this machine's byte order */
    uint32_t ndim;
    uint64_t shape[ENS_MAX_NDIM];
    int64_t strides[ENS_MAX_NDIM]; /* bytes */
};

/** A column of a table, or of a two-dimensional array (then unnamed: ""). */
struct ens_column {
    const char *name;
    struct ens_view view; /* one-dimensional */
    uint64_t n_missing;   /* NaN or empty; known for tables only */
    /* Of text: its different values, sorted by bytes. The view then holds
     * their places (int32), -1 for missing. NULL: numbers. */
    const char *const *levels;
    uint32_t n_levels;
};

/** An input as kinds see it. Its first dimension is rows. */
struct ens_input {
    const char *name; /* of its section, e.g. "X" */
    const char *path;
    struct ens_view view; /* data NULL: columns differ in type or spacing */
    uint64_t n_rows;
    uint64_t n_columns; /* 1 for one-dimensional; product of the rest for >2 */
    const struct ens_column *columns; /* n_columns; NULL for ndim > 2 and for
                                         more than ENS_MAX_COLUMNS */
    uint64_t bytes;                   /* of the data */
};

/** Bytes of one element. */
ENS_API size_t ens_dtype_bytes(enum ens_dtype t);
/** numpy's code without the byte order, e.g. "f8". */
ENS_API const char *ens_dtype_code(enum ens_dtype t);

/**
 * Elements first .. first+n-1 of a one-dimensional view as doubles.
 * Complex elements give their real part.
 */
ENS_API void ens_view_f64(const struct ens_view *v, uint64_t first, uint64_t n,
                          double *out);
/** Elements index[0..n-1] of a one-dimensional view as doubles. */
ENS_API void ens_view_gather_f64(const struct ens_view *v,
                                 const uint64_t *index, uint64_t n,
                                 double *out);
/** The elements themselves when they are contiguous native doubles. */
ENS_API const double *ens_view_pointer_f64(const struct ens_view *v);
/** Column by name; NULL when there is none. */
ENS_API const struct ens_column *ens_input_column(const struct ens_input *in,
                                                  const char *name);

#endif
