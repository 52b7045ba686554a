#include "learn/moments.h"

#include "math/chunk.h"
#include "math/sums.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define SHIFT_ROWS 1000

/* Places in sums. */
static size_t at_sum(size_t j)
{
    return 2 + j;
}

static size_t at_gram(size_t p)
{
    return 2 + p + 1;
}

static size_t at_min(size_t p)
{
    return at_gram(p) + (p + 1) * (p + 2) / 2;
}

size_t ens_sums_doubles(size_t p)
{
    return at_min(p) + 2 * p;
}

void ens_sums_init(double *sums, size_t p)
{
    memset(sums, 0, at_min(p) * sizeof(*sums));
    for (size_t j = 0; j < p; j++) {
        sums[at_min(p) + j] = INFINITY;
        sums[at_min(p) + p + j] = -INFINITY;
    }
}

void ens_sums_add(double *to, const double *from, size_t p)
{
    size_t n = at_min(p);

    for (size_t i = 0; i < n; i++)
        to[i] += from[i];
    for (size_t i = n; i < n + p; i++)
        to[i] = fmin(to[i], from[i]);
    for (size_t i = n + p; i < n + 2 * p; i++)
        to[i] = fmax(to[i], from[i]);
}

void ens_sums_union(const double *sums, size_t stride, const uint32_t *block,
                    size_t n, size_t p, double *out)
{
    ens_sums_init(out, p);
    for (size_t i = 0; i < n; i++)
        ens_sums_add(out, sums + (block ? block[i] : i) * stride, p);
}

/* Sums of 2^level lanes wait until there are as many beside them: never more
 * than one of each level. */
size_t ens_sums_tree_doubles(size_t n, size_t p)
{
    size_t levels = 1;

    for (size_t i = n - 1; i > 0; i /= 2)
        levels++;
    return levels * ens_sums_doubles(p);
}

void ens_sums_tree(const double *lane, size_t stride, size_t n, size_t p,
                   double *work, double *out)
{
    size_t size = ens_sums_doubles(p), waiting = 0;

    for (size_t i = 0; i < n; i++) {
        memcpy(work + waiting++ * size, lane + i * stride, size * sizeof(*out));
        for (size_t k = i + 1; k % 2 == 0; k /= 2) {
            waiting--;
            ens_sums_add(work + (waiting - 1) * size, work + waiting * size, p);
        }
    }
    for (; waiting > 1; waiting--)
        ens_sums_add(work + (waiting - 2) * size, work + (waiting - 1) * size,
                     p);
    memcpy(out, work, size * sizeof(*out));
}

/* -- a pass ------------------------------------------------------------ */

size_t ens_sums_pass_doubles(size_t p, uint32_t n_folds)
{
    return ens_chunk_doubles(p + 1) + ENS_CHUNK_MAX + (size_t)n_folds / 2 + 1;
}

/* Rows row[0..n-1] of a chunk (NULL: the first n), all of one fold. */
static void add_part(const struct ens_sums_pass *pass,
                     const struct ens_sums_rows *r, const uint32_t *row,
                     size_t n, double *sums)
{
    size_t p = pass->p, ld = ENS_CHUNK_LD(n);
    double *z = pass->work, *w = z + ens_chunk_doubles(p + 1);
    struct ens_chunk_range of;

    ens_chunk_fill(z, r->x, r->stride, row, n, p);
    memset(z + p * ld, 0, ld * sizeof(*z));
    if (r->y)
        ens_chunk_column(z + p * ld, r->y, row, n);
    memset(w, 0, ENS_CHUNK_MAX * sizeof(*w));
    if (r->w)
        ens_chunk_column(w, r->w, row, n);
    else
        for (size_t i = 0; i < n; i++)
            w[i] = 1;
    sums[0] += (double)n;
    for (size_t i = 0; i < n; i++)
        sums[1] += w[i];
    for (size_t j = 0; j <= p; j++) {
        of = (struct ens_chunk_range){INFINITY, -INFINITY, 0};
        ens_chunk_shift(z + j * ld, w, n, pass->shift[j], &of);
        sums[at_sum(j)] += of.sum;
        if (j == p)
            break;
        sums[at_min(p) + j] = fmin(sums[at_min(p) + j], of.min);
        sums[at_min(p) + p + j] = fmax(sums[at_min(p) + p + j], of.max);
    }
    ens_chunk_gram(z, n, p + 1, r->w ? w : NULL, sums + at_gram(p));
}

