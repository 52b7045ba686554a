#include "learn/tsqr.h"

#include "math/chunk.h"

#include <lapacke.h>
#include <math.h>
#include <string.h>

#define PANEL 32 /* columns of dtpqrt's blocks */

struct work {
    size_t size; /* rows of a block */
    double *x, *y, *w, *z, *t, *own;
};

static size_t svd_doubles(size_t p)
{
    return p * p * 4 + 8 * p; /* of dgesdd: 3 p + max(p, 4 p (p + 1)) */
}

uint64_t ens_tsqr_doubles(size_t p)
{
    size_t m = p + 1, size = ens_chunk_rows(m);

    return m * m + size * (p + 2) + ens_chunk_doubles(m) + 2 * PANEL * m +
           3 * p * p + 2 * p + svd_doubles(p);
}

static int allocate(struct work *k, const struct ens_learn_job *job, size_t m)
{
    k->size = ens_chunk_rows(m);
    k->x = job->alloc(job, k->size * (m + 1), sizeof(double));
    k->z = job->alloc(job, ens_chunk_doubles(m), sizeof(double));
    k->t = job->alloc(job, 2 * PANEL * m, sizeof(double));
    if (k->x == NULL || k->z == NULL || k->t == NULL)
        return 0;
    k->y = k->x + k->size * (m - 1);
    k->w = k->y + k->size;
    k->own = k->t + PANEL * m;
    return 1;
}

/* R = that of R on top of z[n, m]. */
static void stack(struct ens_tsqr *t, struct work *k, size_t n, size_t ld)
{
    int m = (int)t->p + 1, panel = m < PANEL ? m : PANEL;

    LAPACKE_dtpqrt_work(LAPACK_COL_MAJOR, (int)n, m, 0, panel, t->r, m, k->z,
                        (int)ld, k->t, panel, k->own);
}

static void add_block(struct ens_tsqr *t, struct work *k, int weighted,
                      size_t n)
{
    size_t p = t->p, ld = ENS_CHUNK_LD(n);

    ens_chunk_fill(k->z, k->x, p, NULL, n, p);
    ens_chunk_column(k->z + p * ld, k->y, NULL, n);
    for (size_t j = 0; j <= p; j++) {
        double *z = k->z + j * ld;
        double centre = j == p ? t->base : t->centre ? t->centre[j] : 0;
        double scale = j == p ? 1 : t->scale[j];

        for (size_t i = 0; i < n; i++)
            z[i] = (z[i] - centre) / scale;
        for (size_t i = 0; weighted && i < n; i++)
            z[i] *= sqrt(k->w[i]);
    }
    stack(t, k, n, ld);
}

/* The rows of the penalty, as many at a time as a block has. */
static void add_penalty(struct ens_tsqr *t, struct work *k)
{
    for (size_t first = 0; first < t->p; first += k->size) {
        size_t n = t->p - first < k->size ? t->p - first : k->size;
        size_t ld = ENS_CHUNK_LD(n);

        memset(k->z, 0, ld * (t->p + 1) * sizeof(double));
        for (size_t i = 0; i < n; i++)
            k->z[i + (first + i) * ld] = sqrt(t->alpha) / t->scale[first + i];
        stack(t, k, n, ld);
    }
}

enum ens_status ens_tsqr_rows(struct ens_tsqr *t,
                              const struct ens_learn_job *job,
                              const struct ens_rows *rows,
                              struct ens_error *err)
{
    size_t m = rows->p + 1;
    struct work k;

    t->p = rows->p;
    t->r = job->alloc(job, m * m, sizeof(double));
    if (t->r == NULL || !allocate(&k, job, m))
        return ens_linear_memory(err);
    for (uint64_t first = 0; first < rows->n; first += k.size) {
        size_t n =
            rows->n - first < k.size ? (size_t)(rows->n - first) : k.size;

        rows->x(rows, first, n, k.x);
        rows->y(rows, first, n, k.y);
        if (rows->weighted)
            rows->w(rows, first, n, k.w);
        add_block(t, &k, rows->weighted, n);
    }
    if (t->alpha > 0)
        add_penalty(t, &k);
    return ENS_OK;
}

enum ens_status ens_tsqr_solve(const struct ens_tsqr *t,
                               const struct ens_learn_job *job, double tol,
                               double *b, size_t *rank, double **vt,
                               struct ens_error *err)
{
    size_t p = t->p, m = p + 1;
    double *a = job->alloc(job, 3 * p * p + p + svd_doubles(p), sizeof(*a));
    int *iwork = job->alloc(job, 8 * p + 1, sizeof(*iwork));
    double *u, *s, *work;

    if (a == NULL || iwork == NULL)
        return ens_linear_memory(err);
    u = a + p * p;
    *vt = u + p * p;
    s = *vt + p * p;
    work = s + p;
    for (size_t j = 0; j < p; j++)
        memcpy(a + j * p, t->r + j * m, (j + 1) * sizeof(*a));
    if (LAPACKE_dgesdd_work(LAPACK_COL_MAJOR, 'A', (int)p, (int)p, a, (int)p, s,
                            u, (int)p, *vt, (int)p, work, (int)svd_doubles(p),
                            iwork) != 0)
        return ens_fail(err, ENS_EDOMAIN,
                        "singular values of the columns cannot be found");
    memset(b, 0, p * sizeof(*b));
    *rank = 0;
    for (size_t i = 0; i < p && s[i] > tol * s[0]; i++, (*rank)++) {
        double along = 0;

        for (size_t k = 0; k < p; k++)
            along += u[k + i * p] * t->r[k + p * m];
        for (size_t j = 0; j < p; j++)
            b[j] += along / s[i] * (*vt)[i + j * p];
    }
    return ENS_OK;
}
