/* Aligned columns for people: texts on the left, numbers on the right, two
 * blanks between. Control characters are blanks; a missing value is too. */
#include "base/number.h"
#include "base/utf8.h"
#include "export/exporter.h"

#include <stdlib.h>
#include <string.h>

#define GAP 2u

struct text {
    struct ens_out *out;
    const struct ens_export_shape *shape;
};

static size_t width_of(const struct ens_export_shape *shape, size_t i)
{
    const char *name = shape->column[i].name;
    size_t n = ens_utf8_count(name, strlen(name));

    return n > shape->width[i] ? n : shape->width[i];
}

static void blanks(struct ens_out *out, size_t n)
{
    while (n-- > 0)
        ens_out_put(out, " ", 1);
}

static void put_characters(struct ens_out *out, const char *p, size_t n)
{
    for (size_t at = 0; at < n;) {
        uint32_t c;
        size_t k = ens_utf8_next(p + at, n - at, &c);

        if (c < 0x20 || c == 0x7f)
            ens_out_put(out, " ", 1);
        else if (c == 0xfffd)
            ens_out_put(out, "?", 1);
        else
            ens_out_put(out, p + at, k);
        at += k;
    }
}

static void put_cell(const struct text *t, size_t i, const char *p, size_t n)
{
    size_t chars = ens_utf8_count(p, n);
    size_t width = width_of(t->shape, i);
    size_t pad = width > chars ? width - chars : 0;
    int left = t->shape->column[i].type == ENS_DATUM_TEXT;
    int last = i + 1 == t->shape->n_columns;

    if (i > 0 && (n > 0 || !last))
        blanks(t->out, GAP);
    if (!left && (n > 0 || !last))
        blanks(t->out, pad);
    put_characters(t->out, p, n);
    if (left && !last)
        blanks(t->out, pad);
    if (last)
        ens_out_put(t->out, "\n", 1);
}

static enum ens_status text_open(void **state, struct ens_out *out,
                                 const struct ens_export_shape *shape,
                                 struct ens_error *err)
{
    struct text *t = malloc(sizeof(*t));

    if (t == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "text: out of memory");
    *t = (struct text){out, shape};
    for (size_t i = 0; i < shape->n_columns; i++)
        put_cell(t, i, shape->column[i].name, strlen(shape->column[i].name));
    *state = t;
    return ENS_OK;
}

static enum ens_status text_row(void *state, const struct ens_datum *row,
                                struct ens_error *err)
{
    const struct text *t = state;

    (void)err;
    for (size_t i = 0; i < t->shape->n_columns; i++) {
        char tmp[ENS_NUMBER_BYTES];
        size_t n;
        const char *p = ens_datum_text(&row[i], tmp, &n);

        put_cell(t, i, p, n);
    }
    return ENS_OK;
}

static enum ens_status text_close(void *state, struct ens_error *err)
{
    (void)err;
    free(state);
    return ENS_OK;
}

const struct ens_exporter ens_exporter_text = {
    .name = "text",
    .help = "aligned columns, for people",
    .measures = ENS_MEASURES_ALL,
    .open = text_open,
    .row = text_row,
    .close = text_close,
};
