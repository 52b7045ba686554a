/* Kind `command`: a task is a run of any program. */
#include "base/bug.h"
#include "base/file.h"
#include "config/model.h"
#include "kinds/command/collect.h"
#include "program/answer.h"
#include "program/output.h"
#include "program/process.h"
#include "program/report.h"
#include "program/request.h"
#include "program/servant.h"
#include "program/values.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct ens_setting settings[] = {
    {.section = "command",
     .key = "run",
     .type = ENS_T_LINE,
     .shape = ENS_AXIS,
     .cls = ENS_C_CELL,
     .help = "program and arguments; {KEY} of [axes], {seed} {seed31} "
             "{replicate} {task} {input.NAME}; {{ is a brace; or @FILE: one "
             "command line per line of a file"},
    {.section = "command",
     .key = "shell",
     .type = ENS_T_BOOL,
     .cls = ENS_C_CELL,
     .def = "no",
     .help = "give the line to /bin/sh; values are quoted for it"},
    {.section = "command",
     .key = "persistent",
     .type = ENS_T_BOOL,
     .cls = ENS_C_CELL,
     .def = "no",
     .help = "start it once per worker; it reads a JSON line per task and "
             "answers with one"},
    {.section = "command",
     .key = "fields",
     .type = ENS_T_TEXT,
     .shape = ENS_LIST,
     .cls = ENS_C_STUDY,
     .def = "",
     .help = "what it prints: NAME, NAME:int, NAME:text; not set: whatever "
             "it prints"},
    {.section = "command",
     .key = "collect",
     .type = ENS_T_TEXT,
     .shape = ENS_LIST,
     .cls = ENS_C_STUDY,
     .def = "",
     .help = "files it leaves in its folder, to be kept: out.csv, *.csv, "
             "logs/*.txt, **/*.png; one that matches none fails the task"},
    {.section = "command",
     .key = "collect_optional",
     .type = ENS_T_TEXT,
     .shape = ENS_LIST,
     .cls = ENS_C_STUDY,
     .def = "",
     .help = "the same for files that need not be there"},
    {.section = "command",
     .key = "collect_files",
     .type = ENS_T_INT,
     .cls = ENS_C_RUN,
     .def = "10000",
     .min = 1,
     .max = 1e7,
     .unit = "files",
     .help = "a task that leaves more to be kept has failed"},
    {.section = "command",
     .key = "collect_bytes",
     .type = ENS_T_BYTES,
     .cls = ENS_C_RUN,
     .def = "1 GiB",
     .min = 0,
     .max = 1e15,
     .unit = "bytes",
     .help = "the same, for the bytes of all its files"},
    {.section = "command",
     .key = "folder",
     .type = ENS_T_PATH,
     .cls = ENS_C_RUN,
     .def = ".",
     .help = "what words of run that begin with ./ are relative to"},
};

static const struct ens_role roles[] = {
    {.name = "command", .required = 1},
    {.name = "axes", .open = 1},
};

struct program { /* of a row of [command], or of a line of its file */
    struct ens_words line;
    struct ens_output_fields fields;
    struct ens_collect collect;
    const char *folder;
    int persistent;
    int is_listed; /* one of many command lines */
};

struct state {
    const struct ens_host *host;

    struct ens_arena cell_arena;
    struct program program; /* of the present cell */
    uint64_t number;        /* its own */
    const char **env;
    size_t n_env;

    struct ens_arena task_arena;
    struct ens_buf words;
    struct ens_program_end end;
    struct ens_servant servant;
    uint64_t served; /* number of the program that it is */
    char *work;      /* folder of this worker; NULL before the first task */
};

/* -- plan
 * ---------------------------------------------------------------------- */

/* "study.ini:4: [command] run" */
static enum ens_status wrap_key(struct ens_error *err, enum ens_status s,
                                const struct ens_cell *cell, const char *key)
{
    char place[ENS_CELL_PLACE];

    ens_cell_place(cell, "command", key, place);
    return ens_wrap(err, s, "%s %s", place, key);
}

/* The same, or the place in the file of lines. */
static enum ens_status wrap_run(struct ens_error *err, enum ens_status s,
                                const struct ens_cell *cell)
{
    const struct ens_value *run = ens_cell_value(cell, "command", "run");

    if (run->file == NULL)
        return wrap_key(err, s, cell, "run");
    return ens_wrap(err, s, "%s:%llu", run->file, (unsigned long long)run->i);
}

