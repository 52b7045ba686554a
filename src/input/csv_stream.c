#include "input/csv_stream.h"

#include "base/utf8.h"
#include "input/mapped.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define BLOCK_BYTES ((size_t)1 << 20)

static enum ens_status feed_block(void *arg, const char *p, size_t n,
                                  struct ens_error *err)
{
    struct ens_csv_stream *st = arg;
    uint64_t offset = st->fed;
    size_t skip = 0;

    if (offset < st->skip)
        skip = st->skip - offset < n ? (size_t)(st->skip - offset) : n;
    st->fed += n;
    return ens_csv_scan_feed(st->scan, p + skip, n - skip, err);
}

static enum ens_status run(struct ens_csv_stream *st, char *block,
                           XXH3_state_t *hash, struct ens_inflate *unpack,
                           struct ens_error *err)
{
    uint64_t at = 0;
    enum ens_status s = ENS_OK;

    while (at < st->size && s == ENS_OK) {
        uint64_t left = st->size - at;
        size_t n = left < BLOCK_BYTES ? (size_t)left : BLOCK_BYTES;
        int64_t got = ens_read_at(st->fd, block, n, at);

        if (got < 0)
            return ens_fail_errno(err, ENS_EINPUT,
                                  "byte %" PRIu64 ": cannot read", at);
        if ((size_t)got < n)
            return ens_fail(err, ENS_EINPUT,
                            "the file shrank while it was "
                            "read: it ends at byte %" PRIu64
                            ", expected %" PRIu64,
                            at + (uint64_t)got, st->size);
        if (hash != NULL)
            XXH3_128bits_update(hash, block, n);
        s = unpack != NULL
                ? ens_inflate_push(unpack, block, n, feed_block, st, err)
                : feed_block(st, block, n, err);
        at += n;
        if (st->progress != NULL)
            st->progress(st->progress_arg, st->progress_base + at,
                         2 * st->size);
    }
    if (s == ENS_OK && unpack != NULL)
        s = ens_inflate_finish(unpack, err);
    return s == ENS_OK ? ens_csv_scan_finish(st->scan, err) : s;
}

enum ens_status ens_csv_stream(struct ens_csv_stream *st, struct ens_error *err)
{
    char *block = malloc(BLOCK_BYTES);
    XXH3_state_t *hash = st->want_digest ? XXH3_createState() : NULL;
    int packed = st->packing != ENS_PACKED_NOT;
    struct ens_inflate *unpack = packed ? ens_inflate_new(st->packing) : NULL;
    enum ens_status s;

    st->fed = 0;
    if (block == NULL || (packed && unpack == NULL) ||
        (st->want_digest && hash == NULL)) {
        s = ens_fail(err, ENS_ENOMEMORY, "out of memory");
    } else {
        if (hash != NULL)
            XXH3_128bits_reset(hash);
        s = run(st, block, hash, unpack, err);
    }
    if (s == ENS_OK && hash != NULL) {
        XXH128_hash_t h = XXH3_128bits_digest(hash);

        st->digest.low = h.low64;
        st->digest.high = h.high64;
    }
    ens_inflate_free(unpack);
    XXH3_freeState(hash);
    free(block);
    return s;
}

const char *ens_csv_shown(char to[48], const char *s, size_t n)
{
    size_t k = 0;

    while (k < n) {
        size_t bytes = ens_utf8_bytes(s + k, n - k);

        if (k + bytes > 40 || k == 40)
            break;
        memcpy(to + k, s + k, bytes);
        if (bytes == 0 || (unsigned char)s[k] < 32 || s[k] == 127)
            to[k] = '?';
        k += bytes == 0 ? 1 : bytes;
    }
    memcpy(to + k, k < n ? "..." : "", k < n ? 4 : 1);
    return to;
}
