#include "kinds/superlearner/shape.h"

#include "base/bug.h"
#include "config/study.h"
#include "kinds/superlearner/counts.h"
#include "kinds/superlearner/groups.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    TYPE_SUPERLEARNER,
    TYPE_BLEND,
    TYPE_SUBSEMBLE,
    TYPE_TEMPORAL,
    TYPE_SELECT
};

static const struct ens_value *of_study(const struct ens_sl *sl,
                                        const char *key)
{
    const struct ens_value *v = ens_study_value(sl->study, "superlearner", key);

    ENS_BUG_ON(v == NULL);
    return v;
}

static const struct ens_value *of_row(const struct ens_sl *sl, const char *role,
                                      const char *row, const char *key)
{
    const struct ens_value *v = ens_study_row_value(sl->study, role, row, key);

    ENS_BUG_ON(v == NULL);
    return v;
}

/* The group's, or when it says nothing that of its layer. */
static const struct ens_value *
of_layer(const struct ens_sl *sl, const struct ens_sl_layer *l, const char *key)
{
    if (l->group[0] != '\0') {
        const struct ens_value *v = of_row(sl, "group", l->group, key);

        if (v->set)
            return v;
    }
    return of_row(sl, "layer", l->row, key);
}

/* When both say nothing that of [superlearner]. */
static const struct ens_value *
either(const struct ens_sl *sl, const struct ens_sl_layer *l, const char *key)
{
    const struct ens_value *v = of_layer(sl, l, key);

    return v->set ? v : of_study(sl, key);
}

uint32_t ens_sl_layer_of(const struct ens_cell *cell)
{
    const char *p = ens_cell_value(cell, "learner", "layer")->text;
    uint32_t n = 0;

    while (*p >= '0' && *p <= '9' && n < 100000)
        n = n * 10 + (uint32_t)(*p++ - '0');
    return n;
}

const char *ens_sl_group_of(const struct ens_cell *cell)
{
    return ens_cell_value(cell, "learner", "group")->text;
}

int ens_sl_is_in(const struct ens_cell *cell, const struct ens_sl_layer *layer)
{
    return ens_sl_layer_of(cell) == layer->number &&
           strcmp(ens_sl_group_of(cell), layer->group) == 0;
}

/* -- the study ----------------------------------------------------------- */

static enum ens_status one_column(const struct ens_input *in, uint64_t n_rows,
                                  struct ens_error *err)
{
    if (in == NULL)
        return ENS_OK;
    if (in->n_columns != 1)
        return ens_fail(err, ENS_EINPUT,
                        "input %s (%s) has %llu columns; one is expected",
                        in->name, in->path, (unsigned long long)in->n_columns);
    if (in->n_rows != n_rows)
        return ens_fail(err, ENS_EINPUT,
                        "input %s (%s) has %llu rows, X has %llu", in->name,
                        in->path, (unsigned long long)in->n_rows,
                        (unsigned long long)n_rows);
    return ENS_OK;
}

static enum ens_status check_inputs(struct ens_sl *sl, struct ens_error *err)
{
    const struct ens_input *one[] = {sl->y, sl->weights, sl->id, sl->strata,
                                     sl->folds};
    enum ens_status s = ENS_OK;

    if (sl->x == NULL || sl->y == NULL)
        return ens_fail(err, ENS_ESTUDY,
                        "[inputs] %s: missing; a super learner learns y from "
                        "the columns of X",
                        sl->x == NULL ? "X" : "y");
    sl->n_rows = sl->x->n_rows;
    if (sl->n_rows == 0 || sl->x->n_columns == 0)
        return ens_fail(err, ENS_EINPUT, "input X (%s) has no %s", sl->x->path,
                        sl->n_rows == 0 ? "rows" : "columns");
    for (size_t i = 0; i < ENS_COUNT(one) && s == ENS_OK; i++)
        s = one_column(one[i], sl->n_rows, err);
    return s;
}

