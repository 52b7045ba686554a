#include "worker/inside.h"

#include "base/bug.h"
#include "base/hash.h"
#include "input/input.h"
#include "plan/task.h"
#include "store/tables_in.h"

#include <string.h>

enum ens_status ens_result_init(struct ens_result *r, struct ens_worker *w,
                                struct ens_error *err)
{
    r->worker = w;
    ens_arena_init(&r->arena);
    /* The draft's words for the widest schema now, not under a limit. */
    for (size_t i = 0; i < w->schemas.n; i++)
        if (ens_draft_begin(&r->draft, w->schemas.item[i]) != ENS_OK)
            return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    return ENS_OK;
}

void ens_result_fini(struct ens_result *r)
{
    ens_draft_fini(&r->draft);
    ens_arena_fini(&r->arena);
}

void ens_result_streams(struct ens_result *r, const char *stage,
                        uint32_t replicate)
{
    if (r->stream_stage == NULL || strcmp(r->stream_stage, stage) != 0)
        r->n_streams = 0; /* their hashes are others */
    r->stream_stage = stage;
    r->stream_replicate = replicate;
}

enum ens_status ens_result_begin(struct ens_result *r, struct ens_error *err)
{
    r->serial++;
    ens_result_streams(r, r->worker->stage.key, r->worker->task.replicate);
    r->late = NULL;
    r->misuse.status = ENS_OK;
    r->parts = NULL;
    r->warned = 0;
    r->kept = NULL;
    r->held = NULL;
    r->held_end = &r->held;
    r->schema = 0;
    r->fields_set = 0;
    ens_laps_begin(r);
    if (ens_draft_begin(&r->draft, r->worker->schemas.item[0]) != ENS_OK)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    return ENS_OK;
}

/* -- schemas and fields ---------------------------------------------------- */

/* Items given before the switch (warnings, artifacts) stay. */
static void switch_schema(struct ens_result *r, size_t index)
{
    struct ens_draft *d = &r->draft;
    struct ens_buf items = d->items;

    if (index == r->schema)
        return;
    if (r->fields_set)
        ens_fail(&r->misuse, ENS_EUSAGE, "schema chosen after fields were set");
    r->kept = NULL;
    memset(&d->items, 0, sizeof(d->items));
    if (ens_draft_begin(d, r->worker->schemas.item[index]) == ENS_OK)
        r->schema = index;
    else
        ens_fail(&r->misuse, ENS_ENOMEMORY, "out of memory");
    d->items = items;
}

static void use_schema(struct ens_result *r, uint32_t index)
{
    if (index >= r->worker->plan->schemas.n)
        ens_fail(&r->misuse, ENS_EUSAGE, "schema %u: the plan declares %zu",
                 index, r->worker->plan->schemas.n);
    else
        switch_schema(r, index);
}

static enum ens_status new_schema(struct ens_result *r,
                                  const struct ens_field *fields, size_t n,
                                  struct ens_error *err)
{
    size_t index;
    enum ens_status s =
        ens_schemas_add(&r->worker->schemas, fields, n, &index, err);

    if (s == ENS_OK)
        switch_schema(r, index);
    return s;
}

static int check_field(struct ens_result *r, uint32_t field,
                       enum ens_field_type type)
{
    const struct ens_schema *s = r->draft.schema;

    r->fields_set = 1;
    if (field >= s->n)
        ens_fail(&r->misuse, ENS_EUSAGE, "field %u: the schema has %zu", field,
                 s->n);
    else if (s->field[field].type != type)
        ens_fail(&r->misuse, ENS_EUSAGE, "field %s set with another type",
                 s->field[field].name);
    else
        return 1;
    return 0;
}

static void set_f64(struct ens_result *r, uint32_t field, double v)
{
    if (check_field(r, field, ENS_F64))
        ens_draft_f64(&r->draft, field, v);
}

static void set_i64(struct ens_result *r, uint32_t field, int64_t v)
{
    if (check_field(r, field, ENS_I64))
        ens_draft_i64(&r->draft, field, v);
}

static void set_text(struct ens_result *r, uint32_t field, const char *s,
                     size_t n)
{
    if (check_field(r, field, ENS_TEXT))
        ens_draft_item(&r->draft, ENS_ITEM_TEXT, (uint16_t)field, s, n);
}

