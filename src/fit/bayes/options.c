/* What a study says of a model, and the parameters that follow. */
#include "fit/bayes/model.h"

#include "fit/fitter.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define PRIOR "prior."

static const char *const aux_name[] = {
    [ENS_BAYES_SIGMA] = "sigma",
    [ENS_BAYES_NU] = "nu",
    [ENS_BAYES_PHI] = "phi",
    [ENS_BAYES_SHAPE] = "shape",
};

static enum ens_status read(const struct ens_cell *cell, const char *role,
                            const char *key, int is_positive, int *has,
                            struct ens_prior *prior, struct ens_error *err)
{
    const struct ens_value *v = ens_cell_value(cell, role, key);

    *has = v && v->set;
    if (!*has) {
        *prior = (struct ens_prior){.kind = ENS_PRIOR_FLAT};
        return ENS_OK;
    }
    return ens_prior_read(prior, key, v, is_positive, err);
}

/* A density that falls nowhere: the likelihood tends to a constant as the
 * parameter grows. */
static enum ens_status check_proper(const struct ens_bayes_options *o,
                                    struct ens_error *err)
{
    static const enum ens_bayes_prior needed[] = {ENS_BAYES_NU, ENS_BAYES_PHI};

    for (size_t i = 0; i < 2; i++)
        if (o->has_prior[needed[i]] &&
            o->prior[needed[i]].kind == ENS_PRIOR_FLAT)
            return ens_fail(err, ENS_ESTUDY,
                            "prior.%s: flat gives no posterior: the "
                            "likelihood does not fall as %s grows",
                            aux_name[needed[i]], aux_name[needed[i]]);
    return ENS_OK;
}

static int is_own(const char *key)
{
    static const char *const own[] = {"b",   "intercept", "sd", "sigma",
                                      "phi", "shape",     "nu"};

    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        if (strcmp(key + strlen(PRIOR), own[i]) == 0)
            return 1;
    return 0;
}

static int is_named(const char *key)
{
    return strncmp(key, PRIOR, strlen(PRIOR)) == 0 && !is_own(key);
}

/* prior.NAME, of a term or sd_GROUP. */
static enum ens_status read_named(struct ens_bayes_options *o,
                                  const struct ens_fit_setup *setup,
                                  const struct ens_cell *cell, const char *role,
                                  struct ens_error *err)
{
    const char *key;
    size_t n = 0;
    enum ens_status s = ENS_OK;

    for (size_t i = 0; (key = ens_cell_key(cell, role, i, NULL)); i++)
        n += is_named(key) ? 1 : 0;
    o->name = setup->alloc(setup, n + 1, sizeof(*o->name));
    o->named = setup->alloc(setup, n + 1, sizeof(*o->named));
    if (!o->name || !o->named)
        return ens_fail(err, ENS_ENOMEMORY, "%zu priors", n);
    for (size_t i = 0; (key = ens_cell_key(cell, role, i, NULL)); i++) {
        const struct ens_value *v = ens_cell_value(cell, role, key);

        if (!is_named(key) || !v || !v->set)
            continue;
        o->name[o->n_named] = key + strlen(PRIOR);
        s = ens_prior_read(&o->named[o->n_named], key, v,
                           strncmp(key, PRIOR "sd_", 9) == 0, err);
        if (s != ENS_OK)
            return s;
        o->n_named++;
    }
    return ENS_OK;
}

static enum ens_status read_family(struct ens_bayes_options *o,
                                   const struct ens_cell *cell,
                                   const char *role, struct ens_error *err)
{
    static const char *const text[] = {
#define TEXT(name, text, link, parameter) text,
        ENS_FAMILY_LIST(TEXT)
#undef TEXT
    };
    const struct ens_value *nu = ens_cell_value(cell, role, "nu");
    const struct ens_value *centred =
        ens_cell_value(cell, role, "parametrisation");
    const char *family = ens_cell_value(cell, role, "family")->text;

    for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++)
        if (strcmp(text[i], family) == 0)
            o->family = (enum ens_family)i;
    o->nu = nu->set ? nu->d : NAN;
    if (nu->set && o->family != ENS_FAMILY_STUDENT)
        return ens_fail(err, ENS_ESTUDY, "nu: is of family student");
    if (nu->set && !(nu->d > 0))
        return ens_fail(err, ENS_ESTUDY, "nu: is %s; it must be above 0",
                        nu->text);
    o->is_centred = centred && strcmp(centred->text, "centred") == 0;
    return ENS_OK;
}

