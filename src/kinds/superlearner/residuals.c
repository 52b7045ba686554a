#include "kinds/superlearner/residuals.h"

#include <math.h>
#include <string.h>

/* The fit as a function of the source's columns; p 0: it is no linear one. */
static enum ens_status find_form(const struct ens_sl_learn *learn,
                                 const struct ens_sl_case *c,
                                 struct ens_linear_form *form,
                                 struct ens_error *err)
{
    size_t p = c->data->source.p;
    struct ens_prep_fitted none = {.p = p, .rows.p = p};
    const struct ens_prep_fitted *steps = c->blob != NULL ? &c->fitted : &none;
    struct ens_learn_affine own = {0};

    form->p = 0;
    if (learn->learner->affine == NULL ||
        !learn->learner->affine(&learn->model, steps->rows.p, &own))
        return ENS_OK;
    return ens_prep_pull(steps, &own, &learn->task->st->arena, form, err);
}

/* Both scores of rows of those moments; 0: rows have to be read. */
static int score(const struct ens_sl_state *st,
                 const struct ens_sl_shared *known,
                 const struct ens_linear_form *form, double value[2])
{
    const struct ens_moments *m = known->moments;
    double square;

    if (m == NULL)
        return 0;
    square = ens_residuals_square(m, known->lost, form);
    return !isnan(square) &&
           ens_score_of_squares(st->score, square, m->y_var, &value[0]) &&
           ens_score_of_squares(st->risk, square, m->y_var, &value[1]);
}

enum ens_status ens_sl_residuals(const struct ens_sl_learn *learn,
                                 const struct ens_sl_case *c,
                                 struct ens_sl_scored *to,
                                 struct ens_error *err)
{
    const struct ens_sl_state *st = learn->task->st;
    struct ens_linear_form form;
    struct ens_sl_shared known;
    double value[2] = {NAN, NAN};
    enum ens_status s = find_form(learn, c, &form, err);

    memset(to, 0, sizeof(*to));
    if (s != ENS_OK || form.p == 0)
        return s;
    s = ens_sl_case_shared(c, ENS_SL_TEST, &known, err);
    if (s != ENS_OK)
        return s;
    to->test = score(st, &known, &form, value);
    to->score = value[0];
    to->risk = value[1];
    s = ens_sl_case_shared(c, ENS_SL_TRAIN, &known, err);
    if (s != ENS_OK)
        return s;
    to->train = score(st, &known, &form, value);
    to->train_score = to->train ? value[0] : NAN;
    return ENS_OK;
}
