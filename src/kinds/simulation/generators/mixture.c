/* Generator `mixture`: y = intercept + x'slope + an error from one of several
 * normal distributions. What least squares estimates is true of the whole: the
 * intercept with the errors' mean, sigma their standard deviation.
 *
 * Stream "data" as regression.h: of an error a uniform (which distribution),
 * then a normal. Numbers kept: rows of each distribution. */
#include "kinds/simulation/generators/regression.h"

#include "math/rng.h"

#include <math.h>
#include <stdio.h>

#define NAME_BYTES 24

#define VECTOR(key_, def_, text)                                               \
    {                                                                          \
        .section = "data", .key = key_, .type = ENS_T_VECTOR,                  \
        .shape = ENS_AXIS, .cls = ENS_C_DATA, .def = def_, .help = text        \
    }

const struct ens_setting ens_generator_mixture_settings[] = {
    ENS_REGRESSION_SETTINGS,
    VECTOR("weight", "0.9 0.1",
           "share of the errors that each distribution has; they are divided "
           "by their sum"),
    VECTOR("mean", "0", "means of the distributions: one, or one of each"),
    VECTOR("sd", "1 5",
           "standard deviations of the distributions: one, or one of each"),
};

struct mixture {
    size_t n;
    double *until, *mean, *sd; /* n each; until: sums of weights */
};

static double element(const struct ens_value *v, size_t k)
{
    return v->vec[v->n_vec == 1 ? 0 : k];
}

static enum ens_status read_settings(struct mixture *m,
                                     const struct ens_cell *cell,
                                     struct ens_error *err)
{
    const struct ens_value *weight = ens_cell_value(cell, "data", "weight");
    const struct ens_value *mean = ens_cell_value(cell, "data", "mean");
    const struct ens_value *sd = ens_cell_value(cell, "data", "sd");
    double sum = 0;

    if ((mean->n_vec != 1 && mean->n_vec != m->n) ||
        (sd->n_vec != 1 && sd->n_vec != m->n))
        return ens_fail(err, ENS_ESTUDY,
                        "weight has %zu numbers, mean %zu, sd %zu", m->n,
                        mean->n_vec, sd->n_vec);
    for (size_t k = 0; k < m->n; k++) {
        if (!(weight->vec[k] >= 0) || !(element(sd, k) >= 0))
            return ens_fail(err, ENS_ESTUDY,
                            "weight, sd: they must not be negative");
        m->mean[k] = element(mean, k);
        m->sd[k] = element(sd, k);
        sum += weight->vec[k];
        m->until[k] = sum;
    }
    if (!(sum > 0))
        return ens_fail(err, ENS_ESTUDY, "weight: all are 0");
    for (size_t k = 0; k < m->n; k++)
        m->until[k] /= sum;
    return ENS_OK;
}

static void put_truths(const struct mixture *m, struct ens_regression *r)
{
    double mean = 0, square = 0;

    for (size_t k = 0; k < m->n; k++) {
        double weight = m->until[k] - (k > 0 ? m->until[k - 1] : 0);

        mean += weight * m->mean[k];
    }
    for (size_t k = 0; k < m->n; k++) {
        double weight = m->until[k] - (k > 0 ? m->until[k - 1] : 0);
        double d = m->mean[k] - mean;

        square += weight * (m->sd[k] * m->sd[k] + d * d);
    }
    r->truth_value[0] += mean;
    r->truth_value[1 + r->p] = sqrt(square);
}

static enum ens_status name_counts(const struct ens_setup *setup, size_t n,
                                   struct ens_data_shape *out,
                                   struct ens_error *err)
{
    const char **name = setup->alloc(setup, n, sizeof(*name));
    char(*text)[NAME_BYTES] = setup->alloc(setup, n, sizeof(*text));

    if (!name || !text)
        return ens_fail(err, ENS_ENOMEMORY, "%zu distributions", n);
    for (size_t k = 0; k < n; k++) {
        snprintf(text[k], NAME_BYTES, "n[%zu]", k + 1);
        name[k] = text[k];
    }
    out->n_meta = n;
    out->meta = name;
    return ENS_OK;
}

static enum ens_status shape(const struct ens_setup *setup,
                             const struct ens_cell *cell,
                             struct ens_data_shape *out, struct ens_error *err)
{
    static const char *const sigma[] = {"sigma"};
    static const struct ens_regression_kind kind = {
        .family = ENS_FAMILY_GAUSSIAN, .n_truth = 1, .truth = sigma};
    size_t n = ens_cell_value(cell, "data", "weight")->n_vec;
    struct mixture *m = setup->alloc(setup, 1, sizeof(*m));
    double *numbers = setup->alloc(setup, 3 * n, sizeof(*numbers));
    struct ens_regression *r;
    enum ens_status s;

    if (!m || !numbers)
        return ens_fail(err, ENS_ENOMEMORY, "%zu distributions", n);
    *m = (struct mixture){n, numbers, numbers + n, numbers + 2 * n};
    s = read_settings(m, cell, err);
    if (s == ENS_OK)
        s = ens_regression_shape(setup, cell, &kind, &r, out, err);
    if (s != ENS_OK)
        return s;
    r->more = m;
    put_truths(m, r);
    return name_counts(setup, n, out, err);
}

struct drawing {
    const struct mixture *m;
    double *count;
    size_t n; /* rows to fit to */
};

static double draw(struct ens_rng *g, double eta, size_t i, void *arg)
{
    const struct drawing *d = arg;
    double u = ens_rng_uniform(g);
    size_t k = 0;

    while (k + 1 < d->m->n && u >= d->m->until[k])
        k++;
    if (i < d->n)
        d->count[k]++;
    return eta + d->m->mean[k] + d->m->sd[k] * ens_rng_normal(g);
}

static enum ens_status generate(const struct ens_job *job,
                                const struct ens_data_shape *shape,
                                struct ens_generated *out,
                                struct ens_error *err)
{
    const struct ens_regression *r = shape->own;
    struct drawing d = {r->more, out->meta, r->n};

    for (size_t k = 0; k < d.m->n; k++)
        d.count[k] = 0;
    return ens_regression_rows(job, shape, draw, &d, out, NULL, err);
}

const struct ens_generator ens_generator_mixture = {
    .shape = shape,
    .generate = generate,
};
