#include "dispatch/dispatch.h"

#include "base/bug.h"
#include "base/clock.h"
#include "dispatch/state.h"
#include "stop/tracker.h"
#include "worker/order.h"

#include <stdlib.h>
#include <string.h>

/* A second range in flight hides the round trip (4.3 us) of short ranges;
 * behind a long one its tasks would only wait while others idle. */
#define PREFETCH_SECONDS 0.050

static void raise_done(uv_idle_t *idle)
{
    struct ens_dispatch *d = idle->data;

    uv_idle_stop(idle);
    d->config.events.stage_done(d->config.events.arg);
}

enum ens_status ens_dispatch_new(struct ens_dispatch **out,
                                 const struct ens_dispatch_config *config,
                                 struct ens_error *err)
{
    struct ens_dispatch *d = calloc(1, sizeof(*d));

    if (d == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    d->config = *config;
    if (d->config.n_near == 0)
        d->config.n_near = config->n_slots;
    d->hand = calloc(config->n_slots, sizeof(*d->hand));
    if (d->hand == NULL) {
        free(d);
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    }
    for (uint32_t i = 0; i < config->n_slots; i++)
        d->hand[i].killed_place = ENS_NO_PLACE;
    uv_timer_init(config->loop, &d->timer);
    uv_idle_init(config->loop, &d->done_idle);
    d->timer.data = d;
    d->done_idle.data = d;
    d->tick_ns = ens_clock_ns();
    /* 50 ms is fine enough for time-outs, and nothing beside 1 ms tasks */
    uv_timer_start(&d->timer, ens_dispatch_tick, 50,
                   config->timeout_s > 0 ? 50 : 250);
    *out = d;
    return ENS_OK;
}

void ens_dispatch_close(struct ens_dispatch *d)
{
    if (d == NULL)
        return;
    uv_close((uv_handle_t *)&d->timer, NULL);
    uv_close((uv_handle_t *)&d->done_idle, NULL);
}

void ens_dispatch_free(struct ens_dispatch *d)
{
    if (d == NULL)
        return;
    ens_ranges_free(d->ranges);
    ens_buf_fini(&d->next_order);
    free(d->charge);
    free(d->hand);
    free(d);
}

void ens_dispatch_attach(struct ens_dispatch *d,
                         const struct ens_transport_ops *ops,
                         struct ens_transport *t)
{
    d->ops = ops;
    d->transport = t;
}

void ens_dispatch_detach(struct ens_dispatch *d)
{
    d->transport = NULL;
    d->broken = 1;
}

void ens_dispatch_pause(struct ens_dispatch *d, int on)
{
    if (d->paused != on)
        d->ops->pause(d->transport, on);
    d->paused = on;
}

void ens_dispatch_break(struct ens_dispatch *d, const struct ens_error *err)
{
    if (d->broken)
        return;
    d->broken = 1;
    d->config.events.broken(d->config.events.arg, err);
}

void ens_dispatch_check_end(struct ens_dispatch *d)
{
    if (d->stage == NULL || d->stage_told || d->broken || d->n_busy > 0 ||
        d->next_running)
        return;
    if (!d->stopping &&
        ens_ranges_left(d->ranges) + ens_ranges_n_last(d->ranges) > 0)
        return;
    d->stage_told = 1;
    uv_idle_start(&d->done_idle, raise_done);
}

/* -- feeding ------------------------------------------------------------- */

/* --only runs a task that has ended again, to compare. */
static int is_replay(const struct ens_dispatch *d, uint64_t place)
{
    uint64_t cell;
    uint32_t replicate;

    if (!d->only)
        return 0;
    ens_stage_task(d->stage, place, &cell, &replicate);
    return ens_done_get(d->done, cell, replicate) != ENS_N_OUTCOMES;
}

static void send_range(struct ens_dispatch *d, uint32_t slot,
                       struct ens_range range)
{
    struct ens_hand *h = &d->hand[slot];
    struct ens_buf b = ENS_BUF_INIT;

