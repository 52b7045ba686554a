/* Generator `program`: data sets that a program of the user's makes.
 *
 * Its random numbers come from one word of the stream "data", its seed: the
 * data are the same for every row of fits. */
#include "kinds/simulation/program.h"

#include "config/model.h"
#include "kinds/simulation/generators/truths.h"
#include "program/json.h"

#include <string.h>

#define ROWS_MAX ((uint64_t)100000000)

const struct ens_setting ens_program_generator_settings[] = {
    ENS_PROGRAM_RUN("data", ENS_C_DATA, NULL),
    {.section = "data",
     .key = "columns",
     .type = ENS_T_TEXT,
     .shape = ENS_LIST,
     .cls = ENS_C_DATA,
     .def = NULL,
     .help = "names of the columns it makes, in their order"},
    {.section = "data",
     .key = "truth",
     .type = ENS_T_TEXT,
     .shape = ENS_LIST,
     .cls = ENS_C_STUDY,
     .def = "",
     .help = "TERM=VALUE: true values of terms; VALUE is a number or one of "
             "the row's own keys"},
    ENS_PROGRAM_FOLDER("data"),
};

/* -- data --------------------------------------------------------------------
 */

/* One row stands for as many as there will be. */
static enum ens_status shape(const struct ens_setup *setup,
                             const struct ens_cell *cell,
                             struct ens_data_shape *out, struct ens_error *err)
{
    const struct ens_value *columns = ens_cell_value(cell, "data", "columns");
    const char **name = setup->alloc(setup, columns->n_list + 1, sizeof(*name));
    enum ens_status s = ens_program_check(
        cell->study, ens_cell_value(cell, "data", "run")->text, err);

    if (s == ENS_OK)
        s = ens_truths_read(setup, cell, 0, out, err);
    if (s != ENS_OK)
        return s;
    if (name == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "names of columns");
    for (size_t i = 0; i < columns->n_list; i++) {
        name[i] = columns->list[i].text;
        for (size_t k = 0; k < i; k++)
            if (strcmp(name[k], name[i]) == 0)
                return ens_fail(err, ENS_ESTUDY,
                                "columns: %.60s is given twice", name[i]);
    }
    out->data =
        (struct ens_data){.n = 1, .n_columns = columns->n_list, .name = name};
    return ENS_OK;
}

static enum ens_status take(const struct ens_job *job,
                            const struct ens_crew_member *m,
                            const struct ens_answer *answer,
                            const struct ens_data *shape,
                            struct ens_generated *out, struct ens_error *err)
{
    size_t columns = shape->n_columns;
    struct ens_data_column *column =
        job->host->alloc(job->result, columns, sizeof(*column));
    double *all = NULL;
    uint64_t n = 0;
    enum ens_status s = ens_answer_count(answer, "rows", ROWS_MAX, &n, err);

    if (s == ENS_OK && n == 0)
        s = ens_fail(err, ENS_EDOMAIN, "output: no rows");
    if (s != ENS_OK)
        return s;
    if (n <= SIZE_MAX / sizeof(*all) / columns)
        all = job->host->alloc(job->result, n * columns, sizeof(*all));
    if (column == NULL || all == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "data of %llu rows, %zu columns",
                        (unsigned long long)n, columns);
    s = ens_share_get(&m->answer, all, n * columns, err);
    for (size_t j = 0; j < columns; j++)
        column[j].values = all + j * n;
    out->data = *shape;
    out->data.n = n;
    out->data.column = column;
    return s;
}

static enum ens_status warn(const struct ens_job *job,
                            const struct ens_answer *answer,
                            struct ens_error *err)
{
    const char *text[ENS_FIT_MAX_WARNINGS];
    size_t n;
    enum ens_status s = ens_answer_texts(answer, "warnings", text,
                                         ENS_FIT_MAX_WARNINGS, &n, err);

    for (size_t i = 0; s == ENS_OK && i < n; i++)
        job->host->warn(job->result, text[i]);
    return s;
}

static enum ens_status generate(const struct ens_job *job,
                                const struct ens_data_shape *shape,
                                struct ens_generated *out,
                                struct ens_error *err)
{
    const struct ens_host *host = job->host;
    const struct ens_cell *cell = &job->task->cell;
    struct ens_crew *crew = job->state;
    struct ens_crew_member *m;
    struct ens_task_values v;
    struct ens_answer answer;
    enum ens_status s = ens_crew_get(
        crew, ens_cell_value(cell, "data", "run")->text,
        ens_cell_value(cell, "data", "folder")->text, job, &m, err);

    if (s != ENS_OK)
        return s;
    ens_task_values_set(&v, job->task);
    ens_task_values_as(&v, cell->data_hash[0],
                       host->bits(host->rng(job->result, "data")));
    ens_request_begin(&crew->line, "generate", "data", &v);
    ens_request_inputs(&crew->line, host, &v, job->result);
    ens_buf_puts(&crew->line, ", \"columns\": ");
    ens_json_texts(&crew->line, shape->data.name, shape->data.n_columns);
    ens_buf_puts(&crew->line, ", \"answer\": \"" ENS_CREW_ANSWER_PATH "\"");
    ens_request_end(&crew->line);
    s = ens_crew_ask(crew, m, job, v.task, &answer, err);
    if (s != ENS_OK)
        return s;
    s = take(job, m, &answer, &shape->data, out, err);
    if (s == ENS_OK)
        s = warn(job, &answer, err);
    ens_answer_close(&answer);
    return s;
}

const struct ens_generator ens_program_generator = {
    .open = ens_program_open,
    .close = ens_program_close,
    .shape = shape,
    .generate = generate,
};
