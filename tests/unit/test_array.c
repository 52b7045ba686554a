#include "store/array.h"

#include "base/file.h"

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <math.h>
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
    snprintf(dir, sizeof(dir), "/tmp/ensrun-array-XXXXXX");
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

static int create(const char *name, uint64_t id, enum ens_dtype dtype,
                  uint32_t ndim, const uint64_t *shape)
{
    struct ens_error err = {0};
    int created = -1;

    ok(ens_array_create(dir, name, id, dtype, ndim, shape, NULL, &created,
                        &err),
       &err);
    return created;
}

static int exists(const char *file)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/%s", dir, file);
    return access(path, F_OK) == 0;
}

/* The header byte by byte, as numpy.save writes it (the order of keys and the
 * padding to 64 too), and NaN behind it. */
START_TEST(the_file_is_what_numpy_writes)
{
    static const char head[] =
        "\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': False, "
        "'shape': (5,), }";
    const uint64_t shape[] = {5};
    struct ens_buf b = ENS_BUF_INIT;
    char path[256];
    double v;

    ck_assert_int_eq(create("mean", 0xabcdef, ENS_DT_F64, 1, shape), 1);
    ens_array_path(path, sizeof(path), dir, "mean", 0xabcdef);
    ck_assert_ptr_nonnull(strstr(path, "/arrays/mean.0000000000abcdef.npy"));
    ck_assert_int_eq((int)ens_file_read(&b, path, 1 << 20, NULL), ENS_OK);
    ck_assert_uint_eq(b.len, 128 + 40);
    ck_assert_mem_eq(b.data, head, sizeof(head) - 1);
    for (size_t i = sizeof(head) - 1; i < 127; i++)
        ck_assert_int_eq(b.data[i], ' ');
    ck_assert_int_eq(b.data[127], '\n');
    memcpy(&v, b.data + 128 + 32, 8);
    ck_assert(isnan(v));
    ens_buf_fini(&b);
}
END_TEST

static const struct {
    enum ens_dtype dtype;
    uint32_t ndim;
    uint64_t shape[ENS_MAX_NDIM];
} shapes[] = {
    {ENS_DT_F64, 0, {0}},
    {ENS_DT_F64, 1, {1}},
    {ENS_DT_I64, 1, {200000}},
    {ENS_DT_F64, 1, {300001}},
    {ENS_DT_F64, 2, {3, 0}},
    {ENS_DT_I64, 3, {2, 3, 4}},
    {ENS_DT_F64, 8, {1, 2, 1, 2, 1, 2, 1, 2}},
};

START_TEST(any_shape_maps_as_it_was_created)
{
    uint64_t bytes, offset, n = 1;
    struct ens_error err = {0};
    struct ens_view v;
    void *base;
    int fd;

    for (uint32_t i = 0; i < shapes[_i].ndim; i++)
        n *= shapes[_i].shape[i];
    ck_assert_int_eq(
        create("x", 1, shapes[_i].dtype, shapes[_i].ndim, shapes[_i].shape), 1);
    ck_assert_int_eq(
        create("x", 1, shapes[_i].dtype, shapes[_i].ndim, shapes[_i].shape), 0);
    ok(ens_array_open(dir, "x", 1, &fd, &offset, &err), &err);
    ck_assert_uint_eq(offset % 64, 0);
    ok(ens_array_map(dir, "x", 1, &v, &base, &bytes, &err), &err);
    ck_assert_uint_eq(bytes, offset + 8 * n);
    ck_assert_int_eq((int)v.dtype, (int)shapes[_i].dtype);
    ck_assert_uint_eq(v.ndim, shapes[_i].ndim);
    for (uint32_t i = 0; i < v.ndim; i++)
        ck_assert_uint_eq(v.shape[i], shapes[_i].shape[i]);
    if (v.ndim > 0)
        ck_assert_int_eq(v.strides[v.ndim - 1], 8);
    if (v.ndim > 1)
        ck_assert_int_eq(v.strides[v.ndim - 2],
                         8 * (int64_t)v.shape[v.ndim - 1]);
    for (uint64_t i = 0; i < n; i++) {
        if (v.dtype == ENS_DT_F64)
            ck_assert(isnan(((const double *)v.data)[i]));
        else
            ck_assert_int_eq(((const int64_t *)v.data)[i], 0);
    }
    ens_array_unmap(base, bytes);
    close(fd);
}
END_TEST

