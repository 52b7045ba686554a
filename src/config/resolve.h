/* Sections as written -> rows with every setting in effect. */
#ifndef ENS_CONFIG_RESOLVE_H
#define ENS_CONFIG_RESOLVE_H

#include "config/model.h"
#include "config/plugin_name.h"
#include "config/reader.h"

struct ens_grid;

struct ens_resolve {
    struct ens_study *study;
    struct ens_diag diag;
    struct ens_ini ini;
    struct ens_value_context context;
    const struct ens_study_kinds *kinds;
    int has_tables;                /* the kind is known */
    struct ens_plugin_name plugin; /* where it is from; or zero */
    struct ens_error plugin_error; /* why it is not known */
    /* of the role being resolved */
    struct ens_grid *default_grid; /* of the section [ROLE] */
    int grid_is_bad;               /* that of the present row: was told */
};

/** The tables that make up a section: the kind's, an implementation's, the
 * user's own keys. */
#define ENS_TABLES 3
struct ens_tables {
    const char *section; /* rows of this section count */
    const struct ens_setting *item[ENS_TABLES];
    size_t n[ENS_TABLES];
    const char *also; /* an implementation's of this section count, too */
};

/** Does row i of table k count? */
int ens_tables_has(const struct ens_tables *t, int k, size_t i);

/** Letters, digits and _, a digit not first. */
int ens_key_is_word(const char *key);
/** Is it a row "NAME.*" or "*", of keys that the user completes? */
int ens_setting_is_pattern(const struct ens_setting *s);
/** Is the key one of the pattern's? */
int ens_setting_matches(const struct ens_setting *pattern, const char *key);
/** Row `key` of the tables; NULL. */
const struct ens_setting *ens_tables_find(const struct ens_tables *t,
                                          const char *key);
/** The kind's rows for a role or plain section, and an implementation's. */
struct ens_tables ens_kind_section(const struct ens_study_tables *k,
                                   const char *section,
                                   const struct ens_impl *impl);

/** Add a setting to t for each key of the two sections and of a grid (each may
 * be NULL) that it lacks, its type by the form of what is written. */
void ens_open_keys(struct ens_resolve *r, const struct ens_role *role,
                   const struct ens_grid *grid, const struct ens_section *own,
                   const struct ens_section *defaults, struct ens_tables *t);

/** The same with those that match a pattern of the tables. */
void ens_pattern_keys(struct ens_resolve *r, const struct ens_grid *grid,
                      const struct ens_section *own,
                      const struct ens_section *defaults, struct ens_tables *t);

/** Set key->is_default, by what the tables say. */
void ens_key_default(struct ens_resolve *r, const struct ens_row *row,
                     struct ens_key *key);
/**
 * Fill row->key from the tables, taking texts from own, then from defaults
 * (either may be NULL), then from the table; columns of row->grid come
 * before all. Marks entries used. Bad values
 * go to diag. lenient: a required setting may be missing (is not set).
 */
void ens_row_fill(struct ens_resolve *r, struct ens_row *row,
                  const struct ens_tables *t, struct ens_section *own,
                  struct ens_section *defaults, int lenient);
/** "[s] key: unknown key; did you mean x?" for entries not used. */
void ens_section_unknown(struct ens_resolve *r, const struct ens_section *s,
                         const struct ens_tables *t, const char *extra);

/** [study], [run], inputs and the kind's plain sections. */
void ens_resolve_sections(struct ens_resolve *r);
void ens_resolve_inputs(struct ens_resolve *r);
void ens_resolve_roles(struct ens_resolve *r);
/** Values of type ENS_T_ROW: the rows they name. */
void ens_resolve_references(struct ens_resolve *r);

/** Before the above: [inputs] X = p -> [input X] path, other names of keys,
 * --set, sections that nobody knows. */
void ens_normalise(struct ens_resolve *r, const struct ens_override *set,
                   size_t n_set);
/** Is `name` a section of the kind that has no rows? */
int ens_is_plain_section(const struct ens_study_tables *k, const char *name);
const struct ens_role *ens_find_role(const struct ens_study_tables *k,
                                     const char *name);

#endif