enum ens_status ens_bayes_options(struct ens_bayes_options *o,
                                  const struct ens_fit_setup *setup,
                                  const struct ens_cell *cell, const char *role,
                                  struct ens_error *err)
{
    enum ens_status s;
    int ignored;

    *o = (struct ens_bayes_options){.family = ENS_FAMILY_GAUSSIAN};
    s = read_family(o, cell, role, err);
    if (s == ENS_OK)
        s = read(cell, role, PRIOR "b", 0, &ignored, &o->b, err);
    if (s == ENS_OK)
        s = read(cell, role, PRIOR "intercept", 0, &ignored, &o->intercept,
                 err);
    if (s == ENS_OK)
        s = read(cell, role, PRIOR "sd", 1, &o->has_sd, &o->sd, err);
    for (size_t i = 0; s == ENS_OK && i < ENS_BAYES_N_PRIORS; i++) {
        char key[24];

        snprintf(key, sizeof(key), PRIOR "%s", aux_name[i]);
        s = read(cell, role, key, 1, &o->has_prior[i], &o->prior[i], err);
    }
    if (s == ENS_OK)
        s = check_proper(o, err);
    return s == ENS_OK ? read_named(o, setup, cell, role, err) : s;
}

/* -- parameters -------------------------------------------------------------
 */

struct listing {
    const struct ens_fit_setup *setup;
    struct ens_parameter *item;
    size_t n;
    int failed;
};

/* NAME, or GROUP[LEVEL]; prefix before. */
static void add(struct listing *l, int hidden, const char *prefix,
                const char *name, const char *level)
{
    size_t size = strlen(prefix) + strlen(name) + strlen(level) + 3;
    char *to = l->setup->alloc(l->setup, size, 1);

    l->failed |= !to;
    if (!to)
        return;
    snprintf(to, size, *level ? "%s%s[%s]" : "%s%s%s", prefix, name, level);
    l->item[l->n++] = (struct ens_parameter){to, hidden};
}

static void add_aux(struct listing *l, const struct ens_bayes_options *o,
                    const struct ens_fit_problem *shape)
{
    if (o->family == ENS_FAMILY_STUDENT ||
        (o->family == ENS_FAMILY_GAUSSIAN && !shape->se))
        add(l, 0, "", aux_name[ENS_BAYES_SIGMA], "");
    if (o->family == ENS_FAMILY_STUDENT && isnan(o->nu))
        add(l, 0, "", aux_name[ENS_BAYES_NU], "");
    if (o->family == ENS_FAMILY_NEGBINOMIAL)
        add(l, 0, "", aux_name[ENS_BAYES_PHI], "");
    if (o->family == ENS_FAMILY_GAMMA)
        add(l, 0, "", aux_name[ENS_BAYES_SHAPE], "");
}

static int is_of(const char *name, const struct ens_fit_problem *shape)
{
    for (size_t j = 0; j < shape->p; j++)
        if (strcmp(shape->term[j], name) == 0)
            return 1;
    for (size_t k = 0; k < shape->n_groups; k++)
        if (strncmp(name, "sd_", 3) == 0 &&
            strcmp(name + 3, shape->group[k].name) == 0)
            return 1;
    return 0;
}

static enum ens_status check_names(const struct ens_bayes_options *o,
                                   const struct ens_fit_problem *shape,
                                   struct ens_error *err)
{
    char list[200];
    size_t len = 0;

    for (size_t i = 0; i < o->n_named; i++) {
        if (is_of(o->name[i], shape))
            continue;
        list[0] = '\0';
        for (size_t j = 0; j < shape->p && len < sizeof(list); j++)
            len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s",
                                    j > 0 ? ", " : "", shape->term[j]);
        return ens_fail(err, ENS_ESTUDY,
                        PRIOR "%.80s: no such term (terms: %s)", o->name[i],
                        list);
    }
    return ENS_OK;
}

