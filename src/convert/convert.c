#include "convert/convert.h"

#include "base/bug.h"
#include "convert/element.h"
#include "convert/source.h"
#include "convert/writer.h"
#include "input/dtype.h"
#include "input/mapped.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct ens_writer *const writers[] = {
#define ENS_WRITER(name) &ens_writer_##name,
#include "convert/writers.def"
#undef ENS_WRITER
};

const char *ens_convert_format(size_t i, const char **extensions,
                               const char **help)
{
    if (i >= ENS_COUNT(writers))
        return NULL;
    *extensions = writers[i]->extensions;
    *help = writers[i]->help;
    return writers[i]->name;
}

/* -- which format -----------------------------------------------------------
 */

/* Does path end in "." and one of the extensions? */
static int is_extension(const char *extensions, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    size_t n_name = strlen(name);

    for (const char *p = extensions; *p != '\0';) {
        size_t n = strcspn(p, " ");

        if (n_name > n && name[n_name - n - 1] == '.' &&
            strncasecmp(name + n_name - n, p, n) == 0)
            return 1;
        p += n + (p[n] == ' ');
    }
    return 0;
}

static enum ens_status pick_writer(const struct ens_convert_options *o,
                                   const struct ens_writer **w,
                                   struct ens_error *err)
{
    char all[256] = "";
    size_t n = 0;

    for (size_t i = 0; i < ENS_COUNT(writers); i++) {
        const char *p =
            o->to != NULL ? writers[i]->name : writers[i]->extensions;

        if (o->to != NULL ? strcmp(p, o->to) == 0 : is_extension(p, o->path)) {
            *w = writers[i];
            return ENS_OK;
        }
        for (; *p != '\0' && n + 4 < sizeof(all);) {
            size_t k = strcspn(p, " ");

            n += (size_t)snprintf(all + n, sizeof(all) - n, "%s%s%.*s",
                                  n > 0 ? " " : "", o->to != NULL ? "" : ".",
                                  (int)k, p);
            p += k + (p[k] == ' ');
        }
    }
    if (o->to != NULL)
        return ens_fail(err, ENS_EUSAGE, "--to %s: expected one of %s", o->to,
                        all);
    if (strcmp(o->path, "-") == 0)
        return ens_fail(err, ENS_EUSAGE,
                        "standard output has no extension; say --to csv, npy, "
                        "raw or mtx");
    return ens_fail(err, ENS_EUSAGE,
                    "%s: its format is told by its extension, one of %s; or "
                    "say --to FORMAT",
                    o->path, all);
}

static const struct {
    unsigned option;
    const char *name;
} names[] = {
    {ENS_TO_DTYPE, "to-dtype"},         {ENS_TO_DATASET, "to-dataset"},
    {ENS_TO_DELIMITER, "to-delimiter"}, {ENS_TO_HEADER, "to-header"},
    {ENS_TO_MISSING, "to-missing"},     {ENS_TO_NAMES, "names"},
    {ENS_TO_FLATTEN, "flatten"},        {ENS_TO_CODES, "codes"},
    {ENS_TO_COORDINATE, "coordinate"},
};

static enum ens_status check_options(const struct ens_convert_options *o,
                                     const struct ens_writer *w,
                                     struct ens_error *err)
{
    for (size_t i = 0; i < ENS_COUNT(names); i++)
        if ((o->given & names[i].option & ~w->takes) != 0)
            return ens_fail(err, ENS_EUSAGE,
                            "--%s is not for an output of format %s",
                            names[i].name, w->name);
    if (o->no_header && o->names != NULL)
        return ens_fail(err, ENS_EUSAGE, "--names and --to-header no");
    return ENS_OK;
}

/* -- where it goes ----------------------------------------------------------
 */

static int is_standard(const struct ens_convert_options *o)
{
    return strcmp(o->path, "-") == 0;
}

static enum ens_status check_path(const struct ens_convert_options *o,
                                  const struct ens_writer *w,
                                  struct ens_error *err)
{
    struct stat st;

