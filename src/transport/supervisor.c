#include "transport/supervisor.h"

#include "base/bug.h"
#include "base/clock.h"
#include "input/mapped.h"
#include "kind/finder.h"
#include "transport/cost.h"
#include "transport/scratch.h"
#include "transport/ticker.h"
#include "worker/worker.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define TICK_MS      50
#define LATE_NS      1000000000u /* a loop this late was stopped, not busy */
#define MESSAGES_MAX 16          /* taken per turn of the loop */

struct overdue { /* the task of a slot that was last looked at */
    uint64_t start_ns;
    uint64_t extra_ns; /* the loop was late */
    int told;
};

struct supervisor {
    struct ens_ranks *ranks;
    const char *program;
    const struct ens_kind_table *kinds;
    uv_loop_t loop;
    struct ens_ticker ticker;
    uv_prepare_t prepare;
    uv_timer_t timer;
    struct ens_relay_setup setup;
    struct ens_buf text; /* setup.study_text */
    uint64_t *samples;   /* setup.inputs */
    struct ens_study *study;
    struct ens_finder finder;
    struct ens_inputs inputs;
    struct ens_plan plan; /* nothing but the inputs */
    struct ens_relay_opened opened;
    char dir[4096]; /* where workers read; of a far one, to be removed */
    struct ens_transport *crew; /* NULL: none */
    struct overdue *overdue;    /* one per slot */
    struct ens_buf up;          /* items to be sent */
    uint32_t credits;
    int has_setup, paused;
    struct ens_cost_meter meter;
    uint64_t heard_ns, beat_ns, tick_ns;
    int over;             /* END came, or there is no use in going on */
    struct ens_error why; /* status ENS_OK: END came */
};

static const struct ens_transport_ops *const ops = &ens_transport_fork;

static void end_crew(struct supervisor *s)
{
    if (s->crew != NULL)
        ops->close(s->crew);
    s->crew = NULL;
    if (s->opened.far)
        ens_scratch_remove(s->dir);
    s->opened.far = 0;
}

static void give_up(struct supervisor *s)
{
    s->over = 1;
    uv_stop(&s->loop);
}

/* -- up ----------------------------------------------------------------------
 */

static void measure(struct supervisor *s, struct ens_relay_cost *cost)
{
    ens_cost_read(&s->meter, ops, s->crew, s->setup.n_slots, cost);
}

static void send_up(struct supervisor *s, enum ens_wire_tag tag,
                    struct ens_buf *b)
{
    if (ens_ranks_send(s->ranks, 0, tag, b, &s->why) != ENS_OK)
        give_up(s);
    ens_ticker_hurry(&s->ticker); /* an answer will come */
}

/* One message per credit; workers wait when there is none left. */
static void flush(struct supervisor *s)
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

static void put(struct supervisor *s, enum ens_relay_type type, uint32_t slot,
                const void *p, size_t n)
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
    struct supervisor *s = arg;

    ens_relay_put_death(&s->up, s->setup.first_slot + slot, death);
}

static void on_broken(void *arg, const struct ens_error *err)
{
    struct supervisor *s = arg;

    ens_relay_put_error(&s->up, err);
}

/* -- setting up ---------------------------------------------------------------
 */

/* A path may name another file on another host. */
static enum ens_status compare_inputs(const struct supervisor *s,
                                      struct ens_error *err)
{
    for (size_t i = 0; i < s->setup.n_inputs && i < s->inputs.n; i++) {
        const struct ens_mapped *m = &s->inputs.item[i];

        if (ens_mapped_sample(m) != s->samples[i])
            return ens_fail(err, ENS_EINPUT,
                            "input %s: %s is not the file that rank 0 has",
                            m->input.name, m->source);
    }
    return ENS_OK;
}

static enum ens_status open_inputs(struct supervisor *s, struct ens_error *err)
{
    struct ens_study_kinds kinds;
    struct ens_buf errors = ENS_BUF_INIT;
    enum ens_status status;

