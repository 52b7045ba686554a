/* Raw binary: nothing but the elements; dtype and shape are the study's. */
#ifndef ENS_INPUT_RAW_H
#define ENS_INPUT_RAW_H

#include "input/format.h"

/**
 * The view (data NULL) of a raw file of file_size bytes in C order. One
 * number of the shape may be -1, and no shape means one dimension: both
 * follow from the size. *key: the key that an error is about. Pure.
 */
enum ens_status ens_raw_describe(struct ens_view *v,
                                 const struct ens_input_options *o,
                                 uint64_t file_size, const char **key,
                                 struct ens_error *err);

#endif
