#include "kinds/superlearner/meta_lanes.h"

#include "kinds/superlearner/meta.h"
#include "learn/meta/factor.h"
#include "learn/meta/lanes.h"

#include <math.h>
#include <string.h>

/* Rows times their values: one task reads so many in some 15 ms, and two stages
 * more cost 10 (measured with 1 and 6 million rows of 2 and 3 learners). */
#define FEW_VALUES 4194304u

/* Doubles of ens_score_sums of each member. */
static size_t risks_doubles(size_t n_members)
{
    return ENS_SL_RISK_DOUBLES * n_members;
}

size_t ens_sl_meta_lane_doubles(size_t n_members)
{
    return ens_meta_lane_doubles(n_members) + 2 * risks_doubles(n_members);
}

uint32_t ens_sl_meta_lanes(const struct ens_sl_layer *layer, size_t n_members)
{
    uint64_t bytes = 8 * (uint64_t)ens_sl_meta_lane_doubles(n_members);

    return layer->n_out < FEW_VALUES / (n_members + 2)
               ? 0
               : ens_sl_lanes(layer->n_out, layer->n_samples * bytes);
}

static void put_sums(const struct ens_score_sums *sums, size_t n, double *to)
{
    for (size_t l = 0; l < n; l++, to += ENS_SL_RISK_DOUBLES) {
        to[0] = sums[l].n;
        to[1] = sums[l].mean;
        to[2] = sums[l].square;
    }
}

static void add_sums(struct ens_score_sums *sums, size_t n, const double *from)
{
    for (size_t l = 0; l < n; l++, from += ENS_SL_RISK_DOUBLES)
        ens_score_sums_add(&sums[l],
                           &(struct ens_score_sums){from[0], from[1], from[2]});
}

/* -- tasks ------------------------------------------------------------------
 */

struct lane { /* a task */
    struct ens_sl_weighing a;
    uint32_t i;
    double *to; /* its block */
};

static enum ens_status open_lane(const struct ens_sl_job *job,
                                 const char *array, struct lane *t,
                                 struct ens_error *err)
{
    struct ens_sl_state *st = job->st;
    uint32_t lanes = ens_sl_meta_lanes(
        &st->layer, (size_t)ens_sl_n_members(&st->sl, st->plan, st->host));
    uint64_t n;
    void *to;
    enum ens_status s;

    t->i = (job->task->replicate - 1) % lanes;
    s = ens_sl_weighing_open(job, (job->task->replicate - 1) / lanes, &t->a,
                             err);
    if (s == ENS_OK)
        s = st->host->block(job->result, array, &to, &n, err);
    if (s == ENS_OK)
        t->to = to;
    return s;
}

/* Its rows of a side. */
static struct ens_sl_scoring lane_of(const struct lane *t,
                                     const struct ens_sl_side *side)
{
    return (struct ens_sl_scoring){
        .side = side,
        .from = side->rows.n * t->i / t->a.lanes,
        .to = side->rows.n * (t->i + 1) / t->a.lanes,
    };
}

static enum ens_status find_shift(struct ens_sl_weighing *a, double **shift,
                                  struct ens_error *err)
{
    struct ens_meta_problem problem = ens_sl_problem(a);

    *shift = ens_arena_alloc(&a->job->st->arena, a->L + 1, sizeof(**shift));
    return *shift == NULL ? ens_fail(err, ENS_ENOMEMORY, "out of memory")
                          : ens_meta_shift(&problem, *shift, err);
}

/* Sums of the lane of a side: of risks; of squares, if asked for. */
static enum ens_status put_side(struct lane *t, const struct ens_sl_side *side,
                                struct ens_meta_lane *lane, double *to,
                                struct ens_error *err)
{
    struct ens_sl_weighing *a = &t->a;
    struct ens_sl_scoring of = lane_of(t, side);
    struct ens_score_sums *sums =
        ens_arena_alloc(&a->job->st->arena, a->L, sizeof(*sums));
    enum ens_status s;

    of.members = 1;
    of.lane = lane;
    s = sums == NULL ? ens_fail(err, ENS_ENOMEMORY, "out of memory")
                     : ens_sl_score(a, &of, sums, err);
    if (s == ENS_OK)
        put_sums(sums, a->L, to);
    of.members = 0;
    while (s == ENS_OK && lane != NULL && ens_meta_lane_end(lane))
        s = ens_sl_score(a, &of, sums, err);
    return s;
}

enum ens_status ens_sl_run_meta_lanes(const struct ens_sl_job *job,
                                      struct ens_error *err)
{
    struct lane *t = ens_arena_alloc(&job->st->arena, 1, sizeof(*t));
    struct ens_meta_problem problem;
    struct ens_meta_lane lane;
    double *shift, *risks;
    enum ens_status s = t == NULL
                            ? ens_fail(err, ENS_ENOMEMORY, "out of memory")
                            : open_lane(job, "metalanes", t, err);

    if (s == ENS_OK)
        s = find_shift(&t->a, &shift, err);
    if (s != ENS_OK)
        return s;
    problem = ens_sl_problem(&t->a);
    s = ens_meta_lane_open(&lane, &problem, shift, t->to, err);
    risks = t->to + ens_meta_lane_doubles(t->a.L);
    if (s == ENS_OK)
        s = put_side(t, &t->a.in, &lane, risks, err);
    return s == ENS_OK ? put_side(t, &t->a.out, NULL,
                                  risks + risks_doubles(t->a.L), err)
                       : s;
}

