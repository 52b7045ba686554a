/* For tests of inputs: a folder of their own, files in it, inputs opened. */
#ifndef TESTS_UNIT_INPUT_FIXTURE_H
#define TESTS_UNIT_INPUT_FIXTURE_H

#include "input/input.h"
#include "base/clock.h"
#include "base/file.h"
#include "input/cache.h"
#include "input/mapped.h"
#include "input/options.h"

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[PATH_MAX]; /* of this test; removed behind it */

static inline void make_dir(void)
{
    char cache[PATH_MAX + 8];
    const char *tmp = getenv("TMPDIR");

    snprintf(dir, sizeof(dir), "%s/ens_inputs.XXXXXX",
             tmp != NULL ? tmp : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(cache, sizeof(cache), "%s/cache", dir);
    ck_assert_int_eq(setenv("ENSRUN_CACHE", cache, 1), 0);
}

static inline int remove_entry(const char *path, const struct stat *st,
                               int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static inline void remove_dir(void)
{
    nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static inline const char *put(const char *name, const void *p, size_t n)
{
    static char path[PATH_MAX];
    int k = snprintf(path, sizeof(path), "%s/%s", dir, name);
    int fd;

    ck_assert(k > 0 && (size_t)k < sizeof(path));
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ens_write_all(fd, p, n), 0);
    close(fd);
    return path;
}

static inline const char *put_text(const char *name, const char *text)
{
    return put(name, text, strlen(text));
}

/* Until the file's time stamp is old enough for its digest to be kept. */
static inline void settle(const char *path)
{
    uint64_t deadline = ens_clock_ns() + UINT64_C(10000000000);
    struct stat st;
    struct ens_file_id id = {0};

    ck_assert_int_eq(stat(path, &st), 0);
    id.mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    id.ctime_ns = (int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec;
    while (!ens_cache_is_settled(&id)) {
        ck_assert(ens_clock_ns() < deadline);
        sched_yield();
    }
}

static inline enum ens_status open_path(struct ens_mapped *m, const char *path,
                                        struct ens_input_options o,
                                        const char **key, struct ens_error *err)
{
    struct ens_input_spec spec = {"X", path, o, NULL};

    return ens_mapped_open(m, &spec, -1, NULL, NULL, key, err);
}

static inline void must_open(struct ens_mapped *m, const char *path,
                             struct ens_input_options o)
{
    struct ens_error err = {.status = 0};
    const char *key = NULL;

    ck_assert_msg(open_path(m, path, o, &key, &err) == ENS_OK, "%s", err.text);
    ck_assert_ptr_null(key);
}

static inline double value(const struct ens_mapped *m, uint64_t row,
                           uint64_t column)
{
    double d;

    ck_assert_uint_lt(column, m->input.n_columns);
    ens_view_f64(&m->input.columns[column].view, row, 1, &d);
    return d;
}

#define AUTO .header = -1

#endif
