/* Where cells stop: rules read and looked at, a pure function of a cell's
 * records, whatever the order in which they come. */
#include "stopping_fixture.h"

/* -- rules ------------------------------------------------------------------
 */

static const struct {
    const char *text, *measure,
        *term; /* measure NULL: refused, term says why */
    double below;
} rule_rows[] = {
    {"mcse(bias, x1) < 0.005", "bias", "x1", 0.005},
    {"mcse(coverage, *) < 0.01", "coverage", "*", 0.01},
    {"mcse(coverage)<1e-3", "coverage", "*", 1e-3},
    {"mcse( bias ,  poly(x, 2)1 )  <  2 ", "bias", "poly(x, 2)1", 2},
    {"mcse(bias, I(x < 3)) < 1", "bias", "I(x < 3)", 1},
    {"mcse(bias, b[1]) < .5", "bias", "b[1]", 0.5},
    {"", NULL, "mcse(MEASURE, TERM) < NUMBER", 0},
    {"bias < 0.1", NULL, "mcse(MEASURE, TERM) < NUMBER", 0},
    {"mcse(bias, x1)", NULL, "mcse(MEASURE, TERM) < NUMBER", 0},
    {"mcse(bias, x1) > 1", NULL, "mcse(MEASURE, TERM) < NUMBER", 0},
    {"mcse bias < 1", NULL, "mcse(MEASURE, TERM) < NUMBER", 0},
    {"< 1", NULL, "mcse(MEASURE, TERM) < NUMBER", 0},
    {"mcse() < 1", NULL, "mcse(MEASURE, TERM) < NUMBER", 0},
    {"mcse( ) < 1", NULL, "no measure", 0},
    {"mcse(, x) < 1", NULL, "no measure", 0},
    {"mcse(bias,) < 1", NULL, "no term", 0},
    {"mcse(bias, x) < ", NULL, "not a number above 0", 0},
    {"mcse(bias, x) < 0", NULL, "not a number above 0", 0},
    {"mcse(bias, x) < -1", NULL, "not a number above 0", 0},
    {"mcse(bias, x) < nan", NULL, "not a number above 0", 0},
    {"mcse(bias, x) < inf", NULL, "not a number above 0", 0},
    {"mcse(bias, x) < 1 2", NULL, "not a number above 0", 0},
};

START_TEST(rules_are_read)
{
    const char *measure = rule_rows[_i].measure;
    struct ens_stop_rule rule;
    struct ens_error err = {0};
    enum ens_status s = ens_stop_rule_parse(&rule, rule_rows[_i].text, &err);

    if (measure == NULL) {
        ck_assert_int_eq((int)s, (int)ENS_ESTUDY);
        ck_assert_msg(strstr(err.text, rule_rows[_i].term) != NULL, "%s",
                      err.text);
        return;
    }
    ck_assert_msg(s == ENS_OK, "%s", err.text);
    ck_assert_str_eq(rule.measure, measure);
    ck_assert_str_eq(rule.term, rule_rows[_i].term);
    ck_assert_double_eq(rule.below, rule_rows[_i].below);
}
END_TEST

/* Names of any length: read whole, or refused. */
START_TEST(long_names_are_refused)
{
    char text[400];
    struct ens_stop_rule rule;

    for (int n = 100; n < 160; n++) {
        enum ens_status s;

        snprintf(text, sizeof(text), "mcse(%0*d, x) < 1", n, 0);
        s = ens_stop_rule_parse(&rule, text, NULL);
        ck_assert_int_eq(s == ENS_OK, n < ENS_STOP_NAME);
    }
}
END_TEST

/* Half-widths of Wilson's interval in units of z, worked out by hand for
 * share 0: its limits are 0 and z^2 / (n + z^2). */
START_TEST(shares_of_0_and_1_have_an_error)
{
    struct ens_measure m = {.value = 0, .mcse = 0, .n_used = 50, .is_share = 1};

    ck_assert_double_eq_tol(ens_stop_mcse(&m), 0.018202, 1e-6);
    m.value = 1;
    ck_assert_double_eq_tol(ens_stop_mcse(&m), 0.018202, 1e-6);
    m.n_used = 1000;
    ck_assert_double_eq_tol(ens_stop_mcse(&m), 0.00097623, 1e-8);
    m.value = 0.5;
    m.mcse = 0.3;
    ck_assert_double_eq(ens_stop_mcse(&m), 0.3);
    m.value = 0;
    m.mcse = 0;
    m.is_share = 0; /* a bias of exactly 0 */
    ck_assert_double_eq(ens_stop_mcse(&m), 0);
    m.n_used = 1;
    ck_assert(isnan(ens_stop_mcse(&m)));
}
END_TEST

