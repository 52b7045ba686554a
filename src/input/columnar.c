#include "input/columnar.h"

#include "input/format.h"
#include "input/mapped.h"

#include <inttypes.h>
#include <string.h>

#define VERSION     1u
#define HEAD_BYTES  128u
#define ROW_BYTES   32u
#define HASH_OFFSET 64u
#define VALUE_BYTES 8u

static const char magic[8] = {'E', 'N', 'S', 'R', 'T', 'A', 'B', '\n'};

int ens_columnar_is(const void *p, size_t n)
{
    return n >= sizeof(magic) && memcmp(p, magic, sizeof(magic)) == 0;
}

static enum ens_status place_columns(struct ens_table_head *h,
                                     struct ens_error *err)
{
    uint64_t names = 0;
    uint64_t bytes;
    uint64_t end;

    for (uint64_t i = 0; i < h->n_columns; i++)
        names += strlen(h->column[i].name) + 1;
    h->header_bytes = HEAD_BYTES + ROW_BYTES * h->n_columns + names;
    h->header_bytes = (h->header_bytes + 63) & ~(uint64_t)63;
    if (__builtin_mul_overflow(h->n_rows, (uint64_t)VALUE_BYTES, &bytes) ||
        __builtin_mul_overflow(bytes, h->n_columns, &end) ||
        end > INT64_MAX - h->header_bytes)
        return ens_fail(err, ENS_EINPUT,
                        "%" PRIu64 " rows of %" PRIu64 " columns: too large",
                        h->n_rows, h->n_columns);
    for (uint64_t i = 0; i < h->n_columns; i++)
        h->column[i].offset = h->header_bytes + i * bytes;
    return ENS_OK;
}

enum ens_status ens_columnar_build(struct ens_buf *b, struct ens_table_head *h,
                                   struct ens_error *err)
{
    uint64_t name = HEAD_BYTES + ROW_BYTES * h->n_columns;
    enum ens_status s = place_columns(h, err);
    struct ens_buf hash = ENS_BUF_INIT;

    if (s != ENS_OK)
        return s;
    ens_buf_put(b, magic, sizeof(magic));
    ens_buf_u32(b, VERSION);
    ens_buf_u32(b, 0);
    ens_buf_u64(b, h->header_bytes);
    ens_buf_u64(b, h->n_rows);
    ens_buf_u64(b, h->n_columns);
    ens_buf_u64(b, h->digest.low);
    ens_buf_u64(b, h->digest.high);
    ens_buf_u64(b, h->options_hash);
    ens_buf_align(b, HEAD_BYTES); /* the hash, so far 0 */
    for (uint64_t i = 0; i < h->n_columns; i++) {
        const struct ens_table_column *c = &h->column[i];
        size_t n = strlen(c->name);

        ens_buf_u32(b, c->dtype == ENS_DT_I64 ? 1 : 0);
        ens_buf_u32(b, (uint32_t)n);
        ens_buf_u64(b, name);
        ens_buf_u64(b, c->n_missing);
        ens_buf_u64(b, c->offset);
        name += n + 1;
    }
    for (uint64_t i = 0; i < h->n_columns; i++)
        ens_buf_put(b, h->column[i].name, strlen(h->column[i].name) + 1);
    ens_buf_align(b, 64);
    if (!b->failed)
        ens_buf_u64(&hash, ens_hash64(b->data, b->len));
    if (b->failed || hash.failed) {
        ens_buf_fini(&hash);
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    }
    memcpy(b->data + HASH_OFFSET, hash.data, 8);
    ens_buf_fini(&hash);
    return ENS_OK;
}

static enum ens_status damaged(struct ens_error *err, uint64_t byte)
{
    return ens_fail(err, ENS_EINPUT, "byte %" PRIu64 ": damaged columnar file",
                    byte);
}

/* The hash is over a header whose own 8 bytes are zero: hence the copy. */
static enum ens_status check_hash(const unsigned char *p, uint64_t n,
                                  struct ens_error *err)
{
    struct ens_buf b = ENS_BUF_INIT;
    struct ens_cursor c = ens_cursor(p + HASH_OFFSET, 8);
    uint64_t hash = ens_cursor_u64(&c);
    uint64_t found = 0;
    int failed;

    ens_buf_put(&b, p, (size_t)n);
    failed = b.failed;
    if (!failed) {
        memset(b.data + HASH_OFFSET, 0, 8);
        found = ens_hash64(b.data, b.len);
    }
    ens_buf_fini(&b);
    if (failed)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    return found == hash ? ENS_OK : damaged(err, HASH_OFFSET);
}

