/* Random streams: known answers of Philox4x64-10 and the layout of streams. */
#include "math/rng.h"

#include "base/bug.h"
#include "base/hash.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Random123 1.09, tests/kat_vectors, lines "philox4x64 10". */
static const struct {
    uint64_t counter[4], key[2], word[4];
} known[] = {
    {{0, 0, 0, 0},
     {0, 0},
     {0x16554d9eca36314c, 0xdb20fe9d672d0fdc, 0xd7e772cee186176b,
      0x7e68b68aec7ba23b}},
    {{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX},
     {UINT64_MAX, UINT64_MAX},
     {0x87b092c3013fe90b, 0x438c3c67be8d0224, 0x9cc7d7c69cd777b6,
      0xa09caebf594f0ba0}},
    {{0x243f6a8885a308d3, 0x13198a2e03707344, 0xa4093822299f31d0,
      0x082efa98ec4e6c89},
     {0x452821e638d01377, 0xbe5466cf34e90c6c},
     {0xa528f45403e61d95, 0x38c72dbd566e9788, 0xa5a1610e72fd18b5,
      0x57bd43b5e52b7fe6}},
};

START_TEST(known_answers_of_philox4x64_10)
{
    struct ens_rng g;

    ens_rng_set(&g, 0, 0, 0, 0);
    memcpy(g.state.counter, known[_i].counter, sizeof(g.state.counter));
    memcpy(g.state.key, known[_i].key, sizeof(g.state.key));
    for (int w = 0; w < 4; w++)
        ck_assert_uint_eq(ens_rng_bits(&g), known[_i].word[w]);
}
END_TEST

START_TEST(a_stream_is_key_and_counter_of_its_identity)
{
    struct ens_rng g, h;
    uint64_t word[12];

    ens_rng_set(&g, 42, 0xabcdef, 7, ens_rng_stream("fit", "data"));
    for (size_t i = 0; i < 12; i++)
        word[i] = ens_rng_bits(&g);
    for (uint64_t block = 0; block < 3; block++) {
        ens_rng_set(&h, 0, 0, 0, 0);
        h.state.key[0] = 42;
        h.state.key[1] = 0xabcdef;
        h.state.counter[0] = block;
        h.state.counter[1] = 7;
        h.state.counter[2] = ens_hash64("fit\0data", 8);
        h.state.counter[3] = 0;
        for (size_t i = 0; i < 4; i++)
            ck_assert_uint_eq(ens_rng_bits(&h), word[4 * block + i]);
    }
}
END_TEST

/* Written down once from this implementation: results depend on them. */
START_TEST(golden_stream)
{
    static const uint64_t golden[6] = {0x89a1e2896d4f53e1, 0xca2e29790d6f3929,
                                       0xea35f10b4e9d1174, 0x64272f377b3063cd,
                                       0xc7b7f8d5cf8f457b, 0xbdcc023193e11255};
    struct ens_rng g;

    ck_assert_uint_eq(ens_rng_stream("fit", "data"), 0x8630727eb44a8796);
    ens_rng_set(&g, 42, 0x0123456789abcdef, 3, ens_rng_stream("fit", "data"));
    for (size_t i = 0; i < 6; i++)
        ck_assert_uint_eq(ens_rng_bits(&g), golden[i]);
}
END_TEST

START_TEST(stage_and_purpose_do_not_run_together)
{
    ck_assert_uint_ne(ens_rng_stream("ab", "c"), ens_rng_stream("a", "bc"));
}
END_TEST

START_TEST(gsl_takes_one_word_per_call)
{
    struct ens_rng g, h;

    ens_rng_set(&g, 1, 2, 3, 4);
    ens_rng_set(&h, 1, 2, 3, 4);
    for (int i = 0; i < 20; i++) {
        double u = gsl_rng_uniform(&g.gsl);
        uint64_t w = ens_rng_bits(&h);

        ck_assert(u == (double)(w >> 11) / 9007199254740992.0);
        ck_assert_uint_eq(gsl_rng_get(&g.gsl), ens_rng_bits(&h));
    }
    ck_assert_uint_eq(gsl_rng_max(&g.gsl), UINT64_MAX);
    ck_assert_uint_eq(gsl_rng_min(&g.gsl), 0);
}
END_TEST

START_TEST(below_is_uniform_and_in_range)
{
    struct ens_rng g;
    int count[7] = {0};
    double chi2 = 0;

    ens_rng_set(&g, 5, 6, 7, 8);
    for (int i = 0; i < 70000; i++)
        count[ens_rng_below(&g, 7)]++; /* out of range: caught by ASan */
    for (int k = 0; k < 7; k++)
        chi2 += pow(count[k] - 10000, 2) / 10000;
    ck_assert(chi2 < 22.5); /* 0.999 quantile of chi^2(6); stream is fixed */
    for (int i = 0; i < 100; i++) {
        ck_assert_uint_eq(ens_rng_below(&g, 1), 0);
        ck_assert_uint_lt(ens_rng_below(&g, (1ULL << 63) + 1),
                          (1ULL << 63) + 1);
    }
}
END_TEST

START_TEST(below_rejects_the_biased_words)
{
    /* n = 2^63 + 1 makes nearly half of the words rejected (2^64 mod n =
     * 2^63 - 1): the results must still be uniform over the two halves. */
    struct ens_rng g;
    uint64_t n = (1ULL << 63) + 1;
    int low = 0;

    ens_rng_set(&g, 9, 9, 9, 9);
    for (int i = 0; i < 10000; i++)
        low += ens_rng_below(&g, n) < n / 2;
    ck_assert_int_gt(low, 4800);
    ck_assert_int_lt(low, 5200);
}
END_TEST

START_TEST(normal_has_mean_0_and_variance_1)
{
    struct ens_rng g;
    double sum = 0, square = 0, fourth = 0;
    int n = 200000;

    ens_rng_set(&g, 11, 12, 13, 14);
    for (int i = 0; i < n; i++) {
        double z = ens_rng_normal(&g);

        sum += z;
        square += z * z;
        fourth += z * z * z * z;
    }
    /* four standard errors of each moment */
    ck_assert(fabs(sum / n) < 4 / sqrt(n));
    ck_assert(fabs(square / n - 1) < 4 * sqrt(2.0 / n));
    ck_assert(fabs(fourth / n - 3) < 4 * sqrt(96.0 / n));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("rng");
    TCase *t = tcase_create("rng");
    SRunner *r;
    int failed;

    tcase_add_loop_test(t, known_answers_of_philox4x64_10, 0,
                        (int)ENS_COUNT(known));
    tcase_add_test(t, a_stream_is_key_and_counter_of_its_identity);
    tcase_add_test(t, golden_stream);
    tcase_add_test(t, stage_and_purpose_do_not_run_together);
    tcase_add_test(t, gsl_takes_one_word_per_call);
    tcase_add_test(t, below_is_uniform_and_in_range);
    tcase_add_test(t, below_rejects_the_biased_words);
    tcase_add_test(t, normal_has_mean_0_and_variance_1);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