    if (h->stage != d->stage->id || h->round != d->round)
        ens_order_write_stage(&b, d->stage, d->round);
    h->stage = d->stage->id;
    h->round = d->round;
    if (d->restore)
        ens_order_write_restore(&b, range.first);
    else if (is_replay(d, range.first))
        ens_order_write_replay(&b, range.first);
    else
        ens_order_write_range(&b, range.first, range.n,
                              range.n == 1 ? ens_charges_of(d, range.first)
                                           : 0);
    ENS_BUG_ON(b.failed);
    d->n_busy += h->n_ranges == 0;
    h->range[h->n_ranges++] = range;
    d->ops->order(d->transport, slot, b.data, b.len);
    ens_buf_fini(&b);
}

static void send_next(struct ens_dispatch *d, uint32_t slot)
{
    d->next_waiting = 0;
    d->next_running = 1;
    d->hand[slot].has_next = 1;
    d->ops->order(d->transport, slot, d->next_order.data, d->next_order.len);
}

/* A task that took its workers with it gets its last attempt alone. */
static void feed_last(struct ens_dispatch *d, uint32_t slot)
{
    struct ens_range range;

    if (d->n_busy > 0 || !ens_ranges_take_last(d->ranges, &range))
        return;
    d->hand[slot].alone = 1;
    send_range(d, slot, range);
}

static int fits(struct ens_dispatch *d, struct ens_range range)
{
    uint64_t now = ens_clock_ns();
    double left_s;

    if (d->deadline_ns == 0)
        return 1;
    left_s = now < d->deadline_ns ? (double)(d->deadline_ns - now) / 1e9 : 0;
    return !(ens_ranges_seconds(d->ranges, range) > left_s); /* NaN: try */
}

/* The next range that will end in time. */
static int take_range(struct ens_dispatch *d, struct ens_range *range,
                      double *expected_s)
{
    while (ens_ranges_take(d->ranges, range, expected_s)) {
        uint64_t left = ens_ranges_left(d->ranges);

        if (fits(d, *range))
            return 1;
        ens_ranges_forget(d->ranges, *range);
        d->n_forgotten += range->n + left - ens_ranges_left(d->ranges);
    }
    return 0;
}

static struct ens_tracker *tracker_of(const struct ens_dispatch *d)
{
    return d->config.part != NULL ? d->config.part->tracker : NULL;
}

/* -1: it failed, and the run ends. */
static int check_tracker(struct ens_dispatch *d)
{
    const struct ens_error *why =
        tracker_of(d) != NULL ? ens_tracker_failure(tracker_of(d)) : NULL;

    if (why != NULL)
        ens_dispatch_break(d, why);
    return why != NULL ? -1 : 0;
}

/* Cells that wait for results of which none is on its way would wait for
 * ever: our mistake, and better said. */
static void check_stuck(struct ens_dispatch *d)
{
    struct ens_error err;

    if (tracker_of(d) == NULL || d->broken || d->n_busy > 0 ||
        ens_ranges_left(d->ranges) == 0)
        return;
    ens_fail(&err, ENS_EPROTOCOL,
             "[stop]: %llu tasks are left, and none is wanted",
             (unsigned long long)ens_ranges_left(d->ranges));
    ens_dispatch_break(d, &err);
}

void ens_dispatch_feed(struct ens_dispatch *d, uint32_t slot)
{
    struct ens_hand *h = &d->hand[slot];
    struct ens_range range;
    double expected_s;

    if (h->state != ENS_HAND_READY || d->stopping || d->broken || h->alone ||
        h->has_next)
        return;
    if (d->next_waiting && slot < d->config.n_near) {
        send_next(d, slot);
        return;
    }
    if (d->stage == NULL || d->stage_told)
        return;
    while (h->n_ranges < 2) {
        if (!take_range(d, &range, &expected_s)) {
            if (check_tracker(d) == 0 && h->n_ranges == 0)
                feed_last(d, slot);
            check_stuck(d);
            return;
        }
        send_range(d, slot, range);
        if (!(expected_s <= PREFETCH_SECONDS))
            return;
    }
}

static void start(struct ens_dispatch *d, uint32_t slot)
{
    d->hand[slot].state = ENS_HAND_STARTING;
    d->hand[slot].stage = 0;
    d->ops->start(d->transport, slot);
}

/* One that may run `next`. */
static int has_near(const struct ens_dispatch *d)
{
    for (uint32_t i = 0; i < d->config.n_near; i++)
        if (d->hand[i].state != ENS_HAND_EMPTY)
            return 1;
    return 0;
}

void ens_dispatch_staff(struct ens_dispatch *d)
{
    uint64_t want = 0;
    uint32_t n = 0;

    if (d->broken || d->stopping)
        return;
    if (d->stage != NULL)
        want = ens_ranges_left(d->ranges) + (ens_ranges_n_last(d->ranges) > 0);
    want += d->n_busy;
    want += (uint64_t)(d->next_waiting || d->next_running);
    for (uint32_t i = 0; i < d->config.n_slots; i++)
        n += d->hand[i].state != ENS_HAND_EMPTY;
    for (uint32_t i = 0; i < d->config.n_slots && n < want; i++) {
        if (d->hand[i].state != ENS_HAND_EMPTY)
            continue;
        start(d, i);
        n++;
    }
    if (d->next_waiting && !has_near(d))
        start(d, 0);
}

void ens_dispatch_feed_all(struct ens_dispatch *d)
{
    for (uint32_t i = 0; i < d->config.n_slots; i++)
        ens_dispatch_feed(d, i);
    ens_dispatch_staff(d);
}

enum ens_status ens_dispatch_stage(struct ens_dispatch *d,
                                   const struct ens_stage *stage,
                                   const struct ens_done *done, uint32_t round,
                                   const uint64_t *only, size_t n_only,
                                   struct ens_error *err)
{
    struct ens_ranges *r =
        ens_ranges_new(d->config.plan, stage, done, d->config.n_slots,
                       d->config.part, only != NULL);

