/* What a rank other than 0 does first. */
#include "transport/scratch.h"
#include "transport/supervised.h"
#include "worker/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* What lies in the message. */
static enum ens_status keep_setup(struct ens_supervisor *s,
                                  struct ens_error *err)
{
    size_t n = s->setup.n_inputs;

    ens_buf_put(&s->text, s->setup.study_text, s->setup.study_bytes);
    s->file = calloc(n + 1, sizeof(*s->file));
    if (s->text.failed || s->file == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    for (size_t i = 0; i < n; i++)
        s->file[i] = ens_relay_staged_file(&s->setup, i);
    return ens_staged_files_are_good(s->file, n)
               ? ENS_OK
               : ens_fail(err, ENS_EPROTOCOL, "bad set-up message");
}

/* Rank 0 has opened them all. */
static void propose_copies(struct ens_error *err)
{
    size_t n = strlen(err->text);

    if (err->status == ENS_EINPUT)
        snprintf(err->text + n, sizeof(err->text) - n,
                 " (rank 0 has it: [run] stage_inputs = node copies it to this "
                 "host)");
}

/* A path may name another file on another host. */
static enum ens_status compare_inputs(const struct ens_supervisor *s,
                                      struct ens_error *err)
{
    for (size_t i = 0; i < s->inputs.n; i++) {
        const struct ens_mapped *m = &s->inputs.item[i];

        if (ens_mapped_sample(m) != s->file[i].sample)
            return ens_fail(err, ENS_EINPUT,
                            "input %s: %s is not the file that rank 0 has",
                            m->input.name, m->source);
    }
    return ENS_OK;
}

static enum ens_status parse_study(struct ens_supervisor *s,
                                   struct ens_error *err)
{
    struct ens_study_kinds kinds;
    struct ens_buf errors = ENS_BUF_INIT;
    enum ens_status status;

    ens_finder_init(&s->finder, s->kinds, &ens_host);
    kinds = ens_finder_kinds(&s->finder);
    status = ens_study_parse(&s->study, "study.ini", s->text.data, s->text.len,
                             "/", NULL, 0, &kinds, &errors, err);
    ens_buf_fini(&errors);
    if (status == ENS_OK && ens_study_n_inputs(s->study) != s->setup.n_inputs)
        status = ens_fail(err, ENS_EPROTOCOL, "bad set-up message");
    return status;
}

static void want_input(void *arg, uint32_t input)
{
    struct ens_supervisor *s = arg;

    ens_relay_put_u64(&s->up, ENS_RELAY_WANT, input);
}

/* Of the ranks of a host that share copies only one looks at the files. */
static enum ens_status open_inputs(struct ens_supervisor *s,
                                   struct ens_error *err)
{
    const struct ens_stager_config config = {.n_ranks = s->setup.n_staging,
                                             .index = s->setup.staging_index,
                                             .run_id = s->setup.run_id,
                                             .study = s->study,
                                             .file = s->file,
                                             .inputs = &s->inputs,
                                             .arg = s,
                                             .want = want_input};
    enum ens_status status = ENS_OK;

    s->plan.inputs = &s->inputs;
    if (config.n_ranks == 0) {
        status = ens_inputs_open(&s->inputs, s->study, NULL, NULL, err);
        if (status == ENS_OK)
            status = compare_inputs(s, err);
        if (status != ENS_OK)
            propose_copies(err);
        return status;
    }
    if (config.index == 0)
        status = ens_inputs_open_seen(&s->inputs, s->study, err);
    return status == ENS_OK ? ens_stager_new(&s->stager, &config, err) : status;
}

/* Rank 0's own folder, as this process sees it? Then workers write there. */
static int is_near(const struct ens_supervisor *s)
{
    const struct ens_relay_hello *self = &s->ranks->self;
    struct stat st;

    return getenv("ENSRUN_FAR") == NULL && /* for tests: take it for another */
           strcmp(self->host, s->setup.host) == 0 &&
           strcmp(self->boot, s->setup.boot) == 0 &&
           stat(s->setup.dir, &st) == 0 && st.st_dev == s->setup.dir_dev &&
           st.st_ino == s->setup.dir_ino;
}

static enum ens_status choose_dir(struct ens_supervisor *s,
                                  struct ens_error *err)
{
    enum ens_status status;

    memcpy(s->dir, s->setup.dir, sizeof(s->dir));
    if (is_near(s))
        return ENS_OK;
    status = ens_scratch_make(s->dir, sizeof(s->dir), s->setup.run_id,
                              &s->opened, &s->hold, err);
    s->opened.far = status == ENS_OK;
    return status;
}

enum ens_status ens_supervisor_prepare(struct ens_supervisor *s,
                                       struct ens_error *err)
{
    enum ens_status status = keep_setup(s, err);

    if (status == ENS_OK)
        status = parse_study(s, err);
    if (status == ENS_OK)
        status = open_inputs(s, err);
    return status == ENS_OK ? choose_dir(s, err) : status;
}