void ens_sl_computed(const struct ens_study *study, char *to, size_t cap)
{
    static const char *const name[] = {"weights", "id", "strata", "folds"};

    to[0] = '\0';
    for (size_t k = 0; k < ENS_COUNT(name); k++)
        for (size_t i = 0; i < ens_study_n_inputs(study); i++) {
            size_t n = strlen(to);

            if (strcmp(ens_study_input_name(study, i), name[k]) == 0)
                snprintf(to + n, cap - n, "%s%s", n > 0 ? ", " : "", name[k]);
        }
}

/* How many classes there are, where y does not say it by being 0 or 1. */
static enum ens_status count_classes(struct ens_sl *sl, struct ens_error *err)
{
    int64_t said = of_study(sl, "classes")->i;
    uint32_t levels = sl->y->columns != NULL && sl->y->columns[0].levels != NULL
                          ? sl->y->columns[0].n_levels
                          : 0;

    if (sl->family == ENS_OUTCOME_BINOMIAL) {
        sl->n_classes = 2;
        if (levels != 0 && levels != 2)
            return ens_fail(err, ENS_EINPUT,
                            "input y (%s) has %u levels, binomial has 2; "
                            "[superlearner] family = multinomial takes more",
                            sl->y->path, levels);
        return ENS_OK;
    }
    if (sl->family == ENS_OUTCOME_MULTINOMIAL) {
        sl->n_classes = said > 0 ? (uint32_t)said : levels;
        if (sl->n_classes < 2)
            return ens_fail(err, ENS_ESTUDY,
                            "[superlearner] classes: missing; y is numbers, so "
                            "say how many classes there are: 0, 1 ...");
        if (levels > sl->n_classes)
            return ens_fail(err, ENS_ESTUDY,
                            "[superlearner] classes = %lld: input y has %u "
                            "levels",
                            (long long)said, levels);
        return ENS_OK;
    }
    if (levels > 0)
        return ens_fail(
            err, ENS_EINPUT,
            "input y (%s) is text; [superlearner] family = binomial "
            "or multinomial takes it",
            sl->y->path);
    return ENS_OK;
}

enum ens_status ens_sl_read(struct ens_sl *sl, const struct ens_plan *plan,
                            const struct ens_host *host, struct ens_error *err)
{
    enum ens_status s;

    *sl = (struct ens_sl){.study = host->plan_study(plan)};
    sl->family = (enum ens_outcome_family)of_study(sl, "family")->i;
    sl->n_outer = (uint32_t)of_study(sl, "outer_folds")->i;
    sl->is_select = of_study(sl, "type")->i == TYPE_SELECT;
    sl->keeps_all = of_study(sl, "predictions")->i != 0;
    sl->x = host->plan_input(plan, "X");
    sl->y = host->plan_input(plan, "y");
    sl->weights = host->plan_input(plan, "weights");
    sl->id = host->plan_input(plan, "id");
    sl->strata = host->plan_input(plan, "strata");
    sl->folds = host->plan_input(plan, "folds");
    sl->is_outer_shuffled =
        sl->n_outer > 0 &&
        either(sl, &(struct ens_sl_layer){.row = "1"}, "shuffle")->i != 0;
    s = check_inputs(sl, err);
    if (s == ENS_OK)
        s = count_classes(sl, err);
    if (s == ENS_OK)
        s = ens_sl_find_groups(sl, err);
    if (s == ENS_OK && sl->n_outer == 1)
        s = ens_fail(err, ENS_ESTUDY,
                     "[superlearner] outer_folds = 1: 0 (none), or 2 and more");
    if (s == ENS_OK && sl->n_outer > sl->n_rows)
        s = ens_fail(err, ENS_ESTUDY,
                     "[superlearner] outer_folds = %u: there are %llu rows "
                     "only",
                     sl->n_outer, (unsigned long long)sl->n_rows);
    if (s == ENS_OK && sl->n_outer > 0 && sl->is_select)
        s = ens_fail(err, ENS_ESTUDY,
                     "[superlearner] outer_folds: of no use with type = "
                     "select, which has no ensemble");
    return s;
}

