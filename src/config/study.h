/* A study: the parsed and checked study file.
 *
 * reader.h (bytes -> lines) -> study.c (sections, rows, values by the tables)
 * -> cells.h (ordinal <-> axis values, hashes). Settings of the program itself
 * ([study], [inputs], [input NAME], [run]) are in builtin.c; a kind brings its
 * own tables.
 */
#ifndef ENS_CONFIG_STUDY_H
#define ENS_CONFIG_STUDY_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include <ensrun/study.h>

/** The tables of a kind, as the study file needs them. */
struct ens_study_tables {
    const char *kind;
    uint32_t results_version;
    const struct ens_setting *settings;
    size_t n_settings;
    const struct ens_role *roles;
    size_t n_roles;
    const struct ens_impl *calls;
    size_t n_calls;
    /* of the kind; may be NULL */
    void (*computed)(const struct ens_study *study, char *to, size_t cap);
};

/** What "FILE:NAME" names: errors say what is wrong with the file, or what it
 * has. path is absolute. Lent for ever. */
struct ens_study_plugins {
    enum ens_status (*kind)(void *arg, const char *path, const char *name,
                            const struct ens_study_tables **tables,
                            struct ens_error *err);
    /** key: "generator", "fitter", "metric", "learner". */
    enum ens_status (*impl)(void *arg, const char *path, const char *key,
                            const char *name, const struct ens_impl **impl,
                            struct ens_error *err);
};

/** Finds the tables of a kind by name; NULL when unknown. `names` lists all
 * (for error texts), NULL-terminated. */
struct ens_study_kinds {
    const struct ens_study_tables *(*find)(void *arg, const char *name);
    const char *const *names;
    void *arg;
    const struct ens_study_plugins *plugins; /* NULL: there are none */
};

/** --set SECTION.KEY=VALUE, in the order given. */
struct ens_override {
    const char *text;
};

/**
 * Read a study. All errors of the file are put into `errors`, one line each:
 * "study.ini:12: [synthetic] work_us: -3 is below 0".
 * ENS_ESTUDY when there are any. *study is owned (ens_study_free); what the
 * kind's tables point to must outlive it.
 * dir: folder that relative paths resolve from (NULL: that of path).
 */
enum ens_status ens_study_load(struct ens_study **study, const char *path,
                               const char *dir, const struct ens_override *set,
                               size_t n_set,
                               const struct ens_study_kinds *kinds,
                               struct ens_buf *errors, struct ens_error *err);
/** As above from bytes (zygotes, tests, fuzzing); `name` is for messages. */
enum ens_status ens_study_parse(struct ens_study **study, const char *name,
                                const void *text, size_t n, const char *dir,
                                const struct ens_override *set, size_t n_set,
                                const struct ens_study_kinds *kinds,
                                struct ens_buf *errors, struct ens_error *err);
void ens_study_free(struct ens_study *study);

/* -- what every study has ---------------------------------------------- */
const char *ens_study_path(const struct ens_study *study);
const char *ens_study_dir(const struct ens_study *study);
const char *ens_study_kind(const struct ens_study *study);
const char *ens_study_name(const struct ens_study *study);
uint64_t ens_study_seed(const struct ens_study *study);
uint32_t ens_study_replicates(const struct ens_study *study);
const char *ens_study_results(const struct ens_study *study); /* absolute */

/** The user's own key i ("*") of a section without rows, in the order
 * written; NULL behind the last. */
const char *ens_study_own_key(const struct ens_study *study,
                              const char *section, size_t i);

/** Inputs, in file order: name and the value of one of their keys ("path",
 * "columns" ...; keys of [input NAME]; NULL when not a key). */
size_t ens_study_n_inputs(const struct ens_study *study);
const char *ens_study_input_name(const struct ens_study *study, size_t i);
const struct ens_value *ens_study_input_value(const struct ens_study *study,
                                              size_t i, const char *key);
