/* ensrun predict DIR: new rows by what a study has fitted. */
#include "base/bug.h"
#include "base/file.h"
#include "cli/command.h"
#include "cli/from.h"
#include "cli/model_file.h"
#include "cli/divided.h"
#include "cli/predictions.h"
#include "cli/results.h"
#include "input/mapped.h"
#include "kinds/kinds.h"
#include "plan/task.h"
#include "store/array.h"
#include "worker/worker.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct ens_option options[] = {
    {"input", 'i', ENS_OPTION_TEXT, 0, "FILE",
     "the new rows: .npy, .csv, or what else [input] takes"},
    {"output", 'o', ENS_OPTION_TEXT, 0, "FILE",
     ".npy or .csv (default: CSV to standard output)"},
    {"workers", 0, ENS_OPTION_COUNT, 1, "N",
     "of an .npy file: processes that share the rows (default: 1)"},
    {"force", 0, ENS_OPTION_FLAG, 0, NULL, "replace FILE if it is there"},
    {"proba", 0, ENS_OPTION_FLAG, 0, NULL,
     "of classes: their probabilities, not the likeliest one"},
    {"skip-missing", 0, ENS_OPTION_FLAG, 0, NULL,
     "rows with missing values, texts not seen in the training data, or no row "
     "that a lag asks for get a missing prediction; else they are an error"},
    ENS_FROM_OPTIONS("of the rows"),
    {"progress", 0, ENS_OPTION_CHOICE, 0, "bar|lines|none",
     "one line that changes, a line a minute, or nothing"},
};

#define MOST_WORKERS 1024

/* What is open. */
struct session {
    const struct ens_options *options;
    struct ens_model_file model;
    struct ens_arena arena;
    struct ens_study *study;
    struct ens_finder finder;
    struct ens_inputs inputs; /* of the study, when they are asked for */
    struct ens_plan plan;
    int has_plan;
    struct ens_inputs seen; /* those of the study that are here */
    int has_seen;
    _Atomic uint64_t *done; /* told to the parent; NULL: there is none */
    char work[4096];        /* a folder for programs; "": none */
    struct ens_mapped rows;
    struct ens_predictions to;
    struct ens_screen screen;
    struct {
        void *base;
        uint64_t bytes;
    } * map;
    size_t n_maps;
};

/* -- the study --------------------------------------------------------------
 */

/* The study that the model itself holds: that in the folder may be another by
 * now. */
static enum ens_status parse_study(struct session *s, struct ens_buf *errors,
                                   struct ens_error *err)
{
    struct ens_study_kinds kinds;
    struct ens_model m;
    enum ens_status st = ens_model_file_read(&s->model, &m, &s->arena, err);

    if (st != ENS_OK)
        return st;
    ens_finder_init(&s->finder, &ens_kinds, &ens_host);
    kinds = ens_finder_kinds(&s->finder);
    st = ens_study_parse(&s->study, s->model.path, m.study, m.study_bytes,
                         s->model.dir, NULL, 0, &kinds, errors, err);
    if (st != ENS_OK || s->finder.kind->predict != NULL)
        return st;
    return ens_fail(err, ENS_EUSAGE, "%s: kind %s predicts nothing",
                    s->model.path, s->finder.kind->name);
}

/* -- what the kind may ask for ----------------------------------------------
 */

static enum ens_status give_plan(void *own, const struct ens_plan **plan,
                                 struct ens_error *err)
{
    struct session *s = own;
    enum ens_status st = ENS_OK;

    if (!s->has_plan)
        st = ens_inputs_open(&s->inputs, s->study, NULL, NULL, err);
    if (st == ENS_OK && !s->has_plan)
        st = ens_model_file_check(&s->model, s->study, &s->inputs, err);
    if (st == ENS_OK && !s->has_plan)
        st = ens_plan_make(&s->plan, &ens_host, s->finder.kind, s->study,
                           &s->inputs, err);
    s->has_plan |= st == ENS_OK;
    *plan = &s->plan;
    return st;
}

static enum ens_status give_output(void *own, const char *array, uint64_t cell,
                                   struct ens_view *view, struct ens_error *err)
{
    struct session *s = own;
    const struct ens_plan *plan;
    struct ens_cell c;
    void *more = realloc(s->map, (s->n_maps + 1) * sizeof(*s->map));
    enum ens_status st;