    if (strcmp(o->from.path, "-") == 0)
        return ens_fail(err, ENS_EUSAGE,
                        "the input is mapped: it cannot be standard input");
    if (is_standard(o)) {
        if (w->seeks)
            return ens_fail(err, ENS_EUSAGE,
                            "%s needs a file; standard output does not do",
                            w->name);
        if (!w->is_text && isatty(STDOUT_FILENO))
            return ens_fail(err, ENS_EUSAGE, "%s is not for terminals",
                            w->name);
        return ENS_OK;
    }
    if (stat(o->path, &st) != 0)
        return ENS_OK;
    if (!o->force && S_ISREG(st.st_mode))
        return ens_fail(err, ENS_EUSAGE,
                        "%s is there already; --force replaces it", o->path);
    return ENS_OK;
}

/* The folder of the output, for what is unpacked on the way. */
static char *folder_of(const struct ens_convert_options *o,
                       struct ens_arena *arena)
{
    const char *slash = strrchr(o->path, '/');
    const char *tmp = getenv("TMPDIR");

    if (is_standard(o))
        return ens_arena_strdup(arena, tmp != NULL ? tmp : "/var/tmp");
    if (slash == NULL)
        return ens_arena_strdup(arena, ".");
    return ens_arena_strndup(arena, o->path,
                             slash == o->path ? 1 : (size_t)(slash - o->path));
}

/* -- text as codes: the texts beside ----------------------------------------
 */

static int has_text(const struct ens_input *in)
{
    for (uint64_t i = 0; in->columns != NULL && i < in->n_columns; i++)
        if (in->columns[i].levels != NULL)
            return 1;
    return 0;
}

static void put_quoted(struct ens_out *out, const char *p)
{
    ens_out_put(out, "\"", 1);
    for (; *p != '\0'; p++)
        ens_out_put(out, *p == '"' ? "\"\"" : p, *p == '"' ? 2 : 1);
    ens_out_put(out, "\"", 1);
}

static void put_levels(struct ens_out *out, const struct ens_input *in)
{
    char code[32];

    ens_out_puts(out, "column,code,text\n");
    for (uint64_t i = 0; i < in->n_columns; i++)
        for (uint32_t k = 0; k < in->columns[i].n_levels; k++) {
            put_quoted(out, in->columns[i].name);
            snprintf(code, sizeof(code), ",%u,", k);
            ens_out_puts(out, code);
            put_quoted(out, in->columns[i].levels[k]);
            ens_out_puts(out, "\n");
        }
}

static enum ens_status open_levels(struct ens_out *out,
                                   const struct ens_convert_options *o,
                                   const struct ens_input *in,
                                   struct ens_error *err)
{
    char path[4096];
    struct ens_convert_options beside = *o;
    enum ens_status s;

    if (is_standard(o))
        return ens_fail(err, ENS_EUSAGE,
                        "--codes: the texts go beside the output; name a file");
    if (snprintf(path, sizeof(path), "%s.levels.csv", o->path) >=
        (int)sizeof(path))
        return ens_fail(err, ENS_EUSAGE, "%s: path too long", o->path);
    beside.path = path;
    s = check_path(&beside, &ens_writer_csv, err);
    if (s == ENS_OK)
        s = ens_out_create(out, path, NULL, err);
    if (s == ENS_OK)
        put_levels(out, in);
    return s;
}

/* -- the conversion ---------------------------------------------------------
 */

struct reading {
    const struct ens_convert_options *o;
};

static void tell_reading(void *arg, const char *name, uint64_t done,
                         uint64_t all)
{
    const struct reading *r = arg;

    (void)name;
    if (r->o->progress != NULL)
        (void)r->o->progress(r->o->arg, "reading", done, all);
}

enum ens_status ens_writing_done(struct ens_writing *w, uint64_t n,
                                 struct ens_error *err)
{
    const struct ens_convert_options *o = w->options;

