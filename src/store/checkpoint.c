/* The folder of checkpoints: writing, listing, loading. */
#include "store/checkpoint.h"

#include "base/file.h"
#include "base/number.h"
#include "store/commit.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX  SIZE_MAX
#define LIST_STEP 16u

/* -- files --------------------------------------------------------------- */
static int path_of(char to[PATH_MAX], const char *dir, uint32_t epoch,
                   uint32_t number)
{
    int n = snprintf(to, PATH_MAX,
                     "%s/checkpoints/%06" PRIu32 "-%06" PRIu32 ".ckpt", dir,
                     epoch, number);

    return n > 0 && n < PATH_MAX ? 0 : -1;
}

static int parse_name(const char *name, uint32_t *epoch, uint32_t *number)
{
    const char *dash = strchr(name, '-'), *dot = strrchr(name, '.');
    uint64_t e, k;

    if (dash == NULL || dot == NULL || dash > dot || strcmp(dot, ".ckpt") != 0)
        return -1;
    if (ens_number_parse_u64(name, (size_t)(dash - name), &e) != 0 ||
        ens_number_parse_u64(dash + 1, (size_t)(dot - dash - 1), &k) != 0 ||
        e > UINT32_MAX || k > UINT32_MAX)
        return -1;
    *epoch = (uint32_t)e;
    *number = (uint32_t)k;
    return 0;
}

static int newest_first(const void *a, const void *b)
{
    const struct ens_checkpoint_info *x = a, *y = b;

    if (x->epoch != y->epoch)
        return x->epoch > y->epoch ? -1 : 1;
    return (x->number < y->number) - (x->number > y->number);
}

/* Names only, newest first. *info is owned by the caller; NULL when none. */
static size_t find_files(const char *dir, struct ens_checkpoint_info **info)
{
    struct ens_checkpoint_info *p = NULL, one;
    char path[PATH_MAX];
    size_t n = 0;
    DIR *d = NULL;

    if (snprintf(path, sizeof(path), "%s/checkpoints", dir) < PATH_MAX)
        d = opendir(path);
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
        memset(&one, 0, sizeof(one));
        if (parse_name(e->d_name, &one.epoch, &one.number) != 0)
            continue;
        if (n % LIST_STEP == 0) {
            void *more = realloc(p, (n + LIST_STEP) * sizeof(*p));

            if (more == NULL)
                break;
            p = more;
        }
        p[n++] = one;
    }
    if (d != NULL)
        closedir(d);
    if (n > 0)
        qsort(p, n, sizeof(*p), newest_first);
    *info = p;
    return n;
}

enum ens_status ens_checkpoint_write(const char *dir, uint32_t epoch,
                                     uint32_t number, const void *p, size_t n,
                                     int keep, struct ens_error *err)
{
    char path[PATH_MAX];
    enum ens_status s;

    if (path_of(path, dir, epoch, number) != 0)
        return ens_fail(err, ENS_EIO, "%s: path too long", dir);
    *strrchr(path, '/') = '\0';
    s = ens_file_mkdirs(path, err);
    path[strlen(path)] = '/';
    if (s == ENS_OK)
        s = ens_file_replace(path, p, n, err);
    if (s == ENS_OK && keep > 0)
        s = ens_checkpoint_keep(dir, (size_t)keep, err);
    return s;
}

/* The file's name is what counts for its epoch and number. */
static enum ens_status read_file(const char *dir,
                                 const struct ens_checkpoint_info *info,
                                 struct ens_buf *b)
{
    char path[PATH_MAX];

    ens_buf_clear(b);
    if (path_of(path, dir, info->epoch, info->number) != 0)
        return ENS_EIO;
    return ens_file_read(b, path, FILE_MAX, NULL);
}

size_t ens_checkpoint_list(const char *dir, struct ens_checkpoint_info *info,
                           size_t max)
{
    struct ens_checkpoint_info *found;
    struct ens_buf b = ENS_BUF_INIT;
    size_t n = find_files(dir, &found);

    n = n < max ? n : max;
    for (size_t i = 0; i < n; i++) {
        uint32_t epoch = found[i].epoch;

        if (read_file(dir, &found[i], &b) == ENS_OK)
            found[i].valid =
                ens_checkpoint_info_read(&found[i], b.data, b.len) == 0 &&
                found[i].epoch == epoch;
        found[i].epoch = epoch;
        info[i] = found[i];
    }
    ens_buf_fini(&b);
    free(found);
    return n;
}

enum ens_status ens_checkpoint_keep(const char *dir, size_t n,
                                    struct ens_error *err)
{
    struct ens_checkpoint_info *found;
    size_t have = find_files(dir, &found);
    enum ens_status s = ENS_OK;

    for (size_t i = n; i < have && s == ENS_OK; i++) {
        char path[PATH_MAX];

        if (path_of(path, dir, found[i].epoch, found[i].number) != 0)
            continue;
        if (unlink(path) != 0 && errno != ENOENT)
            s = ens_fail_errno(err, ENS_EIO, "cannot remove %s", path);
    }
    free(found);
    return s;
}

