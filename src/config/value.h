/* One value, by its row of a settings table.
 *
 * text -> elements (commas at bracket depth 0, outside quotes, where the shape
 * is list or axis) -> ranges and spaced grids expanded (numeric types) ->
 * typed values with their canonical text.
 *
 * A call's arguments are settings too: rows whose section is "NAME()". The
 * call then has all of them, in table order, defaults filled in; those that
 * equal their default are left out of the canonical text. Without such rows
 * the arguments are taken as they are.
 */
#ifndef ENS_CONFIG_VALUE_H
#define ENS_CONFIG_VALUE_H

#include "base/arena.h"
#include "base/buf.h"
#include <ensrun/study.h>

struct ens_study_kinds;

#define ENS_MAX_ELEMENTS ((uint64_t)1000000) /* of a list or an axis */

struct ens_value_context {
    struct ens_arena *arena;
    const char *dir;           /* absolute; paths resolve from it */
    const char *const *inputs; /* names; NULL: not checked */
    size_t n_inputs;
    const struct ens_setting *calls[2]; /* tables with rows "NAME()" */
    size_t n_calls[2];
    const struct ens_impl *impls; /* what calls may name, of the kind */
    size_t n_impls;
    const struct ens_study_kinds *kinds; /* of plugins; NULL: there are none */
};

struct ens_values {
    size_t n; /* 1, or more for an axis */
    const struct ens_value *v;
};

/**
 * Parse text as a value of setting s. An empty text is "not set" where the
 * default is empty. ENS_ESTUDY: err says what is wrong, without the place.
 */
enum ens_status ens_value_parse(const struct ens_value_context *c,
                                const struct ens_setting *s, const char *text,
                                struct ens_values *out, struct ens_error *err);

/** Write values as a study file can read them back (quotes where needed). */
void ens_value_write(const struct ens_setting *s, const struct ens_values *v,
                     struct ens_buf *out);

#endif
