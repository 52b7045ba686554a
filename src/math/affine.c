#include "math/affine.h"

#include "math/lanes.h"

ENS_LANES_INLINE double row(const struct ens_affine *f, const double *x)
{
    ens_lanes sum = {0};

    for (size_t j = 0; j < f->p; j += ENS_LANES)
        sum += (ens_lanes_load(x + j) - ens_lanes_load(f->centre + j)) *
               ens_lanes_load(f->coef + j);
    return f->base + ens_lanes_sum(sum);
}

ENS_LANES_CLONES
void ens_affine_rows(const struct ens_affine *f, const double *x, size_t n,
                     double *out, size_t stride)
{
    for (size_t i = 0; i < n; i++)
        out[i * stride] = row(f, x + i * f->p);
}

ENS_LANES_INLINE void put(double *to, size_t n, ens_lanes v)
{
    double part[ENS_LANES];

    ens_lanes_store(part, v);
    memcpy(to, part, (n < ENS_LANES ? n : ENS_LANES) * sizeof(*to));
}

ENS_LANES_INLINE ens_lanes take(const double *from, size_t n)
{
    return n >= ENS_LANES ? ens_lanes_load(from) : ens_lanes_part(from, n, 0);
}

ENS_LANES_CLONES
void ens_affine_logistic(double *eta, size_t n)
{
    for (size_t i = 0; i < n; i += ENS_LANES) {
        ens_lanes x = take(eta + i, n - i);
        ens_lanes t = ens_lanes_exp(-ens_lanes_abs(x)), r = 1 / (1 + t);

        put(eta + i, n - i, ens_lanes_choose(x > 0.0, r, t * r));
    }
}

ENS_LANES_CLONES
void ens_affine_exp(double *eta, size_t n)
{
    for (size_t i = 0; i < n; i += ENS_LANES)
        put(eta + i, n - i, ens_lanes_exp(take(eta + i, n - i)));
}

ENS_LANES_CLONES
void ens_affine_softmax(double *eta, size_t k)
{
    double top = eta[0], sum = 0;

    for (size_t i = 1; i < k; i++)
        top = eta[i] > top ? eta[i] : top;
    for (size_t i = 0; i < k; i += ENS_LANES) {
        ens_lanes d = take(eta + i, k - i) - top;

        /* exp is cut at -708, which is not 0 */
        put(eta + i, k - i,
            ens_lanes_choose(d > -708.0, ens_lanes_exp(d), (ens_lanes){0}));
    }
    for (size_t i = 0; i < k; i++)
        sum += eta[i];
    for (size_t i = 0; i < k; i++)
        eta[i] /= sum;
}
