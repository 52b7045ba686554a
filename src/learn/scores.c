#include "learn/scores.h"

#include "base/bug.h"
#include "math/lanes.h"

#include <float.h>
#include <gsl/gsl_sort_double.h>
#include <math.h>
#include <string.h>

/* -- what a row adds --------------------------------------------------------
 */

static void squared(double y, const double *p, size_t m, double *t)
{
    (void)m;
    t[0] = (y - *p) * (y - *p);
}

static void absolute(double y, const double *p, size_t m, double *t)
{
    (void)m;
    t[0] = fabs(y - *p);
}

/* A response of 0 counts as the smallest one that can be told from 1, as in
 * scikit-learn. */
static void relative(double y, const double *p, size_t m, double *t)
{
    (void)m;
    t[0] = fabs(y - *p) / (fabs(y) > DBL_EPSILON ? fabs(y) : DBL_EPSILON);
}

static void both_absolute(double y, const double *p, size_t m, double *t)
{
    (void)m;
    t[0] = fabs(y - *p);
    t[1] = fabs(y);
}

/* Its y is a difference from that of the first row; so is p. */
static void variation(double y, const double *p, size_t m, double *t)
{
    (void)m;
    t[0] = (y - *p) * (y - *p);
    t[1] = y;
    t[2] = y * y;
}

/* Not 0 nor 1: there a wrong prediction would cost infinitely much. NaN stays.
 */
static double inside(double p)
{
    return p < DBL_EPSILON       ? DBL_EPSILON
           : p > 1 - DBL_EPSILON ? 1 - DBL_EPSILON
                                 : p;
}

static void log_loss(double y, const double *p, size_t m, double *t)
{
    double sum = 0;

    if (m == 1) {
        double q = inside(*p);

        t[0] = -(y * log(q) + (1 - y) * log(1 - q));
        return;
    }
    for (size_t k = 0; k < m; k++)
        sum += inside(p[k]);
    t[0] = y >= 0 && y < (double)m ? log(sum / inside(p[(size_t)y])) : NAN;
}

static void class_deviance(double y, const double *p, size_t m, double *t)
{
    log_loss(y, p, m, t);
    t[0] *= 2;
}

static void poisson(double y, const double *p, size_t m, double *t)
{
    (void)m;
    t[0] = 2 * ((y > 0 ? y * log(y / *p) : 0) - y + *p);
    if (*p < 0)
        t[0] = NAN;
}

static void brier(double y, const double *p, size_t m, double *t)
{
    t[0] = 0;
    for (size_t k = 0; k < m; k++) {
        double is = m == 1 ? y : y == (double)k;

        t[0] += (is - p[k]) * (is - p[k]);
    }
}

/* The class of one column: 1 above a half. */
static void right(double y, const double *p, size_t m, double *t)
{
    size_t best = 0;
    double sum = p[0];

    for (size_t k = 1; k < m; k++) {
        sum += p[k];
        if (p[k] > p[best])
            best = k;
    }
    if (m == 1)
        best = *p > 0.5;
    t[0] = isnan(sum) ? NAN : y == (double)best;
}

static void wrong(double y, const double *p, size_t m, double *t)
{
    right(y, p, m, t);
    t[0] = 1 - t[0];
}

/* -- what is made of it -----------------------------------------------------
 */

static double root(const double *mean)
{
    return sqrt(mean[0]);
}

static double ratio(const double *mean)
{
    return mean[0] / mean[1];
}

/* A constant response is predicted wholly or not at all, as in scikit-learn. */
static double determined(const double *mean)
{
    double var = mean[2] - mean[1] * mean[1];

    if (var > 0 || isnan(var))
        return 1 - mean[0] / var;
    return mean[0] == 0 ? 1 : 0;
}

/* -- the table --------------------------------------------------------------
 */

#define MULTI ENS_LEARN_FAMILY(ENS_OUTCOME_MULTINOMIAL)
#define ENS_SCORE(id, smaller, of, t, f, text)                                 \
    {.name = #id,                                                              \
     .smaller_is_better = smaller,                                             \
     .families = of,                                                           \
     .terms = t,                                                               \
     .n_terms = (t) == variation       ? 3                                     \
                : (t) == both_absolute ? 2                                     \
                                       : 1,                                    \
     .finish = f,                                                              \
     .is_auc = (t) == NULL},
