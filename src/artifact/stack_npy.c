/* Arrays of tasks as one .npy, with an index beside it. */
#include "artifact/inside.h"

#include "base/bug.h"

#include <stdlib.h>
#include <string.h>

struct writing {
    struct ens_out *out;
    const struct ens_exporter *csv;
    void *index;
    struct ens_datum *row; /* of the index */
    uint64_t first;
};

/* The magic of version 1.0 and a dict, padded to a multiple of 64: nine
 * dimensions fit 256 bytes. */
static void put_head(struct ens_out *out, const struct ens_stack *st)
{
    const struct ens_npy *npy = &st->first;
    const char *order = ens_dtype_bytes(npy->dtype) == 1 ? "|"
                        : npy->swapped                   ? ">"
                                                         : "<";
    struct ens_buf dict = ENS_BUF_INIT;
    size_t n;

    ens_buf_printf(&dict, "{'descr': '%s%s', 'fortran_order': False, ", order,
                   ens_dtype_code(npy->dtype));
    ens_buf_printf(
        &dict, "'shape': (%llu,",
        (unsigned long long)(st->o->join ? st->n_rows : st->n_tasks));
    for (uint32_t i = st->o->join ? 1 : 0; i < npy->ndim; i++)
        ens_buf_printf(&dict, " %llu,", (unsigned long long)npy->shape[i]);
    ens_buf_puts(&dict, "), }");
    n = (10 + dict.len + 1 + 63) / 64 * 64 - 10;
    while (dict.len + 1 < n && !dict.failed)
        ens_buf_u8(&dict, ' ');
    ens_buf_u8(&dict, '\n');
    out->buf.failed |= dict.failed;
    ens_out_put(out, "\x93NUMPY\x01\x00", 8);
    ens_out_put(out, (const char[]){(char)n, (char)(n >> 8)}, 2);
    ens_out_put(out, dict.data, dict.len);
    ens_buf_fini(&dict);
}

static enum ens_status open_index(struct writing *w, const struct ens_stack *st,
                                  struct ens_out *index, struct ens_error *err)
{
    static const struct ens_table_column more[] = {
        {"first", ENS_DATUM_INT, "", "of its rows in the array, from 0"},
        {"rows", ENS_DATUM_INT, "", "how many"}};
    const struct ens_sheet *sheet = st->o->sheet;
    struct ens_table_column *column =
        calloc(sheet->n + ENS_COUNT(more), sizeof(*column));
    struct ens_export_shape shape = {sheet->n + ENS_COUNT(more), column, 0,
                                     NULL};
    enum ens_status s = ENS_ENOMEMORY;

    w->csv = ens_exporter_find("csv");
    w->row = calloc(sheet->n + ENS_COUNT(more), sizeof(*w->row));
    if (column != NULL && w->row != NULL) {
        memcpy(column, sheet->column, sheet->n * sizeof(*column));
        memcpy(column + sheet->n, more, sizeof(more));
        s = w->csv->open(&w->index, index, &shape, err);
    } else {
        ens_fail(err, s, "index: out of memory");
    }
    free(column);
    return s;
}

static enum ens_status put_index(struct writing *w, const struct ens_stack *st,
                                 const struct ens_datum *row, uint64_t n,
                                 struct ens_error *err)
{
    size_t k = st->o->sheet->n;

    memcpy(w->row, row, k * sizeof(*row));
    w->row[k] =
        (struct ens_datum){ENS_DATUM_INT, {.integer = (int64_t)w->first}};
    w->row[k + 1] = (struct ens_datum){ENS_DATUM_INT, {.integer = (int64_t)n}};
    w->first += n;
    return w->csv->row(w->index, w->row, err);
}

static enum ens_status put_array(struct ens_stack *st, struct writing *w,
                                 const struct ens_stack_item *it,
                                 struct ens_error *err)
{
    struct ens_rows rows;
    const unsigned char *block;
    uint64_t n;
    enum ens_status s = ens_rows_init(&rows, it->object.fd, it->object.offset,
                                      &it->npy, 1, err);

    if (s != ENS_OK)
        return ens_stack_wrap(st, it, s, err);
    while ((s = ens_rows_next(&rows, &block, &n, err)) == ENS_OK && n > 0) {
        size_t bytes = (size_t)(n * rows.width) * rows.size;

        ens_out_put(w->out, block, bytes);
        s = ens_stack_wrote(st, bytes, w->out, err);
        if (s != ENS_OK)
            break;
    }
    ens_rows_fini(&rows);
    return s;
}

static enum ens_status write_item(struct ens_stack *st,
                                  struct ens_stack_item *it,
                                  struct ens_error *err)
{
    struct writing *w = st->writing;
    uint64_t n, width;
    enum ens_status s = ens_stack_check(st, it, err);

    ens_rows_shape(&it->npy, &n, &width);
    if (s == ENS_OK)
        s = put_index(w, st, it->row, st->o->join ? n : 1, err);
    return s == ENS_OK ? put_array(st, w, it, err) : s;
}

enum ens_status ens_stack_npy(struct ens_stack *st, struct ens_out *out,
                              struct ens_out *index, struct ens_error *err)
{
    struct writing w = {.out = out};
    enum ens_status s = open_index(&w, st, index, err);
    enum ens_status c;

    if (s == ENS_OK) {
        put_head(out, st);
        st->writing = &w;
        s = ens_stack_visit(st, write_item, err);
        c = w.csv->close(w.index, s == ENS_OK ? err : NULL);
        s = s == ENS_OK ? c : s;
    }
    free(w.row);
    return s;
}
