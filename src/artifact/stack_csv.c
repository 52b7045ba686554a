/* Arrays of tasks as one CSV, a line per row. */
#include "artifact/inside.h"

#include "base/number.h"
#include "convert/element.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_BYTES 24

struct writing {
    struct ens_out *out;
    const struct ens_exporter *csv;
    void *state;
    size_t n; /* columns: the sheet's, `row`, the values */
    struct ens_datum *row;
    char *text; /* of the values: ENS_ELEMENT_BYTES each */
};

static enum ens_status open_csv(struct writing *w, const struct ens_stack *st,
                                struct ens_error *err)
{
    const struct ens_sheet *sheet = st->o->sheet;
    size_t width = (size_t)st->n_columns;
    struct ens_table_column *column = calloc(w->n, sizeof(*column));
    char(*name)[NAME_BYTES] = malloc((width + 1) * sizeof(*name));
    struct ens_export_shape shape = {w->n, column, 0, NULL};
    enum ens_status s = ENS_ENOMEMORY;

    if (column == NULL || name == NULL) {
        ens_fail(err, s, "a row of %zu columns: out of memory", w->n);
    } else {
        memcpy(column, sheet->column, sheet->n * sizeof(*column));
        column[sheet->n] =
            (struct ens_table_column){"row", ENS_DATUM_INT, "", ""};
        for (size_t i = 0; i < width; i++) {
            snprintf(name[i], NAME_BYTES, width == 1 ? "value" : "v%zu", i + 1);
            column[sheet->n + 1 + i] =
                (struct ens_table_column){name[i], ENS_DATUM_TEXT, "", ""};
        }
        s = w->csv->open(&w->state, w->out, &shape, err);
    }
    free(column);
    free(name);
    return s;
}

static void set_values(struct writing *w, size_t at, const struct ens_rows *r,
                       const unsigned char *row)
{
    const struct ens_view view = {
        .data = row,
        .dtype = r->npy->dtype,
        .swapped = r->npy->swapped,
        .ndim = 1,
        .shape = {r->width},
        .strides = {(int64_t)r->size},
    };

    for (size_t i = 0; at + i < w->n; i++) {
        char *text = w->text + i * ENS_ELEMENT_BYTES;
        size_t n = i < r->width ? ens_element_print(text, &view, i) : 0;
        struct ens_datum *d = &w->row[at + i];

        *d = (struct ens_datum){n == 0 ? ENS_DATUM_NONE : ENS_DATUM_TEXT,
                                {.text = {text, n}}};
    }
}

static enum ens_status put_block(struct ens_stack *st, struct writing *w,
                                 const struct ens_rows *r,
                                 const unsigned char *block, uint64_t n,
                                 struct ens_error *err)
{
    size_t at = st->o->sheet->n;
    size_t bytes = (size_t)r->width * r->size;
    enum ens_status s = ENS_OK;

    for (uint64_t i = 0; s == ENS_OK && i < n; i++) {
        w->row[at] = (struct ens_datum){
            ENS_DATUM_INT, {.integer = (int64_t)(r->at - n + i + 1)}};
        set_values(w, at + 1, r, block + i * bytes);
        s = w->csv->row(w->state, w->row, err);
    }
    return s == ENS_OK ? ens_stack_wrote(st, n * bytes, w->out, err) : s;
}

static enum ens_status write_item(struct ens_stack *st,
                                  struct ens_stack_item *it,
                                  struct ens_error *err)
{
    struct writing *w = st->writing;
    struct ens_rows rows;
    const unsigned char *block;
    uint64_t n;
    enum ens_status s = ens_stack_check(st, it, err);

    if (s != ENS_OK)
        return s;
    s = ens_rows_init(&rows, it->object.fd, it->object.offset, &it->npy, 0,
                      err);
    if (s != ENS_OK)
        return ens_stack_wrap(st, it, s, err);
    memcpy(w->row, it->row, st->o->sheet->n * sizeof(*it->row));
    while ((s = ens_rows_next(&rows, &block, &n, err)) == ENS_OK && n > 0)
        if ((s = put_block(st, w, &rows, block, n, err)) != ENS_OK)
            break;
    ens_rows_fini(&rows);
    return s;
}

enum ens_status ens_stack_csv(struct ens_stack *st, struct ens_out *out,
                              struct ens_error *err)
{
    struct writing w = {.out = out,
                        .csv = ens_exporter_find("csv"),
                        .n = st->o->sheet->n + 1 + (size_t)st->n_columns};
    enum ens_status s = ENS_ENOMEMORY;
    enum ens_status c;

    w.row = calloc(w.n, sizeof(*w.row));
    w.text = malloc((size_t)st->n_columns * ENS_ELEMENT_BYTES + 1);
    if (w.row == NULL || w.text == NULL)
        ens_fail(err, s, "a row of %zu columns: out of memory", w.n);
    else
        s = open_csv(&w, st, err);
    if (s == ENS_OK) {
        st->writing = &w;
        s = ens_stack_visit(st, write_item, err);
        c = w.csv->close(w.state, s == ENS_OK ? err : NULL);
        s = s == ENS_OK ? c : s;
    }
    free(w.row);
    free(w.text);
    return s;
}
