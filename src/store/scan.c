#include "store/scan.h"

#include "base/hash.h"
#include "record/little.h"
#include "store/commit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WINDOW ((size_t)1 << 16)

/* Bytes of the file from `at` on, read as they are asked for. */
struct window {
    int fd;
    uint64_t size;
    uint64_t at;
    size_t n;
    int failed; /* errno */
    unsigned char *bytes;
};

/* Lends the n bytes (n <= WINDOW) at offset; NULL when they are not in the
 * first `size` bytes: a live owner may have made the file longer since, but
 * only those are mapped. */
static const unsigned char *look(struct window *w, uint64_t offset, size_t n,
                                 size_t ahead)
{
    if (offset + n > w->size)
        return NULL;
    if (offset < w->at || offset + n > w->at + w->n) {
        size_t want = ahead > n ? ahead : n;
        ssize_t k;

        do
            k = pread(w->fd, w->bytes, want, (off_t)offset);
        while (k < 0 && errno == EINTR);
        if (k < 0)
            w->failed = errno;
        w->at = offset;
        w->n = k < 0 ? 0 : (size_t)k;
        if (w->n < n)
            return NULL;
    }
    return w->bytes + (offset - w->at);
}

struct scan {
    struct window w;
    const unsigned char *data;
    uint64_t run_id;
    uint64_t end;    /* of the groups that verified */
    uint64_t number; /* of the last of them */
};

static int is_commit(const unsigned char *p)
{
    return ens_get32(p) == ENS_FRAME_MAGIC && p[4] == ENS_FRAME_VERSION &&
           p[5] == ENS_FRAME_COMMIT;
}

/* Hop from frame to frame up to a COMMIT; 0 when there is none. The frames
 * themselves are not looked into: the COMMIT holds a hash of them all. */
static int next_commit(struct scan *s, struct ens_commit *c)
{
    uint64_t at = s->end;
    const unsigned char *p;

    while ((p = look(&s->w, at, ENS_FRAME_HEAD, 4096)) != NULL) {
        uint32_t length = ens_get32(p + 8);

        if (ens_get32(p) != ENS_FRAME_MAGIC || length > ENS_FRAME_PAYLOAD_MAX)
            return 0;
        if (is_commit(p)) {
            p = look(&s->w, at, ENS_COMMIT_BYTES, 4096);
            return p != NULL &&
                   ens_commit_read(c, p, ENS_COMMIT_BYTES, s->run_id) &&
                   c->end == at;
        }
        at += ens_frame_bytes(length);
    }
    return 0;
}

/* Take the group behind s->end if it verifies. */
static int next_group(struct scan *s)
{
    struct ens_commit c;

    if (!next_commit(s, &c) || c.number != s->number + 1 || c.start != s->end)
        return 0;
    /* Its COMMIT is there, so the file is never cut before it. */
    if (ens_hash64_seed(s->data + c.start, c.end - c.start, s->run_id) !=
        c.hash)
        return 0;
    s->end = c.end + ENS_COMMIT_BYTES;
    s->number = c.number;
    return 1;
}

/* A COMMIT from offset `at` on that cannot be without groups up to `number`.
 * Its own number decides, not its place alone: the pages of a last group may
 * reach the disk in any order, its COMMIT first. */
static int find_later(struct scan *s, uint64_t at, uint64_t number,
                      uint64_t *found)
{
    const unsigned char *p;
    struct ens_commit c;

    s->w.n = 0; /* the file may have grown */
    for (; (p = look(&s->w, at, 8, WINDOW)) != NULL; at += 8) {
        if (!is_commit(p))
            continue;
        p = look(&s->w, at, ENS_COMMIT_BYTES, WINDOW);
        if (p != NULL && ens_commit_read(&c, p, ENS_COMMIT_BYTES, s->run_id) &&
            c.end == at && c.number > number) {
            *found = at;
            return 1;
        }
    }
    return 0;
}

static enum ens_status check_read(const struct scan *s, const char *path,
                                  struct ens_error *err)
{
    errno = s->w.failed;
    return s->w.failed == 0
               ? ENS_OK
               : ens_fail_errno(err, ENS_EIO, "cannot read %s", path);
}

static enum ens_status scan(struct scan *s, const char *path,
                            struct ens_error *err)
{
    uint64_t later;

    for (;;) {
        while (next_group(s))
            ;
        if (!find_later(s, s->end, s->number + 1, &later))
            return check_read(s, path, err);
        /* A live owner may have completed both meanwhile: look again. */
        s->w.n = 0;
        if (!next_group(s))
            return ens_fail(err, ENS_ECORRUPT,
                            "%s: the group at byte %llu is damaged, yet a "
                            "later commit is at byte %llu",
                            path, (unsigned long long)s->end,
                            (unsigned long long)later);
    }
}

enum ens_status ens_scan_segment(int fd, const unsigned char *data,
                                 uint64_t size, uint64_t start, uint64_t run_id,
                                 const char *path, uint64_t *end,
                                 struct ens_error *err)
{
    struct scan s = {{fd, size, 0, 0, 0, NULL}, data, run_id, start, 0};
    enum ens_status st;

    s.w.bytes = malloc(WINDOW);
    if (s.w.bytes == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "%s: out of memory", path);
    st = scan(&s, path, err);
    free(s.w.bytes);
    if (st == ENS_OK)
        *end = s.end;
    return st;
}

enum ens_status ens_scan_headless(int fd, uint64_t size, uint64_t run_id,
                                  const char *path, struct ens_error *err)
{
    struct scan s = {{fd, size, 0, 0, 0, NULL}, NULL, run_id, 0, 0};
    uint64_t found;
    enum ens_status st;

    s.w.bytes = malloc(WINDOW);
    if (s.w.bytes == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "%s: out of memory", path);
    if (find_later(&s, 0, 0, &found))
        st = ens_fail(err, ENS_ECORRUPT,
                      "%s: the head at byte 0 is damaged, yet a commit is at "
                      "byte %llu",
                      path, (unsigned long long)found);
    else
        st = check_read(&s, path, err);
    free(s.w.bytes);
    return st;
}