static struct ens_stop_rules two_rules(void)
{
    struct ens_stop_rules rules = {.n = 2};

    ck_assert(ens_stop_rule_parse(&rules.rule[0], "mcse(bias, x1) < 0.1",
                                  NULL) == ENS_OK);
    ck_assert(ens_stop_rule_parse(&rules.rule[1], "mcse(emp_se, *) < 0.2",
                                  NULL) == ENS_OK);
    return rules;
}

static int holds(const struct ens_measure *rows, size_t n,
                 struct ens_stop_worst *worst)
{
    const struct ens_stop_rules rules = two_rules();
    struct ens_stop_look look = {.rules = &rules};

    for (size_t i = 0; i < n; i++)
        ck_assert(ens_stop_look_row(&look, &rows[i], NULL) == ENS_OK);
    *worst = look.worst;
    return ens_stop_look_holds(&look);
}

START_TEST(all_rules_that_apply_hold)
{
    struct ens_measure rows[] = {
        {"x1", "bias", 0, 0.09, 90, 0, 0},
        {"x2", "bias", 0, 5, 90, 0, 0}, /* nobody asks */
        {"x1", "sd", 1, 0.19, 90, 0, 0},
        {"x2", "sd", 1, 0.01, 90, 0, 0},
    };
    struct ens_stop_worst worst;

    ck_assert_int_eq(holds(rows, 4, &worst), 1);
    ck_assert_double_eq_tol(worst.ratio, 0.95, 1e-12);
    ck_assert_str_eq(worst.term, "x1");
    ck_assert_uint_eq(worst.rule, 1);
    rows[3].mcse = 0.2; /* not below */
    ck_assert_int_eq(holds(rows, 4, &worst), 0);
    ck_assert_str_eq(worst.term, "x2");
    rows[3].mcse = NAN;
    ck_assert_int_eq(holds(rows, 4, &worst), 0);
    ck_assert(isinf(worst.ratio));
    rows[3].mcse = 0.01;
    rows[0].mcse = 0.1;
    ck_assert_int_eq(holds(rows, 4, &worst), 0);
    /* a cell without x1: only the other one applies */
    ck_assert_int_eq(holds(rows + 1, 3, &worst), 1);
    /* no row of any rule: never */
    ck_assert_int_eq(holds(rows + 1, 1, &worst), 0);
    ck_assert_double_eq(worst.ratio, 0);
    ck_assert_int_eq(holds(rows, 0, &worst), 0);
}
END_TEST

/* Where fields are known by tasks only, a name that never comes is no rule
 * that does not apply. */
START_TEST(rules_of_unknown_fields_apply)
{
    struct ens_measure row = {"x1", "bias", 0, 0.01, 90, 0, 0};
    struct ens_stop_rules unknown = two_rules();
    struct ens_stop_look look = {.rules = &unknown};

    ck_assert(ens_stop_look_row(&look, &row, NULL) == ENS_OK);
    ck_assert_int_eq(ens_stop_look_holds(&look), 1);
    unknown.unchecked = 3;
    ck_assert_int_eq(ens_stop_look_holds(&look), 0);
    ck_assert_uint_eq(look.worst.rule, 1);
    ck_assert(isinf(look.worst.ratio));
}
END_TEST

/* -- cells ------------------------------------------------------------------
 */

static const char rules[] =
    "rule = mcse(mean, value1) < 0.069\nmin = 10\nevery = 6\n";

struct stopped {
    uint32_t n;
    uint32_t at[CELLS];
};

static void on_stopped(void *arg, uint64_t cell, uint32_t at)
{
    struct stopped *st = arg;

    st->n++;
    ck_assert_uint_eq(st->at[cell], 0);
    st->at[cell] = at;
}

