#include "program/values.h"

#include "base/bug.h"
#include "base/hash.h"
#include "config/model.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const of_tasks[] = {"seed", "seed31", "replicate", "task"};

void ens_task_values_as(struct ens_task_values *v, uint64_t id, uint64_t seed)
{
    char hex[ENS_HEX64_BYTES];

    ens_hex64(hex, id);
    snprintf(v->task, sizeof(v->task), "%s:%s", hex, v->replicate);
    snprintf(v->seed, sizeof(v->seed), "%llu", (unsigned long long)seed);
    snprintf(v->seed31, sizeof(v->seed31), "%u", (unsigned)(seed >> 33));
}

void ens_task_values_set(struct ens_task_values *v, const struct ens_task *task)
{
    v->cell = &task->cell;
    snprintf(v->replicate, sizeof(v->replicate), "%u",
             (unsigned)task->replicate);
    ens_task_values_as(v, task->cell.hash[0], task->seed);
}

const char *ens_task_values_input_path(const struct ens_study *study,
                                       const char *name)
{
    for (size_t i = 0; i < ens_study_n_inputs(study); i++)
        if (strcmp(ens_study_input_name(study, i), name) == 0) {
            const char *path = ens_study_input_value(study, i, "path")->text;

            return *path == '/' ? path : NULL;
        }
    return NULL;
}

const char *ens_task_values_get(void *arg, const char *name)
{
    const struct ens_task_values *v = arg;
    const char *const own[] = {v->seed, v->seed31, v->replicate, v->task};
    const struct ens_value *axis;

    for (size_t i = 0; i < ENS_COUNT(of_tasks); i++)
        if (strcmp(of_tasks[i], name) == 0)
            return own[i];
    if (strncmp(name, "input.", 6) == 0)
        return ens_task_values_input_path(v->cell->study, name + 6);
    axis = ens_cell_value(v->cell, "axes", name);
    return axis == NULL ? NULL : axis->text;
}

/* -- checks ------------------------------------------------------------------
 */

static int is_of_tasks(const char *name)
{
    for (size_t i = 0; i < ENS_COUNT(of_tasks); i++)
        if (strcmp(of_tasks[i], name) == 0)
            return 1;
    return 0;
}

static enum ens_status check_input(const struct ens_study *study,
                                   const char *name, struct ens_error *err)
{
    if (ens_task_values_input_path(study, name + 6) == NULL)
        return ens_fail(err, ENS_ESTUDY,
                        "{%.60s}: no input of that name with a "
                        "file of its own",
                        name);
    return ENS_OK;
}

enum ens_status ens_task_values_check_axes(const struct ens_study *study,
                                           struct ens_error *err)
{
    const struct ens_role_rows *axes = ens_study_rows(study, "axes");
    char where[256];

    for (size_t i = 0; i < axes->n; i++)
        for (size_t k = 0; k < axes->row[i].n_keys; k++)
            if (is_of_tasks(axes->row[i].key[k].s->key)) {
                ens_study_where(study, axes->row[i].section,
                                axes->row[i].key[k].s->key, where,
                                sizeof(where));
                return ens_fail(err, ENS_ESTUDY,
                                "%s: [%.60s] %s: every task has a value of "
                                "that name; choose another",
                                where, axes->row[i].section,
                                axes->row[i].key[k].s->key);
            }
    return ENS_OK;
}

static enum ens_status check_name(const struct ens_role_rows *axes,
                                  const char *name, struct ens_error *err)
{
    for (size_t i = 0; !is_of_tasks(name) && i < axes->n; i++)
        if (ens_row_find(&axes->row[i], name) == NULL)
            return ens_fail(err, ENS_ESTUDY,
                            "{%.60s}: [%.60s] has no such key, and it is none "
                            "of seed, seed31, replicate, task, input.NAME",
                            name, axes->row[i].section);
    return ENS_OK;
}

enum ens_status ens_task_values_check_names(const struct ens_study *study,
                                            const struct ens_words *line,
                                            int persistent,
                                            struct ens_error *err)
{
    enum ens_status s = ENS_OK;

    for (size_t k = 0; s == ENS_OK && k < line->n; k++) {
        const struct ens_words_piece *p = &line->piece[k];

        if (!p->is_value)
            continue;
        if (strncmp(p->text, "input.", 6) == 0)
            s = check_input(study, p->text, err);
        else if (persistent)
            s = ens_fail(err, ENS_ESTUDY,
                         "{%.60s}: a persistent program is started once, and "
                         "told the values of a task in its line of input",
                         p->text);
        else
            s = check_name(ens_study_rows(study, "axes"), p->text, err);
    }
    return s;
}

static int is_named(const struct ens_words *line, const char *input)
{
    for (size_t k = 0; k < line->n; k++)
        if (line->piece[k].is_value &&
            strncmp(line->piece[k].text, "input.", 6) == 0 &&
            strcmp(line->piece[k].text + 6, input) == 0)
            return 1;
    return 0;
}

