/* Sections as written -> rows with every setting in effect. */
#ifndef ENS_CONFIG_RESOLVE_H
#define ENS_CONFIG_RESOLVE_H

#include "config/model.h"
#include "config/plugin_name.h"
#include "config/reader.h"

struct ens_resolve {
    struct ens_study *study;
    struct ens_diag diag;
    struct ens_ini ini;
    struct ens_value_context context;
    const struct ens_study_kinds *kinds;
    int has_tables;                /* the kind is known */
    struct ens_plugin_name plugin; /* where it is from; or zero */
    struct ens_error plugin_error; /* why it is not known */
};

/** The tables that make up a section: up to two, one after the other. */
struct ens_tables {
    const char *section; /* rows of this section count */
    const struct ens_setting *item[2];
    size_t n[2];
};

/** Row `key` of the tables; NULL. */
const struct ens_setting *ens_tables_find(const struct ens_tables *t,
                                          const char *key);
/** The kind's rows for a role or plain section, and an implementation's. */
struct ens_tables ens_kind_section(const struct ens_study_tables *k,
                                   const char *section,
                                   const struct ens_impl *impl);

/** Of an open role: a setting for each key of the two sections (either may
 * be NULL), its type by the form of what is written. */
struct ens_tables ens_open_section(struct ens_resolve *r,
                                   const struct ens_role *role,
                                   const struct ens_section *own,
                                   const struct ens_section *defaults);

/**
 * Fill row->key from the tables, taking texts from own, then from defaults
 * (either may be NULL), then from the table. Marks entries used. Bad values
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

/** Before the above: [inputs] X = p -> [input X] path, other names of keys,
 * --set, sections that nobody knows. */
void ens_normalise(struct ens_resolve *r, const struct ens_override *set,
                   size_t n_set);
/** Is `name` a section of the kind that has no rows? */
int ens_is_plain_section(const struct ens_study_tables *k, const char *name);
const struct ens_role *ens_find_role(const struct ens_study_tables *k,
                                     const char *name);

#endif
