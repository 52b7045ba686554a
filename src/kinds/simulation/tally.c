#include "kinds/simulation/tally.h"

#include "record/record.h"

#include <math.h>
#include <string.h>

#define RHAT_MIXED 1.05 /* chains beyond have not converged */

/* -- samples -----------------------------------------------------------------
 */

static double field(struct ens_tally_record r, size_t i)
{
    return r.rec == NULL || r.rec->status != ENS_TASK_OK || r.schema == NULL ||
                   i >= r.schema->n
               ? NAN
               : ens_record_f64(r.rec, r.schema, i);
}

static struct ens_sample parameter(const struct ens_tally *t, size_t j,
                                   struct ens_tally_record own,
                                   struct ens_tally_record other)
{
    const struct ens_tally_parameter *p = &t->parameter[j];
    size_t n = t->own.model.n_shown;

    return (struct ens_sample){
        .estimate = field(own, ENS_SIM_ESTIMATE * n + j),
        .std_error = field(own, ENS_SIM_STD_ERROR * n + j),
        .low = field(own, ENS_SIM_CONF_LOW * n + j),
        .high = field(own, ENS_SIM_CONF_HIGH * n + j),
        .level = t->own.model.options.level,
        .truth = p->truth == SIZE_MAX ? NAN : field(own, p->truth),
        .other = p->other == SIZE_MAX ? NAN : field(other, p->other),
        .null = p->null,
        .centre = p->error.n > 0 ? p->error.x : NAN,
    };
}

static struct ens_sample column(const struct ens_tally *t, size_t k,
                                struct ens_tally_record own,
                                struct ens_tally_record other)
{
    size_t there = t->other_column[k];

    return (struct ens_sample){
        .estimate = field(own, t->own.layout.metrics + k),
        .other = there == SIZE_MAX ? NAN : field(other, there),
        .truth = NAN,
    };
}

/* A warning that tells of convergence tells of none. */
static int converged(const struct ens_record *r)
{
    static const char word[] = "converge";
    struct ens_item_view item;
    size_t at = 0;

    if (r->status != ENS_TASK_OK)
        return 0;
    while (r->items_bytes > 0 && ens_item_next(r, &at, &item))
        for (size_t i = 0;
             item.type == ENS_ITEM_WARNING && i + strlen(word) <= item.length;
             i++)
            if (memcmp((const char *)item.bytes + i, word, strlen(word)) == 0)
                return 0;
    return 1;
}

/* Chains that are apart, where their diagnostics are retained. */
static int mixed(const struct ens_tally *t, struct ens_tally_record own)
{
    const struct ens_simulation_layout *l = &t->own.layout;

    return l->diagnostics == l->metrics ||
           !(field(own, l->diagnostics) > RHAT_MIXED);
}

/* -- passes ------------------------------------------------------------------
 */

static int is_in(const struct ens_measure_def *def, enum ens_tally_pass pass)
{
    switch (pass) {
    case ENS_TALLY_SUM:
        return !(def->flags & (ENS_MEASURE_CENTRE | ENS_MEASURE_RANKS));
    case ENS_TALLY_CENTRE:
        return (def->flags & ENS_MEASURE_CENTRE) != 0;
    case ENS_TALLY_RANK:
        return 0; /* see_ranks */
    case ENS_TALLY_SELECT:
        return (def->flags & ENS_MEASURE_PROB) != 0;
    case ENS_TALLY_LEAVE_OUT:
        return !(def->flags & (ENS_MEASURE_PROB | ENS_MEASURE_RANKS));
    case ENS_TALLY_PASSES:
        break;
    }
    return 0;
}

static void see_figure(struct ens_tally *t, enum ens_tally_pass pass, size_t i,
                       struct ens_sample *s)
{
    struct ens_pair p;

    if (pass == ENS_TALLY_LEAVE_OUT) {
        ens_figures_leave_out(&t->figures, i, s);
    } else if (pass == ENS_TALLY_SELECT) {
        p = t->figure[i].def->pick(s);
        if (isfinite(p.x) && isfinite(p.v))
            ens_select_add(&t->quantile[i].select, p.x);
    } else {
        ens_figures_add(&t->figures, i, s);
    }
}

static void begin_replicate(struct ens_tally *t, enum ens_tally_pass pass,
                            const struct ens_record *rec)
{
    struct ens_rng g;

    t->n_records += pass == ENS_TALLY_SUM ? 1 : 0;
    if (t->choice.mcse != ENS_MCSE_BOOTSTRAP)
        return;
    ens_rng_set(&g, t->seed, t->own.cell.data_hash[0], rec->replicate,
                t->stream);
    ens_figures_replicate(&t->figures, &g);
}

/* At the level of figure i: tasks have them where fits have draws, else they
 * follow from those at the fit's. */
static void set_limits(struct ens_tally *t, size_t i,
                       struct ens_tally_record own, struct ens_sample *s)
{
    const size_t *column = t->columns[i];

    if (column[0] == SIZE_MAX) {
        ens_limits_move(&t->limits[i], s, t->figure[i].level);
        return;
    }
    s->low = field(own, column[0]);
    s->high = field(own, column[1]);
    s->level = t->figure[i].level;
}

static void see_ranks(struct ens_tally *t, enum ens_tally_pass pass,
                      struct ens_tally_record own)
{
    struct ens_rng g;

    if (t->n_ranks == 0 || (pass != ENS_TALLY_SUM && pass != ENS_TALLY_RANK))
        return;
    ens_rng_set(&g, t->seed, t->own.cell.hash[0], own.rec->replicate,
                ens_rng_stream("fit", "sbc"));
    for (size_t k = 0; k < t->n_ranks; k++) {
        struct ens_ranks *r = &t->ranks[k];
        double rank = field(own, r->rank), n = field(own, r->n_ranks);

        if (pass == ENS_TALLY_SUM)
            ens_ranks_look(r, rank, n);
        else
            ens_ranks_add(r, rank, n, ens_rng_uniform(&g));
    }
}

