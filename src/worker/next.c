/* The task of `next`: read the finished stage in task order, ask the kind,
 * answer with STAGE frames. */
#include "worker/inside.h"

#include "base/clock.h"
#include "base/hash.h"

#include <string.h>

struct asking {
    struct ens_worker *w;
    const struct ens_order_next *order;
    struct ens_log log;
    struct ens_places *places; /* of the finished stage */
    struct ens_plan answer;
};

/* -- the stage that wrote an array ----------------------------------------- */

struct search { /* newest STAGE frame with an id */
    uint64_t id;
    struct ens_stage stage;
    int found;
};

static enum ens_status visit_stage(void *arg, const struct ens_segment *segment,
                                   struct ens_log_at at,
                                   const struct ens_frame *frame,
                                   struct ens_error *err)
{
    struct search *se = arg;
    struct ens_stage stage;
    enum ens_status s;

    (void)segment;
    (void)at;
    if (frame->type != ENS_FRAME_STAGE)
        return ENS_OK;
    s = ens_stage_decode(&stage, frame->payload, frame->length, err);
    if (s != ENS_OK)
        return s;
    if (stage.id != se->id || (stage.flags & ENS_STAGE_END)) {
        ens_stage_fini(&stage);
        return ENS_OK;
    }
    if (se->found)
        ens_stage_fini(&se->stage);
    se->stage = stage;
    se->found = 1;
    return ENS_OK;
}

/* From the finished stage back along `from` to the one that wrote the array;
 * copied. The end of the line is the plan's own stage. */
static enum ens_status find_writer(const struct asking *a, const char *array,
                                   struct ens_stage *stage,
                                   struct ens_error *err)
{
    struct search se = {0};
    uint64_t from = a->order->stage.from;
    enum ens_status s;

    if (ens_stage_writes(&a->order->stage, array))
        return ens_stage_copy(stage, &a->order->stage);
    while (from != 0) {
        memset(&se, 0, sizeof(se));
        se.id = from;
        s = ens_log_walk(&a->log, NULL, visit_stage, &se, err);
        if (s != ENS_OK)
            return s;
        if (!se.found)
            break;
        if (ens_stage_writes(&se.stage, array)) {
            *stage = se.stage;
            return ENS_OK;
        }
        from = se.stage.from;
        ens_stage_fini(&se.stage);
    }
    for (size_t i = 0; i < a->w->plan->n_stages; i++)
        if (ens_stage_writes(&a->w->plan->stage[i], array))
            return ens_stage_copy(stage, &a->w->plan->stage[i]);
    return ens_fail(err, ENS_EPROTOCOL, "array %s: no finished stage wrote it",
                    array);
}

/* -- digests ----------------------------------------------------------------
 *
 * Input digest of a stage: 0 when it has no data and reads nothing; the hash
 * of its data where that is all; for each array read, in order, it is paired
 * with the hash of the array's name and, in task order, the digest of each
 * block of the stage that wrote it (0 for a task that has none).
 */

static int block_digest(const struct ens_record *r, const char *array,
                        uint64_t *digest)
{
    struct ens_item_view item;
    size_t at = 0;
    size_t n = strlen(array);

    while (ens_item_next(r, &at, &item)) {
        struct ens_cursor c = ens_cursor(item.bytes, item.length);

        if (item.type != ENS_ITEM_BLOCK || item.length != 8 + n ||
            memcmp(item.bytes + 8, array, n) != 0)
            continue;
        *digest = ens_cursor_u64(&c);
        return 1;
    }
    *digest = 0;
    return 0;
}

static uint64_t chain_blocks(const struct ens_places *p, const char *array,
                             uint64_t h)
{
    uint64_t n = ens_stage_n_tasks(ens_places_stage(p));
    struct ens_record r;
    uint64_t digest;
    uint32_t epoch;

    for (uint64_t place = 0; place < n; place++) {
        digest = 0;
        if (ens_places_get(p, place, &r, &epoch))
            block_digest(&r, array, &digest);
        h = ens_hash64_pair(h, digest);
    }
    return h;
}

static enum ens_status digest_array(const struct asking *a, const char *array,
                                    uint64_t *h, struct ens_error *err)
{
    struct ens_places *places = a->places;
    struct ens_stage writer;
    enum ens_status s = find_writer(a, array, &writer, err);

    if (s != ENS_OK)
        return s;
    if (writer.id != a->order->stage.id)
        s = ens_places_build(&places, a->w->config.dir, &a->log, NULL,
                             a->w->plan->study, &writer, err);
    if (s == ENS_OK) {
        *h = ens_hash64_pair(*h, ens_hash64(array, strlen(array)));
        *h = chain_blocks(places, array, *h);
    }
    if (s == ENS_OK && places != a->places)
        ens_places_free(places);
    ens_stage_fini(&writer);
    return s;
}

/* -- answering --------------------------------------------------------------
 */

static enum ens_status send_stage(struct ens_worker *w,
                                  const struct ens_stage *stage,
                                  struct ens_error *err)
{
    struct ens_buf b = ENS_BUF_INIT;
    enum ens_status s = ENS_OK;

