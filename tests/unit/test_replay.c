#include "store/replay.h"

#include "history.h"

/* What a replay says of a study equals the model. */
static void check_model(const struct hist *h, struct ens_replay *r)
{
    for (size_t k = 0; k < 2; k++) {
        struct ens_replay_stage *s =
            ens_replay_find(r, ens_stage_id(hist_keys[k], 0));

        for (uint64_t c = 0; c < ens_study_n_cells(r->study); c++) {
            const struct hist_task *t = h->task[k][hist_value(r->study, c)];

            for (uint32_t i = 1; i <= HIST_REPS; i++) {
                int got = s == NULL ? ENS_N_OUTCOMES
                                    : (int)ens_done_get(s->done, c, i);

                ck_assert_int_eq(got, t[i].outcome);
                if (s != NULL)
                    ck_assert_uint_eq(ens_done_round(s->done, c, i),
                                      t[i].round);
            }
        }
    }
    ck_assert_uint_eq(r->n_records, h->n_records);
}

static void check_all_lists(const struct hist *h)
{
    for (size_t i = 0; i < sizeof(hist_lists) / sizeof(*hist_lists); i++) {
        struct ens_study *study = hist_study(hist_lists[i]);
        struct ens_replay full, quick;

        hist_replay(h, &full, study, 0);
        check_model(h, &full);
        hist_replay(h, &quick, study, 1);
        hist_same(&full, &quick);
        ens_replay_fini(&full);
        ens_replay_fini(&quick);
        ens_study_free(study);
    }
}

START_TEST(edited_studies_keep_their_results)
{
    struct hist *h = calloc(1, sizeof(*h));

    hist_init(h, (uint64_t)_i * 7919 + 1);
    for (uint32_t e = 2 + hist_below(h, 4); e > 0; e--) {
        struct ens_replay full;

        hist_epoch(h);
        hist_commit(h);
        /* The live state is what a replay of the same bytes gives. */
        hist_replay(h, &full, h->study, 0);
        hist_same(&h->live, &full);
        ens_replay_fini(&full);
        hist_end(h, 0);
        check_all_lists(h);
    }
    hist_fini(h);
    free(h);
}
END_TEST

START_TEST(a_lost_group_is_not_there)
{
    struct hist *h = calloc(1, sizeof(*h));
    struct ens_study *study = hist_study("1, 2");
    struct ens_replay r;
    struct ens_stage def;

    hist_init(h, 5);
    hist_begin(h, "1, 2", 0);
    hist_stage_def(h->study, 0, &def);
    hist_put_stage(h, &def);
    hist_record(h, 0, 0, 1, ENS_TASK_OK, 0);
    hist_flush(h);
    hist_commit(h);
    hist_record(h, 0, 1, 1, ENS_TASK_OK, 0);
    hist_end(h, 1);
    hist_replay(h, &r, study, 1);
    ck_assert_uint_eq(r.n_records, 1);
    ck_assert_int_eq((int)ens_done_get(r.stage[0].done, 0, 1), ENS_TASK_OK);
    ck_assert_int_eq((int)ens_done_get(r.stage[0].done, 1, 1), ENS_N_OUTCOMES);
    ens_replay_fini(&r);
    ens_stage_fini(&def);
    ens_study_free(study);
    hist_fini(h);
    free(h);
}
END_TEST

START_TEST(an_empty_folder_says_nothing)
{
    struct ens_study *study = hist_study("1, 2");
    struct hist *h = calloc(1, sizeof(*h));
    struct ens_replay r;

    hist_init(h, 1);
    hist_replay(h, &r, study, 1);
    ck_assert_uint_eq(r.n_stages + r.n_records + r.n_answers + r.cells_hash, 0);
    ck_assert_uint_eq(r.n_cells, 2);
    ens_replay_fini(&r);
    ens_study_free(study);
    hist_fini(h);
    free(h);
}
END_TEST

