#include "dispatch/ranges.h"

#include "base/hash.h"
#include "dispatch/live.h"
#include "stop/tracker.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BIG_CELL   64u   /* tasks: from here on a cell is measured by itself */
#define CELL_SLOTS 1024u /* direct-mapped: a clash only costs knowledge */
#define ROW_SLOTS  64u
#define ROW_TIMES  64u

struct cell_cost {
    uint64_t key; /* cell + 1 */
    uint64_t n;
    double sum;
};

struct row_cost {
    uint64_t key;
    uint32_t n, at;
    float time[ROW_TIMES];
};

struct queue {
    struct ens_range *item;
    size_t n, cap;
};

struct ens_ranges {
    const struct ens_plan *plan;
    const struct ens_stage *stage;
    const struct ens_done *done;
    const struct ens_part *part; /* NULL: all */
    uint32_t n_workers;
    /* the cursor: cell `cell` of run `run`, from `replicate` on */
    size_t run;
    uint64_t cell;
    uint64_t run_place; /* of the run's first task */
    uint32_t replicate;
    uint64_t left;
    struct queue back, last;
    struct ens_live *live; /* in place of the cursor: cells that stop */
    uint64_t turn;         /* of the tracker, when it was settled */
    /* row of the cell asked about last */
    uint64_t row_cell, row_key;
    struct cell_cost cost[CELL_SLOTS];
    struct row_cost row[ROW_SLOTS];
};

/* Tasks of a cell that are to be handed out here. */
static uint64_t open_tasks(const struct ens_ranges *r,
                           const struct ens_stage_run *run, uint64_t cell)
{
    uint32_t first, last;

    if (!ens_part_get(r->part, run, cell, &first, &last))
        return 0;
    return last - (first - 1) - ens_done_count(r->done, cell, last) +
           ens_done_count(r->done, cell, first - 1);
}

struct ens_ranges *ens_ranges_new(const struct ens_plan *plan,
                                  const struct ens_stage *stage,
                                  const struct ens_done *done,
                                  uint32_t n_workers,
                                  const struct ens_part *part, int only_queued)
{
    struct ens_ranges *r = calloc(1, sizeof(*r));

    if (r == NULL)
        return NULL;
    r->plan = plan;
    r->stage = stage;
    r->done = done;
    r->part = part;
    r->n_workers = n_workers > 0 ? n_workers : 1;
    r->row_cell = UINT64_MAX;
    r->replicate = 1;
    if (only_queued) {
        r->run = stage->n_runs;
        return r;
    }
    if (stage->n_runs > 0)
        r->cell = stage->run[0].first_cell;
    for (size_t i = 0; i < stage->n_runs; i++) {
        const struct ens_stage_run *run = &stage->run[i];

        for (uint64_t c = 0; c < run->n_cells; c++)
            r->left += open_tasks(r, run, run->first_cell + c);
    }
    if (part == NULL || part->tracker == NULL)
        return r;
    r->live = ens_live_new(stage, done, r->n_workers, part);
    if (r->live == NULL) {
        free(r);
        return NULL;
    }
    return r;
}

void ens_ranges_free(struct ens_ranges *r)
{
    if (r == NULL)
        return;
    ens_live_free(r->live);
    free(r->back.item);
    free(r->last.item);
    free(r);
}

static void push(struct queue *q, struct ens_range range)
{
    if (q->n == q->cap) {
        size_t cap = q->cap > 0 ? 2 * q->cap : 64;
        struct ens_range *p = realloc(q->item, cap * sizeof(*p));

        if (p == NULL)
            abort(); /* a few kilobytes for what workers had in hand */
        q->item = p;
        q->cap = cap;
    }
    q->item[q->n++] = range;
}

/* Cells of one row share its key: the names of their rows in all roles. */
static uint64_t row_key(struct ens_ranges *r, uint64_t cell)
{
    struct ens_cell c;
    uint64_t h = 1;

    if (r->row_cell == cell)
        return r->row_key;
    ens_plan_cell(r->plan, cell, &c);
    for (size_t i = 0; i < r->plan->kind->n_roles; i++) {
        const char *row = ens_cell_row(&c, r->plan->kind->roles[i].name);

        h = ens_hash64_seed(row, strlen(row), h);
    }
    r->row_cell = cell;
    r->row_key = h;
    return h;
}