    if (more == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    s->map = more;
    st = give_plan(own, &plan, err);
    if (st != ENS_OK)
        return st;
    ens_host.plan_cell(plan, cell, &c);
    st = ens_array_map_any(s->model.dir, array, c.hash[0], view,
                           &s->map[s->n_maps].base, &s->map[s->n_maps].bytes,
                           err);
    s->n_maps += st == ENS_OK;
    return st;
}

static const struct ens_input *give_input(void *own, const char *name)
{
    struct session *s = own;

    if (!s->has_seen)
        (void)ens_inputs_open_seen(&s->seen, s->study, NULL);
    s->has_seen = 1;
    for (size_t i = 0; i < s->seen.n; i++)
        if (s->seen.item[i].fd >= 0 &&
            strcmp(s->seen.item[i].input.name, name) == 0)
            return &s->seen.item[i].input;
    return NULL;
}

static int make_work(struct session *s)
{
    const char *tmp = getenv("TMPDIR");

    if (s->work[0] != '\0')
        return 0;
    snprintf(s->work, sizeof(s->work), "%s/ensrun-predict-XXXXXX",
             tmp != NULL && tmp[0] == '/' ? tmp : "/tmp");
    if (mkdtemp(s->work) != NULL)
        return 0;
    s->work[0] = '\0';
    return -1;
}

static const char *give_folder(void *own)
{
    struct session *s = own;

    if (make_work(s) == 0)
        return s->work;
    fprintf(stderr, "ensrun: cannot make a folder in TMPDIR: %s\n",
            strerror(errno));
    return NULL;
}

static void set_group(void *own, int32_t pgid)
{
    (void)own;
    ens_screen_group(pgid);
}

static uint64_t give_seed(void *own, const struct ens_task *task)
{
    const struct session *s = own;
    const struct ens_plan plan = {.study = s->study}; /* all it asks for */

    return ens_task_seed(&plan, task->stage, &task->cell, task->replicate);
}

/* From here on signals are waited for. */
static int is_stopped(struct session *s)
{
    return ens_screen_tell(&s->screen, "writing predictions", s->to.done,
                           s->to.n_rows);
}

static enum ens_status begin(void *own, const char *const *column, size_t n,
                             const char *const *class_, size_t n_classes,
                             struct ens_error *err)
{
    struct session *s = own;

    (void)is_stopped(s);
    return ens_predictions_begin(&s->to, column, n, class_, n_classes, err);
}

static enum ens_status put(void *own, const double *values, size_t n_rows,
                           struct ens_error *err)
{
    struct session *s = own;

    if (s->done != NULL)
        atomic_fetch_add(s->done, n_rows);
    return ens_predictions_put(&s->to, values, n_rows, err);
}

static void warn(void *own, const char *text)
{
    struct session *s = own;

    if (is_stopped(s))
        return; /* what it says is that it was killed */
    ens_screen_clear(&s->screen);
    fprintf(stderr, "ensrun: warning: %s\n", text);
}

/* -- the command ------------------------------------------------------------
 */

static void tell_reading(void *arg, const char *name, uint64_t done,
                         uint64_t all)
{
    (void)name;
    (void)ens_screen_tell(arg, "reading", done, all);
}

static enum ens_status open_rows(struct session *s, const struct ens_options *o,
                                 struct ens_error *err)
{
    struct ens_input_spec from = {.name = ""};
    const char *path = ens_options_text(o, "input"), *key = NULL;
    enum ens_status st;

    if (path == NULL)
        return ens_fail(err, ENS_EUSAGE,
                        "--input FILE: missing; it names the new rows");
    st = ens_from_read(&from, path, o, &s->arena, err);
    if (st == ENS_OK)
        st = ens_mapped_open(&s->rows, &from, -1, tell_reading, &s->screen,
                             &key, err);
    ens_screen_clear(&s->screen);
    return st != ENS_OK && key != NULL ? ens_wrap(err, st, "--%s", key) : st;
}

/* Of programs. */
static void remove_work(struct session *s)
{
    if (s->work[0] != '\0' && ens_file_empty(s->work, NULL) == ENS_OK)
        rmdir(s->work);
    s->work[0] = '\0';
}

static enum ens_status predict_rows(void *own, uint64_t first, uint64_t n,
                                    struct ens_error *err)
{
    struct session *s = own;
    const struct ens_options *o = s->options;
    struct ens_predict p = {.study = s->study,
                            .model = s->model.data,
                            .bytes = s->model.bytes,
                            .rows = &s->rows.input,
                            .first = first,
                            .n_rows = n,
                            .proba = ens_options_has(o, "proba"),
                            .skip_bad = ens_options_has(o, "skip-missing"),
                            .plan = give_plan,
                            .output = give_output,
                            .begin = begin,
                            .put = put,
                            .warn = warn,
                            .input = give_input,
                            .folder = give_folder,
                            .group = set_group,
                            .seed = give_seed,
                            .own = s};
    enum ens_status st;

    s->to.first = first;
    st = s->finder.kind->predict(&ens_host, &p, err);
    if (st != ENS_OK && is_stopped(s))
        st = ens_fail(err, ENS_ESTOPPED, "stopped; nothing was written");
    ens_screen_clear(&s->screen);
    return st;
}

/* In a process of its own: what is half written is the parent's. */
static enum ens_status predict_part(void *own, uint64_t first, uint64_t n,
                                    struct ens_divided_said *said,
                                    struct ens_error *err)
{
    struct session *s = own;
    size_t length = strlen(s->work);
    enum ens_status st;

