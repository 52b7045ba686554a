#include "store/places.h"

#include "history.h"
#include "store/array.h"

/* The serial number a record carries: in its field, or in its error. */
static double serial_of(const struct ens_record *r, const struct ens_schema *s)
{
    struct ens_item_view item;
    char text[32];

    if (r->status == ENS_TASK_OK)
        return ens_record_f64(r, s, 0);
    ck_assert(ens_item_find(r, ENS_ITEM_ERROR, &item));
    snprintf(text, sizeof(text), "%.*s", (int)item.length,
             (const char *)item.bytes);
    return strtod(text, NULL);
}

static void check_place(const struct hist *h, const struct ens_places *p,
                        const struct ens_study *study, size_t k, uint64_t place)
{
    const struct hist_task *t;
    struct ens_record r;
    uint64_t cell;
    uint32_t replicate, epoch;
    int there;

    ens_stage_task(ens_places_stage(p), place, &cell, &replicate);
    t = &h->task[k][hist_value(study, cell)][replicate];
    there = ens_places_get(p, place, &r, &epoch);
    ck_assert_int_eq(there, t->outcome != ENS_N_OUTCOMES);
    if (!there)
        return;
    ck_assert_uint_eq(r.cell, cell);
    ck_assert_uint_eq(r.replicate, replicate);
    ck_assert_uint_eq(r.round, t->round);
    ck_assert_int_eq((int)r.status, t->outcome);
    ck_assert_double_eq(
        serial_of(&r, ens_schemas_find(ens_places_schemas(p), r.schema)),
        t->serial);
}

static void check_stage(const struct hist *h, const struct ens_log *log,
                        const struct ens_study *study, size_t k,
                        const struct ens_log_at *from)
{
    struct ens_error err = {0};
    struct ens_places *p;
    struct ens_stage def;

    hist_stage_def(study, k, &def);
    hist_ok(ens_places_build(&p, h->dir, log, from, study, &def, &err), &err);
    for (uint64_t i = 0; i < ens_stage_n_tasks(&def); i++)
        check_place(h, p, study, k, i);
    ens_places_free(p);
    ens_stage_fini(&def);
}

START_TEST(every_place_has_the_record_in_force)
{
    struct hist *h = calloc(1, sizeof(*h));
    struct ens_error err = {0};
    struct ens_log log;

    hist_init(h, (uint64_t)_i * 104729 + 3);
    for (uint32_t e = 1 + hist_below(h, 5); e > 0; e--) {
        hist_epoch(h);
        hist_end(h, 0);
    }
    hist_ok(ens_log_open(&log, h->dir, NULL, &err), &err);
    for (size_t i = 0; i < sizeof(hist_lists) / sizeof(*hist_lists); i++) {
        struct ens_study *study = hist_study(hist_lists[i]);
        struct ens_replay r;

        hist_ok(ens_replay_build(&r, study, &log, h->dir, 1, &err), &err);
        for (size_t k = 0; k < 2; k++) {
            struct ens_replay_stage *s =
                ens_replay_find(&r, ens_stage_id(hist_keys[k], 0));

            check_stage(h, &log, study, k, NULL);
            if (s != NULL) /* CELLS and SCHEMA frames lie before it */
                check_stage(h, &log, study, k, &s->first);
        }
        ens_replay_fini(&r);
        ens_study_free(study);
    }
    ens_log_close(&log);
    hist_fini(h);
    free(h);
}
END_TEST

/* Two cells, HIST_REPS each; every third has a record. */
static void make_thirds(struct hist *h)
{
    struct ens_stage def;

    hist_begin(h, "1, 2", 0);
    hist_stage_def(h->study, 0, &def);
    hist_put_stage(h, &def);
    for (uint64_t c = 2; c-- > 0;)
        for (uint32_t r = HIST_REPS; r > 0; r--)
            if (r % 3 == 0)
                hist_record(h, 0, c, r, ENS_TASK_OK, 0);
    ens_stage_fini(&def);
    hist_end(h, 0);
}

struct use {
    struct hist *h;
    struct ens_study *study;
    struct ens_log log;
    struct ens_places *places;
};

static void use_init(struct use *u, uint32_t n_replicates)
{
    struct ens_error err = {0};
    struct ens_stage def;

    u->h = calloc(1, sizeof(*u->h));
    hist_init(u->h, 1);
    make_thirds(u->h);
    u->study = hist_study("1, 2");
    hist_stage_def(u->study, 0, &def);
    def.n_runs = 0;
    ck_assert_int_eq((int)ens_stage_add_run(&def, 0, 2, n_replicates), ENS_OK);
    hist_ok(ens_log_open(&u->log, u->h->dir, NULL, &err), &err);
    hist_ok(ens_places_build(&u->places, u->h->dir, &u->log, NULL, u->study,
                             &def, &err),
            &err);
    ens_stage_fini(&def);
}

static void use_fini(struct use *u)
{
    ens_places_free(u->places);
    ens_log_close(&u->log);
    ens_study_free(u->study);
    hist_fini(u->h);
    free(u->h);
}

START_TEST(records_come_in_task_order)
{
    const struct ens_schema *schema = NULL;
    struct ens_records in;
    struct ens_record r;
    struct use u;

    use_init(&u, 30);
    ens_records_init(&in, u.places, u.h->dir, 0, UINT64_MAX);
    for (uint64_t c = 0; c < 2; c++) {
        for (uint32_t i = 3; i <= 30; i += 3) {
            ck_assert_int_eq(ens_records_next(&in, &r, &schema), 1);
            ck_assert_uint_eq(r.cell, c);
            ck_assert_uint_eq(r.replicate, i);
            ck_assert_uint_eq(schema->hash, u.h->schema.hash);
        }
    }
    ck_assert_int_eq(ens_records_next(&in, &r, &schema), 0);
    ens_records_fini(&in);
    ens_records_init(&in, u.places, u.h->dir, 4, 3);
    ck_assert_int_eq(ens_records_next(&in, &r, &schema), 1);
    ck_assert_uint_eq(r.replicate, 6);
    ck_assert_int_eq(ens_records_next(&in, &r, &schema), 0);
    ens_records_fini(&in);
    use_fini(&u);
}
END_TEST

