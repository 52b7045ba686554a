#include "kinds/superlearner/meta.h"

#include "config/study.h"
#include "kinds/superlearner/cases.h"
#include "kinds/superlearner/learn.h"
#include "kinds/superlearner/metas.h"
#include "kinds/superlearner/moments.h"
#include "kinds/superlearner/scoring.h"

#include <math.h>
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
    struct ens_sl_layer layer;
    struct ens_cell cell;
    uint64_t n = 0;

    if (ens_sl_layer(sl, last, &layer, NULL) != ENS_OK)
        return 0;
    for (uint64_t i = 0; i < host->plan_n_cells(plan); i++) {
        host->plan_cell(plan, i, &cell);
        if (ens_sl_is_in(&cell, &layer))
            n += layer.n_partitions;
    }
    return n;
}

struct weighing {
    const struct ens_sl_job *job;
    struct ens_sl_layer last;
    struct ens_sl_data data;      /* predictions of members */
    struct ens_sl_data seen;      /* what a learner sees */
    struct ens_rows rows, out;    /* that weights are of; that are left out */
    const struct ens_rowset *set; /* of rows being read */
    const struct ens_rows *at;
    size_t L, m; /* members, columns of each */
    const char **name;
    double *z; /* a block of predictions, n x L m */
    double *y, *w;
    double *weights, *risks; /* blocks of the arrays */
    struct ens_sl_meta meta;
    uint64_t best;
};

/* -- rows ------------------------------------------------------------------ */

/* Predictions of rows as they are, members that failed as NaN. */
static void read_z(const struct weighing *a, const struct ens_rowset *set,
                   uint64_t first, size_t n, double *z)
{
    size_t p = a->data.source.p;

    ens_learn_source_read(&a->data.source, set, first, n, z);
    for (size_t j = 0; j < p; j++)
        if (a->data.failed[j])
            for (size_t i = 0; i < n; i++)
                z[i * p + j] = NAN;
}

/* Rows of the problem: of several classes a row for each. */
static enum ens_status read_problem(void *own, uint64_t first, size_t n,
                                    double *z, double *y, double *w,
                                    struct ens_error *err)
{
    struct weighing *a = own;
    uint64_t row = first / a->m, last = (first + n - 1) / a->m;
    size_t rows = (size_t)(last - row + 1), p = a->data.source.p;

    if (a->m == 1) { /* rows of the problem are rows */
        read_z(a, a->set, first, n, z);
        a->at->y(a->at, first, n, y);
        a->at->w(a->at, first, n, w);
        return ens_rows_bad(a->at, err);
    }
    read_z(a, a->set, row, rows, a->z);
    a->at->y(a->at, row, rows, a->y);
    a->at->w(a->at, row, rows, a->w);
    for (size_t i = 0; i < n; i++) {
        size_t r = (size_t)((first + i) / a->m - row);
        size_t k = (size_t)((first + i) % a->m);

        for (size_t l = 0; l < a->L; l++)
            z[i * a->L + l] = a->z[r * p + l * a->m + k];
        y[i] = a->y[r] == (double)k;
        w[i] = a->w[r];
    }
    return ens_rows_bad(a->at, err);
}

static enum ens_status open_rows(struct weighing *a, uint32_t sample,
                                 struct ens_error *err)
{
    const struct ens_sl_job *job = a->job;
    struct ens_arena *arena = &job->st->arena;
    struct ens_rowset *set = ens_arena_alloc(arena, 2, sizeof(*set));
    const struct ens_sl_data *data = &a->data;
    struct ens_folds folds;
    enum ens_status s;

    if (set == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    if (sample == 0) {
        struct ens_span *span = ens_arena_alloc(arena, 1, sizeof(*span));

        if (span == NULL)
            return ens_fail(err, ENS_ENOMEMORY, "out of memory");
        set[0] = ens_rowset_one(span, NULL, 0, job->st->layer.n_in);
        set[1] = (struct ens_rowset){0, 0, NULL};
    } else {
        s = ens_sl_folds(job, &a->last, sample, &folds, &set[1], err);
        if (s != ENS_OK)
            return s;
        set[0] = folds.base;
    }
    a->set = set;
    if (ens_sl_meta_is_learner(&job->st->sl)) {
        s = ens_sl_data(job, &job->st->layer, sample, ENS_TEXTS_REFUSED,
                        &a->seen, err);
        if (s != ENS_OK)
            return s;
        data = &a->seen;
    }
    s = ens_sl_case_open(NULL, data, &set[0], &a->rows, err);
    return s == ENS_OK ? ens_sl_case_open(NULL, data, &set[1], &a->out, err)
                       : s;
}

static enum ens_status open_members(struct weighing *a, struct ens_error *err)
{
    struct ens_arena *arena = &a->job->st->arena;
    size_t p = a->data.source.p;

