#include "base/bug.h"
#include "base/clock.h"
#include "transport/scratch.h"
#include "transport/supervised.h"
#include "transport/supervisor.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TICK_MS      50
#define LATE_NS      1000000000u /* a loop this late was stopped, not busy */
#define STAGED_NS    500000000u
#define MESSAGES_MAX 16 /* taken per turn of the loop */

static const struct ens_transport_ops *const ops = &ens_transport_fork;

static void end_crew(struct ens_supervisor *s)
{
    if (s->crew != NULL)
        ops->close(s->crew);
    else
        ens_stager_close(s->stager);
    s->crew = NULL;
    s->stager = NULL;
    if (s->opened.far)
        ens_scratch_remove(s->dir);
    if (s->hold >= 0)
        close(s->hold);
    s->hold = -1;
    s->opened.far = 0;
}

static void give_up(struct ens_supervisor *s)
{
    s->over = 1;
    uv_stop(&s->loop);
}

/* -- up ----------------------------------------------------------------------
 */

static void measure(struct ens_supervisor *s, struct ens_relay_cost *cost)
{
    ens_cost_read(&s->meter, ops, s->crew, s->setup.n_slots, cost);
}

static void send_up(struct ens_supervisor *s, enum ens_wire_tag tag,
                    struct ens_buf *b)
{
    if (ens_ranks_send(s->ranks, 0, tag, b, &s->why) != ENS_OK)
        give_up(s);
    ens_ticker_hurry(&s->ticker); /* an answer will come */
}

/* One message per credit; workers wait when there is none left. */
static void flush(struct ens_supervisor *s)
{
    struct ens_relay_cost cost;
    int full;

    if (s->up.len > 0 && s->credits > 0 && !s->over) {
        measure(s, &cost);
        ens_relay_put_cost(&s->up, &cost);
        send_up(s, ENS_WIRE_DATA, &s->up);
        s->credits--;
    }
    full = s->up.len >= ENS_RELAY_BYTES;
    if (s->crew != NULL && full != s->paused) {
        s->paused = full;
        ops->pause(s->crew, full);
    }
}

static void on_prepare(uv_prepare_t *prepare)
{
    flush(prepare->data);
}

static void put(struct ens_supervisor *s, enum ens_relay_type type,
                uint32_t slot, const void *p, size_t n)
{
    ens_relay_put(&s->up, type, s->setup.first_slot + slot, p, n);
    if (s->up.len >= ENS_RELAY_BYTES)
        flush(s);
}

static void on_ready(void *arg, uint32_t slot)
{
    put(arg, ENS_RELAY_READY, slot, NULL, 0);
}

static void on_frame(void *arg, uint32_t slot, const struct ens_frame *frame,
                     const void *bytes, size_t n)
{
    (void)frame;
    put(arg, ENS_RELAY_FRAME, slot, bytes, n);
}

static void on_dead(void *arg, uint32_t slot, const struct ens_death *death)
{
    struct ens_supervisor *s = arg;

    ens_relay_put_death(&s->up, s->setup.first_slot + slot, death);
}

static void on_broken(void *arg, const struct ens_error *err)
{
    struct ens_supervisor *s = arg;

    ens_relay_put_error(&s->up, err);
}

/* -- setting up ---------------------------------------------------------------
 */

static enum ens_status open_crew(struct ens_supervisor *s,
                                 struct ens_error *err)
{
    const struct ens_transport_config config = {
        .loop = &s->loop,
        .program = s->program,
        .plan = &s->plan,
        .study_text = (const char *)s->text.data,
        .study_bytes = s->text.len,
        .dir = s->dir,
        .far = (int)s->opened.far,
        .stager = s->stager,
        .epoch = s->setup.epoch,
        .run_id = s->setup.run_id,
        .n_slots = s->setup.n_slots,
        .first_slot = s->setup.first_slot,
        .memory_limit = s->setup.memory_limit,
        .plugins = s->setup.plugins,
        .events = {s, on_ready, on_frame, on_dead, on_broken}};

    enum ens_status status;

