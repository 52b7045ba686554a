#include "input/columnar.h"

#include "input/format.h"
#include "input/mapped.h"

#include <inttypes.h>
#include <string.h>

#define VERSION     2u
#define HEAD_BYTES  128u
#define ROW_BYTES   48u
#define HASH_OFFSET 64u
#define VALUE_BYTES 8u

static const char magic[8] = {'E', 'N', 'S', 'R', 'T', 'A', 'B', '\n'};

int ens_columnar_is(const void *p, size_t n)
{
    return n >= sizeof(magic) && memcmp(p, magic, sizeof(magic)) == 0;
}

/* n_rows < 2^60 */
uint64_t ens_columnar_column_bytes(const struct ens_table_head *h,
                                   const struct ens_table_column *c)
{
    return c->dtype == ENS_DT_I32 ? (h->n_rows + 1) / 2 * VALUE_BYTES
                                  : h->n_rows * VALUE_BYTES;
}

/* Offsets of everything behind the header. -1: too large for a file. */
static int place_data(struct ens_table_head *h)
{
    uint64_t at = h->header_bytes;

    if (h->n_rows >= (uint64_t)1 << 60)
        return -1;
    for (uint64_t i = 0; i < h->n_columns; i++) {
        h->column[i].offset = at;
        if (__builtin_add_overflow(
                at, ens_columnar_column_bytes(h, &h->column[i]), &at))
            return -1;
    }
    for (uint64_t i = 0; i < h->n_columns; i++) {
        struct ens_table_column *c = &h->column[i];

        c->levels_at = c->dtype == ENS_DT_I32 ? at : 0;
        if (c->dtype == ENS_DT_I32 &&
            __builtin_add_overflow(at, (uint64_t)c->levels_bytes, &at))
            return -1;
    }
    h->file_bytes = at;
    return at > INT64_MAX ? -1 : 0;
}

static enum ens_status place_columns(struct ens_table_head *h,
                                     struct ens_error *err)
{
    uint64_t names = 0;

    for (uint64_t i = 0; i < h->n_columns; i++)
        names += strlen(h->column[i].name) + 1;
    h->header_bytes = HEAD_BYTES + ROW_BYTES * h->n_columns + names;
    h->header_bytes = (h->header_bytes + 63) & ~(uint64_t)63;
    if (place_data(h) != 0)
        return ens_fail(err, ENS_EINPUT,
                        "%" PRIu64 " rows of %" PRIu64 " columns: too large",
                        h->n_rows, h->n_columns);
    return ENS_OK;
}

