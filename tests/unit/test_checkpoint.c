#include "store/checkpoint.h"

#include "base/file.h"
#include "base/hash.h"
#include "history.h"
#include "record/little.h"
#include "store/commit.h"

static void put_stages(struct hist *h)
{
    for (size_t k = 0; k < 2; k++) {
        struct ens_stage def;

        hist_stage_def(h->study, k, &def);
        hist_put_stage(h, &def);
        ens_stage_fini(&def);
    }
}

/* An epoch with records and, before more of them, a checkpoint whose count of
 * records is off by `lie`: a replay that used it says so. */
static void make_lie(struct hist *h, const char *list, uint64_t lie)
{
    hist_begin(h, list, 0);
    put_stages(h);
    hist_work(h, 20, 2);
    h->live.n_records += lie;
    hist_checkpoint(h);
    h->live.n_records -= lie;
    hist_work(h, 5, 2);
    hist_end(h, 0);
}

static uint64_t count_records(const struct hist *h, const char *list)
{
    struct ens_study *study = hist_study(list);
    struct ens_replay r;
    uint64_t n;

    hist_replay(h, &r, study, 1);
    n = r.n_records;
    ens_replay_fini(&r);
    ens_study_free(study);
    return n;
}

static void path_of(const struct hist *h, uint32_t epoch, uint32_t number,
                    char to[256])
{
    snprintf(to, 256, "%s/checkpoints/%06u-%06u.ckpt", h->dir, epoch, number);
}

static void read_one(const struct hist *h, uint32_t epoch, uint32_t number,
                     struct ens_buf *b)
{
    char path[256];

    path_of(h, epoch, number, path);
    ens_buf_clear(b);
    ck_assert_int_eq((int)ens_file_read(b, path, 1 << 24, NULL), ENS_OK);
}

static void write_one(const struct hist *h, uint32_t epoch, uint32_t number,
                      const void *p, size_t n)
{
    struct ens_error err = {0};

    hist_ok(ens_checkpoint_write(h->dir, epoch, number, p, n, 9, &err), &err);
}

START_TEST(the_newest_that_fits_is_used)
{
    struct hist *h = calloc(1, sizeof(*h));

    hist_init(h, 3);
    make_lie(h, "1, 2", 1000);
    make_lie(h, "1, 2, 3", 20000);
    ck_assert_uint_eq(count_records(h, "1, 2"), h->n_records + 1000);
    ck_assert_uint_eq(count_records(h, "1, 2, 3"), h->n_records + 20000);
    ck_assert_uint_eq(count_records(h, "2, 1"), h->n_records);
    hist_fini(h);
    free(h);
}
END_TEST

START_TEST(damaged_ones_are_passed_over)
{
    struct hist *h = calloc(1, sizeof(*h));
    struct ens_buf b = ENS_BUF_INIT;

    hist_init(h, 4);
    make_lie(h, "1, 2", 1000);
    read_one(h, 1, 1, &b);
    for (size_t n = 0; n < b.len; n += 1 + n / 16) {
        write_one(h, 1, 2, b.data, n);
        ck_assert_uint_eq(count_records(h, "1, 2"), h->n_records + 1000);
    }
    for (size_t k = 0; k < 64; k++) {
        size_t at = hist_below(h, (uint32_t)b.len);
        unsigned char bit = (unsigned char)(1u << hist_below(h, 8));

        b.data[at] ^= bit;
        write_one(h, 1, 2, b.data, b.len);
        ck_assert_uint_eq(count_records(h, "1, 2"), h->n_records + 1000);
        b.data[at] ^= bit;
    }
    write_one(h, 1, 1, "none", 4);
    write_one(h, 1, 2, "", 0);
    ck_assert_uint_eq(count_records(h, "1, 2"), h->n_records);
    ens_buf_fini(&b);
    hist_fini(h);
    free(h);
}
END_TEST

static void seal(struct ens_buf *b)
{
    ens_put64(b->data + 8, ens_hash64(b->data + 16, b->len - 16));
}

