/* ens_embed_run: options in, report out, and what ens_run changes in its
 * process put back. */
#include "base/bug.h"
#include "base/buf.h"
#include "embed/array.h"
#include "embed/program.h"
#include "kinds/kinds.h"
#include "run/run.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

/* -- the process ------------------------------------------------------------
 */

static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGPIPE};

struct process {
    struct sigaction action[ENS_COUNT(signals)];
    sigset_t mask;
    int is_subreaper;
};

static void save(struct process *p)
{
    for (size_t i = 0; i < ENS_COUNT(signals); i++)
        sigaction(signals[i], NULL, &p->action[i]);
    pthread_sigmask(SIG_SETMASK, NULL, &p->mask);
    p->is_subreaper = 0;
    prctl(PR_GET_CHILD_SUBREAPER, &p->is_subreaper);
}

static void restore(const struct process *p)
{
    for (size_t i = 0; i < ENS_COUNT(signals); i++)
        sigaction(signals[i], &p->action[i], NULL);
    pthread_sigmask(SIG_SETMASK, &p->mask, NULL);
    prctl(PR_SET_CHILD_SUBREAPER, (unsigned long)p->is_subreaper);
}

/* -- options ----------------------------------------------------------------
 */

struct call {
    const struct ens_embed_options *options;
    struct ens_run_options run;
    struct ens_override *set; /* the user's, then a path per array */
    struct ens_memory_input *memory;
    char *text; /* of the latter */
    char program[PATH_MAX];
};

static void free_call(struct call *c)
{
    free(c->set);
    free(c->memory);
    free(c->text);
}

#define SET_BYTES 512

static enum ens_status take_inputs(struct call *c, struct ens_error *err)
{
    const struct ens_embed_options *o = c->options;
    enum ens_status s = ENS_OK;

    c->set = calloc(o->n_set + o->n_inputs + 1, sizeof(*c->set));
    c->memory = calloc(o->n_inputs + 1, sizeof(*c->memory));
    c->text = calloc(o->n_inputs + 1, SET_BYTES);
    if (c->set == NULL || c->memory == NULL || c->text == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    for (size_t i = 0; i < o->n_set; i++)
        c->set[i].text = o->set[i];
    for (size_t i = 0; s == ENS_OK && i < o->n_inputs; i++) {
        const char *name = o->inputs[i].name;
        char *text = c->text + i * SET_BYTES;

        if (name == NULL || o->inputs[i].array == NULL ||
            snprintf(text, SET_BYTES, "inputs.%s=" ENS_MEMORY_PATH "%s", name,
                     name) >= SET_BYTES)
            return ens_fail(err, ENS_EUSAGE,
                            "input %zu: no name, one too long, or no array",
                            i + 1);
        c->set[o->n_set + i].text = text;
        c->memory[i].name = name;
        s = ens_array_seal(o->inputs[i].array, &c->memory[i].fd, err);
    }
    return s;
}

static void progress(void *arg, const struct ens_run_progress *p)
{
    const struct ens_embed_options *o = arg;
    const struct ens_embed_progress q = {p->stage,    p->n_tasks,     p->n_done,
                                         p->n_not_ok, p->tasks_per_s, p->eta_s};

    if (o->progress != NULL)
        o->progress(o->arg, &q);
}

static void say(void *arg, const char *line)
{
    const struct ens_embed_options *o = arg;

    if (o->say != NULL)
        o->say(o->arg, line);
}

static enum ens_status read_options(struct call *c, struct ens_error *err)
{
    const struct ens_embed_options *o = c->options;
    enum ens_status s;

    if ((o->study != NULL) + (o->text != NULL) > 1 ||
        (o->study == NULL && o->text == NULL && o->results == NULL))
        return ens_fail(err, ENS_EUSAGE,
                        "expected a study, or its text, or a results folder");
    s = take_inputs(c, err);
    if (s == ENS_OK &&
        (o->transport == NULL || strcmp(o->transport, "inline") != 0))
        s = ens_program_find(o->program, c->program, sizeof(c->program), err);
    c->run = (struct ens_run_options){
        .study = o->study,
        .text = o->text,
        .folder = o->folder,
        .results = o->results,
        .set = c->set,
        .n_set = o->n_set + o->n_inputs,
        .memory = c->memory,
        .n_memory = o->n_inputs,
        .workers = o->workers,
        .transport = o->transport != NULL ? o->transport : "fork",
        .program = c->program,
        .restart = o->restart,
        .retry_failed = o->retry_failed,
        .kinds = &ens_kinds,
        .progress_s = o->progress != NULL ? o->progress_s : 0,
        .arg = (void *)(uintptr_t)o,
        .progress = progress,
        .say = say,
    };
    return s;
}

/* -- report -----------------------------------------------------------------
 */

static void fill(struct ens_embed_report *to, const struct ens_run_report *from,
                 struct ens_buf *errors)
{
    size_t n = errors->len;

    memset(to, 0, sizeof(*to)); /* options may have pointed into it */
    memcpy(to->results, from->dir, sizeof(to->results));
    to->n_tasks = from->n_tasks;
    to->n_left = from->n_left;
    to->n_new = from->n_new;
    memcpy(to->by_outcome, from->by_outcome, sizeof(to->by_outcome));
    to->seconds = from->seconds;
    to->peak_pss_bytes = from->peak_pss_bytes;
    if (n >= sizeof(to->errors))
        n = sizeof(to->errors) - 1;
    memcpy(to->errors, ens_buf_text(errors), n);
}

enum ens_status ens_embed_run(const struct ens_embed_options *options,
                              struct ens_embed_report *report,
                              struct ens_error *err)
{
    struct call c = {.options = options};
    struct ens_run_report inner = {0};
    struct ens_buf errors = ENS_BUF_INIT;
    struct process process;
    enum ens_status s;

    s = read_options(&c, err);
    if (s == ENS_OK) {
        save(&process);
        s = ens_run(&c.run, &inner, &errors, err);
        restore(&process);
    }
    fill(report, &inner, &errors);
    report->exit_code = ens_run_exit(s, &inner);
    ens_buf_fini(&errors);
    free_call(&c);
    return s;
}
