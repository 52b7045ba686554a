#include "kinds/simulation/measures/choice.h"

#include "base/number.h"
#include "config/study.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define TAKES_LEVEL (ENS_MEASURE_LEVEL | ENS_MEASURE_ALPHA | ENS_MEASURE_PROB)

/* Keys and bounds were checked by the table of "NAME()"; "" = not set. */
static enum ens_status read_level(const struct ens_measure_def *def,
                                  const struct ens_call *call, double *level,
                                  struct ens_error *err)
{
    const char *text = call->n > 0 ? call->arg[0].text : "";
    double x;

    *level = strcmp(def->name, "median") == 0 ? 0.5 : NAN;
    if (*text == '\0')
        return ENS_OK;
    if (!(def->flags & TAKES_LEVEL) || call->n > 1 || !isnan(*level))
        return ens_fail(err, ENS_ESTUDY, "%s takes %s", def->name,
                        def->flags & TAKES_LEVEL && isnan(*level)
                            ? "one argument"
                            : "no arguments");
    if (ens_number_parse(text, strlen(text), &x) != 0 || !(x > 0 && x < 1))
        return ens_fail(err, ENS_ESTUDY,
                        "%s: %s: '%s' is not a number between 0 and 1",
                        def->name, call->arg[0].key, text);
    *level = def->flags & ENS_MEASURE_ALPHA ? 1 - x : x;
    return ENS_OK;
}

static int has(const struct ens_choice *c, const char *name)
{
    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->item[i].name, name) == 0)
            return 1;
    return 0;
}

static enum ens_status add(struct ens_choice *c,
                           const struct ens_measure_def *def, const char *name,
                           double level, struct ens_error *err)
{
    struct ens_chosen *item = &c->item[c->n];

    if (c->n == ENS_MEASURES_MAX)
        return ens_fail(err, ENS_ESTUDY, "more than %d measures",
                        ENS_MEASURES_MAX);
    if (strlen(name) >= sizeof(item->name))
        return ens_fail(err, ENS_ESTUDY, "%.70s...: too long for a name", name);
    if (def->flags & ENS_MEASURE_OTHER && *c->compare == '\0')
        return ens_fail(err, ENS_ESTUDY,
                        "%s: compare is not set: the [fit] row to compare with",
                        def->name);
    item->def = def;
    item->level = level;
    snprintf(item->name, sizeof(item->name), "%s", name);
    c->n++;
    return ENS_OK;
}

/* Those of one kind differ by what they are given: then it is in the name.
 * A quantile always says which. */
static void name_by_level(const struct ens_value *use, size_t i, char *to,
                          size_t cap)
{
    const struct ens_call *call = &use->list[i].call;
    int several = strcmp(call->name, "quantile") == 0;

    for (size_t k = 0; k < use->n_list; k++)
        several |= k != i && (strcmp(use->list[k].call.name, call->name) == 0 ||
                              strcmp(use->list[k].call.name, "all") == 0);
    if (several && call->n > 0 && *call->arg[0].text != '\0')
        snprintf(to, cap, "%s_%s", call->name, call->arg[0].text);
    else
        snprintf(to, cap, "%s", call->name);
}

static enum ens_status add_call(struct ens_choice *c,
                                const struct ens_call *call, const char *name,
                                struct ens_error *err)
{
    const struct ens_measure_def *def =
        call->impl != NULL ? NULL : ens_measure_find(call->name);
    double level;
    enum ens_status s;

    if (def == NULL)
        return ENS_OK; /* tasks compute it */
    s = read_level(def, call, &level, err);
    /* what is there in any case need not be again */
    if (s == ENS_OK &&
        !(strcmp(name, def->name) == 0 && def->flags & ENS_MEASURE_ALWAYS))
        s = add(c, def, name, level, err);
    return s;
}

/* "all": those that need no argument and are not there yet. */
static enum ens_status add_others(struct ens_choice *c, unsigned flags,
                                  struct ens_error *err)
{
    const struct ens_measure_def *def;
    enum ens_status s = ENS_OK;

    for (size_t i = 0; s == ENS_OK && (def = ens_measure_at(i)) != NULL; i++) {
        double level = def->flags & ENS_MEASURE_ALPHA  ? 0.95
                       : def->flags & ENS_MEASURE_PROB ? 0.5
                                                       : NAN;

        if (flags != 0 && !(def->flags & flags))
            continue;
        if (has(c, def->name) || def->flags & ENS_MEASURE_ALWAYS ||
            strcmp(def->name, "quantile") == 0 ||
            (def->flags & ENS_MEASURE_OTHER && *c->compare == '\0'))
            continue;
        s = add(c, def, def->name, level, err);
    }
    return s;
}

