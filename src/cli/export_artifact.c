#include "cli/export_artifact.h"

#include "artifact/stack.h"
#include "artifact/unpack.h"
#include "base/bug.h"
#include "input/dtype.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

int ens_export_is_artifact(const struct ens_options *o)
{
    return ens_options_has(o, "artifact") || ens_options_has(o, "files");
}

/* -- options --------------------------------------------------------------- */

static enum ens_status check_without(const struct ens_options *o,
                                     const char *with, const char *const *names,
                                     struct ens_error *err)
{
    for (; *names != NULL; names++)
        if (ens_options_has(o, *names))
            return ens_fail(err, ENS_EUSAGE, "--%s does not go with --%s",
                            *names, with);
    return ENS_OK;
}

static int is_file(const char *file)
{
    return file != NULL && strcmp(file, "-") != 0;
}

static int has_end(const char *text, const char *end)
{
    size_t n = strlen(text);
    size_t m = strlen(end);

    return n > m && strcmp(text + n - m, end) == 0;
}

/* "npy", "csv", or what else was asked for. */
static const char *format_of(const struct ens_options *o)
{
    const char *to = ens_options_text(o, "to");
    const char *file = ens_options_text(o, "output");

    if (to != NULL)
        return to;
    return is_file(file) && has_end(file, ".npy") ? "npy" : "csv";
}

static enum ens_status check_format(const struct ens_options *o,
                                    struct ens_error *err)
{
    const char *to = format_of(o);
    const char *file = ens_options_text(o, "output");
    int npy = strcmp(to, "npy") == 0;

    if (!npy && strcmp(to, "csv") != 0)
        return ens_fail(err, ENS_EUSAGE,
                        "--to %s: artifacts are stacked to npy or csv", to);
    if (npy && !is_file(file))
        return ens_fail(err, ENS_EUSAGE,
                        "npy needs -o FILE: an index of its rows is written "
                        "beside it");
    if (!npy && is_file(file) && ens_options_text(o, "to") == NULL &&
        !has_end(file, ".csv"))
        return ens_fail(err, ENS_EUSAGE,
                        "%s: neither .npy nor .csv: say --to npy or csv", file);
    if (!npy && ens_options_has(o, "join"))
        return ens_fail(err, ENS_EUSAGE,
                        "--join is for npy: a csv has a line "
                        "per row in any case");
    return ENS_OK;
}

enum ens_status ens_export_artifact_check(const struct ens_options *o,
                                          struct ens_error *err)
{
    static const char *const not_files[] = {"table", "to",   "columns",
                                            "dtype", "join", NULL};
    static const char *const not_artifact[] = {"table", "force", NULL};
    enum ens_status s;

    if (!ens_options_has(o, "files")) {
        s = check_without(o, "artifact", not_artifact, err);
        return s == ENS_OK ? check_format(o, err) : s;
    }
    s = check_without(o, "files", not_files, err);
    if (s == ENS_OK && !is_file(ens_options_text(o, "output")))
        s = ens_fail(err, ENS_EUSAGE,
                     "--files needs -o DIR, a folder to unpack into");
    return s;
}

/* -- arrays ---------------------------------------------------------------- */

static void say_without(const char *what, uint64_t n_not_ok, uint64_t n_without)
{
    if (n_not_ok + n_without > 0)
        fprintf(stderr, "; %llu tasks without %s",
                (unsigned long long)(n_not_ok + n_without), what);
    if (n_not_ok > 0)
        fprintf(stderr, ", %llu of them not ok", (unsigned long long)n_not_ok);
}

static enum ens_status read_dtype(const struct ens_options *o,
                                  struct ens_stack_options *to,
                                  struct ens_error *err)
{
    const char *text = ens_options_text(o, "dtype");

    if (text == NULL)
        return ENS_OK;
    to->raw = 1;
    if (ens_dtype_parse(text, strlen(text), &to->dtype, &to->swapped) == 0)
        return ENS_OK;
    return ens_fail(err, ENS_EUSAGE,
                    "--dtype %s: expected f8 f4 f2 i8 i4 i2 i1 u8 u4 u2 u1 b1 "
                    "c8 c16, behind < or > if need be",
                    text);
}

static enum ens_status write_csv(struct ens_stack *st, const char *file,
                                 struct ens_error *err)
{
    struct ens_out out;
    enum ens_status s = ENS_OK;

    if (is_file(file))
        s = ens_out_create(&out, file, NULL, err);
    else
        ens_out_init(&out, STDOUT_FILENO, "standard output");
    if (s != ENS_OK)
        return s;
    s = ens_stack_csv(st, &out, err);
    if (s == ENS_OK)
        return ens_out_commit(&out, err);
    ens_out_abort(&out);
    return s;
}

static enum ens_status index_path(char to[4096], const char *file,
                                  struct ens_error *err)
{
    size_t n = strlen(file) - (has_end(file, ".npy") ? 4 : 0);

    if (snprintf(to, 4096, "%.*s.tasks.csv", (int)n, file) >= 4096)
        return ens_fail(err, ENS_EUSAGE, "%s: path too long", file);
    return ENS_OK;
}

