/* Support vector machines with kernels: libsvm, C-SVC of classes and
 * epsilon-SVR of numbers. Training rows are a copy of 16 bytes a value, beside
 * a cache of the kernel; its time grows with the square of the rows, so there
 * is a limit.
 *
 * With probability = yes, probabilities of classes are Platt's sigmoids of the
 * decision values, fitted by libsvm to its own cross-validation in 5 parts
 * drawn from the task's stream; several classes are coupled in pairs. Else
 * predictions are decisions, 0 or 1.
 *
 * The model is evaluated here: struct svm_head, then doubles (see struct
 * parts). */
#include "learn/learners/learners.h"

#include "learn/svm.h"
#include "learn/svm_kernel.h"
#include "base/number.h"

#include <libsvm/svm.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct machine {
    struct svm_parameter parameter; /* gamma is found in fit */
    const char *gamma;              /* "scale", "auto" or a number */
    uint64_t max_rows;
};

/* What of libsvm is called, in the order of `symbols`. */
struct libsvm {
    struct svm_model *(*train)(const struct svm_problem *,
                               const struct svm_parameter *);
    void (*free_model)(struct svm_model **);
    void (*set_print)(void (*print)(const char *));
};
static const char *const symbols[] = {"svm_train", "svm_free_and_destroy_model",
                                      "svm_set_print_string_function"};

#define SVM_SETTING(KEY, TYPE, DEFAULT, MIN, MAX, CHOICES, HELP)               \
    {                                                                          \
        .section = "learner", .key = KEY, .type = ENS_T_##TYPE,                \
        .shape = ENS_AXIS, .cls = ENS_C_CELL, .def = DEFAULT, .min = MIN,      \
        .max = MAX, .choices = CHOICES, .help = HELP                           \
    }

const struct ens_setting ens_learner_svm_settings[] = {
    SVM_SETTING("kernel", CHOICE, "rbf", 0, 0, "rbf|poly|linear|sigmoid",
                "rbf: exp(-gamma |x - z|^2); poly: (gamma x'z + coef0)^degree; "
                "sigmoid: tanh(gamma x'z + coef0)"),
    SVM_SETTING("gamma", TEXT, "scale", 0, 0, NULL,
                "a number above 0; scale: 1 / (columns x variance of all "
                "values); auto: 1 / columns"),
    SVM_SETTING("degree", INT, "3", 1, 100, NULL, "of kernel poly"),
    SVM_SETTING("coef0", NUM, "0", -1e300, 1e300, NULL,
                "of kernels poly and sigmoid"),
    SVM_SETTING("C", NUM, "1", 1e-300, 1e300, NULL,
                "weight of the losses beside half the squared coefficients"),
    SVM_SETTING("epsilon", NUM, "0.1", 0, 1e300, NULL,
                "errors up to this one cost nothing; of numbers"),
    SVM_SETTING("probability", BOOL, "yes", 0, 0, NULL,
                "yes: probabilities of classes, by five fits more; no: "
                "decisions, 0 or 1"),
    SVM_SETTING("tol", NUM, "1e-3", 1e-12, 1, NULL,
                "the solver stops at this violation of optimality"),
    {.section = "learner",
     .key = "cache",
     .type = ENS_T_BYTES,
     .shape = ENS_ONE,
     .cls = ENS_C_RUN,
     .def = "100 M",
     .min = 1e6,
     .max = 1e12,
     .help = "memory for kernel values"},
    {.section = "learner",
     .key = "max_rows",
     .type = ENS_T_INT,
     .shape = ENS_ONE,
     .cls = ENS_C_RUN,
     .def = "50000",
     .min = 1,
     .max = 2147483647,
     .unit = "rows",
     .help = "a fit of more training rows is refused: its time grows with "
             "their square"},
};

static enum ens_status read_gamma(const struct ens_learn_setup *setup,
                                  struct machine *o, struct ens_error *err)
{
    double gamma;

    o->gamma = setup->value(setup, "gamma")->text;
    if (strcmp(o->gamma, "scale") == 0 || strcmp(o->gamma, "auto") == 0)
        return ENS_OK;
    if (ens_number_parse(o->gamma, strlen(o->gamma), &gamma) != 0 ||
        !(gamma > 0) || isinf(gamma))
        return setup->host->fail(err, ENS_ESTUDY,
                                 "gamma = %s: allowed are scale, auto and "
                                 "numbers above 0",
                                 o->gamma);
    o->parameter.gamma = gamma;
    return ENS_OK;
}

