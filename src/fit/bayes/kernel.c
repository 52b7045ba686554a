#include "fit/bayes/kernel.h"

#include "math/lanes.h"

#include <math.h>

/* Rows i .. i+7 of a block; the last ones are filled up with what adds
 * nothing to any sum. */
struct rows {
    const double *y, *w;
    double *eta;
    size_t n;
};

ENS_LANES_INLINE size_t left(const struct rows *b, size_t i)
{
    return b->n - i;
}

ENS_LANES_INLINE ens_lanes take(const double *p, const struct rows *b, size_t i,
                                double rest)
{
    return left(b, i) >= ENS_LANES ? ens_lanes_load(p + i)
                                   : ens_lanes_part(p + i, left(b, i), rest);
}

ENS_LANES_INLINE void put(const struct rows *b, size_t i, ens_lanes v)
{
    double part[ENS_LANES];

    if (left(b, i) >= ENS_LANES) {
        ens_lanes_store(b->eta + i, v);
        return;
    }
    ens_lanes_store(part, v);
    memcpy(b->eta + i, part, left(b, i) * sizeof(*part));
}

/* v where there are rows, 0 behind them. */
ENS_LANES_INLINE ens_lanes only(const struct rows *b, size_t i, ens_lanes v)
{
    static const double ones[2 * ENS_LANES] = {1, 1, 1, 1, 1, 1, 1, 1};

    if (left(b, i) >= ENS_LANES)
        return v;
    return v * ens_lanes_load(ones + ENS_LANES - left(b, i));
}

ENS_LANES_CLONES
void ens_kernel_gaussian(const double *y, const double *w, double *eta,
                         size_t n, const double *parameter,
                         struct ens_kernel_sums *sums)
{
    const struct rows b = {y, w, eta, n};
    ens_lanes ss = {0};

    for (size_t i = 0; i < n; i += ENS_LANES) {
        ens_lanes r = take(y, &b, i, 0) - take(eta, &b, i, 0);
        ens_lanes wr = w ? r * take(w, &b, i, 0) : r;

        ss += r * wr;
        put(&b, i, wr * parameter[0]);
    }
    sums->first += ens_lanes_sum(ss);
    sums->value -= 0.5 * parameter[0] * ens_lanes_sum(ss);
}

ENS_LANES_CLONES
void ens_kernel_student(const double *y, const double *w, double *eta, size_t n,
                        const double *parameter, struct ens_kernel_sums *sums)
{
    const struct rows b = {y, w, eta, n};
    const double nu = parameter[1];
    const double scale = 1 / parameter[0];
    ens_lanes logs = {0}, shares = {0};

    for (size_t i = 0; i < n; i += ENS_LANES) {
        ens_lanes z = (take(y, &b, i, 0) - take(eta, &b, i, 0)) * scale;
        ens_lanes d = 1 / (nu + z * z);

        logs += ens_lanes_log(1 + z * z * (1 / nu));
        shares += z * z * d;
        put(&b, i, (nu + 1) * scale * z * d);
    }
    sums->value -= (nu + 1) / 2 * ens_lanes_sum(logs);
    sums->first += (nu + 1) * ens_lanes_sum(shares);
    sums->second +=
        (nu + 1) / (2 * nu) * ens_lanes_sum(shares) - 0.5 * ens_lanes_sum(logs);
}

/* One log for all rows, of the product of the 1 + exp(-|eta|). */
ENS_LANES_CLONES
void ens_kernel_binomial(const double *y, const double *w, double *eta,
                         size_t n, const double *parameter,
                         struct ens_kernel_sums *sums)
{
    const struct rows b = {y, w, eta, n};
    ens_lanes value = {0}, product = ens_lanes_all(1);

    (void)parameter;
    for (size_t i = 0; i < n; i += ENS_LANES) {
        ens_lanes x = take(eta, &b, i, -1000), yi = take(y, &b, i, 0);
        ens_lanes t = ens_lanes_exp(-ens_lanes_abs(x));
        ens_lanes r = 1 / (1 + t);
        ens_lanes_bits positive = x > 0.0;
        ens_lanes high = ens_lanes_choose(positive, x, (ens_lanes){0});

        value += yi * x - high;
        product *= 1 + t;
        put(&b, i, yi - ens_lanes_choose(positive, r, t * r));
    }
    sums->value += ens_lanes_sum(value) - log(ens_lanes_product(product));
}

ENS_LANES_CLONES
void ens_kernel_poisson(const double *y, const double *w, double *eta, size_t n,
                        const double *parameter, struct ens_kernel_sums *sums)
{
    const struct rows b = {y, w, eta, n};
    ens_lanes value = {0};

    (void)parameter;
    for (size_t i = 0; i < n; i += ENS_LANES) {
        ens_lanes x = take(eta, &b, i, 0), yi = take(y, &b, i, 0);
        ens_lanes mu = ens_lanes_exp(x);

        value += only(&b, i, yi * x - mu);
        put(&b, i, yi - mu);
    }
    sums->value += ens_lanes_sum(value);
}

