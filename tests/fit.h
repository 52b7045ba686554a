/* For tests: a formula fitted to columns of doubles, in static memory. */
#ifndef TESTS_FIT_H
#define TESTS_FIT_H

#include "fit/design.h"
#include "fit/fitter.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define FIT_MAX_TERMS 8

struct fit {
    struct ens_formula formula;
    struct ens_fit_result r;
    size_t n; /* complete rows */
    double estimate[FIT_MAX_TERMS], std_error[FIT_MAX_TERMS];
    double low[FIT_MAX_TERMS], high[FIT_MAX_TERMS];
    double cov[FIT_MAX_TERMS * FIT_MAX_TERMS];
    const char *term[FIT_MAX_TERMS];
    struct ens_arena arena;
    struct ens_error err;
};

static inline void fit_fini(struct fit *f)
{
    ens_arena_fini(&f->arena);
}

static inline enum ens_status fit_run(struct fit *f,
                                      const struct ens_fitter *fitter,
                                      int is_normal, const char *formula,
                                      const struct ens_data *data)
{
    struct ens_fit_options o = {.level = 0.95, .is_normal = is_normal};
    struct ens_fit_problem problem;
    uint32_t at[32];
    const double *vars[32];
    double *x, *y, *work;
    enum ens_status s;

    memset(f, 0, sizeof(*f));
    f->r.estimate = f->estimate;
    f->r.std_error = f->std_error;
    f->r.conf_low = f->low;
    f->r.conf_high = f->high;
    f->r.cov = f->cov;
    s = ens_formula_parse(&f->formula, formula, &f->arena, &f->err);
    ck_assert_msg(s == ENS_OK, "%s", f->err.text);
    s = ens_formula_bind(&f->formula, data->name, data->n_columns, at, &f->err);
    ck_assert_msg(s == ENS_OK, "%s", f->err.text);
    ck_assert_uint_le(f->formula.n_terms, FIT_MAX_TERMS);
    ck_assert_uint_le(f->formula.n_vars, 32);
    x = ens_arena_alloc(&f->arena, data->n * f->formula.n_terms, sizeof(*x));
    y = ens_arena_alloc(&f->arena, data->n, sizeof(*y));
    work =
        ens_arena_alloc(&f->arena, ENS_DESIGN_WORK(&f->formula), sizeof(*work));
    s = ens_design_build(&f->formula, data, at, x, y, vars, work, &f->n,
                         &f->err);
    if (s != ENS_OK)
        return s;
    for (size_t j = 0; j < f->formula.n_terms; j++)
        f->term[j] = f->formula.term[j].name;
    problem = (struct ens_fit_problem){
        .n = f->n,
        .p = f->formula.n_terms,
        .x = x,
        .y = y,
        .term = f->term,
        .response = f->formula.response.name,
    };
    work = ens_arena_alloc(&f->arena, fitter->work(problem.n, problem.p),
                           sizeof(*work));
    return fitter->fit(&o, &problem, work, &f->r, &f->err);
}

#endif
