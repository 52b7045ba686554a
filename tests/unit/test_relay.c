/* What ranks say to each other: what is written is read, whatever is cut short
 * or makes no sense is refused. */
#include "record/parcel.h"
#include "transport/launcher.h"
#include "transport/relay.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* The one item in b; all of its beginnings are no item. */
static struct ens_relay_item only(const struct ens_buf *b)
{
    struct ens_relay_item item;

    ck_assert(!b->failed);
    for (size_t n = 0; n < b->len; n++)
        ck_assert_uint_eq(ens_relay_read(&item, b->data, n), 0);
    ck_assert_uint_eq(ens_relay_read(&item, b->data, b->len), b->len);
    return item;
}

START_TEST(items_follow_each_other_at_multiples_of_8)
{
    struct ens_buf b = ENS_BUF_INIT;
    struct ens_relay_item item;
    size_t n;

    ens_relay_put(&b, ENS_RELAY_ORDER, 7, "abc", 3);
    ens_relay_put(&b, ENS_RELAY_PING, 0, NULL, 0);
    n = ens_relay_read(&item, b.data, b.len);
    ck_assert_uint_eq(n, 24);
    ck_assert_int_eq(item.type, ENS_RELAY_ORDER);
    ck_assert_uint_eq(item.slot, 7);
    ck_assert_uint_eq(item.n, 3);
    ck_assert_mem_eq(item.body, "abc", 3);
    ck_assert_uint_eq(ens_relay_read(&item, b.data + n, b.len - n), 16);
    ck_assert_int_eq(item.type, ENS_RELAY_PING);
    ens_buf_fini(&b);
}
END_TEST

START_TEST(length_beyond_the_message_is_refused)
{
    unsigned char head[24] = {3, 0, 0, 0, 0, 0, 0, 0, 9};
    struct ens_relay_item item;

    ck_assert_uint_eq(ens_relay_read(&item, head, sizeof(head)), 0);
    head[8] = 8;
    ck_assert_uint_eq(ens_relay_read(&item, head, sizeof(head)), 24);
    memset(head + 8, 0xff, 4);
    ck_assert_uint_eq(ens_relay_read(&item, head, sizeof(head)), 0);
}
END_TEST

START_TEST(hello_comes_back)
{
    struct ens_relay_hello h = {.protocol = ENS_RELAY_PROTOCOL,
                                .abi = 3,
                                .version = "1.2",
                                .host = "node17",
                                .boot = "b",
                                .cpu = "x (0)",
                                .n_cores = 64,
                                .cpus_per_task = 8};
    struct ens_relay_hello got;
    struct ens_relay_item item;
    struct ens_buf b = ENS_BUF_INIT;

    ens_relay_put_hello(&b, &h);
    item = only(&b);
    ck_assert_int_eq(ens_relay_get_hello(&got, &item), 0);
    ck_assert_mem_eq(&got, &h, sizeof(h));
    item.n--;
    ck_assert_int_eq(ens_relay_get_hello(&got, &item), -1);
    ens_buf_fini(&b);
}
END_TEST

START_TEST(hello_of_another_protocol_names_version_and_host)
{
    struct ens_relay_hello h = {
        .protocol = 99, .version = "9.9", .host = "node17", .boot = "b"};
    struct ens_relay_hello got;
    struct ens_relay_item item;
    struct ens_buf b = ENS_BUF_INIT;

    ens_relay_put_hello(&b, &h);
    item = only(&b);
    ck_assert_int_eq(ens_relay_get_hello(&got, &item), 0);
    ck_assert_str_eq(got.version, "9.9");
    ck_assert_str_eq(got.host, "node17");
    ens_buf_fini(&b);
}
END_TEST

