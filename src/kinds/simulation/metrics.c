/* Metrics that tasks compute: those of [metrics] use that have an
 * implementation (the others are measures, made of columns at the end). */
#include "base/bug.h"
#include "base/number.h"
#include "config/study.h"
#include "kinds/simulation/metrics/metrics.h"
#include "kinds/simulation/npy.h"
#include "kinds/simulation/program.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

size_t ens_simulation_field_columns(const struct ens_metric_field *f, size_t p)
{
    if (!f->per_term)
        return 1;
    return p <= ENS_SIMULATION_MAX_PARAMETERS ? p : 0;
}

size_t ens_simulation_metric_columns(const struct ens_simulation_metric *m,
                                     size_t p)
{
    size_t n = 0;

    for (size_t i = 0; i < m->n_fields; i++)
        n += ens_simulation_field_columns(&m->field[i], p);
    return n;
}

unsigned ens_simulation_needs(const struct ens_simulation_metrics *m,
                              int required)
{
    unsigned needs = 0;

    for (size_t i = 0; i < m->n; i++)
        if (!required || m->item[i].required)
            needs |= m->item[i].ops->needs;
    return needs;
}

/* -- from a study -----------------------------------------------------------
 */

static void add_program(const struct ens_study *study,
                        struct ens_simulation_metrics *m)
{
    const struct ens_value *run = ens_study_value(study, "metrics", "run");
    const struct ens_value *fields =
        ens_study_value(study, "metrics", "fields");

    if (run == NULL || !run->set || fields->n_list > ENS_SIMULATION_MAX_FIELDS)
        return;
    for (size_t i = 0; i < fields->n_list; i++)
        m->field[i] = (struct ens_metric_field){fields->list[i].text, "",
                                                "computed by [metrics] run", 0};
    m->item[m->n++] = (struct ens_simulation_metric){.ops = &ens_program_metric,
                                                     .name = "",
                                                     .n_fields = fields->n_list,
                                                     .field = m->field};
}

static enum ens_status take_columns(struct ens_simulation_metric *item,
                                    struct ens_error *err)
{
    const struct ens_metric *ops = item->ops;

    item->n_fields = ops->n_fields;
    item->field = ops->field;
    if (ops->columns == NULL)
        return ENS_OK;
    if (ops->n_fields > ENS_SIMULATION_MAX_OWN)
        return ens_fail(err, ENS_ESTUDY, "%s: %zu columns; at most %d",
                        item->name, ops->n_fields, ENS_SIMULATION_MAX_OWN);
    memcpy(item->own, ops->field, ops->n_fields * sizeof(*ops->field));
    item->field = item->own;
    return ops->columns(item->call, item->own, &item->n_fields, item->own_name,
                        err);
}

/* Columns are NAME__FIELD__TERM: no other column begins like these. */
static enum ens_status check_name(const char *name, struct ens_error *err)
{
    static const char *const other[] = {
#define PART(id, text, help) text,
        ENS_SIMULATION_PARTS(PART)
#undef PART
            "truth",
        "meta"};

    for (size_t i = 0; i < ENS_COUNT(other); i++)
        if (strcmp(name, other[i]) == 0)
            return ens_fail(err, ENS_ESTUDY,
                            "%s: columns of that name are there already", name);
    return strstr(name, "__") == NULL
               ? ENS_OK
               : ens_fail(err, ENS_ESTUDY, "%s: no __ in a metric's name",
                          name);
}

static enum ens_status add_call(struct ens_simulation_metrics *m,
                                const struct ens_call *call, const char *name,
                                struct ens_error *err)
{
    struct ens_simulation_metric *item = &m->item[m->n];
    enum ens_status s;

    if (call->impl == NULL)
        return ENS_OK; /* a measure */
    if (m->n == ENS_SIMULATION_MAX_METRICS)
        return ens_fail(err, ENS_ESTUDY, "more than %d metrics",
                        ENS_SIMULATION_MAX_METRICS);
    s = check_name(name, err);
    if (s != ENS_OK)
        return s;
    *item = (struct ens_simulation_metric){
        .ops = call->impl->ops, .call = call, .name = name};
    item->required = item->ops->required;
    m->n++;
    return take_columns(item, err);
}

