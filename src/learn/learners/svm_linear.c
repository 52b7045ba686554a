/* Linear support vector machines: liblinear, whose training rows are a copy of
 * 16 bytes a value.
 *
 * As scikit-learn's LinearSVC and LinearSVR: the intercept is the weight of a
 * column of ones and shrunk like the others. Predictions of classes are
 * decisions, 0 or 1; of several classes the one of the largest margin.
 *
 * The model: of each discriminant p weights and an intercept; there is one of
 * a number, one of two classes, one a class of more. */
#include "learn/learners/learners.h"

#include "learn/svm.h"

#include <limits.h>
#include <linear.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct svm_linear {
    double c, epsilon, tol;
    int solver; /* of liblinear */
};

/* What of liblinear is called, in the order of `symbols`. */
struct liblinear {
    struct model *(*train)(const struct problem *, const struct parameter *);
    void (*free_model)(struct model **);
    void (*set_print)(void (*print)(const char *));
};
static const char *const symbols[] = {"train", "free_and_destroy_model",
                                      "set_print_string_function"};

#define SVM_SETTING(KEY, TYPE, DEFAULT, MIN, MAX, CHOICES, HELP)               \
    {                                                                          \
        .section = "learner", .key = KEY, .type = ENS_T_##TYPE,                \
        .shape = ENS_AXIS, .cls = ENS_C_CELL, .def = DEFAULT, .min = MIN,      \
        .max = MAX, .choices = CHOICES, .help = HELP                           \
    }

const struct ens_setting ens_learner_svm_linear_settings[] = {
    SVM_SETTING("C", NUM, "1", 1e-300, 1e300, NULL,
                "weight of the losses beside half the squared coefficients"),
    SVM_SETTING("loss", CHOICE, "squared", 0, 0, "squared|linear",
                "in what a margin lacks, or what an error has beyond epsilon"),
    SVM_SETTING("epsilon", NUM, "0", 0, 1e300, NULL,
                "errors up to this one cost nothing; of numbers"),
    SVM_SETTING("solver", CHOICE, "dual", 0, 0, "dual|primal",
                "primal: loss = squared only"),
    SVM_SETTING("tol", NUM, "1e-4", 1e-12, 1, NULL,
                "the solver stops at this violation of optimality"),
};

static enum ens_status options(const struct ens_learn_setup *setup,
                               const void **to, struct ens_error *err)
{
    struct svm_linear *o = setup->alloc(setup, 1, sizeof(*o));
    int squared, dual, number = setup->family == ENS_OUTCOME_GAUSSIAN;

    if (o == NULL)
        return setup->host->fail(err, ENS_ENOMEMORY, "svm_linear: options");
    o->c = setup->value(setup, "C")->d;
    o->epsilon = setup->value(setup, "epsilon")->d;
    o->tol = setup->value(setup, "tol")->d;
    squared = strcmp(setup->value(setup, "loss")->text, "squared") == 0;
    dual = strcmp(setup->value(setup, "solver")->text, "dual") == 0;
    if (!squared && !dual)
        return setup->host->fail(err, ENS_ESTUDY,
                                 "solver = primal needs loss = squared");
    if (squared)
        o->solver = dual ? (number ? L2R_L2LOSS_SVR_DUAL : L2R_L2LOSS_SVC_DUAL)
                         : (number ? L2R_L2LOSS_SVR : L2R_L2LOSS_SVC);
    else
        o->solver = number ? L2R_L1LOSS_SVR_DUAL : L2R_L1LOSS_SVC_DUAL;
    *to = o;
    return ENS_OK;
}

static enum ens_status load(struct liblinear *library, struct ens_error *err)
{
    void *function[3];
    enum ens_status s;

    _Static_assert(sizeof(function) == sizeof(*library), "one pointer each");
    s = ens_svm_load("liblinear.so.4", "liblinear4", symbols, 3, function, err);
    if (s != ENS_OK)
        return s;
    memcpy(library, function, sizeof(*library));
    library->set_print(ens_svm_print);
    return ENS_OK;
}

static uint64_t memory(const void *options_, uint64_t n, size_t p)
{
    (void)options_;
    return ens_svm_rows_bytes(n, p) + n * 40; /* dual variables, an order */
}

static size_t discriminants(const struct ens_learn_job *job)
{
    return job->family == ENS_OUTCOME_MULTINOMIAL ? job->n_classes : 1;
}

/* Discriminant d of the library is about its class number d, of two classes
 * about the first of them; of classes it has not seen there is none. */
static void keep(const struct ens_learn_job *job, const struct model *m,
                 size_t p, double *model)
{
    size_t n = m->nr_class == 2 ? 1 : (size_t)m->nr_class;

    if (job->family == ENS_OUTCOME_GAUSSIAN) {
        memcpy(model, m->w, (p + 1) * sizeof(*model));
        return;
    }
    for (size_t k = 0; k < discriminants(job); k++)
        model[k * (p + 1) + p] =
            job->family == ENS_OUTCOME_MULTINOMIAL ? -INFINITY : 0;
    for (size_t d = 0; d < (size_t)m->nr_class; d++) {
        size_t k = (size_t)m->label[d], from = n == 1 ? 0 : d;
        double sign = n == 1 && d == 1 ? -1 : 1;
        double *to = model + (discriminants(job) == 1 ? 0 : k) * (p + 1);

        if (discriminants(job) == 1 && k == 0)
            continue; /* the discriminant is about class 1 */
        for (size_t j = 0; j <= p; j++)
            to[j] = sign * m->w[j * n + from];
    }
}

