/* One structured array as numpy.load reads it: numbers f8 (missing: NaN),
 * integers i8 (missing: the smallest) and u8, text as fixed-width U of the
 * longest text. Format version 1.0, 2.0 for a longer header, 3.0 when a name
 * is not ASCII.
 * Source: numpy.lib.format, "NEP 1 - A simple file format for NumPy arrays".
 */
#include "base/buf.h"
#include "base/utf8.h"
#include "export/exporter.h"

#include <ensrun/record.h>
#include <stdlib.h>
#include <string.h>

struct npy {
    struct ens_out *out;
    size_t n;
    enum ens_datum_type *type;
    size_t *width;
    struct ens_buf row;
};

static void put_name(struct ens_buf *b, const char *name, int *ascii)
{
    ens_buf_puts(b, "'");
    for (; *name != '\0'; name++) {
        if (*name == '\'' || *name == '\\')
            ens_buf_puts(b, "\\");
        if ((unsigned char)*name >= 0x80)
            *ascii = 0;
        ens_buf_put(b, name, 1);
    }
    ens_buf_puts(b, "'");
}

static void put_descr(struct ens_buf *b, const struct ens_export_shape *shape,
                      int *ascii)
{
    for (size_t i = 0; i < shape->n_columns; i++) {
        ens_buf_puts(b, i == 0 ? "(" : ", (");
        put_name(b, shape->column[i].name, ascii);
        switch (shape->column[i].type) {
        case ENS_DATUM_TEXT:
        case ENS_DATUM_NONE:
            ens_buf_printf(b, ", '<U%zu')",
                           shape->width[i] == 0 ? 1 : shape->width[i]);
            break;
        case ENS_DATUM_NUM:
            ens_buf_puts(b, ", '<f8')");
            break;
        case ENS_DATUM_INT:
            ens_buf_puts(b, ", '<i8')");
            break;
        case ENS_DATUM_WORD:
            ens_buf_puts(b, ", '<u8')");
            break;
        }
    }
}

/* Magic, version, length of the dictionary, dictionary padded so that data
 * begin at a multiple of 64. */
static enum ens_status put_head(struct ens_out *out,
                                const struct ens_export_shape *shape,
                                struct ens_error *err)
{
    struct ens_buf dict = ENS_BUF_INIT;
    struct ens_buf head = ENS_BUF_INIT;
    int ascii = 1;
    int version;
    size_t fixed;
    size_t len;

    ens_buf_puts(&dict, "{'descr': [");
    put_descr(&dict, shape, &ascii);
    ens_buf_printf(&dict, "], 'fortran_order': False, 'shape': (%llu,), }",
                   (unsigned long long)shape->n_rows);
    version = !ascii ? 3 : dict.len > 65000 ? 2 : 1;
    fixed = version == 1 ? 10 : 12;
    len = (fixed + dict.len + 1 + 63) / 64 * 64 - fixed;
    ens_buf_put(&head, "\x93NUMPY", 6);
    ens_buf_u8(&head, (uint8_t)version);
    ens_buf_u8(&head, 0);
    if (version == 1)
        ens_buf_u16(&head, (uint16_t)len);
    else
        ens_buf_u32(&head, (uint32_t)len);
    ens_buf_put(&head, dict.data, dict.len);
    while (head.len + 1 < fixed + len && !head.failed)
        ens_buf_u8(&head, ' ');
    ens_buf_u8(&head, '\n');
    ens_out_put(out, head.data, head.len);
    len = (size_t)(head.failed || dict.failed);
    ens_buf_fini(&dict);
    ens_buf_fini(&head);
    return len == 0 ? ENS_OK
                    : ens_fail(err, ENS_ENOMEMORY, "npy: out of memory");
}

static enum ens_status npy_close(void *state, struct ens_error *err)
{
    struct npy *w = state;

    (void)err;
    ens_buf_fini(&w->row);
    free(w->type);
    free(w->width);
    free(w);
    return ENS_OK;
}

/* numpy refuses a dtype with two fields of one name. */
static enum ens_status check_names(const struct ens_export_shape *shape,
                                   struct ens_error *err)
{
    for (size_t i = 0; i < shape->n_columns; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(shape->column[i].name, shape->column[k].name) == 0)
                return ens_fail(err, ENS_EUSAGE,
                                "npy: two columns are named %s; choose with "
                                "--columns",
                                shape->column[i].name);
    return ENS_OK;
}

static enum ens_status npy_open(void **state, struct ens_out *out,
                                const struct ens_export_shape *shape,
                                struct ens_error *err)
{
    enum ens_status s = check_names(shape, err);
    struct npy *w;

    if (s != ENS_OK)
        return s;
    w = calloc(1, sizeof(*w));
    if (w == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "npy: out of memory");
    w->out = out;
    w->n = shape->n_columns;
    w->type = calloc(w->n + 1, sizeof(*w->type));
    w->width = calloc(w->n + 1, sizeof(*w->width));
    s = w->type == NULL || w->width == NULL
            ? ens_fail(err, ENS_ENOMEMORY, "npy: out of memory")
            : put_head(out, shape, err);
    if (s != ENS_OK) {
        npy_close(w, NULL);
        return s;
    }
    for (size_t i = 0; i < w->n; i++) {
        w->type[i] = shape->column[i].type;
        w->width[i] = shape->width[i] == 0 ? 1 : shape->width[i];
    }
    *state = w;
    return ENS_OK;
}

static void put_text(struct ens_buf *b, const struct ens_datum *d, size_t width)
{
    char tmp[64];
    size_t n;
    const char *p = ens_datum_text(d, tmp, &n);

    for (size_t at = 0; at < n && width > 0; width--) {
        uint32_t c;

        at += ens_utf8_next(p + at, n - at, &c);
        ens_buf_u32(b, c);
    }
    for (; width > 0; width--)
        ens_buf_u32(b, 0);
}

static int64_t integer_of(const struct ens_datum *d)
{
    if (d->type == ENS_DATUM_INT)
        return d->as.integer;
    if (d->type == ENS_DATUM_WORD && d->as.word <= INT64_MAX)
        return (int64_t)d->as.word;
    return ENS_I64_MISSING;
}

static enum ens_status npy_row(void *state, const struct ens_datum *row,
                               struct ens_error *err)
{
    struct npy *w = state;

    ens_buf_clear(&w->row);
    for (size_t i = 0; i < w->n; i++) {
        switch (w->type[i]) {
        case ENS_DATUM_TEXT:
        case ENS_DATUM_NONE:
            put_text(&w->row, &row[i], w->width[i]);
            break;
        case ENS_DATUM_NUM:
            ens_buf_f64(&w->row, ens_datum_num(&row[i]));
            break;
        case ENS_DATUM_INT:
            ens_buf_u64(&w->row, (uint64_t)integer_of(&row[i]));
            break;
        case ENS_DATUM_WORD:
            ens_buf_u64(&w->row,
                        row[i].type == ENS_DATUM_WORD ? row[i].as.word : 0);
            break;
        }
    }
    if (w->row.failed)
        return ens_fail(err, ENS_ENOMEMORY, "npy: out of memory");
    ens_out_put(w->out, w->row.data, w->row.len);
    return ENS_OK;
}

const struct ens_exporter ens_exporter_npy = {
    .name = "npy",
    .help = "one structured array for numpy.load",
    .measures = ENS_MEASURES_TEXTS,
    .is_binary = 1,
    .open = npy_open,
    .row = npy_row,
    .close = npy_close,
};