    s->overdue = calloc(s->setup.n_slots, sizeof(*s->overdue));
    if (s->overdue == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    status = ops->open(&s->crew, &config, err);
    if (status != ENS_OK)
        s->stager = NULL;
    return status;
}

static void set_up(struct ens_supervisor *s, const struct ens_relay_item *item)
{
    struct ens_error err;
    enum ens_status status = ENS_OK;

    if (s->has_setup || ens_relay_get_setup(&s->setup, item) != 0)
        status = ens_fail(&err, ENS_EPROTOCOL, "bad set-up message");
    s->has_setup = 1;
    s->credits = s->setup.credits > 0 ? s->setup.credits : 1;
    if (status == ENS_OK)
        status = ens_supervisor_prepare(s, &err);
    if (status == ENS_OK)
        status = open_crew(s, &err);
    if (status == ENS_OK)
        ens_relay_put_opened(&s->up, &s->opened);
    else
        ens_relay_put_error(&s->up, &err);
    s->heard_ns = s->beat_ns = s->tick_ns = ens_clock_ns();
}

/* -- down --------------------------------------------------------------------
 */

static void end(struct ens_supervisor *s)
{
    struct ens_buf b = ENS_BUF_INIT;

    end_crew(s);
    ens_relay_put(&b, ENS_RELAY_GONE, 0, NULL, 0);
    ens_ranks_send(s->ranks, 0, ENS_WIRE_DATA, &b, NULL);
    give_up(s);
}

static void add_credits(struct ens_supervisor *s,
                        const struct ens_relay_item *item)
{
    struct ens_cursor c = ens_cursor(item->body, item->n);

    s->credits += ens_cursor_u32(&c);
}

static void store(struct ens_supervisor *s, const struct ens_relay_item *item)
{
    struct ens_relay_file file;
    struct ens_error err;
    enum ens_status status = ENS_OK;

    if (!s->opened.far || ens_relay_get_file(&file, item) != 0)
        status = ens_fail(&err, ENS_EPROTOCOL, "bad part of a file");
    if (status == ENS_OK)
        status = ens_scratch_write(s->dir, &file, &err);
    if (status == ENS_OK)
        ens_relay_put(&s->up, ENS_RELAY_STORED, 0, NULL, 0);
    else
        ens_relay_put_error(&s->up, &err);
}

static void store_part(struct ens_supervisor *s,
                       const struct ens_relay_item *item)
{
    struct ens_staged_part part;
    struct ens_error err;
    enum ens_status status = ENS_OK;

    if (s->stager == NULL || ens_relay_get_part(&part, item) != 0)
        status = ens_fail(&err, ENS_EPROTOCOL, "bad part of an input");
    if (status == ENS_OK)
        status = ens_stager_put(s->stager, &part, &err);
    if (status == ENS_OK)
        ens_relay_put(&s->up, ENS_RELAY_GOT, 0, NULL, 0);
    else
        ens_relay_put_error(&s->up, &err);
}

static void obey(struct ens_supervisor *s, const struct ens_relay_item *item)
{
    uint32_t slot = item->slot - s->setup.first_slot;
    int has_slot = s->crew != NULL && slot < s->setup.n_slots;

    if (item->type == ENS_RELAY_SETUP)
        set_up(s, item);
    else if (item->type == ENS_RELAY_END)
        end(s);
    else if (item->type == ENS_RELAY_CREDIT)
        add_credits(s, item);
    else if (item->type == ENS_RELAY_FILE)
        store(s, item);
    else if (item->type == ENS_RELAY_PART)
        store_part(s, item);
    else if (item->type == ENS_RELAY_FORGET && s->opened.far)
        ens_scratch_forget(s->dir);
    else if (item->type == ENS_RELAY_START && has_slot)
        ops->start(s->crew, slot);
    else if (item->type == ENS_RELAY_ORDER && has_slot)
        ops->order(s->crew, slot, item->body, item->n);
    else if (item->type == ENS_RELAY_KILL && has_slot)
        ops->kill(s->crew, slot);
}

static void obey_all(struct ens_supervisor *s, const struct ens_wire_message *m)
{
    const unsigned char *p = m->data;
    struct ens_relay_item item;
    size_t left = m->n;
    size_t n;

    s->heard_ns = ens_clock_ns();
    while (!s->over && (n = ens_relay_read(&item, p, left)) > 0) {
        obey(s, &item);
        p += n;
        left -= n;
    }
}

static int on_tick(void *arg)
{
    struct ens_supervisor *s = arg;
    struct ens_wire_message m;
    int k = 0, n = 0;

    while (!s->over && n < MESSAGES_MAX &&
           (k = ens_ranks_receive(s->ranks, ENS_WIRE_DATA, &m, &s->why)) > 0) {
        obey_all(s, &m);
        free(m.data);
        n++;
    }
    if (k < 0)
        give_up(s);
    return n > 0;
}

/* -- time ---------------------------------------------------------------------
 */

/* The coordinator's clock is another: what is overdue is seen here, what to
 * do about it is decided there. */
static void check_overdue(struct ens_supervisor *s, uint32_t i, uint64_t now,
                          uint64_t late_ns)
{
    const struct ens_slot *slot = ops->slot(s->crew, i);
    struct ens_overdue *o = &s->overdue[i];
    uint64_t limit = (uint64_t)(s->setup.timeout_s * 1e9);
    uint64_t word[2];
    uint64_t start;

    if (slot == NULL || atomic_load(&slot->phase) != ENS_PHASE_RUNNING)
        return;
    start = atomic_load(&slot->start_ns);
    if (o->start_ns != start)
        *o = (struct ens_overdue){start, 0, 0};
    o->extra_ns += late_ns;
    if (o->told || now <= start || now - start < limit + o->extra_ns)
        return;
    o->told = 1;
    word[0] = atomic_load(&slot->place);
    word[1] = atomic_load(&slot->stage);
    put(s, ENS_RELAY_OVERDUE, i, word, sizeof(word));
}

static void beat(struct ens_supervisor *s, uint64_t now)
{
    struct ens_buf b = ENS_BUF_INIT;
    struct ens_relay_cost cost;

    s->beat_ns = now;
    ens_cost_refresh(&s->meter, ops, s->crew, s->setup.n_slots);
    measure(s, &cost);
    ens_relay_put_cost(&b, &cost);
    if (ens_ranks_send(s->ranks, 0, ENS_WIRE_BEAT, &b, &s->why) != ENS_OK)
        give_up(s);
}

static void tell_staged(struct ens_supervisor *s, uint64_t now)
{
    uint64_t done, all;

    ens_stager_progress(s->stager, &done, &all);
    if (done == s->staged_bytes ||
        (done < all && now - s->staged_ns < STAGED_NS))
        return;
    s->staged_bytes = done;
    s->staged_ns = now;
    ens_relay_put_u64(&s->up, ENS_RELAY_STAGED, done);
}

static void on_timer(uv_timer_t *timer)
{
    struct ens_supervisor *s = timer->data;
    uint64_t now = ens_clock_ns();
    uint64_t late = now - s->tick_ns;

    s->tick_ns = now;
    if (!s->has_setup || s->crew == NULL || s->over)
        return;
    late = late > LATE_NS ? late : 0;
    s->heard_ns += late;
    if (s->setup.timeout_s > 0 && !s->paused)
        for (uint32_t i = 0; i < s->setup.n_slots; i++)
            check_overdue(s, i, now, late);
    if (s->stager != NULL)
        tell_staged(s, now);
    if ((double)(now - s->beat_ns) > s->setup.heartbeat_s * 1e9)
        beat(s, now);
    if (now > s->heard_ns &&
        (double)(now - s->heard_ns) > s->setup.dead_man_s * 1e9) {
        ens_fail(&s->why, ENS_EPROCESS, "no word from rank 0 for %g s",
                 s->setup.dead_man_s);
        give_up(s);
    }
}

/* -- the whole ----------------------------------------------------------------
 */

static enum ens_status open_loop(struct ens_supervisor *s,
                                 struct ens_error *err)
{
    enum ens_status status;