const struct ens_score ens_scores[] = {
#include "learn/scores.def"
};
#undef ENS_SCORE
const size_t ens_n_scores = ENS_COUNT(ens_scores);

const struct ens_score *ens_score_find(const char *name)
{
    for (size_t i = 0; i < ens_n_scores; i++)
        if (strcmp(ens_scores[i].name, name) == 0)
            return &ens_scores[i];
    return NULL;
}

const struct ens_score *ens_score_default(enum ens_outcome_family family)
{
    static const char *const name[] = {
        [ENS_OUTCOME_GAUSSIAN] = "mse",
        [ENS_OUTCOME_BINOMIAL] = "logloss",
        [ENS_OUTCOME_MULTINOMIAL] = "logloss",
        [ENS_OUTCOME_POISSON] = "poisson_deviance",
    };

    return ens_score_find(name[family]);
}

/* -- sums -------------------------------------------------------------------
 */

static double lanes_sum(const double *lane)
{
    double sum[ENS_SCORE_LANES];

    memcpy(sum, lane, sizeof(sum));
    for (size_t half = ENS_SCORE_LANES / 2; half > 0; half /= 2)
        for (size_t k = 0; k < half; k++)
            sum[k] += sum[k + half];
    return sum[0];
}

/* `n` terms of one run, `before` of which came earlier. */
ENS_LANES_CLONES
static void add_lanes(double *lane, size_t before, const double *x, size_t n)
{
    double sum[ENS_SCORE_LANES];
    size_t i = 0;

    for (; i < n && (before + i) % ENS_SCORE_LANES != 0; i++)
        lane[(before + i) % ENS_SCORE_LANES] += x[i];
    memcpy(sum, lane, sizeof(sum));
    for (; i + ENS_SCORE_LANES <= n; i += ENS_SCORE_LANES)
        for (size_t k = 0; k < ENS_SCORE_LANES; k++)
            sum[k] += x[i + k];
    memcpy(lane, sum, sizeof(sum));
    for (size_t k = 0; i < n; i++, k++)
        lane[k] += x[i];
}

/* n terms of one run, the first of all being term `first`. A finished run goes
 * up as long as a sum of as many runs waits there. */
static void running_add(struct ens_running *r, uint64_t first, const double *x,
                        size_t n)
{
    uint64_t runs = first / ENS_SCORE_RUN;
    double sum;

    add_lanes(r->run, first % ENS_SCORE_RUN, x, n);
    if ((first + n) % ENS_SCORE_RUN != 0)
        return;
    sum = lanes_sum(r->run);
    memset(r->run, 0, sizeof(r->run));
    for (size_t k = 0;; k++, runs >>= 1) {
        if ((runs & 1) == 0) {
            r->level[k] = sum;
            break;
        }
        sum += r->level[k];
    }
}

static double running_sum(const struct ens_running *r, uint64_t n)
{
    double sum = lanes_sum(r->run);

    n /= ENS_SCORE_RUN;
    for (size_t k = 0; n; k++, n >>= 1)
        if (n & 1)
            sum += r->level[k];
    return sum;
}

int ens_score_of_squares(const struct ens_score *score, double square,
                         double variance, double *value)
{
    const double mean[ENS_SCORE_TERMS] = {square, 0, variance};

    if (score->terms != squared && score->terms != variation)
        return 0;
    *value = score->finish ? score->finish(mean) : square;
    return 1;
}

uint64_t ens_score_memory(const struct ens_score *score, uint64_t n)
{
    return score->is_auc ? 2 * n : 0;
}

void ens_scorer_init(struct ens_scorer *s, const struct ens_score *score,
                     size_t m, double *kept, uint64_t n)
{
    memset(s, 0, sizeof(*s));
    s->score = score;
    s->m = m;
    s->kept = kept;
    s->capacity = score->is_auc ? n : 0;
}

