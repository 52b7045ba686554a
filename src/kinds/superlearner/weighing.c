#include "kinds/superlearner/weighing.h"

#include "kinds/superlearner/cases.h"
#include "kinds/superlearner/groups.h"
#include "kinds/superlearner/meta_lanes.h"
#include "kinds/superlearner/scoring.h"

#include <math.h>
#include <string.h>

/* -- rows ------------------------------------------------------------------ */

/* Predictions of rows as they are, members that failed as NaN. */
static void read_z(const struct ens_sl_weighing *a,
                   const struct ens_rowset *set, uint64_t first, size_t n,
                   double *z)
{
    size_t p = a->data.source.p;

    ens_learn_source_read(&a->data.source, set, first, n, z);
    for (size_t j = 0; j < p; j++)
        if (a->data.failed[j])
            for (size_t i = 0; i < n; i++)
                z[i * p + j] = NAN;
}

static enum ens_status open_rows(struct ens_sl_weighing *a,
                                 struct ens_error *err)
{
    const struct ens_sl_job *job = a->job;
    struct ens_arena *arena = &job->st->arena;
    struct ens_rowset *set = ens_arena_alloc(arena, 2, sizeof(*set));
    struct ens_span *span = ens_arena_alloc(arena, 1, sizeof(*span));
    const struct ens_sl_data *data = &a->data;
    struct ens_folds folds;
    enum ens_status s;

    if (set == NULL || span == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    if (a->sample == 0) {
        set[0] = ens_rowset_one(span, NULL, 0, job->st->layer.n_in);
        set[1] = (struct ens_rowset){0, 0, NULL};
    } else {
        s = ens_sl_folds(job, &a->last, a->sample, &folds, &set[1], err);
        if (s != ENS_OK)
            return s;
        set[0] = folds.base;
    }
    a->in.set = &set[0];
    a->out.set = &set[1];
    if (job->st->at.step == ENS_SL_META &&
        ens_sl_meta_is_learner(&job->st->sl)) {
        s = ens_sl_data(job, &job->st->layer, a->sample, ENS_TEXTS_REFUSED,
                        &a->seen, err);
        if (s != ENS_OK)
            return s;
        data = &a->seen;
    }
    s = ens_sl_case_open(NULL, data, a->in.set, &a->in.rows, err);
    return s == ENS_OK
               ? ens_sl_case_open(NULL, data, a->out.set, &a->out.rows, err)
               : s;
}

static enum ens_status open_members(struct ens_sl_weighing *a,
                                    struct ens_error *err)
{
    struct ens_arena *arena = &a->job->st->arena;
    size_t p = a->data.source.p;

    a->m = a->last.m;
    a->L = p / a->m;
    a->lanes = ens_sl_meta_lanes(&a->job->st->layer, a->L);
    a->name = ens_arena_alloc(arena, a->L, sizeof(*a->name));
    a->z = ens_arena_alloc(arena, ENS_META_BLOCK * p, sizeof(double));
    a->y = ens_arena_alloc(arena, ENS_META_BLOCK, sizeof(double));
    a->w = ens_arena_alloc(arena, ENS_META_BLOCK, sizeof(double));
    if (a->name == NULL || a->z == NULL || a->y == NULL || a->w == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    for (size_t l = 0; l < a->L; l++) {
        const char *full = a->data.source.column[l * a->m];

        a->name[l] =
            a->m == 1 ? full : ens_arena_strndup(arena, full, strlen(full) - 2);
        if (a->name[l] == NULL)
            return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    }
    return ENS_OK;
}

enum ens_status ens_sl_weighing_open(const struct ens_sl_job *job,
                                     uint32_t sample, struct ens_sl_weighing *a,
                                     struct ens_error *err)
{
    struct ens_sl_state *st = job->st;
    enum ens_status s;

    memset(a, 0, sizeof(*a));
    a->job = job;
    a->sample = sample;
    s = ens_sl_layer(&st->sl, st->n_layers,
                     ens_sl_group_after(&st->sl, st->n_layers, NULL), &a->last,
                     err);
    if (s == ENS_OK)
        s = ens_sl_predictions(job, &st->layer, sample, &a->data, err);
    if (s == ENS_OK)
        s = open_rows(a, err);
    return s == ENS_OK ? open_members(a, err) : s;
}

/* -- a problem of weights ---------------------------------------------------
 */

/* n rows of the problem from a row of the block on that was read, class k. */
static void expand(const struct ens_sl_weighing *a, uint64_t k, size_t n,
                   double *z, double *y, double *w)
{
    size_t p = a->data.source.p;

    for (size_t i = 0; i < n; i++, k++) {
        size_t row = (size_t)(k / a->m), class = (size_t)(k % a->m);

        for (size_t l = 0; l < a->L; l++)
            z[i * a->L + l] = a->z[row * p + l * a->m + class];
        y[i] = a->y[row] == (double)class;
        w[i] = a->w[row];
    }
}

static enum ens_status read_problem(void *own, uint64_t first, size_t n,
                                    double *z, double *y, double *w,
                                    struct ens_error *err)
{
    const struct ens_sl_weighing *a = own;
    const struct ens_rows *at = &a->in.rows;
    uint64_t row = first / a->m, last = (first + n - 1) / a->m;
    size_t rows = (size_t)(last - row + 1);

