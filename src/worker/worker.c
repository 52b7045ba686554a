#include "worker/inside.h"

#include "base/bug.h"
#include "base/clock.h"
#include "base/hash.h"
#include "worker/limits.h"

#include <stdlib.h>
#include <string.h>

/* -- frames out ------------------------------------------------------------ */

void ens_worker_phase(struct ens_worker *w, enum ens_phase phase)
{
    atomic_store_explicit(&w->config.shared->phase, phase,
                          memory_order_release);
}

static void emit_records(struct ens_worker *w)
{
    if (w->packer.n > 0)
        ens_packer_flush(&w->packer, &w->out, w->config.slot,
                         w->config.incarnation, w->seq++, w->config.run_id);
}

unsigned char *ens_worker_frame_begin(struct ens_worker *w,
                                      enum ens_frame_type type, size_t n)
{
    emit_records(w);
    return ens_frame_begin(&w->out, type, w->config.slot, w->config.incarnation,
                           w->seq++, n);
}

void ens_worker_frame_end(struct ens_worker *w, size_t n)
{
    ens_frame_end(&w->out, n, w->config.run_id);
}

void ens_worker_frame(struct ens_worker *w, enum ens_frame_type type,
                      const void *payload, size_t n)
{
    emit_records(w);
    ens_frame_write(&w->out, type, w->config.slot, w->config.incarnation,
                    w->seq++, payload, n, w->config.run_id);
}

enum ens_status ens_worker_flush(struct ens_worker *w)
{
    uint32_t phase = atomic_load(&w->config.shared->phase);
    enum ens_status s;

    emit_records(w);
    if (w->out.failed)
        return ENS_ENOMEMORY;
    if (w->out.len == 0)
        return ENS_OK;
    ens_worker_phase(w, ENS_PHASE_SENDING);
    s = w->config.send(w->config.arg, w->out.data, w->out.len);
    ens_worker_phase(w, (enum ens_phase)phase);
    ens_buf_clear(&w->out);
    return s;
}

static enum ens_status grow_sent(struct ens_worker *w, struct ens_error *err)
{
    size_t cap = 2 * w->schemas.n + 16;
    unsigned char *p;

    if (w->schemas.n <= w->cap_sent)
        return ENS_OK;
    p = realloc(w->sent, cap);
    if (p == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    memset(p + w->cap_sent, 0, cap - w->cap_sent);
    w->sent = p;
    w->cap_sent = cap;
    return ENS_OK;
}

/* Readers want a schema before its first records: once per incarnation. */
static enum ens_status send_schema(struct ens_worker *w, struct ens_error *err)
{
    struct ens_buf b = ENS_BUF_INIT;
    enum ens_status s = grow_sent(w, err);

    if (s != ENS_OK)
        return s;
    ens_schema_encode(w->result.draft.schema, &b);
    if (b.failed)
        s = ens_fail(err, ENS_ENOMEMORY, "out of memory");
    else
        ens_worker_frame(w, ENS_FRAME_SCHEMA, b.data, b.len);
    ens_buf_fini(&b);
    w->sent[w->result.schema] = 1;
    return s;
}

enum ens_status ens_worker_pack(struct ens_worker *w, struct ens_error *err)
{
    struct ens_draft *d = &w->result.draft;
    size_t index = w->result.schema;
    enum ens_status s = ENS_OK;

    if (w->packer.n == 0 && w->out.len == 0)
        w->pending_since_ns = w->now_ns;
    if (index >= w->cap_sent || !w->sent[index])
        s = send_schema(w, err);
    if (s != ENS_OK)
        return s;
    if (!ens_packer_fits(&w->packer, d)) {
        emit_records(w);
        if (w->out.len >= ENS_FRAME_MAX / 2) {
            s = ens_worker_flush(w);
            if (s != ENS_OK)
                return ens_fail(err, s, "cannot send records");
            w->now_ns = w->pending_since_ns = ens_clock_ns();
        }
    }
    ens_packer_add(&w->packer, d);
    return ENS_OK;
}

/* -- opening --------------------------------------------------------------- */

static enum ens_status read_settings(struct ens_worker *w,
                                     struct ens_error *err)
{
    const struct ens_study *study = w->plan->study;
    const struct ens_value *wait = ens_study_value(study, "run", "disk_wait");

    w->seed = ens_study_seed(study);
    w->disk_wait_s = wait != NULL && wait->set ? wait->d : 0;
    return ens_retain_read(w, err);
}

/* The plan's schemas at the indices the kind knows; at least an empty one. */
static enum ens_status copy_schemas(struct ens_worker *w, struct ens_error *err)
{
    const struct ens_schemas *from = &w->plan->schemas;
    size_t index;
    enum ens_status s = ENS_OK;

