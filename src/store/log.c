#include "store/log.h"

#include "base/number.h"
#include "store/commit.h"
#include "store/epoch.h"
#include "store/scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX     "-01.ej"
#define LOOK_BACK  16
#define UNKNOWN    UINT64_MAX
#define FRAME_LAST 127 /* types above are not for journals */

/* A segment while its end is being found; data is all of the file. */
struct opening {
    struct ens_segment *s;
    int fd;
    uint64_t size;
    int has_head;
    struct ens_segment_head head;
    uint64_t known_end; /* by a later SEGMENT frame; UNKNOWN */
};

/* -- the folder --------------------------------------------------------- */

/* Epoch of "000007-01.ej"; 0 when the name is another. */
static uint32_t epoch_of(const char *name)
{
    size_t n = strlen(name), k = strlen(SUFFIX);
    uint64_t v;

    if (n < 6 + k || strcmp(name + n - k, SUFFIX) != 0 ||
        ens_number_parse_u64(name, n - k, &v) != 0 || v > UINT32_MAX)
        return 0;
    return (uint32_t)v;
}

static int by_epoch(const void *a, const void *b)
{
    const struct ens_segment *x = a, *y = b;

    return x->epoch < y->epoch ? -1 : x->epoch > y->epoch;
}

static int add_segment(struct ens_log *log, const char *folder,
                       const char *name)
{
    struct ens_segment *p =
        realloc(log->segment, (log->n + 1) * sizeof(*log->segment));
    size_t n = strlen(folder) + strlen(name) + 2;
    char *path;

    if (p == NULL)
        return -1;
    log->segment = p;
    path = malloc(n);
    if (path == NULL)
        return -1;
    snprintf(path, n, "%s/%s", folder, name);
    memset(&p[log->n], 0, sizeof(*p));
    p[log->n].epoch = epoch_of(name);
    p[log->n].path = path;
    log->n++;
    return 0;
}

static enum ens_status list_segments(struct ens_log *log, const char *folder,
                                     struct ens_error *err)
{
    DIR *d = opendir(folder);
    int r = 0;

    if (d == NULL && errno == ENOENT)
        return ENS_OK;
    if (d == NULL)
        return ens_fail_errno(err, ENS_EIO, "cannot open folder %s", folder);
    for (struct dirent *e; r == 0 && (e = readdir(d)) != NULL;)
        if (epoch_of(e->d_name) != 0)
            r = add_segment(log, folder, e->d_name);
    closedir(d);
    if (r != 0)
        return ens_fail(err, ENS_ENOMEMORY, "journal: out of memory");
    if (log->n > 0)
        qsort(log->segment, log->n, sizeof(*log->segment), by_epoch);
    return ENS_OK;
}

/* -- one segment -------------------------------------------------------- */

static enum ens_status map_all(struct opening *o, struct ens_error *err)
{
    struct stat st;
    void *p;

    o->fd = open(o->s->path, O_RDONLY | O_CLOEXEC);
    if (o->fd < 0 || fstat(o->fd, &st) != 0)
        return ens_fail_errno(err, ENS_EIO, "cannot open %s", o->s->path);
    o->size = (uint64_t)st.st_size;
    if (o->size == 0)
        return ENS_OK;
    p = mmap(NULL, o->size, PROT_READ, MAP_SHARED, o->fd, 0);
    if (p == MAP_FAILED)
        return ens_fail_errno(err, ENS_EIO, "cannot map %s", o->s->path);
    o->s->data = p;
    o->s->map_bytes = o->size;
    return ENS_OK;
}

/* The head was synced before anything else was written, so a file that is
 * shorter never had a group. A whole frame of another epoch is no accident. */
static enum ens_status read_head(struct opening *o, struct ens_error *err)
{
    o->has_head = ens_segment_head_read(&o->head, o->s->data, o->size);
    if (!o->has_head)
        return ENS_OK;
    if (o->head.epoch != o->s->epoch)
        return ens_fail(err, ENS_ECORRUPT, "%s: byte 0: is of epoch %u",
                        o->s->path, o->head.epoch);
    o->s->run_id = o->head.run_id;
    return ENS_OK;
}

/* What this segment's head says of the ones before it. Frames agree: each is
 * written by what the last one said. */
