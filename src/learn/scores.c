#include "learn/scores.h"

#include "base/bug.h"

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
     .help = text,                                                             \
     .smaller_is_better = smaller,                                             \
     .families = of,                                                           \
     .terms = t,                                                               \
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

/* n: terms added before this one. A finished run goes up as long as a sum of
 * as many runs waits there. */
static void running_add(struct ens_running *r, uint64_t n, double x)
{
    uint64_t runs = n / ENS_SCORE_RUN;

    r->run += x;
    if (n % ENS_SCORE_RUN != ENS_SCORE_RUN - 1)
        return;
    for (size_t k = 0;; k++, runs >>= 1) {
        if ((runs & 1) == 0) {
            r->level[k] = r->run;
            break;
        }
        r->run += r->level[k];
    }
    r->run = 0;
}

static double running_sum(const struct ens_running *r, uint64_t n)
{
    double sum = r->run;

    n /= ENS_SCORE_RUN;
    for (size_t k = 0; n; k++, n >>= 1)
        if (n & 1)
            sum += r->level[k];
    return sum;
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

static void terms_of(const struct ens_scorer *s, double y, const double *p,
                     double w, double *t)
{
    double moved;

    if (w != 0 && s->score->terms == variation) {
        moved = *p - s->first;
        variation(y - s->first, &moved, 1, t);
    } else if (w != 0) {
        s->score->terms(y, p, s->m, t);
    }
}

#define SUMS (3 + ENS_SCORE_TERMS) /* weight, loss, square, terms */

/* Rows of one run, whose sums are `of`: those of running_add, but that only
 * the last row of a run looks whether it is that. */
static void add_run(struct ens_scorer *s, struct ens_running *const of[SUMS],
                    const double *y, const double *p, const double *w, size_t n)
{
    double sum[SUMS];

    for (size_t k = 0; k < SUMS; k++)
        sum[k] = of[k]->run;
    for (size_t i = 0; i + 1 < n; i++) {
        double t[ENS_SCORE_TERMS] = {0}, v = w ? w[i] : 1, moved;

        terms_of(s, y[i], p + i * s->m, v, t);
        moved = v * t[0] - s->first_loss;
        sum[0] += v;
        sum[1] += moved;
        sum[2] += moved * moved;
        for (size_t k = 0; k < ENS_SCORE_TERMS; k++)
            sum[3 + k] += v * t[k];
    }
    for (size_t k = 0; k < SUMS; k++)
        of[k]->run = sum[k];
    s->n += n - 1;
}

static void add_row(struct ens_scorer *s, double y, const double *p, double w)
{
    double t[ENS_SCORE_TERMS] = {0}, moved;

    terms_of(s, y, p, w, t);
    if (s->n == 0)
        s->first_loss = w * t[0];
    moved = w * t[0] - s->first_loss;
    running_add(&s->weight, s->n, w);
    running_add(&s->loss, s->n, moved);
    running_add(&s->square, s->n, moved * moved);
    for (size_t k = 0; k < ENS_SCORE_TERMS; k++)
        running_add(&s->term[k], s->n, w * t[k]);
    s->n++;
}

static void add_losses(struct ens_scorer *s, const double *y, const double *p,
                       const double *w, size_t n)
{
    struct ens_running *const of[SUMS] = {&s->weight,  &s->loss,
                                          &s->square,  &s->term[0],
                                          &s->term[1], &s->term[2]};

    while (n > 0) {
        size_t run = (size_t)(ENS_SCORE_RUN - s->n % ENS_SCORE_RUN);

        run = s->n == 0 ? 1 : run < n ? run : n;
        if (s->n == 0)
            s->first = y[0];
        add_run(s, of, y, p, w, run);
        add_row(s, y[run - 1], p + (run - 1) * s->m, w ? w[run - 1] : 1);
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
    for (size_t k = 0; k < ENS_SCORE_TERMS; k++)
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