    a->m = a->last.m;
    a->L = p / a->m;
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
    }
    return ENS_OK;
}

/* -- risks ----------------------------------------------------------------- */

/* Members, then the super learner, then the best member, on rows of `at`. */
struct scores {
    struct ens_scorer *of; /* L + 2 */
    double *p;             /* predictions of one of them, n x m */
};

static enum ens_status open_scores(struct weighing *a, uint64_t n,
                                   struct scores *sc, struct ens_error *err)
{
    struct ens_sl_state *st = a->job->st;
    enum ens_status s = ENS_OK;

    sc->of = ens_arena_alloc(&st->arena, a->L + 2, sizeof(*sc->of));
    sc->p = ens_arena_alloc(&st->arena, ENS_META_BLOCK * a->m, sizeof(double));
    if (sc->of == NULL || sc->p == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    for (size_t l = 0; l < a->L + 2 && s == ENS_OK; l++)
        s = ens_sl_scorer(a->job, a->m, st->risk, n, &sc->of[l], err);
    return s;
}

static void add_member(struct weighing *a, struct scores *sc, size_t l,
                       size_t to, size_t n)
{
    size_t p = a->data.source.p;

    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < a->m; k++)
            sc->p[i * a->m + k] = a->z[i * p + l * a->m + k];
    ens_scorer_add(&sc->of[to], a->y, sc->p, a->rows.weighted ? a->w : NULL, n);
}

static void put_scores(const struct weighing *a, struct scores *sc,
                       size_t first, size_t last, double *to)
{
    for (size_t l = first; l < last; l++) {
        double se = NAN;

        to[3 * l + 1] = ens_scorer_risk(&sc->of[l], &se);
        to[3 * l + 2] = se;
        to[3 * l] = (double)sc->of[l].n;
    }
    (void)a;
}

/* The super learner, on n rows of which predictions of members are in z. */
static enum ens_status add_all(struct weighing *a, struct scores *sc,
                               const struct ens_rows *at, uint64_t first,
                               size_t n, struct ens_error *err)
{
    enum ens_status s = ens_sl_meta_predict(&a->meta, &a->rows, at, first, n,
                                            a->L, a->m, a->z, sc->p, err);

    if (s == ENS_OK)
        ens_scorer_add(&sc->of[a->L], a->y, sc->p, at->weighted ? a->w : NULL,
                       n);
    return s;
}

/* Any member at all? */
static enum ens_status check_members(const struct weighing *a,
                                     struct ens_error *err)
{
    for (size_t j = 0; j < a->data.source.p; j++)
        if (!a->data.failed[j])
            return ENS_OK;
    return ens_fail(err, ENS_EDOMAIN, "every learner of the last layer failed");
}

/* Of each member, and of the super learner once it is weighed, on the rows
 * that weights are of; the member of smallest risk is best. */
static enum ens_status member_risks(struct weighing *a, int is_weighed,
                                    struct ens_error *err)
{
    struct scores sc;
    double least = INFINITY;
    enum ens_status s = open_scores(a, a->rows.n, &sc, err);

    for (uint64_t at = 0; at < a->rows.n && s == ENS_OK; at += ENS_META_BLOCK) {
        size_t n = a->rows.n - at < ENS_META_BLOCK ? (size_t)(a->rows.n - at)
                                                   : ENS_META_BLOCK;

        read_z(a, a->set, at, n, a->z);
        a->rows.y(&a->rows, at, n, a->y);
        if (a->rows.weighted)
            a->rows.w(&a->rows, at, n, a->w);
        for (size_t l = 0; l < a->L; l++)
            add_member(a, &sc, l, l, n);
        s = ens_rows_bad(&a->rows, err);
        if (s == ENS_OK && is_weighed)
            s = add_all(a, &sc, &a->rows, at, n, err);
    }
    if (s != ENS_OK)
        return s;
    put_scores(a, &sc, 0, a->L + (is_weighed ? 1 : 0), a->risks);
    a->best = UINT64_MAX;
    for (size_t l = 0; l < a->L; l++)
        if (a->risks[3 * l + 1] < least) {
            least = a->risks[3 * l + 1];
            a->best = l;
        }
    if (a->best == UINT64_MAX)
        return ens_fail(err, ENS_EDOMAIN,
                        "every learner of the last layer failed");
    memcpy(a->risks + 3 * (a->L + 1), a->risks + 3 * a->best,
           3 * sizeof(double));
    for (size_t l = 0; l < a->L; l++) {
        a->weights[3 * l + 1] = a->risks[3 * l + 1];
        a->weights[3 * l + 2] = a->risks[3 * l + 2];
    }
    return ENS_OK;
}

