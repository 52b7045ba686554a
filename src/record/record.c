#include "record/record.h"

#include "base/bug.h"
#include "base/hash.h"
#include "record/little.h"

#include <math.h>
#include <string.h>

const char *ens_outcome_text(enum ens_outcome o)
{
    static const char *const text[] = {
#define TEXT(name, text) text,
        ENS_OUTCOME_LIST(TEXT)
#undef TEXT
    };
    size_t i = (size_t)o;

    return i < ENS_COUNT(text) ? text[i] : "unknown";
}

double ens_record_f64(const struct ens_record *r, const struct ens_schema *s,
                      size_t i)
{
    uint64_t word;
    double v;

    if (i >= r->n_fields || i >= s->n || s->field[i].type == ENS_TEXT)
        return NAN;
    word = ens_get64(r->fields + 8 * i);
    if (s->field[i].type == ENS_I64)
        return (int64_t)word == ENS_I64_MISSING ? NAN : (double)(int64_t)word;
    memcpy(&v, &word, 8);
    return v;
}

int64_t ens_record_i64(const struct ens_record *r, size_t i, int *missing)
{
    int64_t v = ENS_I64_MISSING;

    if (i < r->n_fields)
        v = (int64_t)ens_get64(r->fields + 8 * i);
    if (missing != NULL)
        *missing = v == ENS_I64_MISSING;
    return v;
}

const char *ens_record_text(const struct ens_record *r, size_t i, size_t *n)
{
    struct ens_item_view item;
    const unsigned char *found = NULL;
    size_t at = 0;

    *n = 0;
    while (ens_item_next(r, &at, &item))
        if (item.type == ENS_ITEM_TEXT && item.index == i) {
            found = item.bytes;
            *n = item.length;
        }
    return (const char *)found;
}

double ens_record_lap(const struct ens_record *r, size_t i)
{
    struct ens_item_view item;
    uint32_t word;
    float s;

    if (isnan(r->seconds) || r->items_bytes == 0 ||
        !ens_item_find(r, ENS_ITEM_LAPS, &item) || item.length / 4 <= i)
        return NAN;
    word = ens_get32(item.bytes + 4 * i);
    memcpy(&s, &word, 4);
    return nearbyint((double)s * 1e9) / 1e9; /* the clock's unit: short texts */
}

enum ens_status ens_batch_read(struct ens_batch *b, const void *payload,
                               size_t n, struct ens_error *err)
{
    const unsigned char *p = payload;
    struct ens_batch t;
    uint64_t records;

    if (n < ENS_RECORDS_HEAD)
        return ens_fail(err, ENS_ECORRUPT, "records: %zu bytes, head has %u", n,
                        ENS_RECORDS_HEAD);
    t.stage = ens_get64(p);
    t.schema = ens_get64(p + 8);
    t.n = ens_get32(p + 16);
    t.record_bytes = ens_get32(p + 20);
    t.round = ens_get32(p + 24);
    t.items_bytes = ens_get32(p + 28);
    records = (uint64_t)t.n * t.record_bytes;
    if (t.n == 0 || t.record_bytes < ENS_RECORD_HEAD ||
        t.record_bytes % 8 != 0 || t.items_bytes % 8 != 0 ||
        records > n - ENS_RECORDS_HEAD ||
        t.items_bytes != n - ENS_RECORDS_HEAD - records)
        return ens_fail(err, ENS_ECORRUPT,
                        "records: %u of %u bytes and %u bytes of items in a "
                        "payload of %zu",
                        t.n, t.record_bytes, t.items_bytes, n);
    t.records = p + ENS_RECORDS_HEAD;
    t.items = t.records + records;
    for (uint32_t i = 0; i < t.n; i++) {
        const unsigned char *r = t.records + (size_t)i * t.record_bytes;
        uint64_t at = ens_get32(r + 16), len = ens_get32(r + 20);

        if (ens_get32(r + 8) == 0 || r[12] >= ENS_N_OUTCOMES ||
            (at | len) % 8 != 0 || at + len > t.items_bytes)
            return ens_fail(err, ENS_ECORRUPT,
                            "records: record %u: replicate %u, status %u, "
                            "items at %llu to %llu of %u",
                            i, ens_get32(r + 8), r[12], (unsigned long long)at,
                            (unsigned long long)(at + len), t.items_bytes);
    }
    *b = t;
    return ENS_OK;
}

