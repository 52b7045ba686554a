#include "learn/order.h"

#include "base/bug.h"
#include "base/number.h"
#include "learn/blocks.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* While an order is made. order[] holds positions until the end. */
struct work {
    const struct ens_folds_spec *spec;
    const struct ens_order_how *how;
    struct ens_arena *arena;
    uint64_t n;
    uint64_t size[2]; /* of blend */
    uint32_t J, groups;
    uint32_t *group; /* by position: partition, then group of all */
    uint32_t *block; /* by position: within the partition */
    int64_t *order;
    uint64_t *start; /* of partitions, J + 1; of groups, J * groups + 1 */
};

int ens_order_needed(const struct ens_order_how *how)
{
    return how->shuffle != NULL || how->id != NULL || how->strata != NULL ||
           how->partitions != NULL || how->folds != NULL;
}

size_t ens_order_starts(const struct ens_folds_spec *spec)
{
    uint64_t J = spec->type == ENS_FOLDS_SUBSEMBLE ? spec->partitions : 1;

    if (spec->type == ENS_FOLDS_BLEND)
        return 2;
    return (size_t)(J * (spec->folds + 1) + 1);
}

/* -- checks -------------------------------------------------------------- */

static enum ens_status check_present(const struct ens_labels *l, uint64_t n,
                                     struct ens_error *err)
{
    if (l == NULL)
        return ENS_OK;
    ENS_BUG_ON(l->n != n);
    for (uint64_t i = 0; i < n && l->n_missing > 0; i++)
        if (l->code[i] == ENS_LABEL_NONE)
            return ens_fail(err, ENS_ESTUDY,
                            "%s: %" PRIu64 " values are missing, the first is "
                            "that of row %" PRIu64,
                            l->name, l->n_missing, i + 1);
    return ENS_OK;
}

static enum ens_status check_how(const struct ens_folds_spec *spec,
                                 const struct ens_order_how *how,
                                 struct ens_error *err)
{
    if (spec->type == ENS_FOLDS_TEMPORAL || spec->type == ENS_FOLDS_FULL)
        return ens_fail(err, ENS_ESTUDY,
                        "folds in time are of rows as they stand: no shuffle, "
                        "id, strata or folds");
    if (how->folds != NULL && spec->type == ENS_FOLDS_BLEND)
        return ens_fail(err, ENS_ESTUDY,
                        "%s: a blend has no folds that a file could give",
                        how->folds->name);
    if (how->folds != NULL &&
        (how->shuffle != NULL || how->id != NULL || how->strata != NULL))
        return ens_fail(err, ENS_ESTUDY,
                        "%s: folds are given, so there is nothing to shuffle, "
                        "to keep together or to balance",
                        how->folds->name);
    if (spec->type == ENS_FOLDS_BLEND && how->id != NULL && how->strata != NULL)
        return ens_fail(err, ENS_ESTUDY,
                        "a blend takes id or strata, not both");
    return ENS_OK;
}

/* -- partitions ---------------------------------------------------------- */

static enum ens_status deal(const struct ens_deal *d, struct ens_error *err)
{
    if (d->how->id != NULL && d->how->strata != NULL)
        return ens_deal_both(d, err);
    if (d->how->id != NULL)
        return ens_deal_ids(d, err);
    if (d->how->strata != NULL)
        return ens_deal_strata(d, err);
    return ens_deal_rows(d, err);
}

/* Partition j: rows of the j-th of the ascending labels. */
static enum ens_status partitions_given(struct work *w, struct ens_error *err)
{
    const struct ens_labels *l = w->how->partitions;
    double *value = ens_arena_alloc(w->arena, l->n_labels, sizeof(*value));
    uint32_t *place = ens_arena_alloc(w->arena, l->n_labels, sizeof(*place));

    if (value == NULL || place == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "order of rows: out of memory");
    if (l->n_labels != w->J)
        return ens_fail(err, ENS_ESTUDY,
                        "%s: %" PRIu32
                        " different partitions, partitions = %" PRIu32,
                        l->name, l->n_labels, w->J);
    ens_labels_values(l, value);
    for (uint32_t k = 0; k < l->n_labels; k++)
        while (value[place[k]] != l->value[k])
            place[k]++;
    for (uint64_t i = 0; i < w->n; i++)
        w->group[i] = place[l->code[i]];
    return ENS_OK;
}

