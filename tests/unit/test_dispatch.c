/* The dispatcher against a transport that does what the test says: who is
 * charged for a death, what is handed out again, when a stage has ended. */
#include "dispatch/dispatch.h"

#include "../fake.h"

#include <check.h>
#include <signal.h>
#include "worker/order.h"

#define SLOTS 2

/* A transport in name only: keeps what each worker was given. */
struct hand {
    int alive;
    struct ens_range range[8];
    uint32_t n;
    int has_next, was_killed;
    struct ens_slot shared;
};

struct world {
    struct fake_study study;
    const struct ens_stage *stage;
    struct ens_done *done;
    uv_loop_t loop;
    struct ens_dispatch *d;
    struct ens_transport_events sink;
    struct hand hand[SLOTS];
    uint8_t seen[4096]; /* records by place */
    int n_attempts, n_ended, n_stage_done, n_answered, n_broken;
    enum ens_outcome outcome;
    uint32_t charged, killed;
    uint64_t ended_cell;
    uint32_t ended_replicate;
    char text[128];
    struct ens_error broken, answer;
};

static struct world *the; /* transports have no argument for a test */

static void fake_start(struct ens_transport *t, uint32_t slot)
{
    (void)t;
    memset(&the->hand[slot], 0, sizeof(the->hand[slot]));
    the->hand[slot].alive = 1;
}

static void fake_order(struct ens_transport *t, uint32_t slot, const void *p,
                       size_t n)
{
    struct hand *h = &the->hand[slot];
    const unsigned char *at = p;
    struct ens_order o;

    (void)t;
    ck_assert(h->alive);
    while (n > 0) {
        size_t k = ens_order_read(&o, at, n);

        ck_assert_uint_gt(k, 0);
        if (o.type == ENS_ORDER_RANGE) {
            ck_assert_uint_lt(h->n, 2);
            h->range[h->n++] = (struct ens_range){o.first, o.n};
        }
        h->has_next |= o.type == ENS_ORDER_NEXT;
        at += k;
        n -= k;
    }
}

static void fake_kill(struct ens_transport *t, uint32_t slot)
{
    (void)t;
    the->hand[slot].was_killed = 1;
}

static void fake_pause(struct ens_transport *t, int on)
{
    (void)t;
    (void)on;
}

static const struct ens_slot *fake_slot(const struct ens_transport *t,
                                        uint32_t slot)
{
    (void)t;
    return &the->hand[slot].shared;
}

static const struct ens_transport_ops ops = {.name = "scripted",
                                             .start = fake_start,
                                             .order = fake_order,
                                             .kill = fake_kill,
                                             .pause = fake_pause,
                                             .slot = fake_slot};

/* -- what the dispatcher says ---------------------------------------------- */

static void on_records(void *arg, const struct ens_frame *f, const void *bytes,
                       size_t n, const struct ens_batch *b)
{
    struct world *w = arg;
    struct ens_record rec;

    (void)f;
    (void)bytes;
    (void)n;
    for (uint32_t i = 0; i < b->n; i++) {
        ens_batch_get(b, i, &rec);
        w->seen[ens_stage_place(w->stage, rec.cell, rec.replicate)]++;
    }
}

static void on_frame(void *arg, const struct ens_frame *f, const void *bytes,
                     size_t n)
{
    (void)arg;
    (void)f;
    (void)bytes;
    (void)n;
}

static void on_attempt(void *arg, uint64_t cell, uint32_t replicate,
                       uint32_t attempts, uint32_t killed)
{
    struct world *w = arg;

    (void)cell;
    (void)replicate;
    w->n_attempts++;
    w->killed = killed;
    w->charged = attempts;
}

static void on_ended(void *arg, uint64_t cell, uint32_t replicate,
                     enum ens_outcome outcome, uint32_t attempts,
                     const char *text)
{
    struct world *w = arg;

    w->n_ended++;
    w->outcome = outcome;
    w->charged = attempts;
    w->ended_cell = cell;
    w->ended_replicate = replicate;
    snprintf(w->text, sizeof(w->text), "%s", text);
    w->seen[ens_stage_place(w->stage, cell, replicate)]++;
}

