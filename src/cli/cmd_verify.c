/* ensrun verify DIR: every checksum; 1 and the place where one fails. */
#include "cli/command.h"
#include "cli/model_file.h"
#include "cli/verify.h"

#include <stdio.h>

#define SHOWN_MAX 50u /* problems told one by one */

static void say(void *arg, const char *text)
{
    uint64_t *n = arg;

    if (++*n <= SHOWN_MAX)
        fprintf(stderr, "ensrun: %s\n", text);
}

static void print_summary(const struct ens_verify *v)
{
    printf("journal      %zu segments, %llu frames, %llu records", v->r->log.n,
           (unsigned long long)v->n_frames, (unsigned long long)v->n_records);
    if (v->n_duplicates > 0)
        printf(", %llu of them again", (unsigned long long)v->n_duplicates);
    printf("\nartifacts    %llu, %llu bytes\narrays       %llu blocks, %llu "
           "bytes",
           (unsigned long long)v->n_artifacts,
           (unsigned long long)v->artifact_bytes,
           (unsigned long long)v->n_blocks, (unsigned long long)v->block_bytes);
    if (v->n_again > 0)
        printf("; %llu blocks are gone and made again when they are needed",
               (unsigned long long)v->n_again);
    printf("\ncheckpoints  %llu\n", (unsigned long long)v->n_checkpoints);
    if (v->n_problems > SHOWN_MAX)
        fprintf(stderr, "ensrun: and %llu more\n",
                (unsigned long long)(v->n_problems - SHOWN_MAX));
    if (v->n_problems == 0)
        printf("all is well\n");
    else
        printf("%llu problem%s\n", (unsigned long long)v->n_problems,
               v->n_problems == 1 ? "" : "s");
}

/* A file that a kind may have written; the next run writes it again. */
static void verify_model(struct ens_verify *v)
{
    struct ens_arena arena = ENS_ARENA_INIT;
    struct ens_model_file file;
    struct ens_model m;
    struct ens_error err;
    enum ens_status s = ens_model_file_open(&file, v->r->dir, &err);

    if (s == ENS_ENOTFOUND)
        return;
    if (s == ENS_OK)
        s = ens_model_file_read(&file, &m, &arena, &err);
    if (s == ENS_OK) {
        printf("model        %zu bytes\n", file.bytes);
    } else {
        v->n_problems++;
        v->problem(v->arg, err.text);
    }
    ens_model_file_close(&file);
    ens_arena_fini(&arena);
}

static enum ens_status verify(struct ens_verify *v, struct ens_error *err)
{
    enum ens_status s = ens_verify_journal(v, err);

    if (s == ENS_OK)
        s = ens_verify_arrays(v, err);
    if (s != ENS_OK)
        return s;
    ens_verify_checkpoints(v);
    verify_model(v);
    print_summary(v);
    return ENS_OK;
}

static int run(const struct ens_options *o)
{
    struct ens_buf errors = ENS_BUF_INIT;
    struct ens_error err = {0};
    struct ens_results r;
    uint64_t n_said = 0;
    struct ens_verify v = {.r = &r, .problem = say, .arg = &n_said};
    enum ens_status s = ens_results_open(&r, o->word[0], 0, &errors, &err);
    int code = 0;

    if (s == ENS_OK) {
        s = verify(&v, &err);
        ens_results_close(&r);
    }
    if (s != ENS_OK)
        code = ens_cli_fail_lines(s, &errors, &err);
    if (s == ENS_ECORRUPT || v.n_problems > 0)
        code = 1;
    ens_buf_fini(&errors);
    return code;
}

const struct ens_command ens_command_verify = {
    .name = "verify",
    .words = "DIR",
    .help = "check every checksum of a results folder",
    .min_words = 1,
    .max_words = 1,
    .run = run,
    .more = "Frames of the journal, artifacts, blocks of output arrays,\n"
            "checkpoints, a fitted model; tasks recorded twice with different "
            "results. Exit\n"
            "status 1 when one fails.\n",
};
