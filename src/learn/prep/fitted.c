/* Fitted steps: checked, and applied one after the other. */
#include "base/bug.h"
#include "learn/prep/inside.h"

#include <string.h>

static enum ens_status no_memory(struct ens_error *err)
{
    return ens_fail(err, ENS_ENOMEMORY, "preprocessing: out of memory");
}

static const double *doubles(const struct ens_prep_part *a)
{
    return a->own;
}

/* -- linear steps -------------------------------------------------------- */

static void apply_select(const struct ens_prep_part *a, const double *in,
                         size_t n, double *out)
{
    const int64_t *column = a->own;

    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < a->q; j++)
            out[i * a->q + j] = in[i * a->p + (size_t)column[j]];
}

static void apply_scale(const struct ens_prep_part *a, const double *in,
                        size_t n, double *out)
{
    const double *centre = doubles(a), *scale = centre + a->p;

    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < a->p; j++)
            out[i * a->p + j] = (in[i * a->p + j] - centre[j]) * scale[j];
}

static double dot(const double *x, const double *y, size_t n)
{
    double sum[4] = {0};
    size_t j = 0;

    for (; j + 4 <= n; j += 4)
        for (size_t k = 0; k < 4; k++)
            sum[k] += x[j + k] * y[j + k];
    for (; j < n; j++)
        sum[0] += x[j] * y[j];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

static void apply_map(const struct ens_prep_part *a, const double *in, size_t n,
                      double *out, double *work)
{
    const double *centre = doubles(a), *matrix = centre + a->p;

    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < a->p; j++)
            work[j] = in[i * a->p + j] - centre[j];
        for (size_t k = 0; k < a->q; k++)
            out[i * a->q + k] = dot(work, matrix + k * a->p, a->p);
    }
}

static void apply_part(const struct ens_prep_part *a, const double *in,
                       size_t n, double *out, double *work)
{
    switch (a->op->form) {
    case ENS_PREP_SELECT:
        apply_select(a, in, n, out);
        break;
    case ENS_PREP_SCALE:
        apply_scale(a, in, n, out);
        break;
    case ENS_PREP_MAP:
        apply_map(a, in, n, out, work);
        break;
    case ENS_PREP_OWN:
        a->op->apply(a, in, n, out, work);
        break;
    case ENS_PREP_NOTHING:
        break;
    }
}

/* work: two tables between steps, then that of a step. One step needs no
 * tables, two need one. */
static void apply(const void *own, const double *in, size_t n, double *out,
                  double *work)
{
    const struct ens_prep_fitted *f = own;
    double *between[2] = {work, work + n * f->widest};
    size_t tables = f->n > 2 ? 2 : f->n > 1;

    for (size_t k = 0; k < f->n; k++) {
        double *to = k + 1 < f->n ? between[k % 2] : out;

        apply_part(&f->part[k], in, n, to, work + tables * n * f->widest);
        in = to;
    }
    if (f->n == 0)
        memcpy(out, in, n * f->p * sizeof(*out));
}

/* -- a step more --------------------------------------------------------- */

static size_t padded(size_t bytes)
{
    return (bytes + 15) & ~(size_t)15;
}

static int check_select(const struct ens_prep_part *a)
{
    const int64_t *column = a->own;

    if (a->bytes != padded(a->q * sizeof(*column)))
        return 0;
    for (size_t j = 0; j < a->q; j++)
        if (column[j] < 0 || (uint64_t)column[j] >= a->p)
            return 0;
    return 1;
}

/* p and q are at most 10^6: nothing overflows. */
static int check_part(struct ens_prep_part *a)
{
    if (a->p > ENS_PREP_MOST_COLUMNS || a->q == 0 ||
        a->q > ENS_PREP_MOST_COLUMNS)
        return 0;
    switch (a->op->form) {
    case ENS_PREP_SELECT:
        return check_select(a);
    case ENS_PREP_SCALE:
        return a->q == a->p && a->bytes == padded(2 * a->p * sizeof(double));
    case ENS_PREP_MAP:
        a->work = a->p;
        return a->bytes == padded((a->p + a->p * a->q) * sizeof(double));
    case ENS_PREP_OWN:
        return a->op->check(a);
    case ENS_PREP_NOTHING:
        break;
    }
    return 0;
}

