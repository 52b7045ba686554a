#include "dispatch/live.h"

#include "base/buf.h"
#include "base/bug.h"
#include "stop/tracker.h"

#include <stdlib.h>
#include <string.h>

/* Cells at a time: enough that two ranges per worker, of a cell each, leave
 * some to choose from. */
#define CELLS_LEAST      64u
#define CELLS_PER_WORKER 4u
/* Tasks ahead of a check point: two ranges in flight, one more to come. */
#define AHEAD_PER_WORKER 4u

struct ens_live {
    const struct ens_stage *stage;
    const struct ens_done *done;
    const struct ens_part *part;
    uint32_t ahead;
    /* the next cell to be taken up */
    size_t run;
    uint64_t run_cell; /* of the run, from 0 */
    size_t n, cap;
    struct ens_live_cell *cell; /* ascending by cell */
    struct ens_buf wanted;      /* cells of which more is, first come first; */
    size_t n_taken;             /* bytes of those that are done with */
    int dry;                    /* nothing until the next turn */
};

struct ens_live *ens_live_new(const struct ens_stage *stage,
                              const struct ens_done *done, uint32_t n_workers,
                              const struct ens_part *part)
{
    uint32_t every = part->stopping->rules.every;
    struct ens_live *l = calloc(1, sizeof(*l));

    if (l == NULL)
        return NULL;
    l->cap = CELLS_LEAST + CELLS_PER_WORKER * (size_t)n_workers;
    l->cell = calloc(l->cap, sizeof(*l->cell));
    if (l->cell == NULL) {
        free(l);
        return NULL;
    }
    l->stage = stage;
    l->done = done;
    l->part = part;
    l->ahead = AHEAD_PER_WORKER * n_workers;
    l->ahead = every > l->ahead ? every : l->ahead;
    return l;
}

void ens_live_free(struct ens_live *l)
{
    if (l == NULL)
        return;
    ens_buf_fini(&l->wanted);
    free(l->cell);
    free(l);
}

/* Open tasks of a cell that were not handed out. */
static uint64_t open_tasks(const struct ens_live *l,
                           const struct ens_live_cell *c)
{
    if (c->next > c->max)
        return 0;
    return c->max - (c->next - 1) - ens_done_count(l->done, c->cell, c->max) +
           ens_done_count(l->done, c->cell, (uint32_t)(c->next - 1));
}

static uint64_t drop(struct ens_live *l, size_t i)
{
    uint64_t n = open_tasks(l, &l->cell[i]);

    l->n--;
    l->dry = 0; /* there is room for another */
    memmove(&l->cell[i], &l->cell[i + 1], (l->n - i) * sizeof(*l->cell));
    return n;
}

/* SIZE_MAX: it was left. */
static size_t find(const struct ens_live *l, uint64_t cell)
{
    size_t low = 0;
    size_t high = l->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (l->cell[mid].cell < cell)
            low = mid + 1;
        else
            high = mid;
    }
    return low < l->n && l->cell[low].cell == cell ? low : SIZE_MAX;
}

/* More of the cell is wanted than is handed out. */
static void want(struct ens_live *l, uint64_t cell)
{
    if (l->n_taken > l->wanted.len / 2) { /* it need not run empty */
        l->wanted.len -= l->n_taken;
        memmove(l->wanted.data, l->wanted.data + l->n_taken, l->wanted.len);
        l->n_taken = 0;
    }
    ens_buf_put(&l->wanted, &cell, sizeof(cell));
    ENS_BUG_ON(l->wanted.failed); /* 8 bytes per cell that is live */
}

uint64_t ens_live_settle(struct ens_live *l)
{
    uint64_t cell;
    uint64_t n = 0;

    while (ens_tracker_take_turn(l->part->tracker, &cell)) {
        size_t i = find(l, cell);

        if (i == SIZE_MAX)
            continue;
        if (ens_stopping_at(l->part->stopping, cell) > 0)
            n += drop(l, i);
        else
            want(l, cell);
    }
    l->dry = 0;
    return n;
}

