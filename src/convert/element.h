/* Single elements of arrays: loaded, stored as another type, printed. */
#ifndef ENS_CONVERT_ELEMENT_H
#define ENS_CONVERT_ELEMENT_H

#include <ensrun/view.h>

enum ens_element_kind { ENS_EL_REAL, ENS_EL_SIGNED, ENS_EL_UNSIGNED };

struct ens_element {
    enum ens_element_kind kind;
    union {
        double real;
        int64_t signed_;
        uint64_t unsigned_;
    } as;
};

#define ENS_ELEMENT_BYTES 40 /* of a printed one, with its NUL */

/** Bytes of a dtype at p; not for complex ones. */
struct ens_element ens_element_load(const void *p, enum ens_dtype t,
                                    int swapped);
/**
 * Store as t at p, little-endian. Reals are rounded to t when it is a type of
 * reals. -1: t cannot hold it: not a whole number, out of range; exact: also
 * an integer that a real of type t rounds.
 */
int ens_element_store(void *p, enum ens_dtype t, const struct ens_element *e,
                      int exact);

/**
 * Print element i of a one-dimensional view so that it reads back the same in
 * its own type: integers with all digits, reals with as few as do; bools as
 * TRUE and FALSE, which R and pandas know. to has ENS_ELEMENT_BYTES. Returns
 * the length, 0 for NaN.
 */
size_t ens_element_print(char *to, const struct ens_view *v, uint64_t i);

int ens_dtype_is_complex(enum ens_dtype t);
int ens_dtype_is_real(enum ens_dtype t); /* f2 f4 f8 */

#endif
