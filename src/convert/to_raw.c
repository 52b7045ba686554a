/* Raw binary: the elements in C order and nothing else. */
#include "convert/source.h"
#include "convert/writer.h"

static void put(void *arg, const void *p, size_t n)
{
    ens_out_put(arg, p, n);
}

static enum ens_status write_raw(struct ens_writing *w, struct ens_error *err)
{
    struct ens_source source;
    enum ens_status s = ens_source_init(&source, w, 0, err);

    if (s != ENS_OK)
        return s;
    s = ens_source_write(&source, w, put, w->out, err);
    ens_source_fini(&source);
    return s;
}

const struct ens_writer ens_writer_raw = {
    .name = "raw",
    .help = "elements in C order, little-endian unless --to-dtype says >",
    .extensions = "raw bin",
    .takes = ENS_TO_DTYPE | ENS_TO_FLATTEN | ENS_TO_CODES,
    .write = write_raw,
};
