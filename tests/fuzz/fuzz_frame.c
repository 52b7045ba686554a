/* Frames and what is in them: RECORDS, SCHEMA and STAGE payloads. The first
 * byte chooses the reader, so that the hash of a frame does not keep wild
 * payloads away from it. */
#include "base/buf.h"
#include "record/frame.h"
#include "record/record.h"
#include "record/schema.h"
#include "record/stage.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int ok)
{
    if (!ok)
        abort();
}

static volatile unsigned sink;

static void touch(const unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sink += p[i];
}

static void use_record(const struct ens_record *r)
{
    struct ens_item_view item;
    struct ens_artifact_ref ref;
    size_t at = 0, n;
    int missing;

    touch(r->fields, 8 * r->n_fields);
    for (size_t i = 0; i < r->n_fields && i < 4; i++) {
        const char *text = ens_record_text(r, i, &n);

        touch((const unsigned char *)text, text == NULL ? 0 : n);
        ens_record_i64(r, i, &missing);
    }
    while (ens_item_next(r, &at, &item)) {
        touch(item.bytes, item.length);
        if (ens_artifact_ref_read(&item, &ref))
            touch((const unsigned char *)ref.name, ref.name_bytes);
    }
    check(at <= r->items_bytes);
    for (size_t i = 0; i <= ENS_MAX_LAPS; i++)
        sink += ens_record_lap(r, i) > 0;
    ens_record_result_hash(r);
}

static void use_records(const uint8_t *data, size_t n)
{
    struct ens_batch b;
    struct ens_record r;
    struct ens_error err;

    if (ens_batch_read(&b, data, n, &err) != ENS_OK)
        return;
    for (uint32_t i = 0; i < b.n; i++) {
        ens_batch_get(&b, i, &r);
        check(r.status < ENS_N_OUTCOMES && r.replicate >= 1);
        use_record(&r);
    }
}

static void use_schema(const uint8_t *data, size_t n)
{
    struct ens_schemas s = ENS_SCHEMAS_INIT;
    struct ens_buf b = ENS_BUF_INIT;
    struct ens_error err;
    size_t i;

    if (ens_schemas_add_encoded(&s, data, n, &i, &err) == ENS_OK) {
        ens_schema_encode(s.item[i], &b);
        check(b.len == n && memcmp(b.data, data, n) == 0);
    }
    ens_buf_fini(&b);
    ens_schemas_fini(&s);
}

static void use_stage(const uint8_t *data, size_t n)
{
    struct ens_stage s, again;
    struct ens_buf b = ENS_BUF_INIT;
    struct ens_error err;
    uint64_t cell, n_tasks;
    uint32_t replicate;

    if (ens_stage_decode(&s, data, n, &err) != ENS_OK)
        return;
    n_tasks = ens_stage_n_tasks(&s);
    if (n_tasks > 0) {
        ens_stage_task(&s, n_tasks - 1, &cell, &replicate);
        check(ens_stage_place(&s, cell, replicate) == n_tasks - 1);
    }
    ens_stage_encode(&s, &b);
    check(ens_stage_decode(&again, b.data, b.len, &err) == ENS_OK);
    check(ens_stage_n_tasks(&again) == n_tasks);
    ens_stage_fini(&again);
    ens_stage_fini(&s);
    ens_buf_fini(&b);
}

static void use_frames(const uint8_t *data, size_t n)
{
    struct ens_frame f;

    while (ens_frame_read(&f, data, n, 1) == ENS_FRAME_GOOD) {
        check(f.total_bytes <= n && f.total_bytes <= ENS_FRAME_MAX);
        touch(f.payload, f.length);
        if (f.type == ENS_FRAME_RECORDS)
            use_records(f.payload, f.length);
        data += f.total_bytes;
        n -= f.total_bytes;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const use[])(const uint8_t *, size_t) = {
        use_frames, use_records, use_schema, use_stage};

    if (size > 0)
        use[data[0] % 4](data + 1, size - 1);
    return 0;
}
