#include "kinds/simulation/program.h"

#include "base/bug.h"

#include "config/model.h"
#include "program/json.h"
#include "program/words.h"

#include <math.h>
#include <string.h>

enum ens_status ens_program_open(const struct ens_host *host, void **state,
                                 struct ens_error *err)
{
    struct ens_crew *crew = NULL;
    enum ens_status s = ens_crew_open(&crew, err);

    (void)host;
    if (s == ENS_OK)
        *state = crew;
    return s;
}

void ens_program_close(void *state)
{
    ens_crew_close(state);
}

/* -- checks -----------------------------------------------------------------
 */

enum ens_status ens_program_check(const struct ens_study *study,
                                  const char *run, struct ens_error *err)
{
    struct ens_arena arena = ENS_ARENA_INIT;
    struct ens_words line;
    enum ens_status s = ens_words_parse(&line, run, 0, &arena, err);

    if (s == ENS_OK)
        s = ens_task_values_check_names(study, &line, 1, err);
    ens_arena_fini(&arena);
    return s == ENS_OK ? s : ens_wrap(err, s, "run");
}

static enum ens_status check_exists(const struct ens_study *study,
                                    const char *section, const char *run,
                                    const char *folder, struct ens_error *err)
{
    struct ens_arena arena = ENS_ARENA_INIT;
    struct ens_words line;
    enum ens_status s = ens_words_parse(&line, run, 0, &arena, err);

    if (s == ENS_OK)
        s = ens_words_check_program(&line, folder, &arena, err);
    if (s == ENS_OK)
        s = ens_task_values_check_files(study, &line, err);
    ens_arena_fini(&arena);
    return s == ENS_OK ? s : ens_wrap(err, s, "[%.80s] run", section);
}

static enum ens_status check_row(const struct ens_study *study,
                                 const struct ens_row *row,
                                 struct ens_error *err)
{
    const struct ens_key *run = ens_row_find(row, "run");
    const struct ens_key *folder = ens_row_find(row, "folder");

    if (row->impl->ops != &ens_program_generator &&
        row->impl->ops != &ens_program_fitter)
        return ENS_OK;
    return check_exists(study, row->section, run->value.v->text,
                        folder->value.v->text, err);
}

enum ens_status ens_program_check_all(const struct ens_host *host,
                                      const struct ens_plan *plan,
                                      struct ens_error *err)
{
    static const char *const roles[] = {"data", "fit"};
    const struct ens_study *study = host->plan_study(plan);
    const struct ens_value *run = ens_study_value(study, "metrics", "run");
    enum ens_status s = ENS_OK;

    for (size_t k = 0; k < ENS_COUNT(roles); k++) {
        const struct ens_role_rows *rows = ens_study_rows(study, roles[k]);

        for (size_t i = 0; s == ENS_OK && i < rows->n; i++)
            s = check_row(study, &rows->row[i], err);
    }
    if (s != ENS_OK || !run->set)
        return s;
    return check_exists(study, "metrics", run->text,
                        ens_study_value(study, "metrics", "folder")->text, err);
}

/* -- numbers ----------------------------------------------------------------
 */

static void put_head(struct ens_buf *to, const char *key, uint64_t at, size_t n,
                     const char *const *column, size_t n_columns)
{
    ens_buf_printf(to,
                   ", \"%s\": {\"path\": \"" ENS_CREW_DATA_PATH
                   "\", \"at\": %llu, \"rows\": %zu, \"columns\": ",
                   key, (unsigned long long)at, n);
    ens_json_texts(to, column, n_columns);
}

enum ens_status ens_program_put_block(struct ens_crew *crew,
                                      struct ens_crew_member *m,
                                      const char *key, const double *x,
                                      size_t n, const char *const *column,
                                      size_t n_columns, struct ens_error *err)
{
    uint64_t at;
    enum ens_status s = ens_share_put(&m->data, x, n * n_columns, &at, err);

    put_head(&crew->line, key, at, n, column, n_columns);
    ens_buf_puts(&crew->line, "}");
    return s;
}

static void put_levels(struct ens_buf *to, const struct ens_data *data)
{
    int n = 0;

    ens_buf_puts(to, ", \"levels\": {");
    for (size_t j = 0; j < data->n_columns; j++) {
        const struct ens_data_column *c = &data->column[j];

        if (c->level == NULL)
            continue;
        ens_json_key(to, &n, data->name[j]);
        ens_json_texts(to, c->level, c->n_levels);
    }
    ens_buf_puts(to, "}}");
}

enum ens_status ens_program_put_data(struct ens_crew *crew,
                                     struct ens_crew_member *m,
                                     const struct ens_job *job,
                                     const struct ens_data *data,
                                     struct ens_error *err)
{
    double *block = job->host->alloc(job->result, data->n, sizeof(*block));
    uint64_t first = m->data.used, at;
    enum ens_status s = ENS_OK;

    if (block == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "a column of %zu rows", data->n);
    for (size_t j = 0; s == ENS_OK && j < data->n_columns; j++) {
        const double *x = ens_data_rows(data, (uint32_t)j, 0, data->n, block);

        if (data->column[j].level != NULL) { /* missing text is place -1 */
            if (x != block)
                memcpy(block, x, data->n * sizeof(*block));
            for (size_t i = 0; i < data->n; i++)
                if (block[i] < 0)
                    block[i] = NAN;
            x = block;
        }
        s = ens_share_put(&m->data, x, data->n, &at, err);
    }
    put_head(&crew->line, "data", first, data->n, data->name, data->n_columns);
    put_levels(&crew->line, data);
    return s;
}

enum ens_status ens_program_put_problem(struct ens_crew *crew,
                                        struct ens_crew_member *m,
                                        const struct ens_fit_problem *problem,
                                        struct ens_error *err)
{
    static const char *const offset = "offset";
    enum ens_status s;

    if (problem->x == NULL)
        return ENS_OK;
    s = ens_program_put_block(crew, m, "x", problem->x, problem->n,
                              problem->term, problem->p, err);
    if (s == ENS_OK)
        s = ens_program_put_block(crew, m, "y", problem->y, problem->n,
                                  &problem->response, 1, err);
    if (s == ENS_OK && problem->offset != NULL)
        s = ens_program_put_block(crew, m, "offset", problem->offset,
                                  problem->n, &offset, 1, err);
    return s;
}

void ens_program_put_numbers(struct ens_buf *to, const char *key,
                             const double *v, size_t n)
{
    ens_buf_printf(to, ", \"%s\": [", key);
    for (size_t i = 0; i < n; i++) {
        ens_buf_puts(to, i > 0 ? ", " : "");
        ens_json_number(to, v[i]);
    }
    ens_buf_puts(to, "]");
}
