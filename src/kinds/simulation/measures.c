/* Measures of terms over the replicates of a cell, each with its Monte Carlo
 * standard error.
 *
 * Source: Morris, White and Crowther (2019), "Using simulation studies to
 * evaluate statistical methods", Statistics in Medicine 38, table 6,
 * doi:10.1002/sim.8086. With e = estimate - truth, n replicates:
 *   mean      mean(est)           sd / sqrt(n)
 *   sd        empirical SE        sd / sqrt(2 (n - 1))
 *   model_se  sqrt(mean(se^2))    sqrt(var(se^2) / (4 n model_se^2))
 *   bias      mean(e)             sd / sqrt(n)
 *   rmse      sqrt(mean(e^2))     mcse(MSE) / (2 rmse) by the delta method,
 *                                 mcse(MSE) = sqrt(var(e^2) / n)
 *   coverage  share of intervals  sqrt(c (1 - c) / n)
 *             that hold the truth
 * var() has n - 1: sum of (e^2 - MSE)^2 / (n (n - 1)) is var(e^2) / n.
 */
#include "base/number.h"
#include "config/study.h"
#include "kinds/simulation/program.h"
#include "program/output.h"
#include "math/quantile.h"
#include "math/sums.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_METRICS ENS_SIMULATION_MAX_METRICS

struct metric {
    const char *call; /* "bias", "rmse" or "coverage" */
    char name[48];    /* measure */
    double level;     /* of coverage; NaN: that of the fit */
};

struct metrics {
    size_t n;
    struct metric item[MAX_METRICS];
};

/* Keys were checked by the table of "coverage()"; "" = not set. */
static enum ens_status read_level(const struct ens_call_arg *arg, double *level,
                                  struct ens_error *err)
{
    *level = NAN;
    if (*arg->text == '\0')
        return ENS_OK;
    if (ens_number_parse(arg->text, strlen(arg->text), level) != 0 ||
        !(*level > 0 && *level < 1))
        return ens_fail(err, ENS_ESTUDY,
                        "coverage: level: '%s' is not a number between 0 and 1",
                        arg->text);
    return ENS_OK;
}

static enum ens_status read_metric(const struct ens_call *call,
                                   struct metric *m, struct ens_error *err)
{
    int is_coverage = strcmp(call->name, "coverage") == 0;

    m->call = call->name;
    m->level = NAN;
    snprintf(m->name, sizeof(m->name), "%s", call->name);
    if (call->n > (is_coverage ? 1 : 0))
        return ens_fail(err, ENS_ESTUDY, "%s takes %s", call->name,
                        is_coverage ? "one argument, level" : "no arguments");
    return call->n ? read_level(&call->arg[0], &m->level, err) : ENS_OK;
}

/* Two coverages differ by their level: then it is in the name. */
static enum ens_status name_metrics(struct metrics *all, struct ens_error *err)
{
    size_t n_coverage = 0;

    for (size_t i = 0; i < all->n; i++)
        n_coverage += strcmp(all->item[i].call, "coverage") == 0 ? 1 : 0;
    for (size_t i = 0; n_coverage > 1 && i < all->n; i++) {
        struct metric *m = &all->item[i];
        char level[ENS_NUMBER_BYTES];

        if (isnan(m->level))
            continue;
        ens_number_format(level, m->level);
        snprintf(m->name, sizeof(m->name), "coverage_%s", level);
    }
    for (size_t i = 0; i < all->n; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(all->item[i].name, all->item[k].name) == 0)
                return ens_fail(err, ENS_ESTUDY, "%s is there twice",
                                all->item[i].name);
    return ENS_OK;
}

/* Names of metrics that tasks compute are columns: of its own each. */
static enum ens_status check_computed(const struct ens_study *study,
                                      const struct metrics *all,
                                      struct ens_error *err)
{
    struct ens_simulation_metrics m;

    ens_simulation_metrics(study, &m);
    for (size_t i = 0; i < m.n; i++) {
        int twice = 0;

        for (size_t k = 0; k < i; k++)
            twice |= strcmp(m.item[i].name, m.item[k].name) == 0;
        for (size_t k = 0; k < all->n; k++)
            twice |= strcmp(m.item[i].name, all->item[k].name) == 0;
        if (twice)
            return ens_fail(err, ENS_ESTUDY, "%s is there twice",
                            m.item[i].name);
    }
    return ENS_OK;
}

static enum ens_status read_metrics(const struct ens_study *study,
                                    struct metrics *all, struct ens_error *err)
{
    const struct ens_value *use = ens_study_value(study, "metrics", "use");
    enum ens_status s = ENS_OK;
    char where[320];