/* Hand out in windows of `ahead`, come back in random order; a few twice. */
static void run_in_any_order(struct world *w, uint32_t ahead)
{
    struct stopped st = {0};
    const struct ens_tracker_config config = {
        .stopping = &w->s,
        .stage = &w->plan.stage[0],
        .done = w->done,
        .arg = &st,
        .stopped = on_stopped,
    };
    struct ens_tracker *t = ens_tracker_new(&config);
    const struct ens_schema *schema = w->plan.schemas.item[0];
    struct made m;

    ck_assert_ptr_nonnull(t);
    for (uint64_t c = 0; c < CELLS; c++)
        ens_tracker_enter(t, c);
    for (uint32_t first = 1; first <= MAX; first += ahead) {
        uint32_t task[CELLS * MAX], n = 0;

        for (uint32_t r = first; r < first + ahead && r <= MAX; r++)
            for (uint32_t c = 0; c < CELLS; c++)
                task[n++] = r * CELLS + c;
        while (n > 0) {
            uint32_t i = below(w, n), was = task[i];

            make(w, &m, was % CELLS, was / CELLS);
            ens_tracker_add(t, &m.rec, schema);
            if (below(w, 5) == 0)
                ens_tracker_add(t, &m.rec, schema);
            task[i] = task[--n];
        }
    }
    ck_assert_ptr_null(ens_tracker_failure(t));
    ck_assert_uint_eq(st.n, CELLS);
    for (uint64_t c = 0; c < CELLS; c++)
        ck_assert_uint_eq(st.at[c], ens_stopping_at(&w->s, c));
    ens_tracker_free(t);
}

START_TEST(order_does_not_matter)
{
    static const uint32_t ahead[] = {1, 2, 7, 64, MAX};
    struct world w;
    struct ens_stopping_totals totals;
    struct ens_stage cut;

    world_init(&w, rules);
    run_in_any_order(&w, ahead[_i]);
    for (uint64_t c = 0; c < CELLS; c++)
        ck_assert_uint_eq(ens_stopping_at(&w.s, c),
                          naive_stop(c, 0.069, 10, 6));
    /* the last cell spreads too much */
    ens_stopping_count(&w.s, &totals);
    ck_assert_uint_eq(totals.n_stopped, CELLS - 1);
    ck_assert_uint_eq(totals.n_unmet, 1);
    ck_assert_uint_eq(totals.least, ens_stopping_at(&w.s, 0));
    ck_assert_int_eq(ens_stopping_is_unmet(&w.s, CELLS - 1), 1);
    ck_assert_uint_eq(w.s.worst_cell, CELLS - 1);
    ck_assert_double_eq_tol(w.s.worst.mcse, naive_mcse(CELLS - 1, MAX), 1e-12);
    /* the stage that readers see */
    ck_assert(ens_stopping_stage(&w.s, &w.plan.stage[0], &cut, NULL) == ENS_OK);
    for (uint64_t c = 0; c < CELLS; c++)
        ck_assert_uint_eq(ens_stage_replicates(&cut, c),
                          ens_stopping_at(&w.s, c));
    ens_stage_fini(&cut);
    world_fini(&w);
}
END_TEST

/* Check points end with the last replicate, wherever that is. */
static const struct {
    const char *stop;
    uint32_t first, second;
} point_rows[] = {
    {"rule = mcse(mean) < 1e-9\nmin = 299\n", 299, 300},
    {"rule = mcse(mean) < 1e-9\nmin = 300\n", 300, 300},
    {"rule = mcse(mean) < 1e-9\nmin = 100\nevery = 150\n", 100, 250},
    {"rule = mcse(mean) < 1e-9\nmin = 100\nevery = 4294967295\n", 100, 300},
    {"rule = mcse(mean) < 1e-9\n", 50, 100},
};

START_TEST(check_points_follow_min_and_every)
{
    struct ens_follow f;
    struct world w;
    struct made m;

    world_init(&w, point_rows[_i].stop);
    ck_assert(ens_follow_init(&f, &w.s, 0, MAX, NULL) == ENS_OK);
    ck_assert_uint_eq(f.check, point_rows[_i].first);
    for (uint32_t r = 1; r <= point_rows[_i].first; r++) {
        make(&w, &m, 0, r);
        ck_assert(ens_follow_add(&f, &w.s, &m.rec, w.plan.schemas.item[0],
                                 NULL) == ENS_OK);
    }
    if (point_rows[_i].first < MAX)
        ck_assert_uint_eq(f.check, point_rows[_i].second);
    else
        ck_assert_uint_eq(ens_stopping_at(&w.s, 0), MAX);
    ens_follow_fini(&f);
    world_fini(&w);
}
END_TEST

