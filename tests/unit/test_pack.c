#include "store/pack.h"

#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];

static int remove_one(const char *path, const struct stat *st, int flag,
                      struct FTW *f)
{
    (void)st;
    (void)flag;
    (void)f;
    return remove(path);
}

static void set_up(void)
{
    snprintf(dir, sizeof(dir), "/tmp/ensrun-pack-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void tear_down(void)
{
    nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void ok(enum ens_status s, const struct ens_error *err)
{
    ck_assert_msg(s == ENS_OK, "%s", err->text);
}

static void expect(const struct ens_artifact_ref *ref, const void *data,
                   size_t n)
{
    struct ens_buf b = ENS_BUF_INIT;
    struct ens_error err = {0};

    ens_buf_puts(&b, "before");
    ok(ens_pack_read(dir, 7, ref, &b, &err), &err);
    ck_assert_uint_eq(b.len, 6 + n);
    ck_assert_mem_eq(b.data, "before", 6);
    if (n > 0)
        ck_assert_mem_eq(b.data + 6, data, n);
    ens_buf_fini(&b);
}

START_TEST(artifacts_come_back_as_they_went)
{
    struct ens_artifact_ref ref[4];
    struct ens_error err = {0};
    unsigned char *big = malloc(300000);
    struct ens_pack p;
    struct ens_io *io;
    char path[256];
    int fd;

    for (size_t i = 0; i < 300000; i++)
        big[i] = (unsigned char)(i * 31 >> 3);
    ok(ens_fault_new(&io, "short", &err), &err);
    ens_pack_init(&p, dir, 7, 12, io);
    snprintf(path, sizeof(path), "%s/artifacts/000007-00012.pack", dir);
    ck_assert_int_ne(access(path, F_OK), 0); /* not before it is needed */
    ok(ens_pack_append(&p, "one", 3, &ref[0], &err), &err);
    ok(ens_pack_append(&p, big, 300000, &ref[1], &err), &err);
    ok(ens_pack_append(&p, NULL, 0, &ref[2], &err), &err);
    ens_pack_fini(&p);
    ens_pack_fini(&p);
    ck_assert_int_eq(access(path, F_OK), 0);
    ck_assert_uint_eq(ref[1].offset, 3);
    ck_assert_uint_eq(ref[1].slot, 12);
    expect(&ref[1], big, 300000);
    expect(&ref[0], "one", 3);
    expect(&ref[2], "", 0);
    fd = ens_pack_open_fd(dir, 7, 12);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fdatasync(fd), 0);
    close(fd);
    ck_assert_int_eq(ens_pack_open_fd(dir, 7, 13), -1);
    ens_fault_free(io);
    free(big);
}
END_TEST

START_TEST(the_next_worker_of_a_slot_goes_on_behind)
{
    struct ens_artifact_ref a, b;
    struct ens_error err = {0};
    struct ens_pack p;
    char path[256];
    FILE *f;

    ens_pack_init(&p, dir, 7, 1, NULL);
    ok(ens_pack_append(&p, "first", 5, &a, &err), &err);
    ens_pack_fini(&p);
    snprintf(path, sizeof(path), "%s/artifacts/000007-00001.pack", dir);
    f = fopen(path, "ab"); /* what a killed worker left */
    ck_assert_ptr_nonnull(f);
    fputs("hal", f);
    fclose(f);
    ens_pack_init(&p, dir, 7, 1, NULL);
    ok(ens_pack_append(&p, "second", 6, &b, &err), &err);
    ens_pack_fini(&p);
    ck_assert_uint_eq(b.offset, 8);
    expect(&a, "first", 5);
    expect(&b, "second", 6);
}
END_TEST

START_TEST(a_failed_append_is_written_over)
{
    struct ens_artifact_ref a, b;
    struct ens_error err = {0};
    struct ens_pack p;
    struct ens_io *io;

    ok(ens_fault_new(&io, "enospc@8+1", &err), &err);
    ens_pack_init(&p, dir, 7, 1, io);
    ok(ens_pack_append(&p, "first", 5, &a, &err), &err);
    ck_assert_int_eq((int)ens_pack_append(&p, "second", 6, &b, &err),
                     ENS_ENOSPACE);
    ok(ens_pack_append(&p, "second", 6, &b, &err), &err);
    ck_assert_uint_eq(b.offset, 5);
    expect(&a, "first", 5);
    expect(&b, "second", 6);
    ens_pack_fini(&p);
    ens_fault_free(io);
}
END_TEST

START_TEST(parts_are_one_artifact)
{
    static const char whole[] = "in parts that make one";
    struct ens_artifact_ref a, b;
    struct ens_error err = {0};
    struct ens_pack p;
    struct ens_io *io;
    int fd;

    ok(ens_fault_new(&io, "enospc@30+1", &err), &err);
    ens_pack_init(&p, dir, 7, 1, io);
    ok(ens_pack_begin(&p, &err), &err);
    ok(ens_pack_part(&p, "of a task that dies", 19, &err), &err);
    ok(ens_pack_begin(&p, &err), &err);
    ok(ens_pack_part(&p, whole, 9, &err), &err);
    ck_assert_int_eq((int)ens_pack_part(&p, whole + 9, 13, &err), ENS_ENOSPACE);
    ok(ens_pack_part(&p, whole + 9, 13, &err), &err);
    ok(ens_pack_part(&p, NULL, 0, &err), &err);
    ens_pack_end(&p, &a);
    ok(ens_pack_append(&p, whole, 22, &b, &err), &err);
    ens_pack_fini(&p);
    ck_assert_uint_eq(a.offset, 0);
    ck_assert_uint_eq(a.length, 22);
    ck_assert_uint_eq(b.offset, 22);
    ck_assert_uint_eq(a.hash, b.hash);
    expect(&a, whole, 22);
    ok(ens_pack_open(dir, 7, &a, &fd, &err), &err);
    ok(ens_pack_check(fd, &a, NULL, NULL, &err), &err);
    a.hash ^= 1;
    ck_assert_int_eq((int)ens_pack_check(fd, &a, NULL, NULL, &err),
                     ENS_ECORRUPT);
    close(fd);
    a.length = 45;
    ck_assert_int_eq((int)ens_pack_open(dir, 7, &a, &fd, &err), ENS_ECORRUPT);
    ens_fault_free(io);
}
END_TEST

START_TEST(wrong_bytes_are_refused)
{
    struct ens_artifact_ref good, bad;
    struct ens_buf b = ENS_BUF_INIT;
    struct ens_error err = {0};
    struct ens_pack p;

    ens_pack_init(&p, dir, 7, 1, NULL);
    ok(ens_pack_append(&p, "artifact", 8, &good, &err), &err);
    ens_pack_fini(&p);
    bad = good;
    bad.hash ^= 1;
    ck_assert_int_eq((int)ens_pack_read(dir, 7, &bad, &b, &err), ENS_ECORRUPT);
    ck_assert_ptr_nonnull(strstr(err.text, "000007-00001.pack: 8 bytes at 0"));
    bad = good;
    bad.length = UINT64_MAX;
    ck_assert_int_eq((int)ens_pack_read(dir, 7, &bad, &b, &err), ENS_ECORRUPT);
    bad = good;
    bad.offset = 1;
    ck_assert_int_eq((int)ens_pack_read(dir, 7, &bad, &b, &err), ENS_ECORRUPT);
    bad = good;
    bad.slot = UINT64_MAX;
    ck_assert_int_eq((int)ens_pack_read(dir, 7, &bad, &b, &err), ENS_ECORRUPT);
    bad = good;
    bad.slot = 2;
    ck_assert_int_eq((int)ens_pack_read(dir, 7, &bad, &b, &err), ENS_EIO);
    ck_assert_uint_eq(b.len, 0);
    ens_buf_fini(&b);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("pack");
    TCase *t = tcase_create("pack");
    SRunner *r;
    int failed;

    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, artifacts_come_back_as_they_went);
    tcase_add_test(t, the_next_worker_of_a_slot_goes_on_behind);
    tcase_add_test(t, a_failed_append_is_written_over);
    tcase_add_test(t, parts_are_one_artifact);
    tcase_add_test(t, wrong_bytes_are_refused);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
