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

/* The score of both parts when the left one has these sums; -INFINITY where a
 * part has too little weight. */
static double score_parts(const struct ens_tree_rule *r,
                          const struct ens_tree_data *d, const double *total,
                          const double *left)
{
    double h = total[1] - left[1];

    if (r->criterion != ENS_TREE_SQUARES)
        return classes(r->criterion, left, NULL, d->n_classes) +
               classes(r->criterion, total, left, d->n_classes);
    if (left[1] < r->min_weight || h < r->min_weight)
        return -INFINITY;
    return squares(left[0], left[1], r->l2) +
           squares(total[0] - left[0], h, r->l2);
}

void ens_split_column(const struct ens_tree_rule *r,
                      const struct ens_tree_data *d, const double *total,
                      uint32_t column, const double *one, const uint8_t *list,
                      size_t n, double *left, struct ens_split *best)
{
    size_t sums = ens_tree_sums(d);
    const double *bins = d->bins.table + column * (size_t)ENS_BINS_TABLE;

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
        score = score_parts(r, d, total, left);
        if (!(score > best->score))
            continue;
        best->score = score;
        best->column = column;
        best->bin = list[i];
        best->threshold = ens_bins_between(ens_bins_high(bins)[list[i]],
                                           ens_bins_low(bins)[list[i + 1]]);
    }
}