ENS_LANES_CLONES
void ens_kernel_negbinomial(const double *y, const double *w, double *eta,
                            size_t n, const double *parameter,
                            struct ens_kernel_sums *sums)
{
    const struct rows b = {y, w, eta, n};
    const double phi = parameter[0];
    const double log_phi = log(phi);
    ens_lanes value = {0}, slope = {0};

    for (size_t i = 0; i < n; i += ENS_LANES) {
        ens_lanes x = take(eta, &b, i, 0), yi = take(y, &b, i, 0);
        ens_lanes mu = ens_lanes_exp(x);
        ens_lanes d = 1 / (mu + phi);
        ens_lanes l = ens_lanes_log(1 + mu * (1 / phi));

        value += only(&b, i, yi * (x - log_phi - l) - phi * l);
        slope += only(&b, i, (mu - yi) * d - l);
        put(&b, i, phi * (yi - mu) * d);
    }
    sums->value += ens_lanes_sum(value);
    sums->first += ens_lanes_sum(slope);
}

ENS_LANES_CLONES
void ens_kernel_gamma(const double *y, const double *w, double *eta, size_t n,
                      const double *parameter, struct ens_kernel_sums *sums)
{
    const struct rows b = {y, w, eta, n};
    const double shape = parameter[0];
    ens_lanes sum = {0};

    for (size_t i = 0; i < n; i += ENS_LANES) {
        ens_lanes x = take(eta, &b, i, 0);
        ens_lanes ratio = take(y, &b, i, 0) * ens_lanes_exp(-x);

        sum += only(&b, i, x + ratio);
        put(&b, i, shape * (ratio - 1));
    }
    sums->value -= shape * ens_lanes_sum(sum);
    sums->first -= ens_lanes_sum(sum);
}

/* -- model matrix ---------------------------------------------------------- */

/* Four columns, so that out and r are read a quarter as often. */
ENS_LANES_CLONES
void ens_kernel_times(const double *x, size_t ld, size_t n, size_t p,
                      const double *b, double *out)
{
    size_t whole = n - n % ENS_LANES;
    size_t j = 0;

    for (; j + 4 <= p; j += 4) {
        const double *c = x + j * ld;

        for (size_t i = 0; i < whole; i += ENS_LANES)
            ens_lanes_store(out + i,
                            ens_lanes_load(out + i) +
                                ((b[j] * ens_lanes_load(c + i) +
                                  b[j + 1] * ens_lanes_load(c + ld + i)) +
                                 (b[j + 2] * ens_lanes_load(c + 2 * ld + i) +
                                  b[j + 3] * ens_lanes_load(c + 3 * ld + i))));
        for (size_t i = whole; i < n; i++)
            out[i] += (b[j] * c[i] + b[j + 1] * c[ld + i]) +
                      (b[j + 2] * c[2 * ld + i] + b[j + 3] * c[3 * ld + i]);
    }
    for (; j < p; j++) {
        const double *c = x + j * ld;

        for (size_t i = 0; i < whole; i += ENS_LANES)
            ens_lanes_store(out + i, ens_lanes_load(out + i) +
                                         b[j] * ens_lanes_load(c + i));
        for (size_t i = whole; i < n; i++)
            out[i] += b[j] * c[i];
    }
}

ENS_LANES_CLONES
void ens_kernel_cross(const double *x, size_t ld, size_t n, size_t p,
                      const double *r, double *out)
{
    size_t whole = n - n % ENS_LANES;
    size_t j = 0;

    for (; j + 4 <= p; j += 4) {
        const double *c = x + j * ld;
        ens_lanes s[4] = {{0}};

        for (size_t i = 0; i < whole; i += ENS_LANES) {
            ens_lanes ri = ens_lanes_load(r + i);

            s[0] += ri * ens_lanes_load(c + i);
            s[1] += ri * ens_lanes_load(c + ld + i);
            s[2] += ri * ens_lanes_load(c + 2 * ld + i);
            s[3] += ri * ens_lanes_load(c + 3 * ld + i);
        }
        for (size_t k = 0; k < 4; k++) {
            double sum = ens_lanes_sum(s[k]);

            for (size_t i = whole; i < n; i++)
                sum += r[i] * c[k * ld + i];
            out[j + k] += sum;
        }
    }
    for (; j < p; j++) {
        const double *c = x + j * ld;
        ens_lanes s = {0};
        double sum;

        for (size_t i = 0; i < whole; i += ENS_LANES)
            s += ens_lanes_load(r + i) * ens_lanes_load(c + i);
        sum = ens_lanes_sum(s);
        for (size_t i = whole; i < n; i++)
            sum += r[i] * c[i];
        out[j] += sum;
    }
}

ENS_LANES_CLONES
double ens_kernel_rising(const double *w, size_t n, double phi, double *slope)
{
    const struct rows b = {.n = n};
    ens_lanes at = {0, 1, 2, 3, 4, 5, 6, 7};
    ens_lanes sum = {0}, d = {0};

    at += phi;
    for (size_t i = 0; i < n; i += ENS_LANES) {
        ens_lanes wi = take(w, &b, i, 0);

        sum += wi * ens_lanes_log(at);
        d += wi / at;
        at += ENS_LANES;
    }
    *slope = ens_lanes_sum(d);
    return ens_lanes_sum(sum);
}