static void keep(struct ens_scorer *s, double y, double p, double w)
{
    if (w == 0)
        return;
    ENS_BUG_ON(s->n_kept == s->capacity);
    s->kept[s->n_kept] = p;
    s->kept[s->capacity + s->n_kept] = y > 0.5 ? w : -w;
    s->n_kept++;
}

struct terms { /* of rows of one run */
    double weight[ENS_SCORE_RUN], loss[ENS_SCORE_RUN], square[ENS_SCORE_RUN];
    double of[ENS_SCORE_TERMS][ENS_SCORE_RUN]; /* times the weight */
};

static void terms_of(const struct ens_scorer *s, double y, const double *p,
                     double *t)
{
    double moved;

    if (s->score->terms == variation) {
        moved = *p - s->first;
        variation(y - s->first, &moved, 1, t);
    } else {
        s->score->terms(y, p, s->m, t);
    }
}

/* squared() of rows without weights, which most scores are. */
ENS_LANES_CLONES
static void squared_rows(const double *y, const double *p, size_t n, double *t)
{
    for (size_t i = 0; i < n; i++)
        t[i] = (y[i] - p[i]) * (y[i] - p[i]);
}

static void find_terms(const struct ens_scorer *s, const double *y,
                       const double *p, const double *w, size_t n,
                       struct terms *to)
{
    for (size_t i = 0; i < n; i++)
        to->weight[i] = w ? w[i] : 1;
    if (s->score->terms == squared && s->m == 1 && w == NULL) {
        squared_rows(y, p, n, to->of[0]);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        double t[ENS_SCORE_TERMS] = {0};

        if (to->weight[i] != 0)
            terms_of(s, y[i], p + i * s->m, t);
        for (size_t k = 0; k < s->score->n_terms; k++)
            to->of[k][i] = to->weight[i] * t[k];
    }
}

ENS_LANES_CLONES
static void find_losses(double first, size_t n, struct terms *of)
{
    for (size_t i = 0; i < n; i++) {
        of->loss[i] = of->of[0][i] - first;
        of->square[i] = of->loss[i] * of->loss[i];
    }
}

static void add_losses(struct ens_scorer *s, const double *y, const double *p,
                       const double *w, size_t n)
{
    struct terms t;

    if (s->n == 0 && n > 0)
        s->first = y[0];
    while (n > 0) {
        size_t run = (size_t)(ENS_SCORE_RUN - s->n % ENS_SCORE_RUN);

        run = run < n ? run : n;
        find_terms(s, y, p, w, run, &t);
        if (s->n == 0)
            s->first_loss = t.of[0][0];
        find_losses(s->first_loss, run, &t);
        running_add(&s->weight, s->n, t.weight, run);
        running_add(&s->loss, s->n, t.loss, run);
        running_add(&s->square, s->n, t.square, run);
        for (size_t k = 0; k < s->score->n_terms; k++)
            running_add(&s->term[k], s->n, t.of[k], run);
        s->n += run;
        y += run;
        p += run * s->m;
        w = w ? w + run : NULL;
        n -= run;
    }
}

void ens_scorer_add(struct ens_scorer *s, const double *y, const double *p,
                    const double *w, size_t n)
{
    if (!s->score->is_auc) {
        add_losses(s, y, p, w, n);
        return;
    }
    for (size_t i = 0; i < n; i++, s->n++)
        keep(s, y[i], p[i * s->m], w ? w[i] : 1);
}

static double area(struct ens_scorer *s, double *std_error)
{
    double *weight = s->kept + s->capacity;

    for (uint64_t i = 0; i < s->n_kept; i++)
        if (isnan(s->kept[i])) {
            *std_error = NAN;
            return NAN;
        }
    gsl_sort2(s->kept, 1, weight, 1, s->n_kept);
    return ens_auc_sorted(s->kept, weight, s->n_kept, std_error);
}

