/* The worker object, without processes: what it sends and keeps. */
#include "worker_bench.h"

#include "base/hash.h"

START_TEST(schema_goes_out_once_and_before_its_records)
{
    struct ens_schemas seen = ENS_SCHEMAS_INIT;
    size_t index, n_schemas = 0, n_records = 0;
    struct ens_frame f;
    struct ens_batch batch;
    struct bench b;

    bench_init(&b, 50, "[fake]\nmode = other\n", RUN_ID);
    run_range(&b, &b.study.plan.stage[0], 0, 20);
    run_range(&b, &b.study.plan.stage[0], 20, 30);
    for (size_t i = 0; frame_at(&b, i, RUN_ID, &f); i++) {
        ck_assert_uint_eq(f.seq, i);
        if (f.type == ENS_FRAME_SCHEMA) {
            n_schemas++;
            ck_assert_int_eq(ens_schemas_add_encoded(&seen, f.payload, f.length,
                                                     &index, NULL),
                             ENS_OK);
            continue;
        }
        ck_assert_int_eq(ens_batch_read(&batch, f.payload, f.length, NULL),
                         ENS_OK);
        ck_assert(ens_schemas_find(&seen, batch.schema) != NULL);
        n_records += batch.n;
    }
    ck_assert_uint_eq(n_schemas, 2);
    ck_assert_uint_eq(n_records, 50);
    ens_schemas_fini(&seen);
    bench_fini(&b);
}
END_TEST

START_TEST(slot_says_what_was_done)
{
    struct bench b;

    bench_init(&b, 50, "", RUN_ID);
    run_range(&b, &b.study.plan.stage[0], 3, 20);
    ck_assert_uint_eq(atomic_load(&b.slot.n_tasks), 20);
    ck_assert_uint_eq(atomic_load(&b.slot.place), 22);
    ck_assert_uint_eq(atomic_load(&b.slot.stage), b.study.plan.stage[0].id);
    ck_assert_int_eq(atomic_load(&b.slot.phase), ENS_PHASE_IDLE);
    bench_fini(&b);
}
END_TEST

START_TEST(records_wait_for_10_ms_when_more_orders_do)
{
    struct bench b;
    struct ens_buf orders = ENS_BUF_INIT;

    bench_init(&b, 20, "[fake]\nmode = sleep\n", RUN_ID);
    ens_order_write_stage(&orders, &b.study.plan.stage[0], 0);
    give(&b, &orders);
    ens_worker_more(b.w, 1);
    ens_order_write_range(&orders, 0, 20, 0); /* 20 ms or more */
    give(&b, &orders);
    ck_assert_uint_ge(b.n_sends, 2);
    ck_assert_uint_le(b.n_sends, 8);
    b.n_sends = 0;
    ens_worker_more(b.w, 0);
    ens_order_write_range(&orders, 0, 20, 0);
    give(&b, &orders);
    ck_assert_uint_ge(b.n_sends, 18); /* each as it ends */
    ens_buf_fini(&orders);
    bench_fini(&b);
}
END_TEST

static const struct {
    const char *purpose;
    int shared; /* by the cells of one data part */
} purposes[] = {{"data", 1}, {"fit", 0}, {"datafoo", 0}, {"data.1", 0}};

START_TEST(cells_share_the_stream_data_and_no_other)
{
    char lines[80];
    double x[3];
    size_t n = 0;
    struct ens_schema *schema;
    struct ens_batch batch;
    struct ens_record r;
    struct ens_frame f;
    struct bench b;

    snprintf(lines, sizeof(lines), "[fake]\nmode = a:%s, b:%s\n",
             purposes[_i].purpose, purposes[_i].purpose);
    bench_init(&b, 1, lines, RUN_ID);
    schema = b.study.plan.schemas.item[0];
    run_range(&b, &b.study.plan.stage[0], 0, 2);
    for (size_t i = 0; frame_at(&b, i, RUN_ID, &f); i++) {
        if (f.type != ENS_FRAME_RECORDS)
            continue;
        ck_assert_int_eq(ens_batch_read(&batch, f.payload, f.length, NULL),
                         ENS_OK);
        for (uint32_t k = 0; k < batch.n; k++) {
            ens_batch_get(&batch, k, &r);
            ck_assert_uint_eq(r.cell, n);
            x[n++] = ens_record_f64(&r, schema, 0);
        }
    }
    ck_assert_uint_eq(n, 2);
    ck_assert_int_eq(x[0] == x[1], purposes[_i].shared);
    bench_fini(&b);
}
END_TEST

static const struct {
    const char *retain;
    size_t per_task;
} profiles[] = {{"minimal", 0},
                {"standard", 1},
                {"debug", 2},
                {"trace", 1},
                {"draws, trace", 2}};

