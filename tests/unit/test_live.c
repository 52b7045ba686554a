/* Ranges of cells that stop: all that is wanted, each task once, little in
 * vain; whatever comes back in whatever order, or never. */
#define CELLS 40u
#include "stopping_fixture.h"

#include "dispatch/ranges.h"

#define HANDS 6u

static const char rules[] =
    "rule = mcse(mean, value1) < 0.5\nmin = 10\nevery = 6\n";
static const double limit = 0.5;

struct job { /* what a worker has in hand */
    struct ens_range range;
    uint32_t n_done;
};

struct dispatch {
    struct world w;
    struct ens_tracker *tracker;
    struct ens_ranges *ranges;
    struct ens_part part;
    struct job hand[HANDS];
    uint8_t taken[CELLS * MAX]; /* in flight or done */
    uint64_t n_done;
};

static void dispatch_init(struct dispatch *d, uint64_t seed)
{
    memset(d, 0, sizeof(*d));
    world_init(&d->w, rules);
    d->w.state = seed;
    d->tracker = ens_tracker_new(&(const struct ens_tracker_config){
        .stopping = &d->w.s,
        .stage = &d->w.plan.stage[0],
        .done = d->w.done,
    });
    ck_assert_ptr_nonnull(d->tracker);
    d->part.stopping = &d->w.s;
    d->part.tracker = d->tracker;
    d->ranges = ens_ranges_new(&d->w.plan, &d->w.plan.stage[0], d->w.done,
                               HANDS, &d->part, 0);
    ck_assert_ptr_nonnull(d->ranges);
}

static void dispatch_fini(struct dispatch *d)
{
    ens_ranges_free(d->ranges);
    ens_tracker_free(d->tracker);
    world_fini(&d->w);
}

static int take(struct dispatch *d, struct job *job)
{
    double expected_s;

    if (job->range.n > 0 ||
        !ens_ranges_take(d->ranges, &job->range, &expected_s))
        return 0;
    job->n_done = 0;
    ck_assert_uint_gt(job->range.n, 0);
    for (uint32_t i = 0; i < job->range.n; i++) {
        uint64_t place = job->range.first + i;

        ck_assert_uint_lt(place, CELLS * MAX);
        ck_assert_uint_eq(d->taken[place], 0);
        d->taken[place] = 1;
        ck_assert_uint_eq(place / MAX, job->range.first / MAX); /* one cell */
    }
    return 1;
}

/* A record of it comes. */
static void advance(struct dispatch *d, struct job *job)
{
    struct made m;
    uint64_t cell;
    uint32_t replicate;

    ens_stage_task(&d->w.plan.stage[0], job->range.first + job->n_done, &cell,
                   &replicate);
    make(&d->w, &m, cell, replicate);
    ens_ranges_measure(d->ranges, cell, 1e-3);
    ens_tracker_add(d->tracker, &m.rec, d->w.plan.schemas.item[0]);
    d->n_done++;
    if (++job->n_done == job->range.n)
        job->range.n = 0;
}

/* The worker dies: what it had in hand goes back. */
static void die(struct dispatch *d, struct job *job)
{
    struct ens_range rest = {job->range.first + job->n_done,
                             job->range.n - job->n_done};

    for (uint32_t i = 0; i < rest.n; i++)
        d->taken[rest.first + i] = 0;
    job->range.n = 0;
    ens_ranges_put_back(d->ranges, rest);
}

static int is_idle(const struct dispatch *d)
{
    for (size_t i = 0; i < HANDS; i++)
        if (d->hand[i].range.n > 0)
            return 0;
    return 1;
}

/* Until nothing is left; one in `deadly` moments somebody dies. */
static void run(struct dispatch *d, uint32_t deadly)
{
    while (ens_ranges_left(d->ranges) > 0 || !is_idle(d)) {
        struct job *job = &d->hand[below(&d->w, HANDS)];
        int any = 0;

        for (size_t i = 0; i < HANDS; i++)
            any |= take(d, &d->hand[i]) | (d->hand[i].range.n > 0);
        ck_assert_msg(any, "%llu tasks are left, none is handed out",
                      (unsigned long long)ens_ranges_left(d->ranges));
        if (job->range.n == 0)
            continue;
        if (deadly > 0 && below(&d->w, deadly) == 0)
            die(d, job);
        else
            advance(d, job);
    }
}