    if (r == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    for (size_t i = n_only; i > 0; i--)
        ens_ranges_put_back(r, (struct ens_range){only[i - 1], 1});
    ens_ranges_free(d->ranges);
    d->ranges = r;
    d->stage = stage;
    d->done = done;
    d->only = only != NULL;
    d->restore = 0;
    d->round = round;
    d->stage_told = 0;
    ens_charges_clear(d);
    return ENS_OK;
}

void ens_dispatch_restore(struct ens_dispatch *d)
{
    ENS_BUG_ON(!d->only);
    d->restore = 1;
}

void ens_dispatch_go(struct ens_dispatch *d)
{
    ens_dispatch_feed_all(d);
    ens_dispatch_check_end(d);
}

void ens_dispatch_next(struct ens_dispatch *d, const void *order, size_t n)
{
    ens_buf_clear(&d->next_order);
    ens_buf_put(&d->next_order, order, n);
    ENS_BUG_ON(d->next_order.failed);
    d->next_waiting = 1;
    d->next_attempts = 0;
    ens_dispatch_feed_all(d);
}

/* -- what workers say ------------------------------------------------------ */

static void on_ready(void *arg, uint32_t slot)
{
    struct ens_dispatch *d = arg;

    d->hand[slot].state = ENS_HAND_READY;
    d->n_started++;
    ens_dispatch_feed(d, slot);
}

/* Check that the records are the ones the worker owes, in their order. */
static int match(struct ens_dispatch *d, struct ens_hand *h,
                 const struct ens_batch *b)
{
    struct ens_record rec;

    if (b->stage != d->stage->id)
        return 0;
    for (uint32_t i = 0; i < b->n; i++) {
        uint64_t cell;
        uint32_t replicate;

        if (h->n_ranges == 0)
            return 0;
        ens_stage_task(d->stage, h->range[0].first + h->n_received, &cell,
                       &replicate);
        ens_batch_get(b, i, &rec);
        if (rec.cell != cell || rec.replicate != replicate)
            return 0;
        ens_ranges_measure(d->ranges, cell, rec.seconds);
        if (++h->n_received == h->range[0].n) {
            h->range[0] = h->range[1];
            d->n_busy -= --h->n_ranges == 0;
            h->n_received = 0;
            h->alone = 0;
        }
    }
    return 1;
}

static void on_records(struct ens_dispatch *d, uint32_t slot,
                       const struct ens_frame *f, const void *bytes, size_t n)
{
    struct ens_hand *h = &d->hand[slot];
    struct ens_error err;
    struct ens_batch b;

    if (ens_batch_read(&b, f->payload, f->length, &err) != ENS_OK) {
        ens_dispatch_break(d, &err);
        return;
    }
    if (d->stage == NULL || !match(d, h, &b)) {
        ens_fail(&err, ENS_EPROTOCOL,
                 "worker %u sent a record it was not asked for", slot);
        ens_dispatch_break(d, &err);
        return;
    }
    d->ran_a_task = 1;
    d->early_deaths = 0;
    d->config.events.records(d->config.events.arg, f, bytes, n, &b);
    if (check_tracker(d) != 0)
        return;
    ens_dispatch_feed(d, slot);
    if (tracker_of(d) != NULL && ens_tracker_turn(tracker_of(d)) != d->turn) {
        d->turn = ens_tracker_turn(tracker_of(d));
        ens_dispatch_feed_all(d); /* idle ones, too: more is wanted now */
        ens_dispatch_check_end(d);
    } else if (h->n_ranges == 0 &&
               (d->stopping || ens_ranges_left(d->ranges) == 0)) {
        if (d->n_busy == 0 && ens_ranges_n_last(d->ranges) > 0)
            ens_dispatch_feed_all(d); /* any may try what was put last */
        ens_dispatch_check_end(d);
    }
}

static void on_refused(struct ens_dispatch *d, uint32_t slot,
                       const struct ens_frame *f)
{
    struct ens_error err;

    if (f->length != sizeof(err)) {
        ens_fail(&err, ENS_EPROTOCOL, "worker %u: bad refusal", slot);
        ens_dispatch_break(d, &err);
        return;
    }
    memcpy(&err, f->payload, sizeof(err));
    err.text[sizeof(err.text) - 1] = '\0';
    if (d->hand[slot].has_next) {
        d->hand[slot].has_next = 0;
        d->next_running = 0;
        d->config.events.answered(d->config.events.arg, &err);
        return;
    }
    ens_dispatch_break(d, &err);
}

static void on_frame(void *arg, uint32_t slot, const struct ens_frame *f,
                     const void *bytes, size_t n)
{
    struct ens_dispatch *d = arg;

    if (d->broken)
        return;
    if (f->type == ENS_FRAME_RECORDS) {
        on_records(d, slot, f, bytes, n);
    } else if (f->type == ENS_FRAME_REFUSED) {
        on_refused(d, slot, f);
    } else if (f->type == ENS_FRAME_ANSWERED) {
        d->hand[slot].has_next = 0;
        d->next_running = 0;
        d->config.events.answered(d->config.events.arg, NULL);
    } else {
        d->config.events.frame(d->config.events.arg, f, bytes, n);
    }
}

static void on_broken(void *arg, const struct ens_error *err)
{
    ens_dispatch_break(arg, err);
}

struct ens_transport_events ens_dispatch_sink(struct ens_dispatch *d)
{
    struct ens_transport_events e = {d, on_ready, on_frame, ens_dispatch_dead,
                                     on_broken};

