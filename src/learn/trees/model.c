#include "learn/trees/model.h"

#include "learn/trees/loss.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK 1024      /* rows that go through a tree before the next */
#define MOST  (1 << 20) /* doubles of them, unless that is under GROUP rows */
#define GROUP 16        /* of them side by side */

struct head {
    uint64_t magic;
    uint32_t link, n_out;
    uint64_t p, n_trees, n_nodes, n_values;
};

struct place {
    uint64_t node, value;
};

struct node {
    double threshold;
    uint32_t column, child;
};

struct ens_kept_tree {
    uint64_t n_nodes, n_values;
    struct node *node;
    double *value;
};

_Static_assert(sizeof(struct head) == 48, "as drawn");
_Static_assert(sizeof(struct node) == 16, "as drawn");

enum ens_status ens_trees_init(struct ens_trees *t,
                               const struct ens_learn_job *job,
                               enum ens_tree_link link, size_t p, size_t cap,
                               struct ens_error *err)
{
    *t = (struct ens_trees){link, job->n_out, p, NULL, 0, cap};
    t->tree = job->alloc(job, cap, sizeof(*t->tree));
    return t->tree != NULL
               ? ENS_OK
               : job->host->fail(err, ENS_ENOMEMORY, "%zu trees", cap);
}

uint64_t ens_trees_bytes(uint64_t n_leaves, size_t n_values)
{
    return 2 *
           (n_leaves * (2 * sizeof(struct node) + n_values * sizeof(double)) +
            sizeof(struct place));
}

/* Numbers of the nodes that the root leads to, in their order, to[i]; how many
 * there are. Those that it does not: ENS_TREE_LEAF. */
static uint32_t number(const struct ens_grower *g, uint32_t *to)
{
    uint32_t n = 0;

    memset(to, 0xff, g->n_nodes * sizeof(*to));
    to[0] = 0;
    for (size_t i = 0; i < g->n_nodes; i++) {
        if (to[i] == ENS_TREE_LEAF)
            continue;
        to[i] = n++;
        if (g->node[i].column != ENS_TREE_LEAF)
            to[g->node[i].child] = to[g->node[i].child + 1] = 0;
    }
    return n;
}

static int gives_all(enum ens_tree_link link, size_t n_out)
{
    return link == ENS_TREES_MEAN && n_out > 1;
}

static void keep(struct ens_kept_tree *tree, const struct ens_trees *t,
                 const struct ens_grower *g, const uint32_t *to,
                 ens_leaf_fn *leaf, const void *arg)
{
    size_t sums = ens_tree_sums(g->data);
    int all = gives_all(t->link, t->n_out);

    for (size_t i = 0; i < g->n_nodes; i++) {
        const struct ens_tree_node *from = &g->node[i];
        struct node *node = &tree->node[to[i]];

        if (to[i] == ENS_TREE_LEAF)
            continue;
        *node = (struct node){from->threshold, from->column, 0};
        if (from->column != ENS_TREE_LEAF) {
            node->child = to[from->child];
        } else if (!all) {
            leaf(arg, g->sum + i * sums, &node->threshold);
        } else {
            node->threshold = 0;
            node->child = (uint32_t)(tree->n_values / t->n_out);
            leaf(arg, g->sum + i * sums, tree->value + tree->n_values);
            tree->n_values += t->n_out;
        }
    }
}

enum ens_status ens_trees_add(struct ens_trees *t,
                              const struct ens_learn_job *job,
                              const struct ens_grower *g, ens_leaf_fn *leaf,
                              const void *arg, struct ens_error *err)
{
    struct ens_kept_tree *tree = &t->tree[t->n];
    uint32_t *to = malloc(g->n_nodes * sizeof(*to)), n;

    if (to == NULL)
        goto no_memory;
    n = number(g, to);
    tree->n_nodes = n;
    tree->node = job->alloc(job, n, sizeof(*tree->node));
    if (gives_all(t->link, t->n_out))
        tree->value =
            job->alloc(job, (n / 2 + 1) * t->n_out, sizeof(*tree->value));
    if (tree->node == NULL ||
        (gives_all(t->link, t->n_out) && tree->value == NULL))
        goto no_memory;
    keep(tree, t, g, to, leaf, arg);
    t->n++;
    free(to);
    return ENS_OK;

no_memory:
    free(to);
    return job->host->fail(err, ENS_ENOMEMORY, "tree %zu", t->n + 1);
}