static struct ens_relay_setup good_setup(void)
{
    struct ens_relay_setup s = {.study_text = "[study]\n",
                                .study_bytes = 8,
                                .dir = "/r",
                                .host = "h",
                                .boot = "b",
                                .dir_dev = 1,
                                .dir_ino = 2,
                                .epoch = 3,
                                .n_slots = 4,
                                .first_slot = 5,
                                .credits = 6,
                                .run_id = 7,
                                .memory_limit = 8,
                                .timeout_s = 0,
                                .dead_man_s = 60,
                                .heartbeat_s = 5};
    static const unsigned char inputs[48] = {1, [8] = 2, [24] = 3, [40] = 1};

    s.n_inputs = 2;
    s.inputs = inputs;
    return s;
}

START_TEST(setup_comes_back)
{
    struct ens_relay_setup s = good_setup();
    struct ens_staged_file f;
    struct ens_relay_setup got;
    struct ens_relay_item item;
    struct ens_buf b = ENS_BUF_INIT;

    ens_relay_put_setup(&b, &s);
    item = only(&b);
    ck_assert_int_eq(ens_relay_get_setup(&got, &item), 0);
    ck_assert_uint_eq(got.study_bytes, 8);
    ck_assert_mem_eq(got.study_text, "[study]\n", 8);
    ck_assert_uint_eq(got.n_inputs, 2);
    ck_assert_mem_eq(got.inputs, s.inputs, 48);
    f = ens_relay_staged_file(&got, 0);
    ck_assert(f.sample == 1 && f.bytes == 2 && f.first == 0);
    f = ens_relay_staged_file(&got, 1);
    ck_assert(f.sample == 3 && f.bytes == 0 && f.first == 1);
    ck_assert_str_eq(got.dir, "/r");
    ck_assert_uint_eq(got.first_slot, 5);
    ck_assert_uint_eq(got.memory_limit, 8);
    ck_assert(got.dead_man_s == 60 && got.heartbeat_s == 5);
    ens_buf_fini(&b);
}
END_TEST

START_TEST(setup_that_makes_no_sense_is_refused)
{
    struct ens_relay_setup got, s;

    for (int i = 0; i < 7; i++) {
        struct ens_relay_item item;
        struct ens_buf b = ENS_BUF_INIT;

        s = good_setup();
        if (i == 1)
            s.n_slots = 0;
        else if (i == 2)
            s.first_slot = 65531; /* its last would be the coordinator's */
        else if (i == 3)
            s.dir[0] = 'r';
        else if (i == 4)
            s.dead_man_s = 0;
        else if (i == 5)
            s.credits = 0;
        else if (i == 6)
            s.n_staging = s.staging_index = 2;
        ens_relay_put_setup(&b, &s);
        item = only(&b);
        ck_assert_int_eq(ens_relay_get_setup(&got, &item), i == 0 ? 0 : -1);
        ens_buf_fini(&b);
    }
}
END_TEST

START_TEST(death_comes_back)
{
    struct ens_death got, d = {.incarnation = 2,
                               .wait_status = 139,
                               .phase = ENS_PHASE_RUNNING,
                               .place = 1ull << 40,
                               .stage = 77,
                               .asked = 1};
    struct ens_relay_item item;
    struct ens_buf b = ENS_BUF_INIT;

    ens_relay_put_death(&b, 12, &d);
    item = only(&b);
    ck_assert_uint_eq(item.slot, 12);
    ck_assert_int_eq(ens_relay_get_death(&got, &item), 0);
    ck_assert_mem_eq(&got, &d, sizeof(d));
    ens_buf_fini(&b);
}
END_TEST

static const struct {
    const char *path;
    int ok;
} paths[] = {
    {"arrays/y.0123.npy", 1}, {"artifacts/000001-00002.pack", 1},
    {"../study.ini", 0},      {"/etc/passwd", 0},
    {"arrays/", 0},           {"arrays/../../x", 0},
    {"arrays/..", 0},         {"arrays/a/b", 0},
    {"journal/x", 0},         {"", 0},
};

