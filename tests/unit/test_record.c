#include "record/record.h"

#include "base/clock.h"
#include "record/schema.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUN 99u

static const struct ens_field fields[] = {{"x", ENS_F64, "", ""},
                                          {"n", ENS_I64, "", ""},
                                          {"note", ENS_TEXT, "", ""},
                                          {"y", ENS_F64, "", ""}};
static struct ens_schemas schemas = ENS_SCHEMAS_INIT;
static const struct ens_schema *schema;

static void setup(void)
{
    size_t i;

    ck_assert_int_eq(ens_schemas_add(&schemas, fields, 4, &i, NULL), ENS_OK);
    schema = schemas.item[i];
}

static void teardown(void)
{
    ens_schemas_fini(&schemas);
}

static void begin(struct ens_draft *d, uint64_t cell, uint32_t replicate)
{
    ck_assert_int_eq(ens_draft_begin(d, schema), ENS_OK);
    d->cell = cell;
    d->replicate = replicate;
    d->attempts = 2;
    d->worker = 7;
    d->seconds = 0.25;
}

/* Packs one draft alone and decodes it; out keeps the bytes. */
static void round_trip(const struct ens_draft *d, struct ens_buf *out,
                       struct ens_record *r)
{
    struct ens_packer p = {0};
    struct ens_frame f;
    struct ens_batch b;

    p.stage = 4;
    p.round = 1;
    ens_buf_clear(out);
    ck_assert(ens_packer_fits(&p, d));
    ens_packer_add(&p, d);
    ens_packer_flush(&p, out, 1, 2, 3, RUN);
    ck_assert(!out->failed);
    ck_assert_int_eq(ens_frame_read(&f, out->data, out->len, RUN),
                     ENS_FRAME_GOOD);
    ck_assert_int_eq(ens_batch_read(&b, f.payload, f.length, NULL), ENS_OK);
    ck_assert_uint_eq(b.n, 1);
    ens_batch_get(&b, 0, r);
    ens_packer_fini(&p);
}

START_TEST(record_reads_back)
{
    struct ens_draft d = {0};
    struct ens_buf out = ENS_BUF_INIT;
    struct ens_artifact_ref ref = {1, 2, 3, 4, "draws", 5}, got;
    struct ens_item_view item;
    struct ens_record r;
    const char *text;
    int missing;
    size_t n;

    begin(&d, 5, 6);
    ens_draft_f64(&d, 0, -1.5);
    ens_draft_i64(&d, 1, -42);
    ens_draft_item(&d, ENS_ITEM_TEXT, 2, "first", 5);
    ens_draft_item(&d, ENS_ITEM_TEXT, 2, "hello", 5);
    ens_draft_item(&d, ENS_ITEM_WARNING, 0, "slow", 4);
    ens_draft_artifact(&d, &ref);
    ens_draft_block(&d, "sum", 0xabc);
    round_trip(&d, &out, &r);
    ck_assert_uint_eq(r.stage, 4);
    ck_assert_uint_eq(r.schema, schema->hash);
    ck_assert_uint_eq(r.round, 1);
    ck_assert_uint_eq(r.cell, 5);
    ck_assert_uint_eq(r.replicate, 6);
    ck_assert_int_eq(r.status, ENS_TASK_OK);
    ck_assert_uint_eq(r.attempts, 2);
    ck_assert_uint_eq(r.worker, 7);
    ck_assert_double_eq(r.seconds, 0.25);
    ck_assert_uint_eq(r.n_fields, 4);
    ck_assert_double_eq(ens_record_f64(&r, schema, 0), -1.5);
    ck_assert_double_eq(ens_record_f64(&r, schema, 1), -42);
    ck_assert_double_nan(ens_record_f64(&r, schema, 2));
    ck_assert_double_nan(ens_record_f64(&r, schema, 3));
    ck_assert_double_nan(ens_record_f64(&r, schema, 4));
    ck_assert_int_eq(ens_record_i64(&r, 1, &missing), -42);
    ck_assert(!missing);
    ens_record_i64(&r, 9, &missing);
    ck_assert(missing);
    text = ens_record_text(&r, 2, &n);
    ck_assert_uint_eq(n, 5);
    ck_assert_mem_eq(text, "hello", 5);
    ck_assert_ptr_null(ens_record_text(&r, 0, &n));
    ck_assert(ens_item_find(&r, ENS_ITEM_ARTIFACT, &item));
    ck_assert(ens_artifact_ref_read(&item, &got));
    ck_assert_uint_eq(got.offset, 2);
    ck_assert_uint_eq(got.hash, 4);
    ck_assert_uint_eq(got.name_bytes, 5);
    ck_assert_mem_eq(got.name, "draws", 5);
    ck_assert(ens_item_find(&r, ENS_ITEM_BLOCK, &item));
    ck_assert_uint_eq(item.length, 11);
    ck_assert(!ens_artifact_ref_read(&item, &got));
    ck_assert(!ens_item_find(&r, ENS_ITEM_ERROR, &item));
    ens_buf_fini(&out);
    ens_draft_fini(&d);
    ens_draft_fini(&d);
}
END_TEST