    w->n_done += n;
    if (o->progress != NULL &&
        o->progress(o->arg, "writing", w->n_done, w->n_elements))
        return ens_fail(err, ENS_ESTOPPED, "stopped; nothing was written");
    if (w->out->error.status == ENS_OK)
        return ENS_OK;
    return ens_out_flush(w->out, err);
}

static void describe(struct ens_convert_report *r, const struct ens_input *in)
{
    char shape[160];

    ens_shape_text(shape, sizeof(shape), in->view.ndim, in->view.shape);
    snprintf(r->text, sizeof(r->text), "%s%s%s", shape,
             in->view.data != NULL ? " " : "",
             in->view.data != NULL ? ens_dtype_code(in->view.dtype) : "");
}

static enum ens_status write_to(struct ens_writing *w,
                                const struct ens_writer *writer,
                                struct ens_error *err)
{
    enum ens_status s = ENS_OK;

    if (is_standard(w->options))
        ens_out_init(w->out, STDOUT_FILENO, "standard output");
    else
        s = ens_out_create(w->out, w->options->path, NULL, err);
    if (s == ENS_OK)
        s = writer->write(w, err);
    /* the first error is that of the output, if it had one */
    if (s == ENS_OK || w->out->error.status != ENS_OK)
        s = ens_out_flush(w->out, err);
    return s;
}

static enum ens_status write_both(struct ens_writing *w,
                                  const struct ens_writer *writer,
                                  struct ens_convert_report *report,
                                  struct ens_error *err)
{
    struct ens_out levels;
    int beside = w->options->codes && has_text(w->in);
    enum ens_status s = ENS_OK;

    ens_out_init(&levels, -1, "");
    if (beside)
        s = open_levels(&levels, w->options, w->in, err);
    if (s == ENS_OK)
        s = write_to(w, writer, err);
    if (s == ENS_OK && beside)
        s = ens_out_commit(&levels, err);
    else
        ens_out_abort(&levels);
    if (s == ENS_OK)
        s = ens_out_commit(w->out, err);
    else
        ens_out_abort(w->out);
    if (s == ENS_OK)
        snprintf(report->beside, sizeof(report->beside), "%s",
                 beside ? ".levels.csv" : "");
    return s;
}

static enum ens_status convert(const struct ens_convert_options *o,
                               const struct ens_input_spec *from,
                               const struct ens_writer *writer,
                               struct ens_convert_report *report,
                               const char **key, struct ens_error *err)
{
    struct reading reading = {o};
    struct ens_mapped m;
    struct ens_out out;
    struct ens_writing w = {.options = o, .out = &out};
    enum ens_status s =
        ens_mapped_open(&m, from, -1, tell_reading, &reading, key, err);

    if (s != ENS_OK)
        return s;
    ens_out_init(&out, -1, "");
    w.in = &m.input;
    w.n_elements = m.input.n_rows * m.input.n_columns;
    describe(report, w.in);
    s = write_both(&w, writer, report, err);
    if (s == ENS_EINPUT)
        s = ens_wrap(err, s, "%s", from->path);
    ens_mapped_close(&m);
    return s;
}

enum ens_status ens_convert(const struct ens_convert_options *o,
                            struct ens_convert_report *report, const char **key,
                            struct ens_error *err)
{
    struct ens_arena arena = ENS_ARENA_INIT;
    struct ens_input_spec from = o->from;
    const struct ens_writer *writer = NULL;
    enum ens_status s = pick_writer(o, &writer, err);

    *key = NULL;
    memset(report, 0, sizeof(*report));
    if (s == ENS_OK)
        s = check_options(o, writer, err);
    if (s == ENS_OK)
        s = check_path(o, writer, err);
    if (s != ENS_OK)
        return s;
    from.scratch = folder_of(o, &arena);
    s = from.scratch == NULL ? ens_fail(err, ENS_ENOMEMORY, "out of memory")
                             : convert(o, &from, writer, report, key, err);
    ens_arena_fini(&arena);
    return s;
}
