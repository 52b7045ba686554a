/* Lists of cells. A segment that brings none speaks in the ordinals of the
 * list before it: where another list is in force in the joined journal, a
 * segment with nothing but the old list goes before it. */
#include "base/hash.h"
#include "merge/state.h"
#include "record/little.h"
#include "store/cellmap.h"
#include "store/commit.h"

#include <stdlib.h>
#include <string.h>

/* Head of the frame at an offset; its bytes, 0 when none is there. */
static uint64_t frame_bytes(const struct ens_segment *s, uint64_t at)
{
    uint64_t n;

    if (s->end - at < ENS_FRAME_HEAD ||
        ens_get32(s->data + at) != ENS_FRAME_MAGIC)
        return 0;
    n = ens_frame_bytes(ens_get32(s->data + at + 8));
    return n <= s->end - at ? n : 0;
}

static int is_cells(const struct ens_segment *s, uint64_t at)
{
    return s->data[at + 5] == ENS_FRAME_CELLS &&
           ens_get32(s->data + at + 8) >= ENS_CELLS_HEAD;
}

/* The list in force along a source's journal; all frames are checked later. */
static enum ens_status list_source(struct ens_merge_source *src,
                                   struct ens_error *err)
{
    struct ens_merge_list now = {0};

    src->list = calloc(src->log.n + 1, sizeof(*src->list));
    if (src->list == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    for (size_t i = 0; i < src->log.n; i++) {
        const struct ens_segment *s = &src->log.segment[i];
        uint64_t n;

        src->list[i] = now;
        for (uint64_t at = 0; at < s->end; at += n) {
            const unsigned char *payload = s->data + at + ENS_FRAME_HEAD;

            n = frame_bytes(s, at);
            if (n == 0)
                return ens_fail(err, ENS_ECORRUPT,
                                "%s: the frame at byte %llu is damaged",
                                s->path, (unsigned long long)at);
            /* the first part of a list */
            if (is_cells(s, at) && ens_get64(payload + 16) == 0)
                now = (struct ens_merge_list){ens_get64(payload), i, at};
        }
    }
    src->list[src->log.n] = now;
    return ENS_OK;
}

/* All parts of a list, again, under another run id. */
static int copy_list(const struct ens_merge_source *src,
                     const struct ens_merge_list *list, struct ens_buf *out,
                     uint64_t run_id)
{
    const struct ens_segment *s = &src->log.segment[list->segment];
    uint64_t n_cells = 0, seen = 0, seq = 0, n;

    for (uint64_t at = list->offset; at < s->end; at += n) {
        const unsigned char *payload = s->data + at + ENS_FRAME_HEAD;
        struct ens_frame f;

        n = frame_bytes(s, at);
        if (n == 0)
            return -1;
        if (!is_cells(s, at) || ens_get64(payload) != list->hash)
            continue;
        if (ens_frame_read(&f, s->data + at, (size_t)n, s->run_id) !=
            ENS_FRAME_GOOD)
            return -1;
        n_cells = ens_get64(payload + 8);
        seen += ens_get32(payload + 24);
        ens_frame_write(out, ENS_FRAME_CELLS, ENS_SLOT_COORDINATOR, 0, ++seq,
                        f.payload, f.length, run_id);
        if (seen >= n_cells)
            return 0;
    }
    return -1;
}

/* A segment that holds a list: SEGMENT, CELLS ..., COMMIT. */
static enum ens_status make_bridge(const struct ens_merge_source *src,
                                   const struct ens_merge_list *list,
                                   uint32_t epoch, struct ens_segment *seg,
                                   struct ens_buf *out, struct ens_error *err)
{
    struct ens_commit commit = {.number = 1};

    seg->run_id = ens_hash64_pair(list->hash, seg->run_id ^ epoch) | 1;
    seg->epoch = epoch;
    ens_segment_head_write(out, seg->run_id, epoch, NULL, 0);
    commit.start = out->len;
    if (copy_list(src, list, out, seg->run_id) != 0)
        return ens_fail(err, ENS_ECORRUPT,
                        "%s: the frame at byte %llu is damaged",
                        src->log.segment[list->segment].path,
                        (unsigned long long)list->offset);
    commit.end = out->len;
    commit.hash = out->failed
                      ? 0
                      : ens_hash64_seed(out->data + commit.start,
                                        out->len - commit.start, seg->run_id);
    ens_commit_write(&commit, out, seg->run_id);
    if (out->failed)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    seg->data = out->data;
    seg->end = out->len;
    return ENS_OK;
}

/* Put the piece into the joined journal, its list before it if need be. */
static enum ens_status put_piece(struct ens_merge *m,
                                 const struct ens_merge_piece *p,
                                 uint32_t *epoch, uint64_t *in_force,
                                 struct ens_error *err)
{
    struct ens_merge_source *src = &m->source[p->source];
    const struct ens_merge_list *list = &src->list[p->segment];
    struct ens_segment seg = src->log.segment[p->segment];
    struct ens_merge_piece bridge = {p->source, p->segment, 0, 1, ENS_BUF_INIT};
    enum ens_status s = ENS_OK;

    if (p->is_new && list->hash != 0 && list->hash != *in_force) {
        struct ens_segment before = seg;

        s = make_bridge(src, list, ++*epoch, &before, &bridge.bytes, err);
        m->piece[m->n_pieces++] = bridge; /* owned there in any case */
        m->log.segment[m->log.n++] = before;
    }
    if (p->is_new)
        seg.epoch = ++*epoch;
    *in_force = src->list[p->segment + 1].hash;
    m->piece[m->n_pieces++] = *p;
    m->log.segment[m->log.n++] = seg;
    return s;
}

enum ens_status ens_merge_lists(struct ens_merge *m, struct ens_error *err)
{
    struct ens_merge_piece *piece = m->piece;
    size_t n = m->n_pieces;
    uint32_t epoch = m->has_out ? ens_epoch_newest(m->out) : 0;
    uint64_t in_force = 0;
    enum ens_status s = ENS_OK;

    for (size_t i = 0; i < m->n_sources && s == ENS_OK; i++)
        s = list_source(&m->source[i], err);
    m->n_pieces = 0;
    m->piece = calloc(2 * n + 1, sizeof(*m->piece));
    m->log.segment = calloc(2 * n + 1, sizeof(*m->log.segment));
    if (m->piece == NULL || m->log.segment == NULL)
        s = ens_fail(err, ENS_ENOMEMORY, "out of memory");
    for (size_t i = 0; i < n && s == ENS_OK; i++)
        s = put_piece(m, &piece[i], &epoch, &in_force, err);
    free(piece);
    return s;
}
