#include "record/stage.h"

#include "base/bug.h"
#include "base/hash.h"
#include "record/little.h"

#include <stdlib.h>
#include <string.h>

uint64_t ens_stage_id(const char *key, uint64_t input_digest)
{
    unsigned char b[ENS_STAGE_KEY_MAX + 1 + 8];
    size_t n = strlen(key);

    ENS_BUG_ON(n > ENS_STAGE_KEY_MAX);
    memcpy(b, key, n + 1);
    ens_put64(b + n + 1, input_digest);
    return ens_hash64(b, n + 9);
}

void ens_stage_fini(struct ens_stage *s)
{
    free(s->run);
    s->run = NULL;
    s->n_runs = s->cap_runs = 0;
    for (size_t i = 0; i < ENS_STAGE_MAX_ARRAYS; i++) {
        free(s->held[i].run);
        s->held[i] = (struct ens_stage_cells){0};
    }
}

/* NULL for none of them, and when there is no memory. */
static struct ens_stage_run *copy_runs(const struct ens_stage_run *run,
                                       size_t n)
{
    struct ens_stage_run *p = n > 0 ? calloc(n, sizeof(*p)) : NULL;

    if (p != NULL)
        memcpy(p, run, n * sizeof(*p));
    return p;
}

static enum ens_status hold(struct ens_stage_cells *cells,
                            const struct ens_stage_run *run, size_t n)
{
    struct ens_stage_run *p = copy_runs(run, n);

    if (p == NULL && n > 0)
        return ENS_ENOMEMORY;
    free(cells->run);
    *cells = (struct ens_stage_cells){n, p};
    return ENS_OK;
}

enum ens_status ens_stage_copy(struct ens_stage *to,
                               const struct ens_stage *from)
{
    struct ens_stage t = *from;
    enum ens_status s = ENS_OK;

    memset(t.held, 0, sizeof(t.held));
    t.cap_runs = t.n_runs;
    t.run = copy_runs(from->run, from->n_runs);
    if (t.run == NULL && t.n_runs > 0)
        return ENS_ENOMEMORY;
    for (size_t i = 0; s == ENS_OK && i < ENS_STAGE_MAX_ARRAYS; i++)
        s = hold(&t.held[i], from->held[i].run, from->held[i].n_runs);
    if (s == ENS_OK)
        *to = t;
    else
        ens_stage_fini(&t);
    return s;
}

int ens_stage_writes(const struct ens_stage *s, const char *array)
{
    for (size_t i = 0; i < s->n_writes; i++)
        if (strcmp(s->writes[i], array) == 0)
            return 1;
    return 0;
}

enum ens_status ens_stage_hold(struct ens_stage *s, size_t i,
                               const struct ens_stage *writer)
{
    return hold(&s->held[i], writer->run, writer->n_runs);
}

static int grow_runs(struct ens_stage *s)
{
    size_t cap = s->cap_runs == 0 ? 4 : 2 * s->cap_runs;
    struct ens_stage_run *p = realloc(s->run, cap * sizeof(*p));

    if (p == NULL)
        return -1;
    s->run = p;
    s->cap_runs = cap;
    return 0;
}

enum ens_status ens_stage_add_run(struct ens_stage *s, uint64_t first_cell,
                                  uint64_t n_cells, uint32_t n_replicates)
{
    struct ens_stage_run *last = s->n_runs > 0 ? &s->run[s->n_runs - 1] : NULL;
    uint64_t start = ens_stage_n_tasks(s);
    uint64_t n, end;

    if (n_cells == 0 || n_replicates == 0)
        return ENS_OK;
    if (__builtin_mul_overflow(n_cells, (uint64_t)n_replicates, &n) ||
        __builtin_add_overflow(start, n, &n) ||
        __builtin_add_overflow(first_cell, n_cells, &end))
        return ENS_EDOMAIN;
    if (last != NULL) {
        ENS_BUG_ON(first_cell < last->first_cell + last->n_cells);
        if (first_cell == last->first_cell + last->n_cells &&
            n_replicates == last->n_replicates) {
            last->n_cells += n_cells;
            return ENS_OK;
        }
    }
    if (s->n_runs == s->cap_runs && grow_runs(s) != 0)
        return ENS_ENOMEMORY;
    s->run[s->n_runs].first_cell = first_cell;
    s->run[s->n_runs].n_cells = n_cells;
    s->run[s->n_runs].n_replicates = n_replicates;
    s->run[s->n_runs].first_place = start;
    s->n_runs++;
    return ENS_OK;
}