/* -- a layer ------------------------------------------------------------- */

static const enum ens_folds_type types[] = {
    ENS_FOLDS_STACK, ENS_FOLDS_BLEND, ENS_FOLDS_SUBSEMBLE, ENS_FOLDS_TEMPORAL,
    ENS_FOLDS_STACK};

static void read_spec(const struct ens_sl *sl, struct ens_sl_layer *l)
{
    double test = of_layer(sl, l, "test_size")->d;

    l->spec = (struct ens_folds_spec){
        .type = types[either(sl, l, "type")->i],
        .folds = (uint64_t)either(sl, l, "folds")->i,
        .partitions = (uint64_t)of_layer(sl, l, "partitions")->i,
        .test_size = test >= 1 ? (uint64_t)test : 0,
        .test_share = test < 1 ? test : 0,
        .step_size = (uint64_t)of_layer(sl, l, "step_size")->i,
        .burn_in = (uint64_t)of_layer(sl, l, "burn_in")->i,
        .window = (uint64_t)of_layer(sl, l, "window")->i,
        .lag = (uint64_t)of_layer(sl, l, "lag")->i,
    };
    if (l->spec.type == ENS_FOLDS_TEMPORAL && l->spec.burn_in == 0)
        l->spec.burn_in = l->spec.step_size;
}

/* Windows in time are of rows as they stand. */
static enum ens_status check_temporal(const struct ens_sl *sl,
                                      const struct ens_sl_layer *l,
                                      struct ens_error *err)
{
    const struct {
        int there;
        const char *what, *why;
    } bad[] = {
        {l->is_shuffled, "shuffle = yes", "it would lose the order of time"},
        {sl->id != NULL, "input id",
         "windows of time cut through ids, and no rule says which rows of an "
         "id a fit may then see"},
        {sl->strata != NULL, "input strata",
         "windows of time have the shares that they have"},
        {sl->folds != NULL, "input folds", "windows of time are its folds"},
    };

    for (size_t i = 0; i < ENS_COUNT(bad); i++)
        if (l->spec.type == ENS_FOLDS_TEMPORAL && bad[i].there)
            return ens_fail(err, ENS_ESTUDY,
                            "[%s]: type temporal does not go with %s: %s",
                            l->section, bad[i].what, bad[i].why);
    return ENS_OK;
}

/* Settings of one another. */
static enum ens_status check_layer(const struct ens_sl *sl,
                                   const struct ens_sl_layer *l,
                                   struct ens_error *err)
{
    if (l->spec.type == ENS_FOLDS_BLEND && sl->folds != NULL)
        return ens_fail(err, ENS_ESTUDY,
                        "[%s]: type blend does not go with input folds: it has "
                        "none",
                        l->section);
    if (l->spec.type == ENS_FOLDS_BLEND && sl->id != NULL && sl->strata != NULL)
        return ens_fail(err, ENS_ESTUDY,
                        "[%s]: type blend goes with input id or input strata, "
                        "not with both",
                        l->section);
    return check_temporal(sl, l, err);
}

/* Rows that it predicts. Ids, and the user's folds, decide by their values. */
static enum ens_status count_out(const struct ens_sl *sl,
                                 struct ens_sl_layer *l, struct ens_error *err)
{
    int is_blend = l->spec.type == ENS_FOLDS_BLEND;
    const uint64_t *first;
    enum ens_status s = ENS_OK;

    l->n_out = l->n_in;
    if (is_blend ? sl->id != NULL : sl->folds != NULL) {
        s = ens_sl_count(sl, l, 0, &first, err);
        l->n_out = s == ENS_OK ? first[l->n_folds] : 0;
    } else if (is_blend) {
        l->n_out = l->spec.test_size > 0
                       ? l->spec.test_size
                       : (uint64_t)floor(l->spec.test_share * (double)l->n_in);
    } else if (l->spec.type == ENS_FOLDS_TEMPORAL) {
        l->n_out = l->n_in - l->spec.burn_in;
    }
    if (s == ENS_OK && l->n_out < l->n_in && sl->n_outer > 0)
        s = ens_fail(err, ENS_ESTUDY,
                     "[superlearner] outer_folds: not with [%s], which "
                     "predicts %llu of %llu rows",
                     l->section, (unsigned long long)l->n_out,
                     (unsigned long long)l->n_in);
    return s;
}

