/* JSON lines: an object per row. Missing is null; inf and -inf, which JSON
 * lacks, are the texts "inf" and "-inf"; bytes that are not UTF-8 become
 * U+FFFD. */
#include "base/buf.h"
#include "base/number.h"
#include "base/utf8.h"
#include "export/exporter.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct jsonl {
    struct ens_out *out;
    size_t n;
    struct ens_buf keys; /* "{"name":" or ","name":" for each column */
    size_t *key_end;
};

static void put_char(struct ens_buf *b, const char *p, size_t n, uint32_t c)
{
    switch (c) {
    case '"':
        ens_buf_puts(b, "\\\"");
        return;
    case '\\':
        ens_buf_puts(b, "\\\\");
        return;
    case '\n':
        ens_buf_puts(b, "\\n");
        return;
    case '\t':
        ens_buf_puts(b, "\\t");
        return;
    case '\r':
        ens_buf_puts(b, "\\r");
        return;
    case 0xfffd:
        ens_buf_puts(b, "\xef\xbf\xbd");
        return;
    default:
        break;
    }
    if (c < 0x20)
        ens_buf_printf(b, "\\u%04x", (unsigned)c);
    else
        ens_buf_put(b, p, n);
}

static void put_text(struct ens_buf *b, const char *p, size_t n)
{
    ens_buf_puts(b, "\"");
    for (size_t at = 0; at < n;) {
        uint32_t c;
        size_t k = ens_utf8_next(p + at, n - at, &c);

        put_char(b, p + at, k, c);
        at += k;
    }
    ens_buf_puts(b, "\"");
}

static enum ens_status jsonl_close(void *state, struct ens_error *err)
{
    struct jsonl *j = state;

    (void)err;
    ens_buf_fini(&j->keys);
    free(j->key_end);
    free(j);
    return ENS_OK;
}

static enum ens_status jsonl_open(void **state, struct ens_out *out,
                                  const struct ens_export_shape *shape,
                                  struct ens_error *err)
{
    struct jsonl *j = calloc(1, sizeof(*j));

    if (j == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "jsonl: out of memory");
    j->out = out;
    j->n = shape->n_columns;
    j->key_end = calloc(j->n + 1, sizeof(*j->key_end));
    for (size_t i = 0; i < j->n && j->key_end != NULL; i++) {
        const char *name = shape->column[i].name;

        ens_buf_puts(&j->keys, i == 0 ? "{" : ",");
        put_text(&j->keys, name, strlen(name));
        ens_buf_puts(&j->keys, ":");
        j->key_end[i + 1] = j->keys.len;
    }
    if (j->key_end == NULL || j->keys.failed) {
        jsonl_close(j, NULL);
        return ens_fail(err, ENS_ENOMEMORY, "jsonl: out of memory");
    }
    *state = j;
    return ENS_OK;
}

static void put_value(struct ens_buf *b, const struct ens_datum *d)
{
    char tmp[ENS_NUMBER_BYTES];
    size_t n;
    const char *p = ens_datum_text(d, tmp, &n);

    if (d->type == ENS_DATUM_NONE ||
        (d->type == ENS_DATUM_NUM && isnan(d->as.num)))
        ens_buf_puts(b, "null");
    else if (d->type == ENS_DATUM_TEXT ||
             (d->type == ENS_DATUM_NUM && isinf(d->as.num)))
        put_text(b, p, n);
    else
        ens_buf_put(b, p, n);
}

static enum ens_status jsonl_row(void *state, const struct ens_datum *row,
                                 struct ens_error *err)
{
    struct jsonl *j = state;
    struct ens_buf *b = &j->out->buf; /* straight into the output's buffer */

    (void)err;
    for (size_t i = 0; i < j->n; i++) {
        size_t at = j->key_end[i];

        ens_buf_put(b, j->keys.data + at, j->key_end[i + 1] - at);
        put_value(b, &row[i]);
    }
    ens_out_put(j->out, "}\n", 2);
    return ENS_OK;
}

const struct ens_exporter ens_exporter_jsonl = {
    .name = "jsonl",
    .help = "one JSON object per line",
    .open = jsonl_open,
    .row = jsonl_row,
    .close = jsonl_close,
};
