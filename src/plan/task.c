#include "plan/task.h"

#include "base/hash.h"
#include "plan/plan.h"

#include <string.h>

static void put_word(unsigned char *to, uint64_t v)
{
    for (int i = 0; i < 8; i++)
        to[i] = (unsigned char)(v >> (8 * i));
}

uint64_t ens_task_seed(const struct ens_plan *plan, const char *stage,
                       const struct ens_cell *cell, uint32_t replicate)
{
    unsigned char word[32];

    put_word(word, ens_study_seed(plan->study));
    put_word(word + 8, cell->hash[0]);
    put_word(word + 16, ens_hash64(stage, strlen(stage)));
    put_word(word + 24, replicate);
    return ens_hash64(word, sizeof(word));
}