/* Expected seconds of a task of the cell; NaN when unknown. */
static double expected(struct ens_ranges *r, uint64_t cell, uint32_t n_cell)
{
    const struct cell_cost *c = &r->cost[cell % CELL_SLOTS];
    const struct row_cost *row;
    uint64_t key;
    double max = 0;

    if (n_cell >= BIG_CELL && c->key == cell + 1)
        return c->sum / (double)c->n;
    if (n_cell >= BIG_CELL && r->live == NULL)
        return NAN;
    key = row_key(r, cell);
    row = &r->row[key % ROW_SLOTS];
    if (row->key != key || row->n == 0)
        return NAN;
    for (uint32_t i = 0; i < row->n; i++)
        max = row->time[i] > max ? row->time[i] : max;
    return max;
}

void ens_ranges_measure(struct ens_ranges *r, uint64_t cell, double seconds)
{
    struct cell_cost *c = &r->cost[cell % CELL_SLOTS];
    struct row_cost *row;
    uint64_t key;

    if (ens_stage_replicates(r->stage, cell) >= BIG_CELL) {
        if (c->key != cell + 1)
            *c = (struct cell_cost){cell + 1, 0, 0};
        c->n++;
        c->sum += seconds;
        if (r->live == NULL)
            return; /* else cells are left early, and begin like their row */
    }
    key = row_key(r, cell);
    row = &r->row[key % ROW_SLOTS];
    if (row->key != key) {
        memset(row, 0, sizeof(*row));
        row->key = key;
    }
    row->time[row->at] = (float)seconds;
    row->at = (row->at + 1) % ROW_TIMES;
    row->n += row->n < ROW_TIMES;
}

/* How many tasks of that length to hand out at once. */
static uint32_t size_for(const struct ens_ranges *r, double task_s)
{
    uint64_t fair = r->left / (4 * (uint64_t)r->n_workers);
    double n;

    if (!(task_s >= 0) || fair <= 1)
        return 1;
    n = task_s > 0 ? ENS_RANGE_SECONDS / task_s : ENS_RANGE_MAX_TASKS;
    if (n > ENS_RANGE_MAX_TASKS)
        n = ENS_RANGE_MAX_TASKS;
    if (n > (double)fair)
        n = (double)fair;
    return n < 1 ? 1 : (uint32_t)n;
}

/* Move the cursor to the next open task; *n how many follow in its cell. */
static int seek(struct ens_ranges *r, uint64_t *n)
{
    while (r->run < r->stage->n_runs) {
        const struct ens_stage_run *run = &r->stage->run[r->run];

        while (r->cell < run->first_cell + run->n_cells) {
            uint32_t first, last, at = 0;

            if (ens_part_get(r->part, run, r->cell, &first, &last) &&
                r->replicate <= last) {
                if (first < r->replicate)
                    first = r->replicate;
                at = ens_done_next_open(r->done, r->cell, first, last, n);
            }
            if (at > 0) {
                r->replicate = at;
                return 1;
            }
            r->cell++;
            r->replicate = 1;
        }
        r->run_place += run->n_cells * run->n_replicates;
        if (++r->run < r->stage->n_runs)
            r->cell = r->stage->run[r->run].first_cell;
    }
    return 0;
}

static uint64_t cursor_place(const struct ens_ranges *r)
{
    const struct ens_stage_run *run = &r->stage->run[r->run];

    return r->run_place + (r->cell - run->first_cell) * run->n_replicates +
           r->replicate - 1;
}

static int take_cursor(struct ens_ranges *r, struct ens_range *range,
                       double *expected_s)
{
    uint64_t open;
    uint32_t n_cell, size;
    uint64_t key = 0;
    double task_s;

    if (!seek(r, &open))
        return 0;
    n_cell = r->stage->run[r->run].n_replicates;
    task_s = expected(r, r->cell, n_cell);
    size = size_for(r, task_s);
    range->first = cursor_place(r);
    range->n = 0;
    if (n_cell < BIG_CELL)
        key = row_key(r, r->cell);
    for (;;) {
        uint32_t n = size - range->n;

        n = n > open ? (uint32_t)open : n;
        range->n += n;
        r->replicate += n;
        if (range->n == size || n_cell >= BIG_CELL || !seek(r, &open))
            break;
        /* goes on only where the places do, within the row */
        if (cursor_place(r) != range->first + range->n ||
            r->stage->run[r->run].n_replicates >= BIG_CELL ||
            row_key(r, r->cell) != key)
            break;
    }
    *expected_s = task_s * range->n;
    return 1;
}

/* -- cells that stop ----------------------------------------------------- */

int ens_ranges_is_wanted(const struct ens_ranges *r, struct ens_range range)
{
    uint64_t cell;
    uint32_t replicate;
    uint32_t at;

    if (r->live == NULL || range.n == 0)
        return 1;
    ens_stage_task(r->stage, range.first, &cell, &replicate);
    at = ens_stopping_at(r->part->stopping, cell);
    return at == 0 || replicate <= at;
}

