/* Files into the joined folder: verbatim, durable, whole or not there. */
#include "base/clock.h"
#include "base/file.h"
#include "merge/state.h"
#include "store/commit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PART    ((uint64_t)64 << 20) /* copied between two looks at the clock */
#define BEAT_NS 2000000000u

enum ens_status ens_merge_tick(struct ens_merge *m, uint64_t bytes,
                               struct ens_error *err)
{
    uint64_t now = ens_clock_ns();

    m->copied += bytes;
    if (m->options->progress != NULL &&
        m->options->progress(m->options->arg, "writing the joined folder",
                             m->copied, m->to_copy))
        return ens_fail(err, ENS_ESTOPPED,
                        "stopped by a signal; merge again to go on");
    if (!m->has_epoch || now - m->beat_ns < BEAT_NS)
        return ENS_OK;
    m->beat_ns = now;
    return ens_epoch_beat(&m->epoch, err);
}

static enum ens_status copy_range(struct ens_merge *m, int from,
                                  uint64_t from_at, int to, uint64_t to_at,
                                  uint64_t n, struct ens_error *err)
{
    enum ens_status s = ENS_OK;

    for (uint64_t k = 0; k < n && s == ENS_OK; k += PART) {
        uint64_t part = n - k < PART ? n - k : PART;

        if (ens_io_copy(m->io, from, from_at + k, to, to_at + k, part) != 0) {
            if (errno == 0)
                return ens_fail(err, ENS_ECORRUPT, "became shorter");
            return ens_fail_errno(err, ENS_EIO, "cannot copy");
        }
        s = ens_merge_tick(m, part, err);
    }
    return s;
}

static enum ens_status fill(struct ens_merge *m, int from, int to,
                            const struct ens_buf *head, uint64_t from_at,
                            uint64_t n, struct ens_error *err)
{
    size_t head_bytes = head != NULL ? head->len : 0;

    if (head_bytes > 0 &&
        ens_io_write_all(m->io, to, head->data, head_bytes, 0, NULL) != 0)
        return ens_fail_errno(err, ENS_EIO, "cannot write");
    return copy_range(m, from, from_at, to, head_bytes, n, err);
}

enum ens_status ens_merge_file(struct ens_merge *m, const char *from,
                               const char *to, const struct ens_buf *head,
                               uint64_t from_at, uint64_t n,
                               struct ens_error *err)
{
    char tmp[PATH_MAX];
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = -1;
    enum ens_status s;

    if (in < 0)
        return ens_fail_errno(err, ENS_EIO, "cannot open %s", from);
    if (snprintf(tmp, sizeof(tmp), "%s.tmp", to) >= (int)sizeof(tmp))
        s = ens_fail(err, ENS_EIO, "%s: path too long", to);
    else if ((out = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)) <
             0)
        s = ens_fail_errno(err, ENS_EIO, "cannot create %s", tmp);
    else
        s = fill(m, in, out, head, from_at, n, err);
    close(in);
    if (s == ENS_OK && m->io->sync(m->io, out) != 0)
        s = ens_fail_errno(err, ENS_EIO, "cannot sync");
    if (out >= 0)
        close(out);
    if (s == ENS_OK && rename(tmp, to) != 0)
        s = ens_fail_errno(err, ENS_EIO, "cannot rename it");
    if (s == ENS_OK)
        return ens_file_sync_parent(to, err);
    if (out >= 0)
        unlink(tmp);
    return ens_wrap(err, s, "%s", to);
}

/* -- packs
 * -----------------------------------------------------------------------
 */

/* "000007-00001.pack": what follows the epoch, or NULL. */
static const char *pack_of(const char *name, uint32_t epoch)
{
    char want[16];
    size_t n = (size_t)snprintf(want, sizeof(want), "%06u-", epoch);
    size_t len = strlen(name);

    if (strncmp(name, want, n) != 0 || len < n + 6 ||
        strcmp(name + len - 5, ".pack") != 0)
        return NULL;
    return name + n;
}

/* count: only add up what there is to copy. */
static enum ens_status copy_pack(struct ens_merge *m, const char *folder,
                                 const char *name, const char *rest, int count,
                                 struct ens_error *err)
{
    char from[PATH_MAX], to[PATH_MAX];
    struct stat st;

