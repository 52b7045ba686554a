#include "learn/span.h"

#include "base/bug.h"
#include <string.h>

struct ens_rowset ens_rowset_one(struct ens_span *span, const int64_t *index,
                                 uint64_t first, uint64_t n)
{
    *span = (struct ens_span){.index = index, .first = first, .n = n};
    return (struct ens_rowset){.n = n, .n_spans = n > 0, .span = span};
}

/* The span that holds a position. */
static const struct ens_span *span_at(const struct ens_rowset *s, uint64_t at)
{
    size_t low = 0, high = s->n_spans;

    ENS_BUG_ON(at >= s->n);
    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;

        if (s->span[mid].at <= at)
            low = mid;
        else
            high = mid;
    }
    return &s->span[low];
}

struct ens_rowrun ens_rowset_run(const struct ens_rowset *s, uint64_t at,
                                 uint64_t most)
{
    const struct ens_span *p = span_at(s, at);
    struct ens_rowrun run = {NULL, p->first + (at - p->at),
                             p->n - (at - p->at)};

    if (p->index != NULL)
        run.index = p->index + run.row;
    if (run.n > most)
        run.n = most;
    return run;
}

uint64_t ens_rowset_row(const struct ens_rowset *s, uint64_t at)
{
    const struct ens_span *p = s->n_spans == 1 ? s->span : span_at(s, at);

    at = p->first + (at - p->at);
    return p->index != NULL ? (uint64_t)p->index[at] : at;
}

void ens_rowset_rows(const struct ens_rowset *s, uint64_t first, uint64_t n,
                     uint64_t *row)
{
    while (n > 0) {
        struct ens_rowrun run = ens_rowset_run(s, first, n);

        for (uint64_t i = 0; i < run.n; i++)
            row[i] = run.index != NULL ? (uint64_t)run.index[i] : run.row + i;
        row += run.n;
        first += run.n;
        n -= run.n;
    }
}

int ens_rowset_find(const struct ens_rowset *s, uint64_t row, uint64_t *at)
{
    uint64_t low = 0, high = s->n;

    while (low < high) {
        uint64_t mid = low + (high - low) / 2;
        uint64_t here = ens_rowset_row(s, mid);

        if (here == row) {
            *at = mid;
            return 1;
        }
        if (here < row)
            low = mid + 1;
        else
            high = mid;
    }
    return 0;
}

int ens_rowset_plain(const struct ens_rowset *s)
{
    return s->n_spans == 0 || (s->n_spans == 1 && s->span[0].index == NULL);
}

/* Another span behind the last, or the last one longer. */
static void add(struct ens_rowset *s, struct ens_span *span,
                const int64_t *index, uint64_t first, uint64_t n)
{
    struct ens_span *last = s->n_spans > 0 ? &span[s->n_spans - 1] : NULL;

    if (n == 0)
        return;
    if (last != NULL && last->index == index && last->first + last->n == first)
        last->n += n;
    else
        span[s->n_spans++] = (struct ens_span){index, first, n, s->n};
    s->n += n;
}

/* Spans that a piece touches. */
static size_t count_spans(const struct ens_rowset *s,
                          const struct ens_positions *piece)
{
    if (piece->n == 0)
        return 0;
    return 1 + (size_t)(span_at(s, piece->first + piece->n - 1) -
                        span_at(s, piece->first));
}

static void add_piece(struct ens_rowset *out, struct ens_span *span,
                      const struct ens_rowset *s,
                      const struct ens_positions *piece)
{
    uint64_t at = piece->first, end = piece->first + piece->n;

    while (at < end) {
        const struct ens_span *p = span_at(s, at);
        uint64_t skip = at - p->at, n = p->n - skip;

        n = n < end - at ? n : end - at;
        add(out, span, p->index, p->first + skip, n);
        at += n;
    }
}

enum ens_status ens_rowset_slice(const struct ens_rowset *s,
                                 const struct ens_positions *piece, size_t n,
                                 struct ens_arena *arena,
                                 struct ens_rowset *out, struct ens_error *err)
{
    struct ens_rowset made = {0};
    struct ens_span *span;
    size_t most = 0;

    for (size_t i = 0; i < n; i++)
        most += count_spans(s, &piece[i]);
    span = ens_arena_alloc(arena, most, sizeof(*span));
    if (span == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "rows of a fold: out of memory");
    for (size_t i = 0; i < n; i++)
        add_piece(&made, span, s, &piece[i]);
    made.span = span;
    *out = made;
    return ENS_OK;
}

/* Row numbers one by one, where both sets have indices. */
static enum ens_status compose_index(const struct ens_rowset *map,
                                     const struct ens_rowset *s,
                                     struct ens_arena *arena,
                                     struct ens_rowset *out,
                                     struct ens_error *err)
{
    int64_t *index = ens_arena_alloc(arena, s->n, sizeof(*index));
    struct ens_span *span = ens_arena_alloc(arena, 1, sizeof(*span));

    if (index == NULL || span == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "rows of rows: out of memory");
    for (uint64_t i = 0; i < s->n; i++)
        index[i] = (int64_t)ens_rowset_row(map, ens_rowset_row(s, i));
    *out = ens_rowset_one(span, index, 0, s->n);
    return ENS_OK;
}

enum ens_status ens_rowset_compose(const struct ens_rowset *map,
                                   const struct ens_rowset *s,
                                   struct ens_arena *arena,
                                   struct ens_rowset *out,
                                   struct ens_error *err)
{
    struct ens_positions *piece;
    int is_identity =
        ens_rowset_plain(map) && (map->n_spans == 0 || map->span[0].first == 0);

    if (is_identity) {
        *out = *s;
        return ENS_OK;
    }
    for (size_t i = 0; i < s->n_spans; i++)
        if (s->span[i].index != NULL)
            return compose_index(map, s, arena, out, err);
    piece = ens_arena_alloc(arena, s->n_spans, sizeof(*piece));
    if (piece == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "rows of rows: out of memory");
    for (size_t i = 0; i < s->n_spans; i++)
        piece[i] = (struct ens_positions){s->span[i].first, s->span[i].n};
    return ens_rowset_slice(map, piece, s->n_spans, arena, out, err);
}
