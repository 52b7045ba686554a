/* ensrun jobscript --slurm ... STUDY: the script that runs it as a batch job.
 */
#include "base/bug.h"
#include "base/file.h"
#include "base/number.h"
#include "cli/command.h"
#include "cli/duration.h"
#include "cli/jobscript.h"
#include "cli/results.h"
#include "plan/shard.h"
#include "stop/stopping.h"
#include "worker/worker.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const struct ens_option options[] = {
    {"slurm", 0, ENS_OPTION_FLAG, 0, NULL, "for sbatch"},
    {"pbs", 0, ENS_OPTION_FLAG, 0, NULL, "for qsub (PBS Pro, OpenPBS)"},
    {"lsf", 0, ENS_OPTION_FLAG, 0, NULL, "for bsub"},
    {"flux", 0, ENS_OPTION_FLAG, 0, NULL, "for flux batch"},
    {"hosts", 0, ENS_OPTION_TEXT, 0, "FILE",
     "for no batch system: mpirun over ssh on the hosts of FILE"},
    {"time", 0, ENS_OPTION_TEXT, 0, "TIME",
     "the job's limit, as 12h or 12:00:00; rounded down to minutes"},
    {"nodes", 0, ENS_OPTION_COUNT, 1, "N", "nodes of a job (default: 1)"},
    {"ranks", 0, ENS_OPTION_COUNT, 1, "N",
     "MPI ranks on all nodes together (default: one per node)"},
    {"cores", 0, ENS_OPTION_COUNT, 1, "N",
     "cores of each rank (default, with --ranks: 1)"},
    {"workers", 0, ENS_OPTION_COUNT, 1, "N",
     "workers of each rank (default: [run] workers, or its cores by [run] "
     "cores)"},
    {"array", 0, ENS_OPTION_COUNT, 1, "N",
     "Slurm: N shards, a job each, and a job that merges them"},
    {"launcher", 0, ENS_OPTION_CHOICE, 0, "mpirun|srun",
     "Slurm: what starts the ranks (default: mpirun)"},
    {"account", 0, ENS_OPTION_TEXT, 0, "NAME",
     "who pays: account, project or bank"},
    {"partition", 0, ENS_OPTION_TEXT, 0, "NAME", "partition or queue"},
    {"queue", 0, ENS_OPTION_TEXT, 0, "NAME", "the same"},
    {"set", 0, ENS_OPTION_LIST, 0, "S.K=V",
     "as of run, for the script too; may be given again"},
};

#define COUNT_MAX    1000000u /* nodes, ranks, cores: products fit */
#define MARGIN_S     180u /* Slurm's signal comes up to a minute early or late */
#define MARGIN_MAX_S 65535u /* of Slurm's --signal */

/* -- what was asked for ------------------------------------------------- */

static enum ens_status take_system(const struct ens_options *o,
                                   struct ens_jobscript *j,
                                   struct ens_error *err)
{
    static const struct {
        const char *name;
        unsigned system;
    } systems[] = {{"slurm", ENS_JOB_SLURM},
                   {"pbs", ENS_JOB_PBS},
                   {"lsf", ENS_JOB_LSF},
                   {"flux", ENS_JOB_FLUX},
                   {"hosts", ENS_JOB_HOSTS}};
    const char *first = NULL;

    for (size_t i = 0; i < ENS_COUNT(systems); i++) {
        if (!ens_options_has(o, systems[i].name))
            continue;
        if (first != NULL)
            return ens_fail(err, ENS_EUSAGE, "--%s does not go with --%s",
                            systems[i].name, first);
        first = systems[i].name;
        j->system = systems[i].system;
    }
    if (first == NULL)
        return ens_fail(err, ENS_EUSAGE,
                        "for which batch system? --slurm, --pbs, --lsf, --flux "
                        "or --hosts FILE");
    j->hosts = ens_options_text(o, "hosts");
    if (j->hosts != NULL && j->hosts[0] == '\0')
        return ens_fail(err, ENS_EUSAGE, "--hosts: FILE is empty");
    if (j->system == ENS_JOB_SLURM)
        return ENS_OK;
    if (ens_options_has(o, "array"))
        return ens_fail(err, ENS_EUSAGE,
                        "--array is for --slurm, not --%s; "
                        "see launch/examples/shards",
                        first);
    if (ens_options_has(o, "launcher"))
        return ens_fail(err, ENS_EUSAGE, "--launcher is for --slurm, not --%s",
                        first);
    return ENS_OK;
}

static enum ens_status take_count(const struct ens_options *o, const char *name,
                                  uint64_t def, uint64_t *to,
                                  struct ens_error *err)
{
    *to = ens_options_count(o, name, def);
    if (*to > COUNT_MAX)
        return ens_fail(err, ENS_EUSAGE, "--%s %llu: expected at most %u", name,
                        (unsigned long long)*to, COUNT_MAX);
    return ENS_OK;
}