static void on_stage_done(void *arg)
{
    ((struct world *)arg)->n_stage_done++;
}

static void on_answered(void *arg, const struct ens_error *err)
{
    struct world *w = arg;

    w->n_answered++;
    if (err != NULL)
        w->answer = *err;
}

static void on_died(void *arg, uint32_t slot, const struct ens_death *death)
{
    (void)arg;
    (void)slot;
    (void)death;
}

static void on_broken(void *arg, const struct ens_error *err)
{
    struct world *w = arg;

    w->n_broken++;
    w->broken = *err;
}

/* -- the world ----------------------------------------------------------------
 */

static void world_init(struct world *w, unsigned replicates, double timeout_s)
{
    struct ens_dispatch_config c = {
        .n_slots = SLOTS,
        .attempts = 3,
        .attempts_timeout = 1,
        .timeout_s = timeout_s,
        .grace_s = 60,
        .events = {w, on_records, on_frame, on_attempt, on_ended, on_stage_done,
                   on_answered, on_died, on_broken}};
    struct ens_error err;

    memset(w, 0, sizeof(*w));
    the = w;
    fake_study_init(&w->study, replicates, "", NULL);
    w->stage = &w->study.plan.stage[0];
    w->done = ens_done_new();
    ck_assert_int_eq(uv_loop_init(&w->loop), 0);
    c.loop = &w->loop;
    c.plan = &w->study.plan;
    ck_assert_int_eq(ens_dispatch_new(&w->d, &c, &err), ENS_OK);
    w->sink = ens_dispatch_sink(w->d);
    ens_dispatch_attach(w->d, &ops, NULL);
    ck_assert_int_eq(
        ens_dispatch_stage(w->d, w->stage, w->done, 0, NULL, 0, &err), ENS_OK);
    ens_dispatch_go(w->d);
}

static void world_fini(struct world *w)
{
    ens_dispatch_close(w->d);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    ens_dispatch_free(w->d);
    ck_assert_int_eq(uv_loop_close(&w->loop), 0);
    ens_done_free(w->done);
    fake_study_fini(&w->study);
}

static void ready(struct world *w, uint32_t slot)
{
    ck_assert(w->hand[slot].alive);
    w->sink.ready(w->d, slot);
}

/* The worker reports the record of a place. */
static void report(struct world *w, uint32_t slot, uint64_t place)
{
    struct ens_schemas schemas = ENS_SCHEMAS_INIT;
    struct ens_draft draft = {0};
    struct ens_packer packer = {.stage = w->stage->id};
    struct ens_buf out = ENS_BUF_INIT;
    struct ens_frame f;
    size_t index;

    ck_assert_int_eq(ens_schemas_add(&schemas, NULL, 0, &index, NULL), ENS_OK);
    ck_assert_int_eq(ens_draft_begin(&draft, schemas.item[0]), ENS_OK);
    ens_stage_task(w->stage, place, &draft.cell, &draft.replicate);
    draft.seconds = 1.0;
    ens_packer_add(&packer, &draft);
    ens_packer_flush(&packer, &out, (uint16_t)slot, 1, 1, 7);
    ck_assert_int_eq(ens_frame_read(&f, out.data, out.len, 7), ENS_FRAME_GOOD);
    w->sink.frame(w->d, slot, &f, out.data, out.len);
    ens_buf_fini(&out);
    ens_packer_fini(&packer);
    ens_draft_fini(&draft);
    ens_schemas_fini(&schemas);
}

/* The worker runs the first task it has. */
static void run_one(struct world *w, uint32_t slot)
{
    struct hand *h = &w->hand[slot];
    uint64_t place = h->range[0].first;

    ck_assert_uint_gt(h->n, 0);
    h->range[0].first++;
    if (--h->range[0].n == 0) {
        h->range[0] = h->range[1];
        h->n--;
    }
    report(w, slot, place);
}