/* Of all on rows that the sample leaves out. */
static enum ens_status risks_on(struct weighing *a, const struct ens_rows *at,
                                const struct ens_rowset *set,
                                struct ens_error *err)
{
    struct scores sc;
    enum ens_status s = open_scores(a, at->n, &sc, err);

    for (uint64_t row = 0; row < at->n && s == ENS_OK; row += ENS_META_BLOCK) {
        size_t n = at->n - row < ENS_META_BLOCK ? (size_t)(at->n - row)
                                                : ENS_META_BLOCK;

        read_z(a, set, row, n, a->z);
        at->y(at, row, n, a->y);
        if (at->weighted)
            at->w(at, row, n, a->w);
        for (size_t l = 0; l < a->L; l++)
            add_member(a, &sc, l, l, n);
        add_member(a, &sc, a->best, a->L + 1, n);
        s = add_all(a, &sc, at, row, n, err);
    }
    if (s == ENS_OK)
        put_scores(a, &sc, 0, a->L + 2, a->risks);
    return s;
}

/* -- weights --------------------------------------------------------------- */

static enum ens_status weigh(struct weighing *a, struct ens_error *err)
{
    struct ens_sl_meta_spec spec = {
        .job = a->job,
        .rows = &a->rows,
        .n = a->rows.n * a->m,
        .n_members = a->L,
        .m = a->m,
        .name = a->name,
        .read = read_problem,
        .own = a,
    };
    enum ens_status s;

    a->at = &a->rows;
    s = ens_sl_meta_fit(&spec, &a->meta, err);
    for (size_t l = 0; l < a->L && s == ENS_OK; l++)
        a->weights[3 * l] = a->meta.is_learner ? NAN : a->meta.result.weight[l];
    return s;
}

static enum ens_status open_blocks(struct weighing *a, struct ens_error *err)
{
    const struct ens_host *host = a->job->st->host;
    uint64_t n;
    void *data;
    enum ens_status s = host->block(a->job->result, "weights", &data, &n, err);

    a->weights = data;
    if (s == ENS_OK)
        s = host->block(a->job->result, "risks", &data, &n, err);
    a->risks = data;
    return s;
}

static void put_fields(const struct weighing *a, uint32_t sample)
{
    const struct ens_host *host = a->job->st->host;
    struct ens_result *r = a->job->result;
    const struct ens_meta_result *m = &a->meta.result;

    host->use_schema(r, a->job->st->meta_schema);
    host->i64(r, ENS_SL_M_SAMPLE, sample);
    host->i64(r, ENS_SL_M_N, (int64_t)a->rows.n);
    host->i64(r, ENS_SL_M_MEMBERS, (int64_t)a->L);
    host->i64(r, ENS_SL_M_LEFT,
              (int64_t)(m->n_failed + m->n_zero + m->n_duplicates));
    host->f64(r, ENS_SL_M_RISK, a->risks[3 * a->L + 1]);
    host->i64(r, ENS_SL_M_BEST, (int64_t)a->best + 1);
}

enum ens_status ens_sl_run_meta(const struct ens_sl_job *job,
                                struct ens_error *err)
{
    struct ens_sl_state *st = job->st;
    struct weighing *a = ens_arena_alloc(&st->arena, 1, sizeof(*a));
    uint32_t sample = job->task->replicate - 1;
    enum ens_status s;

    if (a == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    a->job = job;
    s = ens_sl_layer(&st->sl, st->n_layers, &a->last, err);
    if (s == ENS_OK)
        s = ens_sl_predictions(job, &st->layer, sample, &a->data, err);
    if (s == ENS_OK)
        s = open_rows(a, sample, err);
    if (s == ENS_OK)
        s = open_members(a, err);
    if (s == ENS_OK)
        s = open_blocks(a, err);
    if (s == ENS_OK)
        s = check_members(a, err);
    if (s == ENS_OK)
        s = weigh(a, err);
    if (s == ENS_OK) /* of a learner on its own rows: no risk */
        s = member_risks(a, sample == 0 && !a->meta.is_learner, err);
    if (s == ENS_OK && sample > 0)
        s = risks_on(a, &a->out, a->set + 1, err);
    if (s == ENS_OK && sample == 0)
        s = ens_sl_meta_keep(job, &a->meta, a->L, err);
    if (s == ENS_OK)
        put_fields(a, sample);
    return s;
}