/* Is sd_G flat? *is_own: prior.sd_G says so, else prior.sd. */
static int has_flat_sd(const struct ens_bayes_options *o, const char *group,
                       int *is_own)
{
    *is_own = 0;
    for (size_t i = 0; i < o->n_named; i++)
        if (strncmp(o->name[i], "sd_", 3) == 0 &&
            strcmp(o->name[i] + 3, group) == 0) {
            *is_own = 1;
            return o->named[i].kind == ENS_PRIOR_FLAT;
        }
    return o->has_sd && o->sd.kind == ENS_PRIOR_FLAT;
}

/* With a flat sd of few levels the posterior does not fall as it grows:
 * Gelman (2006), doi:10.1214/06-BA117A, section 2.2. */
static enum ens_status check_groups(const struct ens_bayes_options *o,
                                    const struct ens_fit_problem *shape,
                                    struct ens_error *err)
{
    if (shape->se && o->family != ENS_FAMILY_GAUSSIAN)
        return ens_fail(err, ENS_ESTUDY,
                        "formula: known standard errors, se(), are of family "
                        "gaussian");
    for (size_t k = 0; k < shape->n_groups; k++) {
        const struct ens_fit_group *g = &shape->group[k];
        int is_own;

        if (has_flat_sd(o, g->name, &is_own) && g->n_levels < 3)
            return ens_fail(err, ENS_ESTUDY,
                            "prior.sd%s%s: flat gives no posterior with the %u "
                            "levels of '%s'",
                            is_own ? "_" : "", is_own ? g->name : "",
                            (unsigned)g->n_levels, g->name);
    }
    return ENS_OK;
}

enum ens_status ens_bayes_parameters(const struct ens_fit_setup *setup,
                                     const struct ens_bayes_options *o,
                                     const struct ens_fit_problem *shape,
                                     struct ens_parameter **list, size_t *n,
                                     struct ens_error *err)
{
    struct listing l = {.setup = setup};
    size_t levels = 0;
    enum ens_status s = check_names(o, shape, err);

    if (s == ENS_OK)
        s = check_groups(o, shape, err);
    if (s != ENS_OK)
        return s;
    for (size_t k = 0; k < shape->n_groups; k++)
        levels += shape->group[k].n_levels;
    l.item = setup->alloc(setup, levels + shape->n_groups + 4, sizeof(*l.item));
    if (!l.item)
        return ens_fail(err, ENS_ENOMEMORY, "%zu parameters", levels);
    add_aux(&l, o, shape);
    for (size_t k = 0; k < shape->n_groups; k++) {
        const struct ens_fit_group *g = &shape->group[k];

        add(&l, 0, "sd_", g->name, "");
        for (uint32_t i = 0; i < g->n_levels; i++)
            add(&l, levels > ENS_BAYES_MAX_SHOWN, "", g->name, g->level[i]);
    }
    if (l.failed)
        return ens_fail(err, ENS_ENOMEMORY, "%zu parameters", l.n);
    *list = l.item;
    *n = l.n;
    return ENS_OK;
}

/* -- slots of fitters -------------------------------------------------------
 */

enum ens_status ens_bayes_fit_options(const struct ens_fit_setup *setup,
                                      const struct ens_cell *cell,
                                      const char *role,
                                      struct ens_fit_options *o,
                                      struct ens_error *err)
{
    struct ens_bayes_options *own = setup->alloc(setup, 1, sizeof(*own));
    enum ens_status s;

    if (!own)
        return ens_fail(err, ENS_ENOMEMORY, "options");
    s = ens_bayes_options(own, setup, cell, role, err);
    if (s != ENS_OK)
        return s;
    o->family = own->family;
    o->link = ens_family_link(own->family);
    o->own = own;
    return ens_fit_level(cell, role, &o->level, err);
}

enum ens_status ens_bayes_fit_parameters(const struct ens_fit_setup *setup,
                                         const struct ens_fit_options *o,
                                         const struct ens_fit_problem *shape,
                                         struct ens_parameter **list, size_t *n,
                                         struct ens_error *err)
{
    return ens_bayes_parameters(setup, o->own, shape, list, n, err);
}
