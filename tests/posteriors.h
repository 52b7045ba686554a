/* For tests and benchmarks: posteriors of posteriordb with densities coded by
 * hand, in static memory, and their reference summaries. */
#ifndef TESTS_POSTERIORS_H
#define TESTS_POSTERIORS_H

#include <ensrun/density.h>

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POSTERIOR_MAX_DIM  16
#define POSTERIOR_MAX_P    8
#define POSTERIOR_MAX_ROWS 4096

struct posterior_reference {
    double mean, sd, mcse_mean, mcse_sd;
};

/* Rows of a design, column-major, and what a Gaussian likelihood needs of
 * them. */
struct posterior_rows {
    size_t n, p;
    double x[POSTERIOR_MAX_P * POSTERIOR_MAX_ROWS];
    double y[POSTERIOR_MAX_ROWS];
    double xx[POSTERIOR_MAX_P * POSTERIOR_MAX_P];
    double xy[POSTERIOR_MAX_P];
    double yy;
    double b_precision; /* of the normal prior of the coefficients; 0: flat */
    double sigma_scale; /* of sigma's half-Cauchy; negative: half-normal */
};

struct posterior {
    const char *name;
    const char *csv; /* reference summaries; its rows are what is reported */
    const char *json;
    size_t dim;
    double (*at)(void *model, const double *q, double *gradient);
    void (*load)(struct posterior_rows *rows, const json_t *data);
    void (*report)(const double *q, double *out); /* NULL: q as it is */
};

static inline double posterior_number(const json_t *data, const char *key,
                                      size_t i)
{
    const json_t *v = json_object_get(data, key);

    return json_number_value(json_is_array(v) ? json_array_get(v, i) : v);
}

static inline size_t posterior_length(const json_t *data, const char *key)
{
    return json_array_size(json_object_get(data, key));
}

/* -- eight schools ----------------------------------------------------- */

static const double school_y[8] = {28, 8, -3, 7, -1, 1, 18, 12};
static const double school_sigma[8] = {15, 10, 16, 11, 9, 11, 10, 18};

/* Of mu ~ N(0, 5), tau ~ half-Cauchy(5), u = log tau. */
static inline double school_prior(double mu, double tau, double u, double *g_mu,
                                  double *g_u)
{
    *g_mu -= mu / 25;
    *g_u += 1 - 2 * tau * tau / (25 + tau * tau);
    return u - mu * mu / 50 - log1p(tau * tau / 25);
}

static inline double schools_noncentered(void *model, const double *q,
                                         double *g)
{
    double mu = q[8], tau = exp(q[9]), lp = 0, g_mu = 0, g_u = 0;

    (void)model;
    for (int i = 0; i < 8; i++) {
        double precision = 1 / (school_sigma[i] * school_sigma[i]);
        double r = school_y[i] - mu - tau * q[i];

        lp -= 0.5 * (q[i] * q[i] + r * r * precision);
        g[i] = tau * r * precision - q[i];
        g_mu += r * precision;
        g_u += r * precision * tau * q[i];
    }
    lp += school_prior(mu, tau, q[9], &g_mu, &g_u);
    g[8] = g_mu;
    g[9] = g_u;
    return lp;
}

static inline void report_noncentered(const double *q, double *out)
{
    for (int i = 0; i < 8; i++)
        out[i] = q[8] + exp(q[9]) * q[i];
    out[8] = q[8];
    out[9] = exp(q[9]);
}

static inline double schools_centered(void *model, const double *q, double *g)
{
    double mu = q[8], tau = exp(q[9]), w = 1 / (tau * tau);
    double lp = -8 * q[9], g_mu = 0, g_u = -8;

    (void)model;
    for (int i = 0; i < 8; i++) {
        double precision = 1 / (school_sigma[i] * school_sigma[i]);
        double r = school_y[i] - q[i], d = q[i] - mu;

        lp -= 0.5 * (d * d * w + r * r * precision);
        g[i] = r * precision - d * w;
        g_mu += d * w;
        g_u += d * d * w;
    }
    lp += school_prior(mu, tau, q[9], &g_mu, &g_u);
    g[8] = g_mu;
    g[9] = g_u;
    return lp;
}

static inline void report_centered(const double *q, double *out)
{
    memcpy(out, q, 9 * sizeof(*q));
    out[9] = exp(q[9]);
}

static inline void load_schools(struct posterior_rows *rows, const json_t *data)
{
    rows->p = 0;
    for (size_t i = 0; i < 8; i++)
        if (posterior_number(data, "y", i) != school_y[i] ||
            posterior_number(data, "sigma", i) != school_sigma[i])
            abort();
}

/* -- Gaussian regressions, by sufficient statistics --------------------- */

