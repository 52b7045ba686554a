/* Drafts and the packer: the writing side of record.h. Called once per task,
 * so nothing here allocates once its buffers have grown. */
#include "record/record.h"

#include "base/bug.h"
#include "record/little.h"
#include "record/schema.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NAN_BITS 0x7ff8000000000000u /* one NaN, so that bytes are equal */

/* Room that warnings, texts and the error leave to what comes after them. */
#define ROOM_WARNING 20480u
#define ROOM_TEXT    16384u
#define ROOM_ERROR   8192u

void ens_draft_fini(struct ens_draft *d)
{
    free(d->field);
    ens_buf_fini(&d->items);
    memset(d, 0, sizeof(*d));
}

static uint64_t missing_word(enum ens_field_type t)
{
    if (t == ENS_F64)
        return NAN_BITS;
    return t == ENS_I64 ? (uint64_t)ENS_I64_MISSING : 0;
}

static size_t n_fields(const struct ens_schema *s)
{
    return s == NULL ? 0 : s->n;
}

static void clear_fields(struct ens_draft *d)
{
    for (size_t i = 0; i < n_fields(d->schema); i++)
        d->field[i] = missing_word(d->schema->field[i].type);
}

enum ens_status ens_draft_begin(struct ens_draft *d,
                                const struct ens_schema *schema)
{
    size_t n = n_fields(schema);

    ENS_BUG_ON(n > ENS_SCHEMA_MAX_FIELDS);
    if (n > d->field_cap) {
        uint64_t *p = realloc(d->field, n * sizeof(*p));

        if (p == NULL)
            return ENS_ENOMEMORY;
        d->field = p;
        d->field_cap = n;
    }
    d->schema = schema;
    d->status = ENS_TASK_OK;
    ens_buf_clear(&d->items);
    clear_fields(d);
    return ENS_OK;
}

void ens_draft_f64(struct ens_draft *d, size_t i, double v)
{
    ENS_BUG_ON(i >= n_fields(d->schema) || d->schema->field[i].type != ENS_F64);
    if (isnan(v))
        d->field[i] = NAN_BITS;
    else
        memcpy(&d->field[i], &v, 8);
}

void ens_draft_i64(struct ens_draft *d, size_t i, int64_t v)
{
    ENS_BUG_ON(i >= n_fields(d->schema) || d->schema->field[i].type != ENS_I64);
    d->field[i] = (uint64_t)v;
}

/* Appends head and room for n bytes; NULL when out of memory. */
static unsigned char *add_item(struct ens_draft *d, enum ens_item type,
                               uint16_t index, size_t n)
{
    size_t padded = (n + 7) & ~(size_t)7;
    unsigned char *to = ens_buf_reserve(&d->items, ENS_ITEM_HEAD + padded);

    if (to == NULL)
        return NULL;
    memset(to + ENS_ITEM_HEAD + n, 0, padded - n);
    to[0] = (unsigned char)type;
    to[1] = 0;
    ens_put16(to + 2, index);
    ens_put32(to + 4, (uint32_t)n);
    d->items.len += ENS_ITEM_HEAD + padded;
    return to + ENS_ITEM_HEAD;
}

/* Bytes of content that an item of this type may still have; -1: none, not
 * even an empty one. */
static long room(const struct ens_draft *d, enum ens_item type)
{
    size_t used = ENS_RECORD_HEAD + 8 * n_fields(d->schema) + d->items.len;
    size_t keep = type == ENS_ITEM_WARNING ? ROOM_WARNING
                  : type == ENS_ITEM_TEXT  ? ROOM_TEXT
                  : type == ENS_ITEM_ERROR ? ROOM_ERROR
                                           : 0;

    return (long)ENS_RECORD_MAX - (long)keep - (long)used - (long)ENS_ITEM_HEAD;
}

static int is_text(enum ens_item type)
{
    return type == ENS_ITEM_TEXT || type == ENS_ITEM_ERROR ||
           type == ENS_ITEM_WARNING;
}

