/* A random forest: trees on bootstrap samples, each node of which looks at
 * `mtry` columns drawn at random (as in scikit-learn at more, one by one,
 * while all of them are constant in the node). Breiman (2001),
 * doi:10.1023/A:1010933404324. Probabilities are means of the trees'. */
#include "learn/learners/learners.h"

#include "learn/trees/means.h"
#include "learn/trees/model.h"

#include <math.h>
#include <string.h>

/* A sample may miss the few rows that have weight. */
#define TRIES 100

struct forest {
    struct ens_tree_rule rule; /* criterion and mtry are set in fit */
    size_t trees, mtry;
    double sample;
    int replace, entropy;
    size_t n_sums, n_values; /* for memory */
};

const struct ens_setting ens_learner_forest_settings[] = {
    {.section = "learner",
     .key = "trees",
     .type = ENS_T_INT,
     .shape = ENS_AXIS,
     .cls = ENS_C_CELL,
     .def = "100",
     .min = 1,
     .max = 1e6,
     .help = "how many"},
    {.section = "learner",
     .key = "mtry",
     .type = ENS_T_INT,
     .shape = ENS_AXIS,
     .cls = ENS_C_CELL,
     .def = "0",
     .min = 0,
     .max = 1e9,
     .unit = "columns",
     .help = "columns drawn for a split; all when there are fewer; 0: the root "
             "of their number for classes, a third for numbers, as R's "
             "randomForest (scikit-learn: the root, all)"},
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
     .def = "0",
     .min = 0,
     .max = 1e9,
     .unit = "rows",
     .help = "distinct rows of a leaf, at least; 0: 1 for classes, 5 for "
             "numbers"},
    {.section = "learner",
     .key = "sample",
     .type = ENS_T_NUM,
     .shape = ENS_AXIS,
     .cls = ENS_C_CELL,
     .def = "1",
     .min = 1e-9,
     .max = 1,
     .help = "rows drawn for a tree, as a share of all"},
    {.section = "learner",
     .key = "replace",
     .type = ENS_T_BOOL,
     .shape = ENS_AXIS,
     .cls = ENS_C_CELL,
     .def = "yes",
     .help = "yes: a row may be drawn more than once"},
    {.section = "learner",
     .key = "criterion",
     .type = ENS_T_CHOICE,
     .shape = ENS_AXIS,
     .cls = ENS_C_CELL,
     .def = "gini",
     .choices = "gini|entropy",
     .help = "impurity of classes; of numbers it is always the variance"},
};

static enum ens_status options(const struct ens_learn_setup *setup,
                               const void **options, struct ens_error *err)
{
    struct forest *o = setup->alloc(setup, 1, sizeof(*o));
    int classes = setup->family == ENS_OUTCOME_BINOMIAL ||
                  setup->family == ENS_OUTCOME_MULTINOMIAL;
    int64_t depth, min_leaf;

    if (o == NULL)
        return setup->host->fail(err, ENS_ENOMEMORY, "options");
    depth = setup->value(setup, "depth")->i;
    min_leaf = setup->value(setup, "min_leaf")->i;
    o->trees = (size_t)setup->value(setup, "trees")->i;
    o->mtry = (size_t)setup->value(setup, "mtry")->i;
    o->sample = setup->value(setup, "sample")->d;
    o->replace = setup->value(setup, "replace")->i != 0;
    o->entropy = strcmp(setup->value(setup, "criterion")->text, "entropy") == 0;
    o->rule.depth = depth == 0 ? UINT32_MAX : (uint32_t)depth;
    o->rule.min_leaf = min_leaf > 0 ? (double)min_leaf : classes ? 1 : 5;
    o->rule.min_split = 2;
    o->rule.min_gain = -INFINITY;
    if (o->mtry == 0) /* until p is known: what it is of p */
        o->mtry = classes ? SIZE_MAX : SIZE_MAX - 1;
    o->n_sums = ens_means_sums(setup->family, setup->n_classes);
    if (setup->family == ENS_OUTCOME_MULTINOMIAL)
        o->n_values = setup->n_classes;
    *options = o;
    return ENS_OK;
}