static int is_listed(const struct ens_cell *cell)
{
    const struct ens_role_rows *rows = ens_study_rows(cell->study, "command");
    uint64_t local;

    return ens_row_find(ens_rows_at(rows, cell->ordinal, &local), "run")
               ->value.n > 1;
}

static enum ens_status read_program(struct program *p,
                                    const struct ens_cell *cell,
                                    struct ens_arena *arena,
                                    struct ens_error *err)
{
    const struct ens_value *run = ens_cell_value(cell, "command", "run");
    int shell = (int)ens_cell_value(cell, "command", "shell")->i;
    enum ens_status s = ens_words_parse(&p->line, run->text, shell, arena, err);

    if (s != ENS_OK)
        return wrap_run(err, s, cell);
    p->folder = ens_cell_value(cell, "command", "folder")->text;
    p->persistent = (int)ens_cell_value(cell, "command", "persistent")->i;
    p->is_listed = is_listed(cell);
    if (p->persistent && p->is_listed)
        return wrap_key(err,
                        ens_fail(err, ENS_ESTUDY,
                                 "takes one program, not a file of command "
                                 "lines"),
                        cell, "persistent");
    s = ens_output_fields_parse(
        &p->fields, ens_cell_value(cell, "command", "fields"), arena, err);
    if (s != ENS_OK)
        return wrap_key(err, s, cell, "fields");
    return ens_collect_parse(&p->collect, cell, arena, err);
}

/* Every program of the study in turn, read into the arena of the moment. */
typedef enum ens_status program_fn(void *arg, const struct ens_cell *cell,
                                   const struct program *p,
                                   struct ens_arena *arena,
                                   struct ens_error *err);

static enum ens_status each_program(const struct ens_host *host,
                                    const struct ens_plan *plan, program_fn *f,
                                    void *arg, struct ens_error *err)
{
    const struct ens_study *study = host->plan_study(plan);
    uint64_t n = ens_study_role_count(study, "command");
    uint64_t n_axes = ens_study_role_count(study, "axes");
    struct ens_arena arena = ENS_ARENA_INIT;
    enum ens_status s = ENS_OK;

    for (uint64_t i = 0; s == ENS_OK && i < n; i++) {
        struct ens_cell cell;
        struct program p;

        ens_arena_reset(&arena);
        host->plan_cell(plan, i * n_axes, &cell); /* the last role is fastest */
        s = read_program(&p, &cell, &arena, err);
        if (s == ENS_OK)
            s = f(arg, &cell, &p, &arena, err);
    }
    ens_arena_fini(&arena);
    return s;
}

struct planning {
    const struct ens_host *host;
    struct ens_plan *plan;
};

static enum ens_status plan_program(void *arg, const struct ens_cell *cell,
                                    const struct program *p,
                                    struct ens_arena *arena,
                                    struct ens_error *err)
{
    const struct planning *at = arg;
    enum ens_status s =
        ens_task_values_check_names(cell->study, &p->line, p->persistent, err);
    uint32_t index;

    (void)arena;
    if (s != ENS_OK)
        return wrap_run(err, s, cell);
    if (p->fields.n == 0)
        return ENS_OK;
    return at->host->plan_schema(at->plan, p->fields.field, p->fields.n, &index,
                                 err);
}

static enum ens_status plan_kind(const struct ens_host *host,
                                 struct ens_plan *plan, struct ens_error *err)
{
    struct planning at = {host, plan};
    enum ens_status s = ens_task_values_check_axes(host->plan_study(plan), err);

    if (s == ENS_OK)
        s = each_program(host, plan, plan_program, &at, err);
    return s == ENS_OK
               ? host->plan_stage(plan, "run", 0, NULL, NULL, NULL, 0, err)
               : s;
}

/* -- worker
 * ---------------------------------------------------------------------- */

static void close_kind(void *state)
{
    struct state *st = state;

    ens_servant_stop(&st->servant);
    ens_program_end_fini(&st->servant.said);
    if (st->work != NULL && ens_file_empty(st->work, NULL) == ENS_OK)
        rmdir(st->work);
    free(st->work);
    ens_program_end_fini(&st->end);
    ens_buf_fini(&st->words);
    ens_arena_fini(&st->task_arena);
    ens_arena_fini(&st->cell_arena);
    free(st);
}

/* Of many lines each is its own. */
static enum ens_status check_exists(void *arg, const struct ens_cell *cell,
                                    const struct program *p,
                                    struct ens_arena *arena,
                                    struct ens_error *err)
{
    enum ens_status s = ens_task_values_check_files(
        cell->study, p->persistent ? NULL : &p->line, err);

