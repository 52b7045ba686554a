#include "learn/trees/grow.h"

#include "learn/trees/histogram.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define AHEAD    24 /* rows whose codes are fetched ahead */
#define ROUNDING 1e-12

/* A leaf that can be split, and how. */
struct ens_waiting {
    uint32_t node;
    double gain;
    struct ens_split split;
    double *histogram; /* of all columns, or NULL */
};

static enum ens_status no_memory(const struct ens_grower *g,
                                 struct ens_error *err)
{
    return g->host->fail(err, ENS_ENOMEMORY, "a tree of %zu nodes", g->n_nodes);
}

static size_t histogram_doubles(const struct ens_grower *g)
{
    return g->n_columns * ens_histogram_size(g->data);
}

enum ens_status ens_grower_init(struct ens_grower *g,
                                const struct ens_host *host,
                                const struct ens_tree_data *data,
                                const struct ens_tree_rule *rule,
                                struct ens_error *err)
{
    size_t n_one = rule->mtry < data->p ? rule->mtry : 1;

    memset(g, 0, sizeof(*g));
    g->host = host;
    g->data = data;
    g->rule = *rule;
    g->n_columns = data->p;
    g->index = malloc(data->n * sizeof(*g->index));
    g->spare = malloc(data->n * sizeof(*g->spare));
    g->column = malloc(data->p * sizeof(*g->column));
    g->left = calloc(ens_tree_sums(data), sizeof(*g->left));
    g->one = calloc(n_one * ens_histogram_size(data), sizeof(*g->one));
    if (g->index == NULL || g->spare == NULL || g->column == NULL ||
        g->left == NULL || g->one == NULL) {
        ens_grower_fini(g);
        return no_memory(g, err);
    }
    for (uint32_t i = 0; i < data->n; i++)
        g->index[i] = i;
    for (uint32_t j = 0; j < data->p; j++)
        g->column[j] = j;
    return ENS_OK;
}

void ens_grower_fini(struct ens_grower *g)
{
    for (size_t i = 0; i < g->n_waiting; i++)
        free(g->waiting[i].histogram);
    for (size_t i = 0; i < g->n_pool; i++)
        free(g->pool[i]);
    free(g->index);
    free(g->spare);
    free(g->column);
    free(g->left);
    free(g->one);
    free(g->pool);
    free(g->waiting);
    free(g->node);
    free(g->sum);
    *g = (struct ens_grower){.host = g->host};
}

/* `array` with room for another element, elsewhere perhaps; NULL: no memory,
 * and it is as it was. */
static void *reserve(void *array, size_t n, size_t *cap, size_t size)
{
    size_t more = *cap < 32 ? 64 : *cap * 2;

    if (n < *cap)
        return array;
    array = realloc(array, more * size);
    if (array != NULL)
        *cap = more;
    return array;
}

/* Histograms of all columns; NULL: no memory. */
static double *take(struct ens_grower *g)
{
    if (g->n_pool > 0)
        return g->pool[--g->n_pool];
    return malloc(histogram_doubles(g) * sizeof(double));
}

static void give(struct ens_grower *g, double *histogram)
{
    double **pool;

    if (histogram == NULL)
        return;
    pool = reserve(g->pool, g->n_pool, &g->pool_cap, sizeof(*pool));
    if (pool == NULL) {
        free(histogram);
        return;
    }
    g->pool = pool;
    g->pool[g->n_pool++] = histogram;
}

static void fill(struct ens_grower *g, const struct ens_tree_node *node,
                 double *histogram)
{
    memset(histogram, 0, histogram_doubles(g) * sizeof(*histogram));
    ens_histogram_add(g->data, g->index + node->begin, node->end - node->begin,
                      g->column, g->n_columns, histogram);
}

