/* Gradient boosting on histograms: trees of second-order steps (Friedman 2001,
 * doi:10.1214/aos/1013203451; Chen and Guestrin 2016,
 * doi:10.1145/2939672.2939785). The loss is the family's: squared error,
 * logistic, multinomial (a tree per class and round), poisson with a log link.
 */
#include "learn/learners/learners.h"

#include "learn/trees/loss.h"
#include "learn/trees/model.h"

#include <math.h>
#include <string.h>

#define BLOCK ENS_LEARN_BLOCK

struct boost {
    struct ens_tree_rule rule;
    size_t rounds, patience;
    double rate, subsample, colsample, validation;
    size_t n_out; /* for memory */
};

#define NUMBER(k, t, d, low, high, u, text)                                    \
    {                                                                          \
        .section = "learner", .key = k, .type = t, .shape = ENS_AXIS,          \
        .cls = ENS_C_CELL, .def = d, .min = low, .max = high, .unit = u,       \
        .help = text                                                           \
    }

const struct ens_setting ens_learner_boost_settings[] = {
    NUMBER("rounds", ENS_T_INT, "100", 1, 1e6, NULL, "how many, at most"),
    NUMBER("rate", ENS_T_NUM, "0.1", 1e-9, 1, NULL,
           "what of each step is taken"),
    NUMBER("leaves", ENS_T_INT, "31", 0, 1e6, NULL,
           "leaves of a tree at most, grown best first; 0: no limit"),
    NUMBER("depth", ENS_T_INT, "0", 0, 1000000, NULL,
           "splits between root and leaf, at most; 0: no limit"),
    NUMBER("min_leaf", ENS_T_INT, "20", 1, 1e9, "rows",
           "rows of a leaf, at least"),
    NUMBER("min_child_weight", ENS_T_NUM, "0.001", 0, 1e300, NULL,
           "second derivatives of the loss in a leaf, their sum, at least"),
    NUMBER("l2", ENS_T_NUM, "0", 0, 1e300, NULL,
           "added to that sum: shrinks the values of leaves (lambda of "
           "xgboost)"),
    NUMBER("min_gain", ENS_T_NUM, "0", 0, 1e300, NULL,
           "a split must lower the loss by more (gamma of xgboost)"),
    NUMBER("subsample", ENS_T_NUM, "1", 1e-9, 1, NULL,
           "rows drawn for a tree, as a share of all, without replacement"),
    NUMBER("colsample", ENS_T_NUM, "1", 1e-9, 1, NULL,
           "columns drawn for a tree, as a share of all"),
    NUMBER("patience", ENS_T_INT, "0", 0, 1e6, "rounds",
           "rounds without a better loss of the validation rows after which "
           "it stops, and keeps the best; 0: it does not"),
    NUMBER("validation", ENS_T_NUM, "0.1", 1e-9, 0.9, NULL,
           "rows held out at random for patience, as a share of all"),
};

static enum ens_status options(const struct ens_learn_setup *setup,
                               const void **options, struct ens_error *err)
{
    struct boost *o = setup->alloc(setup, 1, sizeof(*o));
    int64_t depth;

    if (o == NULL)
        return setup->host->fail(err, ENS_ENOMEMORY, "options");
    depth = setup->value(setup, "depth")->i;
    o->rounds = (size_t)setup->value(setup, "rounds")->i;
    o->patience = (size_t)setup->value(setup, "patience")->i;
    o->rate = setup->value(setup, "rate")->d;
    o->subsample = setup->value(setup, "subsample")->d;
    o->colsample = setup->value(setup, "colsample")->d;
    o->validation = setup->value(setup, "validation")->d;
    o->rule = (struct ens_tree_rule){
        .criterion = ENS_TREE_SQUARES,
        .depth = depth == 0 ? UINT32_MAX : (uint32_t)depth,
        .leaves = (uint32_t)setup->value(setup, "leaves")->i,
        .min_split = 2,
        .min_leaf = (double)setup->value(setup, "min_leaf")->i,
        .min_weight = setup->value(setup, "min_child_weight")->d,
        .l2 = setup->value(setup, "l2")->d,
        .min_gain = 2 * setup->value(setup, "min_gain")->d,
    };
    o->n_out = setup->family == ENS_OUTCOME_MULTINOMIAL ? setup->n_classes : 1;
    *options = o;
    return ENS_OK;
}

