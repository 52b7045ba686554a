/* What every transport must do, looped over their table. */
#include "../crew.h"

#include <sys/prctl.h>

#define N_TRANSPORTS 3

static const struct ens_transport_ops *transport(int i)
{
    ck_assert(ens_transports[i] != NULL);
    return ens_transports[i];
}

START_TEST(table_is_complete)
{
    ck_assert(ens_transports[N_TRANSPORTS] == NULL);
    for (int i = 0; i < N_TRANSPORTS; i++)
        ck_assert(ens_transport_find(transport(i)->name) == transport(i));
    ck_assert(ens_transport_find("pigeon") == NULL);
}
END_TEST

/* Results by place, from the transport at index i. */
static void run_all(int i, uint32_t n_slots, struct fake_study *study,
                    struct crew *c)
{
    crew_init(c, study, transport(i), n_slots);
    crew_open(c, 0);
    crew_turn(c);
}

START_TEST(same_task_same_bits_whatever_carries_it)
{
    struct fake_study study;
    struct crew one, c;

    fake_study_init(&study, 700,
                    "[fake]\nmode = ok, fail, other, badcell, badfield\n",
                    NULL);
    run_all(0, 1, &study, &one);
    run_all(_i, 3, &study, &c);
    ck_assert_uint_eq(c.n_tasks, 3500);
    ck_assert_uint_eq(c.n_deaths, 0);
    ck_assert_int_eq(memcmp(one.hash, c.hash, c.n_tasks * sizeof(*c.hash)), 0);
    for (uint64_t p = 0; p < c.n_tasks; p++)
        ck_assert_uint_eq(c.status[p], 1u + (p / 700 == 0 || p / 700 == 2
                                                 ? ENS_TASK_OK
                                                 : ENS_TASK_FAILED));
    crew_fini(&one);
    crew_fini(&c);
    fake_study_fini(&study);
}
END_TEST

START_TEST(order_to_stop_is_an_end_that_was_asked_for)
{
    struct fake_study study;
    struct ens_buf b = ENS_BUF_INIT;
    struct crew c;

    fake_study_init(&study, 10, "", NULL);
    run_all(_i, 1, &study, &c);
    ens_order_write_plain(&b, ENS_ORDER_STOP);
    c.ops->order(c.t, c.first, b.data, b.len);
    ck_assert_uint_eq(c.n_deaths, 0); /* never from inside a call */
    c.is_done = crew_has_death;
    crew_turn(&c);
    ck_assert_int_eq(c.death[0].asked, 1);
    ck_assert_int_eq(c.death[0].wait_status, 0);
    ck_assert_int_eq(c.death[0].phase, ENS_PHASE_IDLE);
    c.n_deaths = 0; /* the slot can be used again */
    c.n_ready = 0;
    c.ops->start(c.t, c.first);
    ck_assert_uint_eq(c.n_ready, 0);
    ens_buf_fini(&b);
    crew_fini(&c);
    fake_study_fini(&study);
}
END_TEST

static void count_ticks(struct crew *c)
{
    if (++c->step == 100)
        c->ops->pause(c->t, 0);
    if (c->step == 99)
        ck_assert_uint_le(c->n_frames, 20);
}

START_TEST(pause_stops_frames_and_resume_loses_none)
{
    struct fake_study study;
    struct crew c;

    fake_study_init(&study, 20000, "", NULL);
    crew_init(&c, &study, transport(_i), 2);
    c.chunk = 256;
    c.pause_at_frame = 3;
    c.on_tick = count_ticks;
    crew_open(&c, 0);
    crew_turn(&c);
    ck_assert_int_ge(c.step, 100);
    ck_assert_uint_eq(c.n_done, 20000);
    crew_fini(&c);
    fake_study_fini(&study);
}
END_TEST

START_TEST(kind_that_does_not_open_is_refused)
{
    struct fake_study study;
    struct crew c;

    fake_study_init(&study, 10, "[how]\nopen = fail\n", NULL);
    crew_init(&c, &study, transport(_i), 1);
    c.is_done = crew_has_death;
    crew_open(&c, 0);
    crew_turn(&c);
    ck_assert_int_eq(c.refused.status, ENS_EINPUT);
    ck_assert_msg(strstr(c.refused.text, "open was told to fail") != NULL, "%s",
                  c.refused.text);
    if (_i == 2) /* mpi */
        ck_assert_ptr_nonnull(strstr(c.refused.text, "rank 1 on "));
    ck_assert_int_eq(c.death[0].phase, ENS_PHASE_OPENING);
    crew_fini(&c);
    fake_study_fini(&study);
}
END_TEST

/* TSan runs handlers with all signals blocked: one that is left by a jump
 * leaves them so, and the second fault would kill. */