/* The largest m <= n at which s may be cut between UTF-8 characters. */
static size_t cut_at(const unsigned char *s, size_t n)
{
    size_t m = n;

    while (m > 0 && n - m < 3 && (s[m] & 0xc0) == 0x80)
        m--;
    return (s[m] & 0xc0) == 0x80 ? n : m;
}

void ens_draft_item(struct ens_draft *d, enum ens_item type, uint16_t index,
                    const void *p, size_t n)
{
    long most = room(d, type);
    unsigned char *to;

    if (most >= 0 && n <= (size_t)most) {
        to = add_item(d, type, index, n);
        if (to != NULL && n > 0)
            memcpy(to, p, n);
        return;
    }
    if (!is_text(type)) {
        d->items.failed = 1;
        return;
    }
    if (type == ENS_ITEM_WARNING && most < 3)
        return; /* the ones before it say enough */
    most = most < 3 ? 0 : (long)cut_at(p, (size_t)most - 3);
    if (room(d, ENS_ITEM_BLOCK) < most + 3) { /* thousands of texts */
        d->items.failed = 1;
        return;
    }
    to = add_item(d, type, index, (size_t)most + 3);
    if (to == NULL)
        return;
    memcpy(to, p, (size_t)most);
    memcpy(to + most, "...", 3);
}

void ens_draft_artifact(struct ens_draft *d, const struct ens_artifact_ref *ref)
{
    size_t n = ENS_ARTIFACT_HEAD + ref->name_bytes;
    long most = room(d, ENS_ITEM_ARTIFACT);
    unsigned char *to;

    if (most < 0 || ref->name_bytes > ENS_RECORD_MAX || n > (size_t)most) {
        d->items.failed = 1;
        return;
    }
    to = add_item(d, ENS_ITEM_ARTIFACT, 0, n);
    if (to == NULL)
        return;
    ens_put64(to, ref->slot);
    ens_put64(to + 8, ref->offset);
    ens_put64(to + 16, ref->length);
    ens_put64(to + 24, ref->hash);
    memcpy(to + ENS_ARTIFACT_HEAD, ref->name, ref->name_bytes);
}

void ens_draft_block(struct ens_draft *d, const char *array, uint64_t digest)
{
    size_t n = strlen(array);
    long most = room(d, ENS_ITEM_BLOCK);
    unsigned char *to;

    if (most < 0 || n > ENS_RECORD_MAX || n + 8 > (size_t)most) {
        d->items.failed = 1;
        return;
    }
    to = add_item(d, ENS_ITEM_BLOCK, 0, n + 8);
    if (to == NULL)
        return;
    ens_put64(to, digest);
    memcpy(to + 8, array, n);
}

void ens_draft_laps(struct ens_draft *d, const double *seconds, size_t n)
{
    unsigned char *to;

    if (room(d, ENS_ITEM_LAPS) < (long)(4 * ENS_MAX_LAPS))
        return;
    to = add_item(d, ENS_ITEM_LAPS, 0, 4 * n);
    for (size_t i = 0; to != NULL && i < n; i++) {
        float s = (float)seconds[i];
        uint32_t word;

        memcpy(&word, &s, 4);
        ens_put32(to + 4 * i, word);
    }
}

/* Warnings alone, or all but them. */
static void keep_items(struct ens_draft *d, int warnings)
{
    struct ens_record r = {0};
    struct ens_item_view item;
    size_t at = 0, kept = 0;

    r.items = d->items.data;
    r.items_bytes = d->items.len;
    for (size_t from = 0; ens_item_next(&r, &at, &item); from = at)
        if ((item.type == ENS_ITEM_WARNING) == warnings) {
            memmove(d->items.data + kept, d->items.data + from, at - from);
            kept += at - from;
        }
    d->items.len = kept;
}

void ens_draft_forget_warnings(struct ens_draft *d)
{
    keep_items(d, 0);
}