static void add_chunk(const struct ens_sums_pass *pass,
                      const struct ens_sums_rows *r)
{
    uint32_t order[ENS_CHUNK_MAX];
    uint32_t *end = (uint32_t *)(pass->work + ens_chunk_doubles(pass->p + 1) +
                                 ENS_CHUNK_MAX);
    uint32_t in = 0;

    memset(end, 0, pass->n_folds * sizeof(*end));
    for (size_t i = 0; i < r->n; i++)
        if (r->fold[i] < pass->n_folds)
            end[r->fold[i]]++;
    for (uint32_t k = 0; k < pass->n_folds; k++) {
        uint32_t n = end[k];

        end[k] = in;
        in += n;
    }
    for (uint32_t i = 0; i < r->n; i++)
        if (r->fold[i] < pass->n_folds)
            order[end[r->fold[i]]++] = i;
    for (uint32_t first = 0; first < in;) {
        uint32_t k = r->fold[order[first]];

        add_part(pass, r, end[k] - first == r->n ? NULL : order + first,
                 end[k] - first, pass->sums + k * ens_sums_doubles(pass->p));
        first = end[k];
    }
}

void ens_sums_lane(const struct ens_sums_pass *pass,
                   const struct ens_sums_rows *rows)
{
    size_t size = ens_chunk_rows(pass->p + 1);

    for (size_t i = 0; i < rows->n; i += size) {
        struct ens_sums_rows part = {
            .n = rows->n - i < size ? rows->n - i : size,
            .x = rows->x + i * rows->stride,
            .stride = rows->stride,
            .y = rows->y ? rows->y + i : NULL,
            .w = rows->w ? rows->w + i : NULL,
            .fold = rows->fold ? rows->fold + i : NULL,
        };

        if (part.fold)
            add_chunk(pass, &part);
        else
            add_part(pass, &part, NULL, part.n, pass->sums);
    }
}

int ens_sums_are_finite(const double *sums, size_t p)
{
    for (size_t j = 0; j <= p; j++)
        if (!isfinite(sums[at_sum(j)]))
            return 0;
    return 1;
}

/* -- from sums to moments ---------------------------------------------- */

/* Less the first of them: of equal values the mean is that value. */
static void add_row(const struct ens_rows *r, uint64_t at, uint64_t n,
                    double *shift, double *first)
{
    double *x = first + r->p + 1;

    r->gather(r, &at, 1, x);
    x[r->p] = 0;
    if (r->y)
        r->y(r, at, 1, x + r->p);
    if (at == 0)
        memcpy(first, x, (r->p + 1) * sizeof(*x));
    for (size_t j = 0; j <= r->p; j++)
        shift[j] += (x[j] - first[j]) / (double)n;
}

void ens_moments_shift(const struct ens_rows *r, double *shift, double *work)
{
    uint64_t n = r->n < SHIFT_ROWS ? r->n : SHIFT_ROWS;

    memset(shift, 0, (r->p + 1) * sizeof(*shift));
    for (uint64_t i = 0; i < n; i++) /* floor(i N / n) without overflow */
        add_row(r, r->n / n * i + r->n % n * i / n, n, shift, work);
    for (size_t j = 0; j <= r->p && n > 0; j++) {
        shift[j] += work[j];
        if (!isfinite(shift[j]))
            shift[j] = 0;
    }
}

size_t ens_moments_doubles(size_t p)
{
    return p * (p + 2);
}

/* Places of its parts; what *m points to is written through these. */
struct parts {
    double *mean, *cov, *cross;
};

static struct parts place(double *mem, size_t p, struct ens_moments *m)
{
    struct parts at = {mem, mem + 2 * p, mem + p};

    m->p = p;
    m->mean = at.mean;
    m->cov = at.cov;
    m->cross = at.cross;
    return at;
}