static enum ens_status apply_head(struct opening *all, size_t i,
                                  struct ens_error *err)
{
    size_t k = 0;

    if (!all[i].has_head)
        return ENS_OK;
    for (size_t e = 0; e < all[i].head.n; e++) {
        struct ens_segment_end end = ens_segment_head_end(&all[i].head, e);

        while (k < i && all[k].s->epoch < end.epoch)
            k++;
        if (k == i || all[k].s->epoch != end.epoch) {
            if (end.end == 0)
                continue; /* it had no groups; the file may be gone */
            return ens_fail(err, ENS_ECORRUPT,
                            "%s: byte 0: names a segment of epoch %u that is "
                            "not there",
                            all[i].s->path, end.epoch);
        }
        if (all[k].known_end != UNKNOWN && all[k].known_end != end.end)
            return ens_fail(
                err, ENS_ECORRUPT,
                "%s: byte 0: epoch %u ends at byte %llu, elsewhere at %llu",
                all[i].s->path, end.epoch, (unsigned long long)end.end,
                (unsigned long long)all[k].known_end);
        all[k].known_end = end.end;
    }
    return ENS_OK;
}

static enum ens_status check_known(const struct opening *o,
                                   struct ens_error *err)
{
    uint64_t end = o->known_end;

    if (end > o->size)
        return ens_fail(
            err, ENS_ECORRUPT, "%s: ends at byte %llu, should have %llu bytes",
            o->s->path, (unsigned long long)o->size, (unsigned long long)end);
    if (end > 0 && (!o->has_head || end < o->head.total_bytes))
        return ens_fail(err, ENS_ECORRUPT, "%s: the head at byte 0 is damaged",
                        o->s->path);
    o->s->end = end;
    return ENS_OK;
}

/* Nobody said where it ends: by its commits. */
static enum ens_status find_end(const struct opening *o,
                                const struct ens_epoch_info *info,
                                struct ens_error *err)
{
    if (o->has_head)
        return ens_scan_segment(o->fd, o->s->data, o->size, o->head.total_bytes,
                                o->head.run_id, o->s->path, &o->s->end, err);
    o->s->end = 0;
    if (o->size == 0)
        return ENS_OK;
    if (info == NULL)
        return ens_fail(err, ENS_ECORRUPT,
                        "%s: the head at byte 0 is damaged, and there is no "
                        "file of its epoch",
                        o->s->path);
    o->s->run_id = info->run_id;
    return ens_scan_headless(o->fd, o->size, info->run_id, o->s->path, err);
}

static enum ens_status settle(struct opening *o, const char *dir,
                              const struct ens_segment_end *trusted,
                              struct ens_error *err)
{
    struct ens_epoch_info info;
    int known;

    if (o->known_end != UNKNOWN)
        return check_known(o, err);
    if (trusted != NULL && trusted->epoch == o->s->epoch) {
        o->known_end = trusted->end;
        return check_known(o, err);
    }
    known = ens_epoch_read(&info, dir, o->s->epoch, NULL) == ENS_OK;
    if (known && info.closed) {
        o->known_end = info.segment_end;
        return check_known(o, err);
    }
    return find_end(o, known ? &info : NULL, err);
}

/* Keep the pages that count: the owner may cut the rest away. */
static void trim(struct opening *o)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t keep = (o->s->end + page - 1) / page * page;
    uint64_t mapped = (o->size + page - 1) / page * page;

    if (o->s->data != NULL && keep < mapped)
        munmap((void *)(uintptr_t)(o->s->data + keep), mapped - keep);
    if (keep < o->s->map_bytes)
        o->s->map_bytes = keep;
    if (keep == 0)
        o->s->data = NULL;
}

/* -- all of them -------------------------------------------------------- */

static enum ens_status open_all(struct opening *all, size_t n, const char *dir,
                                const struct ens_segment_end *trusted,
                                struct ens_error *err)
{
    enum ens_status s = ENS_OK;

    for (size_t i = 0; i < n && s == ENS_OK; i++) {
        s = map_all(&all[i], err);
        if (s == ENS_OK)
            s = read_head(&all[i], err);
        if (s == ENS_OK)
            s = apply_head(all, i, err);
    }
    for (size_t i = 0; i < n && s == ENS_OK; i++)
        s = settle(&all[i], dir, trusted, err);
    for (size_t i = 0; i < n && s == ENS_OK; i++)
        trim(&all[i]);
    return s;
}

