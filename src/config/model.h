/* A study in memory: what study.c builds, cells.c and write.c read.
 *
 * Every section, and every row of a role, is a struct ens_row: its settings
 * in effect, in table order. Only rows of roles have axes. The cells of a row
 * are its axes crossed, the last fastest; the local numbers of a role's cells
 * are its rows one after the other; an ordinal is a mixed-radix number over
 * the roles, the last fastest.
 */
#ifndef ENS_CONFIG_MODEL_H
#define ENS_CONFIG_MODEL_H

#include "config/diag.h"
#include "config/study.h"
#include "config/value.h"

#define ENS_CANONICAL_MAX ((size_t)64 * 1024) /* bytes, of one cell */
#define ENS_CELLS_MAX     4294967295u         /* cells x replicates: 64 bits */
#define ENS_NO_DEFAULT    SIZE_MAX

struct ens_grid;

struct ens_key {
    const struct ens_setting *s;
    struct ens_pos pos;
    struct ens_values value;
    size_t is_default; /* index of the value that equals the default, or
                          ENS_NO_DEFAULT */
    uint64_t stride;   /* of an axis */
    /* of an axis that varies together with others, which stand beside it in
       axis[] and have the same stride: its value in each combination */
    const struct ens_grid *grid;
    const uint32_t *pick; /* grid->n */
};

/* Canonical text of a row: fixed pieces, and axes between them. */
struct ens_piece {
    const char *text; /* lines; or "role.key=" of an axis */
    size_t n;
    const struct ens_key *axis; /* or NULL */
};

struct ens_pieces {
    struct ens_piece *item;
    size_t n;
};

struct ens_row {
    const char *section; /* "data d1" */
    const char *name;    /* "d1", or "" */
    struct ens_pos pos;
    const struct ens_impl *impl;
    const char *impl_text;       /* as the resolved study names it */
    const struct ens_grid *grid; /* or NULL */
    size_t n_keys;
    struct ens_key *key;     /* in table order */
    struct ens_key **sorted; /* by name */
    size_t n_axes;
    struct ens_key **axis;      /* slowest first */
    uint64_t first, count;      /* local numbers */
    struct ens_pieces piece[2]; /* all; those of the data part */
    size_t longest;             /* bytes that all pieces can have */
};

struct ens_role_rows { /* of a role */
    const struct ens_role *role;
    size_t n;
    struct ens_row *row;
    uint64_t count, stride;
    int written; /* has a section; else one row of defaults */
    int named;
};

struct ens_study {
    struct ens_arena arena;
    struct ens_study_tables tables;
    const char *path;
    const char *dir;
    const char *name;
    const char *results;
    uint64_t seed;
    uint32_t replicates;
    int own_streams;   /* data of its own for each cell */
    size_t n_sections; /* study, run, the kind's own that are no roles */
    struct ens_row *section;
    size_t n_inputs;
    struct ens_row *input;
    size_t n_roles;
    struct ens_role_rows *role;
    size_t n_sorted;
    const struct ens_role_rows **role_sorted; /* those that make cells, by name:
                                            canonical order */
    uint64_t n_cells;
    size_t n_columns;
    struct ens_axis_column *column;
};

/** Order of keys as of the lines "key=...". */
int ens_key_order(const char *a, const char *b);
/** Key of a row by name; NULL. */
const struct ens_key *ens_row_find(const struct ens_row *row, const char *key);
/** Row that a cell selects in a role, and its local number in that row. */
const struct ens_row *ens_rows_at(const struct ens_role_rows *rows,
                                  uint64_t ordinal, uint64_t *local);
const struct ens_role_rows *ens_study_rows(const struct ens_study *study,
                                           const char *role);
/** How many places an axis has among the cells of its row. */
size_t ens_key_places(const struct ens_key *key);
/** Values of a key in a row's cell `local`. */
const struct ens_value *ens_key_at(const struct ens_key *key, uint64_t local);
/** Does it decide the cell (part 0), its data part (part 1)? */
int ens_key_in_part(const struct ens_role *role, const struct ens_key *key,
                    int part);

/** Numbers, canonical pieces, columns: once all rows are there. */
enum ens_status ens_study_index(struct ens_study *study, struct ens_diag *diag);

#endif