void ens_batch_get(const struct ens_batch *b, uint32_t i, struct ens_record *r)
{
    const unsigned char *p = b->records + (size_t)i * b->record_bytes;
    uint64_t seconds = ens_get64(p + 24);

    ENS_BUG_ON(i >= b->n);
    r->stage = b->stage;
    r->schema = b->schema;
    r->round = b->round;
    r->cell = ens_get64(p);
    r->replicate = ens_get32(p + 8);
    r->status = (enum ens_outcome)p[12];
    r->attempts = p[13];
    r->worker = ens_get16(p + 14);
    r->items = b->items + ens_get32(p + 16);
    r->items_bytes = ens_get32(p + 20);
    memcpy(&r->seconds, &seconds, 8);
    r->fields = p + ENS_RECORD_HEAD;
    r->n_fields = (b->record_bytes - ENS_RECORD_HEAD) / 8;
}

int ens_item_next(const struct ens_record *r, size_t *at,
                  struct ens_item_view *item)
{
    size_t left = *at < r->items_bytes ? r->items_bytes - *at : 0;
    const unsigned char *p;
    size_t padded;

    if (left < ENS_ITEM_HEAD)
        return 0;
    p = r->items + *at;
    padded = ((size_t)ens_get32(p + 4) + 7) & ~(size_t)7;
    if (padded > left - ENS_ITEM_HEAD)
        return 0;
    item->type = (enum ens_item)p[0];
    item->index = ens_get16(p + 2);
    item->length = ens_get32(p + 4);
    item->bytes = p + ENS_ITEM_HEAD;
    *at += ENS_ITEM_HEAD + padded;
    return 1;
}

int ens_item_find(const struct ens_record *r, enum ens_item type,
                  struct ens_item_view *item)
{
    struct ens_item_view v;
    size_t at = 0;

    while (ens_item_next(r, &at, &v))
        if (v.type == type) {
            *item = v;
            return 1;
        }
    return 0;
}

int ens_artifact_ref_read(const struct ens_item_view *item,
                          struct ens_artifact_ref *ref)
{
    const unsigned char *p = item->bytes;

    if (item->type != ENS_ITEM_ARTIFACT || item->length < ENS_ARTIFACT_HEAD)
        return 0;
    ref->slot = ens_get64(p);
    ref->offset = ens_get64(p + 8);
    ref->length = ens_get64(p + 16);
    ref->hash = ens_get64(p + 24);
    ref->name = (const char *)p + ENS_ARTIFACT_HEAD;
    ref->name_bytes = item->length - ENS_ARTIFACT_HEAD;
    return 1;
}

uint64_t ens_record_result_hash(const struct ens_record *r)
{
    uint64_t h = ens_hash64_pair(r->schema, (uint64_t)r->status);
    struct ens_item_view item;
    size_t at = 0;

    h = ens_hash64_seed(r->fields, 8 * r->n_fields, h);
    while (ens_item_next(r, &at, &item)) {
        const unsigned char *p = item.bytes;
        size_t n = item.length;

        if (item.type == ENS_ITEM_LAPS)
            continue;
        h = ens_hash64_seed(p - ENS_ITEM_HEAD, ENS_ITEM_HEAD, h);
        if (item.type == ENS_ITEM_ARTIFACT && n >= 16) {
            p += 16; /* slot and offset are facts of the run */
            n -= 16;
        }
        h = ens_hash64_seed(p, n, h);
    }
    return h;
}
