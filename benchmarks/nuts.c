/* Rates of the sampler on posteriors of posteriordb whose densities are coded
 * by hand, 4 chains of 1,000 draws each. Usage: nuts_rates FOLDER SEEDS
 *
 * A line per posterior, scheme and seed: us of CPU time per leapfrog (all that
 * the fit takes, by the number of its leapfrogs) and per gradient alone,
 * leapfrogs of warm-ups and of draws, all gradients, the smallest bulk ESS of
 * a reported number, seconds of CPU time, divergences. nuts.py prints them
 * beside Stan's. */
#include "../tests/posteriors.h"

#include "base/number.h"
#include "math/rng.h"
#include "mcmc/adapt.h"
#include "mcmc/chain.h"
#include "mcmc/chains.h"
#include "mcmc/mode.h"

#include <time.h>

#define CHAINS 4
#define DRAWS  1000

static double work[20000], mode_work[1000], chains_work[200000];
static double q[CHAINS * DRAWS * POSTERIOR_MAX_DIM];
static double reported[POSTERIOR_MAX_DIM][CHAINS * DRAWS];

struct fit {
    uint64_t warmup_leapfrogs, leapfrogs, gradients, n_divergent;
    double seconds, ess;
};

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int run_chains(const struct ens_density *d,
                      const struct ens_adaptation *scheme, uint64_t seed,
                      struct fit *fit, struct ens_error *err)
{
    struct ens_chain_options o;
    struct ens_mode mode;
    double start = now();

    ens_chain_defaults(&o, scheme);
    if (scheme->needs_mode) {
        ens_mode_find(d, NULL, mode_work, &mode);
        fit->gradients += mode.n_gradients;
        if (ens_mode_explain(&mode, NULL, err) != ENS_OK)
            return -1;
    }
    for (uint64_t c = 0; c < CHAINS; c++) {
        struct ens_chain chain = {.q = q + c * DRAWS * d->dim};
        struct ens_rng g;

        ens_rng_set(&g, seed, 1, c, 1);
        if (ens_chain_run(d, &o, &mode, &g, work, &chain, err) != ENS_OK)
            return -1;
        fit->warmup_leapfrogs += chain.warmup_leapfrogs;
        fit->leapfrogs += chain.leapfrogs;
        fit->gradients += chain.n_gradients;
        fit->n_divergent += chain.n_divergent;
    }
    fit->seconds = now() - start;
    return 0;
}

static double smallest_ess(const struct posterior *p)
{
    struct ens_chains chains;
    double least = INFINITY;

    if (ens_chains_work(DRAWS, CHAINS) >
        sizeof(chains_work) / sizeof(*chains_work))
        abort();
    for (size_t i = 0; i < CHAINS * DRAWS; i++) {
        double out[POSTERIOR_MAX_DIM];

        posterior_report(p, q + i * p->dim, out);
        for (size_t j = 0; j < p->dim; j++)
            reported[j][i] = out[j];
    }
    ens_chains_init(&chains, DRAWS, CHAINS, chains_work);
    for (size_t j = 0; j < p->dim; j++) {
        ens_chains_set(&chains, reported[j]);
        least = fmin(least, ens_chains_ess_bulk(&chains));
    }
    return least;
}

/* us of a gradient at the last draws. */
static double time_gradient(const struct ens_density *d)
{
    double g[POSTERIOR_MAX_DIM], start = now(), end;
    size_t n = 0;

    do {
        for (size_t i = 0; i < 100; i++)
            d->at(d->model, q + (i + n) % (CHAINS * DRAWS) * d->dim, g);
        n += 100;
        end = now();
    } while (end - start < 0.02);
    return 1e6 * (end - start) / (double)n;
}

static void print_rates(const struct posterior *p,
                        const struct ens_adaptation *scheme, const char *folder,
                        uint64_t seed)
{
    struct ens_density d = posterior_load(p, folder);
    struct ens_error err = {0};
    struct fit fit = {0};

    if (run_chains(&d, scheme, seed, &fit, &err) != 0) {
        fprintf(stderr, "%s, %s: %s\n", p->name, scheme->name, err.text);
        return;
    }
    fit.ess = smallest_ess(p);
    printf("%s,%s,%.4f,%.4f,%llu,%llu,%llu,%.1f,%.6f,%llu\n", p->name,
           scheme->name,
           1e6 * fit.seconds / (double)(fit.warmup_leapfrogs + fit.leapfrogs),
           time_gradient(&d), (unsigned long long)fit.warmup_leapfrogs,
           (unsigned long long)fit.leapfrogs, (unsigned long long)fit.gradients,
           fit.ess, fit.seconds, (unsigned long long)fit.n_divergent);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    uint64_t seeds = 0;

    if (argc != 3 ||
        ens_number_parse_u64(argv[2], strlen(argv[2]), &seeds) != 0) {
        fprintf(stderr, "usage: nuts_rates FOLDER SEEDS\n");
        return 2;
    }
    puts("posterior,scheme,us_per_leapfrog,us_per_gradient,warmup_leapfrogs,"
         "leapfrogs,gradients,ess,seconds,divergent");
    for (size_t i = 0; i < sizeof(posteriors) / sizeof(*posteriors); i++)
        for (size_t k = 0; ens_adaptation_at(k); k++)
            for (uint64_t seed = 1; seed <= seeds; seed++)
                print_rates(&posteriors[i], ens_adaptation_at(k), argv[1],
                            seed);
    return 0;
}