    (void)arg;
    if (s == ENS_OK && !p->is_listed)
        s = ens_words_check_program(&p->line, p->folder, arena, err);
    return s == ENS_OK ? s : ens_wrap(err, s, "[command] run");
}

static enum ens_status open_kind(const struct ens_host *host,
                                 const struct ens_plan *plan, void **state,
                                 struct ens_error *err)
{
    struct state *st = calloc(1, sizeof(*st));
    enum ens_status s;

    if (st == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "state of kind command");
    st->host = host;
    s = each_program(host, plan, check_exists, NULL, err);
    if (s == ENS_OK)
        s = ens_program_adopt(err);
    if (s != ENS_OK)
        close_kind(st);
    else
        *state = st;
    return s;
}

static enum ens_status enter_cell(void *state, const struct ens_cell *cell,
                                  struct ens_error *err)
{
    struct state *st = state;
    enum ens_status s;

    ens_arena_reset(&st->cell_arena);
    st->number = ens_cell_role_index(cell, "command");
    s = read_program(&st->program, cell, &st->cell_arena, err);
    if (s != ENS_OK)
        return s;
    return ens_task_values_env(&st->env, &st->n_env, ENS_TASK_VARIABLES, cell,
                               !st->program.persistent, st->program.folder,
                               &st->cell_arena, err);
}

/* -- a task
 * ---------------------------------------------------------------------- */

struct job {
    struct state *st;
    struct ens_result *r;
    const struct ens_task *task;
    struct ens_task_values values;
    const struct ens_program_end *said;
};

static void announce(void *arg, pid_t group)
{
    struct job *j = arg;

    j->st->host->group(j->r, (int32_t)group);
}

static enum ens_status enter_folder(const struct job *j, struct ens_error *err)
{
    struct state *st = j->st;
    const char *path = st->host->folder(j->r);

    if (st->work == NULL) {
        st->work = path == NULL ? NULL : strdup(path);
        if (st->work == NULL)
            return ens_fail(err, ENS_ENOMEMORY, "folder of a worker");
    }
    return ens_file_empty(st->work, err);
}

static enum ens_status make_words(struct job *j, const char ***argv,
                                  struct ens_error *err)
{
    struct state *st = j->st;
    const struct ens_words *line = &st->program.line;
    const char *p;
    const char **to;
    enum ens_status s;

    ens_buf_clear(&st->words);
    s = ens_words_expand(line, st->program.folder, ens_task_values_get,
                         &j->values, &st->words, err);
    to = ens_arena_alloc(&st->task_arena, line->n_words + 4, sizeof(*to));
    if (s == ENS_OK && to == NULL)
        s = ens_fail(err, ENS_ENOMEMORY, "words of a command line");
    if (s != ENS_OK)
        return s;
    *argv = to;
    if (line->shell) {
        *to++ = "/bin/sh";
        *to++ = "-c";
    }
    p = (const char *)st->words.data;
    for (size_t i = 0; i < line->n_words; i++, p += strlen(p) + 1)
        *to++ = p;
    return ENS_OK;
}

/* Everything of it is ready but who asks for its group. */
static enum ens_status make_program(struct job *j, struct ens_program *p,
                                    struct ens_error *err)
{
    struct state *st = j->st;
    const char **argv;
    enum ens_status s = make_words(j, &argv, err);

    if (s == ENS_OK)
        s = ens_task_values_put_env(st->env, st->n_env,
                                    st->program.persistent ? NULL : &j->values,
                                    st->work, &st->task_arena, err);
    if (s != ENS_OK)
        return s;
    *p = (struct ens_program){.argv = argv,
                              .env = st->env,
                              .folder = st->work,
                              .group = announce,
                              .arg = j};
    return ENS_OK;
}

static enum ens_status run_once(struct job *j, struct ens_error *err)
{
    struct ens_program p;
    enum ens_status s = make_program(j, &p, err);

    if (s == ENS_OK)
        s = ens_program_run(&p, &j->st->end, err);
    if (s == ENS_OK)
        s = ens_program_verdict(&j->st->end, err);
    j->said = &j->st->end;
    return s;
}

/* The line is in st->words. */
static enum ens_status ask(struct job *j, struct ens_error *err)
{
    struct state *st = j->st;
    int status = 0;
    enum ens_status s;