static enum ens_status make_partitions(struct work *w, struct ens_error *err)
{
    const struct ens_deal d = {.how = w->how,
                               .member = w->order,
                               .n = w->n,
                               .blocks = w->J,
                               .place = "",
                               .arena = w->arena,
                               .block = w->group};

    if (w->how->partitions != NULL)
        return partitions_given(w, err);
    if (w->how->folds != NULL) {
        struct ens_order_how none = {0};
        struct ens_deal plain = d;

        plain.how = &none;
        return w->J > 1 ? ens_deal_rows(&plain, err) : ENS_OK;
    }
    return w->J > 1 ? deal(&d, err) : ENS_OK;
}

/* Positions by group, ascending in each; start[k] of group k. */
static void sort_positions(struct work *w, uint32_t n_groups)
{
    uint64_t *start = w->start, end = w->n;

    memset(start, 0, ((size_t)n_groups + 1) * sizeof(*start));
    for (uint64_t i = 0; i < w->n; i++)
        start[w->group[i]]++;
    for (uint32_t k = n_groups; k > 0; k--) { /* begins, one place on */
        uint64_t count = start[k - 1];

        end -= count;
        start[k] = end;
    }
    start[0] = 0;
    for (uint64_t i = 0; i < w->n; i++)
        w->order[start[w->group[i] + 1]++] = (int64_t)i;
}

/* -- folds --------------------------------------------------------------- */

static uint32_t fold_of(const struct work *w, double value)
{
    uint32_t low = 0, high = (uint32_t)w->spec->folds;

    while (low < high) {
        uint32_t mid = low + (high - low) / 2;

        if (w->how->fold[mid] < value)
            low = mid + 1;
        else
            high = mid;
    }
    return low < w->spec->folds && w->how->fold[low] == value
               ? low
               : (uint32_t)w->spec->folds;
}

static void folds_given(struct work *w)
{
    const struct ens_labels *l = w->how->folds;

    for (uint64_t i = 0; i < w->n; i++)
        w->block[i] = l->code[i] == ENS_LABEL_NONE
                          ? (uint32_t)w->spec->folds
                          : fold_of(w, l->value[l->code[i]]);
}

/* One partition's folds. */
static enum ens_status deal_folds(struct work *w, uint32_t j,
                                  struct ens_error *err)
{
    char place[40] = "";
    struct ens_deal d = {.how = w->how,
                         .member = w->order + w->start[j],
                         .n = w->start[j + 1] - w->start[j],
                         .blocks = (uint32_t)w->spec->folds,
                         .place = place,
                         .arena = w->arena,
                         .block = w->block};

    if (w->J > 1)
        snprintf(place, sizeof(place), " in partition %" PRIu32, j + 1);
    if (w->spec->type == ENS_FOLDS_BLEND) {
        d.blocks = 2;
        d.size[0] = w->size[0];
        d.size[1] = w->size[1];
    }
    if (d.n < d.blocks)
        return ens_fail(err, ENS_ESTUDY,
                        "%" PRIu64 " rows%s: fewer than folds = %" PRIu32, d.n,
                        place, d.blocks);
    return deal(&d, err);
}

/* Rows to train on for every fold, and but for the user's own folds, of which
 * some may lie in an outer fold, rows to test. */
static enum ens_status check_groups(const struct work *w, struct ens_error *err)
{
    for (uint32_t g = 0; g < w->J * w->groups; g++) {
        uint32_t j = g / w->groups, k = g % w->groups;
        uint64_t n = w->start[g + 1] - w->start[g],
                 all = w->start[(j + 1) * w->groups] - w->start[j * w->groups];

        if (w->spec->type == ENS_FOLDS_BLEND || k + 1 == w->groups)
            continue;
        if (n == all)
            return ens_fail(err, ENS_ESTUDY,
                            "fold %" PRIu32
                            " holds all rows of partition %" PRIu32
                            ": nothing is left to train on",
                            k + 1, j + 1);
        if (n == 0 && w->how->folds == NULL)
            return ens_fail(err, ENS_ESTUDY,
                            "fold %" PRIu32 " of partition %" PRIu32
                            " would be empty: ids are too few, or too uneven",
                            k + 1, j + 1);
    }
    return ENS_OK;
}

