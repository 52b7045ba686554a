/* Names that are not known: the nearest one that is, or what is allowed. */
#ifndef ENS_CONFIG_NAMES_H
#define ENS_CONFIG_NAMES_H

#include <stddef.h>

/** Edits (insert, delete, replace, swap of neighbours) between two names,
 * letter case apart; names longer than 63 bytes: a large number. */
size_t ens_name_distance(const char *a, const char *b);

/** Collects candidates for a name. Fixed size, owns nothing. */
struct ens_near {
    const char *want;
    char best[64];
    size_t distance;
    size_t n;
    size_t len;
    char all[480]; /* "a, b, c" */
    char text[560];
};

void ens_near_init(struct ens_near *near, const char *want);
/** A candidate. Repeats are dropped. */
void ens_near_add(struct ens_near *near, const char *name);
/** All of "a|b|c". */
void ens_near_add_choices(struct ens_near *near, const char *choices);
/** "did you mean X?", "allowed: a, b, c" or "none is allowed". */
const char *ens_near_text(struct ens_near *near);

#endif
