#include "kinds/superlearner/meta.h"

#include "kinds/superlearner/groups.h"
#include "kinds/superlearner/meta_lanes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const struct ens_field ens_sl_meta_fields[ENS_SL_N_META_FIELDS] = {
#define ENS_SL_FIELD(id, name, type, unit, help) {name, ENS_##type, unit, help},
    ENS_SL_META_FIELDS(ENS_SL_FIELD)
#undef ENS_SL_FIELD
};

uint64_t ens_sl_n_members(const struct ens_sl *sl, const struct ens_plan *plan,
                          const struct ens_host *host)
{
    uint32_t last = ens_sl_n_layers(plan, host);
    const char *g = NULL;
    uint64_t n = 0;

    while ((g = ens_sl_group_after(sl, last, g)) != NULL) {
        struct ens_sl_layer group;

        if (ens_sl_layer(sl, last, g, &group, NULL) == ENS_OK)
            n += group.n_partitions * ens_sl_n_learners(plan, host, &group);
    }
    return n;
}

struct weighing { /* a task */
    struct ens_sl_weighing a;
    struct ens_sl_merged merged; /* of lanes, if there are some */
    struct ens_sl_meta meta;
    double *weights, *risks; /* blocks of the arrays */
    uint64_t best;
};

/* Any member at all? */
static enum ens_status check_members(const struct ens_sl_weighing *a,
                                     struct ens_error *err)
{
    for (size_t j = 0; j < a->data.source.p; j++)
        if (!a->data.failed[j])
            return ENS_OK;
    return ens_fail(err, ENS_EDOMAIN, "every learner of the last layer failed");
}

/* -- weights --------------------------------------------------------------- */

static enum ens_status weigh(struct weighing *t, struct ens_error *err)
{
    struct ens_meta_problem problem = ens_sl_problem(&t->a);
    enum ens_status s = ENS_OK;

    if (t->a.lanes > 0) {
        s = ens_sl_meta_merge(&t->a, &t->merged, err);
        problem.lanes = &t->merged.lanes;
    }
    if (s == ENS_OK)
        s = ens_sl_meta_fit(t->a.job, &t->a.in.rows, &problem, &t->meta, err);
    for (size_t l = 0; l < t->a.L && s == ENS_OK; l++)
        t->weights[3 * l] = t->meta.is_learner ? NAN : t->meta.result.weight[l];
    return s;
}

/* -- risks ----------------------------------------------------------------- */

/* Sums of all on the rows of a side: from lanes, or by a pass. */
static enum ens_status find_sums(struct weighing *t,
                                 const struct ens_sl_side *side, int is_scored,
                                 struct ens_score_sums *sums,
                                 struct ens_error *err)
{
    struct ens_sl_state *st = t->a.job->st;
    struct ens_sl_scoring of = {.side = side,
                                .to = side->rows.n,
                                .members = t->a.lanes == 0,
                                .meta = is_scored ? &t->meta : NULL};

    if (t->a.lanes > 0)
        memcpy(sums, side == &t->a.in ? t->merged.in : t->merged.out,
               t->a.L * sizeof(*sums));
    if (t->a.lanes == 0)
        return ens_sl_score(&t->a, &of, sums, err);
    if (!is_scored)
        return ENS_OK;
    return ens_sl_meta_is_squares(&st->sl, st->host)
               ? ens_sl_meta_merge_risk(&t->a, &sums[t->a.L], err)
               : ens_sl_score(&t->a, &of, sums, err);
}

static void put_risk(const struct ens_score_sums *sums, double *to)
{
    to[0] = sums->n;
    to[1] = ens_score_sums_risk(sums, &to[2]);
}

/* Cross-validated risks of members; the one of smallest risk is best. */
static enum ens_status choose_best(struct weighing *t,
                                   const struct ens_score_sums *sums,
                                   struct ens_error *err)
{
    double least = INFINITY, risk[3];

    t->best = UINT64_MAX;
    for (size_t l = 0; l < t->a.L; l++) {
        put_risk(&sums[l], risk);
        t->weights[3 * l + 1] = risk[1];
        t->weights[3 * l + 2] = risk[2];
        if (risk[1] < least) {
            least = risk[1];
            t->best = l;
        }
    }
    return t->best != UINT64_MAX
               ? ENS_OK
               : ens_fail(err, ENS_EDOMAIN,
                          "every learner of the last layer failed");
}