    all->n = 0;
    if (!use || !use->set)
        return ENS_OK;
    if (use->n_list > MAX_METRICS)
        return ens_fail(err, ENS_ESTUDY, "[metrics] use: more than %d",
                        MAX_METRICS);
    for (size_t i = 0; s == ENS_OK && i < use->n_list; i++)
        if (use->list[i].call.impl == NULL)
            s = read_metric(&use->list[i].call, &all->item[all->n++], err);
    if (s == ENS_OK)
        s = name_metrics(all, err);
    if (s == ENS_OK)
        s = check_computed(study, all, err);
    if (s == ENS_OK)
        return s;
    ens_study_where(study, "metrics", "use", where, sizeof(where));
    return ens_wrap(err, s, "%s: [metrics] use", where);
}

/* [metrics] run and fields: both, or neither. */
static enum ens_status check_program(const struct ens_study *study,
                                     struct ens_error *err)
{
    const struct ens_value *run = ens_study_value(study, "metrics", "run");
    const struct ens_value *list = ens_study_value(study, "metrics", "fields");
    struct ens_arena arena = ENS_ARENA_INIT;
    struct ens_output_fields fields = {0};
    char where[320];
    enum ens_status s = ENS_OK;

    if (run->set)
        s = ens_program_check(study, run->text, err);
    if (s == ENS_OK && run->set != (list->n_list > 0))
        s = ens_fail(err, ENS_ESTUDY, "%s",
                     run->set ? "fields: missing: the numbers that run gives"
                              : "fields: only with run");
    if (s == ENS_OK && list->n_list > ENS_SIMULATION_MAX_FIELDS)
        s = ens_fail(err, ENS_ESTUDY, "fields: more than %d",
                     ENS_SIMULATION_MAX_FIELDS);
    if (s == ENS_OK)
        s = ens_output_fields_parse(&fields, list, &arena, err);
    for (size_t i = 0; s == ENS_OK && i < list->n_list; i++)
        if (strchr(list->list[i].text, ':') != NULL)
            s = ens_fail(err, ENS_ESTUDY, "fields: %.60s: all are numbers",
                         list->list[i].text);
    ens_arena_fini(&arena);
    if (s == ENS_OK)
        return s;
    ens_study_where(study, "metrics", list->n_list > 0 ? "fields" : "run",
                    where, sizeof(where));
    return ens_wrap(err, s, "%s: [metrics]", where);
}

enum ens_status ens_simulation_check_metrics(const struct ens_study *study,
                                             struct ens_error *err)
{
    struct metrics all;
    enum ens_status s = read_metrics(study, &all, err);

    return s == ENS_OK ? check_program(study, err) : s;
}

/* -- accumulation -----------------------------------------------------------
 */

struct term {
    size_t truth; /* its field; SIZE_MAX: not known */
    struct ens_moments estimate;
    struct ens_moments variance; /* squared standard errors */
    struct ens_moments error;    /* estimate - truth */
    struct ens_moments square;   /* squared errors */
    uint64_t n_covered[MAX_METRICS];
    uint64_t n_limits[MAX_METRICS];
};

struct cell_sums {
    const struct metrics *metrics;
    const struct ens_simulation_model *model;
    const struct ens_simulation_layout *layout;
    double df;    /* of t, for coverage at a level of its own */
    uint64_t all; /* records seen */
    size_t p;
    struct term *term;
    struct ens_simulation_metrics computed;
    size_t n_computed; /* their fields, behind those of the terms */
    struct ens_moments *value;
};

static void add_coverage(const struct cell_sums *c, struct term *t,
                         const double value[ENS_SIM_PARTS], double truth)
{
    for (size_t k = 0; k < c->metrics->n; k++) {
        const struct metric *m = &c->metrics->item[k];
        double low = value[ENS_SIM_CONF_LOW], high = value[ENS_SIM_CONF_HIGH];

        if (!isnan(m->level) && m->level != c->model->options.level) {
            double half = ens_quantile_halfwidth(m->level, c->df) *
                          value[ENS_SIM_STD_ERROR];

            low = value[ENS_SIM_ESTIMATE] - half;
            high = value[ENS_SIM_ESTIMATE] + half;
        }
        if (isnan(low) || isnan(high))
            continue;
        t->n_limits[k]++;
        t->n_covered[k] += low <= truth && truth <= high ? 1 : 0;
    }
}