    ens_finder_init(&s->finder, s->kinds, &ens_host);
    kinds = ens_finder_kinds(&s->finder);
    status = ens_study_parse(&s->study, "study.ini", s->text.data, s->text.len,
                             "/", NULL, 0, &kinds, &errors, err);
    ens_buf_fini(&errors);
    if (status == ENS_OK)
        status = ens_inputs_open(&s->inputs, s->study, NULL, NULL, err);
    s->plan.inputs = &s->inputs;
    return status == ENS_OK ? compare_inputs(s, err) : status;
}

/* Rank 0's own folder, as this process sees it? Then workers write there. */
static int is_near(const struct supervisor *s)
{
    const struct ens_relay_hello *self = &s->ranks->self;
    struct stat st;

    return getenv("ENSRUN_FAR") == NULL && /* for tests: take it for another */
           strcmp(self->host, s->setup.host) == 0 &&
           strcmp(self->boot, s->setup.boot) == 0 &&
           stat(s->setup.dir, &st) == 0 && st.st_dev == s->setup.dir_dev &&
           st.st_ino == s->setup.dir_ino;
}

static enum ens_status choose_dir(struct supervisor *s, struct ens_error *err)
{
    enum ens_status status;

    memcpy(s->dir, s->setup.dir, sizeof(s->dir));
    if (is_near(s))
        return ENS_OK;
    status = ens_scratch_make(s->dir, sizeof(s->dir), s->setup.run_id,
                              &s->opened, err);
    s->opened.far = status == ENS_OK;
    return status;
}

static enum ens_status open_crew(struct supervisor *s, struct ens_error *err)
{
    const struct ens_transport_config config = {
        .loop = &s->loop,
        .program = s->program,
        .plan = &s->plan,
        .study_text = (const char *)s->text.data,
        .study_bytes = s->text.len,
        .dir = s->dir,
        .far = (int)s->opened.far,
        .staging = {s->setup.n_staging, s->setup.staging_index,
                    s->setup.run_id},
        .epoch = s->setup.epoch,
        .run_id = s->setup.run_id,
        .n_slots = s->setup.n_slots,
        .first_slot = s->setup.first_slot,
        .memory_limit = s->setup.memory_limit,
        .plugins = s->setup.plugins,
        .events = {s, on_ready, on_frame, on_dead, on_broken}};

    s->overdue = calloc(s->setup.n_slots, sizeof(*s->overdue));
    if (s->overdue == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    return ops->open(&s->crew, &config, err);
}

/* What lies in the message. */
static enum ens_status keep_setup(struct supervisor *s, struct ens_error *err)
{
    struct ens_cursor c = ens_cursor(s->setup.inputs, 8 * s->setup.n_inputs);