START_TEST(files_stay_below_their_folder)
{
    struct ens_relay_file got,
        f = {.offset = 5, .data = (const unsigned char *)"xyz", .n = 3};
    struct ens_relay_item item;
    struct ens_buf b = ENS_BUF_INIT;

    snprintf(f.path, sizeof(f.path), "%s", paths[_i].path);
    ens_relay_put_file(&b, &f);
    item = only(&b);
    ck_assert_int_eq(ens_relay_get_file(&got, &item), paths[_i].ok ? 0 : -1);
    if (paths[_i].ok) {
        ck_assert_str_eq(got.path, f.path);
        ck_assert_uint_eq(got.offset, 5);
        ck_assert_uint_eq(got.n, 3);
        ck_assert_mem_eq(got.data, "xyz", 3);
    }
    ens_buf_fini(&b);
}
END_TEST

START_TEST(parts_of_inputs_come_back)
{
    struct ens_staged_part got, p = {.input = 3,
                                     .is_last = 1,
                                     .offset = 1ull << 40,
                                     .hash = 99,
                                     .data = (const unsigned char *)"12345",
                                     .n = 5};
    struct ens_relay_item item;
    struct ens_buf b = ENS_BUF_INIT;

    ens_relay_put_part(&b, &p);
    item = only(&b);
    ck_assert_int_eq(item.type, ENS_RELAY_PART);
    ck_assert_int_eq(ens_relay_get_part(&got, &item), 0);
    ck_assert(got.input == 3 && got.is_last == 1 && got.offset == 1ull << 40);
    ck_assert(got.hash == 99 && got.n == 5);
    ck_assert_mem_eq(got.data, "12345", 5);
    for (item.n = 0; item.n < 24; item.n++)
        ck_assert_int_eq(ens_relay_get_part(&got, &item), -1);
    ens_buf_fini(&b);
}
END_TEST

START_TEST(numbers_come_back)
{
    struct ens_relay_item item;
    struct ens_buf b = ENS_BUF_INIT;
    uint64_t value;

    ens_relay_put_u64(&b, ENS_RELAY_WANT, 1ull << 50);
    item = only(&b);
    ck_assert_int_eq(item.type, ENS_RELAY_WANT);
    ck_assert_int_eq(ens_relay_get_u64(&value, &item), 0);
    ck_assert_uint_eq(value, 1ull << 50);
    item.n = 7;
    ck_assert_int_eq(ens_relay_get_u64(&value, &item), -1);
    ens_buf_fini(&b);
}
END_TEST

START_TEST(parcels_come_back)
{
    unsigned char bytes[64];
    struct ens_parcel got, p = {.cell = 9,
                                .offset = 16,
                                .n = 8,
                                .data = (const unsigned char *)"12345678",
                                .name = "y",
                                .name_bytes = 1};
    size_t n = ens_parcel_bytes(&p);

    ck_assert_uint_eq(n, 41);
    ens_parcel_write(bytes, &p);
    ck_assert_int_eq(ens_parcel_read(&got, bytes, n, NULL), ENS_OK);
    ck_assert_uint_eq(got.cell, 9);
    ck_assert_uint_eq(got.offset, 16);
    ck_assert_mem_eq(got.data, "12345678", 8);
    for (size_t k = 0; k < n; k++)
        ck_assert_int_ne(ens_parcel_read(&got, bytes, k, NULL), ENS_OK);
    p.data = NULL; /* a fill has no bytes */
    p.n = 1ull << 40;
    ck_assert_uint_eq(ens_parcel_bytes(&p), 33);
    ens_parcel_write(bytes, &p);
    ck_assert_int_eq(ens_parcel_read(&got, bytes, 33, NULL), ENS_OK);
    ck_assert(got.data == NULL);
    ck_assert_uint_eq(got.n, 1ull << 40);
    p.offset = INT64_MAX;
    ens_parcel_write(bytes, &p);
    ck_assert_int_ne(ens_parcel_read(&got, bytes, 33, NULL), ENS_OK);
}
END_TEST

/* -- who started us ---------------------------------------------------------
 */

