/* What a Stan model compiled by BridgeStan looks like from outside, written by
 * hand: linear regression with flat beta, sigma ~ cauchy(0, 2.5), and a
 * transformed parameter, twice sigma. Data: N, p, X, y. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STAN __attribute__((visibility("default")))

STAN int bs_major_version = 2;

struct model {
    size_t n, p;
    double *x, *y; /* rows one after the other */
    char names[400];
};

static char *say(const char *text)
{
    char *copy = malloc(strlen(text) + 1);

    return copy ? strcpy(copy, text) : NULL;
}

/* The numbers behind "NAME": up to `most`, brackets and commas skipped. */
static size_t numbers(const char *json, const char *name, double *to,
                      size_t most)
{
    char quoted[32];
    const char *at;
    size_t n = 0;

    snprintf(quoted, sizeof(quoted), "\"%s\": ", name);
    at = strstr(json, quoted);
    if (!at)
        return 0;
    for (at += strlen(quoted); n < most; n++) {
        char *end;

        at += strspn(at, "[], ");
        to[n] = strtod(at, &end);
        if (end == at)
            break;
        at = end;
    }
    return n;
}

STAN void bs_model_destruct(struct model *m)
{
    free(m->x);
    free(m->y);
    free(m);
}

STAN struct model *bs_model_construct(const char *data, unsigned seed,
                                      char **err)
{
    struct model *m = calloc(1, sizeof(*m));
    double n = 0, p = 0;
    size_t len = 0;

    (void)seed;
    if (!m || !numbers(data, "N", &n, 1) || !numbers(data, "p", &p, 1)) {
        *err = say("no N or p");
        free(m);
        return NULL;
    }
    m->n = (size_t)n;
    m->p = (size_t)p;
    m->x = malloc(m->n * m->p * sizeof(double));
    m->y = malloc(m->n * sizeof(double));
    if (numbers(data, "X", m->x, m->n * m->p) != m->n * m->p ||
        numbers(data, "y", m->y, m->n) != m->n) {
        *err = say("X or y is not as long as N and p say");
        bs_model_destruct(m);
        return NULL;
    }
    for (size_t j = 0; j < m->p && len + 32 < sizeof(m->names); j++)
        len += (size_t)sprintf(m->names + len, "beta.%zu,", j + 1);
    strcpy(m->names + len, "sigma,twice");
    return m;
}

STAN void bs_free_error_msg(char *text)
{
    free(text);
}

STAN const char *bs_param_names(const struct model *m, bool tp, bool gq)
{
    (void)tp;
    (void)gq;
    return m->names;
}

STAN int bs_param_num(const struct model *m, bool tp, bool gq)
{
    (void)gq;
    return (int)m->p + 1 + tp;
}

STAN int bs_param_unc_num(const struct model *m)
{
    return (int)m->p + 1;
}

STAN int bs_param_constrain(const struct model *m, bool tp, bool gq,
                            const double *q, double *out, void *rng, char **err)
{
    (void)gq;
    (void)rng;
    (void)err;
    memcpy(out, q, m->p * sizeof(*q));
    out[m->p] = exp(q[m->p]);
    if (tp)
        out[m->p + 1] = 2 * out[m->p];
    return 0;
}

STAN int bs_log_density_gradient(const struct model *m, bool propto, bool jac,
                                 const double *q, double *lp, double *grad,
                                 char **err)
{
    double sigma = exp(q[m->p]), z = sigma / 2.5, ss = 0;

    (void)propto;
    if (!jac || sigma > 1e100) {
        *err = say("sigma is too large");
        return -1;
    }
    memset(grad, 0, (m->p + 1) * sizeof(*grad));
    for (size_t i = 0; i < m->n; i++) {
        double r = m->y[i];

        for (size_t j = 0; j < m->p; j++)
            r -= m->x[i * m->p + j] * q[j];
        for (size_t j = 0; j < m->p; j++)
            grad[j] += m->x[i * m->p + j] * r / (sigma * sigma);
        ss += r * r / (sigma * sigma);
    }
    *lp = -0.5 * ss - ((double)m->n - 1) * q[m->p] - log1p(z * z);
    grad[m->p] = ss - (double)m->n + 1 - 2 * z * z / (1 + z * z);
    return 0;
}
