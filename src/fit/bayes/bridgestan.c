/* A Stan model compiled to a shared library, sampled by our NUTS. */
#include "fit/bayes/sample.h"
#include "fit/bayes/stan_data.h"
#include "fit/bayes/stan_library.h"
#include "fit/fitter.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VECTOR "beta" /* of the model: the coefficients of X */

const struct ens_setting ens_fitter_bridgestan_settings[] = {
    {.section = "fit",
     .key = "library",
     .type = ENS_T_TEXT,
     .shape = ENS_AXIS,
     .cls = ENS_C_CELL,
     .def = NULL,
     .help = "the compiled model, FILE.so, as BridgeStan 2 makes it; relative "
             "to folder"},
    {.section = "fit",
     .key = "formula",
     .type = ENS_T_FORMULA,
     .shape = ENS_AXIS,
     .cls = ENS_C_CELL,
     .def = "",
     .help = "model as in R; the data are then N, p, X, y (offset, se, J_g, g "
             "of a group), the terms the model's vector[p] " VECTOR "; not "
             "set: N and all columns by name"},
    {.section = "fit",
     .key = "terms",
     .type = ENS_T_TEXT,
     .shape = ENS_LIST,
     .cls = ENS_C_CELL,
     .def = "",
     .help = "parameters of the model that are estimated, where there is no "
             "formula: mu, theta[1]"},
    {.section = "fit",
     .key = "parameters",
     .type = ENS_T_TEXT,
     .shape = ENS_LIST,
     .cls = ENS_C_CELL,
     .def = "",
     .help = "further parameters of the model to keep, beside a formula's "
             "terms: sigma"},
    {.section = "fit",
     .key = "folder",
     .type = ENS_T_PATH,
     .shape = ENS_ONE,
     .cls = ENS_C_RUN,
     .def = ".",
     .help = "what library is relative to"},
    ENS_FIT_SETTING_LEVEL,
    ENS_FIT_SETTINGS_NUTS,
};

static enum ens_status options(const struct ens_fit_setup *setup,
                               const struct ens_cell *cell, const char *role,
                               struct ens_fit_options *o, struct ens_error *err)
{
    int formula = ens_cell_value(cell, role, "formula")->set;
    int terms = ens_cell_value(cell, role, "terms")->set;

    (void)setup;
    if (formula == terms)
        return ens_fail(err, ENS_ESTUDY, "%s",
                        formula ? "formula and terms: give one of them"
                                : "formula, or terms, is missing");
    o->own = ens_cell_value(cell, role, "parameters");
    return ens_fit_level(cell, role, &o->level, err);
}

static enum ens_status no_memory(struct ens_error *err)
{
    return ens_fail(err, ENS_ENOMEMORY, "bridgestan");
}

static enum ens_status parameters(const struct ens_fit_setup *setup,
                                  const struct ens_fit_options *o,
                                  const struct ens_fit_problem *shape,
                                  struct ens_parameter **list, size_t *n,
                                  struct ens_error *err)
{
    const struct ens_value *v = o->own;

    (void)shape;
    *list = setup->alloc(setup, v->n_list + 1, sizeof(**list));
    if (!*list)
        return no_memory(err);
    for (size_t i = 0; i < v->n_list; i++)
        (*list)[i] = (struct ens_parameter){.name = v->list[i].text};
    *n = v->n_list;
    return ENS_OK;
}

/* -- the model --------------------------------------------------------------
 */

struct stan {
    struct ens_stan_library lib;
    void *model;
    size_t n;      /* parameters kept */
    size_t *place; /* theirs among all of the model */
    double *all;   /* of the model, transformed ones too */
    int n_all;
};

static double at(void *model, const double *q, double *gradient)
{
    const struct stan *s = model;
    char *text = NULL;
    double lp = 0;

    if (s->lib.gradient(s->model, true, true, q, &lp, gradient, &text) == 0)
        return isnan(lp) || lp == INFINITY ? -INFINITY : lp;
    s->lib.free_text(text);
    return -INFINITY; /* Stan's reject() and domain errors */
}

static void constrain(void *model, const double *q, double *parameter)
{
    const struct stan *s = model;
    char *text = NULL;
    int bad = s->lib.constrain(s->model, true, false, q, s->all, NULL, &text);

    if (bad)
        s->lib.free_text(text);
    for (size_t j = 0; j < s->n; j++)
        parameter[j] = bad ? NAN : s->all[s->place[j]];
}

/* The model's names separate indices by points: "theta[2,1]" is theta.2.1. */
static int is_named(const char *theirs, size_t n, const char *ours)
{
    size_t i = 0;

    for (; *ours; ours++) {
        if (*ours == ']' && ours[1] == '\0')
            break;
        if (*ours == ' ')
            continue;
        if (i == n || theirs[i] != (*ours == '[' || *ours == ',' ? '.' : *ours))
            return 0;
        i++;
    }
    return i == n;
}