START_TEST(laps_are_no_part_of_the_result)
{
    static const double seconds[] = {0.5, (double)NAN, 0.1};
    struct ens_draft d = {0};
    struct ens_buf out = ENS_BUF_INIT, with = ENS_BUF_INIT;
    struct ens_record r, timed;

    begin(&d, 5, 6);
    ens_draft_item(&d, ENS_ITEM_TEXT, 2, "hello", 5);
    round_trip(&d, &out, &r);
    ck_assert_double_nan(ens_record_lap(&r, 0));
    ens_draft_laps(&d, seconds, 3);
    round_trip(&d, &with, &timed);
    ck_assert_double_eq(ens_record_lap(&timed, 0), 0.5);
    ck_assert_double_nan(ens_record_lap(&timed, 1));
    ck_assert_double_eq(ens_record_lap(&timed, 2), 0.100000001); /* f32 */
    ck_assert_double_nan(ens_record_lap(&timed, 3));
    ck_assert_uint_eq(timed.items_bytes, r.items_bytes + 8 + 16);
    ck_assert(ens_record_result_hash(&r) == ens_record_result_hash(&timed));
    timed.seconds = (double)NAN; /* facts are not to be seen */
    ck_assert_double_nan(ens_record_lap(&timed, 0));
    ens_buf_fini(&out);
    ens_buf_fini(&with);
    ens_draft_fini(&d);
}
END_TEST

START_TEST(laps_give_way_in_a_full_record)
{
    struct ens_draft d = {0};
    struct ens_buf out = ENS_BUF_INIT;
    struct ens_record r;
    double lap = 1;
    size_t n;

    begin(&d, 1, 1);
    while (ENS_RECORD_HEAD + 4 * 8 + d.items.len + 24 <= ENS_RECORD_MAX)
        ens_draft_block(&d, "a", 1);
    n = d.items.len;
    ens_draft_laps(&d, &lap, 1);
    ck_assert_uint_eq(d.items.len, n);
    ck_assert(!d.items.failed);
    round_trip(&d, &out, &r);
    ck_assert_double_nan(ens_record_lap(&r, 0));
    ens_buf_fini(&out);
    ens_draft_fini(&d);
}
END_TEST