/* Throw out what lies behind a stop; how many tasks that was. Ranges of cells
 * that stop never span two. */
static uint64_t trim(const struct ens_ranges *r, struct queue *q)
{
    uint64_t n = 0;
    size_t kept = 0;

    for (size_t i = 0; i < q->n; i++) {
        struct ens_range *x = &q->item[i];
        uint64_t cell;
        uint32_t replicate;
        uint32_t last;

        ens_stage_task(r->stage, x->first, &cell, &replicate);
        last = ens_stopping_last(r->part->stopping, cell, UINT32_MAX);
        if (replicate > last || x->n > last - replicate + 1) {
            uint32_t keep = replicate > last ? 0 : last - replicate + 1;

            n += x->n - keep;
            x->n = keep;
        }
        if (x->n > 0)
            q->item[kept++] = *x;
    }
    q->n = kept;
    return n;
}

/* Cells may have stopped since the last look. */
static void settle(struct ens_ranges *r)
{
    if (r->live == NULL || r->turn == ens_tracker_turn(r->part->tracker))
        return;
    r->turn = ens_tracker_turn(r->part->tracker);
    r->left -= ens_live_settle(r->live);
    r->left -= trim(r, &r->back);
    trim(r, &r->last); /* not among those left */
}

static int take_live(struct ens_ranges *r, struct ens_range *range,
                     double *expected_s)
{
    uint64_t dropped = 0;
    uint64_t open;
    struct ens_live_cell *c = ens_live_next(r->live, &open, &dropped);
    double task_s;
    uint32_t size;

    r->left -= dropped;
    if (c == NULL)
        return 0;
    task_s = expected(r, c->cell, c->max);
    size = size_for(r, task_s);
    range->first = c->place + c->next - 1;
    range->n = size < open ? size : (uint32_t)open;
    c->next += range->n;
    *expected_s = task_s * range->n;
    return 1;
}

int ens_ranges_take(struct ens_ranges *r, struct ens_range *range,
                    double *expected_s)
{
    int taken;

    *expected_s = NAN;
    settle(r);
    if (r->back.n > 0) {
        *range = r->back.item[--r->back.n];
        taken = 1;
    } else if (r->live != NULL) {
        taken = take_live(r, range, expected_s);
    } else {
        taken = take_cursor(r, range, expected_s);
    }
    if (taken)
        r->left -= range->n;
    return taken;
}

double ens_ranges_seconds(struct ens_ranges *r, struct ens_range range)
{
    uint64_t cell;
    uint32_t replicate;

    ens_stage_task(r->stage, range.first, &cell, &replicate);
    return range.n * expected(r, cell, ens_stage_replicates(r->stage, cell));
}

void ens_ranges_forget(struct ens_ranges *r, struct ens_range range)
{
    uint64_t cell;
    uint64_t n;
    uint32_t replicate;
    uint32_t first;
    uint32_t last;

    ens_stage_task(r->stage, range.first + range.n - 1, &cell, &replicate);
    if (r->live != NULL) {
        r->left -= ens_live_leave(r->live, cell);
        return;
    }
    if (r->run >= r->stage->n_runs || cell != r->cell ||
        !ens_part_get(r->part, &r->stage->run[r->run], cell, &first, &last))
        return; /* it was given back, or ended its cell */
    while (r->replicate <= last) {
        uint32_t at =
            ens_done_next_open(r->done, r->cell, r->replicate, last, &n);

        if (at == 0)
            break;
        r->left -= n;
        r->replicate = at + (uint32_t)n;
    }
    r->cell++; /* seek goes on to the next run */
    r->replicate = 1;
}

uint64_t ens_ranges_left(struct ens_ranges *r)
{
    settle(r);
    return r->left;
}

void ens_ranges_put_back(struct ens_ranges *r, struct ens_range range)
{
    if (range.n == 0)
        return;
    push(&r->back, range);
    r->left += range.n;
    if (r->live != NULL)
        r->left -= trim(r, &r->back);
}

void ens_ranges_put_last(struct ens_ranges *r, uint64_t place)
{
    push(&r->last, (struct ens_range){place, 1});
    if (r->live != NULL)
        trim(r, &r->last);
}

size_t ens_ranges_n_last(struct ens_ranges *r)
{
    settle(r);
    return r->last.n;
}

int ens_ranges_take_last(struct ens_ranges *r, struct ens_range *range)
{
    if (r->last.n == 0)
        return 0;
    *range = r->last.item[--r->last.n];
    return 1;
}
