/* The k nearest training rows, as scikit-learn's KNeighborsRegressor and
 * KNeighborsClassifier; of rows equally far the earlier ones.
 *
 * The model is struct knn_model, then, with a tree, that of learn/kdtree.h:
 * about 5 bytes a training row. Their values are read where they lie. */
#include "learn/learners/learners.h"

#include "learn/brute.h"

#include <stdlib.h>
#include <string.h>

/* As scikit-learn: beyond it a tree has to look at most rows. */
#define TREE_COLUMNS 15

enum knn_algorithm { KNN_AUTO, KNN_TREE, KNN_BRUTE };

struct knn {
    size_t k;
    int by_distance; /* weights are 1 / distance */
    enum ens_kd_metric metric;
    enum knn_algorithm algorithm;
};

struct knn_model {
    uint64_t n, has_tree;
};

#define KNN_SETTING(KEY, TYPE, DEFAULT, MIN, MAX, CHOICES, HELP)               \
    {                                                                          \
        .section = "learner", .key = KEY, .type = ENS_T_##TYPE,                \
        .shape = ENS_AXIS, .cls = ENS_C_CELL, .def = DEFAULT, .min = MIN,      \
        .max = MAX, .choices = CHOICES, .help = HELP                           \
    }

const struct ens_setting ens_learner_knn_settings[] = {
    KNN_SETTING("k", INT, "5", 1, 1e6, NULL, "neighbours"),
    KNN_SETTING("weights", CHOICE, "uniform", 0, 0, "uniform|distance",
                "distance: neighbours weigh 1 / distance"),
    KNN_SETTING("metric", CHOICE, "euclidean", 0, 0, "euclidean|manhattan",
                "distance of two rows"),
    KNN_SETTING("algorithm", CHOICE, "auto", 0, 0, "auto|kd_tree|brute",
                "how neighbours are found, the same ones by each; auto: a "
                "tree up to 15 columns"),
};

static enum ens_status options(const struct ens_learn_setup *setup,
                               const void **to, struct ens_error *err)
{
    struct knn *o = setup->alloc(setup, 1, sizeof(*o));
    const char *algorithm = setup->value(setup, "algorithm")->text;

    if (o == NULL)
        return setup->host->fail(err, ENS_ENOMEMORY, "knn: options");
    o->k = (size_t)setup->value(setup, "k")->i;
    o->by_distance =
        strcmp(setup->value(setup, "weights")->text, "distance") == 0;
    o->metric = strcmp(setup->value(setup, "metric")->text, "manhattan") == 0
                    ? ENS_KD_MANHATTAN
                    : ENS_KD_EUCLIDEAN;
    o->algorithm = strcmp(algorithm, "auto") == 0      ? KNN_AUTO
                   : strcmp(algorithm, "kd_tree") == 0 ? KNN_TREE
                                                       : KNN_BRUTE;
    *to = o;
    return ENS_OK;
}

static int wants_tree(const struct knn *o, uint64_t n, size_t p)
{
    if (o->algorithm != KNN_AUTO)
        return o->algorithm == KNN_TREE;
    return p <= TREE_COLUMNS && o->k < n / 2;
}

static uint64_t memory(const void *options_, uint64_t n, size_t p)
{
    return wants_tree(options_, n, p)
               ? ens_kdtree_bytes(n, p) + ens_kdtree_work(n, p)
               : 0;
}

static enum ens_status fit(const struct ens_learn_job *job,
                           const struct ens_rows *train, struct ens_error *err)
{
    const struct ens_host *host = job->host;
    const struct knn *o = job->options;
    int has_tree = wants_tree(o, train->n, train->p);
    uint64_t bytes = has_tree ? ens_kdtree_bytes(train->n, train->p) : 0;
    struct knn_model *model;
    void *work;

    if (o->k > train->n)
        return host->fail(err, ENS_EDOMAIN,
                          "knn: k = %zu, but there are %llu training rows",
                          o->k, (unsigned long long)train->n);
    if (train->n > ENS_KD_MAX)
        return host->fail(err, ENS_EDOMAIN,
                          "knn: %llu training rows, at most %llu are possible",
                          (unsigned long long)train->n,
                          (unsigned long long)ENS_KD_MAX);
    model = job->model(job, sizeof(*model) + (size_t)bytes);
    if (model == NULL)
        return host->fail(err, ENS_ENOMEMORY, "knn: model of %llu bytes",
                          (unsigned long long)bytes);
    *model = (struct knn_model){train->n, (uint64_t)has_tree};
    if (!has_tree)
        return ENS_OK;
    bytes = ens_kdtree_work(train->n, train->p);
    work = job->alloc(job, (size_t)bytes, 1);
    if (work == NULL)
        return host->fail(err, ENS_ENOMEMORY, "knn: %llu bytes to build a tree",
                          (unsigned long long)bytes);
    ens_kdtree_build(model + 1, train, work);
    return ENS_OK;
}

/* Memory of one predict. */
struct lookup {
    const struct knn *o;
    const struct ens_rows *train;
    size_t n_out;
    struct ens_kdtree tree;
    struct ens_near *near; /* ENS_BRUTE_QUERIES x k */
    struct ens_nearest heap[ENS_BRUTE_QUERIES];
    double *q, *work;
};