static void warn(struct ens_result *r, const char *text)
{
    r->warned = 1;
    ens_draft_item(&r->draft, ENS_ITEM_WARNING, 0, text, strlen(text));
}

static void keep_fields(struct ens_result *r)
{
    const struct ens_draft *d = &r->draft;
    size_t n = d->schema == NULL ? 0 : d->schema->n;

    r->kept = ens_arena_alloc(&r->arena, n, sizeof(*r->kept));
    if (r->kept == NULL)
        ens_fail(&r->misuse, ENS_ENOMEMORY, "out of memory");
    else if (n > 0)
        memcpy(r->kept, d->field, n * sizeof(*r->kept));
}

/* -- artifacts ------------------------------------------------------------- */

struct piece { /* bytes on their way into the pack */
    struct ens_pack *pack;
    const void *data; /* NULL and no ref: an artifact in parts begins */
    size_t bytes;
    struct ens_artifact_ref *ref; /* NULL: a part of an artifact */
};

static enum ens_status put_piece(void *arg, struct ens_error *err)
{
    const struct piece *d = arg;

    if (d->ref != NULL)
        return ens_pack_append(d->pack, d->data, d->bytes, d->ref, err);
    return d->data != NULL ? ens_pack_part(d->pack, d->data, d->bytes, err)
                           : ens_pack_begin(d->pack, err);
}

/* A failure is the world's, never the task's. */
static enum ens_status store(struct ens_worker *w, struct piece d,
                             struct ens_error *err)
{
    enum ens_status s = ens_worker_write(w, put_piece, &d);

    if (s != ENS_OK && err != NULL)
        *err = w->fatal;
    return s;
}

enum ens_status ens_worker_store(struct ens_worker *w, const void *data,
                                 size_t bytes, struct ens_artifact_ref *ref,
                                 struct ens_error *err)
{
    return store(w, (struct piece){&w->pack, data, bytes, ref}, err);
}

/* What a replay says of an artifact that it does not store. */
static enum ens_status describe(const void *data, size_t bytes,
                                struct ens_artifact_ref *ref)
{
    ref->length = bytes;
    ref->hash = ens_hash64(data, bytes);
    return ENS_OK;
}

/* Its place among the kind's items; their number when it is none. */
static size_t place_of(const struct ens_worker *w, const char *item)
{
    size_t i = 0;

    while (i < w->kind->n_retained &&
           strcmp(w->kind->retained[i].name, item) != 0)
        i++;
    return i;
}

static int keeps(const struct ens_result *r, const char *item)
{
    size_t i = place_of(r->worker, item);

    return i < r->worker->kind->n_retained && r->worker->retain[i];
}

static enum ens_status find_item(const struct ens_worker *w, const char *item,
                                 size_t *at, struct ens_error *err)
{
    *at = place_of(w, item);
    return *at < w->kind->n_retained
               ? ENS_OK
               : ens_fail(err, ENS_EUSAGE,
                          "artifact %s is not among the items of kind %s", item,
                          w->kind->name);
}

enum ens_status ens_result_store(struct ens_result *r, const void *data,
                                 size_t bytes, struct ens_artifact_ref *ref,
                                 struct ens_error *err)
{
    return r->worker->replay
               ? describe(data, bytes, ref)
               : ens_worker_store(r->worker, data, bytes, ref, err);
}

void ens_result_refer(struct ens_result *r, struct ens_artifact_ref *ref,
                      const char *item)
{
    ref->name = item;
    ref->name_bytes = strlen(item);
    ens_draft_artifact(&r->draft, ref);
}

static enum ens_status keep_artifact(struct ens_result *r, const char *item,
                                     const void *data, size_t bytes,
                                     struct ens_error *err)
{
    struct ens_worker *w = r->worker;
    struct ens_artifact_ref ref = {0};
    size_t i;
    enum ens_status s = find_item(w, item, &i, err);

    if (s == ENS_OK && r->parts != NULL)
        s = ens_fail(err, ENS_EUSAGE, "artifact %s while %s comes in parts",
                     item, r->parts);
    if (s != ENS_OK || !w->retain[i])
        return s;
    if (w->retain[i] != ENS_RETAIN_OK)
        return ens_retain_hold(r, i, data, bytes, NULL, err);
    s = ens_result_store(r, data, bytes, &ref, err);
    if (s == ENS_OK)
        ens_result_refer(r, &ref, item);
    return s;
}

