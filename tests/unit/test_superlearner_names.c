/* Names of a super learner's stages and arrays: what is made can be read. */
#include "kinds/superlearner/names.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static const char *const groups[] = {
    "", "fast", "a_b", "lanes_x", "2", "_", "abcdefghijklmnop"};
#define N_GROUPS ((int)(sizeof(groups) / sizeof(groups[0])))

static struct ens_sl_layer layer_of(uint32_t number, const char *group)
{
    struct ens_sl_layer l = {.number = number};

    snprintf(l.group, sizeof(l.group), "%s", group);
    return l;
}

START_TEST(stages)
{
    for (uint32_t number = 1; number <= ENS_SL_LAYERS; number += 31)
        for (int step = 0; step < ENS_SL_N_STEPS; step++) {
            struct ens_sl_layer l = layer_of(number, groups[_i]);
            struct ens_sl_at at = ens_sl_at(&l, (enum ens_sl_step)step), found;
            char key[ENS_SL_KEY];

            ens_sl_stage_key(at, key);
            ck_assert_msg(ens_sl_stage_of(key, &found, NULL) == ENS_OK, "%s",
                          key);
            ck_assert_int_eq(found.step, step);
            if (step >= ENS_SL_META_LANES) /* of no layer */
                continue;
            ck_assert_uint_eq(found.layer, number);
            ck_assert_str_eq(found.group, groups[_i]);
        }
}
END_TEST

START_TEST(arrays)
{
    struct ens_sl_layer l = layer_of(32, groups[_i]);
    char name[ENS_SL_KEY], group[ENS_SL_GROUP];
    uint32_t number;
    size_t stem;

    ens_sl_array(name, "predicted", &l);
    ck_assert_int_eq(ens_sl_array_parse(name, &stem, &number, group), ENS_OK);
    ck_assert_uint_eq(stem, 9);
    ck_assert_uint_eq(number, 32);
    ck_assert_str_eq(group, groups[_i]);
    ens_sl_array(name, "weights", NULL);
    ck_assert_int_eq(ens_sl_array_parse(name, &stem, &number, group), ENS_OK);
    ck_assert_uint_eq(stem, 7);
    ck_assert_uint_eq(number, 0);
}
END_TEST

START_TEST(others)
{
    static const char *const no_stage[] = {
        "",
        "layer",
        "layer0",
        "layer33",
        "layer1x",
        "layer1_",
        "_lanes",
        "layer_lanes",
        "meta2",
        "rows1",
        "xlayer1",
        "layer1 ",
        "layer1-fast",
        "layer",
        "meta_",
        "weights1",
        "layer9999999",
        "layer1_abcdefghijklmnopq",
    };
    struct ens_sl_at at;
    struct ens_error err;
    char long_name[200];

    for (size_t i = 0; i < sizeof(no_stage) / sizeof(no_stage[0]); i++)

        ck_assert_msg(ens_sl_stage_of(no_stage[i], &at, &err) == ENS_EPROTOCOL,
                      "\"%s\"", no_stage[i]);
    memset(long_name, 'l', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = '\0';
    ck_assert_int_eq(ens_sl_stage_of(long_name, &at, &err), ENS_EPROTOCOL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("superlearner_names");
    TCase *t = tcase_create("all");
    SRunner *runner;
    int failed;

    tcase_add_loop_test(t, stages, 0, N_GROUPS);
    tcase_add_loop_test(t, arrays, 0, N_GROUPS);
    tcase_add_test(t, others);
    suite_add_tcase(suite, t);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
