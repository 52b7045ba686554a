#include "record/stage.h"

#include "base/hash.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* Cells 0-9 x 100, 10-11 x 3, 20 x 7. */
static void make(struct ens_stage *s)
{
    memset(s, 0, sizeof(*s));
    memcpy(s->key, "fit", 4);
    s->input_digest = 5;
    s->id = ens_stage_id("fit", 5);
    s->from = 11;
    s->from_definition = 12;
    s->run_settings = 13;
    s->index = 1;
    s->flags = ENS_STAGE_INTERNAL;
    ck_assert_int_eq(ens_stage_add_run(s, 0, 4, 100), ENS_OK);
    ck_assert_int_eq(ens_stage_add_run(s, 4, 6, 100), ENS_OK);
    ck_assert_int_eq(ens_stage_add_run(s, 10, 2, 3), ENS_OK);
    ck_assert_int_eq(ens_stage_add_run(s, 12, 0, 3), ENS_OK);
    ck_assert_int_eq(ens_stage_add_run(s, 13, 5, 0), ENS_OK);
    ck_assert_int_eq(ens_stage_add_run(s, 20, 1, 7), ENS_OK);
    s->n_writes = 1;
    memcpy(s->writes[0], "sum", 4);
    s->n_reads = 2;
    memcpy(s->reads[0], "a", 2);
    memcpy(s->reads[1], "bb", 3);
    s->has_data = 1;
    s->data.slot = 1;
    s->data.offset = 2;
    s->data.length = 3;
    s->data.hash = 4;
}

START_TEST(id_is_the_hash_of_key_nul_digest)
{
    ck_assert_uint_eq(ens_stage_id("fit", 5),
                      ens_hash64("fit\0\5\0\0\0\0\0\0\0", 12));
    ck_assert_uint_ne(ens_stage_id("fit", 5), ens_stage_id("fit", 6));
}
END_TEST

START_TEST(places_and_tasks_are_one_to_one)
{
    struct ens_stage s;
    uint64_t cell;
    uint32_t replicate;

    make(&s);
    ck_assert_uint_eq(s.n_runs, 3);
    ck_assert_uint_eq(ens_stage_n_tasks(&s), 1013);
    for (uint64_t place = 0; place < 1013; place++) {
        ens_stage_task(&s, place, &cell, &replicate);
        ck_assert_uint_eq(ens_stage_place(&s, cell, replicate), place);
    }
    ens_stage_task(&s, 0, &cell, &replicate);
    ck_assert_uint_eq(cell, 0);
    ck_assert_uint_eq(replicate, 1);
    ens_stage_task(&s, 1012, &cell, &replicate);
    ck_assert_uint_eq(cell, 20);
    ck_assert_uint_eq(replicate, 7);
    ck_assert_uint_eq(ens_stage_replicates(&s, 9), 100);
    ck_assert_uint_eq(ens_stage_replicates(&s, 11), 3);
    ck_assert_uint_eq(ens_stage_replicates(&s, 12), 0);
    ck_assert_uint_eq(ens_stage_replicates(&s, 21), 0);
    ck_assert_uint_eq(ens_stage_place(&s, 12, 1), UINT64_MAX);
    ck_assert_uint_eq(ens_stage_place(&s, 10, 4), UINT64_MAX);
    ck_assert_uint_eq(ens_stage_place(&s, 10, 0), UINT64_MAX);
    ens_stage_fini(&s);
    ens_stage_fini(&s);
}
END_TEST

START_TEST(too_many_tasks_are_refused)
{
    struct ens_stage s = {0};

    ck_assert_int_eq(ens_stage_add_run(&s, 0, UINT64_MAX / 2, 3), ENS_EDOMAIN);
    ck_assert_int_eq(ens_stage_add_run(&s, 0, UINT64_MAX / 2, 1), ENS_OK);
    ck_assert_int_eq(ens_stage_add_run(&s, UINT64_MAX / 2, UINT64_MAX / 2, 2),
                     ENS_EDOMAIN);
    ck_assert_uint_eq(ens_stage_n_tasks(&s), UINT64_MAX / 2);
    ens_stage_fini(&s);
}
END_TEST