/* One cell's records with those of another beside them, and once more. */
START_TEST(cells_are_read_side_by_side_and_again)
{
    const struct ens_schema *schema = NULL;
    struct ens_records in, *other, *none;
    struct ens_error err = {0};
    struct ens_record r, s;
    struct use u;

    use_init(&u, 30);
    ens_records_init(&in, u.places, u.h->dir, 0, 30);
    hist_ok(ens_records_of(&in, 1, &other, &err), &err);
    hist_ok(ens_records_of(&in, 7, &none, &err), &err);
    ck_assert_int_eq(ens_records_next(none, &r, &schema), 0);
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 3; i <= 30; i += 3) {
            ck_assert_int_eq(ens_records_next(&in, &r, &schema), 1);
            ck_assert_int_eq(ens_records_next(other, &s, &schema), 1);
            ck_assert_uint_eq(r.cell, 0);
            ck_assert_uint_eq(s.cell, 1);
            ck_assert_uint_eq(r.replicate, i);
            ck_assert_uint_eq(s.replicate, i);
        }
        ck_assert_int_eq(ens_records_next(&in, &r, &schema), 0);
        ck_assert_int_eq(ens_records_next(other, &s, &schema), 0);
        ens_records_rewind(&in);
        ens_records_rewind(other);
    }
    ens_records_fini(&in);
    use_fini(&u);
}
END_TEST

START_TEST(a_large_index_lies_in_no_visible_file)
{
    struct ens_record r;
    uint32_t epoch, n = 0;
    struct use u;
    DIR *d;

    use_init(&u, 400000); /* 6.4 MB of words */
    ck_assert_int_eq(ens_places_get(u.places, 400002, &r, &epoch), 1);
    ck_assert_uint_eq(r.replicate, 3);
    ck_assert_uint_eq(r.cell, 1);
    ck_assert_int_eq(ens_places_get(u.places, 399999, &r, &epoch), 0);
    ck_assert_int_eq(ens_places_get(u.places, 800000, &r, &epoch), 0);
    d = opendir(u.h->dir);
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        n += strstr(e->d_name, "places") != NULL;
    closedir(d);
    ck_assert_uint_eq(n, 0);
    use_fini(&u);
}
END_TEST

START_TEST(a_folder_that_is_gone_falls_back_to_memory)
{
    struct ens_error err = {0};
    struct ens_places *p;
    struct ens_stage def;
    struct use u;

    use_init(&u, 3);
    hist_stage_def(u.study, 0, &def);
    def.n_runs = 0;
    ck_assert_int_eq((int)ens_stage_add_run(&def, 0, 2, 400000), ENS_OK);
    hist_ok(ens_places_build(&p, "/nowhere/at/all", &u.log, NULL, u.study, &def,
                             &err),
            &err);
    ens_places_free(p);
    ens_stage_fini(&def);
    hist_stage_def(u.study, 0, &def);
    def.n_runs = 0;
    ck_assert_int_eq((int)ens_stage_add_run(&def, 0, 2, 4000000000u), ENS_OK);
    ck_assert_int_ne((int)ens_places_build(&p, "/nowhere/at/all", &u.log, NULL,
                                           u.study, &def, &err),
                     ENS_OK);
    ck_assert_ptr_nonnull(strstr(err.text, "/nowhere/at/all"));
    ens_stage_fini(&def);
    use_fini(&u);
}
END_TEST

START_TEST(arrays_of_a_cell_are_mapped_once)
{
    const uint64_t shape[] = {3};
    struct ens_error err = {0};
    struct ens_records in;
    struct ens_cell cell;
    struct ens_view a, b;
    struct use u;
    int created;

    use_init(&u, 3);
    ens_study_cell(u.study, 1, &cell);
    hist_ok(ens_array_create(u.h->dir, "sum", cell.hash[0], ENS_DT_F64, 1,
                             shape, NULL, &created, &err),
            &err);
    ens_records_init(&in, u.places, u.h->dir, 0, 1);
    hist_ok(ens_records_array(&in, "sum", 1, &a, &err), &err);
    hist_ok(ens_records_array(&in, "sum", 1, &b, &err), &err);
    ck_assert_ptr_eq(a.data, b.data);
    ck_assert_uint_eq(a.shape[0], 3);
    ck_assert(isnan(((const double *)a.data)[2]));
    ck_assert_int_eq((int)ens_records_array(&in, "sum", 0, &b, &err),
                     ENS_ENOTFOUND);
    ck_assert_int_eq((int)ens_records_array(&in, "sum", 2, &b, &err),
                     ENS_EUSAGE);
    ens_records_fini(&in);
    use_fini(&u);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("places");
    TCase *t = tcase_create("places");
    SRunner *r;
    int failed;

    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, every_place_has_the_record_in_force, 0, 15);
    tcase_add_test(t, records_come_in_task_order);
    tcase_add_test(t, cells_are_read_side_by_side_and_again);
    tcase_add_test(t, a_large_index_lies_in_no_visible_file);
    tcase_add_test(t, a_folder_that_is_gone_falls_back_to_memory);
    tcase_add_test(t, arrays_of_a_cell_are_mapped_once);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
