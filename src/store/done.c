#include "store/done.h"

#include "base/bug.h"
#include "store/sets.h"

#include <stdlib.h>
#include <string.h>

/* Cells whose prefixes live together. When all have come equally far the
 * array is dropped, so finished (and untouched) cells cost next to nothing. */
#define CHUNK 4096u

/* Sets are found by (cell, tag); an outcome that is not ok is its own tag. */
enum tag { TAG_AHEAD = 0, TAG_REOPENED = 4, TAG_ROUND = 4 /* + round >= 1 */ };
#define MAX_ROUND (UINT32_MAX - TAG_ROUND)

struct chunk {
    uint32_t *prefix; /* NULL: all cells have `top` */
    uint32_t top;     /* the largest prefix */
    uint32_t n_top;   /* cells that have it (while prefix != NULL) */
    uint32_t n_ahead; /* cells with a set TAG_AHEAD */
};

struct ens_done {
    size_t n_chunks;
    struct chunk *chunk;
    struct ens_sets sets;
    size_t n_rounds; /* distinct rounds above 0, ascending */
    uint32_t *round;
    int reopened; /* there may be sets TAG_REOPENED */
    uint64_t total[ENS_N_OUTCOMES];
};

struct ens_done *ens_done_new(void)
{
    return calloc(1, sizeof(struct ens_done));
}

void ens_done_free(struct ens_done *d)
{
    if (d == NULL)
        return;
    for (size_t i = 0; i < d->n_chunks; i++)
        free(d->chunk[i].prefix);
    free(d->chunk);
    ens_sets_fini(&d->sets);
    free(d->round);
    free(d);
}

/* -- prefixes ------------------------------------------------------------ */
static uint32_t prefix_of(const struct ens_done *d, uint64_t cell)
{
    const struct chunk *c;

    if (cell / CHUNK >= d->n_chunks)
        return 0;
    c = &d->chunk[cell / CHUNK];
    return c->prefix == NULL ? c->top : c->prefix[cell % CHUNK];
}

/* Room for the chunk of a cell. */
static struct chunk *chunk_for(struct ens_done *d, uint64_t cell)
{
    uint64_t at = cell / CHUNK;
    struct chunk *p;
    size_t n;

    if (at < d->n_chunks)
        return &d->chunk[at];
    if (at >= SIZE_MAX / 4 / sizeof(*p))
        return NULL;
    n = d->n_chunks + d->n_chunks / 2;
    n = n > at ? n : (size_t)at + 1;
    p = realloc(d->chunk, n * sizeof(*p));
    if (p == NULL)
        return NULL;
    memset(p + d->n_chunks, 0, (n - d->n_chunks) * sizeof(*p));
    d->chunk = p;
    d->n_chunks = n;
    return &d->chunk[at];
}

static int expand(struct chunk *c)
{
    if (c->prefix != NULL)
        return 0;
    c->prefix = malloc(CHUNK * sizeof(*c->prefix));
    if (c->prefix == NULL)
        return -1;
    for (size_t i = 0; i < CHUNK; i++)
        c->prefix[i] = c->top;
    c->n_top = CHUNK;
    return 0;
}

/* Set a prefix to a larger value; the chunk is expanded. */
static void advance(struct chunk *c, uint64_t cell, uint32_t to)
{
    c->prefix[cell % CHUNK] = to;
    if (to > c->top) {
        c->top = to;
        c->n_top = 1;
    } else if (to == c->top) {
        c->n_top++;
    }
    if (c->n_top == CHUNK) {
        free(c->prefix);
        c->prefix = NULL;
    }
}

/* A replicate that continues the prefix takes along what was ahead. */
static void join(struct ens_done *d, struct chunk *c, uint64_t cell,
                 uint32_t replicate)
{
    struct ens_replicates *s =
        c->n_ahead > 0 ? ens_sets_find(&d->sets, cell, TAG_AHEAD) : NULL;
    uint32_t end = replicate;

    if (s != NULL && replicate < UINT32_MAX &&
        ens_replicates_min(s) == replicate + 1) {
        end = ens_replicates_run_end(s, replicate + 1);
        ens_replicates_remove_run(s, replicate + 1, end);
        if (ens_replicates_min(s) == 0) {
            ens_sets_drop(&d->sets, s);
            c->n_ahead--;
        }
    }
    advance(c, cell, end);
}

