#include "transport/staging.h"

#include "base/bug.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "transport/handout.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define SLICE_BYTES  ((size_t)1 << 20) /* between two turns of the loop */
#define TURN_MS      10                /* of the handing out */
#define GIVE_SECONDS 60.0

struct ens_stager {
    struct ens_stager_config c;
    size_t n; /* inputs */
    struct ens_staged_file *file;
    int *fd; /* copies that are done, for reading; -1: not yet */
    ens_staged_fn *done;
    void *arg;
    int is_done;
    uint64_t done_ns;
    /* the rank that copies */
    char dir[PATH_MAX], host[65];
    size_t at;       /* the input that is being copied */
    int to;          /* its copy; -1: not begun */
    int waits;       /* for parts */
    int checks;      /* is being read back */
    uint64_t offset; /* of what comes next */
    uint64_t hash;   /* of the source, once it is read */
    uint64_t n_done; /* bytes of earlier inputs */
    struct ens_hasher *hasher;
    unsigned char *slice;
    struct ens_handout handout;
    /* the others */
    int socket;
    /* turns of the loop */
    uv_idle_t work;
    uv_timer_t timer;
    int n_handles; /* 0: not begun */
    int closing;
};

/* -- files of rank 0
 * ----------------------------------------------------------- */

enum ens_status ens_staged_files(struct ens_staged_file **to,
                                 const struct ens_inputs *in,
                                 struct ens_error *err)
{
    struct ens_staged_file *file = calloc(in->n + 1, sizeof(*file));
    struct stat *st = calloc(in->n + 1, sizeof(*st));
    enum ens_status s = ENS_OK;

    if (file == NULL || st == NULL)
        s = ens_fail(err, ENS_ENOMEMORY, "out of memory");
    for (size_t i = 0; s == ENS_OK && i < in->n; i++) {
        const struct ens_mapped *m = &in->item[i];
        size_t first = 0;

        if (fstat(m->fd, &st[i]) != 0)
            s = ens_fail_errno(err, ENS_EIO, "cannot look at %s", m->source);
        while (st[first].st_dev != st[i].st_dev ||
               st[first].st_ino != st[i].st_ino)
            first++;
        file[i] = (struct ens_staged_file){ens_mapped_sample(m),
                                           (uint64_t)st[i].st_size, first};
    }
    free(st);
    if (s == ENS_OK)
        *to = file;
    else
        free(file);
    return s;
}

int ens_staged_files_are_good(const struct ens_staged_file *file, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (file[i].first > i || file[file[i].first].first != file[i].first ||
            file[i].bytes != file[file[i].first].bytes ||
            file[i].bytes > INT64_MAX / 2)
            return 0;
    return 1;
}

uint64_t ens_staged_bytes(const struct ens_staged_file *file, size_t n)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += file[i].first == i ? file[i].bytes : 0;
    return sum;
}

enum ens_status ens_staged_fail_read(const struct ens_mapped *m, uint64_t bytes,
                                     struct ens_error *err)
{
    int e = errno;
    struct stat st;

    if (fstat(m->fd, &st) == 0 && (uint64_t)st.st_size < bytes)
        return ens_fail(err, ENS_EINPUT,
                        "input %s: %s shrank while it was copied",
                        m->input.name, m->source);
    errno = e;
    return ens_fail_errno(err, ENS_EIO, "input %s: cannot read %s",
                          m->input.name, m->source);
}

/* -- one copy ----------------------------------------------------------------
 */

static const char *name_of(const struct ens_stager *s)
{
    return ens_study_input_name(s->c.study, s->at);
}

static enum ens_status fail_room(const struct ens_stager *s, uint64_t bytes,
                                 struct ens_error *err)
{
    return ens_fail(err, ENS_ENOSPACE,
                    "input %s: no room for a copy of %" PRIu64
                    " bytes in %s on %s; give it another TMPDIR, or use "
                    "[run] stage_inputs = no",
                    name_of(s), bytes, s->dir, s->host);
}

static enum ens_status fail_write(const struct ens_stager *s,
                                  struct ens_error *err)
{
    if (errno == ENOSPC || errno == EDQUOT)
        return fail_room(s, s->file[s->at].bytes, err);
    return ens_fail_errno(err, ENS_EIO,
                          "input %s: cannot write its copy in %s on %s",
                          name_of(s), s->dir, s->host);
}

