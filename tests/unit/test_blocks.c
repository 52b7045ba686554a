/* Blocks of output arrays, as a worker writes them. */
#include "worker_bench.h"

#include "base/clock.h"

START_TEST(blocks_are_written_and_hashed)
{
    struct bench b;

    bench_init(&b, 5, "[fake]\nmode = block\n[how]\nopen = arrays\n", RUN_ID);
    create_array(&b);
    run_range(&b, &b.study.plan.stage[0], 0, 5);
    ck_assert_uint_eq(count_items(&b, ENS_ITEM_BLOCK), 5);
    check_array(&b, 1);
    bench_fini(&b);
}
END_TEST

START_TEST(task_that_leaves_its_block_empty_has_failed)
{
    struct bench b;

    bench_init(&b, 5, "[fake]\nmode = ok\n[how]\nopen = arrays\n", RUN_ID);
    create_array(&b);
    run_range(&b, &b.study.plan.stage[0], 0, 5);
    ck_assert_uint_eq(count_items(&b, ENS_ITEM_ERROR), 5);
    ck_assert_uint_eq(count_items(&b, ENS_ITEM_BLOCK), 0);
    check_array(&b, 0);
    bench_fini(&b);
}
END_TEST

/* Digests of the blocks, in order. */
static size_t block_digests(const struct bench *b, uint64_t *to, size_t cap)
{
    struct ens_batch batch;
    struct ens_record r;
    struct ens_item_view item;
    struct ens_frame f;
    size_t n = 0;

    for (size_t i = 0; frame_at(b, i, RUN_ID, &f); i++) {
        if (f.type != ENS_FRAME_RECORDS)
            continue;
        ck_assert_int_eq(ens_batch_read(&batch, f.payload, f.length, NULL),
                         ENS_OK);
        for (uint32_t k = 0; k < batch.n; k++) {
            size_t at = 0;

            ens_batch_get(&batch, k, &r);
            while (ens_item_next(&r, &at, &item))
                if (item.type == ENS_ITEM_BLOCK && n < cap) {
                    struct ens_cursor c = ens_cursor(item.bytes, item.length);

                    to[n++] = ens_cursor_u64(&c);
                }
        }
    }
    return n;
}

START_TEST(parts_are_the_block_they_make)
{
    struct bench whole, parts;
    uint64_t a[5], b[5];

    bench_init(&whole, 5, "[fake]\nmode = block\n[how]\nopen = arrays\n",
               RUN_ID);
    bench_init(&parts, 5, "[fake]\nmode = pieces\n[how]\nopen = arrays\n",
               RUN_ID);
    create_array(&whole);
    create_array(&parts);
    run_range(&whole, &whole.study.plan.stage[0], 0, 5);
    run_range(&parts, &parts.study.plan.stage[0], 0, 5);
    ck_assert_uint_eq(block_digests(&whole, a, 5), 5);
    ck_assert_uint_eq(block_digests(&parts, b, 5), 5);
    ck_assert_mem_eq(a, b, sizeof(a));
    check_array(&parts, 1);
    bench_fini(&whole);
    bench_fini(&parts);
}
END_TEST

/* A gap, an end too soon, one element too many, a whole block besides: what
 * was written before is missing again. */
START_TEST(parts_that_are_no_block_leave_nothing)
{
    static const char *const mode[] = {"gap", "short", "over", "both"};
    char lines[64];
    struct bench b;

    snprintf(lines, sizeof(lines), "[fake]\nmode = %s\n[how]\nopen = arrays\n",
             mode[_i]);
    bench_init(&b, 5, lines, RUN_ID);
    create_array(&b);
    run_range(&b, &b.study.plan.stage[0], 0, 5);
    ck_assert_uint_eq(count_items(&b, ENS_ITEM_ERROR), 5);
    ck_assert_uint_eq(count_items(&b, ENS_ITEM_BLOCK), 0);
    check_array(&b, 0);
    bench_fini(&b);
}
END_TEST

