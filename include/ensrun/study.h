/* What a kind sees of a study: settings tables, values, cells.
 *
 * Every setting is one row of a const table. Parsing, checking, --set,
 * `ensrun kinds`, the manual and the resolved study.ini come from the tables.
 */
#ifndef ENSRUN_STUDY_H
#define ENSRUN_STUDY_H

#include <ensrun/error.h>
#include <stddef.h>
#include <stdint.h>

enum ens_type {
    ENS_T_INT,    /* 64-bit integer                         -> value.i;
                     max above 2^63: unsigned, value.i holds its bits */
    ENS_T_NUM,    /* double                                 -> value.d */
    ENS_T_BOOL,   /* yes/no, true/false, on/off, 1/0        -> value.i */
    ENS_T_TEXT,   /* any text, optionally quoted            -> value.text */
    ENS_T_CHOICE, /* one of setting.choices                 -> value.text, .i */
    ENS_T_SECONDS, /* duration: 10, "60 s", "2h", "1h 30m"   -> value.d (s) */
    ENS_T_BYTES,   /* size: 4096, "64 KiB", "2 G" (10^9)     -> value.i */
    ENS_T_PATH,    /* path relative to the study file        -> value.text */
    ENS_T_LINE,    /* the whole line, verbatim               -> value.text;
                      of shape AXIS also @FILE: one value per line of a file,
                      which may occur more than once */
    ENS_T_VECTOR,  /* numbers separated by blanks            -> value.vec */
    ENS_T_CALL,    /* NAME or NAME(arg, key=value)           -> value.call */
    ENS_T_INPUT,   /* the name of an [input] section         -> value.text */
    ENS_T_FORMULA, /* as in R, kept as text                  -> value.text */
    ENS_T_ROW      /* a row of the role `choices`, which is `beside`; what
                      that row says is part of the cell      -> value.text */
};

enum ens_shape {
    ENS_ONE,  /* one value */
    ENS_LIST, /* a comma list, one value of the cell */
    ENS_AXIS  /* a comma list or range makes one cell per value */
};

/* What a setting decides (DESIGN section 3). */
enum ens_class {
    ENS_C_DATA,  /* the cell, and its data part */
    ENS_C_CELL,  /* the cell */
    ENS_C_STUDY, /* the fingerprint: a change needs --restart */
    ENS_C_RUN    /* how it runs, or what is computed from fields at the end */
};

/* Rows of section "NAME()" in the same table are the arguments of the call
 * NAME: checked like settings, value.call then has all of them in table order
 * with defaults filled in. Without such rows arguments are taken as written.
 * Settings that decide cells belong to sections that are roles.
 * In a role a key "NAME.*" stands for keys NAME.ANYTHING that have no row of
 * their own: each that is written is a setting of this kind. In a section
 * without rows "*" stands for all keys that are words, likewise. */
struct ens_setting {
    const char *section; /* role or section name, e.g. "synthetic", "data" */
    const char *key;
    enum ens_type type;
    enum ens_shape shape;
    enum ens_class cls;
    const char *def;     /* default as text; NULL = required; "" = not set */
    double min, max;     /* bounds of INT, NUM, SECONDS, BYTES when min < max */
    const char *choices; /* "a|b|c" for CHOICE; names of calls for CALL, of
                            which "FILE:KEY" stands for those of plugins */
    const char *unit;    /* "us", "rows", or NULL */
    const char *help;    /* one line, no full stop */
};

struct ens_call_arg {
    const char *key; /* NULL when positional */
    const char *text;
};

struct ens_call {
    const char *name; /* of a plugin's: "FILE:NAME", the file without folder */
    size_t n;
    const struct ens_call_arg *arg;
    const struct ens_impl *impl; /* of a plugin's, of the kind's `calls`; else
                                    NULL */
};

struct ens_value {
    int set; /* 0: empty default */
    int64_t i;
    double d;
    const char *text; /* canonical text, always there */
    size_t n_vec;
    const double *vec;
    struct ens_call call;
    size_t n_list; /* shape LIST: its elements; else 0 */
    const struct ens_value *list;
    const char *file;   /* LINE of a file: its name, and value.i the line; else
                           NULL */
    uint32_t repeat;    /* LINE: how many equal ones stand before it */
    const char *hashed; /* ROW: what stands for it in the cell's hash */
};

/**
 * A role: a section of which there may be several rows, e.g. "data", "fit".
 * Cells are the crossed rows of all roles, the last role fastest.
 */
struct ens_impl { /* an implementation a row may select */
    const char *name;
    const char *help;
    const struct ens_setting *settings; /* section = the role's name */
    size_t n_settings;
    const void *ops;          /* for the kind: its generator, fitter ... */
    uint32_t results_version; /* raised when its results change, from 0: cells
                                 (metrics: studies) that use it are others */
    int open; /* its rows may have keys of the user's own as well, typed
                 by form, axes of class cell */
};

struct ens_role {
    const char *name;
    const char *impl_key; /* "generator", or NULL: no implementations */
    const struct ens_impl *impls;
    size_t n_impls;
    int is_data; /* its rows belong to the data part of the cell */
    int required;
    int open;     /* keys are the user's own, typed by form, axes of class cell;
                     a role without settings or implementations */
    int beside;   /* its rows make no cells and have no axes: settings of class
                     cell of rows that others name (ENS_T_ROW) are part of the
                     cells of those, the others decide what their class says */
    int numbered; /* beside: rows are named 1, 2 ...; those without a section
                     have the defaults */
    const char *impl_default; /* where nothing is said; NULL: an error */
    const char *settings_of;  /* the section of its implementations' settings;
                                 NULL: its name */
    int by_name; /* beside: rows of other names are others, whatever they say:
                    the name is part of the cells, too */
};

struct ens_study; /* parsed study file; see src/config/study.h */

/** One combination of axis values, decoded from its ordinal. */
struct ens_cell {
    const struct ens_study *study;
    uint64_t ordinal;
    uint64_t hash[2];      /* XXH3-128 of the canonical text; [0] is the id */
    uint64_t data_hash[2]; /* of the data part; of all of it when [study]
                              streams = independent */
};

/** Value of a setting of the study itself (not of a role's row). */
ENS_API const struct ens_value *ens_study_value(const struct ens_study *study,
                                                const char *section,
                                                const char *key);
/** Value in effect in a cell; NULL when its row has no such setting. */
ENS_API const struct ens_value *
ens_cell_value(const struct ens_cell *cell, const char *role, const char *key);
/** Key i of the cell's row of a role; NULL behind the last. *type (may be
 * NULL): of its setting. */
ENS_API const char *ens_cell_key(const struct ens_cell *cell, const char *role,
                                 size_t i, enum ens_type *type);
/** The implementation that a cell's row of a role selects; or NULL. */
ENS_API const struct ens_impl *ens_cell_impl(const struct ens_cell *cell,
                                             const char *role);
/** Name of the row ([data NAME] -> NAME), "" for the single row. */
ENS_API const char *ens_cell_row(const struct ens_cell *cell, const char *role);

#endif