double ens_scorer_value(struct ens_scorer *s)
{
    double mean[ENS_SCORE_TERMS], total = running_sum(&s->weight, s->n);
    double unused;

    if (s->score->is_auc)
        return area(s, &unused);
    if (s->n == 0 || total == 0)
        return NAN;
    for (size_t k = 0; k < s->score->n_terms; k++)
        mean[k] = running_sum(&s->term[k], s->n) / total;
    return s->score->finish ? s->score->finish(mean) : mean[0];
}

struct ens_score_sums ens_scorer_sums(const struct ens_scorer *s)
{
    struct ens_score_sums sums = {.n = (double)s->n};
    double mean;

    ENS_BUG_ON(s->score->is_auc);
    if (s->n == 0)
        return sums;
    mean = running_sum(&s->loss, s->n) / sums.n;
    sums.square = running_sum(&s->square, s->n) - sums.n * mean * mean;
    sums.mean = s->score->finish ? (double)NAN : s->first_loss + mean;
    return sums;
}

void ens_score_sums_add(struct ens_score_sums *to,
                        const struct ens_score_sums *more)
{
    double n = to->n + more->n, apart = more->mean - to->mean;

    if (more->n == 0)
        return;
    if (to->n == 0) {
        *to = *more;
        return;
    }
    to->mean += apart * (more->n / n);
    to->square += more->square + apart * apart * (to->n / n) * more->n;
    to->n = n;
}

double ens_score_sums_risk(const struct ens_score_sums *sums, double *std_error)
{
    double n = sums->n, var = sums->square / (n - 1);

    *std_error = NAN;
    if (n == 0 || isnan(sums->mean))
        return NAN;
    if (n > 1)
        *std_error = sqrt((var > 0 || isnan(var) ? var : 0) / n);
    return sums->mean;
}

double ens_scorer_risk(struct ens_scorer *s, double *std_error)
{
    struct ens_score_sums sums;

    *std_error = NAN;
    if (s->score->is_auc)
        return 1 - area(s, std_error);
    sums = ens_scorer_sums(s);
    return ens_score_sums_risk(&sums, std_error);
}

/* -- ROC --------------------------------------------------------------------
 */

/* Weights of the rows from..end that share a score. */
static size_t tied(const double *score, const double *weight, size_t n,
                   size_t from, double *positive, double *negative)
{
    size_t end = from;

    *positive = *negative = 0;
    for (; end < n && score[end] == score[from]; end++)
        *(weight[end] > 0 ? positive : negative) += fabs(weight[end]);
    return end;
}

/* Influence of a row of class 1: the share of class 0 below it less the area,
 * over the share of its class; of class 0 likewise. */
static double influence(const double *score, const double *weight, size_t n,
                        const double *total, double auc)
{
    double below[2] = {0, 0}, here[2], sum = 0, all = total[0] + total[1];
    double rows = (double)n;

    for (size_t at = 0, end; at < n; at = end) {
        double up, down;

        end = tied(score, weight, n, at, &here[1], &here[0]);
        up = ((below[0] + here[0] / 2) / total[0] - auc) * all / total[1];
        down = ((total[1] - below[1] - here[1] / 2) / total[1] - auc) * all /
               total[0];
        for (size_t i = at; i < end; i++) {
            double v = (weight[i] > 0 ? up : down) * fabs(weight[i]);

            sum += v * v;
        }
        below[0] += here[0];
        below[1] += here[1];
    }
    /* Weights of 1 on average: an influence is that of a row. */
    return sqrt(sum / rows) / (all / rows) / sqrt(rows);
}

double ens_auc_sorted(const double *score, const double *weight, size_t n,
                      double *std_error)
{
    double total[2] = {0, 0}, here[2], sum = 0, auc = NAN;

    for (size_t at = 0, end; at < n; at = end) {
        end = tied(score, weight, n, at, &here[1], &here[0]);
        sum += here[1] * (total[0] + here[0] / 2);
        total[0] += here[0];
        total[1] += here[1];
    }
    if (total[0] > 0 && total[1] > 0)
        auc = sum / (total[0] * total[1]);
    if (std_error)
        *std_error = isnan(auc) ? NAN : influence(score, weight, n, total, auc);
    return auc;
}
