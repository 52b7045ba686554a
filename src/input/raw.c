#include "input/raw.h"

#include "input/dtype.h"
#include "input/mapped.h"

#include <inttypes.h>
#include <string.h>

/* Sets the one unknown number of the shape from the size. */
static enum ens_status infer(struct ens_view *v, uint32_t unknown,
                             uint64_t file_size, struct ens_error *err)
{
    uint64_t unit;

    v->shape[unknown] = 1;
    if (ens_dtype_array_bytes(v->dtype, v->ndim, v->shape, &unit) != 0)
        return ens_fail(err, ENS_EINPUT,
                        "shape overflows: more than 2^63 "
                        "bytes");
    if (unit > 0 && file_size % unit != 0)
        return ens_fail(err, ENS_EINPUT,
                        "%" PRIu64 " bytes are not a multiple "
                        "of %" PRIu64 ", the bytes of one step of the unknown "
                        "dimension",
                        file_size, unit);
    v->shape[unknown] = unit > 0 ? file_size / unit : 0;
    return ENS_OK;
}

static enum ens_status fill_shape(struct ens_view *v,
                                  const struct ens_input_options *o,
                                  uint64_t file_size, struct ens_error *err)
{
    uint32_t unknown = UINT32_MAX;

    v->ndim = o->has_shape ? o->n_shape : 1;
    if (v->ndim < 1 || v->ndim > ENS_MAX_NDIM)
        return ens_fail(err, ENS_EINPUT,
                        "shape has %u numbers; expected 1 to "
                        "%d",
                        v->ndim, ENS_MAX_NDIM);
    for (uint32_t i = 0; i < v->ndim; i++) {
        int64_t n = o->has_shape ? o->shape[i] : -1;

        if (n < -1 || (n == -1 && unknown != UINT32_MAX))
            return ens_fail(err, ENS_EINPUT,
                            "shape has %" PRId64 "; expected "
                            "numbers >= 0 and at most one -1 (from the file's "
                            "size)",
                            n);
        if (n == -1)
            unknown = i;
        v->shape[i] = n == -1 ? 0 : (uint64_t)n;
    }
    return unknown == UINT32_MAX ? ENS_OK : infer(v, unknown, file_size, err);
}

enum ens_status ens_raw_describe(struct ens_view *v,
                                 const struct ens_input_options *o,
                                 uint64_t file_size, const char **key,
                                 struct ens_error *err)
{
    struct ens_view r = {.data = NULL};
    uint64_t bytes;
    enum ens_status s;

    *key = "dtype";
    if (o->dtype == NULL ||
        ens_dtype_parse(o->dtype, strlen(o->dtype), &r.dtype, &r.swapped) != 0)
        return ens_fail(err, ENS_EINPUT,
                        "dtype '%s'; expected <, > or nothing "
                        "before one of f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 b1 c8 "
                        "c16",
                        o->dtype != NULL ? o->dtype : "");
    *key = "shape";
    if (file_size == 0 && !o->has_shape)
        return ens_fail(err, ENS_EINPUT, "the file is empty");
    s = fill_shape(&r, o, file_size, err);
    if (s != ENS_OK)
        return s;
    if (ens_dtype_array_bytes(r.dtype, r.ndim, r.shape, &bytes) != 0)
        return ens_fail(err, ENS_EINPUT,
                        "shape overflows: more than 2^63 "
                        "bytes");
    if (bytes != file_size)
        return ens_fail(err, ENS_EINPUT,
                        "shape and dtype need %" PRIu64
                        " bytes, the file has %" PRIu64,
                        bytes, file_size);
    ens_dtype_strides(&r, 0);
    *key = NULL;
    *v = r;
    return ENS_OK;
}

static int probe(const struct ens_opening *o)
{
    return o->spec->options.dtype != NULL;
}

static enum ens_status open_raw(struct ens_mapped *m, struct ens_opening *o,
                                struct ens_error *err)
{
    enum ens_status s;

    s = ens_raw_describe(&m->input.view, &o->spec->options, o->size, &o->key,
                         err);
    if (s == ENS_OK)
        s = ens_mapped_map(m, o->size, err);
    if (s == ENS_OK)
        m->input.view.data = m->base;
    return s;
}

const struct ens_format ens_format_raw = {"raw", probe, open_raw};