static uint64_t memory(const void *options, uint64_t n, size_t p)
{
    const struct boost *o = options;
    struct ens_tree_rule rule = o->rule;
    uint64_t leaves = (uint64_t)((double)n / rule.min_leaf) + 1;

    rule.mtry = p;
    if (rule.leaves > 0 && leaves > rule.leaves)
        leaves = rule.leaves;
    if (rule.depth < 63 && leaves > (uint64_t)1 << rule.depth)
        leaves = (uint64_t)1 << rule.depth;
    return ens_grower_memory(&rule, 3, n, p) + (17 + 16 * o->n_out) * n +
           o->rounds * o->n_out * ens_trees_bytes(leaves, 0);
}

/* A fit under way. */
struct work {
    const struct ens_learn_job *job;
    const struct ens_rows *rows;
    const struct boost *o;
    enum ens_tree_link link;
    size_t k; /* outputs */
    struct ens_tree_data data;
    struct ens_trees trees;
    struct ens_grower g;
    double *base; /* [k] */
    double *f;    /* [n x k]: sums of the trees so far */
    double *mu;   /* [n x k]: of SOFTMAX, means when the round began */
    uint8_t *out; /* [n]: held out; NULL: none */
};

static size_t block_at(const struct ens_rows *r, uint64_t at)
{
    return r->n - at < BLOCK ? (size_t)(r->n - at) : BLOCK;
}

/* Response and weights of a block; weights of rows held out are 0. */
static void read_block(const struct work *k, uint64_t at, size_t n, int held,
                       double *y, double *w)
{
    k->rows->y(k->rows, at, n, y);
    k->rows->w(k->rows, at, n, w);
    for (size_t i = 0; k->out != NULL && i < n; i++)
        if (k->out[at + i] != held)
            w[i] = 0;
}

/* Where f starts: the best constant. */
static enum ens_status start(struct work *k, struct ens_error *err)
{
    double y[BLOCK], w[BLOCK], total = 0;

    for (uint64_t at = 0; at < k->rows->n; at += BLOCK) {
        size_t n = block_at(k->rows, at);

        read_block(k, at, n, 0, y, w);
        for (size_t i = 0; i < n; i++) {
            total += w[i];
            if (k->link != ENS_TREES_SOFTMAX)
                k->base[0] += w[i] * y[i];
            else if (y[i] >= 0 && y[i] < (double)k->k)
                k->base[(size_t)y[i]] += w[i];
            else
                return k->job->host->fail(err, ENS_EDOMAIN,
                                          "class %g of a response that has %zu",
                                          y[i], k->k);
        }
    }
    if (!(total > 0))
        return k->job->host->fail(err, ENS_EDOMAIN, "all weights are 0");
    for (size_t j = 0; j < k->k; j++) {
        double m = k->base[j] / total, least = 1e-9;

        /* A class that is not there is rare, not impossible. */
        if (k->link != ENS_TREES_SUM && m < least)
            m = least;
        if (k->link == ENS_TREES_LOGISTIC && m > 1 - least)
            m = 1 - least;
        k->base[j] = k->link == ENS_TREES_SUM        ? m
                     : k->link == ENS_TREES_LOGISTIC ? log(m / (1 - m))
                                                     : log(m);
    }
    for (size_t i = 0; i < k->data.n * k->k; i++)
        k->f[i] = k->base[i % k->k];
    return ENS_OK;
}

/* What output j of the rows contributes to a tree; positions that have weight
 * and are drawn go to the index; how many. */
