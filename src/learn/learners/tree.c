/* A classification or regression tree (CART), on columns in bins: where a
 * column has at most 256 distinct values the same splits as on the values.
 *
 * Breiman, Friedman, Olshen and Stone (1984); as in scikit-learn a node is
 * split while its responses differ, at the middle of two values. */
#include "learn/learners/learners.h"

#include "learn/trees/means.h"
#include "learn/trees/model.h"

#include <math.h>
#include <string.h>

struct tree {
    struct ens_tree_rule rule; /* criterion and mtry are set in fit */
    int entropy;
    double alpha;
    size_t n_sums; /* for memory */
};

const struct ens_setting ens_learner_tree_settings[] = {
    {.section = "learner",
     .key = "depth",
     .type = ENS_T_INT,
     .shape = ENS_AXIS,
     .cls = ENS_C_CELL,
     .def = "0",
     .min = 0,
     .max = 1000000,
     .help = "splits between root and leaf, at most; 0: no limit"},
    {.section = "learner",
     .key = "min_leaf",
     .type = ENS_T_INT,
     .shape = ENS_AXIS,
     .cls = ENS_C_CELL,
     .def = "1",
     .min = 1,
     .max = 1e9,
     .unit = "rows",
     .help = "rows of a leaf, at least"},
    {.section = "learner",
     .key = "min_split",
     .type = ENS_T_INT,
     .shape = ENS_AXIS,
     .cls = ENS_C_CELL,
     .def = "2",
     .min = 2,
     .max = 1e9,
     .unit = "rows",
     .help = "rows of a node that is split, at least"},
    {.section = "learner",
     .key = "leaves",
     .type = ENS_T_INT,
     .shape = ENS_AXIS,
     .cls = ENS_C_CELL,
     .def = "0",
     .min = 0,
     .max = 1e6,
     .help = "leaves at most, grown best first; 0: no limit"},
    {.section = "learner",
     .key = "criterion",
     .type = ENS_T_CHOICE,
     .shape = ENS_AXIS,
     .cls = ENS_C_CELL,
     .def = "gini",
     .choices = "gini|entropy",
     .help = "impurity of classes; of numbers it is always the variance"},
    {.section = "learner",
     .key = "alpha",
     .type = ENS_T_NUM,
     .shape = ENS_AXIS,
     .cls = ENS_C_CELL,
     .def = "0",
     .min = 0,
     .max = 1e300,
     .help = "cost of a leaf, in impurity per row, by which the tree is pruned "
             "(ccp_alpha of scikit-learn); 0: it is not"},
};

static enum ens_status options(const struct ens_learn_setup *setup,
                               const void **options, struct ens_error *err)
{
    struct tree *o = setup->alloc(setup, 1, sizeof(*o));
    uint32_t depth;

    if (o == NULL)
        return setup->host->fail(err, ENS_ENOMEMORY, "options");
    depth = (uint32_t)setup->value(setup, "depth")->i;
    o->rule.depth = depth == 0 ? UINT32_MAX : depth;
    o->rule.leaves = (uint32_t)setup->value(setup, "leaves")->i;
    o->rule.min_leaf = (double)setup->value(setup, "min_leaf")->i;
    o->rule.min_split = (double)setup->value(setup, "min_split")->i;
    o->rule.min_gain = -INFINITY;
    o->entropy = strcmp(setup->value(setup, "criterion")->text, "entropy") == 0;
    o->alpha = setup->value(setup, "alpha")->d;
    o->n_sums = ens_means_sums(setup->family, setup->n_classes);
    *options = o;
    return ENS_OK;
}

static uint64_t memory(const void *options, uint64_t n, size_t p)
{
    const struct tree *o = options;
    struct ens_tree_rule rule = o->rule;

    rule.mtry = p;
    return ens_grower_memory(&rule, o->n_sums, n, p) + 16 * n;
}

/* In what units the score falls: impurities of scikit-learn, per row. Gini of
 * two classes is twice the variance of their 0 and 1. */
static double scale(const struct ens_means *m)
{
    int is_gini = m->criterion == ENS_TREE_SQUARES &&
                  m->rows->family == ENS_OUTCOME_BINOMIAL;

    return is_gini ? m->weight / 2 : m->weight;
}

static enum ens_status grow(const struct ens_learn_job *job,
                            const struct tree *o, const struct ens_means *m,
                            struct ens_grower *g, struct ens_error *err)
{
    struct ens_trees trees;
    enum ens_status s;

    s = ens_tree_grow(g, ens_means_index(m, g->index), err);
    if (s == ENS_OK && o->alpha > 0)
        s = ens_grower_prune(g, scale(m), o->alpha, err);
    if (s == ENS_OK)
        s = ens_trees_init(&trees, job, ENS_TREES_MEAN, m->data.p, 1, err);
    if (s == ENS_OK)
        s = ens_trees_add(&trees, job, g, ens_means_leaf, m, err);
    if (s == ENS_OK)
        s = ens_trees_finish(&trees, job, 1, NULL, err);
    return s;
}

static enum ens_status fit(const struct ens_learn_job *job,
                           const struct ens_rows *train, struct ens_error *err)
{
    const struct tree *o = job->options;
    struct ens_tree_rule rule = o->rule;
    struct ens_means m;
    struct ens_grower g;
    enum ens_status s;

    s = ens_means_init(&m, job, train, o->entropy, 0, err);
    if (s != ENS_OK)
        return s;
    rule.criterion = m.criterion;
    rule.mtry = train->p;
    s = ens_grower_init(&g, job->host, &m.data, &rule, err);
    if (s != ENS_OK)
        return s;
    s = grow(job, o, &m, &g, err);
    ens_grower_fini(&g);
    return s;
}

const struct ens_learner ens_learner_tree = {
    .families = ENS_LEARN_ALL,
    .uses = ENS_LEARN_BINS | ENS_LEARN_WEIGHTS,
    .options = options,
    .memory = memory,
    .fit = fit,
    .predict = ens_trees_predict,
};
