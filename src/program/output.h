/* What a program printed, as fields of a record.
 *
 * Either one JSON object, or lines key=value (blank lines mean nothing; the
 * last one need not end). Keys are words: letters, digits, _ and ., a letter
 * or _ first. Types by form: integers, numbers (inf and nan too; nan is
 * missing), else text up to the end of the line, without blanks around it.
 * In JSON: true and false are 1 and 0, null is missing, lists and objects are
 * no fields, a member "task" is skipped. Anything else is the task's failure,
 * with the place.
 *
 * With `fields` declared their names and types are given: one that was not
 * printed is missing, another one a failure.
 */
#ifndef ENS_PROGRAM_OUTPUT_H
#define ENS_PROGRAM_OUTPUT_H

#include "base/arena.h"
#include "base/buf.h"
#include <ensrun/record.h>
#include <ensrun/study.h>

#define ENS_OUTPUT_MAX_FIELDS 4096

struct ens_output_fields { /* declared; n = 0: none */
    size_t n;
    const struct ens_field *field;
};

/** "a, b:int, c:text" as the elements of a list; ENS_ESTUDY. */
enum ens_status ens_output_fields_parse(struct ens_output_fields *f,
                                        const struct ens_value *list,
                                        struct ens_arena *arena,
                                        struct ens_error *err);

struct ens_output_item { /* a printed key */
    const char *name;
    enum ens_field_type type;
    int missing;
    double d;
    int64_t i;
    const char *text;
    size_t n_text;
};

struct ens_output_items {
    size_t n;
    const struct ens_output_item *item;
};

/** Read n bytes of output; items live in the arena. ENS_EDOMAIN. With
 * declared fields: one item for each, in their order. */
enum ens_status ens_output_read(struct ens_output_items *out, const char *text,
                                size_t n,
                                const struct ens_output_fields *declared,
                                struct ens_arena *arena, struct ens_error *err);

#endif