static void add_record(struct cell_sums *c, const struct ens_record *rec,
                       const struct ens_schema *schema)
{
    c->all++;
    if (rec->status != ENS_TASK_OK || !schema || schema->n < c->layout->metrics)
        return;
    for (size_t j = 0; j < c->p; j++) {
        struct term *t = &c->term[j];
        double value[ENS_SIM_PARTS], truth, error;

        for (size_t k = 0; k < ENS_SIM_PARTS; k++)
            value[k] = ens_record_f64(rec, schema, k * c->p + j);
        if (!isfinite(value[ENS_SIM_ESTIMATE]))
            continue;
        ens_moments_add(&t->estimate, value[ENS_SIM_ESTIMATE]);
        if (isfinite(value[ENS_SIM_STD_ERROR]))
            ens_moments_add(&t->variance, value[ENS_SIM_STD_ERROR] *
                                              value[ENS_SIM_STD_ERROR]);
        if (t->truth == SIZE_MAX)
            continue;
        truth = ens_record_f64(rec, schema, t->truth);
        error = value[ENS_SIM_ESTIMATE] - truth;
        if (!isfinite(error))
            continue;
        ens_moments_add(&t->error, error);
        ens_moments_add(&t->square, error * error);
        add_coverage(c, t, value, truth);
    }
    for (size_t k = 0; k < c->n_computed; k++) {
        size_t field = c->layout->metrics + k;
        double v = field < schema->n ? ens_record_f64(rec, schema, field) : NAN;

        if (isfinite(v))
            ens_moments_add(&c->value[k], v);
    }
}

/* -- output ------------------------------------------------------------------
 */

struct out {
    const char *estimand;
    uint64_t all;
    ens_measure_fn *sink;
    void *arg;
    struct ens_error *err;
    enum ens_status status; /* sticky */
};

static void put_row(struct out *o, struct ens_measure m)
{
    m.estimand = o->estimand;
    if (m.n_used == 0)
        m.value = m.mcse = NAN;
    m.n_missing = o->all - m.n_used;
    if (o->status == ENS_OK)
        o->status = o->sink(o->arg, &m, o->err);
}

static void put(struct out *o, const char *measure, double value, double mcse,
                uint64_t n)
{
    put_row(o,
            (struct ens_measure){
                .measure = measure, .value = value, .mcse = mcse, .n_used = n});
}

static void put_always(struct out *o, const struct term *t)
{
    double n = (double)t->estimate.n;
    double sd = sqrt(ens_moments_var(&t->estimate));
    double se = sqrt(t->variance.mean);
    double n_se = (double)t->variance.n;

    put(o, "mean", t->estimate.mean, sd / sqrt(n), t->estimate.n);
    put(o, "sd", sd, sd / sqrt(2 * (n - 1)), t->estimate.n);
    put(o, "model_se", se,
        sqrt(ens_moments_var(&t->variance) / (4 * n_se * se * se)),
        t->variance.n);
}

static void put_metric(struct out *o, const struct term *t,
                       const struct metric *m, size_t k)
{
    double n = (double)t->error.n;

    if (strcmp(m->call, "bias") == 0) {
        put(o, m->name, t->error.mean, sqrt(ens_moments_var(&t->error) / n),
            t->error.n);
    } else if (strcmp(m->call, "rmse") == 0) {
        double rmse = sqrt(t->square.mean);

        put(o, m->name, rmse,
            sqrt(ens_moments_var(&t->square) / n) / (2 * rmse), t->square.n);
    } else {
        double limits = (double)t->n_limits[k];
        double share = (double)t->n_covered[k] / limits;

        put_row(o,
                (struct ens_measure){.measure = m->name,
                                     .value = share,
                                     .mcse = sqrt(share * (1 - share) / limits),
                                     .n_used = t->n_limits[k],
                                     .is_share = 1});
    }
}

/* Means of the columns METRIC__FIELD: those of term j, or, when j is p, those
 * that tasks have one of (then the column is the estimand). */
static void put_computed(struct out *o, const struct cell_sums *c, size_t j)
{
    size_t at = 0;

    for (size_t i = 0; i < c->computed.n; i++) {
        const struct ens_simulation_metric *m = &c->computed.item[i];

        for (size_t k = 0; k < m->ops->n_fields; k++) {
            const struct ens_metric_field *f = &m->ops->field[k];
            const struct ens_moments *v = &c->value[at + (f->per_term ? j : 0)];
            char name[256];

            at += f->per_term ? c->p : 1;
            if ((f->per_term != 0) != (j < c->p))
                continue;
            snprintf(name, sizeof(name), "%s%s%s", m->name,
                     *m->name && *f->name ? "__" : "", f->name);
            if (!f->per_term)
                o->estimand = name;
            put(o, f->per_term ? name : "mean", v->mean,
                sqrt(ens_moments_var(v) / (double)v->n), v->n);
        }
    }
}

static enum ens_status put_cell(const struct cell_sums *c, ens_measure_fn *sink,
                                void *arg, struct ens_error *err)
{
    struct out o = {.all = c->all, .sink = sink, .arg = arg, .err = err};

    for (size_t j = 0; j < c->p; j++) {
        const struct term *t = &c->term[j];

        o.estimand = c->model->shown[j];
        put_always(&o, t);
        for (size_t k = 0; t->truth != SIZE_MAX && k < c->metrics->n; k++)
            put_metric(&o, t, &c->metrics->item[k], k);
        put_computed(&o, c, j);
    }
    put_computed(&o, c, c->p);
    return o.status;
}