/* Another leaf; its number, or ENS_TREE_LEAF: no memory. */
static uint32_t add_node(struct ens_grower *g, uint32_t begin, uint32_t end,
                         uint32_t depth)
{
    size_t sums = ens_tree_sums(g->data), cap = g->node_cap;
    struct ens_tree_node *node;
    double *sum;

    if (g->n_nodes >= ENS_TREE_LEAF - 1)
        return ENS_TREE_LEAF;
    sum = reserve(g->sum, g->n_nodes, &cap, sums * sizeof(*sum));
    if (sum == NULL)
        return ENS_TREE_LEAF;
    g->sum = sum;
    node = reserve(g->node, g->n_nodes, &g->node_cap, sizeof(*node));
    if (node == NULL)
        return ENS_TREE_LEAF;
    g->node = node;
    g->node[g->n_nodes] = (struct ens_tree_node){
        .column = ENS_TREE_LEAF, .begin = begin, .end = end, .depth = depth};
    return (uint32_t)g->n_nodes++;
}

/* Do its sums, size and depth allow a split? */
static int measure(struct ens_grower *g, uint32_t id)
{
    const struct ens_tree_node *node = &g->node[id];
    size_t sums = ens_tree_sums(g->data);
    double n = node->end - node->begin;
    int same = ens_histogram_total(g->data, g->index + node->begin,
                                   node->end - node->begin, g->sum + id * sums);

    return !same && node->depth < g->rule.depth && n >= g->rule.min_split &&
           n >= 2 * g->rule.min_leaf;
}

static void look_at(struct ens_grower *g, uint32_t id, uint32_t column,
                    const double *one, const uint8_t *list, size_t n,
                    struct ens_split *best)
{
    ens_split_column(&g->rule, g->data, g->sum + id * ens_tree_sums(g->data),
                     column, one, list, n, g->left, best);
}

/* In the histograms of column[k]. Does any of them differ within the node? */
static int search_many(struct ens_grower *g, uint32_t id,
                       const uint32_t *column, size_t k,
                       const double *histogram, struct ens_split *best)
{
    size_t size = ens_histogram_size(g->data);
    uint8_t list[ENS_BINS_MAX];
    int varies = 0;

    for (size_t j = 0; j < k; j++) {
        const double *one = histogram + j * size;
        size_t n = ens_histogram_list(g->data, one, list);

        look_at(g, id, column[j], one, list, n, best);
        varies |= n > 1;
    }
    return varies;
}

/* Of at most ENS_TREE_BLOCK rows. */
static int search_few(struct ens_grower *g, uint32_t id, const uint32_t *column,
                      size_t k, struct ens_split *best)
{
    const struct ens_tree_node *node = &g->node[id];
    struct ens_tree_block b;
    uint8_t list[ENS_BINS_MAX];
    int varies = 0;

    ens_histogram_load(g->data, g->index + node->begin, node->end - node->begin,
                       &b);
    for (size_t j = 0; j < k; j++) {
        size_t n = ens_histogram_few(g->data, &b, column[j], g->one, list);

        look_at(g, id, column[j], g->one, list, n, best);
        ens_histogram_clear(g->data, g->one, list, n);
        varies |= n > 1;
    }
    return varies;
}

static int is_small(const struct ens_tree_node *node)
{
    return node->end - node->begin <= ENS_TREE_BLOCK;
}

static int search_drawn(struct ens_grower *g, uint32_t id,
                        const uint32_t *column, size_t k,
                        struct ens_split *best)
{
    const struct ens_tree_node *node = &g->node[id];
    size_t bytes = k * ens_histogram_size(g->data) * sizeof(*g->one);
    int varies;

    if (is_small(node))
        return search_few(g, id, column, k, best);
    ens_histogram_add(g->data, g->index + node->begin, node->end - node->begin,
                      column, k, g->one);
    varies = search_many(g, id, column, k, g->one, best);
    memset(g->one, 0, bytes);
    return varies;
}

/* mtry columns at random, then one by one until one differs. */
static void draw_columns(struct ens_grower *g, uint32_t id,
                         struct ens_split *best)
{
    size_t done = 0, n = g->rule.mtry;
    int varies = 0;

    while (!varies && done < g->n_columns) {
        for (size_t k = done; k < done + n; k++) {
            size_t at = k + (size_t)g->host->below(g->rng, g->n_columns - k);
            uint32_t swap = g->column[k];

            g->column[k] = g->column[at];
            g->column[at] = swap;
        }
        varies = search_drawn(g, id, g->column + done, n, best);
        done += n;
        n = 1;
    }
}