/* Nothing but failures: never a rule that holds. */
START_TEST(failures_are_missing)
{
    struct ens_follow f;
    struct world w;
    struct made m;

    world_init(&w, "rule = mcse(mean) < 1e9\nmin = 2\nevery = 1\n");
    ck_assert(ens_follow_init(&f, &w.s, 1, MAX, NULL) == ENS_OK);
    for (uint32_t r = 1; ens_stopping_at(&w.s, 1) == 0; r++) {
        make(&w, &m, 1, r);
        if (r < 70)
            m.rec.status = ENS_TASK_CRASHED;
        ck_assert(ens_follow_add(&f, &w.s, &m.rec, w.plan.schemas.item[0],
                                 NULL) == ENS_OK);
    }
    /* 70 fails by itself: 71 and 72 are the first two there are */
    ck_assert_uint_eq(ens_stopping_at(&w.s, 1), 72);
    ens_follow_fini(&f);
    world_fini(&w);
}
END_TEST

/* A cell that is left costs nothing, and its records are nobody's. */
START_TEST(cells_are_left)
{
    const struct ens_schema *schema;
    struct ens_tracker *t;
    struct world w;
    struct made m;

    world_init(&w, rules);
    schema = w.plan.schemas.item[0];
    t = ens_tracker_new(&(const struct ens_tracker_config){
        .stopping = &w.s, .stage = &w.plan.stage[0], .done = w.done});
    ck_assert_ptr_nonnull(t);
    ck_assert_uint_eq(ens_tracker_wanted(t, 2), 0);
    ens_tracker_enter(t, 2);
    ck_assert_uint_eq(ens_tracker_wanted(t, 2), 10);
    make(&w, &m, 2, 5);
    ens_tracker_add(t, &m.rec, schema);
    ens_tracker_leave(t, 2);
    ens_tracker_leave(t, 2);
    for (uint32_t r = 1; r <= MAX; r++) {
        make(&w, &m, 2, r);
        ens_tracker_add(t, &m.rec, schema);
    }
    ck_assert_uint_eq(ens_stopping_at(&w.s, 2), 0);
    ens_tracker_free(t);
    world_fini(&w);
}
END_TEST

/* Long records that wait for one: nothing more is handed out until it comes. */
START_TEST(what_waits_is_bounded)
{
    static unsigned char items[60000];
    const struct ens_schema *schema;
    struct ens_tracker *t;
    struct world w;
    struct made m;

    world_init(&w, rules);
    schema = w.plan.schemas.item[0];
    t = ens_tracker_new(&(const struct ens_tracker_config){
        .stopping = &w.s, .stage = &w.plan.stage[0], .done = w.done});
    ck_assert_ptr_nonnull(t);
    for (uint64_t c = 0; c < CELLS; c++) {
        ens_tracker_enter(t, c);
        for (uint32_t r = 2; r <= MAX; r++) {
            make(&w, &m, c, r);
            m.rec.items = items;
            m.rec.items_bytes = sizeof(items);
            ens_tracker_add(t, &m.rec, schema);
        }
        ck_assert_int_eq(ens_tracker_is_full(t),
                         (c + 1) * (MAX - 1) * sizeof(items) >
                             ((size_t)32 << 20));
    }
    for (uint64_t c = 0; c < CELLS; c++) {
        make(&w, &m, c, 1);
        ens_tracker_add(t, &m.rec, schema);
        ck_assert_uint_gt(ens_stopping_at(&w.s, c), 0);
    }
    ck_assert_int_eq(ens_tracker_is_full(t), 0);
    ens_tracker_free(t);
    world_fini(&w);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("stopping");
    TCase *t = tcase_create("rules");
    SRunner *r;
    int failed;

    tcase_add_loop_test(t, rules_are_read, 0,
                        (int)(sizeof(rule_rows) / sizeof(*rule_rows)));
    tcase_add_test(t, long_names_are_refused);
    tcase_add_test(t, shares_of_0_and_1_have_an_error);
    tcase_add_test(t, all_rules_that_apply_hold);
    tcase_add_test(t, rules_of_unknown_fields_apply);
    suite_add_tcase(s, t);
    t = tcase_create("cells");
    tcase_add_loop_test(t, order_does_not_matter, 0, 5);
    tcase_add_loop_test(t, check_points_follow_min_and_every, 0,
                        (int)(sizeof(point_rows) / sizeof(*point_rows)));
    tcase_add_test(t, failures_are_missing);
    tcase_add_test(t, cells_are_left);
    tcase_add_test(t, what_waits_is_bounded);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? 0 : 1;
}