void ens_tally_see(struct ens_tally *t, enum ens_tally_pass pass,
                   struct ens_tally_record own, struct ens_tally_record other)
{
    size_t n = t->own.model.n_shown, of = SIZE_MAX;
    struct ens_sample all = {0}, s;

    begin_replicate(t, pass, own.rec);
    see_ranks(t, pass, own);
    for (size_t i = 0; i < t->n; i++) {
        const struct ens_figure *f = &t->figure[i];

        if (!is_in(f->def, pass))
            continue;
        if (f->source == SIZE_MAX) {
            all.failed = own.rec->status != ENS_TASK_OK ? 1 : 0;
            all.converged = converged(own.rec) && mixed(t, own) ? 1 : 0;
        } else if (f->source != of) {
            all = f->source < n ? parameter(t, f->source, own, other)
                                : column(t, f->source - n, own, other);
        }
        of = f->source;
        s = all;
        if (f->def->flags & (ENS_MEASURE_LEVEL | ENS_MEASURE_ALPHA))
            set_limits(t, i, own, &s);
        see_figure(t, pass, i, &s);
    }
    for (size_t j = 0; pass == ENS_TALLY_SUM && t->has_centre && j < n; j++) {
        double e;

        s = parameter(t, j, own, other);
        e = isnan(s.truth) ? s.estimate : s.estimate - s.truth;
        if (isfinite(e))
            ens_joint_add(&t->parameter[j].error, e, 0, 1);
    }
}

static enum ens_status begin_select(struct ens_tally *t, int *needed,
                                    struct ens_error *err)
{
    for (size_t i = 0; i < t->n; i++) {
        uint64_t n = (uint64_t)t->figures.sum[i].n;
        size_t size = n < ENS_SELECT_KEPT ? (size_t)n * sizeof(double)
                                          : sizeof(union ens_select_memory);
        void *memory;

        if (!(t->figure[i].def->flags & ENS_MEASURE_PROB) || n == 0)
            continue;
        memory = ens_arena_alloc(&t->arena, 1, size);
        if (memory == NULL)
            return ens_fail(err, ENS_ENOMEMORY, "quantiles");
        ens_quantile_begin(&t->quantile[i], n, t->figure[i].level, memory);
        *needed = 1;
    }
    return ENS_OK;
}

static enum ens_status begin_ranks(struct ens_tally *t, int *needed,
                                   struct ens_error *err)
{
    enum ens_status s = ENS_OK;

    for (size_t k = 0; s == ENS_OK && k < t->n_ranks; k++) {
        *needed |= t->ranks[k].n > 0;
        s = ens_ranks_begin(&t->ranks[k], &t->arena, err);
    }
    return s;
}

enum ens_status ens_tally_begin(struct ens_tally *t, enum ens_tally_pass pass,
                                int *needed, struct ens_error *err)
{
    *needed =
        pass == ENS_TALLY_SUM || (pass == ENS_TALLY_CENTRE && t->has_centre) ||
        (pass == ENS_TALLY_LEAVE_OUT && t->choice.mcse == ENS_MCSE_JACKKNIFE);
    return pass == ENS_TALLY_SELECT ? begin_select(t, needed, err)
           : pass == ENS_TALLY_RANK ? begin_ranks(t, needed, err)
                                    : ENS_OK;
}

int ens_tally_again(struct ens_tally *t, enum ens_tally_pass pass)
{
    int again = 0;

    for (size_t i = 0; pass == ENS_TALLY_SELECT && i < t->n; i++)
        if (t->quantile[i].n > 0)
            again |= ens_select_next(&t->quantile[i].select);
    return again;
}

/* -- rows --------------------------------------------------------------------
 */

static enum ens_status find_value(struct ens_tally *t, size_t i,
                                  struct ens_measure *m, struct ens_error *err)
{
    const struct ens_figure *f = &t->figure[i];
    enum ens_status s = ENS_OK;

    m->n_used = (uint64_t)t->figures.sum[i].n;
    if (f->def->flags & ENS_MEASURE_RANKS) {
        struct ens_ranks *r = &t->ranks[f->source];

        m->n_used = r->n;
        s = ens_ranks_value(r, f->def, &t->arena, &m->value, err);
    } else if (!(f->def->flags & ENS_MEASURE_PROB)) {
        ens_figures_value(&t->figures, i, &m->value, &m->mcse);
    } else if (m->n_used > 0) {
        ens_quantile_end(&t->quantile[i], &m->value, &m->mcse);
    }
    m->n_missing = t->n_records - m->n_used;
    return s;
}

enum ens_status ens_tally_rows(struct ens_tally *t, int one_pass,
                               ens_measure_fn *sink, void *arg,
                               struct ens_error *err)
{
    static const unsigned others = ENS_MEASURE_CENTRE | ENS_MEASURE_PROB |
                                   ENS_MEASURE_OTHER | ENS_MEASURE_RANKS;
    enum ens_status s = ENS_OK;

    for (size_t i = 0; s == ENS_OK && i < t->n; i++) {
        const struct ens_figure *f = &t->figure[i];
        struct ens_measure m = {
            .estimand = f->estimand,
            .measure = f->name,
            .value = NAN,
            .mcse = NAN,
            .is_share = (f->def->flags & ENS_MEASURE_SHARE) != 0,
        };

        if (one_pass && f->def->flags & others)
            continue;
        s = find_value(t, i, &m, err);
        if (s == ENS_OK)
            s = sink(arg, &m, err);
    }
    return s;
}