static int mark(struct ens_done *d, uint64_t cell, uint32_t replicate)
{
    struct chunk *c = chunk_for(d, cell);
    struct ens_replicates *s;

    if (c == NULL || expand(c) != 0)
        return -1;
    if (replicate == c->prefix[cell % CHUNK] + 1) {
        join(d, c, cell, replicate);
        return 0;
    }
    s = ens_sets_get(&d->sets, cell, TAG_AHEAD);
    if (s == NULL)
        return -1;
    c->n_ahead += ens_replicates_min(s) == 0;
    return ens_replicates_add(s, replicate) < 0 ? -1 : 0;
}

static int has_record(const struct ens_done *d, uint64_t cell,
                      uint32_t replicate)
{
    uint32_t prefix = prefix_of(d, cell);

    /* The usual case first: the next one in order needs no look at sets. */
    if (replicate == prefix + 1 || cell / CHUNK >= d->n_chunks)
        return 0;
    return replicate <= prefix ||
           (d->chunk[cell / CHUNK].n_ahead > 0 &&
            ens_sets_has(&d->sets, cell, TAG_AHEAD, replicate));
}

/* -- rounds and outcomes ------------------------------------------------- */
static int note_round(struct ens_done *d, uint32_t round)
{
    size_t i = d->n_rounds;
    uint32_t *p;

    for (size_t k = 0; k < d->n_rounds; k++)
        if (d->round[k] == round)
            return 0;
    p = realloc(d->round, (d->n_rounds + 1) * sizeof(*p));
    if (p == NULL)
        return -1;
    d->round = p;
    for (; i > 0 && p[i - 1] > round; i--)
        p[i] = p[i - 1];
    p[i] = round;
    d->n_rounds++;
    return 0;
}

uint32_t ens_done_round(const struct ens_done *d, uint64_t cell,
                        uint32_t replicate)
{
    for (size_t k = d->n_rounds; k-- > 0;)
        if (ens_sets_has(&d->sets, cell, TAG_ROUND + d->round[k], replicate))
            return d->round[k];
    return 0;
}

/* Of a task that has a record, reopened or not. */
static enum ens_outcome outcome_of(const struct ens_done *d, uint64_t cell,
                                   uint32_t replicate)
{
    if (d->sets.n > 0)
        for (int o = ENS_TASK_FAILED; o < ENS_N_OUTCOMES; o++)
            if (ens_sets_has(&d->sets, cell, (uint32_t)o, replicate))
                return (enum ens_outcome)o;
    return ENS_TASK_OK;
}

/* Outcome and round of a task; the usual ones need no entry. */
static int note(struct ens_done *d, uint64_t cell, uint32_t replicate,
                enum ens_outcome outcome, uint32_t round)
{
    if (round > 0 &&
        (note_round(d, round) != 0 ||
         ens_sets_add(&d->sets, cell, TAG_ROUND + round, replicate) < 0))
        return -1;
    if (outcome != ENS_TASK_OK &&
        ens_sets_add(&d->sets, cell, (uint32_t)outcome, replicate) < 0)
        return -1;
    return 0;
}

/* A record for a task that has one. */
static int add_again(struct ens_done *d, uint64_t cell, uint32_t replicate,
                     enum ens_outcome outcome, uint32_t round,
                     enum ens_outcome *replaced)
{
    uint32_t before_round = ens_done_round(d, cell, replicate);
    enum ens_outcome before = outcome_of(d, cell, replicate);

    if (round <= before_round)
        return 0;
    if (before_round > 0)
        ens_sets_remove(&d->sets, cell, TAG_ROUND + before_round, replicate);
    if (before != ENS_TASK_OK)
        ens_sets_remove(&d->sets, cell, (uint32_t)before, replicate);
    if (d->reopened && ens_sets_has(&d->sets, cell, TAG_REOPENED, replicate)) {
        ens_sets_remove(&d->sets, cell, TAG_REOPENED, replicate);
        before = ENS_N_OUTCOMES;
    } else {
        d->total[before]--;
    }
    if (note(d, cell, replicate, outcome, round) != 0)
        return -1;
    d->total[outcome]++;
    *replaced = before;
    return 1;
}