static enum ens_status name_columns(const struct ens_prep_part *a,
                                    const char *const *column,
                                    struct ens_arena *arena, const char **name,
                                    struct ens_error *err)
{
    const int64_t *place = a->own;

    if (a->op->names != NULL)
        return a->op->names(a, column, arena, name, err);
    for (size_t j = 0; j < a->q; j++)
        name[j] =
            column[a->op->form == ENS_PREP_SELECT ? place[j] : (int64_t)j];
    return ENS_OK;
}

static void set_work(struct ens_prep_fitted *f)
{
    size_t most = 0;

    f->widest = 0; /* but for the last, which writes its columns */
    for (size_t k = 0; k < f->n; k++) {
        most = f->part[k].work > most ? f->part[k].work : most;
        if (k + 1 < f->n && f->part[k].q > f->widest)
            f->widest = f->part[k].q;
    }
    f->rows.work = (f->n > 2 ? 2 : f->n > 1) * f->widest + most;
}

enum ens_status ens_prep_begin(struct ens_prep_fitted *f,
                               const char *const *column, size_t p,
                               struct ens_arena *arena, struct ens_error *err)
{
    *f = (struct ens_prep_fitted){.p = p};
    f->part = ens_arena_alloc(arena, ENS_PREP_STEPS, sizeof(*f->part));
    if (f->part == NULL)
        return no_memory(err);
    f->rows = (struct ens_rows_prep){.p = p, .column = column, .apply = apply};
    f->rows.own = f;
    return ENS_OK;
}

/* Steps so far only scale columns. */
static int is_by_column(const struct ens_prep_fitted *f)
{
    for (size_t k = 0; k < f->n; k++)
        if (f->part[k].op->form != ENS_PREP_SCALE)
            return 0;
    return 1;
}

enum ens_status ens_prep_append(struct ens_prep_fitted *f,
                                const struct ens_prep_part *part,
                                struct ens_arena *arena, struct ens_error *err)
{
    struct ens_prep_part a = *part;
    const char **name;
    enum ens_status st;

    if (f->n == ENS_PREP_STEPS || a.p != f->rows.p || !check_part(&a))
        return ens_fail(err, ENS_ECORRUPT, "preprocessing \"%s\" is damaged",
                        a.op->name);
    name = ens_arena_alloc(arena, a.q, sizeof(*name));
    if (name == NULL)
        return no_memory(err);
    st = name_columns(&a, f->rows.column, arena, name, err);
    if (st != ENS_OK)
        return st;
    if (a.op->form == ENS_PREP_SELECT && is_by_column(f)) {
        f->rows.ignored = ens_prep_others(a.own, a.q, f->p, arena);
        if (f->rows.ignored == NULL)
            return no_memory(err);
    }
    f->part[f->n++] = a;
    f->rows.p = a.q;
    f->rows.column = name;
    set_work(f);
    return ENS_OK;
}

/* -- columns that may be lent -------------------------------------------- */

/* The part of a chain that one centre and one scale can be the whole of:
 * scaled once at most, or other numbers would come out. */
struct lent {
    size_t first;
    const double *centre, *scale;
};

static int lend_scaled(struct lent *l, const struct ens_prep_part *a)
{
    if (l->scale != NULL)
        return 0;
    l->centre = doubles(a);
    l->scale = l->centre + a->p;
    return 1;
}

static int lend_selected(struct lent *l, const struct ens_prep_part *a)
{
    const int64_t *column = a->own;

    for (size_t j = 1; j < a->q; j++)
        if (column[j] != column[j - 1] + 1)
            return 0;
    l->first += (size_t)column[0];
    if (l->scale != NULL) {
        l->centre += column[0];
        l->scale += column[0];
    }
    return 1;
}

void ens_prep_end(struct ens_prep_fitted *f)
{
    struct lent l = {0};

    for (size_t k = 0; k < f->n; k++) {
        const struct ens_prep_part *a = &f->part[k];
        int can = 0;

        if (a->op->form == ENS_PREP_SCALE)
            can = lend_scaled(&l, a);
        else if (a->op->form == ENS_PREP_SELECT)
            can = lend_selected(&l, a);
        if (!can)
            return;
    }
    f->rows.is_scaled = 1;
    f->rows.select = l.first;
    f->rows.centre = l.centre;
    f->rows.scale = l.scale;
}
