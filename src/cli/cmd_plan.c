/* ensrun plan STUDY: what a run would do; nothing is run or written but the
 * columnar cache of a CSV input. With --pilot a few tasks are run. */
#include "cli/command.h"
#include "base/bug.h"
#include "base/hash.h"
#include "base/number.h"
#include "cli/page.h"
#include "cli/pilot.h"
#include "cli/results.h"
#include "run/run.h"
#include "stop/stopping.h"
#include "worker/worker.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define COLUMNS_MAX 50 /* of an input, printed */
#define CELLS_MAX   20
#define PILOT_MAX   1000000u /* tasks: places are held in memory */

static const struct ens_option options[] = {
    {"set", 0, ENS_OPTION_LIST, 0, "S.K=V",
     "as if [S] K = V were in the study; may be repeated"},
    {"cells", 0, ENS_OPTION_COUNT, 0, "N",
     "list the first N cells (default: 20)"},
    {"pilot", 0, ENS_OPTION_COUNT, 1, "N",
     "run N tasks, spread over the cells, and tell time, memory and disk"},
    {"workers", 0, ENS_OPTION_COUNT, 1, "N",
     "of the pilot, and of the memory of tasks (default: [run] workers, or the "
     "cores there are)"},
};

static void print_size(uint64_t bytes)
{
    static const char *const unit[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double v = (double)bytes;
    size_t i = 0;

    while (v >= 1024 && i + 1 < ENS_COUNT(unit)) {
        v /= 1024;
        i++;
    }
    printf(i == 0 ? "%.0f %s" : "%.1f %s", v, unit[i]);
}

static void print_shape(uint32_t ndim, const uint64_t *shape)
{
    for (uint32_t i = 0; i < ndim; i++)
        printf("%s%llu", i == 0 ? "" : "x", (unsigned long long)shape[i]);
}

/* -- inputs ---------------------------------------------------------------- */

static void print_columns(const struct ens_input *in)
{
    uint64_t n = in->n_columns < COLUMNS_MAX ? in->n_columns : COLUMNS_MAX;

    if (in->columns == NULL || in->columns[0].name[0] == '\0')
        return;
    for (uint64_t i = 0; i < n; i++) {
        const struct ens_column *c = &in->columns[i];

        printf("    %-24s %-4s", c->name,
               c->levels != NULL ? "text" : ens_dtype_code(c->view.dtype));
        if (c->levels != NULL)
            printf("  %u level%s", c->n_levels, c->n_levels == 1 ? "" : "s");
        if (c->n_missing > 0)
            printf("  %llu missing", (unsigned long long)c->n_missing);
        printf("\n");
    }
    if (n < in->n_columns)
        printf("    ... and %llu more columns\n",
               (unsigned long long)(in->n_columns - n));
}

static void print_inputs(const struct ens_inputs *inputs)
{
    if (inputs->n > 0)
        printf("\ninputs\n");
    for (size_t i = 0; i < inputs->n; i++) {
        const struct ens_input *in = &inputs->item[i].input;

        printf("  %-12s ", in->name);
        if (in->view.data != NULL) {
            print_shape(in->view.ndim, in->view.shape);
            printf(" %s", ens_dtype_code(in->view.dtype));
        } else {
            printf("%llu rows, %llu columns", (unsigned long long)in->n_rows,
                   (unsigned long long)in->n_columns);
        }
        printf(", ");
        print_size(in->bytes);
        printf(", %s\n", inputs->item[i].source);
        print_columns(in);
    }
}

/* -- plan ------------------------------------------------------------------ */

static void put(struct ens_page *page, const char *text)
{
    ens_page_put(page, text, strlen(text));
}

static enum ens_status print_cells(const struct ens_study *study, uint64_t max,
                                   struct ens_error *err)
{
    struct ens_page page = ENS_PAGE_INIT;
    uint64_t n = ens_study_n_cells(study);
    size_t n_axes = ens_study_n_axis_columns(study);
    int ok = ens_page_column(&page, "cell", 1);

    for (size_t i = 0; i < n_axes && ok; i++)
        ok = ens_page_column(&page, ens_study_axis_column(study, i)->name, 1);
    if (max > n)
        max = n;
    for (uint64_t c = 0; c < max && ok; c++) {
        struct ens_cell cell;
        char hex[ENS_HEX64_BYTES];

        ens_study_cell(study, c, &cell);
        ens_hex64(hex, cell.hash[0]);
        put(&page, hex);
        for (size_t i = 0; i < n_axes; i++)
            put(&page, ens_cell_axis_text(&cell, i));
        ok = !page.text.failed;
    }
    if (ok && max > 0) {
        printf("\ncells\n");
        ens_page_print(&page, 2);
        if (max < n)
            printf("  ... and %llu more\n", (unsigned long long)(n - max));
    }
    ens_page_fini(&page);
    return ok ? ENS_OK : ens_fail(err, ENS_ENOMEMORY, "out of memory");
}

static void print_schemas(const struct ens_plan *plan)
{
    for (size_t i = 0; i < plan->schemas.n; i++) {
        const struct ens_schema *s = plan->schemas.item[i];

        if (s->n == 0 && plan->schemas.n > 1)
            continue;
        printf("\nfields%s\n",
               plan->schemas.n > 1 ? " (one of the schemas)" : "");
        for (size_t k = 0; k < s->n; k++)
            printf("  %-24s %-8s %s%s%s\n", s->field[k].name,
                   s->field[k].type == ENS_TEXT  ? "text"
                   : s->field[k].type == ENS_I64 ? "integer"
                                                 : "number",
                   s->field[k].help, s->field[k].unit[0] == '\0' ? "" : ", ",
                   s->field[k].unit);
    }
}

static enum ens_status print_array(const struct ens_plan *plan,
                                   const struct ens_array_def *def,
                                   uint64_t *total, struct ens_error *err)
{
    uint64_t n_cells = ens_study_n_cells(plan->study);
    uint64_t shape[ENS_MAX_NDIM];
    uint64_t bytes = 0, n_files = 0;
    uint32_t ndim = 0;
    enum ens_status s = ENS_OK;

    for (uint64_t c = n_cells; c > 0 && s == ENS_OK; c--) {
        struct ens_cell cell;
        uint64_t n = 0;

        ens_study_cell(plan->study, c - 1, &cell);
        if (!ens_plan_has_array(plan, def->name, &cell))
            continue;
        n_files++;
        s = ens_plan_array_shape(plan, def->name, &cell, &ndim, shape, &n, err);
        bytes += n * ens_dtype_bytes(def->dtype);
    }
    if (s != ENS_OK)
        return s;
    printf("  %-16s %s, ", def->name, ens_dtype_code(def->dtype));
    print_shape(ndim, shape);
    printf(" in the first%s; %llu file%s, ",
           plan->kind->has_array == NULL ? " cell" : "",
           (unsigned long long)n_files, n_files == 1 ? "" : "s");
    print_size(bytes);
    printf("%s\n", def->keep ? "" : " (scratch)");
    *total += bytes;
    return ENS_OK;
}

static enum ens_status print_arrays(const struct ens_plan *plan,
                                    struct ens_error *err)
{
    uint64_t total = 0;
    enum ens_status s = ENS_OK;

    if (plan->n_arrays == 0)
        return ENS_OK;
    printf("\noutput arrays\n");
    for (size_t i = 0; i < plan->n_arrays && s == ENS_OK; i++)
        s = print_array(plan, &plan->array[i], &total, err);
    printf("  in all           ");
    print_size(total);
    printf("\n");
    return s;
}

/* -- memory of tasks ------------------------------------------------------- */

struct needs {
    uint64_t n, most; /* rows: so far, to be printed */
    uint32_t n_workers;
    uint64_t largest; /* bytes of tasks at the same time */
};

static enum ens_status print_need(void *arg, const char *what, uint64_t bytes,
                                  uint64_t n_tasks, struct ens_error *err)
{
    struct needs *t = arg;
    uint64_t together = n_tasks < t->n_workers ? n_tasks : t->n_workers;

    (void)err;
    if (t->n++ == 0)
        printf("\nprivate memory of tasks\n");
    if (t->n <= t->most) {
        printf("  %-40s ", what);
        print_size(bytes);
        printf("\n");
    }
    if (together * bytes > t->largest)
        t->largest = together * bytes;
    return ENS_OK;
}

static uint32_t n_workers(const struct ens_study *study,
                          const struct ens_options *o)
{
    const char *text = ens_study_value(study, "run", "workers")->text;
    int64_t n = (int64_t)ens_options_count(o, "workers", 0);

    if (n == 0 && ens_number_parse_i64(text, strlen(text), &n) != 0)
        n = ens_run_auto_workers(study);
    return (uint32_t)n;
}

static enum ens_status print_needs(const struct ens_plan *plan,
                                   const struct ens_options *o,
                                   struct ens_error *err)
{
    uint32_t n = n_workers(plan->study, o);
    struct needs t = {.most = ens_options_count(o, "cells", CELLS_MAX),
                      .n_workers = n};
    enum ens_status s =
        plan->kind->needs == NULL
            ? ENS_OK
            : plan->kind->needs(plan->host, plan, print_need, &t, err);

    if (s != ENS_OK || t.n == 0)
        return s;
    if (t.n > t.most)
        printf("  ... and %llu more\n", (unsigned long long)(t.n - t.most));
    printf("  at most, of %u worker%-23s ", n, n == 1 ? "" : "s");
    print_size(t.largest);
    printf("\n");
    return ENS_OK;
}

/* Each stage is a round of `run --shard` and `merge`. */
static void print_rounds(const struct ens_plan *plan, int may_stop)
{
    const struct ens_kind *kind = plan->kind;
    uint32_t most = kind->max_stages != NULL ? kind->max_stages(&ens_host, plan)
                                             : kind->next == NULL;

    if (most == 0)
        printf("shards   a round of --shard and merge for each stage; how many "
               "shows as results come in\n");
    else if (most == 1)
        printf("shards   one round of --shard and merge%s\n",
               may_stop ? "; a shard has whole cells" : "");
    else
        printf("shards   at most %u rounds of --shard and merge, one for each "
               "stage\n",
               most);
}

static void print_stop(const struct ens_stop_rules *rules, uint32_t max)
{
    uint64_t at = rules->min;

    if (rules->n == 0)
        return;
    for (size_t i = 0; i < rules->n; i++)
        printf("%s%s", i == 0 ? "stop     " : ", ", rules->rule[i].text);
    printf("\n         looked at after");
    for (int i = 0; i < 3 && at <= max; i++, at += rules->every)
        printf("%s %llu", i == 0 ? "" : ",", (unsigned long long)at);
    printf("%s of at most %u replicates\n", at <= max ? " ..." : "", max);
}

static enum ens_status print_plan(const struct ens_plan *plan,
                                  const struct ens_stop_rules *stop,
                                  const struct ens_options *o,
                                  struct ens_error *err)
{
    const struct ens_study *study = plan->study;
    const struct ens_stage *st = &plan->stage[0];
    struct stat there;
    int may_stop = stop->n > 0;
    enum ens_status s = ENS_OK;

    printf("study    %s (%s), %s\nseed     %llu\ncells    %llu\n"
           "tasks    %s%llu in stage %s%s\nresults  %s%s\n",
           ens_study_name(study), plan->kind->name, ens_study_path(study),
           (unsigned long long)ens_study_seed(study),
           (unsigned long long)ens_study_n_cells(study),
           may_stop ? "at most " : "",
           (unsigned long long)ens_stage_n_tasks(st), st->key,
           may_stop || ens_plan_is_last(plan, 1)
               ? ""
               : "; further stages may follow",
           ens_study_results(study),
           stat(ens_study_results(study), &there) == 0 ? " (exists: resumed)"
                                                       : "");
    print_stop(stop, ens_study_replicates(study));
    print_rounds(plan, may_stop);
    print_inputs(plan->inputs);
    s = print_cells(study, ens_options_count(o, "cells", CELLS_MAX), err);
    print_schemas(plan);
    if (s == ENS_OK)
        s = print_arrays(plan, err);
    return s == ENS_OK ? print_needs(plan, o, err) : s;
}

static enum ens_status plan_study(const struct ens_options *o,
                                  const struct ens_loaded *l,
                                  struct ens_error *err)
{
    struct ens_inputs inputs = {0};
    struct ens_stopping stop;
    struct ens_plan plan;
    enum ens_status s = ens_study_check_cells(l->study, err);

    if (s == ENS_OK)
        s = ens_inputs_open(&inputs, l->study, NULL, NULL, err);
    if (s != ENS_OK)
        return s;
    s = ens_plan_make(&plan, &ens_host, l->kind, l->study, &inputs, err);
    if (s == ENS_OK) {
        s = ens_stopping_init(&stop, &ens_host, &plan, err);
        if (s == ENS_OK)
            s = print_plan(&plan, &stop.rules, o, err);
        ens_stopping_fini(&stop);
        ens_plan_fini(&plan);
    }
    ens_inputs_close(&inputs);
    return s;
}

static enum ens_status run_pilot(const struct ens_options *o,
                                 const struct ens_loaded *l,
                                 const struct ens_override *set, size_t n_set,
                                 struct ens_buf *errors, struct ens_error *err)
{
    uint64_t n = ens_options_count(o, "pilot", 0);
    const struct ens_pilot_options po = {
        .study = o->n_words > 0 ? o->word[0] : "config.ini",
        .set = set,
        .n_set = n_set,
        .workers = (uint32_t)ens_options_count(o, "workers", 0),
        .n = n < PILOT_MAX ? (uint32_t)n : PILOT_MAX};

    return ens_pilot(l, &po, errors, err);
}

static int run(const struct ens_options *o)
{
    struct ens_override set[ENS_OPTIONS_MAX + 1];
    struct ens_buf errors = ENS_BUF_INIT;
    struct ens_error err = {0};
    struct ens_loaded l;
    enum ens_status s;
    size_t n = 0;
    int code = 0;

    while ((set[n].text = ens_options_item(o, "set", n)) != NULL)
        n++;
    s = ens_loaded_open(&l, o->n_words > 0 ? o->word[0] : "config.ini", set, n,
                        &errors, &err);
    if (s == ENS_OK) {
        s = plan_study(o, &l, &err);
        if (s == ENS_OK && ens_options_has(o, "pilot"))
            s = run_pilot(o, &l, set, n, &errors, &err);
        ens_loaded_close(&l);
    }
    if (s != ENS_OK)
        code = ens_cli_fail_lines(s, &errors, &err);
    ens_buf_fini(&errors);
    return code;
}

const struct ens_command ens_command_plan = {
    .name = "plan",
    .words = "[STUDY.ini]",
    .help = "what a study would run: cells, tasks, inputs, columns",
    .max_words = 1,
    .options = options,
    .n_options = ENS_COUNT(options),
    .more = "A pilot runs in a folder beside the results, which is removed; "
            "the same N picks\nthe same tasks.\n",
    .run = run,
};