uint64_t ens_live_leave(struct ens_live *l, uint64_t cell)
{
    size_t i = find(l, cell);

    if (i == SIZE_MAX)
        return 0;
    ens_tracker_leave(l->part->tracker, cell);
    return drop(l, i);
}

/* Tasks to hand out from c->next, up to a replicate; 0: none. */
static uint64_t open_until(const struct ens_live *l, struct ens_live_cell *c,
                           uint64_t last)
{
    uint32_t end = last < c->max ? (uint32_t)last : c->max, at;
    uint64_t n = 0;

    if (c->next > end)
        return 0;
    at = ens_done_next_open(l->done, c->cell, (uint32_t)c->next, end, &n);
    c->next = at > 0 ? at : (uint64_t)end + 1;
    return at > 0 ? n : 0;
}

static struct ens_live_cell *next_wanted(struct ens_live *l, uint64_t *open)
{
    while (l->n_taken < l->wanted.len) {
        uint64_t cell;
        size_t i;

        memcpy(&cell, l->wanted.data + l->n_taken, sizeof(cell));
        i = find(l, cell);
        if (i != SIZE_MAX)
            *open = open_until(l, &l->cell[i],
                               ens_tracker_wanted(l->part->tracker, cell));
        if (i != SIZE_MAX && *open > 0)
            return &l->cell[i];
        l->n_taken += sizeof(cell);
    }
    ens_buf_clear(&l->wanted);
    l->n_taken = 0;
    return NULL;
}

/* The next cell that has not stopped; 0 when all were taken up. */
static int next_cell(struct ens_live *l, struct ens_live_cell *c)
{
    for (; l->run < l->stage->n_runs; l->run++, l->run_cell = 0) {
        const struct ens_stage_run *run = &l->stage->run[l->run];

        while (l->run_cell < run->n_cells) {
            uint64_t i = l->run_cell++;
            uint32_t first;

            c->cell = run->first_cell + i;
            if (ens_stopping_at(l->part->stopping, c->cell) > 0 ||
                !ens_part_get(l->part, run, c->cell, &first, &c->max))
                continue;
            c->next = first;
            c->place = run->first_place + i * run->n_replicates;
            return 1;
        }
    }
    return 0;
}

static struct ens_live_cell *take_up(struct ens_live *l, uint64_t *open,
                                     uint64_t *dropped)
{
    struct ens_live_cell c;

    while (l->n < l->cap && ens_tracker_failure(l->part->tracker) == NULL &&
           next_cell(l, &c)) {
        l->cell[l->n++] = c;
        ens_tracker_enter(l->part->tracker, c.cell);
        if (ens_stopping_at(l->part->stopping, c.cell) > 0) {
            *dropped += drop(l, l->n - 1);
            continue;
        }
        *open = open_until(l, &l->cell[l->n - 1],
                           ens_tracker_wanted(l->part->tracker, c.cell));
        if (*open == 0)
            continue;
        want(l, c.cell);
        return &l->cell[l->n - 1];
    }
    return NULL;
}

/* The cell that is the least ahead of its check point. */
static struct ens_live_cell *run_ahead(struct ens_live *l, uint64_t *open)
{
    struct ens_live_cell *best = NULL;
    uint64_t best_ahead = UINT64_MAX;

    for (size_t i = 0; i < l->n; i++) {
        struct ens_live_cell *c = &l->cell[i];
        uint64_t wanted = ens_tracker_wanted(l->part->tracker, c->cell);
        uint64_t n = open_until(l, c, wanted + l->ahead);

        if (n == 0 || c->next - wanted >= best_ahead)
            continue;
        best = c;
        best_ahead = c->next - wanted;
        *open = n;
    }
    return best;
}

struct ens_live_cell *ens_live_next(struct ens_live *l, uint64_t *open,
                                    uint64_t *dropped)
{
    struct ens_live_cell *c;

    if (l->dry || ens_tracker_is_full(l->part->tracker))
        return NULL; /* what it waits for is in flight, or given back */
    c = next_wanted(l, open);
    if (c == NULL)
        c = take_up(l, open, dropped);
    if (c == NULL)
        c = run_ahead(l, open);
    l->dry = c == NULL;
    return c;
}