START_TEST(blocks_are_written_in_place_and_filled_again)
{
    const double data[] = {1, 2, 3};
    const uint64_t shape[] = {10};
    uint64_t bytes, offset;
    struct ens_error err = {0};
    struct ens_io *io = NULL;
    struct ens_view v;
    const double *x;
    void *base;
    int fd;

    create("x", 1, ENS_DT_F64, 1, shape);
    ok(ens_array_open(dir, "x", 1, &fd, &offset, &err), &err);
    ok(ens_array_map(dir, "x", 1, &v, &base, &bytes, &err), &err);
    x = v.data;
    ok(ens_fault_new(&io, "short", &err), &err);
    ok(ens_array_write(fd, offset, 8, 4, 3, data, io, &err), &err);
    ck_assert(isnan(x[3]) && x[4] == 1 && x[5] == 2 && x[6] == 3 &&
              isnan(x[7]));
    ok(ens_array_fill(fd, offset, ENS_DT_F64, 5, 2, io, &err), &err);
    ck_assert(x[4] == 1 && isnan(x[5]) && isnan(x[6]));
    ok(ens_array_fill(fd, offset, ENS_DT_I64, 4, 1, io, &err), &err);
    ck_assert(x[4] == 0);
    ens_fault_free(io);
    ens_array_unmap(base, bytes);
    close(fd);
}
END_TEST

static const struct {
    const char *fault;
    enum ens_status status;
} faults[] = {
    {"enospc@100", ENS_ENOSPACE},  /* the allocation */
    {"enospc@5000", ENS_ENOSPACE}, /* the fill: nothing is left either */
    {"eio@1", ENS_EIO},
    {"eio@2", ENS_EIO},
    {"syncfail@1", ENS_EIO},
};

START_TEST(a_failed_creation_leaves_nothing)
{
    const uint64_t shape[] = {500};
    struct ens_error err = {0};
    struct ens_io *io = NULL;
    int created = -1;

    ok(ens_fault_new(&io, faults[_i].fault, &err), &err);
    ck_assert_int_eq((int)ens_array_create(dir, "x", 1, ENS_DT_F64, 1, shape,
                                           io, &created, &err),
                     (int)faults[_i].status);
    ck_assert_int_eq(created, -1);
    ck_assert_ptr_nonnull(strstr(err.text, "x.0000000000000001.npy"));
    ck_assert(!exists("arrays/x.0000000000000001.npy"));
    ck_assert(!exists("arrays/x.0000000000000001.npy.tmp"));
    ens_fault_free(io);
    ck_assert_int_eq(create("x", 1, ENS_DT_F64, 1, shape), 1);
}
END_TEST

START_TEST(a_stale_owner_writes_into_no_array_of_another)
{
    const uint64_t shape[] = {500};
    char tmp[300];
    double v[2] = {1, 2};
    struct ens_view view;
    struct ens_error err = {0};
    uint64_t bytes;
    void *base;
    int fd;

    create("y", 1, ENS_DT_F64, 1, shape); /* so that there is the folder */
    snprintf(tmp, sizeof(tmp), "%s/arrays/x.0000000000000001.npy.tmp", dir);
    fd = open(tmp, O_RDWR | O_CREAT, 0666); /* it stopped when filling it */
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(create("x", 1, ENS_DT_F64, 1, shape), 1);
    ck_assert_int_eq(pwrite(fd, v, sizeof(v), 128), sizeof(v));
    close(fd);
    ok(ens_array_map(dir, "x", 1, &view, &base, &bytes, &err), &err);
    for (int i = 0; i < 500; i++)
        ck_assert(isnan(((const double *)view.data)[i]));
    ens_array_unmap(base, bytes);
}
END_TEST

START_TEST(another_shape_in_the_way_is_refused)
{
    const uint64_t shape[] = {4, 2}, other[] = {2, 4}, longer[] = {4, 3};
    struct ens_error err = {0};
    char path[256];
    int created;

    create("x", 1, ENS_DT_F64, 2, shape);
    ck_assert_int_eq((int)ens_array_create(dir, "x", 1, ENS_DT_F64, 2, other,
                                           NULL, &created, &err),
                     ENS_ECORRUPT);
    ck_assert_int_eq((int)ens_array_create(dir, "x", 1, ENS_DT_F64, 2, longer,
                                           NULL, &created, &err),
                     ENS_ECORRUPT);
    ck_assert_int_eq((int)ens_array_create(dir, "x", 1, ENS_DT_I64, 2, shape,
                                           NULL, &created, &err),
                     ENS_ECORRUPT);
    ens_array_path(path, sizeof(path), dir, "x", 1);
    ck_assert_int_eq(truncate(path, 150), 0);
    ck_assert_int_eq((int)ens_array_create(dir, "x", 1, ENS_DT_F64, 2, shape,
                                           NULL, &created, &err),
                     ENS_ECORRUPT);
    ck_assert_ptr_nonnull(strstr(err.text, "150 bytes, the header says 192"));
    for (off_t n = 130; n >= 0; n -= 13) {
        int fd = -1;
        uint64_t offset;

        ck_assert_int_eq(truncate(path, n), 0);
        ck_assert_int_eq((int)ens_array_open(dir, "x", 1, &fd, &offset, &err),
                         ENS_ECORRUPT);
        ck_assert_int_eq(fd, -1);
    }
    create("huge", 2, ENS_DT_F64, 0, shape);
    {
        const uint64_t huge[] = {UINT64_C(1) << 40, UINT64_C(1) << 40};

        ck_assert_int_eq((int)ens_array_create(dir, "h", 1, ENS_DT_F64, 2, huge,
                                               NULL, &created, &err),
                         ENS_ESTUDY);
    }
}
END_TEST