    for (size_t i = 0; s == ENS_OK && i < from->n; i++) {
        s = ens_schemas_add(&w->schemas, from->item[i]->field, from->item[i]->n,
                            &index, err);
        ENS_BUG_ON(s == ENS_OK && index != i);
    }
    if (s == ENS_OK && from->n == 0)
        s = ens_schemas_add(&w->schemas, NULL, 0, &index, err);
    return s == ENS_OK ? grow_sent(w, err) : s;
}

/* Grow all buffers before a limit is set, so that records always fit. */
static enum ens_status warm_up(struct ens_worker *w, struct ens_error *err)
{
    if (ens_buf_reserve(&w->out, 2 * ENS_FRAME_MAX) == NULL ||
        ens_buf_reserve(&w->packer.records, ENS_FRAME_MAX) == NULL ||
        ens_buf_reserve(&w->packer.items, ENS_FRAME_MAX) == NULL ||
        ens_buf_reserve(&w->result.draft.items, ENS_FRAME_MAX) == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    return ENS_OK;
}

static enum ens_status open_kind(struct ens_worker *w, struct ens_error *err)
{
    enum ens_status s;

    s = ens_fault_install(err);
    if (s != ENS_OK)
        return s;
    w->fault_open = 1;
    w->fault.inputs = w->plan->inputs;
    if (w->kind->open != NULL)
        s = ens_worker_call(w, ENS_ENTRY_OPEN, err);
    if (s != ENS_OK)
        return s;
    w->kind_open = 1;
    if (w->config.memory_limit > 0)
        s = ens_limit_memory(w->config.memory_limit, err);
    return s;
}

static enum ens_status open_worker(struct ens_worker *w, struct ens_error *err)
{
    enum ens_status s;

    ens_worker_phase(w, ENS_PHASE_OPENING);
    w->busy_ns = atomic_load(&w->config.shared->busy_ns);
    ens_pack_init(&w->pack, w->config.dir, w->config.epoch, w->config.slot,
                  w->config.io);
    if (w->config.far)
        ens_pack_redirect(&w->pack, w->config.pack_end, ens_far_pack, w);
    s = read_settings(w, err);
    if (s == ENS_OK)
        s = copy_schemas(w, err);
    if (s == ENS_OK)
        s = ens_result_init(&w->result, w, err);
    if (s == ENS_OK)
        s = warm_up(w, err);
    if (s == ENS_OK)
        s = open_kind(w, err);
    if (s == ENS_OK)
        ens_worker_phase(w, ENS_PHASE_IDLE);
    return s;
}

enum ens_status ens_worker_open(struct ens_worker **out,
                                const struct ens_worker_config *config,
                                struct ens_error *err)
{
    struct ens_worker *w = calloc(1, sizeof(*w));
    enum ens_status s;

    if (w == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    w->config = *config;
    w->plan = config->plan;
    w->kind = config->plan->kind;
    s = open_worker(w, err);
    if (s == ENS_OK)
        *out = w;
    else
        ens_worker_close(w);
    return s;
}

void ens_worker_close(struct ens_worker *w)
{
    if (w == NULL)
        return;
    if (w->kind_open && w->kind->close != NULL)
        w->kind->close(w->state);
    if (w->fault_open)
        ens_fault_remove();
    ens_arrays_fini(w);
    ens_kept_leave(w);
    ens_buf_fini(&w->kept);
    ens_stage_fini(&w->stage);
    ens_buf_fini(&w->stage_data);
    ens_result_fini(&w->result);
    ens_pack_fini(&w->pack);
    ens_schemas_fini(&w->schemas);
    ens_packer_fini(&w->packer);
    ens_buf_fini(&w->out);
    ens_hasher_free(w->hasher);
    free(w->retain);
    free(w->sent);
    free(w);
}

/* -- orders ---------------------------------------------------------------- */

void ens_worker_more(struct ens_worker *w, int more)
{
    w->more = more;
}

int ens_worker_has_more(struct ens_worker *w)
{
    if (!w->more && w->config.waiting != NULL)
        w->more = w->config.waiting(w->config.arg);
    return w->more;
}

/* Data of the plan's own stage lies in the plan, else in a pack. */
static enum ens_status load_data(struct ens_worker *w, struct ens_error *err)
{
    const struct ens_plan *p = w->plan;

    ens_buf_clear(&w->stage_data);
    for (size_t i = 0; i < p->n_stages; i++)
        if (p->stage[i].id == w->stage.id && p->stage_data[i].len > 0) {
            ens_buf_put(&w->stage_data, p->stage_data[i].data,
                        p->stage_data[i].len);
            return w->stage_data.failed
                       ? ens_fail(err, ENS_ENOMEMORY, "out of memory")
                       : ENS_OK;
        }
    if (!w->stage.has_data)
        return ENS_OK;
    return ens_pack_read(w->config.dir, (uint32_t)w->stage.data_epoch,
                         &w->stage.data, &w->stage_data, err);
}

static enum ens_status tell_kind(struct ens_worker *w, struct ens_error *err)
{
    enum ens_status s = load_data(w, err);

