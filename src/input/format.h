/* The interface of an input format.
 *
 * A format is a const struct ens_format in a file of its own and a line in
 * formats.def; probes are asked in that order, the first yes wins. What no
 * format takes goes to refuse.h, which knows many by their first bytes.
 */
#ifndef ENS_INPUT_FORMAT_H
#define ENS_INPUT_FORMAT_H

#include "input/input.h"

/** The keys of an [input NAME], study-free. Texts are lent by the caller. */
struct ens_input_options {
    const char *dtype; /* NULL: not given */
    int has_shape;
    uint32_t n_shape;
    int64_t shape[ENS_MAX_NDIM]; /* -1: from the file's size */
    char delimiter;              /* 0: detect; ' ': runs of blanks */
    int header;                  /* 1 yes, 0 no, -1 not said: yes, checked */
    size_t n_missing;            /* texts that mean missing; 0: NA */
    const char *const *missing;
    size_t n_columns; /* names, numbers, ranges, or all with "-"; 0: all */
    const char *const *columns;
    int has_rows;
    uint64_t first_row, last_row; /* 1-based; last 0: to the end */
    int transpose;
    const char *dataset; /* of a file of several arrays; NULL: the only one */
};

struct ens_input_spec {
    const char *name;
    const char *path;
    struct ens_input_options options;
    /* Folder for forms that are converted once, each without a name; NULL: the
     * cache, which keeps them. */
    const char *scratch;
};

/* Enough for the longest npy header that we take, and for telling formats
 * and delimiters apart. */
#define ENS_HEAD_BYTES ((size_t)65536 + 16)

struct ens_opening {
    const struct ens_input_spec *spec;
    const unsigned char *head; /* the file's first bytes */
    size_t n_head;
    uint64_t size;   /* of the file */
    const char *key; /* the key an error is about; set by who fails */
    ens_input_progress_fn *progress;
    void *progress_arg;
};

struct ens_format {
    const char *name;
    /** Is this file ours? Pure; by its head, path and options. Required. */
    int (*probe)(const struct ens_opening *o);
    /**
     * Check and map m->fd (may replace it), then set m->input.view and, for a
     * table, m->columns and m->input.n_columns. May block. Errors say what
     * and where in the file; the caller adds the study's line and the path.
     * Required.
     */
    enum ens_status (*open)(struct ens_mapped *m, struct ens_opening *o,
                            struct ens_error *err);
};

#define ENS_FORMAT(name) extern const struct ens_format ens_format_##name;
#include "input/formats.def"
#undef ENS_FORMAT

/** Does path end in ".ext"? Case is ignored. */
int ens_format_has_extension(const char *path, const char *ext);

#endif
