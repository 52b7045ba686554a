/* Pieces of rows: of each fit of each sample their union is its training rows,
 * no row twice; the rows of other fits are found by definition. */
#include "kinds/superlearner/pieces.h"

#include "base/bug.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define MOST 600

static struct ens_arena arena;

static void setup(void)
{
    ens_arena_init(&arena);
}

static void teardown(void)
{
    ens_arena_fini(&arena);
}

static const struct shape {
    uint32_t n, J, K, V;
    int is_shared;
    uint32_t number;
} shapes[] = {
    {100, 1, 5, 0, 0, 1}, {100, 1, 5, 5, 0, 1}, {103, 1, 3, 7, 0, 1},
    {97, 1, 10, 2, 0, 1}, {101, 3, 4, 3, 0, 1}, {600, 2, 7, 11, 0, 1},
    {20, 1, 2, 20, 0, 1}, {103, 1, 3, 7, 1, 1}, {101, 3, 4, 3, 1, 1},
    {101, 2, 3, 4, 0, 2}, {100, 2, 3, 0, 0, 3}, {41, 5, 2, 4, 0, 1},
};

static struct ens_sl_layer layer_of(const struct shape *s)
{
    return (struct ens_sl_layer){
        .number = s->number,
        .n_in = s->n,
        .n_out = s->n,
        .n_partitions = s->J,
        .n_folds = s->K,
        .n_samples = s->V + 1,
        .is_full = 1,
        .is_shared = s->is_shared,
        .spec = {.type = s->J > 1 ? ENS_FOLDS_SUBSEMBLE : ENS_FOLDS_STACK,
                 .partitions = s->J,
                 .folds = s->K},
    };
}

/* First row of block b of m of n rows. */
static uint64_t block(uint64_t n, uint64_t m, uint64_t b)
{
    return n / m * b + (b < n % m ? b : n % m);
}

/* The sample's rows in their order, and its folds. Where folds are drawn any
 * order will do. */
static uint64_t rows_of(const struct shape *s, uint32_t v, uint64_t row[MOST])
{
    uint64_t from = v > 0 ? block(s->n, s->V, v - 1) : 0, n = 0;
    uint64_t to = v > 0 ? block(s->n, s->V, v) : 0;

    for (uint64_t i = 0; i < s->n; i++)
        if (i < from || i >= to)
            row[n++] = i;
    return n;
}

static void open_folds(const struct ens_sl_layer *l, uint64_t n,
                       struct ens_folds *folds)
{
    struct ens_span *span = ens_arena_alloc(&arena, 1, sizeof(*span));
    struct ens_rowset set = ens_rowset_one(span, NULL, 0, n);

    ck_assert(ens_folds_open(&l->spec, &set, NULL, folds, NULL) == ENS_OK);
}

/* Adds 1 to the rows of a piece. */
static void add_piece(const struct shape *s, uint32_t piece, int times[MOST])
{
    struct ens_sl_layer l = layer_of(s);
    uint32_t v = ens_sl_piece_sample(&l, 2, piece);
    struct ens_folds folds;
    uint64_t row[MOST], first, n;

    ck_assert_uint_lt(piece, ens_sl_sum_pieces(&l, 2));
    open_folds(&l, rows_of(s, v, row), &folds);
    ck_assert(ens_sl_piece_rows(&l, 2, piece, &folds, &arena, &first, &n) ==
              ENS_OK);
    for (uint64_t i = first; i < first + n; i++)
        times[row[i]]++;
}