/* The index first: who finds the array finds its index, too. */
static enum ens_status write_npy(struct ens_stack *st, const char *file,
                                 struct ens_error *err)
{
    struct ens_out out, index;
    char path[4096];
    enum ens_status s = index_path(path, file, err);

    if (s == ENS_OK)
        s = ens_out_create(&out, file, NULL, err);
    if (s != ENS_OK)
        return s;
    s = ens_out_create(&index, path, NULL, err);
    if (s != ENS_OK) {
        ens_out_abort(&out);
        return s;
    }
    s = ens_stack_npy(st, &out, &index, err);
    if (s == ENS_OK)
        s = ens_out_flush(&out, err); /* no index of an array that is cut */
    if (s == ENS_OK)
        s = ens_out_commit(&index, err);
    else
        ens_out_abort(&index);
    if (s == ENS_OK)
        return ens_out_commit(&out, err);
    ens_out_abort(&out);
    return s;
}

static void say_stacked(const struct ens_stack *st, const char *file)
{
    char path[4096];

    fprintf(stderr, "%s%s%s: %llu tasks, %llu rows", st->o->name,
            is_file(file) ? " in " : "", is_file(file) ? file : "",
            (unsigned long long)st->n_tasks, (unsigned long long)st->n_rows);
    if (st->o->npy && index_path(path, file, NULL) == ENS_OK)
        fprintf(stderr, ", index in %s", path);
    say_without("it", st->n_not_ok, st->n_without);
    fputc('\n', stderr);
}

static enum ens_status stack(const struct ens_results *r,
                             const struct ens_options *o,
                             const struct ens_sheet *sheet,
                             struct ens_screen *screen, struct ens_error *err)
{
    const char *file = ens_options_text(o, "output");
    struct ens_stack_options want = {
        .dir = r->dir,
        .name = ens_options_text(o, "artifact"),
        .sheet = sheet,
        .npy = strcmp(format_of(o), "npy") == 0,
        .join = ens_options_has(o, "join"),
        .progress = ens_screen_tell,
        .arg = screen,
    };
    struct ens_stack st;
    enum ens_status s = read_dtype(o, &want, err);

    if (s == ENS_OK)
        s = ens_stack_init(&st, &want, err);
    if (s == ENS_OK)
        s = want.npy ? write_npy(&st, file, err) : write_csv(&st, file, err);
    ens_screen_clear(screen);
    if (s == ENS_OK)
        say_stacked(&st, file);
    return s;
}

/* -- files ----------------------------------------------------------------- */

static enum ens_status unpack(const struct ens_results *r,
                              const struct ens_options *o,
                              const struct ens_sheet *sheet,
                              struct ens_screen *screen, struct ens_error *err)
{
    const struct ens_unpack_options want = {
        .dir = r->dir,
        .folder = ens_options_text(o, "output"),
        .name = ens_options_text(o, "artifact"),
        .sheet = sheet,
        .force = ens_options_has(o, "force"),
        .progress = ens_screen_tell,
        .arg = screen,
    };
    struct ens_unpacked done = {0};
    enum ens_status s = ens_unpack(&want, &done, err);

    ens_screen_clear(screen);
    if (s != ENS_OK)
        return s;
    fprintf(stderr, "%s: %llu files of %llu tasks", want.folder,
            (unsigned long long)done.n_files, (unsigned long long)done.n_tasks);
    if (done.n_same > 0)
        fprintf(stderr, ", %llu of them were there",
                (unsigned long long)done.n_same);
    say_without(want.name == NULL ? "files" : want.name, done.n_not_ok,
                done.n_without);
    fputc('\n', stderr);
    return ENS_OK;
}

/* -- both ------------------------------------------------------------------ */

enum ens_status ens_export_artifact(struct ens_results *r,
                                    const struct ens_options *o,
                                    struct ens_screen *screen,
                                    struct ens_error *err)
{
    struct ens_buf where = ENS_BUF_INIT;
    struct ens_selection sel = {ens_options_text(o, "columns"),
                                ens_options_joined(o, "where", &where),
                                ens_options_count(o, "head", 0)};
    struct ens_tables *t = NULL;
    struct ens_sheet sheet;
    enum ens_status s = ens_results_index(r, err);

    if (s == ENS_OK)
        s = ens_results_tables(r, &t, err);
    if (s == ENS_OK && sel.columns == NULL)
        sel.columns = r->n_places > 1 ? "stage,task,cell,replicate"
                                      : "task,cell,replicate";
    if (s == ENS_OK)
        s = ens_sheet_init(&sheet, t, ens_table_find("tasks"), &sel, err);
    ens_buf_fini(&where);
    if (s == ENS_OK) {
        s = ens_options_has(o, "files") ? unpack(r, o, &sheet, screen, err)
                                        : stack(r, o, &sheet, screen, err);
        ens_sheet_fini(&sheet);
    }
    if (t != NULL)
        ens_tables_close(t);
    return s;
}
