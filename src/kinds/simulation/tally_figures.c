/* Which figures a cell has: the measures chosen, of its terms and columns. */
#include "kinds/simulation/metrics/metrics.h"
#include "kinds/simulation/tally.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

size_t ens_tally_field(const struct ens_tally_cell *c, const char *name)
{
    for (size_t k = 0; k < c->layout.n; k++)
        if (strcmp(c->layout.field[k].name, name) == 0)
            return k;
    return SIZE_MAX;
}

/* The list, which is made twice: first to count. */
struct making {
    struct ens_tally *t;
    struct ens_figure *next; /* NULL: only count */
    size_t n, n_ranks;
    int failed;
    int can_be, other_can; /* the present metric in the two cells */
};

static void put(struct making *m, const struct ens_measure_def *def,
                const char *estimand, const char *name, double level,
                size_t source)
{
    m->n++;
    m->failed |= name == NULL;
    if (m->next != NULL)
        *m->next++ = (struct ens_figure){def, estimand, name, level, source};
}

static int truths_vary(const struct ens_tally_cell *c, size_t j)
{
    size_t k = c->model.truth_of[j];

    return k != SIZE_MAX && isnan(c->shape.truth_value[k]);
}

static void put_parameter(struct making *m, size_t j)
{
    const struct ens_tally_cell *c = &m->t->own;
    const struct ens_tally_parameter *p = &m->t->parameter[j];
    const char *term = c->model.shown[j];
    const struct ens_choice *choice = &m->t->choice;
    const struct ens_measure_def *def;
    double null;

    if (!ens_choice_term(choice, term, &null))
        return;
    m->t->parameter[j].null = null;
    for (size_t i = 0; (def = ens_measure_at(i)) != NULL; i++)
        if (def->flags & ENS_MEASURE_ALWAYS ||
            (def->flags & ENS_MEASURE_VARYING && truths_vary(c, j)))
            put(m, def, term, def->name, NAN, j);
    for (size_t i = 0; i < choice->n; i++) {
        const struct ens_chosen *m1 = &choice->item[i];
        unsigned flags = m1->def->flags;
        int limits = flags & (ENS_MEASURE_LEVEL | ENS_MEASURE_ALPHA);

        if (flags & ENS_MEASURE_TASK ||
            (flags & ENS_MEASURE_TRUTH && p->truth == SIZE_MAX) ||
            (flags & ENS_MEASURE_OTHER && p->other == SIZE_MAX) ||
            (flags & ENS_MEASURE_VARYING && truths_vary(c, j)))
            continue;
        put(m, m1->def, term, m1->name,
            limits && isnan(m1->level) ? c->model.options.level : m1->level, j);
    }
}

/* Of metrics that need draws, fits without any have no rows. */
static int has_draws(const struct ens_tally_cell *c,
                     const struct ens_simulation_metric *m)
{
    return !(m->ops->needs & ENS_NEEDS_DRAWS) ||
           c->model.fitter->delivers & ENS_DELIVERS_DRAWS;
}

/* A metric's column: its mean, then what else is chosen for columns. The
 * column is the measure of its term, or an estimand of its own. */
static void put_column(struct making *m, size_t k, const char *term,
                       const char *column)
{
    const struct ens_choice *choice = &m->t->choice;
    size_t source = m->t->own.model.n_shown + k;

    put(m, ens_measure_find("mean"), term != NULL ? term : column,
        term != NULL ? column : "mean", NAN, source);
    for (size_t i = 0; i < choice->n; i++) {
        const struct ens_chosen *c = &choice->item[i];
        int other = c->def->flags & ENS_MEASURE_OTHER;

        if (!(c->def->flags & ENS_MEASURE_COLUMN) ||
            (other && (m->t->other_column[k] == SIZE_MAX || !m->other_can)))
            continue;
        put(m, c->def, term != NULL ? term : column,
            term != NULL
                ? ens_arena_printf(&m->t->arena, "%s_%s", column, c->name)
                : c->name,
            c->level, source);
    }
}

/* Rows of metric rank, where truths are drawn anew for each data set. */
static void put_ranks(struct making *m, const struct ens_simulation_metric *of,
                      size_t j)
{
    struct ens_tally *t = m->t;
    const char *term = t->own.model.shown[j];
    const struct ens_measure_def *row;

    if (of->ops != &ens_metric_rank || !truths_vary(&t->own, j) ||
        t->own.model.n_shown > ENS_SIMULATION_MAX_PARAMETERS)
        return;
    if (m->next != NULL) {
        struct ens_ranks *r = &t->ranks[m->n_ranks];
        char name[320];

        snprintf(name, sizeof(name), "%s__by_param__%.200s", of->name, term);
        r->rank = ens_tally_field(&t->own, name);
        snprintf(name, sizeof(name), "%s__n_ranks", of->name);
        r->n_ranks = ens_tally_field(&t->own, name);
    }
    for (size_t i = 0; (row = ens_ranks_row(i)) != NULL; i++)
        put(m, row, term,
            ens_arena_printf(&t->arena, "%s__%s", of->name, row->name), NAN,
            m->n_ranks);
    m->n_ranks++;
}