    ens_stage_encode(stage, &b);
    if (b.failed)
        s = ens_fail(err, ENS_ENOMEMORY, "out of memory");
    else if (b.len > ENS_FRAME_PAYLOAD_MAX)
        s = ens_fail(err, ENS_EDOMAIN,
                     "stage %s: %zu runs of cells do not fit into a frame",
                     stage->key, stage->n_runs);
    else
        ens_worker_frame(w, ENS_FRAME_STAGE, b.data, b.len);
    ens_buf_fini(&b);
    return s;
}

static enum ens_status complete(const struct asking *a, struct ens_stage *stage,
                                const struct ens_buf *data,
                                struct ens_error *err)
{
    uint64_t h = 0;
    enum ens_status s = ENS_OK;

    if (data->len > 0) {
        h = ens_hash64(data->data, data->len);
        s = ens_worker_store(a->w, data->data, data->len, &stage->data, err);
        stage->has_data = 1;
        stage->data_epoch = a->w->config.epoch;
    }
    for (size_t i = 0; s == ENS_OK && i < stage->n_reads; i++)
        s = digest_array(a, stage->reads[i], &h, err);
    if (s != ENS_OK)
        return s;
    stage->input_digest = h;
    stage->id = ens_stage_id(stage->key, h);
    stage->from = a->order->stage.id;
    stage->from_definition = a->order->definition;
    stage->run_settings = a->order->run_settings;
    return send_stage(a->w, stage, err);
}

static enum ens_status send_end(const struct asking *a, struct ens_error *err)
{
    struct ens_stage end;

    memset(&end, 0, sizeof(end));
    end.flags = ENS_STAGE_END;
    end.id = ens_stage_id(end.key, 0);
    end.from = a->order->stage.id;
    end.from_definition = a->order->definition;
    end.run_settings = a->order->run_settings;
    end.index = a->order->next_index;
    return send_stage(a->w, &end, err);
}

static enum ens_status ask(struct asking *a, struct ens_error *err)
{
    struct ens_worker *w = a->w;
    struct ens_records in;
    enum ens_status s;

    ens_plan_answer(&a->answer, w->plan, a->order->next_index);
    ens_records_init(&in, a->places, w->config.dir, 0,
                     ens_stage_n_tasks(&a->order->stage));
    w->in = &in;
    w->answer = &a->answer;
    s = ens_worker_call(w, ENS_ENTRY_NEXT, err);
    ens_records_fini(&in);
    w->in = NULL;
    for (size_t i = 0; s == ENS_OK && i < a->answer.n_stages; i++)
        s = complete(a, &a->answer.stage[i], &a->answer.stage_data[i], err);
    if (s == ENS_OK && a->answer.n_stages == 0)
        s = send_end(a, err);
    ens_plan_fini(&a->answer);
    w->answer = NULL;
    return s;
}

static enum ens_status read_and_ask(struct asking *a, struct ens_error *err)
{
    const struct ens_order_next *o = a->order;
    enum ens_status s;

    if (a->w->kind->next == NULL)
        return send_end(a, err);
    s = ens_log_open(&a->log, a->w->config.dir, &o->end, err);
    if (s != ENS_OK)
        return s;
    s = ens_places_build(&a->places, a->w->config.dir, &a->log, &o->from,
                         a->w->plan->study, &o->stage, err);
    if (s == ENS_OK) {
        s = ask(a, err);
        ens_places_free(a->places);
    }
    ens_log_close(&a->log);
    return s;
}

static void publish(struct ens_worker *w, const struct ens_stage *stage)
{
    struct ens_slot *slot = w->config.shared;

    atomic_store(&slot->place, ENS_PLACE_NEXT);
    atomic_store(&slot->stage, stage->id);
    atomic_store(&slot->start_ns, ens_clock_ns());
    ens_worker_phase(w, ENS_PHASE_RUNNING);
}

enum ens_status ens_worker_next(struct ens_worker *w,
                                const struct ens_order_next *order,
                                struct ens_error *err)
{
    struct asking a = {.w = w, .order = order};
    struct ens_error why;
    enum ens_status s;

    ens_worker_leave_cell(w);
    s = ens_worker_flush(w);
    if (s != ENS_OK)
        return ens_fail(err, s, "cannot send records");
    memset(&why, 0, sizeof(why));
    publish(w, &order->stage);
    s = read_and_ask(&a, &why);
    ens_worker_phase(w, ENS_PHASE_IDLE);
    atomic_store(&w->config.shared->stage, w->stage.id);
    w->fault.signal = 0;
    if (w->fatal.status != ENS_OK) {
        if (err != NULL)
            *err = w->fatal;
        return (enum ens_status)w->fatal.status;
    }
    if (s == ENS_OK) {
        ens_worker_frame(w, ENS_FRAME_ANSWERED, NULL, 0);
    } else {
        if (why.text[0] == '\0')
            ens_fail(&why, s, "next of stage %s failed", order->stage.key);
        why.status = (int32_t)s;
        ens_buf_clear(&w->out); /* no half an answer */
        ens_worker_frame(w, ENS_FRAME_REFUSED, &why, sizeof(why));
    }
    s = ens_worker_flush(w);
    return s == ENS_OK ? s : ens_fail(err, s, "cannot send the answer");
}
