/* What a tally is made of: its cell, the one compared with, its figures. */
#include "kinds/simulation/tally.h"

#include "config/model.h"
#include "math/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- the fit compared with ---------------------------------------------------
 */

/* In what both rows vary, they agree. */
static int agree(const struct ens_cell *a, const struct ens_cell *b)
{
    size_t n = ens_study_n_axis_columns(a->study);

    for (size_t i = 0; i < n; i++) {
        const struct ens_axis_column *c = ens_study_axis_column(a->study, i);
        const char *x, *y;

        if (c->key == NULL || strcmp(c->role, "fit") != 0)
            continue;
        x = ens_cell_axis_text(a, i);
        y = ens_cell_axis_text(b, i);
        if (*x != '\0' && *y != '\0' && strcmp(x, y) != 0)
            return 0;
    }
    return 1;
}

static const struct ens_row *find_row(const struct ens_study *study,
                                      const char *name)
{
    const struct ens_role_rows *rows = ens_study_rows(study, "fit");

    for (size_t i = 0; i < rows->n; i++)
        if (strcmp(rows->row[i].name, name) == 0)
            return &rows->row[i];
    return NULL;
}

enum ens_status ens_tally_other(const struct ens_host *host,
                                const struct ens_plan *plan,
                                const struct ens_cell *cell,
                                const char *compare, struct ens_cell *other,
                                int *found, struct ens_error *err)
{
    const struct ens_row *row = find_row(cell->study, compare);
    uint64_t n = ens_study_role_count(cell->study, "fit");
    uint64_t first = cell->ordinal - cell->ordinal % n, n_agree = 0;
    struct ens_cell c;

    *found = 0;
    if (row == NULL)
        return ens_fail(err, ENS_ESTUDY, "there is no row [fit %.100s]",
                        compare);
    for (uint64_t i = 0; i < row->count; i++) {
        host->plan_cell(plan, first + row->first + i, &c);
        if (row->count > 1 && !agree(cell, &c))
            continue;
        n_agree++;
        *other = c;
    }
    if (n_agree != 1)
        return ens_fail(err, ENS_ESTUDY,
                        "%llu cells of [fit %.100s] have the axis values of "
                        "one of [fit %.100s]; allowed: one",
                        (unsigned long long)n_agree, compare,
                        ens_cell_row(cell, "fit"));
    *found = other->ordinal != cell->ordinal;
    return ENS_OK;
}

/* -- cells -------------------------------------------------------------------
 */

static enum ens_status read_cell(struct ens_tally_cell *c,
                                 const struct ens_host *host,
                                 const struct ens_plan *plan,
                                 struct ens_tally *t, struct ens_error *err)
{
    enum ens_status s =
        ens_simulation_shape(&c->shape, &c->cell, host, plan, &t->arena, err);

    if (s == ENS_OK)
        s = ens_simulation_model(&c->model, &c->cell, &c->shape, &t->arena,
                                 err);
    if (s == ENS_OK)
        s = ens_simulation_layout(&c->layout, &c->model, &c->shape, &t->metrics,
                                  &t->arena, err);
    return s;
}

static enum ens_status make_parameters(struct ens_tally *t,
                                       struct ens_error *err)
{
    const struct ens_simulation_model *m = &t->own.model;
    size_t n_columns = t->own.layout.errors - t->own.layout.metrics;
    size_t truth = t->own.layout.truth;

    t->parameter =
        ens_arena_alloc(&t->arena, m->n_shown, sizeof(*t->parameter));
    t->other_column =
        ens_arena_alloc(&t->arena, n_columns, sizeof(*t->other_column));
    if (!t->parameter || !t->other_column)
        return ens_fail(err, ENS_ENOMEMORY, "measures of %zu terms",
                        m->n_shown);
    for (size_t j = 0; j < m->n_shown; j++) {
        struct ens_tally_parameter *p = &t->parameter[j];

        p->truth = m->truth_of[j] != SIZE_MAX ? truth++ : SIZE_MAX;
        p->other = t->has_other
                       ? ens_tally_field(&t->other, t->own.layout.field[j].name)
                       : SIZE_MAX;
    }
    for (size_t k = 0; k < n_columns; k++)
        t->other_column[k] =
            t->has_other
                ? ens_tally_field(
                      &t->other,
                      t->own.layout.field[t->own.layout.metrics + k].name)
                : SIZE_MAX;
    return ENS_OK;
}

/* -- the tally ---------------------------------------------------------------
 */

static enum ens_status make(struct ens_tally *t, const struct ens_host *host,
                            const struct ens_plan *plan, struct ens_error *err)
{
    const struct ens_study *study = host->plan_study(plan);
    enum ens_status s = ens_choice_read(&t->choice, study, err);

    if (s == ENS_OK)
        s = ens_simulation_metrics(study, &t->metrics, err);
    t->seed = ens_study_seed(study);
    t->stream = ens_rng_stream("fit", "mcse");
    if (s == ENS_OK)
        s = read_cell(&t->own, host, plan, t, err);
    if (s == ENS_OK && *t->choice.compare != '\0')
        s = ens_tally_other(host, plan, &t->own.cell, t->choice.compare,
                            &t->other.cell, &t->has_other, err);
    if (s == ENS_OK && t->has_other)
        s = read_cell(&t->other, host, plan, t, err);
    if (s == ENS_OK)
        s = make_parameters(t, err);
    return s == ENS_OK ? ens_tally_figures(t, err) : s;
}

enum ens_status ens_tally_new(struct ens_tally **t, const struct ens_host *host,
                              const struct ens_plan *plan,
                              const struct ens_cell *cell,
                              struct ens_error *err)
{
    struct ens_tally *made = calloc(1, sizeof(*made));
    enum ens_status s;

    if (made == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "measures of a cell");
    ens_arena_init(&made->arena);
    made->own.cell = *cell;
    s = make(made, host, plan, err);
    if (s == ENS_OK)
        *t = made;
    else
        ens_tally_free(made);
    return s;
}

void ens_tally_free(struct ens_tally *t)
{
    if (t == NULL)
        return;
    ens_arena_fini(&t->arena);
    free(t);
}
