/* Digests of input files and their cache. */
#include "input_fixture.h"

#include "base/buf.h"

#include <check.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

START_TEST(digest_is_that_of_the_bytes)
{
    size_t n = ((size_t)9 << 20) + 8; /* more than two blocks */
    char *p = malloc(n);
    struct ens_input_options o = {AUTO, .dtype = "f8"};
    struct ens_hash128 want;
    struct ens_hash128 got = {0, 0};
    const atomic_int stop = 1;
    struct ens_file_id now;
    struct ens_mapped m;
    const char *path;

    for (size_t i = 0; i < n; i++)
        p[i] = (char)(i * 7 + i / 251);
    path = put("x.bin", p, n);
    want = ens_hash128(p, n);
    settle(path);
    must_open(&m, path, o);
    ck_assert_int_eq(ens_mapped_digest(&m, &stop, &got, NULL), ENS_ESTOPPED);
    ck_assert_int_eq(ens_mapped_digest(&m, NULL, &got, NULL), ENS_OK);
    ck_assert(got.low == want.low && got.high == want.high);
    ck_assert_int_eq(ens_mapped_id_now(&m, &now, NULL), ENS_OK);
    ck_assert(ens_file_id_same(&now, &m.id));
    /* known now: not even a stopped call reads the file */
    got.low = 0;
    ck_assert_int_eq(ens_mapped_digest(&m, &stop, &got, NULL), ENS_OK);
    ck_assert(got.low == want.low);
    ens_mapped_close(&m);
    free(p);
}
END_TEST

START_TEST(a_file_that_changes_is_noticed)
{
    char p[4096] = {0};
    struct ens_input_options o = {AUTO, .dtype = "u1"};
    const char *path = put("x.bin", p, sizeof(p));
    struct ens_error err = {.status = 0};
    struct ens_hash128 d;
    struct ens_mapped m;

    must_open(&m, path, o);
    ck_assert_int_eq(truncate(path, 100), 0);
    ck_assert_int_eq(ens_mapped_digest(&m, NULL, &d, &err), ENS_EINPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "shrank while it was in use: ends "
                                           "at byte 100, expected 4096"));
    ck_assert_int_eq(truncate(path, 5000), 0);
    ck_assert_int_eq(ens_mapped_digest(&m, NULL, &d, &err), ENS_EINPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "changed while it was in use"));
    ens_mapped_close(&m);
}
END_TEST

static struct ens_file_id id_of(uint64_t writer, uint64_t i)
{
    struct ens_file_id id = {writer, i, 3, 4, 5};

    return id;
}

/* Four writers, enough lines to shorten the file several times: it stays
 * short, whole, and each writer's last line is there when written last. */
START_TEST(digests_survive_concurrent_writers)
{
    enum { WRITERS = 4, LINES = 3000 };
    struct ens_hash128 d = {1, 2};
    struct ens_file_id id;
    char path[PATH_MAX];
    struct ens_buf b = ENS_BUF_INIT;

    for (uint64_t w = 0; w < WRITERS; w++) {
        pid_t pid = fork();

        if (pid == 0) {
            for (uint64_t i = 0; i < LINES; i++) {
                id = id_of(w, i);
                d.low = i;
                ens_cache_put_digest(&id, &d);
            }
            _exit(0);
        }
        ck_assert_int_gt(pid, 0);
    }
    for (int w = 0; w < WRITERS; w++) {
        int status = 1;

        ck_assert_int_gt(wait(&status), 0);
        ck_assert_int_eq(status, 0);
    }
    id = id_of(9, 9);
    ck_assert_int_eq(ens_cache_get_digest(&id, &d), 0);
    d.low = 99;
    ens_cache_put_digest(&id, &d);
    d.low = 0;
    ck_assert_int_eq(ens_cache_get_digest(&id, &d), 1);
    ck_assert_uint_eq(d.low, 99);
    ck_assert_int_eq(ens_cache_path(path, sizeof(path), "digests"), 0);
    ck_assert_int_eq(ens_file_read(&b, path, 1 << 20, NULL), ENS_OK);
    ck_assert_uint_lt(b.len, 600 * 1024);
    for (size_t i = 0; i < b.len; i += 136)
        ck_assert_int_eq(b.data[i + 135], '\n');
    ens_buf_fini(&b);
}
END_TEST

START_TEST(torn_lines_are_passed_over)
{
    struct ens_file_id id = id_of(1, 2);
    struct ens_hash128 d = {7, 8};
    char path[PATH_MAX];
    struct ens_buf b = ENS_BUF_INIT;

    ens_cache_put_digest(&id, &d);
    ck_assert_int_eq(ens_cache_path(path, sizeof(path), "digests"), 0);
    ck_assert_int_eq(ens_file_read(&b, path, 1 << 20, NULL), ENS_OK);
    ck_assert_uint_eq(b.len, 136);
    for (size_t i = 0; i < 135; i++) { /* any wrong byte: no line */
        unsigned char was = b.data[i];

        b.data[i] = was == '1' ? '2' : '1';
        put("cache/digests", b.data, b.len);
        ck_assert_int_eq(ens_cache_get_digest(&id, &d), 0);
        b.data[i] = was;
    }
    for (size_t n = 0; n < 136; n += 15) {
        put("cache/digests", b.data, n);
        ck_assert_int_eq(ens_cache_get_digest(&id, &d), 0);
    }
    put("cache/digests", b.data, b.len);
    ck_assert_int_eq(ens_cache_get_digest(&id, &d), 1);
    ens_buf_fini(&b);
}
END_TEST

START_TEST(fresh_files_are_not_settled)
{
    struct timespec now;
    struct ens_file_id id = {0};

    clock_gettime(CLOCK_REALTIME, &now);
    id.mtime_ns = id.ctime_ns =
        (int64_t)now.tv_sec * 1000000000 + now.tv_nsec + 500000000;
    ck_assert(!ens_cache_is_settled(&id));
    id.ctime_ns -= 1500000000;
    ck_assert(!ens_cache_is_settled(&id));
    id.mtime_ns -= 1500000000;
    ck_assert(ens_cache_is_settled(&id));
    /* stamps of whole seconds say that the clock is that coarse */
    id.ctime_ns = ((int64_t)now.tv_sec - 1) * 1000000000;
    ck_assert(!ens_cache_is_settled(&id));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("digests");
    TCase *t = tcase_create("digests");
    SRunner *r;
    int failed;

    tcase_add_checked_fixture(t, make_dir, remove_dir);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, digest_is_that_of_the_bytes);
    tcase_add_test(t, a_file_that_changes_is_noticed);
    tcase_add_test(t, digests_survive_concurrent_writers);
    tcase_add_test(t, torn_lines_are_passed_over);
    tcase_add_test(t, fresh_files_are_not_settled);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
