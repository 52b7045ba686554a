/* A small coordinator for the tests of transports: hands out a stage in
 * ranges, collects records by place, and remembers deaths. */
#ifndef TESTS_CREW_H
#define TESTS_CREW_H

#include "fake.h"
#include "wire.h"
#include "transport/transport.h"
#include "worker/order.h"

#define CREW_RUN_ID  0x1234u
#define CREW_SLOTS   5
#define CREW_SECONDS 20.0
#define CREW_DEATHS  16

struct crew {
    struct fake_study *study;
    const struct ens_transport_ops *ops;
    struct ens_transport *t;
    uv_loop_t loop;
    uv_timer_t timer;
    uint64_t start_ns;
    struct ens_ranks *ranks; /* of transport mpi */
    uint32_t first;          /* slot: mpi leaves its own to the other rank */
    uint32_t n_slots, chunk, n_ready, n_frames;
    uint64_t next, n_tasks, n_done;
    uint64_t *hash;            /* per place, of the record's result; 0 = none */
    uint8_t *status;           /* per place, 1 + outcome */
    char error[200];           /* text of the last record that failed */
    uint32_t owed[CREW_SLOTS]; /* tasks in hand */
    int give;                  /* hand out ranges */
    int count_only;            /* do not look at the records */
    int restart;               /* start a worker for each that died */
    int pause_at_frame;
    size_t n_deaths;
    uint32_t dead_slot[CREW_DEATHS];
    struct ens_death death[CREW_DEATHS];
    struct ens_error refused, broken;
    void (*on_tick)(struct crew *c);
    int (*is_done)(const struct crew *c);
    int step; /* for on_tick */
};

static inline int crew_all_done(const struct crew *c)
{
    return c->n_done == c->n_tasks;
}

static inline int crew_is_broken(const struct crew *c)
{
    return c->broken.status != ENS_OK;
}

static inline int crew_has_death(const struct crew *c)
{
    return c->n_deaths > 0;
}

static inline void crew_give(struct crew *c, uint32_t slot)
{
    struct ens_buf b = ENS_BUF_INIT;

    while (c->give && c->next < c->n_tasks && c->owed[slot] <= c->chunk) {
        uint64_t left = c->n_tasks - c->next;
        uint32_t n = left < c->chunk ? (uint32_t)left : c->chunk;

        ens_order_write_range(&b, c->next, n, 0);
        c->next += n;
        c->owed[slot] += n;
    }
    if (b.len > 0)
        c->ops->order(c->t, slot, b.data, b.len);
    ens_buf_fini(&b);
}

static inline void crew_ready(void *arg, uint32_t slot)
{
    struct crew *c = arg;
    struct ens_buf b = ENS_BUF_INIT;

    c->n_ready++;
    ens_order_write_stage(&b, &c->study->plan.stage[0], 0);
    c->ops->order(c->t, slot, b.data, b.len);
    ens_buf_fini(&b);
    crew_give(c, slot);
}

static inline void crew_record(struct crew *c, const struct ens_record *r)
{
    uint64_t place =
        ens_stage_place(&c->study->plan.stage[0], r->cell, r->replicate);
    struct ens_item_view item;

    ck_assert_uint_lt(place, c->n_tasks);
    ck_assert_uint_eq(c->hash[place], 0);
    c->hash[place] = ens_record_result_hash(r);
    c->status[place] = (uint8_t)(1 + r->status);
    if (r->status != ENS_TASK_OK && ens_item_find(r, ENS_ITEM_ERROR, &item))
        snprintf(c->error, sizeof(c->error), "%.*s", (int)item.length,
                 (const char *)item.bytes);
    c->n_done++;
}

static inline void crew_frame(void *arg, uint32_t slot,
                              const struct ens_frame *f, const void *bytes,
                              size_t n)
{
    struct crew *c = arg;
    struct ens_batch b;
    struct ens_record r;

    ck_assert_uint_eq(f->slot, slot);
    ck_assert_uint_eq(n, f->total_bytes);
    ck_assert(bytes != NULL);
    c->n_frames++;
    if (c->pause_at_frame != 0 && c->n_frames == (uint32_t)c->pause_at_frame)
        c->ops->pause(c->t, 1);
    if (f->type == ENS_FRAME_REFUSED) {
        ck_assert_uint_eq(f->length, sizeof(c->refused));
        memcpy(&c->refused, f->payload, sizeof(c->refused));
    }
    if (f->type != ENS_FRAME_RECORDS)
        return;
    ck_assert_int_eq(ens_batch_read(&b, f->payload, f->length, NULL), ENS_OK);
    for (uint32_t i = 0; i < b.n && !c->count_only; i++) {
        ens_batch_get(&b, i, &r);
        crew_record(c, &r);
    }
    if (c->count_only)
        c->n_done += b.n;
    c->owed[slot] -= b.n;
    crew_give(c, slot);
}

