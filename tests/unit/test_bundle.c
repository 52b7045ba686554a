#include "record/bundle.h"

#include "base/bug.h"
#include "base/file.h"
#include "base/hash.h"

#include <check.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const struct {
    const char *name;
    const char *bytes;
} files[] = {
    {"-rf", ""},
    {"a", "one"},
    {"a b\n\xff", "eight by"},
    {"a/b.csv", "nine byte"},
    {"\xc3\xa4/x/..y", "x"},
};

/* All files, as a bundle behind three bytes of something else. */
static void make(struct ens_buf *b)
{
    ens_buf_puts(b, "abc");
    ens_bundle_magic(b);
    for (size_t i = 0; i < ENS_COUNT(files); i++) {
        size_t n = strlen(files[i].bytes);

        ens_bundle_head(b, files[i].name, strlen(files[i].name), n);
        ens_buf_puts(b, files[i].bytes);
        ens_bundle_tail(b, n, ens_hash64(files[i].bytes, n));
    }
    ck_assert(!b->failed);
}

static int as_file(const struct ens_buf *b)
{
    int fd = memfd_create("bundle", MFD_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ens_write_all(fd, b->data, b->len), 0);
    return fd;
}

START_TEST(files_come_back_as_they_went)
{
    struct ens_buf b = ENS_BUF_INIT;
    struct ens_bundle_file f;
    struct ens_error err;
    struct ens_bundle r;
    int fd, more;

    make(&b);
    fd = as_file(&b);
    ck_assert(ens_bundle_is(fd, 3, b.len - 3));
    ck_assert(!ens_bundle_is(fd, 0, b.len));
    ens_bundle_init(&r, fd, 3, b.len - 3);
    for (size_t i = 0; i < ENS_COUNT(files); i++) {
        size_t n = strlen(files[i].bytes);

        ck_assert_int_eq(ens_bundle_next(&r, &more, &f, &err), ENS_OK);
        ck_assert_int_eq(more, 1);
        ck_assert_str_eq(f.name, files[i].name);
        ck_assert_uint_eq(f.length, n);
        ck_assert_uint_eq(f.hash, ens_hash64(files[i].bytes, n));
        ck_assert_int_eq(memcmp(b.data + f.offset, files[i].bytes, n), 0);
    }
    ck_assert_int_eq(ens_bundle_next(&r, &more, &f, &err), ENS_OK);
    ck_assert_int_eq(more, 0);
    close(fd);
    ens_buf_fini(&b);
}
END_TEST

/* Wherever it is cut, the reader says so, or ends behind a whole file. */
START_TEST(cut_bundles_are_refused)
{
    struct ens_buf b = ENS_BUF_INIT;
    size_t n_whole = 0;
    int fd;

    make(&b);
    fd = as_file(&b);
    for (uint64_t n = 8; n < b.len - 3; n++) {
        struct ens_bundle_file f;
        struct ens_error err;
        struct ens_bundle r;
        enum ens_status s;
        int more;

        ens_bundle_init(&r, fd, 3, n);
        while ((s = ens_bundle_next(&r, &more, &f, &err)) == ENS_OK && more)
            ck_assert_uint_le(f.offset + f.length, 3 + n);
        ck_assert(s == ENS_OK || s == ENS_ECORRUPT);
        n_whole += s == ENS_OK;
    }
    ck_assert_uint_eq(n_whole, ENS_COUNT(files));
    close(fd);
    ens_buf_fini(&b);
}
END_TEST

static const struct {
    const char *name;
    size_t n;
    int ok;
} names[] = {
    {"a", 1, 1},    {"a/b", 3, 1},  {"...", 3, 1},    {".a", 2, 1},
    {"-", 1, 1},    {" ", 1, 1},    {"\n", 1, 1},     {"", 0, 0},
    {"/a", 2, 0},   {"a/", 2, 0},   {"a//b", 4, 0},   {".", 1, 0},
    {"..", 2, 0},   {"../a", 4, 0}, {"a/../b", 6, 0}, {"a/..", 4, 0},
    {"a\0b", 3, 0}, {"./a", 3, 0},  {"a/.", 3, 0},
};

START_TEST(names_stay_in_the_folder)
{
    ck_assert_int_eq(ens_bundle_name_ok(names[_i].name, names[_i].n),
                     names[_i].ok);
}
END_TEST

START_TEST(long_names_are_refused)
{
    char name[ENS_BUNDLE_NAME_MAX + 2];

    memset(name, 'x', sizeof(name));
    ck_assert(ens_bundle_name_ok(name, 255));
    ck_assert(!ens_bundle_name_ok(name, 256));
    for (size_t i = 200; i < sizeof(name); i += 200)
        name[i] = '/';
    ck_assert(ens_bundle_name_ok(name, ENS_BUNDLE_NAME_MAX));
    ck_assert(!ens_bundle_name_ok(name, ENS_BUNDLE_NAME_MAX + 1));
}
END_TEST

START_TEST(a_name_twice_is_refused)
{
    struct ens_buf b = ENS_BUF_INIT;
    struct ens_bundle_file f;
    struct ens_error err;
    struct ens_bundle r;
    int fd, more;

    ens_bundle_magic(&b);
    for (int i = 0; i < 2; i++) {
        ens_bundle_head(&b, "a", 1, 0);
        ens_bundle_tail(&b, 0, ens_hash64("", 0));
    }
    fd = as_file(&b);
    ens_bundle_init(&r, fd, 0, b.len);
    ck_assert_int_eq(ens_bundle_next(&r, &more, &f, &err), ENS_OK);
    ck_assert_int_eq(ens_bundle_next(&r, &more, &f, &err), ENS_ECORRUPT);
    ck_assert_ptr_nonnull(strstr(err.text, "names do not ascend"));
    close(fd);
    ens_buf_fini(&b);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("bundle");
    TCase *t = tcase_create("bundle");
    SRunner *r;
    int failed;

    tcase_add_test(t, files_come_back_as_they_went);
    tcase_add_test(t, cut_bundles_are_refused);
    tcase_add_loop_test(t, names_stay_in_the_folder, 0, ENS_COUNT(names));
    tcase_add_test(t, long_names_are_refused);
    tcase_add_test(t, a_name_twice_is_refused);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
