/* Data for tests of meta learners, drawn as in meta.R, and fits of them. Not
 * for more than one source of a program. */
#ifndef META_PROBLEM_H
#define META_PROBLEM_H

#include "learn/meta/meta.h"

#include "base/arena.h"
#include "base/bug.h"
#include "learn/meta/method.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_ROWS     3000
#define MOST_LEARNERS 50

static struct ens_arena arena;
static char warned[2000];
static size_t n_rows, n_learners, passes;
static double z[MOST_ROWS * MOST_LEARNERS], y[MOST_ROWS], w[MOST_ROWS];
static const char *name[MOST_LEARNERS];
static char names[MOST_LEARNERS][24];

/* -- data: draw() of meta.R -------------------------------------------------
 */

static uint64_t state;

static inline double u(void)
{
    state = 16807 * state % 2147483647;
    return (double)state / 2147483647;
}

static inline void draw_row(size_t i, size_t l, double mean, double apart,
                            const double *slope, int classes)
{
    static const double share[] = {0.4, 0, 0.35, 0.25};
    double t = 2 * (u() - 0.5) + (u() - 0.5), e = 0.5 * (u() - 0.5);

    if (apart < 0.01)
        e *= apart * 0.2;
    for (size_t j = 0; j < l; j++) {
        double d = apart * (u() - 0.5);

        z[i * l + j] = mean + slope[j] * t + d;
        if (apart < 0.01)
            e += share[j] * d;
        if (classes)
            z[i * l + j] = fmin(fmax(0.5 + z[i * l + j] / 4, 0), 1);
    }
    y[i] = classes ? t + 4 * e > 0 : mean + t + e;
    w[i] = floor(4 * u());
}

static inline void draw(uint64_t seed, size_t n, size_t l, double mean,
                        double apart, int classes)
{
    double slope[MOST_LEARNERS];

    state = seed;
    n_rows = n;
    n_learners = l;
    for (size_t j = 0; j < l; j++)
        slope[j] = apart < 0.01 ? 1 : 0.5 + u();
    for (size_t i = 0; i < n; i++)
        draw_row(i, l, mean, apart, slope, classes);
}

static inline void unweight(void)
{
    for (size_t i = 0; i < n_rows; i++)
        w[i] = 1;
}

/* -- a problem --------------------------------------------------------------
 */

static inline enum ens_status read_rows(void *own, uint64_t first, size_t n,
                                        double *to_z, double *to_y,
                                        double *to_w, struct ens_error *err)
{
    (void)own;
    (void)err;
    ck_assert(first + n <= n_rows);
    passes += first == 0;
    memcpy(to_z, z + first * n_learners, n * n_learners * sizeof(*z));
    memcpy(to_y, y + first, n * sizeof(*y));
    memcpy(to_w, w + first, n * sizeof(*w));
    return ENS_OK;
}

static inline void *alloc(void *own, size_t n, size_t size)
{
    (void)own;
    return ens_arena_alloc(&arena, n, size);
}

static inline void warn(void *own, const char *text)
{
    (void)own;
    strncat(warned, text, sizeof(warned) - strlen(warned) - 1);
    strncat(warned, ";", sizeof(warned) - strlen(warned) - 1);
}

static inline struct ens_meta_problem problem(void)
{
    for (size_t j = 0; j < n_learners; j++) {
        snprintf(names[j], sizeof(names[j]), "l%zu", j);
        name[j] = names[j];
    }
    warned[0] = '\0';
    passes = 0;
    return (struct ens_meta_problem){.n = n_rows,
                                     .n_learners = n_learners,
                                     .name = name,
                                     .read = read_rows,
                                     .alloc = alloc,
                                     .warn = warn};
}

/* Defaults of a method, but for a penalty. */
static inline struct ens_meta_options options(const char *method)
{
    struct ens_meta_options o = {0};

    o.normalise = strcmp(method, "nnls") != 0;
    if (strcmp(method, "ols") == 0 || strcmp(method, "ridge") == 0 ||
        strcmp(method, "lasso") == 0)
        o.normalise = 0;
    o.penalty = strcmp(method, "ridge") == 0 ? 2 : 0.02;
    if (strstr(method, "loglik")) {
        o.loss = ENS_META_DEVIANCE;
        o.trim = 0.001;
    }
    if (strcmp(method, "auc") == 0)
        o.loss = ENS_META_AUC;
    return o;
}

static inline enum ens_status
try_fit(const char *method, struct ens_meta_result *r, struct ens_error *err)
{
    struct ens_meta_problem p = problem();
    struct ens_meta_options o = options(method);

    ck_assert_msg(ens_meta_find(method) != NULL, "%s", method);
    ens_arena_reset(&arena);
    return ens_meta_fit(ens_meta_find(method)->ops, &o, &p, r, err);
}

static inline struct ens_meta_result fit(const char *method)
{
    struct ens_meta_result r;
    struct ens_error err;

    ck_assert_msg(try_fit(method, &r, &err) == ENS_OK, "%s: %s", method,
                  err.text);
    return r;
}

static inline void compare(const char *what, const double *is,
                           const double *expected, size_t n, double tol)
{
    for (size_t j = 0; j < n; j++)
        ck_assert_msg(fabs(is[j] - expected[j]) <= tol,
                      "%s: %zu: %.17g, not %.17g", what, j, is[j], expected[j]);
}

#endif
