/* The worker object, without processes: what it sends, keeps and writes. */
#include "../fake.h"

#include "base/clock.h"
#include "base/hash.h"
#include "plan/task.h"
#include "store/array.h"
#include "store/epoch.h"
#include "store/journal.h"
#include "store/pack.h"
#include "store/replay.h"
#include "worker/order.h"

#define RUN_ID 77u

struct bench {
    struct fake_study study;
    struct ens_slot slot;
    struct ens_worker *w;
    struct ens_buf got; /* frames, as sent */
    size_t n_sends;
};

static enum ens_status take(void *arg, const void *frames, size_t n)
{
    struct bench *b = arg;

    ck_assert_int_eq(atomic_load(&b->slot.phase), ENS_PHASE_SENDING);
    ens_buf_put(&b->got, frames, n);
    b->n_sends++;
    return ENS_OK;
}

static void give(struct bench *b, struct ens_buf *orders)
{
    struct ens_error err;
    struct ens_order o;
    size_t at = 0, n;

    while ((n = ens_order_read(&o, orders->data + at, orders->len - at)) > 0) {
        ck_assert_msg(ens_worker_order(b->w, &o,
                                       orders->data + at + ENS_ORDER_BYTES,
                                       &err) == ENS_OK,
                      "%s", err.text);
        at += n;
    }
    ck_assert_uint_eq(at, orders->len);
    ens_buf_clear(orders);
}

static void run_range(struct bench *b, const struct ens_stage *stage,
                      uint64_t first, uint32_t n)
{
    struct ens_buf orders = ENS_BUF_INIT;

    ens_order_write_stage(&orders, stage, 0);
    ens_order_write_range(&orders, first, n, 0);
    give(b, &orders);
    ens_buf_fini(&orders);
}

static void bench_init_io(struct bench *b, unsigned replicates,
                          const char *lines, uint64_t run_id, struct ens_io *io)
{
    struct ens_worker_config c = {.plan = NULL,
                                  .epoch = 1,
                                  .run_id = run_id,
                                  .slot = 5,
                                  .incarnation = 2,
                                  .io = io,
                                  .send = take};
    struct ens_error err;

    memset(b, 0, sizeof(*b));
    fake_study_init(&b->study, replicates, lines, NULL);
    c.plan = &b->study.plan;
    c.dir = b->study.dir;
    c.shared = &b->slot;
    c.arg = b;
    ck_assert_msg(ens_worker_open(&b->w, &c, &err) == ENS_OK, "%s", err.text);
}

static void bench_init(struct bench *b, unsigned replicates, const char *lines,
                       uint64_t run_id)
{
    bench_init_io(b, replicates, lines, run_id, NULL);
}

static void bench_fini(struct bench *b)
{
    ens_worker_close(b->w);
    ens_buf_fini(&b->got);
    fake_study_fini(&b->study);
}

/* Frame i of what was sent; 0 when there is none. */
static int frame_at(const struct bench *b, size_t i, uint64_t run_id,
                    struct ens_frame *f)
{
    size_t at = 0;

    for (;; i--) {
        if (at == b->got.len)
            return 0;
        ck_assert_int_eq(
            ens_frame_read(f, b->got.data + at, b->got.len - at, run_id),
            ENS_FRAME_GOOD);
        ck_assert_uint_eq(f->slot, 5);
        ck_assert_uint_eq(f->incarnation, 2);
        if (i == 0)
            return 1;
        at += f->total_bytes;
    }
}

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
    double x[2];
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
    ck_assert(frame_at(&b, 1, RUN_ID, &f)); /* behind the schema's */
    ck_assert_int_eq(f.type, ENS_FRAME_RECORDS);
    ck_assert_int_eq(ens_batch_read(&batch, f.payload, f.length, NULL), ENS_OK);
    for (uint32_t i = 0; i < 2; i++) {
        ens_batch_get(&batch, i, &r);
        ck_assert_uint_eq(r.cell, i);
        x[i] = ens_record_f64(&r, schema, 0);
    }
    ck_assert_int_eq(x[0] == x[1], purposes[_i].shared);
    bench_fini(&b);
}
END_TEST

