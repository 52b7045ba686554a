/* The texts of an [input NAME]'s keys that this layer reads itself. Pure. */
#ifndef ENS_INPUT_OPTIONS_H
#define ENS_INPUT_OPTIONS_H

#include "input/format.h"

/** "a:b", "a:", ":b" or "a": rows from 1, ends included. */
enum ens_status ens_options_rows(struct ens_input_options *o, const char *text,
                                 struct ens_error *err);
/** A character, or comma semicolon tab bar blank; auto, or nothing: 0. */
enum ens_status ens_options_delimiter(struct ens_input_options *o,
                                      const char *text, struct ens_error *err);
/** Add the numbers in "1000, 3", "1000 3" or "(1000, 3)" to the shape. */
enum ens_status ens_options_shape(struct ens_input_options *o, const char *text,
                                  struct ens_error *err);

#endif