static enum ens_status find(const struct stan *s, const char *name,
                            size_t *place, struct ens_error *err)
{
    const char *all = s->lib.names(s->model, true, false);
    const char *at = all;

    for (size_t i = 0; at && *at; i++) {
        size_t n = strcspn(at, ",");

        if (is_named(at, n, name)) {
            *place = i;
            return ENS_OK;
        }
        at += n + (at[n] == ',');
    }
    return ens_fail(err, ENS_EDOMAIN,
                    "the model has no parameter %.80s; it has %.200s", name,
                    all ? all : "none");
}

static enum ens_status find_all(struct stan *s, const struct ens_job *job,
                                const struct ens_fit_problem *f,
                                struct ens_error *err)
{
    const struct ens_value *more =
        ens_cell_value(&job->task->cell, "fit", "parameters");
    enum ens_status st = ENS_OK;

    for (size_t j = 0; st == ENS_OK && j < s->n; j++) {
        char name[32];

        snprintf(name, sizeof(name), VECTOR "[%zu]", j + 1);
        st = find(s,
                  j >= f->p ? more->list[j - f->p].text
                  : f->x    ? name
                            : f->term[j],
                  &s->place[j], err);
        if (st == ENS_OK && s->place[j] >= (size_t)s->n_all)
            st = ens_fail(err, ENS_EDOMAIN,
                          "the model names more parameters than it has");
    }
    return st;
}

static enum ens_status construct(struct stan *s, const struct ens_job *job,
                                 const struct ens_fit_problem *problem,
                                 struct ens_error *err)
{
    struct ens_buf data = ENS_BUF_INIT;
    char *text = NULL;
    enum ens_status st = ens_stan_data(problem, &data, err);

    if (st == ENS_OK) {
        s->model = s->lib.construct(ens_buf_text(&data),
                                    (unsigned)job->task->seed, &text);
        if (!s->model)
            st = ens_fail(err, ENS_EDOMAIN,
                          "the model takes no such data: "
                          "%.400s",
                          text ? text : "it does not say why");
    }
    if (text)
        s->lib.free_text(text);
    ens_buf_fini(&data);
    return st;
}

static enum ens_status sample(struct stan *s, const struct ens_job *job,
                              const struct ens_fit_problem *problem,
                              struct ens_fit_result *result,
                              struct ens_error *err)
{
    int dim = s->lib.dim(s->model);
    struct ens_density density = {
        .dim = dim > 0 ? (size_t)dim : 0, .model = s, .at = at};
    enum ens_status st;

    s->n_all = s->lib.count(s->model, true, false);
    if (dim < 1 || s->n_all < 1)
        return ens_fail(err, ENS_EDOMAIN, "the model has no parameters");
    s->n = result->n_parameters;
    s->place = job->host->alloc(job->result, s->n, sizeof(*s->place));
    s->all = job->host->alloc(job->result, (size_t)s->n_all, sizeof(*s->all));
    if (!s->place || !s->all)
        return no_memory(err);
    st = find_all(s, job, problem, err);
    if (st != ENS_OK)
        return st;
    return ens_sample(
        job, &(struct ens_sampled){.density = &density, .constrain = constrain},
        result, err);
}

/* The library's path, relative to the setting `folder`. */
static enum ens_status load(struct ens_stan_library *lib,
                            const struct ens_job *job, struct ens_error *err)
{
    const struct ens_cell *cell = &job->task->cell;
    const char *name = ens_cell_value(cell, "fit", "library")->text;
    const char *folder = ens_cell_value(cell, "fit", "folder")->text;
    size_t n = strlen(folder) + strlen(name) + 2;
    char *path = job->host->alloc(job->result, n, 1);

    if (!path)
        return no_memory(err);
    snprintf(path, n, "%s%s%s", *name == '/' ? "" : folder,
             *name == '/' ? "" : "/", name);
    return ens_stan_load(lib, path, err);
}

static enum ens_status fit(const struct ens_job *job,
                           const struct ens_fit_options *o,
                           const struct ens_fit_problem *problem, double *work,
                           struct ens_fit_result *result, struct ens_error *err)
{
    struct stan s = {.model = NULL};
    enum ens_status st = load(&s.lib, job, err);

    (void)o;
    (void)work;
    if (st == ENS_OK)
        st = construct(&s, job, problem, err);
    if (st != ENS_OK)
        return st;
    st = sample(&s, job, problem, result, err);
    s.lib.destruct(s.model);
    return st;
}

const struct ens_fitter ens_fitter_bridgestan = {
    .delivers =
        ENS_DELIVERS_INTERVALS | ENS_DELIVERS_DRAWS | ENS_DELIVERS_DIAGNOSTICS,
    .takes = ENS_TAKES_GROUPS | ENS_TAKES_SE,
    .options = options,
    .parameters = parameters,
    .fit = fit,
};
