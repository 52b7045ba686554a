#include "learn/svm.h"

#include <dlfcn.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 256

uint64_t ens_svm_rows_bytes(uint64_t n, size_t p)
{
    return n * ((p + 2) * sizeof(struct ens_svm_node) + sizeof(double) +
                sizeof(struct ens_svm_node *));
}

/* Mean and sum of squared deviations of all values, block by block. */
struct spread {
    double n, mean, m2;
};

static void add_spread(struct spread *s, const double *x, size_t n)
{
    double mean = 0, m2 = 0, d, total = s->n + (double)n;

    for (size_t i = 0; i < n; i++)
        mean += x[i];
    mean /= (double)n;
    for (size_t i = 0; i < n; i++)
        m2 += (x[i] - mean) * (x[i] - mean);
    d = mean - s->mean;
    s->m2 += m2 + d * d * s->n * ((double)n / total);
    s->mean += d * ((double)n / total);
    s->n = total;
}

static void copy_row(struct ens_svm_rows *to, size_t i, const double *x)
{
    struct ens_svm_node *node = to->node + i * (to->p + 2);

    to->x[i] = node;
    for (size_t j = 0; j < to->p; j++)
        *node++ = (struct ens_svm_node){(int)j + 1, x[j]};
    if (to->has_one)
        *node++ = (struct ens_svm_node){(int)to->p + 1, 1};
    *node = (struct ens_svm_node){-1, 0};
}

static int count_classes(const struct ens_svm_rows *rows)
{
    int n = 0;

    /* no class but that of row 0? else how many do not matter */
    for (size_t i = 0; i < rows->n && n < 2; i++)
        if (n == 0 || rows->y[i] != rows->y[0])
            n++;
    return n;
}

enum ens_status ens_svm_rows_init(struct ens_svm_rows *to,
                                  const struct ens_learn_job *job,
                                  const struct ens_rows *train, int has_one,
                                  struct ens_error *err)
{
    size_t p = train->p, n = (size_t)train->n;
    struct spread spread = {0, 0, 0};
    double *x;

    *to = (struct ens_svm_rows){.n = n, .p = p, .has_one = has_one};
    if (train->n > INT_MAX || p > INT_MAX - 2)
        return job->host->fail(err, ENS_EDOMAIN,
                               "%llu training rows of %zu columns, the library "
                               "counts to %d",
                               (unsigned long long)train->n, p, INT_MAX);
    x = malloc((BLOCK * p + 1) * sizeof(*x));
    to->y = calloc(n, sizeof(*to->y));
    to->x = calloc(n, sizeof(struct ens_svm_node *));
    to->node = calloc(n, (p + 2) * sizeof(*to->node));
    if (x == NULL || to->y == NULL || to->x == NULL || to->node == NULL) {
        free(x);
        return job->host->fail(err, ENS_ENOMEMORY,
                               "a copy of %zu rows, %llu bytes", n,
                               (unsigned long long)ens_svm_rows_bytes(n, p));
    }
    for (size_t at = 0; at < n; at += BLOCK) {
        size_t m = n - at < BLOCK ? n - at : BLOCK;

        train->x(train, at, m, x);
        train->y(train, at, m, to->y + at);
        if (p > 0)
            add_spread(&spread, x, m * p);
        for (size_t i = 0; i < m; i++)
            copy_row(to, at + i, x + i * p);
    }
    free(x);
    if (!isfinite(spread.m2))
        return job->host->fail(err, ENS_EDOMAIN,
                               "values are too large: their squares overflow");
    to->n_classes = count_classes(to);
    to->constant = to->y[0];
    to->variance = spread.n > 0 ? spread.m2 / spread.n : 0;
    return ENS_OK;
}

void ens_svm_rows_fini(struct ens_svm_rows *rows)
{
    free(rows->y);
    free((void *)rows->x);
    free(rows->node);
    *rows = (struct ens_svm_rows){0};
}

enum ens_status ens_svm_load(const char *soname, const char *package,
                             const char *const *symbol, size_t n,
                             void **function, struct ens_error *err)
{
    void *library = dlopen(soname, RTLD_NOW | RTLD_LOCAL);

    if (library == NULL)
        return ens_fail(err, ENS_EINPUT,
                        "%s (Debian package %s) cannot be loaded: %s", soname,
                        package, dlerror());
    for (size_t i = 0; i < n; i++) {
        function[i] = dlsym(library, symbol[i]);
        if (function[i] == NULL)
            return ens_fail(err, ENS_EINPUT, "%s has no %s", soname, symbol[i]);
    }
    return ENS_OK;
}

static _Thread_local int warned;

void ens_svm_print(const char *text)
{
    if (strstr(text, "WARNING: reaching max") != NULL)
        warned = 1;
}

void ens_svm_listen(void)
{
    warned = 0;
}

int ens_svm_warned(void)
{
    return warned;
}

void ens_svm_random_begin(struct ens_svm_random *r, const struct ens_host *host,
                          struct ens_result *result)
{
    uint64_t word = host->bits(host->rng(result, "fit"));

    r->before = initstate((unsigned)(word >> 32), r->state, sizeof(r->state));
}

void ens_svm_random_end(struct ens_svm_random *r)
{
    setstate(r->before);
}
