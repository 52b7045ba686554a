/* Fitter `program`: estimates that a program of the user's makes from the data
 * and, with a formula, from the model matrix. Its seed is one word of the
 * stream "fit". */
#include "kinds/simulation/program.h"

#include "base/bug.h"

#include "program/json.h"

#include <string.h>

const struct ens_setting ens_program_fitter_settings[] = {
    ENS_PROGRAM_RUN("fit", ENS_C_CELL, NULL),
    {.section = "fit",
     .key = "formula",
     .type = ENS_T_FORMULA,
     .shape = ENS_AXIS,
     .cls = ENS_C_CELL,
     .def = "",
     .help = "model as in R: its terms are estimated, its model matrix is "
             "sent"},
    {.section = "fit",
     .key = "terms",
     .type = ENS_T_TEXT,
     .shape = ENS_LIST,
     .cls = ENS_C_CELL,
     .def = "",
     .help = "what is estimated, where there is no formula"},
    ENS_FIT_SETTING_LEVEL,
    ENS_PROGRAM_FOLDER("fit"),
};

static enum ens_status options(const struct ens_fit_setup *setup,
                               const struct ens_cell *cell, const char *role,
                               struct ens_fit_options *o, struct ens_error *err)
{
    int formula = ens_cell_value(cell, role, "formula")->set;
    int terms = ens_cell_value(cell, role, "terms")->set;
    enum ens_status s = ens_fit_level(cell, role, &o->level, err);

    (void)setup;
    o->family = ENS_FAMILY_GAUSSIAN;
    o->link = ENS_LINK_IDENTITY;
    if (s == ENS_OK && formula == terms)
        s = ens_fail(err, ENS_ESTUDY, "%s",
                     formula ? "formula and terms: give one of them"
                             : "formula, or terms, is missing");
    if (s == ENS_OK)
        s = ens_program_check(cell->study,
                              ens_cell_value(cell, role, "run")->text, err);
    return s;
}

/* Kept with the task. */
static enum ens_status take_warnings(const struct ens_job *job,
                                     const struct ens_answer *answer,
                                     struct ens_fit_result *r,
                                     struct ens_error *err)
{
    const char *text[ENS_FIT_MAX_WARNINGS];
    size_t n;
    enum ens_status s = ens_answer_texts(answer, "warnings", text,
                                         ENS_FIT_MAX_WARNINGS, &n, err);

    for (size_t i = 0; s == ENS_OK && i < n; i++) {
        size_t size = strlen(text[i]) + 1;
        char *own = job->host->alloc(job->result, size, 1);

        if (own == NULL)
            return ens_fail(err, ENS_ENOMEMORY, "warnings of a program");
        memcpy(own, text[i], size);
        r->warning[r->n_warnings++] = own;
    }
    return s;
}

static enum ens_status take(const struct ens_job *job,
                            const struct ens_answer *answer,
                            const struct ens_fit_problem *problem,
                            struct ens_fit_result *r, struct ens_error *err)
{
    const struct {
        const char *key;
        double *to;
    } part[] = {{"estimate", r->estimate},
                {"std_error", r->std_error},
                {"conf_low", r->conf_low},
                {"conf_high", r->conf_high}};
    enum ens_status s = ens_answer_number(answer, "df", &r->df, err);

    if (s == ENS_OK && !(r->df > 0))
        s = ens_fail(err, ENS_EDOMAIN, "output: df is not above 0");
    for (size_t i = 0; s == ENS_OK && i < ENS_COUNT(part); i++)
        s = ens_answer_numbers(answer, part[i].key, problem->term, problem->p,
                               part[i].to, err);
    return s == ENS_OK ? take_warnings(job, answer, r, err) : s;
}

static enum ens_status put_request(struct ens_crew *crew,
                                   struct ens_crew_member *m,
                                   const struct ens_job *job,
                                   const struct ens_fit_problem *problem,
                                   struct ens_error *err)
{
    const struct ens_cell *cell = &job->task->cell;
    const struct ens_value *formula = ens_cell_value(cell, "fit", "formula");
    enum ens_status s;

    ens_buf_puts(&crew->line, ", \"level\": ");
    ens_buf_puts(&crew->line, ens_cell_value(cell, "fit", "level")->text);
    ens_buf_puts(&crew->line, ", \"terms\": ");
    ens_json_texts(&crew->line, problem->term, problem->p);
    if (formula->set) {
        ens_buf_puts(&crew->line, ", \"formula\": ");
        ens_json_text(&crew->line, formula->text);
    }
    s = ens_program_put_data(crew, m, job, problem->data, err);
    if (s == ENS_OK)
        s = ens_program_put_problem(crew, m, problem, err);
    ens_request_end(&crew->line);
    return s;
}

static enum ens_status fit(const struct ens_job *job,
                           const struct ens_fit_options *o,
                           const struct ens_fit_problem *problem, double *work,
                           struct ens_fit_result *result, struct ens_error *err)
{
    const struct ens_host *host = job->host;
    const struct ens_cell *cell = &job->task->cell;
    struct ens_crew *crew = job->state;
    struct ens_crew_member *m;
    struct ens_task_values v;
    struct ens_answer answer;
    enum ens_status s =
        ens_crew_get(crew, ens_cell_value(cell, "fit", "run")->text,
                     ens_cell_value(cell, "fit", "folder")->text, job, &m, err);

    (void)o;
    (void)work;
    if (s != ENS_OK)
        return s;
    ens_task_values_set(&v, job->task);
    ens_task_values_as(&v, cell->hash[0],
                       host->bits(host->rng(job->result, "fit")));
    ens_request_begin(&crew->line, "fit", "fit", &v);
    ens_request_inputs(&crew->line, host, &v, job->result);
    s = put_request(crew, m, job, problem, err);
    if (s == ENS_OK)
        s = ens_crew_ask(crew, m, job, v.task, &answer, err);
    if (s != ENS_OK)
        return s;
    s = take(job, &answer, problem, result, err);
    ens_answer_close(&answer);
    return s;
}

const struct ens_fitter ens_program_fitter = {
    .delivers = ENS_DELIVERS_INTERVALS,
    .open = ens_program_open,
    .close = ens_program_close,
    .options = options,
    .fit = fit,
};
