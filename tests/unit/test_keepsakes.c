/* Keepsakes by their file: what hosts read that do not see the journal. (By
 * the journal: tests/system/test_apart.py.) */
#include "store/keepsakes.h"

#include "base/file.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define N 3

static char dir[64];
static struct ens_stage stage;

static void path_of(char to[256], const char *name)
{
    snprintf(to, 256, "%s/%s", dir, name);
}

/* A list of n places: the second has nothing. */
static void write_list(size_t n)
{
    unsigned char list[N * ENS_KEEPSAKE_BYTES];
    char path[256];
    FILE *f;

    for (size_t i = 0; i < N; i++) {
        const struct ens_artifact_ref ref = {
            .slot = i, .offset = 1ull << 40, .length = i + 7, .hash = ~i};

        ens_keepsake_write(list + i * ENS_KEEPSAKE_BYTES, i == 1 ? 0 : 9, &ref);
    }
    path_of(path, ENS_KEEPSAKE_FILE);
    f = fopen(path, "wb");
    ck_assert(f != NULL);
    ck_assert_uint_eq(fwrite(list, ENS_KEEPSAKE_BYTES, n, f), n);
    ck_assert_int_eq(fclose(f), 0);
}

static void setup(void)
{
    char path[256];

    snprintf(dir, sizeof(dir), "/tmp/ensrun-keepsakes-XXXXXX");
    ck_assert(mkdtemp(dir) != NULL);
    path_of(path, "artifacts");
    ck_assert_int_eq(mkdir(path, 0700), 0);
    ck_assert(ens_stage_add_run(&stage, 0, 1, N) == ENS_OK);
}

static void teardown(void)
{
    ens_stage_fini(&stage);
    ck_assert(ens_file_empty(dir, NULL) == ENS_OK);
    ck_assert_int_eq(rmdir(dir), 0);
}

START_TEST(places_have_what_was_written)
{
    struct ens_keepsakes k;
    struct ens_artifact_ref ref;
    struct ens_error err;
    uint32_t epoch;

    write_list(N);
    ck_assert(ens_keepsakes_open_file(&k, dir, &stage, &err) == ENS_OK);
    ck_assert(ens_keepsakes_get(&k, 2, &epoch, &ref, &err) == ENS_OK);
    ck_assert_uint_eq(epoch, 9);
    ck_assert(ref.slot == 2 && ref.offset == 1ull << 40 && ref.length == 9 &&
              ref.hash == ~2ull && ref.name == NULL);
    ck_assert(ens_keepsakes_get(&k, 1, &epoch, &ref, &err) == ENS_OK);
    ck_assert_uint_eq(epoch, 0);
    ck_assert(ens_keepsakes_get(&k, N, &epoch, &ref, &err) == ENS_OK);
    ck_assert_uint_eq(epoch, 0);
    ens_keepsakes_close(&k);
}
END_TEST

START_TEST(a_cut_list_is_no_list)
{
    struct ens_keepsakes k;
    struct ens_artifact_ref ref;
    struct ens_error err;
    uint32_t epoch;

    ck_assert(ens_keepsakes_open_file(&k, dir, &stage, &err) == ENS_EIO);
    write_list(2);
    ck_assert(ens_keepsakes_open_file(&k, dir, &stage, &err) == ENS_OK);
    ck_assert(ens_keepsakes_get(&k, 2, &epoch, &ref, &err) == ENS_EIO);
    ck_assert(strstr(err.text, "place 2") != NULL);
    ens_keepsakes_close(&k);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("keepsakes");
    TCase *t = tcase_create("keepsakes");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, places_have_what_was_written);
    tcase_add_test(t, a_cut_list_is_no_list);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