START_TEST(failed_task_keeps_error_and_warnings_only)
{
    struct ens_draft d = {0};
    struct ens_buf out = ENS_BUF_INIT;
    struct ens_item_view item;
    struct ens_record r;
    size_t at = 0;

    begin(&d, 5, 6);
    ens_draft_f64(&d, 0, 1);
    ens_draft_i64(&d, 1, 2);
    ens_draft_item(&d, ENS_ITEM_TEXT, 2, "hello", 5);
    ens_draft_item(&d, ENS_ITEM_WARNING, 0, "slow", 4);
    ens_draft_block(&d, "sum", 1);
    ens_draft_item(&d, ENS_ITEM_WARNING, 0, "slower", 6);
    ens_draft_fail(&d, ENS_TASK_FAILED, "it broke");
    round_trip(&d, &out, &r);
    ck_assert_int_eq(r.status, ENS_TASK_FAILED);
    ck_assert_double_nan(ens_record_f64(&r, schema, 0));
    ck_assert_double_nan(ens_record_f64(&r, schema, 1));
    ck_assert(ens_item_next(&r, &at, &item));
    ck_assert_int_eq(item.type, ENS_ITEM_WARNING);
    ck_assert_uint_eq(item.length, 4);
    ck_assert(ens_item_next(&r, &at, &item));
    ck_assert_mem_eq(item.bytes, "slower", 6);
    ck_assert(ens_item_next(&r, &at, &item));
    ck_assert_int_eq(item.type, ENS_ITEM_ERROR);
    ck_assert_mem_eq(item.bytes, "it broke", 8);
    ck_assert(!ens_item_next(&r, &at, &item));
    /* the draft is as new again */
    begin(&d, 5, 7);
    round_trip(&d, &out, &r);
    ck_assert_int_eq(r.status, ENS_TASK_OK);
    ck_assert_uint_eq(r.items_bytes, 0);
    ens_buf_fini(&out);
    ens_draft_fini(&d);
}
END_TEST

START_TEST(long_texts_are_cut_at_a_character)
{
    struct ens_draft d = {0};
    struct ens_buf out = ENS_BUF_INIT;
    struct ens_artifact_ref ref = {1, 2, 3, 4, "draws", 5};
    struct ens_item_view item;
    struct ens_record r;
    size_t n, size = 200000;
    char *long_text = malloc(size);
    const char *text;

    for (size_t i = 0; i < size; i++) /* two-byte characters */
        long_text[i] = (char)(i % 2 == 0 ? 0xc3 : 0xa9);
    for (size_t shift = 0; shift < 2; shift++) {
        begin(&d, 1, 1);
        for (int i = 0; i < 20; i++)
            ens_draft_item(&d, ENS_ITEM_WARNING, 0, long_text, 6000);
        ens_draft_item(&d, ENS_ITEM_TEXT, 2, long_text + shift, size - shift);
        for (int i = 0; i < 50; i++)
            ens_draft_artifact(&d, &ref);
        ck_assert(!d.items.failed);
        round_trip(&d, &out, &r);
        text = ens_record_text(&r, 2, &n);
        ck_assert_uint_gt(n, 1000);
        ck_assert_mem_eq(text + n - 3, "...", 3);
        ck_assert_uint_eq((unsigned char)text[n - 4], 0xa9);
        ens_draft_fail(&d, ENS_TASK_FAILED, "why");
        round_trip(&d, &out, &r);
        ck_assert(ens_item_find(&r, ENS_ITEM_ERROR, &item));
        ck_assert_uint_eq(item.length, 3);
    }
    begin(&d, 1, 1);
    for (int i = 0; i < 2000; i++)
        ens_draft_artifact(&d, &ref);
    ck_assert(d.items.failed);
    ens_draft_fail(&d, ENS_TASK_FAILED, "too many artifacts");
    ck_assert(!d.items.failed);
    free(long_text);
    ens_buf_fini(&out);
    ens_draft_fini(&d);
}
END_TEST

