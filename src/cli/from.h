/* Options that say how a file is read: as in [input NAME]. */
#ifndef ENS_CLI_FROM_H
#define ENS_CLI_FROM_H

#include "base/arena.h"
#include "cli/options.h"
#include "input/format.h"

#define ENS_FROM(NAME, KIND, VALUE, HELP)                                      \
    {                                                                          \
        NAME, 0, ENS_OPTION_##KIND, 0, VALUE, HELP                             \
    }
/* Rows of a table of options; WHAT: "of IN" */
#define ENS_FROM_OPTIONS(WHAT)                                                 \
    ENS_FROM("columns", TEXT, "A,B,..",                                        \
             WHAT ": only these, in this order; a:f, -a as in [input]"),       \
        ENS_FROM("rows", TEXT, "A:B", WHAT ": only these, from 1"),            \
        ENS_FROM("transpose", FLAG, NULL, "exchange its rows and columns"),    \
        ENS_FROM("dtype", TEXT, "TYPE",                                        \
                 WHAT ", raw: f8, <i4 ... as in numpy"),                       \
        ENS_FROM("shape", TEXT, "N,..", WHAT ", raw; one number may be -1"),   \
        ENS_FROM("dataset", TEXT, "NAME", WHAT ", .npz: its array"),           \
        ENS_FROM("delimiter", TEXT, "CHAR", WHAT ", CSV (default: detected)"), \
        ENS_FROM("header", CHOICE, "auto|yes|no",                              \
                 WHAT ", CSV: does its first line name the columns"),          \
        ENS_FROM("missing", TEXT, "A,B,..",                                    \
                 WHAT ", CSV: texts that mean missing (default: NA)")

/** What was given of them. Memory is the arena's. ENS_EUSAGE. */
enum ens_status ens_from_read(struct ens_input_spec *from, const char *path,
                              const struct ens_options *o,
                              struct ens_arena *arena, struct ens_error *err);

#endif