START_TEST(parts_of_a_replay_are_only_hashed)
{
    struct ens_buf orders = ENS_BUF_INIT;
    struct bench b;
    uint64_t digest[2];

    bench_init(&b, 5, "[fake]\nmode = pieces\n[how]\nopen = arrays\n", RUN_ID);
    create_array(&b);
    ens_order_write_stage(&orders, &b.study.plan.stage[0], 0);
    ens_order_write_replay(&orders, 0);
    give(&b, &orders);
    check_array(&b, 0);
    run_range(&b, &b.study.plan.stage[0], 0, 1);
    ck_assert_uint_eq(block_digests(&b, digest, 2), 2);
    ck_assert_uint_eq(digest[0], digest[1]);
    ens_buf_fini(&orders);
    bench_fini(&b);
}
END_TEST

/* Of tasks that are ok, in parts too, and of others: 24 bytes a block, 40 fit.
 */
static const char *const blocks[] = {
    "[fake]\nmode = block\n[how]\nopen = arrays\n",
    "[fake]\nmode = pieces\n[how]\nopen = arrays\n",
    "[fake]\nmode = ok\n[how]\nopen = arrays\n"};

START_TEST(block_waits_for_a_full_disk)
{
    struct ens_io *io;
    struct ens_error err;
    struct bench b;
    uint64_t begin;

    ck_assert_int_eq(ens_fault_new(&io, "enospc@40+2", &err), ENS_OK);
    bench_init_io(&b, 5, blocks[_i], RUN_ID, io);
    create_array(&b);
    run_range(&b, &b.study.plan.stage[0], 0, 1);
    begin = ens_clock_ns();
    run_range(&b, &b.study.plan.stage[0], 1, 1);
    /* two refusals, 0.1 s each: not of the task's time */
    ck_assert_uint_ge(ens_clock_ns() - begin, 200000000u);
    ck_assert_uint_ge(atomic_load(&b.slot.start_ns), begin + 200000000u);
    ck_assert_int_eq(atomic_load(&b.slot.phase), ENS_PHASE_IDLE);
    run_range(&b, &b.study.plan.stage[0], 2, 3);
    ck_assert_uint_eq(count_items(&b, ENS_ITEM_BLOCK), _i < 2 ? 5 : 0);
    ck_assert_uint_eq(count_items(&b, ENS_ITEM_ERROR), _i < 2 ? 0 : 5);
    check_array(&b, _i < 2);
    bench_fini(&b);
    ens_fault_free(io);
}
END_TEST

START_TEST(block_on_a_disk_that_stays_full_ends_the_worker)
{
    struct ens_buf orders = ENS_BUF_INIT;
    struct ens_order o;
    struct ens_io *io;
    struct ens_error err;
    struct bench b;
    char lines[128];

    snprintf(lines, sizeof(lines), "%s[run]\ndisk_wait = 0.2\n", blocks[_i]);
    ck_assert_int_eq(ens_fault_new(&io, "enospc@40", &err), ENS_OK);
    bench_init_io(&b, 5, lines, RUN_ID, io);
    create_array(&b);
    run_range(&b, &b.study.plan.stage[0], 0, 1);
    ens_order_write_range(&orders, 1, 1, 0);
    ck_assert_uint_gt(ens_order_read(&o, orders.data, orders.len), 0);
    ck_assert_int_eq(
        ens_worker_order(b.w, &o, orders.data + ENS_ORDER_BYTES, &err),
        ENS_ENOSPACE);
    ck_assert_msg(strstr(err.text, "arrays/acc.") != NULL, "%s", err.text);
    ck_assert_uint_eq(count_items(&b, ENS_ITEM_BLOCK), _i < 2);
    ens_buf_fini(&orders);
    bench_fini(&b);
    ens_fault_free(io);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("blocks");
    TCase *t = tcase_create("blocks");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_set_timeout(t, 60);
    tcase_add_test(t, blocks_are_written_and_hashed);
    tcase_add_test(t, task_that_leaves_its_block_empty_has_failed);
    tcase_add_test(t, parts_are_the_block_they_make);
    tcase_add_loop_test(t, parts_that_are_no_block_leave_nothing, 0, 4);
    tcase_add_test(t, parts_of_a_replay_are_only_hashed);
    tcase_add_loop_test(t, block_waits_for_a_full_disk, 0, 3);
    tcase_add_loop_test(t, block_on_a_disk_that_stays_full_ends_the_worker, 0,
                        3);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? 0 : 1;
}
