/* numpy's .npy, version 1.0: one array, in the order it lies in, else C. */
#include "convert/source.h"
#include "convert/writer.h"

static void put(void *arg, const void *p, size_t n)
{
    ens_out_put(arg, p, n);
}

static enum ens_status write_npy(struct ens_writing *w, struct ens_error *err)
{
    struct ens_buf head = ENS_BUF_INIT;
    struct ens_source source;
    enum ens_status s = ens_source_init(&source, w, 1, err);

    if (s != ENS_OK)
        return s;
    ens_source_npy_head(&source, &head);
    if (head.failed)
        s = ens_fail(err, ENS_ENOMEMORY, "out of memory");
    ens_out_put(w->out, head.data, head.len);
    if (s == ENS_OK)
        s = ens_source_write(&source, w, put, w->out, err);
    ens_buf_fini(&head);
    ens_source_fini(&source);
    return s;
}

const struct ens_writer ens_writer_npy = {
    .name = "npy",
    .help = "one array, for numpy.load",
    .extensions = "npy",
    .takes = ENS_TO_DTYPE | ENS_TO_FLATTEN | ENS_TO_CODES,
    .write = write_npy,
};