static uint32_t load(struct work *k, size_t j)
{
    double y[BLOCK], w[BLOCK], mu[BLOCK];
    size_t stats = ens_tree_stats(k->data.mode);
    uint64_t draw = (uint64_t)ceil(k->o->subsample * k->data.n);
    uint32_t m = 0;

    for (uint64_t at = 0; at < k->rows->n; at += BLOCK) {
        size_t n = block_at(k->rows, at);
        const double *means =
            k->link == ENS_TREES_SOFTMAX ? k->mu + at * k->k : mu;
        double *stat = k->data.stat + stats * at;

        read_block(k, at, n, 0, y, w);
        memcpy(mu, k->f + at * k->k, n * sizeof(*mu));
        if (k->link != ENS_TREES_SOFTMAX)
            ens_loss_link(k->link, 1, n, mu);
        for (size_t i = 0; stats == 1 && i < n; i++)
            stat[i] = y[i] - mu[i];
        if (stats == 2)
            ens_loss_gradients(k->link, k->k, j, n, y, w, means, stat);
        for (size_t i = 0; i < n; i++) {
            uint64_t left = k->data.n - (at + i);
            int is_drawn =
                draw == left || (draw < left && draw > 0 &&
                                 k->job->host->below(k->g.rng, left) < draw);

            draw -= (uint64_t)is_drawn;
            k->g.index[m] = (uint32_t)(at + i);
            m += is_drawn && w[i] > 0;
        }
    }
    return m;
}

/* Columns of a tree, ascending. */
static void draw_columns(struct work *k)
{
    size_t need = k->g.n_columns, n = 0;

    for (size_t j = 0; need < k->data.p && n < need; j++)
        if (k->job->host->below(k->g.rng, k->data.p - j) < need - n)
            k->g.column[n++] = (uint32_t)j;
}

static void leaf(const void *arg, const double *sum, double *value)
{
    const struct boost *o = arg;
    double h = sum[1] + o->rule.l2;

    *value = h > 0 ? o->rate * (sum[0] / h) : 0;
}

/* Adds the tree to output j: by its leaves' rows when they are all there are,
 * else each row finds its own. */
static void step(struct work *k, size_t j, uint32_t n_grown)
{
    size_t sums = ens_tree_sums(&k->data);
    double value;

    for (uint32_t i = 0; n_grown < k->data.n && i < k->data.n; i++) {
        leaf(k->o, k->g.sum + ens_grower_leaf(&k->g, i) * sums, &value);
        k->f[i * k->k + j] += value;
    }
    for (size_t i = 0; n_grown == k->data.n && i < k->g.n_nodes; i++) {
        const struct ens_tree_node *node = &k->g.node[i];

        if (node->column != ENS_TREE_LEAF)
            continue;
        leaf(k->o, k->g.sum + i * sums, &value);
        for (uint32_t r = node->begin; r < node->end; r++)
            k->f[k->g.index[r] * k->k + j] += value;
    }
}

static void find_means(struct work *k)
{
    if (k->link != ENS_TREES_SOFTMAX)
        return;
    memcpy(k->mu, k->f, k->data.n * k->k * sizeof(*k->f));
    ens_loss_link(k->link, k->k, k->data.n, k->mu);
}

static enum ens_status boost_once(struct work *k, struct ens_error *err)
{
    enum ens_status s = ENS_OK;

    for (size_t j = 0; s == ENS_OK && j < k->k; j++) {
        uint32_t n = load(k, j);

        draw_columns(k);
        s = ens_tree_grow(&k->g, n, err);
        if (s == ENS_OK)
            s = ens_trees_add(&k->trees, k->job, &k->g, leaf, k->o, err);
        if (s == ENS_OK)
            step(k, j, n);
    }
    find_means(k);
    return s;
}

/* Loss of the rows held out. */
static double loss(const struct work *k)
{
    double y[BLOCK], w[BLOCK], mu[BLOCK], sum = 0;

    for (uint64_t at = 0; at < k->rows->n; at += BLOCK) {
        size_t n = block_at(k->rows, at);
        const double *means =
            k->link == ENS_TREES_SOFTMAX ? k->mu + at * k->k : mu;

        read_block(k, at, n, 1, y, w);
        memcpy(mu, k->f + at * k->k, n * sizeof(*mu));
        if (k->link != ENS_TREES_SOFTMAX)
            ens_loss_link(k->link, 1, n, mu);
        sum += ens_loss_sum(k->link, k->k, n, y, w, means);
    }
    return sum;
}

static enum ens_status boost(struct work *k, struct ens_error *err)
{
    enum ens_status s = start(k, err);
    size_t kept = 0, patience = k->o->patience;
    double best;

