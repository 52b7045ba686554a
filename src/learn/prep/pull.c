/* Linear functions of preprocessed columns as functions of the columns that
 * went in: step by step from the last one. */
#include "learn/prep/inside.h"

#include <math.h>
#include <string.h>

/* to: all zeros, but for the base. */
static void pull_select(const struct ens_prep_part *a,
                        const struct ens_linear_form *from,
                        struct ens_linear_form *to)
{
    const int64_t *column = a->own;

    for (size_t k = 0; k < a->q; k++) {
        size_t j = (size_t)column[k];

        /* of a column taken twice: (x - c) b + (x - c') b' */
        if (to->coef_size[j] > 0) {
            to->base += (to->centre[j] - from->centre[k]) * from->coef[k];
            to->base_size +=
                fabs(to->centre[j] - from->centre[k]) * from->coef_size[k];
        } else {
            to->centre[j] = from->centre[k];
        }
        to->coef[j] += from->coef[k];
        to->coef_size[j] += from->coef_size[k];
    }
}

/* (x - m) s - c, of a column that is not scaled to nothing: as x - (m + c/s) */
static void pull_scale(const struct ens_prep_part *a,
                       const struct ens_linear_form *from,
                       struct ens_linear_form *to)
{
    const double *centre = a->own, *scale = centre + a->p;

    for (size_t j = 0; j < a->p; j++) {
        to->centre[j] = centre[j];
        if (scale[j] == 0) {
            to->base -= from->centre[j] * from->coef[j];
            to->base_size += fabs(from->centre[j]) * from->coef_size[j];
            continue;
        }
        to->centre[j] += from->centre[j] / scale[j];
        to->coef[j] = from->coef[j] * scale[j];
        to->coef_size[j] = from->coef_size[j] * fabs(scale[j]);
    }
}

static void pull_map(const struct ens_prep_part *a,
                     const struct ens_linear_form *from,
                     struct ens_linear_form *to)
{
    const double *centre = a->own, *matrix = centre + a->p;

    memcpy(to->centre, centre, a->p * sizeof(*centre));
    for (size_t k = 0; k < a->q; k++) {
        const double *column = matrix + k * a->p;

        to->base -= from->centre[k] * from->coef[k];
        to->base_size += fabs(from->centre[k]) * from->coef_size[k];
        for (size_t j = 0; j < a->p; j++) {
            to->coef[j] += column[j] * from->coef[k];
            to->coef_size[j] += fabs(column[j]) * from->coef_size[k];
        }
    }
}

/* A form of p columns with that base; 0: out of memory. */
static int begin(struct ens_linear_form *f, size_t p, double base, double size,
                 struct ens_arena *arena)
{
    double *mem = ens_arena_alloc(arena, 3 * p + 1, sizeof(*mem));

    if (mem == NULL)
        return 0;
    *f = (struct ens_linear_form){p, base, size, mem, mem + p, mem + 2 * p};
    return 1;
}

static int copy(const struct ens_learn_affine *from, size_t p,
                struct ens_arena *arena, struct ens_linear_form *to)
{
    if (!begin(to, p, from->base, fabs(from->base), arena))
        return 0;
    for (size_t j = 0; j < p && from->coef != NULL; j++) {
        to->centre[j] = from->centre[j];
        to->coef[j] = from->coef[j];
        to->coef_size[j] = fabs(from->coef[j]);
    }
    return 1;
}

static int pull(const struct ens_prep_part *a, struct ens_arena *arena,
                struct ens_linear_form *form)
{
    struct ens_linear_form to;

    if (!begin(&to, a->p, form->base, form->base_size, arena))
        return 0;
    if (a->op->form == ENS_PREP_SELECT)
        pull_select(a, form, &to);
    else if (a->op->form == ENS_PREP_SCALE)
        pull_scale(a, form, &to);
    else
        pull_map(a, form, &to);
    *form = to;
    return 1;
}

enum ens_status ens_prep_pull(const struct ens_prep_fitted *f,
                              const struct ens_learn_affine *from,
                              struct ens_arena *arena,
                              struct ens_linear_form *to, struct ens_error *err)
{
    int there = copy(from, f->rows.p, arena, to);

    for (size_t k = f->n; k-- > 0 && there;) {
        if (f->part[k].op->form == ENS_PREP_OWN) {
            to->p = 0;
            return ENS_OK;
        }
        there = pull(&f->part[k], arena, to);
    }
    return there ? ENS_OK
                 : ens_fail(err, ENS_ENOMEMORY, "preprocessing: out of memory");
}
