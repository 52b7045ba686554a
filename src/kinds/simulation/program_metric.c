/* The metric of [metrics] run: numbers that a program of the user's makes from
 * the data and the fit of a task; each of `fields` is a column. */
#include "kinds/simulation/program.h"

#include "base/bug.h"

#include "base/number.h"
#include "program/json.h"

static enum ens_status put_request(struct ens_crew *crew,
                                   struct ens_crew_member *m,
                                   const struct ens_job *job,
                                   const struct ens_metric_input *in,
                                   struct ens_error *err)
{
    const struct ens_fit_problem *problem = in->problem;
    const struct {
        const char *key;
        const double *v;
    } part[] = {{"estimate", in->fit->estimate},
                {"std_error", in->fit->std_error},
                {"conf_low", in->fit->conf_low},
                {"conf_high", in->fit->conf_high}};
    size_t n = in->n_parameters;
    double *shown = job->host->alloc(job->result, n, sizeof(*shown));
    enum ens_status s;

    if (shown == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "%zu parameters", n);
    ens_buf_puts(&crew->line, ", \"terms\": ");
    ens_json_texts(&crew->line, in->parameter, n);
    for (size_t i = 0; i < ENS_COUNT(part); i++) {
        for (size_t j = 0; j < n; j++)
            shown[j] = part[i].v[in->place[j]];
        ens_program_put_numbers(&crew->line, part[i].key, shown, n);
    }
    ens_program_put_numbers(&crew->line, "truth", in->truth, n);
    s = ens_program_put_data(crew, m, job, in->data, err);
    if (s == ENS_OK)
        s = ens_program_put_problem(crew, m, problem, err);
    ens_request_end(&crew->line);
    return s;
}

/* "fields" of [metrics]. */
static enum ens_status take(const struct ens_job *job,
                            const struct ens_answer *answer, double *value,
                            struct ens_error *err)
{
    const struct ens_value *list =
        ens_study_value(job->task->cell.study, "metrics", "fields");
    const char **name =
        job->host->alloc(job->result, list->n_list, sizeof(*name));

    if (name == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "fields of a metric");
    for (size_t i = 0; i < list->n_list; i++)
        name[i] = list->list[i].text;
    return ens_answer_fields(answer, name, list->n_list, value, err);
}

static enum ens_status compute(const struct ens_job *job,
                               const struct ens_metric_input *in, double *value,
                               struct ens_error *err)
{
    const struct ens_host *host = job->host;
    const struct ens_cell *cell = &job->task->cell;
    const struct ens_study *study = cell->study;
    struct ens_crew *crew = job->state;
    struct ens_crew_member *m;
    struct ens_task_values v;
    struct ens_answer answer;
    enum ens_status s = ens_crew_get(
        crew, ens_study_value(study, "metrics", "run")->text,
        ens_study_value(study, "metrics", "folder")->text, job, &m, err);

    if (s != ENS_OK)
        return s;
    ens_task_values_set(&v, job->task);
    ens_task_values_as(&v, cell->hash[0],
                       host->bits(host->rng(job->result, "metric.run")));
    ens_request_begin(&crew->line, "metric", NULL, &v);
    ens_request_inputs(&crew->line, host, &v, job->result);
    s = put_request(crew, m, job, in, err);
    if (s == ENS_OK)
        s = ens_crew_ask(crew, m, job, v.task, &answer, err);
    if (s != ENS_OK)
        return s;
    s = take(job, &answer, value, err);
    ens_answer_close(&answer);
    return s;
}

const struct ens_metric ens_program_metric = {
    .open = ens_program_open,
    .close = ens_program_close,
    .compute = compute,
};
