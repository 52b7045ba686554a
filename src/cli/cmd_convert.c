/* ensrun convert IN OUT: a file of one input format as one of another. */
#include "cli/command.h"
#include "cli/from.h"
#include "cli/screen.h"
#include "convert/convert.h"

#include "base/bug.h"
#include "base/clock.h"
#include "input/options.h"

#include <math.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static const struct ens_option options[] = {
    {"to", 0, ENS_OPTION_TEXT, 0, "FORMAT",
     "csv, npy, npz, raw or mtx (default: by the extension of OUT)"},
    {"force", 0, ENS_OPTION_FLAG, 0, NULL, "replace OUT if it is there"},
    ENS_FROM_OPTIONS("of IN"),
    {"to-dtype", 0, ENS_OPTION_TEXT, 0, "TYPE",
     "of an npy, npz or raw OUT (default: that of IN)"},
    {"to-dataset", 0, ENS_OPTION_TEXT, 0, "NAME",
     "of an npz OUT: name of its array (default: X)"},
    {"to-delimiter", 0, ENS_OPTION_TEXT, 0, "CHAR",
     "of a csv OUT (default: comma; tab for .tsv)"},
    {"to-header", 0, ENS_OPTION_CHOICE, 0, "yes|no",
     "of a csv OUT: a line with names (default: yes)"},
    {"to-missing", 0, ENS_OPTION_TEXT, 0, "TEXT",
     "of a csv OUT: what stands for missing and NaN (default: nothing)"},
    {"names", 0, ENS_OPTION_TEXT, 0, "A,B,..",
     "of a csv OUT: its columns (default: those of IN, else V1, V2 ..)"},
    {"flatten", 0, ENS_OPTION_FLAG, 0, NULL,
     "dimensions behind the first become columns, in C order"},
    {"codes", 0, ENS_OPTION_FLAG, 0, NULL,
     "text in an array: its place in OUT.levels.csv, -1 for missing"},
    {"coordinate", 0, ENS_OPTION_FLAG, 0, NULL,
     "mtx: only what is not 0, with its place"},
    {"progress", 0, ENS_OPTION_CHOICE, 0, "bar|lines|none",
     "one line that changes, a line a minute, or nothing"},
};

/* -- options ----------------------------------------------------------------
 */

static enum ens_status read_to(struct ens_convert_options *c,
                               const struct ens_options *o,
                               struct ens_error *err)
{
    static const struct {
        const char *name;
        unsigned given;
    } table[] = {
        {"to-dtype", ENS_TO_DTYPE},         {"to-dataset", ENS_TO_DATASET},
        {"to-delimiter", ENS_TO_DELIMITER}, {"to-header", ENS_TO_HEADER},
        {"to-missing", ENS_TO_MISSING},     {"names", ENS_TO_NAMES},
        {"flatten", ENS_TO_FLATTEN},        {"codes", ENS_TO_CODES},
        {"coordinate", ENS_TO_COORDINATE},
    };
    const char *text = ens_options_text(o, "to-delimiter");
    const char *header = ens_options_text(o, "to-header");
    struct ens_input_options delimiter = {.delimiter = 0};
    enum ens_status s = ENS_OK;

    for (size_t i = 0; i < ENS_COUNT(table); i++)
        if (ens_options_has(o, table[i].name))
            c->given |= table[i].given;
    c->path = o->word[1];
    c->to = ens_options_text(o, "to");
    c->force = ens_options_has(o, "force");
    c->dtype = ens_options_text(o, "to-dtype");
    c->dataset = ens_options_text(o, "to-dataset");
    c->no_header = header != NULL && strcmp(header, "no") == 0;
    c->missing = ens_options_text(o, "to-missing");
    c->names = ens_options_text(o, "names");
    c->flatten = ens_options_has(o, "flatten");
    c->codes = ens_options_has(o, "codes");
    c->coordinate = ens_options_has(o, "coordinate");
    if (text != NULL) {
        s = ens_options_delimiter(&delimiter, text, err);
        c->delimiter = delimiter.delimiter;
    }
    return s;
}

/* -- the command ------------------------------------------------------------
 */

static enum ens_status convert(struct ens_convert_options *c,
                               struct ens_screen *screen, struct ens_error *err)
{
    struct ens_convert_report report;
    const char *key = NULL;
    enum ens_status s;

    c->progress = ens_screen_tell;
    c->arg = screen;
    s = ens_convert(c, &report, &key, err);
    ens_screen_clear(screen);
    if (s != ENS_OK)
        return key != NULL ? ens_wrap(err, s, "--%s", key) : s;
    if (strcmp(c->path, "-") != 0)
        fprintf(stderr, "%s: %s%s%s%s\n", c->path, report.text,
                *report.beside != '\0' ? ", texts in " : "",
                *report.beside != '\0' ? c->path : "", report.beside);
    return s;
}

static int run(const struct ens_options *o)
{
    struct ens_convert_options c = {.path = ""};
    struct ens_arena arena = ENS_ARENA_INIT;
    struct ens_error err = {0};
    struct ens_screen screen;
    enum ens_status s = ens_from_read(&c.from, o->word[0], o, &arena, &err);

    ens_screen_init(&screen, ens_options_text(o, "progress"));
    if (s == ENS_OK)
        s = read_to(&c, o, &err);
    if (s == ENS_OK)
        s = convert(&c, &screen, &err);
    ens_arena_fini(&arena);
    if (s == ENS_OK)
        return 0;
    ens_cli_fail(s, &err);
    ens_screen_raise();
    return ens_status_exit(s);
}

const struct ens_command ens_command_convert = {
    "convert",
    "IN OUT",
    "between input formats: npy, npz, csv, mtx, raw",
    2,
    2,
    options,
    ENS_COUNT(options),
    "The format of IN is told from its content (raw: by --dtype), that of OUT\n"
    "by its extension: .npy .npz .csv .tsv .mtx .raw .bin; .csv and .tsv may "
    "be\n"
    "followed by .gz or .zst. OUT - is standard output (say --to). OUT is "
    "there\n"
    "whole or not at all; memory does not grow with the files.\n"
    "\n"
    "Types of elements are kept, arrays are written little-endian, in the "
    "order\n"
    "(C or Fortran) they lie in; raw files in C order. Columns of a table "
    "that\n"
    "differ in type become float64; where that would change an integer it is "
    "an\n"
    "error, as is text in an array without --codes. Numbers are printed with "
    "as\n"
    "few digits as read back the same; missing values and NaN are empty.\n"
    "\n"
    "  ensrun convert big.csv.gz big.npy\n"
    "  ensrun convert data.npz data.csv --dataset X\n"
    "  ensrun convert x.raw x.npy --dtype '<f4' --shape 1000,3\n",
    run,
};