    if (snprintf(from, sizeof(from), "%s/%s", folder, name) >=
            (int)sizeof(from) ||
        snprintf(to, sizeof(to), "%s/artifacts/%06u-%s", m->out,
                 m->epoch.number, rest) >= (int)sizeof(to))
        return ens_fail(err, ENS_EIO, "%s: path too long", folder);
    if (stat(from, &st) != 0)
        return ens_fail_errno(err, ENS_EIO, "cannot look at %s", from);
    m->to_copy += count ? (uint64_t)st.st_size : 0;
    if (count)
        return ENS_OK;
    m->report->bytes += (uint64_t)st.st_size;
    return ens_merge_file(m, from, to, NULL, 0, (uint64_t)st.st_size, err);
}

static enum ens_status copy_packs(struct ens_merge *m, size_t i, int count,
                                  struct ens_error *err)
{
    const struct ens_merge_piece *p = &m->piece[i];
    const char *dir = m->source[p->source].dir;
    uint32_t epoch = m->source[p->source].log.segment[p->segment].epoch;
    char folder[sizeof(m->out) + 32];
    enum ens_status s = ENS_OK;
    DIR *d;

    snprintf(folder, sizeof(folder), "%s/artifacts", dir);
    d = opendir(folder);
    if (d == NULL)
        return errno == ENOENT
                   ? ENS_OK
                   : ens_fail_errno(err, ENS_EIO, "cannot read %s", folder);
    for (struct dirent *e; s == ENS_OK && (e = readdir(d)) != NULL;) {
        const char *rest = pack_of(e->d_name, epoch);

        if (rest != NULL)
            s = copy_pack(m, folder, e->d_name, rest, count, err);
    }
    closedir(d);
    return s;
}

/* -- segments
 * ----------------------------------------------------------------------
 */

/* A head of the length of the old one, so that every COMMIT still says where
 * it is: it names as many segments before it; where there are not so many,
 * ones that never were (the old ones had no groups). */
static enum ens_status make_head(const struct ens_merge *m, size_t i,
                                 struct ens_buf *out, struct ens_error *err)
{
    const struct ens_segment *seg = &m->log.segment[i];
    struct ens_segment_head old;
    struct ens_segment_end *ends;
    enum ens_status s = ENS_OK;

    if (!ens_segment_head_read(&old, seg->data, (size_t)seg->end))
        return ens_fail(err, ENS_ECORRUPT, "%s: byte 0: no head", seg->path);
    ends = calloc((size_t)old.n + 1, sizeof(*ends));
    if (ends == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    for (size_t k = 0; k < old.n && k < i; k++)
        ends[old.n - 1 - k] = (struct ens_segment_end){
            m->log.segment[i - 1 - k].epoch, m->log.segment[i - 1 - k].end};
    ens_segment_head_write(out, seg->run_id, m->epoch.number, ends, old.n);
    free(ends);
    if (out->failed)
        s = ens_fail(err, ENS_ENOMEMORY, "out of memory");
    return s;
}

enum ens_status ens_merge_count(struct ens_merge *m, struct ens_error *err)
{
    enum ens_status s = ENS_OK;

    for (size_t i = 0; i < m->n_pieces && s == ENS_OK; i++) {
        if (!m->piece[i].is_new || m->piece[i].bytes.len > 0)
            continue;
        m->to_copy += m->log.segment[i].end - m->piece[i].head_bytes;
        s = copy_packs(m, i, 1, err);
    }
    return s;
}

enum ens_status ens_merge_piece(struct ens_merge *m, size_t i,
                                struct ens_error *err)
{
    const struct ens_merge_piece *p = &m->piece[i];
    const struct ens_segment *seg = &m->log.segment[i];
    struct ens_buf head = ENS_BUF_INIT;
    char to[sizeof(m->out) + 32];
    enum ens_status s;

    snprintf(to, sizeof(to), "%s/journal/%06u-01.ej", m->out, m->epoch.number);
    m->report->n_segments++;
    if (p->bytes.len > 0)
        return ens_file_replace(to, p->bytes.data, p->bytes.len, err);
    s = copy_packs(m, i, 0, err);
    if (s == ENS_OK)
        s = make_head(m, i, &head, err);
    if (s == ENS_OK)
        s = ens_merge_file(m, seg->path, to, &head, p->head_bytes,
                           seg->end - p->head_bytes, err);
    ens_buf_fini(&head);
    m->report->bytes += seg->end;
    return s;
}