/* Rows that are left without the largest outer fold are enough, too. */
static enum ens_status check_samples(const struct ens_sl *sl,
                                     const struct ens_sl_layer *l,
                                     struct ens_error *err)
{
    uint64_t n = l->n_in, v = sl->n_outer, left;
    uint32_t J, K;
    enum ens_status s;

    if (v == 0)
        return ENS_OK;
    left = n - n / v - (n % v > 0);
    s = ens_folds_count(&l->spec, left, &J, &K, err);
    return s == ENS_OK
               ? s
               : ens_wrap(err, s,
                          "[superlearner] outer_folds = %llu leaves "
                          "%llu of %llu rows; [%s]",
                          (unsigned long long)v, (unsigned long long)left,
                          (unsigned long long)n, l->section);
}

static enum ens_status count_rows(const struct ens_sl *sl,
                                  struct ens_sl_layer *l, struct ens_error *err)
{
    enum ens_status s =
        ens_folds_count(&l->spec, l->n_in, &l->n_partitions, &l->n_folds, err);

    if (s != ENS_OK)
        return ens_wrap(err, s, "[%s]", l->section);
    s = check_samples(sl, l, err);
    if (s != ENS_OK)
        return s;
    l->n_samples = sl->n_outer + 1;
    s = count_out(sl, l, err);
    l->is_picked = l->is_shared && l->n_out < l->n_in;
    l->first_out = l->is_picked ? 0 : l->n_in - l->n_out;
    l->is_sorted = l->n_partitions == 1 &&
                   (!l->is_shared || l->spec.type == ENS_FOLDS_BLEND);
    return s;
}

static enum ens_status read_layer(const struct ens_sl *sl,
                                  struct ens_sl_layer *l, struct ens_error *err)
{
    enum ens_status s;

    snprintf(l->row, sizeof(l->row), "%u", l->number);
    snprintf(l->section, sizeof(l->section), "%s %s",
             l->group[0] != '\0' ? "group" : "layer",
             l->group[0] != '\0' ? l->group : l->row);
    read_spec(sl, l);
    l->is_full = !sl->is_select;
    l->is_proba = of_row(sl, "layer", l->row, "proba")->i != 0;
    l->m = sl->family == ENS_OUTCOME_MULTINOMIAL && l->is_proba ? sl->n_classes
                                                                : 1;
    l->is_shuffled = either(sl, l, "shuffle")->i != 0;
    l->is_kmeans = l->spec.type == ENS_FOLDS_SUBSEMBLE &&
                   of_layer(sl, l, "partition_by")->i == 1;
    l->is_shared = (l->is_shuffled || sl->is_outer_shuffled || sl->id != NULL ||
                    sl->strata != NULL || sl->folds != NULL || l->is_kmeans);
    l->is_uneven = l->is_shared && (sl->id != NULL || sl->strata != NULL ||
                                    sl->folds != NULL || l->is_kmeans);
    s = check_layer(sl, l, err);
    return s == ENS_OK ? count_rows(sl, l, err) : s;
}

/* Rows of the layer behind it: those of the group that predicts the fewest. */
static void follow(const struct ens_sl_layer *l, struct ens_sl_layer *next)
{
    *next = (struct ens_sl_layer){
        .number = l->number + 1,
        .n_in = l->n_out,
        .mapped_by = l->is_picked ? l->number : l->mapped_by,
        .first_y = l->is_picked ? 0 : l->first_y + l->first_out,
        .n_samples = l->n_samples,
    };
}

/* Of a layer of several groups each predicts the last rows, or all: then those
 * that all predict are the last ones, too. */
