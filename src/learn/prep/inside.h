/* Between the files of this folder. */
#ifndef ENS_LEARN_PREP_INSIDE_H
#define ENS_LEARN_PREP_INSIDE_H

#include "learn/prep/prep.h"

/** NULL: there is none of that name. */
const struct ens_prep_op *ens_prep_find(const char *name);

/** All columns but those: 1 by column. NULL: out of memory. */
const unsigned char *ens_prep_others(const int64_t *left, size_t q, size_t p,
                                     struct ens_arena *arena);

/** A chain of no steps over columns of those names. */
enum ens_status ens_prep_begin(struct ens_prep_fitted *f,
                               const char *const *column, size_t p,
                               struct ens_arena *arena, struct ens_error *err);
/** One step more, checked. ENS_ECORRUPT, ENS_ENOMEMORY. */
enum ens_status ens_prep_append(struct ens_prep_fitted *f,
                                const struct ens_prep_part *part,
                                struct ens_arena *arena, struct ens_error *err);
/** Says whether its columns may be lent: where it only scales them. */
void ens_prep_end(struct ens_prep_fitted *f);

/** The blob of a chain, in memory of the arena. ENS_ENOMEMORY. */
enum ens_status ens_prep_bytes(const struct ens_prep_fitted *f,
                               struct ens_arena *arena, const void **blob,
                               size_t *bytes, struct ens_error *err);

#endif
