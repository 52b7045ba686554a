#include "program/crew.h"

#include "base/file.h"
#include "program/report.h"
#include "program/words.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILES 2 /* data, answer */

enum ens_status ens_crew_open(struct ens_crew **crew, struct ens_error *err)
{
    struct ens_crew *c;
    enum ens_status s = ens_program_adopt(err);

    if (s != ENS_OK)
        return s;
    c = calloc(1, sizeof(*c));
    if (c == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "programs of a worker");
    *crew = c;
    return ENS_OK;
}

static pid_t group_of(const struct ens_crew *c)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->member[i]->servant.pid > 0)
            return c->member[i]->servant.group;
    return 0;
}

/* The first stop kills the group and reaps all of it. */
static void stop(struct ens_crew *c, pid_t group)
{
    if (group > 0)
        kill(-group, SIGKILL);
    for (size_t i = 0; i < c->n; i++) {
        c->member[i]->servant.group = 0;
        ens_servant_stop(&c->member[i]->servant);
    }
}

void ens_crew_close(struct ens_crew *crew)
{
    if (crew == NULL)
        return;
    stop(crew, group_of(crew));
    for (size_t i = 0; i < crew->n; i++) {
        ens_program_end_fini(&crew->member[i]->servant.said);
        ens_share_close(&crew->member[i]->data);
        ens_share_close(&crew->member[i]->answer);
    }
    if (crew->work != NULL && ens_file_empty(crew->work, NULL) == ENS_OK)
        rmdir(crew->work);
    free(crew->work);
    free(crew->member);
    ens_buf_fini(&crew->line);
    ens_arena_fini(&crew->arena);
    free(crew);
}

/* -- start ------------------------------------------------------------------
 */

static enum ens_status enter_folder(struct ens_crew *c,
                                    const struct ens_job *job,
                                    struct ens_error *err)
{
    const char *path = job->host->folder(job->result);

    if (path == NULL)
        return ens_fail(err, ENS_EPROCESS, "there is no folder for programs");
    if (c->work == NULL)
        c->work = strdup(path);
    if (c->work == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "folder of a worker");
    return ens_file_empty(c->work, err);
}

static const char *input_path(void *arg, const char *name)
{
    const struct ens_cell *cell = arg;

    return strncmp(name, "input.", 6) == 0
               ? ens_task_values_input_path(cell->study, name + 6)
               : NULL;
}

static enum ens_status make_words(const struct ens_crew_member *m,
                                  const struct ens_cell *cell,
                                  struct ens_arena *arena, const char ***argv,
                                  struct ens_error *err)
{
    struct ens_buf words = ENS_BUF_INIT;
    struct ens_words line;
    const char *p = NULL;
    enum ens_status s = ens_words_parse(&line, m->run, 0, arena, err);

    if (s != ENS_OK)
        return s;
    s = ens_words_expand(&line, m->folder, input_path, (void *)(uintptr_t)cell,
                         &words, err);
    *argv = ens_arena_alloc(arena, line.n_words + 1, sizeof(**argv));
    if (s == ENS_OK)
        p = ens_arena_strndup(arena, (const char *)words.data, words.len);
    if (s == ENS_OK && (*argv == NULL || p == NULL))
        s = ens_fail(err, ENS_ENOMEMORY, "words of a command line");
    for (size_t i = 0; s == ENS_OK && i < line.n_words; i++) {
        (*argv)[i] = p;
        p += strlen(p) + 1;
    }
    ens_buf_fini(&words);
    return s;
}

static enum ens_status start(struct ens_crew *c, struct ens_crew_member *m,
                             const struct ens_cell *cell, struct ens_error *err)
{
    const int file[FILES] = {m->data.fd, m->answer.fd};
    struct ens_arena arena = ENS_ARENA_INIT;
    struct ens_program p = {
        .folder = c->work, .join = group_of(c), .file = file, .n_files = FILES};
    const char **argv, **env;
    size_t n_env;
    enum ens_status s = make_words(m, cell, &arena, &argv, err);

    if (s == ENS_OK)
        s = ens_task_values_env(&env, &n_env, ENS_TASK_VARIABLES, cell, 0,
                                m->folder, &arena, err);
    if (s == ENS_OK)
        s = ens_task_values_put_env(env, n_env, NULL, c->work, &arena, err);
    if (s == ENS_OK) {
        p.argv = argv;
        p.env = env;
        s = ens_servant_start(&m->servant, &p, err);
    }
    ens_arena_fini(&arena);
    return s;
}

static enum ens_status add(struct ens_crew *c, const char *run,
                           const char *folder, struct ens_crew_member **out,
                           struct ens_error *err)
{
    struct ens_crew_member **list =
        realloc(c->member, (c->n + 1) * sizeof(struct ens_crew_member *));
    struct ens_crew_member *m;
    enum ens_status s;