static void die(struct world *w, uint32_t slot, struct ens_death death)
{
    w->hand[slot].alive = 0;
    w->hand[slot].has_next = 0;
    w->sink.dead(w->d, slot, &death);
}

/* Death of a worker in the first task it has, by a signal. */
static void crash(struct world *w, uint32_t slot, int sig)
{
    die(w, slot,
        (struct ens_death){.wait_status = sig,
                           .phase = ENS_PHASE_RUNNING,
                           .place = w->hand[slot].range[0].first,
                           .stage = w->stage->id});
}

static void finish(struct world *w)
{
    int busy = 1;

    while (busy) {
        busy = 0;
        for (uint32_t s = 0; s < SLOTS; s++)
            while (w->hand[s].alive && w->hand[s].n > 0) {
                run_one(w, s);
                busy = 1;
            }
        uv_run(&w->loop, UV_RUN_NOWAIT);
    }
    for (uint64_t i = 0; i < ens_stage_n_tasks(w->stage); i++)
        ck_assert_msg(w->seen[i] == 1, "place %llu: %u records",
                      (unsigned long long)i, w->seen[i]);
    ck_assert_int_eq(w->n_stage_done, 1);
}

/* -- tests
 * ---------------------------------------------------------------------- */

START_TEST(all_tasks_then_done)
{
    struct world w;

    world_init(&w, 100, 0);
    ready(&w, 0);
    ready(&w, 1);
    finish(&w);
    ck_assert_int_eq(w.n_ended + w.n_attempts + w.n_broken, 0);
    world_fini(&w);
}
END_TEST

START_TEST(culprit_is_charged_and_ends)
{
    struct world w;

    world_init(&w, 20, 0);
    ready(&w, 0);
    for (int i = 1; i <= 3; i++) {
        ck_assert_uint_eq(w.hand[0].range[0].first, 0);
        crash(&w, 0, SIGSEGV);
        ck_assert_uint_eq(w.charged, (unsigned)i);
        ready(&w, 0); /* replaced at once */
    }
    ck_assert_int_eq(w.n_attempts, 2);
    ck_assert_int_eq(w.n_ended, 1);
    ck_assert_int_eq(w.outcome, ENS_TASK_CRASHED);
    ck_assert_str_eq(w.text, "killed by signal 11 (SIGSEGV)");
    ck_assert_uint_eq(w.ended_replicate, 1);
    finish(&w);
    world_fini(&w);
}
END_TEST

/* Deaths that charge nobody. */
static const struct ens_death innocent[] = {
    {.phase = ENS_PHASE_RUNNING, .wait_status = SIGKILL, .zygote_lost = 1},
    {.phase = ENS_PHASE_RUNNING, .wait_status = SIGKILL, .asked = 1},
    {.phase = ENS_PHASE_SENDING, .wait_status = SIGKILL},
    {.phase = ENS_PHASE_IDLE, .wait_status = SIGSEGV},
};

START_TEST(others_are_not_charged)
{
    struct world w;
    struct ens_death death = innocent[_i];

    world_init(&w, 20, 0);
    ready(&w, 0);
    for (int i = 0; i < 5; i++) {
        death.place = w.hand[0].range[0].first;
        death.stage = w.stage->id;
        die(&w, 0, death);
        ready(&w, 0);
    }
    ck_assert_int_eq(w.n_attempts + w.n_ended + w.n_broken, 0);
    finish(&w);
    world_fini(&w);
}
END_TEST