    s->done = &said->done;
    if (length > 0) /* one of its own, in what the parent removes */
        snprintf(s->work + length, sizeof(s->work) - length, "/%" PRIu64,
                 first);
    st = predict_rows(s, first, n, err);
    if (st == ENS_OK)
        st = ens_out_flush(&s->to.out, err);
    said->n_nan = s->to.n_nan;
    remove_work(s);
    return st;
}

static enum ens_status predict_divided(struct session *s, uint64_t n_workers,
                                       struct ens_error *err)
{
    struct ens_divided w = {.n_rows = s->to.n_rows,
                            .screen = &s->screen,
                            .run = predict_part,
                            .own = s};

    (void)make_work(s); /* each tries again, if it has to */
    w.n = (uint32_t)(n_workers < w.n_rows ? n_workers : w.n_rows);
    return ens_divided_run(&w, &s->to.n_nan, err);
}

static enum ens_status predict(struct session *s, struct ens_error *err)
{
    const struct ens_options *o = s->options;
    uint64_t n = ens_options_count(o, "workers", 1);
    enum ens_status st =
        ens_predictions_open(&s->to, ens_options_text(o, "output"),
                             ens_options_has(o, "force"), &s->screen, err);

    if (st != ENS_OK)
        return st;
    s->to.n_rows = s->rows.input.n_rows;
    if (n > MOST_WORKERS || (n > 1 && !s->to.is_npy))
        st = ens_fail(err, ENS_EUSAGE,
                      "--workers %" PRIu64 ": 1 to %d, and above 1 with "
                      "--output FILE.npy only",
                      n, MOST_WORKERS);
    else if (n > 1 && s->to.n_rows > 1)
        st = predict_divided(s, n, err);
    else
        st = predict_rows(s, 0, s->to.n_rows, err);
    ens_screen_clear(&s->screen);
    st = ens_predictions_close(&s->to, st, err);
    if (st == ENS_OK && s->to.n_nan > 0)
        fprintf(stderr,
                "ensrun: %" PRIu64 " of %" PRIu64
                " rows have no prediction: values are missing\n",
                s->to.n_nan, s->to.n_rows);
    return st;
}

static void finish(struct session *s)
{
    for (size_t i = 0; i < s->n_maps; i++)
        ens_array_unmap(s->map[i].base, s->map[i].bytes);
    free(s->map);
    if (s->has_plan)
        ens_plan_fini(&s->plan);
    if (s->has_seen)
        ens_inputs_close(&s->seen);
    ens_inputs_close(&s->inputs);
    remove_work(s);
    ens_mapped_close(&s->rows);
    ens_study_free(s->study);
    ens_finder_fini(&s->finder);
    ens_model_file_close(&s->model);
    ens_arena_fini(&s->arena);
    free(s);
}

static int run(const struct ens_options *o)
{
    struct session *s = calloc(1, sizeof(*s));
    struct ens_buf errors = ENS_BUF_INIT;
    struct ens_error err = {0};
    enum ens_status st;
    int code;

    if (s == NULL)
        return ens_cli_fail(ENS_ENOMEMORY, &err);
    s->options = o;
    ens_screen_init(&s->screen, ens_options_text(o, "progress"));
    st = ens_model_file_open(&s->model, o->word[0], &err);
    if (st == ENS_OK)
        st = parse_study(s, &errors, &err);
    if (st == ENS_OK)
        st = open_rows(s, o, &err);
    if (st == ENS_OK)
        st = predict(s, &err);
    code = st == ENS_OK ? 0 : ens_cli_fail_lines(st, &errors, &err);
    ens_buf_fini(&errors);
    finish(s);
    ens_screen_raise();
    return code;
}

const struct ens_command ens_command_predict = {
    .name = "predict",
    .words = "DIR|MODEL",
    .help = "new rows by what a study of kind superlearner has fitted",
    .min_words = 1,
    .max_words = 1,
    .options = options,
    .n_options = ENS_COUNT(options),
    .run = run,
    .more =
        "DIR is the folder of a finished study, or a file " ENS_MODEL_FILE
        " from there, which\n"
        "needs nothing else, but for learners that read the rows they were "
        "fitted on\n"
        "(knn): then the study's inputs and its folder have to be there. "
        "Learners "
        "that are\n"
        "programs are started from where they were in the run.\n"
        "Columns are found by their names where the training data had names, "
        "else there\n"
        "are as many, in the same order; text is what it was in the training "
        "data.\n"
        "Predictions are one column, of classes their names (--proba: a "
        "column per class,\n"
        "of two classes the probability of the second). In .npy classes are "
        "numbers: their\n"
        "names if these are numbers, else 0, 1 ... in the order of names.\n"
        "Rows are streamed: memory does not grow with them, and FILE is there "
        "whole or\n"
        "not at all.\n"
        "\n"
        "  ensrun predict results/s --input new.csv -o predictions.csv\n"
        "  ensrun predict model.ens --input new.npy -o p.npy --proba\n",
};