static void check_fit(const struct shape *s, struct ens_sl_fit fit)
{
    struct ens_sl_layer l = layer_of(s);
    int times[MOST] = {0}, expected[MOST] = {0};
    uint64_t row[MOST], n = rows_of(s, fit.sample, row);
    uint64_t first = block(n, s->J, fit.partition);
    uint64_t size = block(n, s->J, fit.partition + 1) - first;
    uint32_t *piece, k = fit.fold;
    size_t n_pieces;

    for (uint64_t i = 0; i < size; i++)
        if (k == 0 || i < block(size, s->K, k - 1) || i >= block(size, s->K, k))
            expected[row[first + i]] = 1;
    ck_assert(ens_sl_pieces_of(&l, 2, fit, ENS_SL_TRAIN, &arena, &piece,
                               &n_pieces) == ENS_OK);
    for (size_t i = 0; i < n_pieces; i++)
        add_piece(s, piece[i], times);
    for (uint64_t i = 0; i < s->n; i++)
        ck_assert_msg(times[i] == expected[i],
                      "sample %u, partition %u, fold %u: row %u %d times",
                      fit.sample, fit.partition, k, (unsigned)i, times[i]);
}

START_TEST(unions_are_training_rows)
{
    const struct shape *s = &shapes[_i];
    struct ens_sl_layer l = layer_of(s);

    ck_assert_uint_eq(ens_sl_sum_samples(&l, 2), s->V + 1);
    for (uint32_t i = 1; i <= ens_sl_n_fits(&l); i++)
        check_fit(s, ens_sl_fit_of(&l, i));
}
END_TEST

/* One pass over X for all samples; else one for each. */
START_TEST(rows_are_summed_as_often_as_said)
{
    const struct shape *s = &shapes[_i];
    struct ens_sl_layer l = layer_of(s);
    int times[MOST] = {0}, expected[MOST] = {0};
    int once = s->V == 0 || (!s->is_shared && s->number == 1);
    uint64_t row[MOST];

    for (uint32_t b = 0; b < ens_sl_sum_pieces(&l, 2); b++)
        add_piece(s, b, times);
    for (uint32_t v = 0; v <= (once ? 0 : s->V); v++)
        for (uint64_t i = 0, n = rows_of(s, v, row); i < n; i++)
            expected[row[i]]++;
    ck_assert_mem_eq(times, expected, sizeof(times));
}
END_TEST

/* The fold of all partitions. */
START_TEST(test_rows_are_unions)
{
    static const struct shape s = {101, 3, 4, 0, 0, 1};
    struct ens_sl_layer l = layer_of(&s);
    int times[MOST] = {0};
    uint32_t *piece;
    size_t n;

    for (uint32_t k = 1; k <= s.K; k++) {
        ck_assert(ens_sl_pieces_of(&l, 2, (struct ens_sl_fit){0, 0, k},
                                   ENS_SL_TEST, &arena, &piece, &n) == ENS_OK);
        ck_assert_uint_eq(n, s.J);
        for (size_t i = 0; i < n; i++)
            add_piece(&s, piece[i], times);
    }
    for (uint32_t i = 0; i < s.n; i++)
        ck_assert_int_eq(times[i], 1);
}
END_TEST

/* -- windows of time ------------------------------------------------------- */

static const struct windows {
    uint32_t n, step, burn_in, window, lag;
} windows[] = {
    {100, 10, 20, 0, 0},   {103, 7, 30, 0, 4},     {103, 7, 30, 25, 0},
    {103, 10, 30, 20, 10}, {500, 13, 101, 57, 29}, {50, 1, 3, 2, 2},
};

static uint32_t count_folds(const struct windows *w)
{
    return (w->n - w->burn_in - 1) / w->step + 1;
}

static struct ens_sl_layer windows_of(const struct windows *w)
{
    return (struct ens_sl_layer){
        .number = 1,
        .n_in = w->n,
        .n_partitions = 1,
        .n_folds = count_folds(w),
        .n_samples = 1,
        .is_full = 1,
        .spec = {.type = ENS_FOLDS_TEMPORAL,
                 .step_size = w->step,
                 .burn_in = w->burn_in,
                 .window = w->window,
                 .lag = w->lag},
    };
}

/* Rows [from, to) each once, no others. */
static void check_window(const struct ens_sl_layer *l, uint32_t fold,
                         enum ens_sl_which which, uint32_t from, uint32_t to)
{
    struct ens_sl_fit fit = {0, 0, fold};
    int times[MOST] = {0};
    uint32_t *piece;
    size_t n_pieces;