START_TEST(encoding_reads_back)
{
    struct ens_stage s, c, t;
    struct ens_buf b = ENS_BUF_INIT, b2 = ENS_BUF_INIT;

    make(&s);
    ck_assert_int_eq(ens_stage_copy(&c, &s), ENS_OK);
    ens_stage_encode(&s, &b);
    ck_assert_int_eq(ens_stage_decode(&t, b.data, b.len, NULL), ENS_OK);
    ck_assert_str_eq(t.key, "fit");
    ck_assert_uint_eq(t.from_definition, 12);
    ck_assert_uint_eq(t.data.hash, 4);
    ck_assert_str_eq(t.reads[1], "bb");
    ck_assert_uint_eq(ens_stage_n_tasks(&t), 1013);
    ens_stage_encode(&c, &b2);
    ck_assert_uint_eq(b.len, b2.len);
    ck_assert_mem_eq(b.data, b2.data, b.len);
    ens_buf_clear(&b2);
    ens_stage_encode(&t, &b2);
    ck_assert_uint_eq(b.len, b2.len);
    ck_assert_mem_eq(b.data, b2.data, b.len);
    ens_buf_fini(&b);
    ens_buf_fini(&b2);
    ens_stage_fini(&s);
    ens_stage_fini(&c);
    ens_stage_fini(&t);
}
END_TEST

START_TEST(cut_and_wild_bytes_are_refused)
{
    struct ens_stage s, t;
    struct ens_buf b = ENS_BUF_INIT;
    struct ens_error err;

    make(&s);
    ens_stage_encode(&s, &b);
    memset(&t, 0x5a, sizeof(t));
    for (size_t n = 0; n < b.len; n++)
        ck_assert_int_eq(ens_stage_decode(&t, b.data, n, &err), ENS_ECORRUPT);
    ck_assert_uint_eq(t.id, 0x5a5a5a5a5a5a5a5a);
    b.data[48 + 5] ^= 1; /* the key no longer gives the id */
    ck_assert_int_eq(ens_stage_decode(&t, b.data, b.len, &err), ENS_ECORRUPT);
    b.data[48 + 5] ^= 1;
    b.data[59 + 24] = 1; /* second run begins inside the first */
    ck_assert_int_eq(ens_stage_decode(&t, b.data, b.len, &err), ENS_ECORRUPT);
    ens_buf_fini(&b);
    ens_stage_fini(&s);
}
END_TEST

START_TEST(only_an_end_has_no_key)
{
    struct ens_stage s = {0}, t;
    struct ens_buf b = ENS_BUF_INIT;

    s.id = ens_stage_id("", 0);
    ens_stage_encode(&s, &b);
    ck_assert_int_eq(ens_stage_decode(&t, b.data, b.len, NULL), ENS_ECORRUPT);
    s.flags = ENS_STAGE_END;
    ens_buf_clear(&b);
    ens_stage_encode(&s, &b);
    ck_assert_int_eq(ens_stage_decode(&t, b.data, b.len, NULL), ENS_OK);
    ck_assert_uint_eq(ens_stage_n_tasks(&t), 0);
    ens_stage_fini(&t);
    ens_buf_fini(&b);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("stage");
    TCase *t = tcase_create("stage");
    SRunner *r;
    int failed;

    tcase_add_test(t, id_is_the_hash_of_key_nul_digest);
    tcase_add_test(t, places_and_tasks_are_one_to_one);
    tcase_add_test(t, too_many_tasks_are_refused);
    tcase_add_test(t, encoding_reads_back);
    tcase_add_test(t, cut_and_wild_bytes_are_refused);
    tcase_add_test(t, only_an_end_has_no_key);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? 0 : 1;
}
