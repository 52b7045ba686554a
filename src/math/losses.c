#include "math/losses.h"

#include "math/lanes.h"

ENS_LANES_CLONES
double ens_loss_binomial(const double *eta, const double *y, const double *w,
                         size_t n, double *r, double *h)
{
    ens_lanes sum = {0};

    for (size_t i = 0; i < n; i += ENS_LANES) {
        ens_lanes x = ens_lanes_load(eta + i), yi = ens_lanes_load(y + i);
        ens_lanes wi = ens_lanes_load(w + i);
        ens_lanes t = ens_lanes_exp(-ens_lanes_abs(x)), s = 1 / (1 + t);
        ens_lanes_bits positive = x > 0.0;
        ens_lanes mu = ens_lanes_choose(positive, s, t * s);
        ens_lanes high = ens_lanes_choose(positive, x, ens_lanes_all(0));
        /* log(1 + t) = 2 atanh(t / (2 + t)) would be closer for small t;
         * what is lost, 1e-16 a row, is not seen in a sum of losses */
        ens_lanes loss = ens_lanes_log(1 + t) + high - yi * x;

        sum += wi * loss;
        ens_lanes_store(r + i, wi * (mu - yi));
        ens_lanes_store(h + i, wi * (t * s * s));
    }
    return ens_lanes_sum(sum);
}

ENS_LANES_CLONES
double ens_loss_poisson(const double *eta, const double *y, const double *w,
                        size_t n, double *r, double *h)
{
    ens_lanes sum = {0};

    for (size_t i = 0; i < n; i += ENS_LANES) {
        ens_lanes x = ens_lanes_load(eta + i), yi = ens_lanes_load(y + i);
        ens_lanes wi = ens_lanes_load(w + i), mu = ens_lanes_exp(x);

        sum += wi * (mu - yi * x);
        ens_lanes_store(r + i, wi * (mu - yi));
        ens_lanes_store(h + i, wi * mu);
    }
    return ens_lanes_sum(sum);
}

ENS_LANES_CLONES
double ens_loss_softmax(double *eta, size_t stride, size_t k, const double *y,
                        const double *w, size_t n)
{
    ens_lanes sum = {0};

    for (size_t i = 0; i < n; i += ENS_LANES) {
        ens_lanes top = ens_lanes_load(eta + i), total = ens_lanes_all(0);
        ens_lanes yi = ens_lanes_load(y + i), own = ens_lanes_all(0);

        for (size_t c = 1; c < k; c++) {
            ens_lanes x = ens_lanes_load(eta + i + c * stride);

            top = ens_lanes_choose(x > top, x, top);
        }
        for (size_t c = 0; c < k; c++) {
            double *at = eta + i + c * stride;
            ens_lanes x = ens_lanes_load(at) - top, e = ens_lanes_exp(x);

            own = ens_lanes_choose(yi == (double)c, x, own);
            total += e;
            ens_lanes_store(at, e);
        }
        for (size_t c = 0; c < k; c++) {
            double *at = eta + i + c * stride;

            ens_lanes_store(at, ens_lanes_load(at) / total);
        }
        sum += ens_lanes_load(w + i) * (ens_lanes_log(total) - own);
    }
    return ens_lanes_sum(sum);
}

ENS_LANES_CLONES
void ens_loss_softmax_residual(const double *mu, const double *y,
                               const double *w, double class, size_t n,
                               double *r)
{
    for (size_t i = 0; i < n; i += ENS_LANES) {
        ens_lanes is = ens_lanes_choose(ens_lanes_load(y + i) == class,
                                        ens_lanes_all(1), ens_lanes_all(0));

        ens_lanes_store(r + i,
                        ens_lanes_load(w + i) * (ens_lanes_load(mu + i) - is));
    }
}

ENS_LANES_CLONES
void ens_loss_softmax_weight(const double *a, const double *b, double same,
                             const double *w, size_t n, double *h)
{
    for (size_t i = 0; i < n; i += ENS_LANES)
        ens_lanes_store(h + i, ens_lanes_load(w + i) * ens_lanes_load(a + i) *
                                   (same - ens_lanes_load(b + i)));
}
