/* Orders as a worker reads them from its socket: heads, and the bodies of
 * STAGE and NEXT. What is accepted is written again and read the same. */
#include "worker/order.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int ok)
{
    if (!ok)
        abort();
}

static void check_stage(const struct ens_stage *a, const struct ens_stage *b)
{
    check(strcmp(a->key, b->key) == 0 && a->id == b->id);
    check(a->data_epoch == b->data_epoch && a->index == b->index);
    check(ens_stage_n_tasks(a) == ens_stage_n_tasks(b));
}

static void use_stage(const unsigned char *body, size_t n)
{
    struct ens_order_stage a, b;
    struct ens_buf again = ENS_BUF_INIT;
    struct ens_order o;
    struct ens_error err;

    if (ens_order_read_stage(&a, body, n, &err) != ENS_OK)
        return;
    ens_order_write_stage(&again, &a.stage, a.round);
    check(ens_order_read(&o, again.data, again.len) == again.len);
    check(ens_order_read_stage(&b, again.data + ENS_ORDER_BYTES, o.n, &err) ==
          ENS_OK);
    check(a.round == b.round);
    check_stage(&a.stage, &b.stage);
    ens_stage_fini(&a.stage);
    ens_stage_fini(&b.stage);
    ens_buf_fini(&again);
}

static void use_next(const unsigned char *body, size_t n)
{
    struct ens_order_next a, b;
    struct ens_buf again = ENS_BUF_INIT;
    struct ens_order o;
    struct ens_error err;

    if (ens_order_read_next(&a, body, n, &err) != ENS_OK)
        return;
    ens_order_write_next(&again, &a.stage, a.definition, a.next_index,
                         a.run_settings, &a.from, &a.end);
    check(ens_order_read(&o, again.data, again.len) == again.len);
    check(ens_order_read_next(&b, again.data + ENS_ORDER_BYTES, o.n, &err) ==
          ENS_OK);
    check(a.definition == b.definition && a.next_index == b.next_index &&
          a.run_settings == b.run_settings);
    check(a.from.segment == b.from.segment && a.from.offset == b.from.offset);
    check(a.end.epoch == b.end.epoch && a.end.end == b.end.end);
    check_stage(&a.stage, &b.stage);
    ens_stage_fini(&a.stage);
    ens_stage_fini(&b.stage);
    ens_buf_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ens_order o;
    size_t n;

    while ((n = ens_order_read(&o, data, size)) > 0) {
        check(n <= size && n == ENS_ORDER_BYTES + ens_order_body_bytes(&o));
        if (o.type == ENS_ORDER_STAGE)
            use_stage(data + ENS_ORDER_BYTES, o.n);
        if (o.type == ENS_ORDER_NEXT)
            use_next(data + ENS_ORDER_BYTES, o.n);
        data += n;
        size -= n;
    }
    return 0;
}