static size_t mtry_of(const struct forest *o, size_t p)
{
    size_t m = o->mtry;

    if (m == SIZE_MAX)
        m = (size_t)sqrt((double)p);
    else if (m == SIZE_MAX - 1)
        m = p / 3;
    return m < 1 ? 1 : m > p ? p : m;
}

static uint64_t memory(const void *options, uint64_t n, size_t p)
{
    const struct forest *o = options;
    struct ens_tree_rule rule = o->rule;
    uint64_t leaves = (uint64_t)((double)n * o->sample / rule.min_leaf) + 1;

    rule.mtry = mtry_of(o, p);
    if (rule.depth < 63 && leaves > (uint64_t)1 << rule.depth)
        leaves = (uint64_t)1 << rule.depth;
    return ens_grower_memory(&rule, o->n_sums, n, p) + 16 * n +
           o->trees * ens_trees_bytes(leaves, o->n_values);
}

static void draw(const struct ens_learn_job *job, struct ens_rng *rng,
                 const struct forest *o, struct ens_tree_data *d)
{
    uint32_t n = d->n, m = (uint32_t)ceil(o->sample * n);

    for (uint32_t i = 0; i < n; i++)
        d->stat[2 * (size_t)i] = 0;
    for (uint32_t i = 0; o->replace && i < m; i++)
        d->stat[2 * (size_t)job->host->below(rng, n)] += 1;
    for (uint32_t i = 0; !o->replace && i < n && m > 0; i++) {
        if (job->host->below(rng, n - i) >= m)
            continue;
        d->stat[2 * (size_t)i] = 1;
        m--;
    }
}

static void weigh(struct ens_means *m)
{
    const struct ens_rows *r = m->rows;
    double w[ENS_LEARN_BLOCK];

    for (uint64_t at = 0; r->weighted && at < r->n; at += ENS_LEARN_BLOCK) {
        size_t n =
            r->n - at < ENS_LEARN_BLOCK ? (size_t)(r->n - at) : ENS_LEARN_BLOCK;

        r->w(r, at, n, w);
        for (size_t i = 0; i < n; i++)
            m->data.stat[2 * (at + i)] *= w[i];
    }
}

static enum ens_status grow(const struct ens_learn_job *job,
                            const struct forest *o, struct ens_means *m,
                            struct ens_grower *g, struct ens_trees *trees,
                            struct ens_error *err)
{
    enum ens_status s;
    uint32_t n = 0;

    for (int k = 0; n == 0 && k < TRIES; k++) {
        draw(job, g->rng, o, &m->data);
        weigh(m);
        n = ens_means_index(m, g->index);
    }
    if (n == 0)
        return job->host->fail(err, ENS_EDOMAIN,
                               "%d samples of rows have no weight", TRIES);
    s = ens_tree_grow(g, n, err);
    return s == ENS_OK ? ens_trees_add(trees, job, g, ens_means_leaf, m, err)
                       : s;
}

static enum ens_status fit(const struct ens_learn_job *job,
                           const struct ens_rows *train, struct ens_error *err)
{
    const struct forest *o = job->options;
    struct ens_tree_rule rule = o->rule;
    struct ens_trees trees;
    struct ens_means m;
    struct ens_grower g;
    enum ens_status s;

    s = ens_means_init(&m, job, train, o->entropy, 1, err);
    if (s != ENS_OK)
        return s;
    rule.criterion = m.criterion;
    rule.mtry = mtry_of(o, train->p);
    s = ens_trees_init(&trees, job, ENS_TREES_MEAN, train->p, o->trees, err);
    if (s != ENS_OK)
        return s;
    s = ens_grower_init(&g, job->host, &m.data, &rule, err);
    if (s != ENS_OK)
        return s;
    g.rng = job->host->rng(job->result, "fit");
    for (size_t i = 0; s == ENS_OK && i < o->trees; i++)
        s = grow(job, o, &m, &g, &trees, err);
    if (s == ENS_OK)
        s = ens_trees_finish(&trees, job, trees.n, NULL, err);
    ens_grower_fini(&g);
    return s;
}

const struct ens_learner ens_learner_forest = {
    .families = ENS_LEARN_ALL,
    .uses = ENS_LEARN_BINS | ENS_LEARN_WEIGHTS,
    .options = options,
    .memory = memory,
    .fit = fit,
    .predict = ens_trees_predict,
};