/* Calls of `use`, then the user's own keys; *key is what is looked at. */
static enum ens_status read_calls(struct ens_choice *c,
                                  const struct ens_study *study, int *all,
                                  const char **key, struct ens_error *err)
{
    const struct ens_value *use = ens_study_value(study, "metrics", "use");
    enum ens_status s = ENS_OK;
    const char *own;

    for (size_t i = 0; s == ENS_OK && i < use->n_list; i++) {
        char name[80];

        name_by_level(use, i, name, sizeof(name));
        if (strcmp(name, "all") == 0)
            *all = 1;
        else
            s = add_call(c, &use->list[i].call, name, err);
    }
    for (size_t i = 0; s == ENS_OK; i++) {
        own = ens_study_own_key(study, "metrics", i);
        if (own == NULL)
            break;
        *key = own;
        s = add_call(c, &ens_study_value(study, "metrics", own)->call, own,
                     err);
    }
    return s;
}

/* A fit to compare with, and nothing said of what: all that do. */
static enum ens_status read_use(struct ens_choice *c,
                                const struct ens_study *study, const char **key,
                                struct ens_error *err)
{
    int all = 0, compares = 0;
    enum ens_status s = read_calls(c, study, &all, key, err);

    if (s != ENS_OK)
        return s;
    *key = "use";
    for (size_t i = 0; i < c->n; i++)
        compares |= (c->item[i].def->flags & ENS_MEASURE_OTHER) != 0;
    if (all)
        return add_others(c, 0, err);
    return *c->compare != '\0' && !compares
               ? add_others(c, ENS_MEASURE_OTHER, err)
               : ENS_OK;
}

static enum ens_status check_names(const struct ens_choice *c,
                                   const struct ens_study *study,
                                   const char **key, struct ens_error *err)
{
    for (size_t i = 0; i < c->n; i++) {
        const char *name = c->item[i].name;
        const struct ens_measure_def *def = ens_measure_find(name);

        *key = ens_study_value(study, "metrics", name) != NULL ? name : "use";
        if (def != NULL && def != c->item[i].def)
            return ens_fail(err, ENS_ESTUDY, "%s is the name of a measure",
                            name);
        for (size_t k = 0; k < i; k++)
            if (strcmp(name, c->item[k].name) == 0)
                return ens_fail(err, ENS_ESTUDY, "%s is there twice", name);
    }
    return ENS_OK;
}

static enum ens_status read_terms(const struct ens_choice *c, const char **key,
                                  struct ens_error *err)
{
    *key = "terms";
    for (size_t i = 0; i < c->terms->n_list; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(c->terms->list[i].text, c->terms->list[k].text) == 0)
                return ens_fail(err, ENS_ESTUDY, "%.60s is there twice",
                                c->terms->list[i].text);
    *key = "reference";
    if (c->null->n_list > 1 && c->null->n_list != c->terms->n_list)
        return ens_fail(err, ENS_ESTUDY,
                        "%zu values for %zu terms; allowed: one for all, or "
                        "one for each of `terms`",
                        c->null->n_list, c->terms->n_list);
    return ENS_OK;
}

static enum ens_status read_mcse(struct ens_choice *c,
                                 const struct ens_study *study,
                                 const char **key, struct ens_error *err)
{
    const struct ens_call *call =
        &ens_study_value(study, "metrics", "mcse")->call;

    *key = "mcse";
    c->mcse = strcmp(call->name, "jackknife") == 0   ? ENS_MCSE_JACKKNIFE
              : strcmp(call->name, "bootstrap") == 0 ? ENS_MCSE_BOOTSTRAP
                                                     : ENS_MCSE_FORMULA;
    if (c->mcse == ENS_MCSE_BOOTSTRAP) {
        uint64_t n;

        if (ens_number_parse_u64(call->arg[0].text, strlen(call->arg[0].text),
                                 &n) != 0)
            return ens_fail(err, ENS_ESTUDY, "bootstrap: n: '%s' is no number",
                            call->arg[0].text);
        c->n_resamples = (size_t)n;
    } else if (call->n > 0) {
        return ens_fail(err, ENS_ESTUDY, "%s takes no arguments", call->name);
    }
    return ENS_OK;
}

enum ens_status ens_choice_read(struct ens_choice *c,
                                const struct ens_study *study,
                                struct ens_error *err)
{
    const char *key = "use";
    char where[320];
    enum ens_status s;

    memset(c, 0, sizeof(*c));
    c->terms = ens_study_value(study, "metrics", "terms");
    c->null = ens_study_value(study, "metrics", "reference");
    c->compare = ens_study_value(study, "metrics", "compare")->text;
    s = read_use(c, study, &key, err);
    if (s == ENS_OK)
        s = check_names(c, study, &key, err);
    if (s == ENS_OK)
        s = read_terms(c, &key, err);
    if (s == ENS_OK)
        s = read_mcse(c, study, &key, err);
    if (s == ENS_OK)
        return s;
    ens_study_where(study, "metrics", key, where, sizeof(where));
    return ens_wrap(err, s, "%s: [metrics] %s", where, key);
}

int ens_choice_term(const struct ens_choice *c, const char *term, double *null)
{
    size_t i = 0;

    *null = c->null->n_list > 0 ? c->null->list[0].d : 0;
    if (c->terms->n_list == 0)
        return 1;
    while (i < c->terms->n_list && strcmp(c->terms->list[i].text, term) != 0)
        i++;
    if (i < c->null->n_list)
        *null = c->null->list[i].d;
    return i < c->terms->n_list;
}