/* On rows that the sample leaves out; of sample 0 on those that weights are
 * of. There a learner has no risk: it saw them. */
static enum ens_status find_risks(struct weighing *t, struct ens_error *err)
{
    size_t L = t->a.L;
    int left = t->a.sample > 0, is_scored = left || !t->meta.is_learner;
    struct ens_score_sums *sums =
        ens_arena_alloc(&t->a.job->st->arena, L + 1, sizeof(*sums));
    enum ens_status s;

    if (sums == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    s = find_sums(t, &t->a.in, is_scored && !left, sums, err);
    if (s == ENS_OK)
        s = choose_best(t, sums, err);
    if (s == ENS_OK && left)
        s = find_sums(t, &t->a.out, 1, sums, err);
    if (s != ENS_OK)
        return s;
    for (size_t l = 0; l < L + (is_scored ? 1 : 0); l++)
        put_risk(&sums[l], t->risks + 3 * l);
    put_risk(&sums[t->best], t->risks + 3 * (L + 1));
    return ENS_OK;
}

/* -- the task -------------------------------------------------------------- */

static enum ens_status open_blocks(struct weighing *t, struct ens_error *err)
{
    const struct ens_sl_job *job = t->a.job;
    const struct ens_host *host = job->st->host;
    uint64_t n;
    void *data;
    enum ens_status s = host->block(job->result, "weights", &data, &n, err);

    t->weights = data;
    if (s == ENS_OK)
        s = host->block(job->result, "risks", &data, &n, err);
    t->risks = data;
    return s;
}

static void put_fields(const struct weighing *t)
{
    const struct ens_sl_job *job = t->a.job;
    const struct ens_host *host = job->st->host;
    struct ens_result *r = job->result;
    const struct ens_meta_result *m = &t->meta.result;

    host->use_schema(r, job->st->meta_schema);
    host->i64(r, ENS_SL_M_SAMPLE, t->a.sample);
    host->i64(r, ENS_SL_M_N, (int64_t)t->a.in.rows.n);
    host->i64(r, ENS_SL_M_MEMBERS, (int64_t)t->a.L);
    host->i64(r, ENS_SL_M_LEFT,
              (int64_t)(m->n_failed + m->n_zero + m->n_duplicates));
    host->f64(r, ENS_SL_M_RISK, t->risks[3 * t->a.L + 1]);
    host->i64(r, ENS_SL_M_BEST, (int64_t)t->best + 1);
}

/* Layers of which some groups predict rows that others do not: of no use. */
static enum ens_status warn_of_rows(const struct ens_sl_job *job,
                                    struct ens_error *err)
{
    struct ens_sl_state *st = job->st;
    struct ens_sl_groups groups;
    enum ens_status s = ENS_OK;

    for (uint32_t i = 1; i <= st->n_layers && s == ENS_OK; i++) {
        uint64_t least = UINT64_MAX, most = 0;
        char text[160];

        s = ens_sl_groups(&st->sl, i, &groups, err);
        for (uint32_t g = 0; g < groups.n && s == ENS_OK; g++) {
            least = groups.of[g].n_out < least ? groups.of[g].n_out : least;
            most = groups.of[g].n_out > most ? groups.of[g].n_out : most;
        }
        snprintf(text, sizeof(text),
                 "layer %u: %llu of the rows that its groups predict are left "
                 "out, as not all predict them",
                 i, (unsigned long long)(most - least));
        if (s == ENS_OK && least < most)
            st->host->warn(job->result, text);
    }
    return s;
}

enum ens_status ens_sl_run_meta(const struct ens_sl_job *job,
                                struct ens_error *err)
{
    struct ens_sl_state *st = job->st;
    struct weighing *t = ens_arena_alloc(&st->arena, 1, sizeof(*t));
    uint32_t sample = job->task->replicate - 1;
    enum ens_status s;

    if (t == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    s = ens_sl_weighing_open(job, sample, &t->a, err);
    if (s == ENS_OK)
        s = open_blocks(t, err);
    if (s == ENS_OK)
        s = check_members(&t->a, err);
    if (s == ENS_OK)
        s = weigh(t, err);
    if (s == ENS_OK)
        s = find_risks(t, err);
    if (s == ENS_OK && sample == 0)
        s = warn_of_rows(job, err);
    if (s == ENS_OK && sample == 0)
        s = ens_sl_meta_keep(job, &t->meta, t->a.L, err);
    if (s == ENS_OK)
        put_fields(t);
    return s;
}