static enum ens_status begin_parts(struct ens_worker *w, struct ens_error *err)
{
    if (w->replay) {
        if (w->hasher == NULL && (w->hasher = ens_hasher_new()) == NULL)
            return ens_fail(err, ENS_ENOMEMORY, "artifact: out of memory");
        ens_hasher_begin(w->hasher);
        return ENS_OK;
    }
    return store(w, (struct piece){.pack = &w->pack}, err);
}

static enum ens_status artifact_begin(struct ens_result *r, const char *item,
                                      struct ens_error *err)
{
    struct ens_worker *w = r->worker;
    size_t i;
    enum ens_status s = find_item(w, item, &i, err);

    if (s == ENS_OK && r->parts != NULL)
        s = ens_fail(err, ENS_EUSAGE, "artifact %s while %s comes in parts",
                     item, r->parts);
    if (s == ENS_OK && w->retain[i])
        s = begin_parts(w, err);
    if (s != ENS_OK)
        return s;
    r->parts = w->kind->retained[i].name;
    r->parts_kept = w->retain[i];
    r->parts_bytes = 0;
    return ENS_OK;
}

static enum ens_status artifact_part(struct ens_result *r, const void *data,
                                     size_t bytes, struct ens_error *err)
{
    struct ens_worker *w = r->worker;

    if (r->parts == NULL)
        return ens_fail(err, ENS_EUSAGE, "part of an artifact without begin");
    r->parts_bytes += bytes;
    if (!r->parts_kept || bytes == 0)
        return ENS_OK;
    if (!w->replay)
        return store(w, (struct piece){&w->pack, data, bytes, NULL}, err);
    ens_hasher_put(w->hasher, data, bytes);
    return ENS_OK;
}

static enum ens_status refer_parts(struct ens_result *r,
                                   struct ens_artifact_ref *ref,
                                   struct ens_error *err)
{
    size_t i = place_of(r->worker, r->parts);

    if (r->worker->retain[i] != ENS_RETAIN_OK)
        return ens_retain_hold(r, i, NULL, 0, ref, err);
    ens_result_refer(r, ref, r->parts);
    return ENS_OK;
}

static enum ens_status artifact_end(struct ens_result *r, struct ens_error *err)
{
    struct ens_worker *w = r->worker;
    struct ens_artifact_ref ref = {0};
    enum ens_status s = ENS_OK;

    if (r->parts == NULL)
        return ens_fail(err, ENS_EUSAGE, "end of an artifact without begin");
    if (r->parts_kept && w->replay) {
        ref.length = r->parts_bytes;
        ref.hash = ens_hasher_end(w->hasher);
    } else if (r->parts_kept) {
        ens_pack_end(&w->pack, &ref);
    }
    if (r->parts_kept)
        s = refer_parts(r, &ref, err);
    r->parts = NULL;
    return s;
}

/* -- memory, streams, inputs ----------------------------------------------- */

static void *alloc(struct ens_result *r, size_t n, size_t size)
{
    return ens_arena_alloc(&r->arena, n, size);
}

static void set_stream(const struct ens_worker *w, struct ens_rng *g,
                       const char *purpose, uint64_t hash)
{
    const struct ens_cell *c = &w->task.cell;
    int data = strcmp(purpose, "data") == 0;

    ens_rng_set(g, w->seed, data ? c->data_hash[0] : c->hash[0],
                w->result.stream_replicate, hash);
}

/* Streams beyond the table, or with long names, last for one task. */
static struct ens_rng *late_stream(struct ens_result *r, const char *purpose)
{
    struct ens_worker *w = r->worker;
    struct ens_late_stream *l;

    for (l = r->late; l != NULL; l = l->next)
        if (strcmp(l->purpose, purpose) == 0)
            return &l->rng;
    l = ens_arena_alloc(&r->arena, 1, sizeof(*l));
    if (l == NULL)
        return NULL;
    l->purpose = ens_arena_strdup(&r->arena, purpose);
    if (l->purpose == NULL)
        return NULL;
    l->next = r->late;
    r->late = l;
    set_stream(w, &l->rng, purpose, ens_rng_stream(r->stream_stage, purpose));
    return &l->rng;
}

