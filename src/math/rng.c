#include "math/rng.h"

#include "base/bug.h"
#include "base/hash.h"

#include <Random123/philox.h>
#include <gsl/gsl_randist.h>
#include <string.h>

__extension__ typedef unsigned __int128 u128;

#define STREAM_BYTES 512

static void fill(struct ens_rng_state *s)
{
    philox4x64_ctr_t counter;
    philox4x64_key_t key;
    philox4x64_ctr_t word;

    memcpy(counter.v, s->counter, sizeof(counter.v));
    memcpy(key.v, s->key, sizeof(key.v));
    word = philox4x64_R(10, counter, key);
    memcpy(s->word, word.v, sizeof(s->word));
    /* The block number never carries: the other words name the stream. */
    s->counter[0]++;
    s->next = 0;
}

static uint64_t take(struct ens_rng_state *s)
{
    if (s->next == 4)
        fill(s);
    return s->word[s->next++];
}

static double to_unit(uint64_t word)
{
    return (double)(word >> 11) * 0x1p-53;
}

static void philox_set(void *state, unsigned long seed)
{
    struct ens_rng_state *s = state;

    memset(s, 0, sizeof(*s));
    s->key[0] = seed;
    s->next = 4;
}

static unsigned long philox_get(void *state)
{
    return take(state);
}

static double philox_get_double(void *state)
{
    return to_unit(take(state));
}

const gsl_rng_type ens_rng_philox = {
    .name = "philox4x64-10",
    .max = UINT64_MAX,
    .min = 0,
    .size = sizeof(struct ens_rng_state),
    .set = philox_set,
    .get = philox_get,
    .get_double = philox_get_double,
};

uint64_t ens_rng_stream(const char *stage, const char *purpose)
{
    char text[STREAM_BYTES];
    size_t a = strlen(stage);
    size_t b = strlen(purpose);

    /* Stage keys and purposes are short names that kinds choose. */
    ENS_BUG_ON(a + 1 + b > sizeof(text));
    memcpy(text, stage, a);
    text[a] = '\0';
    memcpy(text + a + 1, purpose, b);
    return ens_hash64(text, a + 1 + b);
}

void ens_rng_set(struct ens_rng *g, uint64_t seed, uint64_t cell_id,
                 uint64_t replicate, uint64_t stream)
{
    g->gsl.type = &ens_rng_philox;
    g->gsl.state = &g->state;
    memset(&g->state, 0, sizeof(g->state));
    g->state.key[0] = seed;
    g->state.key[1] = cell_id;
    g->state.counter[1] = replicate;
    g->state.counter[2] = stream;
    g->state.next = 4;
}

uint64_t ens_rng_bits(struct ens_rng *g)
{
    return take(&g->state);
}

double ens_rng_uniform(struct ens_rng *g)
{
    return to_unit(take(&g->state));
}

double ens_rng_normal(struct ens_rng *g)
{
    return gsl_ran_gaussian_ziggurat(&g->gsl, 1.0);
}

uint64_t ens_rng_below(struct ens_rng *g, uint64_t n)
{
    u128 product = (u128)take(&g->state) * n;
    uint64_t low = (uint64_t)product;
    uint64_t threshold;

    ENS_BUG_ON(n == 0);
    if (low < n) {
        threshold = (0 - n) % n; /* 2^64 mod n */
        while (low < threshold) {
            product = (u128)take(&g->state) * n;
            low = (uint64_t)product;
        }
    }
    return (uint64_t)(product >> 64);
}
