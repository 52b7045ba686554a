#include "input/cache.h"
#include "input/mapped.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#define BLOCK_BYTES ((size_t)4 << 20)

static enum ens_status hash_blocks(const struct ens_mapped *m, void *block,
                                   XXH3_state_t *hash, const atomic_int *stop,
                                   struct ens_error *err)
{
    for (uint64_t at = 0; at < m->id.size;) {
        uint64_t left = m->id.size - at;
        size_t n = left < BLOCK_BYTES ? (size_t)left : BLOCK_BYTES;
        int64_t got;

        if (stop != NULL && atomic_load(stop))
            return ens_fail(err, ENS_ESTOPPED, "%s: stopped", m->source);
        got = ens_read_at(m->fd, block, n, at);
        if (got < 0)
            return ens_fail_errno(err, ENS_EINPUT,
                                  "%s: byte %" PRIu64 ": cannot read",
                                  m->source, at);
        if ((size_t)got < n)
            return ens_fail(err, ENS_EINPUT,
                            "%s: shrank while it was in use: "
                            "ends at byte %" PRIu64 ", expected %" PRIu64,
                            m->source, at + (uint64_t)got, m->id.size);
        XXH3_128bits_update(hash, block, n);
        at += n;
    }
    return ENS_OK;
}

static enum ens_status compute(const struct ens_mapped *m,
                               const atomic_int *stop,
                               struct ens_hash128 *digest,
                               struct ens_error *err)
{
    void *block = malloc(BLOCK_BYTES);
    XXH3_state_t *hash = XXH3_createState();
    enum ens_status s;

    if (block == NULL || hash == NULL) {
        s = ens_fail(err, ENS_ENOMEMORY, "%s: out of memory", m->source);
    } else {
        XXH3_128bits_reset(hash);
        s = hash_blocks(m, block, hash, stop, err);
    }
    if (s == ENS_OK) {
        XXH128_hash_t h = XXH3_128bits_digest(hash);

        digest->low = h.low64;
        digest->high = h.high64;
    }
    XXH3_freeState(hash);
    free(block);
    return s;
}

enum ens_status ens_mapped_digest(const struct ens_mapped *m,
                                  const atomic_int *stop,
                                  struct ens_hash128 *digest,
                                  struct ens_error *err)
{
    int settled = ens_cache_is_settled(&m->id);
    struct ens_file_id now;
    struct ens_hash128 d;
    enum ens_status s;

    if (m->has_digest) {
        *digest = m->digest;
        return ENS_OK;
    }
    if (ens_cache_get_digest(&m->id, digest))
        return ENS_OK;
    s = compute(m, stop, &d, err);
    if (s != ENS_OK)
        return s;
    if (ens_file_id_of(m->fd, &now) != 0)
        return ens_fail_errno(err, ENS_EINPUT, "cannot look at %s", m->source);
    /* not ctime: a further hard link, a new mode or a rename are no change */
    if (now.size != m->id.size || now.mtime_ns != m->id.mtime_ns)
        return ens_fail(err, ENS_EINPUT, "%s: changed while it was in use",
                        m->source);
    if (settled)
        ens_cache_put_digest(&m->id, &d);
    *digest = d;
    return ENS_OK;
}

static int64_t nanoseconds(const struct timespec *t)
{
    return (int64_t)t->tv_sec * 1000000000 + (int64_t)t->tv_nsec;
}

static void id_from_stat(struct ens_file_id *id, const struct stat *st)
{
    id->device = (uint64_t)st->st_dev;
    id->inode = (uint64_t)st->st_ino;
    id->size = (uint64_t)st->st_size;
    id->mtime_ns = nanoseconds(&st->st_mtim);
    id->ctime_ns = nanoseconds(&st->st_ctim);
}

int ens_file_id_of(int fd, struct ens_file_id *id)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return -1;
    id_from_stat(id, &st);
    return 0;
}

int ens_file_id_same(const struct ens_file_id *a, const struct ens_file_id *b)
{
    return a->device == b->device && a->inode == b->inode &&
           a->size == b->size && a->mtime_ns == b->mtime_ns &&
           a->ctime_ns == b->ctime_ns;
}

enum ens_status ens_mapped_id_now(const struct ens_mapped *m,
                                  struct ens_file_id *id, struct ens_error *err)
{
    struct stat st;

    if ((m->is_memory ? fstat(m->fd, &st) : stat(m->source, &st)) != 0)
        return ens_fail_errno(err, ENS_EINPUT, "cannot look at %s", m->source);
    id_from_stat(id, &st);
    return ENS_OK;
}

int64_t ens_read_at(int fd, void *to, size_t n, uint64_t offset)
{
    size_t done = 0;

    while (done < n) {
        ssize_t k =
            pread(fd, (char *)to + done, n - done, (off_t)(offset + done));

        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return -1;
        if (k == 0)
            break;
        done += (size_t)k;
    }
    return (int64_t)done;
}
