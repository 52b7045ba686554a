/* Commands: a const table, one file per command (cmd_NAME.c), one line each
 * in commands.def. */
#ifndef ENS_CLI_COMMAND_H
#define ENS_CLI_COMMAND_H

#include "base/buf.h"
#include "cli/options.h"
#include "kind/registry.h"

struct ens_command {
    const char *name;
    const char *words; /* "DIR [TABLE|TASK]" */
    const char *help;  /* one line */
    size_t min_words, max_words;
    const struct ens_option *options;
    size_t n_options;
    const char *more; /* further text of --help, or NULL */
    /* Prints results to stdout; returns the exit code. */
    int (*run)(const struct ens_options *o);
};

/** The program but for the zygote mode: finds the command and runs it. */
int ens_cli_main(int argc, char **argv);

/** "ensrun: TEXT" to stderr; returns the exit code of s. */
int ens_cli_fail(enum ens_status s, const struct ens_error *err);
/** Every line of errors to stderr, then err if it says more. */
int ens_cli_fail_lines(enum ens_status s, struct ens_buf *errors,
                       const struct ens_error *err);

#endif