    ens_buf_put(&s->text, s->setup.study_text, s->setup.study_bytes);
    s->samples = calloc(s->setup.n_inputs + 1, sizeof(*s->samples));
    if (s->text.failed || s->samples == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    for (size_t i = 0; i < s->setup.n_inputs; i++)
        s->samples[i] = ens_cursor_u64(&c);
    return ENS_OK;
}

static void set_up(struct supervisor *s, const struct ens_relay_item *item)
{
    struct ens_error err;
    enum ens_status status = ENS_OK;

    if (s->has_setup || ens_relay_get_setup(&s->setup, item) != 0)
        status = ens_fail(&err, ENS_EPROTOCOL, "bad set-up message");
    s->has_setup = 1;
    s->credits = s->setup.credits > 0 ? s->setup.credits : 1;
    if (status == ENS_OK)
        status = keep_setup(s, &err);
    if (status == ENS_OK)
        status = open_inputs(s, &err);
    if (status == ENS_OK)
        status = choose_dir(s, &err);
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

static void end(struct supervisor *s)
{
    struct ens_buf b = ENS_BUF_INIT;

    end_crew(s);
    ens_relay_put(&b, ENS_RELAY_GONE, 0, NULL, 0);
    ens_ranks_send(s->ranks, 0, ENS_WIRE_DATA, &b, NULL);
    give_up(s);
}

static void add_credits(struct supervisor *s, const struct ens_relay_item *item)
{
    struct ens_cursor c = ens_cursor(item->body, item->n);

    s->credits += ens_cursor_u32(&c);
}

static void store(struct supervisor *s, const struct ens_relay_item *item)
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

static void obey(struct supervisor *s, const struct ens_relay_item *item)
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
    else if (item->type == ENS_RELAY_FORGET && s->opened.far)
        ens_scratch_forget(s->dir);
    else if (item->type == ENS_RELAY_START && has_slot)
        ops->start(s->crew, slot);
    else if (item->type == ENS_RELAY_ORDER && has_slot)
        ops->order(s->crew, slot, item->body, item->n);
    else if (item->type == ENS_RELAY_KILL && has_slot)
        ops->kill(s->crew, slot);
}

static void obey_all(struct supervisor *s, const struct ens_wire_message *m)
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
    struct supervisor *s = arg;
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
static void check_overdue(struct supervisor *s, uint32_t i, uint64_t now,
                          uint64_t late_ns)
{
    const struct ens_slot *slot = ops->slot(s->crew, i);
    struct overdue *o = &s->overdue[i];
    uint64_t limit = (uint64_t)(s->setup.timeout_s * 1e9);
    uint64_t word[2];
    uint64_t start;

    if (slot == NULL || atomic_load(&slot->phase) != ENS_PHASE_RUNNING)
        return;
    start = atomic_load(&slot->start_ns);
    if (o->start_ns != start)
        *o = (struct overdue){start, 0, 0};
    o->extra_ns += late_ns;
    if (o->told || now <= start || now - start < limit + o->extra_ns)
        return;
    o->told = 1;
    word[0] = atomic_load(&slot->place);
    word[1] = atomic_load(&slot->stage);
    put(s, ENS_RELAY_OVERDUE, i, word, sizeof(word));
}

static void beat(struct supervisor *s, uint64_t now)
{
    struct ens_buf b = ENS_BUF_INIT;
    struct ens_relay_cost cost;

    s->beat_ns = now;
    ens_cost_refresh(&s->meter, ops, s->crew);
    measure(s, &cost);
    ens_relay_put_cost(&b, &cost);
    if (ens_ranks_send(s->ranks, 0, ENS_WIRE_BEAT, &b, &s->why) != ENS_OK)
        give_up(s);
}

static void on_timer(uv_timer_t *timer)
{
    struct supervisor *s = timer->data;
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

static enum ens_status open_loop(struct supervisor *s, struct ens_error *err)
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

static void close_loop(struct supervisor *s)
{
    end_crew(s);
    ens_ticker_close(&s->ticker, NULL);
    uv_close((uv_handle_t *)&s->prepare, NULL);
    uv_close((uv_handle_t *)&s->timer, NULL);
    while (uv_run(&s->loop, UV_RUN_DEFAULT) != 0)
        ;
    ENS_BUG_ON(uv_loop_close(&s->loop) != 0);
}

static void fini(struct supervisor *s)
{
    ens_inputs_close(&s->inputs);
    if (s->study != NULL)
        ens_study_free(s->study);
    ens_finder_fini(&s->finder);
    ens_buf_fini(&s->text);
    ens_buf_fini(&s->up);
    free(s->samples);
    free(s->overdue);
}

enum ens_status ens_supervisor_serve(struct ens_ranks *ranks,
                                     const char *program,
                                     const struct ens_kind_table *kinds,
                                     struct ens_error *err)
{
    struct supervisor s = {.ranks = ranks, .program = program, .kinds = kinds};
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