static enum ens_status check_picked(const struct ens_sl *sl,
                                    const struct ens_sl_layer *l,
                                    struct ens_error *err)
{
    const char *first = ens_sl_group_after(sl, l->number, NULL);

    if (!l->is_picked || ens_sl_group_after(sl, l->number, first) == NULL)
        return ENS_OK;
    return ens_fail(err, ENS_ESTUDY,
                    "[%s]: predicts rows that are drawn, or decided by id, "
                    "strata or folds; in layer %u, which has several groups, "
                    "each predicts all rows, or the last ones",
                    l->section, l->number);
}

/* A layer's input: all rows of X, then those that every group of the layer
 * before predicts. */
static enum ens_status find_input(const struct ens_sl *sl, uint32_t number,
                                  struct ens_sl_layer *input,
                                  struct ens_error *err)
{
    enum ens_status s = ENS_OK;

    *input = (struct ens_sl_layer){
        .number = 1, .n_in = sl->n_rows, .n_samples = sl->n_outer + 1};
    for (uint32_t i = 1; i < number && s == ENS_OK; i++) {
        struct ens_sl_layer fewest = {.n_out = UINT64_MAX};
        const char *g = NULL;

        while (s == ENS_OK && (g = ens_sl_group_after(sl, i, g)) != NULL) {
            struct ens_sl_layer l = *input;

            snprintf(l.group, sizeof(l.group), "%s", g);
            s = read_layer(sl, &l, err);
            if (s == ENS_OK)
                s = check_picked(sl, &l, err);
            if (l.n_out < fewest.n_out)
                fewest = l;
        }
        follow(&fewest, input);
    }
    return s;
}

enum ens_status ens_sl_layer(const struct ens_sl *sl, uint32_t number,
                             const char *group, struct ens_sl_layer *layer,
                             struct ens_error *err)
{
    enum ens_status s = find_input(sl, number, layer, err);

    snprintf(layer->group, sizeof(layer->group), "%s", group);
    return s == ENS_OK ? read_layer(sl, layer, err) : s;
}

enum ens_status ens_sl_layer_of_cell(const struct ens_sl *sl,
                                     const struct ens_cell *cell,
                                     struct ens_sl_layer *layer,
                                     struct ens_error *err)
{
    return ens_sl_layer(sl, ens_sl_layer_of(cell), ens_sl_group_of(cell), layer,
                        err);
}

enum ens_status ens_sl_meta_layer(const struct ens_sl *sl, uint32_t n_layers,
                                  struct ens_sl_layer *layer,
                                  struct ens_error *err)
{
    enum ens_status s = find_input(sl, n_layers + 1, layer, err);

    layer->n_out = layer->n_in;
    return s;
}

uint32_t ens_sl_n_fits(const struct ens_sl_layer *l)
{
    return l->n_samples * l->n_partitions *
           (l->n_folds + (l->is_full ? 1u : 0u));
}

struct ens_sl_fit ens_sl_fit_of(const struct ens_sl_layer *l,
                                uint32_t replicate)
{
    uint32_t per = l->n_folds + (l->is_full ? 1u : 0u);
    uint32_t i = replicate - 1;
    struct ens_sl_fit f = {
        .fold = i % per + (l->is_full ? 0u : 1u),
        .partition = i / per % l->n_partitions,
        .sample = i / per / l->n_partitions,
    };

    return f;
}

uint32_t ens_sl_replicate(const struct ens_sl_layer *l, struct ens_sl_fit f)
{
    uint32_t per = l->n_folds + (l->is_full ? 1u : 0u);

    return (f.sample * l->n_partitions + f.partition) * per + f.fold +
           (l->is_full ? 1u : 0u);
}

int ens_sl_is_kept(const struct ens_sl *sl, uint32_t layer, uint32_t n_layers)
{
    return !sl->is_select || sl->keeps_all || layer < n_layers;
}

size_t ens_sl_n_columns(const struct ens_sl_layer *l)
{
    return l->n_partitions * l->m;
}