static struct ens_rng *get_rng(struct ens_result *r, const char *purpose)
{
    struct ens_worker *w = r->worker;
    struct ens_stream *st;
    size_t i = 0;

    while (i < r->n_streams && strcmp(r->stream[i].purpose, purpose) != 0)
        i++;
    if (i == ENS_N_STREAMS || strlen(purpose) >= ENS_PURPOSE_BYTES)
        return late_stream(r, purpose);
    st = &r->stream[i];
    if (i == r->n_streams) {
        memcpy(st->purpose, purpose, strlen(purpose) + 1);
        st->hash = ens_rng_stream(r->stream_stage, purpose);
        st->serial = 0;
        r->n_streams++;
    }
    if (st->serial != r->serial) {
        set_stream(w, &st->rng, purpose, st->hash);
        st->serial = r->serial;
    }
    return &st->rng;
}

static uint64_t act_for(struct ens_result *r, const char *stage,
                        uint32_t replicate)
{
    const struct ens_worker *w = r->worker;

    r->serial++; /* streams that were taken are another task's */
    r->late = NULL;
    ens_result_streams(r, stage, replicate);
    return ens_task_seed(w->plan, stage, &w->task.cell, replicate);
}

static const struct ens_input *get_input(const struct ens_result *r,
                                         const char *name)
{
    return ens_plan_input(r->worker->plan, name);
}

static void announce_group(struct ens_result *r, int32_t pgid)
{
    atomic_store(&r->worker->config.shared->group, pgid);
}

static const char *own_folder(struct ens_result *r)
{
    const struct ens_worker_config *c = &r->worker->config;
    const char *path = ens_arena_printf(&r->arena, "%s/" ENS_WORK_FOLDER "/%u",
                                        c->dir, (unsigned)c->slot);

    if (path == NULL)
        ens_fail(&r->misuse, ENS_ENOMEMORY, "out of memory");
    return path;
}

const struct ens_host ens_host = {
    .abi = ENS_ABI,
    .plan_schema = ens_plan_add_schema,
    .plan_array = ens_plan_add_array,
    .plan_stage = ens_plan_add_stage,
    .plan_data = ens_plan_add_data,
    .plan_keepsakes = ens_plan_keepsakes,
    .plan_is_whole = ens_plan_is_whole,
    .plan_study = ens_plan_study,
    .plan_input = ens_plan_input,
    .plan_n_cells = ens_plan_n_cells,
    .plan_cell = ens_plan_cell,
    .use_schema = use_schema,
    .new_schema = new_schema,
    .f64 = set_f64,
    .i64 = set_i64,
    .text = set_text,
    .warn = warn,
    .keep_fields = keep_fields,
    .artifact = keep_artifact,
    .artifact_begin = artifact_begin,
    .artifact_part = artifact_part,
    .artifact_end = artifact_end,
    .keeps = keeps,
    .block = ens_result_block,
    .block_part = ens_result_block_part,
    .alloc = alloc,
    .rng = get_rng,
    .act_for = act_for,
    .uniform = ens_rng_uniform,
    .normal = ens_rng_normal,
    .bits = ens_rng_bits,
    .below = ens_rng_below,
    .input = get_input,
    .lap = ens_result_lap,
    .group = announce_group,
    .folder = own_folder,
    .array = ens_result_array,
    .kept_by = ens_result_kept_by,
    .array_of = ens_result_array_of,
    .next_record = ens_records_next,
    .rewind = ens_records_rewind,
    .records_of = ens_records_of,
    .read_array = ens_records_array,
    .record_artifact = ens_records_artifact,
    .stage_records = ens_tables_in_records,
    .stage_finished = ens_tables_in_finished,
    .output = ens_tables_in_array,
    .fail = ens_fail,
    .study_value = ens_study_value,
    .cell_value = ens_cell_value,
    .cell_key = ens_cell_key,
    .cell_impl = ens_cell_impl,
    .cell_row = ens_cell_row,
    .view_f64 = ens_view_f64,
    .view_gather_f64 = ens_view_gather_f64,
    .view_pointer_f64 = ens_view_pointer_f64,
    .input_column = ens_input_column,
    .record_f64 = ens_record_f64,
    .record_i64 = ens_record_i64,
    .record_text = ens_record_text,
    .record_lap = ens_record_lap,
};
