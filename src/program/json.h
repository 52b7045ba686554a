/* JSON, written piece by piece into a buffer. */
#ifndef ENS_PROGRAM_JSON_H
#define ENS_PROGRAM_JSON_H

#include "base/buf.h"

/** A text in quotes. UTF-8; control characters are escaped. */
void ens_json_text(struct ens_buf *to, const char *text);
/** A number that reads back the same; null when it is not finite. */
void ens_json_number(struct ens_buf *to, double v);
/** `"key": `, with a comma before it when *n > 0; counts in *n. */
void ens_json_key(struct ens_buf *to, int *n, const char *key);
/** ["a", "b"] */
void ens_json_texts(struct ens_buf *to, const char *const *text, size_t n);

#endif
