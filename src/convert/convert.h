/* A file of one input format as one of another: what inputs are opened by
 * (input/mapped.h) and a writer per output format (writer.h). The input is
 * mapped and read in order, what is written is gathered in blocks: memory does
 * not grow with either. */
#ifndef ENS_CONVERT_CONVERT_H
#define ENS_CONVERT_CONVERT_H

#include "input/format.h"

/** What only some output formats know; else it is an error to give it. */
enum ens_convert_option {
    ENS_TO_DTYPE = 1,
    ENS_TO_DATASET = 2,
    ENS_TO_DELIMITER = 4,
    ENS_TO_HEADER = 8,
    ENS_TO_MISSING = 16,
    ENS_TO_NAMES = 32,
    ENS_TO_FLATTEN = 64,
    ENS_TO_CODES = 128,
    ENS_TO_COORDINATE = 256
};

struct ens_convert_options {
    struct ens_input_spec from;
    const char *path; /* of the output; "-": standard output */
    const char *to;   /* name of a writer; NULL: by the path's extension */
    int force;        /* replace what is there */

    unsigned given;      /* of enum ens_convert_option: */
    const char *dtype;   /* of an array's elements; NULL: the input's */
    const char *dataset; /* name in an archive; NULL: X */
    char delimiter;      /* 0: comma, tab for .tsv */
    int no_header;
    const char *missing; /* NULL: nothing */
    const char *names;   /* of columns, "a,b,c"; NULL: the input's, or V1 .. */
    int flatten;         /* dimensions behind the first become columns */
    int codes;           /* text as places among its sorted values */
    int coordinate;      /* only what is not 0 */

    /* phase: "reading" or "writing"; of `all` bytes or elements. Returns 1
     * to stop. May be NULL. */
    int (*progress)(void *arg, const char *phase, uint64_t done, uint64_t all);
    void *arg;
};

/** What was written. */
struct ens_convert_report {
    char text[256];  /* "1000 x 3 f8, Fortran order" */
    char beside[64]; /* a further file, by its extension; "" */
};

/**
 * Convert. *key: the option that an error is about (as in [input NAME]), or
 * NULL. Errors: ENS_EUSAGE (options, an output that exists); ENS_EINPUT (the
 * input, or what the output format cannot hold); ENS_EIO, ENS_ENOSPACE: then
 * nothing is left of the output.
 */
enum ens_status ens_convert(const struct ens_convert_options *o,
                            struct ens_convert_report *report, const char **key,
                            struct ens_error *err);

/** Name, extensions and help of the output formats; NULL past the last. */
const char *ens_convert_format(size_t i, const char **extensions,
                               const char **help);

#endif