static enum ens_status options(const struct ens_learn_setup *setup,
                               const void **to, struct ens_error *err)
{
    static const char *const kernels[] = {"linear", "poly", "rbf", "sigmoid"};
    struct machine *o = setup->alloc(setup, 1, sizeof(*o));
    const char *kernel = setup->value(setup, "kernel")->text;
    struct svm_parameter *p;

    if (o == NULL)
        return setup->host->fail(err, ENS_ENOMEMORY, "svm: options");
    p = &o->parameter;
    p->svm_type = setup->family == ENS_OUTCOME_GAUSSIAN ? EPSILON_SVR : C_SVC;
    for (int i = 0; i < 4; i++)
        if (strcmp(kernel, kernels[i]) == 0)
            p->kernel_type = i;
    p->degree = (int)setup->value(setup, "degree")->i;
    p->coef0 = setup->value(setup, "coef0")->d;
    p->cache_size = (double)setup->value(setup, "cache")->i / 1048576;
    p->eps = setup->value(setup, "tol")->d;
    p->C = setup->value(setup, "C")->d;
    p->p = setup->value(setup, "epsilon")->d;
    p->shrinking = 1;
    p->probability = setup->family != ENS_OUTCOME_GAUSSIAN &&
                     setup->value(setup, "probability")->i != 0;
    o->max_rows = (uint64_t)setup->value(setup, "max_rows")->i;
    *to = o;
    return read_gamma(setup, o, err);
}

static enum ens_status load(struct libsvm *library, struct ens_error *err)
{
    void *function[3];
    enum ens_status s;

    _Static_assert(sizeof(function) == sizeof(*library), "one pointer each");
    s = ens_svm_load("libsvm.so.3", "libsvm3", symbols, 3, function, err);
    if (s != ENS_OK)
        return s;
    memcpy(library, function, sizeof(*library));
    library->set_print(ens_svm_print);
    return ENS_OK;
}

static uint64_t memory(const void *options_, uint64_t n, size_t p)
{
    const struct machine *o = options_;

    return ens_svm_rows_bytes(n, p) +
           (uint64_t)(o->parameter.cache_size * 1048576) +
           n * (100 + p * sizeof(double)); /* the solver's, and a model of all
                                              rows */
}

/* The model's bytes from the library's. */
static enum ens_status keep(const struct ens_learn_job *job,
                            const struct svm_model *from, size_t p,
                            struct ens_error *err)
{
    const struct svm_parameter *o = &from->param;
    int numbers = o->svm_type == EPSILON_SVR;
    struct ens_svm_head head = {
        .n = (uint64_t)from->l,
        .p = p,
        .k = numbers ? 0 : (uint64_t)from->nr_class,
        .kernel = (uint32_t)o->kernel_type,
        .degree = (uint32_t)o->degree,
        .gamma = o->gamma,
        .coef0 = o->coef0,
        .is_probable = from->probA != NULL && from->probB != NULL && !numbers,
    };
    uint64_t bytes = ens_svm_machine_bytes(&head);
    void *data = bytes == 0 ? NULL : job->model(job, (size_t)bytes);
    struct ens_svm_machine m;

    if (data == NULL)
        return job->host->fail(err, ENS_ENOMEMORY,
                               "svm: a model of %d support vectors", from->l);
    memcpy(data, &head, sizeof(head));
    ens_svm_machine_lay(&m, data);
    for (size_t c = 0; c < head.k; c++) {
        m.label[c] = from->label[c];
        m.count[c] = from->nSV[c];
    }
    memcpy(m.rho, from->rho, m.pairs * sizeof(*m.rho));
    if (head.is_probable) {
        memcpy(m.sigmoid, from->probA, m.pairs * sizeof(*m.sigmoid));
        memcpy(m.sigmoid + m.pairs, from->probB, m.pairs * sizeof(*m.sigmoid));
    }
    for (size_t row = 0; row + 1 < (numbers ? 2 : head.k); row++)
        memcpy(m.weight + row * head.n, from->sv_coef[row],
               head.n * sizeof(*m.weight));
    for (size_t i = 0; i < head.n; i++)
        for (size_t j = 0; j < p; j++)
            m.vector[i * p + j] = from->SV[i][j].value;
    return ENS_OK;
}

static enum ens_status train_on(const struct ens_learn_job *job,
                                const struct ens_svm_rows *rows,
                                struct ens_error *err)
{
    struct libsvm library;
    const struct machine *o = job->options;
    struct svm_parameter parameter = o->parameter;
    struct svm_problem problem = {
        .l = (int)rows->n,
        .y = rows->y,
        .x = (struct svm_node **)(void *)rows->x,
    };
    struct ens_svm_random random;
    struct svm_model *m;
    enum ens_status s = load(&library, err);