void ens_draft_fail(struct ens_draft *d, enum ens_outcome status,
                    const char *error)
{
    keep_items(d, 1);
    d->items.failed = 0;
    d->status = status;
    clear_fields(d);
    if (error != NULL && error[0] != '\0')
        ens_draft_item(d, ENS_ITEM_ERROR, 0, error, strlen(error));
}

void ens_packer_fini(struct ens_packer *p)
{
    ens_buf_fini(&p->records);
    ens_buf_fini(&p->items);
    p->schema = NULL;
    p->n = 0;
}

static int same_schema(const struct ens_schema *a, const struct ens_schema *b)
{
    if (a == b)
        return 1;
    return a != NULL && b != NULL && a->hash == b->hash && a->n == b->n;
}

static size_t payload_bytes(const struct ens_packer *p)
{
    return ENS_RECORDS_HEAD + p->records.len + p->items.len;
}

int ens_packer_fits(const struct ens_packer *p, const struct ens_draft *d)
{
    if (p->n == 0)
        return 1;
    return same_schema(p->schema, d->schema) &&
           payload_bytes(p) + ENS_RECORD_HEAD + 8 * n_fields(d->schema) +
                   d->items.len <=
               ENS_FRAME_PAYLOAD_MAX;
}

void ens_packer_add(struct ens_packer *p, const struct ens_draft *d)
{
    size_t n = n_fields(d->schema);
    size_t bytes = ENS_RECORD_HEAD + 8 * n;
    unsigned char *to = ens_buf_reserve(&p->records, bytes);
    uint64_t seconds;

    ENS_BUG_ON(bytes + d->items.len > ENS_RECORD_MAX || d->replicate == 0);
    if (to == NULL)
        return;
    if (p->n == 0)
        p->schema = d->schema;
    memcpy(&seconds, &d->seconds, 8);
    ens_put64(to, d->cell);
    ens_put32(to + 8, d->replicate);
    to[12] = (unsigned char)d->status;
    to[13] = (unsigned char)(d->attempts < 255 ? d->attempts : 255);
    ens_put16(to + 14, (uint16_t)(d->worker < 65535 ? d->worker : 65535));
    ens_put32(to + 16, (uint32_t)p->items.len);
    ens_put32(to + 20, (uint32_t)d->items.len);
    ens_put64(to + 24, seconds);
    for (size_t i = 0; i < n; i++)
        ens_put64(to + ENS_RECORD_HEAD + 8 * i, d->field[i]);
    ens_buf_put(&p->items, d->items.data, d->items.len);
    p->records.len += bytes;
    p->n++;
}

size_t ens_packer_bytes(const struct ens_packer *p)
{
    return p->n == 0 ? 0 : ens_frame_bytes(payload_bytes(p));
}

static void put_payload(const struct ens_packer *p, unsigned char *to)
{
    ens_put64(to, p->stage);
    ens_put64(to + 8, p->schema == NULL ? 0 : p->schema->hash);
    ens_put32(to + 16, p->n);
    ens_put32(to + 20, (uint32_t)(ENS_RECORD_HEAD + 8 * n_fields(p->schema)));
    ens_put32(to + 24, p->round);
    ens_put32(to + 28, (uint32_t)p->items.len);
    to += ENS_RECORDS_HEAD;
    memcpy(to, p->records.data, p->records.len);
    if (p->items.len > 0)
        memcpy(to + p->records.len, p->items.data, p->items.len);
}

void ens_packer_flush(struct ens_packer *p, struct ens_buf *out, uint16_t slot,
                      uint32_t incarnation, uint64_t seq, uint64_t run_id)
{
    unsigned char *to;

    if (p->records.failed || p->items.failed)
        out->failed = 1; /* some record is not in it: do not use the rest */
    else if (p->n > 0) {
        to = ens_frame_begin(out, ENS_FRAME_RECORDS, slot, incarnation, seq,
                             payload_bytes(p));
        if (to != NULL) {
            put_payload(p, to);
            ens_frame_end(out, payload_bytes(p), run_id);
        }
    }
    ens_buf_clear(&p->records);
    ens_buf_clear(&p->items);
    p->n = 0;
}