/** Row i of a role, in file order: its name; NULL behind the last. Of a
 * numbered role those with a section. */
const char *ens_study_row(const struct ens_study *study, const char *role,
                          size_t i);
/** Value of a row of a role that is `beside`, by the row's name: of a numbered
 * role any number has one. NULL: no such row or key. */
const struct ens_value *ens_study_row_value(const struct ens_study *study,
                                            const char *role, const char *row,
                                            const char *key);
/** Values that two keys have together in cells of row `row` (from 0, in file
 * order) of a role: pair i of them; 0 behind the last, or: there is no such
 * row or key. Pairs may come again. */
int ens_study_pair(const struct ens_study *study, const char *role, size_t row,
                   const char *const key[2], size_t i,
                   const struct ens_value *v[2]);
/** What that row selects; NULL: nothing. */
const struct ens_impl *ens_study_row_impl(const struct ens_study *study,
                                          const char *role, const char *row);
/** "study.ini:7" of a setting as the user wrote it; "default" otherwise. */
void ens_study_where(const struct ens_study *study, const char *section,
                     const char *key, char *to, size_t cap);
/** Of a cell's row: "study.ini:7: [fit a]", the line of the key, there or in
 * the defaults of its role, or of the row when the study does not set it. */
#define ENS_CELL_PLACE 512
void ens_cell_place(const struct ens_cell *cell, const char *role,
                    const char *key, char to[ENS_CELL_PLACE]);

/** The resolved study file: every default written out, paths absolute,
 * --set applied. Parsing it gives the same cells and fingerprint. */
void ens_study_write(const struct ens_study *study, struct ens_buf *out);

/** Settings of class study that are not at their default (and always seed,
 * kind, results_version), as sorted lines "section.key=value\n": the
 * fingerprint's text. A line that one side lacks is at its default there.
 * Input contents and paths are not in it. */
void ens_study_fingerprint(const struct ens_study *study, struct ens_buf *out);
/** Hash of the run-class settings of the kind's own sections. */
uint64_t ens_study_run_settings_hash(const struct ens_study *study);

/* -- cells --------------------------------------------------------------- */
uint64_t ens_study_n_cells(const struct ens_study *study);
/** Decode a cell: computes its hashes (about 1 us). ordinal < n_cells. */
void ens_study_cell(const struct ens_study *study, uint64_t ordinal,
                    struct ens_cell *cell);
/** Canonical text of a cell (what is hashed); data_only: its data part. */
void ens_cell_canonical(const struct ens_cell *cell, int data_only,
                        struct ens_buf *out);
/** Two cells with one id, over all cells up to 10^7: ENS_ESTUDY names both. */
enum ens_status ens_study_check_cells(const struct ens_study *study,
                                      struct ens_error *err);
/** Hash over the hashes of all cells in order (names a CELLS list). */
uint64_t ens_study_cells_hash(const struct ens_study *study);

/* -- columns of tables: one per row label and per axis -------------------- */
struct ens_axis_column {
    char name[128]; /* "data" (the row), "data_n" (an axis) */
    const char *role;
    const char *key; /* NULL: the row's name */
    const struct ens_setting *setting;
};
/** Only what varies: a role's row column when it has named rows, and every
 * key that is an axis in some row. */
size_t ens_study_n_axis_columns(const struct ens_study *study);
const struct ens_axis_column *
ens_study_axis_column(const struct ens_study *study, size_t i);
/** The cell's text in that column; "" when its row lacks it. Lent by the
 * study. */
const char *ens_cell_axis_text(const struct ens_cell *cell, size_t column);
/** Is the key an axis of the cell's row? */
int ens_cell_varies(const struct ens_cell *cell, const char *role,
                    const char *key);
/** 1-based number of the cell's row x axes combination in a role (d001). */
uint64_t ens_cell_role_index(const struct ens_cell *cell, const char *role);
uint64_t ens_study_role_count(const struct ens_study *study, const char *role);

#endif
