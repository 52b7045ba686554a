#include "input/csv.h"

#include "base/decimal.h"
#include "base/number.h"
#include "input/csv_stream.h"
#include "input/levels.h"
#include "input/mapped.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Rows are gathered until this much is there, then each column's part is
 * written at its place: 16 MiB make parts of 128 KiB for 128 columns. */
#define GATHER_BYTES ((uint64_t)16 << 20)
#define MAX_GATHER   ((uint64_t)1 << 16)

struct writer {
    struct ens_csv *csv;
    struct ens_csv_scan scan;
    int out;
    int to_skip;       /* the header is still to come */
    uint64_t at;       /* field of the present record */
    uint64_t n_rows;   /* complete so far */
    uint64_t gathered; /* of them not yet written */
    uint64_t cap;      /* rows that the buffer takes */
    uint64_t *value;   /* column after column, cap each; little-endian */
    struct ens_levels *levels; /* of each column; unused but for text */
};

static enum ens_status changed(const struct writer *w, struct ens_error *err)
{
    return ens_fail(err, ENS_EINPUT,
                    "line %" PRIu64 ": the file changed while "
                    "it was read",
                    w->scan.record_line);
}

static uint64_t little_endian(uint64_t u)
{
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? u : __builtin_bswap64(u);
}

static uint32_t little_endian32(uint32_t u)
{
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? u : __builtin_bswap32(u);
}

/* The value of a text as the 8 bytes of its column's type. -1: does not fit
 * what the first pass found. */
static int convert(const struct ens_csv_options *o, enum ens_dtype dtype,
                   const char *s, size_t n, uint64_t *u)
{
    enum ens_csv_value v;
    int64_t i;
    double d;

    s = ens_csv_trim(s, &n);
    if (dtype == ENS_DT_F64 && o->n_missing == 0 &&
        ens_decimal_parse(s, n, &d) == 0) { /* most are: no second look */
        memcpy(u, &d, sizeof(*u));
        return 0;
    }
    v = ens_csv_classify(o, s, n);
    i = v == ENS_CSV_BOOL ? (s[0] | 32) == 't' : 0;
    d = v == ENS_CSV_MISSING ? (double)NAN : (double)i;

    if (dtype == ENS_DT_I64) {
        if (v != ENS_CSV_BOOL &&
            (v != ENS_CSV_INT || ens_number_parse_i64(s, n, &i) != 0))
            return -1;
        *u = (uint64_t)i;
        return 0;
    }
    if (v == ENS_CSV_TEXT || ((v == ENS_CSV_INT || v == ENS_CSV_REAL) &&
                              ens_number_parse(s, n, &d) != 0))
        return -1;
    memcpy(u, &d, sizeof(*u));
    return 0;
}

/* The code of a text as it is met, -1 for missing; the sort comes later. */
static enum ens_status encode(struct writer *w, const char *s, size_t n,
                              struct ens_error *err)
{
    const struct ens_table_column *c = &w->csv->head.column[w->at];
    uint32_t code = UINT32_MAX;
    enum ens_status status = ENS_OK;

    if (ens_csv_classify(&w->csv->options, s, n) != ENS_CSV_MISSING)
        status = ens_levels_add(&w->levels[w->at], s, n, &code, err);
    if (status != ENS_OK)
        return ens_wrap(err, status, "column %" PRIu64 " (%s)", w->at + 1,
                        c->name);
    w->value[w->at * w->cap + w->gathered] = code;
    w->at++;
    return ENS_OK;
}

static enum ens_status write_field(void *arg, const char *s, size_t n,
                                   struct ens_error *err)
{
    struct writer *w = arg;
    const struct ens_table_head *h = &w->csv->head;
    uint64_t u;