static enum ens_status take_counts(const struct ens_options *o,
                                   struct ens_jobscript *j,
                                   struct ens_error *err)
{
    enum ens_status s = take_count(o, "nodes", 1, &j->nodes, err);

    if (s == ENS_OK)
        s = take_count(o, "ranks", j->nodes, &j->ranks, err);
    if (s == ENS_OK)
        s = take_count(o, "cores", 1, &j->cores, err);
    if (s == ENS_OK)
        s = take_count(o, "workers", 0, &j->workers, err);
    if (s == ENS_OK)
        s = take_count(o, "array", 0, &j->shards, err);
    if (s != ENS_OK)
        return s;
    if (!ens_options_has(o, "ranks") && !ens_options_has(o, "cores"))
        return ens_fail(err, ENS_EUSAGE,
                        "--cores N is missing: the cores of each node, say (or "
                        "--ranks N, of one core each)");
    if (j->ranks % j->nodes != 0)
        return ens_fail(err, ENS_EUSAGE,
                        "--ranks %llu: not the same number on each of %llu "
                        "nodes",
                        (unsigned long long)j->ranks,
                        (unsigned long long)j->nodes);
    j->srun = ens_options_has(o, "launcher") &&
              strcmp(ens_options_text(o, "launcher"), "srun") == 0;
    return ENS_OK;
}

static enum ens_status take_time(const struct ens_options *o,
                                 struct ens_jobscript *j, struct ens_error *err)
{
    const char *text = ens_options_text(o, "time");
    double seconds = 0;
    enum ens_status s;

    if (text == NULL && j->system == ENS_JOB_HOSTS)
        return ENS_OK;
    if (text == NULL)
        return ens_fail(err, ENS_EUSAGE,
                        "--time TIME is missing: the job's limit, as 12h or "
                        "12:00:00");
    s = ens_duration_parse("time", text, &seconds, err);
    if (s == ENS_OK && seconds < 60)
        s = ens_fail(err, ENS_EUSAGE, "--time %s: less than a minute", text);
    if (s == ENS_OK)
        j->time_s = (uint64_t)seconds / 60 * 60;
    return s;
}

/* A name that stands in a directive, where every system quotes differently. */
static enum ens_status take_name(const struct ens_options *o,
                                 const char *option, const char **to,
                                 struct ens_error *err)
{
    const char *text = ens_options_text(o, option);

    if (text == NULL)
        return ENS_OK;
    for (const char *p = text; *p != '\0'; p++)
        if (!isalnum((unsigned char)*p) && strchr("_.,:@+/-", *p) == NULL)
            return ens_fail(err, ENS_EUSAGE,
                            "--%s %s: expected letters, digits and any of "
                            "_.,:@+/-",
                            option, text);
    if (text[0] == '\0' || text[0] == '-')
        return ens_fail(err, ENS_EUSAGE, "--%s '%s': not a name", option, text);
    *to = text;
    return ENS_OK;
}

static enum ens_status take_options(const struct ens_options *o,
                                    struct ens_jobscript *j,
                                    struct ens_error *err)
{
    enum ens_status s = take_system(o, j, err);

    if (s == ENS_OK && ens_options_has(o, "queue") &&
        ens_options_has(o, "partition"))
        s = ens_fail(err, ENS_EUSAGE, "--queue is the same as --partition");
    if (s == ENS_OK)
        s = take_counts(o, j, err);
    if (s == ENS_OK)
        s = take_time(o, j, err);
    if (s == ENS_OK)
        s = take_name(o, "account", &j->account, err);
    if (s == ENS_OK)
        s = take_name(o, "partition", &j->queue, err);
    if (s == ENS_OK)
        s = take_name(o, "queue", &j->queue, err);
    return s;
}

/* -- what the study says ------------------------------------------------ */

/* When the signal comes: running tasks have [run] grace, then the end is
 * committed. A launcher's own end is the user's. */
static enum ens_status choose_margin(const struct ens_study *study,
                                     struct ens_jobscript *j,
                                     struct ens_error *err)
{
    double grace = ens_study_value(study, "run", "grace")->d;