static void put_row(struct ens_buf *b, const struct ens_table_column *c,
                    uint64_t name)
{
    ens_buf_u32(b, c->dtype == ENS_DT_I32 ? 2 : c->dtype == ENS_DT_I64);
    ens_buf_u32(b, (uint32_t)strlen(c->name));
    ens_buf_u64(b, name);
    ens_buf_u64(b, c->n_missing);
    ens_buf_u64(b, c->offset);
    ens_buf_u64(b, c->levels_at);
    ens_buf_u32(b, c->levels_bytes);
    ens_buf_u32(b, c->n_levels);
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
    ens_buf_u64(b, 0); /* the hash, so far */
    ens_buf_u64(b, h->file_bytes);
    ens_buf_align(b, HEAD_BYTES);
    for (uint64_t i = 0; i < h->n_columns; i++) {
        put_row(b, &h->column[i], name);
        name += strlen(h->column[i].name) + 1;
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

/* A row of the head; where its data must be is checked when all are known. */
static enum ens_status read_column(struct ens_table_column *col,
                                   struct ens_cursor *c,
                                   const struct ens_table_head *h,
                                   const unsigned char *p)
{
    static const enum ens_dtype dtypes[] = {ENS_DT_F64, ENS_DT_I64, ENS_DT_I32};
    uint32_t type = ens_cursor_u32(c);
    uint64_t n = ens_cursor_u32(c);
    uint64_t name = ens_cursor_u64(c);

    col->n_missing = ens_cursor_u64(c);
    col->offset = ens_cursor_u64(c);
    col->levels_at = ens_cursor_u64(c);
    col->levels_bytes = ens_cursor_u32(c);
    col->n_levels = ens_cursor_u32(c);
    if (c->bad || type > 2 || name > h->header_bytes ||
        n >= h->header_bytes - name || p[name + n] != '\0' ||
        memchr(p + name, '\0', (size_t)n) != NULL ||
        col->n_missing > h->n_rows || col->n_levels > col->levels_bytes ||
        (type != 2 && (col->levels_bytes != 0 || col->levels_at != 0)))
        return ENS_EINPUT;
    col->dtype = dtypes[type];
    col->name = (const char *)p + name;
    return ENS_OK;
}

/* As many texts as there are levels, each ended. */
static int has_levels(const struct ens_table_column *c, const unsigned char *p)
{
    const unsigned char *at = p + c->levels_at;
    const unsigned char *end = at + c->levels_bytes;

    for (uint32_t i = 0; i < c->n_levels; i++) {
        at = memchr(at, '\0', (size_t)(end - at));
        if (at == NULL)
            return 0;
        at++;
    }
    return at == end;
}

/* Is every column, and are its levels, where build would put them? */
static int are_placed(const struct ens_table_head *h, const unsigned char *p,
                      uint64_t n, struct ens_arena *arena)
{
    struct ens_table_head want = *h;

    want.column =
        ens_arena_alloc(arena, (size_t)h->n_columns, sizeof(*want.column));
    if (want.column == NULL)
        return -1;
    if (h->n_columns > 0)
        memcpy(want.column, h->column,
               (size_t)h->n_columns * sizeof(*want.column));
    if (place_data(&want) != 0 || want.file_bytes != n)
        return 0;
    for (uint64_t i = 0; i < h->n_columns; i++)
        if (want.column[i].offset != h->column[i].offset ||
            want.column[i].levels_at != h->column[i].levels_at ||
            !has_levels(&h->column[i], p))
            return 0;
    return 1;
}

static int fits(const struct ens_table_head *h, uint64_t n)
{
    return h->header_bytes % 64 == 0 && h->header_bytes >= HEAD_BYTES &&
           h->header_bytes <= n &&
           h->n_columns <= (h->header_bytes - HEAD_BYTES) / ROW_BYTES;
}

static enum ens_status read_columns(struct ens_table_head *r,
                                    const unsigned char *p, uint64_t n,
                                    struct ens_arena *arena,
                                    struct ens_error *err)
{
    struct ens_cursor c =
        ens_cursor(p + HEAD_BYTES, (size_t)(r->n_columns * ROW_BYTES));
    int placed;

    r->column =
        ens_arena_alloc(arena, (size_t)r->n_columns, sizeof(*r->column));
    if (r->column == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    for (uint64_t i = 0; i < r->n_columns; i++)
        if (read_column(&r->column[i], &c, r, p) != ENS_OK)
            return damaged(err, HEAD_BYTES + i * ROW_BYTES);
    placed = are_placed(r, p, n, arena);
    if (placed < 0)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    return placed ? ENS_OK : damaged(err, HEAD_BYTES);
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
    ens_cursor_u64(&c); /* the hash */
    r.file_bytes = ens_cursor_u64(&c);
    if (!fits(&r, n) || r.file_bytes != n)
        return damaged(err, 16);
    s = check_hash(p, r.header_bytes, err);
    if (s != ENS_OK)
        return s;
    s = read_columns(&r, p, n, arena, err);
    if (s == ENS_OK)
        *h = r;
    return s;
}

/* -- as an input format -------------------------------------------------- */

static enum ens_status fill_column(struct ens_column *to, struct ens_mapped *m,
                                   const struct ens_table_column *c,
                                   uint64_t n_rows, struct ens_error *err)
{
    const char *text = (const char *)m->base + c->levels_at;
    const char **level = NULL;

    to->name = c->name;
    to->n_missing = c->n_missing;
    to->view.data = (const char *)m->base + c->offset;
    to->view.dtype = c->dtype;
    to->view.swapped = __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__;
    to->view.ndim = 1;
    to->view.shape[0] = n_rows;
    to->view.strides[0] = (int64_t)ens_dtype_bytes(c->dtype);
    if (c->dtype != ENS_DT_I32)
        return ENS_OK;
    level = ens_arena_alloc(&m->arena, (size_t)c->n_levels + 1, sizeof(*level));
    if (level == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    for (uint32_t i = 0; i < c->n_levels; i++, text += strlen(text) + 1)
        level[i] = text;
    to->levels = level;
    to->n_levels = c->n_levels;
    return ENS_OK;
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
    for (uint64_t i = 0; i < h.n_columns && s == ENS_OK; i++)
        s = fill_column(&m->columns[i], m, &h.column[i], h.n_rows, err);
    if (s != ENS_OK)
        return s;
    *v = m->columns[0].view;
    v->ndim = 2;
    v->shape[1] = h.n_columns;
    v->strides[1] = (int64_t)ens_columnar_column_bytes(&h, &h.column[0]);
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
