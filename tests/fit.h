/* For tests: a formula fitted to columns of doubles, in static memory. */
#ifndef TESTS_FIT_H
#define TESTS_FIT_H

#include "fit/design.h"
#include "fit/fitter.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define FIT_MAX_TERMS 16

enum fit_family { FIT_BINOMIAL, FIT_GAUSSIAN, FIT_POISSON };

struct fit {
    struct ens_formula formula;
    struct ens_design design;
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

/* For fitters that need memory or a stream. */
static const struct ens_job *fit_job;

/* `extra`: parameters beside the terms. */
static inline enum ens_status fit_run_as(struct fit *f,
                                         const struct ens_fitter *fitter,
                                         const struct ens_fit_options *o,
                                         size_t extra, const char *formula,
                                         const struct ens_data *data)
{
    struct ens_fit_problem problem;
    const double *vars[32];
    struct ens_design_space to = {.vars = vars};
    double *work;
    enum ens_status s;

    memset(f, 0, sizeof(*f));
    f->r.estimate = f->estimate;
    f->r.std_error = f->std_error;
    f->r.conf_low = f->low;
    f->r.conf_high = f->high;
    f->r.cov = f->cov;
    s = ens_formula_parse(&f->formula, formula, data->name, data->n_columns,
                          &f->arena, &f->err);
    ck_assert_msg(s == ENS_OK, "%s", f->err.text);
    s = ens_design_plan(&f->design, &f->formula, data, &f->arena, &f->err);
    ck_assert_msg(s == ENS_OK, "%s", f->err.text);
    ck_assert_uint_le(f->design.n_columns + extra, FIT_MAX_TERMS);
    ck_assert_uint_le(f->formula.n_vars, 32);
    to.x = ens_arena_alloc(&f->arena, data->n * f->design.n_columns,
                           sizeof(*to.x));
    to.y = ens_arena_alloc(&f->arena, data->n, sizeof(*to.y));
    if (f->design.has_offset)
        to.offset = ens_arena_alloc(&f->arena, data->n, sizeof(*to.offset));
    to.work = ens_arena_alloc(&f->arena, ens_design_work(&f->design, data->n),
                              sizeof(*to.work));
    s = ens_design_build(&f->design, data, &to, &f->n, &f->err);
    if (s != ENS_OK)
        return s;
    for (size_t j = 0; j < f->design.n_columns; j++)
        f->term[j] = f->design.column[j].name;
    problem = (struct ens_fit_problem){
        .n = f->n,
        .p = f->design.n_columns,
        .x = to.x,
        .y = to.y,
        .offset = to.offset,
        .term = f->term,
        .response = f->formula.response.name,
    };
    f->r.n_parameters = problem.p + extra;
    work = ens_arena_alloc(&f->arena, fitter->work(problem.n, problem.p),
                           sizeof(*work));
    return fitter->fit(fit_job, o, &problem, work, &f->r, &f->err);
}

static inline enum ens_status
fit_run(struct fit *f, const struct ens_fitter *fitter, enum fit_family family,
        const char *formula, const struct ens_data *data)
{
    static const enum ens_family of[] = {
        ENS_FAMILY_BINOMIAL, ENS_FAMILY_GAUSSIAN, ENS_FAMILY_POISSON};
    struct ens_fit_options o = {.level = 0.95,
                                .family = of[family],
                                .link = ens_family_link(of[family])};

    return fit_run_as(f, fitter, &o, 0, formula, data);
}

#endif