    if (j->system == ENS_JOB_HOSTS)
        return ENS_OK;
    if (grace + 120 > MARGIN_MAX_S)
        return ens_fail(err, ENS_ESTUDY,
                        "[run] grace = %g s: a job can be warned at most %u s "
                        "before its end",
                        grace, MARGIN_MAX_S);
    j->margin_s = ((uint64_t)grace + 60 + 59) / 60 * 60;
    if (j->margin_s < MARGIN_S)
        j->margin_s = MARGIN_S;
    if (j->time_s <= j->margin_s)
        return ens_fail(err, ENS_EUSAGE,
                        "--time: %llu s leave no time to work: the job stops "
                        "%llu s before its limit ([run] grace and 1 min, at "
                        "least 3 min)",
                        (unsigned long long)j->time_s,
                        (unsigned long long)j->margin_s);
    return ENS_OK;
}

static enum ens_status choose_workers(const struct ens_study *study,
                                      struct ens_jobscript *j,
                                      struct ens_error *err)
{
    int64_t each = ens_study_value(study, "run", "cores")->i;
    const char *text = ens_study_value(study, "run", "workers")->text;

    if (j->workers > 0 || /* else [run] workers, unless it is auto */
        ens_number_parse_u64(text, strlen(text), &j->workers) == 0)
        return ENS_OK;
    j->workers = j->cores / (uint64_t)each;
    if (j->workers == 0)
        return ens_fail(err, ENS_EUSAGE,
                        "--cores %llu: a task of this study takes [run] cores "
                        "= %lld",
                        (unsigned long long)j->cores, (long long)each);
    return ENS_OK;
}

static enum ens_status check_plan(const struct ens_plan *plan,
                                  struct ens_jobscript *j,
                                  struct ens_error *err)
{
    struct ens_stopping stop;
    enum ens_status s = ens_stopping_init(&stop, &ens_host, plan, err);
    uint64_t n_cells = stop.n_cells; /* 0: they do not stop */

    ens_stopping_fini(&stop);
    if (s != ENS_OK)
        return s;
    j->n_tasks = ens_stage_n_tasks(&plan->stage[0]);
    j->stages = plan->kind->next != NULL &&
                (plan->kind->max_stages == NULL ||
                 plan->kind->max_stages(&ens_host, plan) != 1);
    if (!j->stages && j->shards > j->n_tasks)
        return ens_fail(err, ENS_EUSAGE,
                        "--array %llu: the study has %llu "
                        "tasks",
                        (unsigned long long)j->shards,
                        (unsigned long long)j->n_tasks);
    if (n_cells > 0 && j->shards > n_cells)
        return ens_fail(err, ENS_EUSAGE,
                        "--array %llu: the study has %llu cells, and with "
                        "[stop] a shard has whole ones",
                        (unsigned long long)j->shards,
                        (unsigned long long)n_cells);
    return ENS_OK;
}

/* Errors in the study and its inputs are better told now than after a night
 * in a queue. */
static enum ens_status read_study(const struct ens_loaded *l,
                                  struct ens_jobscript *j,
                                  struct ens_error *err)
{
    struct ens_inputs inputs = {0};
    struct ens_plan plan;
    enum ens_status s = choose_margin(l->study, j, err);

    if (s == ENS_OK)
        s = choose_workers(l->study, j, err);
    if (s == ENS_OK)
        s = ens_study_check_cells(l->study, err);
    if (s == ENS_OK)
        s = ens_inputs_open(&inputs, l->study, NULL, NULL, err);
    if (s != ENS_OK)
        return s;
    s = ens_plan_make(&plan, &ens_host, l->kind, l->study, &inputs, err);
    if (s == ENS_OK) {
        s = check_plan(&plan, j, err);
        ens_plan_fini(&plan);
    }
    ens_inputs_close(&inputs);
    return s;
}

/* -- words of the command line ------------------------------------------ */

/* The results folder as the study is named: relative to the same folder. */
static void put_results(struct ens_buf *to, const struct ens_study *study,
                        const char *word)
{
    const char *results = ens_study_results(study);
    const char *dir = ens_study_dir(study);
    const char *slash = strrchr(word, '/');
    size_t n = strlen(dir);

    if (strncmp(results, dir, n) == 0 && results[n] == '/') {
        if (slash != NULL)
            ens_buf_put(to, word, (size_t)(slash - word) + 1);
        results += n + 1;
    }
    ens_buf_puts(to, results);
}

/* As it was called: by its path, which a job may not have in PATH. */
static void put_program(struct ens_buf *to)
{
    struct ens_buf line = ENS_BUF_INIT;
    char *path = NULL;

    if (ens_file_read(&line, "/proc/self/cmdline", (size_t)1 << 22, NULL) ==
            ENS_OK &&
        strchr(ens_buf_text(&line), '/') != NULL)
        path = realpath(ens_buf_text(&line), NULL);
    ens_buf_puts(to, path != NULL ? path : "ensrun");
    free(path);
    ens_buf_fini(&line);
}