static enum ens_status make_folds(struct work *w, struct ens_error *err)
{
    enum ens_status st = ENS_OK;

    sort_positions(w, w->J);
    if (w->how->folds != NULL)
        folds_given(w);
    for (uint32_t j = 0; j < w->J && st == ENS_OK && w->how->folds == NULL; j++)
        st = deal_folds(w, j, err);
    if (st != ENS_OK)
        return st;
    for (uint64_t i = 0; i < w->n; i++)
        w->group[i] = w->group[i] * w->groups + w->block[i];
    sort_positions(w, w->J * w->groups);
    return check_groups(w, err);
}

static enum ens_status prepare(struct work *w, const struct ens_rowset *rows,
                               struct ens_error *err)
{
    struct ens_folds f;
    enum ens_status st = ens_folds_open(w->spec, rows, NULL, &f, err);

    if (st != ENS_OK)
        return st;
    w->J = f.J;
    w->groups = f.type == ENS_FOLDS_BLEND ? 3 : f.K + 1;
    w->size[0] = f.n_train;
    w->size[1] = f.n_out;
    w->group = ens_arena_alloc(w->arena, w->n, sizeof(*w->group));
    w->block = ens_arena_alloc(w->arena, w->n, sizeof(*w->block));
    w->start = ens_arena_alloc(w->arena, (size_t)w->J * w->groups + 1,
                               sizeof(*w->start));
    if (w->group == NULL || w->block == NULL || w->start == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "order of rows: out of memory");
    for (uint64_t i = 0; i < w->n; i++)
        w->order[i] = (int64_t)i;
    return ENS_OK;
}

static enum ens_status check(const struct ens_folds_spec *spec,
                             const struct ens_order_how *how, uint64_t n,
                             struct ens_error *err)
{
    enum ens_status st = check_how(spec, how, err);

    if (st == ENS_OK)
        st = check_present(how->id, n, err);
    if (st == ENS_OK)
        st = check_present(how->strata, n, err);
    if (st == ENS_OK)
        st = check_present(how->partitions, n, err);
    ENS_BUG_ON(how->folds != NULL && how->folds->n != n);
    return st;
}

enum ens_status ens_folds_order(const struct ens_folds_spec *spec,
                                const struct ens_rowset *rows,
                                const struct ens_order_how *how,
                                struct ens_arena *arena, int64_t *order,
                                uint64_t *start, struct ens_error *err)
{
    struct work w = {
        .spec = spec, .how = how, .arena = arena, .n = rows->n, .order = order};
    enum ens_status st = check(spec, how, rows->n, err);

    if (st == ENS_OK)
        st = prepare(&w, rows, err);
    if (st == ENS_OK)
        st = make_partitions(&w, err);
    if (st == ENS_OK)
        st = make_folds(&w, err);
    if (st != ENS_OK)
        return st;
    for (uint64_t i = 0; i < w.n; i++)
        order[i] = (int64_t)ens_rowset_row(rows, (uint64_t)order[i]);
    if (spec->type == ENS_FOLDS_BLEND)
        memcpy(start, w.start + 1, 2 * sizeof(*start));
    else
        memcpy(start, w.start, ens_order_starts(spec) * sizeof(*start));
    return ENS_OK;
}

enum ens_status ens_order_folds(const struct ens_labels *labels,
                                struct ens_arena *arena, const double **fold,
                                uint32_t *n, struct ens_error *err)
{
    double *value = ens_arena_alloc(arena, labels->n_labels, sizeof(*value));
    char text[ENS_NUMBER_BYTES];
    uint32_t first = 0;

    if (value == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "%s: out of memory", labels->name);
    ens_labels_values(labels, value);
    while (first < labels->n_labels && value[first] < 0)
        first++;
    for (uint32_t k = first; k < labels->n_labels; k++)
        if (value[k] != floor(value[k])) {
            ens_number_format(text, value[k]);
            return ens_fail(err, ENS_EINPUT,
                            "%s: %s: a fold is a whole number, or -1 for rows "
                            "that are never tested",
                            labels->name, text);
        }
    if (labels->n_labels - first < 2)
        return ens_fail(err, ENS_EINPUT,
                        "%s: %" PRIu32 " different folds, at least 2",
                        labels->name, labels->n_labels - first);
    *fold = value + first;
    *n = labels->n_labels - first;
    return ENS_OK;
}