    if (s != ENS_OK)
        return s;
    find_means(k);
    best = patience > 0 ? loss(k) : 0;
    for (size_t i = 1; s == ENS_OK && i <= k->o->rounds; i++) {
        double now;

        s = boost_once(k, err);
        now = patience > 0 ? loss(k) : 0;
        if (patience == 0 || now < best) {
            best = now;
            kept = i;
        } else if (i - kept >= patience) {
            break;
        }
    }
    if (s == ENS_OK)
        s = ens_trees_finish(&k->trees, k->job, kept * k->k, k->base, err);
    return s;
}

static enum ens_status hold_out(struct work *k, struct ens_rng *rng,
                                struct ens_error *err)
{
    uint32_t n = k->data.n, draw = (uint32_t)ceil(k->o->validation * n);

    if (k->o->patience == 0)
        return ENS_OK;
    k->out = k->job->alloc(k->job, n, sizeof(*k->out));
    if (k->out == NULL)
        return k->job->host->fail(err, ENS_ENOMEMORY, "%u rows", n);
    for (uint32_t i = 0; i < n && draw > 0; i++) {
        k->out[i] = k->job->host->below(rng, n - i) < draw;
        draw -= k->out[i];
    }
    return ENS_OK;
}

static enum ens_status prepare(struct work *k, struct ens_error *err)
{
    const struct ens_learn_job *job = k->job;
    int is_plain = k->link == ENS_TREES_SUM && !k->rows->weighted;
    enum ens_status s = ens_tree_data_init(&k->data, job, k->rows, err);

    if (s != ENS_OK)
        return s;
    k->data.mode = is_plain ? ENS_TREE_RESPONSE : ENS_TREE_GRADIENT;
    k->data.stat = job->alloc(job, k->data.n * ens_tree_stats(k->data.mode),
                              sizeof(double));
    k->base = job->alloc(job, k->k, sizeof(*k->base));
    k->f = job->alloc(job, k->data.n * k->k, sizeof(*k->f));
    if (k->link == ENS_TREES_SOFTMAX)
        k->mu = job->alloc(job, k->data.n * k->k, sizeof(*k->mu));
    if (k->data.stat == NULL || k->base == NULL || k->f == NULL ||
        (k->link == ENS_TREES_SOFTMAX && k->mu == NULL))
        return job->host->fail(err, ENS_ENOMEMORY, "%u rows", k->data.n);
    return ens_trees_init(&k->trees, job, k->link, k->data.p,
                          k->o->rounds * k->k, err);
}

static enum ens_tree_link link_of(enum ens_outcome_family family)
{
    switch (family) {
    case ENS_OUTCOME_GAUSSIAN:
        return ENS_TREES_SUM;
    case ENS_OUTCOME_BINOMIAL:
        return ENS_TREES_LOGISTIC;
    case ENS_OUTCOME_POISSON:
        return ENS_TREES_EXP;
    case ENS_OUTCOME_MULTINOMIAL:
        break;
    }
    return ENS_TREES_SOFTMAX;
}

static enum ens_status fit(const struct ens_learn_job *job,
                           const struct ens_rows *train, struct ens_error *err)
{
    const struct boost *o = job->options;
    struct ens_tree_rule rule = o->rule;
    struct work k = {.job = job,
                     .rows = train,
                     .o = o,
                     .link = link_of(train->family),
                     .k = job->n_out};
    struct ens_rng *rng = job->host->rng(job->result, "fit");
    enum ens_status s = prepare(&k, err);

    if (s == ENS_OK)
        s = hold_out(&k, rng, err);
    if (s != ENS_OK)
        return s;
    rule.mtry = train->p;
    s = ens_grower_init(&k.g, job->host, &k.data, &rule, err);
    if (s != ENS_OK)
        return s;
    k.g.rng = rng;
    k.g.n_columns = (size_t)ceil(o->colsample * (double)train->p);
    s = boost(&k, err);
    ens_grower_fini(&k.g);
    return s;
}

const struct ens_learner ens_learner_boost = {
    .families = ENS_LEARN_ALL,
    .uses = ENS_LEARN_BINS | ENS_LEARN_WEIGHTS,
    .options = options,
    .memory = memory,
    .fit = fit,
    .predict = ens_trees_predict,
};