static uint64_t end_of_segment(const struct hist *h)
{
    struct ens_log log;
    struct ens_error err = {0};
    uint64_t end;

    hist_ok(ens_log_open(&log, h->dir, NULL, &err), &err);
    end = log.segment[0].end;
    ens_log_close(&log);
    return end;
}

static int is_behind_commit(const struct hist *h, uint64_t at)
{
    struct ens_log log;
    struct ens_error err = {0};
    struct ens_commit commit;
    int r;

    hist_ok(ens_log_open(&log, h->dir, NULL, &err), &err);
    r = at >= ENS_COMMIT_BYTES &&
        ens_commit_read(&commit, log.segment[0].data + at - ENS_COMMIT_BYTES,
                        ENS_COMMIT_BYTES, log.segment[0].run_id);
    ens_log_close(&log);
    return r;
}

START_TEST(an_end_that_is_no_commit_does_not_fit)
{
    struct hist *h = calloc(1, sizeof(*h));
    struct ens_buf b = ENS_BUF_INIT;
    uint64_t end;
    int n_used = 0;

    hist_init(h, 5);
    make_lie(h, "1, 2", 1000);
    end = end_of_segment(h);
    read_one(h, 1, 1, &b);
    for (uint64_t at = 0; at <= end; at += 8) {
        int behind = is_behind_commit(h, at);

        if (!behind && at % 40 != 0)
            continue;
        ens_put64(b.data + 32, at);
        seal(&b);
        write_one(h, 1, 1, b.data, b.len);
        if (behind)
            n_used += count_records(h, "1, 2") != h->n_records;
        else
            ck_assert_uint_eq(count_records(h, "1, 2"), h->n_records);
    }
    ck_assert_int_gt(n_used, 0);
    ens_buf_fini(&b);
    hist_fini(h);
    free(h);
}
END_TEST

static void load_fails(const struct hist *h)
{
    struct ens_study *study = hist_study("1, 2");
    struct ens_error err = {0};
    struct ens_replay r;
    struct ens_log log;

    hist_ok(ens_log_open(&log, h->dir, NULL, &err), &err);
    for (int use = 0; use <= 1; use++) {
        memset(&err, 0, sizeof(err));
        ck_assert_int_eq(
            (int)ens_replay_build(&r, study, &log, h->dir, use, &err),
            ENS_ECORRUPT);
        ck_assert_ptr_nonnull(strstr(err.text, "were committed"));
    }
    ens_log_close(&log);
    ens_study_free(study);
}

START_TEST(a_journal_shorter_than_it_says_is_corrupt)
{
    struct hist *h = calloc(1, sizeof(*h));
    struct ens_buf b = ENS_BUF_INIT;

    hist_init(h, 6);
    make_lie(h, "1, 2", 0);
    read_one(h, 1, 1, &b);
    ens_put64(b.data + 32, end_of_segment(h) + 8);
    seal(&b);
    write_one(h, 1, 2, b.data, b.len);
    load_fails(h);
    read_one(h, 1, 1, &b);
    ens_put64(b.data + 24, 2); /* an epoch whose segment is not there */
    seal(&b);
    write_one(h, 1, 2, "x", 1);
    write_one(h, 2, 1, b.data, b.len);
    load_fails(h);
    ens_buf_fini(&b);
    hist_fini(h);
    free(h);
}
END_TEST

