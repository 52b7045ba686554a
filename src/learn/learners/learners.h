/* The learners that are built in.
 *
 * One file per learner, one line in x.def; its settings are rows of the
 * section "learner". */
#ifndef ENS_LEARN_LEARNERS_LEARNERS_H
#define ENS_LEARN_LEARNERS_LEARNERS_H

#include <ensrun/learner.h>

/* Rows of a block, where a learner reads them all. */
#define ENS_LEARN_BLOCK 1024

extern const struct ens_impl ens_learners[]; /* ops: struct ens_learner */
extern const size_t ens_n_learners;

/** NULL: unknown. */
const struct ens_impl *ens_learner_find(const char *name);

#define ENS_LEARNER(name, n, help)                                             \
    extern const struct ens_learner ens_learner_##name;                        \
    extern const struct ens_setting ens_learner_##name##_settings[];
#include "learn/learners/x.def"
#undef ENS_LEARNER

#endif
