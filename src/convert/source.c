#include "convert/source.h"

#include "base/bug.h"
#include "convert/element.h"
#include "input/dtype.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES ((size_t)1 << 20)
#define ARRAY       UINT64_MAX /* in place of a column */

/* -- what it is -------------------------------------------------------------
 */

static int is_text(const struct ens_input *in)
{
    for (uint64_t i = 0; in->columns != NULL && i < in->n_columns; i++)
        if (in->columns[i].levels != NULL)
            return 1;
    return 0;
}

static enum ens_status refuse_text(const struct ens_input *in,
                                   struct ens_error *err)
{
    uint64_t i = 0;

    while (in->columns[i].levels == NULL)
        i++;
    return ens_fail(err, ENS_EINPUT,
                    "column %" PRIu64 " (%s) is text, which an array of "
                    "numbers cannot hold; leave it out (--columns=-%s), write "
                    ".csv, or --codes for places among its sorted values",
                    i + 1, in->columns[i].name, in->columns[i].name);
}

/* The type that holds two of a table's: float64, int64 or int32. */
static enum ens_dtype common(enum ens_dtype a, enum ens_dtype b)
{
    if (a == b)
        return a;
    if (ens_dtype_is_real(a) || ens_dtype_is_real(b))
        return ENS_DT_F64;
    return ENS_DT_I64;
}

static enum ens_status choose_dtype(struct ens_source *s,
                                    const struct ens_writing *w,
                                    struct ens_error *err)
{
    const char *to = w->options->dtype;
    const struct ens_input *in = w->in;
    enum ens_dtype from;
    int swapped = 0;

    s->exact = to == NULL;
    s->dtype = in->view.dtype;
    if (in->view.data == NULL) {
        s->dtype = s->column[0].view.dtype;
        for (uint64_t i = 1; i < s->n_columns; i++)
            s->dtype = common(s->dtype, s->column[i].view.dtype);
    }
    from = s->dtype;
    if (to == NULL)
        return ENS_OK;
    if (ens_dtype_parse(to, strlen(to), &s->dtype, &swapped) != 0)
        return ens_fail(err, ENS_EUSAGE,
                        "--to-dtype %s; expected <, > or nothing before one of "
                        "f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 b1 c8 c16",
                        to);
    s->big_endian = swapped == (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
    if (ens_dtype_bytes(s->dtype) == 1)
        s->big_endian = 0;
    if (from != s->dtype &&
        (ens_dtype_is_complex(from) || ens_dtype_is_complex(s->dtype)))
        return ens_fail(err, ENS_EINPUT,
                        "--to-dtype %s of %s: complex numbers are not "
                        "converted",
                        to, ens_dtype_code(from));
    return ENS_OK;
}

/* Is the first dimension the one whose elements lie closest? */
static int lies_fortran(const struct ens_view *v)
{
    uint32_t first = 0;
    uint32_t last = v->ndim;

    while (first < v->ndim && v->shape[first] <= 1)
        first++;
    while (last > first && v->shape[last - 1] <= 1)
        last--;
    return last > first + 1 &&
           llabs(v->strides[first]) < llabs(v->strides[last - 1]);
}

enum ens_status ens_source_init(struct ens_source *s,
                                const struct ens_writing *w, int may_fortran,
                                struct ens_error *err)
{
    const struct ens_input *in = w->in;
    enum ens_status status;