int ens_done_add(struct ens_done *d, uint64_t cell, uint32_t replicate,
                 enum ens_outcome outcome, uint32_t round,
                 enum ens_outcome *replaced)
{
    ENS_BUG_ON(replicate == 0);
    ENS_BUG_ON((unsigned)outcome >= ENS_N_OUTCOMES);
    if (round > MAX_ROUND)
        round = MAX_ROUND;
    if (has_record(d, cell, replicate))
        return add_again(d, cell, replicate, outcome, round, replaced);
    if ((round > 0 || outcome != ENS_TASK_OK) &&
        note(d, cell, replicate, outcome, round) != 0)
        return -1;
    if (mark(d, cell, replicate) != 0)
        return -1;
    d->total[outcome]++;
    *replaced = ENS_N_OUTCOMES;
    return 1;
}

enum ens_outcome ens_done_get(const struct ens_done *d, uint64_t cell,
                              uint32_t replicate)
{
    if (!has_record(d, cell, replicate) ||
        (d->reopened && ens_sets_has(&d->sets, cell, TAG_REOPENED, replicate)))
        return ENS_N_OUTCOMES;
    return outcome_of(d, cell, replicate);
}

static int reopen_set(struct ens_done *d, uint64_t cell, enum ens_outcome o)
{
    struct ens_replicates *to = ens_sets_get(&d->sets, cell, TAG_REOPENED);
    const struct ens_replicates *from =
        ens_sets_find(&d->sets, cell, (uint32_t)o);

    if (to == NULL)
        return -1;
    for (uint32_t r = ens_replicates_min(from); r != 0;) {
        int added = ens_replicates_add(to, r);

        if (added < 0)
            return -1;
        d->total[o] -= (uint64_t)added;
        r = r == UINT32_MAX ? 0 : ens_replicates_next(from, r + 1);
    }
    return 0;
}

int ens_done_reopen_failed(struct ens_done *d, const struct ens_chosen *chosen)
{
    struct {
        uint64_t cell;
        enum ens_outcome o;
    } * todo;
    size_t n = 0;
    int r = 0;

    /* Adding sets moves entries: list first what is to be opened. */
    todo = calloc(d->sets.n + 1, sizeof(*todo));
    if (todo == NULL)
        return -1;
    for (size_t i = 0; i < d->sets.n_slots; i++)
        if (d->sets.slot[i].used && d->sets.slot[i].tag > TAG_AHEAD &&
            d->sets.slot[i].tag < ENS_N_OUTCOMES &&
            (chosen == NULL ||
             chosen->has(chosen->arg, d->sets.slot[i].cell))) {
            todo[n].cell = d->sets.slot[i].cell;
            todo[n++].o = (enum ens_outcome)d->sets.slot[i].tag;
        }
    d->reopened = 1;
    for (size_t i = 0; i < n && r == 0; i++)
        r = reopen_set(d, todo[i].cell, todo[i].o);
    free(todo);
    return r;
}

/* -- what is open -------------------------------------------------------- */
/* As ens_done_next_open, reopened ones left out. */
static uint32_t next_gap(const struct ens_done *d, uint64_t cell, uint64_t from,
                         uint32_t last, uint64_t *n)
{
    uint32_t prefix = prefix_of(d, cell), end = last;
    const struct ens_replicates *s = NULL;

    from = from > prefix ? from : (uint64_t)prefix + 1;
    if (cell / CHUNK < d->n_chunks && d->chunk[cell / CHUNK].n_ahead > 0)
        s = ens_sets_find(&d->sets, cell, TAG_AHEAD);
    if (s != NULL && from <= last && ens_replicates_has(s, (uint32_t)from))
        from = (uint64_t)ens_replicates_run_end(s, (uint32_t)from) + 1;
    if (from > last)
        return 0;
    if (s != NULL) {
        uint32_t next = ens_replicates_next(s, (uint32_t)from);

        end = next != 0 && next <= last ? next - 1 : last;
    }
    *n = end - from + 1;
    return (uint32_t)from;
}