/* Columns METRIC__FIELD of term j; when j is n_shown, those that tasks have
 * one of. */
static void put_columns(struct making *m, size_t j)
{
    struct ens_tally *t = m->t;
    size_t n = t->own.model.n_shown, at = 0;
    double null;

    if (j < n && !ens_choice_term(&t->choice, t->own.model.shown[j], &null))
        return;
    for (size_t i = 0; i < t->metrics.n; i++) {
        const struct ens_simulation_metric *of = &t->metrics.item[i];

        m->can_be = has_draws(&t->own, of);
        m->other_can = t->has_other && has_draws(&t->other, of);
        for (size_t k = 0; k < of->n_fields; k++) {
            const struct ens_metric_field *f = &of->field[k];
            size_t columns = ens_simulation_field_columns(f, n);
            int sep = *of->name != '\0' && *f->name != '\0';
            const char *column;

            if ((f->per_term != 0) == (j < n) && columns > 0 && !of->unasked &&
                m->can_be) {
                column = ens_arena_printf(&t->arena, "%s%s%s", of->name,
                                          sep ? "__" : "", f->name);
                m->failed |= column == NULL;
                put_column(m, at + (f->per_term ? j : 0),
                           j < n ? t->own.model.shown[j] : NULL,
                           column != NULL ? column : "");
            }
            at += columns;
        }
        if (j < n && m->can_be)
            put_ranks(m, of, j);
    }
}

static void put_all(struct making *m)
{
    const struct ens_choice *c = &m->t->choice;
    size_t n = m->t->own.model.n_shown;

    for (size_t j = 0; j < n; j++) {
        put_parameter(m, j);
        put_columns(m, j);
    }
    put_columns(m, n);
    for (size_t i = 0; i < c->n; i++)
        if (c->item[i].def->flags & ENS_MEASURE_TASK)
            put(m, c->item[i].def, "tasks", c->item[i].name, NAN, SIZE_MAX);
}

/* Limits at the level of a figure, which tasks have of draws. */
static void find_limits(struct ens_tally *t, size_t i)
{
    const struct ens_figure *f = &t->figure[i];
    size_t *column = t->columns[i];

    column[0] = column[1] = SIZE_MAX;
    if (!(f->def->flags & (ENS_MEASURE_LEVEL | ENS_MEASURE_ALPHA)) ||
        fabs(f->level - t->own.model.options.level) < 1e-12)
        return;
    for (size_t k = 0; k < t->metrics.n; k++) {
        const struct ens_simulation_metric *m = &t->metrics.item[k];
        char name[320];

        if (!m->unasked ||
            !(fabs(ens_metric_number(m->call, 0) - f->level) < 1e-12))
            continue;
        snprintf(name, sizeof(name), "%s__low__%.200s", m->name, f->estimand);
        column[0] = ens_tally_field(&t->own, name);
        snprintf(name, sizeof(name), "%s__high__%.200s", m->name, f->estimand);
        column[1] = ens_tally_field(&t->own, name);
    }
}

enum ens_status ens_tally_figures(struct ens_tally *t, struct ens_error *err)
{
    struct making count = {.t = t};
    struct making m = {.t = t};

    put_all(&count);
    t->figure = ens_arena_alloc(&t->arena, count.n, sizeof(*t->figure));
    t->quantile = ens_arena_alloc(&t->arena, count.n, sizeof(*t->quantile));
    t->limits = ens_arena_alloc(&t->arena, count.n, sizeof(*t->limits));
    t->columns = ens_arena_alloc(&t->arena, count.n, sizeof(*t->columns));
    t->ranks = ens_arena_alloc(&t->arena, count.n_ranks, sizeof(*t->ranks));
    t->n_ranks = count.n_ranks;
    m.next = t->figure;
    if (t->figure != NULL && t->ranks != NULL)
        put_all(&m);
    if (!t->figure || !t->quantile || !t->limits || !t->columns || !t->ranks ||
        count.failed || m.failed)
        return ens_fail(err, ENS_ENOMEMORY, "%zu measures", count.n);
    t->n = m.n;
    for (size_t i = 0; i < t->n; i++) {
        t->has_centre |= (t->figure[i].def->flags & ENS_MEASURE_CENTRE) != 0;
        find_limits(t, i);
    }
    return ens_figures_init(&t->figures, t->figure, t->n, t->choice.mcse,
                            t->choice.n_resamples, &t->arena, err);
}