static inline void crew_dead(void *arg, uint32_t slot,
                             const struct ens_death *death)
{
    struct crew *c = arg;

    ck_assert_uint_lt(c->n_deaths, CREW_DEATHS);
    c->dead_slot[c->n_deaths] = slot;
    c->death[c->n_deaths++] = *death;
    c->owed[slot] = 0;
    if (c->restart)
        c->ops->start(c->t, slot);
}

static inline void crew_broken(void *arg, const struct ens_error *err)
{
    ((struct crew *)arg)->broken = *err;
}

static inline void crew_tick(uv_timer_t *timer)
{
    struct crew *c = timer->data;

    ck_assert_msg((double)(ens_clock_ns() - c->start_ns) < CREW_SECONDS * 1e9,
                  "nothing within %g s: %llu of %llu tasks, %zu deaths",
                  CREW_SECONDS, (unsigned long long)c->n_done,
                  (unsigned long long)c->n_tasks, c->n_deaths);
    if (c->on_tick != NULL)
        c->on_tick(c);
}

static inline void crew_init(struct crew *c, struct fake_study *study,
                             const struct ens_transport_ops *ops,
                             uint32_t n_slots)
{
    memset(c, 0, sizeof(*c));
    c->study = study;
    c->ops = ops;
    c->n_slots = n_slots;
    c->chunk = 64;
    c->give = 1;
    c->is_done = crew_all_done;
    c->n_tasks = ens_stage_n_tasks(&study->plan.stage[0]);
    c->hash = calloc(c->n_tasks, sizeof(*c->hash));
    c->status = calloc(c->n_tasks, 1);
    if (ops == &ens_transport_mpi) {
        c->ranks = wire_ranks(&fake_table);
        c->ranks->n_slots[0] = c->first = 1;
    }
    uv_loop_init(&c->loop);
    uv_timer_init(&c->loop, &c->timer);
    c->timer.data = c;
}

static inline void crew_open(struct crew *c, uint64_t memory_limit)
{
    struct ens_transport_config config = {
        .loop = &c->loop,
        .program = "/proc/self/exe",
        .plan = &c->study->plan,
        .study_text = (const char *)c->study->text.data,
        .study_bytes = c->study->text.len,
        .dir = c->study->dir,
        .epoch = 1,
        .run_id = CREW_RUN_ID,
        .n_slots = c->first + c->n_slots,
        .memory_limit = memory_limit,
        .ranks = c->ranks,
        .heartbeat_s = 5,
        .dead_man_s = 60,
        .events = {c, crew_ready, crew_frame, crew_dead, crew_broken},
    };
    struct ens_error err;

    if (c->ranks != NULL)
        c->ranks->n_slots[1] = c->n_slots;
    ck_assert_msg(c->ops->open(&c->t, &config, &err) == ENS_OK, "%s", err.text);
    for (uint32_t i = 0; i < c->n_slots; i++)
        c->ops->start(c->t, c->first + i);
}

/* Turn the loop until is_done. */
static inline void crew_turn(struct crew *c)
{
    c->start_ns = ens_clock_ns();
    uv_timer_start(&c->timer, crew_tick, 1, 1);
    while (!c->is_done(c))
        uv_run(&c->loop, UV_RUN_ONCE);
    uv_timer_stop(&c->timer);
}

static inline void crew_fini(struct crew *c)
{
    c->ops->close(c->t);
    uv_close((uv_handle_t *)&c->timer, NULL);
    uv_run(&c->loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&c->loop), 0);
    ens_ranks_close(c->ranks);
    free(c->hash);
    free(c->status);
}

/* 1 when no such process runs (a zombie does not). */
static inline int crew_is_gone(int32_t pid)
{
    char path[64], text[256] = "";
    const char *at;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    file = fopen(path, "r");
    if (file == NULL)
        return 1;
    if (fgets(text, sizeof(text), file) == NULL)
        text[0] = '\0';
    fclose(file);
    at = strrchr(text, ')');
    return at == NULL || at[2] == 'Z' || at[2] == 'X';
}

#endif