START_TEST(retain_decides_which_artifacts_are_kept)
{
    char lines[128];
    struct bench b;

    snprintf(lines, sizeof(lines), "[fake]\nmode = keep\n[run]\nretain = %s\n",
             profiles[_i].retain);
    bench_init(&b, 3, lines, RUN_ID);
    run_range(&b, &b.study.plan.stage[0], 0, 3);
    ck_assert_uint_eq(count_items(&b, ENS_ITEM_ERROR), 0);
    ck_assert_uint_eq(count_items(&b, ENS_ITEM_ARTIFACT),
                      3 * profiles[_i].per_task);
    bench_fini(&b);
}
END_TEST

/* Lengths, digests and names of all artifacts sent, hashed. */
static uint64_t artifacts_hash(const struct bench *b)
{
    struct ens_frame f;
    struct ens_batch batch;
    struct ens_item_view item;
    struct ens_record r;
    uint64_t h = 0;

    for (size_t i = 0; frame_at(b, i, RUN_ID, &f); i++) {
        if (f.type != ENS_FRAME_RECORDS)
            continue;
        ck_assert_int_eq(ens_batch_read(&batch, f.payload, f.length, NULL),
                         ENS_OK);
        for (uint32_t k = 0; k < batch.n; k++) {
            size_t at = 0;

            ens_batch_get(&batch, k, &r);
            while (ens_item_next(&r, &at, &item))
                if (item.type == ENS_ITEM_ARTIFACT)
                    h = ens_hash64_seed(item.bytes + 16, item.length - 16, h);
        }
    }
    return h;
}

START_TEST(parts_make_the_artifact_of_the_whole)
{
    static const char *const mode[] = {"keep", "parts"};
    uint64_t hash[2];

    for (size_t i = 0; i < 2; i++) {
        char lines[128];
        struct bench b;

        snprintf(lines, sizeof(lines),
                 "[fake]\nmode = %s\n[run]\nretain = %s\n", mode[i],
                 profiles[_i].retain);
        bench_init(&b, 3, lines, RUN_ID);
        run_range(&b, &b.study.plan.stage[0], 0, 3);
        ck_assert_uint_eq(count_items(&b, ENS_ITEM_ERROR), 0);
        ck_assert_uint_eq(count_items(&b, ENS_ITEM_ARTIFACT),
                          3 * profiles[_i].per_task);
        hash[i] = artifacts_hash(&b);
        bench_fini(&b);
    }
    ck_assert_uint_eq(hash[0], hash[1]);
}
END_TEST

START_TEST(parts_left_open_fail_the_task)
{
    static const char *const mode[] = {"unended", "nested"};
    char lines[64];
    struct bench b;

    snprintf(lines, sizeof(lines), "[fake]\nmode = %s\n", mode[_i]);
    bench_init(&b, 2, lines, RUN_ID);
    run_range(&b, &b.study.plan.stage[0], 0, 2);
    ck_assert_uint_eq(count_items(&b, ENS_ITEM_ERROR), 2);
    ck_assert_uint_eq(count_items(&b, ENS_ITEM_ARTIFACT), 0);
    bench_fini(&b);
}
END_TEST

START_TEST(replays_and_new_records_share_no_frame)
{
    struct ens_buf orders = ENS_BUF_INIT;
    struct ens_batch batch;
    struct ens_frame f;
    size_t n_records = 0;
    struct bench b;

    bench_init(&b, 6, "", RUN_ID);
    ens_worker_more(b.w, 1); /* it may wait before it sends */
    ens_order_write_stage(&orders, &b.study.plan.stage[0], 0);
    ens_order_write_range(&orders, 0, 2, 0);
    ens_order_write_replay(&orders, 2);
    ens_order_write_replay(&orders, 3);
    ens_order_write_range(&orders, 4, 2, 0);
    give(&b, &orders);
    for (size_t i = 0; frame_at(&b, i, RUN_ID, &f); i++) {
        struct ens_record first, last;

        if (f.type != ENS_FRAME_RECORDS)
            continue;
        ck_assert_int_eq(ens_batch_read(&batch, f.payload, f.length, NULL),
                         ENS_OK);
        ens_batch_get(&batch, 0, &first);
        ens_batch_get(&batch, batch.n - 1, &last);
        ck_assert_int_eq((first.replicate - 1) / 2, (last.replicate - 1) / 2);
        n_records += batch.n;
    }
    ck_assert_uint_eq(n_records, 6);
    ens_buf_fini(&orders);
    bench_fini(&b);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("worker");
    TCase *t = tcase_create("worker");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_set_timeout(t, 60);
    tcase_add_test(t, schema_goes_out_once_and_before_its_records);
    tcase_add_test(t, slot_says_what_was_done);
    tcase_add_test(t, records_wait_for_10_ms_when_more_orders_do);
    tcase_add_loop_test(t, cells_share_the_stream_data_and_no_other, 0,
                        (int)ENS_COUNT(purposes));
    tcase_add_loop_test(t, retain_decides_which_artifacts_are_kept, 0,
                        (int)ENS_COUNT(profiles));
    tcase_add_loop_test(t, parts_make_the_artifact_of_the_whole, 0,
                        ENS_COUNT(profiles));
    tcase_add_loop_test(t, parts_left_open_fail_the_task, 0, 2);
    tcase_add_test(t, replays_and_new_records_share_no_frame);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? 0 : 1;
}