/* -- loading ------------------------------------------------------------- */
static const struct ens_segment *segment_of(const struct ens_log *log,
                                            uint32_t epoch, size_t *index)
{
    for (*index = 0; *index < log->n; ++*index)
        if (log->segment[*index].epoch == epoch)
            return &log->segment[*index];
    return NULL;
}

/* A position of a frame in the log, at or before the checkpoint's end. */
static int is_frame(const struct ens_log *log, struct ens_log_at at,
                    struct ens_log_at end)
{
    const struct ens_segment *s;
    struct ens_frame f;

    if (at.segment > end.segment || at.offset % 8 != 0)
        return 0;
    s = &log->segment[at.segment];
    return at.offset < s->end &&
           (at.segment < end.segment || at.offset < end.offset) &&
           ens_frame_read(&f, s->data + at.offset, s->end - at.offset,
                          s->run_id) == ENS_FRAME_GOOD;
}

/* Behind a COMMIT, and what it points at is there. */
static int fits(const struct ens_log *log, const struct ens_replay *r,
                struct ens_log_at end)
{
    const struct ens_segment *s = &log->segment[end.segment];
    struct ens_commit commit;

    if (end.offset < ENS_COMMIT_BYTES || end.offset % 8 != 0 ||
        !ens_commit_read(&commit, s->data + end.offset - ENS_COMMIT_BYTES,
                         ENS_COMMIT_BYTES, s->run_id))
        return 0;
    for (size_t i = 0; i < r->n_stages; i++)
        if (!is_frame(log, r->stage[i].first, end))
            return 0;
    return 1;
}

/* Is what a checkpoint says was committed in the journal? *at: its end. */
static int is_held(const struct ens_log *log,
                   const struct ens_checkpoint_info *info,
                   struct ens_log_at *at)
{
    const struct ens_segment *s = segment_of(log, info->epoch, &at->segment);

    at->offset = info->journal_end;
    return s != NULL && info->journal_end <= s->end;
}

static enum ens_status too_short(const char *dir, uint32_t number,
                                 const struct ens_checkpoint_info *info,
                                 struct ens_error *err)
{
    return ens_fail(err, ENS_ECORRUPT,
                    "%s/checkpoints/%06" PRIu32 "-%06" PRIu32
                    ".ckpt: says that %" PRIu64
                    " bytes of that epoch's journal were committed, but the "
                    "journal ends before",
                    dir, info->epoch, number, info->journal_end);
}

enum ens_status ens_checkpoint_check(const struct ens_log *log, const char *dir,
                                     struct ens_error *err)
{
    struct ens_checkpoint_info *found, info;
    struct ens_log_at end;
    struct ens_buf b = ENS_BUF_INIT;
    size_t n = find_files(dir, &found), i = 0;
    enum ens_status s = ENS_OK;

    while (i < n && (read_file(dir, &found[i], &b) != ENS_OK ||
                     ens_checkpoint_info_read(&info, b.data, b.len) != 0 ||
                     info.epoch != found[i].epoch))
        i++;
    if (i < n && !is_held(log, &info, &end))
        s = too_short(dir, found[i].number, &info, err);
    ens_buf_fini(&b);
    free(found);
    return s;
}

/* 1 = loaded, 0 = passed over, -1 = says more than the journal holds. */
static int try_one(struct ens_replay *r, const struct ens_log *log,
                   struct ens_buf *b, uint32_t epoch, struct ens_log_at *from,
                   struct ens_checkpoint_info *info)
{
    const struct ens_replay clean = *r;

    if (ens_checkpoint_info_read(info, b->data, b->len) != 0 ||
        info->epoch != epoch)
        return 0;
    if (!is_held(log, info, from))
        return -1;
    if (ens_checkpoint_decode(r, b->data, b->len, info, NULL) != ENS_OK)
        return 0;
    if (fits(log, r, *from))
        return 1;
    ens_replay_fini(r);
    *r = clean;
    return 0;
}

enum ens_status ens_checkpoint_load(struct ens_replay *r,
                                    const struct ens_log *log, const char *dir,
                                    struct ens_log_at *from, int *loaded,
                                    struct ens_error *err)
{
    struct ens_checkpoint_info *found, info;
    struct ens_buf b = ENS_BUF_INIT;
    size_t n = find_files(dir, &found);
    int done = 0;

    for (size_t i = 0; i < n && done == 0; i++) {
        if (read_file(dir, &found[i], &b) == ENS_OK)
            done = try_one(r, log, &b, found[i].epoch, from, &info);
        if (done < 0)
            too_short(dir, found[i].number, &info, err);
    }
    ens_buf_fini(&b);
    free(found);
    *loaded = done > 0;
    return done < 0 ? ENS_ECORRUPT : ENS_OK;
}