/* Where the parts of a model begin; 0 when it is damaged. */
struct parts {
    const double *base;
    const struct place *first;
    const struct node *node;
    const double *value;
};

static int add_part(uint64_t *at, uint64_t n, size_t size, uint64_t bytes)
{
    if (n > (bytes - *at) / size)
        return 0;
    *at += n * size;
    return 1;
}

static int parts_of(const struct ens_learn_model *m, struct parts *p)
{
    const struct head *h = m->data;
    const char *data = m->data;
    uint64_t at = sizeof(*h), first, node, value;

    if (m->bytes < sizeof(*h) || h->magic != ENS_TREES_MAGIC ||
        !add_part(&at, h->n_out, sizeof(double), m->bytes))
        return 0;
    first = at;
    if (h->n_trees == UINT64_MAX ||
        !add_part(&at, h->n_trees + 1, sizeof(struct place), m->bytes))
        return 0;
    node = at;
    if (!add_part(&at, h->n_nodes, sizeof(struct node), m->bytes))
        return 0;
    value = at;
    if (!add_part(&at, h->n_values, sizeof(double), m->bytes) || at != m->bytes)
        return 0;
    p->base = (const double *)(const void *)(data + sizeof(*h));
    p->first = (const struct place *)(const void *)(data + first);
    p->node = (const struct node *)(const void *)(data + node);
    p->value = (const double *)(const void *)(data + value);
    return 1;
}

static struct head head_of(const struct ens_trees *t, size_t n)
{
    struct head h = {.magic = ENS_TREES_MAGIC,
                     .link = t->link,
                     .n_out = (uint32_t)t->n_out,
                     .p = t->p,
                     .n_trees = n};

    for (size_t i = 0; i < n; i++) {
        h.n_nodes += t->tree[i].n_nodes;
        h.n_values += t->tree[i].n_values;
    }
    return h;
}

static char *put(char *to, const void *from, uint64_t n, size_t size)
{
    if (n > 0)
        memcpy(to, from, (size_t)n * size);
    return to + (size_t)n * size;
}

enum ens_status ens_trees_finish(const struct ens_trees *t,
                                 const struct ens_learn_job *job, size_t n,
                                 const double *base, struct ens_error *err)
{
    struct head h = head_of(t, n);
    struct place at = {0, 0};
    uint64_t bytes = sizeof(h) + t->n_out * sizeof(*base) +
                     (n + 1) * sizeof(at) + h.n_nodes * sizeof(struct node) +
                     h.n_values * sizeof(*base);
    char *to = job->model(job, bytes);

    if (to == NULL)
        return job->host->fail(err, ENS_ENOMEMORY, "model of %llu bytes",
                               (unsigned long long)bytes);
    to = put(to, &h, 1, sizeof(h));
    if (base != NULL)
        memcpy(to, base, t->n_out * sizeof(*base));
    to += t->n_out * sizeof(*base); /* it came zeroed */
    for (size_t i = 0; i <= n; i++) {
        to = put(to, &at, 1, sizeof(at));
        at.node += i < n ? t->tree[i].n_nodes : 0;
        at.value += i < n ? t->tree[i].n_values : 0;
    }
    for (size_t i = 0; i < n; i++)
        to = put(to, t->tree[i].node, t->tree[i].n_nodes, sizeof(struct node));
    for (size_t i = 0; i < n; i++)
        to = put(to, t->tree[i].value, t->tree[i].n_values, sizeof(*base));
    return ENS_OK;
}

/* A tree of a model, within its bounds. */
struct tree {
    const struct node *node;
    const double *value;
    uint64_t n_nodes, n_values;
    size_t p, n_out;
};

static int tree_of(const struct head *h, const struct parts *parts, uint64_t i,
                   struct tree *t)
{
    struct place a = parts->first[i], b = parts->first[i + 1];

    if (a.node >= b.node || b.node > h->n_nodes || a.value > b.value ||
        b.value > h->n_values)
        return 0;
    *t = (struct tree){parts->node + a.node,
                       parts->value + a.value,
                       b.node - a.node,
                       b.value - a.value,
                       h->p,
                       h->n_out};
    return 1;
}