START_TEST(killed_from_outside_goes_last_and_alone)
{
    struct world w;

    world_init(&w, 10, 0);
    ready(&w, 0);
    ready(&w, 1);
    crash(&w, 0, SIGKILL); /* place 0 */
    ready(&w, 0);
    crash(&w, 1, SIGKILL); /* place 1 */
    ready(&w, 1);
    for (int left = 8; left > 0;) {
        for (uint32_t s = 0; s < SLOTS && left > 0; s++)
            if (w.hand[s].n > 0) {
                ck_assert_uint_gt(w.hand[s].range[0].first, 1);
                run_one(&w, s);
                left--;
            }
    }
    ck_assert_uint_eq(w.hand[0].n + w.hand[1].n, 1); /* one at a time */
    finish(&w);
    ck_assert_int_eq(w.n_attempts, 2);
    world_fini(&w);
}
END_TEST

/* What a task would die of by itself is what its verdict says. */
START_TEST(kills_are_counted_apart)
{
    const int by[] = {SIGSEGV, SIGKILL, SIGKILL, SIGSEGV, SIGSEGV};
    struct world w;

    world_init(&w, 1, 0);
    for (unsigned i = 0; i < 5; i++) {
        ck_assert_int_eq(w.n_ended, 0);
        ready(&w, 0);
        crash(&w, 0, by[i]);
        ck_assert_uint_eq(w.charged, i + 1);
        ck_assert_uint_eq(w.killed, i < 3 ? i : 2);
    }
    ck_assert_int_eq(w.n_ended, 1);
    ck_assert_str_eq(w.text, "killed by signal 11 (SIGSEGV)");
    finish(&w);
    world_fini(&w);
}
END_TEST

START_TEST(too_many_kills_end_a_task)
{
    struct world w;

    world_init(&w, 1, 0);
    ens_dispatch_charged(w.d, 0, 1, 3, 1); /* of an earlier run */
    ready(&w, 0);
    crash(&w, 0, SIGKILL);
    ck_assert_int_eq(w.n_ended, 0);
    ready(&w, 0);
    crash(&w, 0, SIGKILL);
    ck_assert_int_eq(w.n_ended, 1);
    ck_assert_uint_eq(w.charged, 5);
    ck_assert_str_eq(w.text, "killed by signal 9 (SIGKILL)");
    finish(&w);
    world_fini(&w);
}
END_TEST

START_TEST(early_deaths_end_the_run)
{
    struct ens_death death = {.wait_status = SIGSEGV,
                              .phase = ENS_PHASE_OPENING};
    struct world w;

    world_init(&w, 10, 0);
    if (_i > 0) {
        ready(&w, 0);
        run_one(&w, 0);
    }
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(w.n_broken, 0);
        die(&w, 1, death);
    }
    ck_assert_int_eq(w.n_broken, 1);
    ck_assert_int_eq(w.broken.status, _i > 0 ? ENS_EPROCESS : ENS_EINPUT);
    ck_assert(strstr(w.broken.text, "SIGSEGV") != NULL);
    world_fini(&w);
}
END_TEST

START_TEST(a_record_not_asked_for_is_refused)
{
    struct world w;

    world_init(&w, 10, 0);
    ready(&w, 0);
    report(&w, 0, 5);
    ck_assert_int_eq(w.n_broken, 1);
    ck_assert_int_eq(w.broken.status, ENS_EPROTOCOL);
    world_fini(&w);
}
END_TEST

START_TEST(time_out_ends_the_task)
{
    struct world w;
    uint64_t place;

    world_init(&w, 10, 0.001);
    ready(&w, 0);
    place = w.hand[0].range[0].first;
    w.hand[0].shared.place = place;
    w.hand[0].shared.start_ns = 1; /* since boot */
    w.hand[0].shared.phase = ENS_PHASE_RUNNING;
    while (!w.hand[0].was_killed)
        uv_run(&w.loop, UV_RUN_ONCE);
    die(&w, 0,
        (struct ens_death){.wait_status = SIGKILL,
                           .phase = ENS_PHASE_RUNNING,
                           .place = place,
                           .stage = w.stage->id,
                           .asked = 1});
    ck_assert_int_eq(w.n_ended, 1);
    ck_assert_int_eq(w.outcome, ENS_TASK_TIMEOUT);
    ck_assert_str_eq(w.text, "no result after 0.001 s");
    ready(&w, 0);
    finish(&w);
    world_fini(&w);
}
END_TEST