static const struct {
    const char *set; /* NAME=VALUE, separated by blanks */
    enum ens_launcher by;
    int rank, size;
} environments[] = {
    {"", ENS_LAUNCHER_NONE, 0, 1},
    {"OMPI_COMM_WORLD_SIZE=4 OMPI_COMM_WORLD_RANK=3", ENS_LAUNCHER_MPI, 3, 4},
    {"OMPI_COMM_WORLD_SIZE=1 OMPI_COMM_WORLD_RANK=0", ENS_LAUNCHER_NONE, 0, 1},
    /* Open MPI's own words count before those of PMIx */
    {"OMPI_COMM_WORLD_SIZE=1 PMIX_RANK=0 PMIX_NAMESPACE=n", ENS_LAUNCHER_NONE,
     0, 1},
    {"PMIX_RANK=2 PMIX_NAMESPACE=n", ENS_LAUNCHER_MPI, 2, 0},
    {"PMIX_RANK=2 PMIX_NAMESPACE=n SLURM_STEP_NUM_TASKS=4", ENS_LAUNCHER_MPI, 2,
     4},
    {"PMIX_RANK=0 PMIX_NAMESPACE=n SLURM_STEP_NUM_TASKS=1", ENS_LAUNCHER_NONE,
     0, 1},
    {"PMIX_RANK=2", ENS_LAUNCHER_NONE, 0, 1},
    {"PMI_RANK=1 PMI_SIZE=2", ENS_LAUNCHER_MPI, 1, 2},
    {"PMI_RANK=0 PMI_SIZE=1", ENS_LAUNCHER_NONE, 0, 1},
    {"SLURM_PROCID=0 SLURM_NTASKS=8", ENS_LAUNCHER_NONE, 0, 1},
    {"SLURM_PROCID=5 SLURM_STEP_NUM_TASKS=8", ENS_LAUNCHER_BARE, 5, 8},
    {"SLURM_PROCID=0 SLURM_STEP_NUM_TASKS=1", ENS_LAUNCHER_NONE, 0, 1},
    {"OMPI_COMM_WORLD_SIZE=many", ENS_LAUNCHER_NONE, 0, 1},
};

START_TEST(launcher_is_known_by_its_environment)
{
    static const char *const names[] = {"OMPI_COMM_WORLD_SIZE",
                                        "OMPI_COMM_WORLD_RANK",
                                        "PMIX_RANK",
                                        "PMIX_NAMESPACE",
                                        "PMI_RANK",
                                        "PMI_SIZE",
                                        "SLURM_PROCID",
                                        "SLURM_STEP_NUM_TASKS",
                                        "SLURM_NTASKS"};
    char text[256], *save = NULL;
    struct ens_launched l;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        unsetenv(names[i]);
    snprintf(text, sizeof(text), "%s", environments[_i].set);
    for (char *w = strtok_r(text, " ", &save); w != NULL;
         w = strtok_r(NULL, " ", &save)) {
        *strchr(w, '=') = '\0';
        setenv(w, w + strlen(w) + 1, 1);
    }
    l = ens_launched();
    ck_assert_int_eq(l.by, environments[_i].by);
    ck_assert_int_eq(l.rank, environments[_i].rank);
    ck_assert_int_eq(l.size, environments[_i].size);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("relay");
    TCase *t = tcase_create("relay");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_test(t, items_follow_each_other_at_multiples_of_8);
    tcase_add_test(t, length_beyond_the_message_is_refused);
    tcase_add_test(t, hello_comes_back);
    tcase_add_test(t, hello_of_another_protocol_names_version_and_host);
    tcase_add_test(t, setup_comes_back);
    tcase_add_test(t, setup_that_makes_no_sense_is_refused);
    tcase_add_test(t, death_comes_back);
    tcase_add_loop_test(t, files_stay_below_their_folder, 0,
                        (int)(sizeof(paths) / sizeof(paths[0])));
    tcase_add_test(t, parts_of_inputs_come_back);
    tcase_add_test(t, numbers_come_back);
    tcase_add_test(t, parcels_come_back);
    tcase_add_loop_test(t, launcher_is_known_by_its_environment, 0,
                        (int)(sizeof(environments) / sizeof(environments[0])));
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? 0 : 1;
}
