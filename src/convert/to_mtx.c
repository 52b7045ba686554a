/* MatrixMarket: all values column by column, or those that are not 0 with
 * their places (--coordinate). */
#include "convert/element.h"
#include "convert/packer.h"
#include "convert/source.h"
#include "convert/writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define STEP 4096 /* elements between looks at the output */

struct mtx {
    struct ens_packer *pack;
    const struct ens_column *column;
    uint64_t n_rows, n_columns;
    int coordinate;
};

static struct ens_element element(const struct ens_column *c, uint64_t i)
{
    const struct ens_view *v = &c->view;

    return ens_element_load((const char *)v->data + (int64_t)i * v->strides[0],
                            v->dtype, v->swapped);
}

/* -0 is a value that differs from 0 in its bits: kept. */
static int is_zero(const struct ens_element *e)
{
    return e->as.unsigned_ == 0;
}

static uint64_t count_entries(const struct mtx *m)
{
    uint64_t n = 0;

    for (uint64_t k = 0; k < m->n_columns; k++)
        for (uint64_t i = 0; i < m->n_rows; i++) {
            struct ens_element e = element(&m->column[k], i);

            n += !is_zero(&e);
        }
    return n;
}

static void put_head(const struct mtx *m)
{
    char text[256];
    int integer = 1;
    int n;

    for (uint64_t k = 0; k < m->n_columns; k++)
        integer &= !ens_dtype_is_real(m->column[k].view.dtype);
    n = snprintf(text, sizeof(text),
                 "%%%%MatrixMarket matrix %s %s general\n%" PRIu64 " %" PRIu64,
                 m->coordinate ? "coordinate" : "array",
                 integer ? "integer" : "real", m->n_rows, m->n_columns);
    ens_packer_put(m->pack, text, (size_t)n);
    n = 0;
    if (m->coordinate)
        n = snprintf(text, sizeof(text), " %" PRIu64, count_entries(m));
    ens_packer_put(m->pack, text, (size_t)n);
    ens_packer_put(m->pack, "\n", 1);
}

static void put_entry(const struct mtx *m, uint64_t row, uint64_t column)
{
    const struct ens_view *v = &m->column[column].view;
    struct ens_element e = element(&m->column[column], row);
    char *to;
    size_t n = 0;

    if (m->coordinate && is_zero(&e))
        return;
    to = ens_packer_room(m->pack, 64 + ENS_ELEMENT_BYTES);
    if (m->coordinate)
        n = (size_t)snprintf(to, 64, "%" PRIu64 " %" PRIu64 " ", row + 1,
                             column + 1);
    if (v->dtype == ENS_DT_BOOL) {
        to[n++] = e.as.unsigned_ != 0 ? '1' : '0';
    } else {
        size_t k = ens_element_print(to + n, v, row);

        if (k == 0)
            k = (size_t)snprintf(to + n, ENS_ELEMENT_BYTES, "nan");
        n += k;
    }
    to[n++] = '\n';
    ens_packer_used(m->pack, n);
}

static enum ens_status put_entries(const struct mtx *m, struct ens_writing *w,
                                   struct ens_error *err)
{
    enum ens_status s = ENS_OK;

    for (uint64_t k = 0; k < m->n_columns && s == ENS_OK; k++)
        for (uint64_t i = 0; i < m->n_rows && s == ENS_OK; i++) {
            put_entry(m, i, k);
            if ((i + 1) % STEP == 0 || i + 1 == m->n_rows)
                s = ens_writing_done(w, i % STEP + 1, err);
        }
    return s;
}

static enum ens_status check(const struct mtx *m, struct ens_error *err)
{
    for (uint64_t i = 0; i < m->n_columns; i++) {
        if (m->column[i].levels != NULL)
            return ens_fail(err, ENS_EINPUT,
                            "column %" PRIu64 " (%s) is text, which a matrix "
                            "cannot hold; leave it out (--columns=-%s) or "
                            "write .csv",
                            i + 1, m->column[i].name, m->column[i].name);
        if (ens_dtype_is_complex(m->column[i].view.dtype))
            return ens_fail(err, ENS_EINPUT,
                            "complex numbers (%s) are not written as "
                            "MatrixMarket; write .npy",
                            ens_dtype_code(m->column[i].view.dtype));
    }
    return ENS_OK;
}

static enum ens_status write_mtx(struct ens_writing *w, struct ens_error *err)
{
    struct ens_arena arena = ENS_ARENA_INIT;
    struct mtx m = {.coordinate = w->options->coordinate,
                    .n_rows = w->in->n_rows};
    enum ens_status s =
        ens_source_columns(w, &arena, &m.column, &m.n_columns, err);

    if (s == ENS_OK)
        s = check(&m, err);
    if (s == ENS_OK) {
        m.pack = ens_packer_new(ENS_PACKED_NOT, w->out);
        if (m.pack == NULL)
            s = ens_fail(err, ENS_ENOMEMORY, "out of memory");
    }
    if (s == ENS_OK) {
        put_head(&m);
        s = put_entries(&m, w, err);
        if (s == ENS_OK)
            s = ens_packer_finish(m.pack, err);
    }
    ens_packer_free(m.pack);
    ens_arena_fini(&arena);
    return s;
}

const struct ens_writer ens_writer_mtx = {
    .name = "mtx",
    .help = "MatrixMarket: an array, or with --coordinate what is not 0",
    .extensions = "mtx",
    .is_text = 1,
    .takes = ENS_TO_FLATTEN | ENS_TO_COORDINATE,
    .write = write_mtx,
};