static size_t count_items(const struct bench *b, enum ens_item type)
{
    struct ens_batch batch;
    struct ens_record r;
    struct ens_frame f;
    size_t n = 0;

    for (size_t i = 0; frame_at(b, i, RUN_ID, &f); i++) {
        if (f.type != ENS_FRAME_RECORDS)
            continue;
        ck_assert_int_eq(ens_batch_read(&batch, f.payload, f.length, NULL),
                         ENS_OK);
        for (uint32_t k = 0; k < batch.n; k++) {
            struct ens_item_view item;
            size_t at = 0;

            ens_batch_get(&batch, k, &r);
            while (ens_item_next(&r, &at, &item))
                n += item.type == type;
        }
    }
    return n;
}

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

static void create_array(struct bench *b)
{
    struct ens_cell cell;
    uint64_t shape[2], n;
    uint32_t ndim;
    int created;
    struct ens_error err;

    ens_study_cell(b->study.study, 0, &cell);
    ck_assert_int_eq(ens_plan_array_shape(&b->study.plan, "acc", &cell, &ndim,
                                          shape, &n, &err),
                     ENS_OK);
    ck_assert_msg(ens_array_create(b->study.dir, "acc", cell.hash[0],
                                   ENS_DT_F64, ndim, shape, ens_io_default(),
                                   &created, &err) == ENS_OK,
                  "%s", err.text);
}

static void check_array(struct bench *b, int filled)
{
    struct ens_view view;
    struct ens_cell cell;
    struct ens_error err;
    uint64_t bytes;
    void *base;

    ens_study_cell(b->study.study, 0, &cell);
    ck_assert_msg(ens_array_map(b->study.dir, "acc", cell.hash[0], &view, &base,
                                &bytes, &err) == ENS_OK,
                  "%s", err.text);
    for (uint64_t i = 0; i < 15; i++) {
        double v = ((const double *)view.data)[i];

        if (filled)
            ck_assert_double_eq(v,
                                100 * (1 + (double)(i / 3)) + (double)(i % 3));
        else
            ck_assert(v != v);
    }
    ens_array_unmap(base, bytes);
}

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

/* -- next ------------------------------------------------------------------ */

static void put_stage(struct ens_journal *j, const struct ens_stage *stage)
{
    struct ens_buf p = ENS_BUF_INIT;

    ens_stage_encode(stage, &p);
    ck_assert_int_eq(
        ens_journal_append_frame(j, ENS_FRAME_STAGE, p.data, p.len), ENS_OK);
    ens_buf_fini(&p);
}

static enum ens_status put_cells(void *arg, const void *p, size_t n)
{
    return ens_journal_append_frame(arg, ENS_FRAME_CELLS, p, n);
}

/* The records of a bench's finished first stage, in a journal of its own. */
static uint64_t write_journal(struct bench *b, const struct ens_epoch *epoch)
{
    struct ens_journal_options options = {0};
    struct ens_journal *j;
    struct ens_error err;
    uint64_t end = 0;

    ck_assert_msg(ens_journal_open(&j, epoch, NULL, 0, ens_io_default(),
                                   &options, &err) == ENS_OK,
                  "%s", err.text);
    ck_assert_int_eq(ens_cells_write(b->study.study, put_cells, j), ENS_OK);
    put_stage(j, &b->study.plan.stage[0]);
    ck_assert_int_eq(ens_journal_append(j, b->got.data, b->got.len, 5), ENS_OK);
    ck_assert_int_eq(ens_journal_close(j, &end, &err), ENS_OK);
    return end;
}

static void ask_next(struct bench *b, const struct ens_stage *stage,
                     uint64_t end)
{
    struct ens_log_at from = {0, 0};
    struct ens_segment_end segment_end = {1, end};
    struct ens_buf orders = ENS_BUF_INIT;

    ens_buf_clear(&b->got);
    ens_order_write_next(&orders, stage, 123, stage->index + 1, 456, &from,
                         &segment_end);
    give(b, &orders);
    ens_buf_fini(&orders);
}

/* A worker that writes frames of a real epoch. */
static void reopen(struct bench *b, const struct ens_epoch *epoch)
{
    struct ens_worker_config c = {.plan = &b->study.plan,
                                  .dir = b->study.dir,
                                  .epoch = epoch->number,
                                  .run_id = epoch->run_id,
                                  .slot = 5,
                                  .incarnation = 2,
                                  .shared = &b->slot,
                                  .send = take,
                                  .arg = b};
    struct ens_error err;

    ens_worker_close(b->w);
    ck_assert_int_eq(ens_worker_open(&b->w, &c, &err), ENS_OK);
}