START_TEST(stop_lets_running_tasks_end)
{
    struct world w;

    world_init(&w, 100, 0);
    ready(&w, 0);
    ready(&w, 1);
    ens_dispatch_stop(w.d);
    uv_run(&w.loop, UV_RUN_NOWAIT);
    ck_assert_int_eq(w.n_stage_done, 0);
    run_one(&w, 0);
    ck_assert_uint_eq(w.hand[0].n, 0); /* nothing new */
    crash(&w, 1, SIGSEGV);             /* nobody is charged any more */
    uv_run(&w.loop, UV_RUN_NOWAIT);
    ck_assert_int_eq(w.n_stage_done, 1);
    ck_assert_int_eq(w.n_attempts + w.n_ended, 0);
    world_fini(&w);
}
END_TEST

static void run_next(struct world *w)
{
    struct ens_buf b = ENS_BUF_INIT;
    struct ens_log_at from = {0, 0};
    struct ens_segment_end end = {1, 0};

    ready(w, 0);
    ready(w, 1);
    finish(w);
    ens_order_write_next(&b, w->stage, 1, 1, 0, &from, &end);
    ens_dispatch_next(w->d, b.data, b.len);
    ens_buf_fini(&b);
    ck_assert_int_eq(w->hand[0].has_next + w->hand[1].has_next, 1);
}

START_TEST(next_answers)
{
    struct world w;
    struct ens_frame f = {.type = ENS_FRAME_ANSWERED};

    world_init(&w, 4, 0);
    run_next(&w);
    w.sink.frame(w.d, w.hand[0].has_next ? 0 : 1, &f, NULL, 0);
    ck_assert_int_eq(w.n_answered, 1);
    ck_assert_int_eq(w.answer.status, ENS_OK);
    world_fini(&w);
}
END_TEST

START_TEST(next_dies_until_it_gives_up)
{
    struct world w;

    world_init(&w, 4, 0);
    run_next(&w);
    for (int i = 0; i < 3; i++) {
        uint32_t slot = w.hand[0].has_next ? 0 : 1;

        ck_assert_int_eq(w.n_answered, 0);
        ck_assert_int_eq(w.hand[0].has_next + w.hand[1].has_next, 1);
        die(&w, slot,
            (struct ens_death){.wait_status = SIGABRT,
                               .phase = ENS_PHASE_RUNNING,
                               .place = ENS_PLACE_NEXT});
        for (uint32_t k = 0; k < SLOTS; k++) /* a new one may be there */
            if (w.n_answered == 0 && w.hand[k].alive &&
                w.hand[0].has_next + w.hand[1].has_next == 0)
                ready(&w, k);
    }
    ck_assert_int_eq(w.n_answered, 1);
    ck_assert_int_eq(w.answer.status, ENS_EPROCESS);
    world_fini(&w);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("dispatch");
    TCase *t = tcase_create("dispatch");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_test(t, all_tasks_then_done);
    tcase_add_test(t, culprit_is_charged_and_ends);
    tcase_add_loop_test(t, others_are_not_charged, 0, 4);
    tcase_add_test(t, killed_from_outside_goes_last_and_alone);
    tcase_add_test(t, kills_are_counted_apart);
    tcase_add_test(t, too_many_kills_end_a_task);
    tcase_add_loop_test(t, early_deaths_end_the_run, 0, 2);
    tcase_add_test(t, a_record_not_asked_for_is_refused);
    tcase_add_test(t, time_out_ends_the_task);
    tcase_add_test(t, stop_lets_running_tasks_end);
    tcase_add_test(t, next_answers);
    tcase_add_test(t, next_dies_until_it_gives_up);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? 0 : 1;
}
