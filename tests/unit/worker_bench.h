/* For tests of the worker object: one without a process, and what it sent. */
#ifndef TESTS_UNIT_WORKER_BENCH_H
#define TESTS_UNIT_WORKER_BENCH_H

#include "../fake.h"
#include "plan/task.h"
#include "store/array.h"
#include "worker/order.h"

#define RUN_ID 77u

struct bench {
    struct fake_study study;
    struct ens_slot slot;
    struct ens_worker *w;
    struct ens_buf got; /* frames, as sent */
    size_t n_sends;
};

static inline enum ens_status take(void *arg, const void *frames, size_t n)
{
    struct bench *b = arg;

    ck_assert_int_eq(atomic_load(&b->slot.phase), ENS_PHASE_SENDING);
    ens_buf_put(&b->got, frames, n);
    b->n_sends++;
    return ENS_OK;
}

static inline void give(struct bench *b, struct ens_buf *orders)
{
    struct ens_error err;
    struct ens_order o;
    size_t at = 0, n;

    while ((n = ens_order_read(&o, orders->data + at, orders->len - at)) > 0) {
        ck_assert_msg(ens_worker_order(b->w, &o,
                                       orders->data + at + ENS_ORDER_BYTES,
                                       &err) == ENS_OK,
                      "%s", err.text);
        at += n;
    }
    ck_assert_uint_eq(at, orders->len);
    ens_buf_clear(orders);
}

static inline void run_range(struct bench *b, const struct ens_stage *stage,
                             uint64_t first, uint32_t n)
{
    struct ens_buf orders = ENS_BUF_INIT;

    ens_order_write_stage(&orders, stage, 0);
    ens_order_write_range(&orders, first, n, 0);
    give(b, &orders);
    ens_buf_fini(&orders);
}

static inline void bench_init_io(struct bench *b, unsigned replicates,
                                 const char *lines, uint64_t run_id,
                                 struct ens_io *io)
{
    struct ens_worker_config c = {.plan = NULL,
                                  .epoch = 1,
                                  .run_id = run_id,
                                  .slot = 5,
                                  .incarnation = 2,
                                  .io = io,
                                  .send = take};
    struct ens_error err;

    memset(b, 0, sizeof(*b));
    fake_study_init(&b->study, replicates, lines, NULL);
    c.plan = &b->study.plan;
    c.dir = b->study.dir;
    c.shared = &b->slot;
    c.arg = b;
    ck_assert_msg(ens_worker_open(&b->w, &c, &err) == ENS_OK, "%s", err.text);
}

static inline void bench_init(struct bench *b, unsigned replicates,
                              const char *lines, uint64_t run_id)
{
    bench_init_io(b, replicates, lines, run_id, NULL);
}

static inline void bench_fini(struct bench *b)
{
    ens_worker_close(b->w);
    ens_buf_fini(&b->got);
    fake_study_fini(&b->study);
}

/* Frame i of what was sent; 0 when there is none. */
static inline int frame_at(const struct bench *b, size_t i, uint64_t run_id,
                           struct ens_frame *f)
{
    size_t at = 0;

    for (;; i--) {
        if (at == b->got.len)
            return 0;
        ck_assert_int_eq(
            ens_frame_read(f, b->got.data + at, b->got.len - at, run_id),
            ENS_FRAME_GOOD);
        ck_assert_uint_eq(f->slot, 5);
        ck_assert_uint_eq(f->incarnation, 2);
        if (i == 0)
            return 1;
        at += f->total_bytes;
    }
}

static inline size_t count_items(const struct bench *b, enum ens_item type)
{
    struct ens_batch batch;
    struct ens_record r;
    struct ens_frame f;
    size_t n = 0;

    for (size_t i = 0; frame_at(b, i, RUN_ID, &f); i++) {
        if (f.type != ENS_FRAME_RECORDS)
            continue;
        ck_assert_int_eq(ens_batch_read(&batch, f.payload, f.length, NULL),
                         ENS_OK);
        for (uint32_t k = 0; k < batch.n; k++) {
            struct ens_item_view item;
            size_t at = 0;

            ens_batch_get(&batch, k, &r);
            while (ens_item_next(&r, &at, &item))
                n += item.type == type;
        }
    }
    return n;
}

static inline void create_array(struct bench *b)
{
    struct ens_cell cell;
    uint64_t shape[2], n;
    uint32_t ndim;
    int created;
    struct ens_error err;

    ens_study_cell(b->study.study, 0, &cell);
    ck_assert_int_eq(ens_plan_array_shape(&b->study.plan, "acc", &cell, &ndim,
                                          shape, &n, &err),
                     ENS_OK);
    ck_assert_msg(ens_array_create(b->study.dir, "acc", cell.hash[0],
                                   ENS_DT_F64, ndim, shape, ens_io_default(),
                                   &created, &err) == ENS_OK,
                  "%s", err.text);
}

static inline void check_array(struct bench *b, int filled)
{
    struct ens_view view;
    struct ens_cell cell;
    struct ens_error err;
    uint64_t bytes;
    void *base;

    ens_study_cell(b->study.study, 0, &cell);
    ck_assert_msg(ens_array_map(b->study.dir, "acc", cell.hash[0], &view, &base,
                                &bytes, &err) == ENS_OK,
                  "%s", err.text);
    for (uint64_t i = 0; i < 15; i++) {
        double v = ((const double *)view.data)[i];

        if (filled)
            ck_assert_double_eq(v,
                                100 * (1 + (double)(i / 3)) + (double)(i % 3));
        else
            ck_assert(v != v);
    }
    ens_array_unmap(base, bytes);
}

#endif