    if (s != ENS_OK || w->kind->stage == NULL)
        return s;
    return ens_worker_call(w, ENS_ENTRY_STAGE, err);
}

static enum ens_status enter_stage(struct ens_worker *w, const void *body,
                                   size_t n, struct ens_error *err)
{
    struct ens_order_stage o;
    enum ens_status s = ens_order_read_stage(&o, body, n, err);

    if (s != ENS_OK)
        return s;
    ens_worker_leave_cell(w);
    ens_kept_leave(w);
    ens_reads_clear(&w->reads);
    emit_records(w);
    ens_stage_fini(&w->stage);
    w->stage = o.stage;
    w->has_stage = 1;
    w->round = o.round;
    w->packer.stage = w->stage.id;
    w->packer.round = o.round;
    w->task.stage = w->stage.key;
    w->task.stage_index = w->stage.index;
    w->result.stream_stage = NULL; /* it was the old stage's key */
    atomic_store(&w->config.shared->stage, w->stage.id);
    s = ens_arrays_enter(w, err);
    return s == ENS_OK ? tell_kind(w, err) : s;
}

static enum ens_status run_range(struct ens_worker *w,
                                 const struct ens_order *o,
                                 struct ens_error *err)
{
    uint64_t n_tasks = ens_stage_n_tasks(&w->stage);
    enum ens_status s = ENS_OK;

    if (!w->has_stage || o->first > n_tasks || o->n > n_tasks - o->first)
        return ens_fail(err, ENS_EPROTOCOL, "range outside of the stage");
    w->now_ns = ens_clock_ns();
    w->charged = o->charged;
    for (uint64_t i = 0; s == ENS_OK && i < o->n; i++)
        s = ens_worker_run(w, o->first + i, err);
    if (s != ENS_OK)
        return s;
    s = ens_worker_flush(w);
    return s == ENS_OK ? s : ens_fail(err, s, "cannot send records");
}

static enum ens_status replay(struct ens_worker *w, const struct ens_order *o,
                              struct ens_error *err)
{
    enum ens_status s;

    w->replay = 1;
    w->restore = o->type == ENS_ORDER_RESTORE;
    s = run_range(w, o, err);
    w->replay = w->restore = 0;
    return s;
}

static enum ens_status run_next(struct ens_worker *w, const void *body,
                                size_t n, struct ens_error *err)
{
    struct ens_order_next o;
    enum ens_status s = ens_order_read_next(&o, body, n, err);

    if (s != ENS_OK)
        return s;
    s = ens_worker_next(w, &o, err);
    ens_stage_fini(&o.stage);
    return s;
}

static enum ens_status follow(struct ens_worker *w,
                              const struct ens_order *order, const void *body,
                              struct ens_error *err)
{
    switch ((enum ens_order_type)order->type) {
    case ENS_ORDER_RANGE:
        return run_range(w, order, err);
    case ENS_ORDER_REPLAY:
    case ENS_ORDER_RESTORE:
        return replay(w, order, err);
    case ENS_ORDER_STAGE:
        return enter_stage(w, body, order->n, err);
    case ENS_ORDER_NEXT:
        return run_next(w, body, order->n, err);
    case ENS_ORDER_LAST:
        w->more = 0;
        return ENS_OK;
    case ENS_ORDER_STOP:
        return ens_worker_flush(w);
    }
    return ens_fail(err, ENS_EPROTOCOL, "order of unknown type %u",
                    order->type);
}

/* Tell the other end why, unless nobody is there to hear it. */
static void refuse(struct ens_worker *w, const struct ens_error *why)
{
    if (why->status == ENS_ESTOPPED)
        return;
    ens_packer_fini(&w->packer);
    ens_buf_clear(&w->out);
    ens_worker_frame(w, ENS_FRAME_REFUSED, why, sizeof(*why));
    ens_worker_flush(w);
}

enum ens_status ens_worker_order(struct ens_worker *w,
                                 const struct ens_order *order,
                                 const void *body, struct ens_error *err)
{
    struct ens_error why;
    enum ens_status s;

    memset(&why, 0, sizeof(why));
    s = follow(w, order, body, &why);
    if (s != ENS_OK)
        refuse(w, &why);
    if (s != ENS_OK && err != NULL)
        *err = why;
    return s;
}

enum ens_status ens_worker_task(struct ens_worker *w, uint64_t place,
                                struct ens_error *err)
{
    struct ens_error why;
    enum ens_status s;

    memset(&why, 0, sizeof(why));
    w->now_ns = ens_clock_ns();
    if (!w->has_stage || place >= ens_stage_n_tasks(&w->stage))
        s = ens_fail(&why, ENS_EPROTOCOL, "place outside of the stage");
    else
        s = ens_worker_run(w, place, &why);
    if (s != ENS_OK)
        refuse(w, &why);
    if (s != ENS_OK && err != NULL)
        *err = why;
    return s;
}