void ens_stage_encode(const struct ens_stage *s, struct ens_buf *out)
{
    const uint64_t head[] = {s->id, s->input_digest, s->from,
                             s->from_definition, s->run_settings};

    for (size_t i = 0; i < ENS_COUNT(head); i++)
        ens_buf_u64(out, head[i]);
    ens_buf_u32(out, s->index);
    ens_buf_u32(out, s->flags);
    ens_buf_str(out, s->key);
    ens_buf_u32(out, (uint32_t)s->n_runs);
    for (size_t i = 0; i < s->n_runs; i++) {
        ens_buf_u64(out, s->run[i].first_cell);
        ens_buf_u64(out, s->run[i].n_cells);
        ens_buf_u32(out, s->run[i].n_replicates);
        ens_buf_u32(out, 0);
    }
    ens_buf_u32(out, (uint32_t)s->n_writes);
    for (size_t i = 0; i < s->n_writes; i++)
        ens_buf_str(out, s->writes[i]);
    ens_buf_u32(out, (uint32_t)s->n_reads);
    for (size_t i = 0; i < s->n_reads; i++)
        ens_buf_str(out, s->reads[i]);
    ens_buf_u8(out, s->has_data != 0);
    if (s->has_data) {
        ens_buf_u64(out, s->data.slot);
        ens_buf_u64(out, s->data.offset);
        ens_buf_u64(out, s->data.length);
        ens_buf_u64(out, s->data.hash);
    }
}

static void read_name(struct ens_cursor *c, char to[ENS_STAGE_KEY_MAX + 1],
                      int may_be_empty)
{
    size_t n;
    const char *p = ens_cursor_str(c, &n);

    if (p == NULL || n > ENS_STAGE_KEY_MAX || memchr(p, '\0', n) != NULL ||
        (n == 0 && !may_be_empty)) {
        c->bad = 1;
        return;
    }
    memcpy(to, p, n);
    to[n] = '\0';
}

static size_t read_names(struct ens_cursor *c, char to[][ENS_STAGE_KEY_MAX + 1])
{
    size_t n = ens_cursor_u32(c);

    if (n > ENS_STAGE_MAX_ARRAYS) {
        c->bad = 1;
        return 0;
    }
    for (size_t i = 0; i < n; i++)
        read_name(c, to[i], 0);
    return n;
}

static enum ens_status read_runs(struct ens_cursor *c, struct ens_stage *s)
{
    size_t n = ens_cursor_u32(c);
    uint64_t next = 0;
    enum ens_status st = ENS_OK;

    if (n > (size_t)(c->end - c->p) / 24)
        c->bad = 1;
    for (size_t i = 0; i < n && !c->bad && st == ENS_OK; i++) {
        uint64_t first = ens_cursor_u64(c);
        uint64_t n_cells = ens_cursor_u64(c);
        uint32_t n_replicates = ens_cursor_u32(c);

        if (ens_cursor_u32(c) != 0 || first < next || n_cells == 0 ||
            n_replicates == 0 || n_cells > UINT64_MAX - first) {
            c->bad = 1;
            break;
        }
        next = first + n_cells;
        st = ens_stage_add_run(s, first, n_cells, n_replicates);
    }
    return st;
}

static void read_data(struct ens_cursor *c, struct ens_stage *s)
{
    uint8_t has = ens_cursor_u8(c);

    if (has > 1)
        c->bad = 1;
    s->has_data = has;
    if (!has)
        return;
    s->data.slot = ens_cursor_u64(c);
    s->data.offset = ens_cursor_u64(c);
    s->data.length = ens_cursor_u64(c);
    s->data.hash = ens_cursor_u64(c);
}

static enum ens_status read_stage(struct ens_cursor *c, struct ens_stage *s)
{
    enum ens_status st;

    s->id = ens_cursor_u64(c);
    s->input_digest = ens_cursor_u64(c);
    s->from = ens_cursor_u64(c);
    s->from_definition = ens_cursor_u64(c);
    s->run_settings = ens_cursor_u64(c);
    s->index = ens_cursor_u32(c);
    s->flags = ens_cursor_u32(c);
    read_name(c, s->key, (s->flags & ENS_STAGE_END) != 0);
    st = read_runs(c, s);
    if (st == ENS_ENOMEMORY)
        return st;
    s->n_writes = read_names(c, s->writes);
    s->n_reads = read_names(c, s->reads);
    read_data(c, s);
    if (st != ENS_OK || c->bad || c->p != c->end ||
        s->id != ens_stage_id(s->key, s->input_digest))
        return ENS_ECORRUPT;
    return ENS_OK;
}

