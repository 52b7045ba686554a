/* Principal components: eigenvectors of the covariance matrix, the largest
 * first, each with its largest loading positive.
 *
 * Whitened ones are scaled as by scikit-learn's PCA(whiten=True): their
 * variance with n - 1 is 1. Those of no variance (10^-12 of the first) are left
 * out, but where a number of them is asked for that are not to be whitened. A
 * share is reached as there: by the first components that have more than it. */
#include "learn/prep/step.h"
#include "math/linalg.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static enum ens_status options(struct ens_prep_step *s, struct ens_error *err)
{
    enum ens_status st =
        ens_prep_number(s->call, "components", 0, 0, &s->arg[0], err);

    if (st == ENS_OK)
        st = ens_prep_flag(s->call, "whiten", 1, 0, &s->arg[1], err);
    if (st != ENS_OK)
        return st;
    if (s->arg[0] < 0 || !(s->arg[0] <= 1e6) ||
        (s->arg[0] >= 1 && s->arg[0] != floor(s->arg[0])))
        return ens_fail(err, ENS_ESTUDY,
                        "pca: components: a whole number of them, or a share "
                        "of the variance below 1");
    return ENS_OK;
}

/* How many of the ascending eigenvalues. */
static size_t count(const struct ens_prep_step *s, const double *value,
                    size_t p)
{
    double want = s->arg[0], all = 0, sum = 0;
    size_t k = 0;

    if (want >= 1)
        k = (size_t)want;
    for (size_t j = 0; j < p; j++)
        all += value[p - 1 - j];
    if (want > 0 && want < 1 && all > 0) {
        while (k < p && sum / all <= want)
            sum += value[p - 1 - k++];
    } else if (want < 1) {
        k = p;
    }
    if (want < 1 || s->arg[1] != 0)
        while (k > 0 && !(value[p - k] > 1e-12 * value[p - 1]))
            k--;
    return k;
}

static void take_vector(const double *vector, size_t p, double scale,
                        double *out)
{
    size_t most = 0;

    for (size_t j = 1; j < p; j++)
        if (fabs(vector[j]) > fabs(vector[most]))
            most = j;
    if (vector[most] < 0)
        scale = -scale;
    for (size_t j = 0; j < p; j++)
        out[j] = vector[j] * scale;
}

static enum ens_status make(struct ens_prep_fit *f, const struct ens_moments *m,
                            const double *vectors, const double *value,
                            struct ens_error *err)
{
    size_t p = m->p, k = count(f->step, value, p);
    double *own;

    if (k == 0)
        return ens_fail(err, ENS_EDOMAIN, "no column varies");
    own = ens_prep_own(f, k, (p + p * k) * sizeof(*own), err);
    if (own == NULL)
        return ENS_ENOMEMORY;
    memcpy(own, m->mean, p * sizeof(*own));
    for (size_t c = 0; c < k; c++) {
        double n = (double)m->n, variance = value[p - 1 - c] * n / (n - 1);

        take_vector(vectors + (p - 1 - c) * p, p,
                    f->step->arg[1] != 0 ? 1 / sqrt(variance) : 1,
                    own + p + c * p);
    }
    return ENS_OK;
}

static enum ens_status fit(struct ens_prep_fit *f, struct ens_error *err)
{
    size_t p = f->rows->p;
    double *a = ens_arena_alloc(f->arena, p * p, sizeof(*a)),
           *value = ens_arena_alloc(f->arena, p, sizeof(*value)),
           *work = ens_arena_alloc(f->arena, ENS_EIGEN_WORK(p), sizeof(*work));
    const struct ens_moments *m;
    enum ens_status st = f->rows->moments(f->rows, &m, err);

    if (st != ENS_OK)
        return st;
    if (a == NULL || value == NULL || work == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    if (f->step->arg[0] > (double)p)
        return ens_fail(err, ENS_EDOMAIN, "%.0f components of %zu columns",
                        f->step->arg[0], p);
    memcpy(a, m->cov, p * p * sizeof(*a));
    if (ens_eigen(a, p, value, work) != 0)
        return ens_fail(err, ENS_EDOMAIN, "no eigenvalues are found");
    return make(f, m, a, value, err);
}

static enum ens_status names(const struct ens_prep_part *part,
                             const char *const *column, struct ens_arena *arena,
                             const char **name, struct ens_error *err)
{
    (void)column;
    for (size_t j = 0; j < part->q; j++) {
        name[j] = ens_arena_printf(arena, "PC%zu", j + 1);
        if (name[j] == NULL)
            return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    }
    return ENS_OK;
}

const struct ens_prep_op ens_prep_pca = {.name = "pca",
                                         .form = ENS_PREP_MAP,
                                         .options = options,
                                         .fit = fit,
                                         .names = names};