static uint32_t next_reopened(const struct ens_replicates *s, uint64_t from,
                              uint32_t last, uint64_t *n)
{
    uint32_t r = from > last ? 0 : ens_replicates_next(s, (uint32_t)from), end;

    if (r == 0 || r > last)
        return 0;
    end = ens_replicates_run_end(s, r);
    *n = (end < last ? end : last) - r + UINT64_C(1);
    return r;
}

uint32_t ens_done_next_open(const struct ens_done *d, uint64_t cell,
                            uint32_t from, uint32_t last, uint64_t *n)
{
    const struct ens_replicates *s =
        d->reopened ? ens_sets_find(&d->sets, cell, TAG_REOPENED) : NULL;
    uint64_t gap_n = 0, again_n = 0, end;
    uint32_t gap, again, first;

    from = from == 0 ? 1 : from;
    gap = next_gap(d, cell, from, last, &gap_n);
    if (s == NULL) {
        *n = gap_n;
        return gap;
    }
    again = next_reopened(s, from, last, &again_n);
    first = gap == 0 || (again != 0 && again < gap) ? again : gap;
    for (end = first; first != 0 && (gap == end || again == end);) {
        if (gap == end) {
            end += gap_n;
            gap = next_gap(d, cell, end, last, &gap_n);
        } else {
            end += again_n;
            again = next_reopened(s, end, last, &again_n);
        }
    }
    *n = end - first;
    return first;
}

uint32_t ens_done_last(const struct ens_done *d, uint64_t cell)
{
    const struct ens_replicates *s = NULL;

    if (cell / CHUNK < d->n_chunks && d->chunk[cell / CHUNK].n_ahead > 0)
        s = ens_sets_find(&d->sets, cell, TAG_AHEAD);
    return s == NULL ? prefix_of(d, cell) : ens_replicates_max(s);
}

uint64_t ens_done_count(const struct ens_done *d, uint64_t cell, uint32_t last)
{
    uint32_t prefix = prefix_of(d, cell);
    const struct ens_replicates *s;
    uint64_t n = prefix < last ? prefix : last;

    if (cell / CHUNK >= d->n_chunks)
        return 0;
    if (prefix < last && d->chunk[cell / CHUNK].n_ahead > 0 &&
        (s = ens_sets_find(&d->sets, cell, TAG_AHEAD)) != NULL)
        n += ens_replicates_count(s, prefix + 1, last);
    if (d->reopened && last > 0 &&
        (s = ens_sets_find(&d->sets, cell, TAG_REOPENED)) != NULL)
        n -= ens_replicates_count(s, 1, last);
    return n;
}

uint64_t ens_done_count_as(const struct ens_done *d, uint64_t cell,
                           uint32_t last, enum ens_outcome outcome)
{
    const struct ens_replicates *s;
    uint64_t n;

    if (outcome != ENS_TASK_OK) {
        if (d->total[outcome] == 0 || last == 0)
            return 0;
        s = ens_sets_find(&d->sets, cell, (uint32_t)outcome);
        n = s == NULL ? 0 : ens_replicates_count(s, 1, last);
        return n;
    }
    n = ens_done_count(d, cell, last);
    for (int o = ENS_TASK_OK + 1; o < ENS_N_OUTCOMES; o++)
        n -= ens_done_count_as(d, cell, last, (enum ens_outcome)o);
    return n;
}

uint64_t ens_done_total(const struct ens_done *d, enum ens_outcome outcome)
{
    return d->total[outcome];
}

/* -- bytes --------------------------------------------------------------- */
struct run {
    uint64_t cells;
    uint32_t prefix;
};

/* Runs of cells with one prefix, without the untouched end. NULL out: only
 * count them. */
static uint64_t walk_runs(const struct ens_done *d, struct ens_buf *out)
{
    struct run run = {0, 0};
    uint64_t n = 0;

    for (uint64_t i = 0; i < d->n_chunks; i++) {
        const struct chunk *c = &d->chunk[i];
        uint64_t step = c->prefix == NULL ? CHUNK : 1;

        for (uint64_t k = 0; k < CHUNK; k += step) {
            uint32_t p = c->prefix == NULL ? c->top : c->prefix[k];

            if (p != run.prefix && run.cells > 0) {
                n++;
                if (out != NULL) {
                    ens_buf_u64(out, run.cells);
                    ens_buf_u32(out, run.prefix);
                }
                run.cells = 0;
            }
            run.prefix = p;
            run.cells += step;
        }
    }
    if (run.prefix == 0)
        return n;
    if (out != NULL) {
        ens_buf_u64(out, run.cells);
        ens_buf_u32(out, run.prefix);
    }
    return n + 1;
}