    if (w->to_skip)
        return ENS_OK;
    if (w->at >= h->n_columns || w->n_rows >= h->n_rows)
        return changed(w, err);
    if (h->column[w->at].dtype == ENS_DT_I32)
        return encode(w, s, n, err);
    if (convert(&w->csv->options, h->column[w->at].dtype, s, n, &u) != 0)
        return changed(w, err);
    w->value[w->at * w->cap + w->gathered] = little_endian(u);
    w->at++;
    return ENS_OK;
}

static int write_at(int fd, const void *p, size_t n, uint64_t offset)
{
    const char *from = p;

    while (n > 0) {
        ssize_t k = pwrite(fd, from, n, (off_t)offset);

        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return -1;
        from += k;
        offset += (uint64_t)k;
        n -= (size_t)k;
    }
    return 0;
}

static enum ens_status cannot_write(struct ens_error *err)
{
    return ens_fail_errno(err, ENS_EIO, "cannot write the columnar form");
}

/* Four bytes each, in place. */
static void narrow(uint64_t *value, uint64_t n)
{
    unsigned char *to = (unsigned char *)value;

    for (uint64_t i = 0; i < n; i++) {
        uint32_t u = little_endian32((uint32_t)value[i]);

        memcpy(to + i * sizeof(u), &u, sizeof(u));
    }
}

static enum ens_status flush(struct writer *w, struct ens_error *err)
{
    const struct ens_table_head *h = &w->csv->head;
    uint64_t first = w->n_rows - w->gathered;

    for (uint64_t i = 0; i < h->n_columns && w->gathered > 0; i++) {
        int is_text = h->column[i].dtype == ENS_DT_I32;
        size_t bytes = is_text ? sizeof(uint32_t) : sizeof(uint64_t);

        if (is_text)
            narrow(w->value + i * w->cap, w->gathered);
        if (write_at(w->out, w->value + i * w->cap, (size_t)w->gathered * bytes,
                     h->column[i].offset + first * bytes) != 0)
            return cannot_write(err);
    }
    w->gathered = 0;
    return ENS_OK;
}

static enum ens_status write_record(void *arg, struct ens_error *err)
{
    struct writer *w = arg;

    if (w->to_skip) {
        w->to_skip = 0;
        return ENS_OK;
    }
    if (w->at != w->csv->head.n_columns)
        return changed(w, err);
    w->at = 0;
    w->n_rows++;
    w->gathered++;
    return w->gathered == w->cap ? flush(w, err) : ENS_OK;
}

static enum ens_status write_header(struct ens_table_head *h, int out,
                                    struct ens_error *err)
{
    struct ens_buf b = ENS_BUF_INIT;
    enum ens_status s = ens_columnar_build(&b, h, err);

    if (s == ENS_OK && write_at(out, b.data, b.len, 0) != 0)
        s = cannot_write(err);
    ens_buf_fini(&b);
    return s;
}

/* Codes as first met become places among the sorted levels, in the file. */
static enum ens_status recode(const struct writer *w, uint64_t column,
                              const int32_t *place, struct ens_error *err)
{
    const struct ens_table_head *h = &w->csv->head;
    int32_t *code = (int32_t *)w->value;
    uint64_t cap = w->cap * h->n_columns * sizeof(uint64_t) / sizeof(*code);

    for (uint64_t i = 0; i < h->n_rows; i += cap) {
        size_t n = (size_t)(h->n_rows - i < cap ? h->n_rows - i : cap);
        uint64_t at = h->column[column].offset + i * sizeof(*code);

        if (ens_read_at(w->out, code, n * sizeof(*code), at) !=
            (int64_t)(n * sizeof(*code)))
            return ens_fail_errno(err, ENS_EIO, "cannot read what was written");
        for (size_t k = 0; k < n; k++) {
            int32_t c = (int32_t)little_endian32((uint32_t)code[k]);

            code[k] =
                (int32_t)little_endian32((uint32_t)(c < 0 ? -1 : place[c]));
        }
        if (write_at(w->out, code, n * sizeof(*code), at) != 0)
            return cannot_write(err);
    }
    return ENS_OK;
}