static int keep_two(void *arg, const char *name, uint64_t id)
{
    (void)arg;
    return id == 2 && strcmp(name, "a.b") == 0;
}

START_TEST(cells_that_left_are_put_away_and_come_back)
{
    const uint64_t shape[] = {2};
    const double data[] = {7, 8};
    struct ens_error err = {0};
    uint64_t offset, bytes;
    struct ens_view v;
    void *base;
    char path[256];
    int fd;

    ok(ens_array_retire(dir, keep_two, NULL, &err), &err); /* no folder yet */
    create("a.b", 1, ENS_DT_F64, 1, shape);
    create("a.b", 2, ENS_DT_F64, 1, shape);
    create("c", 2, ENS_DT_F64, 1, shape);
    ok(ens_array_open(dir, "a.b", 1, &fd, &offset, &err), &err);
    ok(ens_array_write(fd, offset, 8, 0, 2, data, ens_io_default(), &err),
       &err);
    close(fd);
    snprintf(path, sizeof(path), "%s/arrays/c.0000000000000009.npy.tmp", dir);
    ck_assert_int_eq((int)ens_file_replace(path, "x", 1, NULL), ENS_OK);
    snprintf(path, sizeof(path), "%s/arrays/notes.npy", dir);
    ck_assert_int_eq((int)ens_file_replace(path, "x", 1, NULL), ENS_OK);

    ok(ens_array_retire(dir, keep_two, NULL, &err), &err);
    ck_assert(exists("arrays/a.b.0000000000000002.npy"));
    ck_assert(!exists("arrays/a.b.0000000000000001.npy"));
    ck_assert(exists("arrays/unused/a.b.0000000000000001.npy"));
    ck_assert(exists("arrays/unused/c.0000000000000002.npy"));
    ck_assert(!exists("arrays/c.0000000000000009.npy.tmp"));
    ck_assert(exists("arrays/notes.npy"));

    ok(ens_array_map_any(dir, "a.b", 1, &v, &base, &bytes, &err), &err);
    ck_assert_int_eq(err.status, ENS_OK); /* nothing was missing */
    ck_assert(((const double *)v.data)[1] == 8);
    ens_array_unmap(base, bytes);
    ck_assert_int_eq(ens_array_map_any(dir, "a.b", 9, &v, &base, &bytes, &err),
                     ENS_ENOTFOUND);
    ck_assert_int_eq(err.status, ENS_ENOTFOUND);

    ck_assert_int_eq(create("a.b", 1, ENS_DT_F64, 1, shape), 0);
    ck_assert(!exists("arrays/unused/a.b.0000000000000001.npy"));
    ok(ens_array_map(dir, "a.b", 1, &v, &base, &bytes, &err), &err);
    ck_assert(((const double *)v.data)[1] == 8);
    ens_array_unmap(base, bytes);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("array");
    TCase *t = tcase_create("array");
    SRunner *r;
    int failed;

    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, the_file_is_what_numpy_writes);
    tcase_add_loop_test(t, any_shape_maps_as_it_was_created, 0,
                        (int)(sizeof(shapes) / sizeof(*shapes)));
    tcase_add_test(t, blocks_are_written_in_place_and_filled_again);
    tcase_add_loop_test(t, a_failed_creation_leaves_nothing, 0,
                        (int)(sizeof(faults) / sizeof(*faults)));
    tcase_add_test(t, a_stale_owner_writes_into_no_array_of_another);
    tcase_add_test(t, another_shape_in_the_way_is_refused);
    tcase_add_test(t, cells_that_left_are_put_away_and_come_back);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