static inline double gaussian(void *model, const double *q, double *g)
{
    const struct posterior_rows *m = model;
    double u = q[m->p], precision = exp(-2 * u), variance = exp(2 * u);
    double n = (double)m->n, bb = 0, ss = m->yy, lp;

    for (size_t j = 0; j < m->p; j++) {
        double xxb = 0;

        for (size_t k = 0; k < m->p; k++)
            xxb += m->xx[j * m->p + k] * q[k];
        ss += q[j] * (xxb - 2 * m->xy[j]);
        bb += q[j] * q[j];
        g[j] = (m->xy[j] - xxb) * precision - m->b_precision * q[j];
    }
    lp = u - n * u - 0.5 * ss * precision - 0.5 * m->b_precision * bb;
    g[m->p] = 1 - n + ss * precision;
    if (m->sigma_scale > 0) {
        double square = m->sigma_scale * m->sigma_scale;

        lp -= log1p(variance / square);
        g[m->p] -= 2 * variance / (square + variance);
    } else {
        double square = m->sigma_scale * m->sigma_scale;

        lp -= 0.5 * variance / square;
        g[m->p] -= variance / square;
    }
    return lp;
}

static inline void sufficient(struct posterior_rows *m)
{
    for (size_t i = 0; i < m->n; i++)
        m->yy += m->y[i] * m->y[i];
    for (size_t j = 0; j < m->p; j++)
        for (size_t i = 0; i < m->n; i++) {
            m->xy[j] += m->x[j * m->n + i] * m->y[i];
            for (size_t k = 0; k < m->p; k++)
                m->xx[j * m->p + k] += m->x[j * m->n + i] * m->x[k * m->n + i];
        }
}

static inline void load_kidiq(struct posterior_rows *m, const json_t *data)
{
    m->n = posterior_length(data, "kid_score");
    m->p = 3;
    m->sigma_scale = 2.5;
    for (size_t i = 0; i < m->n; i++) {
        m->y[i] = posterior_number(data, "kid_score", i);
        m->x[i] = 1;
        m->x[m->n + i] = posterior_number(data, "mom_hs", i);
        m->x[2 * m->n + i] = posterior_number(data, "mom_iq", i);
    }
    sufficient(m);
}

static inline void load_sblri(struct posterior_rows *m, const json_t *data)
{
    m->n = posterior_length(data, "y");
    m->p = 5;
    m->b_precision = 1 / 100.0;
    m->sigma_scale = -10;
    for (size_t i = 0; i < m->n; i++) {
        const json_t *row = json_array_get(json_object_get(data, "X"), i);

        m->y[i] = posterior_number(data, "y", i);
        for (size_t j = 0; j < m->p; j++)
            m->x[j * m->n + i] = json_number_value(json_array_get(row, j));
    }
    sufficient(m);
}

static inline void load_ark(struct posterior_rows *m, const json_t *data)
{
    m->n = posterior_length(data, "y") - 5;
    m->p = 6;
    m->b_precision = 1 / 100.0;
    m->sigma_scale = 2.5;
    for (size_t i = 0; i < m->n; i++) {
        m->y[i] = posterior_number(data, "y", i + 5);
        m->x[i] = 1;
        for (size_t k = 1; k <= 5; k++)
            m->x[k * m->n + i] = posterior_number(data, "y", i + 5 - k);
    }
    sufficient(m);
}

static inline void report_regression(size_t p, const double *q, double *out)
{
    memcpy(out, q, p * sizeof(*q));
    out[p] = exp(q[p]);
}

static inline void report_kidiq(const double *q, double *out)
{
    report_regression(3, q, out);
}

static inline void report_sblri(const double *q, double *out)
{
    report_regression(5, q, out);
}

static inline void report_ark(const double *q, double *out)
{
    report_regression(6, q, out);
}

/* -- Poisson and logistic regressions, flat priors, row by row ---------- */

static inline double poisson(void *model, const double *q, double *g)
{
    const struct posterior_rows *m = model;
    double lp = 0;

    for (size_t j = 0; j < m->p; j++) {
        lp += m->xy[j] * q[j];
        g[j] = m->xy[j];
    }
    for (size_t i = 0; i < m->n; i++) {
        double eta = 0, mean;

        for (size_t j = 0; j < m->p; j++)
            eta += m->x[j * m->n + i] * q[j];
        mean = exp(eta);
        lp -= mean;
        for (size_t j = 0; j < m->p; j++)
            g[j] -= m->x[j * m->n + i] * mean;
    }
    return lp;
}

static inline void load_poisson(struct posterior_rows *m, const json_t *data)
{
    m->n = posterior_length(data, "C");
    m->p = 4;
    for (size_t i = 0; i < m->n; i++) {
        double year = posterior_number(data, "year", i);

        m->y[i] = posterior_number(data, "C", i);
        for (size_t j = 0; j < 4; j++)
            m->x[j * m->n + i] = pow(year, (double)j);
    }
    sufficient(m);
}