static uint64_t check_stops(struct dispatch *d)
{
    uint64_t n = 0;

    ck_assert_ptr_null(ens_tracker_failure(d->tracker));
    for (uint64_t c = 0; c < CELLS; c++) {
        uint32_t at = ens_stopping_at(&d->w.s, c);

        ck_assert_uint_eq(at, naive_stop(c, limit, 10, 6));
        ck_assert_uint_eq(ens_done_count(d->w.done, c, at), at);
        n += at;
    }
    return n;
}

START_TEST(all_that_is_wanted)
{
    struct dispatch d;
    uint64_t wanted;

    dispatch_init(&d, (uint64_t)_i);
    run(&d, _i % 2 == 0 ? 0 : 30);
    wanted = check_stops(&d);
    ck_assert_uint_ge(d.n_done, wanted);
    /* in vain: ahead of the last cells, and a range in flight each */
    ck_assert_uint_le(d.n_done, wanted + 2 * HANDS * (4 * HANDS));
    dispatch_fini(&d);
}
END_TEST

/* One record is withheld: others go on, but never far ahead. */
START_TEST(a_straggler_holds_up_its_cell_only)
{
    struct dispatch d;
    struct job late = {0};
    uint64_t before;

    dispatch_init(&d, 7);
    ck_assert_int_eq(take(&d, &late), 1); /* replicate 1 of the first cell */
    ck_assert_uint_eq(late.range.first, 0);
    ck_assert_uint_eq(late.range.n, 1);
    for (int idle = 0; !idle;) {
        idle = 1;
        for (size_t i = 0; i < HANDS; i++) {
            take(&d, &d.hand[i]);
            if (d.hand[i].range.n == 0)
                continue;
            advance(&d, &d.hand[i]);
            idle = 0;
        }
    }
    ck_assert_uint_eq(ens_stopping_at(&d.w.s, 0), 0);
    for (uint64_t c = 1; c < CELLS; c++)
        ck_assert_uint_gt(ens_stopping_at(&d.w.s, c), 0);
    before = ens_done_count(d.w.done, 0, MAX);
    ck_assert_uint_le(before, 10 + 4 * HANDS);
    advance(&d, &late);
    run(&d, 0);
    check_stops(&d);
    dispatch_fini(&d);
}
END_TEST

/* What is given back after its cell stopped is not handed out again. */
START_TEST(nothing_behind_a_stop_comes_back)
{
    struct dispatch d;

    dispatch_init(&d, 11);
    run(&d, 0);
    for (uint64_t c = 0; c < CELLS; c++) {
        uint32_t at = ens_stopping_at(&d.w.s, c);
        struct ens_range range = {c * MAX + at, 1};

        if (at == MAX)
            continue;
        ck_assert_int_eq(ens_ranges_is_wanted(d.ranges, range), 0);
        ens_ranges_put_back(d.ranges, range);
        ens_ranges_put_last(d.ranges, range.first);
        range.first--;
        ck_assert_int_eq(ens_ranges_is_wanted(d.ranges, range), 1);
    }
    ck_assert_uint_eq(ens_ranges_left(d.ranges), 0);
    ck_assert_uint_eq(ens_ranges_n_last(d.ranges), 0);
    dispatch_fini(&d);
}
END_TEST

/* A cell whose tasks would end too late: left, and nothing counts as left. */
START_TEST(forgotten_cells_are_left)
{
    struct ens_range range;
    struct dispatch d;
    double expected_s;
    uint64_t n = 0;

    dispatch_init(&d, 12);
    while (ens_ranges_take(d.ranges, &range, &expected_s)) {
        ens_ranges_forget(d.ranges, range);
        n++;
    }
    ck_assert_uint_eq(n, CELLS);
    ck_assert_uint_eq(ens_ranges_left(d.ranges), 0);
    dispatch_fini(&d);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("live");
    TCase *t = tcase_create("live");
    SRunner *r;
    int failed;

    tcase_add_loop_test(t, all_that_is_wanted, 0, 8);
    tcase_add_test(t, a_straggler_holds_up_its_cell_only);
    tcase_add_test(t, nothing_behind_a_stop_comes_back);
    tcase_add_test(t, forgotten_cells_are_left);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? 0 : 1;
}
