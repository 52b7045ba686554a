/* Files of output arrays that are not wanted any more: of cells that have none
 * of them now, set aside; scratch, removed. */
#include "run/state.h"
#include "store/array.h"

#include <stdlib.h>

struct cells { /* sorted by id */
    const struct ens_run *r;
    struct ens_aside_cell {
        uint64_t id, ordinal;
    } * cell;
    size_t n;
};

static int compare_ids(const void *a, const void *b)
{
    const struct ens_aside_cell *x = a, *y = b;

    return (x->id > y->id) - (x->id < y->id);
}

/* Before the chain is known, all cells of the study may have all arrays. */
static int has_array(void *arg, const char *name, uint64_t cell_id)
{
    const struct cells *c = arg;
    const struct ens_aside_cell key = {cell_id, 0};
    const struct ens_aside_cell *found;

    if (ens_plan_find_array(&c->r->plan, name) == NULL)
        return 0;
    found = bsearch(&key, c->cell, c->n, sizeof(key), compare_ids);
    if (found == NULL || c->r->n_chain == 0)
        return found != NULL;
    for (size_t k = 0; k < c->r->n_chain; k++)
        if (ens_stage_writes(&c->r->chain[k], name) &&
            ens_stage_replicates(&c->r->chain[k], found->ordinal) > 0)
            return 1;
    return 0;
}

enum ens_status ens_aside_retire(struct ens_run *r, struct ens_error *err)
{
    struct cells c = {.r = r, .n = (size_t)ens_study_n_cells(r->study)};
    enum ens_status s;

    if (r->plan.n_arrays == 0)
        return ENS_OK;
    c.cell = calloc(c.n + 1, sizeof(*c.cell));
    if (c.cell == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    for (size_t i = 0; i < c.n; i++) {
        struct ens_cell cell;

        ens_study_cell(r->study, i, &cell);
        c.cell[i] = (struct ens_aside_cell){cell.hash[0], i};
    }
    qsort(c.cell, c.n, sizeof(*c.cell), compare_ids);
    s = ens_array_retire(r->dir, has_array, &c, err);
    free(c.cell);
    return s;
}

static int is_done_with(void *arg, const char *name, uint64_t cell_id)
{
    const struct ens_run *r = arg;
    const struct ens_array_def *def = ens_plan_find_array(&r->plan, name);

    (void)cell_id;
    if (def == NULL || def->keep)
        return 0;
    for (size_t k = 0; !r->complete && k < r->n_chain; k++)
        if (ens_restore_ran(r, k) && ens_stage_writes(&r->chain[k], name))
            return 1;
    return r->complete;
}

enum ens_status ens_aside_sweep(struct ens_run *r, struct ens_error *err)
{
    return ens_array_remove(r->dir, is_done_with, r, err);
}
