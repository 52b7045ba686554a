/* The parts of kind `synthetic` that need no study: sums in lanes, fates,
 * field lists, stage data, rows of an input. Whole runs: tests/system. */
#include "base/bug.h"
#include "base/buf.h"
#include "kinds/synthetic/lanes.h"
#include "kinds/synthetic/shape.h"
#include "kinds/synthetic/stages.h"
#include "kinds/synthetic/work.h"
#include "math/rng.h"
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct ens_view view_of(const double *x, uint64_t n)
{
    struct ens_view v = {.data = x, .dtype = ENS_DT_F64, .ndim = 1};

    v.shape[0] = n;
    v.strides[0] = 8;
    return v;
}

static const struct {
    uint64_t n;
    uint32_t lanes;
} lane_rows[] = {
    {0, 0},
    {1, 1},
    {15, 15},
    {16, 16},
    {16 * 65536, 16},
    {16 * 65536 + 1, 17},
    {UINT64_C(4096) * 65536, 4096},
    {UINT64_C(1) << 40, 4096},
};

START_TEST(lanes_follow_from_rows_alone)
{
    ck_assert_uint_eq(ens_lanes(lane_rows[_i].n), lane_rows[_i].lanes);
}
END_TEST

/* By hand: 19 rows in 16 lanes; lanes 5, 10 and 15 hold two rows. */
START_TEST(sum_adds_in_the_fixed_order)
{
    double x[19] = {0}, lane[16], want;
    struct ens_view v = view_of(x, 19);
    int i;

    for (i = 0; i < 19; i++)
        x[i] = 1.0 / (3 + i * i);
    for (i = 0; i < 16; i++) {
        lane[i] = 0;
        for (int k = i * 19 / 16; k < (i + 1) * 19 / 16; k++)
            lane[i] += x[k];
    }
    want = (((lane[0] + lane[1]) + (lane[2] + lane[3])) +
            ((lane[4] + lane[5]) + (lane[6] + lane[7]))) +
           (((lane[8] + lane[9]) + (lane[10] + lane[11])) +
            ((lane[12] + lane[13]) + (lane[14] + lane[15])));
    ck_assert(ens_lanes_sum(&v) == want);
}
END_TEST

START_TEST(odd_lane_is_carried)
{
    double x[] = {1e16, 1, -1e16, 1, 1};
    struct ens_view v = view_of(x, 5);

    /* ((1e16 + 1) + (-1e16 + 1)) + 1 */
    ck_assert(ens_lanes_sum(&v) == ((1e16 + 1) + (-1e16 + 1)) + 1);
}
END_TEST

START_TEST(missing_rows_count_nothing)
{
    double x[] = {1, NAN, 3};
    struct ens_view v = view_of(x, 3);

    ck_assert(ens_lanes_sum(&v) == 4);
    v.shape[0] = 0;
    ck_assert(ens_lanes_sum(&v) == 0);
}
END_TEST

static const struct ens_host host = {.uniform = ens_rng_uniform,
                                     .bits = ens_rng_bits};

static struct ens_synthetic_fault fault_of(const struct ens_synthetic_params *p,
                                           uint64_t replicate)
{
    struct ens_rng g;

    ens_rng_set(&g, 1, 2, replicate, ens_rng_stream("stage1", "fault"));
    return ens_synthetic_decide(p, &host, &g);
}

START_TEST(fates_come_at_their_rates)
{
    struct ens_synthetic_params p = {.fail_rate = 0.1,
                                     .crash_rate = 0.2,
                                     .abort_rate = 0.3,
                                     .hang_rate = 0.4,
                                     .schema_varies = 1};
    /* crash .2, abort .8 x .3, hang .8 x .7 x .4, fail .8 x .7 x .6 x .1 */
    const double want[] = {0.3024, 0.0336, 0.2, 0.24, 0.224};
    unsigned n[5] = {0}, variant[3] = {0};
    const unsigned n_all = 20000;
    struct ens_synthetic_fault f;
    unsigned r, i;

    for (r = 1; r <= n_all; r++) {
        f = fault_of(&p, r);
        n[f.fate]++;
        variant[f.variant]++;
    }
    /* five standard errors of a share of 20,000: at most 0.018 */
    for (i = 0; i < 5; i++)
        ck_assert_double_eq_tol((double)n[i] / n_all, want[i], 0.018);
    ck_assert_double_eq_tol((double)variant[0] / n_all, 2.0 / 3, 0.018);
    ck_assert_double_eq_tol((double)variant[1] / n_all, 1.0 / 6, 0.018);
}
END_TEST

START_TEST(rates_do_not_move_each_other)
{
    struct ens_synthetic_params a = {.crash_rate = 0.1};
    struct ens_synthetic_params b = {
        .crash_rate = 0.1, .fail_rate = 0.5, .schema_varies = 1};
    unsigned r;

    for (r = 1; r <= 1000; r++)
        ck_assert_int_eq(fault_of(&a, r).fate == ENS_FATE_CRASH,
                         fault_of(&b, r).fate == ENS_FATE_CRASH);
}
END_TEST