START_TEST(an_attempt_holds_until_its_record)
{
    struct hist *h = calloc(1, sizeof(*h));
    uint64_t id = ens_stage_id("s0", 0);
    struct ens_study *study = hist_study("2, 9, 1");
    struct ens_replay r;
    struct ens_stage def;

    hist_init(h, 1);
    hist_begin(h, "1, 2", 0);
    hist_stage_def(h->study, 0, &def);
    hist_put_stage(h, &def);
    hist_attempt(h, 0, 1, 7, 1);
    hist_attempt(h, 0, 0, 3, 1);
    hist_attempt(h, 0, 1, 7, 2);
    ck_assert_uint_eq(ens_replay_attempts(&h->live, id, 1, 7), 2);
    hist_record(h, 0, 0, 3, ENS_TASK_CRASHED, 0);
    hist_end(h, 0);
    hist_replay(h, &r, study, 0);
    ck_assert_uint_eq(r.n_attempts, 1);
    ck_assert_uint_eq(r.attempt[0].killed, 1);
    ck_assert_uint_eq(ens_replay_attempts(&r, id, 0, 7), 2);
    ck_assert_uint_eq(ens_replay_attempts(&r, id, 2, 3), 0);
    ens_replay_fini(&r);
    ens_stage_fini(&def);
    ens_study_free(study);
    hist_fini(h);
    free(h);
}
END_TEST

/* An answer of `next` of s0: n stages "a0", "a1" ... over all cells. */
static void put_answer(struct hist *h, uint64_t definition, uint32_t n)
{
    for (uint32_t k = 0; k < n; k++) {
        struct ens_stage def;

        hist_stage_def(h->study, 0, &def);
        snprintf(def.key, sizeof(def.key), "a%u", k);
        def.id = ens_stage_id(def.key, 0);
        def.from = ens_stage_id("s0", 0);
        def.from_definition = definition;
        def.index = 1 + k;
        hist_put_stage(h, &def);
        ens_stage_fini(&def);
    }
}

static void put_end(struct hist *h, uint64_t definition, uint64_t settings)
{
    struct ens_stage def;

    memset(&def, 0, sizeof(def));
    def.id = ens_stage_id("", 0);
    def.from = ens_stage_id("s0", 0);
    def.from_definition = definition;
    def.run_settings = settings;
    def.flags = ENS_STAGE_END;
    hist_put_stage(h, &def);
}

static void begin_s0(struct hist *h, const char *list)
{
    struct ens_stage def;

    hist_begin(h, list, 0);
    hist_stage_def(h->study, 0, &def);
    hist_put_stage(h, &def);
    ens_stage_fini(&def);
}

static size_t ask_under(const struct ens_replay *r, uint64_t definition,
                        uint64_t settings, const struct ens_replay_answer **out)
{
    return ens_replay_answers(r, ens_stage_id("s0", 0), definition, settings,
                              out, 8);
}

static size_t ask(const struct ens_replay *r, uint64_t definition,
                  const struct ens_replay_answer **out)
{
    return ask_under(r, definition, 0, out);
}

START_TEST(an_answer_holds_until_its_stage_changes)
{
    struct hist *h = calloc(1, sizeof(*h));
    const struct ens_replay_answer *a[8];
    struct ens_replay r;

    hist_init(h, 1);
    begin_s0(h, "1, 2");
    hist_record(h, 0, 0, 1, ENS_TASK_OK, 0);
    hist_flush(h);
    put_answer(h, 77, 3);
    ck_assert_uint_eq(ask(&h->live, 77, a), 3);
    ck_assert_str_eq(a[0]->def.key, "a0");
    ck_assert_str_eq(a[2]->def.key, "a2");
    ck_assert_uint_eq(ask(&h->live, 78, a), 0);
    hist_record(h, 0, 0, 1, ENS_TASK_OK, 0); /* a duplicate changes nothing */
    hist_flush(h);
    ck_assert_uint_eq(ask(&h->live, 77, a), 3);
    hist_record(h, 0, 0, 2, ENS_TASK_OK, 0);
    hist_flush(h);
    ck_assert_uint_eq(ask(&h->live, 77, a), 0);
    put_answer(h, 77, 2); /* asked again */
    put_answer(h, 77, 2); /* and once more, without need */
    ck_assert_uint_eq(ask(&h->live, 77, a), 2);
    put_end(h, 77, 5);
    ck_assert_uint_eq(ask_under(&h->live, 77, 5, a), 1);
    ck_assert(a[0]->def.flags & ENS_STAGE_END);
    ck_assert_uint_eq(ask_under(&h->live, 77, 6, a), 0);
    put_end(h, 77, 6);
    ck_assert_uint_eq(ask_under(&h->live, 77, 6, a), 1);
    ck_assert_uint_eq(ask_under(&h->live, 77, 5, a), 1); /* as it was */
    ck_assert_uint_eq(ask(&h->live, 77, a), 2);
    hist_commit(h);
    hist_replay(h, &r, h->study, 0);
    hist_same(&r, &h->live);
    ens_replay_fini(&r);
    hist_end(h, 0);
    hist_fini(h);
    free(h);
}
END_TEST