START_TEST(lists_name_and_keep_the_newest)
{
    struct ens_checkpoint_info info[8];
    struct hist *h = calloc(1, sizeof(*h));
    struct ens_error err = {0};
    struct ens_buf b = ENS_BUF_INIT;
    char path[256];
    size_t n;

    hist_init(h, 7);
    ck_assert_uint_eq(ens_checkpoint_list(h->dir, info, 8), 0);
    hist_ok(ens_checkpoint_keep(h->dir, 1, &err), &err);
    make_lie(h, "1, 2", 0);
    read_one(h, 1, 1, &b);
    write_one(h, 1, 2, b.data, b.len - 1);
    write_one(h, 1, 10, b.data, b.len);
    write_one(h, 2, 1, b.data, b.len); /* says that it is of epoch 1 */
    snprintf(path, sizeof(path), "%s/checkpoints/000009-000001.ckpt.tmp",
             h->dir);
    ck_assert_int_eq((int)ens_file_replace(path, "x", 1, NULL), ENS_OK);
    n = ens_checkpoint_list(h->dir, info, 8);
    ck_assert_uint_eq(n, 4);
    ck_assert_uint_eq(info[0].epoch, 2);
    ck_assert_int_eq(info[0].valid, 0);
    ck_assert_uint_eq(info[1].number, 10);
    ck_assert_int_eq(info[1].valid, 1);
    ck_assert_uint_eq(info[1].bytes, b.len);
    ck_assert_uint_eq(info[1].journal_end, ens_get64(b.data + 32));
    ck_assert_uint_eq(info[2].number, 2);
    ck_assert_int_eq(info[2].valid, 0);
    ck_assert_uint_eq(info[3].number, 1);
    ck_assert_uint_eq(ens_checkpoint_list(h->dir, info, 2), 2);
    hist_ok(ens_checkpoint_write(h->dir, 3, 1, b.data, b.len, 2, &err), &err);
    ck_assert_uint_eq(ens_checkpoint_list(h->dir, info, 8), 2);
    ck_assert_uint_eq(info[0].epoch, 3);
    ck_assert_uint_eq(info[1].epoch, 2);
    hist_ok(ens_checkpoint_keep(h->dir, 0, &err), &err);
    ck_assert_uint_eq(ens_checkpoint_list(h->dir, info, 8), 0);
    ens_buf_fini(&b);
    hist_fini(h);
    free(h);
}
END_TEST

START_TEST(reopened_tasks_are_closed_in_a_checkpoint)
{
    struct hist *h = calloc(1, sizeof(*h));
    struct ens_replay full, quick;
    struct ens_study *study = hist_study("1, 2");
    uint64_t n;

    hist_init(h, 8);
    hist_begin(h, "1, 2", 0);
    put_stages(h);
    for (uint32_t r = 1; r <= 10; r++)
        hist_record(h, 0, 0, r, r % 3 == 0 ? ENS_TASK_FAILED : ENS_TASK_OK, 0);
    hist_flush(h);
    ck_assert_int_eq(ens_done_reopen_failed(h->live.stage[0].done, NULL), 0);
    ck_assert_uint_eq(ens_done_next_open(h->live.stage[0].done, 0, 1, 10, &n),
                      3);
    hist_record(h, 0, 0, 6, ENS_TASK_OK, 1);
    hist_flush(h);
    hist_checkpoint(h);
    hist_end(h, 0);
    hist_replay(h, &full, study, 0);
    hist_replay(h, &quick, study, 1);
    hist_same(&full, &quick);
    ck_assert_int_eq((int)ens_done_get(quick.stage[0].done, 0, 3),
                     ENS_TASK_FAILED);
    ck_assert_int_eq((int)ens_done_get(quick.stage[0].done, 0, 6), ENS_TASK_OK);
    ens_replay_fini(&full);
    ens_replay_fini(&quick);
    ens_study_free(study);
    hist_fini(h);
    free(h);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("checkpoint");
    TCase *t = tcase_create("checkpoint");
    SRunner *r;
    int failed;

    tcase_set_timeout(t, 60);
    tcase_add_test(t, the_newest_that_fits_is_used);
    tcase_add_test(t, damaged_ones_are_passed_over);
    tcase_add_test(t, an_end_that_is_no_commit_does_not_fit);
    tcase_add_test(t, a_journal_shorter_than_it_says_is_corrupt);
    tcase_add_test(t, lists_name_and_keep_the_newest);
    tcase_add_test(t, reopened_tasks_are_closed_in_a_checkpoint);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