static int draws(const struct ens_grower *g)
{
    return g->rule.mtry < g->n_columns;
}

/* A gain that is asked for is more than rounding of the sums. */
static int is_worth(const struct ens_grower *g, const struct ens_waiting *w)
{
    return w->split.score > -INFINITY && w->gain > g->rule.min_gain &&
           (g->rule.min_gain < 0 || w->gain > ROUNDING * fabs(w->split.score));
}

/* Let a leaf wait if it has a split. The histogram (NULL: none) is taken. */
static enum ens_status consider(struct ens_grower *g, uint32_t id,
                                double *histogram, struct ens_error *err)
{
    struct ens_waiting w = {id, 0, {.score = -INFINITY}, histogram}, *to;

    if (draws(g))
        draw_columns(g, id, &w.split);
    else if (histogram != NULL)
        search_many(g, id, g->column, g->n_columns, histogram, &w.split);
    else
        search_few(g, id, g->column, g->n_columns, &w.split);
    w.gain =
        w.split.score - ens_split_score(&g->rule, g->data,
                                        g->sum + id * ens_tree_sums(g->data));
    if (!is_worth(g, &w)) {
        give(g, histogram);
        return ENS_OK;
    }
    if (is_small(&g->node[id])) {
        give(g, histogram);
        w.histogram = NULL;
    }
    to = reserve(g->waiting, g->n_waiting, &g->waiting_cap, sizeof(*to));
    if (to == NULL) {
        give(g, w.histogram);
        return no_memory(g, err);
    }
    g->waiting = to;
    g->waiting[g->n_waiting++] = w;
    return ENS_OK;
}

/* The one to be split next, which waits no longer. */
static struct ens_waiting next_waiting(struct ens_grower *g)
{
    size_t best = g->n_waiting - 1;
    struct ens_waiting w;

    for (size_t i = 0; g->rule.leaves > 0 && i < g->n_waiting; i++)
        if (g->waiting[i].gain > g->waiting[best].gain)
            best = i;
    w = g->waiting[best];
    g->waiting[best] = g->waiting[--g->n_waiting];
    return w;
}

/* Rows in order left, then right; where the right ones begin. */
static uint32_t part(struct ens_grower *g, const struct ens_tree_node *node,
                     const struct ens_split *split)
{
    uint32_t *index = g->index, *spare = g->spare;
    uint32_t left = node->begin, right = 0;

    for (uint32_t i = node->begin; i < node->end; i++) {
        uint32_t at = index[i];
        uint32_t ahead = index[i + AHEAD < node->end ? i + AHEAD : i];
        int is_left = ens_tree_code(g->data, at)[split->column] <= split->bin;

        __builtin_prefetch(ens_tree_code(g->data, ahead) + split->column);
        index[left] = at;
        spare[right] = at;
        left += (uint32_t)is_left;
        right += (uint32_t)!is_left;
    }
    memcpy(index + left, spare, right * sizeof(*index));
    return left;
}

/* Histograms of two parts from that of the whole, which becomes that of
 * `large`; NULL where they are not needed. */
static enum ens_status divide(struct ens_grower *g, uint32_t large,
                              uint32_t small, double **of_large,
                              double **of_small, struct ens_error *err)
{
    *of_small = NULL;
    if (*of_large == NULL)
        return ENS_OK;
    if (is_small(&g->node[large])) {
        give(g, *of_large);
        *of_large = NULL;
        return ENS_OK;
    }
    *of_small = take(g);
    if (*of_small == NULL)
        return no_memory(g, err);
    fill(g, &g->node[small], *of_small);
    ens_histogram_subtract(*of_large, *of_small, histogram_doubles(g));
    return ENS_OK;
}

static enum ens_status split(struct ens_grower *g, struct ens_waiting w,
                             struct ens_error *err)
{
    struct ens_tree_node node = g->node[w.node];
    uint32_t middle = part(g, &node, &w.split), left, right, large, small;
    double *of_large = w.histogram, *of_small = NULL;
    int large_can, small_can;
    enum ens_status s = ENS_OK;

