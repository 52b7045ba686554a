#include "worker/order.h"

#include <string.h>

static void write_head(struct ens_buf *out, uint32_t type, uint32_t n,
                       uint64_t first)
{
    ens_buf_u32(out, type);
    ens_buf_u32(out, n);
    ens_buf_u64(out, first);
}

void ens_order_write_range(struct ens_buf *out, uint64_t first, uint32_t n,
                           uint16_t charged)
{
    write_head(out, ENS_ORDER_RANGE | (uint32_t)charged << 16, n, first);
}

void ens_order_write_replay(struct ens_buf *out, uint64_t first)
{
    write_head(out, ENS_ORDER_REPLAY, 1, first);
}

void ens_order_write_restore(struct ens_buf *out, uint64_t first)
{
    write_head(out, ENS_ORDER_RESTORE, 1, first);
}

void ens_order_write_plain(struct ens_buf *out, enum ens_order_type type)
{
    write_head(out, type, 0, 0);
}

/* The length of a body is known when it is written: put it into the head at
 * `at` then. */
static void patch_length(struct ens_buf *out, size_t at)
{
    size_t n = out->len - at - ENS_ORDER_BYTES;

    if (out->failed)
        return;
    for (int i = 0; i < 4; i++)
        out->data[at + 4 + (size_t)i] = (unsigned char)(n >> (8 * i));
}

void ens_order_write_stage(struct ens_buf *out, const struct ens_stage *stage,
                           uint32_t round)
{
    size_t at = out->len;

    write_head(out, ENS_ORDER_STAGE, 0, 0);
    ens_buf_u64(out, stage->data_epoch);
    ens_buf_u32(out, round);
    ens_stage_encode_held(stage, out);
    ens_stage_encode(stage, out);
    patch_length(out, at);
}

void ens_order_write_next(struct ens_buf *out, const struct ens_stage *stage,
                          uint64_t definition, uint32_t next_index,
                          uint64_t run_settings, const struct ens_log_at *from,
                          const struct ens_segment_end *end)
{
    size_t at = out->len;

    write_head(out, ENS_ORDER_NEXT, 0, 0);
    ens_buf_u64(out, stage->data_epoch);
    ens_buf_u64(out, definition);
    ens_buf_u64(out, run_settings);
    ens_buf_u64(out, from->segment);
    ens_buf_u64(out, from->offset);
    ens_buf_u64(out, end->end);
    ens_buf_u32(out, end->epoch);
    ens_buf_u32(out, next_index);
    ens_stage_encode(stage, out);
    patch_length(out, at);
}

size_t ens_order_body_bytes(const struct ens_order *order)
{
    return order->type == ENS_ORDER_STAGE || order->type == ENS_ORDER_NEXT
               ? order->n
               : 0;
}

size_t ens_order_read(struct ens_order *order, const void *p, size_t n)
{
    struct ens_cursor c = ens_cursor(p, n);
    struct ens_order o;
    size_t bytes;

    o.type = ens_cursor_u16(&c);
    o.charged = ens_cursor_u16(&c);
    o.n = ens_cursor_u32(&c);
    o.first = ens_cursor_u64(&c);
    if (c.bad)
        return 0;
    bytes = ENS_ORDER_BYTES + ens_order_body_bytes(&o);
    if (n < bytes)
        return 0;
    *order = o;
    return bytes;
}

/* The stage is what is left of the body. */
static enum ens_status read_rest(struct ens_cursor *c, struct ens_stage *stage,
                                 uint64_t data_epoch, struct ens_error *err)
{
    enum ens_status s;

    memset(stage, 0, sizeof(*stage));
    if (c->bad)
        return ens_fail(err, ENS_EPROTOCOL, "order cut short");
    s = ens_stage_decode(stage, c->p, (size_t)(c->end - c->p), err);
    if (s != ENS_OK)
        return ens_wrap(err, ENS_EPROTOCOL, "order");
    stage->data_epoch = data_epoch;
    return ENS_OK;
}

enum ens_status ens_order_read_stage(struct ens_order_stage *body,
                                     const void *p, size_t n,
                                     struct ens_error *err)
{
    struct ens_cursor c = ens_cursor(p, n);
    uint64_t epoch = ens_cursor_u64(&c);
    struct ens_stage held = {0};
    enum ens_status s;

    body->round = ens_cursor_u32(&c);
    s = ens_stage_decode_held(&held, &c);
    s = s == ENS_OK ? read_rest(&c, &body->stage, epoch, err)
                    : ens_fail(err, s, "order: no memory");
    if (s == ENS_OK)
        memcpy(body->stage.held, held.held, sizeof(held.held));
    else
        ens_stage_fini(&held);
    return s;
}

enum ens_status ens_order_read_next(struct ens_order_next *body, const void *p,
                                    size_t n, struct ens_error *err)
{
    struct ens_cursor c = ens_cursor(p, n);
    uint64_t epoch = ens_cursor_u64(&c);

    body->definition = ens_cursor_u64(&c);
    body->run_settings = ens_cursor_u64(&c);
    body->from.segment = (size_t)ens_cursor_u64(&c);
    body->from.offset = ens_cursor_u64(&c);
    body->end.end = ens_cursor_u64(&c);
    body->end.epoch = ens_cursor_u32(&c);
    body->next_index = ens_cursor_u32(&c);
    return read_rest(&c, &body->stage, epoch, err);
}