void ens_stage_encode_held(const struct ens_stage *s, struct ens_buf *out)
{
    ens_buf_u32(out, (uint32_t)s->n_reads);
    for (size_t i = 0; i < s->n_reads; i++) {
        ens_buf_u32(out, (uint32_t)s->held[i].n_runs);
        for (size_t k = 0; k < s->held[i].n_runs; k++) {
            ens_buf_u64(out, s->held[i].run[k].first_cell);
            ens_buf_u64(out, s->held[i].run[k].n_cells);
        }
    }
}

static enum ens_status read_cells(struct ens_cursor *c,
                                  struct ens_stage_cells *cells)
{
    size_t n = ens_cursor_u32(c);
    uint64_t next = 0;

    if (n > (size_t)(c->end - c->p) / 16)
        c->bad = 1;
    if (c->bad || n == 0)
        return ENS_OK;
    cells->run = calloc(n, sizeof(*cells->run));
    if (cells->run == NULL)
        return ENS_ENOMEMORY;
    cells->n_runs = n;
    for (size_t k = 0; k < n; k++) {
        struct ens_stage_run *run = &cells->run[k];

        run->first_cell = ens_cursor_u64(c);
        run->n_cells = ens_cursor_u64(c);
        if (run->first_cell < next ||
            __builtin_add_overflow(run->first_cell, run->n_cells, &next))
            c->bad = 1;
    }
    return ENS_OK;
}

enum ens_status ens_stage_decode_held(struct ens_stage *s, struct ens_cursor *c)
{
    size_t n = ens_cursor_u32(c);
    enum ens_status st = ENS_OK;

    if (n > ENS_STAGE_MAX_ARRAYS)
        c->bad = 1;
    for (size_t i = 0; i < n && !c->bad && st == ENS_OK; i++)
        st = read_cells(c, &s->held[i]);
    return st;
}

enum ens_status ens_stage_decode(struct ens_stage *s, const void *p, size_t n,
                                 struct ens_error *err)
{
    struct ens_cursor c = ens_cursor(p, n);
    struct ens_stage t;
    enum ens_status st;

    memset(&t, 0, sizeof(t));
    st = read_stage(&c, &t);
    if (st != ENS_OK) {
        ens_stage_fini(&t);
        return ens_fail(err, st,
                        st == ENS_ECORRUPT ? "stage: %zu bytes that are none"
                                           : "stage: %zu bytes: no memory",
                        n);
    }
    *s = t;
    return ENS_OK;
}

uint64_t ens_stage_n_tasks(const struct ens_stage *s)
{
    const struct ens_stage_run *last;

    if (s->n_runs == 0)
        return 0;
    last = &s->run[s->n_runs - 1];
    return last->first_place + last->n_cells * last->n_replicates;
}

void ens_stage_task(const struct ens_stage *s, uint64_t place, uint64_t *cell,
                    uint32_t *replicate)
{
    size_t lo = 0, hi = s->n_runs;
    const struct ens_stage_run *r;

    ENS_BUG_ON(place >= ens_stage_n_tasks(s));
    while (hi - lo > 1) { /* the last run that begins at or before place */
        size_t mid = lo + (hi - lo) / 2;

        if (s->run[mid].first_place <= place)
            lo = mid;
        else
            hi = mid;
    }
    r = &s->run[lo];
    place -= r->first_place;
    *cell = r->first_cell + place / r->n_replicates;
    *replicate = (uint32_t)(place % r->n_replicates) + 1;
}

static const struct ens_stage_run *find_cell(const struct ens_stage_run *run,
                                             size_t n, uint64_t cell)
{
    size_t lo = 0, hi = n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (cell < run[mid].first_cell)
            hi = mid;
        else if (cell - run[mid].first_cell >= run[mid].n_cells)
            lo = mid + 1;
        else
            return &run[mid];
    }
    return NULL;
}

int ens_stage_holds(const struct ens_stage *s, size_t i, uint64_t cell)
{
    return find_cell(s->held[i].run, s->held[i].n_runs, cell) != NULL;
}

uint64_t ens_stage_place(const struct ens_stage *s, uint64_t cell,
                         uint32_t replicate)
{
    const struct ens_stage_run *r = find_cell(s->run, s->n_runs, cell);

    if (r == NULL || replicate == 0 || replicate > r->n_replicates)
        return UINT64_MAX;
    return r->first_place + (cell - r->first_cell) * r->n_replicates +
           (replicate - 1);
}

uint32_t ens_stage_replicates(const struct ens_stage *s, uint64_t cell)
{
    const struct ens_stage_run *r = find_cell(s->run, s->n_runs, cell);

    return r == NULL ? 0 : r->n_replicates;
}