    if (list != NULL)
        c->member = list;
    m = ens_arena_alloc(&c->arena, 1, sizeof(*m));
    if (list == NULL || m == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "programs of a worker");
    m->run = ens_arena_strdup(&c->arena, run);
    m->folder = ens_arena_strdup(&c->arena, folder);
    m->data.fd = m->answer.fd = -1;
    m->servant.in = m->servant.out = m->servant.err = -1;
    if (m->run == NULL || m->folder == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "programs of a worker");
    s = ens_share_open(&m->data, err);
    if (s == ENS_OK)
        s = ens_share_open(&m->answer, err);
    if (s != ENS_OK) {
        ens_share_close(&m->data);
        return s;
    }
    c->member[c->n++] = m;
    *out = m;
    return ENS_OK;
}

enum ens_status ens_crew_get(struct ens_crew *crew, const char *run,
                             const char *folder, const struct ens_job *job,
                             struct ens_crew_member **member,
                             struct ens_error *err)
{
    enum ens_status s = enter_folder(crew, job, err);
    struct ens_crew_member *m = NULL;

    for (size_t i = 0; s == ENS_OK && i < crew->n; i++)
        if (strcmp(crew->member[i]->run, run) == 0 &&
            strcmp(crew->member[i]->folder, folder) == 0)
            m = crew->member[i];
    if (s == ENS_OK && m == NULL)
        s = add(crew, run, folder, &m, err);
    if (s == ENS_OK && m->servant.pid == 0)
        s = start(crew, m, &job->task->cell, err);
    if (s != ENS_OK)
        return s;
    m->servant.alone = crew->alone;
    m->data.used = 0;
    ens_buf_clear(&crew->line);
    *member = m;
    return ENS_OK;
}

/* -- a request ---------------------------------------------------------------
 */

static void complain(const struct ens_job *job, const struct ens_servant *v)
{
    struct ens_arena arena = ENS_ARENA_INIT;

    if (v->said.err.len > 0)
        job->host->warn(job->result, ens_program_stderr(&v->said, &arena));
    ens_arena_fini(&arena);
}

static enum ens_status tell_death(struct ens_servant *v, int status,
                                  struct ens_error *err)
{
    v->said.status = status;
    if (ens_program_verdict(&v->said, err) == ENS_OK)
        ens_fail(err, ENS_EDOMAIN, "exit status 0");
    return ens_wrap(err, ENS_EDOMAIN, "the program died");
}

/* Until it has answered, or cannot be started. */
static enum ens_status converse(struct ens_crew *crew,
                                struct ens_crew_member *m,
                                const struct ens_job *job,
                                struct ens_error *err)
{
    enum ens_status s = ENS_EINPUT;
    int status = 0;

    for (int i = 0; s == ENS_EINPUT && i < ENS_SERVANT_STARTS; i++) {
        if (m->servant.pid == 0)
            s = start(crew, m, &job->task->cell, err);
        if (m->servant.pid == 0)
            return s;
        job->host->group(job->result, (int32_t)m->servant.group);
        s = ens_servant_ask(&m->servant, crew->line.data, crew->line.len,
                            &status, err);
        if (s == ENS_ESTOPPED && !crew->alone)
            ens_servant_follow(status);
        if (s == ENS_ESTOPPED)
            s = tell_death(&m->servant, status, err);
        if (m->servant.pid == 0) { /* and with it all of its group */
            job->host->group(job->result, 0);
            stop(crew, 0);
        }
    }
    return s == ENS_EINPUT && !crew->alone ? ens_wrap(err, s, "%.120s", m->run)
                                           : s;
}

enum ens_status ens_crew_ask(struct ens_crew *crew,
                             struct ens_crew_member *member,
                             const struct ens_job *job, const char *task,
                             struct ens_answer *answer, struct ens_error *err)
{
    struct ens_servant *v = &member->servant;
    enum ens_status s;

    if (crew->line.failed)
        return ens_fail(err, ENS_ENOMEMORY, "line of a task");
    s = converse(crew, member, job, err);
    if (s == ENS_OK)
        s = ens_answer_open(answer, (const char *)v->said.out.data,
                            v->said.out.len, task, err);
    if (s == ENS_EPROTOCOL) {
        stop(crew, v->group);
        job->host->group(job->result, 0);
    }
    if (s != ENS_OK)
        complain(job, v);
    if (s != ENS_OK && crew->alone) /* no task to fail: it is told as it is */
        s = ens_wrap(err, s == ENS_EPROTOCOL ? ENS_EDOMAIN : s, "%.120s",
                     member->run);
    return s;
}
