/* What tables are made of: columns, and rows of values. */
#ifndef ENS_EXPORT_DATUM_H
#define ENS_EXPORT_DATUM_H

#include <ensrun/error.h>
#include <stddef.h>
#include <stdint.h>

enum ens_datum_type {
    ENS_DATUM_TEXT,
    ENS_DATUM_NUM,  /* double; NaN is missing */
    ENS_DATUM_INT,  /* int64_t */
    ENS_DATUM_WORD, /* uint64_t: seeds */
    ENS_DATUM_NONE  /* of a value only: missing */
};

/** A value. Text is lent until the row was taken, and not terminated. */
struct ens_datum {
    enum ens_datum_type type;
    union {
        double num;
        int64_t integer;
        uint64_t word;
        struct {
            const char *p;
            size_t n;
        } text;
    } as;
};

/** A column. A value may differ from the type of its column (an integer in a
 * column that other schemas fill with numbers); who needs one type converts. */
struct ens_table_column {
    const char *name;
    enum ens_datum_type type;
    const char *unit;
    const char *help;
};

/** Takes a row of as many values as there are columns. ENS_ESTOPPED ends the
 * table without an error. */
typedef enum ens_status ens_row_fn(void *arg, const struct ens_datum *row,
                                   struct ens_error *err);

/** "text", "number", "integer". */
const char *ens_datum_type_text(enum ens_datum_type t);
/** The value as a double: NaN when missing or text. */
double ens_datum_num(const struct ens_datum *d);
/** Canonical text of a value; numbers are written to tmp (ENS_NUMBER_BYTES).
 * Lent; *n its length; "" when missing. */
const char *ens_datum_text(const struct ens_datum *d, char *tmp, size_t *n);

#endif