    if (uv_loop_init(&s->loop) != 0)
        return ens_fail(err, ENS_EPROCESS, "cannot make an event loop");
    status = ens_ticker_open(&s->ticker, &s->loop, on_tick, s, err);
    if (status != ENS_OK) {
        uv_loop_close(&s->loop);
        return status;
    }
    uv_prepare_init(&s->loop, &s->prepare);
    s->prepare.data = s;
    uv_prepare_start(&s->prepare, on_prepare);
    uv_timer_init(&s->loop, &s->timer);
    s->timer.data = s;
    uv_timer_start(&s->timer, on_timer, TICK_MS, TICK_MS);
    return ENS_OK;
}

static void close_loop(struct ens_supervisor *s)
{
    end_crew(s);
    ens_ticker_close(&s->ticker, NULL);
    uv_close((uv_handle_t *)&s->prepare, NULL);
    uv_close((uv_handle_t *)&s->timer, NULL);
    while (uv_run(&s->loop, UV_RUN_DEFAULT) != 0)
        ;
    ENS_BUG_ON(uv_loop_close(&s->loop) != 0);
}

static void fini(struct ens_supervisor *s)
{
    ens_inputs_close(&s->inputs);
    if (s->study != NULL)
        ens_study_free(s->study);
    ens_finder_fini(&s->finder);
    ens_buf_fini(&s->text);
    ens_buf_fini(&s->up);
    free(s->file);
    free(s->overdue);
}

enum ens_status ens_supervisor_serve(struct ens_ranks *ranks,
                                     const char *program,
                                     const struct ens_kind_table *kinds,
                                     struct ens_error *err)
{
    struct ens_supervisor s = {
        .ranks = ranks, .program = program, .kinds = kinds, .hold = -1};
    enum ens_status status = open_loop(&s, err);

    if (status != ENS_OK)
        return status;
    s.tick_ns = ens_clock_ns();
    while (!s.over)
        uv_run(&s.loop, UV_RUN_DEFAULT);
    close_loop(&s);
    fini(&s);
    if (s.why.status != ENS_OK)
        *err = s.why;
    return (enum ens_status)s.why.status;
}
