/* Steps fitted one after the other, each to what those before it make. */
#include "base/bug.h"
#include "learn/moments.h"
#include "learn/prep/inside.h"

#include <string.h>

struct fitting {
    const struct ens_prep_train *train;
    int is_known; /* moments and extremes of the source's columns */
    struct ens_arena *arena;
    struct ens_prep_fitted chain;
    const double *least, *largest; /* of its columns; NULL: not known */
};

/* -- moments ------------------------------------------------------------- */

static int is_linear(const struct ens_prep_fitted *f)
{
    for (size_t k = 0; k < f->n; k++)
        if (f->part[k].op->form == ENS_PREP_OWN)
            return 0;
    return 1;
}

/* Those of a step's columns from those of its input. */
static enum ens_status next_moments(const struct ens_prep_part *a,
                                    const struct ens_moments *from,
                                    struct ens_arena *arena,
                                    struct ens_moments *to,
                                    struct ens_error *err)
{
    const double *own = a->own;
    size_t *place;
    double *mem, *work;

    mem = ens_arena_alloc(arena, ens_moments_doubles(a->q), sizeof(*mem));
    work = ens_arena_alloc(arena, a->p * a->q, sizeof(*work));
    place = ens_arena_alloc(arena, a->q, sizeof(*place));
    if (mem == NULL || work == NULL || place == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "moments: out of memory");
    if (a->op->form == ENS_PREP_SCALE) {
        ens_moments_scale(from, own, own + a->p, mem, to);
    } else if (a->op->form == ENS_PREP_MAP) {
        ens_moments_map(from, own, own + a->p, a->q, mem, work, to);
    } else {
        for (size_t j = 0; j < a->q; j++)
            place[j] = (size_t)((const int64_t *)a->own)[j];
        ens_moments_select(from, place, a->q, mem, to);
    }
    return ENS_OK;
}

static enum ens_status by_algebra(struct ens_prep_moments *p,
                                  const struct ens_rows *r,
                                  struct ens_error *err)
{
    const struct ens_moments *from;
    struct ens_moments m;
    enum ens_status st = p->raw(p->raw_arg, r, &from, err);

    if (st != ENS_OK)
        return st;
    m = *from;
    for (size_t k = 0; k < p->fitted->n && st == ENS_OK; k++) {
        struct ens_moments to;

        st = next_moments(&p->fitted->part[k], &m, p->arena, &to, err);
        if (st == ENS_OK)
            m = to;
    }
    p->m = m;
    return st;
}

static enum ens_status by_pass(struct ens_prep_moments *p,
                               const struct ens_rows *r, struct ens_error *err)
{
    double *mem = ens_arena_alloc(p->arena, ens_moments_doubles(r->p),
                                  sizeof(*mem)),
           *work = ens_arena_alloc(p->arena, ens_moments_of_rows_doubles(r->p),
                                   sizeof(*work));

    if (mem == NULL || work == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "moments: out of memory");
    return ens_moments_of_rows(r, mem, work, &p->m, err);
}

enum ens_status ens_prep_moments(void *arg, const struct ens_rows *r,
                                 const struct ens_moments **m,
                                 struct ens_error *err)
{
    struct ens_prep_moments *p = arg;
    enum ens_status st = ENS_OK;

    if (!p->done)
        st = p->raw != NULL && is_linear(p->fitted) ? by_algebra(p, r, err)
                                                    : by_pass(p, r, err);
    if (st != ENS_OK)
        return st;
    p->done = 1;
    *m = &p->m;
    return ENS_OK;
}

/* -- least and largest --------------------------------------------------- */

static int next_extremes(struct fitting *t, const struct ens_prep_part *a)
{
    const double *centre = a->own, *scale = centre + a->p;
    const int64_t *place = a->own;
    double *low, *high;

    if (t->least == NULL)
        return 0;
    if (a->op->form != ENS_PREP_SCALE && a->op->form != ENS_PREP_SELECT) {
        t->least = t->largest = NULL;
        return 0;
    }
    low = ens_arena_alloc(t->arena, a->q, sizeof(*low));
    high = ens_arena_alloc(t->arena, a->q, sizeof(*high));
    if (low == NULL || high == NULL)
        return -1;
    for (size_t j = 0; j < a->q; j++)
        if (a->op->form == ENS_PREP_SELECT) {
            low[j] = t->least[place[j]];
            high[j] = t->largest[place[j]];
        } else { /* a scale is positive */
            low[j] = (t->least[j] - centre[j]) * scale[j];
            high[j] = (t->largest[j] - centre[j]) * scale[j];
        }
    t->least = low;
    t->largest = high;
    return 0;
}

