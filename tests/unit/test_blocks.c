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

/* Of tasks that are ok, and of others: 24 bytes a block, 40 fit. */
static const char *const blocks[] = {
    "[fake]\nmode = block\n[how]\nopen = arrays\n",
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
    ck_assert_uint_eq(count_items(&b, ENS_ITEM_BLOCK), _i == 0 ? 5 : 0);
    ck_assert_uint_eq(count_items(&b, ENS_ITEM_ERROR), _i == 0 ? 0 : 5);
    check_array(&b, _i == 0);
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
    ck_assert_uint_eq(count_items(&b, ENS_ITEM_BLOCK), _i == 0);
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
    tcase_add_loop_test(t, block_waits_for_a_full_disk, 0, 2);
    tcase_add_loop_test(t, block_on_a_disk_that_stays_full_ends_the_worker, 0,
                        2);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? 0 : 1;
}
