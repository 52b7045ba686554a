/* ensrun export DIR: a table, an artifact over tasks, or files of tasks. */
#include "cli/command.h"
#include "base/bug.h"
#include "cli/export_artifact.h"
#include "cli/results.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct ens_option options[] = {
    {"table", 0, ENS_OPTION_TEXT, 0, "TABLE",
     "which one (default: tasks); see below"},
    {"to", 0, ENS_OPTION_TEXT, 0, "FORMAT",
     "csv, jsonl, npy or text (default: by the name of FILE; in a terminal "
     "text, else csv)"},
    {"output", 'o', ENS_OPTION_TEXT, 0, "FILE",
     "write FILE instead of standard output"},
    {"names", 0, ENS_OPTION_CHOICE, 0, "ensrun|bayesim",
     "of columns and statuses: as here, or those of bayesim's summary (tasks) "
     "and performance measures (cells)"},
    {"artifact", 0, ENS_OPTION_TEXT, 0, "NAME",
     "no table: that artifact, or collected file, of all tasks; see below"},
    {"files", 0, ENS_OPTION_FLAG, 0, NULL,
     "no table: what tasks keep, as files in the folder -o DIR; see below"},
    {"columns", 0, ENS_OPTION_TEXT, 0, "A,B", "only these, in this order"},
    {"where", 0, ENS_OPTION_LIST, 0, "K=V,...",
     "only rows whose column K is V; may be given again"},
    {"head", 0, ENS_OPTION_COUNT, 1, "N", "only the first N rows"},
    {"dtype", 0, ENS_OPTION_TEXT, 0, "TYPE",
     "of an artifact that is no .npy: raw numbers f8, <i4 ... as in numpy"},
    {"join", 0, ENS_OPTION_FLAG, 0, NULL,
     "artifacts to npy: along their first axis, not along a new one"},
    {"force", 0, ENS_OPTION_FLAG, 0, NULL,
     "with --files: replace files that have other bytes"},
    {"progress", 0, ENS_OPTION_CHOICE, 0, "bar|lines|none",
     "of artifacts and files: one line that changes, a line a minute, or "
     "nothing"},
};

static enum ens_status pick_format(const struct ens_options *o,
                                   const struct ens_exporter **x,
                                   struct ens_error *err)
{
    const char *to = ens_options_text(o, "to");
    const char *file = ens_options_text(o, "output");
    const char *dot = file == NULL ? NULL : strrchr(file, '.');

    if (to == NULL && dot != NULL && strchr(dot, '/') == NULL) {
        *x = ens_exporter_find(dot + 1);
        if (*x == NULL)
            return ens_fail(err, ENS_EUSAGE,
                            "%s: no format is called %s; name one by --to "
                            "csv, jsonl, npy or text",
                            file, dot + 1);
        return ENS_OK;
    }
    if (to == NULL)
        to = file == NULL && isatty(STDOUT_FILENO) ? "text" : "csv";
    *x = ens_exporter_find(to);
    if (*x == NULL)
        return ens_fail(
            err, ENS_EUSAGE,
            "--to %s: no such format; there are csv, jsonl, npy, text", to);
    return ENS_OK;
}

static enum ens_status pick_table(const struct ens_options *o,
                                  const struct ens_tables *t,
                                  const struct ens_table **table,
                                  struct ens_error *err)
{
    const char *name = ens_options_text(o, "table");
    const char *names = ens_options_text(o, "names");
    enum ens_status s =
        ens_tables_pick(t, name == NULL ? "tasks" : name, table, err);

    if (s != ENS_OK)
        return ens_wrap(err, s, "--table");
    if (names == NULL || strcmp(names, "ensrun") == 0)
        return ENS_OK;
    *table = ens_table_renamed(*table, names);
    if (*table == NULL)
        return ens_fail(err, ENS_EUSAGE,
                        "--names bayesim: of the tables tasks and cells");
    return ENS_OK;
}

static enum ens_status write_sheet(const struct ens_sheet *sheet,
                                   const struct ens_exporter *x,
                                   const char *file, struct ens_error *err)
{
    struct ens_out out;
    enum ens_status s = ENS_OK;

    if (file == NULL || strcmp(file, "-") == 0)
        ens_out_init(&out, STDOUT_FILENO, "standard output");
    else
        s = ens_out_create(&out, file, NULL, err);
    if (s != ENS_OK)
        return s;
    s = ens_sheet_export(sheet, x, &out, err);
    if (s == ENS_OK)
        return ens_out_commit(&out, err);
    ens_out_abort(&out);
    return s;
}