/* -- steps --------------------------------------------------------------- */

static enum ens_status fit_columns(struct ens_prep_fit *f,
                                   struct ens_error *err)
{
    const struct ens_prep_step *s = f->step;
    int64_t *left, *own;
    size_t q;
    enum ens_status st;

    st = s->op->columns(s, f->rows->column, f->rows->p, f->arena, &left, &q,
                        err);
    if (st != ENS_OK)
        return st;
    own = ens_prep_own(f, q, q * sizeof(*own), err);
    if (own == NULL)
        return ENS_ENOMEMORY;
    memcpy(own, left, q * sizeof(*own));
    return ENS_OK;
}

static enum ens_status append(struct fitting *t, const struct ens_prep_fit *f,
                              struct ens_error *err)
{
    const struct ens_prep_part part = {.op = f->step->op,
                                       .p = f->rows->p,
                                       .q = f->q,
                                       .own = f->own,
                                       .bytes = f->bytes};
    enum ens_status st;

    if (f->q == 0)
        return ens_fail(err, ENS_EDOMAIN, "no column is left");
    if (f->q > ENS_PREP_MOST_COLUMNS)
        return ens_fail(err, ENS_EDOMAIN,
                        "it would make %zu columns, at most %d", f->q,
                        ENS_PREP_MOST_COLUMNS);
    st = ens_prep_append(&t->chain, &part, t->arena, err);
    if (st != ENS_OK)
        return st;
    if (next_extremes(t, &part) != 0)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    return ENS_OK;
}

static enum ens_status fit_step(struct fitting *t,
                                const struct ens_prep_step *step,
                                struct ens_error *err)
{
    struct ens_prep_moments moments = {
        .fitted = &t->chain,
        .raw = t->is_known ? t->train->rows.moments : NULL,
        .raw_arg = t->train->rows.moments_arg,
        .arena = t->arena};
    struct ens_rows_spec spec = t->train->rows;
    struct ens_prep_fit f = {.step = step,
                             .least = t->least,
                             .largest = t->largest,
                             .arena = t->arena};
    struct ens_rows rows;
    enum ens_status st;

    ens_prep_end(&t->chain);
    spec.prep = t->chain.n > 0 ? &t->chain.rows : NULL;
    spec.moments = ens_prep_moments;
    spec.moments_arg = &moments;
    st = ens_rows_open(&spec, t->arena, &rows, err);
    if (st != ENS_OK)
        return st;
    f.rows = &rows;
    st = step->op->columns != NULL ? fit_columns(&f, err)
                                   : step->op->fit(&f, err);
    if (st == ENS_OK)
        st = append(t, &f, err);
    if (ens_rows_bad(&rows, NULL) != ENS_OK)
        return ens_rows_bad(&rows, err);
    return st == ENS_OK ? ENS_OK
                        : ens_wrap(err, st, "preprocess %s", step->call->name);
}

enum ens_status ens_prep_fit(const struct ens_prep *prep,
                             const struct ens_prep_train *train,
                             struct ens_arena *arena, const void **blob,
                             size_t *bytes, struct ens_error *err)
{
    const struct ens_learn_source *s = train->rows.source;
    struct fitting t = {.train = train, .arena = arena};
    enum ens_status st;

    ENS_BUG_ON((train->least == NULL) != (train->largest == NULL));
    if (train->rows.lag == 0) { /* else they are of other rows */
        t.is_known = 1;
        t.least = train->least;
        t.largest = train->largest;
    }
    st = ens_prep_begin(&t.chain, (const char *const *)s->column, s->p, arena,
                        err);
    for (size_t i = 0; i < prep->n && st == ENS_OK; i++)
        st = fit_step(&t, &prep->step[i], err);
    return st == ENS_OK ? ens_prep_bytes(&t.chain, arena, blob, bytes, err)
                        : st;
}