static inline double logistic(void *model, const double *q, double *g)
{
    const struct posterior_rows *m = model;
    double lp = 0;

    memset(g, 0, m->p * sizeof(*g));
    for (size_t i = 0; i < m->n; i++) {
        double eta = 0, e, r;

        for (size_t j = 0; j < m->p; j++)
            eta += m->x[j * m->n + i] * q[j];
        e = exp(-fabs(eta));
        lp += m->y[i] * eta - fmax(eta, 0) - log1p(e);
        r = m->y[i] - (eta > 0 ? 1 : e) / (1 + e);
        for (size_t j = 0; j < m->p; j++)
            g[j] += m->x[j * m->n + i] * r;
    }
    return lp;
}

static inline void load_wells(struct posterior_rows *m, const json_t *data)
{
    m->n = posterior_length(data, "switched");
    m->p = 3;
    for (size_t i = 0; i < m->n; i++) {
        m->y[i] = posterior_number(data, "switched", i);
        m->x[i] = 1;
        m->x[m->n + i] = posterior_number(data, "dist", i) / 100;
        m->x[2 * m->n + i] = posterior_number(data, "arsenic", i);
    }
}

/* -- all of them -------------------------------------------------------- */

static const struct posterior posteriors[] = {
    {"eight schools", "eight_schools-eight_schools_noncentered",
     "eight_schools", 10, schools_noncentered, load_schools,
     report_noncentered},
    {"eight schools centred", "eight_schools-eight_schools_noncentered",
     "eight_schools", 10, schools_centered, load_schools, report_centered},
    {"kidiq", "kidiq-kidscore_momhsiq", "kidiq", 4, gaussian, load_kidiq,
     report_kidiq},
    {"sblri", "sblri-blr", "sblri", 6, gaussian, load_sblri, report_sblri},
    {"arK", "arK-arK", "arK", 7, gaussian, load_ark, report_ark},
    {"GLM Poisson", "OWN_GLM_Poisson_Data-GLM_Poisson_model",
     "GLM_Poisson_Data", 4, poisson, load_poisson, NULL},
    {"wells", "OWN_wells_data-wells_dist100ars_model", "wells_data", 3,
     logistic, load_wells, NULL},
};

static struct posterior_rows posterior_rows;

static inline const struct posterior *posterior_find(const char *name)
{
    for (size_t i = 0; i < sizeof(posteriors) / sizeof(*posteriors); i++)
        if (strcmp(posteriors[i].name, name) == 0)
            return &posteriors[i];
    abort();
}

/* The density of a posterior, over static memory: one at a time. */
static inline struct ens_density posterior_load(const struct posterior *p,
                                                const char *folder)
{
    char path[1024];
    json_error_t error;
    json_t *data;

    memset(&posterior_rows, 0, sizeof(posterior_rows));
    snprintf(path, sizeof(path), "%s/posteriordb/data/%s.json", folder,
             p->json);
    data = json_load_file(path, 0, &error);
    if (!data) {
        fprintf(stderr, "%s: %s\n", path, error.text);
        abort();
    }
    p->load(&posterior_rows, data);
    json_decref(data);
    return (struct ens_density){
        .dim = p->dim, .model = &posterior_rows, .at = p->at};
}

static inline void posterior_report(const struct posterior *p, const double *q,
                                    double *out)
{
    if (p->report)
        p->report(q, out);
    else
        memcpy(out, q, p->dim * sizeof(*q));
}

/* Columns by name; one row per reported number, p->dim of them. */
static inline void posterior_reference(const struct posterior *p,
                                       const char *folder,
                                       struct posterior_reference *r)
{
    char path[1024], line[2048];
    FILE *f;

    snprintf(path, sizeof(path), "%s/posteriordb/%s.csv", folder, p->csv);
    f = fopen(path, "r");
    if (!f || !fgets(line, sizeof(line), f) ||
        strncmp(line, "posterior,parameter,n_chains,n_draws,mean,sd,", 45) != 0)
        abort();
    for (size_t i = 0; i < p->dim; i++) {
        double ess_sd;

        if (!fgets(line, sizeof(line), f) ||
            sscanf(line,
                   "%*[^,],%*[^,],%*d,%*d,%lf,%lf,%*f,%*f,%*f,%*f,%*f,%*f,"
                   "%*f,%*f,%lf,%lf,%lf",
                   &r[i].mean, &r[i].sd, &r[i].mcse_mean, &ess_sd,
                   &r[i].mcse_sd) != 5)
            abort();
    }
    fclose(f);
}

#endif