static enum ens_status check(const double *sums, size_t p,
                             struct ens_error *err)
{
    if (!(sums[1] > 0))
        return ens_fail(err, ENS_EDOMAIN,
                        sums[0] > 0 ? "all weights are 0" : "no rows");
    for (size_t j = 0; j <= p; j++) {
        size_t square = at_gram(p) + j * (j + 1) / 2 + j;

        if (isfinite(sums[at_sum(j)]) && isfinite(sums[square]))
            continue;
        if (j == p)
            return ens_fail(err, ENS_EDOMAIN,
                            "the response has values that are not finite, or "
                            "too large to be squared");
        return ens_fail(err, ENS_EDOMAIN,
                        "column %zu has values that are not finite, or too "
                        "large to be squared",
                        j + 1);
    }
    return ENS_OK;
}

/* Covariances of row j of the triangle; of the response for j = p. */
static void centre_row(const double *sums, size_t p, size_t j, double *row)
{
    const double *gram = sums + at_gram(p) + j * (j + 1) / 2;
    const double *low = sums + at_min(p), *high = low + p;
    int constant = j < p && low[j] == high[j];
    double weight = sums[1], mj = sums[at_sum(j)] / weight;

    for (size_t k = 0; k <= j; k++) {
        int other = k < p && low[k] == high[k];

        row[k] = constant || other
                     ? 0
                     : gram[k] / weight - mj * (sums[at_sum(k)] / weight);
    }
    if (!(row[j] > 0))
        row[j] = 0;
}

/* Mean square about the shift over the variance; of what is constant but for
 * rounding: 0. */
static double digits_lost(const double *sums, size_t p, size_t j, double mean,
                          double var)
{
    double square = sums[at_gram(p) + j * (j + 1) / 2 + j] / sums[1];

    if (!(square > 16 * DBL_EPSILON * DBL_EPSILON * mean * mean))
        return 0;
    return var > 0 ? square / var : INFINITY;
}

static void centre_response(const double *sums, const double *shift, size_t p,
                            double *cross, struct ens_moments *m)
{
    const double *gram = sums + at_gram(p) + p * (p + 1) / 2;
    const double *low = sums + at_min(p), *high = low + p;
    double weight = sums[1], t = sums[at_sum(p)] / weight;

    for (size_t j = 0; j < p; j++)
        cross[j] = low[j] == high[j]
                       ? 0
                       : gram[j] / weight - t * (sums[at_sum(j)] / weight);
    m->y_mean = shift[p] + t;
    m->y_var = fmax(gram[p] / weight - t * t, 0);
}

enum ens_status ens_moments_finish(const double *sums, const double *shift,
                                   size_t p, double *mem, struct ens_moments *m,
                                   double *loss, struct ens_error *err)
{
    const double *low = sums + at_min(p), *high = low + p;
    double most = 0;
    struct parts to;
    enum ens_status s = check(sums, p, err);

    if (s != ENS_OK)
        return s;
    to = place(mem, p, m);
    m->n = (uint64_t)sums[0];
    m->weight = sums[1];
    for (size_t j = 0; j < p; j++) {
        centre_row(sums, p, j, to.cov + j * p);
        to.mean[j] =
            low[j] == high[j] ? low[j] : shift[j] + sums[at_sum(j)] / sums[1];
        for (size_t k = 0; k < j; k++)
            to.cov[k * p + j] = to.cov[j * p + k];
        if (low[j] < high[j])
            most = fmax(most,
                        digits_lost(sums, p, j, to.mean[j], to.cov[j * p + j]));
    }
    centre_response(sums, shift, p, to.cross, m);
    if (loss)
        *loss = fmax(most, digits_lost(sums, p, p, m->y_mean, m->y_var));
    return ENS_OK;
}

/* -- moments of rows --------------------------------------------------- */

/* shift, sums, pass, block of x, y, w; the block also as the shift's work. */
size_t ens_moments_of_rows_doubles(size_t p)
{
    return p + 1 + ens_sums_doubles(p) + ens_sums_pass_doubles(p, 1) +
           ens_chunk_rows(p + 1) * (p + 2);
}