static enum ens_status read_column(struct ens_table_column *col,
                                   struct ens_cursor *c,
                                   const struct ens_table_head *h,
                                   const unsigned char *p, uint64_t i)
{
    uint32_t type = ens_cursor_u32(c);
    uint64_t n = ens_cursor_u32(c);
    uint64_t name = ens_cursor_u64(c);
    uint64_t bytes = h->n_rows * VALUE_BYTES;

    col->n_missing = ens_cursor_u64(c);
    col->offset = ens_cursor_u64(c);
    if (c->bad || type > 1 || name > h->header_bytes ||
        n >= h->header_bytes - name || p[name + n] != '\0' ||
        memchr(p + name, '\0', (size_t)n) != NULL ||
        col->offset != h->header_bytes + i * bytes ||
        col->n_missing > h->n_rows)
        return ENS_EINPUT;
    col->dtype = type == 1 ? ENS_DT_I64 : ENS_DT_F64;
    col->name = (const char *)p + name;
    return ENS_OK;
}

static int fits(const struct ens_table_head *h, uint64_t n)
{
    uint64_t bytes;

    return h->header_bytes % 64 == 0 && h->header_bytes >= HEAD_BYTES &&
           h->header_bytes <= n &&
           h->n_columns <= (h->header_bytes - HEAD_BYTES) / ROW_BYTES &&
           !__builtin_mul_overflow(h->n_rows, (uint64_t)VALUE_BYTES, &bytes) &&
           !__builtin_mul_overflow(bytes, h->n_columns, &bytes) &&
           n - h->header_bytes == bytes;
}

enum ens_status ens_columnar_parse(struct ens_table_head *h, const void *p,
                                   uint64_t n, struct ens_arena *arena,
                                   struct ens_error *err)
{
    struct ens_cursor c = ens_cursor(p, (size_t)n);
    struct ens_table_head r = {.n_rows = 0};
    enum ens_status s;

    if (n < HEAD_BYTES || !ens_columnar_is(p, (size_t)n))
        return damaged(err, 0);
    ens_cursor_bytes(&c, sizeof(magic));
    if (ens_cursor_u32(&c) != VERSION || ens_cursor_u32(&c) != 0)
        return damaged(err, 8);
    r.header_bytes = ens_cursor_u64(&c);
    r.n_rows = ens_cursor_u64(&c);
    r.n_columns = ens_cursor_u64(&c);
    r.digest.low = ens_cursor_u64(&c);
    r.digest.high = ens_cursor_u64(&c);
    r.options_hash = ens_cursor_u64(&c);
    if (!fits(&r, n))
        return damaged(err, 16);
    s = check_hash(p, r.header_bytes, err);
    if (s != ENS_OK)
        return s;
    r.column = ens_arena_alloc(arena, (size_t)r.n_columns, sizeof(*r.column));
    if (r.column == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    c = ens_cursor((const char *)p + HEAD_BYTES,
                   (size_t)(r.n_columns * ROW_BYTES));
    for (uint64_t i = 0; i < r.n_columns; i++)
        if (read_column(&r.column[i], &c, &r, p, i) != ENS_OK)
            return damaged(err, HEAD_BYTES + i * ROW_BYTES);
    *h = r;
    return ENS_OK;
}

/* -- as an input format -------------------------------------------------- */

static void fill_column(struct ens_column *to, const struct ens_mapped *m,
                        const struct ens_table_column *c, uint64_t n_rows)
{
    to->name = c->name;
    to->n_missing = c->n_missing;
    to->view.data = (const char *)m->base + c->offset;
    to->view.dtype = c->dtype;
    to->view.swapped = __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__;
    to->view.ndim = 1;
    to->view.shape[0] = n_rows;
    to->view.strides[0] = VALUE_BYTES;
}

static enum ens_status open_columnar(struct ens_mapped *m,
                                     struct ens_opening *o,
                                     struct ens_error *err)
{
    struct ens_view *v = &m->input.view;
    struct ens_table_head h;
    enum ens_status s = ens_mapped_map(m, o->size, err);

    if (s == ENS_OK)
        s = ens_columnar_parse(&h, m->base, o->size, &m->arena, err);
    if (s != ENS_OK)
        return s;
    if (h.n_columns == 0)
        return damaged(err, 32);
    m->columns =
        ens_arena_alloc(&m->arena, (size_t)h.n_columns, sizeof(*m->columns));
    if (m->columns == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    for (uint64_t i = 0; i < h.n_columns; i++)
        fill_column(&m->columns[i], m, &h.column[i], h.n_rows);
    *v = m->columns[0].view;
    v->ndim = 2;
    v->shape[1] = h.n_columns;
    v->strides[1] = (int64_t)(h.n_rows * VALUE_BYTES);
    for (uint64_t i = 1; i < h.n_columns; i++)
        if (h.column[i].dtype != h.column[0].dtype)
            v->data = NULL;
    m->input.n_columns = h.n_columns;
    m->digest = h.digest;
    m->has_digest = 1;
    return ENS_OK;
}

static int probe(const struct ens_opening *o)
{
    return ens_columnar_is(o->head, o->n_head) &&
           o->spec->options.dtype == NULL;
}

const struct ens_format ens_format_columnar = {"columnar", probe,
                                               open_columnar};