    memset(s, 0, sizeof(*s));
    if (is_text(in) && !w->options->codes)
        return refuse_text(in, err);
    s->view = in->view;
    s->column = in->columns;
    s->n_columns = in->n_columns;
    s->ndim = in->view.ndim;
    memcpy(s->shape, in->view.shape, sizeof(s->shape));
    if (w->options->flatten && s->ndim > 2) {
        s->view.data = NULL;
        s->ndim = 2;
        s->shape[1] = in->n_columns;
        status =
            ens_source_columns(w, &s->arena, &s->column, &s->n_columns, err);
        if (status != ENS_OK)
            goto fail;
    }
    s->fortran = may_fortran && (s->view.data != NULL ? lies_fortran(&s->view)
                                                      : in->view.data == NULL);
    status = choose_dtype(s, w, err);
    if (status == ENS_OK)
        return ENS_OK;
fail:
    ens_source_fini(s);
    return status;
}

void ens_source_fini(struct ens_source *s)
{
    ens_arena_fini(&s->arena);
}

/* -- columns ----------------------------------------------------------------
 */

/* Element i of what lies behind a first dimension, in C order. */
static int64_t offset_of(const struct ens_view *v, uint64_t i)
{
    int64_t offset = 0;

    for (uint32_t k = v->ndim; k-- > 1;) {
        offset += (int64_t)(i % v->shape[k]) * v->strides[k];
        i /= v->shape[k];
    }
    return offset;
}

enum ens_status ens_source_columns(const struct ens_writing *w,
                                   struct ens_arena *arena,
                                   const struct ens_column **column,
                                   uint64_t *n, struct ens_error *err)
{
    const struct ens_input *in = w->in;
    struct ens_column *c;
    char shape[256];

    *column = in->columns;
    *n = in->n_columns;
    if (in->view.ndim > 2 && !w->options->flatten) {
        ens_shape_text(shape, sizeof(shape), in->view.ndim, in->view.shape);
        return ens_fail(err, ENS_EINPUT,
                        "an array of %s; the output has rows and columns "
                        "(--flatten makes columns of what is behind the first "
                        "dimension)",
                        shape);
    }
    if (in->n_columns == 0 || in->n_columns > ENS_MAX_COLUMNS)
        return ens_fail(err, ENS_EINPUT,
                        "%" PRIu64 " columns; the output has 1 to %u",
                        in->n_columns, ENS_MAX_COLUMNS);
    if (in->columns != NULL)
        return ENS_OK;
    c = ens_arena_alloc(arena, (size_t)*n, sizeof(*c));
    if (c == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    for (uint64_t i = 0; i < *n; i++) {
        c[i].name = "";
        c[i].view = in->view;
        c[i].view.ndim = 1;
        c[i].view.data = (const char *)in->view.data + offset_of(&in->view, i);
    }
    *column = c;
    return ENS_OK;
}

/* -- elements ---------------------------------------------------------------
 */

struct stream {
    const struct ens_source *s;
    struct ens_writing *w;
    ens_source_fn *put;
    void *arg;
    size_t size;          /* of an element */
    unsigned char *line;  /* of a column */
    unsigned char *block; /* what is handed over */
    size_t held;          /* elements in it, of lines before the present */
    struct ens_error *err;
};

static void reverse(unsigned char *p, size_t n, size_t size)
{
    for (; n > 0; n--, p += size)
        for (size_t i = 0; i < size / 2; i++) {
            unsigned char b = p[i];

            p[i] = p[size - 1 - i];
            p[size - 1 - i] = b;
        }
}

/* n elements as they are, in the output's byte order. */
static void copy(const struct stream *t, unsigned char *to,
                 const unsigned char *from, int64_t stride, int swapped,
                 size_t n)
{
    int little = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
    int is_big = swapped == little;
    /* the parts of a complex number each have an order */
    int parts = ens_dtype_is_complex(t->s->dtype) ? 2 : 1;

    if (stride == (int64_t)t->size)
        memcpy(to, from, n * t->size);
    else if (t->size == 8)
        for (size_t i = 0; i < n; i++)
            memcpy(to + i * 8, from + (int64_t)i * stride, 8);
    else
        for (size_t i = 0; i < n; i++)
            memcpy(to + i * t->size, from + (int64_t)i * stride, t->size);
    if (is_big != t->s->big_endian && t->size > 1)
        reverse(to, n * (size_t)parts, t->size / (size_t)parts);
}

static enum ens_status cannot_hold(const struct stream *t,
                                   const struct ens_view *v, uint64_t i,
                                   uint64_t column)
{
    char text[ENS_ELEMENT_BYTES] = "nan";
    const char *code = ens_dtype_code(t->s->dtype);

    (void)ens_element_print(text, v, i);
    if (column == ARRAY)
        return ens_fail(t->err, ENS_EINPUT,
                        "element %" PRIu64 ": %s is not a value of --to-dtype "
                        "%s",
                        t->w->n_done + t->held + i + 1, text, code);
    return ens_fail(t->err, ENS_EINPUT,
                    "row %" PRIu64 ", column %" PRIu64 "%s%s: %s is not a "
                    "value of %s; choose another --to-dtype, --columns, or "
                    "write .csv",
                    i + 1, column + 1,
                    *t->s->column[column].name != '\0' ? " " : "",
                    t->s->column[column].name, text, code);
}

/* Elements first .. of a one-dimensional view, as the output has them. */
static enum ens_status load(const struct stream *t, unsigned char *to,
                            const struct ens_view *v, uint64_t first, size_t n,
                            uint64_t column)
{
    const unsigned char *p =
        (const unsigned char *)v->data + (int64_t)first * v->strides[0];
    int is_code = column != ARRAY && t->s->column[column].levels != NULL;

    if (n > 0 && v->dtype == t->s->dtype) {
        copy(t, to, p, v->strides[0], v->swapped, n);
        return ENS_OK;
    }
    for (size_t i = 0; i < n; i++, p += v->strides[0]) {
        struct ens_element e = ens_element_load(p, v->dtype, v->swapped);

        if (is_code && e.as.signed_ < 0 && ens_dtype_is_real(t->s->dtype))
            e = (struct ens_element){ENS_EL_REAL, {.real = __builtin_nan("")}};
        if (ens_element_store(to + i * t->size, t->s->dtype, &e, t->s->exact) !=
            0)
            return cannot_hold(t, v, first + i, column);
    }
    if (t->s->big_endian)
        reverse(to, n, t->size);
    return ENS_OK;
}

static enum ens_status hand_over(const struct stream *t, size_t n)
{
    t->put(t->arg, t->block, n * t->size);
    return ens_writing_done(t->w, n, t->err);
}

/* One dimension, all of it. */
static enum ens_status write_line(const struct stream *t,
                                  const struct ens_view *v, uint64_t column)
{
    uint64_t step = BLOCK_BYTES / t->size;
    enum ens_status s = ENS_OK;

    for (uint64_t i = 0; i < v->shape[0] && s == ENS_OK; i += step) {
        size_t n = (size_t)(v->shape[0] - i < step ? v->shape[0] - i : step);

        s = load(t, t->block, v, i, n, column);
        if (s == ENS_OK)
            s = hand_over(t, n);
    }
    return s;
}

static uint64_t rows_of_block(const struct ens_source *s)
{
    uint64_t n = BLOCK_BYTES / ens_dtype_bytes(s->dtype) / s->n_columns;

    return n > 0 ? n : 1;
}

/* Columns side by side, in C order: blocks of rows, turned in memory. */
static enum ens_status write_rows(const struct stream *t,
                                  const struct ens_column *c, uint64_t n_rows)
{
    uint64_t p = t->s->n_columns;
    uint64_t step = rows_of_block(t->s);
    enum ens_status s = ENS_OK;

    for (uint64_t i = 0; i < n_rows && s == ENS_OK; i += step) {
        size_t n = (size_t)(n_rows - i < step ? n_rows - i : step);

        for (uint64_t k = 0; k < p && s == ENS_OK; k++) {
            s = load(t, t->line, &c[k].view, i, n, k);
            for (size_t r = 0; r < n && s == ENS_OK; r++)
                memcpy(t->block + (r * p + k) * t->size, t->line + r * t->size,
                       t->size);
        }
        if (s == ENS_OK)
            s = hand_over(t, n * (size_t)p);
    }
    return s;
}

/* Dimensions joined where they follow one another without a gap. */
static void join(struct ens_view *v)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < v->ndim; i++) {
        if (v->shape[i] == 1)
            continue;
        if (n > 0 &&
            v->strides[n - 1] == v->strides[i] * (int64_t)v->shape[i]) {
            v->shape[n - 1] *= v->shape[i];
            v->strides[n - 1] = v->strides[i];
            continue;
        }
        v->shape[n] = v->shape[i];
        v->strides[n++] = v->strides[i];
    }
    if (n == 0) { /* one element */
        v->shape[0] = 1;
        v->strides[0] = (int64_t)ens_dtype_bytes(v->dtype);
        n = 1;
    }
    v->ndim = n;
}

