/* CSV by RFC 4180 with a header; lines end in LF. A missing value is empty,
 * an empty text is "". Numbers are canonical (base/number.h). */
#include "base/number.h"
#include "export/exporter.h"

#include <stdlib.h>
#include <string.h>

struct csv {
    struct ens_out *out;
    size_t n;
};

static int needs_quotes(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] == ',' || p[i] == '"' || p[i] == '\n' || p[i] == '\r')
            return 1;
    return n == 0;
}

static void put_text(struct ens_out *out, const char *p, size_t n)
{
    const char *quote;

    if (!needs_quotes(p, n)) {
        ens_out_put(out, p, n);
        return;
    }
    ens_out_put(out, "\"", 1);
    while ((quote = n == 0 ? NULL : memchr(p, '"', n)) != NULL) {
        size_t k = (size_t)(quote - p) + 1;

        ens_out_put(out, p, k);
        ens_out_put(out, "\"", 1);
        p += k;
        n -= k;
    }
    ens_out_put(out, p, n);
    ens_out_put(out, "\"", 1);
}

static enum ens_status csv_open(void **state, struct ens_out *out,
                                const struct ens_export_shape *shape,
                                struct ens_error *err)
{
    struct csv *c = malloc(sizeof(*c));

    if (c == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "csv: out of memory");
    c->out = out;
    c->n = shape->n_columns;
    for (size_t i = 0; i < c->n; i++) {
        const char *name = shape->column[i].name;

        if (i > 0)
            ens_out_put(out, ",", 1);
        put_text(out, name, strlen(name));
    }
    ens_out_put(out, "\n", 1);
    *state = c;
    return ENS_OK;
}

static enum ens_status csv_row(void *state, const struct ens_datum *row,
                               struct ens_error *err)
{
    struct csv *c = state;

    (void)err;
    for (size_t i = 0; i < c->n; i++) {
        const struct ens_datum *d = &row[i];
        char tmp[ENS_NUMBER_BYTES];
        const char *p;
        size_t n;

        if (i > 0)
            ens_out_put(c->out, ",", 1);
        p = ens_datum_text(d, tmp, &n);
        if (d->type == ENS_DATUM_TEXT)
            put_text(c->out, p, n);
        else if (n > 0)
            ens_out_put(c->out, p, n);
        else if (c->n == 1) /* a lone missing value is not a blank line */
            ens_out_put(c->out, "\"\"", 2);
    }
    ens_out_put(c->out, "\n", 1);
    return ENS_OK;
}

static enum ens_status csv_close(void *state, struct ens_error *err)
{
    (void)err;
    free(state);
    return ENS_OK;
}

const struct ens_exporter ens_exporter_csv = {
    .name = "csv",
    .help = "comma-separated values with a header (RFC 4180)",
    .open = csv_open,
    .row = csv_row,
    .close = csv_close,
};
