/* Which segments are new, and the journal as it will be. */
#include "merge/state.h"
#include "store/commit.h"

#include <stdlib.h>
#include <string.h>

/* Two segments with one run id are copies of one; the longer holds more. */
static enum ens_status compare_copies(struct ens_merge *m, size_t at,
                                      const struct ens_merge_piece *new,
                                      struct ens_error *err)
{
    struct ens_merge_piece *old = &m->piece[at];
    struct ens_merge_source *a = &m->source[old->source];
    struct ens_merge_source *b = &m->source[new->source];
    const struct ens_segment *x = &a->log.segment[old->segment];
    const struct ens_segment *y = &b->log.segment[new->segment];
    uint64_t n = x->end < y->end ? x->end : y->end;

    /* a COMMIT seals its group and counts those before it */
    if (old->head_bytes != new->head_bytes ||
        (n >= old->head_bytes + ENS_COMMIT_BYTES &&
         memcmp(x->data + n - ENS_COMMIT_BYTES, y->data + n - ENS_COMMIT_BYTES,
                ENS_COMMIT_BYTES) != 0))
        return ens_fail(err, ENS_ECORRUPT,
                        "%s and %s say different things of one run", x->path,
                        y->path);
    if (y->end <= x->end)
        return ENS_OK;
    if (!old->is_new)
        return ens_fail(err, ENS_ECHANGED,
                        "%s goes on where %s ends: %s was copied while it "
                        "ran; merge into a new folder",
                        y->path, x->path, a->dir);
    *old = *new;
    return ENS_OK;
}

static enum ens_status add_piece(struct ens_merge *m, size_t source,
                                 size_t segment, struct ens_error *err)
{
    struct ens_merge_source *src = &m->source[source];
    const struct ens_segment *seg = &src->log.segment[segment];
    struct ens_merge_piece p = {source, segment, 0, !src->is_out, ENS_BUF_INIT};
    struct ens_segment_head head;

    if (seg->data != NULL &&
        ens_segment_head_read(&head, seg->data, (size_t)seg->end))
        p.head_bytes = (uint32_t)head.total_bytes;
    if (p.is_new && seg->end <= p.head_bytes)
        return ENS_OK; /* nothing was committed in it */
    for (size_t i = 0; p.is_new && i < m->n_pieces; i++) {
        const struct ens_merge_piece *o = &m->piece[i];

        if (m->source[o->source].log.segment[o->segment].run_id != seg->run_id)
            continue;
        return compare_copies(m, i, &p, err);
    }
    m->piece[m->n_pieces++] = p;
    return ENS_OK;
}

/* Folders that know what follows come first: records of another that they
 * lack make their answer stale when they lie behind it. */
static int by_answers(const void *a, const void *b)
{
    const struct ens_merge_source *x = a, *y = b;

    if (x->is_out != y->is_out)
        return y->is_out - x->is_out;
    if (x->n_answers != y->n_answers)
        return x->n_answers < y->n_answers ? 1 : -1;
    return strcmp(x->dir, y->dir); /* qsort is not stable */
}

size_t ens_merge_segment_of(const struct ens_merge *m, uint32_t epoch)
{
    size_t lo = 0, hi = m->log.n;

    while (hi - lo > 1) {
        size_t mid = lo + (hi - lo) / 2;

        if (m->log.segment[mid].epoch <= epoch)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}

enum ens_status ens_merge_pieces(struct ens_merge *m, struct ens_error *err)
{
    enum ens_status s = ENS_OK;
    size_t n = 0;

    qsort(m->source, m->n_sources, sizeof(*m->source), by_answers);
    for (size_t i = 0; i < m->n_sources; i++)
        n += m->source[i].log.n;
    m->piece = calloc(n + 1, sizeof(*m->piece));
    if (m->piece == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    for (size_t i = 0; i < m->n_sources && s == ENS_OK; i++)
        for (size_t k = 0; k < m->source[i].log.n && s == ENS_OK; k++)
            s = add_piece(m, i, k, err);
    return s == ENS_OK ? ens_merge_lists(m, err) : s;
}