static enum ens_status open_segments(struct ens_log *log, const char *dir,
                                     const struct ens_segment_end *trusted,
                                     struct ens_error *err)
{
    struct opening *all = calloc(log->n + 1, sizeof(*all));
    enum ens_status s;

    if (all == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "journal: out of memory");
    for (size_t i = 0; i < log->n; i++) {
        all[i].s = &log->segment[i];
        all[i].fd = -1;
        all[i].known_end = UNKNOWN;
    }
    s = open_all(all, log->n, dir, trusted, err);
    for (size_t i = 0; i < log->n; i++)
        if (all[i].fd >= 0)
            close(all[i].fd);
    free(all);
    return s;
}

/* A closed epoch whose segment is gone: of the newest ones, as those before a
 * segment are named in its head. */
static enum ens_status check_missing(const struct ens_log *log, const char *dir,
                                     struct ens_error *err)
{
    uint32_t last = log->n > 0 ? log->segment[log->n - 1].epoch : 0;
    struct ens_epoch_info info;
    uint32_t e = ens_epoch_newest(dir);

    for (int i = 0; i < LOOK_BACK && e > last; i++, e--)
        if (ens_epoch_read(&info, dir, e, NULL) == ENS_OK && info.closed &&
            info.segment_end > 0)
            return ens_fail(err, ENS_ECORRUPT,
                            "%s/journal/%06u" SUFFIX
                            ": is missing, should have %llu bytes",
                            dir, e, (unsigned long long)info.segment_end);
    return ENS_OK;
}

enum ens_status ens_log_open(struct ens_log *log, const char *dir,
                             const struct ens_segment_end *trusted,
                             struct ens_error *err)
{
    char folder[PATH_MAX];
    struct ens_log t = {0, NULL};
    enum ens_status s;

    if (snprintf(folder, sizeof(folder), "%s/journal", dir) >=
        (int)sizeof(folder))
        return ens_fail(err, ENS_EIO, "%s: path too long", dir);
    s = list_segments(&t, folder, err);
    if (s == ENS_OK)
        s = check_missing(&t, dir, err);
    if (s == ENS_OK)
        s = open_segments(&t, dir, trusted, err);
    if (s != ENS_OK) {
        ens_log_close(&t);
        return s;
    }
    *log = t;
    return ENS_OK;
}

void ens_log_close(struct ens_log *log)
{
    for (size_t i = 0; i < log->n; i++) {
        struct ens_segment *s = &log->segment[i];

        if (s->data != NULL)
            munmap((void *)(uintptr_t)s->data, s->map_bytes);
        free(s->path);
    }
    free(log->segment);
    log->segment = NULL;
    log->n = 0;
}

static enum ens_status walk_segment(const struct ens_segment *s,
                                    struct ens_log_at at,
                                    ens_log_visit_fn *visit, void *arg,
                                    struct ens_error *err)
{
    struct ens_frame f;
    enum ens_status st = ENS_OK;

    for (; at.offset < s->end && st == ENS_OK; at.offset += f.total_bytes) {
        if (at.offset % 8 != 0 ||
            ens_frame_read(&f, s->data + at.offset, s->end - at.offset,
                           s->run_id) != ENS_FRAME_GOOD ||
            f.type > FRAME_LAST)
            return ens_fail(err, ENS_ECORRUPT,
                            "%s: the frame at byte %llu is damaged", s->path,
                            (unsigned long long)at.offset);
        st = visit(arg, s, at, &f, err);
    }
    return st;
}

enum ens_status ens_log_walk(const struct ens_log *log,
                             const struct ens_log_at *from,
                             ens_log_visit_fn *visit, void *arg,
                             struct ens_error *err)
{
    struct ens_log_at at = {0, 0};
    enum ens_status s = ENS_OK;

    if (from != NULL)
        at = *from;
    for (; at.segment < log->n && s == ENS_OK; at.segment++, at.offset = 0)
        s = walk_segment(&log->segment[at.segment], at, visit, arg, err);
    return s;
}