START_TEST(an_answer_over_other_cells_is_asked_again)
{
    struct hist *h = calloc(1, sizeof(*h));
    const struct ens_replay_answer *a[8];
    struct ens_study *gone = hist_study("1"), *more = hist_study("9, 1, 2"),
                     *turned = hist_study("2, 1");
    struct ens_replay r;

    hist_init(h, 1);
    begin_s0(h, "1, 2");
    put_answer(h, 77, 2);
    hist_end(h, 0);

    hist_replay(h, &r, more, 0);
    ck_assert_uint_eq(ask(&r, 77, a), 2);
    ck_assert_uint_eq(a[1]->def.run[0].first_cell, 1); /* translated */
    ck_assert_uint_eq(a[1]->def.run[0].n_cells, 2);
    ens_replay_fini(&r);
    hist_replay(h, &r, gone, 0);
    ck_assert_uint_eq(ask(&r, 77, a), 0);
    ck_assert_uint_eq(r.n_answers, 2);
    ens_replay_fini(&r);
    hist_replay(h, &r, turned, 0);
    ck_assert_uint_eq(ask(&r, 77, a), 0);
    ens_replay_fini(&r);

    ens_study_free(gone);
    ens_study_free(more);
    ens_study_free(turned);
    hist_fini(h);
    free(h);
}
END_TEST

/* -- refused ------------------------------------------------------------- */
static void replay_fails(const struct hist *h, const char *list,
                         const char *text)
{
    struct ens_study *study = hist_study(list);
    struct ens_error err = {0};
    struct ens_replay r;
    struct ens_log log;

    hist_ok(ens_log_open(&log, h->dir, NULL, &err), &err);
    ck_assert_int_eq((int)ens_replay_build(&r, study, &log, h->dir, 1, &err),
                     ENS_ECORRUPT);
    ck_assert_msg(strstr(err.text, text) != NULL, "%s", err.text);
    ck_assert_msg(strstr(err.text, "-01.ej at ") != NULL, "%s", err.text);
    ens_log_close(&log);
    ens_study_free(study);
}

static const struct {
    int type;
    size_t n; /* zero bytes */
    const char *text;
} nonsense[] = {
    {ENS_FRAME_CELLS, 0, "cells: 0 bytes"},
    {ENS_FRAME_CELLS, 40, "cells: 0 from 0 of 0 in 40 bytes"},
    {ENS_FRAME_STAGE, 3, "stage: 3 bytes"},
    {ENS_FRAME_ATTEMPT, 23, "attempt: 23 bytes"},
    {ENS_FRAME_RECORDS, 31, "records: 31 bytes"},
    {ENS_FRAME_SCHEMA, 2, "schema"},
};

START_TEST(frames_that_say_nothing_are_refused)
{
    static const unsigned char zero[64];
    struct hist *h = calloc(1, sizeof(*h));

    hist_init(h, 1);
    hist_begin(h, "1, 2", 0);
    hist_ok(ens_journal_append_frame(h->journal, nonsense[_i].type, zero,
                                     nonsense[_i].n),
            NULL);
    hist_end(h, 0);
    replay_fails(h, "2", nonsense[_i].text);
    hist_fini(h);
    free(h);
}
END_TEST