    announce(j, st->servant.pid);
    ens_buf_clear(&st->words);
    ens_request_begin(&st->words, "task", "axes", &j->values);
    ens_request_inputs(&st->words, st->host, &j->values, j->r);
    ens_request_end(&st->words);
    if (st->words.failed)
        return ens_fail(err, ENS_ENOMEMORY, "line of a task");
    s = ens_servant_ask(&st->servant, st->words.data, st->words.len, &status,
                        err);
    if (s == ENS_ESTOPPED)
        ens_servant_follow(status);
    return s;
}

static enum ens_status start(struct job *j, struct ens_error *err)
{
    struct state *st = j->st;
    struct ens_program p;
    enum ens_status s = make_program(j, &p, err);

    st->served = st->number;
    return s == ENS_OK ? ens_servant_start(&st->servant, &p, err) : s;
}

static enum ens_status serve(struct job *j, struct ens_error *err)
{
    struct state *st = j->st;
    enum ens_status s = ENS_EINPUT;
    struct ens_answer answer;

    j->said = &st->servant.said;
    if (st->served != st->number)
        ens_servant_stop(&st->servant);
    for (int i = 0; s == ENS_EINPUT && i < ENS_SERVANT_STARTS; i++) {
        if (st->servant.pid == 0)
            s = start(j, err);
        if (st->servant.pid > 0)
            s = ask(j, err);
    }
    if (s == ENS_EINPUT)
        ens_wrap(err, s, "[command] run");
    if (s == ENS_OK)
        s = ens_answer_open(&answer, (const char *)j->said->out.data,
                            j->said->out.len, j->values.task, err);
    if (s == ENS_OK)
        ens_answer_close(&answer);
    if (s == ENS_EPROTOCOL)
        ens_servant_stop(&st->servant);
    if (st->servant.pid == 0)
        announce(j, 0);
    return s;
}

static enum ens_status record(struct job *j,
                              const struct ens_output_items *items,
                              struct ens_error *err)
{
    const struct ens_host *host = j->st->host;
    struct ens_field *field =
        ens_arena_alloc(&j->st->task_arena, items->n + 1, sizeof(*field));
    enum ens_status s;

    if (field == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "fields of a program");
    for (size_t i = 0; i < items->n; i++)
        field[i] = (struct ens_field){items->item[i].name, items->item[i].type,
                                      "", "printed by the program"};
    s = host->new_schema(j->r, field, items->n, err);
    for (size_t i = 0; s == ENS_OK && i < items->n; i++) {
        const struct ens_output_item *item = &items->item[i];

        if (item->missing)
            continue;
        if (item->type == ENS_F64)
            host->f64(j->r, (uint32_t)i, item->d);
        else if (item->type == ENS_I64)
            host->i64(j->r, (uint32_t)i, item->i);
        else
            host->text(j->r, (uint32_t)i, item->text, item->n_text);
    }
    return s;
}

static enum ens_status run_task(void *state, const struct ens_task *task,
                                struct ens_result *result,
                                struct ens_error *err)
{
    struct state *st = state;
    struct job j = {.st = st, .r = result, .task = task};
    struct ens_output_items items;
    enum ens_status s;

    ens_arena_reset(&st->task_arena);
    ens_task_values_set(&j.values, task);
    s = enter_folder(&j, err);
    if (s == ENS_OK)
        s = st->program.persistent ? serve(&j, err) : run_once(&j, err);
    if (s == ENS_OK)
        s = ens_output_read(&items, (const char *)j.said->out.data,
                            j.said->out.len, &st->program.fields,
                            &st->task_arena, err);
    if (s == ENS_OK)
        s = ens_collect_run(&st->program.collect, st->work, st->host, result,
                            &st->task_arena, err);
    if (s == ENS_OK)
        return record(&j, &items, err);
    if (j.said != NULL && j.said->err.len > 0)
        st->host->warn(result, ens_program_stderr(j.said, &st->task_arena));
    return s;
}

static const struct ens_retained retained[] = {
    {ENS_COLLECT_ITEM, "minimal",
     "what collect names; `ensrun export DIR --files -o OUTDIR` unpacks it"},
};

extern const struct ens_kind ens_kind_command;
const struct ens_kind ens_kind_command = {
    .abi = ENS_ABI,
    .name = "command",
    .help = "any program per task: command line in, printed fields out",
    .results_version = 1,
    .settings = settings,
    .n_settings = ENS_COUNT(settings),
    .roles = roles,
    .n_roles = ENS_COUNT(roles),
    .retained = retained,
    .n_retained = ENS_COUNT(retained),
    .plan = plan_kind,
    .open = open_kind,
    .close = close_kind,
    .cell = enter_cell,
    .run = run_task,
};