static void read_stage(const struct bench *b, uint64_t run_id,
                       struct ens_stage *stage)
{
    struct ens_error err;
    struct ens_frame f;

    ck_assert(frame_at(b, 0, run_id, &f));
    ck_assert_int_eq(f.type, ENS_FRAME_STAGE);
    ck_assert_int_eq(ens_stage_decode(stage, f.payload, f.length, &err),
                     ENS_OK);
    ck_assert(frame_at(b, 1, run_id, &f));
    ck_assert_int_eq(f.type, ENS_FRAME_ANSWERED);
    ck_assert(!frame_at(b, 2, run_id, &f));
}

START_TEST(next_answers_with_a_stage_and_then_with_the_end)
{
    const struct ens_stage *first;
    struct ens_epoch epoch;
    struct ens_stage stage, last;
    struct ens_error err;
    struct bench b;
    uint64_t end;

    bench_init(&b, 5, "[fake]\nmode = block\n[how]\nopen = arrays\n", RUN_ID);
    first = &b.study.plan.stage[0];
    ck_assert_msg(ens_epoch_take(&epoch, b.study.dir, &err) == ENS_OK, "%s",
                  err.text);
    reopen(&b, &epoch);
    create_array(&b);
    run_range(&b, first, 0, 5);
    end = write_journal(&b, &epoch);
    ask_next(&b, first, end);
    read_stage(&b, epoch.run_id, &stage);
    ck_assert_str_eq(stage.key, "second");
    ck_assert_uint_eq(stage.index, 1);
    ck_assert_uint_eq(stage.from, first->id);
    ck_assert_uint_eq(stage.from_definition, 123);
    ck_assert_uint_eq(stage.n_reads, 1);
    ck_assert_uint_ne(stage.input_digest, 0);
    ck_assert(stage.has_data);
    ck_assert_uint_eq(stage.data.length, 8);
    stage.data_epoch = epoch.number;
    run_range(&b, &stage, 0, 2); /* its data comes from the pack */
    ask_next(&b, &stage, end);
    read_stage(&b, epoch.run_id, &last);
    ck_assert(last.flags & ENS_STAGE_END);
    ck_assert_uint_eq(last.from, stage.id);
    ck_assert_uint_eq(last.run_settings, 456);
    ens_stage_fini(&last);
    ens_stage_fini(&stage);
    ens_epoch_abandon(&epoch);
    bench_fini(&b);
}
END_TEST

START_TEST(next_that_cannot_read_is_refused_and_the_worker_goes_on)
{
    struct ens_error err;
    struct ens_frame f;
    struct bench b;
    struct ens_stage stage;

    bench_init(&b, 5, "", RUN_ID);
    ck_assert_int_eq(ens_stage_copy(&stage, &b.study.plan.stage[0]), ENS_OK);
    ask_next(&b, &stage, 4096); /* there is no journal */
    ck_assert(frame_at(&b, 0, RUN_ID, &f));
    ck_assert_int_eq(f.type, ENS_FRAME_REFUSED);
    ck_assert_uint_eq(f.length, sizeof(err));
    memcpy(&err, f.payload, sizeof(err));
    ck_assert_int_ne(err.status, ENS_OK);
    ens_buf_clear(&b.got);
    run_range(&b, &stage, 0, 5);
    ck_assert_uint_eq(atomic_load(&b.slot.n_tasks), 5);
    ens_stage_fini(&stage);
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
    tcase_add_test(t, blocks_are_written_and_hashed);
    tcase_add_test(t, task_that_leaves_its_block_empty_has_failed);
    tcase_add_loop_test(t, block_waits_for_a_full_disk, 0, 2);
    tcase_add_loop_test(t, block_on_a_disk_that_stays_full_ends_the_worker, 0,
                        2);
    tcase_add_test(t, next_answers_with_a_stage_and_then_with_the_end);
    tcase_add_test(t, next_that_cannot_read_is_refused_and_the_worker_goes_on);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? 0 : 1;
}