void ens_done_write(const struct ens_done *d, struct ens_buf *out)
{
    ens_buf_u64(out, walk_runs(d, NULL));
    walk_runs(d, out);
    ens_sets_write(&d->sets, TAG_REOPENED, out);
}

/* Whole chunks at once, so that long runs of finished cells read fast. */
static int fill_run(struct ens_done *d, uint64_t first, uint64_t n,
                    uint32_t prefix)
{
    while (n > 0) {
        struct chunk *c = chunk_for(d, first);

        if (c == NULL)
            return -1;
        if (first % CHUNK == 0 && n >= CHUNK) {
            c->top = prefix;
            first += CHUNK;
            n -= CHUNK;
            continue;
        }
        if (prefix > 0) {
            if (expand(c) != 0)
                return -1;
            advance(c, first, prefix);
        }
        first++;
        n--;
    }
    return 0;
}

static int read_runs(struct ens_done *d, struct ens_cursor *c, uint64_t n_cells)
{
    uint64_t n = ens_cursor_u64(c), first = 0;

    for (uint64_t i = 0; i < n; i++) {
        uint64_t cells = ens_cursor_u64(c);
        uint32_t prefix = ens_cursor_u32(c);
        /* The last chunk of a study is never full, but may be equal. */
        uint64_t room = (n_cells + CHUNK - 1) / CHUNK * CHUNK - first;

        if (c->bad || cells == 0 || cells > room ||
            fill_run(d, first, cells, prefix) != 0)
            return -1;
        first += cells;
        d->total[ENS_TASK_OK] += cells * prefix;
    }
    return c->bad ? -1 : 0;
}

struct key {
    uint64_t cell;
    int64_t tag;
};

static int read_set(struct ens_done *d, struct ens_cursor *c, uint64_t n_cells,
                    struct key *before)
{
    uint64_t cell = ens_cursor_u64(c), n;
    uint32_t tag = ens_cursor_u32(c);
    struct ens_replicates *s;

    if (c->bad || cell >= n_cells || tag == TAG_REOPENED ||
        cell < before->cell || (cell == before->cell && tag <= before->tag))
        return -1;
    before->cell = cell;
    before->tag = tag;
    if ((s = ens_sets_get(&d->sets, cell, tag)) == NULL ||
        ens_replicates_read(s, c) != 0 || ens_replicates_min(s) == 0)
        return -1;
    n = ens_replicates_count(s, 1, UINT32_MAX);
    if (tag == TAG_AHEAD) {
        struct chunk *k = chunk_for(d, cell);

        if (k == NULL || ens_replicates_min(s) <= prefix_of(d, cell) + 1)
            return -1;
        k->n_ahead++;
        d->total[ENS_TASK_OK] += n;
    } else if (tag < ENS_N_OUTCOMES) {
        if (n > d->total[ENS_TASK_OK])
            return -1;
        d->total[tag] += n;
        d->total[ENS_TASK_OK] -= n;
    } else if (note_round(d, tag - TAG_ROUND) != 0) {
        return -1;
    }
    return 0;
}

struct ens_done *ens_done_read_cells(const void *p, size_t n, uint64_t n_cells)
{
    struct ens_cursor c = ens_cursor(p, n);
    struct ens_done *d = ens_done_new();
    struct key before = {0, -1};
    uint64_t sets;

    if (d == NULL)
        return NULL;
    if (n_cells > UINT64_MAX - CHUNK || read_runs(d, &c, n_cells) != 0)
        goto bad;
    sets = ens_cursor_u64(&c);
    for (uint64_t i = 0; i < sets; i++)
        if (read_set(d, &c, n_cells, &before) != 0)
            goto bad;
    if (c.bad || c.p != c.end)
        goto bad;
    return d;

bad:
    ens_done_free(d);
    return NULL;
}

struct ens_done *ens_done_read(const void *p, size_t n)
{
    return ens_done_read_cells(p, n, UINT64_C(1) << 48);
}
