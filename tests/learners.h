/* For tests: every learner for every family that it takes, on some rows of
 * real data. Not for more than one source of a program. */
#ifndef TESTS_LEARNERS_H
#define TESTS_LEARNERS_H

#include "growing.h"
#include "base/bug.h"

#include <stdio.h>

#define N        180 /* of the wells, every 16th */
#define MOST     (2 * N)
#define P        3
#define WIDE     18
#define CLASSES  3
#define FAMILIES 4

static double x[MOST * WIDE], y[MOST], out[MOST * CLASSES];

static const char *const family_name[FAMILIES] = {"gaussian", "binomial",
                                                  "multinomial", "poisson"};

/* What cannot go by its defaults, or not quickly. */
static const struct {
    const char *name, *settings[4];
} settings[] = {
    {"svm", {"cache=1000000"}},
    {"forest", {"trees=10"}},
    {"boost", {"rounds=10"}},
};

/* It runs in tasks of a study only: system/test_learner_programs. */
static inline int is_outside(const struct ens_impl *impl)
{
    return strcmp(impl->name, "program") == 0;
}

static inline const char *const *settings_of(const struct ens_impl *impl)
{
    for (size_t i = 0; i < ENS_COUNT(settings); i++)
        if (strcmp(settings[i].name, impl->name) == 0)
            return settings[i].settings;
    return NULL;
}

/* Learner and family of a loop's turn; NULL: it does not take that family. */
static inline const struct ens_impl *turn(int i, struct table *t)
{
    const struct ens_impl *impl = &ens_learners[i / FAMILIES];
    const struct ens_learner *ops = impl->ops;

    *t = (struct table){.x = x,
                        .y = y,
                        .n_source = N,
                        .p = P,
                        .n = N,
                        .family = (enum ens_outcome_family)(i % FAMILIES)};
    t->n_classes = t->family == ENS_OUTCOME_MULTINOMIAL ? CLASSES
                   : t->family == ENS_OUTCOME_BINOMIAL  ? 2
                                                        : 0;
    return ops->families & ENS_LEARN_FAMILY(t->family) ? impl : NULL;
}

/* -- rows -------------------------------------------------------------------
 */

/* Columns switch, arsenic, dist, assoc, educ: response and x by family. */
static inline void take_row(const double v[5], enum ens_outcome_family family,
                            double *row, double *response)
{
    static const double unit[] = {1, 1, 100, 1, 4};
    static const int column[FAMILIES][1 + P] = {
        [ENS_OUTCOME_GAUSSIAN] = {1, 2, 3, 4},
        [ENS_OUTCOME_BINOMIAL] = {0, 1, 2, 4},
        [ENS_OUTCOME_MULTINOMIAL] = {4, 1, 2, 0},
        [ENS_OUTCOME_POISSON] = {4, 1, 2, 3},
    };

    *response = v[column[family][0]];
    if (family == ENS_OUTCOME_MULTINOMIAL) /* years at school */
        *response = *response == 0 ? 0 : *response <= 5 ? 1 : 2;
    for (size_t j = 0; j < P; j++)
        row[j] = v[column[family][1 + j]] / unit[column[family][1 + j]];
}

static inline void read_rows(enum ens_outcome_family family)
{
    FILE *f = fopen(TEST_DATA "/wells/wells.csv", "r");
    char line[256];
    size_t n = 0;

    ck_assert(f != NULL && fgets(line, sizeof(line), f) != NULL);
    for (size_t i = 0; fgets(line, sizeof(line), f) != NULL && n < N; i++) {
        char *at = line;
        double v[5];

        for (size_t j = 0; j < 5; j++, at++)
            v[j] = strtod(at, &at);
        if (i % 16 == 0) {
            take_row(v, family, x + P * n, y + n);
            n++;
        }
    }
    fclose(f);
    ck_assert_uint_eq(n, N);
}

/* -- fits -------------------------------------------------------------------
 */

static struct ens_bins bins;

/* Fitted, or refused with a text. */
static inline enum ens_status
try_fit(struct learning *l, const struct ens_impl *impl, struct table *t)
{
    enum ens_status s;

    ck_assert_msg(learning_open(l, impl->name, settings_of(impl), t) == ENS_OK,
                  "%s: %s", impl->name, l->err.text);
    if (l->ops->uses & ENS_LEARN_BINS) {
        bins = growing_bins(t, &l->arena);
        t->bins = &bins;
    }
    s = learning_fit(l, t);
    ck_assert_msg(s == ENS_OK || (s == ENS_EDOMAIN && l->err.text[0] != '\0'),
                  "%s: status %d: %s", impl->name, (int)s, l->err.text);
    return s;
}

static inline void fit(struct learning *l, const struct ens_impl *impl,
                       struct table *t)
{
    ck_assert_msg(try_fit(l, impl, t) == ENS_OK, "%s: %s: %s", impl->name,
                  family_name[t->family], l->err.text);
}

/* Are predictions of the family? */
static inline void check(const struct ens_impl *impl, const struct table *t,
                         const double *p, const char *what)
{
    size_t k = t->family == ENS_OUTCOME_MULTINOMIAL ? t->n_classes : 1;

    for (size_t i = 0; i < t->n; i++, p += k) {
        double sum = 0;

        for (size_t c = 0; c < k; c++) {
            ck_assert_msg(isfinite(p[c]), "%s: %s, %s: row %zu: %g", impl->name,
                          family_name[t->family], what, i, p[c]);
            ck_assert_msg(!t->n_classes || (p[c] >= 0 && p[c] <= 1 + 1e-12),
                          "%s: %s, %s: row %zu: probability %g", impl->name,
                          family_name[t->family], what, i, p[c]);
            sum += p[c];
        }
        ck_assert_msg(k == 1 || fabs(sum - 1) < 1e-9,
                      "%s: %s: row %zu: probabilities add up to %.15g",
                      impl->name, what, i, sum);
    }
}

#endif