static enum ens_status write_texts(const struct writer *w,
                                   const struct ens_table_column *c,
                                   const struct ens_levels *l,
                                   struct ens_error *err)
{
    uint64_t at = c->levels_at;

    for (uint32_t i = 0; i < l->n; i++) {
        if (write_at(w->out, l->item[i].text, l->item[i].n + 1, at) != 0)
            return cannot_write(err);
        at += l->item[i].n + 1;
    }
    return ENS_OK;
}

/* What is only known at the end: the levels and a header that names them. */
static enum ens_status finish(struct writer *w, struct ens_table_head *h,
                              struct ens_error *err)
{
    enum ens_status s;

    for (uint64_t i = 0; i < h->n_columns; i++) {
        h->column[i].n_levels = w->levels[i].n;
        h->column[i].levels_bytes = (uint32_t)w->levels[i].bytes;
    }
    s = write_header(h, w->out, err);
    if (s == ENS_OK && ftruncate(w->out, (off_t)h->file_bytes) != 0)
        s = cannot_write(err);
    for (uint64_t i = 0; i < h->n_columns && s == ENS_OK; i++) {
        struct ens_levels *l = &w->levels[i];
        int32_t *place = malloc(((size_t)l->n + 1) * sizeof(*place));

        if (place == NULL)
            return ens_fail(err, ENS_ENOMEMORY, "out of memory");
        ens_levels_sort(l, place);
        if (h->column[i].dtype == ENS_DT_I32)
            s = recode(w, i, place, err);
        if (s == ENS_OK)
            s = write_texts(w, &h->column[i], l, err);
        free(place);
    }
    return s;
}

static enum ens_status run(struct writer *w, struct ens_csv_stream *st,
                           struct ens_error *err)
{
    struct ens_table_head *h = &w->csv->head;
    enum ens_status s = write_header(h, w->out, err);

    if (s != ENS_OK)
        return s;
    w->cap = GATHER_BYTES / sizeof(uint64_t) / h->n_columns;
    w->cap = w->cap < 8 ? 8 : w->cap > MAX_GATHER ? MAX_GATHER : w->cap;
    w->value = malloc((size_t)(w->cap * h->n_columns) * sizeof(uint64_t));
    w->levels = calloc((size_t)h->n_columns, sizeof(*w->levels));
    if (w->value == NULL || w->levels == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    w->to_skip = w->csv->options.header != 0;
    ens_csv_scan_init(&w->scan, w->csv->delimiter, write_field, write_record,
                      w);
    st->scan = &w->scan;
    s = ens_csv_stream(st, err);
    if (s == ENS_OK)
        s = flush(w, err);
    /* the digest also tells a change that keeps all types */
    if (s == ENS_OK &&
        (w->n_rows != h->n_rows || st->digest.low != h->digest.low ||
         st->digest.high != h->digest.high))
        s = changed(w, err);
    return s == ENS_OK ? finish(w, h, err) : s;
}

enum ens_status ens_csv_write(struct ens_csv *csv, int fd, uint64_t size,
                              int out, ens_csv_progress_fn *progress, void *arg,
                              struct ens_error *err)
{
    struct ens_csv_stream st = {.fd = fd,
                                .size = size,
                                .skip = csv->skip,
                                .packing = (enum ens_packing)csv->packing,
                                .want_digest = 1,
                                .progress = progress,
                                .progress_arg = arg,
                                .progress_base = size};
    struct writer *w = calloc(1, sizeof(*w));
    enum ens_status s;

    if (w == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    w->csv = csv;
    w->out = out;
    s = run(w, &st, err);
    for (uint64_t i = 0; w->levels != NULL && i < csv->head.n_columns; i++)
        ens_levels_fini(&w->levels[i]);
    free(w->levels);
    free(w->value);
    free(w);
    return s;
}
