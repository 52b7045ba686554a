#include "learn/learners/learners.h"

#include "base/bug.h"
#include <string.h>

#define ENS_LEARNER(id, n, text)                                               \
    {.name = #id,                                                              \
     .help = text,                                                             \
     .settings = ens_learner_##id##_settings,                                  \
     .n_settings = n,                                                          \
     .ops = &ens_learner_##id},
const struct ens_impl ens_learners[] = {
#include "learn/learners/x.def"
};
#undef ENS_LEARNER
const size_t ens_n_learners = ENS_COUNT(ens_learners);

const struct ens_impl *ens_learner_find(const char *name)
{
    for (size_t i = 0; i < ens_n_learners; i++)
        if (strcmp(ens_learners[i].name, name) == 0)
            return &ens_learners[i];
    return NULL;
}