    if (a->m == 1) { /* rows of the problem are rows */
        read_z(a, a->in.set, first, n, z);
        at->y(at, first, n, y);
        at->w(at, first, n, w);
        return ens_rows_bad(at, err);
    }
    read_z(a, a->in.set, row, rows, a->z);
    at->y(at, row, rows, a->y);
    at->w(at, row, rows, a->w);
    expand(a, first - row * a->m, n, z, y, w);
    return ens_rows_bad(at, err);
}

static void *problem_alloc(void *own, size_t n, size_t size)
{
    const struct ens_sl_weighing *a = own;

    return ens_arena_alloc(&a->job->st->arena, n, size);
}

static void problem_warn(void *own, const char *text)
{
    const struct ens_sl_weighing *a = own;

    if (!a->is_silent)
        a->job->st->host->warn(a->job->result, text);
}

struct ens_meta_problem ens_sl_problem(struct ens_sl_weighing *a)
{
    return (struct ens_meta_problem){
        .n = a->in.rows.n * a->m,
        .n_learners = a->L,
        .name = a->name,
        .failure = a->data.failure,
        .read = read_problem,
        .alloc = problem_alloc,
        .warn = problem_warn,
        .own = a,
    };
}

/* -- risks ------------------------------------------------------------------
 */

struct scores {
    struct ens_scorer *of; /* L + 1 */
    double *p;             /* predictions of one of them, n x m */
    double *z, *y, *w;     /* rows of a problem of several classes */
};

static enum ens_status open_scores(const struct ens_sl_weighing *a, uint64_t n,
                                   struct scores *sc, struct ens_error *err)
{
    struct ens_sl_state *st = a->job->st;
    enum ens_status s = ENS_OK;

    sc->z = ens_arena_alloc(&st->arena, ENS_META_BLOCK * (a->L + 2),
                            sizeof(double));
    sc->of = ens_arena_alloc(&st->arena, a->L + 1, sizeof(*sc->of));
    sc->p = ens_arena_alloc(&st->arena, ENS_META_BLOCK * a->m, sizeof(double));
    if (sc->z == NULL || sc->of == NULL || sc->p == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    sc->y = sc->z + ENS_META_BLOCK * a->L;
    sc->w = sc->y + ENS_META_BLOCK;
    for (size_t l = 0; l < a->L + 1 && s == ENS_OK; l++)
        s = ens_sl_scorer(a->job, a->m, st->risk, n, &sc->of[l], err);
    return s;
}

static void add_member(const struct ens_sl_weighing *a, struct scores *sc,
                       size_t l, size_t n)
{
    size_t p = a->data.source.p;

    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < a->m; k++)
            sc->p[i * a->m + k] = a->z[i * p + l * a->m + k];
    ens_scorer_add(&sc->of[l], a->y, sc->p, a->in.rows.weighted ? a->w : NULL,
                   n);
}

/* The n rows of the block. */
static void add_to_lane(const struct ens_sl_weighing *a,
                        struct ens_meta_lane *lane, const struct scores *sc,
                        size_t n)
{
    int weighted = a->in.rows.weighted;
    uint64_t rows = (uint64_t)n * a->m;

    if (a->m == 1)
        ens_meta_lane_add(lane, a->z, a->y, weighted ? a->w : NULL, n);
    for (uint64_t k = 0; k < rows && a->m > 1; k += ENS_META_BLOCK) {
        size_t some =
            rows - k < ENS_META_BLOCK ? (size_t)(rows - k) : ENS_META_BLOCK;

        expand(a, k, some, sc->z, sc->y, sc->w);
        ens_meta_lane_add(lane, sc->z, sc->y, weighted ? sc->w : NULL, some);
    }
}

static enum ens_status add_rows(const struct ens_sl_weighing *a,
                                const struct ens_sl_scoring *of,
                                struct scores *sc, uint64_t first, size_t n,
                                struct ens_error *err)
{
    const struct ens_rows *at = &of->side->rows;
    enum ens_status s;

    read_z(a, of->side->set, first, n, a->z);
    at->y(at, first, n, a->y);
    if (at->weighted)
        at->w(at, first, n, a->w);
    s = ens_rows_bad(at, err);
    if (of->lane != NULL && s == ENS_OK)
        add_to_lane(a, of->lane, sc, n);
    for (size_t l = 0; l < a->L && of->members && s == ENS_OK; l++)
        add_member(a, sc, l, n);
    if (of->meta == NULL || s != ENS_OK)
        return s;
    s = ens_sl_meta_predict(of->meta, &a->in.rows, at, first, n, a->L, a->m,
                            a->z, sc->p, err);
    if (s == ENS_OK)
        ens_scorer_add(&sc->of[a->L], a->y, sc->p, at->weighted ? a->w : NULL,
                       n);
    return s;
}

enum ens_status ens_sl_score(struct ens_sl_weighing *a,
                             const struct ens_sl_scoring *of,
                             struct ens_score_sums *sums, struct ens_error *err)
{
    struct scores sc = {0};
    enum ens_status s = open_scores(a, of->to - of->from, &sc, err);

    for (uint64_t at = of->from; at < of->to && s == ENS_OK;
         at += ENS_META_BLOCK) {
        size_t n = of->to - at < ENS_META_BLOCK ? (size_t)(of->to - at)
                                                : ENS_META_BLOCK;

        s = add_rows(a, of, &sc, at, n, err);
    }
    if (s != ENS_OK)
        return s;
    for (size_t l = 0; l < a->L && of->members; l++)
        sums[l] = ens_scorer_sums(&sc.of[l]);
    if (of->meta != NULL)
        sums[a->L] = ens_scorer_sums(&sc.of[a->L]);
    return ENS_OK;
}
