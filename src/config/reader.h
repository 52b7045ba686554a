/* Bytes -> sections, keys, values, with line numbers.
 *
 *   ; comment            # comment
 *   [section name]       ; blanks inside a name count as one
 *   key = value          ; ` ;` and ` #` outside "quotes" start a comment
 *   key = a, b,          ; a trailing comma or \ continues
 *         c
 *
 * Knows nothing of settings but which keys are taken verbatim (is_line).
 * Not here: splitting values, ${ENV} (never expanded), includes.
 */
#ifndef ENS_CONFIG_READER_H
#define ENS_CONFIG_READER_H

#include "config/diag.h"

struct ens_entry {
    const char *key;
    const char *text; /* value without comment, lines joined by a blank */
    struct ens_pos pos;
    int used; /* for whoever looks for unknown keys */
};

struct ens_section {
    const char *name;
    struct ens_pos pos;
    size_t n, cap;
    struct ens_entry *entry;
};

struct ens_ini {
    struct ens_arena *arena;
    size_t n, cap;
    struct ens_section *section;
};

/** Is the value of a key taken verbatim to the end of its line? */
typedef int ens_is_line_fn(const void *arg, const char *section,
                           const char *key);

/**
 * Read all of it; errors go to diag and reading goes on with the next line.
 * Everything is copied into ini->arena. is_line may be NULL.
 */
void ens_ini_read(struct ens_ini *ini, struct ens_diag *diag, const void *text,
                  size_t n, ens_is_line_fn *is_line, const void *arg);
struct ens_section *ens_ini_find(const struct ens_ini *ini, const char *name);
struct ens_entry *ens_section_find(const struct ens_section *s,
                                   const char *key);
/** NULL: no memory. */
struct ens_section *ens_ini_add(struct ens_ini *ini, const char *name,
                                struct ens_pos pos);
struct ens_entry *ens_section_add(struct ens_ini *ini, struct ens_section *s,
                                  const char *key, const char *text,
                                  struct ens_pos pos);

/** Offset of the first byte that is not UTF-8 or is a control character
 * other than a tab; n when there is none. */
size_t ens_text_check(const char *s, size_t n);
/** Length of s without a comment and trailing blanks; *open_quote set when a
 * quote does not end. */
size_t ens_text_strip(const char *s, size_t n, int *open_quote);

#endif