#ifndef __SANITIZE_THREAD__
START_TEST(task_that_writes_to_an_input_has_failed)
{
    struct fake_study study;
    char path[64];
    struct crew c;

    snprintf(path, sizeof(path), "/tmp/ensrun-test-%d.npy", (int)getpid());
    fake_npy(path, 1000);
    fake_study_init(&study, 30, "[fake]\nmode = touch, scribble\n", path);
    run_all(_i, 1, &study, &c);
    ck_assert_str_eq(c.error, "task wrote to input X");
    ck_assert_uint_eq(c.n_deaths, 0);
    for (uint64_t p = 0; p < c.n_tasks; p++)
        ck_assert_uint_eq(c.status[p],
                          1u + (p < 30 ? ENS_TASK_OK : ENS_TASK_FAILED));
    crew_fini(&c);
    fake_study_fini(&study);
    unlink(path);
}
END_TEST
#endif

static int has_refusal(const struct crew *c)
{
    return c->refused.status != ENS_OK;
}

static int is_ready(const struct crew *c)
{
    return c->n_ready > 0;
}

START_TEST(input_that_shrinks_ends_the_run_and_is_named)
{
    struct fake_study study;
    char path[64];
    struct crew c;

    snprintf(path, sizeof(path), "/tmp/ensrun-test-%d.npy", (int)getpid());
    fake_npy(path, 100000);
    fake_study_init(&study, 30, "[fake]\nmode = touch\n", path);
    crew_init(&c, &study, transport(_i), 1);
    c.give = 0;
    c.is_done = is_ready;
    crew_open(&c, 0);
    crew_turn(&c);
    ck_assert_int_eq(truncate(path, 4096), 0);
    c.give = 1;
    crew_give(&c, c.first);
    c.is_done = has_refusal;
    crew_turn(&c);
    ck_assert_int_eq(c.refused.status, ENS_EINPUT);
    ck_assert_msg(strstr(c.refused.text, path) != NULL, "%s", c.refused.text);
    crew_fini(&c);
    fake_study_fini(&study);
    unlink(path);
}
END_TEST

START_TEST(close_in_the_middle_of_work_is_safe)
{
    struct fake_study study;
    int32_t pid[16];
    struct crew c;
    size_t n;

    fake_study_init(&study, 100000, "[fake]\nmode = sleep\n", NULL);
    crew_init(&c, &study, transport(_i), 2);
    c.n_tasks = 100000;
    crew_open(&c, 0);
    while (c.n_done == 0)
        uv_run(&c.loop, UV_RUN_ONCE);
    n = c.ops->pids(c.t, pid, 16);
    ck_assert_uint_ge(n, 1);
    crew_fini(&c);
    for (size_t i = 0; i < n; i++)
        ck_assert(pid[i] == getpid() || crew_is_gone(pid[i]));
    fake_study_fini(&study);
}
END_TEST

/* Not a test: how fast no-op tasks go through. */
START_TEST(rate_of_no_op_tasks)
{
    struct fake_study study;
    struct crew c;
    uint64_t start;

    fake_study_init(&study, 1000000, "[fake]\nmode = noop\n", NULL);
    crew_init(&c, &study, transport(_i), 2);
    c.chunk = 256;
    c.count_only = 1;
    crew_open(&c, 0);
    while (c.n_ready == 0)
        uv_run(&c.loop, UV_RUN_ONCE);
    start = ens_clock_ns();
    crew_turn(&c);
    printf("%s: %.2f million no-op tasks/s\n", c.ops->name,
           1e3 * (double)c.n_tasks / (double)(ens_clock_ns() - start));
    ck_assert_uint_eq(c.n_done, c.n_tasks);
    crew_fini(&c);
    fake_study_fini(&study);
}
END_TEST

int main(int argc, char **argv)
{
    Suite *s;
    TCase *t;
    SRunner *r;
    int failed;

    if (argc == 3 && strcmp(argv[1], "--zygote") == 0)
        return ens_zygote_main(3, &fake_table);
    s = suite_create("transport");
    t = tcase_create("transport");
    r = srunner_create(s);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, table_is_complete);
    tcase_add_loop_test(t, same_task_same_bits_whatever_carries_it, 0,
                        N_TRANSPORTS);
    tcase_add_loop_test(t, order_to_stop_is_an_end_that_was_asked_for, 0,
                        N_TRANSPORTS);
    tcase_add_loop_test(t, pause_stops_frames_and_resume_loses_none, 0,
                        N_TRANSPORTS);
    tcase_add_loop_test(t, kind_that_does_not_open_is_refused, 0, N_TRANSPORTS);
#ifndef __SANITIZE_THREAD__
    tcase_add_loop_test(t, task_that_writes_to_an_input_has_failed, 0,
                        N_TRANSPORTS);
#endif
    tcase_add_loop_test(t, input_that_shrinks_ends_the_run_and_is_named, 0,
                        N_TRANSPORTS);
    tcase_add_loop_test(t, close_in_the_middle_of_work_is_safe, 0,
                        N_TRANSPORTS);
    tcase_add_loop_test(t, rate_of_no_op_tasks, 0, N_TRANSPORTS);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? 0 : 1;
}