/* The command line, to be read and to be given again. */
static void put_command(struct ens_buf *to, const struct ens_options *o)
{
    ens_buf_puts(to, "ensrun jobscript");
    for (size_t i = 0; i < o->n_given; i++) {
        ens_buf_printf(to, " --%s", o->given[i].option->name);
        if (o->given[i].option->kind == ENS_OPTION_FLAG)
            continue;
        ens_buf_puts(to, " ");
        ens_jobscript_quote(to, o->given[i].text);
    }
    for (size_t i = 0; i < o->n_words; i++) {
        ens_buf_puts(to, o->word[i][0] == '-' ? " -- " : " ");
        ens_jobscript_quote(to, o->word[i]);
    }
}

static enum ens_status print(const struct ens_jobscript *j,
                             struct ens_error *err)
{
    struct ens_buf out = ENS_BUF_INIT;
    enum ens_status s = ENS_OK;

    ens_jobscript_write(&out, j);
    if (out.failed)
        s = ens_fail(err, ENS_ENOMEMORY, "out of memory");
    else
        fputs(ens_buf_text(&out), stdout);
    ens_buf_fini(&out);
    return s;
}

static enum ens_status print_loaded(const struct ens_loaded *l,
                                    struct ens_jobscript *j, int is_folder,
                                    struct ens_error *err)
{
    struct ens_buf results = ENS_BUF_INIT;
    struct ens_buf program = ENS_BUF_INIT;
    enum ens_status s = read_study(l, j, err);

    if (is_folder)
        ens_buf_puts(&results, j->study);
    else
        put_results(&results, l->study, j->study);
    put_program(&program);
    if (s == ENS_OK && (results.failed || program.failed))
        s = ens_fail(err, ENS_ENOMEMORY, "out of memory");
    j->results = ens_buf_text(&results);
    j->ensrun = ens_buf_text(&program);
    j->name = ens_study_name(l->study);
    if (s == ENS_OK)
        s = print(j, err);
    ens_buf_fini(&results);
    ens_buf_fini(&program);
    return s;
}

static enum ens_status print_for(struct ens_jobscript *j,
                                 const struct ens_override *set, size_t n_set,
                                 struct ens_buf *errors, struct ens_error *err)
{
    struct ens_buf path = ENS_BUF_INIT;
    struct ens_loaded l;
    struct stat st;
    int is_folder = stat(j->study, &st) == 0 && S_ISDIR(st.st_mode);
    enum ens_status s;

    ens_buf_puts(&path, j->study);
    if (is_folder)
        ens_buf_puts(&path, "/study.ini");
    s = ens_loaded_open(&l, ens_buf_text(&path), set, n_set, errors, err);
    ens_buf_fini(&path);
    if (s != ENS_OK)
        return s;
    s = print_loaded(&l, j, is_folder, err);
    ens_loaded_close(&l);
    return s;
}

static int run(const struct ens_options *o)
{
    struct ens_override set[ENS_OPTIONS_MAX + 1];
    const char *text[ENS_OPTIONS_MAX + 1];
    struct ens_jobscript j = {
        .study = o->n_words > 0 ? o->word[0] : "config.ini", .set = text};
    struct ens_buf command = ENS_BUF_INIT;
    struct ens_buf errors = ENS_BUF_INIT;
    struct ens_error err = {0};
    enum ens_status s = take_options(o, &j, &err);
    int code = 0;

    while ((text[j.n_set] = ens_options_item(o, "set", j.n_set)) != NULL) {
        set[j.n_set].text = text[j.n_set];
        j.n_set++;
    }
    put_command(&command, o);
    j.command = ens_buf_text(&command);
    if (s == ENS_OK && command.failed)
        s = ens_fail(&err, ENS_ENOMEMORY, "out of memory");
    if (s == ENS_OK)
        s = print_for(&j, set, j.n_set, &errors, &err);
    if (s != ENS_OK)
        code = ens_cli_fail_lines(s, &errors, &err);
    ens_buf_fini(&command);
    ens_buf_fini(&errors);
    return code;
}

const struct ens_command ens_command_jobscript = {
    .name = "jobscript",
    .words = "--slurm|--pbs|--lsf|--flux|--hosts FILE [STUDY.ini|DIR]",
    .help = "print the script that runs a study as a batch job",
    .max_words = 1,
    .options = options,
    .n_options = ENS_COUNT(options),
    .more =
        "The job stops in time for its limit and is queued again until the\n"
        "study is done. The study and its inputs are checked as run would; it\n"
        "is named in the script as it is here: submit from this folder.\n"
        "  ensrun jobscript --slurm --time 12h --nodes 4 --cores 64 study.ini\n"
        "  ensrun jobscript --slurm --time 12h --array 20 --cores 32 "
        "study.ini\n",
    .run = run,
};
