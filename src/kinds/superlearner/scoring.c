#include "kinds/superlearner/scoring.h"

#include "config/study.h"

#include <string.h>

enum ens_status ens_sl_scores(const struct ens_sl *sl,
                              const struct ens_score **score,
                              const struct ens_score **risk,
                              struct ens_error *err)
{
    static const char *const usual[] = {
        [ENS_OUTCOME_GAUSSIAN] = "rmse",
        [ENS_OUTCOME_BINOMIAL] = "logloss",
        [ENS_OUTCOME_MULTINOMIAL] = "logloss",
        [ENS_OUTCOME_POISSON] = "poisson_deviance",
    };
    const char *name =
        ens_study_value(sl->study, "superlearner", "scorer")->text;

    if (strcmp(name, "auto") == 0)
        name = usual[sl->family];
    *risk = ens_score_default(sl->family);
    *score = ens_score_find(name);
    if (*score == NULL ||
        ((*score)->families & ENS_LEARN_FAMILY(sl->family)) == 0)
        return ens_fail(
            err, ENS_ESTUDY, "[superlearner] scorer = %s: not of family %s",
            name, ens_study_value(sl->study, "superlearner", "family")->text);
    return ENS_OK;
}

enum ens_status ens_sl_scorer(const struct ens_sl_job *job, size_t m,
                              const struct ens_score *score, uint64_t n,
                              struct ens_scorer *scorer, struct ens_error *err)
{
    uint64_t need = ens_score_memory(score, n);
    double *kept = NULL;

    if (need > 0)
        kept = ens_arena_alloc(&job->st->arena, (size_t)need, sizeof(*kept));
    if (need > 0 && kept == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "score %s: no memory for %llu rows",
                        score->name, (unsigned long long)n);
    ens_scorer_init(scorer, score, m, kept, n);
    return ENS_OK;
}
