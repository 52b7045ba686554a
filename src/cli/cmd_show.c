/* ensrun show DIR [TABLE|TASK]: measures, a table, or a task in full. */
#include "cli/command.h"
#include "base/bug.h"
#include "cli/show_cells.h"
#include "cli/show_task.h"

#define HEAD_ROWS 100u

static const struct ens_option options[] = {
    {"head", 0, ENS_OPTION_COUNT, 0, "N",
     "the first N rows (default: 100; 0 = all)"},
    {"columns", 0, ENS_OPTION_TEXT, 0, "A,B", "only these, in this order"},
    {"where", 0, ENS_OPTION_LIST, 0, "K=V,...",
     "only rows whose column K is V; may be given again"},
};

static enum ens_status show_table(struct ens_results *r,
                                  const struct ens_options *o, const char *name,
                                  struct ens_error *err)
{
    struct ens_buf where = ENS_BUF_INIT;
    struct ens_selection sel = {ens_options_text(o, "columns"),
                                ens_options_joined(o, "where", &where),
                                ens_options_count(o, "head", HEAD_ROWS)};
    enum ens_status s = ens_show_table(r, name, &sel, err);

    ens_buf_fini(&where);
    return s;
}

/* Or nothing is named. */
static int is_table(const struct ens_results *r, const char *what)
{
    return what == NULL || ens_table_find(what) != NULL ||
           ens_table_of_kind(r->loaded.kind, what) != NULL;
}

static int run(const struct ens_options *o)
{
    const char *what = o->n_words > 1                  ? o->word[1]
                       : ens_options_has(o, "columns") ? "cells"
                                                       : NULL;
    struct ens_buf errors = ENS_BUF_INIT;
    struct ens_error err = {0};
    struct ens_results r;
    enum ens_status s =
        ens_results_open(&r, o->word[0], ENS_RESULTS_FAST, &errors, &err);
    int code;

    if (s == ENS_OK) {
        s = is_table(&r, what) ? show_table(&r, o, what, &err)
                               : ens_show_task(&r, what, &err);
        ens_results_close(&r);
    }
    code = s == ENS_OK ? 0 : ens_cli_fail_lines(s, &errors, &err);
    ens_buf_fini(&errors);
    return code;
}

const struct ens_command ens_command_show = {
    .name = "show",
    .words = "DIR [TABLE|TASK]",
    .help = "show a table, or one task in full",
    .min_words = 1,
    .max_words = 2,
    .options = options,
    .n_options = ENS_COUNT(options),
    .run = run,
    .more =
        "Without a table: what a run shows at its end. That is the kind's own "
        "tables, where\nit has such, else the measures of each cell, side by "
        "side; cells has them one a row,\nwith all columns. Tables: tasks, "
        "cells, columns, timings, failures, outputs, and those\nof the kind "
        "(`ensrun kinds NAME` lists them). A task is a label of the table "
        "tasks,\nCELL:REPLICATE or STAGE/CELL:REPLICATE; any unambiguous "
        "beginning of the cell's id\nwill do.\n",
};
