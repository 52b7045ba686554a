#include "kinds/superlearner/shape.h"

#include "base/bug.h"
#include "config/study.h"

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

static const struct ens_value *of_layer(const struct ens_sl *sl,
                                        const char *row, const char *key)
{
    const struct ens_value *v =
        ens_study_row_value(sl->study, "layer", row, key);

    ENS_BUG_ON(v == NULL);
    return v;
}

/* The layer's, or when it says nothing that of [superlearner]. */
static const struct ens_value *either(const struct ens_sl *sl, const char *row,
                                      const char *key)
{
    const struct ens_value *v = of_layer(sl, row, key);

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

int ens_sl_is_in(const struct ens_cell *cell, const struct ens_sl_layer *layer)
{
    return ens_sl_layer_of(cell) == layer->number;
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
    sl->x = host->plan_input(plan, "X");
    sl->y = host->plan_input(plan, "y");
    sl->weights = host->plan_input(plan, "weights");
    sl->id = host->plan_input(plan, "id");
    sl->strata = host->plan_input(plan, "strata");
    sl->folds = host->plan_input(plan, "folds");
    sl->is_outer_shuffled =
        sl->n_outer > 0 && either(sl, "1", "shuffle")->i != 0;
    s = check_inputs(sl, err);
    if (s == ENS_OK)
        s = count_classes(sl, err);
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
    double test = of_layer(sl, l->row, "test_size")->d;

    l->spec = (struct ens_folds_spec){
        .type = types[either(sl, l->row, "type")->i],
        .folds = (uint64_t)either(sl, l->row, "folds")->i,
        .partitions = (uint64_t)of_layer(sl, l->row, "partitions")->i,
        .test_size = test >= 1 ? (uint64_t)test : 0,
        .test_share = test < 1 ? test : 0,
        .step_size = (uint64_t)of_layer(sl, l->row, "step_size")->i,
        .burn_in = (uint64_t)of_layer(sl, l->row, "burn_in")->i,
        .window = (uint64_t)of_layer(sl, l->row, "window")->i,
        .lag = (uint64_t)of_layer(sl, l->row, "lag")->i,
    };
    if (l->spec.type == ENS_FOLDS_TEMPORAL && l->spec.burn_in == 0)
        l->spec.burn_in = l->spec.step_size;
}

static int is_kmeans(const struct ens_sl *sl, const struct ens_sl_layer *l)
{
    return l->spec.type == ENS_FOLDS_SUBSEMBLE &&
           of_layer(sl, l->row, "partition_by")->i == 1;
}

/* Settings of one another. */
static enum ens_status check_layer(const struct ens_sl *sl,
                                   const struct ens_sl_layer *l,
                                   struct ens_error *err)
{
    int in_order =
        l->spec.type == ENS_FOLDS_BLEND || l->spec.type == ENS_FOLDS_TEMPORAL;

    if (in_order && l->is_shared)
        return ens_fail(err, ENS_ESTUDY,
                        "[layer %s]: types blend and temporal divide rows as "
                        "they stand; shuffle, id, strata and folds do not go "
                        "with them",
                        l->row);
    if (in_order && sl->n_outer > 0)
        return ens_fail(err, ENS_ESTUDY,
                        "[superlearner] outer_folds: not with [layer %s] of "
                        "type blend or temporal, which does not predict every "
                        "row",
                        l->row);
    return ENS_OK;
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
                          "%llu of %llu rows; [layer %s]",
                          (unsigned long long)v, (unsigned long long)left,
                          (unsigned long long)n, l->row);
}

static enum ens_status count_rows(const struct ens_sl *sl,
                                  struct ens_sl_layer *l, struct ens_error *err)
{
    enum ens_status s =
        ens_folds_count(&l->spec, l->n_in, &l->n_partitions, &l->n_folds, err);

    if (s != ENS_OK)
        return ens_wrap(err, s, "[layer %s]", l->row);
    s = check_samples(sl, l, err);
    if (s != ENS_OK)
        return s;
    l->n_out = l->n_in;
    if (l->spec.type == ENS_FOLDS_TEMPORAL)
        l->n_out = l->n_in - l->spec.burn_in;
    else if (l->spec.type == ENS_FOLDS_BLEND)
        l->n_out = l->spec.test_size > 0
                       ? l->spec.test_size
                       : (uint64_t)floor(l->spec.test_share * (double)l->n_in);
    l->first_out = l->n_in - l->n_out;
    l->is_sorted = !l->is_shared && l->n_partitions == 1;
    l->n_samples = sl->n_outer + 1;
    return ENS_OK;
}

static enum ens_status read_layer(const struct ens_sl *sl,
                                  struct ens_sl_layer *l, struct ens_error *err)
{
    enum ens_status s;

    snprintf(l->row, sizeof(l->row), "%u", l->number);
    read_spec(sl, l);
    l->is_full = !sl->is_select;
    l->is_proba = of_layer(sl, l->row, "proba")->i != 0;
    l->m = sl->family == ENS_OUTCOME_MULTINOMIAL && l->is_proba ? sl->n_classes
                                                                : 1;
    l->is_shuffled = either(sl, l->row, "shuffle")->i != 0;
    l->is_shared =
        (l->is_shuffled || sl->is_outer_shuffled || sl->id != NULL ||
         sl->strata != NULL || sl->folds != NULL || is_kmeans(sl, l));
    l->is_uneven = l->is_shared && (sl->id != NULL || sl->strata != NULL ||
                                    sl->folds != NULL || is_kmeans(sl, l));
    s = check_layer(sl, l, err);
    return s == ENS_OK ? count_rows(sl, l, err) : s;
}

enum ens_status ens_sl_layer(const struct ens_sl *sl, uint32_t number,
                             struct ens_sl_layer *layer, struct ens_error *err)
{
    uint64_t n_in = sl->n_rows, first = 0;
    enum ens_status s = ENS_OK;

    for (uint32_t i = 1; i <= number && s == ENS_OK; i++) {
        memset(layer, 0, sizeof(*layer));
        layer->number = i;
        layer->n_in = n_in;
        layer->first_y = first;
        s = read_layer(sl, layer, err);
        n_in = layer->n_out;
        first += layer->first_out;
    }
    return s;
}

enum ens_status ens_sl_meta_layer(const struct ens_sl *sl, uint32_t n_layers,
                                  struct ens_sl_layer *layer,
                                  struct ens_error *err)
{
    struct ens_sl_layer last = {0};
    enum ens_status s = ens_sl_layer(sl, n_layers, &last, err);

    if (s != ENS_OK)
        return s;
    *layer = (struct ens_sl_layer){
        .number = n_layers + 1,
        .n_in = last.n_out,
        .n_out = last.n_out,
        .first_y = last.first_y + last.first_out,
        .n_samples = last.n_samples,
    };
    return ENS_OK;
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

size_t ens_sl_n_columns(const struct ens_sl_layer *l)
{
    return l->n_partitions * l->m;
}
