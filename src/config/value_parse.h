/* Between the sources of the value parser. */
#ifndef ENS_CONFIG_VALUE_PARSE_H
#define ENS_CONFIG_VALUE_PARSE_H

#include "config/value.h"

struct ens_slice {
    const char *p;
    size_t n;
};

/* How much of a slice a message shows. */
#define ENS_SHOW(s) ((s).n > 60 ? 60 : (int)(s).n), (s).p

struct ens_slice ens_slice_trim(struct ens_slice s);
/**
 * The next piece of text up to a top-level sep, from *at on, trimmed. Returns
 * 1, 0 at the end, -1 when quotes or brackets do not match. An empty text has
 * no piece; "a," has two.
 */
int ens_slice_next(struct ens_slice text, char sep, size_t *at,
                   struct ens_slice *piece);
/** Does s begin and end as one quoted text? Then its content, unescaped. */
int ens_slice_unquote(struct ens_arena *a, struct ens_slice s,
                      struct ens_slice *content);

enum ens_status ens_out_of_memory(struct ens_error *err);
int ens_is_numeric(enum ens_type t);

/** One number of a numeric type (INT, NUM, SECONDS, BYTES) as both. */
struct ens_scalar {
    int64_t i;
    double d;
};
enum ens_status ens_scalar_parse(const struct ens_setting *s,
                                 struct ens_slice text, struct ens_scalar *v,
                                 struct ens_error *err);
/** Bounds, then value and canonical text. */
enum ens_status ens_scalar_value(const struct ens_value_context *c,
                                 const struct ens_setting *s,
                                 struct ens_scalar x, struct ens_value *v,
                                 struct ens_error *err);

/** Expands a:b, a:b:step, linspace(...) ...: gives each number to sink.
 * Returns ENS_ENOTFOUND, without a text, when it is none of these. */
typedef enum ens_status ens_scalar_sink(void *arg, struct ens_scalar x,
                                        struct ens_error *err);
enum ens_status ens_range_expand(const struct ens_setting *s,
                                 struct ens_slice text, ens_scalar_sink *sink,
                                 void *arg, struct ens_error *err);

enum ens_status ens_call_parse(const struct ens_value_context *c,
                               const struct ens_setting *s,
                               struct ens_slice text, struct ens_value *v,
                               struct ens_error *err);
/** NAME and the text between its parentheses (n = 0 without). 0 when text
 * is no call. */
int ens_call_split(struct ens_slice text, struct ens_slice *name,
                   struct ens_slice *args);
/** "key=" at the front of an argument? Then cut off into *key. */
int ens_call_key(struct ens_slice *arg, struct ens_slice *key);

/** @FILE, or @"a" "b": the lines of an axis of lines. */
int ens_lines_are(const struct ens_setting *s, struct ens_slice text);
/** Append them to `values` (struct ens_value). ENS_ESTUDY names FILE:LINE. */
enum ens_status ens_lines_parse(const struct ens_value_context *c,
                                struct ens_slice text, struct ens_buf *values,
                                struct ens_error *err);
/** In place, as ens_lines_parse reads it. */
void ens_lines_write(const struct ens_values *v, struct ens_buf *out);

/** Text of a value in a list or axis, quoted when it must be. */
void ens_element_write(const struct ens_setting *s, const char *text,
                       struct ens_buf *out);

#endif
