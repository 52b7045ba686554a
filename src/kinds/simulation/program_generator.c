/* Generator `program`: data sets that a program of the user's makes.
 *
 * Its random numbers come from one word of the stream "data", its seed: the
 * data are the same for every row of fits. */
#include "kinds/simulation/program.h"

#include "config/model.h"
#include "kinds/simulation/generators/truths.h"
#include "program/json.h"

#include <math.h>
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
             "the row's own keys; TERM alone: given with each data set"},
    {.section = "data",
     .key = "meta",
     .type = ENS_T_TEXT,
     .shape = ENS_LIST,
     .cls = ENS_C_STUDY,
     .def = "",
     .help = "names of numbers given with each data set: columns meta__NAME"},
    ENS_PROGRAM_FOLDER("data"),
};

/* -- data --------------------------------------------------------------------
 */

/* Names of a list, each once. */
static enum ens_status take_names(const struct ens_setup *setup,
                                  const struct ens_cell *cell, const char *key,
                                  const char *const **to, size_t *n,
                                  struct ens_error *err)
{
    const struct ens_value *list = ens_cell_value(cell, "data", key);
    const char **name = setup->alloc(setup, list->n_list + 1, sizeof(*name));

    if (name == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "names of %s", key);
    for (size_t i = 0; i < list->n_list; i++) {
        name[i] = list->list[i].text;
        for (size_t k = 0; k < i; k++)
            if (strcmp(name[k], name[i]) == 0)
                return ens_fail(err, ENS_ESTUDY, "%s: %.60s is given twice",
                                key, name[i]);
    }
    *to = name;
    *n = list->n_list;
    return ENS_OK;
}

/* Truths that are given with each data set. */
struct varying {
    size_t n;
    const char **name;
    size_t *place; /* among the shape's truths */
};

static enum ens_status find_varying(const struct ens_setup *setup,
                                    struct ens_data_shape *out,
                                    struct ens_error *err)
{
    struct varying *v = setup->alloc(setup, 1, sizeof(*v));

    if (v == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "truth");
    v->name = setup->alloc(setup, out->n_truth + 1, sizeof(*v->name));
    v->place = setup->alloc(setup, out->n_truth + 1, sizeof(*v->place));
    if (v->name == NULL || v->place == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "truth");
    for (size_t k = 0; k < out->n_truth; k++)
        if (isnan(out->truth_value[k])) {
            v->place[v->n] = k;
            v->name[v->n++] = out->truth[k];
        }
    out->own = v;
    return ENS_OK;
}

/* One row stands for as many as there will be. */
static enum ens_status shape(const struct ens_setup *setup,
                             const struct ens_cell *cell,
                             struct ens_data_shape *out, struct ens_error *err)
{
    enum ens_status s = ens_program_check(
        cell->study, ens_cell_value(cell, "data", "run")->text, err);

    out->data.n = 1;
    if (s == ENS_OK)
        s = ens_truths_read(setup, cell, 1, out, err);
    if (s == ENS_OK)
        s = find_varying(setup, out, err);
    if (s == ENS_OK)
        s = take_names(setup, cell, "columns", &out->data.name,
                       &out->data.n_columns, err);
    return s == ENS_OK
               ? take_names(setup, cell, "meta", &out->meta, &out->n_meta, err)
               : s;
}

static enum ens_status count_rows(const struct ens_answer *answer, uint64_t *n,
                                  uint64_t *n_test, struct ens_error *err)
{
    enum ens_status s = ens_answer_count(answer, "rows", ROWS_MAX, n, err);

    *n_test = 0;
    if (s == ENS_OK && *n == 0)
        return ens_fail(err, ENS_EDOMAIN, "output: no rows");
    if (s == ENS_OK && ens_answer_has(answer, "test_rows"))
        s = ens_answer_count(answer, "test_rows", ROWS_MAX, n_test, err);
    return s;
}

/* Of each column the rows to fit to, then those to predict. */
static enum ens_status
take_rows(const struct ens_job *job, const struct ens_crew_member *m,
          const struct ens_answer *answer, const struct ens_data *shape,
          struct ens_generated *out, struct ens_error *err)
{
    size_t columns = shape->n_columns;
    struct ens_data_column *column =
        job->host->alloc(job->result, 2 * columns, sizeof(*column));
    double *all = NULL;
    uint64_t n, n_test;
    enum ens_status s = count_rows(answer, &n, &n_test, err);

    if (s != ENS_OK)
        return s;
    if (n + n_test <= SIZE_MAX / sizeof(*all) / columns)
        all =
            job->host->alloc(job->result, (n + n_test) * columns, sizeof(*all));
    if (column == NULL || all == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "data of %llu rows, %zu columns",
                        (unsigned long long)(n + n_test), columns);
    s = ens_share_get(&m->answer, all, (n + n_test) * columns, err);
    for (size_t j = 0; j < columns; j++) {
        column[j].values = all + j * (n + n_test);
        column[columns + j].values = column[j].values + n;
    }
    out->data = out->test = *shape;
    out->data.n = n;
    out->data.column = column;
    out->test.n = n_test;
    out->test.column = column + columns;
    return s;
}

static enum ens_status take(const struct ens_job *job,
                            const struct ens_crew_member *m,
                            const struct ens_answer *answer,
                            const struct ens_data_shape *shape,
                            struct ens_generated *out, struct ens_error *err)
{
    const struct varying *v = shape->own;
    double *value = job->host->alloc(job->result, v->n, sizeof(*value));
    enum ens_status s = take_rows(job, m, answer, &shape->data, out, err);

    if (s == ENS_OK && value == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "truth");
    for (size_t k = 0; s == ENS_OK && k < v->n; k++)
        value[k] = NAN;
    if (s == ENS_OK)
        s = ens_answer_numbers(answer, "truth", v->name, v->n, value, err);
    for (size_t k = 0; s == ENS_OK && k < v->n; k++)
        out->truth[v->place[k]] = value[k];
    return s == ENS_OK ? ens_answer_numbers(answer, "meta", shape->meta,
                                            shape->n_meta, out->meta, err)
                       : s;
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

static void put_names(struct ens_buf *to, const char *key,
                      const char *const *name, size_t n)
{
    if (n == 0)
        return;
    ens_buf_printf(to, ", \"%s\": ", key);
    ens_json_texts(to, name, n);
}

static enum ens_status generate(const struct ens_job *job,
                                const struct ens_data_shape *shape,
                                struct ens_generated *out,
                                struct ens_error *err)
{
    const struct ens_host *host = job->host;
    const struct ens_cell *cell = &job->task->cell;
    const struct varying *names = shape->own;
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
    put_names(&crew->line, "truth_names", names->name, names->n);
    put_names(&crew->line, "meta_names", shape->meta, shape->n_meta);
    ens_buf_puts(&crew->line, ", \"answer\": \"" ENS_CREW_ANSWER_PATH "\"");
    ens_request_end(&crew->line);
    s = ens_crew_ask(crew, m, job, v.task, &answer, err);
    if (s != ENS_OK)
        return s;
    s = take(job, m, &answer, shape, out, err);
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
