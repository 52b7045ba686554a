/* Command lines: long options and words, read by a const table per command.
 * The same tables give `--help`. */
#ifndef ENS_CLI_OPTIONS_H
#define ENS_CLI_OPTIONS_H

#include "base/buf.h"
#include <ensrun/error.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum ens_option_kind {
    ENS_OPTION_FLAG,   /* --json */
    ENS_OPTION_TEXT,   /* --results DIR, --results=DIR; the last one counts */
    ENS_OPTION_COUNT,  /* --workers N: an integer >= min */
    ENS_OPTION_CHOICE, /* --to csv|jsonl|npy: one of the words in `value` */
    ENS_OPTION_LIST    /* --set A=B --set C=D: all count */
};

struct ens_option {
    const char *name; /* without dashes */
    char letter;      /* 'o' for -o FILE; 0 = none */
    enum ens_option_kind kind;
    uint64_t min;
    const char *value; /* "N", "DIR"; NULL for a flag */
    const char *help;
};

#define ENS_OPTIONS_MAX 4096 /* words on a command line */

struct ens_given {
    const struct ens_option *option;
    const char *text;
};

/** A command line that was read. Lends argv. */
struct ens_options {
    const struct ens_option *table;
    size_t n_table;
    size_t n_given;
    struct ens_given given[ENS_OPTIONS_MAX];
    size_t n_words; /* those that are not options */
    const char *word[ENS_OPTIONS_MAX];
    int help; /* --help or -h was given: the rest is not checked */
};

/**
 * Read argv[0 .. argc-1] (without program and command). "--" ends options.
 * ENS_EUSAGE: unknown option (the nearest is offered), a value missing or
 * wrong.
 */
enum ens_status ens_options_parse(struct ens_options *o,
                                  const struct ens_option *table,
                                  size_t n_table, int argc, char **argv,
                                  struct ens_error *err);
/** Was it given? */
int ens_options_has(const struct ens_options *o, const char *name);
/** Its text, the last one given; NULL when not. */
const char *ens_options_text(const struct ens_options *o, const char *name);
/** Its number; def when not given. */
uint64_t ens_options_count(const struct ens_options *o, const char *name,
                           uint64_t def);
/** The i-th time it was given (0 ..); NULL past the last. */
const char *ens_options_item(const struct ens_options *o, const char *name,
                             size_t i);
/** All times it was given, joined by commas into `to`; NULL when not. */
const char *ens_options_joined(const struct ens_options *o, const char *name,
                               struct ens_buf *to);
/** One line per option, aligned. */
void ens_options_print(FILE *f, const struct ens_option *table, size_t n);

/** Which of `names` (n of them) is nearest to a name that is not known; NULL
 * when none is near. */
const char *ens_nearest(const char *name, const char *const *names, size_t n);

#endif