enum ens_status ens_task_values_check_files(const struct ens_study *study,
                                            const struct ens_words *line,
                                            struct ens_error *err)
{
    for (size_t i = 0; i < ens_study_n_inputs(study); i++) {
        const char *name = ens_study_input_name(study, i);
        const char *path = ens_task_values_input_path(study, name);

        if (path != NULL && (line == NULL || is_named(line, name)) &&
            access(path, R_OK) != 0)
            return ens_fail_errno(err, ENS_EINPUT,
                                  "input %s: a program is given its path, "
                                  "where there is no file that can be read "
                                  "(copies of [run] stage_inputs have none): "
                                  "%s",
                                  name, path);
    }
    return ENS_OK;
}

/* -- environment -------------------------------------------------------------
 */

/* What the program gets of its own, or what would be wrong for it. */
static int is_ours(const char *variable)
{
    static const char *const names[] = {"ENSRUN_TASK=",
                                        "ENSRUN_SEED=",
                                        "ENSRUN_SEED31=",
                                        "ENSRUN_FOLDER=",
                                        "ENSRUN_REPLICATE=",
                                        "ENSRUN_AXIS_",
                                        "ENSRUN_INPUT_",
                                        "OMP_NUM_THREADS=",
                                        "OPENBLAS_NUM_THREADS=",
                                        "TMPDIR=",
                                        "PWD=",
                                        "OLDPWD="};

    for (size_t i = 0; i < ENS_COUNT(names); i++)
        if (strncmp(variable, names[i], strlen(names[i])) == 0)
            return 1;
    return 0;
}

struct building {
    const char **env;
    size_t n;
    struct ens_arena *arena;
    int failed;
};

static void add(struct building *b, const char *prefix, const char *name,
                const char *value)
{
    const char *text =
        ens_arena_printf(b->arena, "%s%s=%s", prefix, name, value);

    b->failed |= text == NULL;
    b->env[b->n++] = text;
}

static void add_cell(struct building *b, const struct ens_cell *cell,
                     const char *folder, int with_axes)
{
    const struct ens_study *study = cell->study;
    const char *cores = ens_study_value(study, "run", "cores")->text;
    const char *key = NULL;

    add(b, "", "ENSRUN_FOLDER", folder);
    add(b, "", "OMP_NUM_THREADS", cores);
    add(b, "", "OPENBLAS_NUM_THREADS", cores);
    for (size_t i = 0; with_axes && (key = ens_cell_key(cell, "axes", i, NULL));
         i++)
        add(b, "ENSRUN_AXIS_", key, ens_cell_value(cell, "axes", key)->text);
    for (size_t i = 0; i < ens_study_n_inputs(study); i++) {
        const char *name = ens_study_input_name(study, i);
        const char *path = ens_task_values_input_path(study, name);

        if (path != NULL)
            add(b, "ENSRUN_INPUT_", name, path);
    }
}

enum ens_status ens_task_values_env(const char ***env, size_t *n, size_t spare,
                                    const struct ens_cell *cell, int with_axes,
                                    const char *folder, struct ens_arena *arena,
                                    struct ens_error *err)
{
    struct building b = {.arena = arena};
    size_t most = spare + 4 + ens_study_n_inputs(cell->study);

    for (size_t i = 0; ens_cell_key(cell, "axes", i, NULL) != NULL; i++)
        most++;
    for (size_t i = 0; environ != NULL && environ[i] != NULL; i++)
        most++;
    b.env = ens_arena_alloc(arena, most, sizeof(*b.env));
    if (b.env == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "environment of a program");
    for (size_t i = 0; environ != NULL && environ[i] != NULL; i++)
        if (!is_ours(environ[i]))
            b.env[b.n++] = environ[i];
    add_cell(&b, cell, folder, with_axes);
    if (b.failed)
        return ens_fail(err, ENS_ENOMEMORY, "environment of a program");
    *env = b.env;
    *n = b.n;
    return ENS_OK;
}

enum ens_status ens_task_values_put_env(const char **env, size_t n,
                                        const struct ens_task_values *v,
                                        const char *tmp,
                                        struct ens_arena *arena,
                                        struct ens_error *err)
{
    struct building b = {env, n, arena, 0};

    if (v != NULL) {
        add(&b, "", "ENSRUN_SEED", v->seed);
        add(&b, "", "ENSRUN_SEED31", v->seed31);
        add(&b, "", "ENSRUN_REPLICATE", v->replicate);
        add(&b, "", "ENSRUN_TASK", v->task);
    }
    add(&b, "", "TMPDIR", tmp);
    env[b.n] = NULL;
    return b.failed ? ens_fail(err, ENS_ENOMEMORY, "environment of a program")
                    : ENS_OK;
}