static enum ens_status export_table(struct ens_results *r,
                                    const struct ens_options *o,
                                    const struct ens_exporter *x,
                                    struct ens_error *err)
{
    const struct ens_table *table;
    struct ens_buf where = ENS_BUF_INIT;
    struct ens_selection sel = {ens_options_text(o, "columns"),
                                ens_options_joined(o, "where", &where),
                                ens_options_count(o, "head", 0)};
    struct ens_tables *t;
    struct ens_sheet sheet;
    enum ens_status s = ens_results_index(r, err);

    if (s == ENS_OK)
        s = ens_results_tables(r, &t, err);
    if (s != ENS_OK) {
        ens_buf_fini(&where);
        return s;
    }
    s = pick_table(o, t, &table, err);
    if (s == ENS_OK)
        s = ens_sheet_init(&sheet, t, table, &sel, err);
    ens_buf_fini(&where);
    if (s == ENS_OK) {
        s = write_sheet(&sheet, x, ens_options_text(o, "output"), err);
        ens_sheet_fini(&sheet);
    }
    ens_tables_close(t);
    return s;
}

/* Of a table: what is asked for, before anything is opened. */
static enum ens_status pick(const struct ens_options *o,
                            const struct ens_exporter **x,
                            struct ens_error *err)
{
    static const char *const others[] = {"dtype", "join", "force"};
    enum ens_status s = pick_format(o, x, err);

    for (size_t i = 0; s == ENS_OK && i < ENS_COUNT(others); i++)
        if (ens_options_has(o, others[i]))
            s = ens_fail(err, ENS_EUSAGE,
                         "--%s goes with --artifact or --files", others[i]);
    if (s == ENS_OK && (*x)->is_binary && isatty(STDOUT_FILENO) &&
        !ens_options_has(o, "output"))
        s = ens_fail(err, ENS_EUSAGE,
                     "%s is not for terminals; name a file by -o", (*x)->name);
    return s;
}

static int run(const struct ens_options *o)
{
    const int of_artifacts = ens_export_is_artifact(o);
    const struct ens_exporter *x = NULL;
    struct ens_buf errors = ENS_BUF_INIT;
    struct ens_error err = {0};
    struct ens_screen screen;
    struct ens_results r;
    enum ens_status s =
        of_artifacts ? ens_export_artifact_check(o, &err) : pick(o, &x, &err);
    int code;

    ens_screen_init(&screen, ens_options_text(o, "progress"));
    if (s == ENS_OK)
        s = ens_results_open(&r, o->word[0], ENS_RESULTS_FAST, &errors, &err);
    if (s == ENS_OK) {
        s = of_artifacts ? ens_export_artifact(&r, o, &screen, &err)
                         : export_table(&r, o, x, &err);
        ens_results_close(&r);
    }
    code = s == ENS_OK ? 0 : ens_cli_fail_lines(s, &errors, &err);
    ens_buf_fini(&errors);
    ens_screen_raise();
    return code;
}

const struct ens_command ens_command_export = {
    .name = "export",
    .words = "DIR",
    .help = "write a table, an artifact over tasks, or files of tasks",
    .min_words = 1,
    .max_words = 1,
    .options = options,
    .n_options = ENS_COUNT(options),
    .run = run,
    .more =
        "Tables: tasks, cells, columns, timings, failures, outputs, and those "
        "of the\nkind (`ensrun kinds NAME` lists them).\n"
        "A study that has not finished gives the rows it has.\n"
        "\n"
        "--artifact NAME stacks what tasks keep under that name, in task "
        "order, to\n"
        "npy or csv. It must be a .npy file, or raw numbers of a --dtype.\n"
        "  npy  a new first axis, one place per task: all shapes are equal. "
        "With\n"
        "       --join: rows behind rows. Beside FILE.npy, FILE.tasks.csv has "
        "a line\n"
        "       per task; a[first : first + rows] is the task's (from 0).\n"
        "  csv  a line per row of each array: task, cell, replicate, row "
        "(from 1),\n"
        "       then value, or v1 .. vM. Narrower arrays leave the last ones "
        "empty.\n"
        "--where, --head and --columns choose tasks, and columns in front, "
        "from the\n"
        "table tasks. Tasks without it are left out and counted.\n"
        "\n"
        "--files -o DIR unpacks collected files, and artifacts of any kind, "
        "as\n"
        "DIR/TASK/NAME; --where and --head choose tasks, --artifact one name. "
        "A file\n"
        "that is there with the same bytes is left alone, so it can be run "
        "again after\n"
        "an interruption; one with other bytes is an error.\n"
        "\n"
        "  ensrun export results/s --artifact fit -o fit.npy\n"
        "  ensrun export results/s --artifact draws.npy --to csv --where "
        "replicate=7\n"
        "  ensrun export results/s --files -o files --where status=ok\n",
};