START_TEST(records_of_no_stage_are_refused)
{
    struct hist *h = calloc(1, sizeof(*h));
    struct ens_buf b = ENS_BUF_INIT;

    hist_init(h, 1);
    hist_begin(h, "1, 2", 0);
    hist_record(h, 1, 0, 1, ENS_TASK_OK, 0);
    ens_packer_flush(&h->packer, &b, 3, 1, 0, h->epoch.run_id);
    hist_ok(ens_journal_append(h->journal, b.data, b.len, 1), NULL);
    hist_end(h, 0);
    replay_fails(h, "1, 2", "which no frame before describes");
    ens_buf_fini(&b);
    hist_fini(h);
    free(h);
}
END_TEST

/* -- long lists, many records -------------------------------------------- */
struct parts {
    uint64_t n_parts, n_cells;
    struct ens_cellmap map;
};

static enum ens_status take_part(void *arg, const void *p, size_t n)
{
    struct parts *t = arg;
    struct ens_error err = {0};
    enum ens_status s;

    ck_assert_uint_le(n, ENS_FRAME_PAYLOAD_MAX);
    s = ens_cellmap_read(&t->map, p, n, &err);
    hist_ok(s, &err);
    t->n_parts++;
    return s;
}

START_TEST(a_long_list_goes_in_parts)
{
    struct ens_study *old = hist_study("1:20000"),
                     *now = hist_study("20000, 5:10000");
    struct parts t;

    memset(&t, 0, sizeof(t));
    ens_cellmap_init(&t.map, now);
    ck_assert_int_eq((int)ens_cells_write(old, take_part, &t), ENS_OK);
    ck_assert_uint_eq(t.n_parts, 5);
    ck_assert(!ens_cellmap_same(&t.map));
    ck_assert_uint_eq(ens_cellmap_get(&t.map, 0), ENS_CELL_NONE);
    ck_assert_uint_eq(ens_cellmap_get(&t.map, 4), 1);
    ck_assert_uint_eq(ens_cellmap_get(&t.map, 9999), 9996);
    ck_assert_uint_eq(ens_cellmap_get(&t.map, 19999), 0);
    ck_assert_uint_eq(ens_cellmap_get(&t.map, 20000), ENS_CELL_NONE);
    ck_assert_int_eq((int)ens_cells_write(now, take_part, &t), ENS_OK);
    ck_assert(ens_cellmap_same(&t.map));
    ck_assert_uint_eq(ens_cellmap_get(&t.map, 9996), 9996);
    ck_assert_uint_eq(ens_cellmap_get(&t.map, 9997), ENS_CELL_NONE);
    ens_cellmap_fini(&t.map);
    ens_study_free(old);
    ens_study_free(now);
}
END_TEST

START_TEST(a_missing_part_is_refused)
{
    struct ens_study *now = hist_study("1, 2");
    struct ens_buf b = ENS_BUF_INIT;
    struct ens_error err = {0};
    struct ens_cellmap map;

    ens_cellmap_init(&map, now);
    ens_buf_u64(&b, 99);
    ens_buf_u64(&b, 3);
    ens_buf_u64(&b, 2);
    ens_buf_u64(&b, 1);
    ens_buf_u64(&b, 1);
    ens_buf_u64(&b, 1);
    ck_assert_int_eq((int)ens_cellmap_read(&map, b.data, b.len, &err),
                     ENS_ECORRUPT);
    ens_buf_fini(&b);
    ens_cellmap_fini(&map);
    ens_study_free(now);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("replay");
    TCase *t = tcase_create("replay");
    SRunner *r;
    int failed;

    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, edited_studies_keep_their_results, 0, 15);
    tcase_add_test(t, a_lost_group_is_not_there);
    tcase_add_test(t, an_empty_folder_says_nothing);
    tcase_add_test(t, an_attempt_holds_until_its_record);
    tcase_add_test(t, an_answer_holds_until_its_stage_changes);
    tcase_add_test(t, an_answer_over_other_cells_is_asked_again);
    tcase_add_loop_test(t, frames_that_say_nothing_are_refused, 0,
                        (int)(sizeof(nonsense) / sizeof(*nonsense)));
    tcase_add_test(t, records_of_no_stage_are_refused);
    tcase_add_test(t, a_long_list_goes_in_parts);
    tcase_add_test(t, a_missing_part_is_refused);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