/* The dimensions in the order of the output, the fastest last. */
static void turn(struct ens_view *to, const struct ens_view *v)
{
    *to = *v;
    for (uint32_t i = 0; i < v->ndim; i++) {
        to->shape[i] = v->shape[v->ndim - 1 - i];
        to->strides[i] = v->strides[v->ndim - 1 - i];
    }
}

/* Many short lines are gathered into blocks. */
static enum ens_status write_lines(struct stream *t, const struct ens_view *v)
{
    uint32_t last = v->ndim - 1;
    uint64_t n = v->shape[last];
    uint64_t at[ENS_MAX_NDIM] = {0};
    enum ens_status s = ENS_OK;

    while (s == ENS_OK) {
        struct ens_view line = *v;
        uint32_t k = last;

        line.ndim = 1;
        line.shape[0] = n;
        line.strides[0] = v->strides[last];
        for (uint32_t i = 0; i < last; i++)
            line.data =
                (const char *)line.data + (int64_t)at[i] * v->strides[i];
        if ((t->held + n) * t->size > BLOCK_BYTES && t->held > 0) {
            s = hand_over(t, t->held);
            t->held = 0;
        }
        if (s == ENS_OK && n * t->size > BLOCK_BYTES)
            s = write_line(t, &line, ARRAY);
        else if (s == ENS_OK) {
            s = load(t, t->block + t->held * t->size, &line, 0, (size_t)n,
                     ARRAY);
            t->held += (size_t)n;
        }
        while (k > 0 && ++at[k - 1] == v->shape[k - 1])
            at[--k] = 0;
        if (k == 0)
            break;
    }
    return s == ENS_OK && t->held > 0 ? hand_over(t, t->held) : s;
}