    ck_assert(ens_sl_pieces_of(l, 2, fit, which, &arena, &piece, &n_pieces) ==
              ENS_OK);
    for (size_t i = 0; i < n_pieces; i++) {
        uint64_t first, n;

        ck_assert(ens_sl_piece_rows(l, 2, piece[i], NULL, &arena, &first, &n) ==
                  ENS_OK);
        for (uint64_t k = first; k < first + n; k++)
            times[k]++;
    }
    for (uint32_t i = 0; i < l->n_in; i++)
        ck_assert_msg(times[i] == (i >= from && i < to), "fold %u: row %u",
                      fold, i);
}

START_TEST(windows_are_unions)
{
    const struct windows *w = &windows[_i];
    struct ens_sl_layer l = windows_of(w);

    check_window(&l, 0, ENS_SL_TRAIN, 0, w->n);
    for (uint32_t k = 1; k <= l.n_folds; k++) {
        uint32_t at = w->burn_in + (k - 1) * w->step, end = at - w->lag;
        uint32_t from =
            k > 1 && w->window > 0 && end > w->window ? end - w->window : 0;

        check_window(&l, k, ENS_SL_TRAIN, from, end);
        check_window(&l, k, ENS_SL_TEST, at,
                     at + w->step < w->n ? at + w->step : w->n);
    }
}
END_TEST

/* Too many of them: rows are read. */
START_TEST(many_windows_have_no_sums)
{
    struct windows w = {4000, 1, 100, 0, 0};
    struct ens_sl_layer l = windows_of(&w);

    ck_assert_uint_eq(ens_sl_sum_samples(&l, 2), 1);
    ck_assert_uint_eq(ens_sl_sum_samples(&l, 500), 0);
    w.n = 5000;
    l = windows_of(&w);
    ck_assert_uint_eq(ens_sl_sum_samples(&l, 2), 0);
}
END_TEST

/* Sums that would take more than the rows are made of sample 0 alone. */
START_TEST(memory_is_bounded)
{
    struct ens_sl_layer l = layer_of(&(struct shape){1000000, 1, 10, 10, 0, 1});
    const uint64_t most[] = {16 << 20, 1 << 30};
    const size_t widths[] = {1, 10, 50, 100, 200, 500, 1000, 2000, 8000};

    for (size_t i = 0; i < ENS_COUNT(widths); i++)
        for (uint64_t n = 1000; n <= 100000000; n *= 10)
            for (int shared = 0; shared < 2; shared++) {
                uint64_t bytes;

                l.n_in = n;
                l.is_shared = shared;
                bytes = 8 * (uint64_t)ens_sl_sum_pieces(&l, widths[i]) *
                        ens_sl_sum_doubles(widths[i]);
                ck_assert(ens_sl_sum_samples(&l, widths[i]) == 1 ||
                          bytes <= most[0] ||
                          (bytes <= most[1] && bytes <= 8 * n * widths[i]));
                if (n >= 1000000 && widths[i] <= 1000)
                    ck_assert_uint_eq(ens_sl_sum_samples(&l, widths[i]), 11);
            }
    l.n_in = 1000;
    ck_assert_uint_eq(ens_sl_sum_samples(&l, 500), 1);
    ck_assert_uint_eq(ens_sl_sum_pieces(&l, 500), 11);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("pieces");
    TCase *t = tcase_create("pieces");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, unions_are_training_rows, 0, ENS_COUNT(shapes));
    tcase_add_loop_test(t, rows_are_summed_as_often_as_said, 0,
                        ENS_COUNT(shapes));
    tcase_add_test(t, test_rows_are_unions);
    tcase_add_loop_test(t, windows_are_unions, 0, ENS_COUNT(windows));
    tcase_add_test(t, many_windows_have_no_sums);
    tcase_add_test(t, memory_is_bounded);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