static enum ens_status add_calls(const struct ens_study *study,
                                 struct ens_simulation_metrics *m,
                                 const char **key, struct ens_error *err)
{
    const struct ens_value *use = ens_study_value(study, "metrics", "use");
    enum ens_status s = ENS_OK;
    const char *own;

    *key = "use";
    for (size_t i = 0; s == ENS_OK && use != NULL && i < use->n_list; i++) {
        const struct ens_call *call = &use->list[i].call;
        const char *colon = strrchr(call->name, ':');

        s = add_call(m, call, colon != NULL ? colon + 1 : call->name, err);
    }
    for (size_t i = 0; s == ENS_OK; i++) {
        own = ens_study_own_key(study, "metrics", i);
        if (own == NULL)
            break;
        *key = own;
        s = add_call(m, &ens_study_value(study, "metrics", own)->call, own,
                     err);
    }
    return s;
}

/* Limits that measures need and no column has. */
static enum ens_status add_limits(const struct ens_study *study,
                                  struct ens_simulation_metrics *m,
                                  struct ens_error *err)
{
    double level[ENS_SIMULATION_MAX_LIMITS];
    size_t n;
    enum ens_status s = ens_simulation_levels(study, level, &n, err);

    if (s == ENS_OK && n > ENS_SIMULATION_MAX_METRICS - m->n)
        s = ens_fail(err, ENS_ESTUDY, "more than %d metrics",
                     ENS_SIMULATION_MAX_METRICS);
    for (size_t k = 0; s == ENS_OK && k < n; k++) {
        struct ens_simulation_limits *l = &m->limits[k];

        ens_number_format(l->level, level[k]);
        snprintf(l->name, sizeof(l->name), "limits_%s", l->level);
        l->arg = (struct ens_call_arg){"level", l->level};
        l->call = (struct ens_call){.name = "limits", .n = 1, .arg = &l->arg};
        m->item[m->n++] = (struct ens_simulation_metric){
            .ops = &ens_metric_limits,
            .call = &l->call,
            .name = l->name,
            .unasked = 1,
            .n_fields = ens_metric_limits.n_fields,
            .field = ens_metric_limits.field};
    }
    return s;
}

/* Names of [metrics] required. */
static enum ens_status mark_required(const struct ens_study *study,
                                     struct ens_simulation_metrics *m,
                                     struct ens_error *err)
{
    const struct ens_value *list =
        ens_study_value(study, "metrics", "required");

    for (size_t i = 0; list != NULL && i < list->n_list; i++) {
        const char *name = list->list[i].text;
        size_t k = 0;

        while (k < m->n && strcmp(m->item[k].name, name) != 0)
            k++;
        if (k == m->n)
            return ens_fail(err, ENS_ESTUDY,
                            "%.60s is no metric that tasks compute here", name);
        m->item[k].required = 1;
    }
    return ENS_OK;
}

enum ens_status ens_simulation_metrics(const struct ens_study *study,
                                       struct ens_simulation_metrics *m,
                                       struct ens_error *err)
{
    const char *key;
    char where[320];
    enum ens_status s;

    m->n = 0;
    s = add_calls(study, m, &key, err);
    if (s == ENS_OK) {
        key = "required";
        s = mark_required(study, m, err);
    }
    if (s != ENS_OK) {
        ens_study_where(study, "metrics", key, where, sizeof(where));
        return ens_wrap(err, s, "%s: [metrics] %s", where, key);
    }
    s = add_limits(study, m, err);
    if (s == ENS_OK)
        add_program(study, m);
    return s;
}

/* -- in a task --------------------------------------------------------------
 */

static int can_compute(const struct ens_metric_input *in, unsigned needs)
{
    const struct ens_predicted *t = in->test;
    unsigned has = 0;

    has |= t != NULL ? ENS_NEEDS_TEST : 0;
    has |= t != NULL && t->mean != NULL ? ENS_NEEDS_PREDICTIONS : 0;
    has |= t != NULL && t->elpd != NULL ? ENS_NEEDS_LOG_LIK : 0;
    has |= in->fit->draws.n_chains > 0 ? ENS_NEEDS_DRAWS : 0;
    has |= in->loo != NULL ? ENS_NEEDS_LOO : 0;
    has |= in->loo != NULL && in->loo->mean != NULL ? ENS_NEEDS_EPRED : 0;
    return (needs & ~has) == 0;
}

/* Where numbers go: into fields, or what is kept of each parameter. */
struct numbers {
    const struct ens_job *job;
    uint32_t field;
    size_t p;
    double *kept; /* next p of the artifact */
    size_t n_errors;
    char *errors; /* NAME: CLASS; ... of those that failed; NULL: none did */
};

#define ERROR_BYTES ((size_t)128)

static void put_error(struct numbers *to, const char *name, enum ens_status s)
{
    size_t cap = ERROR_BYTES * (ENS_SIMULATION_MAX_METRICS + 1);

    if (to->errors == NULL)
        to->errors = to->job->host->alloc(to->job->result, cap, 1);
    if (to->errors == NULL)
        return; /* the warning says it */
    to->n_errors += (size_t)snprintf(
        to->errors + to->n_errors, ERROR_BYTES, "%s%.64s: %s",
        to->n_errors > 0 ? "; " : "", name, ens_status_text(s));
}

