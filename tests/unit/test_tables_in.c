#include "store/tables_in.h"

#include "history.h"
#include "store/array.h"

#include <ensrun/kind.h>

/* Two stages of two cells each: in the first, replicates 3, 6 ... have
 * records; the second has none. */
struct use {
    struct hist *h;
    struct ens_study *study;
    struct ens_log log;
    struct ens_stage def[2];
    struct ens_tables_in in;
};

static void use_init(struct use *u)
{
    struct ens_tables_stage known[2];
    struct ens_error err = {0};

    u->h = calloc(1, sizeof(*u->h));
    hist_init(u->h, 1);
    u->study = hist_study("1, 2");
    hist_begin(u->h, "1, 2", 0);
    for (size_t k = 0; k < 2; k++) {
        hist_stage_def(u->h->study, k, &u->def[k]);
        known[k].def = &u->def[k];
        known[k].finished = k == 0;
    }
    hist_put_stage(u->h, &u->def[0]);
    for (uint64_t c = 0; c < 2; c++)
        for (uint32_t r = 3; r <= HIST_REPS; r += 3)
            hist_record(u->h, 0, c, r, ENS_TASK_OK, 0);
    hist_end(u->h, 0);
    hist_ok(ens_log_open(&u->log, u->h->dir, NULL, &err), &err);
    hist_ok(ens_tables_in_init(&u->in, u->h->dir, &u->log, u->study, known, 2,
                               &err),
            &err);
}

static void use_fini(struct use *u)
{
    ens_tables_in_fini(&u->in);
    ens_tables_in_fini(&u->in); /* harmless */
    for (size_t k = 0; k < 2; k++)
        ens_stage_fini(&u->def[k]);
    ens_log_close(&u->log);
    ens_study_free(u->study);
    hist_fini(u->h);
    free(u->h);
}

/* How many records; the cell and replicate of the last one. */
static size_t count(struct use *u, const char *key, uint64_t cell,
                    struct ens_record *last)
{
    const struct ens_schema *schema;
    struct ens_error err = {0};
    struct ens_records *in;
    size_t n = 0;

    hist_ok(ens_tables_in_records(&u->in, key, cell, &in, &err), &err);
    while (ens_records_next(in, last, &schema))
        n++;
    return n;
}

START_TEST(records_by_stage_and_cell)
{
    enum { OF_CELL = HIST_REPS / 3 };
    struct ens_record r;
    struct use u;

    use_init(&u);
    ck_assert_uint_eq(count(&u, u.def[0].key, 1, &r), OF_CELL);
    ck_assert_uint_eq(r.cell, 1);
    ck_assert_uint_eq(r.replicate, 3 * OF_CELL);
    ck_assert_uint_eq(count(&u, u.def[0].key, ENS_ALL_CELLS, &r), 2 * OF_CELL);
    ck_assert_uint_eq(count(&u, u.def[0].key, 2, &r), 0);
    ck_assert_uint_eq(count(&u, u.def[1].key, 0, &r), 0);
    ck_assert_uint_eq(count(&u, u.def[1].key, ENS_ALL_CELLS, &r), 0);
    ck_assert_uint_eq(count(&u, "none", ENS_ALL_CELLS, &r), 0);
    ck_assert(ens_tables_in_finished(&u.in, u.def[0].key));
    ck_assert(!ens_tables_in_finished(&u.in, u.def[1].key));
    ck_assert(!ens_tables_in_finished(&u.in, "none"));
    use_fini(&u);
}
END_TEST

START_TEST(facts_are_seen_by_tables_of_facts_alone)
{
    struct ens_error err = {0};
    const struct ens_schema *schema;
    struct ens_records *in, *other;
    struct ens_record r;
    struct use u;

    use_init(&u);
    for (int facts = 0; facts < 2; facts++) {
        ens_tables_in_rewind(&u.in, facts);
        hist_ok(ens_tables_in_records(&u.in, u.def[0].key, 0, &in, &err), &err);
        ck_assert_int_eq(ens_records_next(in, &r, &schema), 1);
        ck_assert_int_eq(isnan(r.seconds), !facts);
        ck_assert_int_eq(r.attempts > 0, facts);
        hist_ok(ens_records_of(in, 1, &other, &err), &err);
        ck_assert_int_eq(ens_records_next(other, &r, &schema), 1);
        ck_assert_uint_eq(r.cell, 1);
        ck_assert_int_eq(isnan(r.seconds), !facts);
    }
    use_fini(&u);
}
END_TEST

/* What a stage without records gives can be asked as any other. */
START_TEST(no_records_are_records_too)
{
    const uint64_t shape[] = {2};
    struct ens_error err = {0};
    const struct ens_schema *schema;
    struct ens_records *in, *other;
    struct ens_cell cell;
    struct ens_record r;
    struct ens_view v;
    struct use u;
    int created;

    use_init(&u);
    ens_study_cell(u.study, 0, &cell);
    hist_ok(ens_array_create(u.h->dir, "w", cell.hash[0], ENS_DT_F64, 1, shape,
                             NULL, &created, &err),
            &err);
    hist_ok(ens_tables_in_records(&u.in, "none", 0, &in, &err), &err);
    hist_ok(ens_records_of(in, 1, &other, &err), &err);
    ck_assert_int_eq(ens_records_next(other, &r, &schema), 0);
    ens_records_rewind(in);
    ck_assert_int_eq(ens_records_next(in, &r, &schema), 0);
    hist_ok(ens_records_array(in, "w", 0, &v, &err), &err);
    ck_assert_uint_eq(v.shape[0], 2);
    hist_ok(ens_tables_in_array(&u.in, "w", 0, &v, &err), &err);
    ck_assert_int_eq((int)ens_tables_in_array(&u.in, "w", 1, &v, &err),
                     ENS_ENOTFOUND);
    ck_assert_int_eq((int)ens_tables_in_array(&u.in, "w", 9, &v, &err),
                     ENS_EUSAGE);
    use_fini(&u);
}
END_TEST

START_TEST(a_stage_that_is_indexed_is_not_read_again)
{
    struct ens_error err = {0};
    struct ens_tables_stage known;
    struct ens_places *places;
    struct ens_tables_in in;
    struct ens_records *records;
    struct use u;

    use_init(&u);
    known.def = &u.def[0];
    known.finished = 1;
    hist_ok(ens_places_build(&places, u.h->dir, &u.log, NULL, u.study,
                             &u.def[0], &err),
            &err);
    hist_ok(ens_tables_in_init(&in, u.h->dir, NULL, u.study, &known, 1, &err),
            &err);
    ens_tables_in_put(&in, places);
    hist_ok(ens_tables_in_records(&in, u.def[0].key, 0, &records, &err), &err);
    ck_assert_ptr_eq(records->places, places);
    ens_tables_in_fini(&in);
    ens_places_free(places); /* still there: it was lent */
    use_fini(&u);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("tables_in");
    TCase *t = tcase_create("tables_in");
    SRunner *r;
    int failed;

    tcase_set_timeout(t, 60);
    tcase_add_test(t, records_by_stage_and_cell);
    tcase_add_test(t, facts_are_seen_by_tables_of_facts_alone);
    tcase_add_test(t, no_records_are_records_too);
    tcase_add_test(t, a_stage_that_is_indexed_is_not_read_again);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? 0 : 1;
}