START_TEST(frames_fill_up_and_no_record_is_lost)
{
    struct ens_draft d = {0};
    struct ens_packer p = {0};
    struct ens_buf out = ENS_BUF_INIT;
    uint32_t written = 0, seen = 0;
    size_t at = 0;

    for (uint64_t seq = 0; written < 10000; written++) {
        begin(&d, 1, written + 1);
        ens_draft_i64(&d, 1, written);
        if (written % 3 == 0)
            ens_draft_item(&d, ENS_ITEM_TEXT, 2, "0123456789abcdef",
                           written % 17);
        if (!ens_packer_fits(&p, &d)) {
            ck_assert_uint_gt(ens_packer_bytes(&p), ENS_FRAME_MAX - 200);
            ens_packer_flush(&p, &out, 0, 0, seq++, RUN);
        }
        ens_packer_add(&p, &d);
    }
    ens_packer_flush(&p, &out, 0, 0, 0, RUN);
    ck_assert_uint_eq(ens_packer_bytes(&p), 0);
    while (at < out.len) {
        struct ens_frame f;
        struct ens_batch b;
        struct ens_record r;

        ck_assert_int_eq(ens_frame_read(&f, out.data + at, out.len - at, RUN),
                         ENS_FRAME_GOOD);
        ck_assert_int_eq(ens_batch_read(&b, f.payload, f.length, NULL), ENS_OK);
        for (uint32_t i = 0; i < b.n; i++, seen++) {
            size_t n;

            ens_batch_get(&b, i, &r);
            ck_assert_uint_eq(r.replicate, seen + 1);
            ck_assert_int_eq(ens_record_i64(&r, 1, NULL), seen);
            ck_assert_int_eq(ens_record_text(&r, 2, &n) != NULL, seen % 3 == 0);
            ck_assert_uint_eq(n, seen % 3 == 0 ? seen % 17 : 0);
        }
        at += f.total_bytes;
    }
    ck_assert_uint_eq(seen, written);
    ens_buf_fini(&out);
    ens_draft_fini(&d);
    ens_packer_fini(&p);
}
END_TEST

START_TEST(another_schema_needs_another_frame)
{
    struct ens_draft d = {0};
    struct ens_packer p = {0};

    begin(&d, 1, 1);
    ens_packer_add(&p, &d);
    ck_assert(ens_packer_fits(&p, &d));
    ck_assert_int_eq(ens_draft_begin(&d, NULL), ENS_OK);
    ck_assert(!ens_packer_fits(&p, &d));
    ens_draft_fini(&d);
    ens_packer_fini(&p);
}
END_TEST

static void put32(unsigned char *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (unsigned char)(v >> (8 * i));
}

/* {offset in the payload, value of the u32 there} */
static const uint32_t wrong[][2] = {
    {16, 0},          /* no records */
    {16, 3},          /* more than there are */
    {16, 0xffffffff}, /* overflow */
    {20, 24},         /* shorter than a head */
    {20, 63},         /* not a multiple of 8 */
    {20, 0xfffffff8},
    {28, 0},
    {28, 0xfffffff8},
    {32 + 8, 0},           /* replicate 0 */
    {32 + 12, 4},          /* status */
    {32 + 16, 4},          /* items not aligned */
    {32 + 16, 0xfffffff8}, /* items outside */
    {32 + 20, 24},         /* too long */
};

START_TEST(wrong_payload_is_refused)
{
    struct ens_draft d = {0};
    struct ens_buf out = ENS_BUF_INIT;
    struct ens_record r;
    struct ens_batch b;
    struct ens_error err;
    unsigned char *p;
    size_t n;

    begin(&d, 1, 1);
    ens_draft_item(&d, ENS_ITEM_TEXT, 2, "hello", 5);
    round_trip(&d, &out, &r);
    n = out.len - ENS_FRAME_HEAD - ENS_FRAME_TAIL;
    p = out.data + ENS_FRAME_HEAD;
    ck_assert_int_eq(ens_batch_read(&b, p, n, &err), ENS_OK);
    put32(p + wrong[_i][0], wrong[_i][1]);
    ck_assert_int_eq(ens_batch_read(&b, p, n, &err), ENS_ECORRUPT);
    ck_assert_uint_gt(strlen(err.text), 10);
    ens_buf_fini(&out);
    ens_draft_fini(&d);
}
END_TEST

START_TEST(cut_payload_is_refused)
{
    struct ens_draft d = {0};
    struct ens_buf out = ENS_BUF_INIT;
    struct ens_record r;
    struct ens_batch b;

    begin(&d, 1, 1);
    ens_draft_item(&d, ENS_ITEM_TEXT, 2, "hello", 5);
    round_trip(&d, &out, &r);
    for (size_t n = 0; n < out.len - ENS_FRAME_HEAD - ENS_FRAME_TAIL; n++)
        ck_assert_int_eq(ens_batch_read(&b, out.data + ENS_FRAME_HEAD, n, NULL),
                         ENS_ECORRUPT);
    ens_buf_fini(&out);
    ens_draft_fini(&d);
}
END_TEST

