/* Records: the result of one task, and the schema of its fields. */
#ifndef ENSRUN_RECORD_H
#define ENSRUN_RECORD_H

#include <ensrun/error.h>
#include <stddef.h>
#include <stdint.h>

enum ens_field_type { ENS_F64 = 1, ENS_I64 = 2, ENS_TEXT = 3 };

struct ens_field {
    const char *name; /* NAME, NAME__PART or NAME__PART__TERM */
    enum ens_field_type type;
    const char *unit; /* "" = none */
    const char *help; /* meaning, for columns.csv */
};

struct ens_schema {
    uint64_t hash; /* XXH3-64 of the encoded fields */
    size_t n;
    const struct ens_field *field;
};

/* X(name, text) */
#define ENS_OUTCOME_LIST(X)                                                    \
    X(OK, "ok")                                                                \
    X(FAILED, "failed")                                                        \
    X(TIMEOUT, "timeout")                                                      \
    X(CRASHED, "crashed")

enum ens_outcome {
#define ENS_OUTCOME_ENUM(name, text) ENS_TASK_##name,
    ENS_OUTCOME_LIST(ENS_OUTCOME_ENUM)
#undef ENS_OUTCOME_ENUM
        ENS_N_OUTCOMES
};

#define ENS_MAX_LAPS 4 /* parts of a task's time with a name */

/** A decoded record. Pointers are lent by the bytes it was decoded from. */
struct ens_record {
    uint64_t stage;  /* stage id */
    uint64_t schema; /* schema hash */
    uint64_t cell;   /* ordinal in the list of cells in force */
    uint32_t replicate;
    uint32_t round;
    enum ens_outcome status;
    uint32_t attempts; /* facts of the run: attempts, worker, seconds */
    uint32_t worker;
    double seconds;
    size_t n_fields;
    const unsigned char *fields; /* 8 little-endian bytes each; text: unused */
    const unsigned char *items;  /* see src/record/record.h */
    size_t items_bytes;
};

/** Text of an outcome: "ok", "failed" ... */
ENS_API const char *ens_outcome_text(enum ens_outcome o);
/** Field i as a double (i64 converted; NaN when missing or text). */
ENS_API double ens_record_f64(const struct ens_record *r,
                              const struct ens_schema *s, size_t i);
/** Field i as an integer; *missing set when it has none. */
ENS_API int64_t ens_record_i64(const struct ens_record *r, size_t i,
                               int *missing);
/** Seconds of the task's lap i, in the order the kind declares them; NaN when
 * it has none, or where facts of the run are not to be seen. */
ENS_API double ens_record_lap(const struct ens_record *r, size_t i);
/** Text field i; NULL when missing. Not terminated. */
ENS_API const char *ens_record_text(const struct ens_record *r, size_t i,
                                    size_t *n);

/** Missing integer: the smallest. Missing number: NaN. */
#define ENS_I64_MISSING INT64_MIN

#endif