/* Where there are no files without a name, one without one soon. */
static int create(const char *dir)
{
    char path[PATH_MAX + 32];
    int fd;

    snprintf(path, sizeof(path), "%s/ensrun-in-XXXXXX", dir);
    fd = ens_file_nameless(path, 0600);
    if (fd >= 0 || errno == ENOENT || errno == EACCES || errno == ENOSPC)
        return fd;
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

/* Does this host see the file that rank 0 has? */
static int is_seen(const struct ens_stager *s)
{
    const struct ens_mapped *m =
        s->c.inputs != NULL ? &s->c.inputs->item[s->at] : NULL;
    const struct ens_staged_file *f = &s->file[s->at];
    struct stat st;

    if (m == NULL || m->fd < 0 || s->c.want == NULL)
        return m != NULL && m->fd >= 0;
    /* what a table was converted to has a size of its own */
    return fstat(m->fd, &st) == 0 && (uint64_t)st.st_size == f->bytes &&
           ens_mapped_sample(m) == f->sample;
}

static enum ens_status begin_copy(struct ens_stager *s, struct ens_error *err)
{
    uint64_t left = ens_staged_bytes(s->file, s->n) - s->n_done;
    struct statvfs v;

    if (statvfs(s->dir, &v) == 0 && (uint64_t)v.f_bavail * v.f_frsize < left)
        return fail_room(s, left, err);
    s->to = create(s->dir);
    if (s->to < 0)
        return fail_write(s, err);
    s->offset = 0;
    s->checks = 0;
    s->waits = !is_seen(s);
    ens_hasher_begin(s->hasher);
    if (s->waits) {
        ENS_BUG_ON(s->c.want == NULL);
        uv_idle_stop(&s->work);
        s->c.want(s->c.arg, (uint32_t)s->at);
    }
    return ENS_OK;
}

static enum ens_status end_copy(struct ens_stager *s, struct ens_error *err)
{
    char self[64];

    if (ens_hasher_end(s->hasher) != s->hash)
        return ens_fail(err, ENS_EIO,
                        "input %s: its copy in %s on %s reads back otherwise",
                        name_of(s), s->dir, s->host);
    snprintf(self, sizeof(self), "/proc/self/fd/%d", s->to);
    s->fd[s->at] = open(self, O_RDONLY | O_CLOEXEC);
    if (s->fd[s->at] < 0)
        return ens_fail_errno(err, ENS_EIO, "input %s: cannot open its copy",
                              name_of(s));
    close(s->to);
    s->to = -1;
    s->n_done += s->file[s->at].bytes;
    s->at++;
    return ENS_OK;
}

static void begin_check(struct ens_stager *s, uint64_t hash)
{
    s->hash = hash;
    s->checks = 1;
    s->waits = 0;
    s->offset = 0;
    ens_hasher_begin(s->hasher);
}

/* Some more of the input that is being copied. */
static enum ens_status copy_slice(struct ens_stager *s, struct ens_error *err)
{
    uint64_t left = s->file[s->at].bytes - s->offset;
    size_t n = left < SLICE_BYTES ? (size_t)left : SLICE_BYTES;
    int from = s->checks ? s->to : s->c.inputs->item[s->at].fd;

    if (ens_read_all(from, s->slice, n, s->offset) != 0)
        return s->checks ? ens_fail_errno(err, ENS_EIO,
                                          "input %s: cannot read its copy in "
                                          "%s on %s",
                                          name_of(s), s->dir, s->host)
                         : ens_staged_fail_read(&s->c.inputs->item[s->at],
                                                s->file[s->at].bytes, err);
    if (!s->checks && ens_write_all(s->to, s->slice, n) != 0)
        return fail_write(s, err);
    ens_hasher_put(s->hasher, s->slice, n);
    s->offset += n;
    if (n < left)
        return ENS_OK;
    if (s->checks)
        return end_copy(s, err);
    begin_check(s, ens_hasher_end(s->hasher));
    return ENS_OK;
}

static void on_work(uv_idle_t *idle);

enum ens_status ens_stager_put(struct ens_stager *s,
                               const struct ens_staged_part *part,
                               struct ens_error *err)
{
    uint64_t bytes;

    if (s->at >= s->n || !s->waits || part->input != s->at ||
        part->offset != s->offset)
        return ens_fail(err, ENS_EPROTOCOL, "a part of an input out of order");
    bytes = s->file[s->at].bytes;
    if (part->n > bytes - s->offset ||
        (part->is_last && (part->n > 0 || s->offset != bytes)))
        return ens_fail(err, ENS_EPROTOCOL,
                        "input %s: %" PRIu64 " bytes came, not %" PRIu64,
                        name_of(s), s->offset + part->n, bytes);
    if (ens_write_all(s->to, part->data, part->n) != 0)
        return fail_write(s, err);
    s->offset += part->n;
    if (part->is_last) {
        begin_check(s, part->hash);
        uv_idle_start(&s->work, on_work);
    }
    return ENS_OK;
}

/* -- all of them -------------------------------------------------------------
 */

static void finish(struct ens_stager *s)
{
    s->is_done = 1;
    s->done_ns = ens_clock_ns();
    uv_idle_stop(&s->work);
    s->done(s->arg, s->fd, s->n, NULL);
}

static void give_up(struct ens_stager *s, struct ens_error *err)
{
    uv_idle_stop(&s->work);
    uv_timer_stop(&s->timer);
    if (s->to >= 0) /* the room is free again at once */
        close(s->to);
    s->to = -1;
    s->done(s->arg, NULL, 0, err);
}

static enum ens_status work(struct ens_stager *s, struct ens_error *err)
{
    uint64_t first = s->file[s->at].first;

    if (first < s->at) {
        s->fd[s->at] = fcntl(s->fd[first], F_DUPFD_CLOEXEC, 3);
        if (s->fd[s->at] < 0)
            return ens_fail_errno(err, ENS_EPROCESS,
                                  "input %s: cannot keep it open", name_of(s));
        s->at++;
        return ENS_OK;
    }
    return s->to < 0 ? begin_copy(s, err) : copy_slice(s, err);
}

static void on_work(uv_idle_t *idle)
{
    struct ens_stager *s = idle->data;
    struct ens_error err;

    if (s->at == s->n)
        finish(s);
    else if (work(s, &err) != ENS_OK)
        give_up(s, &err);
}

static void give(struct ens_stager *s)
{
    struct ens_error err;

    ens_handout_turn(&s->handout, s->fd, s->n);
    if (s->handout.n_left == 0) {
        uv_timer_stop(&s->timer);
        return;
    }
    if (s->handout.n_known == s->handout.n_peers ||
        (double)(ens_clock_ns() - s->done_ns) < GIVE_SECONDS * 1e9)
        return;
    ens_fail(&err, ENS_EPROCESS,
             "%u other ranks on %s have not asked for the copies of inputs "
             "within %g s: do they share its network namespace?",
             s->handout.n_peers - s->handout.n_known, s->host, GIVE_SECONDS);
    give_up(s, &err);
}

static void on_timer(uv_timer_t *timer)
{
    struct ens_stager *s = timer->data;

    if (s->c.index == 0) {
        if (s->is_done)
            give(s);
    } else if (ens_handout_take(&s->socket, s->c.run_id, s->fd, s->n)) {
        uv_timer_stop(&s->timer);
        finish(s);
    }
}

/* -- opening and closing ------------------------------------------------------
 */

static void free_all(struct ens_stager *s)
{
    for (size_t i = 0; s->fd != NULL && i < s->n; i++)
        if (s->fd[i] >= 0)
            close(s->fd[i]);
    if (s->to >= 0)
        close(s->to);
    if (s->socket >= 0)
        close(s->socket);
    ens_handout_close(&s->handout);
    ens_hasher_free(s->hasher);
    free(s->slice);
    free(s->file);
    free(s->fd);
    free(s);
}

enum ens_status ens_stager_new(struct ens_stager **out,
                               const struct ens_stager_config *config,
                               struct ens_error *err)
{
    struct ens_stager *s = calloc(1, sizeof(*s));
    const char *tmp = getenv("TMPDIR");

    if (s == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    s->c = *config;
    s->n = ens_study_n_inputs(config->study);
    s->to = s->socket = s->handout.socket = -1;
    s->fd = malloc((s->n + 1) * sizeof(*s->fd));
    s->file = calloc(s->n + 1, sizeof(*s->file));
    for (size_t i = 0; s->fd != NULL && i < s->n; i++)
        s->fd[i] = -1;
    if (config->index == 0) {
        s->hasher = ens_hasher_new();
        s->slice = malloc(SLICE_BYTES);
    }
    if (s->fd == NULL || s->file == NULL ||
        (config->index == 0 && (s->hasher == NULL || s->slice == NULL))) {
        free_all(s);
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    }
    memcpy(s->file, config->file, s->n * sizeof(*s->file));
    snprintf(s->dir, sizeof(s->dir), "%s",
             tmp != NULL && tmp[0] == '/' ? tmp : "/tmp");
    if (gethostname(s->host, sizeof(s->host) - 1) != 0)
        snprintf(s->host, sizeof(s->host), "this host");
    *out = s;
    return ENS_OK;
}

enum ens_status ens_stager_begin(struct ens_stager *s, uv_loop_t *loop,
                                 ens_staged_fn *done, void *arg,
                                 struct ens_error *err)
{
    enum ens_status status = ENS_OK;

    s->done = done;
    s->arg = arg;
    if (s->c.index == 0 && s->c.n_ranks > 1)
        status =
            ens_handout_open(&s->handout, s->c.run_id, s->c.n_ranks - 1, err);
    if (status != ENS_OK)
        return status;
    uv_idle_init(loop, &s->work);
    uv_timer_init(loop, &s->timer);
    s->work.data = s->timer.data = s;
    s->n_handles = 2;
    if (s->c.index == 0)
        uv_idle_start(&s->work, on_work);
    if (s->c.n_ranks > 1)
        uv_timer_start(&s->timer, on_timer, TURN_MS, TURN_MS);
    return ENS_OK;
}

void ens_stager_progress(const struct ens_stager *s, uint64_t *done_bytes,
                         uint64_t *all_bytes)
{
    *done_bytes = s->n_done;
    *all_bytes = s->c.index == 0 ? ens_staged_bytes(s->file, s->n) : 0;
    if (s->to >= 0)
        *done_bytes += s->checks ? s->file[s->at].bytes : s->offset;
}

static void released(uv_handle_t *h)
{
    struct ens_stager *s = h->data;

    if (--s->n_handles == 0)
        free_all(s);
}

void ens_stager_close(struct ens_stager *s)
{
    if (s == NULL || s->closing)
        return;
    s->closing = 1;
    if (s->n_handles == 0) {
        free_all(s);
        return;
    }
    uv_close((uv_handle_t *)&s->work, released);
    uv_close((uv_handle_t *)&s->timer, released);
}