static enum ens_status train_on(const struct ens_learn_job *job,
                                const struct ens_svm_rows *rows, double *model,
                                struct ens_error *err)
{
    struct liblinear library;
    const struct svm_linear *o = job->options;
    struct problem problem = {.l = (int)rows->n,
                              .n = (int)rows->p + 1,
                              .y = rows->y,
                              .x = (struct feature_node **)(void *)rows->x,
                              .bias = 1};
    struct parameter parameter = {
        .solver_type = o->solver, .eps = o->tol, .C = o->c, .p = o->epsilon};
    struct ens_svm_random random;
    struct model *m;
    enum ens_status s = load(&library, err);

    _Static_assert(sizeof(struct feature_node) == sizeof(struct ens_svm_node),
                   "the same rows");
    if (s != ENS_OK)
        return s;
    ens_svm_listen();
    ens_svm_random_begin(&random, job->host, job->result);
    m = library.train(&problem, &parameter);
    ens_svm_random_end(&random);
    if (ens_svm_warned())
        job->warn(job, "liblinear stopped before it reached tol");
    if (m == NULL)
        return job->host->fail(err, ENS_ENOMEMORY, "svm_linear: model");
    keep(job, m, rows->p, model);
    library.free_model(&m);
    return ENS_OK;
}

static enum ens_status fit(const struct ens_learn_job *job,
                           const struct ens_rows *train, struct ens_error *err)
{
    size_t n = discriminants(job), p = train->p;
    double *model = job->model(job, n * (p + 1) * sizeof(*model));
    struct ens_svm_rows rows;
    enum ens_status s;

    if (model == NULL)
        return job->host->fail(err, ENS_ENOMEMORY, "svm_linear: model");
    s = ens_svm_rows_init(&rows, job, train, 1, err);
    if (s == ENS_OK && job->family != ENS_OUTCOME_GAUSSIAN &&
        rows.n_classes == 1) { /* nothing to tell apart */
        if (n == 1)
            model[p] = rows.constant > 0 ? 1 : -1;
        else
            for (size_t k = 0; k < n; k++)
                model[k * (p + 1) + p] =
                    (double)k == rows.constant ? 0 : -INFINITY;
    } else if (s == ENS_OK) {
        s = train_on(job, &rows, model, err);
    }
    ens_svm_rows_fini(&rows);
    return s;
}

static void decide(const struct ens_learn_job *job, const double *model,
                   const double *x, size_t p, double *out)
{
    size_t best = 0;
    double top = -INFINITY;

    for (size_t d = 0; d < discriminants(job); d++) {
        const double *w = model + d * (p + 1);
        double margin = 0;

        for (size_t j = 0; j < p; j++)
            margin += w[j] * x[j];
        margin += w[p];
        if (!(margin <= top)) {
            top = margin;
            best = d;
        }
    }
    if (job->family == ENS_OUTCOME_GAUSSIAN) {
        out[0] = top;
    } else if (job->n_out == 1) {
        out[0] = top > 0;
    } else {
        memset(out, 0, job->n_out * sizeof(*out));
        out[best] = 1;
    }
}

static enum ens_status predict_rows(const struct ens_learn_job *job,
                                    const struct ens_learn_model *model,
                                    const struct ens_rows *train,
                                    const struct ens_rows *at, uint64_t first,
                                    size_t n, double *out,
                                    struct ens_error *err)
{
    size_t p = at->p;
    double *x;

    (void)train;
    if (model->bytes != discriminants(job) * (p + 1) * sizeof(double))
        return job->host->fail(err, ENS_EDOMAIN, "svm_linear: damaged model");
    x = malloc((ENS_LEARN_BLOCK * p + 1) * sizeof(*x));
    if (x == NULL)
        return job->host->fail(err, ENS_ENOMEMORY, "svm_linear: rows");
    for (size_t i = 0; i < n; i++) {
        size_t in = i % ENS_LEARN_BLOCK;

        if (in == 0)
            at->x(at, first + i,
                  n - i < ENS_LEARN_BLOCK ? n - i : ENS_LEARN_BLOCK, x);
        decide(job, model->data, x + in * p, p, out + i * job->n_out);
    }
    free(x);
    return ENS_OK;
}

const struct ens_learner ens_learner_svm_linear = {
    .families = ENS_LEARN_CLASSES | ENS_LEARN_FAMILY(ENS_OUTCOME_GAUSSIAN),
    .options = options,
    .memory = memory,
    .fit = fit,
    .predict = predict_rows, /* `predict` is one of liblinear */
};