/* 1 / distance; infinite at none. */
static double closeness(const struct knn *o, struct ens_near near)
{
    return 1 / (o->metric == ENS_KD_EUCLIDEAN ? sqrt(near.d) : near.d);
}

static double weight_of(const struct knn *o, struct ens_near near, int exact)
{
    double w = closeness(o, near);

    return exact ? isinf(w) != 0 : w;
}

/* Weighted mean or shares of classes. A neighbour at no distance leaves the
 * others no weight; where all are infinitely far they count alike. */
static void average(const struct lookup *l, const struct ens_near *near,
                    double *out)
{
    int exact = isinf(closeness(l->o, near[0])), classes = l->n_out > 1;
    int weighs = l->o->by_distance && !isinf(near[0].d);
    double total = 0;

    memset(out, 0, l->n_out * sizeof(*out));
    for (size_t i = 0; i < l->o->k; i++) {
        double y, w = weighs ? weight_of(l->o, near[i], exact) : 1;

        l->train->y(l->train, near[i].at, 1, &y);
        if (!classes)
            out[0] += w * y;
        else if (y >= 0 && y < (double)l->n_out)
            out[(size_t)y] += w;
        total += w;
    }
    for (size_t j = 0; j < l->n_out; j++)
        out[j] /= total;
}

static enum ens_status look_up(const struct ens_host *host, struct lookup *l,
                               size_t n, int has_tree, double *out,
                               struct ens_error *err)
{
    size_t p = l->train->p;

    for (size_t i = 0; i < n; i++)
        ens_nearest_clear(&l->heap[i]);
    if (!has_tree)
        ens_brute(l->train, l->o->metric, l->q, n, l->heap, l->work);
    for (size_t i = 0; i < n; i++) {
        if (has_tree && ens_kdtree_search(&l->tree, l->o->metric, l->q + i * p,
                                          &l->heap[i], l->work) != 0)
            return host->fail(err, ENS_EDOMAIN, "knn: damaged model");
        if (ens_nearest_sort(&l->heap[i]) < l->o->k)
            return host->fail(err, ENS_EDOMAIN,
                              "knn: distances that are no numbers");
        average(l, l->heap[i].near, out + i * l->n_out);
    }
    return ENS_OK;
}

static enum ens_status look_up_all(const struct ens_learn_job *job,
                                   struct lookup *l, int has_tree,
                                   const struct ens_rows *at, uint64_t first,
                                   size_t n, double *out, struct ens_error *err)
{
    size_t p = l->train->p, k = l->o->k;
    double *memory_ = NULL;
    enum ens_status s = ENS_OK;

    l->near = calloc(ENS_BRUTE_QUERIES * k, sizeof(*l->near));
    memory_ = calloc(ENS_BRUTE_QUERIES * p +
                         (has_tree ? ENS_KD_SEARCH_WORK(p) : ENS_BRUTE_WORK(p)),
                     sizeof(*memory_));
    if (l->near == NULL || memory_ == NULL)
        s = job->host->fail(err, ENS_ENOMEMORY, "knn: neighbours");
    l->q = memory_;
    l->work = l->q + ENS_BRUTE_QUERIES * p;
    for (size_t i = 0; i < ENS_BRUTE_QUERIES; i++)
        l->heap[i] = (struct ens_nearest){l->near + i * k, k};
    for (size_t i = 0; i < n && s == ENS_OK; i += ENS_BRUTE_QUERIES) {
        size_t m = n - i < ENS_BRUTE_QUERIES ? n - i : ENS_BRUTE_QUERIES;

        at->x(at, first + i, m, l->q);
        s = look_up(job->host, l, m, has_tree, out + i * l->n_out, err);
    }
    free(l->near);
    free(memory_);
    return s;
}

static enum ens_status predict(const struct ens_learn_job *job,
                               const struct ens_learn_model *model,
                               const struct ens_rows *train,
                               const struct ens_rows *at, uint64_t first,
                               size_t n, double *out, struct ens_error *err)
{
    struct lookup l = {.o = job->options, .train = train, .n_out = job->n_out};
    struct knn_model m;
    int damaged = model->bytes < sizeof(m);

    if (!damaged) {
        memcpy(&m, model->data, sizeof(m));
        damaged = m.n != train->n || l.o->k > m.n || m.has_tree > 1 ||
                  at->p != train->p;
    }
    if (!damaged && m.has_tree)
        damaged =
            ens_kdtree_open(&l.tree, (const char *)model->data + sizeof(m),
                            model->bytes - sizeof(m), train);
    if (damaged)
        return job->host->fail(err, ENS_EDOMAIN,
                               "knn: damaged model, or of other training rows");
    return look_up_all(job, &l, (int)m.has_tree, at, first, n, out, err);
}

const struct ens_learner ens_learner_knn = {
    .families = ENS_LEARN_ALL,
    .uses = ENS_LEARN_ROWS,
    .options = options,
    .memory = memory,
    .fit = fit,
    .predict = predict,
};