/* The task stands or falls with its required metrics only. */
static enum ens_status failed(struct numbers *to,
                              const struct ens_simulation_metric *m,
                              double *value, size_t n, enum ens_status s,
                              struct ens_error *err)
{
    const struct ens_job *job = to->job;
    char text[sizeof(err->text) + 64];

    if (m->required || s == ENS_EINPUT)
        return ens_wrap(err, s, "metric %s", m->name);
    for (size_t i = 0; i < n; i++)
        value[i] = NAN;
    snprintf(text, sizeof(text), "metric %s: %s", m->name, err->text);
    job->host->warn(job->result, text);
    put_error(to, m->name, s);
    return ENS_OK;
}

static size_t n_values(const struct ens_simulation_metric *m, size_t p)
{
    size_t n = 0;

    for (size_t i = 0; i < m->n_fields; i++)
        n += m->field[i].per_term ? p : 1;
    return n;
}

/* Its numbers, NaN where there are none. */
static enum ens_status values_of(struct numbers *to, const struct ens_job *job,
                                 const struct ens_simulation_metric *m,
                                 const struct ens_metric_input *in,
                                 double **value, struct ens_error *err)
{
    size_t n = n_values(m, in->n_parameters);
    double *v = *value = job->host->alloc(job->result, n, sizeof(*v));
    struct ens_metric_input own = *in;
    struct ens_error local = {0};
    enum ens_status s;

    if (v == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "metric %s", m->name);
    for (size_t i = 0; i < n; i++)
        v[i] = NAN;
    if (!can_compute(in, m->ops->needs))
        return ENS_OK;
    own.call = m->call;
    own.name = m->name;
    s = m->ops->compute(job, &own, v, &local);
    if (s != ENS_OK)
        s = failed(to, m, v, n, s, &local);
    if (s != ENS_OK && err != NULL)
        *err = local;
    return s;
}

static void put(struct numbers *to, const struct ens_simulation_metric *m,
                const double *v)
{
    for (size_t i = 0; i < m->n_fields; i++) {
        size_t n = m->field[i].per_term ? to->p : 1;
        size_t columns = ens_simulation_field_columns(&m->field[i], to->p);

        for (size_t j = 0; j < columns; j++)
            to->job->host->f64(to->job->result, to->field++, v[j]);
        if (columns == 0 && to->kept != NULL) {
            memcpy(to->kept, v, n * sizeof(*v));
            to->kept += n;
        }
        v += n;
    }
}

/* Fields that are in the artifact. */
static size_t n_kept(const struct ens_simulation_metrics *all, size_t p)
{
    size_t n = 0;

    for (size_t i = 0; i < all->n; i++)
        for (size_t k = 0; k < all->item[i].n_fields; k++)
            n += ens_simulation_field_columns(&all->item[i].field[k], p) == 0;
    return n;
}

enum ens_status ens_simulation_compute(const struct ens_job *job,
                                       const struct ens_simulation_metrics *all,
                                       void *const *state,
                                       const struct ens_metric_input *in,
                                       uint32_t field, struct ens_error *err)
{
    const struct ens_host *host = job->host;
    size_t p = in->n_parameters, columns = n_kept(all, p);
    size_t bytes = ENS_NPY_HEAD + columns * p * sizeof(double);
    unsigned char *kept = NULL;
    struct numbers to = {.job = job, .field = field, .p = p};
    struct ens_job own = *job;
    enum ens_status s = ENS_OK;

    if (columns > 0 && host->keeps(job->result, "metrics")) {
        kept = host->alloc(job->result, bytes, 1);
        if (kept == NULL)
            return ens_fail(err, ENS_ENOMEMORY, "metrics of %zu parameters", p);
        ens_npy_head((char *)kept, "<f8", p, columns, 0);
        to.kept = (double *)(void *)(kept + ENS_NPY_HEAD);
    }
    for (size_t i = 0; s == ENS_OK && i < all->n; i++) {
        double *value;

        own.state = state[i];
        s = values_of(&to, &own, &all->item[i], in, &value, err);
        if (s == ENS_OK)
            put(&to, &all->item[i], value);
    }
    if (s == ENS_OK && to.errors != NULL)
        host->text(job->result, to.field, to.errors, to.n_errors);
    if (s != ENS_OK || kept == NULL)
        return s;
    return host->artifact(job->result, "metrics", kept, bytes, err);
}