    return e;
}

/* -- stopping ------------------------------------------------------------- */

void ens_dispatch_stop(struct ens_dispatch *d)
{
    if (d->stopping)
        return;
    d->stopping = 1;
    d->stop_ns = ens_clock_ns();
    d->next_waiting = 0;
    if (d->stage == NULL)
        return;
    ens_dispatch_check_end(d);
}

void ens_dispatch_deadline(struct ens_dispatch *d, uint64_t ns)
{
    d->deadline_ns = ns;
}

void ens_dispatch_kill(struct ens_dispatch *d)
{
    d->stopping = 1;
    d->killed = 1;
    for (uint32_t i = 0; d->transport != NULL && i < d->config.n_slots; i++)
        if (d->hand[i].state != ENS_HAND_EMPTY)
            d->ops->kill(d->transport, i);
}

void ens_dispatch_totals(const struct ens_dispatch *d,
                         struct ens_dispatch_totals *totals)
{
    memset(totals, 0, sizeof(*totals));
    totals->n_deaths = d->n_deaths;
    totals->n_started = d->n_started;
    totals->n_forgotten = d->n_forgotten;
    for (uint32_t i = 0; d->transport != NULL && i < d->config.n_slots; i++) {
        const struct ens_slot *s = d->ops->slot(d->transport, i);

        if (s == NULL)
            continue;
        totals->busy_ns += s->busy_ns;
        totals->n_running +=
            s->phase == ENS_PHASE_RUNNING && d->hand[i].state == ENS_HAND_READY;
    }
}

int ens_dispatch_oldest(const struct ens_dispatch *d, uint64_t *place,
                        uint64_t *start_ns)
{
    uint64_t n = d->stage != NULL ? ens_stage_n_tasks(d->stage) : 0;

    *start_ns = UINT64_MAX;
    for (uint32_t i = 0; d->transport != NULL && i < d->config.n_slots; i++) {
        const struct ens_slot *s = d->ops->slot(d->transport, i);
        uint64_t start, at;

        if (s == NULL || d->hand[i].state != ENS_HAND_READY ||
            d->hand[i].n_ranges == 0 ||
            atomic_load(&s->phase) != ENS_PHASE_RUNNING)
            continue;
        at = atomic_load(&s->place);
        start = atomic_load(&s->start_ns);
        if (at >= n || start >= *start_ns ||
            atomic_load(&s->stage) != d->stage->id)
            continue;
        *place = at;
        *start_ns = start;
    }
    return *start_ns != UINT64_MAX;
}
