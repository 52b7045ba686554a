/* `next` in a worker: the stage that follows, the end, a refusal. */
#include "worker_bench.h"

#include "store/epoch.h"
#include "store/journal.h"
#include "store/replay.h"

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
    ck_assert_uint_eq(stage.run_settings, 456);
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
    Suite *s = suite_create("next");
    TCase *t = tcase_create("next");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_set_timeout(t, 60);
    tcase_add_test(t, next_answers_with_a_stage_and_then_with_the_end);
    tcase_add_test(t, next_that_cannot_read_is_refused_and_the_worker_goes_on);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? 0 : 1;
}
