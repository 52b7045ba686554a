/* Metrics that tasks compute: those of [metrics] use that have an
 * implementation (the others are measures, made of columns at the end). */
#include "kinds/simulation/program.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

size_t ens_simulation_metric_values(const struct ens_metric *m, size_t p)
{
    size_t n = 0;

    for (size_t i = 0; i < m->n_fields; i++)
        n += m->field[i].per_term ? p : 1;
    return n;
}

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
    m->program = ens_program_metric;
    m->program.n_fields = fields->n_list;
    m->program.field = m->field;
    m->item[m->n++] =
        (struct ens_simulation_metric){.ops = &m->program, .name = ""};
}

void ens_simulation_metrics(const struct ens_study *study,
                            struct ens_simulation_metrics *m)
{
    const struct ens_value *use = ens_study_value(study, "metrics", "use");

    m->n = 0;
    for (size_t i = 0; use != NULL && i < use->n_list; i++) {
        const struct ens_call *call = &use->list[i].call;
        const char *colon;

        if (call->impl == NULL || m->n == ENS_SIMULATION_MAX_METRICS)
            continue;
        colon = strrchr(call->name, ':');
        m->item[m->n++] = (struct ens_simulation_metric){
            .ops = call->impl->ops,
            .call = call,
            .name = colon != NULL ? colon + 1 : call->name,
        };
    }
    add_program(study, m);
}

/* The task stands or falls with its required metrics only. */
static enum ens_status failed(const struct ens_job *job,
                              const struct ens_simulation_metric *m,
                              double *value, size_t n, enum ens_status s,
                              struct ens_error *err)
{
    char text[sizeof(err->text) + 64];

    if (m->ops->required || s == ENS_EINPUT)
        return ens_wrap(err, s, "metric %s", m->name);
    for (size_t i = 0; i < n; i++)
        value[i] = NAN;
    snprintf(text, sizeof(text), "metric %s: %s", m->name, err->text);
    job->host->warn(job->result, text);
    return ENS_OK;
}

enum ens_status ens_simulation_compute(const struct ens_job *job,
                                       const struct ens_simulation_metric *m,
                                       const struct ens_metric_input *in,
                                       uint32_t field, struct ens_error *err)
{
    size_t n = ens_simulation_metric_values(m->ops, in->n_parameters);
    double *value = job->host->alloc(job->result, n, sizeof(*value));
    struct ens_metric_input own = *in;
    struct ens_error local = {0};
    enum ens_status s;

    if (value == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "metric %s", m->name);
    for (size_t i = 0; i < n; i++)
        value[i] = NAN;
    own.call = m->call;
    s = m->ops->compute(job, &own, value, &local);
    if (s != ENS_OK)
        s = failed(job, m, value, n, s, &local);
    if (s != ENS_OK) {
        if (err != NULL)
            *err = local;
        return s;
    }
    for (size_t i = 0; i < n; i++)
        job->host->f64(job->result, field + (uint32_t)i, value[i]);
    return ENS_OK;
}