/* Truths come with generators whose rows are all complete: n - p is the
 * degrees of freedom of every replicate. */
static double degrees_of_freedom(const struct ens_simulation_model *fit,
                                 const struct ens_cell *cell)
{
    const struct ens_value *n = ens_cell_value(cell, "data", "n");

    if (fit->options.family != ENS_FAMILY_GAUSSIAN)
        return INFINITY;
    if (fit->fitter == &ens_program_fitter ||
        ens_cell_impl(cell, "data")->ops == &ens_program_generator)
        return NAN; /* the program knows */
    return n ? (double)n->i - (double)fit->design.n_columns : NAN;
}

/* -- a cell ------------------------------------------------------------------
 */

struct tally { /* of one cell: what its measures are made of */
    struct ens_arena arena;
    struct ens_data_shape shape;
    struct ens_simulation_model model;
    struct ens_simulation_layout layout;
    struct metrics metrics;
    struct cell_sums sums;
};

static enum ens_status make_sums(struct tally *t, const struct ens_cell *cell,
                                 struct ens_error *err)
{
    struct cell_sums *c = &t->sums;
    uint32_t truth = t->layout.truth;

    c->metrics = &t->metrics;
    c->model = &t->model;
    c->layout = &t->layout;
    c->p = t->model.n_shown;
    c->df = degrees_of_freedom(&t->model, cell);
    c->term = ens_arena_alloc(&t->arena, c->p, sizeof(*c->term));
    c->n_computed = t->layout.n - t->layout.metrics;
    c->value = ens_arena_alloc(&t->arena, c->n_computed, sizeof(*c->value));
    if (!c->term || !c->value)
        return ens_fail(err, ENS_ENOMEMORY, "measures of %zu terms", c->p);
    for (size_t j = 0; j < c->p; j++)
        c->term[j].truth =
            t->model.truth_of[j] != SIZE_MAX ? truth++ : SIZE_MAX;
    return ENS_OK;
}

enum ens_status ens_simulation_tally_new(const struct ens_host *host,
                                         const struct ens_plan *plan,
                                         const struct ens_cell *cell,
                                         void **tally, struct ens_error *err)
{
    const struct ens_study *study = host->plan_study(plan);
    struct tally *t = calloc(1, sizeof(*t));
    enum ens_status s;

    if (!t)
        return ens_fail(err, ENS_ENOMEMORY, "measures of a cell");
    ens_simulation_metrics(study, &t->sums.computed);
    s = read_metrics(study, &t->metrics, err);
    if (s == ENS_OK)
        s = ens_simulation_shape(&t->shape, cell, host, plan, &t->arena, err);
    if (s == ENS_OK)
        s = ens_simulation_model(&t->model, cell, &t->shape, &t->arena, err);
    if (s == ENS_OK)
        s = ens_simulation_layout(&t->layout, &t->model, &t->shape,
                                  &t->sums.computed, &t->arena, err);
    if (s == ENS_OK)
        s = make_sums(t, cell, err);
    if (s == ENS_OK)
        *tally = t;
    else
        ens_simulation_tally_free(t);
    return s;
}

void ens_simulation_tally_free(void *tally)
{
    struct tally *t = tally;

    if (!t)
        return;
    ens_arena_fini(&t->arena);
    free(t);
}

enum ens_status ens_simulation_tally_add(void *tally,
                                         const struct ens_record *rec,
                                         const struct ens_schema *schema,
                                         struct ens_error *err)
{
    struct tally *t = tally;

    (void)err;
    add_record(&t->sums, rec, schema);
    return ENS_OK;
}

enum ens_status ens_simulation_tally_rows(void *tally, ens_measure_fn *sink,
                                          void *arg, struct ens_error *err)
{
    const struct tally *t = tally;

    return put_cell(&t->sums, sink, arg, err);
}

enum ens_status ens_simulation_measures(const struct ens_host *host,
                                        const struct ens_plan *plan,
                                        const struct ens_cell *cell,
                                        struct ens_records *in,
                                        ens_measure_fn *sink, void *arg,
                                        struct ens_error *err)
{
    const struct ens_schema *schema;
    struct ens_record rec;
    void *tally;
    enum ens_status s = ens_simulation_tally_new(host, plan, cell, &tally, err);

    if (s != ENS_OK)
        return s;
    while (s == ENS_OK && host->next_record(in, &rec, &schema))
        s = ens_simulation_tally_add(tally, &rec, schema, err);
    if (s == ENS_OK)
        s = ens_simulation_tally_rows(tally, sink, arg, err);
    ens_simulation_tally_free(tally);
    return s;
}