START_TEST(result_hash_is_of_the_result_alone)
{
    struct ens_draft d = {0};
    struct ens_buf a = ENS_BUF_INIT, b = ENS_BUF_INIT;
    struct ens_artifact_ref ref = {1, 2, 3, 4, "draws", 5};
    struct ens_record r, q;

    begin(&d, 1, 1);
    ens_draft_f64(&d, 0, -NAN);
    ens_draft_artifact(&d, &ref);
    round_trip(&d, &a, &r);
    begin(&d, 1, 1);
    ens_draft_f64(&d, 0, NAN);
    ref.slot = 11;
    ref.offset = 22;
    ens_draft_artifact(&d, &ref);
    d.attempts = 1;
    d.worker = 1;
    d.seconds = 9;
    round_trip(&d, &b, &q);
    ck_assert_uint_eq(ens_record_result_hash(&r), ens_record_result_hash(&q));
    begin(&d, 1, 1);
    ref.hash = 5;
    ens_draft_artifact(&d, &ref);
    round_trip(&d, &b, &q);
    ck_assert_uint_ne(ens_record_result_hash(&r), ens_record_result_hash(&q));
    ens_buf_fini(&a);
    ens_buf_fini(&b);
    ens_draft_fini(&d);
}
END_TEST

START_TEST(outcomes_have_texts)
{
    ck_assert_str_eq(ens_outcome_text(ENS_TASK_OK), "ok");
    ck_assert_str_eq(ens_outcome_text(ENS_TASK_CRASHED), "crashed");
    ck_assert_str_eq(ens_outcome_text(ENS_N_OUTCOMES), "unknown");
}
END_TEST

/* Not an assertion on speed: prints it, and that no memory is added. */
START_TEST(warm_packer_does_not_allocate)
{
    struct ens_draft d = {0};
    struct ens_packer p = {0};
    struct ens_buf out = ENS_BUF_INIT;
    const uint32_t n = 2000000;
    unsigned char *warm = NULL;
    uint64_t t = 0;

    for (uint32_t i = 0; i < n + 5000; i++) {
        if (i == 5000) {
            warm = p.records.data;
            t = ens_clock_ns();
        }
        ens_draft_begin(&d, NULL);
        d.cell = 1;
        d.replicate = i + 1;
        if (!ens_packer_fits(&p, &d)) {
            ens_buf_clear(&out);
            ens_packer_flush(&p, &out, 0, 0, i, RUN);
        }
        ens_packer_add(&p, &d);
    }
    t = ens_clock_ns() - t;
    ck_assert_ptr_eq(p.records.data, warm);
    printf("packer: %.1f million records/s\n", n * 1e3 / (double)t);
    ens_buf_fini(&out);
    ens_draft_fini(&d);
    ens_packer_fini(&p);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("record");
    TCase *t = tcase_create("record");
    SRunner *r;
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, record_reads_back);
    tcase_add_test(t, laps_are_no_part_of_the_result);
    tcase_add_test(t, laps_give_way_in_a_full_record);
    tcase_add_test(t, failed_task_keeps_error_and_warnings_only);
    tcase_add_test(t, long_texts_are_cut_at_a_character);
    tcase_add_test(t, frames_fill_up_and_no_record_is_lost);
    tcase_add_test(t, another_schema_needs_another_frame);
    tcase_add_loop_test(t, wrong_payload_is_refused, 0,
                        sizeof(wrong) / sizeof(wrong[0]));
    tcase_add_test(t, cut_payload_is_refused);
    tcase_add_test(t, result_hash_is_of_the_result_alone);
    tcase_add_test(t, outcomes_have_texts);
    tcase_add_test(t, warm_packer_does_not_allocate);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? 0 : 1;
}