/* The weights of a sample, found once by each worker. */
static enum ens_status weigh(struct ens_sl_weighing *a, struct ens_error *err)
{
    struct ens_sl_state *st = a->job->st;
    struct ens_meta_problem problem = ens_sl_problem(a);
    struct ens_sl_merged merged;
    struct ens_sl_meta meta, *kept;
    double *weight;
    enum ens_status s;

    if (st->weighed != NULL && st->weighed_sample == a->sample)
        return ENS_OK;
    s = ens_sl_meta_merge(a, &merged, err);
    problem.lanes = &merged.lanes;
    if (s == ENS_OK)
        s = ens_sl_meta_fit(a->job, &a->in.rows, &problem, &meta, err);
    if (s != ENS_OK)
        return s;
    kept = ens_arena_alloc(&st->cell_arena, 1, sizeof(*kept));
    weight = ens_arena_alloc(&st->cell_arena, 2 * a->L, sizeof(*weight));
    if (kept == NULL || weight == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    *kept = meta;
    kept->result.weight =
        memcpy(weight, meta.result.weight, a->L * sizeof(*weight));
    kept->row = weight + a->L;
    st->weighed = kept;
    st->weighed_sample = a->sample;
    return ENS_OK;
}

/* Where there are no weights stage meta says why. */
enum ens_status ens_sl_run_meta_risks(const struct ens_sl_job *job,
                                      struct ens_error *err)
{
    struct lane *t = ens_arena_alloc(&job->st->arena, 1, sizeof(*t));
    struct ens_score_sums *sums;
    struct ens_sl_scoring of;
    enum ens_status s = t == NULL
                            ? ens_fail(err, ENS_ENOMEMORY, "out of memory")
                            : open_lane(job, "metarisks", t, err);

    if (s != ENS_OK)
        return s;
    t->a.is_silent = 1;
    s = weigh(&t->a, err);
    if (s == ENS_EDOMAIN) {
        put_sums(&(struct ens_score_sums){0}, 1, t->to);
        return ENS_OK;
    }
    sums = ens_arena_alloc(&job->st->arena, t->a.L + 1, sizeof(*sums));
    if (s == ENS_OK && sums == NULL)
        s = ens_fail(err, ENS_ENOMEMORY, "out of memory");
    if (s != ENS_OK)
        return s;
    of = lane_of(t, t->a.sample == 0 ? &t->a.in : &t->a.out);
    of.meta = job->st->weighed;
    s = ens_sl_score(&t->a, &of, sums, err);
    if (s == ENS_OK)
        put_sums(&sums[t->a.L], 1, t->to);
    return s;
}

/* -- merged -----------------------------------------------------------------
 */

/* Blocks of the sample, each of `size` doubles; of a task that failed they are
 * NaN, which the number of rows at `n_at` never is. */
static enum ens_status blocks_of(const struct ens_sl_weighing *a,
                                 const char *array, size_t size, size_t n_at,
                                 const double **blocks, struct ens_error *err)
{
    struct ens_view view;
    enum ens_status s = ens_sl_array_of(a->job, array, NULL, 0, &view, err);

    if (s != ENS_OK)
        return s;
    *blocks = (const double *)view.data + (size_t)a->sample * a->lanes * size;
    for (size_t i = 0; i < a->lanes; i++)
        if (isnan((*blocks)[i * size + n_at]))
            return ens_fail(err, ENS_EDOMAIN,
                            "lane %zu of rows could not be summed", i + 1);
    return ENS_OK;
}

enum ens_status ens_sl_meta_merge(struct ens_sl_weighing *a,
                                  struct ens_sl_merged *merged,
                                  struct ens_error *err)
{
    size_t size = ens_sl_meta_lane_doubles(a->L);
    size_t risks = ens_meta_lane_doubles(a->L);
    const double *blocks;
    double *shift;
    enum ens_status s = blocks_of(a, "metalanes", size, risks, &blocks, err);

    if (s == ENS_OK)
        s = find_shift(a, &shift, err);
    if (s != ENS_OK)
        return s;
    merged->lanes = (struct ens_meta_lanes){a->lanes, shift, blocks, size};
    merged->in =
        ens_arena_alloc(&a->job->st->arena, 2 * a->L, sizeof(*merged->in));
    if (merged->in == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    merged->out = merged->in + a->L;
    for (size_t i = 0; i < a->lanes; i++) {
        const double *of = blocks + i * size + risks;

        add_sums(merged->in, a->L, of);
        add_sums(merged->out, a->L, of + risks_doubles(a->L));
    }
    return ENS_OK;
}

enum ens_status ens_sl_meta_merge_risk(struct ens_sl_weighing *a,
                                       struct ens_score_sums *sums,
                                       struct ens_error *err)
{
    const double *blocks;
    enum ens_status s =
        blocks_of(a, "metarisks", ENS_SL_RISK_DOUBLES, 0, &blocks, err);

    *sums = (struct ens_score_sums){0};
    for (size_t i = 0; i < a->lanes && s == ENS_OK; i++)
        add_sums(sums, 1, blocks + i * ENS_SL_RISK_DOUBLES);
    return s;
}
