/* .npz as an input format: in place, or unpacked in the cache. */
#include "input/form.h"
#include "input/mapped.h"
#include "input/npy.h"
#include "input/npz.h"

#include <inttypes.h>

static enum ens_status unpack(const struct ens_form *f, int fd,
                              struct ens_error *err)
{
    return ens_npz_unpack(f->arg, f->p, fd, err);
}

static int probe(const struct ens_opening *o)
{
    return o->spec->options.dtype == NULL &&
           ens_format_has_extension(o->spec->path, "npz");
}

static enum ens_status open_npz(struct ens_mapped *m, struct ens_opening *o,
                                struct ens_error *err)
{
    const char *name = o->spec->options.dataset;
    struct ens_npz_member at;
    struct ens_npy npy;
    struct ens_form form = {
        .suffix = "npz.npy", .size = o->size, .make = unpack, .arg = &at};
    enum ens_status s = ens_mapped_map(m, o->size, err);

    if (s == ENS_OK)
        s = ens_npz_find(&at, m->base, o->size, name, err);
    if (s != ENS_OK) {
        o->key = name != NULL ? "dataset" : NULL;
        return s;
    }
    if (at.is_packed) {
        form.p = m->base;
        form.bytes = at.bytes;
        form.variant = at.offset; /* several arrays of one archive */
        return ens_form_open(m, o, &form, err);
    }
    s = ens_npy_parse(&npy, (const char *)m->base + at.offset, (size_t)at.bytes,
                      at.bytes, err);
    if (s != ENS_OK)
        return ens_wrap(err, s, "the array at byte %" PRIu64, at.offset);
    ens_npy_view(&m->input.view, &npy, (const char *)m->base + at.offset);
    return ENS_OK;
}

const struct ens_format ens_format_npz = {"npz", probe, open_npz};
