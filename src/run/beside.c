#include "run/state.h"

struct beside {
    uv_work_t work;
    struct ens_run *r;
    ens_beside_fn *fn;
    struct ens_error *err;
    enum ens_status status;
    int done;
};

static void work(uv_work_t *w)
{
    struct beside *b = w->data;

    b->status = b->fn(b->r, b->err);
}

static void after(uv_work_t *w, int status)
{
    struct beside *b = w->data;

    (void)status;
    b->done = 1;
}

enum ens_status ens_beside(struct ens_run *r, ens_beside_fn *fn,
                           struct ens_error *err)
{
    struct beside b = {.r = r, .fn = fn, .err = err};

    b.work.data = &b;
    if (uv_queue_work(&r->loop, &b.work, work, after) != 0)
        return ens_fail(err, ENS_EPROCESS, "cannot start a thread");
    while (!b.done)
        uv_run(&r->loop, UV_RUN_ONCE);
    return b.status;
}