START_TEST(failure_has_a_text)
{
    struct ens_synthetic_params p = {.fail_rate = 0.25};
    struct ens_error err;

    ck_assert_int_eq(ens_synthetic_suffer(ENS_FATE_OK, &p, &err), ENS_OK);
    ck_assert_int_eq(ens_synthetic_suffer(ENS_FATE_FAIL, &p, &err),
                     ENS_EDOMAIN);
    ck_assert_str_eq(err.text, "synthetic failure, fail_rate = 0.25");
}
END_TEST

START_TEST(fields_in_order)
{
    struct ens_synthetic_shape s = {.fields = 2, .has_rows = 1, .has_text = 1};
    const char *want[] = {"value1", "value2", "rows_sum", "note"};
    const char *other[] = {"variant", "other1", "other2", "rows_sum", "note"};
    struct ens_synthetic_fields f;
    size_t i;

    ck_assert_int_eq(ens_synthetic_fields_new(&f, &s, 0, NULL), ENS_OK);
    ck_assert_uint_eq(f.n, ENS_COUNT(want));
    for (i = 0; i < f.n; i++)
        ck_assert_str_eq(f.field[i].name, want[i]);
    ens_synthetic_fields_free(&f);
    ck_assert_int_eq(ens_synthetic_fields_new(&f, &s, 1, NULL), ENS_OK);
    ck_assert_uint_eq(f.n, ENS_COUNT(other));
    for (i = 0; i < f.n; i++)
        ck_assert_str_eq(f.field[i].name, other[i]);
    ens_synthetic_fields_free(&f);
    ens_synthetic_fields_free(&f); /* twice is harmless */
}
END_TEST

START_TEST(totals_are_found_by_id)
{
    struct ens_buf b = ENS_BUF_INIT;
    double v = -1;
    uint64_t i;

    for (i = 1; i <= 7; i++) {
        ens_buf_u64(&b, i * 10);
        ens_buf_f64(&b, (double)i / 4);
    }
    for (i = 1; i <= 7; i++) {
        ck_assert_int_eq(ens_synthetic_total(b.data, b.len, i * 10, &v), 0);
        ck_assert(v == (double)i / 4);
        ck_assert_int_eq(ens_synthetic_total(b.data, b.len, i * 10 + 1, &v),
                         -1);
    }
    ck_assert_int_eq(ens_synthetic_total(NULL, 0, 10, &v), -1);
    ens_buf_fini(&b);
}
END_TEST

START_TEST(touch_wraps_round)
{
    double x[] = {1, 10, 2, 20, 4, 40, 8, 80};
    struct ens_column column[2] = {{.name = "a", .view = view_of(x, 4)},
                                   {.name = "b", .view = view_of(x + 1, 4)}};
    struct ens_input in = {.n_rows = 4, .n_columns = 2, .columns = column};

    column[0].view.strides[0] = column[1].view.strides[0] = 16;
    ck_assert(ens_synthetic_readable(&in));
    ck_assert(ens_synthetic_touch(&in, 3, 2) == 99);
    in.view = view_of(x, 4);
    in.view.ndim = 2;
    in.view.shape[1] = 2;
    in.view.strides[0] = 16;
    in.view.strides[1] = 8;
    ck_assert(ens_synthetic_touch(&in, 3, 2) == 99);
    ck_assert(ens_synthetic_touch(&in, 1, 4) == 165);
    in.columns = NULL;
    in.view.strides[0] = 8;
    ck_assert(!ens_synthetic_readable(&in));
}
END_TEST

START_TEST(text_is_printable_and_repeats)
{
    struct ens_rng g;
    char a[100], b[100];
    size_t i;

    ens_rng_set(&g, 1, 2, 3, 4);
    ens_synthetic_text(&host, &g, a, sizeof(a));
    ens_rng_set(&g, 1, 2, 3, 4);
    ens_synthetic_text(&host, &g, b, sizeof(b));
    ck_assert_mem_eq(a, b, sizeof(a));
    for (i = 0; i < sizeof(a); i++)
        ck_assert(a[i] >= ' ' && a[i] < 127);
}
END_TEST

START_TEST(leaks_are_kept_and_given_back)
{
    struct ens_synthetic_leak *leaks = NULL;

    ck_assert_int_eq(ens_synthetic_leak(&leaks, 0.5, NULL), ENS_OK);
    ck_assert_int_eq(ens_synthetic_leak(&leaks, 1e-9, NULL), ENS_OK);
    ck_assert_ptr_nonnull(leaks);
    ens_synthetic_unleak(&leaks);
    ck_assert_ptr_null(leaks);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("synthetic");
    TCase *t = tcase_create("synthetic");
    SRunner *runner;
    int n_failed;

    tcase_add_loop_test(t, lanes_follow_from_rows_alone, 0,
                        (int)ENS_COUNT(lane_rows));
    tcase_add_test(t, sum_adds_in_the_fixed_order);
    tcase_add_test(t, odd_lane_is_carried);
    tcase_add_test(t, missing_rows_count_nothing);
    tcase_add_test(t, fates_come_at_their_rates);
    tcase_add_test(t, rates_do_not_move_each_other);
    tcase_add_test(t, failure_has_a_text);
    tcase_add_test(t, fields_in_order);
    tcase_add_test(t, totals_are_found_by_id);
    tcase_add_test(t, touch_wraps_round);
    tcase_add_test(t, text_is_printable_and_repeats);
    tcase_add_test(t, leaks_are_kept_and_given_back);
    suite_add_tcase(suite, t);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