static void sum_rows(const struct ens_rows *r, const struct ens_sums_pass *pass,
                     double *x)
{
    size_t size = ens_chunk_rows(r->p + 1);
    double *y = x + size * r->p, *w = y + size;

    ens_sums_init(pass->sums, r->p);
    for (uint64_t first = 0; first < r->n; first += size) {
        size_t n = r->n - first < size ? (size_t)(r->n - first) : size;
        struct ens_sums_rows rows = {.n = n, .x = x, .stride = r->p};

        r->x(r, first, n, x);
        if (r->y) {
            r->y(r, first, n, y);
            rows.y = y;
        }
        if (r->weighted) {
            r->w(r, first, n, w);
            rows.w = w;
        }
        ens_sums_lane(pass, &rows);
    }
}

/* Names the column that `check` has the number of. */
static enum ens_status name_column(const struct ens_rows *r, const double *sums,
                                   struct ens_error *err)
{
    for (size_t j = 0; j < r->p && sums[1] > 0; j++)
        if (!isfinite(sums[at_sum(j)]) ||
            !isfinite(sums[at_gram(r->p) + j * (j + 1) / 2 + j]))
            return ens_fail(err, ENS_EDOMAIN,
                            "column %s has values that are not finite, or too "
                            "large to be squared",
                            r->column[j]);
    return check(sums, r->p, err);
}

enum ens_status ens_moments_of_rows(const struct ens_rows *r, double *mem,
                                    double *work, struct ens_moments *m,
                                    struct ens_error *err)
{
    double *shift = work, *sums = shift + r->p + 1;
    double *pass_work = sums + ens_sums_doubles(r->p);
    double *x = pass_work + ens_sums_pass_doubles(r->p, 1);
    struct ens_sums_pass pass = {r->p, shift, 1, sums, pass_work};
    double loss;
    enum ens_status s;

    ens_moments_shift(r, shift, x);
    for (int again = 0;; again = 1) {
        sum_rows(r, &pass, x);
        s = ens_moments_finish(sums, shift, r->p, mem, m, &loss, NULL);
        if (s != ENS_OK)
            return name_column(r, sums, err);
        if (again || loss < 1e6)
            return ENS_OK;
        memcpy(shift, m->mean, r->p * sizeof(*shift));
        shift[r->p] = m->y_mean;
    }
}

/* -- linear preprocessing ---------------------------------------------- */

static struct parts derive(const struct ens_moments *from, double *mem,
                           size_t p, struct ens_moments *to)
{
    *to = *from;
    return place(mem, p, to);
}

void ens_moments_select(const struct ens_moments *from, const size_t *column,
                        size_t n, double *mem, struct ens_moments *to)
{
    size_t p = from->p;
    struct parts at = derive(from, mem, n, to);

    for (size_t i = 0; i < n; i++) {
        at.mean[i] = from->mean[column[i]];
        at.cross[i] = from->cross[column[i]];
        for (size_t j = 0; j < n; j++)
            at.cov[i * n + j] = from->cov[column[i] * p + column[j]];
    }
}

void ens_moments_scale(const struct ens_moments *from, const double *centre,
                       const double *scale, double *mem, struct ens_moments *to)
{
    size_t p = from->p;
    struct parts at = derive(from, mem, p, to);

    for (size_t i = 0; i < p; i++) {
        at.mean[i] = (from->mean[i] - (centre ? centre[i] : 0)) * scale[i];
        at.cross[i] = from->cross[i] * scale[i];
        for (size_t j = 0; j < p; j++)
            at.cov[i * p + j] = from->cov[i * p + j] * (scale[i] * scale[j]);
    }
}

void ens_moments_map(const struct ens_moments *from, const double *centre,
                     const double *a, size_t q, double *mem, double *work,
                     struct ens_moments *to)
{
    size_t p = from->p;
    struct parts at = derive(from, mem, q, to);

    for (size_t k = 0; k < q; k++) {
        const double *ak = a + k * p;

        at.mean[k] = 0;
        for (size_t j = 0; j < p; j++)
            at.mean[k] += ak[j] * (from->mean[j] - (centre ? centre[j] : 0));
        at.cross[k] = ens_dot(ak, from->cross, p);
        for (size_t j = 0; j < p; j++)
            work[k * p + j] = ens_dot(from->cov + j * p, ak, p);
    }
    for (size_t i = 0; i < q; i++)
        for (size_t j = 0; j <= i; j++)
            at.cov[i * q + j] = at.cov[j * q + i] =
                ens_dot(a + i * p, work + j * p, p);
}
