#include "run/pilot.h"

#include "config/model.h"

#include <math.h>
#include <stdlib.h>

#define GOLDEN 0.61803398874989485

struct choice {
    struct ens_run *r;
    uint64_t n_cells, want;
    uint64_t *place; /* sorted: want */
    uint64_t n;
};

/* Insert a place; 0 when it is there already. */
static int insert(struct choice *c, uint64_t place)
{
    uint64_t low = 0;
    uint64_t high = c->n;

    while (low < high) {
        uint64_t mid = low + (high - low) / 2;

        if (c->place[mid] < place)
            low = mid + 1;
        else
            high = mid;
    }
    if (low < c->n && c->place[low] == place)
        return 0;
    for (uint64_t i = c->n; i > low; i--)
        c->place[i] = c->place[i - 1];
    c->place[low] = place;
    c->n++;
    return 1;
}

/* The first replicate of the cell that is not chosen yet, or of one of the
 * next cells where all are. */
static void take(struct choice *c, uint64_t cell)
{
    for (uint64_t k = 0; k < c->n_cells && c->n < c->want; k++) {
        uint64_t at = (cell + k) % c->n_cells;
        uint32_t n = ens_stage_replicates(&c->r->stage, at);

        for (uint32_t rep = 1; rep <= n; rep++)
            if (insert(c, ens_stage_place(&c->r->stage, at, rep)))
                return;
    }
}

static void take_rows(struct choice *c)
{
    const struct ens_study *st = c->r->study;

    for (size_t i = 0; i < st->n_roles; i++) {
        const struct ens_role_rows *rows = &st->role[i];

        for (size_t k = 0; k < rows->n && c->n < c->want; k++)
            take(c, rows->row[k].first * rows->stride);
    }
}

enum ens_status ens_pilot_choose(struct ens_run *r, struct ens_error *err)
{
    uint64_t all = ens_stage_n_tasks(&r->stage);
    struct choice c = {.r = r,
                       .n_cells = ens_study_n_cells(r->study),
                       .want = r->options->pilot};

    if (c.want > all)
        c.want = all;
    c.place = calloc((size_t)c.want + 1, sizeof(*c.place));
    if (c.place == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    take_rows(&c);
    for (uint64_t i = 0; c.n < c.want; i++) {
        double x = ((double)i + 0.5) * GOLDEN;
        uint64_t cell = (uint64_t)((x - floor(x)) * (double)c.n_cells);

        take(&c, cell < c.n_cells ? cell : c.n_cells - 1);
    }
    free(r->only);
    r->only = c.place;
    r->n_only = (size_t)c.n;
    return ENS_OK;
}
