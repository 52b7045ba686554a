/* Orders: what is written is read, and never more than is there. */
#include "worker/order.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static void make_stage(struct ens_stage *s)
{
    memset(s, 0, sizeof(*s));
    memcpy(s->key, "pass00017", 10);
    s->input_digest = 99;
    s->id = ens_stage_id(s->key, s->input_digest);
    s->index = 17;
    s->data_epoch = 7;
    ck_assert_int_eq(ens_stage_add_run(s, 2, 5, 100), ENS_OK);
}

START_TEST(plain_orders_take_16_bytes)
{
    struct ens_buf b = ENS_BUF_INIT;
    struct ens_order o;

    ens_order_write_range(&b, 0x1122334455667788u, 256, 2);
    ens_order_write_plain(&b, ENS_ORDER_STOP);
    ck_assert_uint_eq(b.len, 32);
    ck_assert_uint_eq(ens_order_read(&o, b.data, b.len), 16);
    ck_assert_uint_eq(o.type, ENS_ORDER_RANGE);
    ck_assert_uint_eq(o.n, 256);
    ck_assert_uint_eq(o.charged, 2);
    ck_assert_uint_eq(o.first, 0x1122334455667788u);
    ck_assert_uint_eq(ens_order_read(&o, b.data + 16, 16), 16);
    ck_assert_uint_eq(o.type, ENS_ORDER_STOP);
    ens_buf_fini(&b);
}
END_TEST

START_TEST(stage_orders_come_back)
{
    struct ens_buf b = ENS_BUF_INIT;
    struct ens_order_stage body;
    struct ens_stage stage;
    struct ens_order o;

    make_stage(&stage);
    stage.n_reads = 2;
    memcpy(stage.reads[0], "a", 2);
    memcpy(stage.reads[1], "b", 2);
    ck_assert_int_eq(ens_stage_hold(&stage, 1, &stage), ENS_OK);
    ens_order_write_stage(&b, &stage, 3);
    for (size_t n = 0; n < b.len; n++)
        ck_assert_uint_eq(ens_order_read(&o, b.data, n), 0);
    ck_assert_uint_eq(ens_order_read(&o, b.data, b.len), b.len);
    ck_assert_uint_eq(o.type, ENS_ORDER_STAGE);
    ck_assert_int_eq(
        ens_order_read_stage(&body, b.data + ENS_ORDER_BYTES, o.n, NULL),
        ENS_OK);
    ck_assert_uint_eq(body.round, 3);
    ck_assert_uint_eq(body.stage.id, stage.id);
    ck_assert_uint_eq(body.stage.data_epoch, 7);
    ck_assert_uint_eq(ens_stage_n_tasks(&body.stage), 500);
    ck_assert(!ens_stage_holds(&body.stage, 0, 2));
    ck_assert(!ens_stage_holds(&body.stage, 1, 1));
    ck_assert(ens_stage_holds(&body.stage, 1, 2));
    ck_assert(ens_stage_holds(&body.stage, 1, 6));
    ck_assert(!ens_stage_holds(&body.stage, 1, 7));
    ens_stage_fini(&body.stage);
    for (uint32_t n = 0; n < o.n; n++)
        ck_assert_int_ne(
            ens_order_read_stage(&body, b.data + ENS_ORDER_BYTES, n, NULL),
            ENS_OK);
    ens_stage_fini(&stage);
    ens_buf_fini(&b);
}
END_TEST

START_TEST(next_orders_come_back)
{
    struct ens_buf b = ENS_BUF_INIT;
    struct ens_log_at from = {3, 4096};
    struct ens_segment_end end = {8, 123456};
    struct ens_order_next body;
    struct ens_stage stage;
    struct ens_order o;

    make_stage(&stage);
    ens_order_write_next(&b, &stage, 11, 18, 12, &from, &end);
    ck_assert_uint_eq(ens_order_read(&o, b.data, b.len), b.len);
    ck_assert_int_eq(
        ens_order_read_next(&body, b.data + ENS_ORDER_BYTES, o.n, NULL),
        ENS_OK);
    ck_assert_uint_eq(body.definition, 11);
    ck_assert_uint_eq(body.next_index, 18);
    ck_assert_uint_eq(body.run_settings, 12);
    ck_assert_uint_eq(body.from.segment, 3);
    ck_assert_uint_eq(body.from.offset, 4096);
    ck_assert_uint_eq(body.end.epoch, 8);
    ck_assert_uint_eq(body.end.end, 123456);
    ck_assert_str_eq(body.stage.key, "pass00017");
    ens_stage_fini(&body.stage);
    for (uint32_t n = 0; n < o.n; n++)
        ck_assert_int_ne(
            ens_order_read_next(&body, b.data + ENS_ORDER_BYTES, n, NULL),
            ENS_OK);
    ens_stage_fini(&stage);
    ens_buf_fini(&b);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("order");
    TCase *t = tcase_create("order");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_test(t, plain_orders_take_16_bytes);
    tcase_add_test(t, stage_orders_come_back);
    tcase_add_test(t, next_orders_come_back);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? 0 : 1;
}