    _Static_assert(sizeof(struct svm_node) == sizeof(struct ens_svm_node),
                   "the same rows");
    if (s != ENS_OK)
        return s;
    if (!(parameter.gamma > 0)) {
        parameter.gamma = rows->p > 0 ? 1.0 / (double)rows->p : 1;
        if (strcmp(o->gamma, "scale") == 0 && rows->variance > 0)
            parameter.gamma /= rows->variance;
    }
    ens_svm_listen();
    ens_svm_random_begin(&random, job->host, job->result);
    m = library.train(&problem, &parameter);
    ens_svm_random_end(&random);
    if (ens_svm_warned())
        job->warn(job, "libsvm stopped before it reached tol");
    if (m == NULL)
        return job->host->fail(err, ENS_ENOMEMORY, "svm: model");
    s = keep(job, m, rows->p, err);
    library.free_model(&m);
    return s;
}

/* One class and nothing to tell it from: a machine without vectors. */
static enum ens_status keep_constant(const struct ens_learn_job *job,
                                     const struct ens_svm_rows *rows,
                                     struct ens_error *err)
{
    struct ens_svm_head head = {.p = rows->p, .k = 1};
    struct ens_svm_machine m;
    void *data = job->model(job, (size_t)ens_svm_machine_bytes(&head));

    if (data == NULL)
        return job->host->fail(err, ENS_ENOMEMORY, "svm: model");
    memcpy(data, &head, sizeof(head));
    ens_svm_machine_lay(&m, data);
    m.label[0] = rows->constant;
    return ENS_OK;
}

static enum ens_status fit(const struct ens_learn_job *job,
                           const struct ens_rows *train, struct ens_error *err)
{
    const struct machine *o = job->options;
    struct ens_svm_rows rows;
    enum ens_status s;

    if (train->n > o->max_rows)
        return job->host->fail(
            err, ENS_EDOMAIN,
            "svm: %llu training rows, max_rows = %llu: its time grows with "
            "the square of the rows; svm_linear takes any number",
            (unsigned long long)train->n, (unsigned long long)o->max_rows);
    s = ens_svm_rows_init(&rows, job, train, 0, err);
    if (s == ENS_OK)
        s = job->family != ENS_OUTCOME_GAUSSIAN && rows.n_classes == 1
                ? keep_constant(job, &rows, err)
                : train_on(job, &rows, err);
    ens_svm_rows_fini(&rows);
    return s;
}

static void predict_row(const struct ens_learn_job *job,
                        const struct ens_svm_machine *m, const double *x,
                        double *work, double *out)
{
    double share[2];

    if (job->family == ENS_OUTCOME_GAUSSIAN) {
        out[0] = ens_svm_machine_number(m, x);
    } else if (job->n_out == 1) {
        ens_svm_machine_classes(m, x, share, 2, work);
        out[0] = share[1];
    } else {
        ens_svm_machine_classes(m, x, out, job->n_out, work);
    }
}

static enum ens_status predict(const struct ens_learn_job *job,
                               const struct ens_learn_model *model,
                               const struct ens_rows *train,
                               const struct ens_rows *at, uint64_t first,
                               size_t n, double *out, struct ens_error *err)
{
    size_t p = at->p;
    struct ens_svm_machine m;
    double *x;

    (void)train;
    if (ens_svm_machine_open(&m, model->data, model->bytes) != 0 ||
        m.head.p != p ||
        (m.head.k == 0) != (job->family == ENS_OUTCOME_GAUSSIAN))
        return job->host->fail(err, ENS_EDOMAIN, "svm: damaged model");
    x = malloc((ENS_LEARN_BLOCK * p + ens_svm_machine_work(&m)) * sizeof(*x));
    if (x == NULL)
        return job->host->fail(err, ENS_ENOMEMORY, "svm: rows");
    for (size_t i = 0; i < n; i++) {
        size_t in = i % ENS_LEARN_BLOCK;

        if (in == 0)
            at->x(at, first + i,
                  n - i < ENS_LEARN_BLOCK ? n - i : ENS_LEARN_BLOCK, x);
        predict_row(job, &m, x + in * p, x + ENS_LEARN_BLOCK * p,
                    out + i * job->n_out);
    }
    free(x);
    return ENS_OK;
}

const struct ens_learner ens_learner_svm = {
    .families = ENS_LEARN_CLASSES | ENS_LEARN_FAMILY(ENS_OUTCOME_GAUSSIAN),
    .options = options,
    .memory = memory,
    .fit = fit,
    .predict = predict,
};
