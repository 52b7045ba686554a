#include "learn/trees/split.h"

#include "learn/bins.h"

#include <math.h>
#include <string.h>

static double squares(double g, double h, double l2)
{
    return h + l2 > 0 ? g * g / (h + l2) : 0;
}

/* Of n classes, all of sum minus those of `less` (NULL: nothing). */
static double classes(enum ens_tree_criterion c, const double *sum,
                      const double *less, size_t n)
{
    double total = 0, score = 0;

    for (size_t k = 0; k < n; k++) {
        double w = less == NULL ? sum[k] : sum[k] - less[k];

        total += w;
        if (c == ENS_TREE_GINI)
            score += w * w;
        else if (w > 0)
            score += w * log2(w);
    }
    if (!(total > 0))
        return 0;
    return c == ENS_TREE_GINI ? score / total : score - total * log2(total);
}

double ens_split_score(const struct ens_tree_rule *r,
                       const struct ens_tree_data *d, const double *sum)
{
    if (r->criterion == ENS_TREE_SQUARES)
        return squares(sum[0], sum[1], r->l2);
    return classes(r->criterion, sum, NULL, d->n_classes);
}

/* A split between the i-th and the next bin of the list. */
static void take(const struct ens_tree_data *d, uint32_t column,
                 const uint8_t *list, size_t i, double score,
                 struct ens_split *best)
{
    const double *bins = d->bins.table + column * (size_t)ENS_BINS_TABLE;

    best->score = score;
    best->column = column;
    best->bin = list[i];
    best->threshold = ens_bins_between(ens_bins_high(bins)[list[i]],
                                       ens_bins_low(bins)[list[i + 1]]);
}

static void scan_squares(const struct ens_tree_rule *r,
                         const struct ens_tree_data *d, const double *total,
                         uint32_t column, const double *one,
                         const uint8_t *list, size_t n, struct ens_split *best)
{
    size_t sums = ens_tree_sums(d);
    double g = 0, h = 0, rows = 0, least = best->score;

    for (size_t i = 0; i + 1 < n; i++) {
        const double *e = one + list[i] * sums;
        double rest, score;

        g += e[0];
        h += e[1];
        rows += e[sums - 1];
        rest = total[1] - h;
        if (rows < r->min_leaf || h < r->min_weight)
            continue;
        if (total[sums - 1] - rows < r->min_leaf || rest < r->min_weight)
            return;
        score = squares(g, h, r->l2) + squares(total[0] - g, rest, r->l2);
        if (score > least) {
            take(d, column, list, i, score, best);
            least = score;
        }
    }
}

static void scan_classes(const struct ens_tree_rule *r,
                         const struct ens_tree_data *d, const double *total,
                         uint32_t column, const double *one,
                         const uint8_t *list, size_t n, double *left,
                         struct ens_split *best)
{
    size_t sums = ens_tree_sums(d);

    memset(left, 0, sums * sizeof(*left));
    for (size_t i = 0; i + 1 < n; i++) {
        const double *e = one + list[i] * sums;
        double score;

        for (size_t k = 0; k < sums; k++)
            left[k] += e[k];
        if (left[sums - 1] < r->min_leaf)
            continue;
        if (total[sums - 1] - left[sums - 1] < r->min_leaf)
            return;
        score = classes(r->criterion, left, NULL, d->n_classes) +
                classes(r->criterion, total, left, d->n_classes);
        if (score > best->score)
            take(d, column, list, i, score, best);
    }
}

void ens_split_column(const struct ens_tree_rule *r,
                      const struct ens_tree_data *d, const double *total,
                      uint32_t column, const double *one, const uint8_t *list,
                      size_t n, double *left, struct ens_split *best)
{
    if (r->criterion == ENS_TREE_SQUARES)
        scan_squares(r, d, total, column, one, list, n, best);
    else
        scan_classes(r, d, total, column, one, list, n, left, best);
}