/* The leaves of n <= GROUP rows, side by side: while one waits for memory the
 * others go on. 0: the tree is damaged. */
static int walk(const struct tree *t, const double *x, size_t n,
                const struct node **leaf)
{
    uint64_t at[GROUP] = {0};
    int moves = 1;

    while (moves) {
        moves = 0;
        for (size_t k = 0; k < n; k++) {
            const struct node *node = &t->node[at[k]];

            if (node->column == ENS_TREE_LEAF)
                continue;
            if (node->column >= t->p || node->child <= at[k] ||
                node->child >= t->n_nodes - 1)
                return 0;
            at[k] = (uint64_t)node->child +
                    !(x[k * t->p + node->column] <= node->threshold);
            moves = 1;
        }
    }
    for (size_t k = 0; k < n; k++)
        leaf[k] = &t->node[at[k]];
    return 1;
}

static int add_leaf(const struct tree *t, int all, size_t only,
                    const struct node *leaf, double *to)
{
    if (!all) {
        to[only] += leaf->threshold;
        return 1;
    }
    if ((leaf->child + (uint64_t)1) * t->n_out > t->n_values)
        return 0;
    for (size_t k = 0; k < t->n_out; k++)
        to[k] += t->value[leaf->child * t->n_out + k];
    return 1;
}

/* Adds a tree's values of n rows to out: to all outputs, or to `only`. */
static int add_tree(const struct tree *t, int all, size_t only, const double *x,
                    size_t n, double *out)
{
    const struct node *leaf[GROUP];

    for (size_t i = 0; i < n; i += GROUP) {
        size_t rows = n - i < GROUP ? n - i : GROUP;

        if (!walk(t, x + i * t->p, rows, leaf))
            return 0;
        for (size_t k = 0; k < rows; k++)
            if (!add_leaf(t, all, only, leaf[k], out + (i + k) * t->n_out))
                return 0;
    }
    return 1;
}

static int add_trees(const struct head *h, const struct parts *parts,
                     const double *x, size_t n, double *out)
{
    int all = gives_all((enum ens_tree_link)h->link, h->n_out);

    memset(out, 0, n * h->n_out * sizeof(*out));
    for (uint64_t i = 0; i < h->n_trees; i++) {
        struct tree t;

        if (!tree_of(h, parts, i, &t) ||
            !add_tree(&t, all, (size_t)(i % h->n_out), x, n, out))
            return 0;
    }
    for (size_t i = 0; i < n * h->n_out; i++) {
        if (h->link == ENS_TREES_MEAN)
            out[i] /= (double)h->n_trees;
        out[i] += parts->base[i % h->n_out];
    }
    ens_loss_link((enum ens_tree_link)h->link, h->n_out, n, out);
    return 1;
}

enum ens_status ens_trees_predict(const struct ens_learn_job *job,
                                  const struct ens_learn_model *model,
                                  const struct ens_rows *train,
                                  const struct ens_rows *at, uint64_t first,
                                  size_t n, double *out, struct ens_error *err)
{
    const struct head *h = model->data;
    struct parts parts;
    size_t rows = n < BLOCK ? n : BLOCK;
    double *x;
    int ok = 1;

    (void)train;
    if (!parts_of(model, &parts) || h->n_out != job->n_out ||
        h->link > ENS_TREES_SOFTMAX || h->p != at->p)
        return job->host->fail(err, ENS_EDOMAIN, "trees: damaged model");
    while (rows > GROUP && rows * at->p > MOST)
        rows /= 2;
    x = malloc(rows * at->p * sizeof(*x) + 1);
    if (x == NULL)
        return job->host->fail(err, ENS_ENOMEMORY, "%zu rows", rows);
    for (size_t i = 0; ok && i < n; i += rows) {
        if (n - i < rows)
            rows = n - i;
        at->x(at, first + i, rows, x);
        ok = add_trees(h, &parts, x, rows, out + i * h->n_out);
    }
    free(x);
    return ok ? ENS_OK
              : job->host->fail(err, ENS_EDOMAIN, "trees: damaged model");
}
