#include "record/schema.h"

#include "base/hash.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct ens_field three[] = {{"x", ENS_F64, "m", "length"},
                                         {"n", ENS_I64, "", ""},
                                         {"note", ENS_TEXT, NULL, NULL}};

START_TEST(same_fields_are_one_schema)
{
    struct ens_schemas s = ENS_SCHEMAS_INIT;
    size_t a = 9, b = 9, c = 9;

    ck_assert_int_eq(ens_schemas_add(&s, three, 3, &a, NULL), ENS_OK);
    ck_assert_int_eq(ens_schemas_add(&s, three, 2, &b, NULL), ENS_OK);
    ck_assert_int_eq(ens_schemas_add(&s, three, 3, &c, NULL), ENS_OK);
    ck_assert_uint_eq(a, 0);
    ck_assert_uint_eq(b, 1);
    ck_assert_uint_eq(c, 0);
    ck_assert_uint_eq(s.n, 2);
    ck_assert_ptr_eq(ens_schemas_find(&s, s.item[1]->hash), s.item[1]);
    ck_assert_ptr_null(ens_schemas_find(&s, 12345));
    ens_schemas_fini(&s);
    ens_schemas_fini(&s);
}
END_TEST

START_TEST(encoding_reads_back)
{
    struct ens_schemas s = ENS_SCHEMAS_INIT, t = ENS_SCHEMAS_INIT;
    struct ens_buf b = ENS_BUF_INIT;
    size_t i;

    ck_assert_int_eq(ens_schemas_add(&s, three, 3, &i, NULL), ENS_OK);
    ens_schema_encode(s.item[0], &b);
    ck_assert_uint_eq(s.item[0]->hash, ens_hash64(b.data, b.len));
    ck_assert_int_eq(ens_schemas_add_encoded(&t, b.data, b.len, &i, NULL),
                     ENS_OK);
    ck_assert_uint_eq(t.item[i]->hash, s.item[0]->hash);
    ck_assert_uint_eq(t.item[i]->n, 3);
    for (size_t k = 0; k < 3; k++) {
        ck_assert_int_eq(t.item[i]->field[k].type, three[k].type);
        ck_assert_str_eq(t.item[i]->field[k].name, three[k].name);
    }
    ck_assert_str_eq(t.item[i]->field[0].unit, "m");
    ck_assert_str_eq(t.item[i]->field[0].help, "length");
    ck_assert_str_eq(t.item[i]->field[2].unit, "");
    ens_buf_fini(&b);
    ens_schemas_fini(&s);
    ens_schemas_fini(&t);
}
END_TEST

START_TEST(cut_and_changed_bytes_are_refused)
{
    struct ens_schemas s = ENS_SCHEMAS_INIT, t = ENS_SCHEMAS_INIT;
    struct ens_buf b = ENS_BUF_INIT;
    struct ens_error err;
    size_t i;

    ck_assert_int_eq(ens_schemas_add(&s, three, 3, &i, NULL), ENS_OK);
    ens_schema_encode(s.item[0], &b);
    for (size_t n = 0; n < b.len; n++)
        ck_assert_int_eq(ens_schemas_add_encoded(&t, b.data, n, &i, &err),
                         ENS_ECORRUPT);
    b.data[4] = 9; /* type */
    ck_assert_int_eq(ens_schemas_add_encoded(&t, b.data, b.len, &i, &err),
                     ENS_ECORRUPT);
    b.data[4] = ENS_F64;
    b.data[9] = 0; /* a name that is a NUL byte */
    ck_assert_int_eq(ens_schemas_add_encoded(&t, b.data, b.len, &i, &err),
                     ENS_ECORRUPT);
    ck_assert_uint_eq(t.n, 0);
    ens_buf_fini(&b);
    ens_schemas_fini(&s);
    ens_schemas_fini(&t);
}
END_TEST

START_TEST(wrong_fields_are_named)
{
    struct ens_schemas s = ENS_SCHEMAS_INIT;
    struct ens_field twice[] = {three[0], three[1], three[0]};
    struct ens_field unnamed[] = {three[0], {"", ENS_F64, "", ""}};
    struct ens_error err;
    size_t i = 42;

    ck_assert_int_eq(ens_schemas_add(&s, twice, 3, &i, &err), ENS_EUSAGE);
    ck_assert_str_eq(err.text, "schema: field x occurs twice");
    ck_assert_int_eq(ens_schemas_add(&s, unnamed, 2, &i, &err), ENS_EUSAGE);
    ck_assert_str_eq(err.text, "schema: field 2 has no name");
    ck_assert_int_eq(ens_schemas_add(&s, NULL, 4097, &i, &err), ENS_EUSAGE);
    ck_assert_uint_eq(i, 42);
    ens_schemas_fini(&s);
}
END_TEST

static void add_many(size_t n, const char *help, enum ens_status want)
{
    struct ens_schemas s = ENS_SCHEMAS_INIT;
    struct ens_field *f = calloc(n, sizeof(*f));
    char(*name)[17] = calloc(n, sizeof(*name));
    size_t index;

    for (size_t i = 0; i < n; i++) {
        snprintf(name[i], sizeof(name[i]), "%zx", i);
        f[i].name = name[i];
        f[i].type = ENS_F64;
        f[i].help = help;
    }
    ck_assert_int_eq(ens_schemas_add(&s, f, n, &index, NULL), want);
    free(f);
    free(name);
    ens_schemas_fini(&s);
}

START_TEST(most_fields_fit_a_frame)
{
    add_many(ENS_SCHEMA_MAX_FIELDS, "", ENS_OK);
    add_many(ENS_SCHEMA_MAX_FIELDS, "helpful", ENS_EUSAGE);
}
END_TEST

START_TEST(no_fields_are_a_schema)
{
    struct ens_schemas s = ENS_SCHEMAS_INIT;
    size_t i;

    ck_assert_int_eq(ens_schemas_add(&s, NULL, 0, &i, NULL), ENS_OK);
    ck_assert_uint_eq(s.item[i]->n, 0);
    ck_assert_uint_eq(s.item[i]->hash, ens_hash64("\0\0\0\0", 4));
    ens_schemas_fini(&s);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("schema");
    TCase *t = tcase_create("schema");
    SRunner *r;
    int failed;

    tcase_add_test(t, same_fields_are_one_schema);
    tcase_add_test(t, encoding_reads_back);
    tcase_add_test(t, cut_and_changed_bytes_are_refused);
    tcase_add_test(t, wrong_fields_are_named);
    tcase_add_test(t, most_fields_fit_a_frame);
    tcase_add_test(t, no_fields_are_a_schema);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? 0 : 1;
}