    left = add_node(g, node.begin, middle, node.depth + 1);
    right = add_node(g, middle, node.end, node.depth + 1);
    if (left == ENS_TREE_LEAF || right == ENS_TREE_LEAF) {
        give(g, of_large);
        return no_memory(g, err);
    }
    node.threshold = w.split.threshold;
    node.column = w.split.column;
    node.bin = w.split.bin;
    node.child = left;
    g->node[w.node] = node;
    large = middle - node.begin < node.end - middle ? right : left;
    small = large == left ? right : left;
    large_can = measure(g, large);
    small_can = measure(g, small);
    if (large_can || small_can)
        s = divide(g, large, small, &of_large, &of_small, err);
    if (s == ENS_OK && large_can) {
        s = consider(g, large, of_large, err);
        of_large = NULL;
    }
    if (s == ENS_OK && small_can) {
        s = consider(g, small, of_small, err);
        of_small = NULL;
    }
    give(g, of_large);
    give(g, of_small);
    return s;
}

enum ens_status ens_tree_grow(struct ens_grower *g, uint32_t n,
                              struct ens_error *err)
{
    double *histogram = NULL;
    enum ens_status s = ENS_OK;
    size_t n_leaves = 1;

    g->n_nodes = 0;
    if (add_node(g, 0, n, 0) == ENS_TREE_LEAF)
        return no_memory(g, err);
    if (!measure(g, 0))
        return ENS_OK;
    if (!draws(g) && !is_small(&g->node[0])) {
        histogram = take(g);
        if (histogram == NULL)
            return no_memory(g, err);
        fill(g, &g->node[0], histogram);
    }
    s = consider(g, 0, histogram, err);
    while (s == ENS_OK && g->n_waiting > 0 &&
           (g->rule.leaves == 0 || n_leaves < g->rule.leaves)) {
        s = split(g, next_waiting(g), err);
        n_leaves++;
    }
    while (g->n_waiting > 0)
        give(g, g->waiting[--g->n_waiting].histogram);
    return s;
}

uint32_t ens_grower_leaf(const struct ens_grower *g, uint32_t position)
{
    const uint8_t *code = ens_tree_code(g->data, position);
    uint32_t at = 0;

    while (g->node[at].column != ENS_TREE_LEAF)
        at = g->node[at].child + (code[g->node[at].column] > g->node[at].bin);
    return at;
}

/* From the leaves up: a node whose subtree is not worth its leaves becomes
 * one. Its children stay behind, of no use. */
enum ens_status ens_grower_prune(struct ens_grower *g, double scale,
                                 double alpha, struct ens_error *err)
{
    size_t sums = ens_tree_sums(g->data);
    struct cost {
        double score; /* of the leaves below */
        double leaves;
    } *cost = malloc(g->n_nodes * sizeof(*cost));

    if (cost == NULL)
        return no_memory(g, err);
    for (size_t i = g->n_nodes; i-- > 0;) {
        struct ens_tree_node *node = &g->node[i];
        struct cost alone = {
            ens_split_score(&g->rule, g->data, g->sum + i * sums), 1};

        cost[i] = alone;
        if (node->column == ENS_TREE_LEAF)
            continue;
        cost[i].score = cost[node->child].score + cost[node->child + 1].score;
        cost[i].leaves =
            cost[node->child].leaves + cost[node->child + 1].leaves;
        if (cost[i].score - alone.score > scale * alpha * (cost[i].leaves - 1))
            continue;
        node->column = ENS_TREE_LEAF;
        cost[i] = alone;
    }
    free(cost);
    return ENS_OK;
}

uint64_t ens_grower_memory(const struct ens_tree_rule *rule, size_t n_sums,
                           uint64_t n, size_t p)
{
    uint64_t size = (ENS_BINS_MAX * n_sums + 8) * sizeof(double), kept = 2;

    if (rule->mtry < p)
        return 8 * n + rule->mtry * size;
    for (uint64_t m = n; m > ENS_TREE_BLOCK; m /= 2)
        kept++;
    if (rule->leaves > 0) /* any of them may wait */
        kept = rule->leaves < n / ENS_TREE_BLOCK ? rule->leaves
                                                 : n / ENS_TREE_BLOCK;
    return 8 * n + (kept + 2) * p * size;
}