static enum ens_status stream(struct stream *t)
{
    const struct ens_source *s = t->s;
    struct ens_view v;
    enum ens_status status = ENS_OK;

    for (uint32_t i = 0; i < s->ndim; i++)
        if (s->shape[i] == 0)
            return ENS_OK;
    if (s->view.data == NULL && !s->fortran)
        return write_rows(t, s->column, s->shape[0]);
    for (uint64_t i = 0; s->view.data == NULL && i < s->n_columns; i++)
        if (status == ENS_OK)
            status = write_line(t, &s->column[i].view, i);
    if (s->view.data == NULL)
        return status;
    if (!s->fortran && s->ndim == 2 && s->column != NULL &&
        lies_fortran(&s->view))
        return write_rows(t, s->column, s->shape[0]);
    v = s->view;
    if (s->fortran)
        turn(&v, &s->view);
    join(&v);
    return v.ndim == 1 ? write_line(t, &v, ARRAY) : write_lines(t, &v);
}

enum ens_status ens_source_write(const struct ens_source *s,
                                 struct ens_writing *w, ens_source_fn *put,
                                 void *arg, struct ens_error *err)
{
    struct stream t = {.s = s,
                       .w = w,
                       .put = put,
                       .arg = arg,
                       .size = ens_dtype_bytes(s->dtype),
                       .err = err};
    enum ens_status status;
    size_t row; /* bytes, where rows are gathered */

    row = s->n_columns <= ENS_MAX_COLUMNS ? s->n_columns * t.size : 0;
    t.line = malloc(BLOCK_BYTES);
    t.block = malloc(row > BLOCK_BYTES ? row : BLOCK_BYTES);
    status = t.line == NULL || t.block == NULL
                 ? ens_fail(err, ENS_ENOMEMORY, "out of memory")
                 : stream(&t);
    free(t.line);
    free(t.block);
    return status;
}

/* -- as text ----------------------------------------------------------------
 */

void ens_shape_text(char *to, size_t cap, uint32_t ndim, const uint64_t *shape)
{
    size_t n = 0;

    to[0] = '\0';
    for (uint32_t i = 0; i < ndim && n < cap; i++)
        n += (size_t)snprintf(to + n, cap - n, "%s%" PRIu64,
                              i == 0 ? "" : " x ", shape[i]);
}

void ens_source_npy_head(const struct ens_source *s, struct ens_buf *b)
{
    struct ens_buf dict = ENS_BUF_INIT;
    size_t bytes = ens_dtype_bytes(s->dtype);

    ens_buf_printf(&dict, "{'descr': '%c%s', 'fortran_order': %s, 'shape': (",
                   bytes == 1      ? '|'
                   : s->big_endian ? '>'
                                   : '<',
                   ens_dtype_code(s->dtype), s->fortran ? "True" : "False");
    for (uint32_t i = 0; i < s->ndim; i++)
        ens_buf_printf(&dict, "%s%" PRIu64 "%s", i == 0 ? "" : " ", s->shape[i],
                       i + 1 < s->ndim || s->ndim == 1 ? "," : "");
    ens_buf_puts(&dict, "), }");
    while ((10 + dict.len + 1) % 64 != 0 && !dict.failed)
        ens_buf_u8(&dict, ' ');
    ens_buf_u8(&dict, '\n');
    ens_buf_put(b, "\x93NUMPY\1\0", 8);
    ens_buf_u16(b, (uint16_t)dict.len);
    ens_buf_put(b, dict.data, dict.len);
    b->failed |= dict.failed;
    ens_buf_fini(&dict);
}
